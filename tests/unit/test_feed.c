/* What feeds promise: every record of a file once, in order or at random, over any number of
 * workers, through windows; and a reason with file and line for what cannot be read. */
#include "core/feed.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static struct arena arena;
static struct blocks blocks;
static char dir[] = "/tmp/pelt-test-feed-XXXXXX";
static char path[64];
static char scratch_memory[1 << 20] __attribute__((aligned(8)));
static struct scratch scratch;

static void nobody(void *self, uint32_t worker)
{
    (void)self;
    (void)worker; /* The tests look by themselves. */
}

static const char *write_file(const char *data, size_t len)
{
    int fd, rc;

    (void)snprintf(path, sizeof(path), "%s/data", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT(fd >= 0);
    EXPECT(write(fd, data, len) == (ssize_t)len);
    rc = close(fd);
    EXPECT(rc == 0);
    return path;
}

/* A file of numbers, one per line, padded so that `bytes` of it are a record. */
static const char *write_numbers(uint32_t count, uint32_t bytes)
{
    char *data = malloc((size_t)count * bytes + 1);
    const char *name;

    EXPECT(data != NULL);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(data + (size_t)i * bytes, bytes + 1, "%-*u\n", (int)bytes - 1, i);
    }
    name = write_file(data, (size_t)count * bytes);
    free(data);
    return name;
}

struct fixture {
    struct data_file file;
    struct reader *reader;
    struct feed feed;
    struct provider provider;
};

static void open_fixture(struct fixture *fixture, const char *name,
                         const struct records_options *records,
                         const struct value_source_options *source)
{
    struct provider_options options = {.name = "p", .limit = 100};
    struct reader_options reader = {.workers = 1, .wake = nobody};
    struct feed_options feed = {.source = *source, .file = &fixture->file, .scratch = &scratch};
    struct err_info why;

    EXPECT(data_file_open(&fixture->file, name, records, source->random, &arena, &why) == ERR_OK);
    EXPECT(reader_new(&fixture->reader, &reader, &why) == ERR_OK);
    feed.reader = fixture->reader;
    EXPECT(feed_init(&fixture->feed, &arena, &feed));
    EXPECT(provider_init(&fixture->provider, &blocks, &options));
    fixture->provider.source = feed_source(&fixture->feed);
}

static void close_fixture(struct fixture *fixture)
{
    struct provider_item *item;

    fixture->provider.source.fill = NULL;
    reader_free(fixture->reader);
    data_file_close(&fixture->file);
    while ((item = provider_take(&fixture->provider)) != NULL) {
        provider_item_free(&blocks, item);
    }
}

/* The next value, waited for; NULL when there are no more. */
static struct provider_item *next(struct fixture *fixture)
{
    for (;;) {
        struct provider_item *item;

        provider_fill(&fixture->provider);
        item = provider_take(&fixture->provider);
        if (item != NULL || feed_is_ended(&fixture->feed)) return item;
        while (!feed_poll(&fixture->feed)) {
            (void)poll(NULL, 0, 0);
        }
    }
}

static const struct records_options lines = {.format = RECORDS_LINE, .parse = true};

static int64_t number_of(struct provider_item *item)
{
    int64_t number;

    EXPECT(item != NULL && item->value.kind == VALUE_INT);
    number = item->value.integer;
    provider_item_free(&blocks, item);
    return number;
}

static void test_feed_gives_a_million_values_in_order_once(void)
{
    enum { VALUES = 1000000 };
    const char *name = write_numbers(VALUES, 9);

    for (uint32_t workers = 1; workers <= 2; workers++) {
        for (uint32_t w = 0; w < workers; w++) {
            struct value_source_options source = {.index = w, .workers = workers};
            struct fixture fixture;

            open_fixture(&fixture, name, &lines, &source);
            for (int64_t i = w; i < VALUES; i += workers) {
                EXPECT(number_of(next(&fixture)) == i);
            }
            EXPECT(next(&fixture) == NULL && fixture.feed.err == ERR_OK);
            close_fixture(&fixture);
        }
    }
}

static void test_feed_in_random_order_gives_every_value_once(void)
{
    /* Kept in memory, and too large for that. */
    static const uint32_t bytes[] = {9, 1000};
    enum { VALUES = 70000, WORKERS = 2 };

    for (size_t i = 0; i < COUNT(bytes); i++) {
        const char *name = write_numbers(VALUES, bytes[i]);
        static bool seen[VALUES];
        uint32_t in_order = 0;

        memset(seen, 0, sizeof(seen));
        for (uint32_t w = 0; w < WORKERS; w++) {
            struct value_source_options source = {
                .random = true, .seed = 3, .index = w, .workers = WORKERS};
            struct fixture fixture;
            struct provider_item *item;
            int64_t last = -1;

            open_fixture(&fixture, name, &lines, &source);
            EXPECT((fixture.file.data != NULL) == (bytes[i] == 9));
            EXPECT(fixture.file.count == VALUES);
            while ((item = next(&fixture)) != NULL) {
                int64_t number = number_of(item);

                EXPECT(!seen[number]);
                seen[number] = true;
                in_order += number == last + 1;
                last = number;
            }
            EXPECT(fixture.feed.err == ERR_OK);
            close_fixture(&fixture);
        }
        for (uint32_t v = 0; v < VALUES; v++) {
            EXPECT(seen[v]);
        }
        EXPECT(in_order < 20);
    }
}

static void test_feed_that_repeats_goes_on_and_shares_all_passes(void)
{
    const char *name = write_numbers(5, 4);

    for (uint32_t w = 0; w < 2; w++) {
        struct value_source_options source = {.repeat = true, .index = w, .workers = 2};
        struct fixture fixture;

        open_fixture(&fixture, name, &lines, &source);
        for (int64_t i = w; i < 1000; i += 2) {
            EXPECT(number_of(next(&fixture)) == i % 5);
        }
        close_fixture(&fixture);
    }
}

static void test_feed_that_draws_gives_all_values_about_as_often(void)
{
    struct value_source_options source = {.repeat = true, .random = true, .workers = 1};
    uint32_t counts[10] = {0};
    struct fixture fixture;

    open_fixture(&fixture, write_numbers(10, 4), &lines, &source);
    for (int i = 0; i < 10000; i++) {
        counts[number_of(next(&fixture))]++;
    }
    for (int i = 0; i < 10; i++) {
        EXPECT(counts[i] > 850 && counts[i] < 1150); /* A fixed seed. */
    }
    close_fixture(&fixture);
}

static void test_feed_of_rows_knows_their_names_in_any_order(void)
{
    static const char text[] = "#\nid,name\n1,a\n2,b\n3,c\n";
    struct records_options csv = {
        .format = RECORDS_CSV,
        .parse = true,
        .first_row_names = true,
        .csv = {.delimiter = ',', .quote = '"', .comment = '#', .double_quote = true}};

    for (int random = 0; random < 2; random++) {
        struct value_source_options source = {.random = random, .repeat = !random, .workers = 1};
        struct fixture fixture;

        open_fixture(&fixture, write_file(text, sizeof(text) - 1), &csv, &source);
        for (int i = 0; i < 3 || (!random && i < 30); i++) {
            struct provider_item *item = next(&fixture);
            const struct value *id = value_get(&item->value, "id", 2);
            const struct value *name = value_get(&item->value, "name", 4);

            EXPECT(id != NULL && name != NULL && name->string[0] == 'a' + id->integer - 1);
            provider_item_free(&blocks, item);
        }
        if (random) EXPECT(next(&fixture) == NULL);
        close_fixture(&fixture);
    }
}

static void test_feed_takes_records_larger_than_its_window(void)
{
    enum { LARGE = 700 * 1024 };
    char *text = malloc(3 * (LARGE + 1));
    struct value_source_options source = {.workers = 1};
    struct fixture fixture;

    EXPECT(text != NULL);
    for (int i = 0; i < 3; i++) {
        memset(text + i * (LARGE + 1), 'a' + i, LARGE);
        text[i * (LARGE + 1) + LARGE] = '\n';
    }
    open_fixture(&fixture, write_file(text, 3 * (LARGE + 1)), &lines, &source);
    for (int i = 0; i < 3; i++) {
        struct provider_item *item = next(&fixture);

        EXPECT(item != NULL && item->value.len == LARGE);
        EXPECT(item->value.string[LARGE - 1] == 'a' + i);
        provider_item_free(&blocks, item);
    }
    EXPECT(next(&fixture) == NULL && fixture.feed.err == ERR_OK);
    close_fixture(&fixture);
    free(text);
}

static void test_feed_ends_at_a_bad_record_with_its_line(void)
{
    struct records_options json = {.format = RECORDS_JSON};
    struct value_source_options source = {.workers = 1};
    struct fixture fixture;

    open_fixture(&fixture, write_file("1\n2\n{\n", 6), &json, &source);
    EXPECT(number_of(next(&fixture)) == 1);
    EXPECT(number_of(next(&fixture)) == 2);
    EXPECT(next(&fixture) == NULL && feed_is_ended(&fixture.feed));
    EXPECT(fixture.feed.err == ERR_FILE);
    EXPECT(strstr(fixture.feed.why.message, "line 3: ") != NULL);
    EXPECT(strstr(fixture.feed.why.message, "/data'") != NULL);
    close_fixture(&fixture);
}

static void test_feed_of_a_file_that_is_removed_or_cut_ends_as_one_that_is_read(void)
{
    struct value_source_options source = {.workers = 1};
    struct fixture fixture;
    uint32_t count = 0;
    struct provider_item *item;

    open_fixture(&fixture, write_numbers(200000, 9), &lines, &source);
    EXPECT(number_of(next(&fixture)) == 0);
    EXPECT(truncate(path, 900000) == 0);
    EXPECT(unlink(path) == 0);
    for (count = 1; (item = next(&fixture)) != NULL; count++) {
        EXPECT(number_of(item) == count);
    }
    EXPECT(count == 100000 && fixture.feed.err == ERR_OK);
    close_fixture(&fixture);
}

static void test_feed_of_nothing_ends_though_it_repeats(void)
{
    for (int random = 0; random < 2; random++) {
        struct value_source_options source = {.repeat = true, .random = random, .workers = 1};
        struct fixture fixture;

        open_fixture(&fixture, write_file("", 0), &lines, &source);
        EXPECT(next(&fixture) == NULL && feed_is_ended(&fixture.feed));
        close_fixture(&fixture);
    }
}

static void refuse(const char *name, bool random, const char *reason)
{
    struct data_file file;
    struct err_info why;

    EXPECT(data_file_open(&file, name, &lines, random, &arena, &why) == ERR_FILE);
    EXPECT(strstr(why.message, reason) != NULL);
    EXPECT(file.fd == -1);
}

static void test_data_files_that_cannot_be_read_are_refused_with_the_reason(void)
{
    char fifo[64];

    (void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    EXPECT(mkfifo(fifo, 0600) == 0);
    refuse("/nonexistent/file", false, "ENOENT");
    refuse(dir, false, "is a directory");
    refuse(fifo, false, "is a pipe");
    refuse("/dev/null", false, "is a device");
}

int main(void)
{
    EXPECT(mkdtemp(dir) != NULL);
    EXPECT(blocks_init(&blocks, &arena, 64 << 20));
    scratch_init(&scratch, scratch_memory, sizeof(scratch_memory));
    TEST(test_feed_gives_a_million_values_in_order_once);
    TEST(test_feed_in_random_order_gives_every_value_once);
    TEST(test_feed_that_repeats_goes_on_and_shares_all_passes);
    TEST(test_feed_that_draws_gives_all_values_about_as_often);
    TEST(test_feed_of_rows_knows_their_names_in_any_order);
    TEST(test_feed_takes_records_larger_than_its_window);
    TEST(test_feed_ends_at_a_bad_record_with_its_line);
    TEST(test_feed_of_a_file_that_is_removed_or_cut_ends_as_one_that_is_read);
    TEST(test_feed_of_nothing_ends_though_it_repeats);
    TEST(test_data_files_that_cannot_be_read_are_refused_with_the_reason);
    arena_release(&arena);
    return 0;
}
