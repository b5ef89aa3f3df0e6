/* Waits of due hits for values, past the slot of the next one: counted, timed, and told to loggers
 * as errors. */
#include <stdio.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/runner_impl.h"
#include "core/waits.h"

/* The provider that an endpoint waits for: the first that is missing; NULL: none is. */
static const struct provider *missing_of(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (endpoint->waits[slot].provider != NULL) return endpoint->waits[slot].provider;
    }
    for (uint32_t i = 0; i < def->declares_count; i++) {
        if (endpoint->declaring[i].wait.provider != NULL) {
            return endpoint->declaring[i].wait.provider;
        }
    }
    return NULL;
}

void runner_wait_passed(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    const struct provider *provider;

    if (endpoint->waited_for != NULL || endpoint->held_since_ns == TIME_NEVER) return;
    provider = missing_of(endpoint);
    if (provider == NULL) return;
    endpoint->waited_for = provider;
    waits_begin(&runner->worker->shared->waits[provider - runner->providers], endpoint->index,
                endpoint->held_since_ns);
}

void runner_wait_over(struct endpoint *endpoint)
{
    const struct provider *provider = endpoint->waited_for;
    struct runner *runner = endpoint->runner;
    uint64_t waited_ns = runner->worker->now_ns - endpoint->held_since_ns, since_ns = 0;
    char text[QUOTE_BYTES + 64], units[UNITS_TEXT_MAX];
    uint32_t oldest = 0;

    if (likely(provider == NULL)) return;
    endpoint->waited_for = NULL;
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        const struct endpoint *other = &runner->endpoints[i];

        if (other->waited_for != provider) continue;
        if (since_ns != 0 && other->held_since_ns >= since_ns) continue;
        since_ns = other->held_since_ns;
        oldest = i;
    }
    waits_end(&runner->worker->shared->waits[provider - runner->providers], endpoint->index,
              waited_ns, oldest, since_ns);
    (void)snprintf(text, sizeof(text), "waited for provider `%s`, %s", quote(provider->name).text,
                   units_time(units, waited_ns));
    runner_log_wait(endpoint, text);
}
