#include "core/series.h"

#include "core/base/check.h"

/* Samples beyond the whole intervals of a run: where each of its parts ends, and the rest
 * that a reading after the join finds. */
enum { SAMPLES_EXTRA = 5, SAMPLES_MIN = 5 };

static uint64_t add_or_never(uint64_t a, uint64_t b)
{
    return a > TIME_NEVER - b ? TIME_NEVER : a + b;
}

bool series_init(struct series *series, const struct series_options *options, struct arena *arena)
{
    uint32_t max = options->samples_max == 0 ? SERIES_SAMPLES_MAX : options->samples_max;
    uint64_t all_ns = add_or_never(options->duration_ns, options->drain_ns);

    CHECK(max >= SAMPLES_MIN);
    CHECK(max <= SERIES_SAMPLES_MAX);
    *series = (struct series){
        .options = *options, .interval_ns = NS_PER_S, .span_end_ns = options->duration_ns};
    series->max = (uint32_t)min_u64(max, all_ns / series->interval_ns + SAMPLES_EXTRA);
    series->samples = arena_array(arena, series->max, sizeof(*series->samples));
    if (series->samples == NULL) return false;
    for (int i = 0; i < SERIES_HISTS; i++) {
        series->last[i] = arena_array(arena, 1, sizeof(*series->last[i]));
        series->now[i] = arena_array(arena, 1, sizeof(*series->now[i]));
        if (series->last[i] == NULL || series->now[i] == NULL) return false;
        hist_view_clear(series->last[i]);
        hist_view_clear(series->now[i]);
    }
    return true;
}

enum series_part series_part(const struct series *series)
{
    if (series->until_ns >= series->span_end_ns) return SERIES_DRAIN;
    return series->until_ns < series->options.warmup_ns ? SERIES_WARMUP : SERIES_SPAN;
}

uint64_t series_next_ns(const struct series *series)
{
    uint64_t warmup_end_ns = series->options.warmup_ns;
    uint64_t next_ns = (series->until_ns / series->interval_ns + 1) * series->interval_ns;

    switch (series_part(series)) {
    case SERIES_WARMUP: return min_u64(next_ns, min_u64(warmup_end_ns, series->span_end_ns));
    case SERIES_SPAN: return min_u64(next_ns, series->span_end_ns);
    case SERIES_DRAIN: break;
    }
    return next_ns;
}

void series_end_span(struct series *series, uint64_t at_ns)
{
    series->span_end_ns = min_u64(series->span_end_ns, max_u64(at_ns, series->until_ns));
}

struct hist_view *series_now(struct series *series, enum series_hist which)
{
    CHECK(which < SERIES_HISTS);
    return series->now[which];
}

/* Makes series->last[which] what was added since the last sample, and reads it. */
static struct series_latency take_latency(struct series *series, int which)
{
    struct hist_view *interval = series->last[which];
    struct series_latency latency = {0};

    hist_view_diff(interval, series->now[which], interval);
    if (interval->min_ns != UINT64_MAX) {
        latency.is_known = true;
        latency.p50_ns = hist_view_percentile_ns(interval, 0.5);
        latency.p99_ns = hist_view_percentile_ns(interval, 0.99);
        latency.max_ns = interval->max_ns;
    }
    return latency;
}

/* Makes what the histograms hold now the last. */
static void end_intervals(struct series *series)
{
    for (int i = 0; i < SERIES_HISTS; i++) {
        struct hist_view *interval = series->last[i];

        series->last[i] = series->now[i];
        series->now[i] = interval;
        hist_view_clear(interval);
    }
}

static void merge_latency(struct series_latency *into, const struct series_latency *from)
{
    into->is_known |= from->is_known;
    into->p50_ns = max_u64(into->p50_ns, from->p50_ns);
    into->p99_ns = max_u64(into->p99_ns, from->p99_ns);
    into->max_ns = max_u64(into->max_ns, from->max_ns);
}

static void merge_sample(struct series_sample *into, const struct series_sample *from)
{
    CHECK(into->until_ns == from->from_ns);
    into->until_ns = from->until_ns;
    if (from->asked > 0) into->asked += from->asked;
    into->answered += from->answered;
    into->failed += from->failed;
    into->shed += from->shed;
    into->open = from->open;
    for (int i = 0; i < SERIES_HISTS; i++) {
        merge_latency(&into->latency[i], &from->latency[i]);
    }
}

/* Doubles the interval until there is room again. Samples begin at or shortly after a whole
 * interval, so those that begin in the same one belong together; span and drain do not mix. */
static void make_room(struct series *series)
{
    while (series->count == series->max) {
        uint32_t kept = 0;

        series->interval_ns *= 2;
        for (uint32_t i = 1; i < series->count; i++) {
            struct series_sample *into = &series->samples[kept];
            const struct series_sample *from = &series->samples[i];

            if (into->from_ns / series->interval_ns == from->from_ns / series->interval_ns &&
                into->part == from->part) {
                merge_sample(into, from);
            } else {
                series->samples[++kept] = *from;
            }
        }
        series->count = kept + 1;
    }
}

/* How many requests the schedule has between two moments; below 0 without one. */
static double asked_between(const struct series *series, uint64_t from_ns, uint64_t until_ns)
{
    const struct series_options *options = &series->options;
    double length_s = (double)(until_ns - from_ns) / (double)NS_PER_S;

    if (options->asked_per_s == NULL) return -1;
    return options->asked_per_s(options->schedule, from_ns, until_ns) * length_s;
}

void series_take(struct series *series, uint64_t at_ns, const struct ledger *sum)
{
    const struct ledger *before = &series->ledger;
    struct series_sample sample = {
        .from_ns = series->until_ns,
        .until_ns = max_u64(at_ns, series->until_ns),
        .part = series_part(series),
        .answered = sum->ok - before->ok,
        .failed = ledger_failed(sum) - ledger_failed(before),
        .shed = ledger_shed(sum) - ledger_shed(before),
        .open = sum->alive,
    };

    sample.asked = asked_between(series, sample.from_ns, sample.until_ns);
    for (int i = 0; i < SERIES_HISTS; i++) {
        sample.latency[i] = take_latency(series, i);
    }
    series->ledger = *sum;
    series->until_ns = sample.until_ns;
    if (sample.until_ns > sample.from_ns || sample.answered + sample.failed + sample.shed > 0) {
        const struct series_options *options = &series->options;

        if (options->taken != NULL) options->taken(options->self, &sample, series->last);
        make_room(series);
        series->samples[series->count++] = sample;
    }
    end_intervals(series);
}

const struct series_sample *series_last(const struct series *series)
{
    return series->count == 0 ? NULL : &series->samples[series->count - 1];
}

static double per_s(double count, const struct series_sample *sample)
{
    uint64_t length_ns = sample->until_ns - sample->from_ns;

    if (sample->part == SERIES_DRAIN || length_ns == 0 || count < 0) return -1;
    return count * (double)NS_PER_S / (double)length_ns;
}

double series_achieved_per_s(const struct series_sample *sample)
{
    return per_s((double)sample->answered, sample);
}

double series_asked_per_s(const struct series_sample *sample)
{
    return per_s(sample->asked, sample);
}
