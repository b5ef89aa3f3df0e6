/* ledger: every request is accounted for.
 *
 * Always                       due = started + pending + shed + missed
 *                          started = ok + failed + in_flight + cut_off
 * and at the end of a run pending and in_flight are 0. A ledger that does not close is a bug of
 * ours, and the program says so with exit code 70.
 *
 * A worker counts in a plain struct of its own and publishes a copy once per batch under a
 * sequence number, so that every reading closes, not only the last. */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "core/base/defs.h"
#include "io/failed.h"

enum shed_reason { SHED_FULL, SHED_WAITED, SHED_COUNT };
enum missed_reason { MISSED_PROVIDER, MISSED_LOGGER, MISSED_END, MISSED_COUNT };

extern const char *const shed_names[SHED_COUNT];
extern const char *const missed_names[MISSED_COUNT];

/* All members are uint64_t, so that it is published and added word by word. Those that every
 * request changes come first. */
struct ledger {
    uint64_t due;
    uint64_t warmup; /* Of these, due in the warm-up: not measured. */
    uint64_t pending;
    uint64_t started;
    uint64_t in_flight;
    uint64_t ok;             /* Answered, whatever the status. */
    uint64_t ok_in_span;     /* Of these, answered inside the measured span. */
    uint64_t bytes_sent;     /* Of requests handed to the kernel. */
    uint64_t bytes_received; /* Off the sockets. */

    uint64_t cut_off; /* Here begins what seldom changes. */
    uint64_t shed[SHED_COUNT];
    uint64_t missed[MISSED_COUNT];
    uint64_t failed[FAILED_COUNT];

    uint64_t bytes_discarded; /* Of those received, not copied by the kernel and seen by nobody. */
    uint64_t discarded;       /* Answers of whose bodies some were. */

    uint64_t connects;         /* Attempts begun. */
    uint64_t connects_refused; /* Attempts answered with a refusal. */
    uint64_t connects_failed;  /* Attempts that failed, refusals included. */
    uint64_t opened;           /* Attempts that became connections. */
    uint64_t alive;            /* Connections now: from connected until closed. */
    uint64_t alive_max;
    uint64_t closed_by_peer;   /* Idle connections that the peer closed. */
    uint64_t unsolicited_idle; /* Idle connections closed for bytes nobody asked for. */
    uint64_t conflicting;      /* Answers with both Content-Length and Transfer-Encoding. */
    uint64_t interim;          /* 1xx heads. */

    uint64_t bodies_continued; /* Of requests, sent because the peer gave leave, */
    uint64_t bodies_unasked;   /* or because it had said nothing for long; */
    uint64_t bodies_unsent;    /* not sent, or not all, because the answer had come. */

    uint64_t handshakes;         /* TLS handshakes that were completed. */
    uint64_t handshakes_resumed; /* Of these, with a session of an earlier one. */
    uint64_t handshakes_failed;
    uint64_t early_sent;  /* Completed ones that had a request as early data in front, … */
    uint64_t early_taken; /* … which the server took. */
    uint64_t tls_unclean; /* Connections that the peer closed without saying so in TLS. */
};

enum { LEDGER_WORDS = sizeof(struct ledger) / sizeof(uint64_t) };

/* True if both equations hold. */
bool ledger_closes(const struct ledger *ledger);

/* Sum of all classes, all shed, all missed. */
uint64_t ledger_failed(const struct ledger *ledger);
uint64_t ledger_shed(const struct ledger *ledger);
uint64_t ledger_missed(const struct ledger *ledger);

/* `sum` += `ledger`, member by member (alive_max too: each worker's maximum). */
void ledger_add(struct ledger *sum, const struct ledger *ledger);

/* `from` -= `ledger`, member by member. */
void ledger_subtract(struct ledger *from, const struct ledger *ledger);

/* The published copy. */
struct ledger_shared {
    _Alignas(CACHE_LINE) _Atomic uint64_t sequence; /* Worker's; odd while it writes. */
    _Atomic uint64_t words[LEDGER_WORDS];           /* Worker's; valid at an even sequence. */
};

/* Publishes a copy; the worker's thread only. */
void ledger_publish(struct ledger_shared *shared, const struct ledger *ledger);

/* Reads a copy that was published as a whole; any thread; repeats while the worker writes. */
void ledger_read(struct ledger_shared *shared, struct ledger *ret_ledger);

#endif
