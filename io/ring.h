/* ring: the seam to the kernel. Completion-style operations on sockets, owned by one thread.
 * Three implementations stand behind it: io_uring, epoll, and the simulated kernel of the tests
 * (tests/sim/ring_sim.c is linked in front of the library and replaces this whole file's code).
 *
 * Sockets are named by an index into the ring's table (for io_uring a direct descriptor), chosen
 * by the caller in [0, socks_count) for outgoing ones, by the ring for accepted ones. Operations
 * are queued and given to the kernel by ring_wait(), or earlier when the queue is full; they
 * cannot fail when queued: every failure is a completion with a negative errno.
 *
 * Rules for callers
 *  1. At most one send and one receive are in flight per socket.
 *  2. A send's bytes stay where they are, unchanged, until its completion; those of a
 *     RING_SEND_QUIET send for the ring's life, unless it is RING_SEND_NOWAIT as well.
 *  3. A receive goes on until an event without RING_MORE; only then may it be started again.
 *  4. ring_close_sock() only when no receive and no loud send is in flight: ring_cancel() first
 *     and wait for them. Its completion is the last that names the socket, but for the failure
 *     of a quiet send, which may come at any time and is the owner's to ignore.
 *  5. Each event with RING_BUFFER lends a buffer: give it back with ring_buffer_return().
 * Threads: all from the owner, except ring_wake(). */
#ifndef IO_RING_H
#define IO_RING_H

#include <sys/socket.h>

#include "core/base/err.h"
#include "io/ring_facts.h"

struct ring;

/* NONEMPTY, of a receive's event without RING_MORE: there was more to be had when it ended, bytes
 * or the end of the stream. */
enum { RING_BUFFER = 1, RING_MORE = 2, RING_NONEMPTY = 4 };

struct ring_event {
    uint64_t user_data;
    const char *data; /* With RING_BUFFER: `res` bytes, yours until returned. */
    int32_t res;      /* Bytes, a socket index (accept), 0, or a negative errno. */
    uint16_t buffer_id;
    uint8_t group; /* enum ring_group of the buffer. */
    uint8_t flags;
};

/* QUIET: no completion if all is sent. NOWAIT: ends once submitted, at the next ring_wait(); if
 * not all is taken, its completion says how much (-EAGAIN: none), before all later ones. Whether
 * one that is quiet as well has ended says ring_is_settled(). */
enum { RING_SEND_QUIET = 1, RING_SEND_NOWAIT = 2 };

/* Opens a ring for the calling thread. On failure `why` names the limit that was met, and what
 * to do. ERR_KERNEL: io_uring is missing or forbidden; ERR_LIMIT: memlock or descriptors. */
MUST_USE enum err ring_open(struct ring **ret_ring, const struct ring_options *options,
                            struct err_info *why);

/* Closes the ring and every socket in it. NULL is fine. */
void ring_close(struct ring *ring);
const struct ring_facts *ring_facts(const struct ring *ring);
const struct ring_counts *ring_counts(const struct ring *ring);
/* Makes a TCP (or unix) stream socket of `family` with TCP_NODELAY and puts it in the table at
 * `sock`, which must be empty; bound to `source` if that is not NULL (late port binding).
 * Synchronous. 0 or a negative errno (-EMFILE, -EADDRNOTAVAIL …), the slot then still empty. */
MUST_USE int ring_sock_open(struct ring *ring, uint32_t sock, int family,
                            const struct sockaddr *source, socklen_t source_len);

/* Makes a listening socket at `sock`; 0 or a negative errno. `*ret_port` (may be NULL) gets the
 * port, chosen if `address` has 0. Several rings may listen on one port. */
MUST_USE int ring_listen(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                         socklen_t address_len, uint16_t *ret_port);

/* Accepts until cancelled: one event per connection, res = its socket index. */
void ring_accept(struct ring *ring, uint32_t sock, uint64_t user_data);

/* `address` must stay until the completion. res 0 or a negative errno. */
void ring_connect(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                  socklen_t address_len, uint64_t user_data);

/* Sends all `len` bytes: res is `len`, or fewer or a negative errno when the peer is gone. */
void ring_send(struct ring *ring, uint32_t sock, const void *data, size_t len, unsigned flags,
               uint64_t user_data);

/* The same from several places; `message` and its vector must stay until the completion. */
void ring_sendmsg(struct ring *ring, uint32_t sock, const struct msghdr *message,
                  uint64_t user_data);

/* Receives into lent buffers of `group`, again and again where the kernel can (RING_MORE), else
 * once. res > 0 with RING_BUFFER; 0 = end of stream; -ENOBUFS = all buffers are lent out: start
 * again after returning some. */
void ring_recv(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data);

/* The same, but once: its event has no RING_MORE. */
void ring_recv_once(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data);

/* Receives once up to `len` bytes (at least 1) that nobody looks at: into `into`, which any number
 * of them may share, or, if that is NULL, nowhere: the kernel throws them away uncopied (TCP
 * only: MSG_TRUNC in tcp(7)). res > 0 says how many, without a buffer; 0 = end of stream. A receive
 * in all else, so rules 1 and 3 hold for both together. */
void ring_drain(struct ring *ring, uint32_t sock, void *into, uint64_t len, uint64_t user_data);

/* The life of a connection's socket up to its first answer, in one go; where ring_facts.chains. */
struct ring_chain {
    const struct sockaddr *address; /* Stays until the connect's completion. */
    const void *data;               /* Stays for the ring's life. */
    size_t len;
    socklen_t address_len;
    enum ring_group group;
    uint64_t ud_socket, ud_connect, ud_send, ud_recv;
};

/* Closes what `sock` holds (rule 4), makes a socket for `address` in its place, without
 * TCP_NODELAY, connects, sends as RING_SEND_QUIET does, and receives as ring_recv() does, each when
 * the step before it is done, before the owner knows. Connect and receive have their events. A
 * socket that cannot be made has an event, and then no other step has one; a connect that fails has
 * its own, and then send and receive have theirs with -ECANCELED; a send that fails has its own,
 * and then the receive has none. */
void ring_chain(struct ring *ring, uint32_t sock, const struct ring_chain *chain);

/* Gives a lent buffer back. */
void ring_buffer_return(struct ring *ring, const struct ring_event *event);

/* Cancels what is in flight on `sock`, or only the receive of `recv_data`: it completes with
 * -ECANCELED, or its result if that came first. The cancel's own completion may have any res. */
void ring_cancel(struct ring *ring, uint32_t sock, uint64_t user_data);
void ring_cancel_recv(struct ring *ring, uint32_t sock, uint64_t recv_data, uint64_t user_data);

/* Closes and empties the slot, whatever res is. By ring_reset_sock() the peer sees a reset. */
void ring_close_sock(struct ring *ring, uint32_t sock, uint64_t user_data);
void ring_reset_sock(struct ring *ring, uint32_t sock, uint64_t user_data);

/* Gives the kernel what is queued, at once. */
void ring_submit(struct ring *ring);

struct ring_wait {
    uint64_t timeout_ns;  /* From now; 0 = do not wait, TIME_NEVER = no bound. */
    uint32_t wait_nr;     /* With min_wait_ns > 0: wait for so many completions … */
    uint32_t min_wait_ns; /* … but no longer than this once one is there. 0: return at one. */
};

/* Submits and waits. Returns at an event, at ring_wake(), at the timeout, or at a signal; says
 * nothing about which: reap. */
void ring_wait(struct ring *ring, const struct ring_wait *wait);

/* Copies up to `events_max` completions, oldest first, and forgets them; returns how many. */
MUST_USE uint32_t ring_reap(struct ring *ring, struct ring_event *events, uint32_t events_max);

/* True when every NOWAIT send from before the last ring_wait() has ended, and its completion, if it
 * makes one, has been reaped. False is rare: the kernel was short of something, its queue full. */
MUST_USE bool ring_is_settled(struct ring *ring);

/* Makes a current or the next ring_wait() return. Any thread; async-signal-safe. */
void ring_wake(struct ring *ring);

#endif
