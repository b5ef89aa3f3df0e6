#include "core/flow.h"

#include "core/base/check.h"

/* A queue for `places` waiting requests. */
static bool make_queue(struct flow *flow, struct arena *arena, uint64_t places)
{
    uint32_t size = 1;

    if (places > UINT32_MAX / 2) return false;
    while (size < places) {
        size *= 2;
    }
    flow->mask = size - 1;
    flow->due_ns = arena_array(arena, size, sizeof(uint64_t));
    return flow->due_ns != NULL;
}

bool flow_init(struct flow *flow, struct arena *arena, uint32_t slots, uint64_t issued_max)
{
    CHECK(slots > 0);
    *flow = (struct flow){
        .slots = slots,
        .issued_max = issued_max == 0 ? UINT64_MAX : issued_max,
    };
    return make_queue(flow, arena, slots);
}

bool flow_init_open(struct flow *flow, struct arena *arena, const struct flow_open *options)
{
    CHECK(options->pending_max <= PLAN_PENDING_MAX);
    CHECK(options->idle_max <= (uint64_t)PLAN_CONNECTIONS_MAX * PLAN_PIPELINE_MAX);
    *flow = (struct flow){
        .open = true,
        .issued_max = options->issued_max == 0 ? UINT64_MAX : options->issued_max,
        .next_ns = TIME_NEVER,
        .wait_max_ns = options->wait_max_ns,
        .pending_max = options->pending_max,
    };
    arrivals_init(&flow->arrivals, options->mod, &options->arrivals);
    return make_queue(flow, arena, options->pending_max + options->idle_max);
}

static void push(struct flow *flow, uint64_t due_ns)
{
    DCHECK(flow->pending <= flow->mask);
    flow->due_ns[(flow->first + flow->pending) & flow->mask] = due_ns;
    flow->pending++;
}

bool flow_slot_free(struct flow *flow, uint64_t now_ns)
{
    if (now_ns >= flow->end_ns || flow->issued >= flow->issued_max) return false;
    CHECK(flow->pending < flow->slots);
    push(flow, now_ns);
    flow->issued++;
    return true;
}

static void look_ahead(struct flow *flow)
{
    uint64_t offset_ns = arrivals_next(&flow->arrivals);

    flow->next_ns = offset_ns == TIME_NEVER ? TIME_NEVER : flow->start_ns + offset_ns;
}

uint64_t flow_start(struct flow *flow, uint64_t start_ns, uint64_t end_ns)
{
    uint64_t count = 0;

    flow->start_ns = start_ns;
    flow->end_ns = end_ns;
    if (flow->open) {
        look_ahead(flow);
        return 0;
    }
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

static void shed_waited(struct flow *flow, uint64_t now_ns)
{
    while (flow_next_shed_ns(flow) <= now_ns) {
        flow->first++;
        flow->pending--;
        flow->shed[SHED_WAITED]++;
    }
}

uint64_t flow_due(struct flow *flow, uint64_t now_ns, uint64_t idle)
{
    uint64_t issued = flow->issued;
    uint64_t places = flow->pending_max + idle;

    CHECK(now_ns < TIME_NEVER);
    CHECK(places <= (uint64_t)flow->mask + 1);
    if (flow->pending == 0) flow->first = 0; /* So memory is only touched as far as it is used. */
    while (flow_next_due_ns(flow) <= now_ns) {
        uint64_t due_ns = flow->next_ns;

        /* In the order of time, so that it does not matter how often we look. */
        shed_waited(flow, due_ns);
        if (flow->pending < places) {
            push(flow, due_ns);
        } else {
            flow->shed[SHED_FULL]++;
        }
        flow->issued++;
        look_ahead(flow);
    }
    shed_waited(flow, now_ns);
    return flow->issued - issued;
}

uint64_t flow_next_due_ns(const struct flow *flow)
{
    if (flow->next_ns > flow->end_ns || flow->issued >= flow->issued_max) return TIME_NEVER;
    return flow->next_ns;
}

uint64_t flow_next_shed_ns(const struct flow *flow)
{
    if (flow->pending == 0) return TIME_NEVER;
    return flow->due_ns[flow->first & flow->mask] + flow->wait_max_ns;
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
