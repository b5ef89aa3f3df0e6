#include "core/stats.h"

bool stats_init(struct stats *stats, struct arena *arena)
{
    /* Every page of all histograms: 5 x 288 KiB, of which a run touches a few. */
    if (!hist_slab_init(&stats->slab, arena, 5 * HIST_PAGES)) return false;
    hist_init(&stats->from_due, &stats->slab);
    hist_init(&stats->from_sent, &stats->slab);
    hist_init(&stats->lateness, &stats->slab);
    hist_init(&stats->conn_wait, &stats->slab);
    hist_init(&stats->loop_lag, &stats->slab);
    return true;
}
