/* wrk_stats: the figures of wrk's report that nobody else has, and wrk's own arithmetic, for those
 * who want to compare like with like.
 *
 * Threads: any; of views that nobody writes. */
#ifndef CORE_WRK_STATS_H
#define CORE_WRK_STATS_H

#include "core/base/hist.h"

/* The share of the values no further from their mean than one standard deviation, both ends in, by
 * bucket middles; 0 to 1, below 0 when there is no value. */
double wrk_share_near_mean(const struct hist_view *view);

/* The percentile (0 to 100) as wrk has it: the value of rank round(percent/100 * n + 0.5), the
 * last one at most; 0 when there is no value. */
uint64_t wrk_percentile(const struct hist_view *view, double percent);

/* Does to the latencies what wrk 4 does before it prints them. First those of `timeout_ns` and more
 * go. Then, for every value v of at least twice `interval_ns`, which is the time between requests
 * of a connection on average, the requests are added that would have been sent in the meantime had
 * they not waited for it: v - interval, v - 2 interval, as long as that is above the interval.
 * They are invented: nobody measured them, and one slow answer among fast ones makes many. */
void wrk_correct(struct hist_view *view, uint64_t timeout_ns, uint64_t interval_ns);

#endif
