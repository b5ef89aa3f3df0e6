#include "core/report_wrk.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wrk_stats.h"

/* A value with its unit. */
struct wrk_text {
    char text[48];
};

struct wrk_scale {
    const char *const *units; /* Ends with NULL. The last one is never reached. */
    double step;
};

static const char *const short_units[] = {"us", "ms", NULL};
static const char *const long_units[] = {"s", "m", NULL};
static const char *const binary_units[] = {"", "K", "M", "G", "T", NULL};
static const char *const metric_units[] = {"", "k", "M", "G", "T", NULL};

static const struct wrk_scale short_times = {short_units, 1000};
static const struct wrk_scale long_times = {long_units, 60};
static const struct wrk_scale binary = {binary_units, 1024};
static const struct wrk_scale metric = {metric_units, 1000};

/* A unit is left for the next one when 85 % of that are reached. */
static struct wrk_text scaled(double amount, const struct wrk_scale *scale, int decimals)
{
    const char *const *unit = scale->units;
    struct wrk_text out;

    while (unit[1] != NULL && amount >= 0.85 * scale->step) {
        amount /= scale->step;
        unit++;
    }
    (void)snprintf(out.text, sizeof(out.text), "%.*f%s", decimals, amount, *unit);
    return out;
}

static struct wrk_text time_text(double ns)
{
    double us = ns / (double)NS_PER_US;

    if (us < 1000000) return scaled(us, &short_times, 2);
    return scaled(us / 1000000, &long_times, 2);
}

/* How many columns stay empty behind a value: two, less one for each letter that it ends with, of
 * two. */
static size_t pad_of(const char *value)
{
    size_t len = strlen(value), pad = 2;

    for (size_t i = len - min_u64(len, 2); i < len; i++) {
        if (isalpha((unsigned char)value[i])) pad--;
    }
    return pad;
}

static void add_field(struct text *out, size_t width, const char *value)
{
    size_t pad = pad_of(value), room = width - pad;

    text_printf(out, "%*.*s%*s", (int)room, (int)room, value, (int)pad, "");
}

/* One row of the table, of times or of numbers. */
static void add_row(struct text *out, const char *name, const struct hist_view *view, bool times)
{
    const double figures[] = {hist_view_mean_ns(view), hist_view_stddev_ns(view),
                              view->count == 0 ? 0 : (double)view->max_ns};
    static const size_t widths[] = {8, 10, 9};
    double near = wrk_share_near_mean(view);

    text_printf(out, "    %-10s", name);
    for (size_t i = 0; i < COUNT(figures); i++) {
        struct wrk_text value = times ? time_text(figures[i]) : scaled(figures[i], &metric, 2);

        add_field(out, widths[i], value.text);
    }
    if (near < 0) {
        text_add_str(out, "    -nan%\n"); /* As glibc has 0/0 on x86. */
    } else {
        text_printf(out, "%8.2f%%\n", near * 100);
    }
}

static void add_distribution(struct text *out, const struct hist_view *view)
{
    static const double percents[] = {50, 75, 90, 99};

    text_add_str(out, "  Latency Distribution\n");
    for (size_t i = 0; i < COUNT(percents); i++) {
        struct wrk_text value = time_text((double)wrk_percentile(view, percents[i]));

        text_printf(out, "%7.0f%%", percents[i]);
        add_field(out, 10, value.text);
        text_add_str(out, "\n");
    }
}

/* What wrk counts as errors of the four kinds. */
struct wrk_errors {
    uint64_t connect, read, write, timeout;
};

/* Where a class of failure stands, of those that are not all of one attempt to connect: such are
 * counted by attempts. */
static uint64_t *kind_of(struct wrk_errors *errors, enum failed_class why)
{
    switch (why) {
    case FAILED_CONNECT_REFUSED:
    case FAILED_CONNECT_TIMEOUT:
    case FAILED_RESOLVE:
    case FAILED_UNREACHABLE:
    case FAILED_PORTS:
    case FAILED_DESCRIPTORS:
    case FAILED_PROXY_REFUSED:
    case FAILED_TLS_TIMEOUT:
    case FAILED_TLS_RESET: return NULL;
    case FAILED_RESET_IN_REQUEST:
    case FAILED_BODY_UNREADABLE:
    case FAILED_BUILD: return &errors->write;
    case FAILED_FIRST_BYTE_TIMEOUT:
    case FAILED_TIMEOUT: return &errors->timeout;
    default: return &errors->read;
    }
}

static struct wrk_errors errors_of(const struct result *result)
{
    const struct ledger *ledger = &result->ledger;
    struct wrk_errors errors = {
        .connect = ledger->connects_failed + ledger->handshakes_failed,
        .read = ledger->closed_by_peer + ledger->unsolicited_idle,
        .timeout = result->late,
    };
    uint64_t tls = 0;

    for (int i = 0; i < FAILED_COUNT; i++) {
        enum failed_class why = (enum failed_class)i;
        uint64_t *kind = kind_of(&errors, why);

        if (i >= FAILED_COUNT - TLS_ERR_COUNT) {
            tls += ledger->failed[i];
        } else if (kind != NULL) {
            *kind += ledger->failed[i];
        }
    }
    /* Those of handshakes are counted, with the others of their kind, as attempts. */
    errors.read += tls - min_u64(tls, ledger->handshakes_failed);
    return errors;
}

static void add_errors(struct text *out, const struct result *result)
{
    struct wrk_errors errors = errors_of(result);
    uint64_t refused = 0;

    if (errors.connect + errors.read + errors.write + errors.timeout > 0) {
        text_printf(out, "  Socket errors: connect %llu, read %llu, write %llu, timeout %llu\n",
                    (unsigned long long)errors.connect, (unsigned long long)errors.read,
                    (unsigned long long)errors.write, (unsigned long long)errors.timeout);
    }
    for (int status = 400; status < STATUS_COUNT; status++) {
        refused += result->status[status];
    }
    if (refused == 0) return;
    text_printf(out, "  Non-2xx or 3xx responses: %llu\n", (unsigned long long)refused);
}

void report_wrk_head(const struct report_wrk *wrk, struct text *out)
{
    if (wrk->duration_ns == TIME_NEVER) {
        text_printf(out, "Running %llu requests test @ %s\n", (unsigned long long)wrk->requests,
                    wrk->url);
    } else {
        double seconds = (double)wrk->duration_ns / (double)NS_PER_S;

        text_printf(out, "Running %s test @ %s\n", scaled(seconds, &long_times, 0).text, wrk->url);
    }
    text_printf(out, "  %llu threads and %llu connections\n", (unsigned long long)wrk->threads,
                (unsigned long long)wrk->connections);
}

void report_wrk_notes(const struct report_wrk *wrk, const struct plan *plan, struct text *out)
{
    bool tls = false;

    for (uint32_t i = 0; i < plan->targets_count; i++) {
        tls |= plan->targets[i].tls;
    }
    if (tls && plan->tls.insecure) {
        text_printf(out, "pelt: certificates are not verified%s\n",
                    plan->tls.as_wrk ? ", as wrk does not verify them" : " (--insecure)");
    }
    if (wrk->corrected) return;
    text_add_str(out, "pelt: latencies are those measured, none added and no late one left out; "
                      "--wrk-stats has wrk's\n");
}

/* All that the counts are about: warm-up and drain are in it. */
static uint64_t run_ns(const struct result *result)
{
    return result->warmup_ns + result->span_ns + result->drained_ns;
}

static double per_s(uint64_t count, uint64_t ns)
{
    return ns == 0 ? 0 : (double)count / (double)ns * (double)NS_PER_S;
}

/* The latencies as they are to be shown; NULL when `scratch` refuses. */
static const struct hist_view *latencies(const struct report_wrk *wrk, const struct result *result,
                                         struct arena *scratch)
{
    uint64_t rounds = result->ledger.ok / max_u64(wrk->connections, 1);
    struct hist_view *view;

    if (!wrk->corrected) return result->from_sent;
    view = arena_array(scratch, 1, sizeof(*view));
    if (view == NULL) return NULL;
    hist_view_clear(view);
    hist_view_add_view(view, result->from_sent);
    wrk_correct(view, wrk->timeout_ns, rounds == 0 ? 0 : run_ns(result) / rounds);
    return view;
}

void report_wrk(const struct report_wrk *wrk, const struct result *result, struct arena *scratch,
                struct text *out)
{
    const struct hist_view *from_sent = latencies(wrk, result, scratch);
    uint64_t all_ns = run_ns(result);

    CHECK(result->per_s != NULL);
    if (from_sent == NULL) {
        out->failed = true;
        return;
    }
    text_add_str(out, "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n");
    add_row(out, "Latency", from_sent, true);
    add_row(out, "Req/Sec", result->per_s, false);
    if (wrk->distribution) add_distribution(out, from_sent);
    text_printf(out, "  %llu requests in %s, %sB read\n", (unsigned long long)result->ledger.ok,
                time_text((double)all_ns).text,
                scaled((double)result->ledger.bytes_received, &binary, 2).text);
    add_errors(out, result);
    text_printf(out, "Requests/sec: %9.2f\n", per_s(result->ledger.ok, all_ns));
    text_printf(out, "Transfer/sec: %10sB\n",
                scaled(per_s(result->ledger.bytes_received, all_ns), &binary, 2).text);
}
