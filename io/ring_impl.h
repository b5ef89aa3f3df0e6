/* ring_impl: what an implementation of the seam provides. Private to io/. */
#ifndef IO_RING_IMPL_H
#define IO_RING_IMPL_H

#include "io/ring.h"

/* The most that one drain asks the kernel for: below the bound of one read (read(2), notes). */
enum { DRAIN_BYTES_MAX = 1 << 30 };

/* One entry per operation of io/ring.h, with the same promises. */
struct ring_ops {
    void (*close)(struct ring *ring);
    int (*sock_open)(struct ring *ring, uint32_t sock, int fd);
    void (*accept)(struct ring *ring, uint32_t sock, uint64_t user_data);
    void (*connect)(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                    socklen_t address_len, uint64_t user_data);
    void (*send)(struct ring *ring, uint32_t sock, const void *data, size_t len, unsigned flags,
                 uint64_t user_data);
    void (*sendmsg)(struct ring *ring, uint32_t sock, const struct msghdr *message,
                    uint64_t user_data);
    void (*recv)(struct ring *ring, uint32_t sock, enum ring_group group, bool once,
                 uint64_t user_data);
    void (*drain)(struct ring *ring, uint32_t sock, void *into, uint32_t len, uint64_t user_data);
    void (*chain)(struct ring *ring, uint32_t sock, const struct ring_chain *chain);
    void (*buffer_return)(struct ring *ring, const struct ring_event *event);
    void (*cancel)(struct ring *ring, uint32_t sock, uint64_t user_data);
    void (*cancel_recv)(struct ring *ring, uint32_t sock, uint64_t recv_data, uint64_t user_data);
    void (*close_sock)(struct ring *ring, uint32_t sock, bool reset, uint64_t user_data);
    void (*submit)(struct ring *ring);
    void (*wait)(struct ring *ring, const struct ring_wait *wait);
    uint32_t (*reap)(struct ring *ring, struct ring_event *events, uint32_t events_max);
    bool (*is_settled)(struct ring *ring);
};

/* First member of every implementation's own struct. */
struct ring {
    const struct ring_ops *ops;
    struct ring_facts facts;
    struct ring_counts counts;
    uint32_t probe_s; /* Of ring_options. */
    int wake_fd;      /* An eventfd; written by any thread, read by the owner. */
};

/* Each opens its kind; see ring_open(). */
MUST_USE enum err ring_uring_open(struct ring **ret_ring, const struct ring_options *options,
                                  struct err_info *why);
MUST_USE enum err ring_epoll_open(struct ring **ret_ring, const struct ring_options *options,
                                  struct err_info *why);

/* ERR_LIMIT: so many sockets need more descriptors than the process may have. With numbers. */
MUST_USE enum err ring_too_many_socks(uint32_t socks_count, struct err_info *why);

#endif
