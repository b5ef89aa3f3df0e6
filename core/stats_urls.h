/* stats_urls: what a worker measures of each URL, where there are several.
 *
 * The ledger's equations hold for each, and the sums over all are the ledger's own figures; so do
 * the histograms add up to those of struct stats.
 *
 * Threads: the worker writes; any thread reads once it has ended. */
#ifndef CORE_STATS_URLS_H
#define CORE_STATS_URLS_H

#include "core/base/hist.h"

/* All histograms of a worker's URLs together may take so many pages of 256 B. Up to 455 URLs that
 * is every page they have; with more, values that find no page are counted as unplaced. */
enum { STATS_URLS_PAGES_MAX = 1 << 20 };

struct stats_url {
    struct hist from_due; /* Answers, and timeouts at their bound, as in struct stats. */
    struct hist from_sent;
    uint64_t due;
    uint64_t warmup; /* Of these, due in the warm-up. */
    uint64_t shed, missed, started;
    uint64_t ok, failed, cut_off; /* What became of those that started. */
};

struct stats_urls {
    struct stats_url *list; /* [count], in the order of the plan's requests. */
    uint32_t count;         /* 0: there is but one URL. */
    struct hist_slab slab;
};

/* Makes `count` empty ones with all memory that they will need from `arena`; false when that
 * refuses. */
MUST_USE bool stats_urls_init(struct stats_urls *urls, struct arena *arena, uint32_t count);

/* Records `count` requests with the same latencies. */
static inline void stats_url_record(struct stats_url *url, uint64_t from_due_ns,
                                    uint64_t from_sent_ns, uint64_t count)
{
    hist_record_many(&url->from_due, from_due_ns, count);
    hist_record_many(&url->from_sent, from_sent_ns, count);
}

#endif
