/* Reports of runs that were made by hand, compared with tests/golden/ (tests/golden.h says how
 * those are refreshed), and what they promise beyond that: valid JSON, no figure without a
 * sample, no not-a-number. The version, which changes with every commit, reads VERSION there. */
#include "core/report.h"

#include <string.h>

#include "config/request.h"
#include "core/exit.h"
#include "core/names.h"
#include "core/version.h"
#include "tests/golden.h"
#include "tests/test.h"

enum { WORKERS_MAX = 2, SAMPLES_MAX = 3 };

/* A run and everything that it points to. */
struct run {
    struct arena arena;
    struct plan plan;
    struct result result;
    struct result_worker workers[WORKERS_MAX];
    struct hist from_due, from_sent, lateness, conn_wait, loop_lag;
    struct hist connect, first_byte, body, slow;
    struct hist_slab slab;
    struct series_sample samples[SAMPLES_MAX];
    struct series series;
};

static void run_open(struct run *run, const char *url, uint32_t workers)
{
    struct plan_request_options options = {.method = "GET"};
    struct err_info why;

    *run = (struct run){.result.engine = "io_uring", .result.fallback = "", .result.shrunk = ""};
    arena_init(&run->arena, 0);
    plan_init(&run->plan);
    run->plan.workers = workers;
    run->plan.targets = arena_array(&run->plan.arena, 1, sizeof(*run->plan.targets));
    run->plan.requests = arena_array(&run->plan.arena, 1, sizeof(*run->plan.requests));
    EXPECT(run->plan.targets != NULL);
    EXPECT(run->plan.requests != NULL);
    run->plan.targets_count = run->plan.requests_count = 1;
    EXPECT(plan_parse_url(&run->plan.arena, url, &run->plan.targets[0], &why) == ERR_OK);
    EXPECT(plan_build_request(&run->plan, 0, &options, &run->plan.requests[0], &why) == ERR_OK);
    EXPECT(hist_slab_init(&run->slab, &run->arena, 8192));
    hist_init(&run->connect, &run->slab);
    hist_init(&run->first_byte, &run->slab);
    hist_init(&run->body, &run->slab);
    hist_init(&run->slow, &run->slab);
    hist_init(&run->from_due, &run->slab);
    hist_init(&run->from_sent, &run->slab);
    hist_init(&run->lateness, &run->slab);
    hist_init(&run->conn_wait, &run->slab);
    hist_init(&run->loop_lag, &run->slab);
    run->result.plan = &run->plan;
    run->result.workers = run->workers;
    run->result.started_wall_ns = UINT64_C(1700000000123) * NS_PER_MS;
    run->result.span_ns = 10 * NS_PER_S;
    for (uint32_t i = 0; i < workers; i++) {
        run->workers[i].cpu = i;
    }
}

/* Records `count` answers of `from_sent_ns`, `from_sent_ns` + step_ns, ...; each was due 1 us
 * before it was sent. */
static void run_record(struct run *run, uint64_t count, uint64_t from_sent_ns, uint64_t step_ns)
{
    for (uint64_t i = 0; i < count; i++) {
        hist_record(&run->from_sent, from_sent_ns + i * step_ns);
        hist_record(&run->from_due, from_sent_ns + i * step_ns + NS_PER_US);
    }
}

static struct hist_view *view_of(struct run *run, const struct hist *hist)
{
    struct hist_view *view = arena_alloc(&run->arena, sizeof(*view), CACHE_LINE);

    EXPECT(view != NULL);
    hist_view_clear(view);
    hist_view_add(view, hist);
    return view;
}

/* Takes the histograms over and gives each worker its share of the ledger. */
static void run_end(struct run *run)
{
    struct result *result = &run->result;

    result->from_due = view_of(run, &run->from_due);
    result->from_sent = view_of(run, &run->from_sent);
    if (run->plan.open_loop) {
        result->lateness = view_of(run, &run->lateness);
        result->conn_wait = view_of(run, &run->conn_wait);
    }
    result->loop_lag = view_of(run, &run->loop_lag);
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        struct ledger *ledger = &run->workers[i].ledger;

        ledger->started = result->ledger.started / run->plan.workers;
        ledger->ok = result->ledger.ok / run->plan.workers;
        ledger->failed[FAILED_TIMEOUT] = ledger_failed(&result->ledger) / run->plan.workers;
        ledger->cut_off = result->ledger.cut_off / run->plan.workers;
    }
}

static void run_close(struct run *run)
{
    plan_release(&run->plan);
    arena_release(&run->arena);
}

/* Gives the run a series: a second with an open loop's figures, one in which nothing was answered,
 * and the drain. */
static void run_sample(struct run *run)
{
    static const struct series_latency latency = {
        .is_known = true, .p50_ns = 250 * NS_PER_US, .p99_ns = 398208, .max_ns = 3 * NS_PER_MS};

    run->samples[0] = (struct series_sample){
        .until_ns = 1000042000,
        .part = SERIES_WARMUP,
        .asked = 10000.42,
        .answered = 10000,
        .shed = 3,
        .open = 64,
        .latency = {latency, latency, latency},
    };
    run->samples[1] = (struct series_sample){.from_ns = 1000042000,
                                             .until_ns = 2 * NS_PER_S,
                                             .part = SERIES_SPAN,
                                             .asked = -1,
                                             .failed = 20,
                                             .open = 1};
    run->samples[2] = (struct series_sample){.from_ns = 2 * NS_PER_S,
                                             .until_ns = 2000312000,
                                             .part = SERIES_DRAIN,
                                             .asked = -1,
                                             .answered = 64,
                                             .latency = {latency, latency}};
    run->series = (struct series){.samples = run->samples, .count = 3, .max = 3};
    run->result.series = &run->series;
}

/* Gives the run phases and, of each of a few statuses, the same latencies. */
static void run_phases(struct run *run, uint64_t body_ns)
{
    static const uint16_t statuses[] = {200, 404, 503};
    struct result *result = &run->result;

    for (uint64_t i = 1; i <= 100; i++) {
        hist_record(&run->connect, i * NS_PER_US);
        hist_record(&run->first_byte, i * 100 * NS_PER_US);
        hist_record(&run->body, i * body_ns);
        hist_record(&run->slow, i * 10 * NS_PER_MS);
    }
    result->connect = view_of(run, &run->connect);
    result->first_byte = view_of(run, &run->first_byte);
    result->body = view_of(run, &run->body);
    for (uint32_t i = 0; i < COUNT(statuses); i++) {
        result->by_status[i].status = statuses[i];
        result->by_status[i].from_sent = i == 2 ? view_of(run, &run->slow) : result->first_byte;
    }
    result->by_status_count = COUNT(statuses);
}

/* A quiet run: everything answered. */
static void run_good(struct run *run)
{
    run_open(run, "http://127.0.0.1:8080/", 2);
    run->plan.connections = 64;
    run_record(run, 100000, 100 * NS_PER_US, 3);
    run_record(run, 100, 2 * NS_PER_MS, 10 * NS_PER_US);
    run->result.drained_ns = 312 * NS_PER_US;
    run->result.ledger = (struct ledger){
        .due = 100100,
        .started = 100100,
        .ok = 100100,
        .ok_in_span = 100036,
        .bytes_sent = 4104100,
        .bytes_received = 23923900,
        .connects = 64,
        .opened = 64,
        .alive = 64,
        .alive_max = 64,
    };
    run->result.status[200] = 100100;
    run->result.cpu_ns = 510 * NS_PER_MS;
    run->workers[0].cpu_ns = 250 * NS_PER_MS;
    run->workers[1].cpu_ns = 248 * NS_PER_MS;
    run->result.syscalls = 12345;
    run->result.enters = 12300;
    run->result.completions = 100164;
    run->result.rss_kib = 9216;
    run->result.batch_wait_us = 20;
    run->result.health = (struct result_health){.steal = 0.0012,
                                                .foreign_cpu = 0.021,
                                                .cpu_wait = 0.0004,
                                                .retransmits_known = true,
                                                .retransmits = 3};
    for (uint64_t i = 1; i <= 1000; i++) {
        hist_record(&run->loop_lag, i * 100);
    }
    run_sample(run);
    run_end(run);
}

/* Nothing is known of the machine, and the judges' lines are long. */
static void set_bad_health(struct result *result)
{
    struct verdict *verdict = &result->verdict;

    result->health = (struct result_health){
        .steal = -1, .foreign_cpu = -1, .cpu_wait = -1, .stalled = -1, .stood_still = -1};
    verdict->client_limited = true;
    verdict->reasons.count = 2;
    (void)snprintf(verdict->reasons.text[0], VERDICT_LINE_BYTES, "%s",
                   "worker 0 used 99 % of its CPU: the server may do more");
    (void)snprintf(verdict->reasons.text[1], VERDICT_LINE_BYTES, "%s",
                   "worker 12 (and 3 more) shared 34 % of its CPU with other programs (10 % at "
                   "most)");
    verdict->notes.count = 1;
    (void)snprintf(verdict->notes.text[0], VERDICT_LINE_BYTES, "%s",
                   "pool of 80 saturated: 100 requests at a time share it");
}

/* A bad day: failures of many classes, answers of many statuses, interrupted, on epoll. */
static void run_bad(struct run *run)
{
    struct ledger *ledger = &run->result.ledger;

    run_open(run, "http://[::1]:8080/a/long/path?q=1", 1);
    run->plan.connections = 100;
    run->plan.connections_max = 80;
    run->plan.max_requests_per_connection = 1;
    run->workers[0].cpu = UINT32_MAX;
    run->workers[0].cpu_ns = 3 * NS_PER_S + 180 * NS_PER_MS;
    run_record(run, 950, 12 * NS_PER_MS, 100 * NS_PER_US);
    run_record(run, 20, 10 * NS_PER_S, 0);
    run->result.end = END_INTERRUPTED;
    run->result.engine = "epoll";
    run->result.fallback = "io_uring is forbidden by a seccomp filter (EPERM), as Docker's and "
                           "containerd's are";
    set_bad_health(&run->result);
    run->workers[0].shares = (struct verdict_worker){
        .used = 0.99, .waited = -1, .stalled = 0, .foreign = 0.341, .steal = 0};
    run->result.span_ns = 3200 * NS_PER_MS;
    run->result.drained_ns = 10 * NS_PER_S;
    *ledger = (struct ledger){
        .due = 1100,
        .started = 1000,
        .ok = 950,
        .ok_in_span = 940,
        .cut_off = 7,
        .shed = {[SHED_WAITED] = 90},
        .missed = {[MISSED_END] = 10},
        .bytes_sent = 60000,
        .bytes_received = 5 << 20,
        .bytes_discarded = 4 << 20,
        .discarded = 40,
        .connects = 1020,
        .connects_refused = 11,
        .connects_failed = 13,
        .opened = 1007,
        .alive_max = 80,
        .closed_by_peer = 3,
        .unsolicited_idle = 1,
        .conflicting = 2,
        .interim = 5,
    };
    ledger->failed[FAILED_CONNECT_REFUSED] = 11;
    ledger->failed[FAILED_RESET_IN_BODY] = 10;
    ledger->failed[FAILED_INCOMPLETE] = 2;
    ledger->failed[FAILED_TIMEOUT] = 20;
    run->result.status[200] = 800;
    run->result.status[204] = 10;
    run->result.status[301] = 20;
    run->result.status[404] = 30;
    run->result.status[429] = 10;
    run->result.status[500] = 70;
    run->result.status[503] = 9;
    run->result.status[999] = 1;
    run->result.cpu_ns = 3300 * NS_PER_MS;
    run->result.syscalls = 4000;
    run->result.no_buffers = 4;
    run->result.cq_overflow = 2;
    run->result.rss_kib = 20000;
    run_phases(run, NS_PER_US);
    run->result.connect_failed = view_of(run, &run->connect);
    run->result.other_statuses = view_of(run, &run->slow);
    run_end(run);
}

/* Nobody listened. */
static void run_refused(struct run *run)
{
    run_open(run, "http://127.0.0.1:1/", 1);
    run->plan.connections = 1;
    run->result.ledger = (struct ledger){
        .due = 6, .started = 6, .connects = 6, .connects_refused = 6, .connects_failed = 6};
    run->result.ledger.failed[FAILED_CONNECT_REFUSED] = 6;
    run->result.cpu_ns = 1 * NS_PER_MS;
    run->result.syscalls = 30;
    run->result.enters = 12;
    run->result.completions = 12;
    run->result.rss_kib = 5000;
    run->result.series = &run->series; /* Without a sample. */
    run_end(run);
}

/* A single request of -n 1, and the second equation is broken. */
static void run_broken(struct run *run)
{
    run_open(run, "http://h/", 1);
    run->plan.connections = 1;
    run->plan.requests_max = 1;
    run->plan.duration_ns = TIME_NEVER;
    run->result.end = END_COUNT;
    run->result.span_ns = 2 * NS_PER_MS;
    run_record(run, 1, 900, 0);
    run->result.ledger = (struct ledger){.due = 1,
                                         .started = 1,
                                         .ok = 1,
                                         .ok_in_span = 1,
                                         .in_flight = 1,
                                         .bytes_sent = 30,
                                         .bytes_received = 40,
                                         .connects = 1,
                                         .opened = 1,
                                         .alive = 1,
                                         .alive_max = 1};
    run->result.status[200] = 1;
    run->result.readings_open = 3;
    run->result.rss_kib = 5000;
    run_end(run);
}

/* An open loop that the server could not follow, with a warm-up. */
static void run_open_loop(struct run *run)
{
    static struct plan_stage stages[] = {{2 * NS_PER_S, 0, 1000}, {8 * NS_PER_S, 1000, 1000}};

    run_open(run, "http://127.0.0.1:8080/", 1);
    run->plan.open_loop = true;
    run->plan.stages = stages;
    run->plan.stages_count = COUNT(stages);
    run->plan.arrivals = PLAN_ARRIVALS_POISSON;
    run->plan.seed = 42;
    run->plan.warmup_ns = 2 * NS_PER_S;
    run->result.warmup_ns = 2 * NS_PER_S;
    run->result.span_ns = 8 * NS_PER_S;
    run->result.drained_ns = 55 * NS_PER_MS;
    run->result.asked_per_s = 1000;
    run_record(run, 7000, 10 * NS_PER_MS, 50 * NS_PER_US);
    for (uint64_t i = 0; i < 7000; i++) {
        hist_record(&run->lateness, 2000 + i);
        hist_record(&run->conn_wait, i * i);
    }
    run->result.ledger = (struct ledger){
        .due = 9000,
        .warmup = 1000,
        .started = 8000,
        .ok = 8000,
        .ok_in_span = 6950,
        .shed = {[SHED_FULL] = 800, [SHED_WAITED] = 180},
        .missed = {[MISSED_END] = 20},
        .bytes_sent = UINT64_C(41) * 8000,
        .bytes_received = UINT64_C(239) * 8000,
        .connects = 10,
        .opened = 10,
        .alive = 10,
        .alive_max = 10,
    };
    run->result.status[200] = 8000;
    run->result.cpu_ns = 100 * NS_PER_MS;
    run->workers[0].cpu_ns = 80 * NS_PER_MS;
    run->result.syscalls = 20000;
    run->result.enters = 20000;
    run->result.completions = 8010;
    run->result.rss_kib = 9216;
    run_phases(run, NS_PER_MS);
    run_end(run);
}

/* By every way but the plain one, as far as they go together. */
static void run_net(struct run *run)
{
    static const struct net_source sources[] = {{"127.0.0.2"}, {"127.0.0.3"}, {"127.0.0.4"}};
    static const struct names_counts names = {
        .lookups = 1234,
        .failed = 3,
        .changes = 1,
        .kept = {{.at_ns = 1500 * NS_PER_MS, .host = "proxy.test", .addresses = "[::1]:3128"}},
    };

    run_good(run);
    run->plan.net = (struct net){
        .sources = sources,
        .sources_count = COUNT(sources),
        .resolve_every_ns = NS_PER_S,
        .proxy = {.host = "proxy.test",
                  .service = "3128",
                  .authorization = "Basic c2VjcmV0OnNlY3JldA==",
                  .tunnel = true},
    };
    run->plan.targets[0].connect = "CONNECT 127.0.0.1:8080 HTTP/1.1\r\n\r\n";
    run->result.names = &names;
    run->result.refused[407] = 1000;
    run->result.refused[503] = 2;
}

/* Nothing at all happened, not even time. */
static void run_empty(struct run *run)
{
    run_open(run, "http://h/", 1);
    run->result.span_ns = 0;
    run->result.started_wall_ns = 0;
    run_end(run);
}

static const struct {
    const char *name;
    void (*make)(struct run *run);
    int exit_code;
    bool spectrum;
} runs[] = {
    {"good", run_good, EXIT_CODE_OK, true},
    {"bad", run_bad, EXIT_CODE_INTERRUPTED, true},
    {"refused", run_refused, EXIT_CODE_ERROR, true},
    {"broken", run_broken, EXIT_CODE_LEDGER, false},
    {"empty", run_empty, EXIT_CODE_ERROR, true},
    {"open", run_open_loop, EXIT_CODE_OK, false},
    {"net", run_net, EXIT_CODE_OK, false},
};

/* `text` with the version of today as VERSION. */
static struct text without_version(const struct text *text, struct arena *arena)
{
    const char *version = strstr(text->data, pelt_version);
    struct text changed;

    EXPECT(version != NULL);
    text_init(&changed, arena);
    text_add(&changed, text->data, (size_t)(version - text->data));
    text_add_str(&changed, "VERSION");
    text_add_str(&changed, version + strlen(pelt_version));
    return changed;
}

static void test_report_reads_as_the_golden_files_do(void)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct text text, json, changed;
        char name[64];
        struct run run;

        runs[i].make(&run);
        text_init(&text, &run.arena);
        report_text(&run.result, runs[i].spectrum, &text);
        changed = without_version(&text, &run.arena);
        (void)snprintf(name, sizeof(name), "report_%s.txt", runs[i].name);
        golden_expect(name, &changed);

        text_init(&json, &run.arena);
        report_json(&run.result, false, &json);
        changed = without_version(&json, &run.arena);
        (void)snprintf(name, sizeof(name), "report_%s.json", runs[i].name);
        golden_expect(name, &changed);
        run_close(&run);
    }
}

static void test_report_gives_the_exit_code(void)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct run run;

        runs[i].make(&run);
        printf("%s\n", runs[i].name);
        EXPECT(result_exit_code(&run.result) == runs[i].exit_code);
        run_close(&run);
    }
}

static const char *skip_value(const char *at);

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \n");
}

static const char *skip_string(const char *at)
{
    EXPECT(*at == '"');
    at++;
    while (*at != '"') {
        EXPECT((unsigned char)*at >= ' ');
        at += *at == '\\' ? 2 : 1;
    }
    return at + 1;
}

/* Skips the members of an object or an array; `at` is behind its bracket. */
static const char *skip_members(const char *at, char end)
{
    at = skip_space(at);
    while (*at != end) {
        if (end == '}') {
            at = skip_space(skip_string(at));
            EXPECT(*at == ':');
            at++;
        }
        at = skip_space(skip_value(at));
        EXPECT(*at == ',' || *at == end);
        if (*at == ',') {
            at = skip_space(at + 1);
            EXPECT(*at != end);
        }
    }
    return at + 1;
}

/* Skips one JSON value, aborting the test at anything that is none. */
static const char *skip_value(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    char *end;

    at = skip_space(at);
    if (*at == '{') return skip_members(at + 1, '}');
    if (*at == '[') return skip_members(at + 1, ']');
    if (*at == '"') return skip_string(at);
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strncmp(at, words[i], strlen(words[i])) == 0) return at + strlen(words[i]);
    }
    EXPECT(*at == '-' || (*at >= '0' && *at <= '9'));
    (void)strtod(at, &end);
    EXPECT(end != at);
    return end;
}

static void test_report_json_is_json_in_both_forms(void)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        for (int compact = 0; compact < 2; compact++) {
            struct text json;
            struct run run;

            runs[i].make(&run);
            text_init(&json, &run.arena);
            report_json(&run.result, compact, &json);
            EXPECT(!json.failed);
            EXPECT(strcmp(skip_value(json.data), "\n") == 0);
            EXPECT(strstr(json.data, "nan") == NULL);
            EXPECT(strstr(json.data, "inf") == NULL);
            if (compact) EXPECT(strchr(json.data, '\n') == json.data + json.len - 1);
            run_close(&run);
        }
    }
}

static void test_report_text_stays_in_80_columns_and_has_no_escapes(void)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        bool wide = runs[i].make == run_bad || runs[i].make == run_open_loop;
        size_t column = 0, column_max = wide ? 100 : 80;
        struct text text;
        struct run run;

        runs[i].make(&run);
        text_init(&text, &run.arena);
        report_text(&run.result, runs[i].spectrum, &text);
        for (size_t j = 0; j < text.len; j++) {
            column = text.data[j] == '\n' ? 0 : column + 1;
            EXPECT(column <= column_max);
            EXPECT(text.data[j] == '\n' || (text.data[j] >= ' ' && text.data[j] < 0x7f));
        }
        EXPECT(strstr(text.data, "nan") == NULL);
        EXPECT(strstr(text.data, "inf") == NULL);
        EXPECT(strstr(text.data, " \n") == NULL);
        run_close(&run);
    }
}

/* Whether the row of `label` marks the column `name` as a lower bound. */
static bool is_marked(const char *report, const char *label, const char *name)
{
    const char *head = strstr(report, "latency "), *row = strstr(report, label);
    const char *column = strstr(head, name);
    size_t end;

    EXPECT(head != NULL);
    EXPECT(row != NULL);
    EXPECT(column != NULL);
    end = (size_t)(column - head) + strlen(name); /* Columns are flush right. */
    while (row[end - 1] != ' ') {
        if (row[end - 1] == '>') return true;
        end--;
    }
    return false;
}

static void test_report_marks_percentiles_above_what_is_known(void)
{
    static const struct {
        uint64_t left_out; /* Of 1000. */
        bool p90, p99, max;
    } rows[] = {{0, false, false, false}, {1, false, false, true},  {10, false, false, true},
                {11, false, true, true},  {100, false, true, true}, {101, true, true, true}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t known = 1000 - rows[i].left_out;
        struct text text;
        struct run run;

        run_open(&run, "http://h/", 1);
        run_record(&run, known, 1000, 10);
        run.result.ledger =
            (struct ledger){.due = 1000, .started = 1000, .ok = known, .cut_off = rows[i].left_out};
        run_end(&run);
        text_init(&text, &run.arena);
        report_text(&run.result, false, &text);
        printf("%s", text.data);
        EXPECT(is_marked(text.data, "  from due", "p90") == rows[i].p90);
        EXPECT(is_marked(text.data, "  from sent", "p90") == rows[i].p90);
        EXPECT(is_marked(text.data, "  from due", "p99") == rows[i].p99);
        EXPECT(is_marked(text.data, "  from due", "max") == rows[i].max);
        EXPECT(!is_marked(text.data, "  from due", "mean"));
        run_close(&run);
    }
}

int main(void)
{
    TEST(test_report_reads_as_the_golden_files_do);
    TEST(test_report_gives_the_exit_code);
    TEST(test_report_json_is_json_in_both_forms);
    TEST(test_report_text_stays_in_80_columns_and_has_no_escapes);
    TEST(test_report_marks_percentiles_above_what_is_known);
    return 0;
}
