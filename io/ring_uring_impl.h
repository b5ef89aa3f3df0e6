/* ring_uring_impl: what the parts of the io_uring engine share: ring_uring.c (operations) and
 * ring_uring_open.c (setting up). Private to them. */
#ifndef IO_RING_URING_IMPL_H
#define IO_RING_URING_IMPL_H

#include "core/base/arena.h"
#include "io/ring_impl.h"
#include "io/uring_compat.h"

/* Our own completions, which reap keeps to itself. Callers' user_data never has all bits set. */
#define UD_WAKE  UINT64_MAX
#define UD_QUIET (UINT64_MAX - 1)

struct group {
    struct io_uring_buf_ring *ring; /* Shared with the kernel. */
    char *memory;                   /* [count * bytes]. */
    uint32_t bytes;
    uint16_t mask;
    uint16_t tail;   /* Ours; published to ring->tail. */
    uint16_t id_bit; /* Set in the ids of the large group, so that an id alone tells its group. */
};

enum { LARGE_ID_BIT = 32768 };

struct uring {
    struct ring base;
    struct io_uring uring;
    struct arena arena;
    struct group groups[RING_GROUPS];
    uint64_t wake_value; /* Where the read of wake_fd puts what it finds. */
    int enter_fd;
    unsigned enter_flags;
    uint32_t sq_mask, cq_mask;
    uint32_t sqe_tail;    /* Next submission entry; published by flush. */
    uint32_t waited_tail; /* The same at the last wait. */
};
extern const struct ring_ops uring_ops;

/* Queues the read that ends a wait when the wake descriptor is written to. */
void uring_arm_wake(struct uring *u);

/* Lends buffer `id` of a group to the kernel. */
void uring_give_buffer(struct group *group, uint16_t id);

#endif
