/* ring_facts: what a ring is asked for, what it then is and has, and what it counts. */
#ifndef IO_RING_FACTS_H
#define IO_RING_FACTS_H

#include "core/base/defs.h"

enum ring_engine { RING_AUTO, RING_URING, RING_EPOLL };

/* Two sizes of receive buffers; which one a receive uses is said when it is started. */
enum ring_group { RING_SMALL, RING_LARGE, RING_GROUPS };

struct ring_options {
    enum ring_engine engine;
    uint32_t sq_entries;                 /* Operations queued between two waits; 16..4096. */
    uint32_t cq_entries;                 /* Completions; at least 2 per socket. */
    uint32_t socks_count;                /* Size of the socket table. */
    uint32_t accept_from;                /* Accepted sockets get [accept_from, socks_count). */
    uint32_t probe_s;                    /* Idle seconds before TCP asks an outgoing socket's peer
                                            whether it is there; 0: never. */
    uint32_t buffer_bytes[RING_GROUPS];  /* Size of a receive buffer. */
    uint32_t buffers_count[RING_GROUPS]; /* Powers of two up to 32768; 0 = group unused. */
};

/* What the ring is and has; constant after ring_open(). */
struct ring_facts {
    const char *engine; /* "io_uring", "epoll" or "sim". */
    char fallback[160]; /* Why not io_uring, when it was not forced and not had; else "". */
    char shrunk[160];   /* Which limit made the queues smaller than asked; else "". */
    int wake_fd;        /* Written, it does what ring_wake() does: an eventfd. */
    uint32_t sq_entries, cq_entries; /* As given by the kernel. */
    bool multishot;                  /* Receives stay armed. */
    bool min_wait;                   /* ring_wait() honours min_wait_ns. */
    bool chains;                     /* ring_chain() is to be had. */
};

/* Counters; they only grow. */
struct ring_counts {
    uint64_t syscalls; /* Every system call that this ring made. */
    uint64_t enters;   /* Those that submitted or waited. */
    uint64_t reaped;   /* `enters` when completions were last taken. */
    uint64_t completions;
    uint64_t no_buffers;  /* Receives that ended because all buffers were lent out. */
    uint64_t short_sends; /* Loud sends that the kernel did not take whole at once; io_uring, which
                             carries on by itself, does not say. */
    uint64_t cq_overflow; /* Visits at which the kernel kept completions back: it lost none. */
};

#endif
