/* What thresholds promise: each metric against its bound, groups chosen by tags with wildcards, and
 * that what is not known is not taken for good. */
#include "core/thresholds.h"

#include <string.h>

#include "config/testfile.h"
#include "core/exit.h"
#include "core/report_thresholds.h"
#include "tests/test.h"

enum { GROUPS = 2 };

#define TAG(n, v)                                                                        \
    {                                                                                    \
        .name = (n), .value = (v), .name_len = sizeof(n) - 1, .value_len = sizeof(v) - 1 \
    }
static const struct group_tag tags[GROUPS] = {TAG("status", "200"), TAG("status", "503")};

struct rig {
    struct arena arena;
    struct hist_slab slab;
    struct bucket_group groups[GROUPS];
    struct bucket bucket;
    struct plan plan;
    struct result result;
    struct result_worker worker;
    struct result_test test;
};

/* `count` values, 1 ms and up by 1 ms. */
static struct hist_view *view_of(struct rig *rig, uint64_t count)
{
    struct hist_view *view = arena_array(&rig->arena, 1, sizeof(*view));
    struct hist *hist = arena_array(&rig->arena, 1, sizeof(*hist));

    EXPECT(view != NULL && hist != NULL);
    hist_init(hist, &rig->slab);
    hist_view_clear(view);
    for (uint64_t i = 1; i <= count; i++) {
        hist_record(hist, i * NS_PER_MS);
    }
    hist_view_add(view, hist);
    return view;
}

/* 100 answers of status 200, 20 of 503, all measured, and 5 failures; in 10 s. */
static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    arena_init(&rig->arena, 0);
    EXPECT(hist_slab_init(&rig->slab, &rig->arena, 4096));
    for (uint32_t i = 0; i < GROUPS; i++) {
        rig->groups[i].tags = &tags[i];
        rig->groups[i].tags_count = 1;
        rig->groups[i].total.ok = i == 0 ? 100 : 20;
        rig->groups[i].total.from_due = view_of(rig, rig->groups[i].total.ok);
        rig->groups[i].total.from_sent = view_of(rig, rig->groups[i].total.ok);
    }
    rig->groups[1].total.failed[FAILED_INCOMPLETE] = 5;
    rig->bucket.groups = rig->groups;
    rig->bucket.groups_count = GROUPS;
    rig->test.last = &rig->bucket;
    plan_init(&rig->plan);
    rig->plan.workers = 1;
    rig->result.plan = &rig->plan;
    rig->result.workers = &rig->worker;
    rig->result.span_ns = 10 * NS_PER_S;
    rig->result.from_due = view_of(rig, 120);
    rig->result.from_sent = view_of(rig, 60);
    rig->result.ledger.due = rig->result.ledger.started = 125;
    rig->result.ledger.ok = rig->result.ledger.ok_in_span = 120;
    rig->result.ledger.failed[FAILED_INCOMPLETE] = 5;
}

static void rig_close(struct rig *rig)
{
    plan_release(&rig->plan);
    arena_release(&rig->arena);
}

static struct result_threshold judge(struct rig *rig, const struct testfile_threshold *threshold)
{
    struct testfile test = {.thresholds = threshold, .thresholds_count = 1};

    EXPECT(thresholds_judge(&test, &rig->result, &rig->arena, &rig->test));
    EXPECT(rig->test.thresholds_count == 1);
    return rig->test.thresholds[0];
}

static void test_thresholds_hold_each_metric_against_its_bound(void)
{
    static const struct {
        const char *name;
        enum testfile_metric metric;
        enum testfile_compare compare;
        double percentile, value;
        bool from_sent, is_met;
    } cases[] = {
        {"p50 below", METRIC_PERCENTILE, COMPARE_LESS, 50, 61e6, false, true},
        {"p50 not below", METRIC_PERCENTILE, COMPARE_LESS, 50, 59e6, false, false},
        {"p50 from sent", METRIC_PERCENTILE, COMPARE_LESS, 50, 31e6, true, true},
        {"p0 is the least", METRIC_PERCENTILE, COMPARE_LESS_EQUAL, 0, 1e6, false, true},
        /* 4 % have no latency. */
        {"p99 is not known", METRIC_PERCENTILE, COMPARE_LESS, 99, 1e12, false, false},
        {"p99 is that at least", METRIC_PERCENTILE, COMPARE_GREATER, 99, 100e6, false, true},
        {"p95 is known", METRIC_PERCENTILE, COMPARE_LESS, 95, 1e12, false, true},
        {"max is not known", METRIC_MAX, COMPARE_LESS_EQUAL, 0, 1e12, false, false},
        {"min", METRIC_MIN, COMPARE_GREATER_EQUAL, 0, 1e6, false, true},
        {"mean", METRIC_MEAN, COMPARE_LESS, 0, 60.6e6, false, true},
        {"mean above", METRIC_MEAN, COMPARE_GREATER, 0, 60.6e6, false, false},
        {"error rate", METRIC_ERROR_RATE, COMPARE_LESS_EQUAL, 0, 0.04, false, true},
        {"error rate above", METRIC_ERROR_RATE, COMPARE_LESS, 0, 0.04, false, false},
        {"rate", METRIC_RATE, COMPARE_GREATER_EQUAL, 0, 12, false, true},
        {"requests", METRIC_REQUESTS, COMPARE_GREATER, 0, 124, false, true},
        {"errors", METRIC_ERRORS, COMPARE_LESS, 0, 5, false, false},
    };
    static struct rig rig;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct testfile_threshold threshold = {.text = cases[i].name,
                                               .metric = cases[i].metric,
                                               .compare = cases[i].compare,
                                               .percentile = cases[i].percentile,
                                               .value = cases[i].value,
                                               .from_sent = cases[i].from_sent};
        struct result_threshold outcome;

        rig_open(&rig);
        outcome = judge(&rig, &threshold);
        if (outcome.is_met != cases[i].is_met) (void)fprintf(stderr, "%s\n", cases[i].name);
        EXPECT(outcome.is_met == cases[i].is_met);
        EXPECT(result_test_is_passed(&rig.test) == cases[i].is_met);
        rig_close(&rig);
    }
}

static void test_thresholds_choose_groups_by_tags(void)
{
    static const struct {
        const char *name, *value;
        double requests;
    } cases[] = {{"status", "200", 100}, {"status", "5*", 25}, {"status", "*", 125},
                 {"status", "20", 0},    {"state", "*", 0},    {"status", "*0*", 125}};
    static struct rig rig;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct testfile_tag tag = {.name = cases[i].name, .value = {.text = cases[i].value}};
        struct testfile_threshold threshold = {.text = "requests > 0",
                                               .metric = METRIC_REQUESTS,
                                               .compare = COMPARE_GREATER,
                                               .tags = &tag,
                                               .tags_count = 1};

        rig_open(&rig);
        EXPECT(judge(&rig, &threshold).value == cases[i].requests);
        threshold.metric = METRIC_MAX;
        threshold.compare = COMPARE_LESS;
        threshold.value = 1e12;
        /* Of the second group a fifth has no latency. */
        EXPECT(judge(&rig, &threshold).is_met == (cases[i].requests == 100));
        EXPECT(judge(&rig, &threshold).is_known == (cases[i].requests > 0));
        rig_close(&rig);
    }
}

static void test_outcomes_are_told(void)
{
    static struct rig rig;
    struct testfile_tag tag = {.name = "status", .value = {.text = "9*"}};
    struct testfile_threshold list[] = {
        {.text = "p99 < 1s", .percentile = 99, .value = 1e9},
        {.text = "p50 < 1s", .percentile = 50, .value = 1e9, .from_sent = true},
        {.text = "error_rate < 1%", .metric = METRIC_ERROR_RATE, .value = 0.01},
        {.text = "mean < 1s", .metric = METRIC_MEAN, .value = 1e9, .tags = &tag, .tags_count = 1},
    };
    struct testfile test = {.thresholds = list, .thresholds_count = COUNT(list)};
    struct text text;
    struct json json;

    rig_open(&rig);
    EXPECT(thresholds_judge(&test, &rig.result, &rig.arena, &rig.test));
    text_init(&text, &rig.arena);
    report_thresholds_text(&rig.test, &text);
    EXPECT(strcmp(text.data,
                  "threshold    p99 < 1s: NOT MET (>=119.0 ms)\n"
                  "threshold    p50 < 1s, from sent: met (30.0 ms)\n"
                  "threshold    error_rate < 1%: NOT MET (4 %)\n"
                  "threshold    mean < 1s, where status=9*: NOT MET (nothing was measured)\n") ==
           0);
    text_clear(&text);
    json_init(&json, &text, true);
    json_object(&json);
    report_thresholds_json(&rig.test, &json);
    json_end(&json);
    EXPECT(strstr(text.data,
                  "{\"check\":\"mean < 1s\",\"from\":\"due\",\"tags\":{\"status\":\"9*\"},"
                  "\"met\":false}]}") != NULL);
    text_clear(&text);
    report_thresholds_text(NULL, &text);
    report_thresholds_lines(NULL, &text);
    EXPECT(text.len == 0);
    rig.result.test = &rig.test;
    EXPECT(result_exit_code(&rig.result) == EXIT_CODE_THRESHOLD);
    rig.test.groups_differ = true;
    EXPECT(result_exit_code(&rig.result) == EXIT_CODE_LEDGER);
    rig_close(&rig);
}

int main(void)
{
    TEST(test_thresholds_hold_each_metric_against_its_bound);
    TEST(test_thresholds_choose_groups_by_tags);
    TEST(test_outcomes_are_told);
    return 0;
}
