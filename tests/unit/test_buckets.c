/* What buckets promise: cut at multiples of their size since the epoch, nothing lost between two,
 * groups of several workers told apart by their tags, providers summed, totals that are checked
 * against the ledger. */
#include "core/buckets.h"

#include <stdio.h>
#include <string.h>

#include "config/testfile.h"
#include "core/worker.h"
#include "tests/test.h"

enum { WORKERS = 2, TAKEN_MAX = 16 };

static const uint64_t start_ns = 5000 * NS_PER_S + 17;
static const uint64_t wall_ns = 1700000003 * NS_PER_S + 250 * NS_PER_MS;

/* A bucket as the sink saw it. */
struct taken {
    uint64_t start_wall_ns, from_ns, until_ns, calls[4], from_due[4];
    uint32_t groups_count, new_groups;
    uint64_t started, len, limit;
    bool is_last;
};

struct rig {
    struct worker_shared shared[WORKERS]; /* Aligned the most. */
    struct ledger ledgers[WORKERS];
    struct worker_shared *list[WORKERS];
    struct arena arena;
    struct plan plan;
    struct testfile test;
    struct testfile_provider provider;
    struct provider_gauge gauges[WORKERS];
    struct bucket_sink sink;
    struct buckets *buckets;
    struct taken taken[TAKEN_MAX];
    uint32_t taken_count, starts, lines;
};

static void on_start(void *self, uint64_t at_ns)
{
    struct rig *rig = self;

    EXPECT(at_ns == wall_ns);
    rig->starts++;
}

static void on_bucket(void *self, const struct bucket *bucket)
{
    struct rig *rig = self;
    struct taken *taken = &rig->taken[rig->taken_count++];

    EXPECT(rig->taken_count <= TAKEN_MAX);
    *taken = (struct taken){
        .start_wall_ns = bucket->start_wall_ns,
        .from_ns = bucket->from_ns,
        .until_ns = bucket->until_ns,
        .groups_count = bucket->groups_count,
        .started = bucket->ledger.started,
        .is_last = bucket->is_last,
    };
    for (uint32_t i = 0; i < bucket->groups_count && i < 4; i++) {
        const struct bucket_group *group = bucket_load_group(bucket, i);

        taken->calls[i] = bucket_calls(&group->bucket);
        taken->from_due[i] = group->bucket.from_due->count;
        EXPECT(bucket->groups[i].index == i);
    }
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        taken->new_groups += bucket->groups[i].is_new;
    }
    if (bucket->providers_count == 0) return;
    EXPECT(strcmp(bucket->providers[0].name, "p") == 0);
    taken->len = bucket->providers[0].len;
    taken->limit = bucket->providers[0].limit;
}

static void say(void *self, const char *line)
{
    struct rig *rig = self;

    EXPECT(strstr(line, "1,000 groups") != NULL);
    rig->lines++;
}

static void rig_open(struct rig *rig, uint64_t size_ns)
{
    struct buckets_options options = {.sinks_count = 1, .say = say};

    memset(rig, 0, sizeof(*rig));
    arena_init(&rig->arena, 0);
    plan_init(&rig->plan);
    rig->plan.workers = WORKERS;
    rig->test.general.bucket_size_ns = size_ns;
    rig->test.general.log_provider_stats = true;
    rig->provider.name = "p";
    rig->test.providers = &rig->provider;
    rig->test.providers_count = 1;
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(groups_init(&rig->shared[i].groups, &rig->arena, GROUPS_MAX));
        rig->shared[i].gauges = &rig->gauges[i];
        rig->list[i] = &rig->shared[i];
    }
    rig->sink = (struct bucket_sink){.self = rig, .start = on_start, .bucket = on_bucket};
    options.test = &rig->test;
    options.plan = &rig->plan;
    options.shared = rig->list;
    options.sinks = &rig->sink;
    options.self = rig;
    rig->buckets = buckets_new(&rig->arena, &options);
    EXPECT(rig->buckets != NULL);
    EXPECT(buckets_step(rig->buckets, start_ns) == TIME_NEVER);
    buckets_start(rig->buckets, start_ns, wall_ns);
    EXPECT(rig->starts == 1);
}

static void rig_close(struct rig *rig)
{
    arena_release(&rig->arena);
    plan_release(&rig->plan);
}

static struct group *rig_group(struct rig *rig, int worker, const char *url)
{
    struct group_tag tag = {
        .name = "url", .value = url, .name_len = 3, .value_len = (uint32_t)strlen(url)};

    return groups_find(&rig->shared[worker].groups, &tag, 1);
}

/* `count` answers of 1 ms, or failures. */
static void rig_calls(struct rig *rig, int worker, const char *url, int count,
                      enum failed_class why)
{
    struct stats_moments at = {.done_ns = NS_PER_MS};
    bool good = why == FAILED_COUNT;
    struct group_request request = {.at = good ? &at : NULL, .status = good ? 200 : 0, .why = why};
    struct ledger *ledger = &rig->ledgers[worker];

    for (int i = 0; i < count; i++) {
        group_add(rig_group(rig, worker, url), &request);
        ledger->due++;
        ledger->started++;
        if (good) {
            ledger->ok++;
        } else {
            ledger->failed[why]++;
        }
    }
    ledger_publish(&rig->shared[worker].ledger, ledger);
}

static void test_buckets_are_cut_at_multiples_since_the_epoch(void)
{
    static struct rig rig;
    uint64_t next_ns;

    rig_open(&rig, 2 * NS_PER_S);
    next_ns = buckets_step(rig.buckets, start_ns);
    EXPECT(next_ns == start_ns + 750 * NS_PER_MS);
    EXPECT(buckets_step(rig.buckets, next_ns - 1) == next_ns);
    EXPECT(rig.taken_count == 0);
    /* Read three milliseconds late: the next one is as much shorter. */
    EXPECT(buckets_step(rig.buckets, next_ns + 3 * NS_PER_MS) == next_ns + 2 * NS_PER_S);
    EXPECT(rig.taken_count == 1);
    EXPECT(rig.taken[0].start_wall_ns == 1700000002 * NS_PER_S);
    EXPECT(rig.taken[0].from_ns == 0 && rig.taken[0].until_ns == 753 * NS_PER_MS);
    /* Two of them late. */
    next_ns = buckets_step(rig.buckets, next_ns + 5 * NS_PER_S);
    EXPECT(next_ns == start_ns + 6750 * NS_PER_MS);
    EXPECT(rig.taken[1].start_wall_ns == 1700000004 * NS_PER_S);
    EXPECT(rig.taken[1].from_ns == 753 * NS_PER_MS);
    buckets_end(rig.buckets, start_ns + 6 * NS_PER_S);
    EXPECT(rig.taken_count == 3 && rig.taken[2].is_last && !rig.taken[1].is_last);
    EXPECT(rig.taken[2].start_wall_ns == 1700000008 * NS_PER_S);
    EXPECT(rig.taken[2].until_ns == 6 * NS_PER_S);
    EXPECT(buckets_last(rig.buckets)->is_last);
    rig_close(&rig);
}

static void test_buckets_that_are_tiny_are_read_together(void)
{
    static struct rig rig;

    rig_open(&rig, 1000);
    EXPECT(buckets_step(rig.buckets, start_ns) == start_ns + BUCKETS_NS_MIN);
    EXPECT(buckets_step(rig.buckets, start_ns + BUCKETS_NS_MIN) == start_ns + 2 * BUCKETS_NS_MIN);
    EXPECT(rig.taken_count == 1);
    rig_close(&rig);
}

static void test_buckets_merge_workers_and_lose_nothing(void)
{
    static struct rig rig;
    const struct bucket *last;

    rig_open(&rig, NS_PER_S);
    rig_calls(&rig, 0, "/a", 3, FAILED_COUNT);
    rig_calls(&rig, 1, "/b", 1, FAILED_COUNT);
    rig_calls(&rig, 1, "/a", 2, FAILED_COUNT);
    rig_calls(&rig, 1, "/a", 1, FAILED_TIMEOUT);
    (void)buckets_step(rig.buckets, start_ns + NS_PER_S);
    EXPECT(rig.taken[0].groups_count == 2 && rig.taken[0].new_groups == 2);
    EXPECT(rig.taken[0].calls[0] == 6 && rig.taken[0].from_due[0] == 5);
    EXPECT(rig.taken[0].calls[1] == 1 && rig.taken[0].started == 7);
    rig_calls(&rig, 0, "/b", 10, FAILED_COUNT);
    rig_calls(&rig, 0, "/c", 1, FAILED_COUNT);
    (void)buckets_step(rig.buckets, start_ns + 2 * NS_PER_S);
    EXPECT(rig.taken[1].groups_count == 3 && rig.taken[1].new_groups == 1);
    EXPECT(rig.taken[1].calls[0] == 0 && rig.taken[1].from_due[0] == 0);
    EXPECT(rig.taken[1].calls[1] == 10 && rig.taken[1].from_due[1] == 10);
    EXPECT(rig.taken[1].calls[2] == 1 && rig.taken[1].started == 11);
    (void)buckets_step(rig.buckets, start_ns + 3 * NS_PER_S);
    EXPECT(rig.taken[2].calls[1] == 0 && rig.taken[2].new_groups == 0);
    rig_calls(&rig, 1, "/c", 1, FAILED_INCOMPLETE);
    buckets_end(rig.buckets, start_ns + 3500 * NS_PER_MS);
    EXPECT(rig.taken[3].calls[2] == 1 && rig.taken[3].is_last);
    last = buckets_last(rig.buckets);
    EXPECT(last->groups[0].total.ok == 5 && last->groups[0].total.failed[FAILED_TIMEOUT] == 1);
    EXPECT(last->groups[0].total.status[200] == 5);
    EXPECT(bucket_load_group(last, 1)->total.from_sent->count == 11);
    EXPECT(last->groups[0].total.from_sent == NULL);
    EXPECT(last->groups[1].total.from_sent->max_ns == NS_PER_MS);
    EXPECT(last->total.started == 19 && last->ledger.started == 1);
    EXPECT(buckets_close(rig.buckets));
    rig_close(&rig);
}

/* A thousand groups of latencies that all differ: what is kept of them is small, and what each
 * bucket had is told exactly. */
static void test_what_is_kept_of_many_groups_is_small(void)
{
    enum { GROUPS = 1000, CALLS = 100, BUCKETS = 3 };
    static struct rig rig;
    size_t bytes_before;

    rig_open(&rig, NS_PER_S);
    bytes_before = rig.arena.bytes_used;
    for (uint64_t n = 0; n < BUCKETS; n++) {
        for (uint32_t g = 0; g < GROUPS; g++) {
            char url[16];
            struct group *group;

            (void)snprintf(url, sizeof(url), "/%u", g);
            group = rig_group(&rig, (int)(g % WORKERS), url);
            for (uint64_t i = 0; i < CALLS; i++) {
                struct stats_moments at = {.done_ns = NS_PER_MS + (n * CALLS + i) * 50000 + g};

                group_add(group,
                          &(struct group_request){.at = &at, .status = 200, .why = FAILED_COUNT});
            }
        }
        (void)buckets_step(rig.buckets, start_ns + (n + 1) * NS_PER_S);
        for (uint32_t g = 0; g < GROUPS; g++) {
            const struct bucket_group *group = bucket_load_group(buckets_last(rig.buckets), g);

            EXPECT(group->bucket.from_due->count == CALLS);
            EXPECT(group->total.from_sent->count == (n + 1) * CALLS);
            EXPECT(group->bucket.from_due->buckets[hist_bucket_of(NS_PER_MS)] <= (n == 0));
        }
    }
    /* 300 buckets that hold something, at about two bytes, four times a group. */
    EXPECT(rig.arena.bytes_used - bytes_before < (size_t)GROUPS * 4 * 1024);
    rig_close(&rig);
}

static void test_groups_that_do_not_add_up_are_told(void)
{
    static struct rig rig;

    rig_open(&rig, NS_PER_S);
    rig_calls(&rig, 0, "/a", 3, FAILED_COUNT);
    rig.ledgers[0].failed[FAILED_PORTS]++;
    rig.ledgers[0].due++;
    rig.ledgers[0].started++;
    ledger_publish(&rig.shared[0].ledger, &rig.ledgers[0]);
    buckets_end(rig.buckets, start_ns + NS_PER_S / 2);
    EXPECT(!buckets_close(rig.buckets));
    rig_close(&rig);
}

static void test_errors_keep_their_kinds(void)
{
    static struct rig rig;
    const struct bucket_figures *figures;
    struct group *groups[WORKERS];

    rig_open(&rig, NS_PER_S);
    for (int i = 0; i < WORKERS; i++) {
        groups[i] = rig_group(&rig, i, "/a");
    }
    group_error(&rig.shared[1].groups, groups[1], TEST_ERROR_INDEXING, "b");
    group_error(&rig.shared[1].groups, groups[1], TEST_ERROR_INDEXING, "c");
    (void)buckets_step(rig.buckets, start_ns + NS_PER_S);
    /* A kind that comes up first on another worker. */
    group_error(&rig.shared[0].groups, groups[0], TEST_ERROR_INDEXING, "a");
    group_error(&rig.shared[0].groups, groups[0], TEST_ERROR_INDEXING, "c");
    (void)buckets_step(rig.buckets, start_ns + 2 * NS_PER_S);
    figures = &buckets_last(rig.buckets)->groups[0].bucket;
    EXPECT(figures->errors_count == 3);
    EXPECT(strcmp(figures->errors[0].text, "b") == 0 && figures->errors[0].count == 0);
    EXPECT(strcmp(figures->errors[1].text, "c") == 0 && figures->errors[1].count == 1);
    EXPECT(strcmp(figures->errors[2].text, "a") == 0 && figures->errors[2].count == 1);
    for (int i = 0; i < 2 * GROUP_ERRORS_MAX; i++) {
        char text[8];

        (void)snprintf(text, sizeof(text), "%d", i);
        group_error(&rig.shared[i % 2].groups, groups[i % 2], TEST_ERROR_BODY, text);
    }
    buckets_end(rig.buckets, start_ns + 3 * NS_PER_S);
    figures = &buckets_last(rig.buckets)->groups[0].bucket;
    EXPECT(figures->errors_count == GROUP_ERRORS_MAX);
    EXPECT(strcmp(figures->errors[GROUP_ERRORS_MAX - 1].text, "other errors") == 0);
    EXPECT(figures->errors[GROUP_ERRORS_MAX - 1].count == 2 * GROUP_ERRORS_MAX - 12);
    rig_close(&rig);
}

static void test_too_many_groups_are_other_and_said_once(void)
{
    static struct rig rig;
    const struct bucket *last;
    uint64_t calls = 0;
    char url[16];

    rig_open(&rig, NS_PER_S);
    for (int i = 0; i < GROUPS_MAX + 5; i++) {
        (void)snprintf(url, sizeof(url), "/%d", i);
        rig_calls(&rig, i % 2, url, 1, FAILED_COUNT);
    }
    (void)buckets_step(rig.buckets, start_ns + NS_PER_S);
    EXPECT(rig.lines == 1);
    EXPECT(rig.taken[0].groups_count == GROUPS_MAX + 1);
    for (int i = 0; i < 2 * GROUPS_MAX; i++) {
        (void)snprintf(url, sizeof(url), "/more%d", i);
        rig_calls(&rig, 0, url, 1, FAILED_COUNT);
    }
    buckets_end(rig.buckets, start_ns + 2 * NS_PER_S);
    EXPECT(rig.lines == 1);
    last = buckets_last(rig.buckets);
    EXPECT(last->groups_count == GROUPS_MAX + 1);
    for (uint32_t i = 0; i < last->groups_count; i++) {
        calls += bucket_calls(&last->groups[i].total);
    }
    EXPECT(calls == 3 * GROUPS_MAX + 5);
    EXPECT(bucket_calls(&last->groups[GROUPS_MAX].total) == 2 * GROUPS_MAX + 5);
    EXPECT(buckets_close(rig.buckets));
    rig_close(&rig);
}

static void test_providers_are_summed_over_workers(void)
{
    static struct rig rig;

    rig_open(&rig, NS_PER_S);
    store_relaxed(&rig.gauges[0].len, 3);
    store_relaxed(&rig.gauges[1].len, 4);
    store_relaxed(&rig.gauges[1].limit, 10);
    (void)buckets_step(rig.buckets, start_ns + NS_PER_S);
    EXPECT(rig.taken[0].len == 7 && rig.taken[0].limit == 10);
    rig.test.general.log_provider_stats = false;
    rig_close(&rig);
}

int main(void)
{
    TEST(test_buckets_are_cut_at_multiples_since_the_epoch);
    TEST(test_buckets_that_are_tiny_are_read_together);
    TEST(test_buckets_merge_workers_and_lose_nothing);
    TEST(test_what_is_kept_of_many_groups_is_small);
    TEST(test_groups_that_do_not_add_up_are_told);
    TEST(test_errors_keep_their_kinds);
    TEST(test_too_many_groups_are_other_and_said_once);
    TEST(test_providers_are_summed_over_workers);
    return 0;
}
