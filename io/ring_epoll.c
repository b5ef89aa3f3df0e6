/* ring_epoll: the seam over epoll, for kernels that are old or forbid io_uring (containers), and
 * as the control beside it.
 *
 * Sockets are registered once, edge-triggered, so that a request costs a send and a receive and
 * its share of one epoll_wait. Sends and connects are tried when they are asked for; receives
 * happen inside ring_wait(), into lent buffers, and become completions in a queue of our own.
 * Completions and not readiness are what callers see, exactly as over io_uring.
 *
 * Runs on the owner's thread only. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "io/ring_impl.h"
#include "io/wake.h"

enum {
    EVENTS_PER_WAIT = 512,
    READS_PER_TURN = 4, /* Of one socket, before the others have theirs. */
    NONE = UINT32_MAX,
};

/* What is in flight on a socket. */
enum { OP_ACCEPT = 1, OP_CONNECT = 2, OP_SEND = 4, OP_RECV = 8 };

struct sock {
    int fd;             /* -1: the slot is empty. */
    uint8_t ops;        /* OP_… in flight. */
    uint8_t group;      /* Of the receive. */
    bool once;          /* The receive ends with its first event. */
    bool registered;    /* In the epoll set. */
    bool readable;      /* An edge has come that no read has used up. */
    bool hung;          /* The edge said that the peer has closed, or an error. */
    bool listed;        /* In the ready list. */
    bool quiet;         /* The send in flight is; */
    bool nowait;        /* it does not wait for room. */
    uint32_t next_free; /* Free list of accepted slots. */
    size_t send_done;
    const char *send_data; /* Of ring_send(); NULL: a message of ring_sendmsg(). */
    size_t send_len;
    const struct msghdr *message;
    uint32_t drain_len;                    /* Of a receive that is a drain; else 0. */
    void *drain_into;                      /* NULL: nowhere. */
    uint64_t ud_connect, ud_send, ud_recv; /* user_data; ud_recv is the accept's as well. */
};

struct group {
    char *memory;
    uint16_t *free_ids; /* [count], a stack. */
    uint32_t bytes;
    uint32_t count;
    uint32_t free_count;
};

struct epoll_ring {
    struct ring base;
    struct arena arena;
    struct group groups[RING_GROUPS];
    struct sock *socks;       /* [socks_count] */
    struct ring_event *queue; /* [queue_mask + 1]: our completions. */
    uint32_t *ready;          /* [socks_count]: sockets that may have something to read. */
    uint32_t socks_count;
    uint32_t queue_mask, queue_head, queue_tail;
    uint32_t ready_count;
    uint32_t free_sock; /* First free slot for an accepted socket, or NONE. */
    uint32_t accept_from;
    int epoll_fd;
    bool coarse_waits; /* epoll_pwait2 is not to be had: milliseconds. */
};

static struct epoll_ring *epoll_of(struct ring *ring)
{
    return container_of(ring, struct epoll_ring, base);
}

static uint32_t queue_used(const struct epoll_ring *e)
{
    return e->queue_tail - e->queue_head;
}

static struct ring_event *post(struct epoll_ring *e, uint64_t user_data, int32_t res)
{
    struct ring_event *event = &e->queue[e->queue_tail & e->queue_mask];

    CHECK(queue_used(e) <= e->queue_mask);
    *event = (struct ring_event){.user_data = user_data, .res = res};
    e->queue_tail++;
    return event;
}

static void list_ready(struct epoll_ring *e, uint32_t index)
{
    struct sock *sock = &e->socks[index];

    if (sock->listed) return;
    sock->listed = true;
    e->ready[e->ready_count++] = index;
}

static void do_register(struct epoll_ring *e, uint32_t index)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u32 = index};
    struct sock *sock = &e->socks[index];

    if (sock->registered) return;
    e->base.counts.syscalls++;
    sock->registered = epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, sock->fd, &event) == 0;
    CHECK(sock->registered || errno == ENOMEM || errno == ENOSPC);
}

static int epoll_sock_open(struct ring *ring, uint32_t index, int fd)
{
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];

    CHECK(index < e->socks_count && sock->fd < 0);
    ring->counts.syscalls++;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return -errno;
    *sock = (struct sock){.fd = fd, .listed = sock->listed};
    return 0;
}

static void epoll_accept(struct ring *ring, uint32_t index, uint64_t user_data)
{
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];

    sock->ops |= OP_ACCEPT;
    sock->ud_recv = user_data;
    sock->readable = true;
    do_register(e, index);
    list_ready(e, index);
}

static void epoll_connect(struct ring *ring, uint32_t index, const struct sockaddr *address,
                          socklen_t address_len, uint64_t user_data)
{
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];
    int rc = connect(sock->fd, address, address_len);
    int error = errno;

    ring->counts.syscalls++;
    do_register(e, index);
    if (rc == 0 || error != EINPROGRESS) {
        (void)post(e, user_data, rc == 0 ? 0 : -error);
        return;
    }
    sock->ops |= OP_CONNECT;
    sock->ud_connect = user_data;
}

/* Sends what is left; returns false while the socket takes no more. */
static bool try_send(struct epoll_ring *e, struct sock *sock)
{
    while (sock->send_done < sock->send_len) {
        ssize_t n;

        e->base.counts.syscalls++;
        n = send(sock->fd, sock->send_data + sock->send_done, sock->send_len - sock->send_done,
                 MSG_NOSIGNAL);
        if (n >= 0) {
            sock->send_done += (size_t)n;
        } else if (errno == EAGAIN && !sock->nowait) {
            e->base.counts.short_sends++;
            return false;
        } else if (errno == EAGAIN) {
            (void)post(e, sock->ud_send, sock->send_done > 0 ? (int32_t)sock->send_done : -EAGAIN);
            return true;
        } else if (errno != EINTR) {
            (void)post(e, sock->ud_send, -errno);
            return true;
        }
    }
    if (!sock->quiet) (void)post(e, sock->ud_send, (int32_t)sock->send_len);
    return true;
}

/* The same for a message: its vector is walked from the first byte that is not sent yet. */
static bool try_sendmsg(struct epoll_ring *e, struct sock *sock)
{
    size_t skip = sock->send_done, at = 0;

    while (at < sock->message->msg_iovlen) {
        const struct iovec *part = &sock->message->msg_iov[at];
        ssize_t n;

        if (skip >= part->iov_len) {
            skip -= part->iov_len;
            at++;
            continue;
        }
        e->base.counts.syscalls++;
        n = send(sock->fd, (const char *)part->iov_base + skip, part->iov_len - skip,
                 MSG_NOSIGNAL | (at + 1 < sock->message->msg_iovlen ? MSG_MORE : 0));
        if (n >= 0) {
            sock->send_done += (size_t)n;
            skip += (size_t)n;
        } else if (errno == EAGAIN) {
            e->base.counts.short_sends++;
            return false;
        } else if (errno != EINTR) {
            (void)post(e, sock->ud_send, -errno);
            return true;
        }
    }
    (void)post(e, sock->ud_send, (int32_t)sock->send_done);
    return true;
}

static void go_on_sending(struct epoll_ring *e, struct sock *sock)
{
    bool ended = sock->send_data != NULL ? try_send(e, sock) : try_sendmsg(e, sock);

    if (ended) {
        sock->ops &= (uint8_t)~OP_SEND;
    } else {
        sock->ops |= OP_SEND;
    }
}

static void epoll_send(struct ring *ring, uint32_t index, const void *data, size_t len,
                       unsigned flags, uint64_t user_data)
{
    struct sock *sock = &epoll_of(ring)->socks[index];

    sock->send_data = data;
    sock->send_len = len;
    sock->send_done = 0;
    sock->quiet = (flags & RING_SEND_QUIET) != 0;
    sock->nowait = (flags & RING_SEND_NOWAIT) != 0;
    sock->ud_send = user_data;
    go_on_sending(epoll_of(ring), sock);
}

static void epoll_sendmsg(struct ring *ring, uint32_t index, const struct msghdr *message,
                          uint64_t user_data)
{
    struct sock *sock = &epoll_of(ring)->socks[index];

    sock->send_data = NULL;
    sock->message = message;
    sock->send_done = 0;
    sock->quiet = false;
    sock->ud_send = user_data;
    go_on_sending(epoll_of(ring), sock);
}

static struct sock *start_recv(struct epoll_ring *e, uint32_t index, uint64_t user_data)
{
    struct sock *sock = &e->socks[index];

    CHECK(!(sock->ops & OP_RECV));
    sock->ops |= OP_RECV;
    sock->ud_recv = user_data;
    do_register(e, index);
    if (sock->readable) list_ready(e, index);
    return sock;
}

static void epoll_recv(struct ring *ring, uint32_t index, enum ring_group group, bool once,
                       uint64_t user_data)
{
    struct sock *sock = start_recv(epoll_of(ring), index, user_data);

    sock->group = (uint8_t)group;
    sock->once = once;
    sock->drain_len = 0;
}

static void epoll_drain(struct ring *ring, uint32_t index, void *into, uint32_t len,
                        uint64_t user_data)
{
    struct sock *sock = start_recv(epoll_of(ring), index, user_data);

    sock->drain_into = into;
    sock->drain_len = len;
}

static void epoll_buffer_return(struct ring *ring, const struct ring_event *event)
{
    struct group *group = &epoll_of(ring)->groups[event->group];

    CHECK(group->free_count < group->count);
    group->free_ids[group->free_count++] = event->buffer_id;
}

static void epoll_cancel(struct ring *ring, uint32_t index, uint64_t user_data)
{
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];

    if (sock->ops & OP_CONNECT) (void)post(e, sock->ud_connect, -ECANCELED);
    if (sock->ops & OP_SEND) (void)post(e, sock->ud_send, -ECANCELED);
    if (sock->ops & (OP_RECV | OP_ACCEPT)) (void)post(e, sock->ud_recv, -ECANCELED);
    sock->ops = 0;
    (void)post(e, user_data, 0);
}

static void epoll_cancel_recv(struct ring *ring, uint32_t index, uint64_t recv_data,
                              uint64_t user_data)
{
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];

    if (sock->ops & OP_RECV) (void)post(e, recv_data, -ECANCELED);
    sock->ops &= (uint8_t)~OP_RECV;
    (void)post(e, user_data, 0);
}

static void epoll_close_sock(struct ring *ring, uint32_t index, bool reset, uint64_t user_data)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct epoll_ring *e = epoll_of(ring);
    struct sock *sock = &e->socks[index];
    int rc;

    if (reset) {
        (void)setsockopt(sock->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        ring->counts.syscalls++;
    }
    rc = close(sock->fd); /* Takes it out of the epoll set as well. */
    ring->counts.syscalls++;
    *sock = (struct sock){.fd = -1, .listed = sock->listed, .next_free = NONE};
    if (index >= e->accept_from) {
        sock->next_free = e->free_sock;
        e->free_sock = index;
    }
    (void)post(e, user_data, rc == 0 ? 0 : -errno);
}

/* Accepts what is there; true if there may be more. */
static bool turn_accept(struct epoll_ring *e, struct sock *listener)
{
    for (int i = 0; i < EVENTS_PER_WAIT; i++) {
        uint32_t index = e->free_sock;
        int fd;

        e->base.counts.syscalls++;
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EAGAIN) listener->readable = false;
            return listener->readable;
        }
        if (index == NONE) { /* No slot: the peer sees a close. */
            (void)close(fd);
            continue;
        }
        e->free_sock = e->socks[index].next_free;
        e->socks[index] = (struct sock){.fd = fd, .listed = e->socks[index].listed};
        post(e, listener->ud_recv, (int32_t)index)->flags = RING_MORE;
    }
    return true;
}

/* A read that asked for `asked` bytes had `n`: says whether there is more, and notes in `readable`
 * whether there may be. A short one has used the edge up, unless the edge told of the peer's close
 * as well: then one more shows it. */
static uint8_t look_for_more(struct epoll_ring *e, struct sock *sock, size_t n, size_t asked)
{
    int more = 0;

    if (n == asked) {
        e->base.counts.syscalls++;
        (void)ioctl(sock->fd, FIONREAD, &more);
    }
    sock->readable = more > 0 || sock->hung;
    return sock->readable ? RING_NONEMPTY : 0;
}

/* What a read that brought no bytes means; true if it is to be tried again at once. */
static bool read_nothing(struct epoll_ring *e, struct sock *sock, ssize_t n)
{
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == EAGAIN) {
        sock->readable = false;
        return false;
    }
    sock->ops &= (uint8_t)~OP_RECV;
    (void)post(e, sock->ud_recv, n == 0 ? 0 : -errno);
    return false;
}

/* The same as read_once() for bytes that nobody looks at. By its number where they are thrown
 * away, for wrappers of recv() take it that they were written to the address. */
static bool drain_once(struct epoll_ring *e, struct sock *sock)
{
    ssize_t n;

    e->base.counts.syscalls++;
    if (sock->drain_into != NULL) {
        n = recv(sock->fd, sock->drain_into, sock->drain_len, 0);
    } else {
        n = syscall(SYS_recvfrom, sock->fd, NULL, (size_t)sock->drain_len, MSG_TRUNC, NULL, NULL);
    }
    if (n <= 0) return read_nothing(e, sock, n);
    sock->ops &= (uint8_t)~OP_RECV;
    post(e, sock->ud_recv, (int32_t)n)->flags = look_for_more(e, sock, (size_t)n, sock->drain_len);
    return false;
}

/* Reads once into a lent buffer; true if there may be more to read. */
static bool read_once(struct epoll_ring *e, struct sock *sock)
{
    struct group *group = &e->groups[sock->group];
    struct ring_event *event;
    uint16_t id;
    ssize_t n;

    if (group->free_count == 0) {
        e->base.counts.no_buffers++;
        sock->ops &= (uint8_t)~OP_RECV;
        (void)post(e, sock->ud_recv, -ENOBUFS);
        return false;
    }
    id = group->free_ids[group->free_count - 1];
    e->base.counts.syscalls++;
    n = recv(sock->fd, group->memory + (size_t)id * group->bytes, group->bytes, 0);
    if (n <= 0) return read_nothing(e, sock, n);
    group->free_count--;
    event = post(e, sock->ud_recv, (int32_t)n);
    event->group = sock->group;
    event->buffer_id = id;
    event->data = group->memory + (size_t)id * group->bytes;
    if (sock->once) {
        sock->ops &= (uint8_t)~OP_RECV;
        event->flags = RING_BUFFER | look_for_more(e, sock, (size_t)n, group->bytes);
        return false;
    }
    event->flags = RING_BUFFER | RING_MORE;
    if ((size_t)n < group->bytes) sock->readable = sock->hung; /* As in look_for_more(). */
    return sock->readable;
}

/* Reads up to its turn's end; true if there may be more to read. */
static bool turn_recv(struct epoll_ring *e, struct sock *sock)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        if (queue_used(e) + 2 * READS_PER_TURN > e->queue_mask) return true;
        if (!(sock->drain_len > 0 ? drain_once(e, sock) : read_once(e, sock))) return false;
    }
    return true;
}

/* Gives every listed socket its turn; those that may have more stay listed. */
static void run_ready(struct epoll_ring *e)
{
    uint32_t count = e->ready_count;

    e->ready_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = e->ready[i];
        struct sock *sock = &e->socks[index];
        bool more = false;

        sock->listed = false;
        if (sock->fd < 0 || !sock->readable) continue;
        if (sock->ops & OP_ACCEPT) more = turn_accept(e, sock);
        if (sock->ops & OP_RECV) more = turn_recv(e, sock);
        if (more) list_ready(e, index);
    }
}

static void finish_connect(struct epoll_ring *e, struct sock *sock)
{
    int error = 0;
    socklen_t len = sizeof(error);

    e->base.counts.syscalls++;
    if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    sock->ops &= (uint8_t)~OP_CONNECT;
    (void)post(e, sock->ud_connect, -error);
}

static void take_edge(struct epoll_ring *e, const struct epoll_event *event)
{
    struct sock *sock;

    if (event->data.u32 == NONE) { /* Somebody called ring_wake(). */
        e->base.counts.syscalls++;
        wake_clear(e->base.wake_fd);
        return;
    }
    sock = &e->socks[event->data.u32];
    if ((sock->ops & OP_CONNECT) && (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        finish_connect(e, sock);
    }
    if ((sock->ops & OP_SEND) && (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        go_on_sending(e, sock);
    }
    if (event->events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) sock->hung = true;
    if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) {
        sock->readable = true;
        list_ready(e, event->data.u32);
    }
}

static int wait_events(struct epoll_ring *e, struct epoll_event *events, uint64_t timeout_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
                          .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    uint64_t ms = timeout_ns / NS_PER_MS + 1;

    e->base.counts.syscalls++;
    e->base.counts.enters++;
    if (timeout_ns == 0) return epoll_wait(e->epoll_fd, events, EVENTS_PER_WAIT, 0);
    if (timeout_ns == TIME_NEVER) return epoll_wait(e->epoll_fd, events, EVENTS_PER_WAIT, -1);
    if (!e->coarse_waits) {
        int count = epoll_pwait2(e->epoll_fd, events, EVENTS_PER_WAIT, &ts, NULL);

        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
        e->coarse_waits = true; /* Linux before 5.11, or a filter that does not know it. */
    }
    return epoll_wait(e->epoll_fd, events, EVENTS_PER_WAIT, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static void epoll_ring_wait(struct ring *ring, const struct ring_wait *wait)
{
    struct epoll_ring *e = epoll_of(ring);
    struct epoll_event events[EVENTS_PER_WAIT];
    bool busy = queue_used(e) > 0 || e->ready_count > 0;
    int count = wait_events(e, events, busy ? 0 : wait->timeout_ns);

    CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++) {
        take_edge(e, &events[i]);
    }
    run_ready(e);
}

static uint32_t epoll_reap(struct ring *ring, struct ring_event *events, uint32_t events_max)
{
    struct epoll_ring *e = epoll_of(ring);
    uint32_t count = queue_used(e) < events_max ? queue_used(e) : events_max;

    for (uint32_t i = 0; i < count; i++) {
        events[i] = e->queue[e->queue_head++ & e->queue_mask];
    }
    ring->counts.completions += count;
    ring->counts.reaped = ring->counts.enters;
    return count;
}

static bool epoll_is_settled(struct ring *ring)
{
    return queue_used(epoll_of(ring)) == 0;
}

static void epoll_ring_close(struct ring *ring)
{
    struct epoll_ring *e = epoll_of(ring);
    struct arena arena = e->arena; /* It holds `e` itself. */

    for (uint32_t i = 0; e->socks != NULL && i < e->socks_count; i++) {
        if (e->socks[i].fd >= 0) (void)close(e->socks[i].fd);
    }
    if (e->epoll_fd >= 0) (void)close(e->epoll_fd);
    if (ring->wake_fd >= 0) (void)close(ring->wake_fd);
    arena_release(&arena);
}

/* Nothing is ever queued here. */
static void epoll_submit(struct ring *ring)
{
    (void)ring;
}

static const struct ring_ops epoll_ops = {
    .close = epoll_ring_close,
    .sock_open = epoll_sock_open,
    .accept = epoll_accept,
    .connect = epoll_connect,
    .send = epoll_send,
    .sendmsg = epoll_sendmsg,
    .recv = epoll_recv,
    .drain = epoll_drain,
    .buffer_return = epoll_buffer_return,
    .cancel = epoll_cancel,
    .cancel_recv = epoll_cancel_recv,
    .close_sock = epoll_close_sock,
    .submit = epoll_submit,
    .wait = epoll_ring_wait,
    .reap = epoll_reap,
    .is_settled = epoll_is_settled,
};

static bool init_group(struct epoll_ring *e, enum ring_group which, uint32_t bytes, uint32_t count)
{
    struct group *group = &e->groups[which];

    if (count == 0) return true;
    group->memory = arena_alloc(&e->arena, (size_t)count * bytes, 4096);
    group->free_ids = arena_array(&e->arena, count, sizeof(uint16_t));
    group->bytes = bytes;
    group->count = count;
    if (group->memory == NULL || group->free_ids == NULL) return false;
    for (uint32_t id = count; id-- > 0;) {
        group->free_ids[group->free_count++] = (uint16_t)id;
    }
    return true;
}

static bool init_memory(struct epoll_ring *e, const struct ring_options *options)
{
    uint32_t queue_size = 1024;

    /* Per socket at most a connect, a send, a cancel, a close and the end of its receive; and no
     * more data events than there are buffers. */
    while (queue_size < 6 * options->socks_count + options->buffers_count[RING_SMALL] +
                            options->buffers_count[RING_LARGE]) {
        queue_size *= 2;
    }
    e->queue_mask = queue_size - 1;
    e->queue = arena_array(&e->arena, queue_size, sizeof(struct ring_event));
    e->socks = arena_array(&e->arena, options->socks_count, sizeof(struct sock));
    e->ready = arena_array(&e->arena, options->socks_count, sizeof(uint32_t));
    if (e->queue == NULL || e->socks == NULL || e->ready == NULL) return false;
    e->socks_count = options->socks_count;
    e->accept_from = options->accept_from;
    e->free_sock = NONE;
    for (uint32_t i = options->socks_count; i-- > 0;) {
        e->socks[i].fd = -1;
        if (i < options->accept_from) continue;
        e->socks[i].next_free = e->free_sock;
        e->free_sock = i;
    }
    for (int g = 0; g < RING_GROUPS; g++) {
        if (!init_group(e, (enum ring_group)g, options->buffer_bytes[g],
                        options->buffers_count[g])) {
            return false;
        }
    }
    return true;
}

enum err ring_epoll_open(struct ring **ret_ring, const struct ring_options *options,
                         struct err_info *why)
{
    struct epoll_event wake = {.events = EPOLLIN, .data.u32 = NONE};
    struct rlimit limit;
    struct arena arena;
    struct epoll_ring *e;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < options->socks_count) {
        return ring_too_many_socks(options->socks_count, why);
    }
    arena_init(&arena, 0);
    e = arena_alloc(&arena, sizeof(*e), CACHE_LINE);
    if (e == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a ring");
    e->arena = arena;
    e->base.ops = &epoll_ops;
    e->base.facts.engine = "epoll";
    e->base.facts.multishot = true;
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    e->base.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->epoll_fd < 0 || e->base.wake_fd < 0 ||
        epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, e->base.wake_fd, &wake) != 0) {
        enum err err =
            err_set(why, ERR_LIMIT, errno, "epoll: %s; raise 'ulimit -n'", err_errno_name(errno));

        epoll_ring_close(&e->base);
        return err;
    }
    if (!init_memory(e, options)) {
        epoll_ring_close(&e->base);
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for %u sockets", options->socks_count);
    }
    e->base.facts.sq_entries = options->sq_entries;
    e->base.facts.cq_entries = e->queue_mask + 1;
    *ret_ring = &e->base;
    return ERR_OK;
}
