/* ring_sim: a kernel for tests. It defines all of io/ring.h and of core/base/clock.h over virtual
 * time, so that workers run on it unchanged, thousands of times faster than time, and the same way
 * for the same seed.
 *
 * A `struct sim` is one machine: a clock, a seeded generator, rings, and peers (sim_peer.h). No
 * call blocks. ring_wait() submits, delivers what is there, or else records until when its ring
 * would sleep and returns; time moves only in sim_advance(). A test is a loop:
 *
 *     while (!all_done) {
 *         for each worker: worker_step(worker);
 *         CHECK(sim_advance(sim));
 *     }
 *
 * The wait that would have slept is finished by the ring's next ring_wait(), which then returns
 * without sleeping again, as the real call would have: so a worker that stamps its clock after
 * the wait, and one that stamps it before, both see the right moment.
 *
 * The sim checks its caller: the rules of io/ring.h, the bytes of sends, the buffers lent, the
 * cap on connections, loops that do not let time move. A breach prints seed, moment and what was
 * broken, and aborts. With SIM_TRACE=1 in the environment every step is printed on stderr.
 *
 * user_data must hold no pointers: it goes into the trace hash.
 *
 * Threads: one, but for ring_wake(). */
#ifndef TESTS_SIM_RING_SIM_H
#define TESTS_SIM_RING_SIM_H

#include "core/base/defs.h"
#include "io/ring.h"

struct sim;

/* What goes wrong in the kernel and on the wire: probabilities 0..1, each drawn at every
 * occasion. All are within what io/ring.h and Linux allow. */
struct sim_faults {
    double segment_split; /* Bytes travel in several segments, each with its own latency. */
    double recv_split;    /* A receive takes only some of the bytes that are there … */
    double recv_wait;     /* … and the rest comes later, not in the same moment. */
    double recv_end;      /* A multishot receive ends with an event, without RING_MORE. */
    double delay;         /* A completion is posted up to delay_ns_max late. */
    double reorder;       /* Per wait: events of different sockets change places. */
    double overflow;      /* Per wait: some events are kept back, as if the CQ were full. */
    double send_hold;     /* The kernel takes the bytes of a loud send in pieces, later. */
    double quiet_hold;    /* The same of a quiet send; one that is NOWAIT is cut short. */
    double send_late;     /* A loud send's completion may be overtaken by the answer. */
    double send_error;    /* A send ends in EPIPE or ECONNRESET, the connection is gone. */
    double send_short;    /* A send takes some bytes, then the connection is gone. */
    double net_reset;     /* Per segment: the connection breaks for both sides. */
    double connect_error; /* A connect fails with one of its errnos. */
    double sock_error;    /* ring_sock_open() fails with one of its errnos. */
    double cancel_late;   /* A cancel acts up to delay_ns_max late, and may then find nothing. */
    double cancel_lose;   /* A cancelled operation that can complete now, does. */
    double wake_spurious; /* A wait ends early with nothing to show. */
    double stall;         /* Per step of time: it goes up to stall_ns_max too far. */
};

struct sim_options {
    uint64_t seed;
    struct sim_faults faults;
    uint64_t start_ns;       /* The first moment. */
    uint64_t latency_ns_min; /* One way, drawn per segment; segments do not overtake. */
    uint64_t latency_ns_max;
    uint64_t delay_ns_max;
    uint64_t stall_ns_max;
    uint64_t clock_step_ns;   /* Each clock_now_ns() moves time by so much: work takes time. */
    uint32_t window_bytes;    /* Bytes underway and unread per direction; at least 1. */
    uint32_t connections_max; /* Cap to hold, from connect submitted to close completed; 0: none. */
    uint32_t descriptors_max; /* More sockets than these are -EMFILE; 0: no limit. */
    uint32_t ports_max;       /* More connections than these are -EADDRNOTAVAIL; 0: no limit. */
    uint32_t waits_max;       /* ring_wait() calls of one ring at one moment: more is a loop. */
    uint32_t queue_shrink;    /* Rings get their sq and cq entries shifted right by so much. */
    uint32_t buffers_shrink;  /* The same for their receive buffers; at least one is left. */
    bool multishot;           /* Receives can stay armed. */
    bool min_wait;            /* ring_wait() honours min_wait_ns. */
    bool chains;              /* ring_chain() is to be had. */
    bool strict_drain;        /* A drain of bytes that are not a to z, as bodies are, is one. */
    bool strict_close;        /* ring_close() with an operation in flight is a breach. */
};

/* A fault-free kernel: 50 us one way, 64 KiB window, multishot, min_wait, chains, start at
 * 1000 s. */
void sim_options_plain(struct sim_options *options, uint64_t seed);

/* The same with a mix of faults that depends on the seed alone: each fault is absent in half of
 * the seeds; latency, window, multishot, min_wait and chains vary too. Never sets the limits and
 * caps. */
void sim_options_draw(struct sim_options *options, uint64_t seed);

/* A machine, which becomes the current one: ring_open() and clock_now_ns() act on it. Owned by
 * the caller; never NULL. */
struct sim *sim_new(const struct sim_options *options);

/* Frees it; its rings must have been closed. NULL is fine. */
void sim_free(struct sim *sim);

/* Makes `sim` the current machine. */
void sim_use(struct sim *sim);

uint64_t sim_now_ns(const struct sim *sim);

/* If a ring could go on now (events, a wake, queued operations, a wait that is over), does
 * nothing but what is due now; else moves time to the next event or the end of the next wait and
 * runs what is due. False when nothing will ever happen again. */
MUST_USE bool sim_advance(struct sim *sim);

/* Takes `ring` out of sim_advance()'s sight: its owner has ended and will not wait again. */
void sim_ring_park(struct ring *ring);

/* Calls `run` (may be NULL: time then only stops there) at `at_ns`, or now if that is past. */
void sim_at(struct sim *sim, uint64_t at_ns, void (*run)(void *context), void *context);

/* Changes the mix, e.g. to none for the phase in which all must recover. */
void sim_faults_set(struct sim *sim, const struct sim_faults *faults);

/* For the test's own choices: a stream apart from the kernel's. Uniform in [0, bound). */
uint64_t sim_below(struct sim *sim, uint64_t bound);

/* Hash of every operation queued, event reaped, request seen and step of time so far. */
uint64_t sim_trace_hash(const struct sim *sim);

/* Counters over all rings; they only grow, but for the two `_now`. */
struct sim_counts {
    uint64_t queued;          /* Operations. */
    uint64_t reaped;          /* Events. */
    uint64_t connects;        /* Connects queued. */
    uint64_t time_steps;      /* Moves of the clock. */
    uint64_t cancels_won;     /* Operations that ended in -ECANCELED. */
    uint64_t cancels_lost;    /* Cancels that found nothing, or whose operation completed. */
    uint64_t quiet_failed;    /* Quiet sends that made an event. */
    uint64_t discarded;       /* Bytes drained nowhere, */
    uint64_t sunk;            /* and into memory. */
    uint64_t no_buffers;      /* Receives that ended for want of a buffer. */
    uint32_t connections_now; /* From connect queued to close reaped. */
    uint32_t connections_max;
    uint32_t buffers_lent_now;
    uint32_t buffers_lent_max;
};
const struct sim_counts *sim_counts(const struct sim *sim);

/* Prints seed, moment and message, and aborts: a test may use it for its own invariants. */
_Noreturn void sim_fail(const struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
