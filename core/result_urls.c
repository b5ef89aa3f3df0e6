#include "core/result_urls.h"

#include "core/base/check.h"

static struct result_latency latency_of(const struct hist_view *view)
{
    struct result_latency latency = {.count = view->count, .unplaced = view->unplaced};

    if (view->count == 0) return latency;
    latency.p50_ns = hist_view_percentile_ns(view, 0.5);
    latency.p99_ns = hist_view_percentile_ns(view, 0.99);
    latency.max_ns = view->max_ns;
    latency.mean_ns = hist_view_mean_ns(view);
    return latency;
}

static void add_counts(struct result_url *url, const struct stats_url *part)
{
    url->due += part->due;
    url->warmup += part->warmup;
    url->started += part->started;
    url->shed += part->shed;
    url->missed += part->missed;
    url->ok += part->ok;
    url->failed += part->failed;
    url->cut_off += part->cut_off;
}

/* `views` are for use meanwhile: one of a thousand URLs each would be much memory. */
static void fill_one(struct result_url *url, const struct stats_urls *const *workers,
                     uint32_t count, uint32_t index, struct hist_view *views)
{
    uint64_t known;

    hist_view_clear(&views[0]);
    hist_view_clear(&views[1]);
    for (uint32_t i = 0; i < count; i++) {
        const struct stats_url *part = &workers[i]->list[index];

        add_counts(url, part);
        hist_view_add(&views[0], &part->from_due);
        hist_view_add(&views[1], &part->from_sent);
    }
    url->from_due = latency_of(&views[0]);
    url->from_sent = latency_of(&views[1]);
    known = url->from_due.count - url->from_due.unplaced;
    url->measured = url->due - url->warmup;
    url->left_out = url->measured - min_u64(known, url->measured);
}

bool result_urls_fill(struct result *result, const struct stats_urls *const *workers,
                      uint32_t count, struct arena *arena)
{
    uint32_t urls_count = workers[0]->count;
    struct hist_view *views;

    if (urls_count == 0) return true;
    CHECK(urls_count == result->plan->requests_count);
    views = arena_array(arena, 2, sizeof(*views));
    result->urls = arena_array(arena, urls_count, sizeof(*result->urls));
    if (views == NULL || result->urls == NULL) return false;
    for (uint32_t i = 0; i < urls_count; i++) {
        fill_one(&result->urls[i], workers, count, i, views);
    }
    return true;
}
