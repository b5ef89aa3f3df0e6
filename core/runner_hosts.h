/* runner_hosts: targets of a worker that are only known during the run, since the URL of an
 * endpoint has its host, port or scheme from values. Private to the runner (core/runner_impl.h).
 *
 * The URL of a request is made as soon as its values are there. A host that is new gets a pool,
 * out of as many as were taken before the run, and is looked up by a scribe of the worker's, while
 * the request waits in its lane; so the worker never waits for a name server. A host that cannot be
 * found is asked for again after a second; what is due until then fails as `resolve`.
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_HOSTS_H
#define CORE_RUNNER_HOSTS_H

#include "core/base/arena.h"
#include "core/runner_endpoint.h"

struct hosts;

/* Makes the hosts of a worker, with the plan's targets among them. ERR_MEMORY; ERR_LIMIT: no thread
 * or descriptor is left. */
MUST_USE enum err runner_hosts_new(struct runner *runner, struct arena *arena,
                                   struct err_info *why);

/* Once the worker's thread has ended. */
void runner_hosts_release(struct runner *runner);

/* Takes the answer of a look-up, if one has come. */
void runner_hosts_poll(struct runner *runner);

/* Finds where the endpoint's next request, whose values are there and which is due, goes to: true
 * if endpoint.pool and endpoint.target say it. Else it waits for an answer and is touched then, or
 * the request has failed. */
MUST_USE bool runner_find_host(struct endpoint *endpoint);

#endif
