/* err: how setup fails. A function that can fail at setup returns enum err and fills a
 * struct err_info that says what happened, where, and what to do. Nobody below core/ prints.
 *
 * Messages: lower case, the subject in quotes, no full stop, and what to do about it. */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#include "core/base/defs.h"

enum err {
    ERR_OK = 0,
    ERR_USAGE,   /* The command line is wrong. */
    ERR_CONFIG,  /* A file that was given is wrong. */
    ERR_FILE,    /* A file cannot be opened, read or written. */
    ERR_MEMORY,  /* Memory, or one of our own bounds on it, is used up. */
    ERR_LIMIT,   /* A limit of the machine (descriptors, ports, memlock) is too low. */
    ERR_KERNEL,  /* The kernel lacks or forbids what is needed. */
    ERR_RESOLVE, /* A name has no address. */
    ERR_NETWORK, /* A socket operation failed at setup. */
    ERR_BUG,     /* Ours. */
};

struct err_info {
    enum err code;
    int errno_value;   /* A positive errno, or 0 where none is involved. */
    char file[200];    /* The file that is wrong, or "". */
    uint32_t line;     /* From 1; 0 when there is none. */
    uint32_t column;   /* From 1; 0 when there is none. */
    char message[240]; /* Always terminated. */
};

/* Fills `why` (may be NULL: then only the code is returned) and returns `code`. The message is
 * cut at 239 bytes. Leaves `file`, `line` and `column` empty. */
MUST_USE enum err err_set(struct err_info *why, enum err code, int errno_value, const char *format,
                          ...) PRINTF_LIKE(4, 5);

/* The name of an errno as the man pages write it ("ECONNREFUSED"), or "errno N" in a static
 * per-call-free form: unknown numbers give "unknown error". Never NULL. */
const char *err_errno_name(int errno_value);

#endif
