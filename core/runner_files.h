/* runner_files: files that bodies are made of. Private to the runner (core/runner_impl.h).
 *
 * A small file whose path never changes is read when the test is set up, and its bytes are those of
 * every request. One whose path comes from values is read for each request by the reader, so that
 * the worker never waits for a disk; the request waits in its lane meanwhile. One that cannot be
 * read then fails its request as `build`. Of larger files only the size is found then; they are
 * read while the body is sent (core/runner_stream.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_FILES_H
#define CORE_RUNNER_FILES_H

#include "core/base/arena.h"
#include "core/reader.h"
#include "core/runner_endpoint.h"

enum {
    FILE_PATH_BYTES = 4096,
    /* A larger file, or one that makes more than BODY_INLINE_BYTES if all of its body were as
     * large, is not among the bytes of a request. */
    FILE_INLINE_BYTES = 1 << 20,
    BODY_INLINE_BYTES = 8 << 20,
};

/* One file of a body. */
struct body_file {
    const struct testfile_text *path; /* NULL: this piece of the body is no file. */
    bool is_constant;                 /* Its bytes are. */
    bool is_named;               /* Its name is, and it is large: the ask only finds its size. */
    bool is_wrong;               /* The next request's path could not be made. */
    char name[FILE_PATH_BYTES];  /* As it is opened: relative to where the process is; */
    size_t name_len, given_from; /* the path as given begins here. */
    struct reader_ask ask;       /* Its bytes, `got` of them, or why there are none: -EFBIG: they
                                    are sent from where they lie. */
};

/* Files of more than a MiB together that never change, three at most, are not read at all: they are
 * mapped and sent from there, unless expressions look at what is sent or requests are pipelined.
 *
 * Sets the files of an endpoint's body up and reads those that never change. ERR_FILE names one
 * that cannot be read; ERR_MEMORY. */
MUST_USE enum err runner_init_files(struct endpoint *endpoint, struct arena *arena,
                                    struct err_info *why);

/* True if the files of the endpoint's next request, whose values are there, are too. Else it is
 * touched when they are. */
MUST_USE bool runner_load_files(struct endpoint *endpoint);

/* Looks whether files have come that somebody waits for. */
void runner_files_poll(struct runner *runner);

/* The name of a file of the request at hand, as given; its bytes, or the place for them. */
void runner_file_name(const struct endpoint *endpoint, uint32_t index, const char **ret_name,
                      size_t *ret_len);
MUST_USE enum expr_error runner_add_file(struct endpoint *endpoint, uint32_t index,
                                         struct buf *body);

#endif
