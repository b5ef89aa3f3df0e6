/* writer: files that grow while a run goes on, written by a thread of their own, so that a slow
 * disk holds up nobody who has something to measure.
 *
 * Each file has a ring of bytes between the two sides. What finds no room there is refused as a
 * whole: the disk is then behind by what is in it. A file that cannot be written is given up at
 * its first error; what comes for it afterwards is taken and forgotten. What a file held before
 * stays until the first bytes come; but stdout and stderr are never cut.
 *
 * Threads: one owner at a time, who adds; writer_end() ends the writer's own. */
#ifndef CORE_WRITER_H
#define CORE_WRITER_H

#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/base/err.h"

struct writer;

enum { WRITER_FILES_MAX = 2 };

/* Starts the thread for the files open at `fds`, WRITER_FILES_MAX of them, -1 for none; they stay
 * the caller's. Each has a ring of `ring_bytes`, a power of two, of which untouched pages cost
 * nothing. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err writer_new(struct writer **ret_writer, const int *fds, uint64_t ring_bytes,
                             struct err_info *why);

/* Adds `len` bytes to a file (an index into the fds, one that is open). False, and nothing added,
 * when there is no room for all of them. */
MUST_USE bool writer_add(struct writer *writer, uint32_t file, const char *data, size_t len);

/* Waits until all is written and ends the thread. Once. */
void writer_end(struct writer *writer);

/* After writer_end(): the errno that a file was given up with, or 0. */
int writer_error(const struct writer *writer, uint32_t file);

/* Ends it if need be, and frees. NULL is fine. */
void writer_free(struct writer *writer);

#endif
