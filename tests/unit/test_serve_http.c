/* What the request parser of the test target promises: its verdicts, and that they do not depend
 * on how the bytes were cut. Input lies against a page that cannot be read. */
#include "core/serve_http.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"

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

/* Memory of ROOM bytes that ends at a page which cannot be read. */
static char *guarded(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory =
        mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(memory != MAP_FAILED);
    EXPECT(mprotect(memory + ROOM, page, PROT_NONE) == 0);
    return memory;
}

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
    char *memory = guarded();

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        memcpy(memory + ROOM - len, rows[i].text, len);
        expect_row(&rows[i], memory + ROOM - len, len);
    }
    EXPECT(munmap(memory, ROOM) == 0);
}

/* Every first part of a head that is taken needs more; of one that is refused it needs more or
 * is refused with the same status. Bytes behind a head change nothing. */
static void test_serve_http_does_not_depend_on_cuts(void)
{
    char *memory = guarded();

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t whole = strlen(rows[i].text);
        struct serve_request request = {0};
        uint16_t status;

        for (size_t len = 0; len < whole; len++) {
            char *data = memory + ROOM - len;
            enum serve_http_result result;

            status = 0;
            memcpy(data, rows[i].text, len);
            result = serve_http_parse(data, len, &request, &status);
            EXPECT(result == SERVE_HTTP_MORE ||
                   (result == SERVE_HTTP_BAD && rows[i].status == status));
        }
        if (rows[i].result != SERVE_HTTP_DONE) continue;
        memcpy(memory, rows[i].text, whole);
        memcpy(memory + whole, "\x16GET", 4);
        EXPECT(serve_http_parse(memory, whole + 4, &request, &status) == SERVE_HTTP_DONE);
        EXPECT(request.head_bytes == whole);
    }
    EXPECT(munmap(memory, ROOM) == 0);
}

/* A head of exactly `bytes`: fields of filling around a request. */
static void write_head(char *data, size_t bytes)
{
    static const char start[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    size_t len = sizeof(start) - 1;

    memset(data, 'x', bytes);
    memcpy(data, start, len);
    memcpy(data + bytes - 4, "\r\n\r\n", 4);
}

static void test_serve_http_bounds_heads(void)
{
    struct serve_request request = {0};
    char *memory = guarded();
    uint16_t status = 0;
    char *at = memory;

    write_head(memory, SERVE_HEAD_BYTES_MAX);
    EXPECT(serve_http_parse(memory, SERVE_HEAD_BYTES_MAX, &request, &status) == SERVE_HTTP_DONE);
    EXPECT(request.head_bytes == SERVE_HEAD_BYTES_MAX);
    for (size_t len = SERVE_HEAD_BYTES_MAX - 3; len < SERVE_HEAD_BYTES_MAX; len++) {
        EXPECT(serve_http_parse(memory, len, &request, &status) == SERVE_HTTP_MORE);
    }
    write_head(memory, SERVE_HEAD_BYTES_MAX + 1);
    EXPECT(serve_http_parse(memory, SERVE_HEAD_BYTES_MAX + 1, &request, &status) == SERVE_HTTP_BAD);
    EXPECT(status == 431);
    status = 0;
    EXPECT(serve_http_parse(memory, SERVE_HEAD_BYTES_MAX, &request, &status) == SERVE_HTTP_BAD);
    EXPECT(status == 431);

    at += snprintf(at, 64, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < SERVE_FIELDS_MAX; i++) {
        at += snprintf(at, 16, "X%d: y\r\n", i);
    }
    memcpy(at, "\r\n", 2);
    EXPECT(serve_http_parse(memory, (size_t)(at + 2 - memory), &request, &status) ==
           SERVE_HTTP_DONE);
    memcpy(at, "Y: z\r\n\r\n", 8);
    EXPECT(serve_http_parse(memory, (size_t)(at + 8 - memory), &request, &status) ==
           SERVE_HTTP_BAD);
    EXPECT(status == 431);
    EXPECT(munmap(memory, ROOM) == 0);
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
static void expect_chunks(const struct chunk_row *row, char *memory, size_t step)
{
    enum serve_http_result result = SERVE_HTTP_MORE;
    size_t len = strlen(row->text), at = 0, body_len = 0;
    struct serve_chunked chunked = {0};
    char body[64];

    while (at < len && result == SERVE_HTTP_MORE) {
        size_t part = len - at < step ? len - at : step;
        char *data = memory + ROOM - part;
        size_t used = 0, span = 0;

        memcpy(data, row->text + at, part);
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
    char *memory = guarded();

    for (size_t i = 0; i < COUNT(chunk_rows); i++) {
        printf("  %s\n", chunk_rows[i].name);
        for (size_t step = 1; step <= strlen(chunk_rows[i].text); step++) {
            expect_chunks(&chunk_rows[i], memory, step);
        }
    }
    EXPECT(munmap(memory, ROOM) == 0);
}

static void test_serve_chunked_bounds_lines_and_trailers(void)
{
    struct serve_chunked chunked = {0};
    size_t used, span;
    char *memory = guarded();

    memset(memory, 'x', ROOM);
    memcpy(memory, "1;", 2);
    EXPECT(serve_chunked_next(&chunked, memory, SERVE_CHUNK_LINE_MAX, &used, &span) ==
           SERVE_HTTP_MORE);
    EXPECT(serve_chunked_next(&chunked, memory, 1, &used, &span) == SERVE_HTTP_BAD);

    chunked = (struct serve_chunked){0};
    memcpy(memory, "0\r\nX: ", 6);
    EXPECT(serve_chunked_next(&chunked, memory, SERVE_TRAILERS_MAX + 3, &used, &span) ==
           SERVE_HTTP_MORE);
    EXPECT(serve_chunked_next(&chunked, memory + 6, 1, &used, &span) == SERVE_HTTP_BAD);
    EXPECT(munmap(memory, ROOM) == 0);
}

int main(void)
{
    TEST(test_serve_http_reads_heads);
    TEST(test_serve_http_does_not_depend_on_cuts);
    TEST(test_serve_http_bounds_heads);
    TEST(test_serve_chunked_decodes_however_cut);
    TEST(test_serve_chunked_bounds_lines_and_trailers);
    return 0;
}
