/* What a worker sends: the bytes of the plan's requests, laid out once where they never change, or
 * put together in the connection's own memory where every send is another one. */
#include <string.h>

#include "core/base/check.h"
#include "core/worker_impl.h"

static uint8_t asked_of(const char *method)
{
    if (strcmp(method, "HEAD") == 0) return HTTP1_ASKED_HEAD;
    if (strcmp(method, "CONNECT") == 0) return HTTP1_ASKED_CONNECT;
    return HTTP1_ASKED_OTHER;
}

/* Puts a request window_max times in a row, and its last form behind, so that a send of several is
 * one piece. */
static bool repeat(struct worker *w, struct worker_ask *ask)
{
    uint32_t window = w->table.window_max;
    char *bytes;

    if (window == 1) return true;
    bytes = arena_alloc(&w->arena, window * ask->len + ask->last_len, 1);
    if (bytes == NULL) return false;
    for (uint32_t i = 0; i < window; i++) {
        memcpy(bytes + i * ask->len, ask->bytes, ask->len);
    }
    ask->bytes = bytes;
    if (ask->last_bytes == NULL) return true;
    memcpy(bytes + window * ask->len, ask->last_bytes, ask->last_len);
    ask->last_bytes = bytes + window * ask->len;
    return true;
}

/* Takes the memory that every connection has of its own, with the request in it if there is but
 * one. */
static bool make_own(struct worker *w, size_t len_max)
{
    size_t count = (size_t)w->table.count * w->table.window_max;

    w->own_size = w->table.window_max * len_max;
    w->own_bytes = arena_array(&w->arena, w->table.count, w->own_size);
    w->own_copied = w->asks_count > 1 || w->asks[0].last_bytes != NULL;
    if (w->own_bytes == NULL || w->own_copied) return w->own_bytes != NULL;
    for (size_t i = 0; i < count; i++) {
        memcpy(w->own_bytes + i * len_max, w->asks[0].bytes, len_max);
    }
    return true;
}

bool worker_lay_out(struct worker *w)
{
    const struct plan *plan = w->plan;
    size_t len_max = 0;

    for (uint32_t i = 0; i < plan->body_spans; i++) {
        const struct plan_span *span = &plan->body[i];

        w->body.spans[w->body.count++] =
            (struct conn_span){.data = span->data, .len = span->len, .fd = span->fd};
    }
    w->asks_count = plan->requests_count;
    w->asks = arena_array(&w->arena, w->asks_count, sizeof(*w->asks));
    if (w->asks == NULL) return false;
    w->plain = !plan->ids && (w->asks_count == 1 || w->table.window_max == 1);
    for (uint32_t i = 0; i < w->asks_count; i++) {
        const struct plan_request *request = &plan->requests[i];

        w->asks[i] = (struct worker_ask){.bytes = request->bytes,
                                         .len = request->len,
                                         .id_at = request->id_at,
                                         .last_bytes = request->last_bytes,
                                         .last_len = request->last_len,
                                         .last_id_at = request->last_id_at,
                                         .asked = asked_of(request->method)};
        len_max = max_u64(len_max, max_u64(request->len, request->last_len));
    }
    if (!w->plain) return make_own(w, len_max);
    if (w->body.count > 0 || len_max > SEND_QUIET_MAX) w->plain = false;
    for (uint32_t i = 0; i < w->asks_count; i++) {
        if (w->asks[i].last_bytes != NULL) w->plain = false;
    }
    return repeat(w, &w->asks[0]);
}

static void write_id(char *to, uint32_t worker, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t id = (uint64_t)worker << 48 | number;

    for (int i = PLAN_ID_DIGITS - 1; i >= 0; i--) {
        to[i] = digits[id & 15];
        id >>= 4;
    }
}

/* Adds to what stands in the connection's own memory. */
static void add_own(struct worker *w, const struct conn *conn, struct worker_send *send,
                    const struct worker_ask *ask, bool is_last)
{
    char *own = w->own_bytes + (size_t)conn->slot * w->own_size;
    size_t len = is_last ? ask->last_len : ask->len;

    send->bytes = own;
    own += send->len;
    if (w->own_copied) memcpy(own, is_last ? ask->last_bytes : ask->bytes, len);
    if (w->plan->ids) {
        write_id(own + (is_last ? ask->last_id_at : ask->id_at), w->index, w->ids_used++);
    }
    send->len += len;
}

void worker_send_add(struct worker *w, const struct conn *conn, struct worker_send *send,
                     uint32_t request)
{
    const struct worker_ask *ask = &w->asks[request];
    bool is_last;

    send->count++;
    if (likely(w->plain)) {
        send->bytes = ask->bytes;
        send->len += ask->len;
        return;
    }
    is_last = ask->last_bytes != NULL && conn_is_last(conn);
    if (w->own_bytes != NULL) {
        add_own(w, conn, send, ask, is_last);
        return;
    }
    /* Before the last form stands what goes before it: see repeat(). */
    send->bytes = is_last ? ask->last_bytes - send->len : ask->bytes;
    send->len += is_last ? ask->last_len : ask->len;
}
