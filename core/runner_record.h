/* runner_record: what is written down of the requests of a test file: in the ledger, in the figures
 * of endpoints, in the groups of tags. Private to the runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_RECORD_H
#define CORE_RUNNER_RECORD_H

#include "config/expr.h"
#include "core/base/arena.h"
#include "core/test_error.h"
#include "io/conn.h"

struct endpoint;
struct exchange;
struct runner;

/* A request was answered, and the answer is what was expected or not; or it failed. */
void runner_note_answer(struct exchange *exchange, const struct conn_request *request,
                        const struct conn_answer *answer, enum failed_class why);
void runner_note_failure(struct exchange *exchange, const struct conn_request *request,
                         enum failed_class why);
/* An error of an expression, of a request that has been noted or failed to be built. */
void runner_note_error(struct exchange *exchange, enum test_error code, enum expr_error error);

/* Publishes how the providers stand, at the end of a turn. */
void runner_publish_gauges(struct runner *runner, uint64_t now_ns);

/* runner_tags.c: finds out which tags of an endpoint vary; false when the arena refuses. */
MUST_USE bool runner_prepare_tags(struct endpoint *endpoint, struct arena *arena);

/* The group of the tags of a request that has ended. With an answer the environment must be ready
 * (runner_ready_env); without one it is made so. */
struct group *runner_group_of(struct exchange *exchange);

#endif
