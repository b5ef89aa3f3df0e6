/* hist: latency histogram, log-linear, three significant digits, 0 ns to 9.7 hours.
 *
 * Summary. Values below 2048 have a bucket each. Above, every octave [2^k, 2^(k+1)) is cut into
 * 1024 equal buckets, so a bucket is never wider than 1/1024 of its values (0.1 %):
 *     shift  = max(0, bit_length(v) - 11)
 *     bucket = shift * 1024 + (v >> shift)
 * which is continuous: v = 2047 is bucket 2047, v = 2048 is 1*1024 + 1024 = 2048.
 * Values at or above 2^HIST_VALUE_BITS fall in the last bucket and are counted in `over` as
 * well; count, sum, min and max are exact always.
 *
 * Storage. Buckets come in pages of 32, taken from the worker's slab on first touch and announced
 * in a page mask, so that thousands of histograms cost what they use: of one that holds few values
 * most lie in pages of their own, and a page is no more than four cache lines.
 *
 * Threads. Cumulative and single-writer: the worker records, nothing is ever reset. The
 * coordinator takes relaxed snapshots of announced pages; a torn snapshot only moves a count to
 * the next one, and after the worker has been joined snapshots are exact. */
#ifndef CORE_BASE_HIST_H
#define CORE_BASE_HIST_H

#include "core/base/arena.h"
#include "core/base/defs.h"

enum {
    HIST_SUB_BITS = 10,
    HIST_VALUE_BITS = 45, /* 2^45 ns = 9.77 h. */
    HIST_BUCKETS = (HIST_VALUE_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS,
    HIST_PAGE_BUCKETS = 32,
    HIST_PAGES = HIST_BUCKETS / HIST_PAGE_BUCKETS,
    HIST_MASK_WORDS = (HIST_PAGES + 63) / 64,
};
_Static_assert(HIST_BUCKETS % HIST_PAGE_BUCKETS == 0, "whole pages only");

typedef _Atomic uint64_t hist_cell;

/* A worker's store of pages. */
struct hist_slab {
    hist_cell *cells; /* [(pages_count + 1) * HIST_PAGE_BUCKETS], zeroed, borrowed; page 0 is no
                         page. */
    uint32_t pages_count;
    uint32_t pages_used;
};

struct hist {
    hist_cell *cells;                            /* The slab's. */
    uint32_t pages[HIST_PAGES];                  /* In these; 0 until first touched. */
    _Atomic uint64_t page_mask[HIST_MASK_WORDS]; /* Worker's; release announces pages[i]. */
    hist_cell count, sum_ns, min_ns, max_ns;     /* Worker's. min_ns is UINT64_MAX when empty. */
    hist_cell over;                              /* Worker's. Values beyond the top. */
    hist_cell unplaced; /* Worker's. In count, in no bucket: the slab had no page left. */
    struct hist_slab *slab;
};

/* What the coordinator works with: plain, about 290 KiB, in an arena. Zeroed when it is made; only
 * the pages in its mask are ever touched, so working with a few of them is cheap. */
struct hist_view {
    uint64_t count, sum_ns, min_ns, max_ns, over, unplaced;
    uint64_t page_mask[HIST_MASK_WORDS]; /* Pages that may hold something; all others are 0. */
    uint64_t buckets[HIST_BUCKETS];
};

/* Takes memory for `pages_count` pages from `arena`; false, and `slab` untouched, when it
 * refuses. HIST_PAGES per histogram are always enough. */
MUST_USE bool hist_slab_init(struct hist_slab *slab, struct arena *arena, uint32_t pages_count);

/* Makes `hist` empty; it takes its pages from `slab`, which must outlive it. */
void hist_init(struct hist *hist, struct hist_slab *slab);

/* Index of the bucket of `value_ns` (clamped to the last one). */
static inline uint32_t hist_bucket_of(uint64_t value_ns)
{
    uint32_t bits, shift;

    if (unlikely(value_ns >> HIST_VALUE_BITS)) return HIST_BUCKETS - 1;
    bits = 64 - (uint32_t)__builtin_clzll(value_ns | 1);
    shift = bits > HIST_SUB_BITS + 1 ? bits - (HIST_SUB_BITS + 1) : 0;
    return (shift << HIST_SUB_BITS) + (uint32_t)(value_ns >> shift);
}

/* Lowest value of a bucket (below HIST_BUCKETS), and how many values it holds. */
uint64_t hist_bucket_low_ns(uint32_t bucket);
uint64_t hist_bucket_width_ns(uint32_t bucket);

/* First touch of a page: takes it from the slab and announces it; 0 when the slab is empty. */
uint32_t hist_page_new(struct hist *hist, uint32_t page);

/* The cells of a page that is not 0. */
static inline hist_cell *hist_page_cells(const struct hist *hist, uint32_t number)
{
    return hist->cells + (size_t)number * HIST_PAGE_BUCKETS;
}

/* Records a value that was seen `count` times (not 0). The owner's thread only. */
static inline void hist_record_many(struct hist *hist, uint64_t value_ns, uint64_t count)
{
    uint32_t bucket = hist_bucket_of(value_ns);
    uint32_t page = hist->pages[bucket / HIST_PAGE_BUCKETS];

    add_relaxed(&hist->count, count);
    add_relaxed(&hist->sum_ns, value_ns * count);
    if (unlikely(value_ns < load_relaxed(&hist->min_ns))) store_relaxed(&hist->min_ns, value_ns);
    if (unlikely(value_ns > load_relaxed(&hist->max_ns))) store_relaxed(&hist->max_ns, value_ns);
    if (unlikely(value_ns >> HIST_VALUE_BITS)) add_relaxed(&hist->over, count);
    if (unlikely(page == 0)) {
        page = hist_page_new(hist, bucket / HIST_PAGE_BUCKETS);
        if (page == 0) {
            add_relaxed(&hist->unplaced, count);
            return;
        }
    }
    add_relaxed(&hist_page_cells(hist, page)[bucket % HIST_PAGE_BUCKETS], count);
}

/* Records one value. The owner's thread only. */
static inline void hist_record(struct hist *hist, uint64_t value_ns)
{
    hist_record_many(hist, value_ns, 1);
}

/* Empties a view, a zeroed one too (min_ns becomes UINT64_MAX). */
void hist_view_clear(struct hist_view *view);

/* The first page of the view from `*page` on that may hold something; false when there is none. */
MUST_USE bool hist_view_next_page(const struct hist_view *view, uint32_t *page);

/* Adds what `hist` holds now. Any thread; see the head of this file for what it may miss. */
void hist_view_add(struct hist_view *view, const struct hist *hist);

/* Adds what another view holds. */
void hist_view_add_view(struct hist_view *view, const struct hist_view *other);

/* Adds `count` values of 0 ns. */
void hist_view_add_zeros(struct hist_view *view, uint64_t count);

/* `view` = `now` - `before`, for an interval: buckets, count and sum subtract (never below 0);
 * min and max become those of the lowest and highest bucket left, clamped to now's (UINT64_MAX and
 * 0 when none is left). `view`, zeroed or used before, may be one of the other two. */
void hist_view_diff(struct hist_view *view, const struct hist_view *now,
                    const struct hist_view *before);

/* The smallest recorded value v (to bucket precision: the bucket's middle, clamped to min..max)
 * with at least ceil(share * count) values at or below it; share in (0, 1]. 0 when empty. The
 * count used is that of the buckets. */
uint64_t hist_view_percentile_ns(const struct hist_view *view, double share);

/* Exact mean, and standard deviation (n - 1) from bucket middles. 0 when empty (or n < 2). */
double hist_view_mean_ns(const struct hist_view *view);
double hist_view_stddev_ns(const struct hist_view *view);

#endif
