/* proc: small files of /proc and /sys, as an ordinary user may read them. What cannot be read is
 * not known, and callers say so; nothing here makes it 0. Any thread. */
#ifndef IO_PROC_H
#define IO_PROC_H

#include "core/base/defs.h"

/* Reads up to `size` - 1 bytes of `path` into `buf` and terminates them. False, `buf` then "",
 * when the file is not there or not ours to read. */
MUST_USE bool proc_read(const char *path, char *buf, size_t size);

/* Lines of a file of any length, one after the other. */
struct proc_lines {
    int fd;          /* -1: at its end, or never opened. */
    size_t at, len;  /* What is left in `buf`. */
    char buf[8192];  /* A line that is longer is cut. */
    char line[1024]; /* The last one, terminated, without its line end; cut to this. */
};

/* False when the file cannot be opened; nothing to close then. */
MUST_USE bool proc_lines_open(struct proc_lines *lines, const char *path);

/* The next line in `lines->line`; false at the end. */
MUST_USE bool proc_lines_next(struct proc_lines *lines);

/* Also after the end; a second time is fine. */
void proc_lines_close(struct proc_lines *lines);

/* The number, in `base` 10 or 16, that follows `key` at the start of a line of `text`, spaces and
 * tabs skipped; false, `ret_value` untouched, when there is none. */
MUST_USE bool proc_number(const char *text, const char *key, int base, uint64_t *ret_value);

#endif
