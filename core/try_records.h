/* try_records: exchanges on their way from the worker of `pelt try`, which must not wait for a
 * terminal, to main, which prints them.
 *
 * A list with one writer at its end and one reader at its front; what is in it stays until all is
 * released.
 *
 * Threads: try_records_add() the worker's, all else main's. */
#ifndef CORE_TRY_RECORDS_H
#define CORE_TRY_RECORDS_H

#include "core/base/arena.h"
#include "core/runner.h"

enum { TRY_RECORDS_BYTES_MAX = 1 << 30 };

struct try_record {
    _Atomic(struct try_record *) next; /* The worker's; release publishes the record. */
    struct runner_seen seen;           /* What it points to follows. */
};

struct try_records {
    struct arena arena; /* The worker's from its start until it is joined. */
    struct try_record first;
    struct try_record *last;       /* The worker's. */
    const struct try_record *read; /* Main's: the last one taken. */
    _Atomic uint32_t lost;         /* The worker's: records for which there was no memory. */
    int fd;                        /* An eventfd, readable when there may be more. */
};

/* Makes the list empty. ERR_LIMIT. */
MUST_USE enum err try_records_open(struct try_records *records, struct err_info *why);

/* Adds a copy: runner_observer.seen, `self` being the list. */
void try_records_add(void *self, const struct runner_seen *seen);

/* The next record that has not been taken; NULL when there is none now. Lives until
 * try_records_release(). */
const struct runner_seen *try_records_take(struct try_records *records);

void try_records_release(struct try_records *records);

#endif
