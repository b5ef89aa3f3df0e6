/* output: where reports go: stdout and the file of --json.
 *
 * The file is opened before the run, so that a wrong path costs no run, and is written after it;
 * a write that fails is told, never swallowed.
 *
 * Threads: main. */
#ifndef CORE_OUTPUT_H
#define CORE_OUTPUT_H

#include "core/base/err.h"
#include "core/base/text.h"

/* A file to be written later. */
struct output {
    const char *path; /* NULL: none; "-": stdout. */
    int fd;           /* -1 while not open. */
};

/* Opens (and makes, mode 0644) `path`, which must outlive the output; what it holds stays until
 * output_write(). NULL gives an output that writes nowhere. ERR_FILE. */
MUST_USE enum err output_open(struct output *output, const char *path, struct err_info *why);

/* Replaces the file's content by `text` and closes it. ERR_FILE when not all of it could be
 * written, ERR_MEMORY when the text itself had failed. */
MUST_USE enum err output_write(struct output *output, const struct text *text,
                               struct err_info *why);

/* Writes `text` to a descriptor such as stdout. A reader that has gone (EPIPE) is no error: who
 * closed it does not want the rest. */
MUST_USE enum err output_stream(int fd, const struct text *text, struct err_info *why);

#endif
