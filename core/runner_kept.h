/* runner_kept: what is kept of an answer while it comes, and what expressions pick of it. Private
 * to the runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_KEPT_H
#define CORE_RUNNER_KEPT_H

#include "core/runner_endpoint.h"

struct exchange *exchange_of(struct runner *runner, const struct conn_request *request);

/* A copy of `len` bytes, the exchange's; NULL, and its body counts as too large, without memory. */
char *runner_keep(struct exchange *exchange, const char *data, size_t len);

/* Keeps the request that was built last, `bytes` and its body, if expressions look at it. */
void runner_keep_sent(struct exchange *exchange, const char *bytes, size_t len);

/* What conn_owner says of answers that are looked at; `self` is the worker. */
void runner_on_head(void *self, const struct conn_request *request, const char *text,
                    const struct http1_head *head);
void runner_on_body(void *self, const struct conn_request *request, const char *data, size_t len);

/* Picks what the endpoint's expressions want of the body, without its codings, and not more of it
 * than max_response_body. FAILED_COUNT: all is well. */
MUST_USE enum failed_class runner_pick(struct exchange *exchange);

#endif
