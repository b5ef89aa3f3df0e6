/* results_file: the file that a test leaves, written by a thread of its own while the test runs, so
 * that a crash at any moment leaves all that was closed before it.
 *
 * Lines are appended whole and then synced. Each gets a last member `crc`, the CRC-32 of all bytes
 * of its line that stand before the comma in front of it; the other form has neither it nor line
 * ends (docs/results.md).
 *
 * What the disk refuses is kept, RESULTS_UNITS_BYTES_MAX of it, and tried again when the next lines
 * come: a disk that is full for a while costs nothing. Room for the last line is taken from the
 * disk in advance. After an error of the medium itself (EIO) a file is not trusted any more: what
 * is not known to be on disk goes to a new one beside it, `NAME.2`, that begins with the same
 * header and groups.
 *
 * Threads: one owner at a time, who adds and never waits; results_file_end() ends the writer's. */
#ifndef CORE_RESULTS_FILE_H
#define CORE_RESULTS_FILE_H

#include "core/base/err.h"
#include "core/results_lines.h"

struct results_file;

enum results_form {
    RESULTS_PELT,   /* A line each, with CRC; histograms compressed, in nanoseconds. */
    RESULTS_PEWPEW, /* Nothing between them; histograms not compressed, in microseconds. */
};

enum {
    RESULTS_FILE_BYTES_MAX = 64 << 20, /* On their way to the thread. */
    RESULTS_END_BYTES_MAX = 4096,      /* The last line is not longer. */
};

struct results_file_options {
    const char *path; /* Must outlive the file. */
    bool fresh;       /* It must not exist, and goes again if nothing comes; else it is replaced
                         when the first lines come. */
    enum results_form form;
    /* Told, on the writer's thread, when lines begin to wait, for which errno, and when none do any
     * more (0); not about the end. May be NULL. */
    void (*changed)(void *self, int error);
    void *self;
};

/* Opens the file and starts the thread. ERR_FILE (with errno EEXIST: `fresh`, and it is there),
 * ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err results_file_open(struct results_file **ret_file,
                                    const struct results_file_options *options,
                                    struct err_info *why);

/* Takes lines, not the last one (NULL: there was no memory for them), and frees them. What cannot
 * be taken is counted as lost. */
void results_file_add(struct results_file *file, struct results_lines *lines);

/* Takes the last line, for which there is room however much waits (NULL: there is none), and frees
 * it. Waits until all is written, or was tried for the last time, and ends the thread. Once. */
void results_file_end(struct results_file *file, struct results_lines *last);

/* After results_file_end(): ERR_FILE, with name and reason, if not all is in the file
 * of that name. */
MUST_USE enum err results_file_result(const struct results_file *file, struct err_info *why);

/* Ends it if need be, and frees. NULL is fine. */
void results_file_free(struct results_file *file);

#endif
