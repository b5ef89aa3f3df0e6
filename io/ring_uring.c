/* ring_uring: the seam over io_uring, Linux 6.1 and later.
 *
 * What pays, measured: one system call per batch that submits and waits at once; direct
 * descriptors; receives that stay armed over a shared ring of buffers; sends that complete
 * silently; and, from Linux 6.12 on, waiting a bounded moment for a batch. The queues are
 * written here rather than by liburing's helpers, because one enter must carry the minimum wait,
 * which liburing 2.3 cannot express.
 *
 * Runs on the owner's thread only (SINGLE_ISSUER); completions appear only at enter
 * (DEFER_TASKRUN). */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/check.h"
#include "io/ring_uring_impl.h"

enum { CHAIN_STEPS = 5 };

static struct uring *uring_of(struct ring *ring)
{
    return container_of(ring, struct uring, base);
}

/* Makes the entries written so far visible; returns how many the kernel has not yet taken. */
static uint32_t flush(struct uring *u)
{
    struct io_uring_sq *sq = &u->uring.sq;

    __atomic_store_n(sq->ktail, u->sqe_tail, __ATOMIC_RELEASE);
    return u->sqe_tail - __atomic_load_n(sq->khead, __ATOMIC_ACQUIRE);
}

static int enter(struct uring *u, uint32_t to_submit, uint32_t min_complete, unsigned flags,
                 const struct uring_getevents_arg *arg)
{
    u->base.counts.syscalls++;
    u->base.counts.enters++;
    return (int)syscall(__NR_io_uring_enter, u->enter_fd, to_submit, min_complete,
                        flags | u->enter_flags, arg, arg != NULL ? sizeof(*arg) : 0);
}

/* Gives the queue to the kernel unless it has room for `count` entries: the kernel takes all of it
 * at once, or tells us to reap, which only means that completions wait. */
static void make_room(struct uring *u, uint32_t count)
{
    struct io_uring_sq *sq = &u->uring.sq;

    while (unlikely(u->sqe_tail - __atomic_load_n(sq->khead, __ATOMIC_ACQUIRE) + count >
                    u->sq_mask + 1)) {
        int rc = enter(u, flush(u), 0, IORING_ENTER_GETEVENTS, NULL);

        CHECK(rc >= 0 || errno == EINTR || errno == EAGAIN || errno == EBUSY || errno == ENOMEM);
    }
}

/* A cleared submission entry. */
static struct io_uring_sqe *next_sqe(struct uring *u)
{
    struct io_uring_sqe *sqe;

    make_room(u, 1);
    sqe = &u->uring.sq.sqes[u->sqe_tail & u->sq_mask];
    u->sqe_tail++;
    memset(sqe, 0, sizeof(*sqe));
    return sqe;
}

/* The entry that was filled in last. */
static struct io_uring_sqe *last_sqe(struct uring *u)
{
    return &u->uring.sq.sqes[(u->sqe_tail - 1) & u->sq_mask];
}

static struct io_uring_sqe *sock_sqe(struct uring *u, uint8_t opcode, uint32_t sock,
                                     uint64_t user_data)
{
    struct io_uring_sqe *sqe = next_sqe(u);

    sqe->opcode = opcode;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = (int)sock;
    sqe->user_data = user_data;
    return sqe;
}

void uring_arm_wake(struct uring *u)
{
    struct io_uring_sqe *sqe = next_sqe(u);

    sqe->opcode = IORING_OP_READ;
    sqe->fd = u->base.wake_fd;
    sqe->addr = (uintptr_t)&u->wake_value;
    sqe->len = sizeof(u->wake_value);
    sqe->user_data = UD_WAKE;
}

static int uring_sock_open(struct ring *ring, uint32_t sock, int fd)
{
    struct uring *u = uring_of(ring);
    int rc = io_uring_register_files_update(&u->uring, sock, &fd, 1);

    ring->counts.syscalls += 2;
    if (rc != 1) return rc < 0 ? rc : -EBADF;
    (void)close(fd); /* The table holds the socket now. */
    return 0;
}

static void uring_accept(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_ACCEPT, sock, user_data);

    sqe->ioprio = IORING_ACCEPT_MULTISHOT;
    sqe->file_index = IORING_FILE_INDEX_ALLOC;
}

static void uring_connect(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                          socklen_t address_len, uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_CONNECT, sock, user_data);

    sqe->addr = (uintptr_t)address;
    sqe->off = address_len;
}

static void uring_send(struct ring *ring, uint32_t sock, const void *data, size_t len,
                       unsigned flags, uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_SEND, sock, user_data);

    sqe->addr = (uintptr_t)data;
    sqe->len = len > INT32_MAX ? INT32_MAX : (uint32_t)len;
    /* WAITALL: a short send is carried on by the kernel, and one that ends short counts as a
     * failure, so that a quiet send is silent only when all of it is gone. */
    sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    if (flags & RING_SEND_QUIET) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    if (flags & RING_SEND_NOWAIT) sqe->msg_flags |= MSG_DONTWAIT;
}

static void uring_sendmsg(struct ring *ring, uint32_t sock, const struct msghdr *message,
                          uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_SENDMSG, sock, user_data);

    sqe->addr = (uintptr_t)message;
    sqe->len = 1;
    sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
}

static void uring_recv(struct ring *ring, uint32_t sock, enum ring_group group, bool once,
                       uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_RECV, sock, user_data);

    if (!once) sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = (uint16_t)group;
}

/* TCP takes MSG_TRUNC to mean that nothing is copied: the address is never looked at. Without
 * MSG_WAITALL, with which the kernel then asks again for all of `len` and waits for ever. */
static void uring_drain(struct ring *ring, uint32_t sock, void *into, uint32_t len,
                        uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_RECV, sock, user_data);

    sqe->addr = (uintptr_t)into;
    sqe->len = len;
    if (into == NULL) sqe->msg_flags = MSG_TRUNC;
}

static void uring_cancel(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    struct io_uring_sqe *sqe = next_sqe(uring_of(ring));

    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->fd = (int)sock;
    sqe->cancel_flags =
        IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL;
    sqe->user_data = user_data;
}

static void uring_cancel_recv(struct ring *ring, uint32_t sock, uint64_t recv_data,
                              uint64_t user_data)
{
    struct io_uring_sqe *sqe = next_sqe(uring_of(ring));

    (void)sock; /* Its user data say which it is. */
    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->addr = recv_data;
    sqe->user_data = user_data;
}

/* A connect to no address dissolves the connection, and the kernel tells the peer by a reset
 * (connect(2); tcp_disconnect() in net/ipv4/tcp.c). Works on direct descriptors everywhere, where
 * SO_LINGER by a socket command needs Linux 6.7. Linked before the close, which happens anyway. */
static void dissolve(struct uring *u, uint32_t sock)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct io_uring_sqe *sqe = sock_sqe(u, IORING_OP_CONNECT, sock, UD_QUIET);

    sqe->flags |= IOSQE_IO_HARDLINK;
    sqe->addr = (uintptr_t)&nowhere;
    sqe->off = sizeof(nowhere);
}

static void uring_close_sock(struct ring *ring, uint32_t sock, bool reset, uint64_t user_data)
{
    struct uring *u = uring_of(ring);
    struct io_uring_sqe *sqe;

    if (reset) dissolve(u, sock);
    sqe = next_sqe(u);
    sqe->opcode = IORING_OP_CLOSE;
    sqe->file_index = sock + 1;
    sqe->user_data = user_data;
}

/* Steps that succeed are silent but for the connect. The close is linked harder: it happens, and
 * the next step with it, whatever it says; its slot may be empty. A chain must be submitted as a
 * whole: the kernel ends it where it finds no more entries. */
static void uring_chain(struct ring *ring, uint32_t sock, const struct ring_chain *chain)
{
    struct uring *u = uring_of(ring);
    struct io_uring_sqe *sqe;

    make_room(u, CHAIN_STEPS);
    uring_close_sock(ring, sock, false, UD_QUIET);
    last_sqe(u)->flags = IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS;
    sqe = next_sqe(u);
    sqe->opcode = IORING_OP_SOCKET;
    sqe->fd = chain->address->sa_family;
    sqe->off = SOCK_STREAM;
    sqe->file_index = sock + 1;
    sqe->user_data = chain->ud_socket;
    sqe->flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    uring_connect(ring, sock, chain->address, chain->address_len, chain->ud_connect);
    last_sqe(u)->flags |= IOSQE_IO_LINK;
    uring_send(ring, sock, chain->data, chain->len, RING_SEND_QUIET, chain->ud_send);
    last_sqe(u)->flags |= IOSQE_IO_LINK;
    uring_recv(ring, sock, chain->group, false, chain->ud_recv);
    last_sqe(u)->ioprio |= IORING_RECVSEND_POLL_FIRST; /* No answer is there yet. */
}

void uring_give_buffer(struct group *group, uint16_t id)
{
    struct io_uring_buf *buf = &group->ring->bufs[group->tail & group->mask];

    buf->addr = (uintptr_t)(group->memory + (size_t)id * group->bytes);
    buf->len = group->bytes;
    buf->bid = id | group->id_bit;
    group->tail++;
    __atomic_store_n(&group->ring->tail, group->tail, __ATOMIC_RELEASE);
}

static void uring_buffer_return(struct ring *ring, const struct ring_event *event)
{
    struct group *group = &uring_of(ring)->groups[event->group];

    DCHECK(event->flags & RING_BUFFER);
    DCHECK(event->buffer_id <= group->mask);
    uring_give_buffer(group, event->buffer_id);
}

static void uring_submit(struct ring *ring)
{
    struct uring *u = uring_of(ring);
    uint32_t count = flush(u);
    int rc;

    if (count == 0) return;
    rc = enter(u, count, 0, 0, NULL);
    /* What it does not take now it takes at the next wait. */
    CHECK(rc >= 0 || errno == EINTR || errno == EBUSY || errno == EAGAIN || errno == ENOMEM);
}

static void uring_wait(struct ring *ring, const struct ring_wait *wait)
{
    struct uring *u = uring_of(ring);
    struct __kernel_timespec ts;
    struct uring_getevents_arg arg = {0};
    uint32_t min_complete = wait->timeout_ns == 0 ? 0 : 1;
    int rc;

    if (wait->timeout_ns != TIME_NEVER && wait->timeout_ns != 0) {
        ts.tv_sec = (int64_t)(wait->timeout_ns / NS_PER_S);
        ts.tv_nsec = (long long)(wait->timeout_ns % NS_PER_S);
        arg.ts = (uintptr_t)&ts;
    }
    if (wait->min_wait_ns != 0 && wait->timeout_ns != 0 && ring->facts.min_wait) {
        arg.min_wait_usec = (uint32_t)(wait->min_wait_ns / NS_PER_US);
        min_complete = wait->wait_nr;
    }
    u->waited_tail = u->sqe_tail;
    rc = enter(u, flush(u), min_complete, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg);
    /* ETIME: the timeout. EINTR: a signal. EBUSY, EAGAIN, ENOMEM: the kernel is short of
     * something and kept our entries: the caller reaps and comes back. */
    CHECK(rc >= 0 || errno == ETIME || errno == EINTR || errno == EBUSY || errno == EAGAIN ||
          errno == ENOMEM);
}

/* Translates one completion; false for our own. */
static bool take_cqe(struct uring *u, const struct io_uring_cqe *cqe, struct ring_event *event)
{
    if (unlikely(cqe->user_data >= UD_QUIET)) {
        if (cqe->user_data == UD_WAKE) uring_arm_wake(u);
        return false;
    }
    event->user_data = cqe->user_data;
    event->res = cqe->res;
    event->flags = 0;
    if (cqe->flags & IORING_CQE_F_MORE) {
        event->flags = RING_MORE;
    } else if (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) {
        event->flags = RING_NONEMPTY;
    }
    event->data = NULL;
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        uint32_t id_bits = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        uint8_t group = id_bits & LARGE_ID_BIT ? RING_LARGE : RING_SMALL;
        uint16_t id = (uint16_t)(id_bits & (LARGE_ID_BIT - 1));

        event->group = group;
        event->buffer_id = id;
        event->data = u->groups[group].memory + (size_t)id * u->groups[group].bytes;
        event->flags |= RING_BUFFER;
    } else if (cqe->res == -ENOBUFS) {
        u->base.counts.no_buffers++;
    }
    return true;
}

static uint32_t uring_reap(struct ring *ring, struct ring_event *events, uint32_t events_max)
{
    struct uring *u = uring_of(ring);
    struct io_uring_cq *cq = &u->uring.cq;
    uint32_t head = *cq->khead;
    uint32_t tail = __atomic_load_n(cq->ktail, __ATOMIC_ACQUIRE);
    uint32_t count = 0;

    while (head != tail && count < events_max) {
        count += take_cqe(u, &cq->cqes[head & u->cq_mask], &events[count]);
        head++;
    }
    __atomic_store_n(cq->khead, head, __ATOMIC_RELEASE);
    ring->counts.completions += count;
    ring->counts.reaped = ring->counts.enters;
    /* With NODROP, which all our kernels have, an overflow loses nothing; koverflow counts losses.
     */
    CHECK(*cq->koverflow == 0);
    ring->counts.cq_overflow +=
        (__atomic_load_n(u->uring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
    return count;
}

/* Taken by the kernel, and all that it completed was reaped. */
static bool uring_is_settled(struct ring *ring)
{
    const struct uring *u = uring_of(ring);
    const struct io_uring_sq *sq = &u->uring.sq;
    const struct io_uring_cq *cq = &u->uring.cq;

    return (int32_t)(__atomic_load_n(sq->khead, __ATOMIC_ACQUIRE) - u->waited_tail) >= 0 &&
           !(__atomic_load_n(sq->kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) &&
           *cq->khead == __atomic_load_n(cq->ktail, __ATOMIC_ACQUIRE);
}

static void uring_close(struct ring *ring)
{
    struct uring *u = uring_of(ring);
    struct arena arena = u->arena; /* It holds `u` itself. */

    io_uring_queue_exit(&u->uring);
    if (ring->wake_fd >= 0) (void)close(ring->wake_fd);
    arena_release(&arena);
}

const struct ring_ops uring_ops = {
    .close = uring_close,
    .sock_open = uring_sock_open,
    .accept = uring_accept,
    .connect = uring_connect,
    .send = uring_send,
    .sendmsg = uring_sendmsg,
    .recv = uring_recv,
    .chain = uring_chain,
    .drain = uring_drain,
    .buffer_return = uring_buffer_return,
    .cancel = uring_cancel,
    .cancel_recv = uring_cancel_recv,
    .close_sock = uring_close_sock,
    .submit = uring_submit,
    .wait = uring_wait,
    .reap = uring_reap,
    .is_settled = uring_is_settled,
};
