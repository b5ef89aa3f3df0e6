/* What a worker notes of each URL when its part of the run is over, where there are several. */
#include "core/base/check.h"
#include "core/worker_impl.h"

/* Takes what waits in a lane: the `bound` oldest have started, since a connect attempt is under way
 * for them, and are cut off; the others were missed. */
static void end_lane(struct worker *w, uint32_t lane, uint64_t bound)
{
    struct lane_waiting waiting;

    while (lanes_take(&w->lanes, lane, &waiting)) {
        struct stats_url *url = &w->shared->urls.list[waiting.request];

        if (bound > 0) {
            url->started++;
            bound--;
        } else {
            url->missed++;
        }
    }
}

void worker_end_urls(struct worker *w)
{
    struct stats_urls *urls = &w->shared->urls;

    if (urls->count == 0) return;
    for (uint32_t i = 0; i < w->pools_count; i++) {
        end_lane(w, i, w->pools[i].connecting);
    }
    for (uint32_t i = 0; i < urls->count; i++) {
        struct stats_url *url = &urls->list[i];

        url->due = w->flow.tally[i].due;
        url->warmup = w->flow.tally[i].warmup;
        url->shed = w->flow.tally[i].shed;
        CHECK(url->started >= url->ok + url->failed);
        url->cut_off = url->started - url->ok - url->failed;
        CHECK(url->due == url->started + url->shed + url->missed);
    }
}
