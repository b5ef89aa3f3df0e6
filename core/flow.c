#include "core/flow.h"

#include "core/base/check.h"

/* What both kinds have. */
static bool init_parts(struct flow *flow, struct arena *arena, const struct flow_parts *parts)
{
    flow->lanes = parts->lanes;
    flow->turns = parts->turns;
    flow->issued_max = parts->issued_max == 0 ? UINT64_MAX : parts->issued_max;
    flow->held = arena_array(arena, parts->lanes->count, sizeof(*flow->held));
    if (flow->held == NULL) return false;
    if (parts->requests_count == 1) return true;
    flow->tally = arena_array(arena, parts->requests_count, sizeof(*flow->tally));
    return flow->tally != NULL;
}

bool flow_init(struct flow *flow, struct arena *arena, const struct flow_parts *parts,
               uint32_t slots)
{
    CHECK(slots > 0);
    CHECK(slots <= parts->lanes->mask + 1);
    *flow = (struct flow){.slots = slots};
    return init_parts(flow, arena, parts);
}

bool flow_init_open(struct flow *flow, struct arena *arena, const struct flow_parts *parts,
                    const struct flow_open *options)
{
    CHECK(options->pending_max <= PLAN_PENDING_MAX);
    *flow = (struct flow){
        .open = true,
        .next_ns = TIME_NEVER,
        .wait_max_ns = options->wait_max_ns,
        .pending_max = options->pending_max,
        .idle = options->idle,
    };
    arrivals_init(&flow->arrivals, options->mod, &options->arrivals);
    return init_parts(flow, arena, parts);
}

static void tally_due(struct flow *flow, const struct lane_waiting *waiting)
{
    struct flow_tally *tally;

    flow->issued++;
    if (likely(flow->tally == NULL)) return;
    tally = &flow->tally[waiting->request];
    tally->due++;
    tally->warmup += waiting->due_ns < flow->measured_from_ns;
}

static void tally_shed(struct flow *flow, const struct lane_waiting *waiting,
                       enum shed_reason reason)
{
    flow->shed[reason]++;
    if (flow->tally != NULL) flow->tally[waiting->request].shed++;
}

/* The one whose turn it is becomes due. */
static struct lane_waiting next_due(struct flow *flow, uint64_t due_ns)
{
    struct turn turn = turns_take(&flow->turns);
    struct lane_waiting waiting = {.due_ns = due_ns, .request = turn.request, .lane = turn.lane};

    tally_due(flow, &waiting);
    return waiting;
}

bool flow_slot_free(struct flow *flow, uint64_t now_ns)
{
    struct lane_waiting waiting;

    if (now_ns >= flow->end_ns || flow->issued >= flow->issued_max) return false;
    CHECK(flow->lanes->pending < flow->slots);
    waiting = next_due(flow, now_ns);
    lanes_add(flow->lanes, &waiting);
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

void flow_hold_slot(struct flow *flow, uint32_t lane)
{
    CHECK(lane < flow->lanes->count);
    CHECK(flow->held[lane] < flow->slots);
    flow->held[lane]++;
}

uint64_t flow_release_held(struct flow *flow, uint32_t lane, uint64_t now_ns)
{
    uint64_t count = 0;

    CHECK(lane < flow->lanes->count);
    for (; flow->held[lane] > 0; flow->held[lane]--) {
        count += flow_slot_free(flow, now_ns);
    }
    return count;
}

static void shed_waited(struct flow *flow, uint64_t now_ns)
{
    struct lane_waiting waiting;

    while (flow_next_shed_ns(flow) <= now_ns) {
        bool taken = lanes_take(flow->lanes, lanes_oldest(flow->lanes)->lane, &waiting);

        CHECK(taken);
        tally_shed(flow, &waiting, SHED_WAITED);
    }
}

/* How many wait for which no connection is free. */
static uint64_t count_stuck(const struct flow *flow)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < flow->lanes->count; i++) {
        uint32_t pending = lanes_pending_of(flow->lanes, i);

        if (pending > *flow->idle[i]) count += pending - *flow->idle[i];
    }
    return count;
}

/* Whether one more may wait in this lane: a connection is free for it, or a place. */
static bool has_place(const struct flow *flow, uint32_t lane)
{
    if (likely(flow->lanes->pending < flow->pending_max)) return true;
    return lanes_pending_of(flow->lanes, lane) < *flow->idle[lane] ||
           count_stuck(flow) < flow->pending_max;
}

uint64_t flow_due(struct flow *flow, uint64_t now_ns)
{
    uint64_t issued = flow->issued;

    CHECK(now_ns < TIME_NEVER);
    lanes_rewind(flow->lanes); /* So memory is only touched as far as it is used. */
    while (flow_next_due_ns(flow) <= now_ns) {
        struct lane_waiting waiting = next_due(flow, flow->next_ns);

        /* In the order of time, so that it does not matter how often we look. */
        shed_waited(flow, waiting.due_ns);
        if (has_place(flow, waiting.lane)) {
            CHECK(flow->lanes->pending <= flow->lanes->mask);
            lanes_add(flow->lanes, &waiting);
        } else {
            tally_shed(flow, &waiting, SHED_FULL);
        }
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
    const struct lane_waiting *oldest = lanes_oldest(flow->lanes);

    return oldest == NULL ? TIME_NEVER : oldest->due_ns + flow->wait_max_ns;
}

bool flow_is_exhausted(const struct flow *flow)
{
    return flow->lanes->pending == 0 && flow->issued >= flow->issued_max;
}
