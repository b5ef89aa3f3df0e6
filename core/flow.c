#include "core/flow.h"

#include "core/base/check.h"

bool flow_init(struct flow *flow, struct arena *arena, uint32_t slots, uint64_t issued_max)
{
    uint32_t size = 1;

    CHECK(slots > 0 && slots <= UINT32_MAX / 2);
    while (size < slots) {
        size *= 2;
    }
    *flow = (struct flow){
        .due_ns = arena_array(arena, size, sizeof(uint64_t)),
        .mask = size - 1,
        .slots = slots,
        .issued_max = issued_max == 0 ? UINT64_MAX : issued_max,
    };
    return flow->due_ns != NULL;
}

bool flow_slot_free(struct flow *flow, uint64_t now_ns)
{
    if (now_ns >= flow->end_ns || flow->issued >= flow->issued_max) return false;
    CHECK(flow->pending < flow->slots);
    flow->due_ns[(flow->first + flow->pending) & flow->mask] = now_ns;
    flow->pending++;
    flow->issued++;
    return true;
}

uint64_t flow_start(struct flow *flow, uint64_t start_ns, uint64_t end_ns)
{
    uint64_t count = 0;

    flow->end_ns = end_ns;
    while (count < flow->slots && flow_slot_free(flow, start_ns)) {
        count++;
    }
    return count;
}

void flow_hold_slot(struct flow *flow)
{
    CHECK(flow->held < flow->slots);
    flow->held++;
}

uint64_t flow_release_held(struct flow *flow, uint64_t now_ns)
{
    uint64_t count = 0;

    for (; flow->held > 0; flow->held--) {
        count += flow_slot_free(flow, now_ns);
    }
    return count;
}

bool flow_take(struct flow *flow, uint64_t *ret_due_ns)
{
    if (flow->pending == 0) return false;
    *ret_due_ns = flow->due_ns[flow->first & flow->mask];
    flow->first++;
    flow->pending--;
    return true;
}

bool flow_is_exhausted(const struct flow *flow)
{
    return flow->pending == 0 && flow->issued >= flow->issued_max;
}
