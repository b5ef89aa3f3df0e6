/* What the request parser of the test target promises: its verdicts, and that they do not depend
 * on how the bytes were cut. Input lies against a page that cannot be read. */
#include "core/serve_http.h"

#include <string.h>

#include "tests/guard.h"

#define HOST "Host: a\r\n"

struct row {
    const char *name;
    const char *text;
    enum serve_http_result result;
    uint16_t status;  /* Of a refusal. */
    const char *path; /* Of a request, and so on. */
    uint64_t body_bytes;
    const char *id;
    const char *flags; /* h: HEAD, 0: HTTP/1.0, c: chunked, x: expects 100, p: persists. */
};

#define TAKEN           SERVE_HTTP_DONE, 0
#define REFUSED(status) SERVE_HTTP_BAD, status, "", 0, "", ""

static const struct row rows[] = {
    {"plain", "GET / HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/", 0, "", "p"},
    {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", TAKEN, "/", 0, "", "p"},
    {"empty lines first", "\r\n\nGET /x HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/x", 0, "", "p"},
    {"query", "GET /a/b?c=d?e HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/a/b", 0, "", "p"},
    {"absolute", "GET http://h:1/a?b HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/a", 0, "", "p"},
    {"absolute, no path", "GET http://h HTTP/1.1\r\n" HOST "\r\n", TAKEN, "", 0, "", "p"},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", TAKEN, "*", 0, "", "p"},
    {"head", "HEAD / HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/", 0, "", "hp"},
    {"lower-case head is another", "head / HTTP/1.1\r\n" HOST "\r\n", TAKEN, "/", 0, "", "p"},
    {"higher minor", "GET / HTTP/1.7\r\n" HOST "\r\n", TAKEN, "/", 0, "", "p"},
    {"1.0 closes", "GET / HTTP/1.0\r\n\r\n", TAKEN, "/", 0, "", "0"},
    {"1.0 keeps alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", TAKEN, "/", 0, "",
     "0p"},
    {"close", "GET / HTTP/1.1\r\n" HOST "connection: a, CLOSE ,b\r\n\r\n", TAKEN, "/", 0, "", ""},
    {"close wins", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", TAKEN, "/", 0, "",
     "0"},
    {"length", "PUT / HTTP/1.1\r\n" HOST "content-LENGTH:\t17 \r\n\r\n", TAKEN, "/", 17, "", "p"},
    {"equal lengths", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 03\r\n\r\n",
     TAKEN, "/", 3, "", "p"},
    {"chunked", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", TAKEN, "/", 0, "",
     "cp"},
    {"expects", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n",
     TAKEN, "/", 1, "", "xp"},
    {"1.0 cannot expect", "PUT / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
     TAKEN, "/", 1, "", "0"},
    {"id", "GET / HTTP/1.1\r\n" HOST "X-Request-ID:  a-1 b \r\n\r\n", TAKEN, "/", 0, "a-1 b", "p"},
    {"empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n", TAKEN, "/", 0, "", "p"},
    {"high bytes in a value", "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa4\r\n\r\n", TAKEN, "/", 0, "",
     "p"},
    {"three empty lines first", "\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"no host", "GET / HTTP/1.1\r\n\r\n", REFUSED(400)},
    {"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", REFUSED(400)},
    {"no version", "GET /\r\n" HOST "\r\n", REFUSED(400)},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"control in the target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"no method", " / HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"wrong method", "G(T / HTTP/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"wrong version", "GET / HTTQ/1.1\r\n" HOST "\r\n", REFUSED(400)},
    {"long version", "GET / HTTP/1.11\r\n" HOST "\r\n", REFUSED(400)},
    {"HTTP/2", "GET / HTTP/2.0\r\n" HOST "\r\n", REFUSED(505)},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED(505)},
    {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", REFUSED(400)},
    {"folded", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", REFUSED(400)},
    {"no colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", REFUSED(400)},
    {"no name", "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", REFUSED(400)},
    {"bare CR", "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", REFUSED(400)},
    {"control in a value", "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", REFUSED(400)},
    {"length with a sign", "GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", REFUSED(400)},
    {"length empty", "GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", REFUSED(400)},
    {"length list", "GET / HTTP/1.1\r\n" HOST "Content-Length: 1,1\r\n\r\n", REFUSED(400)},
    {"length huge", "GET / HTTP/1.1\r\n" HOST "Content-Length: 9999999999999999999\r\n\r\n",
     REFUSED(400)},
    {"lengths differ", "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
     REFUSED(400)},
    {"both framings",
     "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     REFUSED(400)},
    {"chunked in 1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED(400)},
    {"chunked twice",
     "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     REFUSED(400)},
    {"another coding", "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
     REFUSED(501)},
    {"another expectation", "GET / HTTP/1.1\r\n" HOST "Expect: more\r\n\r\n", REFUSED(417)},
    {"TLS", "\x16\x03\x01\x02", REFUSED(400)},
    {"nothing", "", SERVE_HTTP_MORE, 0, "", 0, "", ""},
    {"no end", "GET / HTTP/1.1\r\n" HOST, SERVE_HTTP_MORE, 0, "", 0, "", ""},
    {"no end of the end", "GET / HTTP/1.1\r\n" HOST "\r", SERVE_HTTP_MORE, 0, "", 0, "", ""},
};

enum { ROOM = 64 * 1024 };

static void expect_flags(const struct row *row, const struct serve_request *request)
{
    EXPECT(request->is_head == (strchr(row->flags, 'h') != NULL));
    EXPECT(request->is_http10 == (strchr(row->flags, '0') != NULL));
    EXPECT(request->chunked == (strchr(row->flags, 'c') != NULL));
    EXPECT(request->expects_continue == (strchr(row->flags, 'x') != NULL));
    EXPECT(request->persists == (strchr(row->flags, 'p') != NULL));
}

static void expect_row(const struct row *row, const char *data, size_t len)
{
    struct serve_request request = {0};
    uint16_t status = 0;
    enum serve_http_result result = serve_http_parse(data, len, &request, &status);

    printf("  %s\n", row->name);
    EXPECT(result == row->result);
    EXPECT(status == row->status);
    if (result != SERVE_HTTP_DONE) return;
    EXPECT(request.head_bytes == len);
    EXPECT(request.path_len == strlen(row->path));
    EXPECT(memcmp(data + request.path_at, row->path, request.path_len) == 0);
    EXPECT(request.id_len == strlen(row->id));
    EXPECT(memcmp(data + request.id_at, row->id, request.id_len) == 0);
    if (!request.chunked) EXPECT(request.body_bytes == row->body_bytes);
    expect_flags(row, &request);
}

static void test_serve_http_reads_heads(void)
{
    struct guard guard = guard_open(ROOM);

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        expect_row(&rows[i], guard_place(&guard, GUARD_ABOVE, rows[i].text, len), len);
        expect_row(&rows[i], guard_place(&guard, GUARD_BELOW, rows[i].text, len), len);
    }
    guard_close(&guard);
}

/* Every first part of a head that is taken needs more; of one that is refused it needs more or
 * is refused with the same status. */
static void test_serve_http_does_not_depend_on_cuts(void)
{
    struct guard guard = guard_open(ROOM);

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t len = 0; len < strlen(rows[i].text); len++) {
            const char *data = guard_place(&guard, GUARD_ABOVE, rows[i].text, len);
            struct serve_request request = {0};
            enum serve_http_result result;
            uint16_t status = 0;

            result = serve_http_parse(data, len, &request, &status);
            EXPECT(result == SERVE_HTTP_MORE ||
                   (result == SERVE_HTTP_BAD && rows[i].status == status));
        }
    }
    guard_close(&guard);
}

static void test_serve_http_leaves_what_follows_alone(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct serve_request request = {0};
        uint16_t status = 0;
        char data[256];
        int len = snprintf(data, sizeof(data), "%s\x16GET", rows[i].text);

        if (rows[i].result != SERVE_HTTP_DONE) continue;
        EXPECT(serve_http_parse(data, (size_t)len, &request, &status) == SERVE_HTTP_DONE);
        EXPECT(request.head_bytes == strlen(rows[i].text));
    }
}

/* Parses the first `len` bytes of a head of `bytes`, most of it one value; the status of a
 * refusal, 0 for more, 1 for a head that is taken. */
static unsigned parse_long_head(size_t bytes, size_t len)
{
    static const char start[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    struct guard guard = guard_open(ROOM);
    struct serve_request request = {0};
    enum serve_http_result result;
    uint16_t status = 0;
    char *data = guard.end - len;

    for (size_t i = 0; i < len; i++) {
        data[i] = 'x';
        if (i >= bytes - 4) data[i] = "\r\n"[(i - bytes) % 2];
        if (i < sizeof(start) - 1) data[i] = start[i];
    }
    result = serve_http_parse(data, len, &request, &status);
    EXPECT(result != SERVE_HTTP_DONE || request.head_bytes == bytes);
    guard_close(&guard);
    return result == SERVE_HTTP_DONE ? 1 : status;
}

static void test_serve_http_bounds_the_head(void)
{
    enum { MAX = SERVE_HEAD_BYTES_MAX };

    EXPECT(parse_long_head(MAX, MAX) == 1);
    EXPECT(parse_long_head(MAX, MAX - 1) == 0);
    EXPECT(parse_long_head(MAX + 2, MAX - 1) == 0);
    EXPECT(parse_long_head(MAX + 2, MAX) == 431);
    EXPECT(parse_long_head(MAX + 2, MAX + 2) == 431);
}

static void test_serve_http_bounds_the_fields(void)
{
    for (int fields = SERVE_FIELDS_MAX - 1; fields <= SERVE_FIELDS_MAX + 1; fields++) {
        struct serve_request request = {0};
        uint16_t status = 0;
        char data[2048];
        size_t len = (size_t)snprintf(data, sizeof(data), "GET / HTTP/1.1\r\n" HOST);
        enum serve_http_result result;

        for (int i = 1; i < fields; i++) {
            len += (size_t)snprintf(data + len, sizeof(data) - len, "X%d: y\r\n", i);
        }
        len += (size_t)snprintf(data + len, sizeof(data) - len, "\r\n");
        result = serve_http_parse(data, len, &request, &status);
        EXPECT(result == (fields <= SERVE_FIELDS_MAX ? SERVE_HTTP_DONE : SERVE_HTTP_BAD));
        EXPECT(status == (fields <= SERVE_FIELDS_MAX ? 0 : 431));
    }
}

struct chunk_row {
    const char *name;
    const char *text;
    enum serve_http_result result;
    const char *body;
    size_t left; /* Bytes behind the body. */
};

static const struct chunk_row chunk_rows[] = {
    {"two chunks", "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n", SERVE_HTTP_DONE, "abc0123456789",
     0},
    {"empty", "0\r\n\r\nGET", SERVE_HTTP_DONE, "", 3},
    {"extensions", "3;a=b;c=\"d\"\r\nabc\r\n00 ;x\r\n\r\n", SERVE_HTTP_DONE, "abc", 0},
    {"trailers", "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nX", SERVE_HTTP_DONE, "a", 1},
    {"data like framing", "5\r\n\r\n0\r\n\r\n0\r\n\r\n", SERVE_HTTP_DONE, "\r\n0\r\n", 0},
    {"upper case", "A\r\n0123456789\r\n0\r\n\r\n", SERVE_HTTP_DONE, "0123456789", 0},
    {"no size", "\r\n", SERVE_HTTP_BAD, "", 0},
    {"no digit", "g\r\n", SERVE_HTTP_BAD, "", 0},
    {"sign", "-1\r\n", SERVE_HTTP_BAD, "", 0},
    {"junk behind the size", "1x\r\n", SERVE_HTTP_BAD, "", 0},
    {"size over 60 bits", "1000000000000000\r\n", SERVE_HTTP_BAD, "", 0},
    {"bare LF", "1\na\r\n0\r\n\r\n", SERVE_HTTP_BAD, "", 0},
    {"CR without LF", "1\rxa", SERVE_HTTP_BAD, "", 0},
    {"data too long", "1\r\nab\r\n", SERVE_HTTP_BAD, "a", 0},
    {"not over", "1\r\na\r\n0\r\n", SERVE_HTTP_MORE, "a", 0},
};

/* Decodes in steps of at most `step` bytes. */
static void expect_chunks(const struct chunk_row *row, const struct guard *guard, size_t step)
{
    enum serve_http_result result = SERVE_HTTP_MORE;
    size_t len = strlen(row->text), at = 0, body_len = 0;
    struct serve_chunked chunked = {0};
    char body[64];

    while (at < len && result == SERVE_HTTP_MORE) {
        size_t part = len - at < step ? len - at : step;
        const char *data = guard_place(guard, GUARD_ABOVE, row->text + at, part);
        size_t used = 0, span = 0;

        result = serve_chunked_next(&chunked, data, part, &used, &span);
        if (result == SERVE_HTTP_BAD) break;
        EXPECT(used > 0);
        EXPECT(used <= part);
        EXPECT(span <= used);
        memcpy(body + body_len, data + used - span, span);
        body_len += span;
        at += used;
    }
    EXPECT(result == row->result);
    EXPECT(body_len == strlen(row->body));
    EXPECT(memcmp(body, row->body, body_len) == 0);
    if (result == SERVE_HTTP_DONE) EXPECT(len - at == row->left);
}

static void test_serve_chunked_decodes_however_cut(void)
{
    struct guard guard = guard_open(ROOM);

    for (size_t i = 0; i < COUNT(chunk_rows); i++) {
        printf("  %s\n", chunk_rows[i].name);
        for (size_t step = 1; step <= strlen(chunk_rows[i].text); step++) {
            expect_chunks(&chunk_rows[i], &guard, step);
        }
    }
    guard_close(&guard);
}

/* Feeds `start`, then `fill` letters one by one. */
static enum serve_http_result decode_filled(const char *start, size_t start_len, size_t fill)
{
    struct serve_chunked chunked = {0};
    enum serve_http_result result;
    size_t used, span;

    result = serve_chunked_next(&chunked, start, start_len, &used, &span);
    for (size_t i = 0; i < fill && result == SERVE_HTTP_MORE; i++) {
        result = serve_chunked_next(&chunked, "x", 1, &used, &span);
    }
    return result;
}

static void test_serve_chunked_bounds_lines_and_trailers(void)
{
    EXPECT(decode_filled("1;", 2, SERVE_CHUNK_LINE_MAX - 2) == SERVE_HTTP_MORE);
    EXPECT(decode_filled("1;", 2, SERVE_CHUNK_LINE_MAX - 1) == SERVE_HTTP_BAD);
    EXPECT(decode_filled("0\r\n", 3, SERVE_TRAILERS_MAX) == SERVE_HTTP_MORE);
    EXPECT(decode_filled("0\r\n", 3, SERVE_TRAILERS_MAX + 1) == SERVE_HTTP_BAD);
}

int main(void)
{
    TEST(test_serve_http_reads_heads);
    TEST(test_serve_http_does_not_depend_on_cuts);
    TEST(test_serve_http_leaves_what_follows_alone);
    TEST(test_serve_http_bounds_the_head);
    TEST(test_serve_http_bounds_the_fields);
    TEST(test_serve_chunked_decodes_however_cut);
    TEST(test_serve_chunked_bounds_lines_and_trailers);
    return 0;
}
