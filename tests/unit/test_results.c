/* What the sink of buckets promises: a file of its own name, a line for each new group, each bucket
 * and the end, and a word to people when the disk refuses them. */
#include "core/results.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/results_rig.h"

static struct results_options options_of(const struct rig *rig)
{
    return (struct results_options){.test_path = "tests/a.load.yaml",
                                    .dir = rig->dir,
                                    .form = RESULTS_PELT,
                                    .bucket_size_ns = 10 * NS_PER_S,
                                    .now_wall_ns = UINT64_C(1760000002) * NS_PER_S};
}

static struct results *open_results(const struct results_options *options)
{
    struct results *results = NULL;
    struct err_info why;

    EXPECT(results_open(&results, options, &why) == ERR_OK);
    return results;
}

/* Ends and frees; all must be on disk. */
static void end_results(struct results *results, struct results_last *last)
{
    struct err_info why;

    EXPECT(results_end(results, last, &why) == ERR_OK);
    results_free(results);
}

static void test_results_get_a_name_that_nobody_has(void)
{
    static const struct {
        const char *test, *name, *wanted;
    } rows[] = {{"tests/a.load.yaml", NULL, "stats-a.load-1760000002.json"},
                {"a.load.yaml", NULL, "stats-a.load-1760000002-2.json"},
                {"/x/a.load", NULL, "stats-a-1760000002.json"},
                {".yaml", NULL, "stats-.yaml-1760000002.json"},
                {"b", NULL, "stats-b-1760000002.json"},
                {"b", "mine.json", "mine.json"},
                {"b", "mine.json", "mine.json"}};
    struct results *open[COUNT(rows)];
    struct rig rig;

    rig_open(&rig);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct results_options options = options_of(&rig);

        options.test_path = rows[i].test;
        options.name = rows[i].name;
        open[i] = open_results(&options);
        (void)snprintf(rig.path, sizeof(rig.path), "%s/%s", rig.dir, rows[i].wanted);
        EXPECT(strcmp(results_path(open[i]), rig.path) == 0);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        end_results(open[i], NULL);
    }
    rig_close(&rig);
}

static void test_results_of_an_absolute_name_stand_there(void)
{
    struct results_options options;
    struct results *results;
    struct rig rig;

    rig_open(&rig);
    options = options_of(&rig);
    options.dir = "/nosuch";
    options.name = rig.path;
    results = open_results(&options);
    EXPECT(strcmp(results_path(results), rig.path) == 0);
    end_results(results, NULL);
    rig_close(&rig);
}

static void test_results_that_cannot_be_are_refused(void)
{
    struct results_options options;
    struct results *results = NULL;
    struct err_info why;
    struct rig rig;
    char *longest;

    rig_open(&rig);
    options = options_of(&rig);
    options.form = RESULTS_PEWPEW;
    options.bucket_size_ns = 1500 * NS_PER_MS;
    EXPECT(results_open(&results, &options, &why) == ERR_CONFIG);
    EXPECT(strstr(why.message, "bucket_size") != NULL);
    options = options_of(&rig);
    options.dir = "/nosuch";
    EXPECT(results_open(&results, &options, &why) == ERR_FILE);
    EXPECT(why.errno_value == ENOENT);
    longest = arena_alloc(&rig.arena, PATH_MAX + 1, 1);
    EXPECT(longest != NULL);
    memset(longest, 'a', PATH_MAX);
    options.dir = longest;
    EXPECT(results_open(&results, &options, &why) == ERR_FILE);
    EXPECT(why.errno_value == ENAMETOOLONG);
    rig_close(&rig);
}

/* How often `what` stands in the file at `path`. */
static int count_of(const char *path, const char *what)
{
    struct arena arena;
    struct text text;
    int count = 0;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    rig_read(path, &text);
    for (const char *at = text.data; (at = strstr(at, what)) != NULL; at++) {
        count++;
    }
    arena_release(&arena);
    return count;
}

static void test_results_have_each_group_once_and_each_bucket(void)
{
    struct results_last last = {.reason = "duration"};
    struct results_options options;
    struct results *results;
    struct bucket_sink sink;
    struct rig rig;

    for (enum results_form form = RESULTS_PELT; form <= RESULTS_PEWPEW; form++) {
        bool pelt = form == RESULTS_PELT;

        rig_open(&rig);
        options = options_of(&rig);
        options.form = form;
        results = open_results(&options);
        (void)snprintf(rig.path, sizeof(rig.path), "%s", results_path(results));
        sink = results_sink(results);
        sink.start(sink.self, options.now_wall_ns);
        rig.bucket.groups_count = 1;
        sink.bucket(sink.self, &rig.bucket);
        rig.groups[0].is_new = false;
        sink.bucket(sink.self, &rig.bucket);
        rig.bucket.groups_count = 3;
        sink.bucket(sink.self, &rig.bucket);
        last.ledger = &rig.bucket.total;
        end_results(results, &last);
        EXPECT(count_of(rig.path, pelt ? "{\"type\":\"header\"" : "\"bucketSize\"") == 1);
        EXPECT(count_of(rig.path, pelt ? "{\"type\":\"group\"" : "\"tags\"") == 3);
        EXPECT(count_of(rig.path, pelt ? "{\"type\":\"bucket\"" : "{\"time\"") == 3);
        EXPECT(count_of(rig.path, "{\"type\":\"end\"") == (pelt ? 1 : 0));
        EXPECT(count_of(rig.path, "\"buckets\":3,\"groups\":3") == (pelt ? 1 : 0));
        rig_close(&rig);
    }
}

struct said {
    _Atomic int count;
    char last[400]; /* Of the writer's thread, which says no more until it gets a bucket. */
};

static void say(void *self, const char *line)
{
    struct said *said = self;

    (void)snprintf(said->last, sizeof(said->last), "%s", line);
    store_release(&said->count, load_relaxed(&said->count) + 1);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;

    EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* Gives buckets until people were told `count` times. */
static void give_buckets(struct bucket_sink *sink, const struct rig *rig, const struct said *said,
                         int count)
{
    for (int i = 0; load_acquire(&said->count) < count; i++) {
        EXPECT(i < 2000);
        sink->bucket(sink->self, &rig->bucket);
        (void)usleep(20000); /* What comes faster than the disk takes it is lost. */
    }
}

static void test_results_tell_people_when_the_disk_is_full_and_when_not(void)
{
    struct results_last last = {.reason = "duration"};
    struct results_options options;
    struct results *results;
    struct bucket_sink sink;
    struct said said = {0};
    struct rig rig;

    rig_open(&rig);
    (void)signal(SIGXFSZ, SIG_IGN);
    options = options_of(&rig);
    options.say = say;
    options.self = &said;
    results = open_results(&options);
    (void)snprintf(rig.path, sizeof(rig.path), "%s", results_path(results));
    sink = results_sink(results);
    sink.start(sink.self, options.now_wall_ns);
    set_file_limit(16 * 1024);
    give_buckets(&sink, &rig, &said, 1);
    EXPECT(strstr(said.last, strerror(EFBIG)) != NULL);
    EXPECT(strstr(said.last, "is kept") != NULL);
    set_file_limit(RLIM_INFINITY);
    give_buckets(&sink, &rig, &said, 2);
    EXPECT(strstr(said.last, "complete again") != NULL);
    last.ledger = &rig.bucket.total;
    end_results(results, &last);
    EXPECT(count_of(rig.path, "{\"type\":\"end\"") == 1);
    rig_close(&rig);
}

int main(void)
{
    TEST(test_results_get_a_name_that_nobody_has);
    TEST(test_results_of_an_absolute_name_stand_there);
    TEST(test_results_that_cannot_be_are_refused);
    TEST(test_results_have_each_group_once_and_each_bucket);
    TEST(test_results_tell_people_when_the_disk_is_full_and_when_not);
    results_free(NULL);
    return 0;
}
