/* runner_log: what a test file logs of answers and errors, and who is held back while a log is
 * full. Private to the runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_LOG_H
#define CORE_RUNNER_LOG_H

#include "config/expr.h"
#include "core/ledger.h"
#include "core/logger.h"
#include "core/test_error.h"
#include "io/failed.h"

struct endpoint;
struct exchange;
struct runner;

/* Logs an answer, for which the environment is ready. */
void runner_log(struct exchange *exchange, bool expected);

/* Tells global loggers of an error of evaluation, while the environment is that of an answer. */
void runner_log_error(struct exchange *exchange, enum expr_error error);

/* The same of a request that failed. `text` says why, else the class does; what the environment
 * was ready for it is no more. */
void runner_log_failure(struct exchange *exchange, enum failed_class why, const char *text);

/* Builds a request that was never sent, for those who want to see what it would have been. */
void runner_keep_unsent(struct exchange *exchange);

/* The same of an endpoint whose hit has waited for values; `text` says how. No request has begun.
 */
void runner_log_wait(struct endpoint *endpoint, const char *text);

/* runner_wait.c: a hit that waits for values has been passed by the next one; it waits no more. */
void runner_wait_passed(struct endpoint *endpoint);
void runner_wait_over(struct endpoint *endpoint);

/* False if the endpoint's requests have to wait for room in a log. */
bool runner_log_has_room(struct endpoint *endpoint);

/* What a hit that the endpoint holds is missed for. */
enum missed_reason runner_held_for(const struct endpoint *endpoint);

/* The endpoint waits for room, or no longer. */
void runner_log_hold(struct endpoint *endpoint);
void runner_log_unhold(struct endpoint *endpoint);

/* Moves lines that wait on, and touches the endpoints that need not wait any more. */
void runner_log_poll(struct runner *runner);

#endif
