/* A report in wrk's form, character by character: wrk 4.1 printed lines of these forms. */
#include "core/report_wrk.h"

#include <string.h>

#include "tests/test.h"

struct run {
    struct arena arena;
    struct plan plan;
    struct plan_target target;
    struct result result;
    struct hist_slab slab;
    struct hist from_sent, per_s;
    struct report_wrk wrk;
};

static void run_open(struct run *run)
{
    *run = (struct run){.wrk = {.url = "http://h/",
                                .threads = 2,
                                .connections = 10,
                                .duration_ns = 10 * NS_PER_S,
                                .timeout_ns = 2 * NS_PER_S}};
    arena_init(&run->arena, 0);
    EXPECT(hist_slab_init(&run->slab, &run->arena, 4096));
    hist_init(&run->from_sent, &run->slab);
    hist_init(&run->per_s, &run->slab);
    run->plan.targets = &run->target;
    run->plan.targets_count = 1;
    run->result.plan = &run->plan;
    run->result.span_ns = 10 * NS_PER_S;
}

static struct hist_view *view_of(struct run *run, const struct hist *hist)
{
    struct hist_view *view = arena_array(&run->arena, 1, sizeof(*view));

    EXPECT(view != NULL);
    hist_view_clear(view);
    hist_view_add(view, hist);
    return view;
}

static void expect_report(struct run *run, const char *wanted)
{
    struct text out;

    text_init(&out, &run->arena);
    run->result.from_sent = view_of(run, &run->from_sent);
    run->result.per_s = view_of(run, &run->per_s);
    report_wrk(&run->wrk, &run->result, &run->arena, &out);
    (void)fprintf(stderr, "%s", out.data);
    EXPECT(!out.failed);
    EXPECT(strcmp(out.data, wanted) == 0);
    arena_release(&run->arena);
}

static void expect_head(uint64_t seconds, const char *wanted)
{
    struct run run;
    struct text out;

    run_open(&run);
    run.wrk.duration_ns = seconds == 0 ? TIME_NEVER : seconds * NS_PER_S;
    run.wrk.requests = 1000;
    text_init(&out, &run.arena);
    report_wrk_head(&run.wrk, &out);
    (void)fprintf(stderr, "%s", out.data);
    EXPECT(strcmp(out.data, wanted) == 0);
    arena_release(&run.arena);
}

static void test_report_wrk_heads_say_how_long(void)
{
#define REST " test @ http://h/\n  2 threads and 10 connections\n"
    expect_head(1, "Running 1s" REST);
    expect_head(50, "Running 50s" REST);
    expect_head(51, "Running 1m" REST);
    expect_head(60, "Running 1m" REST);
    expect_head(89, "Running 1m" REST);
    expect_head(91, "Running 2m" REST);
    expect_head(3600, "Running 60m" REST);
    expect_head(0, "Running 1000 requests" REST);
}

static void test_report_wrk_has_all_lines(void)
{
    struct run run;

    run_open(&run);
    run.wrk.distribution = true;
    hist_record_many(&run.from_sent, 640 * NS_PER_US, 99);
    hist_record(&run.from_sent, 12 * NS_PER_MS);
    hist_record(&run.per_s, 90);
    hist_record(&run.per_s, 110);
    run.result.ledger = (struct ledger){.ok = 12345,
                                        .bytes_received = UINT64_C(3) << 20,
                                        .connects_failed = 3,
                                        .handshakes_failed = 1,
                                        .closed_by_peer = 2};
    run.result.ledger.failed[FAILED_CONNECT_REFUSED] = 3;
    run.result.ledger.failed[FAILED_TLS_NOT_TLS] = 3; /* One of them in its handshake. */
    run.result.ledger.failed[FAILED_INCOMPLETE] = 5;
    run.result.ledger.failed[FAILED_RESET_IN_REQUEST] = 4;
    run.result.ledger.failed[FAILED_TIMEOUT] = 6;
    run.result.late = 1;
    run.result.status[200] = 12000;
    run.result.status[399] = 340;
    run.result.status[404] = 4;
    run.result.status[599] = 1;
    expect_report(&run, "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
                        "    Latency   753.60us    1.14ms  12.00ms   99.00%\n"
                        "    Req/Sec   100.00     14.14   110.00    100.00%\n"
                        "  Latency Distribution\n"
                        "     50%  640.26us\n"
                        "     75%  640.26us\n"
                        "     90%  640.26us\n"
                        "     99%   12.00ms\n"
                        "  12345 requests in 10.00s, 3.00MB read\n"
                        "  Socket errors: connect 4, read 9, write 4, timeout 7\n"
                        "  Non-2xx or 3xx responses: 5\n"
                        "Requests/sec:   1234.50\n"
                        "Transfer/sec:    307.20KB\n");
}

static void test_report_wrk_of_nothing_has_wrks_nan(void)
{
    struct run run;

    run_open(&run);
    run.wrk.distribution = true;
    expect_report(&run, "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
                        "    Latency     0.00us    0.00us   0.00us    -nan%\n"
                        "    Req/Sec     0.00      0.00     0.00      -nan%\n"
                        "  Latency Distribution\n"
                        "     50%    0.00us\n"
                        "     75%    0.00us\n"
                        "     90%    0.00us\n"
                        "     99%    0.00us\n"
                        "  0 requests in 10.00s, 0.00B read\n"
                        "Requests/sec:      0.00\n"
                        "Transfer/sec:       0.00B\n");
}

static void test_report_wrk_cuts_long_values_to_their_field(void)
{
    struct run run;

    run_open(&run);
    hist_record_many(&run.from_sent, 4000 * NS_PER_S, 2);
    hist_record_many(&run.per_s, 1234567, 2);
    run.result.ledger.ok = 2;
    expect_report(&run, "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
                        "    Latency    66.67m     0.00us  66.67m   100.00%\n"
                        "    Req/Sec     1.23M     0.00     1.23M   100.00%\n"
                        "  2 requests in 10.00s, 0.00B read\n"
                        "Requests/sec:      0.20\n"
                        "Transfer/sec:       0.00B\n");
}

static void test_report_wrk_corrects_when_asked(void)
{
    struct run run;

    run_open(&run);
    run.wrk.corrected = true;
    /* 80 requests of 10 connections in 10 s: one every 1.25 s. */
    run.result.ledger.ok = 80;
    hist_record_many(&run.from_sent, NS_PER_MS, 10);
    hist_record(&run.from_sent, 4 * NS_PER_S);  /* Brings 2.75 s and 1.5 s along, */
    hist_record(&run.from_sent, 10 * NS_PER_S); /* and this is a timeout. */
    run.wrk.timeout_ns = 5 * NS_PER_S;
    expect_report(&run, "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
                        "    Latency   635.46ms    1.31s    4.00s    84.62%\n"
                        "    Req/Sec     0.00      0.00     0.00      -nan%\n"
                        "  80 requests in 10.00s, 0.00B read\n"
                        "Requests/sec:      8.00\n"
                        "Transfer/sec:       0.00B\n");
}

static void expect_notes(bool tls, bool insecure, bool as_wrk, bool corrected, size_t lines)
{
    struct run run;
    struct text out;
    size_t count = 0;

    run_open(&run);
    run.target.tls = tls;
    run.plan.tls.as_wrk = as_wrk;
    run.plan.tls.insecure = insecure;
    run.wrk.corrected = corrected;
    text_init(&out, &run.arena);
    report_wrk_notes(&run.wrk, &run.plan, &out);
    for (size_t i = 0; i < out.len; i++) {
        count += out.data[i] == '\n';
    }
    EXPECT(count == lines);
    EXPECT((count > 0 && strstr(out.data, "not verified") != NULL) == (tls && insecure));
    arena_release(&run.arena);
}

static void test_report_wrk_notes_what_is_not_as_usual(void)
{
    expect_notes(false, true, true, false, 1);
    expect_notes(false, true, true, true, 0);
    expect_notes(true, true, true, false, 2);
    expect_notes(true, true, true, true, 1);
    expect_notes(true, true, false, true, 1);
    expect_notes(true, false, false, true, 0);
}

static void test_report_wrk_marks_a_refused_arena(void)
{
    struct run run;
    struct arena none;
    struct text out;

    run_open(&run);
    arena_init(&none, 4096);
    run.wrk.corrected = true;
    run.result.from_sent = view_of(&run, &run.from_sent);
    run.result.per_s = view_of(&run, &run.per_s);
    text_init(&out, &run.arena);
    report_wrk(&run.wrk, &run.result, &none, &out);
    EXPECT(out.failed);
    arena_release(&none);
    arena_release(&run.arena);
}

int main(void)
{
    TEST(test_report_wrk_heads_say_how_long);
    TEST(test_report_wrk_has_all_lines);
    TEST(test_report_wrk_of_nothing_has_wrks_nan);
    TEST(test_report_wrk_cuts_long_values_to_their_field);
    TEST(test_report_wrk_corrects_when_asked);
    TEST(test_report_wrk_notes_what_is_not_as_usual);
    TEST(test_report_wrk_marks_a_refused_arena);
    return 0;
}
