#include "core/stats_urls.h"

bool stats_urls_init(struct stats_urls *urls, struct arena *arena, uint32_t count)
{
    uint64_t pages = min_u64((uint64_t)count * 2 * HIST_PAGES, STATS_URLS_PAGES_MAX);

    if (!hist_slab_init(&urls->slab, arena, (uint32_t)pages)) return false;
    urls->list = arena_array(arena, count, sizeof(*urls->list));
    if (urls->list == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        hist_init(&urls->list[i].from_due, &urls->slab);
        hist_init(&urls->list[i].from_sent, &urls->slab);
    }
    urls->count = count;
    return true;
}
