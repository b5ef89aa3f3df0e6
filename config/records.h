/* records: data files cut into records, and records made values: lines, JSON values one after the
 * other, or rows of CSV (RFC 4180, and what its dialects do).
 *
 * Pure: it is given a window of the file that begins where a record begins, and says how many of
 * its bytes that record takes, or that more of the file is needed to tell. Files of any size are
 * read through windows of a few hundred kilobytes; no record may be larger than RECORDS_BYTES_MAX.
 *
 * Threads: one owner. */
#ifndef CONFIG_RECORDS_H
#define CONFIG_RECORDS_H

#include "config/value.h"
#include "core/base/arena.h"
#include "core/base/scratch.h"

enum { RECORDS_BYTES_MAX = 16 << 20, RECORDS_COLUMNS_MAX = 4096 };

enum records_format { RECORDS_LINE, RECORDS_JSON, RECORDS_CSV };

/* A dialect of CSV. Characters are single bytes; 0: there is none. */
struct records_csv {
    char delimiter;    /* ',' */
    char quote;        /* '"'; special at the start of a cell only, and within quotes. */
    char escape;       /* Within quotes it makes the next byte an ordinary one. */
    char comment;      /* Rows that begin with it are left out. */
    char terminator;   /* 0: LF, CR LF or CR. */
    bool double_quote; /* Within quotes a quote twice is one of the text. */
};

struct records_options {
    enum records_format format;
    bool parse; /* Cells and lines that are JSON are that value; else they are always text. */
    struct records_csv csv;
    bool first_row_names;      /* CSV: the first row says what the columns are called. */
    const struct value *names; /* CSV: names given; [names_count] strings, borrowed; or NULL. */
    uint32_t names_count;
};

/* Reads one file. */
struct records {
    struct records_options options;
    struct arena *arena;       /* Gets the names of the first row. */
    const struct value *names; /* Of columns, once known; NULL: rows are arrays. */
    uint32_t names_count;
    uint32_t columns;    /* Of the rows so far; 0: no row yet. */
    bool names_wanted;   /* The first row is still to come. */
    uint64_t line;       /* Of the next record's first byte, from 1. */
    size_t begin;        /* Of the record read last, in its window, */
    uint64_t begin_line; /* and in the file. */
    size_t scanned;      /* JSON: so far was looked at, in vain, for the end of the value … */
    uint32_t depth;      /* … and this was the state there. */
    bool in_string;
    bool escaped;
};

enum records_result {
    RECORDS_VALUE,
    RECORDS_MORE, /* The window ends within the record; it starts anew with a larger one. */
    RECORDS_END,  /* There are no more; only with `is_last`. */
    RECORDS_BAD,  /* ret_reason says why; records.line in which line the record begins. */
    RECORDS_FULL, /* The scratch cannot hold it. */
};

/* `options` and what it points to must outlive the reader; `arena` gets what a first row says. */
void records_init(struct records *records, const struct records_options *options,
                  struct arena *arena);

/* The window that records are read from. */
struct records_window {
    const char *data;
    size_t len;
    bool is_last; /* The file ends with it. */
};

/* Reads the next record. `*ret_used` is how many bytes of the window are done with, those of
 * records that are left out included; the next window begins behind them, whatever the result is
 * (0 with RECORDS_MORE means that a larger window is needed). The value points into the window and
 * the scratch. `ret_value` NULL: the record is passed over and only its end is looked for. */
MUST_USE enum records_result records_next(struct records *records,
                                          const struct records_window *window, size_t *ret_used,
                                          struct scratch *scratch, struct value *ret_value,
                                          const char **ret_reason);

/* Begins at the start of the file again; names of columns are kept. */
void records_rewind(struct records *records);

#endif
