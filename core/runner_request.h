/* runner_request: a request's bytes, and what expressions see of it and its answer. Private to the
 * runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_REQUEST_H
#define CORE_RUNNER_REQUEST_H

#include "core/base/err.h"
#include "core/runner_endpoint.h"

/* runner_request.c */

/* Makes ready how requests are built. ERR_CONFIG, ERR_MEMORY. */
MUST_USE enum err runner_prepare_build(struct endpoint *endpoint, struct arena *arena,
                                       struct err_info *why);

/* Readies the environment for the expressions of an exchange. */
void runner_ready_env(struct runner *runner, struct endpoint *endpoint, struct exchange *exchange);

/* Builds a request's bytes, which stay until the next call. Where endpoint->cuts.count > 0 then,
 * its body is not among them: it is made of cuts, and of text at runner->body_bytes. False,
 * `ret_error` set, when that cannot be done. */
MUST_USE bool runner_build(struct endpoint *endpoint, struct exchange *exchange,
                           const char **ret_bytes, size_t *ret_len, enum expr_error *ret_error);

/* runner_body.c: adds the files and pieces of a body to `body`. */
MUST_USE enum expr_error runner_body_parts(struct endpoint *endpoint, struct buf *body);

/* runner_fields.c: expr_env.field; its context is the exchange. */
enum expr_error runner_field(void *context, const struct expr_field *field, struct scratch *scratch,
                             struct value *ret_value);
enum expr_error runner_url_field(struct exchange *exchange, const struct expr_field *field,
                                 struct scratch *scratch, struct value *ret_value);

#endif
