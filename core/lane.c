#include "core/lane.h"

bool lanes_init(struct lanes *lanes, struct arena *arena, uint32_t count, uint32_t places)
{
    uint32_t size = 1;

    CHECK(count > 0 && count <= LANES_MAX);
    CHECK(places <= UINT32_MAX / 2);
    while (size < places) {
        size *= 2;
    }
    *lanes = (struct lanes){
        .mask = size - 1,
        .count = count,
        .oldest = LANE_NONE,
        .newest = LANE_NONE,
        .free_first = LANE_NONE,
    };
    lanes->entries = arena_array(arena, size, sizeof(*lanes->entries));
    if (lanes->entries == NULL) return false;
    if (count == 1) return true;
    lanes->list = arena_array(arena, count, sizeof(*lanes->list));
    if (lanes->list == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        lanes->list[i] = (struct lane){.first = LANE_NONE, .last = LANE_NONE};
    }
    return true;
}

/* A place that is free. The one used last comes first: it is in the cache. */
static uint32_t take_place(struct lanes *lanes)
{
    uint32_t at = lanes->free_first;

    if (at == LANE_NONE) {
        CHECK(lanes->fresh <= lanes->mask);
        return lanes->fresh++;
    }
    lanes->free_first = lanes->entries[at].behind;
    return at;
}

void lanes_add_linked(struct lanes *lanes, const struct lane_waiting *waiting)
{
    struct lane *lane = &lanes->list[waiting->lane];
    uint32_t at = take_place(lanes);

    CHECK(waiting->lane < lanes->count);
    lanes->entries[at] = (struct lane_entry){
        .waiting = *waiting, .behind = LANE_NONE, .older = lanes->newest, .newer = LANE_NONE};
    if (lanes->newest == LANE_NONE) {
        lanes->oldest = at;
    } else {
        lanes->entries[lanes->newest].newer = at;
    }
    lanes->newest = at;
    if (lane->last == LANE_NONE) {
        lane->first = at;
    } else {
        lanes->entries[lane->last].behind = at;
    }
    lane->last = at;
    lane->pending++;
    lanes->pending++;
}

/* Takes a place out of the line over all lanes. */
static void unlink_overall(struct lanes *lanes, const struct lane_entry *entry)
{
    if (entry->older == LANE_NONE) {
        lanes->oldest = entry->newer;
    } else {
        lanes->entries[entry->older].newer = entry->newer;
    }
    if (entry->newer == LANE_NONE) {
        lanes->newest = entry->older;
    } else {
        lanes->entries[entry->newer].older = entry->older;
    }
}

bool lanes_take_linked(struct lanes *lanes, uint32_t lane, struct lane_waiting *ret_waiting)
{
    struct lane *from = &lanes->list[lane];
    uint32_t at = from->first;
    struct lane_entry *entry;

    CHECK(lane < lanes->count);
    if (at == LANE_NONE) return false;
    entry = &lanes->entries[at];
    unlink_overall(lanes, entry);
    from->first = entry->behind;
    if (from->first == LANE_NONE) from->last = LANE_NONE;
    from->pending--;
    lanes->pending--;
    *ret_waiting = entry->waiting;
    entry->behind = lanes->free_first;
    lanes->free_first = at;
    return true;
}

const struct lane_waiting *lanes_oldest(const struct lanes *lanes)
{
    if (lanes->pending == 0) return NULL;
    if (lanes->count == 1) return &lanes->entries[lanes->first & lanes->mask].waiting;
    return &lanes->entries[lanes->oldest].waiting;
}

void lanes_rewind(struct lanes *lanes)
{
    if (lanes->pending > 0) return;
    lanes->first = 0;
    lanes->free_first = LANE_NONE;
    lanes->fresh = 0;
}
