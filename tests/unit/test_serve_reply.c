/* What the test target promises about its routes and the bytes of its answers. */
#include "core/serve_reply.h"

#include <string.h>

#include "core/serve_fault.h"
#include "tests/test.h"

static char pattern[SERVE_PATTERN_BYTES], chunks[SERVE_CHUNKS_BYTES];

static void test_serve_route_finds_paths(void)
{
    static const struct {
        const char *path;
        enum serve_route_kind kind;
        uint64_t n;
    } rows[] = {
        {"/", SERVE_ROOT, 0},
        {"", SERVE_ROOT, 0},
        {"/close", SERVE_CLOSE, 0},
        {"/echo", SERVE_ECHO, 0},
        {"/bytes/0", SERVE_BYTES, 0},
        {"/bytes/1073741824", SERVE_BYTES, 1073741824},
        {"/chunked/4097", SERVE_CHUNKED, 4097},
        {"/delay/007", SERVE_DELAY, 7},
        {"/delay/3600000", SERVE_DELAY, 3600000},
        {"/status/200", SERVE_STATUS, 200},
        {"/status/999", SERVE_STATUS, 999},
        {"/fault/reset-before", SERVE_FAULT, 0},
        {"/bytes/1073741825", SERVE_STATUS, 404},
        {"/bytes/99999999999999999999", SERVE_STATUS, 404},
        {"/bytes/", SERVE_STATUS, 404},
        {"/bytes", SERVE_STATUS, 404},
        {"/bytes/1x", SERVE_STATUS, 404},
        {"/bytes/-1", SERVE_STATUS, 404},
        {"/bytes/1/", SERVE_STATUS, 404},
        {"/status/199", SERVE_STATUS, 404},
        {"/status/1000", SERVE_STATUS, 404},
        {"/delay/3600001", SERVE_STATUS, 404},
        {"/fault/", SERVE_STATUS, 404},
        {"/fault/reset", SERVE_STATUS, 404},
        {"/closed", SERVE_STATUS, 404},
        {"*", SERVE_STATUS, 404},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct serve_route route = serve_route_find(rows[i].path, strlen(rows[i].path));

        printf("  %s\n", rows[i].path);
        EXPECT(route.kind == rows[i].kind);
        EXPECT(route.n == rows[i].n);
    }
}

/* Makes a cache over `arena` at the second after the epoch's first. */
static void open_replies(struct serve_replies *replies, struct arena *arena)
{
    arena_init(arena, 0);
    serve_pattern_fill(pattern, chunks);
    EXPECT(serve_replies_init(replies, arena, pattern));
    serve_replies_set_time(replies, NS_PER_S);
}

static void test_serve_reply_writes_all_of_an_answer(void)
{
#define START(line) "HTTP/1.1 " line "\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\nServer: pelt\r\n"
#define TYPE        "Content-Type: text/plain\r\n"
    static const struct {
        struct serve_route route;
        unsigned variant;
        const char *text;
    } rows[] = {
        {{SERVE_ROOT, 0}, 0, START("200 OK") TYPE "Content-Length: 2\r\n\r\nok"},
        {{SERVE_DELAY, 5}, 0, START("200 OK") TYPE "Content-Length: 2\r\n\r\nok"},
        {{SERVE_CLOSE, 0},
         SERVE_SAYS_CLOSE,
         START("200 OK") TYPE "Content-Length: 2\r\nConnection: close\r\n\r\nok"},
        {{SERVE_ROOT, 0},
         SERVE_SAYS_KEEP_ALIVE | SERVE_NO_BODY,
         START("200 OK") TYPE "Content-Length: 2\r\nConnection: keep-alive\r\n\r\n"},
        {{SERVE_BYTES, 3}, 0, START("200 OK") TYPE "Content-Length: 3\r\n\r\n012"},
        {{SERVE_BYTES, 0}, 0, START("200 OK") TYPE "Content-Length: 0\r\n\r\n"},
        {{SERVE_CHUNKED, 0}, 0, START("200 OK") TYPE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {{SERVE_CHUNKED, 10},
         0,
         START("200 OK") TYPE "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"},
        {{SERVE_CHUNKED, 10},
         SERVE_NO_BODY,
         START("200 OK") TYPE "Transfer-Encoding: chunked\r\n\r\n"},
        {{SERVE_STATUS, 404},
         0,
         START("404 Not Found") TYPE "Content-Length: 10\r\n\r\nNot Found\n"},
        {{SERVE_STATUS, 299}, 0, START("299 Status") TYPE "Content-Length: 7\r\n\r\nStatus\n"},
        {{SERVE_STATUS, 204}, 0, START("204 No Content") "\r\n"},
        {{SERVE_STATUS, 304}, 0, START("304 Not Modified") "\r\n"},
        {{SERVE_STATUS, 205}, 0, START("205 Reset Content") TYPE "Content-Length: 0\r\n\r\n"},
    };
    struct serve_replies replies;
    struct arena arena;

    open_replies(&replies, &arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct serve_reply *reply =
            serve_replies_get(&replies, rows[i].route, rows[i].variant);

        EXPECT(reply != NULL);
        EXPECT(reply->len == strlen(rows[i].text));
        for (uint32_t n = 0; n < reply->copies; n++) {
            EXPECT(memcmp(reply->text + (size_t)n * reply->len, rows[i].text, reply->len) == 0);
        }
        EXPECT(reply == serve_replies_get(&replies, rows[i].route, rows[i].variant));
    }
    arena_release(&arena);
}

static void test_serve_reply_changes_only_the_date(void)
{
    static const struct {
        uint64_t second;
        const char *date;
    } rows[] = {
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1767225599, "Wed, 31 Dec 2025 23:59:59 GMT"},
        {1767225600, "Thu, 01 Jan 2026 00:00:00 GMT"},
    };
    const char *texts[COUNT(rows) + 1];
    struct serve_replies replies;
    struct serve_reply *reply;
    struct arena arena;

    open_replies(&replies, &arena);
    reply = serve_replies_get(&replies, (struct serve_route){SERVE_ROOT, 0}, 0);
    texts[0] = reply->text;
    for (size_t i = 0; i < COUNT(rows); i++) {
        serve_replies_set_time(&replies, rows[i].second * NS_PER_S + 999);
        serve_reply_freshen(&replies, reply);
        texts[i + 1] = reply->text;
        for (uint32_t n = 0; n < reply->copies; n++) {
            const char *copy = reply->text + (size_t)n * reply->len;

            EXPECT(memcmp(copy, "HTTP/1.1 200 OK\r\nDate: ", 23) == 0);
            EXPECT(memcmp(copy + 23, rows[i].date, SERVE_DATE_BYTES) == 0);
            EXPECT(memcmp(copy + reply->len - 2, "ok", 2) == 0);
        }
        serve_reply_freshen(&replies, reply);
        EXPECT(reply->text == texts[i + 1]);
    }
    for (size_t i = 1; i <= COUNT(rows); i++) {
        EXPECT(texts[i] != texts[i - 1]); /* What may be in flight is not written. */
    }
    arena_release(&arena);
}

static void test_serve_reply_does_not_write_what_is_held(void)
{
    struct serve_replies replies;
    struct serve_reply *reply;
    struct arena arena;
    const char *held, *other = NULL;

    open_replies(&replies, &arena);
    reply = serve_replies_get(&replies, (struct serve_route){SERVE_ROOT, 0}, 0);
    held = reply->text;
    serve_reply_hold(reply, held);
    serve_reply_hold(reply, held);
    for (uint64_t second = 2; second < 10; second++) {
        serve_replies_set_time(&replies, second * NS_PER_S);
        serve_reply_freshen(&replies, reply);
        if (second == 2) other = reply->text;
        EXPECT(other != held);
        EXPECT(reply->text == other);
        EXPECT(reply->date_s == 2);
        EXPECT(memcmp(held + 23, "Thu, 01 Jan 1970 00:00:01 GMT", SERVE_DATE_BYTES) == 0);
        if (second == 5) serve_reply_release(reply, held);
    }
    serve_reply_release(reply, held);
    serve_reply_freshen(&replies, reply);
    EXPECT(reply->text == held);
    EXPECT(memcmp(held + 23, "Thu, 01 Jan 1970 00:00:09 GMT", SERVE_DATE_BYTES) == 0);
    arena_release(&arena);
}

static void test_serve_replies_keep_all_statuses_and_some_bulk(void)
{
    struct serve_replies replies;
    struct arena arena;
    uint32_t kept = 0;

    open_replies(&replies, &arena);
    for (uint64_t n = 0; n < 200; n++) {
        uint64_t bytes = SERVE_REPLY_BODY_MAX - n;

        kept += serve_replies_get(&replies, (struct serve_route){SERVE_CHUNKED, bytes}, 0) != NULL;
    }
    EXPECT(kept == SERVE_REPLIES_BULK);
    for (uint64_t status = 200; status <= 999; status++) {
        for (unsigned variant = 0; variant < SERVE_VARIANTS; variant++) {
            EXPECT(serve_replies_get(&replies, (struct serve_route){SERVE_STATUS, status},
                                     variant) != NULL);
        }
    }
    EXPECT(serve_replies_get(&replies, (struct serve_route){SERVE_CHUNKED, SERVE_REPLY_BODY_MAX},
                             0) != NULL);
    EXPECT(serve_replies_get(&replies, (struct serve_route){SERVE_BYTES, 1}, 0) == NULL);
    EXPECT(serve_replies_get(&replies, (struct serve_route){SERVE_ECHO, 0}, 0) == NULL);
    EXPECT(serve_replies_get(&replies, (struct serve_route){SERVE_FAULT, 0}, 0) == NULL);
    arena_release(&arena);
}

static void test_serve_pattern_joins_without_a_seam(void)
{
    serve_pattern_fill(pattern, chunks);
    for (size_t i = 0; i < sizeof(pattern); i++) {
        EXPECT(pattern[i] == pattern[i % SERVE_PATTERN_PERIOD]);
    }
    for (size_t i = 0; i < sizeof(chunks); i += SERVE_CHUNK_FRAMED) {
        EXPECT(memcmp(chunks + i, "1000\r\n", 6) == 0);
        EXPECT(memcmp(chunks + i + 6, pattern, SERVE_CHUNK_BYTES) == 0);
        EXPECT(memcmp(chunks + i + SERVE_CHUNK_FRAMED - 2, "\r\n", 2) == 0);
    }
}

static void test_serve_fault_table_is_sound(void)
{
    for (uint64_t n = 0; serve_fault_at(n) != NULL; n++) {
        const struct serve_fault *fault = serve_fault_at(n);
        uint64_t found = 999;

        printf("  %s\n", fault->name);
        EXPECT(serve_fault_find(fault->name, strlen(fault->name), &found));
        EXPECT(found == n);
        EXPECT(strlen(fault->help) > 0);
        EXPECT((fault->loop != NULL) == (fault->loop_len > 0));
        EXPECT((fault->tail != NULL) == (fault->tail_len > 0));
        EXPECT(fault->tail == NULL || (fault->pause_ms > 0 && fault->piece_bytes > 0));
        /* An answer that keeps the connection has bytes: it ends in a send's completion. */
        EXPECT(fault->end != SERVE_END_KEEP || fault->text_len + fault->tail_len > 0);
        /* A chunk that says 64 (hexadecimal) holds 100 bytes. */
        if (fault->loop != NULL && memcmp(fault->loop, "64\r\n", 4) == 0) {
            EXPECT(fault->loop_len % 106 == 0);
            EXPECT(memcmp(fault->loop + 104, "\r\n64\r\n", 6) == 0);
        }
    }
}

int main(void)
{
    TEST(test_serve_route_finds_paths);
    TEST(test_serve_reply_writes_all_of_an_answer);
    TEST(test_serve_reply_changes_only_the_date);
    TEST(test_serve_reply_does_not_write_what_is_held);
    TEST(test_serve_replies_keep_all_statuses_and_some_bulk);
    TEST(test_serve_pattern_joins_without_a_seam);
    TEST(test_serve_fault_table_is_sound);
    return 0;
}
