/* What loggers promise: a line each, as the test file wants them, and every one of them accounted
 * for, whatever becomes of the target. */
#include "core/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

enum { WORKERS = 2, SCRATCH_BYTES = 1 << 20, BLOCKS_BYTES = 1 << 26 };

/* Loggers over a test file that has nothing else, and their two workers' sides. */
struct world {
    struct arena arena;
    struct testfile test;
    struct testfile_logger defs[4];
    struct loggers *loggers;
    struct blocks blocks[WORKERS];
    struct scratch scratch[WORKERS];
    struct log_port *ports[WORKERS];
    char path[64];
};

static void make_path(struct world *world)
{
    int fd;

    (void)snprintf(world->path, sizeof(world->path), "/tmp/test_logger.XXXXXX");
    fd = mkstemp(world->path);
    EXPECT(fd >= 0 && write(fd, "before\n", 7) == 7 && close(fd) == 0);
}

/* Opens the first `count` of world->defs, whose names are "a", "b" … */
static enum err open_loggers(struct world *world, uint32_t count, uint64_t queue_bytes,
                             struct err_info *why)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct loggers_options options = {
        .test = &world->test, .workers = WORKERS, .queue_bytes = queue_bytes};
    enum err err;

    for (uint32_t i = 0; i < count; i++) {
        world->defs[i].name = names[i];
    }
    world->test.loggers = world->defs;
    world->test.loggers_count = count;
    err = loggers_new(&world->loggers, &options, why);
    if (err != ERR_OK) return err;
    arena_init(&world->arena, 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        void *memory = arena_alloc(&world->arena, SCRATCH_BYTES, CACHE_LINE);

        EXPECT(memory != NULL && blocks_init(&world->blocks[i], &world->arena, BLOCKS_BYTES));
        scratch_init(&world->scratch[i], memory, SCRATCH_BYTES);
        world->ports[i] = loggers_port(world->loggers, i, &world->blocks[i], &world->scratch[i]);
    }
    return loggers_start(world->loggers, why);
}

static struct logger_figures close_loggers(struct world *world, uint32_t logger)
{
    struct logger_figures figures;

    while (!loggers_end(world->loggers)) {
        (void)usleep(1000);
    }
    loggers_close(world->loggers);
    EXPECT(loggers_balance(world->loggers));
    loggers_figures(world->loggers, logger, &figures);
    return figures;
}

static void release(struct world *world)
{
    loggers_free(world->loggers);
    arena_release(&world->arena);
    if (world->path[0] != '\0') (void)unlink(world->path);
}

static void expect_content(const char *path, const char *wanted)
{
    char back[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, back, sizeof(back) - 1);

    EXPECT(fd >= 0 && n >= 0 && close(fd) == 0);
    back[n] = '\0';
    if (strcmp(back, wanted) != 0) (void)fprintf(stderr, "got '%s'\nwanted '%s'\n", back, wanted);
    EXPECT(strcmp(back, wanted) == 0);
}

static void test_logger_writes_text_raw_and_all_else_as_json(void)
{
    struct world world = {.path = ""};
    struct err_info why;
    struct value pair[2] = {value_int(1), value_str("x\"y")}, array;
    struct value text = value_str("x\"y"), null = value_null();

    make_path(&world);
    EXPECT(value_array(pair, 2, &array));
    world.defs[0] = (struct testfile_logger){.to = world.path};
    world.defs[1] = (struct testfile_logger){.to = world.path, .pretty = true};
    EXPECT(open_loggers(&world, 2, 0, &why) == ERR_OK);
    EXPECT(logger_put(world.ports[0], 0, &text) == LOGGER_PUT);
    EXPECT(logger_put(world.ports[0], 0, &array) == LOGGER_PUT);
    EXPECT(logger_put(world.ports[0], 1, &array) == LOGGER_PUT);
    EXPECT(logger_put(world.ports[0], 1, &text) == LOGGER_PUT);
    EXPECT(logger_put(world.ports[0], 0, &null) == LOGGER_PUT);
    EXPECT(close_loggers(&world, 0).written == 3);
    expect_content(world.path, "x\"y\n[1,\"x\\\"y\"]\n[\n  1,\n  \"x\\\"y\"\n]\nx\"y\nnull\n");
    release(&world);
}

static void test_logger_ends_at_its_limit_over_all_workers(void)
{
    struct world world = {.path = ""};
    struct err_info why;
    struct logger_figures figures;
    struct value value = value_str("v");

    make_path(&world);
    world.defs[0] = (struct testfile_logger){.to = world.path, .limit = 3};
    EXPECT(open_loggers(&world, 1, 0, &why) == ERR_OK);
    for (uint32_t i = 0; i < 10; i++) {
        enum logger_put put = logger_put(world.ports[i % WORKERS], 0, &value);

        EXPECT(put == (i < 3 ? LOGGER_PUT : LOGGER_LIMIT));
        EXPECT(logger_is_over(world.ports[0], 0) == (i >= 2));
    }
    figures = close_loggers(&world, 0);
    EXPECT(figures.put == 3 && figures.written == 3);
    expect_content(world.path, "v\nv\nv\n");
    release(&world);
}

static void test_logger_kills_once_at_the_value_after_its_limit(void)
{
    struct {
        const char *name;
        uint64_t limit, kills_at;
    } cases[] = {{"kill alone", 0, 1}, {"a limit of 1", 1, 1}, {"a limit of 4", 4, 4}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world world = {.path = ""};
        struct err_info why;
        struct value value = value_int(1);

        make_path(&world);
        world.defs[0] =
            (struct testfile_logger){.to = world.path, .limit = cases[i].limit, .kill = true};
        EXPECT(open_loggers(&world, 1, 0, &why) == ERR_OK);
        for (uint64_t n = 0; n < 8; n++) {
            enum logger_put put = logger_put(world.ports[n % WORKERS], 0, &value);

            EXPECT(n < cases[i].kills_at    ? put == LOGGER_PUT
                   : n == cases[i].kills_at ? put == LOGGER_KILL
                                            : put == LOGGER_LIMIT);
            EXPECT(logger_is_over(world.ports[0], 0) == (n >= cases[i].kills_at));
        }
        EXPECT(close_loggers(&world, 0).written == cases[i].kills_at);
        EXPECT(strcmp(loggers_killer(world.loggers), "a") == 0);
        release(&world);
    }
}

/* A pipe that nobody reads for a while. */
static void open_pipe(struct world *world, int *ret_read, int *ret_write)
{
    int ends[2];

    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    *ret_read = ends[0];
    *ret_write = ends[1];
    (void)snprintf(world->path, sizeof(world->path), "/proc/self/fd/%d", ends[1]);
}

static uint64_t read_lines(int fd, uint64_t bytes)
{
    static char buf[65536];
    uint64_t lines = 0;

    while (bytes > 0) {
        ssize_t n = read(fd, buf, min_u64(sizeof(buf), bytes));

        EXPECT(n > 0);
        bytes -= (uint64_t)n;
        for (ssize_t i = 0; i < n; i++) {
            lines += buf[i] == '\n';
        }
    }
    return lines;
}

static void test_logger_keeps_all_lines_of_a_target_that_stands_still(void)
{
    struct world world = {.path = ""};
    char text[1000];
    struct err_info why;
    struct value value;
    struct logger_figures figures;
    uint64_t lines = 2000;
    int reading, writing;

    open_pipe(&world, &reading, &writing);
    world.defs[0] = (struct testfile_logger){.to = world.path};
    EXPECT(open_loggers(&world, 1, 2 * 65536, &why) == ERR_OK);
    EXPECT(logger_has_room(world.ports[0], 0));
    memset(text, 'x', sizeof(text));
    value = value_string(text, sizeof(text) - 1);
    for (uint64_t i = 0; i < lines; i++) {
        EXPECT(logger_put(world.ports[i % WORKERS], 0, &value) == LOGGER_PUT);
    }
    EXPECT(!logger_has_room(world.ports[0], 0));
    EXPECT(!log_port_flush(world.ports[0]));
    EXPECT(!loggers_end(world.loggers));
    EXPECT(strcmp(loggers_behind(world.loggers), world.path) == 0);
    for (uint64_t i = 0; i < lines; i++) {
        EXPECT(!loggers_end(world.loggers) || i + 100 > lines);
        EXPECT(read_lines(reading, sizeof(text)) == 1); /* Lines stay whole. */
    }
    figures = close_loggers(&world, 0);
    EXPECT(figures.put == lines && figures.written == lines && figures.lost == 0);
    EXPECT(close(reading) == 0 && close(writing) == 0);
    world.path[0] = '\0';
    release(&world);
}

static void test_logger_has_room_again_once_half_is_written(void)
{
    struct world world = {.path = ""};
    char text[1000] = "";
    struct err_info why;
    struct value value = value_string(text, sizeof(text) - 7);
    uint64_t lines = 0, taken = 0;
    int reading, writing;

    open_pipe(&world, &reading, &writing);
    memset(text, 'x', sizeof(text));
    world.defs[0] = (struct testfile_logger){.to = world.path};
    EXPECT(open_loggers(&world, 1, 2 * 65536, &why) == ERR_OK);
    /* The pipe takes the first 65 lines; then it and half of the queue are full. */
    while (lines < 100 || logger_has_room(world.ports[0], 0)) {
        if (!logger_has_room(world.ports[0], 0)) {
            (void)usleep(1000);
            continue;
        }
        EXPECT(logger_put(world.ports[0], 0, &value) == LOGGER_PUT);
        lines++;
    }
    EXPECT(log_port_flush(world.ports[0])); /* What is on its way found room. */
    while (!logger_has_room(world.ports[0], 0)) {
        EXPECT(read_lines(reading, sizeof(text) - 6) == 1);
        EXPECT(++taken < lines);
        (void)usleep(1000);
    }
    EXPECT(taken > 20); /* Not for the first one. */
    loggers_give_up(world.loggers);
    EXPECT(close_loggers(&world, 0).put == lines);
    EXPECT(close(reading) == 0 && close(writing) == 0);
    world.path[0] = '\0';
    release(&world);
}

static void test_logger_drops_where_it_may(void)
{
    struct world world = {.path = ""};
    char text[1000] = "";
    struct err_info why;
    struct value value = value_string(text, sizeof(text));
    struct logger_figures figures;
    uint64_t dropped = 0;
    int reading, writing;

    open_pipe(&world, &reading, &writing);
    memset(text, 'x', sizeof(text));
    world.defs[0] = (struct testfile_logger){.to = world.path, .on_full = ON_FULL_DROP};
    EXPECT(open_loggers(&world, 1, 2 * 65536, &why) == ERR_OK);
    for (uint64_t i = 0; i < 1000; i++) {
        dropped += logger_put(world.ports[0], 0, &value) == LOGGER_DROPPED;
        EXPECT(logger_has_room(world.ports[0], 0));
    }
    EXPECT(dropped > 0);
    EXPECT(read_lines(reading, (1000 - dropped) * (sizeof(text) + 1)) == 1000 - dropped);
    figures = close_loggers(&world, 0);
    EXPECT(figures.put == 1000 - dropped && figures.dropped == dropped && figures.lost == 0);
    EXPECT(close(reading) == 0 && close(writing) == 0);
    world.path[0] = '\0';
    release(&world);
}

static void test_logger_counts_what_a_full_disk_loses(void)
{
    struct world world = {.path = ""};
    struct err_info why;
    struct value value = value_str("v");
    struct logger_figures figures;

    make_path(&world);
    world.defs[0] = (struct testfile_logger){.to = "/dev/full"};
    world.defs[1] = (struct testfile_logger){.to = world.path};
    EXPECT(open_loggers(&world, 2, 0, &why) == ERR_OK);
    for (int i = 0; i < 1000; i++) {
        EXPECT(logger_put(world.ports[i % WORKERS], 0, &value) == LOGGER_PUT);
        EXPECT(logger_put(world.ports[i % WORKERS], 1, &value) == LOGGER_PUT);
    }
    EXPECT(close_loggers(&world, 1).written == 1000);
    loggers_figures(world.loggers, 0, &figures);
    EXPECT(figures.lost == 1000 && figures.written == 0 && figures.error == ENOSPC);
    EXPECT(loggers_error(world.loggers, 0) == ENOSPC && loggers_error(world.loggers, 1) == 0);
    release(&world);
}

static void test_logger_gives_up_when_told(void)
{
    struct world world = {.path = ""};
    char text[5000] = "";
    struct err_info why;
    struct value value = value_string(text, sizeof(text));
    struct logger_figures figures;
    int reading, writing;

    open_pipe(&world, &reading, &writing);
    memset(text, 'x', sizeof(text));
    world.defs[0] = (struct testfile_logger){.to = world.path};
    EXPECT(open_loggers(&world, 1, 2 * 65536, &why) == ERR_OK);
    for (int i = 0; i < 100; i++) {
        EXPECT(logger_put(world.ports[0], 0, &value) == LOGGER_PUT);
    }
    EXPECT(!loggers_end(world.loggers));
    loggers_give_up(world.loggers);
    figures = close_loggers(&world, 0);
    EXPECT(figures.put == 100 && figures.lost > 0 && figures.error == ECANCELED);
    EXPECT(close(reading) == 0 && close(writing) == 0);
    world.path[0] = '\0';
    release(&world);
}

static void test_logger_counts_lines_for_which_there_never_is_room(void)
{
    static char text[100000];
    struct world world = {.path = ""};
    struct err_info why;
    struct value value = value_string(text, sizeof(text));
    struct logger_figures figures;

    make_path(&world);
    memset(text, 'x', sizeof(text));
    world.defs[0] = (struct testfile_logger){.to = world.path};
    EXPECT(open_loggers(&world, 1, 2 * 65536, &why) == ERR_OK);
    EXPECT(logger_put(world.ports[0], 0, &value) == LOGGER_DROPPED);
    figures = close_loggers(&world, 0);
    EXPECT(figures.put == 0 && figures.lost == 1);
    expect_content(world.path, "");
    release(&world);
}

static void test_logger_names_what_cannot_be_opened(void)
{
    struct world world = {.path = ""};
    struct err_info why;

    world.defs[0] = (struct testfile_logger){.to = "/nosuch/dir/x.log"};
    EXPECT(open_loggers(&world, 1, 0, &why) == ERR_FILE);
    EXPECT(strcmp(why.message,
                  "logger 'a': cannot write '/nosuch/dir/x.log': No such file or directory") == 0);
    world.defs[0].to = "/tmp";
    EXPECT(open_loggers(&world, 1, 0, &why) == ERR_FILE);
    EXPECT(strcmp(why.message, "logger 'a': cannot write '/tmp': Is a directory") == 0);
}

static void test_logger_refuses_too_many_files(void)
{
    static struct testfile_logger defs[LOGGERS_TARGETS_MAX + 1];
    static char paths[LOGGERS_TARGETS_MAX + 1][64];
    struct testfile test = {.loggers = defs, .loggers_count = COUNT(defs)};
    struct loggers_options options = {.test = &test, .workers = 1, .queue_bytes = 1024};
    struct loggers *loggers;
    struct err_info why;

    for (size_t i = 0; i < COUNT(defs); i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/tmp/test_logger.%d.%zu", (int)getpid(), i);
        defs[i] = (struct testfile_logger){.name = "l", .to = paths[i]};
    }
    EXPECT(loggers_new(&loggers, &options, &why) == ERR_CONFIG);
    EXPECT(strcmp(why.message, "loggers write to more than 64 files") == 0);
    defs[LOGGERS_TARGETS_MAX].to = paths[0]; /* The same one twice is one. */
    EXPECT(loggers_new(&loggers, &options, &why) == ERR_OK);
    loggers_free(loggers);
    for (size_t i = 0; i < COUNT(defs); i++) {
        (void)unlink(paths[i]);
    }
}

static void test_logger_files_lie_in_the_directory_of_the_results(void)
{
    struct world world = {.path = ""};
    struct loggers_options options = {.test = &world.test, .directory = "/tmp", .workers = 1};
    struct err_info why;
    struct stat stat_buf;
    char path[128];

    world.defs[0] = (struct testfile_logger){.name = "a", .to = world.path};
    world.test.loggers = world.defs;
    world.test.loggers_count = 1;
    (void)snprintf(world.path, sizeof(world.path), "test_logger.%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "/tmp/%s", world.path);
    EXPECT(loggers_new(&world.loggers, &options, &why) == ERR_OK);
    loggers_free(world.loggers);
    EXPECT(stat(path, &stat_buf) == 0 && unlink(path) == 0);
}

int main(void)
{
    TEST(test_logger_writes_text_raw_and_all_else_as_json);
    TEST(test_logger_ends_at_its_limit_over_all_workers);
    TEST(test_logger_kills_once_at_the_value_after_its_limit);
    TEST(test_logger_keeps_all_lines_of_a_target_that_stands_still);
    TEST(test_logger_has_room_again_once_half_is_written);
    TEST(test_logger_drops_where_it_may);
    TEST(test_logger_counts_what_a_full_disk_loses);
    TEST(test_logger_gives_up_when_told);
    TEST(test_logger_counts_lines_for_which_there_never_is_room);
    TEST(test_logger_names_what_cannot_be_opened);
    TEST(test_logger_refuses_too_many_files);
    TEST(test_logger_files_lie_in_the_directory_of_the_results);
    loggers_free(NULL);
    return 0;
}
