#include "core/wrk_stats.h"

#include <math.h>

#include "core/base/check.h"

static uint64_t middle_of(uint32_t bucket)
{
    return hist_bucket_low_ns(bucket) + hist_bucket_width_ns(bucket) / 2;
}

/* The value that stands for a bucket. */
static uint64_t value_of(const struct hist_view *view, uint32_t bucket)
{
    return min_u64(max_u64(middle_of(bucket), view->min_ns), view->max_ns);
}

/* The bucket from `*bucket` on that holds something; false when there is none. */
static bool next_bucket(const struct hist_view *view, uint32_t *bucket)
{
    for (uint32_t page = *bucket / HIST_PAGE_BUCKETS; hist_view_next_page(view, &page); page++) {
        uint32_t first = page * HIST_PAGE_BUCKETS;

        for (uint32_t i = max_u32(first, *bucket); i < first + HIST_PAGE_BUCKETS; i++) {
            if (view->buckets[i] == 0) continue;
            *bucket = i;
            return true;
        }
    }
    return false;
}

double wrk_share_near_mean(const struct hist_view *view)
{
    double stddev = hist_view_stddev_ns(view), sum = 0, mean;
    uint64_t near = 0, total = 0;

    for (uint32_t i = 0; next_bucket(view, &i); i++) {
        total += view->buckets[i];
        sum += (double)view->buckets[i] * (double)middle_of(i);
    }
    if (total == 0) return -1;
    mean = sum / (double)total;
    stddev += mean * 1e-12; /* Of values that are all the same, the mean is rounded. */
    for (uint32_t i = 0; next_bucket(view, &i); i++) {
        if (fabs((double)middle_of(i) - mean) <= stddev) near += view->buckets[i];
    }
    return (double)near / (double)total;
}

uint64_t wrk_percentile(const struct hist_view *view, double percent)
{
    double total = (double)(view->count - view->unplaced);
    double rank = round(percent / 100 * total + 0.5);

    CHECK(percent > 0 && percent <= 100);
    if (total < 1) return 0;
    return hist_view_percentile_ns(view, (rank < total ? rank : total) / total);
}

/* Takes the values of `timeout_ns` and more away, and all that is in no bucket. */
static void drop_late(struct hist_view *view, uint64_t timeout_ns)
{
    uint64_t sum_ns = 0, max_ns = 0, min_ns = UINT64_MAX, count = 0;
    bool any = view->unplaced > 0;

    for (uint32_t i = 0; next_bucket(view, &i); i++) {
        uint64_t value_ns = value_of(view, i);

        if (value_ns >= timeout_ns) {
            any = true;
            view->buckets[i] = 0;
            continue;
        }
        min_ns = min_u64(min_ns, value_ns);
        max_ns = max_u64(max_ns, value_ns);
        sum_ns += value_ns * view->buckets[i];
        count += view->buckets[i];
    }
    view->count = count;
    view->over = view->unplaced = 0;
    if (!any) return;
    view->sum_ns = sum_ns;
    view->min_ns = min_ns;
    view->max_ns = max_ns;
}

/* Adds `count` times those of value - k * interval, k from 1 on, that fall into a bucket and are
 * above the interval. */
static void add_missing(struct hist_view *view, uint32_t bucket, uint64_t value_ns,
                        uint64_t interval_ns, uint64_t count)
{
    uint64_t low_ns = max_u64(hist_bucket_low_ns(bucket), interval_ns + 1);
    uint64_t high_ns = hist_bucket_low_ns(bucket) + hist_bucket_width_ns(bucket) - 1;
    uint64_t k_first, k_last, n;

    high_ns = min_u64(high_ns, value_ns - interval_ns);
    if (low_ns > high_ns) return;
    k_first = (value_ns - high_ns + interval_ns - 1) / interval_ns;
    k_last = (value_ns - low_ns) / interval_ns;
    if (k_first > k_last) return;
    n = k_last - k_first + 1;
    view->buckets[bucket] += n * count;
    view->page_mask[bucket / HIST_PAGE_BUCKETS / 64] |= UINT64_C(1)
                                                        << (bucket / HIST_PAGE_BUCKETS % 64);
    view->count += n * count;
    view->sum_ns += (n * value_ns - interval_ns * ((k_first + k_last) * n / 2)) * count;
    view->min_ns = min_u64(view->min_ns, value_ns - k_last * interval_ns);
}

void wrk_correct(struct hist_view *view, uint64_t timeout_ns, uint64_t interval_ns)
{
    uint32_t first;

    drop_late(view, timeout_ns);
    if (interval_ns == 0) return;
    /* What is added to a bucket lies below the one it comes from: so these go upwards, and nothing
     * comes from what was added. */
    first = hist_bucket_of(interval_ns + 1);
    for (uint32_t i = hist_bucket_of(2 * interval_ns); next_bucket(view, &i); i++) {
        uint64_t value_ns = value_of(view, i), count = view->buckets[i];

        if (value_ns < 2 * interval_ns) continue;
        for (uint32_t to = first; to <= hist_bucket_of(value_ns - interval_ns); to++) {
            add_missing(view, to, value_ns, interval_ns, count);
        }
    }
}
