#include "core/value_source.h"

#include "core/base/check.h"

/* A repeating list of unique values all of which are in the queue has nothing to push: so many are
 * tried before that is believed for now. */
enum { SAMES_TRIED_MAX = 1000 };

static const uint64_t SHUFFLED_MAX = UINT64_C(1) << 62;

static void init(struct value_source *source, const struct value_source_options *options)
{
    CHECK(options->index < options->workers);
    source->options = *options;
    source->next = options->index;
    source->ended = source->count == 0;
    /* Each worker draws for itself; an order is the same for all, and each has its part of it. */
    rng_init(&source->rng, options->seed + (uint64_t)options->index * UINT64_C(0x9e3779b97f4a7c15));
    if (source->count > 0) {
        shuffle_init(&source->shuffle, min_u64(source->count, SHUFFLED_MAX), options->seed);
    }
}

void value_source_init_list(struct value_source *source, const struct value *values, uint64_t count,
                            const struct value_source_options *options)
{
    *source = (struct value_source){.values = values, .count = count};
    init(source, options);
}

void value_source_init_range(struct value_source *source, int64_t start, int64_t end, int64_t step,
                             const struct value_source_options *options)
{
    uint64_t way = step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    uint64_t stride = step > 0 ? (uint64_t)step : UINT64_C(0) - (uint64_t)step;

    CHECK(step != 0);
    *source = (struct value_source){.start = start, .step = step};
    if (step > 0 ? start <= end : start >= end) {
        source->count = way / stride;
        if (source->count < UINT64_MAX) source->count++;
    }
    init(source, options);
}

/* Where in a pass the value with number `number` stands. */
static uint64_t place_of(struct value_source *source, uint64_t number)
{
    if (!source->options.random) return number % source->count;
    if (source->options.repeat) return rng_below(&source->rng, source->count);
    /* A range of more numbers than can be shuffled: none of them would ever be seen twice. */
    if (number >= source->shuffle.count) return number;
    return shuffle_at(&source->shuffle, number);
}

static struct value value_at(const struct value_source *source, uint64_t place)
{
    if (source->values != NULL) return source->values[place];
    return value_int((int64_t)((uint64_t)source->start + place * (uint64_t)source->step));
}

static void fill(void *self, struct provider *provider)
{
    struct value_source *source = self;
    uint32_t sames = 0;

    while (!source->ended && provider_has_room(provider) && sames < SAMES_TRIED_MAX) {
        struct value value;
        enum provider_pushed pushed;

        if (!source->options.repeat && source->next >= source->count) {
            source->ended = true;
            return;
        }
        value = value_at(source, place_of(source, source->next));
        pushed = provider_push(provider, &value, false);
        CHECK(pushed != PROVIDER_FULL);
        if (pushed == PROVIDER_NO_MEMORY) return;
        sames += pushed == PROVIDER_SAME;
        source->next += source->options.workers;
    }
}

struct provider_source value_source_of(struct value_source *source)
{
    return (struct provider_source){.self = source, .fill = fill};
}
