/* ring: chooses the implementation and passes calls on to it. What all share stands here: making
 * sockets, which is synchronous everywhere, and waking. Runs on the owner's thread. */
#include "io/ring.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/check.h"
#include "io/ring_impl.h"
#include "io/wake.h"

enum { LISTEN_BACKLOG = 4096 };

enum err ring_too_many_socks(uint32_t socks_count, struct err_info *why)
{
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return err_set(why, ERR_LIMIT, EMFILE,
                   "%u connections on one worker need more than the %llu descriptors that this "
                   "process may open; raise the limit with 'ulimit -n'",
                   socks_count, (unsigned long long)limit.rlim_cur);
}

/* Opens the kind that is asked for, or that can be had. */
static enum err open_kind(struct ring **ret_ring, const struct ring_options *options,
                          struct err_info *why)
{
    struct err_info refused;
    enum err err;

    if (options->engine == RING_EPOLL) return ring_epoll_open(ret_ring, options, why);
    err = ring_uring_open(ret_ring, options, &refused);
    if (err == ERR_OK) return ERR_OK;
    /* What epoll lacks as well is no reason to fall back: memory, and descriptors, of which it
     * needs more. */
    if (options->engine == RING_URING || err == ERR_MEMORY || refused.errno_value == EMFILE) {
        if (why != NULL) *why = refused;
        return err;
    }
    err = ring_epoll_open(ret_ring, options, why);
    if (err == ERR_OK) {
        (void)snprintf((*ret_ring)->facts.fallback, sizeof((*ret_ring)->facts.fallback), "%.*s",
                       (int)sizeof((*ret_ring)->facts.fallback) - 1, refused.message);
    }
    return err;
}

enum err ring_open(struct ring **ret_ring, const struct ring_options *options, struct err_info *why)
{
    enum err err;

    CHECK(options->socks_count > 0);
    CHECK(options->accept_from <= options->socks_count);
    CHECK(options->sq_entries >= 16 && options->sq_entries <= 4096);
    err = open_kind(ret_ring, options, why);
    if (err != ERR_OK) return err;
    (*ret_ring)->probe_s = options->probe_s;
    (*ret_ring)->facts.wake_fd = (*ret_ring)->wake_fd;
    return ERR_OK;
}

void ring_close(struct ring *ring)
{
    if (ring != NULL) ring->ops->close(ring);
}

const struct ring_facts *ring_facts(const struct ring *ring)
{
    return &ring->facts;
}

const struct ring_counts *ring_counts(const struct ring *ring)
{
    return &ring->counts;
}

/* Sets an int option; a kernel that lacks it does not stop us. */
static void sock_option(struct ring *ring, int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
    ring->counts.syscalls++;
}

static int sock_bind_source(struct ring *ring, int fd, const struct sockaddr *source,
                            socklen_t source_len)
{
    /* The port is chosen at connect, when the peer is known, so that one source address can use
     * every port once per peer (ip(7), IP_BIND_ADDRESS_NO_PORT). */
    sock_option(ring, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    ring->counts.syscalls++;
    return bind(fd, source, source_len) == 0 ? 0 : -errno;
}

/* Sets what TCP sockets of ours have. */
static void sock_tcp(struct ring *ring, int fd)
{
    sock_option(ring, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (ring->probe_s == 0) return;
    sock_option(ring, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    sock_option(ring, fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)ring->probe_s);
}

int ring_sock_open(struct ring *ring, uint32_t sock, int family, const struct sockaddr *source,
                   socklen_t source_len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = 0;

    ring->counts.syscalls++;
    if (fd < 0) return -errno;
    if (family == AF_INET || family == AF_INET6) sock_tcp(ring, fd);
    if (source != NULL) rc = sock_bind_source(ring, fd, source, source_len);
    if (rc == 0) rc = ring->ops->sock_open(ring, sock, fd);
    if (rc != 0) (void)close(fd);
    return rc;
}

static int listen_bind(int fd, const struct sockaddr *address, socklen_t address_len,
                       uint16_t *ret_port)
{
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof(bound);

    if (bind(fd, address, address_len) != 0 || listen(fd, LISTEN_BACKLOG) != 0) return -errno;
    if (ret_port == NULL) return 0;
    memset(&bound, 0, sizeof(bound));
    if (getsockname(fd, (struct sockaddr *)&bound, &bound_len) != 0) return -errno;
    /* The port stands at the same place in both families. */
    *ret_port = ntohs(((const struct sockaddr_in *)(const void *)&bound)->sin_port);
    return 0;
}

int ring_listen(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                socklen_t address_len, uint16_t *ret_port)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0) return -errno;
    sock_option(ring, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    sock_option(ring, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    sock_option(ring, fd, IPPROTO_TCP, TCP_NODELAY, 1); /* Accepted sockets inherit it. */
    rc = listen_bind(fd, address, address_len, ret_port);
    if (rc == 0) rc = ring->ops->sock_open(ring, sock, fd);
    if (rc != 0) (void)close(fd);
    return rc;
}

void ring_accept(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    ring->ops->accept(ring, sock, user_data);
}

void ring_connect(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                  socklen_t address_len, uint64_t user_data)
{
    ring->ops->connect(ring, sock, address, address_len, user_data);
}

void ring_send(struct ring *ring, uint32_t sock, const void *data, size_t len, unsigned flags,
               uint64_t user_data)
{
    ring->ops->send(ring, sock, data, len, flags, user_data);
}

void ring_sendmsg(struct ring *ring, uint32_t sock, const struct msghdr *message,
                  uint64_t user_data)
{
    ring->ops->sendmsg(ring, sock, message, user_data);
}

void ring_recv(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data)
{
    ring->ops->recv(ring, sock, group, false, user_data);
}

void ring_recv_once(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data)
{
    ring->ops->recv(ring, sock, group, true, user_data);
}

void ring_drain(struct ring *ring, uint32_t sock, void *into, uint64_t len, uint64_t user_data)
{
    CHECK(len > 0);
    ring->ops->drain(ring, sock, into, (uint32_t)min_u64(len, DRAIN_BYTES_MAX), user_data);
}

void ring_chain(struct ring *ring, uint32_t sock, const struct ring_chain *chain)
{
    CHECK(ring->facts.chains);
    ring->ops->chain(ring, sock, chain);
}

void ring_buffer_return(struct ring *ring, const struct ring_event *event)
{
    ring->ops->buffer_return(ring, event);
}

void ring_cancel(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    ring->ops->cancel(ring, sock, user_data);
}

void ring_cancel_recv(struct ring *ring, uint32_t sock, uint64_t recv_data, uint64_t user_data)
{
    ring->ops->cancel_recv(ring, sock, recv_data, user_data);
}

void ring_close_sock(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    ring->ops->close_sock(ring, sock, false, user_data);
}

void ring_reset_sock(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    ring->ops->close_sock(ring, sock, true, user_data);
}

void ring_submit(struct ring *ring)
{
    ring->ops->submit(ring);
}

void ring_wait(struct ring *ring, const struct ring_wait *wait)
{
    ring->ops->wait(ring, wait);
}

uint32_t ring_reap(struct ring *ring, struct ring_event *events, uint32_t events_max)
{
    return ring->ops->reap(ring, events, events_max);
}

bool ring_is_settled(struct ring *ring)
{
    return ring->ops->is_settled(ring);
}

void ring_wake(struct ring *ring)
{
    wake_post(ring->wake_fd);
}
