/* The state machine. serve_conn_received(), _sent(), _timed(), _cancelled() and _closed() are the
 * events; each looks at the state once and hands on. Nothing here looks into a request: that is
 * serve_answer.c. All of it runs on the serving thread; sends and closes are only queued. */
#include "core/serve_conn.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/serve_answer.h"
#include "core/serve_thread.h"
#include "core/serve_tls.h"

/* A close while the client still sends would be a reset that may overtake the answer, so it is put
 * off until nothing has come for a round. */
enum { LINGER_ROUND_MS = 50, LINGER_ROUNDS_MAX = 200 };

void serve_conn_to(struct serve_conn *c, enum serve_conn_state next)
{
#define TO(name) (1U << SERVE_CONN_##name)
#define TO_ANSWER \
    (TO(DELAYED) | TO(SENDING) | TO(PAUSED) | TO(SILENT) | TO(LINGERING) | TO(CANCELLING))
    static const uint16_t allowed[SERVE_CONN_STATES_COUNT] = {
#define X(name, next) [SERVE_CONN_##name] = (next),
        SERVE_CONN_STATES(X)
#undef X
    };
#undef TO
#undef TO_ANSWER

    CHECK(c->state < SERVE_CONN_STATES_COUNT);
    CHECK(c->state == next || (allowed[c->state] >> next & 1));
    c->state = (uint8_t)next;
}

static void arm_recv(struct serve_thread *thread, struct serve_conn *c)
{
    CHECK(!c->recv_armed);
    c->recv_armed = true;
    ring_recv(thread->ring, serve_conn_sock(thread, c), RING_SMALL,
              serve_user_data(thread, SERVE_OP_RECV, c));
}

void serve_conn_accepted(struct serve_thread *thread, struct serve_conn *c)
{
    CHECK(c->state == SERVE_CONN_FREE);
    CHECK(c->in == NULL && c->out == NULL && c->body == NULL);
    *c = (struct serve_conn){.generation = c->generation};
    serve_conn_to(c, SERVE_CONN_READY);
    arm_recv(thread, c);
    if (thread->tls == NULL || serve_tls_accepted(thread, c)) return;
    thread->totals.dropped++;
    serve_conn_end(thread, c);
}

static void prepare_send(struct serve_conn *c, uint32_t len, uint64_t batch)
{
    CHECK(!c->send_busy);
    CHECK(len == 0 || c->quiet_batch != batch);
    c->send_busy = true;
    c->send_len = len;
    serve_conn_to(c, SERVE_CONN_SENDING);
}

void serve_conn_send(struct serve_thread *thread, struct serve_conn *c, const char *data,
                     uint32_t len)
{
    prepare_send(c, len, thread->batch);
    if (thread->tls != NULL) {
        serve_tls_send(thread, c, data, len);
        return;
    }
    ring_send(thread->ring, serve_conn_sock(thread, c), data, len, 0,
              serve_user_data(thread, SERVE_OP_SEND, c));
}

void serve_conn_sendmsg(struct serve_thread *thread, struct serve_conn *c,
                        const struct msghdr *message, uint32_t bytes)
{
    prepare_send(c, bytes, thread->batch);
    if (thread->tls != NULL) {
        serve_tls_sendmsg(thread, c, message, bytes);
        return;
    }
    ring_sendmsg(thread->ring, serve_conn_sock(thread, c), message,
                 serve_user_data(thread, SERVE_OP_SEND, c));
}

void serve_conn_send_kept(struct serve_thread *thread, struct serve_conn *c,
                          struct serve_reply *reply, uint32_t copies)
{
    uint32_t len = reply->len * copies;

    CHECK(!c->kept_held);
    if (thread->tls == NULL && c->end == SERVE_END_KEEP && c->quiet_batch != thread->batch &&
        !c->more && c->in == NULL) {
        serve_conn_to(c, SERVE_CONN_READY);
        serve_conn_send_quiet(thread, c, reply, len);
        return;
    }
    c->kept = reply;
    c->kept_text = reply->text;
    c->kept_held = true;
    serve_reply_hold(reply, reply->text);
    serve_conn_send(thread, c, reply->text, len);
}

/* Something has come in the batch of a quiet send: nothing may be sent before its end is known. */
static void send_fence(struct serve_thread *thread, struct serve_conn *c)
{
    CHECK(c->tail_left == 0);
    serve_conn_send(thread, c, "", 0);
}

static void set_timer(struct serve_thread *thread, struct serve_conn *c, uint64_t ms)
{
    timers_set(&thread->timers, &c->timer, thread->batch_ns + ms * NS_PER_MS);
}

/* Gives back what the bytes of an answer needed; no send is in flight. */
static void give_back(struct serve_thread *thread, struct serve_conn *c)
{
    CHECK(!c->send_busy);
    serve_pool_give(&thread->pool, &c->out);
    serve_pool_give(&thread->pool, &c->body);
    if (c->kept_held) serve_reply_release(c->kept, c->kept_text);
    c->kept_held = false;
}

static bool is_sending(const struct serve_thread *thread, const struct serve_conn *c)
{
    return c->send_busy || (thread->tls != NULL && serve_tls_is_sending(thread, c));
}

void serve_conn_try_close(struct serve_thread *thread, struct serve_conn *c)
{
    uint32_t sock = serve_conn_sock(thread, c);
    uint64_t user_data = serve_user_data(thread, SERVE_OP_CLOSE, c);

    if (c->state != SERVE_CONN_CANCELLING) return;
    if (c->recv_armed || c->cancel_busy || is_sending(thread, c)) return;
    serve_pool_give(&thread->pool, &c->in);
    give_back(thread, c);
    serve_conn_to(c, SERVE_CONN_CLOSING);
    if (c->end == SERVE_END_RESET) {
        ring_reset_sock(thread->ring, sock, user_data);
    } else {
        ring_close_sock(thread->ring, sock, user_data);
    }
}

void serve_conn_end(struct serve_thread *thread, struct serve_conn *c)
{
    serve_conn_to(c, SERVE_CONN_CANCELLING);
    timers_cancel(&thread->timers, &c->timer);
    if (thread->tls != NULL) serve_tls_say_goodbye(thread, c);
    if (c->recv_armed || is_sending(thread, c)) {
        c->cancel_busy = true;
        ring_cancel(thread->ring, serve_conn_sock(thread, c),
                    serve_user_data(thread, SERVE_OP_CANCEL, c));
    }
    serve_conn_try_close(thread, c);
}

/* The answer is out: what its end says. */
static void finish_answer(struct serve_thread *thread, struct serve_conn *c)
{
    give_back(thread, c);
    switch ((enum serve_end)c->end) {
    case SERVE_END_KEEP:
        serve_conn_to(c, SERVE_CONN_READY);
        serve_answer_feed(thread, c, NULL, 0);
        return;
    case SERVE_END_CLOSE:
    case SERVE_END_RESET: serve_conn_end(thread, c); return;
    case SERVE_END_SILENT: serve_conn_to(c, SERVE_CONN_SILENT); break;
    case SERVE_END_LINGER:
        serve_conn_to(c, SERVE_CONN_LINGERING);
        c->linger_rounds = 0;
        set_timer(thread, c, LINGER_ROUND_MS);
        break;
    }
    if (c->eof) serve_conn_end(thread, c);
}

/* A round of lingering is over. */
static void linger(struct serve_thread *thread, struct serve_conn *c)
{
    if (!c->heard || ++c->linger_rounds == LINGER_ROUNDS_MAX) {
        serve_conn_end(thread, c);
        return;
    }
    c->heard = false;
    set_timer(thread, c, LINGER_ROUND_MS);
}

static void send_tail(struct serve_thread *thread, struct serve_conn *c)
{
    uint32_t len = (uint32_t)min_u64(c->tail_left, c->piece_bytes);
    const char *piece = c->tail;

    c->tail += len;
    c->tail_left -= len;
    serve_conn_send(thread, c, piece, len);
}

void serve_conn_continue(struct serve_thread *thread, struct serve_conn *c)
{
    if (c->loop_left > 0) {
        uint32_t len = (uint32_t)min_u64(c->loop_left, c->loop_len);

        if (c->loop_left != UINT64_MAX) c->loop_left -= len;
        serve_conn_send(thread, c, c->loop, len);
    } else if (c->tail_left > 0 && c->pause_ms > 0) {
        serve_conn_to(c, SERVE_CONN_PAUSED);
        set_timer(thread, c, c->pause_ms);
    } else if (c->tail_left > 0) {
        send_tail(thread, c);
    } else {
        finish_answer(thread, c);
    }
}

void serve_conn_sent(struct serve_thread *thread, struct serve_conn *c, int res)
{
    CHECK(c->send_busy);
    c->send_busy = false;
    if (c->state == SERVE_CONN_CANCELLING) {
        serve_conn_try_close(thread, c);
        return;
    }
    CHECK(c->state == SERVE_CONN_SENDING);
    if (res < 0 || (uint32_t)res != c->send_len) {
        serve_conn_end(thread, c); /* The client is gone. */
    } else if (c->continuing) {
        c->continuing = false;
        serve_conn_to(c, SERVE_CONN_BODY);
        serve_answer_feed(thread, c, NULL, 0);
    } else {
        serve_conn_continue(thread, c);
    }
}

void serve_conn_quiet_failed(struct serve_thread *thread, struct serve_conn *c, int res)
{
    uint32_t done = res > 0 ? (uint32_t)res : 0;
    bool fenced = c->state == SERVE_CONN_SENDING && c->send_len == 0;

    if (res < 0 && res != -EAGAIN) return; /* The client is gone: its receive will tell. */
    if (c->state == SERVE_CONN_CANCELLING || c->state == SERVE_CONN_CLOSING) return;
    CHECK(done < c->kept_len);
    if (c->state != SERVE_CONN_READY && !fenced) {
        /* Something was sent behind it, against the ring's promise: better no answer. */
        thread->totals.dropped++;
        serve_conn_end(thread, c);
        return;
    }
    c->kept_held = true;
    serve_reply_hold(c->kept, c->kept_text);
    c->tail = c->kept_text + done;
    c->tail_left = c->kept_len - done;
    c->piece_bytes = c->tail_left;
    c->pause_ms = 0;
    if (!fenced) send_tail(thread, c);
}

/* The client has ended, or its connection is broken. An answer under way is still finished: the
 * client may only have closed its sending half. */
static void on_eof(struct serve_thread *thread, struct serve_conn *c, bool broken)
{
    c->eof = true;
    if (c->state == SERVE_CONN_READY && c->quiet_batch == thread->batch && !broken) {
        send_fence(thread, c);
        return;
    }
    switch ((enum serve_conn_state)c->state) {
    case SERVE_CONN_READY:
    case SERVE_CONN_BODY:
    case SERVE_CONN_SILENT:
    case SERVE_CONN_LINGERING: serve_conn_end(thread, c); return;
    case SERVE_CONN_DELAYED:
    case SERVE_CONN_SENDING:
    case SERVE_CONN_PAUSED:
        if (broken) serve_conn_end(thread, c);
        return;
    case SERVE_CONN_CANCELLING: serve_conn_try_close(thread, c); return;
    case SERVE_CONN_FREE:
    case SERVE_CONN_CLOSING:
    case SERVE_CONN_STATES_COUNT: break;
    }
    UNREACHABLE("a receive in this state");
}

/* Bytes have come. */
static void on_bytes(struct serve_thread *thread, struct serve_conn *c, const char *data,
                     size_t len)
{
    switch ((enum serve_conn_state)c->state) {
    case SERVE_CONN_READY:
    case SERVE_CONN_BODY:
        if (c->quiet_batch != thread->batch) {
            serve_answer_feed(thread, c, data, len);
            return;
        }
        send_fence(thread, c);
        /* fall through */
    case SERVE_CONN_DELAYED:
    case SERVE_CONN_SENDING:
    case SERVE_CONN_PAUSED:
        if (c->deaf || serve_pool_append(&thread->pool, &c->in, data, len)) return;
        thread->totals.dropped++;
        serve_conn_end(thread, c);
        return;
    case SERVE_CONN_LINGERING: c->heard = true; return;
    case SERVE_CONN_SILENT:
    case SERVE_CONN_CANCELLING: return; /* Dropped. */
    case SERVE_CONN_FREE:
    case SERVE_CONN_CLOSING:
    case SERVE_CONN_STATES_COUNT: break;
    }
    UNREACHABLE("bytes in this state");
}

void serve_conn_received(struct serve_thread *thread, struct serve_conn *c,
                         const struct ring_event *event)
{
    CHECK(c->recv_armed);
    if (!(event->flags & RING_MORE)) c->recv_armed = false;
    if (event->res > 0) {
        on_bytes(thread, c, event->data, (size_t)event->res);
    } else if (event->res != -ENOBUFS) {
        CHECK(!c->recv_armed);
        on_eof(thread, c, event->res < 0);
        return;
    }
    if (c->recv_armed || c->state == SERVE_CONN_CLOSING) return;
    if (c->state == SERVE_CONN_CANCELLING) {
        serve_conn_try_close(thread, c);
    } else {
        arm_recv(thread, c);
    }
}

void serve_conn_cancelled(struct serve_thread *thread, struct serve_conn *c)
{
    CHECK(c->state == SERVE_CONN_CANCELLING);
    CHECK(c->cancel_busy);
    c->cancel_busy = false;
    serve_conn_try_close(thread, c);
}

void serve_conn_closed(struct serve_thread *thread, struct serve_conn *c)
{
    if (thread->tls != NULL) serve_tls_closed(thread, c);
    serve_conn_to(c, SERVE_CONN_FREE);
    c->generation = (c->generation + 1) & SERVE_GENERATION_MASK;
}

void serve_conn_timed(struct serve_thread *thread, struct serve_conn *c)
{
    switch ((enum serve_conn_state)c->state) {
    case SERVE_CONN_DELAYED:
        serve_answer_now(thread, c);
        if (c->state == SERVE_CONN_READY) serve_answer_feed(thread, c, NULL, 0);
        return;
    case SERVE_CONN_PAUSED: send_tail(thread, c); return;
    case SERVE_CONN_LINGERING: linger(thread, c); return;
    case SERVE_CONN_FREE:
    case SERVE_CONN_READY:
    case SERVE_CONN_BODY:
    case SERVE_CONN_SENDING:
    case SERVE_CONN_SILENT:
    case SERVE_CONN_CANCELLING:
    case SERVE_CONN_CLOSING:
    case SERVE_CONN_STATES_COUNT: break;
    }
    UNREACHABLE("a timer in this state");
}
