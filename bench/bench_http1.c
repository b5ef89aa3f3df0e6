/* What it costs to read a response: the strict parser of heads, the shortcut for a head like the
 * last one, and the chunked decoder. Heads are complete and whole in one buffer, the usual case;
 * they come from an array of copies that differ in their Date, as they do from a server. */
#include <string.h>

#include "bench/bench.h"
#include "core/base/arena.h"
#include "io/http1.h"

enum {
    COPIES = 8,
    COPY_BYTES = 1024,
    BODY_BYTES = 16 * 1024,
    CODED_BYTES = 64 * 1024,
};

/* A lean server, 145 bytes; a static file from nginx, 253; an application with 18 fields, 761. */
static const char head_145[] = "HTTP/1.1 200 OK\r\n"
                               "Server: lean/1.0.1\r\n"
                               "Date: Fri, 21 Nov 2025 06:51:07 GMT\r\n"
                               "Content-Type: text/plain\r\n"
                               "Content-Length: 2\r\n"
                               "Connection: keep-alive\r\n\r\n";
static const char head_253[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Fri, 21 Nov 2025 06:51:07 GMT\r\n"
                               "Content-Type: application/javascript\r\n"
                               "Content-Length: 4096\r\n"
                               "Last-Modified: Fri, 21 Nov 2025 06:40:00 GMT\r\n"
                               "Connection: keep-alive\r\n"
                               "ETag: \"69200d90-1000\"\r\n"
                               "Accept-Ranges: bytes\r\n\r\n";
static const char head_761[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Fri, 21 Nov 2025 06:51:07 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 2\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: private, max-age=0, must-revalidate\r\n"
    "Vary: Accept-Encoding, Origin\r\n"
    "X-Request-Id: 5f0c2a3e-8c1b-4b7e-9c46-0d1f1a9f3b2c\r\n"
    "X-Runtime: 0.004512\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "Content-Security-Policy: default-src 'self'; font-src 'self' data:; manifest-src 'none'\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-XSS-Protection: 1; mode=block\r\n"
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"
    "ETag: W/\"2-n4bQgYhMfWWaLqgxVVVLOA\"\r\n"
    "Set-Cookie: session=c2Vzc2lvbi1pZC1vZi10aGUtYmVuY2htYXJr; Path=/; HttpOnly\r\n"
    "Via: 1.1 edge-07.example.net\r\n"
    "Server: app/3.2.1\r\n\r\n";
_Static_assert(sizeof(head_145) - 1 == 145, "the name tells the size");
_Static_assert(sizeof(head_253) - 1 == 253, "the name tells the size");
_Static_assert(sizeof(head_761) - 1 == 761, "the name tells the size");

struct head_state {
    char copies[COPIES][COPY_BYTES];
    size_t len;
    struct http1_same same;
};

struct chunked_state {
    char coded[CODED_BYTES];
    size_t len;
};

static void head_fill(struct head_state *state, const char *text, size_t len)
{
    struct http1_head head;

    CHECK(len <= COPY_BYTES);
    state->len = len;
    for (size_t i = 0; i < COPIES; i++) {
        char *seconds;

        memcpy(state->copies[i], text, len);
        seconds = memmem(state->copies[i], len, "06:51:0", 7);
        CHECK(seconds != NULL);
        seconds[7] = (char)('0' + i);
    }
    CHECK(http1_parse_head(text, len, 0, HTTP1_HEAD_BYTES_MAX, &head) == HTTP1_DONE);
    CHECK(head.bytes == len && head.status == 200);
    http1_same_learn(&state->same, text, &head);
}

static void run_parse(void *state, uint64_t iterations)
{
    struct head_state *heads = state;
    struct http1_head head;

    for (uint64_t i = 0; i < iterations; i++) {
        CHECK(http1_parse_head(heads->copies[i % COPIES], heads->len, 0, HTTP1_HEAD_BYTES_MAX,
                               &head) == HTTP1_DONE);
        bench_keep(head.content_length);
    }
}

static void run_same(void *state, uint64_t iterations)
{
    struct head_state *heads = state;

    for (uint64_t i = 0; i < iterations; i++) {
        CHECK(http1_same_match(&heads->same, heads->copies[i % COPIES], heads->len));
        bench_keep(heads->same.head.content_length);
    }
}

/* A body of BODY_BYTES in chunks of `chunk_bytes`. */
static void chunked_fill(struct chunked_state *state, size_t chunk_bytes)
{
    size_t at = 0;

    for (size_t done = 0; done < BODY_BYTES; done += chunk_bytes) {
        CHECK(at + chunk_bytes + 32 < CODED_BYTES);
        at += (size_t)snprintf(state->coded + at, 20, "%zx\r\n", chunk_bytes);
        memset(state->coded + at, 'x', chunk_bytes);
        at += chunk_bytes;
        memcpy(state->coded + at, "\r\n", 2);
        at += 2;
    }
    memcpy(state->coded + at, "0\r\n\r\n", 5);
    state->len = at + 5;
}

static void run_chunked(void *state, uint64_t iterations)
{
    struct chunked_state *body = state;

    for (uint64_t i = 0; i < iterations; i++) {
        const char *data = bench_hide(body->coded);
        struct http1_chunked chunked;
        enum http1_result result = HTTP1_MORE;
        size_t at = 0, spans = 0;

        http1_chunked_init(&chunked);
        while (result == HTTP1_MORE && at < body->len) {
            size_t used, span_len;

            result = http1_chunked_next(&chunked, data + at, body->len - at, &used, &span_len);
            at += used;
            spans += span_len;
        }
        CHECK(result == HTTP1_DONE && spans == BODY_BYTES);
    }
}

int main(void)
{
    static const struct {
        const char *parse, *same, *text;
        size_t len;
    } heads[] = {
        {"http1_head_145", "http1_same_145", head_145, sizeof(head_145) - 1},
        {"http1_head_253", "http1_same_253", head_253, sizeof(head_253) - 1},
        {"http1_head_761", "http1_same_761", head_761, sizeof(head_761) - 1},
    };
    static const struct {
        const char *name;
        size_t chunk_bytes;
    } bodies[] = {
        {"http1_chunked_16k_in_1", BODY_BYTES},
        {"http1_chunked_16k_in_16", BODY_BYTES / 16},
        {"http1_chunked_16k_in_256", BODY_BYTES / 256},
    };
    struct arena arena;
    struct head_state *state;
    struct chunked_state *body;

    arena_init(&arena, 0);
    state = arena_alloc(&arena, sizeof(*state), CACHE_LINE);
    body = arena_alloc(&arena, sizeof(*body), CACHE_LINE);
    CHECK(state != NULL && body != NULL);
    for (size_t i = 0; i < COUNT(heads); i++) {
        head_fill(state, heads[i].text, heads[i].len);
        bench_run(heads[i].parse, run_parse, state, heads[i].len);
        bench_run(heads[i].same, run_same, state, heads[i].len);
    }
    for (size_t i = 0; i < COUNT(bodies); i++) {
        chunked_fill(body, bodies[i].chunk_bytes);
        bench_run(bodies[i].name, run_chunked, body, BODY_BYTES);
    }
    arena_release(&arena);
    return 0;
}
