/* Sources, given names and proxies as people write them. */
#include "config/net.h"

#include <stdio.h>
#include <string.h>

#include "config/request.h"
#include "tests/test.h"

static void test_net_sources_are_a_list_with_ranges(void)
{
    static const struct {
        const char *text, *first, *last;
        uint32_t count;
    } rows[] = {
        {"127.0.0.2", "127.0.0.2", "127.0.0.2", 1},
        {"127.0.0.2,::1", "127.0.0.2", "::1", 2},
        {"127.0.0.250-127.0.1.4", "127.0.0.250", "127.0.1.4", 11},
        {"1.2.3.4-1.2.3.4,0:0:0:0:0:0:0:1", "1.2.3.4", "::1", 2},
        {"255.255.255.254-255.255.255.255", "255.255.255.254", "255.255.255.255", 2},
        {"fe80::1%eth-0", "fe80::1%eth-0", "fe80::1%eth-0", 1},
        {"10.0.0.0-10.0.15.255", "10.0.0.0", "10.0.15.255", NET_SOURCES_MAX},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net net = {.sources_count = 0};
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        printf("%s\n", rows[i].text);
        EXPECT(net_parse_sources(&arena, rows[i].text, &net, &why) == ERR_OK);
        EXPECT(net.sources_count == rows[i].count);
        EXPECT(strcmp(net.sources[0].text, rows[i].first) == 0);
        EXPECT(strcmp(net.sources[net.sources_count - 1].text, rows[i].last) == 0);
        arena_release(&arena);
    }
}

static void test_net_sources_refuse_what_is_none(void)
{
    static const char *const rows[] = {
        "",
        ",",
        "127.0.0.1,",
        "localhost",
        "[::1]",
        "127.0.0.1-",
        "-127.0.0.1",
        "127.0.0.9-127.0.0.2",
        "::1-::4",
        "127.0.0.1-127.0.0.2-127.0.0.3",
        "127.0.0.1,127.0.0.1",
        "127.0.0.1-127.0.0.3,127.0.0.2",
        "::1,0::1",
        "10.0.0.0-10.0.16.0",
        "0.0.0.0-255.255.255.255",
        "fe80::1%",
        "fe80::1%0123456789012345678901234567890123456789012345678901234567890123456789",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111111",
        "127.0.0.1/8",
        "1.2.3.4-11111111111111111111",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net net = {.sources_count = 77};
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        EXPECT(net_parse_sources(&arena, rows[i], &net, &why) == ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strstr(why.message, "'--source'") != NULL);
        EXPECT(net.sources_count == 77);
        arena_release(&arena);
    }
}

static void test_net_resolve_gives_a_name_addresses(void)
{
    static const struct {
        const char *text, *host, *service, *first;
        uint32_t count;
    } rows[] = {
        {"a.test:80:127.0.0.1", "a.test", "80", "127.0.0.1", 1},
        {"a.test:65535:127.0.0.1,::1,[::2]", "a.test", "65535", "127.0.0.1", 3},
        {"[::1]:80:10.0.0.1", "::1", "80", "10.0.0.1", 1},
        {"a:1:[fe80::1%lo]", "a", "1", "fe80::1%lo", 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_resolve resolve;
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        printf("%s\n", rows[i].text);
        EXPECT(net_parse_resolve(&arena, rows[i].text, &resolve, &why) == ERR_OK);
        EXPECT(strcmp(resolve.host, rows[i].host) == 0);
        EXPECT(strcmp(resolve.service, rows[i].service) == 0);
        EXPECT(resolve.count == rows[i].count);
        EXPECT(strcmp(resolve.addresses[0], rows[i].first) == 0);
        arena_release(&arena);
    }
}

static void test_net_resolve_refuses_what_is_wrong(void)
{
    static const char *const rows[] = {
        "",        ":",         "a",         "a:",          "a:80",        "a:80:",
        ":80:::1", "a:0:::1",   "a:x:::1",   "a:080:::1",   "a:65536:::1", "a:100000:::1",
        "a::::1",  "[::1:80:1", "[]:80:::1", "a:80:b.test", "a:80:::1,",   "a:80:[::1",
    };
    char many[1024] = "a:80:";

    for (size_t i = 0; i <= COUNT(rows); i++) {
        const char *text = i < COUNT(rows) ? rows[i] : many;
        struct net_resolve resolve = {.count = 77};
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        for (int j = 0; i == COUNT(rows) && j < 65; j++) {
            (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "::%x,", (unsigned)j);
        }
        EXPECT(net_parse_resolve(&arena, text, &resolve, &why) == ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strstr(why.message, "'--resolve'") != NULL);
        EXPECT(resolve.count == 77);
        arena_release(&arena);
    }
}

static void test_net_finds_the_last_resolve_that_fits(void)
{
    static const struct net_resolve rows[] = {{.host = "a", .service = "80"},
                                              {.host = "A", .service = "80"},
                                              {.host = "a", .service = "81"},
                                              {.host = "c", .service = NULL}};
    struct net net = {.resolves = rows, .resolves_count = COUNT(rows)};

    EXPECT(net_find_resolve(&net, "a", "80") == &rows[1]);
    EXPECT(net_find_resolve(&net, "a", "81") == &rows[2]);
    EXPECT(net_find_resolve(&net, "a", "8") == NULL);
    EXPECT(net_find_resolve(&net, "b", "80") == NULL);
    EXPECT(net_find_resolve(&net, "C", "7") == &rows[3]);
    EXPECT(net_is_literal("::1") && net_is_literal("127.0.0.1") && net_is_literal("fe80::1%lo"));
    EXPECT(!net_is_literal("a.test") && !net_is_literal("") && !net_is_literal("1.2.3"));
}

static void test_net_proxy_is_split_and_its_user_decoded(void)
{
    static const struct {
        const char *text, *host, *service, *authorization;
    } rows[] = {
        {"http://p.test:3128", "p.test", "3128", NULL},
        {"HTTP://[::1]:80/", "::1", "80", NULL},
        {"http://Aladdin:open%20sesame@p:1", "p", "1", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"http://u@p:1", "p", "1", "Basic dTo="},
        {"http://u:@p:1", "p", "1", "Basic dTo="},
        {"http://a:b@c@p:1", "p", "1", "Basic YTpiQGM="},
        {"http://%c3%A4:x@p:1", "p", "1", "Basic w6Q6eA=="},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_proxy proxy = {.tunnel = true};
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        EXPECT(net_parse_proxy(&arena, rows[i].text, &proxy, &why) == ERR_OK);
        printf("%s %s %s\n", proxy.host, proxy.service,
               proxy.authorization != NULL ? proxy.authorization : "");
        EXPECT(proxy.tunnel);
        EXPECT(strcmp(proxy.host, rows[i].host) == 0);
        EXPECT(strcmp(proxy.service, rows[i].service) == 0);
        EXPECT((proxy.authorization == NULL) == (rows[i].authorization == NULL));
        if (proxy.authorization != NULL) {
            EXPECT(strcmp(proxy.authorization, rows[i].authorization) == 0);
        }
        arena_release(&arena);
    }
}

static void test_net_proxy_refuses_without_telling_the_password(void)
{
    static const char *const rows[] = {
        "",
        "p:1",
        "https://u:secret@p:1",
        "http://u:secret@",
        "http://u:secret@p",
        "http://u:secret@p:",
        "http://u:secret@:1",
        "http://u:secret@p:0",
        "http://u:secret@p:1/x",
        "http://u:secret@p:1?x",
        "http://u:secret@[::1]",
        "http://u:secret%@p:1",
        "http://u:secret%4@p:1",
        "http://u:secret%4x@p:1",
        "http://u:secret%0a@p:1",
        "http://u:secret@p q:1",
    };
    char many[2048] = "http://";

    memset(many + 7, 's', NET_USER_BYTES_MAX + 1);
    memcpy(many + 7 + NET_USER_BYTES_MAX + 1, "@p:1", 5);
    for (size_t i = 0; i <= COUNT(rows); i++) {
        struct net_proxy proxy = {.host = "untouched"};
        struct err_info why = {.message = ""};
        struct arena arena;

        arena_init(&arena, 0);
        EXPECT(net_parse_proxy(&arena, i < COUNT(rows) ? rows[i] : many, &proxy, &why) ==
               ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strstr(why.message, "secret") == NULL && strstr(why.message, "ssss") == NULL);
        EXPECT(strcmp(proxy.host, "untouched") == 0);
        arena_release(&arena);
    }
}

/* What is sent to `url` by way of a proxy, as bytes: the request, or the CONNECT. */
static void expect_bytes(const char *url, bool tunnel, const char *wanted)
{
    struct plan_request_options options = {.method = "GET"};
    struct plan_target target;
    struct plan_request request;
    struct err_info why;
    struct plan plan;
    const char *got;

    plan_init(&plan);
    plan.net.proxy = (struct net_proxy){.host = "p", .service = "1", .authorization = "Basic dTo="};
    EXPECT(plan_parse_url(&plan.arena, url, &target, &why) == ERR_OK);
    plan.targets = &target;
    plan.targets_count = 1;
    if (tunnel) EXPECT(plan_add_tunnel(&plan, &target, &why) == ERR_OK);
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_OK);
    got = tunnel ? target.connect : arena_copy(&plan.arena, request.bytes, request.len);
    printf("%s\n", got);
    EXPECT(strcmp(got, wanted) == 0);
    /* The target of a tunnel must not see what is the proxy's. */
    EXPECT((memmem(request.bytes, request.len, "Proxy-", 6) != NULL) == !tunnel);
    plan_release(&plan);
}

static void test_net_a_proxy_is_asked_as_the_rfc_says(void)
{
    expect_bytes("http://h/p?q#f", false,
                 "GET http://h/p?q HTTP/1.1\r\nProxy-Authorization: Basic dTo=\r\nHost: h\r\n\r\n");
    expect_bytes("http://[::1]:81", false,
                 "GET http://[::1]:81/ HTTP/1.1\r\nProxy-Authorization: Basic dTo=\r\n"
                 "Host: [::1]:81\r\n\r\n");
    expect_bytes("http://h/p", true,
                 "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic dTo=\r\n\r\n");
    expect_bytes("http://h:81/p", true,
                 "CONNECT h:81 HTTP/1.1\r\nHost: h:81\r\nProxy-Authorization: Basic dTo=\r\n\r\n");
    expect_bytes("http://[fe80::1%25lo]/p", true,
                 "CONNECT [fe80::1]:80 HTTP/1.1\r\nHost: [fe80::1]:80\r\n"
                 "Proxy-Authorization: Basic dTo=\r\n\r\n");
}

int main(void)
{
    TEST(test_net_sources_are_a_list_with_ranges);
    TEST(test_net_sources_refuse_what_is_none);
    TEST(test_net_resolve_gives_a_name_addresses);
    TEST(test_net_resolve_refuses_what_is_wrong);
    TEST(test_net_finds_the_last_resolve_that_fits);
    TEST(test_net_proxy_is_split_and_its_user_decoded);
    TEST(test_net_proxy_refuses_without_telling_the_password);
    TEST(test_net_a_proxy_is_asked_as_the_rfc_says);
    return 0;
}
