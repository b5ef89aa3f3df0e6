/* URLs as wrk 4.1 takes them; what is in the tables was seen of it. */
#include "core/wrk_target.h"

#include <string.h>

#include "tests/test.h"

struct parsed {
    const char *url, *host, *service, *host_field, *path;
    bool tls;
};

static void test_wrk_target_takes_urls_apart(void)
{
    static const struct parsed cases[] = {
        {"http://h", "h", "http", "h", "/", false},
        {"http://h/", "h", "http", "h", "/", false},
        {"http://h:80/a", "h", "80", "h:80", "/a", false},
        {"https://h-1.example:443/a?b=c#d", "h-1.example", "443", "h-1.example:443", "/a?b=c#d",
         true},
        {"https://h?x=1", "h", "https", "h", "/", true},
        {"http://u:p@h:8/", "h", "8", "h:8", "/", false},
        {"http://[::1]:8080/x", "::1", "8080", "[::1]:8080", "/x", false},
        {"http://[::1]", "::1", "http", "[::1]", "/", false},
        {"ftp://h/", "h", "ftp", "h", "/", false},
        {"httpsx://h/", "h", "httpsx", "h", "/", true},
        {"HTTP://h:0/", "h", "0", "h:0", "/", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct parsed *wanted = &cases[i];
        struct wrk_target target;
        struct arena arena;

        arena_init(&arena, 0);
        (void)fprintf(stderr, "%s\n", wanted->url);
        EXPECT(wrk_target_parse(&arena, wanted->url, &target));
        EXPECT(strcmp(target.host, wanted->host) == 0);
        EXPECT(strcmp(target.service, wanted->service) == 0);
        EXPECT(strcmp(target.host_field, wanted->host_field) == 0);
        EXPECT(strcmp(target.path, wanted->path) == 0);
        EXPECT(target.tls == wanted->tls);
        arena_release(&arena);
    }
}

static void test_wrk_target_refuses_what_is_no_url(void)
{
    static const char *const urls[] = {
        "",
        "h",
        "/x",
        "127.0.0.1:80",
        "http:",
        "http:/h",
        "http://",
        "http:///x",
        "http1://h/",
        "://h/",
        "http://:8",
        "http://h:",
        "http://h:/",
        "http://h:x/",
        "http://h:8x",
        "http://h:65536/",
        "http://a b/",
        "http://h/a b",
        "http://h/\xc3\xa4",
        "http://h/\x01",
        "http://[::1",
        "http://[]/",
        "http://[::1]x/",
        "http://a_b/",
        "http://h#frag/x",
    };

    for (size_t i = 0; i < COUNT(urls); i++) {
        struct wrk_target target;
        struct arena arena;

        arena_init(&arena, 0);
        (void)fprintf(stderr, "%s\n", urls[i]);
        EXPECT(!wrk_target_parse(&arena, urls[i], &target));
        arena_release(&arena);
    }
}

int main(void)
{
    TEST(test_wrk_target_takes_urls_apart);
    TEST(test_wrk_target_refuses_what_is_no_url);
    return 0;
}
