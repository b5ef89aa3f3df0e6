/* serve_reply: what the test target answers: the routes, and the answers' bytes.
 *
 * Small answers are built once per thread and kept whole, head and body in one piece and several
 * copies in a row, so that a run of pipelined requests is answered by one send. Only the 29 bytes
 * of Date ever change: once per second they are written anew, into another edition of the answer,
 * and not while a send from that edition is in flight; the old date then stays a while.
 *
 * Threads: a cache belongs to one thread; serve_route_find() and the constants: any. */
#ifndef CORE_SERVE_REPLY_H
#define CORE_SERVE_REPLY_H

#include "core/base/arena.h"
#include "core/base/defs.h"

enum {
    SERVE_BYTES_MAX = 1 << 30, /* Largest /bytes/N and /chunked/N. */
    SERVE_DELAY_MS_MAX = 3600 * 1000,
    SERVE_CHUNK_BYTES = 4096,  /* Data in a chunk of /chunked/N. */
    SERVE_PATTERN_PERIOD = 64, /* Byte i of every body is byte i % 64 of the pattern. */
    SERVE_PATTERN_BYTES = 256 * 1024,
    SERVE_CHUNK_FRAMED = 6 + SERVE_CHUNK_BYTES + 2, /* "1000\r\n", data, "\r\n". */
    SERVE_CHUNKS_BYTES = 64 * SERVE_CHUNK_FRAMED,
    SERVE_REPLY_BODY_MAX = 32 * 1024, /* Largest body of a kept answer. */
    SERVE_REPLY_EDITIONS = 2,
    SERVE_REPLIES_MAX = 8192,      /* Answers kept per thread: every status in every variant, */
    SERVE_REPLIES_BULK = 128,      /* and so many of /bytes and /chunked. */
    SERVE_COPIES_MAX = 32,         /* Copies of a small answer in a row, */
    SERVE_COPIES_BYTES = 8 * 1024, /* and the most bytes that they take. */
    SERVE_STORE_BYTES = 40 * 1024 * 1024, /* Room for all kept answers of a thread. */
    SERVE_HEAD_MAX = 512,                 /* Room that serve_reply_head() needs. */
    SERVE_DATE_BYTES = 29,
};

enum serve_route_kind {
    SERVE_ROOT,    /* "/": the two bytes "ok". */
    SERVE_BYTES,   /* "/bytes/N" */
    SERVE_STATUS,  /* "/status/N", and every path that is not known, as 404. */
    SERVE_DELAY,   /* "/delay/MS": "ok" after MS milliseconds. */
    SERVE_CHUNKED, /* "/chunked/N" */
    SERVE_CLOSE,   /* "/close": "ok", and the connection is closed. */
    SERVE_ECHO,    /* "/echo" */
    SERVE_FAULT,   /* "/fault/NAME"; n is its number. */
};

struct serve_route {
    enum serve_route_kind kind;
    uint64_t n;
};

/* The route of a path without its query. */
struct serve_route serve_route_find(const char *path, size_t len);

/* How an answer differs from the plain one. */
enum {
    SERVE_SAYS_CLOSE = 1,      /* "Connection: close" */
    SERVE_SAYS_KEEP_ALIVE = 2, /* "Connection: keep-alive", for HTTP/1.0 */
    SERVE_NO_BODY = 4,         /* HEAD: the head alone. */
    SERVE_VARIANTS = 8,
};

/* A kept answer. */
struct serve_reply {
    const char *text; /* `copies` answers of `len` bytes each, with today's date. */
    uint32_t len;
    uint32_t copies;
    uint16_t status;
    uint16_t date_at;
    uint8_t edition;
    uint8_t variant;
    struct serve_route route;
    uint64_t date_s;                      /* The second that the date of `text` tells. */
    char *editions;                       /* [SERVE_REPLY_EDITIONS][copies * len] */
    uint32_t users[SERVE_REPLY_EDITIONS]; /* Sends in flight from each. */
};

struct serve_replies {
    struct serve_reply *replies; /* [SERVE_REPLIES_MAX] */
    uint16_t *places;            /* Hash table: index + 1 in `replies`, or 0. */
    char *store;                 /* [SERVE_STORE_BYTES]: the texts, one after the other. */
    size_t store_used;
    const char *pattern; /* [SERVE_PATTERN_BYTES], borrowed, immutable. */
    uint64_t date_s;     /* Seconds since 1970 of `date`. */
    uint32_t count;
    uint32_t bulk_count; /* Of these, from /bytes and /chunked. */
    char date[SERVE_DATE_BYTES + 1];
};

/* Fills the pattern that all bodies are made of: `pattern` has SERVE_PATTERN_BYTES, `chunks`
 * SERVE_CHUNKS_BYTES (the same data in the chunked coding, chunk after chunk). */
void serve_pattern_fill(char *pattern, char *chunks);

/* Makes an empty cache with its memory from `arena`; false when that refuses. `pattern` and the
 * arena must outlive it. The date is not set yet. */
MUST_USE bool serve_replies_init(struct serve_replies *replies, struct arena *arena,
                                 const char *pattern);

/* Sets the date of all answers from here on; cheap within the same second. */
void serve_replies_set_time(struct serve_replies *replies, uint64_t wall_ns);

/* The kept answer of a route, made now if need be, with today's date; valid as long as the cache,
 * its text until the next freshening, or the one after that where it is held. NULL when this
 * route's answers are not kept (too large, a fault, an echo), or when SERVE_REPLIES_BULK of them
 * are: then it is built for the occasion. */
MUST_USE struct serve_reply *serve_replies_get(struct serve_replies *replies,
                                               struct serve_route route, unsigned variant);

/* Puts today's date into a kept answer. */
void serve_reply_freshen(const struct serve_replies *replies, struct serve_reply *reply);

/* Keeps the edition that holds `text`, which was reply->text at some time, from being written
 * until it is released as often. */
void serve_reply_hold(struct serve_reply *reply, const char *text);
void serve_reply_release(struct serve_reply *reply, const char *text);

/* Writes the head of an answer to `buf` of SERVE_HEAD_MAX bytes and returns its length.
 * `body_bytes` SERVE_LENGTH_CHUNKED says chunked instead of a length. 204 and 304 get neither. */
enum { SERVE_LENGTH_CHUNKED = -1 };
size_t serve_reply_head(const struct serve_replies *replies, char *buf, unsigned status,
                        int64_t body_bytes, unsigned variant);

/* Writes what follows the whole chunks of a chunked body of `body_bytes`: a last part of up to
 * SERVE_CHUNK_BYTES - 1 bytes and the end; `buf` has SERVE_CHUNK_FRAMED + 8 bytes. Returns its
 * length. */
size_t serve_reply_last_chunk(const struct serve_replies *replies, char *buf, uint64_t body_bytes);

#endif
