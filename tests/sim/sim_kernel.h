/* sim_kernel: rings, sockets and operations. Private to tests/sim. */
#ifndef TESTS_SIM_SIM_KERNEL_H
#define TESTS_SIM_SIM_KERNEL_H

#include <sys/uio.h>

#include "tests/sim/sim_buffers.h"
#include "tests/sim/sim_core.h"
#include "tests/sim/sim_link.h"

enum sim_op_kind {
    SIM_OP_ACCEPT,
    SIM_OP_CONNECT,
    SIM_OP_SEND,
    SIM_OP_RECV,
    SIM_OP_CANCEL,
    SIM_OP_CLOSE,
    SIM_OP_SOCKET, /* The beginning of a chain: the close, and the socket. */
    SIM_OP_KINDS,
    SIM_OP_HELD = SIM_OP_CANCEL /* Kinds below it are held by the kernel, one per socket. */
};

/* Steps that follow each other; each is started when the one before it has ended well. */
struct sim_chain {
    struct sim_op *connect, *send, *recv;
    bool aborted; /* The connect has failed. */
};

struct sim_op {
    uint64_t id; /* New at each use. */
    struct sim_op *next;
    struct ring *ring;
    uint32_t sock;
    enum sim_op_kind kind;
    uint64_t user_data;
    bool quiet;
    bool nowait;
    bool reset;     /* Closes. */
    bool recv_only; /* Cancels. */
    bool final_posted;
    /* Sends. */
    struct iovec one;
    const struct iovec *iov;
    size_t iov_count;
    size_t len;
    size_t taken;
    uint64_t hash; /* Of the bytes, or of a connect's address, as they were when queued. */
    /* Connects. */
    const struct sockaddr *address;
    socklen_t address_len;
    struct sim_chain *chain; /* NULL: not of a chain. */
    bool has_result;         /* An event will finish it with this result. */
    int32_t result;
    struct sim_target *target;
    /* Receives. */
    enum ring_group group;
    bool once;
    uint64_t drain_len; /* Of a drain; else 0. */
    void *drain_into;
    uint64_t hold_ns; /* Sends and receives: the kernel does not act on it before. */
};

/* A completion between the kernel and its owner. */
struct sim_post {
    struct ring_event event;
    struct sim_op *op;
    uint64_t order_key;
    uint32_t sock;
    bool final;
    bool apart; /* May change places with the socket's other events. */
    bool kept;  /* Counted as kept back. */
};

enum sim_sock_state {
    SIM_SOCK_EMPTY,
    SIM_SOCK_OPEN,
    SIM_SOCK_CONNECTED,
    SIM_SOCK_LISTENING,
    SIM_SOCK_CLOSING
};

struct sim_sock {
    enum sim_sock_state state;
    int family;
    struct sim_link *link; /* While connected. */
    unsigned side;
    struct sim_target *target;          /* While listening. */
    struct sim_op *kernel[SIM_OP_HELD]; /* What the kernel holds. */
    bool owner[SIM_OP_HELD];            /* In flight as the owner must see it: until reaped. */
    struct sim_op *cancels;             /* Not yet acted on. */
    bool counted;                       /* Towards connections_max. */
    bool has_port;
    bool dropped;           /* Its close has run; the event has not been reaped. */
    uint32_t posts_pending; /* Posts that wait for their moment; none may overtake them. */
    uint64_t post_last_ns;
    uint64_t order_key;
    uint64_t order_pass;
};

struct ring {
    struct sim *sim;
    struct ring *next;
    uint32_t index;
    bool open;
    bool parked;
    struct ring_options options;
    struct ring_facts facts;
    struct ring_counts counts;
    struct sim_sock *socks;
    struct sim_group groups[RING_GROUPS];
    struct sim_op **sq; /* [facts.sq_entries] */
    uint32_t sq_count;
    struct sim_post *posted; /* Completed, not yet in the CQ. */
    size_t posted_count;
    size_t posted_capacity;
    uint64_t posted_first_ns;
    struct sim_post *cq; /* Circular, [facts.cq_entries]. */
    uint32_t cq_head;
    uint32_t cq_count;
    _Atomic bool woken;   /* Any thread sets it, the owner clears it. */
    bool sleeping;        /* The last ring_wait() would have slept … */
    uint64_t deadline_ns; /* … until then. */
    struct ring_wait wait;
    uint64_t wait_at_ns;  /* Moment of the last ring_wait(), */
    uint32_t waits_count; /* and how many there were at that moment. */
    uint64_t order_pass;
    uint32_t ops_now;         /* Queued and not yet ended. */
    uint32_t nowait_posts;    /* Events of NOWAIT sends that have not been reaped. */
    struct sim_quiet *quiets; /* Open addressing, power of two. */
    size_t quiets_count;
    size_t quiets_capacity;
};

/* True if the owner's next ring_wait() would not sleep. */
bool sim_ring_is_runnable(const struct ring *ring);
/* When it will be runnable if nothing happens. */
uint64_t sim_ring_moment(const struct ring *ring);

struct sim_op *sim_op_new(struct ring *ring, enum sim_op_kind kind, uint32_t sock);
/* Ends an operation that makes no event. */
void sim_op_end(struct sim_op *op);
/* Gives an operation to the kernel. */
void sim_op_run(struct sim_op *op);
/* Posts an event of `op`; with `final` its last, after which the kernel has let go of it. */
void sim_post(struct sim_op *op, const struct ring_event *event, bool final);
/* The kernel goes on with what it holds on a socket: bytes have come, room has come. */
void sim_sock_recv(struct ring *ring, uint32_t index);
void sim_sock_send(struct ring *ring, uint32_t index);
void sim_sock_accept(struct ring *ring, uint32_t index);
/* Ends what the kernel knows of a socket. */
void sim_sock_drop(struct ring *ring, uint32_t index);

/* 0 or the errno of making a socket, negative; it fails by `fault` too. */
int sim_sock_result(struct ring *ring, double fault);
/* Ends what quiet sends the kernel holds, before the socket goes. */
void sim_sock_forget_quiet(struct ring *ring, uint32_t index);
/* Takes over a connection's beginning and the send after it. */
void sim_connect_run(struct sim_op *op);
void sim_send_run(struct sim_op *op);

/* Chains (sim_chain.c): the first step; what follows a connect or a send that has ended well, and
 * one that has ended with an event for its failure. */
void sim_chain_run(struct sim_op *op);
void sim_chain_goes_on(struct sim_op *op);
void sim_chain_fails(struct sim_op *op);

/* Rules (sim_rules.c). */
uint64_t sim_send_hash(const struct sim_op *op);
void sim_send_copy(const struct sim_op *op, size_t offset, void *ret_bytes, size_t len);
void sim_check_op_memory(const struct sim_op *op, const char *when);
void sim_quiet_note(struct ring *ring, const struct sim_op *op);
void sim_quiet_check_all(const struct ring *ring);

#endif
