/* exit: what the program's exit status means. Part of the interface: scripts rely on it. */
#ifndef CORE_EXIT_H
#define CORE_EXIT_H

#include "core/base/defs.h"
#include "core/base/err.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_ERROR = 1,           /* The run could not be made, or nothing at all was answered. */
    EXIT_CODE_PROVIDERS = 2,       /* Providers of a test file ran dry, or a deadlock. */
    EXIT_CODE_KILLED = 3,          /* A logger of the test file ended it. */
    EXIT_CODE_USAGE = 64,          /* The command line is wrong. */
    EXIT_CODE_LEDGER = 70,         /* The ledger does not close: a bug of ours. */
    EXIT_CODE_OUTPUT = 74,         /* The results could not be written completely. */
    EXIT_CODE_CLIENT_LIMITED = 98, /* With --strict: the client was the limit. */
    EXIT_CODE_THRESHOLD = 99,      /* A threshold of the test was not met. */
    EXIT_CODE_INTERRUPTED = 130,   /* Interrupted; the report is complete. */
};

/* The exit status for a failure at setup. */
static inline enum exit_code exit_code_of(enum err err)
{
    switch (err) {
    case ERR_OK: return EXIT_CODE_OK;
    case ERR_USAGE: return EXIT_CODE_USAGE;
    case ERR_BUG: return EXIT_CODE_LEDGER;
    case ERR_CONFIG:
    case ERR_FILE:
    case ERR_MEMORY:
    case ERR_LIMIT:
    case ERR_KERNEL:
    case ERR_RESOLVE:
    case ERR_NETWORK: return EXIT_CODE_ERROR;
    }
    return EXIT_CODE_ERROR;
}

#endif
