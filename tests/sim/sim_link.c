/* A connection: two pipes with latency, a window each, an end and a reset. Which side is a ring's
 * socket and which a peer does not matter here. */
#include "tests/sim/sim_link.h"

#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_kernel.h"

struct sim_link *sim_link_new(struct sim *sim)
{
    struct sim_link *link = sim_alloc(sim, sizeof(*link));

    link->sim = sim;
    return link;
}

static void notify_readable(struct sim_link *link, unsigned side)
{
    const struct sim_end *end = &link->end[side];

    if (end->closed) return;
    if (end->ring != NULL) sim_sock_recv(end->ring, end->sock);
    if (end->conn != NULL) sim_conn_readable(end->conn);
}

static void notify_writable(struct sim_link *link, unsigned side)
{
    const struct sim_end *end = &link->end[side];

    if (end->closed) return;
    if (end->ring != NULL) sim_sock_send(end->ring, end->sock);
    if (end->conn != NULL) sim_conn_writable(end->conn);
}

/* When what `side` sends now arrives. */
static uint64_t arrival_ns(struct sim_link *link, unsigned side)
{
    struct sim_pipe *pipe = &link->pipe[side];

    pipe->last_ns = max_u64(pipe->last_ns, link->sim->now_ns + sim_latency(link->sim));
    return pipe->last_ns;
}

static void reset_arrives(struct sim *sim, void *object, uint64_t side)
{
    struct sim_link *link = object;
    struct sim_end *end = &link->end[side];

    if (end->closed || end->error != 0) return;
    sim_trace(sim, SIM_TRACE_RESET,
              (uint64_t[SIM_TRACE_VALUES]){side, end->ring != NULL ? end->ring->index : 0,
                                           end->ring != NULL ? end->sock : 0});
    end->error = ECONNRESET;
    notify_readable(link, (unsigned)side);
    notify_writable(link, (unsigned)side);
}

static void send_reset(struct sim_link *link, unsigned from_side)
{
    sim_event_at(link->sim, arrival_ns(link, from_side), reset_arrives, link, 1 - from_side);
}

/* `arg`: the writer's side in bit 0, the number of bytes above it. */
static void bytes_arrive(struct sim *sim, void *object, uint64_t arg)
{
    struct sim_link *link = object;
    unsigned writer = arg & 1;
    unsigned reader = 1 - writer;
    struct sim_pipe *pipe = &link->pipe[writer];
    size_t len = min_u64(arg >> 1, pipe->bytes.len);

    if (link->end[reader].closed) {
        sim_fifo_take(sim, &pipe->bytes, NULL, len);
        if (!link->end[writer].closed) send_reset(link, reader);
        return;
    }
    if (link->end[reader].error != 0) return;
    pipe->arrived += len;
    notify_readable(link, reader);
}

static void fin_arrives(struct sim *sim, void *object, uint64_t writer)
{
    struct sim_link *link = object;

    (void)sim;
    link->pipe[writer].fin_arrived = true;
    notify_readable(link, 1 - (unsigned)writer);
}

static void break_now(struct sim *sim, void *object, uint64_t side)
{
    (void)sim;
    sim_link_break(object, (unsigned)side);
}

size_t sim_link_room(const struct sim_link *link, unsigned side)
{
    size_t used = link->pipe[side].bytes.len;
    size_t window = link->sim->options.window_bytes;

    return used < window ? window - used : 0;
}

void sim_link_write(struct sim_link *link, unsigned side, const void *data, size_t len)
{
    struct sim *sim = link->sim;
    const struct sim_faults *faults = &sim->options.faults;

    CHECK(len <= sim_link_room(link, side));
    CHECK(!link->pipe[side].fin_sent);
    sim_fifo_put(sim, &link->pipe[side].bytes, data, len);
    while (len > 0) {
        size_t part = len;

        if (sim_chance(sim, faults->segment_split)) part = 1 + sim_draw(sim, len);
        sim_event_at(sim, arrival_ns(link, side), bytes_arrive, link, part << 1 | side);
        if (sim_chance(sim, faults->net_reset)) {
            sim_event_at(sim, arrival_ns(link, side), break_now, link, side);
        }
        len -= part;
    }
}

size_t sim_link_readable(const struct sim_link *link, unsigned side)
{
    return link->pipe[1 - side].arrived;
}

static void room_came(struct sim *sim, void *object, uint64_t side)
{
    (void)sim;
    notify_writable(object, (unsigned)side);
}

void sim_link_read(struct sim_link *link, unsigned side, void *data, size_t len)
{
    struct sim_pipe *pipe = &link->pipe[1 - side];
    bool was_full = sim_link_room(link, 1 - side) == 0;

    CHECK(len <= pipe->arrived);
    sim_fifo_take(link->sim, &pipe->bytes, data, len);
    pipe->arrived -= len;
    /* As an event, so that reader and writer never call each other in a circle. */
    if (was_full && len > 0) {
        sim_event_at(link->sim, link->sim->now_ns, room_came, link, 1 - side);
    }
}

void sim_link_drain(struct sim_link *link, unsigned side, void *into, size_t len)
{
    char piece[SIM_PIECE_BYTES];

    for (size_t done = 0; done < len;) {
        size_t part = min_u64(len - done, sizeof(piece));

        sim_link_read(link, side, piece, part);
        if (into != NULL) memcpy((char *)into + done, piece, part);
        done += part;
        for (size_t i = 0; link->sim->options.strict_drain && i < part; i++) {
            if (piece[i] >= 'a' && piece[i] <= 'z') continue;
            sim_fail(link->sim, "a drain took byte %u, which is of no body",
                     (unsigned char)piece[i]);
        }
    }
}

bool sim_link_ended(const struct sim_link *link, unsigned side)
{
    return link->pipe[1 - side].fin_arrived && link->pipe[1 - side].arrived == 0;
}

void sim_link_fin(struct sim_link *link, unsigned side)
{
    if (link->pipe[side].fin_sent) return;
    link->pipe[side].fin_sent = true;
    sim_event_at(link->sim, arrival_ns(link, side), fin_arrives, link, side);
}

static void forget_end(struct sim_link *link, unsigned side)
{
    struct sim_pipe *pipe = &link->pipe[1 - side];

    link->end[side].closed = true;
    link->end[side].ring = NULL;
    sim_fifo_take(link->sim, &pipe->bytes, NULL, pipe->arrived);
    pipe->arrived = 0;
}

void sim_link_close(struct sim_link *link, unsigned side)
{
    bool unread = link->pipe[1 - side].arrived > 0;

    if (link->end[side].closed) return;
    if (link->end[side].error == 0) {
        if (unread) {
            send_reset(link, side);
        } else {
            sim_link_fin(link, side);
        }
    }
    forget_end(link, side);
}

void sim_link_reset(struct sim_link *link, unsigned side)
{
    if (link->end[side].closed) return;
    if (link->end[side].error == 0) send_reset(link, side);
    forget_end(link, side);
}

void sim_link_break(struct sim_link *link, unsigned side)
{
    send_reset(link, side);
    /* By an event for this side too: its owner may be in the middle of a call. */
    sim_event_at(link->sim, link->sim->now_ns, reset_arrives, link, side);
}
