/* conn: the life of a connection and its dealings with the kernel. */
#include "io/conn_table.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_tls.h"
#include "io/pool.h"

/* How long a connection whose last answer has come waits for the peer to close it. */
#define CLOSE_WAIT_NS (20 * NS_PER_MS)
/* When a cancel that left something in flight is repeated. What it did not reach was completing
 * already, so its completion comes by itself; this is for a kernel that forgets. */
#define RECANCEL_NS (100 * NS_PER_MS)

enum { FLIGHT_DATA = FLIGHT_CONNECT | FLIGHT_SEND | FLIGHT_RECV };

#define BIT(state) (1u << CONN_##state)
const uint8_t conn_legal[CONN_STATE_COUNT] = {
    [CONN_FREE] = BIT(CONNECTING),
    [CONN_CONNECTING] = BIT(TUNNELING) | BIT(HANDSHAKING) | BIT(IDLE) | BIT(CLOSING),
    [CONN_TUNNELING] = BIT(HANDSHAKING) | BIT(IDLE) | BIT(CLOSING),
    [CONN_HANDSHAKING] = BIT(IDLE) | BIT(CLOSING),
    [CONN_IDLE] = BIT(SENDING) | BIT(CLOSING),
    [CONN_SENDING] = BIT(RECEIVING) | BIT(CLOSING),
    [CONN_RECEIVING] = BIT(IDLE) | BIT(SENDING) | BIT(CLOSING),
    [CONN_CLOSING] = BIT(FREE),
};
#undef BIT

bool conn_table_init(struct conn_table *table, struct arena *arena)
{
    struct conn_request *windows;

    CHECK(table->count > 0 && table->count < OP_SLOTS_MAX);
    CHECK(table->window_size > 0 && (table->window_size & (table->window_size - 1)) == 0);
    CHECK(table->window_max > 0 && table->window_max <= table->window_size);
    table->conns = arena_array(arena, table->count, sizeof(struct conn));
    table->carry = arena_array(arena, table->count, table->head_bytes_max);
    table->parked = arena_array(arena, table->count, sizeof(uint32_t));
    windows = arena_array(arena, (size_t)table->count * table->window_size, sizeof(*windows));
    if (table->conns == NULL || table->carry == NULL || windows == NULL || table->parked == NULL) {
        return false;
    }
    table->free_first = NULL;
    table->free_count = table->count;
    for (uint32_t i = table->count; i-- > 0;) {
        struct conn *conn = &table->conns[i];

        conn->slot = i;
        conn->requests_max = table->requests_max;
        conn->window = windows + (size_t)i * table->window_size;
        conn->timer.kind = TIMER_CONN;
        conn->idle_next = table->free_first;
        table->free_first = conn;
    }
    table->ring_counts = ring_counts(table->ring);
    return true;
}

/* Makes the socket and queues the connect, for a slot that nothing in the kernel names. */
static int begin_connect(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    struct pool *pool = conn->pool;
    const struct address *address = pool_destination(pool, conn);
    int family = address->storage.ss_family;
    const struct address *source = pool_source(pool, conn, family);
    int rc = ring_sock_open(table->ring, conn->slot, family,
                            source != NULL ? (const struct sockaddr *)&source->storage : NULL,
                            source != NULL ? source->len : 0);

    (*pool->counts.connects)++;
    if (rc != 0) return rc;
    conn_to(conn, CONN_CONNECTING);
    pool_connect_begun(pool);
    conn->begun_ns = now_ns;
    ring_connect(table->ring, conn->slot, (const struct sockaddr *)&address->storage, address->len,
                 conn_op(conn, OP_CONNECT));
    conn->flight = FLIGHT_CONNECT;
    timers_set(table->timers, &conn->timer, now_ns + table->connect_timeout_ns);
    return 0;
}

static void free_slot(struct conn_table *table, struct conn *conn)
{
    conn->pool->slots_used--;
    conn->pool = NULL;
    conn->idle_next = table->free_first;
    table->free_first = conn;
    table->free_count++;
}

enum failed_class conn_class_of_connect(const struct conn *conn, int errno_value)
{
    return failed_of_connect(conn->addresses->list[conn->address].storage.ss_family, errno_value);
}

/* Has another attempt made of which the pool knows, when it is its turn; false if that is now. */
static bool wait_for_turn(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    if (likely(table->pace.interval_ns == 0)) return false;
    timers_set(table->timers, &conn->timer, pace_reserve(&table->pace, now_ns));
    return true;
}

/* Begins to connect at conn->address or, where not even a socket can be made for it, at the
 * addresses after it. The slot is FREE for good when all refuse. */
static void connect_or_free(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    bool again = true;

    while (again) {
        int rc = begin_connect(table, conn, now_ns);

        if (rc == 0) return;
        again = pool_connect_failed(conn->pool, conn, conn_class_of_connect(conn, -rc), now_ns);
        if (again && wait_for_turn(table, conn, now_ns)) return;
    }
    conn->pool->connecting--;
    free_slot(table, conn);
}

void conn_open(struct conn_table *table, struct pool *pool, uint64_t now_ns)
{
    struct conn *conn = table->free_first;

    CHECK(conn != NULL && conn->state == CONN_FREE && conn->flight == 0);
    table->free_first = conn->idle_next;
    table->free_count--;
    conn->idle_next = NULL;
    conn->pool = pool;
    conn->addresses = pool->addresses;
    conn->address = pool->address_next;
    conn->addresses_tried = 0;
    conn->sources_tried = 0;
    pool->slots_used++;
    pool->connecting++;
    connect_or_free(table, conn, now_ns);
}

/* Takes CLOSING one step on: cancel what is in flight, then close, then free. */
void conn_closing_step(struct conn_table *table, struct conn *conn)
{
    if (conn->flight & (FLIGHT_CANCEL | FLIGHT_CLOSE)) return;
    if (conn->flight & FLIGHT_DATA) {
        /* The peer is given a moment to close, or what a cancel missed to complete. */
        if (timer_is_armed(&conn->timer)) return;
        if (conn->tls != NULL) conn_tls_say_goodbye(table, conn);
        ring_cancel(table->ring, conn->slot, conn_op(conn, OP_CANCEL));
        conn->flight |= FLIGHT_CANCEL;
        conn->cancelled = true;
        return;
    }
    timers_cancel(table->timers, &conn->timer);
    if (conn->tls != NULL) conn_tls_say_goodbye(table, conn);
    ring_close_sock(table->ring, conn->slot, conn_op(conn, OP_CLOSE));
    conn->flight |= FLIGHT_CLOSE;
}

static void enter_closing(struct conn_table *table, struct conn *conn)
{
    if (conn->state < CONN_IDLE && !conn->retry && !conn->chained) conn->pool->connecting--;
    pool_idle_remove(conn->pool, conn);
    timers_cancel(table->timers, &conn->timer);
    if (conn->body != NULL && conn->window_count == 0) (*table->counts.bodies_unsent)++;
    conn->owed = conn->body; /* The kernel may still read what is being sent. */
    conn->body = NULL;
    conn_to(conn, CONN_CLOSING);
}

void conn_close(struct conn_table *table, struct conn *conn)
{
    if (conn->state == CONN_CLOSING) {
        if (conn->retry) conn->pool->connecting--;
        conn->retry = false;
        return;
    }
    enter_closing(table, conn);
    conn_closing_step(table, conn);
}

void conn_close_after_peer(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    if (conn->state == CONN_CLOSING) return;
    /* By this receive we see the peer's close. */
    if (!(conn->flight & FLIGHT_RECV) && !conn->peer_ended) conn_arm_recv(table, conn);
    enter_closing(table, conn);
    if (conn->flight & FLIGHT_RECV) {
        timers_set(table->timers, &conn->timer, now_ns + CLOSE_WAIT_NS);
    }
    conn_closing_step(table, conn);
}

void conn_reset(struct conn_table *table, struct conn *conn)
{
    CHECK(conn->state == CONN_CLOSING && conn->flight == 0 && conn->window_count == 0);
    conn_to(conn, CONN_FREE);
    conn_body_over(conn->owed);
    conn->owed = NULL;
    if (conn->tls != NULL) conn_tls_free(conn);
    conn->generation++;
    conn->part = PART_HEAD;
    conn->carry_len = 0;
    conn->body_bytes = 0;
    conn->first_ns = 0;
    conn->interim_count = 0;
    conn->send_data = NULL;
    conn->send_error = 0;
    conn->retry = false;
    conn->cancelled = false;
    conn->window_first = 0;
    conn->requests_max = table->requests_max;
    if (conn->connected) (*table->counts.alive)--;
    conn->connected = false;
    conn->chained = false;
    conn->early = false;
    conn->peer_ended = false;
}

/* The close's completion: nothing in the kernel names the slot any more. */
static void on_closed(struct conn_table *table, struct conn *conn)
{
    bool retry = conn->retry;
    uint64_t now_ns;

    conn_reset(table, conn);
    if (!retry) {
        free_slot(table, conn);
        return;
    }
    now_ns = clock_now_ns();
    if (!wait_for_turn(table, conn, now_ns)) connect_or_free(table, conn, now_ns);
}

void conn_connect_failed(struct conn_table *table, struct conn *conn, enum failed_class why,
                         uint64_t now_ns)
{
    struct conn_request request;

    table->owner.connect_ended(table->owner.self, conn, now_ns, false);
    if (conn_take(table, conn, &request)) {
        pool_chain_failed(conn->pool, conn, &request, why, now_ns);
    } else {
        conn->retry = pool_connect_failed(conn->pool, conn, why, now_ns);
    }
    conn_close(table, conn);
}

void conn_ready(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    conn_to(conn, CONN_IDLE);
    pool_ready(conn->pool, conn);
    table->owner.ready(table->owner.self, conn, now_ns);
}

void conn_established(struct conn_table *table, struct conn *conn)
{
    uint64_t now_ns = clock_now_ns();

    timers_cancel(table->timers, &conn->timer);
    pool_connected(conn->pool, conn);
    table->owner.connect_ended(table->owner.self, conn, now_ns, true);
    if (conn->pool->tls != NULL) {
        conn_tls_begin(table, conn, now_ns);
    } else {
        conn_ready(table, conn, now_ns);
    }
}

static void on_connected(struct conn_table *table, struct conn *conn)
{
    conn->connected = true;
    if (++*table->counts.alive > *table->counts.alive_max) {
        *table->counts.alive_max = *table->counts.alive;
    }
    if (conn->chained) {
        conn_chain_connected(table, conn);
        return;
    }
    conn_arm_recv(table, conn);
    if (conn->pool->tunnel != NULL) {
        conn_tunnel_begin(table, conn);
    } else {
        conn_established(table, conn);
    }
}

static void on_connect(struct conn_table *table, struct conn *conn, int32_t res)
{
    conn->flight &= (uint8_t)~FLIGHT_CONNECT;
    pool_connect_done(conn->pool, conn);
    if (conn->state == CONN_CLOSING) {
        conn_closing_step(table, conn);
    } else if (res == 0) {
        on_connected(table, conn);
    } else {
        conn_connect_failed(table, conn, conn_class_of_connect(conn, -res), clock_now_ns());
    }
}

static void on_cancel(struct conn_table *table, struct conn *conn)
{
    bool closing = conn->state == CONN_CLOSING;

    conn->flight &= (uint8_t)~FLIGHT_CANCEL;
    if (!closing) return;
    /* A cancel from before CLOSING may have missed what was started since: cancel again, once. */
    if ((conn->flight & FLIGHT_DATA) && conn->cancelled) {
        timers_set(table->timers, &conn->timer, clock_now_ns() + RECANCEL_NS);
    }
    if (conn->flight != 0 || !conn_chain(table, conn)) conn_closing_step(table, conn);
}

void conn_event(struct conn_table *table, const struct ring_event *event)
{
    struct conn *conn = &table->conns[op_slot_of(event->user_data)];
    bool current = op_generation_of(event->user_data) == conn->generation;

    DCHECK(op_slot_of(event->user_data) < table->count);
    switch (op_kind_of(event->user_data)) {
    case OP_RECV:
        CHECK(current);
        conn_on_recv(table, conn, event);
        return;
    case OP_DRAIN:
        CHECK(current);
        conn_on_drain(table, conn, event);
        return;
    case OP_SEND:
        CHECK(current);
        conn_on_send(table, conn, event->res);
        return;
    case OP_SEND_QUIET: /* Only failures come, and they may come late. */
        if (current) conn_on_quiet(table, conn, event->res);
        return;
    case OP_SOCKET: /* Only a failure comes. */
        CHECK(current);
        conn_chain_no_socket(table, conn, -event->res);
        return;
    case OP_CONNECT:
        CHECK(current);
        on_connect(table, conn, event->res);
        return;
    case OP_CANCEL:
        CHECK(current);
        on_cancel(table, conn);
        return;
    case OP_CLOSE:
        CHECK(current);
        conn->flight &= (uint8_t)~FLIGHT_CLOSE;
        on_closed(table, conn);
        return;
    }
    UNREACHABLE("a completion of unknown kind");
}

/* Which of the outstanding requests is overdue first. */
struct urgent {
    uint32_t at; /* Counted from the oldest. */
    uint64_t deadline_ns;
    enum failed_class why;
};

static struct urgent most_urgent(const struct conn_table *table, const struct conn *conn)
{
    const struct conn_request *oldest = conn_oldest(table, conn);
    uint64_t timeout_ns = conn_bound_ns(table, oldest->bound);
    struct urgent urgent = {.deadline_ns = oldest->sent_ns + timeout_ns, .why = FAILED_TIMEOUT};

    if (conn->state == CONN_SENDING && table->first_byte_timeout_ns < timeout_ns) {
        urgent.why = FAILED_FIRST_BYTE_TIMEOUT;
        urgent.deadline_ns = oldest->sent_ns + table->first_byte_timeout_ns;
    }
    /* Of requests that all have as long the oldest is overdue first. */
    for (uint32_t i = 1; table->bounds_ns != NULL && i < conn->window_count; i++) {
        const struct conn_request *request =
            &conn->window[(conn->window_first + i) & (table->window_size - 1)];
        uint64_t deadline_ns = request->sent_ns + conn_bound_ns(table, request->bound);

        if (deadline_ns >= urgent.deadline_ns) continue;
        urgent = (struct urgent){.at = i, .deadline_ns = deadline_ns, .why = FAILED_TIMEOUT};
    }
    return urgent;
}

/* The request at `urgent` is overdue; those before and behind it end with its connection. */
static void fail_overdue(struct conn_table *table, struct conn *conn, const struct urgent *urgent,
                         uint64_t now_ns)
{
    struct conn_request request;

    if (urgent->at > 0) conn_close(table, conn);
    for (uint32_t i = 0; i < urgent->at; i++) {
        bool taken = conn_take(table, conn, &request);

        CHECK(taken);
        table->owner.failed(table->owner.self, conn, &request, FAILED_NOT_PROCESSED, now_ns);
    }
    conn_fail(table, conn, urgent->why, now_ns);
}

void conn_timer(struct conn_table *table, struct timer *timer, uint64_t now_ns)
{
    struct conn *conn = container_of(timer, struct conn, timer);
    struct urgent urgent;

    if (unlikely(conn->early) && conn->state != CONN_CLOSING &&
        !conn_tls_early_timer(table, conn, now_ns)) {
        return;
    }
    switch ((enum conn_state)conn->state) {
    case CONN_FREE: connect_or_free(table, conn, now_ns); return;
    case CONN_CONNECTING:
    case CONN_TUNNELING: conn_connect_failed(table, conn, FAILED_CONNECT_TIMEOUT, now_ns); return;
    case CONN_HANDSHAKING: conn_tls_fail(table, conn, FAILED_TLS_TIMEOUT, now_ns); return;
    case CONN_CLOSING: conn_closing_step(table, conn); return;
    case CONN_IDLE:
        /* Answered before all of the request was sent, and the rest does not go out. */
        if ((conn->flight & FLIGHT_SEND) || conn->body != NULL) conn_close(table, conn);
        return;
    case CONN_SENDING:
    case CONN_RECEIVING: break;
    }
    if (conn->tls != NULL && conn->tls->session.failed) {
        conn_tls_fail(table, conn, FAILED_TLS_LOCAL, now_ns);
        return;
    }
    if (conn->body != NULL && conn_body_timer(table, conn, now_ns)) return;
    urgent = most_urgent(table, conn);
    if (urgent.deadline_ns > now_ns) {
        uint64_t at_ns = min_u64(urgent.deadline_ns, conn_body_tired_ns(table, conn));

        if (!timer_is_armed(timer) || timer->at_ns > at_ns) {
            timers_set(table->timers, timer, at_ns);
        }
    } else {
        fail_overdue(table, conn, &urgent, now_ns);
    }
}

bool conn_take_request(struct conn_table *table, struct conn *conn,
                       struct conn_request *ret_request)
{
    return conn_take(table, conn, ret_request);
}
