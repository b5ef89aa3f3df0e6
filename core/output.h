/* output: where reports go: stdout and the files that were named.
 *
 * A file is opened before the run, so that a wrong path costs no run, and is written after it;
 * a write that fails is told, never swallowed.
 *
 * Threads: main. */
#ifndef CORE_OUTPUT_H
#define CORE_OUTPUT_H

#include "core/base/err.h"
#include "core/base/text.h"

/* To be called before anything is opened. Where stdin, stdout or stderr is closed its number is
 * taken, so that no file of ours gets it, and with it what is printed: writing to it fails as
 * before. */
void output_hold_streams(void);

/* A file to be written later. */
struct output {
    const char *path; /* NULL: none; "-": stdout. */
    int fd;           /* -1 while not open. */
    bool begun;       /* What it held before is gone. */
    int error;        /* errno of the first write that failed; 0: none did. */
};

/* Opens (and makes, mode 0644) `path`, which must outlive the output; what it holds stays until it
 * is written. NULL gives an output that writes nowhere. ERR_FILE. */
MUST_USE enum err output_open(struct output *output, const char *path, struct err_info *why);

/* Writes a piece; the first one replaces what the file held. Failures, that of the text itself
 * too, are told by output_close(), and nothing more is written. */
void output_add(struct output *output, const struct text *piece);

/* Closes the file. ERR_FILE when not all of it could be written, ERR_MEMORY when a text had failed.
 * No-op when it is closed already. */
MUST_USE enum err output_close(struct output *output, struct err_info *why);

/* Replaces the file's content by `text` and closes it. ERR_FILE, ERR_MEMORY as above. */
MUST_USE enum err output_write(struct output *output, const struct text *text,
                               struct err_info *why);

/* Writes `text` to a descriptor such as stdout. A reader that has gone (EPIPE) is no error: who
 * closed it does not want the rest. */
MUST_USE enum err output_stream(int fd, const struct text *text, struct err_info *why);

#endif
