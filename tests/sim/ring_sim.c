/* io/ring.h over the simulated machine: queues, waits, and the rules that its owner must keep.
 * What the kernel then does is in sim_ops.c. */
#include "tests/sim/ring_sim.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_kernel.h"

enum { QUEUE_ENTRIES_MIN = 16, QUEUE_ENTRIES_MAX = 4096, CQ_ENTRIES_MAX = 65536 };

/* What an empty wait of length 0 costs: a loop that only polls makes time move. */
static const uint64_t poll_ns = NS_PER_US;

static const char *const op_names[SIM_OP_KINDS] = {"accept", "connect", "send", "receive",
                                                   "cancel", "close",   "chain"};
static const int sock_errnos[] = {EMFILE, EADDRNOTAVAIL, ENOBUFS};

/* --- Life --------------------------------------------------------------------------------- */

static void check_options(const struct sim *sim, const struct ring_options *options)
{
    uint64_t cq_min = min_u64(UINT64_C(2) * options->socks_count, CQ_ENTRIES_MAX);

    if (options->sq_entries < QUEUE_ENTRIES_MIN || options->sq_entries > QUEUE_ENTRIES_MAX) {
        sim_fail(sim, "ring_open() with sq_entries %u", options->sq_entries);
    }
    if (options->cq_entries < cq_min) {
        sim_fail(sim, "ring_open() with cq_entries %u for %u sockets", options->cq_entries,
                 options->socks_count);
    }
    if (options->accept_from > options->socks_count) {
        sim_fail(sim, "ring_open() with accept_from %u of %u sockets", options->accept_from,
                 options->socks_count);
    }
}

enum err ring_open(struct ring **ret_ring, const struct ring_options *options, struct err_info *why)
{
    struct sim *sim = sim_current();
    struct ring *ring = sim_alloc(sim, sizeof(*ring));
    uint32_t shrink = sim->options.queue_shrink;

    (void)why;
    check_options(sim, options);
    ring->sim = sim;
    ring->index = sim->rings_count++;
    ring->open = true;
    ring->options = *options;
    ring->facts.engine = "sim";
    ring->facts.sq_entries = (uint32_t)max_u64(options->sq_entries >> shrink, QUEUE_ENTRIES_MIN);
    ring->facts.cq_entries = (uint32_t)max_u64(options->cq_entries >> shrink, QUEUE_ENTRIES_MIN);
    ring->facts.multishot = sim->options.multishot;
    ring->facts.min_wait = sim->options.min_wait;
    ring->facts.chains = sim->options.chains;
    ring->socks = sim_alloc(sim, options->socks_count * sizeof(*ring->socks));
    ring->sq = sim_alloc(sim, ring->facts.sq_entries * sizeof(void *));
    ring->cq = sim_alloc(sim, ring->facts.cq_entries * sizeof(*ring->cq));
    for (int i = 0; i < RING_GROUPS; i++) {
        uint32_t count = options->buffers_count[i];

        if (count > 0) count = (uint32_t)max_u64(count >> sim->options.buffers_shrink, 1);
        sim_group_init(sim, &ring->groups[i], count, options->buffer_bytes[i]);
    }
    ring->next = sim->rings;
    sim->rings = ring;
    *ret_ring = ring;
    return ERR_OK;
}

static void uncount(struct ring *ring, struct sim_sock *sock)
{
    if (sock->counted) ring->sim->counts.connections_now--;
    sock->counted = false;
}

void ring_close(struct ring *ring)
{
    if (ring == NULL) return;
    if (!ring->open) sim_fail(ring->sim, "ring %u was closed twice", ring->index);
    if (ring->sim->options.strict_close && ring->ops_now > 0) {
        sim_fail(ring->sim, "ring %u was closed with %u operations in flight", ring->index,
                 ring->ops_now);
    }
    for (int i = 0; i < RING_GROUPS; i++) {
        sim_group_check_back(ring->sim, &ring->groups[i]);
    }
    sim_quiet_check_all(ring);
    ring->open = false;
    for (uint32_t i = 0; i < ring->options.socks_count; i++) {
        struct sim_sock *sock = &ring->socks[i];

        /* One that is closing has been dropped when its close ran, unless that is still queued. */
        if (sock->state != SIM_SOCK_EMPTY && !sock->dropped) sim_sock_drop(ring, i);
        uncount(ring, sock);
    }
}

static void check_open(const struct ring *ring)
{
    if (!ring->open) sim_fail(ring->sim, "a call on ring %u, which is closed", ring->index);
}

const struct ring_facts *ring_facts(const struct ring *ring)
{
    return &ring->facts;
}

const struct ring_counts *ring_counts(const struct ring *ring)
{
    return &ring->counts;
}

void sim_ring_park(struct ring *ring)
{
    ring->parked = true;
}

/* --- Sockets ------------------------------------------------------------------------------ */

static struct sim_sock *empty_sock(struct ring *ring, uint32_t index)
{
    check_open(ring);
    if (index >= ring->options.socks_count) {
        sim_fail(ring->sim, "socket %u of ring %u is outside its table", index, ring->index);
    }
    if (ring->socks[index].state != SIM_SOCK_EMPTY) {
        sim_fail(ring->sim, "rule 4: socket %u of ring %u is used again before its close completed",
                 index, ring->index);
    }
    return &ring->socks[index];
}

int sim_sock_result(struct ring *ring, double fault)
{
    struct sim *sim = ring->sim;

    if (sim->options.descriptors_max != 0 && sim->sockets_now >= sim->options.descriptors_max) {
        return -EMFILE;
    }
    if (sim_chance(sim, fault)) return -sock_errnos[sim_draw(sim, COUNT(sock_errnos))];
    return 0;
}

int ring_sock_open(struct ring *ring, uint32_t sock, int family, const struct sockaddr *source,
                   socklen_t source_len)
{
    struct sim_sock *slot = empty_sock(ring, sock);
    int res = sim_sock_result(ring, ring->sim->options.faults.sock_error);

    if (source != NULL && (source_len == 0 || source->sa_family != family)) res = -EINVAL;
    ring->counts.syscalls += 3; /* socket, options, install */
    sim_trace(ring->sim, SIM_TRACE_SOCK_OPEN,
              (uint64_t[SIM_TRACE_VALUES]){ring->index, sock, (uint64_t)family, (uint64_t)res});
    if (res != 0) return res;
    *slot = (struct sim_sock){.state = SIM_SOCK_OPEN, .family = family};
    ring->sim->sockets_now++;
    return 0;
}

int ring_listen(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                socklen_t address_len, uint16_t *ret_port)
{
    struct sim *sim = ring->sim;
    struct sim_sock *slot = empty_sock(ring, sock);
    struct sim_target *target;
    in_port_t *port = NULL;
    int res = sim_sock_result(ring, 0);

    sim_trace(sim, SIM_TRACE_LISTEN,
              (uint64_t[SIM_TRACE_VALUES]){ring->index, sock,
                                           sim_address_hash(address, address_len), (uint64_t)res});
    ring->counts.syscalls += 5;
    if (res != 0) return res;
    target = sim_target_new(sim, address, address_len);
    target->ring = ring;
    target->sock = sock;
    if (target->address.ss_family == AF_INET) {
        port = &((struct sockaddr_in *)(void *)&target->address)->sin_port;
    } else if (target->address.ss_family == AF_INET6) {
        port = &((struct sockaddr_in6 *)(void *)&target->address)->sin6_port;
    }
    if (port != NULL && *port == 0) *port = htons((uint16_t)sim->port_next++);
    if (port != NULL && ret_port != NULL) *ret_port = ntohs(*port);
    *slot = (struct sim_sock){
        .state = SIM_SOCK_LISTENING, .family = address->sa_family, .target = target};
    sim->sockets_now++;
    return 0;
}

/* --- Queueing ----------------------------------------------------------------------------- */

static void submit(struct ring *ring)
{
    uint32_t count = ring->sq_count;

    for (uint32_t i = 0; i < count; i++) {
        sim_op_run(ring->sq[i]);
    }
    CHECK(ring->sq_count == count); /* The kernel queues nothing. */
    ring->sq_count = 0;
}

/* An operation on `sock`, queued; the caller fills the rest in. */
static struct sim_op *queue(struct ring *ring, enum sim_op_kind kind, uint32_t sock,
                            uint64_t user_data)
{
    struct sim *sim = ring->sim;
    struct sim_op *op;

    check_open(ring);
    if (sock >= ring->options.socks_count || ring->socks[sock].state == SIM_SOCK_EMPTY) {
        sim_fail(sim, "%s on socket %u of ring %u, which is empty", op_names[kind], sock,
                 ring->index);
    }
    if (ring->socks[sock].state == SIM_SOCK_CLOSING) {
        sim_fail(sim, "rule 4: %s on socket %u of ring %u after ring_close_sock()", op_names[kind],
                 sock, ring->index);
    }
    if (kind < SIM_OP_HELD && ring->socks[sock].owner[kind]) {
        sim_fail(sim, "rule 1: a second %s is started on socket %u of ring %u", op_names[kind],
                 sock, ring->index);
    }
    if (ring->sq_count == ring->facts.sq_entries) {
        ring->counts.enters++;
        ring->counts.syscalls++;
        submit(ring);
    }
    op = sim_op_new(ring, kind, sock);
    op->user_data = user_data;
    if (kind < SIM_OP_HELD) ring->socks[sock].owner[kind] = true;
    ring->sq[ring->sq_count++] = op;
    sim->counts.queued++;
    return op;
}

static void trace_op(const struct sim_op *op, uint64_t detail, uint64_t len)
{
    sim_trace(op->ring->sim, (enum sim_trace_kind)op->kind,
              (uint64_t[SIM_TRACE_VALUES]){op->ring->index, op->sock, op->user_data, detail, len,
                                           op->quiet});
}

void ring_accept(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_ACCEPT, sock, user_data);

    if (ring->socks[sock].state != SIM_SOCK_LISTENING) {
        sim_fail(ring->sim, "accept on socket %u of ring %u, which does not listen", sock,
                 ring->index);
    }
    trace_op(op, 0, 0);
}

/* A connection counts from here to the reaping of its close. */
static void count_connection(struct ring *ring, uint32_t sock)
{
    struct sim *sim = ring->sim;
    struct sim_counts *counts = &sim->counts;

    counts->connects++;
    if (ring->socks[sock].counted) return;
    ring->socks[sock].counted = true;
    counts->connections_now++;
    if (counts->connections_now > counts->connections_max) {
        counts->connections_max = counts->connections_now;
    }
    if (sim->options.connections_max != 0 &&
        counts->connections_now > sim->options.connections_max) {
        sim_fail(sim, "the cap is broken: %u connections of at most %u", counts->connections_now,
                 sim->options.connections_max);
    }
}

void ring_connect(struct ring *ring, uint32_t sock, const struct sockaddr *address,
                  socklen_t address_len, uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_CONNECT, sock, user_data);

    if (ring->socks[sock].state != SIM_SOCK_OPEN) {
        sim_fail(ring->sim, "connect on socket %u of ring %u, which is connected or listens", sock,
                 ring->index);
    }
    op->address = address;
    op->address_len = address_len;
    op->hash = sim_address_hash(address, address_len);
    trace_op(op, op->hash, 0);
    count_connection(ring, sock);
}

static void set_bytes(struct sim_op *op, const void *data, size_t len)
{
    void *base;

    memcpy(&base, &data, sizeof(base)); /* struct iovec has no const. */
    op->one = (struct iovec){.iov_base = base, .iov_len = len};
    op->iov = &op->one;
    op->iov_count = 1;
    op->len = len;
}

void ring_send(struct ring *ring, uint32_t sock, const void *data, size_t len, unsigned flags,
               uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_SEND, sock, user_data);

    set_bytes(op, data, len);
    op->quiet = (flags & RING_SEND_QUIET) != 0;
    op->nowait = (flags & RING_SEND_NOWAIT) != 0;
    op->hash = sim_send_hash(op);
    trace_op(op, op->hash, len);
    if (op->quiet) {
        ring->socks[sock].owner[SIM_OP_SEND] = false; /* He cannot see it end. */
        if (!op->nowait) sim_quiet_note(ring, op);
    }
}

void ring_sendmsg(struct ring *ring, uint32_t sock, const struct msghdr *message,
                  uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_SEND, sock, user_data);

    op->iov = message->msg_iov;
    op->iov_count = message->msg_iovlen;
    for (size_t i = 0; i < op->iov_count; i++) {
        op->len += op->iov[i].iov_len;
    }
    op->hash = sim_send_hash(op);
    trace_op(op, op->hash, op->len);
}

static struct sim_op *queue_recv(struct ring *ring, uint32_t sock, enum ring_group group,
                                 uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_RECV, sock, user_data);

    if (group >= RING_GROUPS || ring->groups[group].count == 0) {
        sim_fail(ring->sim, "receive on socket %u of ring %u into group %u, which has no buffers",
                 sock, ring->index, (unsigned)group);
    }
    op->group = group;
    return op;
}

void ring_recv(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data)
{
    trace_op(queue_recv(ring, sock, group, user_data), (uint64_t)group, 0);
}

void ring_recv_once(struct ring *ring, uint32_t sock, enum ring_group group, uint64_t user_data)
{
    struct sim_op *op = queue_recv(ring, sock, group, user_data);

    op->once = true;
    trace_op(op, (uint64_t)group, 1);
}

void ring_drain(struct ring *ring, uint32_t sock, void *into, uint64_t len, uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_RECV, sock, user_data);

    if (len == 0) sim_fail(ring->sim, "a drain of nothing on socket %u", sock);
    op->drain_len = len;
    op->drain_into = into;
    trace_op(op, RING_GROUPS + (into != NULL), len);
}

void ring_buffer_return(struct ring *ring, const struct ring_event *event)
{
    check_open(ring);
    if ((event->flags & RING_BUFFER) == 0 || event->group >= RING_GROUPS) {
        sim_fail(ring->sim, "rule 5: an event without a buffer was returned");
    }
    sim_trace(ring->sim, SIM_TRACE_RETURN,
              (uint64_t[SIM_TRACE_VALUES]){ring->index, event->group, event->buffer_id});
    sim_buffer_back(ring->sim, &ring->groups[event->group], event);
}

void ring_cancel(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    trace_op(queue(ring, SIM_OP_CANCEL, sock, user_data), 0, 0);
}

void ring_cancel_recv(struct ring *ring, uint32_t sock, uint64_t recv_data, uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_CANCEL, sock, user_data);

    (void)recv_data;
    op->recv_only = true;
    trace_op(op, 1, 0);
}

/* Rule 4. */
static void check_quiet(const struct ring *ring, uint32_t sock)
{
    for (size_t i = 0; i < SIM_OP_HELD; i++) {
        if (ring->socks[sock].owner[i]) {
            sim_fail(ring->sim, "rule 4: socket %u of ring %u is closed with a %s in flight", sock,
                     ring->index, op_names[i]);
        }
    }
}

static void close_sock(struct ring *ring, uint32_t sock, bool reset, uint64_t user_data)
{
    struct sim_op *op = queue(ring, SIM_OP_CLOSE, sock, user_data);

    op->reset = reset;
    check_quiet(ring, sock);
    ring->socks[sock].state = SIM_SOCK_CLOSING;
    trace_op(op, reset, 0);
}

void ring_close_sock(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    close_sock(ring, sock, false, user_data);
}

void ring_reset_sock(struct ring *ring, uint32_t sock, uint64_t user_data)
{
    close_sock(ring, sock, true, user_data);
}

/* --- Chains ------------------------------------------------------------------------------- */

static struct sim_op *step(struct ring *ring, struct sim_chain *chain, enum sim_op_kind kind,
                           uint32_t sock, uint64_t user_data)
{
    struct sim_op *op = sim_op_new(ring, kind, sock);

    op->chain = chain;
    op->user_data = user_data;
    return op;
}

void ring_chain(struct ring *ring, uint32_t sock, const struct ring_chain *chain)
{
    struct sim_op *head = queue(ring, SIM_OP_SOCKET, sock, chain->ud_socket);
    struct sim_chain *steps = sim_alloc(ring->sim, sizeof(*steps));
    bool *owner = ring->socks[sock].owner;

    check_quiet(ring, sock);
    if (!ring->facts.chains) sim_fail(ring->sim, "a chain on a ring that has none");
    head->chain = steps;
    steps->connect = step(ring, steps, SIM_OP_CONNECT, sock, chain->ud_connect);
    steps->connect->address = chain->address;
    steps->connect->address_len = chain->address_len;
    steps->connect->hash = sim_address_hash(chain->address, chain->address_len);
    steps->send = step(ring, steps, SIM_OP_SEND, sock, chain->ud_send);
    set_bytes(steps->send, chain->data, chain->len);
    steps->send->quiet = true;
    steps->send->hash = sim_send_hash(steps->send);
    sim_quiet_note(ring, steps->send);
    steps->recv = step(ring, steps, SIM_OP_RECV, sock, chain->ud_recv);
    steps->recv->group = chain->group;
    owner[SIM_OP_CONNECT] = true;
    owner[SIM_OP_RECV] = true;
    trace_op(head, steps->connect->hash, chain->len);
    count_connection(ring, sock);
}

/* --- Waiting ------------------------------------------------------------------------------ */

/* Whether enough has come for the wait that is on. */
static bool enough_has_come(const struct ring *ring)
{
    const struct ring_wait *wait = &ring->wait;

    if (ring->cq_count > 0) return true;
    if (ring->posted_count == 0) return false;
    if (!ring->facts.min_wait || wait->min_wait_ns == 0 || wait->timeout_ns == 0) return true;
    return ring->posted_count >= wait->wait_nr || ring->posted_count >= ring->facts.cq_entries ||
           ring->sim->now_ns - ring->posted_first_ns >= wait->min_wait_ns;
}

bool sim_ring_is_runnable(const struct ring *ring)
{
    return !ring->sleeping || load_relaxed(&ring->woken) || ring->sq_count > 0 ||
           enough_has_come(ring) || ring->sim->now_ns >= ring->deadline_ns;
}

uint64_t sim_ring_moment(const struct ring *ring)
{
    uint64_t moment_ns = ring->deadline_ns;

    if (ring->posted_count > 0) {
        moment_ns = min_u64(moment_ns, ring->posted_first_ns + ring->wait.min_wait_ns);
    }
    return moment_ns;
}

static int compare_posts(const void *left, const void *right)
{
    const struct sim_post *a = left;
    const struct sim_post *b = right;

    return a->order_key < b->order_key ? -1 : a->order_key > b->order_key;
}

/* A random order in which the events of each socket stay in theirs: keys are drawn, and each is at
 * least that of the socket's event before it. The low bits make all keys different. */
static void shuffle(struct ring *ring)
{
    uint64_t pass = ++ring->order_pass;

    for (size_t i = 0; i < ring->posted_count; i++) {
        struct sim_post *post = &ring->posted[i];
        struct sim_sock *sock = &ring->socks[post->sock];
        uint64_t key = sim_draw(ring->sim, UINT64_C(1) << 32);

        if (!post->apart) {
            if (sock->order_pass == pass) key = max_u64(key, sock->order_key);
            sock->order_pass = pass;
            sock->order_key = key;
        }
        post->order_key = key << 32 | i;
    }
    qsort(ring->posted, ring->posted_count, sizeof(*ring->posted), compare_posts);
}

/* Moves completions into the CQ as far as there is room; the rest is kept back. */
static void deliver(struct ring *ring)
{
    const struct sim_faults *faults = &ring->sim->options.faults;
    uint32_t room = ring->facts.cq_entries - ring->cq_count;
    size_t count = ring->posted_count;

    if (count > 1 && sim_chance(ring->sim, faults->reorder)) shuffle(ring);
    if (count > 1 && sim_chance(ring->sim, faults->overflow)) {
        count = 1 + sim_draw(ring->sim, count - 1);
    }
    count = min_u64(count, room);
    for (size_t i = 0; i < count; i++) {
        ring->cq[(ring->cq_head + ring->cq_count) % ring->facts.cq_entries] = ring->posted[i];
        ring->cq_count++;
    }
    ring->counts.completions += count;
    ring->counts.reaped = ring->counts.enters;
    ring->posted_count -= count;
    if (ring->posted_count > 0) {
        memmove(ring->posted, ring->posted + count, ring->posted_count * sizeof(*ring->posted));
    }
    ring->posted_first_ns = ring->sim->now_ns;
    for (size_t i = 0; i < ring->posted_count; i++) {
        if (!ring->posted[i].kept) ring->counts.cq_overflow++;
        ring->posted[i].kept = true;
    }
}

void ring_submit(struct ring *ring)
{
    check_open(ring);
    if (ring->sq_count == 0) return;
    submit(ring);
    ring->counts.enters++;
    ring->counts.syscalls++;
}

/* A loop around ring_wait() in which time cannot move would never end. */
static void count_wait(struct ring *ring)
{
    struct sim *sim = ring->sim;

    if (ring->wait_at_ns != sim->now_ns) ring->waits_count = 0;
    ring->wait_at_ns = sim->now_ns;
    if (++ring->waits_count > sim->options.waits_max && sim->options.waits_max != 0) {
        sim_fail(sim, "ring %u waited %u times at one moment: a loop that blocks or spins",
                 ring->index, ring->waits_count);
    }
    ring->counts.enters++;
    ring->counts.syscalls++;
}

static void sleep_until(struct ring *ring, uint64_t timeout_ns)
{
    struct sim *sim = ring->sim;
    uint64_t deadline_ns;

    if (timeout_ns == 0) timeout_ns = poll_ns;
    if (timeout_ns != TIME_NEVER && sim_chance(sim, sim->options.faults.wake_spurious)) {
        timeout_ns = 1 + sim_draw(sim, timeout_ns);
    }
    deadline_ns = timeout_ns > TIME_NEVER - sim->now_ns ? TIME_NEVER : sim->now_ns + timeout_ns;
    /* Called again in its sleep: the first wait is still on. */
    if (ring->sleeping) deadline_ns = min_u64(deadline_ns, ring->deadline_ns);
    ring->deadline_ns = deadline_ns;
    ring->sleeping = true;
}

void ring_wait(struct ring *ring, const struct ring_wait *wait)
{
    struct sim *sim = ring->sim;
    bool over = ring->sleeping && sim->now_ns >= ring->deadline_ns;

    check_open(ring);
    count_wait(ring);
    submit(ring);
    sim_run_due(sim);
    ring->wait = *wait;
    if (atomic_exchange_explicit(&ring->woken, false, memory_order_acquire)) over = true;
    if (enough_has_come(ring) || over) {
        deliver(ring);
        ring->sleeping = false;
        return;
    }
    sleep_until(ring, wait->timeout_ns);
}

void ring_wake(struct ring *ring)
{
    store_release(&ring->woken, true);
}

/* --- Reaping ------------------------------------------------------------------------------ */

/* The owner learns that an operation has ended. */
static void op_reaped(struct ring *ring, struct sim_op *op)
{
    struct sim_sock *sock = &ring->socks[op->sock];

    if (op->kind == SIM_OP_CLOSE) {
        CHECK(sock->posts_pending == 0); /* It is the last. */
        uncount(ring, sock);
        *sock = (struct sim_sock){0};
    } else if (op->kind == SIM_OP_SOCKET) { /* It failed, and the chain with it. */
        sock->owner[SIM_OP_CONNECT] = false;
        sock->owner[SIM_OP_RECV] = false;
    } else if (op->quiet) {
        ring->sim->counts.quiet_failed++;
        if (op->chain != NULL && !op->chain->aborted) sock->owner[SIM_OP_RECV] = false;
    } else if (op->kind < SIM_OP_HELD) {
        CHECK(sock->owner[op->kind]);
        sock->owner[op->kind] = false;
        sim_check_op_memory(op, "at its completion");
    }
    sim_op_end(op);
}

static void post_reaped(struct ring *ring, const struct sim_post *post)
{
    const struct ring_event *event = &post->event;
    struct sim *sim = ring->sim;
    uint64_t data_hash = 0;

    CHECK(post->op->user_data == event->user_data);
    sim->counts.reaped++;
    if ((event->flags & RING_BUFFER) != 0) {
        sim_buffer_lend(sim, &ring->groups[event->group], event->buffer_id, (size_t)event->res);
        data_hash = sim_hash_bytes(0, event->data, (size_t)event->res);
    }
    if (post->op->nowait) ring->nowait_posts--;
    sim_trace(sim, SIM_TRACE_EVENT,
              (uint64_t[SIM_TRACE_VALUES]){ring->index, post->sock, event->user_data, data_hash,
                                           (uint64_t)(int64_t)event->res, event->flags});
    if (post->final) op_reaped(ring, post->op);
}

bool ring_is_settled(struct ring *ring)
{
    check_open(ring);
    return ring->nowait_posts == 0;
}

uint32_t ring_reap(struct ring *ring, struct ring_event *events, uint32_t events_max)
{
    uint32_t count = (uint32_t)min_u64(ring->cq_count, events_max);

    check_open(ring);
    for (uint32_t i = 0; i < count; i++) {
        struct sim_post post = ring->cq[ring->cq_head];

        ring->cq_head = (ring->cq_head + 1) % ring->facts.cq_entries;
        ring->cq_count--;
        events[i] = post.event;
        post_reaped(ring, &post);
    }
    return count;
}
