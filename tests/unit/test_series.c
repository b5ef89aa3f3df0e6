/* What a time series promises: nothing is lost between samples, each part of a run has its own,
 * figures that are not known are not there, and memory is bounded. */
#include "core/series.h"

#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/stats.h"
#include "tests/aborts.h"
#include "tests/test.h"

/* A run of one worker, and its series. */
struct rig {
    struct arena arena;
    struct stats stats;
    struct ledger ledger;
    struct series series;
};

static void rig_open(struct rig *rig, const struct series_options *options)
{
    *rig = (struct rig){.ledger.alive = 1};
    arena_init(&rig->arena, 0);
    EXPECT(stats_init(&rig->stats, &rig->arena));
    EXPECT(series_init(&rig->series, options, &rig->arena));
}

static void rig_answer(struct rig *rig, uint64_t count, uint64_t from_sent_ns)
{
    rig->ledger.ok += count;
    for (uint64_t i = 0; i < count; i++) {
        struct stats_moments at = {
            .sent_ns = from_sent_ns, .first_ns = 2 * from_sent_ns, .done_ns = 2 * from_sent_ns};

        stats_answered(&rig->stats, 200, &at, 1);
    }
}

/* Takes a sample; the one that it became, or the last. */
static const struct series_sample *rig_take(struct rig *rig, uint64_t at_ns)
{
    hist_view_add(series_now(&rig->series, SERIES_FROM_DUE), &rig->stats.from_due);
    stats_add_from_sent(&rig->stats, series_now(&rig->series, SERIES_FROM_SENT));
    series_take(&rig->series, at_ns, &rig->ledger);
    return series_last(&rig->series);
}

static bool is_about(uint64_t ns, uint64_t wanted_ns)
{
    return ns >= wanted_ns - wanted_ns / 500 && ns <= wanted_ns + wanted_ns / 500;
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) <= 1e-9 * fabs(wanted);
}

static void test_series_samples_hold_what_came_since_the_last(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S, .drain_ns = NS_PER_S};
    const struct series_sample *sample;
    struct rig rig;

    rig_open(&rig, &options);
    EXPECT(series_last(&rig.series) == NULL);
    rig_answer(&rig, 99, NS_PER_MS);
    rig_answer(&rig, 1, 5 * NS_PER_MS);
    rig.ledger.alive = 7;
    sample = rig_take(&rig, NS_PER_S);
    EXPECT(sample->from_ns == 0 && sample->until_ns == NS_PER_S);
    EXPECT(sample->answered == 100 && sample->failed == 0 && sample->shed == 0);
    EXPECT(sample->open == 7);
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].p50_ns, NS_PER_MS));
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].p99_ns, NS_PER_MS));
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].max_ns, 5 * NS_PER_MS));
    EXPECT(is_about(sample->latency[SERIES_FROM_DUE].p50_ns, 2 * NS_PER_MS));
    EXPECT(is_about(sample->latency[SERIES_FROM_DUE].max_ns, 10 * NS_PER_MS));
    EXPECT(!sample->latency[SERIES_LATENESS].is_known);

    /* The largest and the smallest so far are not those of the second that follows. */
    rig_answer(&rig, 10, 3 * NS_PER_MS);
    rig.ledger.failed[FAILED_TIMEOUT] = 2;
    rig.ledger.failed[FAILED_INCOMPLETE] = 1;
    rig.ledger.shed[SHED_FULL] = 4;
    sample = rig_take(&rig, 2 * NS_PER_S);
    EXPECT(sample->answered == 10 && sample->failed == 3 && sample->shed == 4);
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].p50_ns, 3 * NS_PER_MS));
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].max_ns, 3 * NS_PER_MS));
    arena_release(&rig.arena);
}

static void test_series_second_without_answers_has_no_latency(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S};
    const struct series_sample *sample;
    struct rig rig;

    rig_open(&rig, &options);
    rig_answer(&rig, 10, NS_PER_MS);
    EXPECT(rig_take(&rig, NS_PER_S)->latency[SERIES_FROM_DUE].is_known);
    sample = rig_take(&rig, 2 * NS_PER_S);
    EXPECT(sample->answered == 0);
    EXPECT(!(series_achieved_per_s(sample) > 0) && !(series_achieved_per_s(sample) < 0));
    for (int i = 0; i < SERIES_HISTS; i++) {
        EXPECT(!sample->latency[i].is_known);
    }
    arena_release(&rig.arena);
}

static void test_series_lateness_is_there_when_it_is_measured(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S};
    const struct series_sample *sample;
    struct rig rig;

    rig_open(&rig, &options);
    rig_answer(&rig, 10, NS_PER_MS);
    stats_add_from_sent(&rig.stats, series_now(&rig.series, SERIES_LATENESS));
    series_take(&rig.series, NS_PER_S, &rig.ledger);
    sample = series_last(&rig.series);
    EXPECT(is_about(sample->latency[SERIES_LATENESS].p99_ns, NS_PER_MS));
    EXPECT(!sample->latency[SERIES_FROM_DUE].is_known);
    arena_release(&rig.arena);
}

static void test_series_next_is_at_whole_seconds_and_where_parts_end(void)
{
    static const uint64_t wanted_ms[] = {500, 1000, 2000, 2700, 3000, 4000};
    static const enum series_part parts[] = {SERIES_WARMUP, SERIES_SPAN,  SERIES_SPAN,
                                             SERIES_SPAN,   SERIES_DRAIN, SERIES_DRAIN};
    struct series_options options = {.warmup_ns = 500 * NS_PER_MS, .duration_ns = 2700 * NS_PER_MS};
    struct rig rig;

    /* Whether samples are taken in time or a little late. */
    for (uint64_t late_ns = 0; late_ns < 200 * NS_PER_MS; late_ns += 99 * NS_PER_MS) {
        rig_open(&rig, &options);
        for (size_t i = 0; i < COUNT(wanted_ms); i++) {
            const struct series_sample *sample;

            EXPECT(series_next_ns(&rig.series) == wanted_ms[i] * NS_PER_MS);
            EXPECT(series_part(&rig.series) == parts[i]);
            sample = rig_take(&rig, wanted_ms[i] * NS_PER_MS + late_ns);
            EXPECT(sample->part == parts[i]);
            EXPECT(sample->until_ns == wanted_ms[i] * NS_PER_MS + late_ns);
            EXPECT(i == 0 || sample->from_ns == sample[-1].until_ns);
        }
        arena_release(&rig.arena);
    }

    /* Much too late: one long sample, then whole seconds again. */
    options.duration_ns = 10 * NS_PER_S;
    options.warmup_ns = 0;
    rig_open(&rig, &options);
    (void)rig_take(&rig, NS_PER_S);
    EXPECT(rig_take(&rig, 4700 * NS_PER_MS)->from_ns == NS_PER_S);
    EXPECT(series_next_ns(&rig.series) == 5 * NS_PER_S);
    arena_release(&rig.arena);
}

static void test_series_span_may_end_early(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S};
    struct rig rig;

    rig_open(&rig, &options);
    (void)rig_take(&rig, NS_PER_S);
    series_end_span(&rig.series, 1300 * NS_PER_MS);
    EXPECT(series_next_ns(&rig.series) == 1300 * NS_PER_MS);
    EXPECT(rig_take(&rig, 1300 * NS_PER_MS)->part == SERIES_SPAN);
    EXPECT(series_part(&rig.series) == SERIES_DRAIN);
    series_end_span(&rig.series, 1800 * NS_PER_MS); /* It has ended. */
    EXPECT(series_next_ns(&rig.series) == 2 * NS_PER_S);
    EXPECT(rig_take(&rig, 2 * NS_PER_S)->part == SERIES_DRAIN);
    arena_release(&rig.arena);

    /* In the warm-up, at the start, and by a moment that is over. */
    options.warmup_ns = 5 * NS_PER_S;
    rig_open(&rig, &options);
    series_end_span(&rig.series, 0);
    EXPECT(series_part(&rig.series) == SERIES_DRAIN);
    arena_release(&rig.arena);
    rig_open(&rig, &options);
    (void)rig_take(&rig, 1100 * NS_PER_MS);
    series_end_span(&rig.series, NS_PER_S);
    EXPECT(series_part(&rig.series) == SERIES_DRAIN);
    EXPECT(series_next_ns(&rig.series) == 2 * NS_PER_S);
    arena_release(&rig.arena);
}

static void test_series_rates_are_over_the_real_length(void)
{
    struct series_options options = {.duration_ns = 2 * NS_PER_S};
    const struct series_sample *sample;
    struct rig rig;

    rig_open(&rig, &options);
    rig_answer(&rig, 1000, NS_PER_MS);
    sample = rig_take(&rig, 1250 * NS_PER_MS);
    EXPECT(is_near(series_achieved_per_s(sample), 800));
    EXPECT(series_asked_per_s(sample) < 0); /* A closed loop. */
    (void)rig_take(&rig, 2 * NS_PER_S);
    rig_answer(&rig, 64, NS_PER_MS);
    sample = rig_take(&rig, 2 * NS_PER_S + 100); /* Not 640 million per second. */
    EXPECT(sample->part == SERIES_DRAIN);
    EXPECT(sample->answered == 64);
    EXPECT(series_achieved_per_s(sample) < 0);
    arena_release(&rig.arena);
}

/* From 0 to 1000 per second in ten seconds. */
static double ramp_per_s(const void *schedule, uint64_t from_ns, uint64_t until_ns)
{
    const double *per_s_per_s = schedule;

    return *per_s_per_s * (double)(from_ns + until_ns) / 2 / (double)NS_PER_S;
}

static void test_series_asked_is_the_mean_of_the_schedule(void)
{
    static const double slope = 100;
    struct series_options options = {
        .duration_ns = 10 * NS_PER_S, .asked_per_s = ramp_per_s, .schedule = &slope};
    double sum = 0;
    struct rig rig;

    rig_open(&rig, &options);
    for (uint64_t s = 1; s <= 10; s++) {
        const struct series_sample *sample = rig_take(&rig, s * NS_PER_S);

        EXPECT(is_near(series_asked_per_s(sample), 100 * ((double)s - 0.5)));
        sum += sample->asked;
    }
    EXPECT(is_near(sum, 5000));
    EXPECT(series_asked_per_s(rig_take(&rig, 11 * NS_PER_S)) < 0); /* The drain asks for none. */
    arena_release(&rig.arena);
}

static void test_series_last_sample_of_nothing_is_dropped(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S};
    const struct series_sample *sample;
    struct rig rig;

    rig_open(&rig, &options);
    EXPECT(rig_take(&rig, 0) == NULL);
    rig_answer(&rig, 5, NS_PER_MS);
    sample = rig_take(&rig, NS_PER_S);
    EXPECT(rig_take(&rig, NS_PER_S - 1) == sample); /* Workers ended before it was taken. */
    rig_answer(&rig, 1, NS_PER_MS);                 /* But had not published all. */
    sample = rig_take(&rig, NS_PER_S - 1);
    EXPECT(rig.series.count == 2);
    EXPECT(sample->from_ns == NS_PER_S && sample->until_ns == NS_PER_S);
    EXPECT(sample->answered == 1);
    EXPECT(series_achieved_per_s(sample) < 0);
    EXPECT(is_about(sample->latency[SERIES_FROM_SENT].max_ns, NS_PER_MS));
    arena_release(&rig.arena);
}

/* What a whole run's samples add up to. */
static void expect_sums(const struct series *series, const struct ledger *ledger)
{
    uint64_t answered = 0, failed = 0, shed = 0, until_ns = 0;

    for (uint32_t i = 0; i < series->count; i++) {
        const struct series_sample *sample = &series->samples[i];

        EXPECT(sample->from_ns == until_ns);
        EXPECT(i == 0 || sample->part >= sample[-1].part);
        until_ns = sample->until_ns;
        answered += sample->answered;
        failed += sample->failed;
        shed += sample->shed;
    }
    EXPECT(until_ns == series->until_ns);
    EXPECT(answered == ledger->ok);
    EXPECT(failed == ledger_failed(ledger));
    EXPECT(shed == ledger_shed(ledger));
}

static void test_series_adds_up_however_long_the_run_and_small_the_memory(void)
{
    static const uint32_t max[] = {5, 6, 7, 8, 100};
    struct rng rng;

    rng_init(&rng, 1);
    for (size_t m = 0; m < COUNT(max); m++) {
        struct series_options options = {.warmup_ns = 3 * NS_PER_S,
                                         .duration_ns = TIME_NEVER,
                                         .drain_ns = 10 * NS_PER_S,
                                         .samples_max = max[m]};
        struct rig rig;

        rig_open(&rig, &options);
        for (uint64_t i = 1; i < 5000; i++) {
            uint64_t now_ns = i * 500 * NS_PER_MS + rng_below(&rng, 3) * 1000;

            rig_answer(&rig, rng_below(&rng, 5), NS_PER_MS);
            rig.ledger.failed[rng_below(&rng, FAILED_COUNT)] += rng_below(&rng, 3);
            rig.ledger.shed[rng_below(&rng, SHED_COUNT)] += rng_below(&rng, 3);
            if (i == 4001) series_end_span(&rig.series, now_ns);
            if (now_ns < series_next_ns(&rig.series)) continue;
            (void)rig_take(&rig, now_ns);
            EXPECT(rig.series.count <= max[m]);
            expect_sums(&rig.series, &rig.ledger);
        }
        EXPECT(rig.series.interval_ns <= 8192 * NS_PER_S);
        EXPECT(rig.series.samples[0].part == SERIES_WARMUP);
        EXPECT(rig.series.samples[0].until_ns >= 3 * NS_PER_S);
        EXPECT(series_last(&rig.series)->part == SERIES_DRAIN);
        arena_release(&rig.arena);
    }
}

static void test_series_merged_samples_keep_the_larger_latencies(void)
{
    struct series_options options = {.duration_ns = TIME_NEVER, .samples_max = 6};
    const struct series_sample *samples;
    struct rig rig;

    rig_open(&rig, &options);
    for (uint64_t s = 1; s <= 7; s++) { /* The fourth is a second of silence. */
        if (s != 4) rig_answer(&rig, 100, s % 2 == 0 ? NS_PER_MS : s * NS_PER_MS);
        rig.ledger.alive = s;
        (void)rig_take(&rig, s * NS_PER_S);
    }
    samples = rig.series.samples;
    EXPECT(rig.series.interval_ns == 2 * NS_PER_S);
    EXPECT(rig.series.count == 4);
    EXPECT(samples[1].from_ns == 2 * NS_PER_S && samples[1].until_ns == 4 * NS_PER_S);
    EXPECT(samples[1].answered == 100);
    EXPECT(samples[1].open == 4);
    EXPECT(is_near(series_achieved_per_s(&samples[1]), 50));
    EXPECT(is_about(samples[1].latency[SERIES_FROM_SENT].p50_ns, 3 * NS_PER_MS));
    EXPECT(samples[2].answered == 200);
    EXPECT(is_about(samples[2].latency[SERIES_FROM_SENT].p99_ns, 5 * NS_PER_MS));
    EXPECT(is_about(samples[2].latency[SERIES_FROM_SENT].max_ns, 5 * NS_PER_MS));
    EXPECT(series_next_ns(&rig.series) == 8 * NS_PER_S);
    arena_release(&rig.arena);
}

static void test_series_of_every_arena_size_refuses_or_serves(void)
{
    struct series_options options = {.duration_ns = 10 * NS_PER_S};
    struct ledger ledger = {.ok = 1};
    bool served = false;

    for (size_t bytes_max = 1; !served; bytes_max += 100000) {
        struct series series;
        struct arena arena;

        arena_init(&arena, bytes_max);
        served = series_init(&series, &options, &arena);
        if (served) series_take(&series, NS_PER_S, &ledger);
        arena_release(&arena);
    }
}

static void too_few_samples(void)
{
    struct series_options options = {.samples_max = 4};
    struct series series;
    struct arena arena;

    arena_init(&arena, 0);
    if (series_init(&series, &options, &arena)) arena_release(&arena);
}

static void test_series_misuse_aborts(void)
{
    EXPECT(aborts(too_few_samples));
}

int main(void)
{
    TEST(test_series_samples_hold_what_came_since_the_last);
    TEST(test_series_second_without_answers_has_no_latency);
    TEST(test_series_lateness_is_there_when_it_is_measured);
    TEST(test_series_next_is_at_whole_seconds_and_where_parts_end);
    TEST(test_series_span_may_end_early);
    TEST(test_series_rates_are_over_the_real_length);
    TEST(test_series_asked_is_the_mean_of_the_schedule);
    TEST(test_series_last_sample_of_nothing_is_dropped);
    TEST(test_series_adds_up_however_long_the_run_and_small_the_memory);
    TEST(test_series_merged_samples_keep_the_larger_latencies);
    TEST(test_series_of_every_arena_size_refuses_or_serves);
    TEST(test_series_misuse_aborts);
    return 0;
}
