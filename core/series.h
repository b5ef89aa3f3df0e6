/* series: how a run went, second by second.
 *
 * The coordinator takes a sample at every whole interval (one second at first) since the start of
 * the run, one where the warm-up and one where the measured span ends, and the last when the
 * workers have been joined.
 * A sample holds what was counted, and what the histograms took in, since the sample before: the
 * difference of two readings of figures that only grow. So nothing is lost between samples, and
 * the sums over the series are the totals of the run. A sample reaches to the moment at which it
 * was taken, not to the one at which it should have been: one that comes late is longer.
 *
 * Memory is bounded by SERIES_SAMPLES_MAX. A run that outgrows it doubles the interval and merges
 * samples that share one: counts add up, maxima stay what they are, and of two percentiles the
 * larger is kept, which that of both together does not exceed.
 *
 * Threads: the coordinator's; anyone's after it has been joined. */
#ifndef CORE_SERIES_H
#define CORE_SERIES_H

#include "core/base/hist.h"
#include "core/ledger.h"

enum { SERIES_SAMPLES_MAX = 24 * 60 * 60 }; /* A day of seconds. */

enum series_hist { SERIES_FROM_DUE, SERIES_FROM_SENT, SERIES_LATENESS, SERIES_HISTS };

/* The part of a run in which a sample began. */
enum series_part { SERIES_WARMUP, SERIES_SPAN, SERIES_DRAIN };

/* What a histogram took in during one sample. */
struct series_latency {
    bool is_known; /* If not, it took in nothing. */
    uint64_t p50_ns, p99_ns, max_ns;
};

struct series_sample {
    uint64_t from_ns, until_ns; /* Since the start of the run; from is the until before. */
    enum series_part part;
    double asked; /* Requests that the schedule has in it; below 0: no schedule. */
    uint64_t answered, failed, shed;
    uint64_t open; /* Connections at its end. */
    struct series_latency latency[SERIES_HISTS];
};

struct series_options {
    uint64_t warmup_ns;   /* From the start of the run to that of the measured span. */
    uint64_t duration_ns; /* From the start of the run to the end of that; TIME_NEVER: not known. */
    uint64_t drain_ns;    /* How long the drain may take at most. */
    uint32_t samples_max; /* 5 to SERIES_SAMPLES_MAX; 0 = SERIES_SAMPLES_MAX. */
    /* The mean of the rate that the schedule asks for between two moments, by the time since the
     * start of the run. NULL: there is no schedule (closed loop). */
    double (*asked_per_s)(const void *schedule, uint64_t from_ns, uint64_t until_ns);
    const void *schedule; /* Borrowed. */
    /* Gets each sample as it is taken, and what the histograms took in during it; both until it
     * returns. NULL: nobody does. */
    void (*taken)(void *self, const struct series_sample *sample,
                  struct hist_view *const intervals[SERIES_HISTS]);
    void *self;
};

struct series {
    struct series_sample *samples; /* [max] */
    uint32_t count, max;
    uint64_t interval_ns;
    uint64_t span_end_ns; /* Since the start of the run; TIME_NEVER while not known. */
    uint64_t until_ns;    /* Where the last sample ended. */
    struct series_options options;
    struct ledger ledger;                 /* At the last sample. */
    struct hist_view *last[SERIES_HISTS]; /* The same of the histograms; for a while, what they
                                             took in since. */
    struct hist_view *now[SERIES_HISTS];  /* What all histograms hold. */
};

/* Makes `series` empty; all memory it will ever need is from `arena` (untouched pages cost
 * nothing). False when that refuses. */
MUST_USE bool series_init(struct series *series, const struct series_options *options,
                          struct arena *arena);

/* When the next sample is to be taken, since the start of the run. */
uint64_t series_next_ns(const struct series *series);

/* The span ends at `at_ns`, earlier than planned: the next sample is due at once. Later calls, and
 * a moment after the planned end, change nothing. */
void series_end_span(struct series *series, uint64_t at_ns);

/* What the workers' histograms hold now, for the sample that is about to be taken: empty after the
 * last one, to be added to. */
struct hist_view *series_now(struct series *series, enum series_hist which);

/* Takes a sample that ends at `at_ns` (at least that of the last one) from the sum of all ledgers
 * and what was added since the last call. One that has no length and counts nothing is dropped. */
void series_take(struct series *series, uint64_t at_ns, const struct ledger *sum);

/* The last sample; NULL if there is none yet. */
const struct series_sample *series_last(const struct series *series);

/* Where the run is since the last sample. */
enum series_part series_part(const struct series *series);

/* Of a sample: requests per second that were answered or asked for, over its real length; below 0
 * where that says nothing: in the drain, without a length, without a schedule. */
double series_achieved_per_s(const struct series_sample *sample);
double series_asked_per_s(const struct series_sample *sample);

#endif
