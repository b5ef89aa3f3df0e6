/* What `pelt run` prints of buckets and totals, for people and as JSON, compared with
 * tests/golden/. The version, which changes with every commit, reads VERSION there. */
#include <string.h>

#include "core/run_json.h"
#include "core/run_text.h"
#include "core/version.h"
#include "tests/golden.h"
#include "tests/test.h"

enum { GROUPS = 4, WALL_S = 1700000040 };

/* A bucket and all that it points to. */
struct rig {
    struct arena arena;
    struct hist_slab slab;
    struct bucket_group groups[GROUPS];
    struct bucket_provider providers[2];
    struct bucket bucket;
};

#define TAG(n, v)                                                                        \
    {                                                                                    \
        .name = (n), .value = (v), .name_len = sizeof(n) - 1, .value_len = sizeof(v) - 1 \
    }
static const struct group_tag good[] = {TAG("_id", "0"), TAG("method", "GET"),
                                        TAG("url", "http://localhost/items/*"),
                                        TAG("status", "200"), TAG("kind", "a\033[31m\"b\"\n")};
static const struct group_tag bad[] = {TAG("_id", "1"), TAG("method", "POST"),
                                       TAG("url", "http://localhost/orders")};
static const struct group_tag lost[] = {TAG("_id", "2"), TAG("method", "GET"),
                                        TAG("url", "http://localhost:1/")};
static const struct group_tag other[] = {TAG("_id", "other")};

/* Values from `from_us` to `from_us` + count - 1. */
static const struct hist_view *view_of(struct rig *rig, uint64_t count, uint64_t from_us)
{
    struct hist_view *view = arena_array(&rig->arena, 1, sizeof(*view));
    struct hist *hist = arena_array(&rig->arena, 1, sizeof(*hist));

    EXPECT(view != NULL && hist != NULL);
    hist_init(hist, &rig->slab);
    hist_view_clear(view);
    for (uint64_t i = 0; i < count; i++) {
        hist_record(hist, (from_us + i) * NS_PER_US);
    }
    hist_view_add(view, hist);
    return view;
}

static void set_tags(struct rig *rig)
{
    const struct group_tag *const tags[GROUPS] = {good, bad, lost, other};
    const uint32_t counts[GROUPS] = {COUNT(good), COUNT(bad), COUNT(lost), COUNT(other)};

    for (uint32_t i = 0; i < GROUPS; i++) {
        rig->groups[i].index = i;
        rig->groups[i].tags = tags[i];
        rig->groups[i].tags_count = counts[i];
        rig->groups[i].bucket.from_due = rig->groups[i].bucket.from_sent = view_of(rig, 0, 0);
        rig->groups[i].total.from_due = rig->groups[i].total.from_sent = view_of(rig, 0, 0);
    }
}

static void set_good(struct rig *rig, struct bucket_figures *figures, uint64_t count)
{
    figures->ok = figures->status[200] = count;
    figures->bytes_sent = 80 * count;
    figures->bytes_received = 4096 * count;
    figures->waits = 3;
    figures->waited_ns = 1500 * NS_PER_MS;
    figures->from_due = view_of(rig, count, 700);
    figures->from_sent = view_of(rig, count, 500);
}

/* 60 answers with statuses, 38 as expected, timeouts, and errors of every kind. */
static void set_bad(struct rig *rig, struct bucket_figures *figures)
{
    figures->ok = 38;
    figures->failed[FAILED_TIMEOUT] = 2;
    figures->failed[FAILED_UNEXPECTED] = 22;
    figures->failed[FAILED_BUILD] = 5;
    figures->failed[FAILED_RESET_IN_HEAD] = 1;
    figures->status[201] = 38;
    figures->status[503] = 22;
    figures->errors[0] = (struct bucket_error){TEST_ERROR_EXPECT, "status 503 is not expected", 22};
    figures->errors[1] = (struct bucket_error){TEST_ERROR_BUILD,
                                               "request could not be built: indexing into json", 4};
    figures->errors[2] = (struct bucket_error){TEST_ERROR_INDEXING, "indexing into json", 7};
    figures->errors_count = 3;
    figures->bytes_sent = 8000;
    figures->from_due = view_of(rig, 40, 1200);
    figures->from_sent = view_of(rig, 40, 900);
}

static void set_ledgers(struct rig *rig)
{
    rig->bucket.ledger =
        (struct ledger){.due = 1080,
                        .started = 1070,
                        .ok = 1038,
                        .pending = 4,
                        .in_flight = 2,
                        .shed = {[SHED_WAITED] = 3},
                        .missed = {[MISSED_PROVIDER] = 3},
                        .failed = {[FAILED_UNEXPECTED] = 22, [FAILED_TIMEOUT] = 8}};
    rig->bucket.total = rig->bucket.ledger;
    rig->bucket.total.due += 1000;
    rig->bucket.total.started += 1000;
    rig->bucket.total.ok += 1000;
}

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    arena_init(&rig->arena, 0);
    EXPECT(hist_slab_init(&rig->slab, &rig->arena, 2048));
    set_tags(rig);
    set_good(rig, &rig->groups[0].bucket, 1000);
    set_good(rig, &rig->groups[0].total, 2000);
    set_bad(rig, &rig->groups[1].bucket);
    set_bad(rig, &rig->groups[1].total);
    /* Nothing of it in the bucket. */
    rig->groups[2].total.failed[FAILED_CONNECT_REFUSED] = 9;
    rig->groups[3].bucket.ok = rig->groups[3].bucket.status[200] = 1;
    rig->groups[3].bucket.from_due = rig->groups[3].bucket.from_sent = view_of(rig, 1, 30);
    rig->groups[3].total = rig->groups[3].bucket;
    rig->providers[0] = (struct bucket_provider){"token", 0, 5, 3, 0, 3};
    rig->providers[1] =
        (struct bucket_provider){"a name that is too long for a column", 12345, 20000, 0, 17, 0};
    rig->bucket.start_wall_ns = WALL_S * NS_PER_S;
    rig->bucket.from_ns = 12250 * NS_PER_MS;
    rig->bucket.until_ns = 72251 * NS_PER_MS;
    rig->bucket.groups = rig->groups;
    rig->bucket.groups_count = GROUPS;
    rig->bucket.providers = rig->providers;
    rig->bucket.providers_count = 2;
    rig->bucket.connections_open = 40;
    rig->bucket.connections_max = 10000;
    set_ledgers(rig);
}

static uint64_t start_of(const struct rig *rig)
{
    return rig->bucket.start_wall_ns - rig->bucket.from_ns;
}

static void test_buckets_for_people_read_as_the_golden_file(void)
{
    static struct rig rig;
    struct text text;

    rig_open(&rig);
    text_init(&text, &rig.arena);
    run_text_bucket(&rig.bucket, &text);
    rig.bucket.is_last = true;
    rig.bucket.providers_count = 0; /* With log_provider_stats: false. */
    run_text_test(&rig.bucket, &text);
    golden_expect("run.txt", &text);
    arena_release(&rig.arena);
}

static void test_buckets_for_programs_read_as_the_golden_file(void)
{
    static struct rig rig;
    struct text text, changed;
    const char *at;

    rig_open(&rig);
    text_init(&text, &rig.arena);
    text_init(&changed, &rig.arena);
    run_json_start("load.yaml", &text);
    run_json_bucket(&rig.bucket, start_of(&rig), &text);
    run_json_test(&rig.bucket, start_of(&rig), &text);
    run_json_line("warn", "pelt: requests fail: \"x\"", &text);
    run_json_line("end", "all is over", &text);
    at = strstr(text.data, pelt_version);
    EXPECT(at != NULL);
    text_add(&changed, text.data, (size_t)(at - text.data));
    text_add_str(&changed, "VERSION");
    text_add_str(&changed, at + strlen(pelt_version));
    golden_expect("run.json", &changed);
    arena_release(&rig.arena);
}

static void test_output_marks_its_text_when_memory_is_short(void)
{
    static struct rig rig;
    struct arena arena;
    struct text text;

    rig_open(&rig);
    arena_init(&arena, 300);
    text_init(&text, &arena);
    run_text_bucket(&rig.bucket, &text);
    EXPECT(text.failed);
    text_init(&text, &arena);
    run_json_bucket(&rig.bucket, start_of(&rig), &text);
    EXPECT(text.failed);
    arena_release(&arena);
    arena_release(&rig.arena);
}

int main(void)
{
    TEST(test_buckets_for_people_read_as_the_golden_file);
    TEST(test_buckets_for_programs_read_as_the_golden_file);
    TEST(test_output_marks_its_text_when_memory_is_short);
    return 0;
}
