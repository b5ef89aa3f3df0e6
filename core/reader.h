/* reader: the thread that reads files while a test runs, because opening and reading may block and
 * a worker must not. A worker asks for a stretch of a file into memory of its own, goes on, and is
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

enum reader_kind {
    READER_STRETCH, /* `len` bytes of `fd`, from `offset` on. */
    READER_FILE,    /* The file at `path`: `size`, and its bytes if they are no more than `len`. */
    READER_PART, /* `len` bytes, from `offset` on, of the file at `path`, which has to have `size`
                    bytes then: else it is another one. It is open as `fd` from one part to the
                    next, -1 before the first, and closed with the last byte or an error. */
};

/* One stretch to be read. Its worker's but while it is asked for: then it and the memory it names
 * are the reader's, until reader_is_done(). */
struct reader_ask {
    enum reader_kind kind;
    const char *path;
    int fd;
    char *to;
    uint64_t offset, size;
    uint32_t len;
    int32_t got;           /* Bytes; or -errno. STRETCH: fewer than `len` only at the file's end.
                              FILE: -EFBIG if there are more than `len`, -EISDIR or -EINVAL if it
                              is no regular file. PART: -ESTALE if it has not `size` bytes. */
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

/* Does what is asked now, on this thread, and marks it done. */
void reader_run(struct reader_ask *ask);

/* Asks; false when the worker has READER_ASKS_MAX open already. */
MUST_USE bool reader_ask(struct reader *reader, uint32_t worker, struct reader_ask *ask);

/* True once the answer is there. */
static inline bool reader_is_done(const struct reader_ask *ask)
{
    return load_acquire(&ask->done) != 0;
}

#endif
