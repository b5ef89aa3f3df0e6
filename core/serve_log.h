/* serve_log: which requests were answered, and how: a line "ID STATUS" for each that had an
 * X-Request-Id.
 *
 * The serving thread writes lines into chunks of memory; full chunks go through a mailbox to the
 * main thread, which writes them to the file and sends them back empty. Only when all chunks are
 * on their way does the serving thread write one itself.
 *
 * Threads: serve_log_add() from the serving thread, serve_log_drain() from the main thread;
 * init and finish when only one of them runs. */
#ifndef CORE_SERVE_LOG_H
#define CORE_SERVE_LOG_H

#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/base/mailbox.h"

enum {
    SERVE_LOG_CHUNK_BYTES = 1024 * 1024,
    SERVE_LOG_CHUNKS = 32, /* A power of two. */
    SERVE_ID_MAX = 120,    /* Longer ids are cut. */
};

struct serve_log {
    int fd;              /* Borrowed, opened with O_APPEND; -1: no log is kept. */
    uint32_t chunk;      /* The one being filled; the serving thread's. */
    uint32_t used;       /* Bytes in it. */
    uint32_t next_new;   /* Chunks from here on were never used. */
    char *memory;        /* [SERVE_LOG_CHUNKS][SERVE_LOG_CHUNK_BYTES] */
    _Atomic bool failed; /* A write failed: both sides may set it, nobody clears it. */
    struct mail slots[2][SERVE_LOG_CHUNKS];
    struct mailbox full;  /* To the main thread: kind = bytes, value = chunk. */
    struct mailbox empty; /* Back to the serving thread. */
};

/* Makes an empty log over `fd` (-1: serve_log_add() must not be called); false when the arena
 * refuses. */
MUST_USE bool serve_log_init(struct serve_log *log, struct arena *arena, int fd);

/* Adds a line. `id` has `id_len` > 0 bytes, none of them a control. */
void serve_log_add(struct serve_log *log, const char *id, size_t id_len, unsigned status);

/* Writes the full chunks out. */
void serve_log_drain(struct serve_log *log);

/* Writes all that is left; false when any write ever failed. */
MUST_USE bool serve_log_finish(struct serve_log *log);

#endif
