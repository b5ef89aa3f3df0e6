#include "core/thresholds.h"

#include "config/testfile.h"
#include "core/base/glob.h"
#include "core/report_latency.h"

bool result_test_is_passed(const struct result_test *test)
{
    for (uint32_t i = 0; i < test->thresholds_count; i++) {
        if (!test->thresholds[i].is_met) return false;
    }
    return true;
}

/* Whether a group counts for a threshold. */
static bool counts(const struct testfile_threshold *threshold, const struct bucket_group *group)
{
    for (uint32_t i = 0; i < threshold->tags_count; i++) {
        uint32_t len = 0;
        const char *value = bucket_tag(group, threshold->tags[i].name, &len);

        if (value == NULL || !glob_matches(threshold->tags[i].value.text, value, len)) {
            return false;
        }
    }
    return true;
}

/* What a threshold is about. */
struct figures {
    uint64_t started, ok, failed;
    double left_out;        /* The share of them without a latency. */
    struct hist_view *view; /* From due or from sent. */
};

static struct figures all_figures(const struct result *result, bool from_sent)
{
    return (struct figures){
        .started = result->ledger.started,
        .ok = result->ledger.ok_in_span,
        .failed = ledger_failed(&result->ledger),
        .left_out = result_figures(result).left_out_share,
        .view = from_sent ? result->from_sent : result->from_due,
    };
}

/* Adds up the groups that count; `view` is where their histograms go. */
static struct figures group_figures(const struct testfile_threshold *threshold,
                                    const struct bucket *last, struct hist_view *view)
{
    struct figures figures = {.view = view};

    hist_view_clear(view);
    for (uint32_t i = 0; i < last->groups_count; i++) {
        const struct bucket_group *group = bucket_load_group(last, i);
        const struct bucket_figures *total = &group->total;

        if (!counts(threshold, group)) continue;
        figures.started += bucket_calls(total);
        figures.ok += total->ok;
        figures.failed += bucket_failed(total);
        hist_view_add_view(view, threshold->from_sent ? total->from_sent : total->from_due);
    }
    if (figures.started > view->count) {
        figures.left_out = 1 - (double)view->count / (double)figures.started;
    }
    return figures;
}

static void measure_latency(const struct figures *figures,
                            const struct testfile_threshold *threshold,
                            struct result_threshold *outcome)
{
    const struct hist_view *view = figures->view;
    double share = threshold->percentile / 100;

    outcome->is_known = view->count > 0;
    if (!outcome->is_known) return;
    switch (threshold->metric) {
    case METRIC_PERCENTILE:
        /* p0 is the smallest there is. */
        outcome->value =
            share > 0 ? (double)hist_view_percentile_ns(view, share) : (double)view->min_ns;
        outcome->at_least = report_at_least(share, figures->left_out);
        break;
    case METRIC_MAX:
        outcome->value = (double)view->max_ns;
        outcome->at_least = figures->left_out > 0;
        break;
    case METRIC_MIN: outcome->value = (double)view->min_ns; break;
    case METRIC_MEAN:
    case METRIC_ERROR_RATE:
    case METRIC_RATE:
    case METRIC_REQUESTS:
    case METRIC_ERRORS: outcome->value = hist_view_mean_ns(view); break;
    }
}

static void measure(const struct figures *figures, const struct testfile_threshold *threshold,
                    uint64_t span_ns, struct result_threshold *outcome)
{
    outcome->is_known = true;
    switch (threshold->metric) {
    case METRIC_PERCENTILE:
    case METRIC_MEAN:
    case METRIC_MIN:
    case METRIC_MAX: measure_latency(figures, threshold, outcome); break;
    case METRIC_ERROR_RATE:
        if (figures->started > 0) {
            outcome->value = (double)figures->failed / (double)figures->started;
        }
        break;
    case METRIC_RATE:
        if (span_ns > 0) outcome->value = (double)figures->ok * (double)NS_PER_S / (double)span_ns;
        break;
    case METRIC_REQUESTS: outcome->value = (double)figures->started; break;
    case METRIC_ERRORS: outcome->value = (double)figures->failed; break;
    }
}

static bool is_met(const struct result_threshold *outcome)
{
    double value = outcome->value, bound = outcome->threshold->value;

    if (!outcome->is_known) return false;
    switch (outcome->threshold->compare) {
    case COMPARE_LESS: return !outcome->at_least && value < bound;
    case COMPARE_LESS_EQUAL: return !outcome->at_least && value <= bound;
    case COMPARE_GREATER: return value > bound;
    case COMPARE_GREATER_EQUAL: return value >= bound;
    }
    return false;
}

bool thresholds_judge(const struct testfile *test, const struct result *result, struct arena *arena,
                      struct result_test *ret_test)
{
    uint32_t count = test->thresholds_count;
    struct result_threshold *outcomes = arena_array(arena, count, sizeof(*outcomes));
    struct hist_view *view = arena_array(arena, 1, sizeof(*view));

    if (outcomes == NULL || view == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct testfile_threshold *threshold = &test->thresholds[i];
        struct figures figures = threshold->tags_count > 0
                                     ? group_figures(threshold, ret_test->last, view)
                                     : all_figures(result, threshold->from_sent);

        outcomes[i].threshold = threshold;
        measure(&figures, threshold, result->span_ns, &outcomes[i]);
        outcomes[i].is_met = is_met(&outcomes[i]);
    }
    ret_test->thresholds = outcomes;
    ret_test->thresholds_count = count;
    return true;
}
