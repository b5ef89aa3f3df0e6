#include "core/results_lines.h"

#include "core/base/check.h"

_Static_assert(HIST_BUCKETS <= 1 << (64 - RESULTS_COUNT_BITS), "a bucket fits above a count");

static const uint64_t count_max = (UINT64_C(1) << RESULTS_COUNT_BITS) - 1;

struct results_lines *results_lines_new(enum results_kind kind)
{
    struct results_lines *lines;
    struct arena arena;

    arena_init(&arena, RESULTS_LINES_BYTES_MAX);
    lines = arena_alloc(&arena, sizeof(*lines), CACHE_LINE);
    if (lines == NULL) return NULL;
    lines->arena = arena;
    lines->kind = kind;
    text_init(&lines->text, &lines->arena);
    return lines;
}

void results_lines_free(struct results_lines *lines)
{
    struct arena arena = lines->arena;

    arena_release(&arena);
}

struct json *results_line(struct results_lines *lines)
{
    json_init(&lines->json, &lines->text, true);
    json_object(&lines->json);
    return &lines->json;
}

/* How many words it takes to say `count`. */
static uint64_t words_of(uint64_t count)
{
    return count / count_max + (count % count_max > 0);
}

static bool has_page(const struct hist_view *view, uint32_t page)
{
    return view->page_mask[page / 64] >> page % 64 & 1;
}

/* The first bucket from `bucket` on that holds something; HIST_BUCKETS when there is none. */
static uint32_t next_bucket(const struct hist_view *view, uint32_t bucket)
{
    for (; bucket < HIST_BUCKETS; bucket++) {
        if (!has_page(view, bucket / HIST_PAGE_BUCKETS)) {
            bucket |= HIST_PAGE_BUCKETS - 1;
        } else if (view->buckets[bucket] > 0) {
            return bucket;
        }
    }
    return HIST_BUCKETS;
}

static uint32_t put_words(const struct hist_view *view, uint64_t *words)
{
    uint32_t count = 0;

    for (uint32_t i = next_bucket(view, 0); i < HIST_BUCKETS; i = next_bucket(view, i + 1)) {
        for (uint64_t rest = view->buckets[i]; rest > 0; count++) {
            uint64_t part = min_u64(rest, count_max);

            words[count] = (uint64_t)i << RESULTS_COUNT_BITS | part;
            rest -= part;
        }
    }
    return count;
}

void results_line_hist(struct results_lines *lines, const struct hist_view *view)
{
    struct results_hole *hole =
        arena_alloc(&lines->arena, sizeof(*hole), _Alignof(struct results_hole));
    uint64_t *words = NULL, count = 0;

    for (uint32_t i = next_bucket(view, 0); i < HIST_BUCKETS; i = next_bucket(view, i + 1)) {
        count += words_of(view->buckets[i]);
    }
    json_str(&lines->json, "");
    if (hole != NULL) words = arena_alloc(&lines->arena, count * sizeof(*words), sizeof(*words));
    if (words == NULL) {
        lines->text.failed = true;
        return;
    }
    CHECK(lines->text.failed || lines->text.len > 2);
    *hole = (struct results_hole){.at = lines->text.len - 1, .words = words};
    hole->count = put_words(view, words);
    CHECK(hole->count == count);
    if (lines->first == NULL) lines->first = hole;
    if (lines->last != NULL) lines->last->next = hole;
    lines->last = hole;
}

void results_hole_view(const struct results_hole *hole, struct hist_view *view)
{
    hist_view_clear(view);
    for (uint32_t i = 0; i < hole->count; i++) {
        uint32_t bucket = (uint32_t)(hole->words[i] >> RESULTS_COUNT_BITS);
        uint32_t page = bucket / HIST_PAGE_BUCKETS;

        view->page_mask[page / 64] |= UINT64_C(1) << page % 64;
        view->buckets[bucket] += hole->words[i] & count_max;
    }
}
