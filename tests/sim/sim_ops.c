/* What the kernel does with each operation: at submission, when bytes or room come, when it is
 * cancelled. The owner's side of the rules is in ring_sim.c. */
#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_kernel.h"

static const int connect_errnos[] = {ECONNREFUSED, ETIMEDOUT,     ENETUNREACH,
                                     EHOSTUNREACH, EADDRNOTAVAIL, ECONNRESET};

static struct sim_sock *sock_of(const struct sim_op *op)
{
    return &op->ring->socks[op->sock];
}

/* --- Operations and their events ------------------------------------------------------------ */

struct sim_op *sim_op_new(struct ring *ring, enum sim_op_kind kind, uint32_t sock)
{
    struct sim *sim = ring->sim;
    struct sim_op *op = sim->ops_free;

    if (op == NULL) {
        op = sim_alloc(sim, sizeof(*op));
    } else {
        sim->ops_free = op->next;
    }
    *op = (struct sim_op){.id = ++sim->ops_id, .ring = ring, .sock = sock, .kind = kind};
    ring->ops_now++;
    return op;
}

void sim_op_end(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;

    CHECK(op->id != 0);
    op->ring->ops_now--;
    op->id = 0;
    op->next = sim->ops_free;
    sim->ops_free = op;
}

static void post_append(struct ring *ring, const struct sim_post *post)
{
    if (!ring->open) return;
    if (ring->posted_count == 0) ring->posted_first_ns = ring->sim->now_ns;
    ring->posted = sim_grow(ring->sim, ring->posted, ring->posted_count, &ring->posted_capacity,
                            sizeof(*post));
    ring->posted[ring->posted_count++] = *post;
}

static void post_late(struct sim *sim, void *object, uint64_t arg)
{
    const struct sim_post *post = object;
    struct ring *ring = post->op->ring;

    (void)sim;
    (void)arg;
    if (!ring->open) return;
    if (!post->apart) ring->socks[post->sock].posts_pending--;
    post_append(ring, post);
}

static void post_event(struct sim_op *op, const struct ring_event *event, bool final)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    struct sim_post post = {.event = *event, .op = op, .sock = op->sock, .final = final};
    struct sim_post *copy;
    uint64_t at_ns = sim->now_ns;

    CHECK(!op->final_posted);
    op->final_posted = final;
    if (op->nowait) op->ring->nowait_posts++;
    if (final && op->kind < SIM_OP_HELD && sock->kernel[op->kind] == op) {
        sock->kernel[op->kind] = NULL;
    }
    post.event.user_data = op->user_data;
    if (op->kind == SIM_OP_SEND) {
        post.apart = (op->quiet && !op->nowait) || sim_chance(sim, sim->options.faults.send_late);
        if (post.apart) at_ns += sim_lateness(sim);
    }
    if (sim_chance(sim, sim->options.faults.delay)) at_ns += sim_lateness(sim);
    /* Who sends nothing asks whether the ring is settled, and asks again: that takes time. */
    if (op->kind == SIM_OP_SEND && op->len == 0) at_ns += NS_PER_US;
    if (!post.apart) {
        at_ns = max_u64(at_ns, sock->post_last_ns);
        sock->post_last_ns = at_ns;
    }
    if (at_ns == sim->now_ns && (post.apart || sock->posts_pending == 0)) {
        post_append(op->ring, &post);
        return;
    }
    if (!post.apart) sock->posts_pending++;
    copy = sim_alloc(sim, sizeof(*copy));
    *copy = post;
    sim_event_at(sim, at_ns, post_late, copy, 0);
}

void sim_post(struct sim_op *op, const struct ring_event *event, bool final)
{
    post_event(op, event, final);
    if (!final || op->chain == NULL) return;
    if (op->kind == SIM_OP_SEND || (op->kind == SIM_OP_CONNECT && event->res < 0)) {
        sim_chain_fails(op);
    }
}

static void finish(struct sim_op *op, int32_t res)
{
    sim_post(op, &(struct ring_event){.res = res}, true);
}

/* --- Connect ------------------------------------------------------------------------------ */

static void backlog_add(struct sim_target *target, struct sim_link *link)
{
    struct sim_link **at = &target->backlog;

    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = link;
}

static void connect_finish(struct sim_op *op)
{
    struct sim_sock *sock = sock_of(op);
    struct sim_target *target = op->target;
    struct sim_link *link;

    if (op->result == 0 && target->dead) op->result = -ECONNREFUSED;
    if (op->result == 0) {
        link = sim_link_new(op->ring->sim);
        link->end[0].ring = op->ring;
        link->end[0].sock = op->sock;
        sock->link = link;
        sock->side = 0;
        sock->state = SIM_SOCK_CONNECTED;
        finish(op, 0);
        if (target->peer != NULL) {
            sim_peer_accept(target->peer, link);
        } else {
            backlog_add(target, link);
            sim_sock_accept(target->ring, target->sock);
        }
        if (op->chain != NULL) sim_chain_goes_on(op);
        return;
    }
    finish(op, op->result);
}

static void connect_over(struct sim *sim, void *object, uint64_t id)
{
    struct sim_op *op = object;

    (void)sim;
    if (op->id == id && !op->final_posted && op->ring->open) connect_finish(op);
}

static void connect_in(struct sim_op *op, uint64_t delay_ns, int32_t res)
{
    struct sim *sim = op->ring->sim;

    op->has_result = true;
    op->result = res;
    sim_event_at(sim, sim->now_ns + delay_ns, connect_over, op, op->id);
}

void sim_connect_run(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    uint64_t delay_ns = 0;
    uint64_t trip_ns = sim_latency(sim) + sim_latency(sim);
    int res;

    sock->kernel[SIM_OP_CONNECT] = op;
    if (sim->options.ports_max != 0 && sim->ports_now >= sim->options.ports_max) {
        connect_in(op, 0, -EADDRNOTAVAIL);
        return;
    }
    if (!sock->has_port) sim->ports_now++;
    sock->has_port = true;
    if (op->address->sa_family != sock->family) {
        connect_in(op, 0, -EAFNOSUPPORT);
        return;
    }
    if (sim_chance(sim, sim->options.faults.connect_error)) {
        connect_in(op, sim_lateness(sim), -connect_errnos[sim_draw(sim, COUNT(connect_errnos))]);
        return;
    }
    op->target = sim_target_find(sim, op->address, op->address_len);
    if (op->target == NULL) {
        connect_in(op, trip_ns, -ECONNREFUSED);
        return;
    }
    res = op->target->peer != NULL ? sim_peer_connect(op->target->peer, &delay_ns) : 0;
    if (res <= 0) connect_in(op, trip_ns + delay_ns, res);
}

/* --- Accept ------------------------------------------------------------------------------- */

static int32_t free_sock(const struct ring *ring)
{
    for (uint32_t i = ring->options.accept_from; i < ring->options.socks_count; i++) {
        if (ring->socks[i].state == SIM_SOCK_EMPTY) return (int32_t)i;
    }
    return -ENFILE;
}

void sim_sock_accept(struct ring *ring, uint32_t index)
{
    struct sim_sock *listener = &ring->socks[index];

    while (listener->kernel[SIM_OP_ACCEPT] != NULL && listener->target->backlog != NULL) {
        struct sim_op *op = listener->kernel[SIM_OP_ACCEPT];
        struct sim_link *link = listener->target->backlog;
        int32_t slot = free_sock(ring);

        if (slot < 0) {
            finish(op, slot);
            return;
        }
        listener->target->backlog = link->next;
        link->next = NULL;
        ring->socks[slot] = (struct sim_sock){
            .state = SIM_SOCK_CONNECTED, .family = listener->family, .link = link, .side = 1};
        link->end[1].ring = ring;
        link->end[1].sock = (uint32_t)slot;
        ring->sim->sockets_now++;
        sim_post(op, &(struct ring_event){.res = slot, .flags = RING_MORE}, false);
    }
}

/* --- Receive ------------------------------------------------------------------------------ */

static void hold_over(struct sim *sim, void *object, uint64_t id)
{
    struct sim_op *op = object;

    (void)sim;
    if (op->id != id || op->final_posted || !op->ring->open) return;
    if (op->kind == SIM_OP_RECV) {
        sim_sock_recv(op->ring, op->sock);
    } else {
        sim_sock_send(op->ring, op->sock);
    }
}

static void hold(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;

    op->hold_ns = sim->now_ns + sim_lateness(sim);
    sim_event_at(sim, op->hold_ns, hold_over, op, op->id);
}

/* Whether there is more to be had once a receive has taken its bytes. */
static uint8_t more_flag(const struct sim_sock *sock)
{
    bool more = sim_link_readable(sock->link, sock->side) > 0 ||
                sock->link->end[sock->side].error != 0 || sim_link_ended(sock->link, sock->side);

    return more ? RING_NONEMPTY : 0;
}

/* Takes some of the bytes that are there for nobody. */
static void drain_bytes(struct sim_op *op, size_t readable)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    size_t len = min_u64(readable, op->drain_len);

    if (sim_chance(sim, sim->options.faults.recv_split)) len = 1 + sim_draw(sim, len);
    sim_link_drain(sock->link, sock->side, op->drain_into, len);
    *(op->drain_into != NULL ? &sim->counts.sunk : &sim->counts.discarded) += len;
    sim_post(op, &(struct ring_event){.res = (int32_t)len, .flags = more_flag(sock)}, true);
}

/* Gives the owner some of the bytes that are there. */
static void recv_bytes(struct sim_op *op, size_t readable)
{
    struct ring *ring = op->ring;
    struct sim *sim = ring->sim;
    const struct sim_faults *faults = &sim->options.faults;
    struct sim_sock *sock = sock_of(op);
    struct sim_group *group = &ring->groups[op->group];
    struct ring_event event = {.flags = RING_BUFFER, .group = (uint8_t)op->group};
    size_t len = min_u64(readable, group->bytes);
    bool more = ring->facts.multishot && !op->once && !sim_chance(sim, faults->recv_end);
    bool split = sim_chance(sim, faults->recv_split);
    char *memory;

    if (!sim_buffer_take(sim, group, &event.buffer_id)) {
        ring->counts.no_buffers++;
        sim->counts.no_buffers++;
        finish(op, -ENOBUFS);
        return;
    }
    if (split) len = 1 + sim_draw(sim, len);
    memory = sim_buffer_fill(group, event.buffer_id, len);
    sim_link_read(sock->link, sock->side, memory, len);
    sim_buffer_hide(group, event.buffer_id, len);
    event.data = memory;
    event.res = (int32_t)len;
    event.flags |= more ? RING_MORE : more_flag(sock);
    sim_post(op, &event, !more);
    if (more && split && sim_chance(sim, faults->recv_wait)) hold(op);
}

void sim_sock_recv(struct ring *ring, uint32_t index)
{
    struct sim_sock *sock = &ring->socks[index];
    struct sim_op *op = sock->kernel[SIM_OP_RECV];

    while (op != NULL && op->hold_ns <= ring->sim->now_ns) {
        size_t readable = sock->link != NULL ? sim_link_readable(sock->link, sock->side) : 0;

        if (sock->link == NULL) {
            finish(op, -ENOTCONN);
        } else if (readable > 0 && op->drain_len > 0) {
            drain_bytes(op, readable);
        } else if (readable > 0) {
            recv_bytes(op, readable);
        } else if (sock->link->end[sock->side].error != 0) {
            finish(op, -sock->link->end[sock->side].error);
        } else if (sim_link_ended(sock->link, sock->side)) {
            finish(op, 0);
        } else {
            return;
        }
        op = sock->kernel[SIM_OP_RECV];
    }
}

/* --- Send --------------------------------------------------------------------------------- */

static void send_finish(struct sim_op *op, int32_t res)
{
    struct sim_sock *sock = sock_of(op);

    if (!op->quiet || res != (int32_t)op->len) {
        finish(op, res);
        return;
    }
    sock->kernel[SIM_OP_SEND] = NULL;
    if (op->chain != NULL) sim_chain_goes_on(op);
    sim_op_end(op);
}

/* Moves up to `len` of the send's bytes to the wire, as far as there is room. */
static void send_bytes(struct sim_op *op, size_t len)
{
    char piece[SIM_PIECE_BYTES];
    struct sim_sock *sock = sock_of(op);

    sim_check_op_memory(op, "when the peer takes them");
    len = min_u64(len, sim_link_room(sock->link, sock->side));
    while (len > 0) {
        size_t part = min_u64(len, sizeof(piece));

        sim_send_copy(op, op->taken, piece, part);
        sim_link_write(sock->link, sock->side, piece, part);
        op->taken += part;
        len -= part;
    }
}

static int32_t send_errno(struct sim *sim)
{
    return sim_draw(sim, 2) == 0 ? -EPIPE : -ECONNRESET;
}

/* A send that does not wait has ended here; how much was taken, the room and the faults say. */
static void send_what_fits(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;
    double hold_chance = sim->options.faults.quiet_hold;

    send_bytes(op, sim_chance(sim, hold_chance) ? sim_draw(sim, op->len) : op->len);
    send_finish(op, op->taken > 0 || op->len == 0 ? (int32_t)op->taken : -EAGAIN);
}

void sim_sock_send(struct ring *ring, uint32_t index)
{
    struct sim *sim = ring->sim;
    struct sim_sock *sock = &ring->socks[index];
    struct sim_op *op = sock->kernel[SIM_OP_SEND];
    double hold_chance;
    size_t len;

    if (op == NULL || op->hold_ns > sim->now_ns) return;
    if (sock->link == NULL) {
        send_finish(op, -EPIPE);
        return;
    }
    if (sock->link->end[sock->side].error != 0) {
        send_finish(op, op->taken > 0 ? (int32_t)op->taken : send_errno(sim));
        return;
    }
    len = op->len - op->taken;
    if (op->nowait) {
        send_what_fits(op);
        return;
    }
    hold_chance = op->quiet ? sim->options.faults.quiet_hold : sim->options.faults.send_hold;
    if (len > 0 && sim_chance(sim, hold_chance)) {
        send_bytes(op, sim_draw(sim, len)); /* From none to all but one. */
        hold(op);
        return;
    }
    send_bytes(op, len);
    if (op->taken == op->len) send_finish(op, (int32_t)op->len);
}

void sim_send_run(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    const struct sim_faults *faults = &sim->options.faults;

    if (sock->kernel[SIM_OP_SEND] != NULL) {
        sim_fail(sim,
                 "rule 1: a send on socket %u of ring %u while %zu of %zu bytes of a %s are in "
                 "flight",
                 op->sock, op->ring->index,
                 sock->kernel[SIM_OP_SEND]->len - sock->kernel[SIM_OP_SEND]->taken,
                 sock->kernel[SIM_OP_SEND]->len,
                 sock->kernel[SIM_OP_SEND]->quiet ? "quiet send" : "send");
    }
    sock->kernel[SIM_OP_SEND] = op;
    if (sock->link != NULL && sock->link->end[sock->side].error == 0 && op->len > 0) {
        if (sim_chance(sim, faults->send_error)) {
            sim_link_break(sock->link, sock->side);
            send_finish(op, send_errno(sim));
            return;
        }
        if (op->len > 1 && sim_chance(sim, faults->send_short)) {
            send_bytes(op, 1 + sim_draw(sim, op->len - 1));
            sim_link_break(sock->link, sock->side);
            send_finish(op, op->taken > 0 ? (int32_t)op->taken : -EPIPE);
            return;
        }
    }
    sim_sock_send(op->ring, op->sock);
}

/* --- Cancel and close ----------------------------------------------------------------------- */

/* Ends an operation that the kernel holds; false if it completed by itself instead. */
static bool cancel_held(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    uint64_t id = op->id;

    if (sim_chance(sim, sim->options.faults.cancel_lose)) {
        op->hold_ns = 0;
        if (op->kind == SIM_OP_CONNECT && op->has_result) connect_finish(op);
        if (op->kind == SIM_OP_RECV) sim_sock_recv(op->ring, op->sock);
        if (op->kind == SIM_OP_SEND) sim_sock_send(op->ring, op->sock);
        if (sock->kernel[op->kind] != op || op->id != id) return false;
    }
    sim->counts.cancels_won++;
    finish(op, op->taken > 0 ? (int32_t)op->taken : -ECANCELED);
    return true;
}

/* What a cancel is meant for: an operation that the kernel holds. */
static bool is_meant(const struct sim_op *cancel, size_t kind)
{
    return sock_of(cancel)->kernel[kind] != NULL && (!cancel->recv_only || kind == SIM_OP_RECV);
}

/* Acts, and posts the cancel's own event before or after those of what it cancels. */
static void cancel_now(struct sim_op *op)
{
    const struct sim_op meant = *op; /* It may be gone once it is posted. */
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);
    bool first = sim_draw(sim, 2) == 0;
    bool found = false;
    bool won = false;

    for (size_t i = 0; i < SIM_OP_HELD; i++) {
        if (is_meant(&meant, i)) found = true;
    }
    if (first) finish(op, found ? 0 : -ENOENT);
    for (size_t i = 0; i < SIM_OP_HELD; i++) {
        if (is_meant(&meant, i) && cancel_held(sock->kernel[i])) won = true;
    }
    if (!first) finish(op, found ? 0 : -ENOENT);
    if (!won) sim->counts.cancels_lost++;
}

static void cancel_unlink(struct sim_op *op)
{
    struct sim_op **at = &sock_of(op)->cancels;

    while (*at != op) {
        CHECK(*at != NULL);
        at = &(*at)->next;
    }
    *at = op->next;
}

static void cancel_acts(struct sim *sim, void *object, uint64_t id)
{
    struct sim_op *op = object;

    (void)sim;
    if (op->id != id || op->final_posted || !op->ring->open) return;
    cancel_unlink(op);
    cancel_now(op);
}

static void run_cancel(struct sim_op *op)
{
    struct sim *sim = op->ring->sim;
    struct sim_sock *sock = sock_of(op);

    if (!sim_chance(sim, sim->options.faults.cancel_late)) {
        cancel_now(op);
        return;
    }
    op->next = sock->cancels;
    sock->cancels = op;
    sim_event_at(sim, sim->now_ns + sim_lateness(sim), cancel_acts, op, op->id);
}

void sim_sock_drop(struct ring *ring, uint32_t index)
{
    struct sim *sim = ring->sim;
    struct sim_sock *sock = &ring->socks[index];

    if (sock->link != NULL) {
        if (sock->side == 0 && sock->link->end[1].conn != NULL) {
            sim_conn_left(sock->link->end[1].conn);
        }
        sim_link_close(sock->link, sock->side);
        sock->link = NULL;
    }
    if (sock->target != NULL) sim_target_close(sock->target);
    sock->target = NULL;
    if (sock->has_port) sim->ports_now--;
    sock->has_port = false;
    sock->dropped = true;
    sim->sockets_now--;
}

void sim_sock_forget_quiet(struct ring *ring, uint32_t index)
{
    struct sim_sock *sock = &ring->socks[index];

    for (size_t i = 0; i < SIM_OP_HELD; i++) {
        if (sock->kernel[i] == NULL) continue;
        CHECK(sock->kernel[i]->quiet); /* The owner's rules let nothing else come so far. */
        finish(sock->kernel[i], -ECANCELED);
    }
}

static void run_close(struct sim_op *op)
{
    struct sim_sock *sock = sock_of(op);

    while (sock->cancels != NULL) {
        struct sim_op *cancel = sock->cancels;

        sock->cancels = cancel->next;
        op->ring->sim->counts.cancels_lost++;
        finish(cancel, -ENOENT);
    }
    sim_sock_forget_quiet(op->ring, op->sock);
    if (op->reset && sock->link != NULL) sim_link_reset(sock->link, sock->side);
    sim_sock_drop(op->ring, op->sock);
    finish(op, 0);
}

void sim_op_run(struct sim_op *op)
{
    struct sim_sock *sock = sock_of(op);

    switch (op->kind) {
    case SIM_OP_ACCEPT:
        sock->kernel[SIM_OP_ACCEPT] = op;
        sim_sock_accept(op->ring, op->sock);
        return;
    case SIM_OP_CONNECT: sim_connect_run(op); return;
    case SIM_OP_SEND: sim_send_run(op); return;
    case SIM_OP_RECV:
        sock->kernel[SIM_OP_RECV] = op;
        sim_sock_recv(op->ring, op->sock);
        return;
    case SIM_OP_CANCEL: run_cancel(op); return;
    case SIM_OP_CLOSE: run_close(op); return;
    case SIM_OP_SOCKET: sim_chain_run(op); return;
    case SIM_OP_KINDS: break;
    }
    CHECK(op->kind < SIM_OP_KINDS);
}
