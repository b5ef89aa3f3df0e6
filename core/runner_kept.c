/* What is kept of an answer while it comes, and what expressions pick of it. */
#include <string.h>

#include "core/base/check.h"
#include "core/runner_impl.h"

enum { CODED_SLACK_BYTES = 4096 }; /* A coding may make a body a little larger. */

struct exchange *exchange_of(struct runner *runner, const struct conn_request *request)
{
    struct exchange *exchange = &runner->exchanges[request->kind];

    CHECK(request->kind < runner->exchanges_count && exchange->endpoint != NULL);
    return exchange;
}

char *runner_keep(struct exchange *exchange, const char *data, size_t len)
{
    char *copy = blocks_alloc(&exchange->endpoint->runner->blocks, len);

    if (copy == NULL) {
        exchange->body_is_full = true;
        return NULL;
    }
    memcpy(copy, data, len);
    return copy;
}

void runner_keep_sent(struct exchange *exchange, const char *bytes, size_t len)
{
    struct endpoint *endpoint = exchange->endpoint;
    struct runner *runner = endpoint->runner;

    if (!endpoint->keeps_sent) return;
    if (endpoint->cuts.count > 0) {
        runner_stream_keep(exchange, bytes, len, runner->body_bytes, endpoint->cuts.text_len);
        return;
    }
    exchange->sent = blocks_alloc(&runner->blocks, len);
    exchange->sent_len = exchange->sent == NULL ? 0 : len;
    if (exchange->sent != NULL) memcpy(exchange->sent, bytes, len);
}

void runner_on_head(void *self, const struct conn_request *request, const char *text,
                    const struct http1_head *head)
{
    struct worker *w = self;
    struct exchange *exchange = exchange_of(w->runner, request);
    struct endpoint *endpoint = exchange->endpoint;

    exchange->status = head->status;
    if (endpoint->select != NULL) codings_add_head(&exchange->codings, text, head->bytes);
    if (!endpoint->keeps_head) return;
    exchange->head = runner_keep(exchange, text, head->bytes);
    exchange->head_len = exchange->head == NULL ? 0 : head->bytes;
}

/* Makes room for `len` bytes more of the body; false when that is too much. */
static bool grow_body(struct runner *runner, struct exchange *exchange, size_t len)
{
    size_t need = exchange->body_len + len, size = exchange->body_size;
    uint64_t max = runner->test->client.max_response_body;
    char *body;

    if (need <= size) return true;
    if (exchange->codings.count > 0) max += CODED_SLACK_BYTES;
    if (need > max) return false;
    size = need < 2 * size ? 2 * size : need;
    body = blocks_alloc(&runner->blocks, size);
    if (body == NULL) return false;
    if (exchange->body_len > 0) memcpy(body, exchange->body, exchange->body_len);
    blocks_free(&runner->blocks, exchange->body, exchange->body_size);
    exchange->body = body;
    exchange->body_size = size;
    return true;
}

void runner_on_body(void *self, const struct conn_request *request, const char *data, size_t len)
{
    struct worker *w = self;
    struct exchange *exchange = exchange_of(w->runner, request);

    if (!exchange->endpoint->keeps_body || exchange->body_is_full) return;
    if (!grow_body(w->runner, exchange, len)) {
        exchange->body_is_full = true;
        return;
    }
    memcpy(exchange->body + exchange->body_len, data, len);
    exchange->body_len += len;
}

/* Decoded bytes on their way into a selection. */
struct decoded {
    struct json_select *select;
    uint64_t left; /* Of max_response_body. */
};

static bool take_decoded(void *self, const char *data, size_t len)
{
    struct decoded *decoded = self;

    if (len > decoded->left) return false;
    decoded->left -= len;
    (void)json_select_feed(decoded->select, data, len);
    return true;
}

/* Gives the body, without its codings, to the selection. FAILED_COUNT: all of it. */
static enum failed_class feed_decoded(struct runner *runner, const struct exchange *exchange)
{
    struct decoded decoded = {.select = exchange->endpoint->select,
                              .left = runner->test->client.max_response_body};
    enum coding_result result;
    struct coding coding;

    if (!coding_open(&coding, &runner->blocks, &exchange->codings, take_decoded, &decoded)) {
        return FAILED_BODY_TOO_LARGE;
    }
    result = coding_feed(&coding, exchange->body, exchange->body_len);
    if (result == CODING_OK) result = coding_finish(&coding);
    coding_close(&coding);
    if (result == CODING_OK) return FAILED_COUNT;
    return result == CODING_BROKEN ? FAILED_BAD_CODING : FAILED_BODY_TOO_LARGE;
}

enum failed_class runner_pick(struct exchange *exchange)
{
    struct endpoint *endpoint = exchange->endpoint;
    struct runner *runner = endpoint->runner;
    enum failed_class why = FAILED_COUNT;

    runner->env.body = NULL;
    if (endpoint->select == NULL) return FAILED_COUNT;
    if (exchange->body_is_full) return FAILED_BODY_TOO_LARGE;
    if (exchange->codings.is_unknown) return FAILED_BAD_CODING;
    json_select_start(endpoint->select, runner->build_bytes, runner->build_size);
    if (exchange->codings.count > 0 && exchange->body_len > 0) {
        why = feed_decoded(runner, exchange);
    } else {
        (void)json_select_feed(endpoint->select, exchange->body, exchange->body_len);
    }
    if (why != FAILED_COUNT) return why;
    if (!json_select_finish(endpoint->select, &runner->scratch, runner->results, NULL)) {
        return FAILED_BODY_TOO_LARGE;
    }
    runner->env.body = runner->results;
    return FAILED_COUNT;
}
