/* result: what a run found, complete and plain, for the reports. Filled by the engine after the
 * workers have been joined; read by report_text and report_json. */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include "config/plan.h"
#include "core/base/hist.h"
#include "core/ledger.h"
#include "core/result_end.h"
#include "core/rows.h"
#include "core/series.h"
#include "core/stats.h"
#include "core/verdict.h"

/* One worker's share, so that nobody has to trust a sum. */
struct result_worker {
    uint32_t cpu;    /* The CPU it was pinned to; UINT32_MAX if it was not. */
    uint64_t cpu_ns; /* CPU time of its thread, from the start of the run to its end. */
    struct ledger ledger;
    struct verdict_worker shares; /* Of the run, drain left out. */
};

/* How well the client was, at its worst worker. Shares of the run, 0 to 1; below 0: not known. */
struct result_health {
    double steal;       /* The hypervisor's, of that worker's processor. */
    double foreign_cpu; /* Other programs', at least. */
    double cpu_wait;    /* Ready to run, and not run. */
    double stalled;     /* In turns of the loop over 5 ms. */
    double stood_still; /* Nothing of the program ran. */
    bool retransmits_known;
    uint64_t retransmits; /* TCP segments sent again, by everybody on this machine. */
};

/* The answers with one status, as far as they were measured. */
struct result_status {
    uint16_t status;
    struct hist_view *from_sent;
};

/* Figures of a histogram; all but the counts are 0 if `count` is. */
struct result_latency {
    uint64_t count;
    uint64_t unplaced; /* Of these, in no percentile for want of memory. */
    uint64_t p50_ns, p99_ns, max_ns;
    double mean_ns;
};

/* One URL's share, as in the ledger. */
struct result_url {
    uint64_t due, warmup, shed, missed, started, ok, failed, cut_off;
    uint64_t measured; /* Due after the warm-up. */
    uint64_t left_out; /* Of these, without a latency. */
    struct result_latency from_due, from_sent;
};

struct names_counts;
struct result_test;

struct result {
    const struct plan *plan;
    enum result_end end;
    const struct loggers *loggers; /* Closed; NULL: nothing was to be logged. */
    const struct err_info *broken; /* END_BROKEN: what of the test file could not go on. */
    const char *deadlock;          /* END_DEADLOCK: who waited for whom; ended early. */
    const char *ran_dry;           /* END_PROVIDERS: the first that was; NULL: not known. */
    const char *engine;            /* "io_uring", "epoll". */
    const char *fallback;          /* Why not io_uring, or "". */
    const char *shrunk;            /* Which limit made its queues smaller than asked, or "". */
    uint64_t started_wall_ns;
    uint64_t start_ns;   /* The same moment by the monotonic clock. */
    uint64_t warmup_ns;  /* From the start of the run to where its measured span begins. */
    uint64_t span_ns;    /* From there to the end of the run, drain not included. */
    uint64_t drained_ns; /* From the end until the last answer or the drain bound. */

    struct ledger ledger;             /* Sum over workers. */
    struct result_worker *workers;    /* [plan->workers] */
    uint64_t status[STATUS_COUNT];    /* Answers by status. */
    uint64_t refused[STATUS_COUNT];   /* A proxy's answers to CONNECT that made no tunnel. */
    const struct names_counts *names; /* Names looked up again; NULL: none were to be. */
    struct result_url *urls;          /* [plan->requests_count]; NULL: there is but one. */
    struct hist_view *from_due;       /* Answers and timeouts (at their bound). */
    struct hist_view *from_sent;
    /* Phases, each NULL when nothing was measured of it. */
    struct hist_view *connect;           /* Attempts to connect that came to a connection … */
    struct hist_view *connect_failed;    /* … and that did not. */
    struct hist_view *handshake_full;    /* TLS, from connected to established … */
    struct hist_view *handshake_resumed; /* … and the same with an earlier session. */
    struct hist_view *first_byte;        /* Answers: from sent to their first byte … */
    struct hist_view *body; /* … and from there to the last; 0 for one that came whole. */
    struct result_status by_status[STATS_STATUSES_MAX]; /* In order. */
    uint32_t by_status_count;
    struct hist_view *other_statuses; /* From sent, where statuses were too many; else NULL. */
    const char *tls_library;          /* Its version. */
    struct stats_tls tls;             /* Sum over workers, but for its histograms. */
    struct hist_view *lateness; /* These two, and asked_per_s, of an open loop; else NULL, 0. */
    struct hist_view *conn_wait;
    double asked_per_s;          /* The mean of the rate asked for, over the span. */
    struct hist_view *loop_lag;  /* Turns of the workers' loops. */
    struct hist_view *per_s;     /* What core/rates.h kept, no times; NULL: nothing. */
    const struct series *series; /* How it went, second by second; NULL: not kept. */

    const struct result_test *test; /* Of a test file; else NULL. */
    const struct rows **rows;       /* [plan->workers]; NULL: none were wanted. */
    uint64_t rows_kept, rows_not_kept;
    uint64_t late;     /* Answers that took plan->late_ns or longer. */
    uint64_t cpu_ns;   /* Of the whole process from the start of the run to its end. */
    uint64_t syscalls; /* Made by the workers, from the start of the run on. */
    uint64_t completions;
    uint64_t enters;
    uint64_t no_buffers;
    uint64_t short_sends; /* As far as the kernel tells. */
    uint64_t cq_overflow;
    uint64_t rss_kib;       /* Largest resident set. */
    uint64_t readings_open; /* Readings of a ledger during the run that did not close: bugs. */
    struct result_health health;
    struct verdict verdict;
    uint32_t batch_wait_us; /* Longest hold of a completion in the closed loop; 0 = none held. */
};

/* What the reports derive, in one place. A figure that would divide by 0 is 0 and its condition is
 * in the comment: the reports then leave it away. */
struct result_figures {
    double achieved_per_s; /* Answers inside the span ÷ span. */
    double sent_per_s;     /* Bytes ÷ (all of the run, and drain): the ledger has one sum. */
    double received_per_s;
    double cpu_us_per_request;    /* Process CPU ÷ requests started; 0 if none was. */
    double syscalls_per_request;  /* The same of the workers' system calls. */
    double cpu_share_max;         /* Of its CPU that the busiest worker used during the run. */
    double completions_per_enter; /* 0 if there was no enter. */
    uint64_t measured;            /* Requests due after the warm-up. */
    uint64_t left_out;            /* Of these, without a latency. */
    double left_out_share;        /* Of `measured`; 0 if that is 0. */
};

/* Works the figures out. `left_out` is `measured` - what the buckets of from_due hold: failures but
 * for timeouts, shed, missed, cut off, and values that found no bucket. */
struct result_figures result_figures(const struct result *result);

/* The share of a URL's measured requests that is left out; 0 if there are none. */
double result_url_left_out(const struct result_url *url);

/* True if the ledger closes, closed at every reading, and a test's groups add up to it. */
bool result_closes(const struct result *result);

/* The exit code (core/exit.h) that this run earns: 70 if the ledger does not close, else 130 if
 * it was interrupted, else 1 if nothing was answered, else 0. */
int result_exit_code(const struct result *result);

#endif
