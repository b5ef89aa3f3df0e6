#include "core/serve_reply.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/check.h"
#include "core/serve_fault.h"

enum { PLACES = 2 * SERVE_REPLIES_MAX }; /* A power of two, at most half full. */

_Static_assert((PLACES & (PLACES - 1)) == 0, "the hash is masked");
_Static_assert(SERVE_PATTERN_BYTES % SERVE_PATTERN_PERIOD == 0, "pieces join without a seam");
_Static_assert(SERVE_CHUNK_BYTES % SERVE_PATTERN_PERIOD == 0, "chunks join without a seam");
_Static_assert(SERVE_REPLY_BODY_MAX <= SERVE_PATTERN_BYTES, "a kept body is one copy");

static const char chunk_size_line[] = "1000\r\n";
static const char line_end[] = "\r\n";
static const char last_chunk[] = "0\r\n\r\n";
static const char root_body[] = "ok";

/* Digits only, at most `max`. */
static bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret_n)
{
    uint64_t n = 0;

    if (len == 0 || len > 10) return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        n = n * 10 + (uint64_t)(text[i] - '0');
    }
    if (n > max) return false;
    *ret_n = n;
    return true;
}

/* Routes whose path ends in a number. A status below 200 would not be an answer. */
static const struct {
    const char *prefix;
    enum serve_route_kind kind;
    uint64_t min;
    uint64_t max;
} numbered[] = {
    {"/bytes/", SERVE_BYTES, 0, SERVE_BYTES_MAX},
    {"/status/", SERVE_STATUS, 200, 999},
    {"/delay/", SERVE_DELAY, 0, SERVE_DELAY_MS_MAX},
    {"/chunked/", SERVE_CHUNKED, 0, SERVE_BYTES_MAX},
};

static bool path_is(const char *path, size_t len, const char *name)
{
    return len == strlen(name) && memcmp(path, name, len) == 0;
}

struct serve_route serve_route_find(const char *path, size_t len)
{
    static const char fault_prefix[] = "/fault/";
    size_t fault_len = sizeof(fault_prefix) - 1;
    uint64_t n;

    if (len == 0 || path_is(path, len, "/")) return (struct serve_route){SERVE_ROOT, 0};
    if (path_is(path, len, "/close")) return (struct serve_route){SERVE_CLOSE, 0};
    if (path_is(path, len, "/echo")) return (struct serve_route){SERVE_ECHO, 0};
    for (size_t i = 0; i < COUNT(numbered); i++) {
        size_t skip = strlen(numbered[i].prefix);

        if (len > skip && memcmp(path, numbered[i].prefix, skip) == 0 &&
            parse_number(path + skip, len - skip, numbered[i].max, &n) && n >= numbered[i].min) {
            return (struct serve_route){numbered[i].kind, n};
        }
    }
    if (len > fault_len && memcmp(path, fault_prefix, fault_len) == 0 &&
        serve_fault_find(path + fault_len, len - fault_len, &n)) {
        return (struct serve_route){SERVE_FAULT, n};
    }
    return (struct serve_route){SERVE_STATUS, 404};
}

/* Appends and returns the new length. */
static size_t put(char *buf, size_t len, const char *data, size_t data_len)
{
    memcpy(buf + len, data, data_len);
    return len + data_len;
}

/* One whole chunk with its framing; SERVE_CHUNK_FRAMED. */
static size_t write_chunk(char *buf, const char *pattern)
{
    size_t len = put(buf, 0, chunk_size_line, sizeof(chunk_size_line) - 1);

    len = put(buf, len, pattern, SERVE_CHUNK_BYTES);
    return put(buf, len, line_end, sizeof(line_end) - 1);
}

void serve_pattern_fill(char *pattern, char *chunks)
{
    static const char period[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";

    _Static_assert(sizeof(period) - 1 == SERVE_PATTERN_PERIOD, "the pattern's period");
    for (size_t i = 0; i < SERVE_PATTERN_BYTES; i += SERVE_PATTERN_PERIOD) {
        memcpy(pattern + i, period, SERVE_PATTERN_PERIOD);
    }
    for (size_t at = 0; at < SERVE_CHUNKS_BYTES;) {
        at += write_chunk(chunks + at, pattern);
    }
}

bool serve_replies_init(struct serve_replies *replies, struct arena *arena, const char *pattern)
{
    *replies = (struct serve_replies){
        .replies = arena_array(arena, SERVE_REPLIES_MAX, sizeof(struct serve_reply)),
        .places = arena_array(arena, PLACES, sizeof(uint16_t)),
        .store = arena_array(arena, SERVE_STORE_BYTES, 1),
        .pattern = pattern,
    };
    return replies->replies != NULL && replies->places != NULL && replies->store != NULL;
}

void serve_replies_set_time(struct serve_replies *replies, uint64_t wall_ns)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t second = wall_ns / NS_PER_S;
    time_t clock = (time_t)second;
    char text[64];
    struct tm tm;

    if (second == replies->date_s) return;
    CHECK(gmtime_r(&clock, &tm) != NULL);
    /* IMF-fixdate of RFC 9110 section 5.6.7; strftime() would ask the locale. */
    CHECK(snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                   &days[tm.tm_wday % 7 * 3L], tm.tm_mday, &months[tm.tm_mon % 12 * 3L],
                   (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
                   tm.tm_sec) == SERVE_DATE_BYTES);
    memcpy(replies->date, text, SERVE_DATE_BYTES + 1);
    replies->date_s = second;
}

/* Reason phrases (RFC 9110 section 15); others get a plain word. */
static const char *reason_of(unsigned status)
{
    static const struct {
        uint16_t status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {418, "(Unused)"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < COUNT(reasons); i++) {
        if (reasons[i].status == status) return reasons[i].reason;
    }
    return "Status";
}

static bool has_content(unsigned status)
{
    return status != 204 && status != 304;
}

size_t serve_reply_head(const struct serve_replies *replies, char *buf, unsigned status,
                        int64_t body_bytes, unsigned variant)
{
    char length[64] = "";
    int len;

    CHECK(status >= 200 && status <= 999);
    if (has_content(status) && body_bytes == SERVE_LENGTH_CHUNKED) {
        (void)snprintf(length, sizeof(length), "Transfer-Encoding: chunked\r\n");
    } else if (has_content(status)) {
        (void)snprintf(length, sizeof(length), "Content-Length: %lld\r\n", (long long)body_bytes);
    }
    len = snprintf(
        buf, SERVE_HEAD_MAX, "HTTP/1.1 %03u %s\r\nDate: %s\r\nServer: pelt\r\n%s%s%s%s\r\n", status,
        reason_of(status), replies->date, has_content(status) ? "Content-Type: text/plain\r\n" : "",
        length, variant & SERVE_SAYS_CLOSE ? "Connection: close\r\n" : "",
        variant & SERVE_SAYS_KEEP_ALIVE ? "Connection: keep-alive\r\n" : "");
    CHECK(len > 0 && len < SERVE_HEAD_MAX);
    return (size_t)len;
}

size_t serve_reply_last_chunk(const struct serve_replies *replies, char *buf, uint64_t body_bytes)
{
    size_t rest = (size_t)(body_bytes % SERVE_CHUNK_BYTES);
    size_t len = 0;

    if (rest > 0) {
        len = (size_t)snprintf(buf, 8, "%zx\r\n", rest);
        len = put(buf, len, replies->pattern, rest);
        len = put(buf, len, line_end, sizeof(line_end) - 1);
    }
    return put(buf, len, last_chunk, sizeof(last_chunk) - 1);
}

/* The body of a kept answer into `buf`; its length. */
static size_t reply_body(const struct serve_replies *replies, struct serve_route route, char *buf)
{
    size_t len = 0;

    switch (route.kind) {
    case SERVE_ROOT:
    case SERVE_DELAY:
    case SERVE_CLOSE: return put(buf, 0, root_body, sizeof(root_body) - 1);
    case SERVE_BYTES: return put(buf, 0, replies->pattern, (size_t)route.n);
    case SERVE_STATUS:
        if (!has_content((unsigned)route.n) || route.n == 205) return 0;
        return (size_t)snprintf(buf, SERVE_HEAD_MAX, "%s\n", reason_of((unsigned)route.n));
    case SERVE_CHUNKED:
        for (uint64_t i = 0; i < route.n / SERVE_CHUNK_BYTES; i++) {
            len += write_chunk(buf + len, replies->pattern);
        }
        return len + serve_reply_last_chunk(replies, buf + len, route.n);
    case SERVE_ECHO:
    case SERVE_FAULT: break;
    }
    UNREACHABLE("a kept answer");
    return 0;
}

/* Room for the longest kept answer. */
enum {
    BODY_ROOM = (SERVE_REPLY_BODY_MAX / SERVE_CHUNK_BYTES + 1) * SERVE_CHUNK_FRAMED + 8,
    REPLY_ROOM = SERVE_HEAD_MAX + BODY_ROOM
};

/* Statuses 200 to 999 and "/", each in all variants, and the bulk: there is room for all of it. */
enum { SMALL_REPLIES = 801 * SERVE_VARIANTS, SMALL_ROOM = SERVE_HEAD_MAX + 64 };

_Static_assert(SERVE_REPLIES_MAX >= SMALL_REPLIES + SERVE_REPLIES_BULK, "all kept answers fit");
_Static_assert(SERVE_STORE_BYTES / SERVE_REPLY_EDITIONS >=
                   SMALL_REPLIES * SMALL_ROOM + (SERVE_REPLIES_BULK + 1) * REPLY_ROOM +
                       SERVE_VARIANTS * SERVE_COPIES_BYTES,
               "all kept texts fit");

/* Builds one copy into `buf` of REPLY_ROOM bytes; the length. */
static uint32_t reply_write(const struct serve_replies *replies, struct serve_reply *reply,
                            char *buf)
{
    char *body = buf + SERVE_HEAD_MAX;
    size_t body_len = reply_body(replies, reply->route, body);
    int64_t says = reply->route.kind == SERVE_CHUNKED ? SERVE_LENGTH_CHUNKED : (int64_t)body_len;
    size_t head_len;

    reply->status = reply->route.kind == SERVE_STATUS ? (uint16_t)reply->route.n : 200;
    head_len = serve_reply_head(replies, buf, reply->status, says, reply->variant);
    reply->date_at =
        (uint16_t)(strlen("HTTP/1.1 200 \r\nDate: ") + strlen(reason_of(reply->status)));
    CHECK(memcmp(buf + reply->date_at, replies->date, SERVE_DATE_BYTES) == 0);
    if (reply->variant & SERVE_NO_BODY) return (uint32_t)head_len;
    memmove(buf + head_len, body, body_len);
    return (uint32_t)(head_len + body_len);
}

static uint32_t hash_of(struct serve_route route, unsigned variant)
{
    uint64_t key = (route.n * 8 + route.kind) * SERVE_VARIANTS + variant;

    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (PLACES - 1);
}

static bool is_bulk(struct serve_route route)
{
    return route.kind == SERVE_BYTES || route.kind == SERVE_CHUNKED;
}

static bool is_kept(const struct serve_replies *replies, struct serve_route route)
{
    if (route.kind == SERVE_ECHO || route.kind == SERVE_FAULT) return false;
    if (!is_bulk(route)) return true;
    return route.n <= SERVE_REPLY_BODY_MAX && replies->bulk_count < SERVE_REPLIES_BULK;
}

/* Copies in a row serve pipelined runs of one request; nobody measures with errors. */
static uint32_t copies_of(const struct serve_reply *reply)
{
    if (reply->status != 200 || reply->len > SERVE_COPIES_BYTES / 2) return 1;
    return (uint32_t)min_u64(SERVE_COPIES_MAX, SERVE_COPIES_BYTES / reply->len);
}

/* Adds an answer; there is room for all that is_kept(), as the assertions below say. */
static struct serve_reply *reply_add(struct serve_replies *replies, struct serve_route route,
                                     unsigned variant)
{
    struct serve_reply *reply = &replies->replies[replies->count];
    char *first = replies->store + replies->store_used;
    uint32_t texts;

    CHECK(replies->count < SERVE_REPLIES_MAX);
    CHECK(SERVE_STORE_BYTES - replies->store_used >= (size_t)REPLY_ROOM * SERVE_REPLY_EDITIONS);
    *reply = (struct serve_reply){.route = route, .variant = (uint8_t)variant};
    reply->len = reply_write(replies, reply, first);
    reply->copies = copies_of(reply);
    texts = reply->copies * SERVE_REPLY_EDITIONS;
    for (uint32_t i = 1; i < texts; i++) {
        memcpy(first + (size_t)i * reply->len, first, reply->len);
    }
    reply->editions = first;
    reply->text = first;
    reply->date_s = replies->date_s;
    replies->store_used += (size_t)texts * reply->len;
    replies->count++;
    replies->bulk_count += is_bulk(route);
    return reply;
}

struct serve_reply *serve_replies_get(struct serve_replies *replies, struct serve_route route,
                                      unsigned variant)
{
    struct serve_reply *reply;
    uint32_t place;

    CHECK(variant < SERVE_VARIANTS);
    if (route.kind == SERVE_DELAY || route.kind == SERVE_CLOSE) {
        route = (struct serve_route){SERVE_ROOT, 0};
    }
    place = hash_of(route, variant);
    while (replies->places[place] != 0) {
        reply = &replies->replies[replies->places[place] - 1];
        if (reply->route.kind == route.kind && reply->route.n == route.n &&
            reply->variant == variant) {
            serve_reply_freshen(replies, reply);
            return reply;
        }
        place = (place + 1) & (PLACES - 1);
    }
    if (!is_kept(replies, route)) return NULL;
    reply = reply_add(replies, route, variant);
    replies->places[place] = (uint16_t)replies->count;
    return reply;
}

static size_t edition_bytes(const struct serve_reply *reply)
{
    return (size_t)reply->copies * reply->len;
}

void serve_reply_freshen(const struct serve_replies *replies, struct serve_reply *reply)
{
    uint8_t next = (uint8_t)((reply->edition + 1) % SERVE_REPLY_EDITIONS);
    char *text;

    if (reply->date_s == replies->date_s || reply->users[next] > 0) return;
    text = reply->editions + next * edition_bytes(reply);
    for (uint32_t i = 0; i < reply->copies; i++) {
        memcpy(text + (size_t)i * reply->len + reply->date_at, replies->date, SERVE_DATE_BYTES);
    }
    reply->edition = next;
    reply->text = text;
    reply->date_s = replies->date_s;
}

static uint32_t *users_of(struct serve_reply *reply, const char *text)
{
    size_t edition = (size_t)(text - reply->editions) / edition_bytes(reply);

    CHECK(edition < SERVE_REPLY_EDITIONS);
    return &reply->users[edition];
}

void serve_reply_hold(struct serve_reply *reply, const char *text)
{
    ++*users_of(reply, text);
}

void serve_reply_release(struct serve_reply *reply, const char *text)
{
    CHECK(*users_of(reply, text) > 0);
    --*users_of(reply, text);
}
