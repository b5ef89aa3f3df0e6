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
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "io/ring_cause.h"
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

enum {
    LARGE_ID_BIT = 32768,
    SHRUNK_ENTRIES_MIN = 16,
    SHRUNK_TRIES = 30, /* With 2 ms between them. */
};

struct uring {
    struct ring base;
    struct io_uring uring;
    struct arena arena;
    struct group groups[RING_GROUPS];
    uint64_t wake_value; /* Where the read of wake_fd puts what it finds. */
    int enter_fd;
    unsigned enter_flags;
    uint32_t sq_mask, cq_mask;
    uint32_t sqe_tail; /* Next submission entry; published by flush. */
};

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

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

/* A cleared submission entry. When the queue is full it is given to the kernel first; the kernel
 * takes all of it at once, or tells us to reap, which only means that completions wait. */
static struct io_uring_sqe *next_sqe(struct uring *u)
{
    struct io_uring_sq *sq = &u->uring.sq;
    struct io_uring_sqe *sqe;

    while (unlikely(u->sqe_tail - __atomic_load_n(sq->khead, __ATOMIC_ACQUIRE) > u->sq_mask)) {
        int rc = enter(u, flush(u), 0, IORING_ENTER_GETEVENTS, NULL);

        CHECK(rc >= 0 || errno == EINTR || errno == EAGAIN || errno == EBUSY || errno == ENOMEM);
    }
    sqe = &sq->sqes[u->sqe_tail & u->sq_mask];
    u->sqe_tail++;
    memset(sqe, 0, sizeof(*sqe));
    return sqe;
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

static void arm_wake(struct uring *u)
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

static void uring_recv(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data)
{
    struct io_uring_sqe *sqe = sock_sqe(uring_of(ring), IORING_OP_RECV, sock, user_data);

    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = (uint16_t)group;
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

static void give_buffer(struct group *group, uint16_t id)
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
    give_buffer(group, event->buffer_id);
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
        if (cqe->user_data == UD_WAKE) arm_wake(u);
        return false;
    }
    event->user_data = cqe->user_data;
    event->res = cqe->res;
    event->flags = (cqe->flags & IORING_CQE_F_MORE) ? RING_MORE : 0;
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
    ring->counts.cq_overflow = *cq->koverflow;
    return count;
}

static void uring_close(struct ring *ring)
{
    struct uring *u = uring_of(ring);
    struct arena arena = u->arena; /* It holds `u` itself. */

    io_uring_queue_exit(&u->uring);
    if (ring->wake_fd >= 0) (void)close(ring->wake_fd);
    arena_release(&arena);
}

static const struct ring_ops uring_ops = {
    .close = uring_close,
    .sock_open = uring_sock_open,
    .accept = uring_accept,
    .connect = uring_connect,
    .send = uring_send,
    .sendmsg = uring_sendmsg,
    .recv = uring_recv,
    .buffer_return = uring_buffer_return,
    .cancel = uring_cancel,
    .close_sock = uring_close_sock,
    .wait = uring_wait,
    .reap = uring_reap,
};

/* What a ring of these sizes locks in memory: both queues and the lists of lent buffers, in whole
 * pages. Linux before 5.12 and from 6.14 on charges it to the user's memlock limit. */
static uint64_t locked_bytes(const struct ring_options *options)
{
    const uint64_t page = 4096;
    uint64_t parts[] = {
        options->sq_entries * sizeof(struct io_uring_sqe),
        64 + options->cq_entries * sizeof(struct io_uring_cqe) + options->sq_entries * 4ull,
        options->buffers_count[RING_SMALL] * sizeof(struct io_uring_buf),
        options->buffers_count[RING_LARGE] * sizeof(struct io_uring_buf),
    };
    uint64_t sum = 0;

    for (size_t i = 0; i < COUNT(parts); i++) {
        sum += (parts[i] + page - 1) / page * page;
    }
    return sum;
}

static enum err open_queues(struct uring *u, const struct ring_options *options,
                            struct err_info *why)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = options->cq_entries,
    };
    int rc = io_uring_queue_init_params(options->sq_entries, &u->uring, &params);

    if (rc < 0) {
        struct ring_cause_facts facts;

        ring_cause_read(&facts);
        return ring_cause(-rc, &facts, locked_bytes(options), why);
    }
    u->sq_mask = params.sq_entries - 1;
    u->cq_mask = params.cq_entries - 1;
    u->base.facts.sq_entries = params.sq_entries;
    u->base.facts.cq_entries = params.cq_entries;
    u->base.facts.multishot = true;
    u->base.facts.min_wait = (params.features & IORING_FEAT_MIN_TIMEOUT) != 0;
    for (uint32_t i = 0; i < params.sq_entries; i++) {
        u->uring.sq.array[i] = i; /* Entry i is always at place i. */
    }
    return ERR_OK;
}

static enum err open_group(struct uring *u, const struct ring_options *options,
                           enum ring_group which, struct err_info *why)
{
    uint32_t bytes = options->buffer_bytes[which], count = options->buffers_count[which];
    struct group *group = &u->groups[which];
    struct io_uring_buf_reg reg = {.ring_entries = count, .bgid = (uint16_t)which};
    int rc;

    if (count == 0) return ERR_OK;
    CHECK(count <= LARGE_ID_BIT && (count & (count - 1)) == 0);
    group->ring = arena_alloc(&u->arena, count * sizeof(struct io_uring_buf), 4096);
    group->memory = arena_alloc(&u->arena, (size_t)count * bytes, 4096);
    if (group->ring == NULL || group->memory == NULL) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for %u receive buffers of %u bytes",
                       count, bytes);
    }
    group->bytes = bytes;
    group->mask = (uint16_t)(count - 1);
    group->id_bit = which == RING_LARGE ? LARGE_ID_BIT : 0;
    reg.ring_addr = (uintptr_t)group->ring;
    rc = io_uring_register_buf_ring(&u->uring, &reg, 0);
    if (rc == -ENOMEM) {
        struct ring_cause_facts facts;

        ring_cause_read(&facts);
        return ring_cause(ENOMEM, &facts, locked_bytes(options), why);
    }
    if (rc != 0) {
        return err_set(why, ERR_KERNEL, -rc, "receive buffers cannot be registered: %s",
                       err_errno_name(-rc));
    }
    for (uint32_t i = 0; i < count; i++) {
        give_buffer(group, (uint16_t)i);
    }
    return ERR_OK;
}

static enum err open_table(struct uring *u, const struct ring_options *options,
                           struct err_info *why)
{
    int rc = io_uring_register_files_sparse(&u->uring, options->socks_count);

    if (rc == -EMFILE) {
        return ring_too_many_socks(options->socks_count, why);
    }
    if (rc == 0 && options->accept_from < options->socks_count) {
        rc = io_uring_register_file_alloc_range(&u->uring, options->accept_from,
                                                options->socks_count - options->accept_from);
    }
    if (rc != 0) {
        return err_set(why, ERR_KERNEL, -rc, "the socket table cannot be registered: %s",
                       err_errno_name(-rc));
    }
    return ERR_OK;
}

static enum err open_rest(struct uring *u, const struct ring_options *options, struct err_info *why)
{
    enum err err = open_table(u, options, why);

    for (int g = 0; g < RING_GROUPS && err == ERR_OK; g++) {
        err = open_group(u, options, (enum ring_group)g, why);
    }
    if (err != ERR_OK) return err;
    u->base.wake_fd = eventfd(0, EFD_CLOEXEC);
    if (u->base.wake_fd < 0) {
        return err_set(why, ERR_LIMIT, errno, "eventfd: %s; raise 'ulimit -n'",
                       err_errno_name(errno));
    }
    u->enter_fd = u->uring.ring_fd;
    if (io_uring_register_ring_fd(&u->uring) == 1) {
        u->enter_fd = u->uring.enter_ring_fd;
        u->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
    arm_wake(u);
    return ERR_OK;
}

/* Opens a ring of exactly these sizes. */
static enum err open_sized(struct uring **ret_uring, const struct ring_options *options,
                           struct err_info *why)
{
    struct arena arena;
    struct uring *u;
    enum err err;

    arena_init(&arena, 0);
    u = arena_alloc(&arena, sizeof(*u), CACHE_LINE);
    if (u == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a ring");
    u->arena = arena;
    u->base.ops = &uring_ops;
    u->base.wake_fd = -1;
    u->base.facts.engine = "io_uring";
    err = open_queues(u, options, why);
    if (err != ERR_OK) {
        arena = u->arena;
        arena_release(&arena);
        return err;
    }
    err = open_rest(u, options, why);
    if (err != ERR_OK) {
        uring_close(&u->base);
        return err;
    }
    *ret_uring = u;
    return ERR_OK;
}

/* Halves everything that is locked in memory; false when it is as small as it gets. */
static bool shrink(struct ring_options *options)
{
    if (options->sq_entries <= SHRUNK_ENTRIES_MIN) return false;
    options->sq_entries /= 2;
    options->cq_entries = max_u32(options->cq_entries / 2, 2 * options->sq_entries);
    for (int g = 0; g < RING_GROUPS; g++) {
        if (options->buffers_count[g] > SHRUNK_ENTRIES_MIN) options->buffers_count[g] /= 2;
    }
    return true;
}

/* The same while `memlock` does not carry it. The kernel gives back what a failed ring had locked
 * only some 30 ms after it, so that each size gets a few tries. */
static enum err open_shrunk(struct uring **ret_uring, struct ring_options *options,
                            struct err_info *why)
{
    const struct timespec pause = {.tv_nsec = 2 * NS_PER_MS};
    struct ring_cause_facts facts;
    enum err err = ERR_LIMIT;

    ring_cause_read(&facts);
    while (shrink(options)) {
        if (locked_bytes(options) > facts.memlock_bytes) continue;
        for (int i = 0; i < SHRUNK_TRIES; i++) {
            err = open_sized(ret_uring, options, why);
            if (err == ERR_OK || err == ERR_MEMORY || why->errno_value != ENOMEM) return err;
            (void)nanosleep(&pause, NULL);
        }
    }
    return err;
}

static void say_shrunk(struct ring_facts *facts, const struct ring_options *asked, const char *why)
{
    (void)snprintf(facts->shrunk, sizeof(facts->shrunk),
                   "queues of %u and %u entries in place of %u and %u: %.100s", facts->sq_entries,
                   facts->cq_entries, asked->sq_entries, asked->cq_entries, why);
}

enum err ring_uring_open(struct ring **ret_ring, const struct ring_options *options,
                         struct err_info *why)
{
    struct ring_options sized = *options;
    struct uring *u = NULL;
    struct err_info first, last;
    enum err err;

    sized.cq_entries = max_u32(sized.cq_entries, 2 * sized.sq_entries);
    err = open_sized(&u, &sized, &first);
    last = first;
    if (err == ERR_LIMIT && first.errno_value == ENOMEM) {
        err = open_shrunk(&u, &sized, &last);
        /* What was met is the limit; what was needed is what was asked for. */
        if (err == ERR_LIMIT) last = first;
    }
    if (err != ERR_OK) {
        if (why != NULL) *why = last;
        return err;
    }
    CHECK(u != NULL);
    if (sized.sq_entries != options->sq_entries) say_shrunk(&u->base.facts, options, first.message);
    *ret_ring = &u->base;
    return ERR_OK;
}
