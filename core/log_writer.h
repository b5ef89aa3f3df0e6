/* log_writer: the thread that writes the lines of the loggers with one target, so that a slow disk
 * or a reader that does not read holds up no worker, and no other target.
 *
 * Lines of a ring come out in their order, each in one piece. What is no file is written at most
 * PIPE_BUF bytes at a time, whole lines as far as they fit, and only when there is room: so lines
 * of others do not come in between (pipe(7)), and the thread can be told to give up. A target that
 * cannot be written is given up at its first error; what is not written is counted as lost.
 *
 * Threads: log_writer_new() and log_writer_free() from the engine's; the others as they say. */
#ifndef CORE_LOG_WRITER_H
#define CORE_LOG_WRITER_H

#include "core/base/err.h"
#include "core/log_ring.h"

struct log_writer;

/* What became of a logger's lines. */
struct log_written {
    uint64_t written, lost;
};

struct log_writer_options {
    int fd;                     /* Stays the caller's. */
    struct log_ring **rings;    /* [rings_count], borrowed. */
    uint32_t rings_count;       /* One per worker. */
    struct log_written *counts; /* By logger; the writer's until it is done. Borrowed. */
};

/* Starts the thread. ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum err log_writer_new(struct log_writer **ret_writer,
                                 const struct log_writer_options *options, struct err_info *why);

/* No line is added any more: it ends once all are written. One thread. */
void log_writer_end(struct log_writer *writer);

/* It ends soon: what can only be written by waiting is lost. After log_writer_end(). */
void log_writer_give_up(struct log_writer *writer);

/* True once all that was added is written or lost: the counts are the caller's now. Any thread. */
bool log_writer_is_done(const struct log_writer *writer);

/* The errno that the target was given up with; 0 while it is not. Any thread. */
int log_writer_error(const struct log_writer *writer);

/* Ends it, giving up if need be, and frees. NULL is fine. */
void log_writer_free(struct log_writer *writer);

#endif
