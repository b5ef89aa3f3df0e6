#include "io/conn_tls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/pool.h"

/* Of ciphertext; a step of a handshake counts as so much. */
enum { WORK_BYTES = 128 * 1024 };

bool conn_table_init_tls(struct conn_table *table, struct arena *arena)
{
    char *out;

    CHECK(table->tls_out_size > TLS_OVERHEAD_BYTES);
    table->tls = arena_array(arena, table->count, sizeof(*table->tls));
    table->tls_plain = arena_array(arena, 1, TLS_PLAIN_BYTES);
    table->tls_body = arena_array(arena, 1, TLS_PLAIN_BYTES);
    out = arena_array(arena, table->count, table->tls_out_size);
    if (table->tls == NULL || table->tls_plain == NULL || table->tls_body == NULL || out == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        table->tls[i].out = out + i * table->tls_out_size;
    }
    return true;
}

void conn_table_release(struct conn_table *table)
{
    for (uint32_t i = 0; table->tls != NULL && i < table->count; i++) {
        tls_close(&table->tls[i].session);
    }
}

static struct tls_out out_of(const struct conn_table *table, const struct conn_tls *tls)
{
    return (struct tls_out){.data = tls->out, .len = tls->out_len, .size = table->tls_out_size};
}

/* Takes bytes that have been sent off the front of the buffer. */
static void drop_sent(struct conn_tls *tls, size_t len)
{
    memmove(tls->out, tls->out + len, tls->out_len - len);
    tls->out_len -= len;
}

void conn_tls_note_events(struct conn_table *table, const struct ring_event *events, uint32_t count)
{
    bool unheard = false;

    if (table->tls == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        unheard |= op_kind_of(events[i].user_data) == OP_SEND_QUIET;
    }
    table->unheard = unheard;
}

/* All that quiet sends of earlier batches have to say has been heard. */
static bool is_settled(const struct conn_table *table)
{
    return likely(!table->unheard) && likely(ring_is_settled(table->ring));
}

/* A quiet send of an earlier batch has taken all its bytes, or we would have heard of it. */
static void settle(const struct conn_table *table, struct conn_tls *tls)
{
    if (tls->quiet == 0 || tls->quiet_at == table->batch || !is_settled(table)) return;
    drop_sent(tls, tls->quiet);
    tls->quiet = 0;
}

static void send_loudly(struct conn_table *table, struct conn *conn, size_t len)
{
    conn->tls->sending = len;
    conn->flight |= FLIGHT_SEND;
    ring_send(table->ring, conn->slot, conn->tls->out, len, 0, conn_op(conn, OP_SEND));
}

/* Sends what is in the buffer, unless a send is in flight: that one's end does it then. */
static void pump(struct conn_table *table, struct conn *conn)
{
    struct conn_tls *tls = conn->tls;
    bool more;

    if (tls->corked || (conn->flight & FLIGHT_SEND) || conn->state == CONN_CLOSING) return;
    settle(table, tls);
    more = tls->plain_left > 0 || conn_body_has_begun(conn);
    if (tls->out_len == tls->quiet && !(more && tls->quiet > 0)) return;
    if (tls->quiet > 0) {
        send_loudly(table, conn, 0);
    } else if (more || tls->session.spill != NULL) {
        send_loudly(table, conn, tls->out_len);
    } else {
        tls->quiet = tls->out_len;
        tls->quiet_at = table->batch;
        ring_send(table->ring, conn->slot, tls->out, tls->quiet, RING_SEND_QUIET | RING_SEND_NOWAIT,
                  conn_op(conn, OP_SEND_QUIET));
    }
}

/* Encrypts as much of `plain` as has room; returns how much. A session that fails at it, for want
 * of memory, is found by the timer: who calls us is in the middle of a send. */
static size_t encrypt_some(struct conn_table *table, struct conn *conn, const char *plain,
                           size_t len)
{
    struct conn_tls *tls = conn->tls;
    struct tls_out out = out_of(table, tls);
    size_t used = 0;

    if (tls_write(&tls->session, &out, plain, len, &used) == TLS_FAILED) {
        timers_set(table->timers, &conn->timer, clock_now_ns());
    }
    tls->out_len = out.len;
    return used;
}

/* Finds the next bytes of the body, at most TLS_PLAIN_BYTES: a file is read, since its mapping may
 * have no end any more. Returns how many; 0: it cannot be read, as the timer will find. */
static size_t next_of_body(struct conn_table *table, struct conn *conn, const char **ret_plain)
{
    struct conn_span rest = conn_body_rest(conn);
    size_t len = (size_t)min_u64(rest.len, TLS_PLAIN_BYTES);
    ssize_t n;

    *ret_plain = rest.data;
    if (rest.fd < 0) return len;
    *ret_plain = table->tls_body;
    do {
        n = pread(rest.fd, table->tls_body, len, (off_t)conn->body_sent);
    } while (n < 0 && errno == EINTR);
    if (n > 0) return (size_t)n;
    conn->body_step = BODY_LOST;
    timers_set(table->timers, &conn->timer, clock_now_ns());
    return 0;
}

/* Encrypts as much of the request as has room. */
static void encrypt(struct conn_table *table, struct conn *conn)
{
    struct conn_tls *tls = conn->tls;
    const char *plain;
    size_t len, used = 1;

    if (tls->session.failed || !tls->session.established) return;
    if (tls->plain_left == 0 && conn->body == NULL) return;
    settle(table, tls);
    if (tls->plain_left > 0) {
        used = encrypt_some(table, conn, tls->plain, tls->plain_left);
        tls->plain += used;
        tls->plain_left -= used;
    }
    while (used > 0 && tls->plain_left == 0 && conn_body_goes(conn) && !tls->session.failed) {
        len = next_of_body(table, conn, &plain);
        used = len == 0 ? 0 : encrypt_some(table, conn, plain, len);
        if (used > 0) conn_body_advance(table, conn, used);
    }
}

/* Sends a request in front of the handshake, if it may go there: else it waits for its end. */
static void send_early(struct conn_table *table, struct conn *conn)
{
    struct conn_tls *tls = conn->tls;
    struct tls_out out;

    if (tls->session.failed || tls->plain_left > tls_early_max(&tls->session)) return;
    settle(table, tls);
    out = out_of(table, tls);
    if (tls_write_early(&tls->session, &out, tls->plain, tls->plain_left) == TLS_FAILED) {
        timers_set(table->timers, &conn->timer, clock_now_ns());
    }
    tls->out_len = out.len;
    tls->early = tls->plain;
    tls->early_len = tls->plain_left;
    tls->plain_left = 0;
}

/* Tells the owner how a handshake ended; `why` is FAILED_COUNT when it did well. */
static void tell(struct conn_table *table, struct conn *conn, enum failed_class why,
                 uint64_t now_ns)
{
    const struct tls_session *session = &conn->tls->session;
    struct conn_handshake handshake = {.begun_ns = conn->tls->begun_ns,
                                       .ended_ns = now_ns,
                                       .why = why,
                                       .detail = session->failed ? session->detail : ""};

    if (why == FAILED_COUNT) handshake.facts = tls_facts(session);
    table->owner.handshake_ended(table->owner.self, conn, &handshake);
}

void conn_tls_fail(struct conn_table *table, struct conn *conn, enum failed_class why,
                   uint64_t now_ns)
{
    struct pool *pool = conn->pool;

    if (conn->state == CONN_HANDSHAKING || conn->early) {
        tell(table, conn, why, now_ns);
        if (conn->window_count == 0) {
            pool_attempt_failed(pool, why, now_ns);
            conn_close(table, conn);
        } else {
            pool_back_off(pool, now_ns);
            conn_fail(table, conn, why, now_ns);
        }
        return;
    }
    /* With TLS 1.3 a server's refusal of our certificate comes after the handshake. */
    if (why == FAILED_TLS_CLIENT_CERT_REQUIRED || why == FAILED_TLS_CLIENT_CERT_REFUSED) {
        pool_back_off(pool, now_ns);
    }
    if (conn->window_count == 0) {
        (*table->counts.closed_by_peer)++;
        conn_close(table, conn);
    } else {
        conn_fail(table, conn, why, now_ns);
    }
}

static enum failed_class class_of(const struct tls_session *session)
{
    CHECK(session->failed && session->err < TLS_ERR_COUNT);
    return failed_of_tls((enum tls_err)session->err);
}

/* The handshake of a connection that may have a request already is done: what the peer did not
 * take of it, or what did not go in front, goes now. */
static void established_late(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    struct conn_tls *tls = conn->tls;

    conn->early = false;
    if (tls->session.early && !tls->session.early_taken) {
        tls->plain = tls->early;
        tls->plain_left = tls->early_len;
    }
    encrypt(table, conn);
    if (conn->window_count == 0) {
        timers_cancel(table->timers, &conn->timer);
        return;
    }
    timers_set(table->timers, &conn->timer, now_ns); /* From now on it is the request's. */
    if (conn_room(table, conn) > 0) table->owner.ready(table->owner.self, conn, now_ns);
}

static void established(struct conn_table *table, struct conn *conn)
{
    uint64_t now_ns = clock_now_ns();

    tell(table, conn, FAILED_COUNT, now_ns);
    if (conn->early) {
        established_late(table, conn, now_ns);
    } else {
        timers_cancel(table->timers, &conn->timer);
        conn_ready(table, conn, now_ns);
    }
}

/* Takes the session one step on: true if there may be another. */
static bool step(struct conn_table *table, struct conn *conn, uint32_t *answered)
{
    struct conn_tls *tls = conn->tls;
    struct tls_out out = out_of(table, tls);
    bool shaking = conn->state == CONN_HANDSHAKING || (conn->early && conn->state != CONN_CLOSING);
    enum tls_result result;
    size_t len = 0;

    if (!tls->session.established && !shaking) return false; /* CLOSING amid the handshake. */
    result = shaking ? tls_handshake(&tls->session, &out)
                     : tls_read(&tls->session, &out, table->tls_plain, TLS_PLAIN_BYTES, &len);
    tls->out_len = out.len;
    if (result == TLS_DONE) {
        if (shaking) {
            established(table, conn);
        } else if (likely(conn->state != CONN_CLOSING)) {
            *answered += conn_feed(table, conn, table->tls_plain, len);
        }
        return true;
    }
    if (result == TLS_MORE || conn->state == CONN_CLOSING) return false;
    if (result == TLS_CLOSED) {
        conn_eof(table, conn);
    } else {
        conn_tls_fail(table, conn, class_of(&tls->session), clock_now_ns());
    }
    return false;
}

/* Ciphers take long. What is ready goes to the kernel after every 100 us or so of their work,
 * so that the servers have something to do before the end of the turn: else they and we would take
 * turns at working. */
static void note_work(struct conn_table *table, size_t bytes)
{
    table->tls_work += bytes;
    if (table->tls_work < WORK_BYTES) return;
    table->tls_work = 0;
    ring_submit(table->ring);
}

/* Runs the session until it wants more, then sends what came of it. */
static uint32_t turn(struct conn_table *table, struct conn *conn, size_t len)
{
    bool shaking = !conn->tls->session.established;
    uint32_t answered = 0;

    settle(table, conn->tls);
    conn->tls->corked = true;
    while (step(table, conn, &answered)) {
    }
    conn->tls->corked = false;
    pump(table, conn);
    note_work(table, shaking ? WORK_BYTES : len);
    return answered;
}

/* The connection takes a request from now on. If it gets one in this turn, that goes in front of
 * the handshake; else the timer begins it in the next. */
static void begin_early(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    conn->early = true;
    timers_set(table->timers, &conn->timer, now_ns + 1);
    conn_ready(table, conn, now_ns);
}

bool conn_tls_early_timer(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    const struct tls_session *session = &conn->tls->session;
    uint64_t deadline_ns = conn->tls->begun_ns + table->tls_timeout_ns;

    if (!session->failed && now_ns < deadline_ns) {
        timers_set(table->timers, &conn->timer, deadline_ns);
        if (!session->begun) (void)turn(table, conn, 0);
    }
    if (session->failed || now_ns >= deadline_ns) {
        conn_tls_fail(table, conn, session->failed ? class_of(session) : FAILED_TLS_TIMEOUT,
                      now_ns);
    }
    return conn_is_open(conn) && conn->window_count > 0;
}

void conn_tls_begin(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    struct conn_tls *tls = &table->tls[conn->slot];

    CHECK(tls->session.ssl == NULL);
    *tls = (struct conn_tls){.out = tls->out, .begun_ns = now_ns};
    conn->tls = tls;
    conn_to(conn, CONN_HANDSHAKING);
    timers_set(table->timers, &conn->timer, now_ns + table->tls_timeout_ns);
    if (tls_connect(&tls->session, conn->pool->tls)) {
        if (tls_early_max(&tls->session) > 0) {
            begin_early(table, conn, now_ns);
        } else {
            (void)turn(table, conn, 0);
        }
    } else {
        conn_tls_fail(table, conn, FAILED_TLS_LOCAL, now_ns);
    }
}

uint32_t conn_tls_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    struct tls_session *session = &conn->tls->session;

    if (session->failed || session->ssl == NULL) return 0;              /* CLOSING. */
    if (!session->established && conn->state == CONN_CLOSING) return 0; /* Amid the handshake. */
    tls_feed(session, data, len);
    return turn(table, conn, len);
}

void conn_tls_eof(struct conn_table *table, struct conn *conn)
{
    struct tls_session *session = &conn->tls->session;
    bool unclean;

    conn->tls->gone = true;
    if (session->ssl == NULL || session->failed) return;
    if (conn->state == CONN_HANDSHAKING || (conn->early && conn->state != CONN_CLOSING)) {
        (void)(tls_eof(session) == TLS_FAILED);
        conn_tls_fail(table, conn, class_of(session), clock_now_ns());
        return;
    }
    if (!session->established) return;
    unclean = tls_eof(session) == TLS_FAILED;
    if (unclean && !session->notify_sent) (*table->counts.tls_unclean)++;
    if (conn->state == CONN_CLOSING) return;
    if (unclean && conn->part == PART_CLOSE) {
        conn_fail(table, conn, FAILED_INCOMPLETE, clock_now_ns()); /* Its end may be missing. */
    } else {
        conn_eof(table, conn);
    }
}

void conn_tls_send(struct conn_table *table, struct conn *conn, const char *bytes, size_t len)
{
    struct conn_tls *tls = conn->tls;

    CHECK(tls->plain_left == 0);
    tls->plain = bytes;
    tls->plain_left = len;
    if (unlikely(conn->early)) send_early(table, conn);
    encrypt(table, conn);
    pump(table, conn);
}

void conn_tls_go_on(struct conn_table *table, struct conn *conn)
{
    encrypt(table, conn);
    pump(table, conn);
}

void conn_tls_on_send(struct conn_table *table, struct conn *conn, int32_t res)
{
    struct conn_tls *tls = conn->tls;
    bool blocked = tls->plain_left > 0 || conn->body != NULL;
    struct tls_out out;

    /* After a failed send the receive ends too and says how; see conn_eof(). */
    if (res < 0 || (size_t)res != tls->sending) {
        conn->send_error = res < 0 ? -res : EPIPE;
        if (conn->body != NULL) conn_body_break_off(table, conn);
        return;
    }
    /* What went quietly before it is through as well, or we would have heard of it before this:
     * ring.h. */
    drop_sent(tls, tls->quiet + tls->sending);
    tls->quiet = tls->sending = 0;
    out = out_of(table, tls);
    if (tls_flush(&tls->session, &out)) {
        tls->out_len = out.len;
        encrypt(table, conn);
    } else {
        tls->out_len = out.len;
    }
    pump(table, conn);
    if (blocked && tls->plain_left == 0 && conn->body == NULL && conn_room(table, conn) > 0) {
        table->owner.ready(table->owner.self, conn, clock_now_ns());
    }
}

void conn_tls_on_quiet(struct conn_table *table, struct conn *conn, int32_t res)
{
    struct conn_tls *tls = conn->tls;

    if (conn->state == CONN_CLOSING) return;
    if (res < 0 && res != -EAGAIN) {
        conn->send_error = -res;
        return;
    }
    CHECK(tls->quiet > (size_t)(res > 0 ? res : 0));
    table->short_sends++;
    drop_sent(tls, res > 0 ? (size_t)res : 0);
    tls->quiet = 0;
    if (!(conn->flight & FLIGHT_SEND)) send_loudly(table, conn, tls->out_len);
}

void conn_tls_say_goodbye(struct conn_table *table, struct conn *conn)
{
    struct conn_tls *tls = conn->tls;
    struct tls_out out;

    CHECK(conn->state == CONN_CLOSING);
    settle(table, tls);
    if (tls->gone || tls->quiet > 0 || (conn->flight & FLIGHT_SEND)) return;
    out = out_of(table, tls);
    tls_shutdown(&tls->session, &out);
    if (out.len == 0) return;
    tls->out_len = 0;
    ring_send(table->ring, conn->slot, tls->out, out.len, RING_SEND_QUIET | RING_SEND_NOWAIT,
              conn_op(conn, OP_SEND_QUIET));
}

void conn_tls_free(struct conn *conn)
{
    tls_close(&conn->tls->session);
    conn->tls = NULL;
}
