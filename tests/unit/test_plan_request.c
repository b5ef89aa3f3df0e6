/* Headers as people write them, and requests byte for byte. */
#include <string.h>

#include "config/request.h"
#include "tests/test.h"

static void test_plan_header_takes_what_is_right(void)
{
    static const struct {
        const char *text, *name, *value;
    } rows[] = {
        {"A: b", "A", "b"},
        {"A:b", "A", "b"},
        {"A:", "A", ""},
        {"A: \t ", "A", ""},
        {"A: \t b c \t", "A", "b c"},
        {"A: b: c", "A", "b: c"},
        {"x-!#$%&'*+.^_`|~9: v", "x-!#$%&'*+.^_`|~9", "v"},
        {"A: \xc3\xa4", "A", "\xc3\xa4"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct err_info why;
        struct plan_header header;

        arena_init(&arena, 0);
        printf("%s\n", rows[i].text);
        EXPECT(plan_parse_header(&arena, rows[i].text, &header, &why) == ERR_OK);
        EXPECT(strcmp(header.name, rows[i].name) == 0);
        EXPECT(strcmp(header.value, rows[i].value) == 0);
        arena_release(&arena);
    }
}

static void test_plan_header_refuses_what_is_wrong(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "header '' has no colon; write 'Name: value'"},
        {"Accept", "header 'Accept' has no colon; write 'Name: value'"},
        {": x", "header ': x' has no name; write 'Name: value'"},
        {"A b: c", "header name 'A b' holds a character that is not allowed"},
        {"A : c", "header name 'A ' holds a character that is not allowed"},
        {"\xc3\xa4: c", "header name '\xc3\xa4' holds a character that is not allowed"},
        {"A\r\nB: c", "header name 'A??B' holds a character that is not allowed"},
        {"A: b\r\nC: d", "header 'A: b??C: d' holds a line end"},
        {"A: b\n", "header 'A: b?' holds a line end"},
        {"A: \rb", "header 'A: ?b' holds a line end"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct err_info why;
        struct plan_header header = {.name = "untouched"};

        arena_init(&arena, 0);
        EXPECT(plan_parse_header(&arena, rows[i].text, &header, &why) == ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strcmp(why.message, rows[i].message) == 0);
        EXPECT(strcmp(header.name, "untouched") == 0);
        arena_release(&arena);
    }
}

enum { HEADERS_MAX = 3 };

struct row {
    const char *name;
    const char *method;
    struct plan_header headers[HEADERS_MAX];
    const char *body;
    bool no_keepalive, ids, chunked, expects;
    const char *expected; /* The bytes, or the message. */
};

/* A plan with one target, http://h:81/p?q. */
static void plan_make(struct plan *plan)
{
    struct err_info why;

    plan_init(plan);
    plan->targets = arena_array(&plan->arena, 1, sizeof(*plan->targets));
    EXPECT(plan->targets != NULL);
    plan->targets_count = 1;
    EXPECT(plan_parse_url(&plan->arena, "http://h:81/p?q", &plan->targets[0], &why) == ERR_OK);
}

static enum err build(struct plan *plan, const struct row *row, struct plan_request *request,
                      struct err_info *why)
{
    struct plan_request_options options = {
        .method = row->method,
        .headers = row->headers,
        .body = row->body,
        .body_len = row->body != NULL ? strlen(row->body) : 0,
        .chunked = row->chunked,
    };

    while (options.headers_count < HEADERS_MAX &&
           row->headers[options.headers_count].name != NULL) {
        options.headers_count++;
    }
    plan->max_requests_per_connection = row->no_keepalive ? 1 : 0;
    plan->ids = row->ids;
    plan->expect_continue = row->expects;
    printf("%s\n", row->name);
    return plan_build_request(plan, 0, &options, request, why);
}

#define FIRST(method) method " /p?q HTTP/1.1\r\n"
#define START(method) FIRST(method) "Host: h:81\r\n"

static const struct row right_rows[] = {
    {.name = "get", .method = "GET", .expected = START("GET") "\r\n"},
    {.name = "head", .method = "HEAD", .expected = START("HEAD") "\r\n"},
    {.name = "own method", .method = "purge", .expected = START("purge") "\r\n"},
    {.name = "headers in order",
     .method = "GET",
     .headers = {{"B", "1"}, {"A", ""}, {"B", "2"}},
     .expected = START("GET") "B: 1\r\nA: \r\nB: 2\r\n\r\n"},
    {.name = "host given",
     .method = "GET",
     .headers = {{"A", "1"}, {"hOST", "other"}},
     .expected = FIRST("GET") "A: 1\r\nhOST: other\r\n\r\n"},
    {.name = "body",
     .method = "POST",
     .body = "abc",
     .expected = START("POST") "Content-Length: 3\r\n\r\nabc"},
    {.name = "body of a get",
     .method = "GET",
     .body = "abc",
     .expected = START("GET") "Content-Length: 3\r\n\r\nabc"},
    {.name = "empty body of a get",
     .method = "GET",
     .body = "",
     .expected = START("GET") "Content-Length: 0\r\n\r\n"},
    {.name = "post without a body",
     .method = "POST",
     .expected = START("POST") "Content-Length: 0\r\n\r\n"},
    {.name = "put without a body",
     .method = "PUT",
     .expected = START("PUT") "Content-Length: 0\r\n\r\n"},
    {.name = "patch without a body",
     .method = "PATCH",
     .expected = START("PATCH") "Content-Length: 0\r\n\r\n"},
    {.name = "delete without a body", .method = "DELETE", .expected = START("DELETE") "\r\n"},
    {.name = "length given",
     .method = "POST",
     .headers = {{"content-length", "3"}},
     .body = "abc",
     .expected = START("POST") "content-length: 3\r\n\r\nabc"},
    {.name = "chunked by hand",
     .method = "POST",
     .headers = {{"Transfer-Encoding", "chunked"}},
     .body = "0\r\n\r\n",
     .expected = START("POST") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {.name = "chunked",
     .method = "POST",
     .body = "abcdefghijklmnopq",
     .chunked = true,
     .expected = START("POST") "Transfer-Encoding: chunked\r\n\r\n"
                               "11\r\nabcdefghijklmnopq\r\n0\r\n\r\n"},
    {.name = "chunked and empty",
     .method = "POST",
     .body = "",
     .chunked = true,
     .expected = START("POST") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {.name = "waits for leave",
     .method = "PUT",
     .body = "x",
     .expects = true,
     .expected = START("PUT") "Content-Length: 1\r\nExpect: 100-continue\r\n\r\nx"},
    {.name = "close",
     .method = "GET",
     .no_keepalive = true,
     .expected = START("GET") "Connection: close\r\n\r\n"},
    {.name = "connection given",
     .method = "GET",
     .no_keepalive = true,
     .headers = {{"connection", "keep-alive"}},
     .expected = START("GET") "connection: keep-alive\r\n\r\n"},
    {.name = "all",
     .method = "PUT",
     .headers = {{"A", "b"}},
     .body = "x",
     .no_keepalive = true,
     .ids = true,
     .expected = START("PUT") "A: b\r\nContent-Length: 1\r\nConnection: close\r\n"
                              "X-Request-Id: 0000000000000000\r\n\r\nx"},
};

static void test_plan_request_is_right_byte_for_byte(void)
{
    for (size_t i = 0; i < COUNT(right_rows); i++) {
        const struct row *row = &right_rows[i];
        struct plan_request request;
        struct err_info why;
        struct plan plan;

        plan_make(&plan);
        EXPECT(build(&plan, row, &request, &why) == ERR_OK);
        EXPECT(request.target == 0);
        EXPECT(strcmp(request.method, row->method) == 0);
        EXPECT(request.len == strlen(row->expected));
        EXPECT(memcmp(request.bytes, row->expected, request.len) == 0);
        if (row->ids) {
            const char *id = request.bytes + request.id_at;

            EXPECT(strncmp(id - 14, "X-Request-Id: 0000000000000000\r\n", 32) == 0);
        } else {
            EXPECT(request.id_at == 0);
        }
        plan_release(&plan);
    }
}

static void test_plan_request_has_another_form_for_the_last_of_a_connection(void)
{
    static const char last[] = START("PUT") "Content-Length: 1\r\nConnection: close\r\n"
                                            "X-Request-Id: 0000000000000000\r\n\r\nx";
    struct plan_header header = {"connection", "keep-alive"};
    struct plan_request_options options = {.method = "PUT", .body = "x", .body_len = 1};
    struct plan_request request;
    struct err_info why;
    struct plan plan;

    plan_make(&plan);
    plan.ids = true;
    plan.max_requests_per_connection = 2;
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_OK);
    EXPECT(request.last_len == sizeof(last) - 1);
    EXPECT(memcmp(request.last_bytes, last, request.last_len) == 0);
    EXPECT(request.last_id_at == request.id_at + strlen("Connection: close\r\n"));
    EXPECT(request.len == request.last_len - strlen("Connection: close\r\n"));
    options.headers = &header;
    options.headers_count = 1;
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_OK);
    EXPECT(request.last_bytes == NULL);
    plan_release(&plan);
}

/* The bytes of a request and the spans of its body behind them. */
static void expect_apart(bool chunked, bool expects, const char *expected)
{
    struct plan_request_options options = {
        .method = "PUT", .body = "abc", .body_len = 3, .chunked = chunked, .apart = true};
    struct plan_request request;
    struct err_info why;
    struct plan plan;
    char got[512];
    size_t len;

    plan_make(&plan);
    plan.expect_continue = expects;
    plan.body[0] = (struct plan_span){.data = "abc", .len = 3, .fd = -1};
    plan.body_spans = 1;
    if (chunked) EXPECT(plan_chunk_body(&plan, &why) == ERR_OK);
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_OK);
    len = request.len;
    memcpy(got, request.bytes, len);
    got[len++] = '|';
    for (uint32_t i = 0; i < plan.body_spans; i++) {
        memcpy(got + len, plan.body[i].data, plan.body[i].len);
        len += plan.body[i].len;
    }
    EXPECT(len == strlen(expected) && memcmp(got, expected, len) == 0);
    plan_release(&plan);
}

static void test_plan_request_leaves_a_body_that_is_apart_to_others(void)
{
    expect_apart(false, false, START("PUT") "Content-Length: 3\r\n\r\n|abc");
    expect_apart(true, false,
                 START("PUT") "Transfer-Encoding: chunked\r\n\r\n3\r\n|abc\r\n0\r\n\r\n");
    /* What waits for leave is all that comes behind the head. */
    expect_apart(false, true, START("PUT") "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n|abc");
    expect_apart(true, true,
                 START("PUT") "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
                              "|3\r\nabc\r\n0\r\n\r\n");
}

static const struct row wrong_rows[] = {
    {.name = "empty", .method = "", .expected = "method '' is not a word that HTTP allows"},
    {.name = "space",
     .method = "GET /x",
     .expected = "method 'GET /x' is not a word that HTTP allows"},
    {.name = "line end",
     .method = "GET\r\n",
     .expected = "method 'GET?\?' is not a word that HTTP allows"},
    {.name = "tunnel",
     .method = "CONNECT",
     .expected = "method 'CONNECT' asks for a tunnel, which cannot be measured; use another"},
    {.name = "length too long",
     .method = "POST",
     .headers = {{"Content-Length", "4"}},
     .body = "abc",
     .expected = "header 'Content-Length: 4' does not match the body of 3 bytes; leave it away"},
    {.name = "length without body",
     .method = "GET",
     .headers = {{"A", "b"}, {"CONTENT-LENGTH", "1"}},
     .expected = "header 'Content-Length: 1' does not match the body of 0 bytes; leave it away"},
    {.name = "length that is none",
     .method = "POST",
     .headers = {{"Content-Length", "0.003k"}},
     .body = "abc",
     .expected = "header 'Content-Length: 0.003k' does not match the body of 3 bytes; leave it "
                 "away"},
    {.name = "second length",
     .method = "POST",
     .headers = {{"Content-Length", "3"}, {"Content-Length", "2"}},
     .body = "abc",
     .expected = "header 'Content-Length: 2' does not match the body of 3 bytes; leave it away"},
    {.name = "chunked with a length",
     .method = "POST",
     .headers = {{"content-Length", "1"}},
     .body = "x",
     .chunked = true,
     .expected = "header 'content-Length' and '--chunked-body' exclude each other; leave one away"},
    {.name = "chunked twice",
     .method = "POST",
     .headers = {{"Transfer-Encoding", "chunked"}},
     .body = "x",
     .chunked = true,
     .expected =
         "header 'Transfer-Encoding' and '--chunked-body' exclude each other; leave one away"},
    {.name = "waits twice",
     .method = "POST",
     .headers = {{"expect", "100-continue"}},
     .body = "x",
     .expects = true,
     .expected = "header 'expect' and '--expect-continue' exclude each other; leave one away"},
    {.name = "two ids",
     .method = "GET",
     .headers = {{"x-request-id", "7"}},
     .ids = true,
     .expected = "header 'X-Request-Id' and '--ids' exclude each other; leave one away"},
};

static void test_plan_request_refuses_what_is_wrong(void)
{
    for (size_t i = 0; i < COUNT(wrong_rows); i++) {
        struct plan_request request = {.len = 42};
        struct err_info why;
        struct plan plan;

        plan_make(&plan);
        EXPECT(build(&plan, &wrong_rows[i], &request, &why) == ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strcmp(why.message, wrong_rows[i].expected) == 0);
        EXPECT(request.len == 42);
        plan_release(&plan);
    }
}

static void test_plan_request_says_when_memory_is_refused(void)
{
    static char body[128 * 1024];
    struct plan_request_options options = {
        .method = "POST", .body = body, .body_len = sizeof(body)};
    struct plan_request request;
    struct err_info why;
    struct plan plan;

    plan_make(&plan);
    plan.arena.bytes_max = plan.arena.bytes_used + sizeof(body) / 2;
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_MEMORY);
    plan.arena.bytes_max = 0;
    EXPECT(plan_build_request(&plan, 0, &options, &request, &why) == ERR_OK);
    EXPECT(request.len > sizeof(body));
    plan_release(&plan);
}

static void test_plan_starts_with_its_defaults_and_releases_twice(void)
{
    struct plan plan;

    plan_init(&plan);
    EXPECT(plan.connections == 10);
    EXPECT(plan.connections_max == 0);
    EXPECT(plan.workers == 1);
    EXPECT(plan.pipeline == 1);
    EXPECT(plan.duration_ns == 10 * NS_PER_S);
    EXPECT(plan.requests_max == 0);
    EXPECT(plan.timeout_ns == 10 * NS_PER_S);
    EXPECT(plan.connect_timeout_ns == 10 * NS_PER_S);
    EXPECT(plan.first_byte_timeout_ns == 0);
    EXPECT(plan.drain_ns == 10 * NS_PER_S);
    EXPECT(plan.max_requests_per_connection == 0);
    EXPECT(!plan.ids);
    EXPECT(plan.batch_wait);
    EXPECT(plan.arena.chunks == NULL);
    plan_release(&plan);
    plan_release(&plan);
    EXPECT(plan.targets == NULL);
}

int main(void)
{
    TEST(test_plan_header_takes_what_is_right);
    TEST(test_plan_header_refuses_what_is_wrong);
    TEST(test_plan_request_is_right_byte_for_byte);
    TEST(test_plan_request_has_another_form_for_the_last_of_a_connection);
    TEST(test_plan_request_leaves_a_body_that_is_apart_to_others);
    TEST(test_plan_request_refuses_what_is_wrong);
    TEST(test_plan_request_says_when_memory_is_refused);
    TEST(test_plan_starts_with_its_defaults_and_releases_twice);
    return 0;
}
