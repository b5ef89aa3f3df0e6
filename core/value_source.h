/* value_source: where a provider's values come from when they are written in the test file: a list,
 * or a range of whole numbers.
 *
 * Values have numbers from 0 on, over all passes of a source that repeats. Where a test is split
 * over workers, worker w of W pushes those with number k = w modulo W and no others, so that each
 * is delivered once, and hit k meets value k.
 *
 * Threads: a source belongs to one worker; the values of a list may be shared. */
#ifndef CORE_VALUE_SOURCE_H
#define CORE_VALUE_SOURCE_H

#include "core/base/rng.h"
#include "core/base/shuffle.h"
#include "core/provider.h"

struct value_source_options {
    bool repeat; /* After the last value the first one comes again. */
    bool random; /* In random order; with `repeat` each drawn anew from all. */
    uint64_t seed;
    uint32_t index; /* This worker's share: values with number `index` modulo `workers`. */
    uint32_t workers;
};

struct value_source {
    struct value_source_options options;
    const struct value *values; /* A list: [count], borrowed; NULL: a range. */
    int64_t start, step;        /* A range: its first value, and the next ones' distance. */
    uint64_t count;             /* Values of one pass. */
    uint64_t next;              /* Number of the next value of this share. */
    bool ended;                 /* It has no more values. */
    struct shuffle shuffle;     /* Random, without repeat. */
    struct rng rng;             /* Random, with repeat. */
};

/* A list of `count` values, which must outlive the source. */
void value_source_init_list(struct value_source *source, const struct value *values, uint64_t count,
                            const struct value_source_options *options);

/* The numbers start, start + step, … as far as `end`, which belongs to them if they meet it; none
 * if it lies the other way. `step` is not 0. */
void value_source_init_range(struct value_source *source, int64_t start, int64_t end, int64_t step,
                             const struct value_source_options *options);

/* What provider.source is set to; the source must outlive the provider. */
struct provider_source value_source_of(struct value_source *source);

/* True once nothing more will come. */
static inline bool value_source_is_ended(const struct value_source *source)
{
    return source->ended;
}

#endif
