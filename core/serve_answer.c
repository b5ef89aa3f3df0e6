/* From bytes to requests, from requests to answers. The hot path is short: a request with the same
 * bytes as the last one parsed gets the same kept answer (take_same(), and on_recv() in
 * serve_thread.c for the commonest case). Everything else goes through the parser. */
#include "core/serve_answer.h"

#include <string.h>
#include <sys/socket.h>

#include "core/base/check.h"
#include "core/serve_thread.h"

/* An answer built for the occasion, in the block `out`. */
struct built {
    struct msghdr message;
    struct iovec parts[2];
    char head[SERVE_HEAD_MAX];
    char last_chunk[]; /* [SERVE_CHUNK_FRAMED + 8], for a chunked body. */
};

_Static_assert(sizeof(struct built) <= SERVE_SMALL_BYTES, "an answer fits a small block");
_Static_assert(sizeof(struct built) + SERVE_CHUNK_FRAMED + 8 <= SERVE_MIDDLE_BYTES,
               "and with a last chunk a middle one");

static void count_answers(struct serve_thread *thread, struct serve_conn *c, unsigned status,
                          uint32_t n)
{
    thread->totals.requests += n;
    thread->totals.status[status] += n;
    if (c->id_len > 0) {
        serve_log_add(&thread->log, thread->ids[serve_conn_sock(thread, c)], c->id_len, status);
    }
}

/* Sends `n` copies of a kept answer, n <= reply->copies. */
static void answer_kept(struct serve_thread *thread, struct serve_conn *c,
                        struct serve_reply *reply, uint32_t n)
{
    count_answers(thread, c, reply->status, n);
    serve_pool_give(&thread->pool, &c->body); /* Of a request that was refused. */
    serve_conn_send_kept(thread, c, reply, n);
}

/* The parts of a large /bytes or /chunked: what goes with the head, what is left to follow. */
static struct iovec plan_bulk(struct serve_thread *thread, struct serve_conn *c,
                              struct built *built)
{
    char *from = thread->shared->pattern;
    uint64_t left = c->route.n;
    size_t first;

    c->loop_len = SERVE_PATTERN_BYTES;
    if (c->route.kind == SERVE_CHUNKED) {
        from = thread->shared->chunks;
        left = c->route.n / SERVE_CHUNK_BYTES * SERVE_CHUNK_FRAMED;
        c->loop_len = SERVE_CHUNKS_BYTES;
        c->tail = built->last_chunk;
        c->tail_left =
            (uint32_t)serve_reply_last_chunk(&thread->replies, built->last_chunk, c->route.n);
        c->piece_bytes = c->tail_left;
    }
    first = (size_t)min_u64(left, c->loop_len);
    c->loop = from;
    c->loop_left = left - first;
    return (struct iovec){.iov_base = from, .iov_len = first};
}

/* Answers what has no kept answer: /echo, and large or many different /bytes and /chunked. */
static void answer_built(struct serve_thread *thread, struct serve_conn *c)
{
    bool chunked = c->route.kind == SERVE_CHUNKED;
    int64_t says = chunked ? SERVE_LENGTH_CHUNKED : (int64_t)c->route.n;
    struct iovec body = {0};
    struct built *built;

    c->out =
        serve_pool_take(&thread->pool, sizeof(*built) + (chunked ? SERVE_CHUNK_FRAMED + 8 : 0));
    if (c->out == NULL) {
        thread->totals.dropped++;
        serve_conn_end(thread, c);
        return;
    }
    built = (struct built *)(void *)c->out->data;
    if (c->route.kind == SERVE_ECHO) {
        if (c->body != NULL) body = (struct iovec){c->body->data, c->body->len};
        says = (int64_t)body.iov_len;
    } else if (!(c->variant & SERVE_NO_BODY)) {
        body = plan_bulk(thread, c, built);
    }
    if (c->variant & SERVE_NO_BODY) body.iov_len = 0;
    built->parts[0].iov_base = built->head;
    built->parts[0].iov_len =
        serve_reply_head(&thread->replies, built->head, 200, says, c->variant);
    built->parts[1] = body;
    built->message =
        (struct msghdr){.msg_iov = built->parts, .msg_iovlen = body.iov_len > 0 ? 2 : 1};
    count_answers(thread, c, 200, 1);
    serve_conn_sendmsg(thread, c, &built->message,
                       (uint32_t)(built->parts[0].iov_len + body.iov_len));
}

static void answer_fault(struct serve_thread *thread, struct serve_conn *c)
{
    const struct serve_fault *fault = serve_fault_at(c->route.n);

    CHECK(fault != NULL);
    thread->totals.requests++;
    thread->totals.faults++;
    c->end = (uint8_t)fault->end;
    c->deaf = c->deaf || fault->end != SERVE_END_KEEP;
    c->loop = fault->loop;
    c->loop_len = fault->loop_len;
    c->loop_left = fault->loop != NULL ? UINT64_MAX : 0;
    c->tail = fault->tail;
    c->tail_left = fault->tail_len;
    c->piece_bytes = fault->piece_bytes;
    c->pause_ms = fault->pause_ms;
    if (fault->text_len > 0) {
        serve_conn_send(thread, c, fault->text, fault->text_len);
    } else {
        serve_conn_continue(thread, c);
    }
}

void serve_answer_now(struct serve_thread *thread, struct serve_conn *c)
{
    struct serve_reply *reply;

    CHECK(c->loop_left == 0);
    CHECK(c->tail_left == 0);
    c->pause_ms = 0;
    if (c->route.kind == SERVE_FAULT) {
        answer_fault(thread, c);
        return;
    }
    reply = serve_replies_get(&thread->replies, c->route, c->variant);
    if (reply != NULL) {
        answer_kept(thread, c, reply, 1);
    } else {
        answer_built(thread, c);
    }
}

/* Says no, and takes no more from this client: what it still sends cannot be told apart. */
static void refuse(struct serve_thread *thread, struct serve_conn *c, unsigned status)
{
    c->route = (struct serve_route){SERVE_STATUS, status};
    c->variant = SERVE_SAYS_CLOSE;
    c->end = SERVE_END_LINGER;
    c->deaf = true;
    serve_answer_now(thread, c);
}

/* The request is complete: now, or after its delay, it is answered. */
static void request_done(struct serve_thread *thread, struct serve_conn *c)
{
    uint64_t delay_ns = 0;

    if (serve_delay_is_set(&thread->shared->options->delay)) {
        delay_ns = serve_delay_draw(&thread->shared->options->delay, &thread->rng);
    }
    if (c->route.kind == SERVE_DELAY) delay_ns += c->route.n * NS_PER_MS;
    if (delay_ns == 0) {
        serve_answer_now(thread, c);
        return;
    }
    serve_conn_to(c, SERVE_CONN_DELAYED);
    timers_set(&thread->timers, &c->timer, thread->batch_ns + delay_ns);
}

/* Takes a run of requests with the bytes of the shortcut; 0 if there is none. */
static size_t take_same(struct serve_thread *thread, struct serve_conn *c, const char *data,
                        size_t len)
{
    size_t used = 0;
    uint32_t n = 0;

    if (thread->same_len == 0) return 0;
    while (n < thread->same_reply->copies && len - used >= thread->same_len &&
           memcmp(data + used, thread->same, thread->same_len) == 0) {
        used += thread->same_len;
        n++;
    }
    if (n == 0) return 0;
    c->more = used < len;
    c->end = SERVE_END_KEEP;
    c->id_len = 0;
    answer_kept(thread, c, thread->same_reply, n);
    return used;
}

/* Remembers the request just parsed, if its answer depends on nothing but its bytes. */
static void learn_same(struct serve_thread *thread, const struct serve_conn *c, const char *head,
                       size_t head_bytes)
{
    bool delayed = c->route.kind == SERVE_DELAY && c->route.n > 0;
    struct serve_reply *reply;

    if (!thread->shortcut || delayed || c->end != SERVE_END_KEEP || c->id_len > 0) return;
    if (head_bytes > SERVE_SAME_BYTES_MAX) return;
    reply = serve_replies_get(&thread->replies, c->route, c->variant);
    if (reply == NULL) return;
    memcpy(thread->same, head, head_bytes);
    thread->same_len = (uint32_t)head_bytes;
    thread->same_reply = reply;
}

/* Facts of the request that its answer depends on. */
static void note_request(struct serve_thread *thread, struct serve_conn *c,
                         const struct serve_request *request, const char *head)
{
    uint64_t requests_max = thread->shared->options->requests_max;
    bool last;

    c->requests++;
    c->route = serve_route_find(head + request->path_at, request->path_len);
    last = c->route.kind == SERVE_CLOSE || (requests_max > 0 && c->requests >= requests_max);
    c->variant = request->is_head ? SERVE_NO_BODY : 0;
    if (last || !request->persists) {
        c->variant |= SERVE_SAYS_CLOSE;
        c->end = SERVE_END_CLOSE;
        c->deaf = true;
    } else {
        if (request->is_http10) c->variant |= SERVE_SAYS_KEEP_ALIVE;
        c->end = SERVE_END_KEEP;
    }
    if (thread->ids != NULL) {
        c->id_len = (uint8_t)min_u64(request->id_len, SERVE_ID_MAX);
        memcpy(thread->ids[serve_conn_sock(thread, c)], head + request->id_at, c->id_len);
    }
}

/* The head says that a body follows; `waits`: not a byte of it has come. */
static void begin_body(struct serve_thread *thread, struct serve_conn *c,
                       const struct serve_request *request, bool waits)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    c->deaf = false; /* For the rest of this request. */
    c->body_chunked = request->chunked;
    c->body_left = request->body_bytes;
    c->chunked = (struct serve_chunked){0};
    if (c->route.kind == SERVE_ECHO && !request->chunked) {
        if (request->body_bytes <= SERVE_LARGE_BYTES) {
            c->body = serve_pool_take(&thread->pool, (size_t)request->body_bytes);
        }
        if (c->body == NULL) {
            refuse(thread, c, request->body_bytes > SERVE_LARGE_BYTES ? 413 : 503);
            return;
        }
    }
    if (request->expects_continue && waits) {
        c->continuing = true;
        serve_conn_send(thread, c, go_on, sizeof(go_on) - 1);
    } else {
        serve_conn_to(c, SERVE_CONN_BODY);
    }
}

/* Takes a head and, if no body follows, answers; 0: it is not complete. */
static size_t take_head(struct serve_thread *thread, struct serve_conn *c, const char *data,
                        size_t len)
{
    struct serve_request request;
    uint16_t status = 0;

    switch (serve_http_parse(data, len, &request, &status)) {
    case SERVE_HTTP_MORE: return 0;
    case SERVE_HTTP_BAD: refuse(thread, c, status); return len;
    case SERVE_HTTP_DONE: break;
    }
    note_request(thread, c, &request, data);
    if (request.chunked || request.body_bytes > 0) {
        begin_body(thread, c, &request, len == request.head_bytes);
    } else {
        c->more = len > request.head_bytes;
        learn_same(thread, c, data, request.head_bytes);
        request_done(thread, c);
    }
    return request.head_bytes;
}

/* Keeps or drops `len` bytes of a body; false if the request was refused. */
static bool sink_body(struct serve_thread *thread, struct serve_conn *c, const char *data,
                      size_t len)
{
    size_t before = c->body == NULL ? 0 : c->body->len;

    if (c->route.kind != SERVE_ECHO || len == 0) return true;
    if (serve_pool_append(&thread->pool, &c->body, data, len)) return true;
    serve_pool_give(&thread->pool, &c->body);
    refuse(thread, c, before + len > SERVE_LARGE_BYTES ? 413 : 503);
    return false;
}

/* Takes a part of a body and, at its end, answers. */
static size_t take_body(struct serve_thread *thread, struct serve_conn *c, const char *data,
                        size_t len)
{
    enum serve_http_result result;
    size_t used, span;

    if (c->body_chunked) {
        result = serve_chunked_next(&c->chunked, data, len, &used, &span);
        if (result == SERVE_HTTP_BAD) {
            refuse(thread, c, 400);
            return len;
        }
    } else {
        used = span = (size_t)min_u64(len, c->body_left);
        c->body_left -= span;
        result = c->body_left == 0 ? SERVE_HTTP_DONE : SERVE_HTTP_MORE;
    }
    if (!sink_body(thread, c, data + used - span, span)) return len;
    if (result == SERVE_HTTP_DONE) {
        c->more = used < len;
        c->deaf = c->end != SERVE_END_KEEP;
        request_done(thread, c);
    }
    return used;
}

/* Takes what can be taken; returns how many bytes. */
static size_t take_requests(struct serve_thread *thread, struct serve_conn *c, const char *data,
                            size_t len)
{
    size_t at = 0, used = 1;

    while (at < len && used > 0 && serve_conn_takes(c)) {
        if (c->state == SERVE_CONN_BODY) {
            used = take_body(thread, c, data + at, len - at);
        } else {
            used = take_same(thread, c, data + at, len - at);
            if (used == 0) used = take_head(thread, c, data + at, len - at);
        }
        at += used;
    }
    return at;
}

/* True if bytes that were not taken are of use later. */
static bool keeps_bytes(const struct serve_conn *c)
{
    return !c->deaf && c->state != SERVE_CONN_CANCELLING && c->state != SERVE_CONN_CLOSING;
}

/* Takes from the waiting bytes. They are detached meanwhile: an answer may end all. */
static void feed_waiting(struct serve_thread *thread, struct serve_conn *c)
{
    struct serve_block *block = c->in;
    size_t used;

    c->in = NULL;
    used = take_requests(thread, c, block->data + block->at, block->len - block->at);
    block->at += (uint32_t)used;
    if (block->at == block->len || !keeps_bytes(c)) {
        serve_pool_give(&thread->pool, &block);
    } else {
        c->in = block;
    }
}

void serve_answer_feed(struct serve_thread *thread, struct serve_conn *c, const char *data,
                       size_t len)
{
    bool room = true;
    size_t used;

    if (c->in != NULL) {
        if (len > 0) room = serve_pool_append(&thread->pool, &c->in, data, len);
        if (room) feed_waiting(thread, c);
    } else {
        used = take_requests(thread, c, data, len);
        if (used < len && keeps_bytes(c)) {
            room = serve_pool_append(&thread->pool, &c->in, data + used, len - used);
        }
    }
    if (!room) thread->totals.dropped++;
    if (!room || (c->eof && serve_conn_takes(c))) serve_conn_end(thread, c);
}
