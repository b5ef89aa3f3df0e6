/* The cold half of the histogram: pages, and everything that is done with views. Recording is
 * inline in the header. Runs on the coordinator, except hist_init() and hist_page_new(). */
#include "core/base/hist.h"

#include <math.h>
#include <string.h>

#include "core/base/check.h"

/* How far, relative to its size, share * count may be above a whole number and still mean that
 * number: 0.07 * 100 is 7.000000000000001 in floating point, and must ask for the 7th value. */
static const double rank_slack = 4e-16;

bool hist_slab_init(struct hist_slab *slab, struct arena *arena, uint32_t pages_count)
{
    hist_cell *cells =
        arena_array(arena, (size_t)pages_count + 1, HIST_PAGE_BUCKETS * sizeof(*cells));

    if (cells == NULL) return false;
    *slab = (struct hist_slab){.cells = cells, .pages_count = pages_count};
    return true;
}

void hist_init(struct hist *hist, struct hist_slab *slab)
{
    CHECK(slab != NULL);
    *hist = (struct hist){.cells = slab->cells, .slab = slab};
    store_relaxed(&hist->min_ns, UINT64_MAX);
}

uint64_t hist_bucket_low_ns(uint32_t bucket)
{
    uint32_t octave = bucket >> HIST_SUB_BITS;
    uint32_t shift = octave > 1 ? octave - 1 : 0;

    CHECK(bucket < HIST_BUCKETS);
    return (uint64_t)(bucket - (shift << HIST_SUB_BITS)) << shift;
}

uint64_t hist_bucket_width_ns(uint32_t bucket)
{
    uint32_t octave = bucket >> HIST_SUB_BITS;

    CHECK(bucket < HIST_BUCKETS);
    return UINT64_C(1) << (octave > 1 ? octave - 1 : 0);
}

uint32_t hist_page_new(struct hist *hist, uint32_t page)
{
    struct hist_slab *slab = hist->slab;
    _Atomic uint64_t *word;

    CHECK(page < HIST_PAGES);
    CHECK(hist->pages[page] == 0);
    CHECK(slab->pages_used <= slab->pages_count);

    if (slab->pages_used == slab->pages_count) return 0;
    hist->pages[page] = ++slab->pages_used;
    /* The release orders the number before the bit: who sees the bit may go where it says. */
    word = &hist->page_mask[page / 64];
    store_release(word, load_relaxed(word) | UINT64_C(1) << page % 64);
    return hist->pages[page];
}

/* The first page of `mask` from `*page` on; false when there is none. */
static bool next_page(const uint64_t *mask, uint32_t *page)
{
    uint32_t word = *page / 64;
    uint64_t bits = word < HIST_MASK_WORDS ? mask[word] & UINT64_MAX << *page % 64 : 0;

    while (bits == 0) {
        if (++word >= HIST_MASK_WORDS) return false;
        bits = mask[word];
    }
    *page = word * 64 + (uint32_t)__builtin_ctzll(bits);
    return true;
}

bool hist_view_next_page(const struct hist_view *view, uint32_t *page)
{
    return next_page(view->page_mask, page);
}

static uint32_t first_bucket(uint32_t page)
{
    return page * HIST_PAGE_BUCKETS;
}

void hist_view_clear(struct hist_view *view)
{
    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        memset(view->buckets + first_bucket(page), 0, HIST_PAGE_BUCKETS * sizeof(view->buckets[0]));
    }
    view->count = view->sum_ns = view->max_ns = view->over = view->unplaced = 0;
    view->min_ns = UINT64_MAX;
    memset(view->page_mask, 0, sizeof(view->page_mask));
}

void hist_view_add(struct hist_view *view, const struct hist *hist)
{
    view->count += load_relaxed(&hist->count);
    view->sum_ns += load_relaxed(&hist->sum_ns);
    view->min_ns = min_u64(view->min_ns, load_relaxed(&hist->min_ns));
    view->max_ns = max_u64(view->max_ns, load_relaxed(&hist->max_ns));
    view->over += load_relaxed(&hist->over);
    view->unplaced += load_relaxed(&hist->unplaced);

    for (uint32_t word = 0; word < HIST_MASK_WORDS; word++) {
        uint64_t mask = load_acquire(&hist->page_mask[word]);

        view->page_mask[word] |= mask;
        for (; mask != 0; mask &= mask - 1) {
            uint32_t page = word * 64 + (uint32_t)__builtin_ctzll(mask);
            const hist_cell *cells = hist_page_cells(hist, hist->pages[page]);
            uint64_t *buckets = view->buckets + first_bucket(page);

            for (uint32_t i = 0; i < HIST_PAGE_BUCKETS; i++) {
                buckets[i] += load_relaxed(&cells[i]);
            }
        }
    }
}

void hist_view_add_view(struct hist_view *view, const struct hist_view *other)
{
    view->count += other->count;
    view->sum_ns += other->sum_ns;
    view->min_ns = min_u64(view->min_ns, other->min_ns);
    view->max_ns = max_u64(view->max_ns, other->max_ns);
    view->over += other->over;
    view->unplaced += other->unplaced;
    for (uint32_t word = 0; word < HIST_MASK_WORDS; word++) {
        view->page_mask[word] |= other->page_mask[word];
    }
    for (uint32_t page = 0; next_page(other->page_mask, &page); page++) {
        for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
            view->buckets[i] += other->buckets[i];
        }
    }
}

void hist_view_add_zeros(struct hist_view *view, uint64_t count)
{
    if (count == 0) return;
    view->count += count;
    view->min_ns = 0;
    view->page_mask[0] |= 1;
    view->buckets[0] += count;
}

static uint64_t minus_or_0(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* The lowest and the highest bucket that hold something; false when none does. */
static bool view_ends(const struct hist_view *view, uint32_t *ret_low, uint32_t *ret_high)
{
    uint32_t low = HIST_BUCKETS, high = 0;

    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
            if (view->buckets[i] == 0) continue;
            if (low == HIST_BUCKETS) low = i;
            high = i;
        }
    }
    if (low == HIST_BUCKETS) return false;
    *ret_low = low;
    *ret_high = high;
    return true;
}

/* Sets min and max from the buckets, within `min_ns` and `max_ns`; those of an empty view when
 * no bucket holds anything. Values in `over` have no upper bound but `max_ns`. */
static void view_bound(struct hist_view *view, uint64_t min_ns, uint64_t max_ns)
{
    uint32_t low, high;

    if (!view_ends(view, &low, &high)) {
        view->min_ns = UINT64_MAX;
        view->max_ns = 0;
        return;
    }
    view->min_ns = max_u64(hist_bucket_low_ns(low), min_ns);
    view->max_ns = max_ns;
    if (view->over == 0) {
        uint64_t last_ns = hist_bucket_low_ns(high) + hist_bucket_width_ns(high) - 1;

        view->max_ns = min_u64(last_ns, max_ns);
    }
}

void hist_view_diff(struct hist_view *view, const struct hist_view *now,
                    const struct hist_view *before)
{
    uint64_t min_ns = now->min_ns, max_ns = now->max_ns; /* `view` may be `now`. */

    view->count = minus_or_0(now->count, before->count);
    view->sum_ns = minus_or_0(now->sum_ns, before->sum_ns);
    view->over = minus_or_0(now->over, before->over);
    view->unplaced = minus_or_0(now->unplaced, before->unplaced);
    for (uint32_t word = 0; word < HIST_MASK_WORDS; word++) {
        view->page_mask[word] |= now->page_mask[word]; /* What it held else becomes 0 below. */
    }
    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
            view->buckets[i] = minus_or_0(now->buckets[i], before->buckets[i]);
        }
    }
    view_bound(view, min_ns, max_ns);
}

static uint64_t page_placed(const struct hist_view *view, uint32_t page)
{
    uint64_t total = 0;

    for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
        total += view->buckets[i];
    }
    return total;
}

static uint64_t view_placed(const struct hist_view *view)
{
    uint64_t total = 0;

    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        total += page_placed(view, page);
    }
    return total;
}

static uint64_t bucket_middle_ns(uint32_t bucket)
{
    return hist_bucket_low_ns(bucket) + hist_bucket_width_ns(bucket) / 2;
}

/* ceil(share * total), in 1..total. */
static uint64_t rank_of(double share, uint64_t total)
{
    double exact = share * (double)total;
    double whole = floor(exact);
    double rank = exact - whole > exact * rank_slack ? whole + 1 : whole;

    if (rank < 1) return 1;
    return rank < (double)total ? (uint64_t)rank : total;
}

/* The bucket of the value of that rank, 1 to what the buckets hold. */
static uint32_t bucket_of_rank(const struct hist_view *view, uint64_t rank)
{
    uint32_t page = 0, bucket;

    for (;; page++) {
        bool found = next_page(view->page_mask, &page);
        uint64_t placed;

        CHECK(found);
        placed = page_placed(view, page);
        if (rank <= placed) break;
        rank -= placed;
    }
    for (bucket = first_bucket(page); rank > view->buckets[bucket]; bucket++) {
        rank -= view->buckets[bucket];
    }
    return bucket;
}

uint64_t hist_view_percentile_ns(const struct hist_view *view, double share)
{
    uint64_t total = view_placed(view), value_ns;

    CHECK(share > 0 && share <= 1);
    if (total == 0) return 0;
    value_ns = bucket_middle_ns(bucket_of_rank(view, rank_of(share, total)));
    /* A view of a running worker may have caught a value's bucket before its min and max. */
    if (view->min_ns > view->max_ns) return value_ns;
    return min_u64(max_u64(value_ns, view->min_ns), view->max_ns);
}

double hist_view_mean_ns(const struct hist_view *view)
{
    return view->count == 0 ? 0 : (double)view->sum_ns / (double)view->count;
}

double hist_view_stddev_ns(const struct hist_view *view)
{
    uint64_t total = view_placed(view);
    double sum = 0, squares = 0, mean;

    if (total < 2) return 0;
    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
            if (view->buckets[i] == 0) continue;
            sum += (double)view->buckets[i] * (double)bucket_middle_ns(i);
        }
    }
    mean = sum / (double)total;
    for (uint32_t page = 0; next_page(view->page_mask, &page); page++) {
        for (uint32_t i = first_bucket(page); i < first_bucket(page + 1); i++) {
            double off;

            if (view->buckets[i] == 0) continue;
            off = (double)bucket_middle_ns(i) - mean;
            squares += (double)view->buckets[i] * off * off;
        }
    }
    return sqrt(squares / (double)(total - 1));
}
