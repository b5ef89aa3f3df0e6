/* conn_http: the bytes of a connection: heads, bodies, ends, matched to the oldest request. */
#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_tls.h"
#include "io/pool.h"

static char *carry_of(const struct conn_table *table, const struct conn *conn)
{
    return table->carry + (size_t)conn->slot * table->head_bytes_max;
}

static enum failed_place place_of(const struct conn *conn)
{
    if (conn->part != PART_HEAD) return FAILED_IN_BODY;
    /* Without a carry only 1xx heads have come. */
    if (conn->state == CONN_RECEIVING && conn->carry_len > 0) return FAILED_IN_HEAD;
    return conn_body_has_begun(conn) ? FAILED_IN_REQUEST : FAILED_BEFORE;
}

void conn_fail(struct conn_table *table, struct conn *conn, enum failed_class why, uint64_t now_ns)
{
    const struct conn_owner *owner = &table->owner;
    struct conn_request request;

    conn_close(table, conn);
    while (conn_take(table, conn, &request)) {
        owner->failed(owner->self, conn, &request, why, now_ns);
        why = FAILED_NOT_PROCESSED;
    }
}

/* When the bytes in hand were taken: one reading of the clock for all answers that end in them. */
static uint64_t fed_ns(struct conn_table *table)
{
    if (table->fed_ns == 0) table->fed_ns = clock_now_ns();
    return table->fed_ns;
}

/* The answer to the oldest request is complete. */
static void complete(struct conn_table *table, struct conn *conn, bool reusable)
{
    uint64_t done_ns = fed_ns(table);
    struct conn_answer answer = {.first_ns = conn->first_ns != 0 ? conn->first_ns : done_ns,
                                 .done_ns = done_ns,
                                 .body_bytes = conn->body_bytes,
                                 .status = conn->status};
    struct conn_request request;
    bool taken = conn_take(table, conn, &request);

    CHECK(taken);
    table->done_ns = answer.done_ns;
    conn->part = PART_HEAD;
    conn->body_bytes = 0;
    conn->first_ns = 0;
    conn->interim_count = 0;
    conn_to(conn, conn->window_count == 0 ? CONN_IDLE : CONN_SENDING);
    table->owner.answered(table->owner.self, conn, &request, &answer);
    if (reusable && conn->window_first < conn->requests_max) return;
    conn_close_after_peer(table, conn, answer.done_ns);
    while (conn_take(table, conn, &request)) {
        table->owner.failed(table->owner.self, conn, &request, FAILED_NOT_PROCESSED,
                            answer.done_ns);
    }
}

/* Bodies that fit a small buffer are the common case, in which there is nothing to note. */
static void note_body(const struct conn_table *table, struct pool *pool, uint64_t length,
                      bool drainable)
{
    if (length > table->small_body_max || unlikely(pool->mode != MODE_SMALL)) {
        pool_note_body(pool, length, drainable);
    }
}

/* Shows body bytes to an owner who wants to see them. */
static void show_body(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    const struct conn_request *oldest = conn_oldest(table, conn);

    if (likely(!oldest->watched) || len == 0) return;
    table->owner.body(table->owner.self, oldest, data, len);
}

/* A head, which stands at `text`, is in: decides how the rest is read. */
static void begin_body(struct conn_table *table, struct conn *conn, const char *text,
                       const struct http1_head *head, const struct http1_framing *framing)
{
    const struct conn_request *oldest = conn_oldest(table, conn);

    conn->carry_len = 0;
    if (unlikely(framing->interim)) {
        (*table->counts.interim)++;
        if (++conn->interim_count > HTTP1_INTERIM_MAX) {
            conn_fail(table, conn, FAILED_HEAD_TOO_LARGE, clock_now_ns());
        } else if (head->status == 100 && conn->body != NULL) {
            conn_body_continue(table, conn);
        }
        return;
    }
    if (unlikely(head->status == 101)) { /* We never ask for an upgrade. */
        conn_fail(table, conn, FAILED_BAD_FRAMING, clock_now_ns());
        return;
    }
    if (unlikely(framing->conflict)) (*table->counts.conflicting)++;
    conn->status = head->status;
    conn->reusable = framing->reusable;
    if (unlikely(oldest->watched)) {
        table->owner.head(table->owner.self, oldest, text, head);
    }
    switch (framing->body) {
    case HTTP1_BODY_NONE: complete(table, conn, framing->reusable); return;
    case HTTP1_BODY_LENGTH:
        conn->part = PART_LENGTH;
        conn->body_left = framing->length;
        note_body(table, conn->pool, framing->length, !oldest->watched);
        return;
    case HTTP1_BODY_CHUNKED:
        conn->part = PART_CHUNKED;
        http1_chunked_init(&conn->chunked);
        return;
    case HTTP1_BODY_CLOSE: conn->part = PART_CLOSE; return;
    }
}

enum failed_class conn_class_of(enum http1_result result)
{
    switch (result) {
    case HTTP1_BAD: return FAILED_BAD_HEAD;
    case HTTP1_BAD_FRAMING: return FAILED_BAD_FRAMING;
    case HTTP1_TOO_LARGE: return FAILED_HEAD_TOO_LARGE;
    case HTTP1_DONE:
    case HTTP1_MORE: break;
    }
    UNREACHABLE("a result that is no failure");
}

enum http1_result conn_take_head(struct conn_table *table, struct conn *conn, const char *data,
                                 size_t len, struct conn_head *ret_head)
{
    uint32_t carried = conn->carry_len;
    const char *text = data;
    size_t text_len = len;
    enum http1_result result;

    if (carried > 0) {
        size_t room = table->head_bytes_max - carried;

        text_len = carried + (len < room ? len : room);
        memcpy(carry_of(table, conn) + carried, data, text_len - carried);
        text = carry_of(table, conn);
    }
    result = http1_parse_head(text, text_len, carried, table->head_bytes_max, &ret_head->facts);
    if (result == HTTP1_MORE && text_len < table->head_bytes_max) {
        if (carried == 0) memcpy(carry_of(table, conn), data, len);
        conn->carry_len = (uint32_t)text_len;
        return HTTP1_MORE;
    }
    if (result != HTTP1_DONE) return result == HTTP1_MORE ? HTTP1_TOO_LARGE : result;
    ret_head->text = text;
    ret_head->used = ret_head->facts.bytes - carried;
    return HTTP1_DONE;
}

/* Reads a head, or more of one. Returns how many bytes of `data` were used. */
static size_t parse_head(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    struct pool *pool = conn->pool;
    struct conn_head head;
    struct http1_framing framing;
    enum http1_result result = conn_take_head(table, conn, data, len, &head);

    if (result == HTTP1_MORE) return len;
    if (result != HTTP1_DONE) {
        conn_fail(table, conn, conn_class_of(result), clock_now_ns());
        return len;
    }
    http1_same_learn(&pool->same, head.text, &head.facts);
    for (uint32_t asked = 0; asked < COUNT(pool->same_framing); asked++) {
        pool->same_framing[asked] = http1_framing(&head.facts, (enum http1_asked)asked);
    }
    framing = pool->same_framing[conn_oldest(table, conn)->asked];
    begin_body(table, conn, head.text, &head.facts, &framing);
    return head.used;
}

/* Reads a head like the last one at the start of `len` bytes, and its body if that is whole. */
static size_t feed_same(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    const struct http1_head *head = &conn->pool->same.head;
    const struct conn_request *oldest = conn_oldest(table, conn);
    const struct http1_framing *framing = &conn->pool->same_framing[oldest->asked];

    if (framing->body != HTTP1_BODY_LENGTH || framing->length > len - head->bytes ||
        unlikely(oldest->watched)) {
        begin_body(table, conn, data, head, framing);
        return head->bytes;
    }
    note_body(table, conn->pool, framing->length, true);
    conn->status = head->status;
    conn->body_bytes = framing->length;
    complete(table, conn, framing->reusable);
    return head->bytes + framing->length;
}

/* Reads from the start of a response, or goes on in its head. */
static size_t feed_head(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    struct pool *pool = conn->pool;

    if (conn->state != CONN_RECEIVING) {
        if (unlikely(conn->window_count == 0)) { /* Bytes that nobody asked for. */
            (*table->counts.unsolicited_idle)++;
            conn_close(table, conn);
            return len;
        }
        if (unlikely(conn_oldest(table, conn)->enters >= table->ring_counts->reaped)) {
            conn_fail(table, conn, FAILED_UNSOLICITED, clock_now_ns());
            return len;
        }
        conn_to(conn, CONN_RECEIVING);
        if (likely(http1_same_match(&pool->same, data, len))) {
            return feed_same(table, conn, data, len);
        }
    }
    return parse_head(table, conn, data, len);
}

static size_t feed_chunked(struct conn_table *table, struct conn *conn, const char *data,
                           size_t len)
{
    size_t used = 0, span_len = 0;
    enum http1_result result = http1_chunked_next(&conn->chunked, data, len, &used, &span_len);

    conn->body_bytes += span_len;
    show_body(table, conn, data + used - span_len, span_len);
    if (result == HTTP1_DONE) {
        note_body(table, conn->pool, conn->body_bytes, false);
        complete(table, conn, conn->reusable);
    } else if (result != HTTP1_MORE) {
        conn_fail(table, conn, conn_class_of(result), clock_now_ns());
        return len;
    }
    return used;
}

static size_t feed_body(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    uint64_t n;

    switch ((enum conn_part)conn->part) {
    case PART_HEAD: break;
    case PART_LENGTH:
        n = min_u64(len, conn->body_left);
        show_body(table, conn, data, n);
        conn->body_left -= n;
        conn->body_bytes += n;
        if (conn->body_left == 0) complete(table, conn, conn->reusable);
        return n;
    case PART_CHUNKED: return feed_chunked(table, conn, data, len);
    case PART_CLOSE:
        show_body(table, conn, data, len);
        conn->body_bytes += len;
        return len;
    }
    UNREACHABLE("a head is no body");
}

uint32_t conn_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    uint32_t first = conn->window_first;

    *table->counts.bytes_received += len;
    table->fed_ns = 0;
    while (len > 0 && conn->state != CONN_CLOSING) {
        size_t used = conn->part == PART_HEAD ? feed_head(table, conn, data, len)
                                              : feed_body(table, conn, data, len);

        DCHECK(used <= len);
        data += used;
        len -= used;
    }
    /* The first byte of an answer that goes on: one that came whole needs no reading of its own. */
    if (unlikely(conn->state == CONN_RECEIVING) && conn->first_ns == 0) {
        conn->first_ns = fed_ns(table);
    }
    return conn->window_first - first;
}

bool conn_drained(struct conn_table *table, struct conn *conn, uint64_t len)
{
    CHECK(conn->part == PART_LENGTH);
    CHECK(len <= conn->body_left);
    *table->counts.bytes_received += len;
    if (table->sink == NULL) {
        *table->counts.bytes_discarded += len;
        *table->counts.discarded += len == conn->body_left;
    }
    conn->body_left -= len;
    conn->body_bytes += len;
    if (conn->body_left > 0) return false;
    table->fed_ns = 0;
    complete(table, conn, conn->reusable);
    return true;
}

/* The peer ended an idle connection. One that never carried a request makes the pool back off: a
 * server that accepts only to close again must not make us spin. */
static void conn_idle_ended(struct conn_table *table, struct conn *conn)
{
    (*table->counts.closed_by_peer)++;
    if (conn->window_first == 0) pool_back_off(conn->pool, clock_now_ns());
    conn_close(table, conn);
}

void conn_eof(struct conn_table *table, struct conn *conn)
{
    enum failed_place place = place_of(conn);

    conn->peer_ended = true;
    if (conn->state == CONN_TUNNELING) {
        conn_tunnel_ended(table, conn, 0);
        return;
    }
    if (conn->window_count == 0) {
        conn_idle_ended(table, conn);
        return;
    }
    if (conn->part == PART_CLOSE) {
        note_body(table, conn->pool, conn->body_bytes, false);
        table->fed_ns = 0;
        complete(table, conn, false);
        return;
    }
    if (place == FAILED_IN_HEAD || place == FAILED_IN_BODY) {
        conn_fail(table, conn, FAILED_INCOMPLETE, clock_now_ns());
        return;
    }
    /* A send that met a reset may have taken the error that the receive would have shown. */
    conn_fail(table, conn,
              conn->send_error != 0 && conn->send_error != EPIPE
                  ? failed_of_stream(conn->send_error, place)
                  : FAILED_CLOSED_BEFORE_RESPONSE,
              clock_now_ns());
}

void conn_stream_error(struct conn_table *table, struct conn *conn, int errno_value)
{
    if (conn->state == CONN_TUNNELING) {
        conn_tunnel_ended(table, conn, errno_value);
        return;
    }
    if (conn->state == CONN_HANDSHAKING) {
        conn_tls_fail(table, conn, FAILED_TLS_RESET, clock_now_ns());
        return;
    }
    if (conn->window_count == 0) {
        conn_idle_ended(table, conn);
        return;
    }
    conn_fail(table, conn, failed_of_stream(errno_value, place_of(conn)), clock_now_ns());
}
