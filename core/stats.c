#include "core/stats.h"

bool stats_init(struct stats *stats, struct arena *arena)
{
    /* Every page of both histograms: 2 x 288 KiB, of which a run touches a few. */
    if (!hist_slab_init(&stats->slab, arena, 2 * HIST_PAGES)) return false;
    hist_init(&stats->from_due, &stats->slab);
    hist_init(&stats->from_sent, &stats->slab);
    return true;
}
