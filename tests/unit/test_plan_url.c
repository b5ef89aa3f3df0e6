/* Which URLs are taken, and into which parts; which are refused, and with what words. */
#include <string.h>

#include "config/plan.h"
#include "tests/test.h"

static void test_plan_url_splits_what_is_right(void)
{
    static const struct {
        const char *name, *url, *host, *service, *path, *host_field;
    } rows[] = {
        {"plain", "http://h/", "h", "80", "/", "h"},
        {"https", "https://h/", "h", "443", "/", "h"},
        {"https and port", "https://h:8443/", "h", "8443", "/", "h:8443"},
        {"https and its port", "https://h:443/x", "h", "443", "/x", "h"},
        {"https and the port of http", "HTTPS://h:80/", "h", "80", "/", "h:80"},
        {"http and the port of https", "http://h:443/", "h", "443", "/", "h:443"},
        {"no path", "http://h", "h", "80", "/", "h"},
        {"scheme in capitals", "HTTP://h/", "h", "80", "/", "h"},
        {"port", "http://h:8080/", "h", "8080", "/", "h:8080"},
        {"port without path", "http://h:8080", "h", "8080", "/", "h:8080"},
        {"default port", "http://h:80/", "h", "80", "/", "h"},
        {"port with zeros", "http://h:0080/", "h", "80", "/", "h"},
        {"highest port", "http://h:65535/", "h", "65535", "/", "h:65535"},
        {"empty port", "http://h:/x", "h", "80", "/x", "h"},
        {"path and query", "http://a.b-c_d/x/y?z=1&q=2", "a.b-c_d", "80", "/x/y?z=1&q=2",
         "a.b-c_d"},
        {"query without path", "http://h?z=1", "h", "80", "/?z=1", "h"},
        {"query without path, port", "http://h:81?z", "h", "81", "/?z", "h:81"},
        {"fragment dropped", "http://h/x#frag?no", "h", "80", "/x", "h"},
        {"fragment without path", "http://h#f", "h", "80", "/", "h"},
        {"url in the query", "http://h/?u=http://x:99@y/", "h", "80", "/?u=http://x:99@y/", "h"},
        {"colon in the path", "http://h/a:b@c", "h", "80", "/a:b@c", "h"},
        {"percent and odd characters", "http://h/%20{}|\\\"'", "h", "80", "/%20{}|\\\"'", "h"},
        {"UTF-8 path as given", "http://h/\xc3\xa4", "h", "80", "/\xc3\xa4", "h"},
        {"double slash", "http://h//x", "h", "80", "//x", "h"},
        {"IPv4", "http://127.0.0.1:18400/", "127.0.0.1", "18400", "/", "127.0.0.1:18400"},
        {"IPv6", "http://[::1]/", "::1", "80", "/", "[::1]"},
        {"IPv6 and port", "http://[2001:db8::7]:81/p", "2001:db8::7", "81", "/p",
         "[2001:db8::7]:81"},
        {"IPv6 with IPv4", "http://[::ffff:1.2.3.4]/", "::ffff:1.2.3.4", "80", "/",
         "[::ffff:1.2.3.4]"},
        {"IPv6 zone", "http://[fe80::1%25eth0]:81/", "fe80::1%eth0", "81", "/", "[fe80::1]:81"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena = {.chunks = NULL};
        struct err_info why = {.code = ERR_OK};
        struct plan_target target;

        arena_init(&arena, 0);
        printf("%s\n", rows[i].name);
        EXPECT(plan_parse_url(&arena, rows[i].url, &target, &why) == ERR_OK);
        EXPECT(strcmp(target.url, rows[i].url) == 0);
        EXPECT(strcmp(target.host, rows[i].host) == 0);
        EXPECT(strcmp(target.service, rows[i].service) == 0);
        EXPECT(strcmp(target.path, rows[i].path) == 0);
        EXPECT(strcmp(target.host_field, rows[i].host_field) == 0);
        EXPECT(target.tls == (strncasecmp(rows[i].url, "https:", 6) == 0));
        arena_release(&arena);
    }
}

static void test_plan_url_refuses_what_is_wrong(void)
{
    static const struct {
        const char *url, *message;
    } rows[] = {
        {"", "the url is empty; write http://host/path"},
        {"localhost:8080/x",
         "url 'localhost:8080/x' has no scheme; write 'http://localhost:8080/x'"},
        {"h/?u=http://x", "url 'h/?u=http://x' has no scheme; write 'http://h/?u=http://x'"},
        {"http:h", "url 'http:h' has no '//' behind its 'http:'"},
        {"https:h", "url 'https:h' has no '//' behind its 'https:'"},
        {"ftp://h/", "url 'ftp://h/' has an unknown scheme; http:// and https:// are known"},
        {"httpx://h/", "url 'httpx://h/' has an unknown scheme; http:// and https:// are known"},
        {"://h/", "url '://h/' has an unknown scheme; http:// and https:// are known"},
        {"http://", "url 'http://' has no host"},
        {"http:///x", "url 'http:///x' has no host"},
        {"http://:80/", "url 'http://:80/' has no host"},
        {"http://?x", "url 'http://?x' has no host"},
        {"http://h:0/", "url 'http://h:0/' has port 0, where nothing can listen"},
        {"http://h:65536/", "url 'http://h:65536/' has a port over 65535"},
        {"http://h:99999999999999999999/",
         "url 'http://h:99999999999999999999/' has a port over 65535"},
        {"http://h:8x/", "url 'http://h:8x/' has a port that is no number"},
        {"http://h:-1/", "url 'http://h:-1/' has a port that is no number"},
        {"http://u:p@h/", "url 'http://u:p@h/' holds user information; send it as a header, "
                          "'Authorization: ...'"},
        {"http://h/a b", "url 'http://h/a b' holds a space; write it as %20"},
        {"http://h/a\r\nX: y", "url 'http://h/a??X: y' holds a control character"},
        {"http://h/\x7f", "url 'http://h/?' holds a control character"},
        {"http://\xc3\xa4.de/",
         "url 'http://\xc3\xa4.de/' has a host that is not ASCII; write it in its xn-- form"},
        {"http://a%41/", "url 'http://a%41/' has '%' in its host"},
        {"http://a]/", "url 'http://a]/' has ']' in its host"},
        {"http://::1/", "url 'http://::1/' has too many colons; write an IPv6 address as "
                        "http://[::1]/"},
        {"http://[::1/", "url 'http://[::1/' has no ']' after its '['"},
        {"http://[]/", "url 'http://[]/' has no IPv6 address between its brackets"},
        {"http://[1.2.3.4]/", "url 'http://[1.2.3.4]/' has no IPv6 address between its brackets"},
        {"http://[::g]/", "url 'http://[::g]/' has no IPv6 address between its brackets"},
        {"http://[0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0]/",
         "url 'http://[0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0]/' has no IPv6 address "
         "between its brackets"},
        {"http://[fe80::1%eth0]/",
         "url 'http://[fe80::1%eth0]/' has a bad zone; write it as [fe80::1%25eth0]"},
        {"http://[fe80::1%25]/",
         "url 'http://[fe80::1%25]/' has a bad zone; write it as [fe80::1%25eth0]"},
        {"http://[::1]x/", "url 'http://[::1]x/' has more than a port behind its ']'"},
        {"http://[::1]:/../:x", NULL},
        {"http://[::1]:x/", "url 'http://[::1]:x/' has a port that is no number"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct err_info why = {.code = ERR_OK};
        struct plan_target target = {.url = "untouched"};
        enum err err;

        arena_init(&arena, 0);
        err = plan_parse_url(&arena, rows[i].url, &target, &why);
        printf("%s: %s\n", rows[i].url, why.message);
        if (rows[i].message == NULL) {
            EXPECT(err == ERR_OK);
        } else {
            EXPECT(err == ERR_USAGE);
            EXPECT(why.code == ERR_USAGE);
            EXPECT(strcmp(why.message, rows[i].message) == 0);
            EXPECT(strcmp(target.url, "untouched") == 0);
        }
        arena_release(&arena);
    }
}

/* A host of `host_len` letters and a path of `path_len` bytes. */
static enum err parse_long(size_t host_len, size_t path_len)
{
    static char url[PLAN_URL_BYTES_MAX * 2];
    struct arena arena;
    struct err_info why;
    struct plan_target target;
    size_t len = 7;
    enum err err;

    (void)snprintf(url, sizeof(url), "http://");
    memset(url + len, 'h', host_len);
    len += host_len;
    memset(url + len, '/', path_len);
    len += path_len;
    url[len] = '\0';
    arena_init(&arena, 0);
    err = plan_parse_url(&arena, url, &target, &why);
    EXPECT(err == ERR_OK || strlen(why.message) < sizeof(why.message) - 1);
    arena_release(&arena);
    return err;
}

static void test_plan_url_has_bounds(void)
{
    EXPECT(parse_long(PLAN_HOST_BYTES_MAX, 1) == ERR_OK);
    EXPECT(parse_long(PLAN_HOST_BYTES_MAX + 1, 1) == ERR_USAGE);
    EXPECT(parse_long(1, PLAN_URL_BYTES_MAX - 8) == ERR_OK);
    EXPECT(parse_long(1, PLAN_URL_BYTES_MAX - 7) == ERR_USAGE);
}

static void test_plan_url_says_when_memory_is_refused(void)
{
    static char url[PLAN_URL_BYTES_MAX];
    struct plan_target target;
    bool refused = false, taken = false;

    memset(url, 'x', sizeof(url) - 1);
    for (size_t i = 0; i < 9; i++) {
        url[i] = "http://h/"[i];
    }
    for (size_t bytes_max = 1; !taken && bytes_max < (1 << 20); bytes_max += 4096) {
        struct err_info why;
        struct arena arena;
        enum err err;

        arena_init(&arena, bytes_max);
        err = plan_parse_url(&arena, url, &target, &why);
        EXPECT(err == ERR_OK || err == ERR_MEMORY);
        refused |= err == ERR_MEMORY;
        taken = err == ERR_OK;
        arena_release(&arena);
    }
    EXPECT(refused);
    EXPECT(taken);
}

int main(void)
{
    TEST(test_plan_url_splits_what_is_right);
    TEST(test_plan_url_refuses_what_is_wrong);
    TEST(test_plan_url_has_bounds);
    TEST(test_plan_url_says_when_memory_is_refused);
    return 0;
}
