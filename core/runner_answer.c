/* What is made of an answer: what expressions make of it, and where values go. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/runner_impl.h"

struct exchange *exchange_begin(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    struct exchange *exchange = runner->exchange_free;
    struct inputs inputs;

    CHECK(exchange != NULL && exchange->endpoint == NULL);
    runner->exchange_free = exchange->free_next;
    exchange->endpoint = endpoint;
    exchange->waited_ns = endpoint->waited_ns;
    exchange->waited_on = endpoint->waited_on;
    endpoint->waited_ns = 0;
    endpoint->waited_on = NULL;
    exchange->free_next = NULL;
    /* The values change hands, and with them their lists; those that are empty go back. */
    inputs = exchange->inputs;
    exchange->inputs = endpoint->inputs;
    endpoint->inputs = inputs;
    endpoint->is_gathering = endpoint->is_complete = false;
    exchange->target = endpoint->target;
    endpoint->has_url = endpoint->has_files = false;
    exchange->asked = endpoint->drive.is_asked ? endpoint->drive.asked : EXCHANGE_UNASKED;
    endpoint->drive.is_asked = false;
    endpoint->drive.running++;
    if (endpoint->drive.left != UINT32_MAX) endpoint->drive.left--;
    return exchange;
}

static void free_bytes(struct runner *runner, char **bytes, size_t *size)
{
    blocks_free(&runner->blocks, *bytes, *size);
    *bytes = NULL;
    *size = 0;
}

void exchange_end(struct exchange *exchange, uint64_t now_ns)
{
    struct endpoint *endpoint = exchange->endpoint;
    struct runner *runner = endpoint->runner;
    struct item_list returns = runner_take_returns(exchange);

    if (exchange->asked != EXCHANGE_UNASKED) {
        provider_ask_again(&runner->providers[exchange->asked]);
    }
    free_bytes(runner, &exchange->sent, &exchange->sent_len);
    free_bytes(runner, &exchange->head, &exchange->head_len);
    free_bytes(runner, &exchange->body, &exchange->body_size);
    exchange->body_len = 0;
    exchange->body_is_full = false;
    exchange->codings = (struct codings){.count = 0};
    exchange->bytes_sent = 0;
    exchange->group = NULL;
    exchange->status = 0;
    exchange->endpoint = NULL;
    exchange->free_next = runner->exchange_free;
    runner->exchange_free = exchange;
    runner_end_request(endpoint, &returns, now_ns);
}

/* A request of the exchange's endpoint has not ended well. */
void runner_note_ill(const struct exchange *exchange, const char *what)
{
    const struct testfile_endpoint *def = exchange->endpoint->def;
    struct runner *runner = exchange->endpoint->runner;

    if (def->on_error != ON_ERROR_STOP || runner->err != ERR_OK) return;
    runner->err =
        err_set(&runner->why, ERR_NETWORK, 0, "stopped by 'on_error: stop' of endpoint '%s': %s",
                quote(def->name).text, what);
}

static bool is_expected(struct exchange *exchange)
{
    const struct testfile_expect *expect = &exchange->endpoint->def->expect;
    struct runner *runner = exchange->endpoint->runner;
    bool any = expect->statuses_count == 0;
    struct value value;

    for (uint32_t i = 0; i < expect->statuses_count; i++) {
        any |= exchange->status >= expect->statuses[i].from &&
               exchange->status <= expect->statuses[i].to;
    }
    if (!any || expect->where == NULL) return any;
    runner->env.indexing_is_null = true;
    return expr_eval(expect->where, &runner->env, &value) == EXPR_OK && value_is_true(&value);
}

/* Shows the observer, if there is one, what became of an exchange. */
static void observe(const struct exchange *exchange, const char *failed, enum expr_error error,
                    uint64_t done_ns)
{
    const struct runner_observer *observer = exchange->endpoint->runner->options.observer;
    struct runner_seen seen = {
        .endpoint = exchange->endpoint->index,
        .sent = exchange->sent,
        .sent_len = exchange->sent_len,
        .head = exchange->head,
        .head_len = exchange->head_len,
        .body = exchange->body,
        .body_len = exchange->body_len,
        .body_is_cut = exchange->body_is_full,
        .status = exchange->status,
        .due_ns = exchange->due_ns,
        .sent_ns = exchange->sent_ns,
        .done_ns = done_ns,
        .failed = failed,
        .error = error == EXPR_OK ? NULL : expr_error_text(error),
    };

    if (exchange->endpoint->runner->options.trial != NULL) {
        runner_trial_note(exchange->endpoint->runner, &seen);
    }
    if (observer != NULL) observer->seen(observer->self, &seen);
}

static void on_answered(void *self, struct conn *conn, const struct conn_request *request,
                        const struct conn_answer *answer)
{
    struct worker *w = self;
    struct runner *runner = w->runner;
    struct exchange *exchange = exchange_of(runner, request);
    enum failed_class why;

    (void)conn;
    w->ledger.in_flight--;
    exchange->endpoint->in_flight--;
    exchange->status = answer->status;
    exchange->answer = answer;
    runner_ready_env(runner, exchange->endpoint, exchange);
    why = runner_pick(exchange);
    if (why == FAILED_COUNT && !is_expected(exchange)) why = FAILED_UNEXPECTED;
    runner_note_answer(exchange, request, answer, why);
    if (why != FAILED_COUNT) runner_note_ill(exchange, failed_texts[why]);
    if (why == FAILED_COUNT || why == FAILED_UNEXPECTED) {
        runner_provide(exchange);
        runner_log(exchange, why == FAILED_COUNT);
    } else {
        runner_log_failure(exchange, why, NULL);
    }
    observe(exchange, why == FAILED_COUNT ? NULL : failed_names[why], EXPR_OK, answer->done_ns);
    exchange->answer = NULL;
    exchange_end(exchange, answer->done_ns);
}

static void on_failed(void *self, struct conn *conn, const struct conn_request *request,
                      enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct exchange *exchange = exchange_of(w->runner, request);

    (void)conn;
    w->ledger.in_flight--;
    w->ledger.failed[why]++;
    exchange->endpoint->in_flight--;
    runner_note_failure(exchange, request, why);
    runner_log_failure(exchange, why, NULL);
    runner_note_ill(exchange, failed_texts[why]);
    observe(exchange, failed_names[why], EXPR_OK, now_ns);
    exchange_end(exchange, now_ns);
}

static void on_ready(void *self, struct conn *conn, uint64_t now_ns)
{
    struct worker *w = self;

    if (pool_idle_add(conn->pool, conn)) w->free_ns[conn->slot] = now_ns;
}

static void on_connect_ended(void *self, struct conn *conn, uint64_t now_ns, bool connected)
{
    struct worker *w = self;
    struct outbox *box = &w->runner->outboxes[conn->slot];

    box->connect_ns = now_ns - conn->begun_ns;
    box->tls_ns = 0;
    worker_conn_owner.connect_ended(self, conn, now_ns, connected);
}

static void on_handshake_ended(void *self, struct conn *conn,
                               const struct conn_handshake *handshake)
{
    struct worker *w = self;

    w->runner->outboxes[conn->slot].tls_ns = handshake->ended_ns - handshake->begun_ns;
    worker_conn_owner.handshake_ended(self, conn, handshake);
}

/* A request that has started fails before it is sent. */
static void fail_unsent(struct exchange *exchange, enum failed_class why, enum expr_error error)
{
    uint64_t now_ns = clock_now_ns();

    runner_note_failure(exchange, NULL, why);
    if (why == FAILED_BUILD) runner_note_error(exchange, TEST_ERROR_BUILD, error);
    runner_log_failure(exchange, why, why == FAILED_BUILD ? expr_error_text(error) : NULL);
    runner_note_ill(exchange, failed_texts[why]);
    if (why != FAILED_BUILD && exchange->endpoint->runner->options.observer != NULL) {
        runner_keep_unsent(exchange);
    }
    observe(exchange, failed_names[why], error, now_ns);
    exchange_end(exchange, now_ns);
}

void runner_build_failed(struct exchange *exchange, enum expr_error error)
{
    fail_unsent(exchange, FAILED_BUILD, error);
}

void runner_fail_oldest(struct endpoint *endpoint, enum failed_class why, enum expr_error error)
{
    struct worker *w = endpoint->runner->worker;
    struct lane_waiting waiting;
    struct exchange *exchange;
    bool taken = lanes_take(&w->lanes, endpoint->index, &waiting);

    CHECK(taken);
    exchange = exchange_begin(endpoint);
    exchange->due_ns = waiting.due_ns;
    w->ledger.started++;
    endpoint->figures->started++;
    w->ledger.failed[why]++;
    if (why == FAILED_BUILD) runner_pause(endpoint);
    fail_unsent(exchange, why, error);
}

/* A connect failed: the first in the pool's line has been waiting longest. */
static void on_connect_failed(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct endpoint *endpoint = runner_take_ready(w->runner, pool);

    (void)now_ns;
    if (endpoint == NULL) return;
    if (lanes_pending_of(&w->lanes, endpoint->index) == 0) {
        runner_touch(endpoint); /* What it lined up for has been shed. */
    } else {
        runner_fail_oldest(endpoint, why, EXPR_OK);
        runner_prepare(endpoint); /* The next attempt that fails finds its next hit. */
    }
}

static void on_backoff_ended(void *self, struct pool *pool, uint64_t now_ns)
{
    (void)self;
    (void)pool;
    (void)now_ns; /* The next dispatch() opens connections. */
}

/* Connects, handshakes and tunnels are recorded as those of any load. */
struct conn_owner runner_conn_owner(void)
{
    struct conn_owner owner = worker_conn_owner;

    owner.answered = on_answered;
    owner.failed = on_failed;
    owner.head = runner_on_head;
    owner.body = runner_on_body;
    owner.ready = on_ready;
    owner.connect_ended = on_connect_ended;
    owner.handshake_ended = on_handshake_ended;
    return owner;
}

struct pool_owner runner_pool_owner(void)
{
    struct pool_owner owner = worker_pool_owner;

    owner.connect_failed = on_connect_failed;
    owner.backoff_ended = on_backoff_ended;
    return owner;
}
