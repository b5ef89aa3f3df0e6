/* sim_core: the machine itself, as the other parts of the simulated kernel see it. Private to
 * tests/sim. The parts:
 *
 *   sim.c          machine: time, events, chance, trace
 *   sim_fifo.c     bytes in order
 *   sim_link.c     a connection: two pipes, latency, end and reset
 *   sim_buffers.c  receive buffers and who holds them
 *   sim_rules.c    the bytes of sends, addresses: what a caller must leave alone
 *   sim_ops.c      what the kernel does with each operation
 *   sim_chain.c    what it does with several that follow each other
 *   sim_listen.c   who listens where
 *   ring_sim.c     io/ring.h and core/base/clock.h
 *   sim_peer.c     peers: connections, requests
 *   sim_answer.c   the bytes of answers
 *   sim_run.c      a whole test file, from its text to its end, on this machine
 *
 * All memory is the machine's arena; nothing is freed before sim_free(). Objects that are used
 * again (operations) carry an id, which an event for them names. */
#ifndef TESTS_SIM_SIM_CORE_H
#define TESTS_SIM_SIM_CORE_H

#include "core/base/arena.h"
#include "tests/sim/ring_sim.h"

enum { SIM_CHUNK_BYTES = 1000, SIM_PIECE_BYTES = 4096 };

struct sim_chunk {
    struct sim_chunk *next;
    unsigned char bytes[SIM_CHUNK_BYTES];
};

struct sim_fifo {
    struct sim_chunk *head; /* Oldest. */
    struct sim_chunk *tail;
    uint32_t head_at; /* First byte of the head that is still there. */
    uint32_t tail_at; /* End of the bytes in the tail. */
    size_t len;
};

void sim_fifo_put(struct sim *sim, struct sim_fifo *fifo, const void *data, size_t len);
/* Takes `len` bytes, which must be there; `data` may be NULL. */
void sim_fifo_take(struct sim *sim, struct sim_fifo *fifo, void *data, size_t len);

struct sim_rng {
    uint64_t state;
};

typedef void sim_event_fn(struct sim *sim, void *object, uint64_t arg);

struct sim_event {
    uint64_t at_ns;
    uint64_t sequence; /* Equal moments run in the order in which they were set. */
    sim_event_fn *run;
    void *object;
    uint64_t arg;
};

struct sim_quiet {
    const void *data; /* NULL: free slot. */
    size_t len;
    uint64_t hash;
};

struct sim {
    struct sim_options options;
    struct arena arena;
    struct sim_rng kernel_rng; /* Faults, latencies, peers. */
    struct sim_rng test_rng;   /* sim_below(). */
    uint64_t now_ns;
    struct sim_event *events; /* Binary heap. */
    size_t events_count;
    size_t events_capacity;
    uint64_t sequence;
    struct ring *rings; /* All, newest first; closed ones too. */
    uint32_t rings_count;
    uint32_t sockets_now;
    uint32_t ports_now;
    struct sim_target *targets;
    uint32_t port_next; /* For listeners that leave the port to us. */
    struct sim_chunk *chunks_free;
    struct sim_op *ops_free;
    uint64_t ops_id;
    struct sim_counts counts;
    uint64_t hash;
    bool printing;
    uint32_t still_count; /* sim_advance() calls since time last moved. */
};

/* Zeroed, the machine's; never NULL. */
void *sim_alloc(struct sim *sim, size_t bytes);
/* Room for one more element: `array` itself, or a copy of twice the size. */
void *sim_grow(struct sim *sim, void *array, size_t count, size_t *capacity, size_t element_bytes);

uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound);
bool sim_chance(struct sim *sim, double probability);
uint64_t sim_latency(struct sim *sim);
/* 1..delay_ns_max. */
uint64_t sim_lateness(struct sim *sim);
/* Uniform in [0, bound), from the kernel's stream. */
uint64_t sim_draw(struct sim *sim, uint64_t bound);

void sim_event_at(struct sim *sim, uint64_t at_ns, sim_event_fn *run, void *object, uint64_t arg);
void sim_run_due(struct sim *sim);

enum sim_trace_kind {
    SIM_TRACE_ACCEPT, /* In the order of enum sim_op_kind. */
    SIM_TRACE_CONNECT,
    SIM_TRACE_SEND,
    SIM_TRACE_RECV,
    SIM_TRACE_CANCEL,
    SIM_TRACE_CLOSE,
    SIM_TRACE_SOCK_OPEN,
    SIM_TRACE_LISTEN,
    SIM_TRACE_EVENT,
    SIM_TRACE_RETURN,
    SIM_TRACE_TIME,
    SIM_TRACE_REQUEST,
    SIM_TRACE_ANSWER,
    SIM_TRACE_RESET,
    SIM_TRACE_KINDS
};
enum { SIM_TRACE_VALUES = 6 };
void sim_trace(struct sim *sim, enum sim_trace_kind kind, const uint64_t values[SIM_TRACE_VALUES]);

uint64_t sim_hash_bytes(uint64_t hash, const void *data, size_t len);

/* The machine that ring_open() and the clock act on. */
struct sim *sim_current(void);

#endif
