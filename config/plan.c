#include "config/plan.h"

#include <sys/mman.h>
#include <unistd.h>

void plan_init(struct plan *plan)
{
    *plan = (struct plan){
        .connections = 10,
        .workers = 1,
        .pipeline = 1,
        .duration_ns = 10 * NS_PER_S,
        .timeout_ns = 10 * NS_PER_S,
        .connect_timeout_ns = 10 * NS_PER_S,
        .drain_ns = 10 * NS_PER_S,
        .max_pending = 1000000,
        .seed = 1,
        .discard_above = PLAN_DISCARD_ABOVE,
        .sink_above = PLAN_SINK_ABOVE,
        .tls = {.alpn = "http/1.1",
                .seclevel = PLAN_TLS_SECLEVEL_UNTOUCHED,
                .timeout_ns = 10 * NS_PER_S},
        .batch_wait = true,
    };
    arena_init(&plan->arena, PLAN_ARENA_BYTES_MAX);
}

void plan_release(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->body_spans; i++) {
        struct plan_span *span = &plan->body[i];

        if (span->mapping == NULL) continue;
        (void)munmap(span->mapping, span->len);
        (void)close(span->fd);
    }
    arena_release(&plan->arena);
    *plan = (struct plan){.connections = 0};
}
