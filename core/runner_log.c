/* What a test file logs of answers and errors, and who is held back while a log is full. */
#include <string.h>

#include "core/base/check.h"
#include "core/runner_impl.h"

enum { FAILED_SENT_BYTES_MAX = 1 << 20 }; /* Of a request that was never sent, kept for loggers. */

/* Where the values of an entry of `logs` go. */
struct log_context {
    struct runner *runner;
    uint32_t logger;
};

static bool log_value(void *context, const struct value *value)
{
    struct log_context *log = context;

    switch (logger_put(log->runner->log, log->logger, value)) {
    case LOGGER_PUT:
    case LOGGER_DROPPED: return true;
    case LOGGER_LIMIT: return false;
    case LOGGER_KILL: log->runner->is_killed = true; return false;
    }
    UNREACHABLE("a result without a name");
}

/* Evaluates the endpoint's own logs, if `own`, and the global ones. */
static void evaluate(struct exchange *exchange, bool own)
{
    const struct testfile_endpoint *def = exchange->endpoint->def;
    struct runner *runner = exchange->endpoint->runner;

    for (uint32_t i = 0; i < def->logs_count; i++) {
        const struct testfile_output *output = &def->logs[i];
        struct log_context context = {.runner = runner, .logger = output->target};
        enum expr_error error;

        if (!own && !output->is_global) continue;
        if (logger_is_over(runner->log, output->target)) continue;
        runner->env.indexing_is_null = true;
        error = select_run(&output->select, &runner->env, runner->env_locals, log_value, &context);
        if (error != EXPR_OK) runner_note_error(exchange, TEST_ERROR_INDEXING, error);
    }
}

/* The same with `error` set. */
static void evaluate_error(struct exchange *exchange, bool own, enum test_error code,
                           const char *text)
{
    struct runner *runner = exchange->endpoint->runner;
    struct value_member members[] = {{value_str("msg"), value_str(text)},
                                     {value_str("code"), value_int(code)}};
    bool made = value_object(members, COUNT(members), &runner->env.error);

    CHECK(made);
    evaluate(exchange, own);
    runner->env.error = value_null();
}

static bool logs_errors(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;

    /* The global ones come last. */
    return endpoint->runner->log != NULL && def->logs_count > 0 &&
           def->logs[def->logs_count - 1].is_global;
}

void runner_log(struct exchange *exchange, bool expected)
{
    if (exchange->endpoint->runner->log == NULL) return;
    if (likely(expected)) {
        evaluate(exchange, true);
    } else {
        evaluate_error(exchange, true, TEST_ERROR_EXPECT, failed_texts[FAILED_UNEXPECTED]);
    }
}

void runner_log_error(struct exchange *exchange, enum expr_error error)
{
    if (!logs_errors(exchange->endpoint)) return;
    evaluate_error(exchange, false, TEST_ERROR_INDEXING, expr_error_text(error));
}

void runner_keep_unsent(struct exchange *exchange)
{
    struct endpoint *endpoint = exchange->endpoint;
    enum expr_error error;
    const char *bytes;
    size_t len;

    if (!endpoint->keeps_sent || exchange->sent != NULL) return;
    if (!runner_build(endpoint, exchange, &bytes, &len, &error)) return;
    if (len + endpoint->cuts.text_len > FAILED_SENT_BYTES_MAX) return;
    runner_keep_sent(exchange, bytes, len);
}

void runner_log_failure(struct exchange *exchange, enum failed_class why, const char *text)
{
    struct endpoint *endpoint = exchange->endpoint;
    struct runner *runner = endpoint->runner;
    uint16_t status = exchange->status;

    if (!logs_errors(endpoint)) return;
    if (why != FAILED_BUILD) runner_keep_unsent(exchange);
    exchange->status = 0; /* What came of a response is none. */
    runner_ready_env(runner, endpoint, exchange);
    runner->env.body = NULL;
    evaluate_error(exchange, false, test_error_of(why), text == NULL ? failed_texts[why] : text);
    exchange->status = status;
}

void runner_log_wait(struct endpoint *endpoint, const char *text)
{
    struct runner *runner = endpoint->runner;
    struct exchange waiting = {.endpoint = endpoint, .inputs = endpoint->inputs};

    if (!logs_errors(endpoint)) return;
    runner_ready_env(runner, endpoint, &waiting);
    runner->env.body = NULL;
    evaluate_error(&waiting, false, TEST_ERROR_PROVIDER_WAIT, text);
}

/* Holding back. */

bool runner_log_has_room(struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;
    struct runner *runner = endpoint->runner;

    if (likely(def->logs_count == 0) || runner->log == NULL) return true;
    for (uint32_t i = 0; i < def->logs_count; i++) {
        if (!logger_has_room(runner->log, def->logs[i].target)) return false;
    }
    return true;
}

enum missed_reason runner_held_for(const struct endpoint *endpoint)
{
    return endpoint->is_log_held ? MISSED_LOGGER : MISSED_PROVIDER;
}

void runner_log_hold(struct endpoint *endpoint)
{
    if (endpoint->is_log_held) return;
    endpoint->is_log_held = true;
    endpoint->runner->log_held++;
}

void runner_log_unhold(struct endpoint *endpoint)
{
    if (!endpoint->is_log_held) return;
    endpoint->is_log_held = false;
    endpoint->runner->log_held--;
}

void runner_log_poll(struct runner *runner)
{
    if (runner->log == NULL) return;
    (void)log_port_flush(runner->log);
    if (likely(runner->log_held == 0)) return;
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (endpoint->is_log_held && runner_log_has_room(endpoint)) runner_touch(endpoint);
    }
}
