#include "core/serve_tls.h"

#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "core/serve_thread.h"

enum { OUT_BYTES = TLS_PLAIN_BYTES + 2 * TLS_OVERHEAD_BYTES };

static struct serve_tls_conn *tls_of(const struct serve_thread *thread, const struct serve_conn *c)
{
    return &thread->tls->conns[serve_conn_sock(thread, c)];
}

enum err serve_tls_open(struct serve_thread *thread)
{
    const struct serve_options *options = thread->shared->options;
    struct tls_options tls_options = {
        .server = true,
        .cert_file = options->tls_cert,
        .key_file = options->tls_key,
        .identity = options->tls_cert == NULL ? thread->shared->identity : NULL,
        .seclevel = TLS_SECLEVEL_UNTOUCHED,
        .alpn = "http/1.1",
        .resume = options->tls_no_tickets ? TLS_RESUME_FULL : TLS_RESUME_TICKETS,
    };
    struct arena *arena = &thread->arena;
    struct serve_tls *tls = arena_array(arena, 1, sizeof(*tls));
    char *out;

    if (tls == NULL) goto no_memory;
    tls->conns = arena_array(arena, thread->socks_count, sizeof(*tls->conns));
    tls->plain = arena_array(arena, 1, TLS_PLAIN_BYTES);
    tls->gather = arena_array(arena, 1, TLS_PLAIN_BYTES);
    out = arena_array(arena, thread->socks_count, OUT_BYTES); /* Untouched pages cost nothing. */
    if (tls->conns == NULL || tls->plain == NULL || tls->gather == NULL || out == NULL) {
        goto no_memory;
    }
    for (uint32_t i = 0; i < thread->socks_count; i++) {
        tls->conns[i].out = out + (size_t)i * OUT_BYTES;
    }
    thread->tls = tls;
    return tls_ctx_new(&tls->ctx, arena, &tls_options, &thread->why);

no_memory:
    return err_set(&thread->why, ERR_MEMORY, ENOMEM, "no memory for TLS in 'serve'");
}

void serve_tls_close(struct serve_thread *thread)
{
    if (thread->tls == NULL) return;
    for (uint32_t i = 0; i < thread->socks_count; i++) {
        tls_close(&thread->tls->conns[i].session);
    }
    tls_ctx_free(thread->tls->ctx);
}

bool serve_tls_accepted(struct serve_thread *thread, const struct serve_conn *c)
{
    struct serve_tls_conn *tls = tls_of(thread, c);

    *tls = (struct serve_tls_conn){.out = tls->out};
    return tls_accept(&tls->session, thread->tls->ctx);
}

void serve_tls_closed(struct serve_thread *thread, const struct serve_conn *c)
{
    tls_close(&tls_of(thread, c)->session);
}

bool serve_tls_is_sending(const struct serve_thread *thread, const struct serve_conn *c)
{
    return tls_of(thread, c)->in_flight;
}

static struct tls_out out_of(const struct serve_tls_conn *tls)
{
    return (struct tls_out){.data = tls->out, .len = tls->out_len, .size = OUT_BYTES};
}

/* Goes on by `len` bytes in what is to be encrypted. */
static void advance(struct serve_tls_conn *tls, size_t len)
{
    tls->plain_left -= len;
    while (len >= tls->next.iov_len && tls->plain_left > 0) {
        len -= tls->next.iov_len;
        tls->next = *tls->iov++;
    }
    tls->next.iov_base = (char *)tls->next.iov_base + len;
    tls->next.iov_len -= len;
}

/* Puts up to `len` bytes from several places together. */
static size_t gather(struct serve_tls_conn *tls, char *to, size_t len)
{
    size_t sum = 0;

    while (sum < len && tls->plain_left > 0) {
        size_t piece = min_u64(len - sum, tls->next.iov_len);

        memcpy(to + sum, tls->next.iov_base, piece);
        sum += piece;
        advance(tls, piece);
    }
    return sum;
}

/* Encrypts one record, if it has room; false if not. */
static bool encrypt_one(struct serve_thread *thread, struct serve_tls_conn *tls)
{
    struct tls_out out = out_of(tls);
    size_t used = 0, len = tls->next.iov_len;
    const char *data = tls->next.iov_base;
    bool whole = len >= TLS_PLAIN_BYTES || len == tls->plain_left;

    if (out.size - out.len <= TLS_OVERHEAD_BYTES) return false;
    if (!whole) {
        len = min_u64(out.size - out.len - TLS_OVERHEAD_BYTES, TLS_PLAIN_BYTES);
        len = gather(tls, thread->tls->gather, len);
        data = thread->tls->gather;
    }
    if (tls_write(&tls->session, &out, data, len, &used) == TLS_FAILED) {
        tls->broken = true;
        tls->plain_left = 0;
        return false;
    }
    tls->out_len = out.len;
    if (whole) advance(tls, used);
    return used > 0;
}

/* Sends what there is. With nothing to send, of a send that cannot go, an empty one, so that its
 * end is a completion as any other. */
static void pump(struct serve_thread *thread, struct serve_conn *c)
{
    struct serve_tls_conn *tls = tls_of(thread, c);

    while (tls->plain_left > 0 && encrypt_one(thread, tls)) {
    }
    if (tls->corked || tls->in_flight || (tls->out_len == 0 && !(tls->broken && c->send_busy))) {
        return;
    }
    tls->sending = tls->out_len;
    tls->in_flight = true;
    ring_send(thread->ring, serve_conn_sock(thread, c), tls->out, tls->sending, 0,
              serve_user_data(thread, SERVE_OP_SEND, c));
}

static void send_plain(struct serve_thread *thread, struct serve_conn *c, const struct iovec *iov,
                       size_t bytes)
{
    struct serve_tls_conn *tls = tls_of(thread, c);

    CHECK(tls->plain_left == 0 && bytes > 0);
    tls->next = iov[0];
    tls->iov = iov + 1;
    tls->plain_left = bytes;
    if (tls->session.failed) {
        tls->broken = true;
        tls->plain_left = 0;
    }
    pump(thread, c);
}

void serve_tls_send(struct serve_thread *thread, struct serve_conn *c, const char *data,
                    uint32_t len)
{
    struct serve_tls_conn *tls = tls_of(thread, c);

    memcpy(&tls->own.iov_base, &data, sizeof(data)); /* An iovec is not const, and only read. */
    tls->own.iov_len = len;
    send_plain(thread, c, &tls->own, len);
}

void serve_tls_sendmsg(struct serve_thread *thread, struct serve_conn *c,
                       const struct msghdr *message, uint32_t bytes)
{
    send_plain(thread, c, message->msg_iov, bytes);
}

void serve_tls_sent(struct serve_thread *thread, struct serve_conn *c, int res)
{
    struct serve_tls_conn *tls = tls_of(thread, c);
    struct tls_out out;

    CHECK(tls->in_flight);
    tls->in_flight = false;
    if (res < 0 || (size_t)res != tls->sending) {
        tls->broken = true;
        tls->plain_left = tls->out_len = 0;
    } else {
        memmove(tls->out, tls->out + tls->sending, tls->out_len - tls->sending);
        tls->out_len -= tls->sending;
        out = out_of(tls);
        (void)!tls_flush(&tls->session, &out);
        tls->out_len = out.len;
    }
    if (!tls->broken) pump(thread, c);
    if (tls->in_flight) return;
    if (c->send_busy) {
        serve_conn_sent(thread, c, tls->broken ? -EPIPE : (int)c->send_len);
    } else {
        serve_conn_try_close(thread, c);
    }
}

/* The session has failed: its alert goes out, and then the connection ends. */
static void fail(struct serve_thread *thread, struct serve_conn *c)
{
    thread->totals.tls_failed++;
    if (c->state != SERVE_CONN_CANCELLING) serve_conn_end(thread, c);
}

/* Takes the session one step on: true if there may be another. */
static bool step(struct serve_thread *thread, struct serve_conn *c)
{
    struct serve_tls_conn *tls = tls_of(thread, c);
    struct tls_session *session = &tls->session;
    struct ring_event event = {.data = thread->tls->plain, .flags = RING_MORE};
    struct tls_out out = out_of(tls);
    bool shaking = !session->established;
    enum tls_result result;
    size_t len = 0;

    result = shaking ? tls_handshake(session, &out)
                     : tls_read(session, &out, thread->tls->plain, TLS_PLAIN_BYTES, &len);
    tls->out_len = out.len;
    if (result == TLS_FAILED) fail(thread, c);
    if (result != TLS_DONE) return false; /* After a close_notify comes the end of the stream. */
    if (shaking) {
        thread->totals.handshakes++;
        if (session->resumed) thread->totals.handshakes_resumed++;
        return true;
    }
    event.res = (int32_t)len;
    serve_conn_received(thread, c, &event);
    return true;
}

void serve_tls_received(struct serve_thread *thread, struct serve_conn *c,
                        const struct ring_event *event)
{
    static const struct ring_event ended = {.res = -ENOBUFS};
    struct serve_tls_conn *tls = tls_of(thread, c);

    if (event->res <= 0) {
        serve_conn_received(thread, c, event);
        return;
    }
    if (tls->session.ssl != NULL && !tls->session.failed) {
        bool shaking = !tls->session.established;

        tls_feed(&tls->session, event->data, (size_t)event->res);
        tls->corked = true;
        while (step(thread, c)) {
        }
        tls->corked = false;
        if (c->state != SERVE_CONN_CANCELLING) pump(thread, c);
        /* A step of a handshake takes long: its client need not wait for the end of the turn. */
        if (shaking) ring_submit(thread->ring);
    }
    /* To the connection its receive went on all the time, so that it could not be closed. */
    if (!(event->flags & RING_MORE)) serve_conn_received(thread, c, &ended);
}

void serve_tls_say_goodbye(struct serve_thread *thread, struct serve_conn *c)
{
    struct serve_tls_conn *tls = tls_of(thread, c);
    struct tls_out out = out_of(tls);

    if (tls->in_flight || c->eof || c->end == SERVE_END_RESET) return;
    tls_shutdown(&tls->session, &out);
    if (out.len == 0) return;
    ring_send(thread->ring, serve_conn_sock(thread, c), tls->out, out.len,
              RING_SEND_QUIET | RING_SEND_NOWAIT, serve_user_data(thread, SERVE_OP_QUIET, c));
}
