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

/* A request window_max times in a row, so that a send of several is one piece. */
static const char *repeat(struct worker *w, const struct plan_request *request)
{
    uint32_t window = w->table.window_max;
    char *bytes;

    if (window == 1) return request->bytes;
    bytes = arena_array(&w->arena, window, request->len);
    for (uint32_t i = 0; bytes != NULL && i < window; i++) {
        memcpy(bytes + i * request->len, request->bytes, request->len);
    }
    return bytes;
}

bool worker_lay_out(struct worker *w)
{
    const struct plan *plan = w->plan;
    size_t len_max = 0;

    w->asks_count = plan->requests_count;
    w->asks = arena_array(&w->arena, w->asks_count, sizeof(*w->asks));
    if (w->asks == NULL) return false;
    for (uint32_t i = 0; i < w->asks_count; i++) {
        const struct plan_request *request = &plan->requests[i];

        w->asks[i] = (struct worker_ask){.bytes = request->bytes,
                                         .len = request->len,
                                         .id_at = request->id_at,
                                         .asked = asked_of(request->method)};
        len_max = max_u64(len_max, request->len);
    }
    if (!plan->ids && (w->asks_count == 1 || w->table.window_max == 1)) {
        w->asks[0].bytes = repeat(w, &plan->requests[0]);
        return w->asks[0].bytes != NULL;
    }
    w->own_size = w->table.window_max * len_max;
    w->own_bytes = arena_array(&w->arena, w->table.count, w->own_size);
    if (w->own_bytes == NULL) return false;
    if (w->asks_count > 1) return true;
    /* Only the ids will change. */
    for (size_t i = 0; i < (size_t)w->table.count * w->table.window_max; i++) {
        memcpy(w->own_bytes + i * len_max, w->asks[0].bytes, len_max);
    }
    return true;
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

void worker_send_add(struct worker *w, const struct conn *conn, struct worker_send *send,
                     uint32_t request)
{
    const struct worker_ask *ask = &w->asks[request];
    char *own;

    if (likely(w->own_bytes == NULL)) {
        send->bytes = ask->bytes;
    } else {
        own = w->own_bytes + (size_t)conn->slot * w->own_size;
        send->bytes = own;
        own += send->len;
        if (w->asks_count > 1) memcpy(own, ask->bytes, ask->len);
        if (w->plan->ids) write_id(own + ask->id_at, w->index, w->ids_used++);
    }
    send->len += ask->len;
    send->count++;
}
