/* Peers: what they do with connections and in which order they answer. */
#include "tests/sim/sim_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_conn.h"

enum { RUBBISH_BYTES = 64 };

static const uint64_t drip_ns_default = NS_PER_MS;
#define UNCLEAN_SHARE 0.2 /* Of the ends over TLS. */
#define LEAVE_SHARE   0.7 /* Of the requests that ask for it. */

static const char *const mis_names[SIM_MIS_COUNT] = {
    [SIM_MIS_NONE] = "none",
    [SIM_MIS_SILENT] = "silent",
    [SIM_MIS_RESET_BEFORE] = "reset_before",
    [SIM_MIS_RESET_IN_HEAD] = "reset_in_head",
    [SIM_MIS_RESET_IN_BODY] = "reset_in_body",
    [SIM_MIS_CLOSE_BEFORE] = "close_before",
    [SIM_MIS_CLOSE_IN_HEAD] = "close_in_head",
    [SIM_MIS_CLOSE_IN_BODY] = "close_in_body",
    [SIM_MIS_RUBBISH] = "rubbish",
    [SIM_MIS_ENDLESS_HEAD] = "endless_head",
    [SIM_MIS_ENDLESS_CHUNKS] = "endless_chunks",
    [SIM_MIS_EXTRA_AFTER] = "extra_after",
    [SIM_MIS_EXTRA_IDLE] = "extra_idle",
    [SIM_MIS_INTERIM_FLOOD] = "interim_flood",
    [SIM_MIS_DRIP] = "drip",
};

const char *sim_mis_name(enum sim_mis mis)
{
    CHECK(mis < SIM_MIS_COUNT);
    return mis_names[mis];
}

/* --- Peers -------------------------------------------------------------------------------- */

struct sim_peer *sim_peer_new(struct sim *sim, const struct sockaddr *address,
                              socklen_t address_len, const struct sim_behaviour *behaviour)
{
    struct sim_peer *peer = sim_alloc(sim, sizeof(*peer));

    peer->sim = sim;
    peer->target = sim_target_new(sim, address, address_len);
    peer->target->peer = peer;
    peer->behaviour = *behaviour;
    return peer;
}

struct sim_peer *sim_peer_new_local(struct sim *sim, uint16_t port,
                                    const struct sim_behaviour *behaviour,
                                    struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (ret_address != NULL) *ret_address = address;
    return sim_peer_new(sim, (const struct sockaddr *)&address, sizeof(address), behaviour);
}

void sim_peer_set(struct sim_peer *peer, const struct sim_behaviour *behaviour)
{
    bool was_deaf = peer->behaviour.deaf;

    peer->behaviour = *behaviour;
    if (!was_deaf || behaviour->deaf) return;
    for (struct sim_conn *conn = peer->conns; conn != NULL; conn = conn->next) {
        if (!conn->closed) sim_conn_readable(conn);
    }
}

void sim_peer_set_tls(struct sim_peer *peer, struct tls_ctx *ctx, bool in_tunnel)
{
    peer->tls = ctx;
    peer->tls_in_tunnel = in_tunnel;
}

void sim_peer_end_tls(struct sim_peer *peer)
{
    for (struct sim_conn *conn = peer->conns; conn != NULL; conn = conn->next) {
        if (conn->tls != NULL) sim_tls_end(conn);
    }
}

const struct sim_peer_counts *sim_peer_counts(const struct sim_peer *peer)
{
    return &peer->counts;
}

const struct sim_request *sim_peer_requests(const struct sim_peer *peer, size_t *ret_count)
{
    *ret_count = peer->requests_count;
    return peer->requests;
}

int sim_peer_connect(struct sim_peer *peer, uint64_t *ret_delay_ns)
{
    *ret_delay_ns = peer->behaviour.connect_delay_ns;
    switch (peer->behaviour.connect) {
    case SIM_CONNECT_OK: return 0;
    case SIM_CONNECT_REFUSE: peer->counts.refused++; return -ECONNREFUSED;
    case SIM_CONNECT_ERRNO: peer->counts.refused++; return -peer->behaviour.connect_errno;
    case SIM_CONNECT_BLACK_HOLE: break;
    }
    return 1;
}

/* --- Ends --------------------------------------------------------------------------------- */

static void answer_drop(struct sim_conn *conn)
{
    struct sim_answer *answer = conn->answers;

    conn->answers = answer->next;
    if (conn->answers == NULL) conn->answers_tail = NULL;
    answer->next = conn->peer->answers_free;
    conn->peer->answers_free = answer;
}

/* The peer's end of the connection goes; what it owed is dropped. */
static void conn_close(struct sim_conn *conn, bool reset)
{
    bool broken = conn->link->end[1].error != 0;

    if (conn->closed) return;
    while (conn->answers != NULL) {
        answer_drop(conn);
    }
    if (conn->tls != NULL && !reset && !broken && !conn->parting) {
        conn->parting = true;
        /* Servers that do not say that they close are all over the place. */
        if (!sim_chance(conn->peer->sim, UNCLEAN_SHARE)) sim_tls_shutdown(conn);
    }
    if (conn->parting && !reset && !broken && !sim_tls_pump(conn)) return;
    conn->closed = true;
    if (reset) {
        sim_link_reset(conn->link, 1);
    } else {
        sim_link_close(conn->link, 1);
    }
    sim_fifo_take(conn->peer->sim, &conn->head, NULL, conn->head.len);
    if (conn->tls != NULL) sim_tls_end(conn);
}

void sim_peer_kill(struct sim_peer *peer)
{
    for (struct sim_conn *conn = peer->conns; conn != NULL; conn = conn->next) {
        conn_close(conn, true);
    }
}

void sim_conn_left(struct sim_conn *conn)
{
    if (conn->left) return;
    conn->left = true;
    conn->peer->counts.connections_now--;
}

/* --- Answering ---------------------------------------------------------------------------- */

static size_t conn_room(const struct sim_conn *conn)
{
    return conn->tls != NULL ? sim_tls_room(conn) : sim_link_room(conn->link, 1);
}

static void conn_write(struct sim_conn *conn, const char *bytes, size_t len)
{
    if (conn->tls != NULL) {
        sim_tls_write(conn, bytes, len);
    } else {
        sim_link_write(conn->link, 1, bytes, len);
    }
    conn->peer->counts.bytes_out += len;
}

/* Unasked-for bytes on an idle connection, if the requests have not gone on. */
static void extra_comes(struct sim *sim, void *object, uint64_t requests)
{
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct sim_conn *conn = object;
    char bytes[RUBBISH_BYTES];
    size_t len = 0;

    (void)sim;
    if (conn->closed || conn->parting || conn->requests != requests || conn->left) return;
    if (conn->peer->behaviour.extra_is_response) {
        len = sizeof(response) - 1;
        memcpy(bytes, response, len);
    } else {
        len = sim_rubbish(conn->peer, bytes, sizeof(bytes));
    }
    len = min_u64(len, conn_room(conn));
    conn->peer->counts.extras++;
    conn_write(conn, bytes, len);
}

static void idle_over(struct sim *sim, void *object, uint64_t requests)
{
    struct sim_conn *conn = object;

    (void)sim;
    if (!conn->closed && conn->requests == requests && conn->answers == NULL) {
        conn_close(conn, false);
    }
}

static void conn_idles(struct sim_conn *conn)
{
    struct sim *sim = conn->peer->sim;
    uint64_t close_ns = conn->peer->behaviour.idle_close_ns;

    if (close_ns != 0) {
        sim_event_at(sim, sim->now_ns + close_ns, idle_over, conn, conn->requests);
    }
}

/* All that there will be of the oldest answer is written. */
static void answer_over(struct sim_conn *conn)
{
    struct sim_peer *peer = conn->peer;
    struct sim *sim = peer->sim;
    const struct sim_answer *answer = conn->answers;
    struct sim_request *request = &peer->requests[answer->request];
    enum sim_ending ending = answer->ending;
    bool cut = answer->wire_left != UINT64_MAX || ending == SIM_ENDING_STALL;

    if (!cut) {
        peer->counts.answers++;
        peer->counts.status[answer->status % COUNT(peer->counts.status)]++;
        request->status = answer->status;
        request->answered_ns = sim->now_ns;
        sim_trace(sim, SIM_TRACE_ANSWER,
                  (uint64_t[SIM_TRACE_VALUES]){conn->number, answer->status});
    }
    if (answer->mis == SIM_MIS_EXTRA_IDLE) {
        sim_event_at(sim, sim->now_ns + peer->behaviour.extra_idle_ns, extra_comes, conn,
                     conn->requests);
    }
    if (!cut && peer->tls != NULL && conn->tls == NULL && answer->status == 200 &&
        strcmp(request->method, "CONNECT") == 0) {
        sim_tls_begin(conn);
    }
    answer_drop(conn);
    conn->stalled = ending == SIM_ENDING_STALL;
    if (ending == SIM_ENDING_CLOSE || ending == SIM_ENDING_RESET) {
        conn_close(conn, ending == SIM_ENDING_RESET);
    } else if (conn->answers == NULL && conn->ended) {
        conn_close(conn, false);
    } else if (conn->answers == NULL) {
        conn_idles(conn);
    }
}

static void conn_goes_on(struct sim *sim, void *object, uint64_t arg)
{
    (void)sim;
    (void)arg;
    sim_conn_writable(object);
}

void sim_conn_writable(struct sim_conn *conn)
{
    struct sim_peer *peer = conn->peer;
    struct sim *sim = peer->sim;
    char bytes[SIM_PIECE_BYTES];

    if (!conn->closed && conn->link->end[1].error != 0) conn_close(conn, false);
    if (!conn->closed && conn->tls != NULL && sim_tls_pump(conn) && conn->parting) {
        conn_close(conn, false);
    }
    while (!conn->closed && !conn->stalled && conn->answers != NULL) {
        struct sim_answer *answer = conn->answers;
        bool drips = answer->mis == SIM_MIS_DRIP;
        size_t room = conn_room(conn);
        size_t len;

        if (sim->now_ns < answer->at_ns) return; /* An event will come. */
        if (sim_answer_is_over(conn, answer)) {
            answer_over(conn);
            continue;
        }
        if (room == 0 || (drips && sim->now_ns < conn->drip_next_ns)) return;
        len = sim_answer_bytes(conn, answer, bytes, drips ? 1 : min_u64(room, sizeof(bytes)));
        conn_write(conn, bytes, len);
        if (drips) {
            uint64_t drip_ns = peer->behaviour.drip_ns;

            conn->drip_next_ns = sim->now_ns + (drip_ns != 0 ? drip_ns : drip_ns_default);
            sim_event_at(sim, conn->drip_next_ns, conn_goes_on, conn, 0);
        }
    }
}

/* --- Hearing ------------------------------------------------------------------------------ */

static uint64_t text_hash(const char *text)
{
    return sim_hash_bytes(0, text, strlen(text));
}

static void request_done(struct sim_conn *conn)
{
    struct sim_peer *peer = conn->peer;
    struct sim *sim = peer->sim;
    struct sim_answer *answer;

    conn->in_body = false;
    conn->requests++;
    conn->request.arrived_ns = sim->now_ns;
    peer->counts.requests++;
    peer->requests = sim_grow(sim, peer->requests, peer->requests_count, &peer->requests_capacity,
                              sizeof(*peer->requests));
    answer = conn->stalled ? NULL : sim_answer_new(conn, &conn->request, conn->request_close);
    conn->request.mis = (uint8_t)(answer != NULL ? answer->mis : SIM_MIS_NONE);
    peer->counts.mis[conn->request.mis]++;
    peer->requests[peer->requests_count] = conn->request;
    sim_trace(sim, SIM_TRACE_REQUEST,
              (uint64_t[SIM_TRACE_VALUES]){conn->number, text_hash(conn->request.path),
                                           text_hash(conn->request.id), conn->request.body_bytes,
                                           conn->request.mis});
    if (answer != NULL) {
        answer->request = peer->requests_count;
        if (conn->answers_tail != NULL) conn->answers_tail->next = answer;
        if (conn->answers == NULL) conn->answers = answer;
        conn->answers_tail = answer;
        answer->next = NULL;
        sim_event_at(sim, answer->at_ns, conn_goes_on, conn, 0);
    }
    peer->requests_count++;
}

/* Bytes of `data` up to the end of a head, if it is there; sets `*ret_done`. */
static size_t head_bytes(struct sim_conn *conn, const char *data, size_t len, bool *ret_done)
{
    size_t i = 0;

    while (i < len && conn->line_ends < 4) {
        char c = data[i++];

        if (c == '\r') {
            conn->line_ends = conn->line_ends == 2 ? 3 : 1;
        } else if (c == '\n' && (conn->line_ends & 1) != 0) {
            conn->line_ends++;
        } else {
            conn->line_ends = 0;
        }
    }
    *ret_done = conn->line_ends == 4;
    return i;
}

/* Says 100, mostly; else the answer is the final one, and the body is not read. */
static void give_leave(struct sim_conn *conn)
{
    static const char leave[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (sim_chance(conn->peer->sim, LEAVE_SHARE) && conn_room(conn) >= sizeof(leave) - 1) {
        conn_write(conn, leave, sizeof(leave) - 1);
    } else {
        conn->body_left = 0;
        conn->withheld = true;
    }
}

void sim_conn_hear(struct sim_conn *conn, const char *data, size_t len)
{
    struct sim *sim = conn->peer->sim;
    char head[SIM_HEAD_BYTES];

    while (len > 0 && !conn->withheld) {
        bool done = false;
        size_t part;

        if (conn->in_body) {
            part = min_u64(conn->body_left, len);
            conn->body_left -= part;
        } else {
            part = head_bytes(conn, data, len, &done);
            sim_fifo_put(sim, &conn->head, data, part);
            if (conn->head.len > sizeof(head)) sim_fail(sim, "a request head over 16 KiB");
        }
        if (done) {
            size_t head_len = conn->head.len;

            sim_fifo_take(sim, &conn->head, head, head_len);
            conn->line_ends = 0;
            sim_request_parse(conn, head, head_len);
            conn->in_body = true;
            if (conn->expects) give_leave(conn);
        }
        if (conn->in_body && conn->body_left == 0) request_done(conn);
        data += part;
        len -= part;
    }
}

void sim_conn_readable(struct sim_conn *conn)
{
    char bytes[SIM_PIECE_BYTES];

    while (!conn->closed && !conn->peer->behaviour.deaf) {
        size_t len = min_u64(sim_link_readable(conn->link, 1), sizeof(bytes));

        if (len == 0) break;
        sim_link_read(conn->link, 1, bytes, len);
        conn->peer->counts.bytes_in += len;
        if (conn->tls == NULL) {
            sim_conn_hear(conn, bytes, len);
        } else if (!conn->parting && !sim_tls_hear(conn, bytes, len)) {
            conn_close(conn, false);
        }
    }
    if (conn->closed) return;
    if (conn->link->end[1].error != 0) {
        conn_close(conn, false);
    } else if (sim_link_ended(conn->link, 1)) {
        conn->ended = true;
        if (conn->answers == NULL || conn->stalled) conn_close(conn, false);
    }
}

void sim_peer_accept(struct sim_peer *peer, struct sim_link *link)
{
    struct sim_conn *conn = sim_alloc(peer->sim, sizeof(*conn));
    struct sim_peer_counts *counts = &peer->counts;
    char bytes[RUBBISH_BYTES];

    conn->peer = peer;
    conn->link = link;
    conn->next = peer->conns;
    peer->conns = conn;
    link->end[1].conn = conn;
    conn->number = (uint32_t)++counts->connections;
    counts->connections_now++;
    if (counts->connections_now > counts->connections_max) {
        counts->connections_max = counts->connections_now;
    }
    if (peer->tls != NULL && !peer->tls_in_tunnel) sim_tls_begin(conn);
    switch (peer->behaviour.greeting) {
    case SIM_GREET_NONE: conn_idles(conn); break;
    case SIM_GREET_RESET: conn_close(conn, true); break;
    case SIM_GREET_CLOSE: conn_close(conn, false); break;
    case SIM_GREET_RUBBISH:
        counts->extras++;
        sim_link_write(link, 1, bytes,
                       min_u64(sim_rubbish(peer, bytes, sizeof(bytes)), sim_link_room(link, 1)));
        break;
    }
}
