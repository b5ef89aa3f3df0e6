/* The report for people: read in five seconds (rate, latency, errors), checked in a minute (the
 * ledger's equations with their numbers, what the latencies leave out, what the client cost).
 *
 * A figure that is not known is not printed: no latency row without a sample, no rate without an
 * answer. A percentile above 1 - (share left out) is at least what is printed, and says so. */
#include "core/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/report_health.h"
#include "core/report_latency.h"
#include "core/report_loggers.h"
#include "core/report_net.h"
#include "core/report_thresholds.h"
#include "core/report_tls.h"
#include "core/report_urls.h"
#include "core/report_waits.h"
#include "core/version.h"

enum { LABEL_WIDTH = 13, COLUMNS = 80 };

/* Starts a line with its label; "" for a line that goes on with the one above. */
static void add_label(struct text *out, const char *label)
{
    text_printf(out, "%-*s", LABEL_WIDTH, label);
}

/* Writes an amount as a percentage with two digits that say something. */
static void add_percent(struct text *out, double share)
{
    double percent = share * 100;

    if (share <= 0) {
        text_add_str(out, "0 %");
    } else if (percent < 0.0001) {
        text_add_str(out, "<0.0001 %");
    } else if (percent < 0.01) {
        text_printf(out, "%.4f %%", percent);
    } else {
        text_printf(out, "%.*f %%", percent < 1 ? 2 : 1, percent);
    }
}

static void add_count(struct text *out, uint64_t count, const char *what)
{
    char buf[UNITS_TEXT_MAX];

    text_printf(out, "%s %s", units_grouped(buf, count), what);
}

/* The same of things that are one or several. */
static void add_plural(struct text *out, uint64_t count, const char *thing)
{
    add_count(out, count, thing);
    if (count != 1) text_add_str(out, "s");
}

static void add_time(struct text *out, uint64_t ns)
{
    char buf[UNITS_TEXT_MAX];

    text_add_str(out, units_time(buf, ns));
}

/* A rate as people write it: without decimals from 100 on, and where it has none. */
static void add_per_s(struct text *out, double per_s)
{
    char buf[UNITS_TEXT_MAX];

    if (per_s >= 100 || per_s == floor(per_s)) {
        text_add_str(out, units_grouped(buf, (uint64_t)(per_s + 0.5)));
    } else {
        text_printf(out, per_s < 1 ? "%.3g" : "%.2f", per_s);
    }
}

/* "at 50,000/s", or "in 3 stages of 0/s to 50,000/s". */
static void add_schedule(const struct plan *plan, struct text *out)
{
    const struct plan_stage *stages = plan->stages;
    double least = stages[0].from_per_s, most = least;

    for (uint32_t i = 0; i < plan->stages_count; i++) {
        least = fmin(least, fmin(stages[i].from_per_s, stages[i].to_per_s));
        most = fmax(most, fmax(stages[i].from_per_s, stages[i].to_per_s));
    }
    if (plan->stages_count > 1 || least < most) {
        text_add_str(out, "in ");
        add_plural(out, plan->stages_count, "stage");
        text_add_str(out, " of ");
        add_per_s(out, least);
        text_add_str(out, "/s to ");
    } else {
        text_add_str(out, "at ");
    }
    add_per_s(out, most);
    text_add_str(out, "/s");
}

static void add_load(const struct result *result, struct text *out)
{
    const struct plan *plan = result->plan;

    add_label(out, plan->test_file != NULL ? "test" : "target");
    if (plan->test_file != NULL) {
        text_printf(out, "%s: ", plan->test_file);
        add_plural(out, plan->requests_count, "endpoint");
        text_add_str(out, " at ");
        add_plural(out, plan->targets_count, "target");
        text_add_str(out, "\n");
    } else if (plan->requests_count == 1) {
        text_printf(out, "%s\n", plan->requests[0].url);
    } else {
        add_plural(out, plan->requests_count, "URL");
        text_add_str(out, " in turn, at ");
        add_plural(out, plan->targets_count, "target");
        text_add_str(out, "\n");
    }
    add_label(out, "load");
    if (plan->test_file == NULL) text_printf(out, "%s ", plan->requests[0].method);
    if (plan->open_loop) {
        add_schedule(plan, out);
    } else {
        text_add_str(out, "in a closed loop");
    }
    text_add_str(out, plan->test_file == NULL ? " over " : " over up to ");
    add_plural(out, plan->connections, "connection");
    if (plan->pipeline > 1) text_printf(out, ", up to %u requests on each", plan->pipeline);
    if (plan->max_requests_per_connection > 0) {
        text_add_str(out, ", each for ");
        add_plural(out, plan->max_requests_per_connection, "request");
    }
    if (plan->connect_rate_per_s > 0) {
        text_add_str(out, ", opened at ");
        add_per_s(out, plan->connect_rate_per_s);
        text_add_str(out, "/s at most");
    }
    text_add_str(out, "\n");
    if (plan->open_loop && plan->arrivals == PLAN_ARRIVALS_POISSON) {
        add_label(out, "");
        text_printf(out, "due as in a Poisson process (seed %llu)\n",
                    (unsigned long long)plan->seed);
    }
    report_net_text(result, out);
    add_label(out, "engine");
    text_printf(out, "%s, ", result->engine);
    add_plural(out, plan->workers, "worker");
    text_printf(out, ", pelt %s\n", pelt_version);
    if (result->fallback[0] != '\0') {
        char line[256];

        (void)snprintf(line, sizeof(line), "not io_uring: %s", result->fallback);
        report_wrapped(out, "", line);
    } else if (result->shrunk[0] != '\0') {
        report_wrapped(out, "", result->shrunk);
    }
}

static void add_duration(const struct result *result, struct text *out)
{
    const struct plan *plan = result->plan;

    add_label(out, "time");
    add_time(out, result->span_ns);
    if (plan->warmup_ns > 0) {
        text_add_str(out, " after a warm-up of ");
        add_time(out, result->warmup_ns);
    }
    switch (result->end) {
    case END_DURATION: break;
    case END_PROVIDERS:
        text_add_str(out, ", ended by providers that ran dry");
        if (result->ran_dry != NULL) text_printf(out, ": '%s'", quote(result->ran_dry).text);
        break;
    case END_KILLED: report_killer(result, out); break;
    case END_DEADLOCK: text_add_str(out, ", ended by endpoints that wait for each other"); break;
    case END_BROKEN: text_add_str(out, ", ended by an error"); break;
    case END_COUNT:
        text_add_str(out, " for the ");
        add_plural(out, plan->requests_max, "request");
        text_add_str(out, " asked for");
        break;
    case END_INTERRUPTED:
        if (plan->duration_ns == TIME_NEVER) {
            text_add_str(out, ", interrupted");
            break;
        }
        text_add_str(out, plan->warmup_ns > 0 ? ", together of " : " of ");
        add_time(out, plan->duration_ns);
        text_add_str(out, ", interrupted");
        break;
    }
    if (result->drained_ns > 0) {
        text_add_str(out, ", then ");
        add_time(out, result->drained_ns);
        text_add_str(out, result->ledger.cut_off == 0 && result->ledger.ok > 0
                              ? " until the last answer"
                              : " of waiting for answers");
    }
    text_add_str(out, "\n");
}

static void add_rate(const struct result *result, const struct result_figures *figures,
                     struct text *out)
{
    const struct ledger *ledger = &result->ledger;
    char total[UNITS_TEXT_MAX], per_s[UNITS_TEXT_MAX];

    add_label(out, "rate");
    if (ledger->ok == 0) {
        text_add_str(out, "nothing was answered\n");
    } else {
        add_per_s(out, figures->achieved_per_s);
        text_add_str(out, " requests/s: ");
        add_plural(out, ledger->ok_in_span, "answer");
        text_printf(out, " in %s", units_time(total, result->span_ns));
        if (ledger->ok > ledger->ok_in_span) {
            text_add_str(out, ", ");
            add_count(out, ledger->ok - ledger->ok_in_span,
                      result->warmup_ns > 0 ? "more before or after it" : "more after it");
        }
        text_add_str(out, "\n");
    }
    if (result->plan->open_loop) {
        add_label(out, "  asked for");
        add_per_s(out, result->asked_per_s);
        text_add_str(out, " requests/s\n");
    }
    add_label(out, "traffic");
    text_printf(out, "%s/s received (%s), ", units_bytes(per_s, figures->received_per_s),
                units_bytes(total, (double)ledger->bytes_received));
    text_printf(out, "%s/s sent (%s)\n", units_bytes(per_s, figures->sent_per_s),
                units_bytes(total, (double)ledger->bytes_sent));
    if (result->plan->expect_continue) {
        add_label(out, "expectation");
        add_count(out, ledger->bodies_continued, "met with 100 Continue, ");
        add_count(out, ledger->bodies_unasked, "with silence for 1 s, ");
        add_count(out, ledger->bodies_unsent, "with an answer (body not sent)\n");
    } else if (ledger->bodies_unsent > 0) {
        add_label(out, "");
        add_count(out, ledger->bodies_unsent, "answered before the body was sent, and cut short\n");
    }
    if (ledger->bytes_discarded > 0) {
        add_label(out, "");
        text_printf(out, "%s of it discarded in the kernel, of ",
                    units_bytes(total, (double)ledger->bytes_discarded));
        add_plural(out, ledger->discarded, "answer");
        text_add_str(out, " (--read-bodies)\n");
    }
}

static void add_latencies(const struct result *result, const struct result_figures *figures,
                          struct text *out)
{
    const struct hist_view *due = result->from_due;

    if (due->count > 0) {
        report_latency_table(result, figures->left_out_share, out);
    } else {
        add_label(out, "latency");
        text_add_str(out, "not known of any request\n");
    }
    if (figures->measured > 0) {
        add_label(out, "  left out");
        if (figures->left_out == 0) {
            text_add_str(out, "none of ");
        } else {
            add_percent(out, figures->left_out_share);
            text_add_str(out, ", ");
            add_count(out, figures->left_out, "of ");
        }
        add_plural(out, figures->measured, "request");
        if (result->ledger.warmup > 0) {
            text_add_str(out, "; warm-up: ");
            add_plural(out, result->ledger.warmup, "request");
        }
        text_add_str(out, "\n");
    }
    if (due->over > 0) {
        add_label(out, "");
        add_count(out, due->over, "latencies over 9.77 h count as 9.77 h\n");
    }
    if (due->unplaced > 0) {
        add_label(out, "");
        add_count(out, due->unplaced, "latencies found no room in the histogram\n");
    }
}

static void add_percentiles(struct text *out, const char *label, const struct hist_view *view,
                            const char *what)
{
    if (view == NULL || view->count == 0) return;
    add_label(out, label);
    text_add_str(out, "p50 ");
    add_time(out, hist_view_percentile_ns(view, 0.5));
    text_add_str(out, ", p99 ");
    add_time(out, hist_view_percentile_ns(view, 0.99));
    text_add_str(out, ", max ");
    add_time(out, view->max_ns);
    text_printf(out, " %s\n", what);
}

/* Statuses in as many lines as it takes. */
static void add_status(const struct result *result, struct text *out)
{
    uint64_t errors = 0;
    size_t column = COLUMNS;
    const char *label = "status";

    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        char item[UNITS_TEXT_MAX + 8], buf[UNITS_TEXT_MAX];
        int len;

        if (result->status[i] == 0) continue;
        if (i >= 400 && i < 600) errors += result->status[i];
        len = snprintf(item, sizeof(item), "%03u: %s", i, units_grouped(buf, result->status[i]));
        if (column + 3 + (size_t)len > COLUMNS) {
            if (label[0] == '\0') text_add_str(out, "\n");
            add_label(out, label);
            label = "";
            column = LABEL_WIDTH;
        } else {
            text_add_str(out, "   ");
            column += 3;
        }
        text_add_str(out, item);
        column += (size_t)len;
    }
    if (label[0] != '\0') return;
    text_add_str(out, "\n");
    if (errors == 0) return;
    add_label(out, "");
    add_percent(out, (double)errors / (double)result->ledger.ok);
    text_add_str(out, " of the answers are 4xx or 5xx\n");
}

static void add_errors(const struct result *result, struct text *out)
{
    const char *label = "errors";
    char buf[UNITS_TEXT_MAX];

    for (size_t i = 0; i < FAILED_COUNT; i++) {
        if (result->ledger.failed[i] == 0) continue;
        add_label(out, label);
        text_add_str(out, failed_texts[i]);
        if (result->tls.details[i] != NULL) text_printf(out, " (%s)", result->tls.details[i]);
        text_printf(out, ": %s\n", units_grouped(buf, result->ledger.failed[i]));
        label = "";
    }
    if (label[0] == '\0' || result->ledger.ok == 0) return;
    add_label(out, label);
    text_add_str(out, "none\n");
}

static void add_reasons(struct text *out, const uint64_t *counts, const char *const *names,
                        size_t count)
{
    const char *before = " (";
    char buf[UNITS_TEXT_MAX];

    for (size_t i = 0; i < count; i++) {
        if (counts[i] == 0) continue;
        text_printf(out, "%s%s %s", before, names[i], units_grouped(buf, counts[i]));
        before = ", ";
    }
    if (before[0] == ',') text_add_str(out, ")");
}

/* Both equations with their numbers, and whether they hold. */
static void add_ledger(const struct result *result, struct text *out)
{
    const struct ledger *ledger = &result->ledger;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX], d[UNITS_TEXT_MAX];

    add_label(out, "ledger");
    text_printf(out, "due %s = started %s + shed %s", units_grouped(a, ledger->due),
                units_grouped(b, ledger->started), units_grouped(c, ledger_shed(ledger)));
    add_reasons(out, ledger->shed, shed_names, SHED_COUNT);
    text_printf(out, " + missed %s", units_grouped(a, ledger_missed(ledger)));
    add_reasons(out, ledger->missed, missed_names, MISSED_COUNT);
    if (ledger->pending > 0) text_printf(out, " + pending %s", units_grouped(a, ledger->pending));
    text_add_str(out, "\n");
    add_label(out, "");
    text_printf(out, "started %s = ok %s + failed %s + cut off %s",
                units_grouped(a, ledger->started), units_grouped(b, ledger->ok),
                units_grouped(c, ledger_failed(ledger)), units_grouped(d, ledger->cut_off));
    if (ledger->in_flight > 0) {
        text_printf(out, " + in flight %s", units_grouped(a, ledger->in_flight));
    }
    text_add_str(out, "\n");
    add_label(out, "");
    if (result_closes(result)) {
        text_add_str(out, "closes\n");
        return;
    }
    text_add_str(out, "DOES NOT CLOSE");
    if (result->readings_open > 0) {
        text_printf(out, " (in %s readings during the run)",
                    units_grouped(a, result->readings_open));
    }
    text_add_str(out, ":\n");
    add_label(out, "");
    text_add_str(out, "a bug of pelt, and no figure here can be trusted\n");
}

static void add_connections(const struct result *result, struct text *out)
{
    const struct ledger *ledger = &result->ledger;
    const struct plan *plan = result->plan;
    const struct {
        uint64_t count;
        const char *text;
    } notes[] = {
        {ledger->connects_failed - ledger->connects_refused, "attempts failed otherwise"},
        {ledger->closed_by_peer, "closed by the server while idle"},
        {ledger->unsolicited_idle, "closed for bytes that no request asked for"},
        {ledger->conflicting, "answers with both Content-Length and Transfer-Encoding"},
        {ledger->interim, "interim (1xx) answers"},
    };

    add_label(out, "connections");
    add_count(out, plan->connections, plan->test_file == NULL ? "asked, " : "allowed, ");
    add_count(out, ledger->opened, "opened, ");
    add_count(out, ledger->alive_max, "alive at most, ");
    add_count(out, ledger->connects_refused, "refused\n");
    if (plan->connections_max != 0 && plan->connections_max < plan->connections) {
        add_label(out, "");
        add_count(out, plan->connections_max, "allowed at once (--max-connections)\n");
    }
    for (size_t i = 0; i < COUNT(notes); i++) {
        if (notes[i].count == 0) continue;
        add_label(out, "");
        add_count(out, notes[i].count, notes[i].text);
        text_add_str(out, "\n");
    }
}

/* Whether each request has its row in the file. */
static void add_rows(const struct result *result, struct text *out)
{
    if (result->rows == NULL) return;
    add_label(out, "requests-out");
    add_plural(out, result->rows_kept, "row");
    if (result->rows_not_kept > 0) {
        text_add_str(out, ", ");
        add_count(out, result->rows_not_kept, "more not written (--requests-out-max)");
    }
    text_add_str(out, "\n");
}

/* What the tool itself took. */
static void add_client(const struct result *result, const struct result_figures *figures,
                       struct text *out)
{
    char buf[UNITS_TEXT_MAX];

    add_label(out, "client");
    if (result->ledger.started > 0) {
        text_printf(out, "%.2f us CPU and %.3f system calls per request\n",
                    figures->cpu_us_per_request, figures->syscalls_per_request);
        add_label(out, "");
    }
    text_add_str(out, result->plan->workers == 1 ? "its worker" : "its busiest worker");
    text_printf(out, " used %.0f %% of a CPU; %s of memory\n", figures->cpu_share_max * 100,
                units_bytes(buf, (double)result->rss_kib * 1024));
    if (result->batch_wait_us > 0) {
        add_label(out, "");
        text_printf(out, "completions waited up to %u us for a batch (part of the latencies)\n",
                    result->batch_wait_us);
    }
    if (result->no_buffers > 0) {
        add_label(out, "");
        add_count(out, result->no_buffers, "times no receive buffer was left\n");
    }
    if (result->short_sends > 0) {
        add_label(out, "");
        add_count(out, result->short_sends, "sends were not taken whole at once\n");
    }
    if (result->cq_overflow > 0) {
        add_label(out, "");
        add_count(out, result->cq_overflow, "times completions did not fit the ring\n");
    }
}

void report_text(const struct result *result, bool spectrum, struct text *out)
{
    struct result_figures figures = result_figures(result);

    add_load(result, out);
    add_duration(result, out);
    report_verdict(result, out);
    report_thresholds_text(result->test, out);
    text_add_str(out, "\n");
    add_rate(result, &figures, out);
    add_latencies(result, &figures, out);
    report_phases(result, spectrum, out);
    add_percentiles(out, "lateness", result->lateness, "of our sends");
    add_percentiles(out, "conn. wait", result->conn_wait, "for a free connection");
    add_status(result, out);
    if (spectrum) report_statuses(result, out);
    add_errors(result, out);
    report_urls(result, spectrum, out);
    text_add_str(out, "\n");
    add_ledger(result, out);
    add_connections(result, out);
    report_tls(result, out);
    report_waits(result->test, out);
    report_loggers(result, out);
    add_client(result, &figures, out);
    report_health(result, out);
    add_rows(result, out);
    if (spectrum && result->from_due->count > 0) {
        report_latency_spectrum(result, figures.left_out_share, out);
    }
}
