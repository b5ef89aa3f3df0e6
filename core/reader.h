/* reader: the thread that reads data files while a test runs, because reading may block and a
 * worker must not. A worker asks for a stretch of a file into memory of its own, goes on, and is
 * woken when it is there.
 *
 * Threads: reader_new() and reader_free() from the engine's; reader_ask() from the worker whose
 * number it is given. */
#ifndef CORE_READER_H
#define CORE_READER_H

#include "core/base/defs.h"
#include "core/base/err.h"

struct reader;

enum { READER_ASKS_MAX = 1024 }; /* Of one worker at a time; a power of two. */

/* One stretch to be read. Its worker's but while it is asked for: then it and the memory it names
 * are the reader's, until reader_is_done(). */
struct reader_ask {
    const char *path; /* A file to be read whole, at most `len` bytes; NULL: read `fd`. */
    int fd;
    char *to;
    uint64_t offset;
    uint32_t len;
    int32_t got;           /* Bytes, fewer than `len` only at the end of the file; or -errno. */
    _Atomic uint32_t done; /* Reader's; release publishes `got` and the bytes. */
};

struct reader_options {
    uint32_t workers;
    void (*wake)(void *self, uint32_t worker); /* Called by the reader for a worker that asked. */
    void *self;
};

/* Starts the thread. ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum err reader_new(struct reader **ret_reader, const struct reader_options *options,
                             struct err_info *why);

/* Ends the thread, which first finishes what it is reading and drops the rest. NULL is fine. */
void reader_free(struct reader *reader);

/* Reads the file at ask->path now and marks it done. `got` is -EFBIG if it has more than `len`
 * bytes, -EISDIR or another errno if it cannot be read. */
void reader_read_file(struct reader_ask *ask);

/* Asks; false when the worker has READER_ASKS_MAX open already. */
MUST_USE bool reader_ask(struct reader *reader, uint32_t worker, struct reader_ask *ask);

/* True once the answer is there. */
static inline bool reader_is_done(const struct reader_ask *ask)
{
    return load_acquire(&ask->done) != 0;
}

#endif
