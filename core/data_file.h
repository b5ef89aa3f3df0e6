/* data_file: a file that a provider reads, opened and looked at before the run.
 *
 * It is read by its descriptor, so that removing or replacing it in the run does no harm. One that
 * is read in random order is gone through once, for the places where records begin: of each when it
 * is small, of every 64th when it is large, so that a file of 10 GB costs a few megabytes.
 *
 * Threads: main, before the run; afterwards never changed. */
#ifndef CORE_DATA_FILE_H
#define CORE_DATA_FILE_H

#include "config/records.h"
#include "core/base/err.h"

enum {
    DATA_FILE_LOADED_MAX = 64 << 20, /* Up to here a file in random order is kept in memory. */
    DATA_FILE_STRIDE = 64,           /* Of a larger one, every so many-th record is known. */
};

struct data_file {
    const char *path; /* As messages show it; borrowed. */
    int fd;           /* -1: not open. */
    uint64_t bytes;   /* When it was opened. */
    uint64_t begin;   /* Of what is in it: behind a byte order mark, if it has one. */
    struct records_options options;
    bool random;

    const struct value *names; /* Of columns, from the first row; else those of the options. */
    uint32_t names_count;
    uint32_t columns; /* Of each row, where known before one is read; else 0. */

    /* Random order only. */
    const char *data;       /* All of it, or NULL. */
    uint64_t *offsets;      /* Of record 0, stride, 2 × stride …; the last is the file's end. */
    uint64_t *lines;        /* The same records' lines; NULL if the file is kept in memory. */
    uint64_t offsets_count; /* That one not counted. */
    uint32_t stride;        /* 1 or DATA_FILE_STRIDE. */
    uint64_t count;         /* Records. */
};

/* Opens `path` (borrowed, as what `options` points to); what is kept of it comes from `arena`.
 * ERR_FILE with the reason when it cannot be read, is no regular file, has a bad first row, or, if
 * `random`, holds a bad record (with its line). ERR_MEMORY. */
MUST_USE enum err data_file_open(struct data_file *file, const char *path,
                                 const struct records_options *options, bool random,
                                 struct arena *arena, struct err_info *why);

/* In which line of the file record `record` begins, or, of a larger file, the one before it whose
 * place is known. Takes a while where the file is kept in memory. */
uint64_t data_file_line(const struct data_file *file, uint64_t record);

/* Closes it. One that was not opened (fd -1) is fine. */
void data_file_close(struct data_file *file);

#endif
