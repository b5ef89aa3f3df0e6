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

/* Why a started request has no answer. The names are keys of the JSON report. */
#define FAILED_CLASSES(X)                                                                      \
    X(CONNECT_REFUSED, connect_refused, "connection refused")                                  \
    X(CONNECT_TIMEOUT, connect_timeout, "connection not made in time")                         \
    X(UNREACHABLE, unreachable, "host or network unreachable")                                 \
    X(PORTS, ports, "no local port left")                                                      \
    X(DESCRIPTORS, descriptors, "no descriptor left")                                          \
    X(RESET_BEFORE_RESPONSE, reset_before_response, "connection reset before the response")    \
    X(RESET_IN_HEAD, reset_in_head, "connection reset in the response head")                   \
    X(RESET_IN_BODY, reset_in_body, "connection reset in the response body")                   \
    X(CLOSED_BEFORE_RESPONSE, closed_before_response, "connection closed before the response") \
    X(INCOMPLETE, incomplete, "connection closed in the response")                             \
    X(BAD_HEAD, bad_head, "response is not HTTP/1.x")                                          \
    X(HEAD_TOO_LARGE, head_too_large, "response head too large")                               \
    X(BAD_FRAMING, bad_framing, "response length cannot be believed")                          \
    X(UNSOLICITED, unsolicited, "bytes that no request asked for")                             \
    X(FIRST_BYTE_TIMEOUT, first_byte_timeout, "first byte not in time")                        \
    X(TIMEOUT, timeout, "response not complete in time")                                       \
    X(NOT_PROCESSED, not_processed, "connection ended before the request's turn")

#define FAILED_ENUM(upper, lower, text) FAILED_##upper,
enum failed_class { FAILED_CLASSES(FAILED_ENUM) FAILED_COUNT };
#undef FAILED_ENUM

enum shed_reason { SHED_FULL, SHED_WAITED, SHED_COUNT };
enum missed_reason { MISSED_PROVIDER, MISSED_END, MISSED_COUNT };

extern const char *const failed_names[FAILED_COUNT]; /* "connect_refused" … */
extern const char *const failed_texts[FAILED_COUNT]; /* For people. */
extern const char *const shed_names[SHED_COUNT];
extern const char *const missed_names[MISSED_COUNT];

/* All members are uint64_t, so that it is published and added word by word. */
struct ledger {
    uint64_t due;
    uint64_t pending;
    uint64_t started;
    uint64_t in_flight;
    uint64_t ok;         /* Answered, whatever the status. */
    uint64_t ok_in_span; /* Of these, answered inside the measured span. */
    uint64_t cut_off;
    uint64_t shed[SHED_COUNT];
    uint64_t missed[MISSED_COUNT];
    uint64_t failed[FAILED_COUNT];

    uint64_t bytes_sent;     /* Of requests handed to the kernel. */
    uint64_t bytes_received; /* Off the sockets. */

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
