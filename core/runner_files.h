/* runner_files: files that bodies are made of. Private to the runner (core/runner_impl.h).
 *
 * A file whose path never changes is read when the test is set up, and its bytes are those of every
 * request. One whose path comes from values is read for each request by the reader, so that the
 * worker never waits for a disk; the request waits in its lane meanwhile. One that cannot be read
 * then fails its request as `build`.
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_FILES_H
#define CORE_RUNNER_FILES_H

#include "core/base/arena.h"
#include "core/reader.h"
#include "core/runner_endpoint.h"

enum { FILE_PATH_BYTES = 4096 };

/* One file of a body. */
struct body_file {
    const struct testfile_text *path; /* NULL: this piece of the body is no file. */
    bool is_constant;
    bool is_wrong;               /* The next request's path could not be made. */
    char name[FILE_PATH_BYTES];  /* As it is opened: relative to where the process is; */
    size_t name_len, given_from; /* the path as given begins here. */
    struct reader_ask ask;       /* Its bytes, `got` of them, or why there are none. */
};

/* Files of more than a MiB together that never change, three at most, are not read at all: they are
 * sent from where they lie, of any size, unless expressions look at what is sent or requests are
 * pipelined.
 *
 * Sets the files of an endpoint's body up and reads those that never change. ERR_FILE names one
 * that cannot be read or has more bytes than a body may have; ERR_MEMORY. */
MUST_USE enum err runner_init_files(struct endpoint *endpoint, struct arena *arena,
                                    struct err_info *why);

/* True if the files of the endpoint's next request, whose values are there, are too. Else it is
 * touched when they are. */
MUST_USE bool runner_load_files(struct endpoint *endpoint);

/* Looks whether files have come that somebody waits for. */
void runner_files_poll(struct runner *runner);

/* The name of a file of the request at hand, as given, and its bytes. */
void runner_file_name(const struct endpoint *endpoint, uint32_t index, const char **ret_name,
                      size_t *ret_len);
MUST_USE enum expr_error runner_add_file(const struct endpoint *endpoint, uint32_t index,
                                         struct buf *body);

#endif
