/* When an endpoint may begin a request that no schedule asks for: what its queues have room for,
 * and what others have asked for. */
#include "core/runner_impl.h"
#include "core/share.h"

enum { MULTIPLIER_MAX = 10, STARTABLE_MAX = 1000 };

#define BUILD_PAUSE_NS (10 * NS_PER_MS)

static uint32_t room_of(const struct provider *provider)
{
    return provider_has_room(provider) ? provider->limit - provider->len : 0;
}

/* The block queues of an endpoint that somebody reads, and what there is in them. The request ends
 * when one of them has taken its values, or, with send_all, when all have. Where nobody reads any,
 * they are as good as empty. */
struct targets {
    uint32_t count; /* Of block queues. */
    uint32_t read;
    uint32_t room; /* Of the one with most; with send_all, least. */
    bool one_is_empty;
    bool all_are_full;
};

static struct targets look_at_targets(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;
    const struct runner *runner = endpoint->runner;
    struct targets targets = {.all_are_full = true};
    uint32_t unread_room = 0;

    for (uint32_t i = 0; i < def->provides_count; i++) {
        uint32_t target = def->provides[i].target;
        const struct provider *provider = &runner->providers[target];
        uint32_t room = room_of(provider);

        if (def->provides[i].send != SEND_BLOCK) continue;
        targets.count++;
        if (!runner_is_read(runner, target)) {
            unread_room = provider->limit;
            continue;
        }
        if (targets.read == 0 || (def->send_all ? room < targets.room : room > targets.room)) {
            targets.room = room;
        }
        targets.read++;
        targets.one_is_empty |= provider->len == 0;
        targets.all_are_full &= room == 0;
    }
    if (targets.read > 0) return targets;
    return (struct targets){.count = targets.count, .room = unread_room, .one_is_empty = true};
}

/* How many requests may be under way. */
static uint64_t running_max(const struct endpoint *endpoint, const struct targets *targets)
{
    const struct flow_drive *drive = &endpoint->drive;
    uint64_t max = drive->running_max;

    if (drive->by_slots || targets->count == 0 || endpoint->runner->options.trial != NULL) {
        return max;
    }
    return min_u64(max,
                   (uint64_t)(targets->room > 0 ? targets->room : 1) * endpoint->drive.multiplier);
}

static bool has_room(const struct endpoint *endpoint)
{
    const struct worker *w = endpoint->runner->worker;
    struct targets targets = look_at_targets(endpoint);

    return (uint64_t)endpoint->drive.running + lanes_pending_of(&w->lanes, endpoint->index) <
           running_max(endpoint, &targets);
}

/* Takes one demand of a provider that the endpoint feeds. */
static bool take_demand(struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t i = 0; i < def->provides_count && !endpoint->drive.is_asked; i++) {
        uint32_t target = def->provides[i].target;

        endpoint->drive.is_asked = provider_take_demand(&endpoint->runner->providers[target]);
        endpoint->drive.asked = target;
    }
    return endpoint->drive.is_asked;
}

/* True if a slot of its schedule has come, or will. */
static bool has_slot(const struct endpoint *endpoint)
{
    const struct flow_drive *drive = &endpoint->drive;
    const struct worker *w = endpoint->runner->worker;

    if (endpoint->is_held || drive->is_slot_open) return true;
    if (lanes_pending_of(&w->lanes, endpoint->index) > 0) return true;
    return !drive->reads_clock && endpoint->next_ns <= w->end_ns;
}

bool runner_may_gather(struct endpoint *endpoint)
{
    const struct flow_drive *drive = &endpoint->drive;
    const struct worker *w = endpoint->runner->worker;

    if (endpoint->is_stopped) return false;
    if (endpoint->is_gathering) return true;
    if (unlikely(drive->yields_until_ns > 0)) return false;
    if (drive->by_slots) {
        if (!has_slot(endpoint)) return false;
    } else if (drive->left == 0 || w->now_ns >= min_u64(w->end_ns, drive->until_ns) ||
               !has_room(endpoint)) {
        return false;
    }
    return !drive->on_demand || take_demand(endpoint);
}

bool runner_is_due(const struct endpoint *endpoint)
{
    const struct flow_drive *drive = &endpoint->drive;
    const struct worker *w = endpoint->runner->worker;

    if (drive->by_slots) return drive->on_demand && drive->is_slot_open;
    return w->now_ns < min_u64(w->end_ns, drive->until_ns) && w->now_ns >= drive->resume_ns &&
           has_room(endpoint);
}

bool runner_may_send(const struct endpoint *endpoint)
{
    return endpoint->drive.running < endpoint->drive.running_max;
}

uint32_t runner_startable(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;
    const struct runner *runner = endpoint->runner;
    struct targets targets;
    uint64_t max, under_way = (uint64_t)endpoint->drive.running + 1;

    if (endpoint->drive.by_slots || def->declares_used > 0) return 0;
    targets = look_at_targets(endpoint);
    max = running_max(endpoint, &targets);
    max = min_u64(max - min_u64(max, under_way), endpoint->drive.left);
    max = min_u64(max, STARTABLE_MAX);
    if (endpoint->drive.on_demand) {
        uint64_t demand = 0;

        for (uint32_t i = 0; i < def->provides_count; i++) {
            demand += runner->providers[def->provides[i].target].demand;
        }
        max = min_u64(max, demand);
    }
    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (def->is_input[slot]) max = min_u64(max, runner->providers[def->slots[slot]].len);
    }
    return (uint32_t)max;
}

void runner_note_room(struct endpoint *endpoint)
{
    struct flow_drive *drive = &endpoint->drive;
    struct targets targets;

    if (drive->by_slots) return;
    targets = look_at_targets(endpoint);
    if (targets.count == 0) return;
    if (targets.all_are_full) {
        if (drive->multiplier > 1) drive->multiplier--;
    } else if (targets.one_is_empty && drive->running >= running_max(endpoint, &targets)) {
        if (drive->multiplier < MULTIPLIER_MAX) drive->multiplier++;
    }
}

void runner_pause(struct endpoint *endpoint)
{
    if (!endpoint->drive.by_slots) {
        endpoint->drive.resume_ns = endpoint->runner->worker->now_ns + BUILD_PAUSE_NS;
    }
}

/* The bound of all workers together; each may have one under way at least. */
static uint64_t share_of_max(const struct endpoint *endpoint)
{
    const struct worker *w = endpoint->runner->worker;
    uint64_t max = endpoint->def->max_parallel_requests;

    if (max == 0) return UINT64_MAX;
    if (endpoint->runner->options.crews[endpoint->index] <= 1) return max;
    max = share_of(max, w->plan->workers, w->index);
    return max > 0 ? max : 1;
}

void runner_init_drive(struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;
    struct flow_drive *drive = &endpoint->drive;

    drive->on_demand = def->on_demand && def->provides_count > 0;
    drive->by_slots = def->has_peak_load;
    drive->left = UINT32_MAX;
    drive->multiplier = 1;
    drive->running_max = share_of_max(endpoint);
    drive->until_ns = TIME_NEVER;
}

uint64_t runner_driven_next_ns(const struct runner *runner)
{
    uint64_t now_ns = runner->worker->now_ns, next_ns = TIME_NEVER;

    for (uint32_t i = 0; i < runner->driven_count; i++) {
        const struct endpoint *endpoint = runner->driven[i];
        const struct flow_drive *drive = &endpoint->drive;

        if (endpoint->is_stopped) continue;
        if (drive->until_ns > now_ns) next_ns = min_u64(next_ns, drive->until_ns);
        if (drive->resume_ns > now_ns) next_ns = min_u64(next_ns, drive->resume_ns);
    }
    if (runner->ends_changed) next_ns = min_u64(next_ns, max_u64(now_ns, runner->ends_next_ns));
    return next_ns;
}
