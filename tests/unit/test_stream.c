/* What streams of bodies promise where a test of the whole program cannot make it happen: without
 * memory there is none, a reader without room is asked again, and what is being read for a
 * connection that has let go is given back when the reader is done with it. */
#include "core/runner_stream.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "core/runner_impl.h"
#include "tests/test.h"

enum { FILE_BYTES = 3 * STREAM_PIECE_BYTES };

static char dir[] = "/tmp/pelt-test-stream-XXXXXX";
static char path[64];
static struct reader_ask asks[READER_ASKS_MAX + 2];

struct rig {
    struct arena arena;
    struct worker worker;
    struct runner runner;
    struct endpoint endpoint;
    struct body_cut cut;
    struct conn conn;
    int ends[2]; /* While the second is open the reader is stuck behind its first answer. */
};

static void wait_for_end(void *self, uint32_t worker)
{
    const struct rig *rig = self;
    char byte;
    ssize_t n = read(rig->ends[0], &byte, 1);

    EXPECT(worker == 0 && n == 0);
}

static void rig_open(struct rig *rig, size_t memory)
{
    struct reader_options options = {.workers = 1, .wake = wait_for_end, .self = rig};
    struct reader *reader;
    struct err_info why;

    memset(rig, 0, sizeof(*rig));
    arena_init(&rig->arena, 0);
    EXPECT(pipe(rig->ends) == 0);
    EXPECT(reader_new(&reader, &options, &why) == ERR_OK);
    EXPECT(blocks_init(&rig->runner.blocks, &rig->arena, memory));
    rig->runner.worker = &rig->worker;
    rig->runner.options.reader = reader;
    EXPECT(runner_init_streams(&rig->runner, &rig->arena));
    rig->cut = (struct body_cut){.at = 2, .size = FILE_BYTES, .path = path, .name = path};
    rig->endpoint.runner = &rig->runner;
    rig->endpoint.cuts =
        (struct body_cuts){.list = &rig->cut, .count = 1, .bytes = FILE_BYTES, .text_len = 4};
}

static void let_reader_go(struct rig *rig)
{
    EXPECT(close(rig->ends[1]) == 0);
}

static void rig_close(struct rig *rig)
{
    reader_free(rig->runner.options.reader);
    EXPECT(close(rig->ends[0]) == 0);
    arena_release(&rig->arena);
}

static const struct conn_body *begin(struct rig *rig)
{
    struct stream *stream = runner_stream_new(&rig->endpoint, "a:b\n", 4);

    EXPECT(stream != NULL);
    return runner_stream_begin(stream, &rig->conn);
}

static void expect_piece(const struct conn_body *body, const char *data, uint64_t len)
{
    EXPECT(body->next(body->self) == CONN_MORE_PIECE && body->count == 1);
    EXPECT(body->spans[0].len == len && memcmp(body->spans[0].data, data, len) == 0);
}

/* Polls until the next piece of the file is there. */
static void expect_block(struct rig *rig, const struct conn_body *body, int index)
{
    static char block[STREAM_PIECE_BYTES];
    enum conn_more more;

    memset(block, 'a' + index, sizeof(block));
    while ((more = body->next(body->self)) == CONN_MORE_LATER) {
        (void)sched_yield();
        runner_streams_poll(&rig->runner);
    }
    EXPECT(more == CONN_MORE_PIECE && body->spans[0].len == sizeof(block));
    EXPECT(memcmp(body->spans[0].data, block, sizeof(block)) == 0);
}

static void expect_rest(struct rig *rig, const struct conn_body *body)
{
    for (int i = 0; i < FILE_BYTES / STREAM_PIECE_BYTES; i++) {
        expect_block(rig, body, i);
    }
    expect_piece(body, "b\n", 2);
    EXPECT(body->next(body->self) == CONN_MORE_NONE);
    body->over(body->self);
    EXPECT(rig->runner.blocks.bytes_used == 0 && rig->runner.streams.first == NULL);
}

static void test_stream_is_text_and_files_in_their_order(void)
{
    static struct rig rig;

    rig_open(&rig, 1 << 20);
    let_reader_go(&rig);
    for (int i = 0; i < 3; i++) {
        const struct conn_body *body = begin(&rig);

        expect_piece(body, "a:", 2);
        expect_rest(&rig, body);
    }
    rig_close(&rig);
}

static void test_stream_without_memory_is_none(void)
{
    static struct rig rig;

    rig_open(&rig, 100 * 1024);
    let_reader_go(&rig);
    EXPECT(runner_stream_new(&rig.endpoint, "a:b\n", 4) == NULL);
    EXPECT(rig.runner.streams.first == NULL);
    rig_close(&rig);
}

static bool ask_one(struct rig *rig, uint32_t index)
{
    asks[index] = (struct reader_ask){.kind = READER_FILE, .path = path, .fd = -1};
    return reader_ask(rig->runner.options.reader, 0, &asks[index]);
}

/* The reader is stuck behind an answer, and its desk full of what others ask. */
static void fill_desk(struct rig *rig)
{
    uint32_t posted = 1;

    EXPECT(ask_one(rig, 0));
    while (!reader_is_done(&asks[0])) {
        (void)sched_yield();
    }
    while (ask_one(rig, posted)) {
        posted++;
    }
    EXPECT(posted == READER_ASKS_MAX + 1);
}

static void test_stream_asks_again_when_the_reader_had_no_room(void)
{
    static struct rig rig;
    const struct conn_body *body;

    rig_open(&rig, 1 << 20);
    fill_desk(&rig);
    body = begin(&rig);
    expect_piece(body, "a:", 2);
    EXPECT(body->next(body->self) == CONN_MORE_LATER);
    runner_streams_poll(&rig.runner);
    EXPECT(body->next(body->self) == CONN_MORE_LATER);
    let_reader_go(&rig);
    expect_rest(&rig, body);
    rig_close(&rig);
    rig_open(&rig, 1 << 20); /* Given up before there was room. */
    fill_desk(&rig);
    body = begin(&rig);
    expect_piece(body, "a:", 2);
    body->over(body->self);
    EXPECT(rig.runner.blocks.bytes_used == 0 && rig.runner.streams.first == NULL);
    let_reader_go(&rig);
    rig_close(&rig);
}

static void test_stream_that_is_let_go_waits_for_the_reader(void)
{
    static struct rig rig;
    const struct conn_body *body;

    rig_open(&rig, 1 << 20);
    body = begin(&rig);
    expect_piece(body, "a:", 2);
    expect_block(&rig, body, 0); /* Another one is asked for; the reader is stuck before it. */
    body->over(body->self);
    EXPECT(rig.runner.blocks.bytes_used > 0);
    runner_streams_poll(&rig.runner);
    EXPECT(rig.runner.blocks.bytes_used > 0 && rig.runner.streams.first != NULL);
    let_reader_go(&rig);
    while (rig.runner.streams.first != NULL) {
        (void)sched_yield();
        runner_streams_poll(&rig.runner);
    }
    EXPECT(rig.runner.blocks.bytes_used == 0);
    rig_close(&rig);
}

static void test_stream_of_a_file_of_another_size_is_lost(void)
{
    static struct rig rig;
    const struct conn_body *body;
    enum conn_more more;

    rig_open(&rig, 1 << 20);
    let_reader_go(&rig);
    rig.cut.size = FILE_BYTES + 1;
    body = begin(&rig);
    expect_piece(body, "a:", 2);
    while ((more = body->next(body->self)) == CONN_MORE_LATER) {
        runner_streams_poll(&rig.runner);
    }
    EXPECT(more == CONN_MORE_LOST);
    EXPECT(body->next(body->self) == CONN_MORE_LOST);
    body->over(body->self);
    EXPECT(rig.runner.blocks.bytes_used == 0);
    rig_close(&rig);
}

int main(void)
{
    char block[4096];
    int fd, rc;

    EXPECT(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof(path), "%s/file", dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    EXPECT(fd >= 0);
    for (size_t at = 0; at < FILE_BYTES; at += sizeof(block)) {
        memset(block, (int)('a' + at / STREAM_PIECE_BYTES), sizeof(block));
        EXPECT(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
    }
    rc = close(fd);
    EXPECT(rc == 0);
    TEST(test_stream_is_text_and_files_in_their_order);
    TEST(test_stream_without_memory_is_none);
    TEST(test_stream_asks_again_when_the_reader_had_no_room);
    TEST(test_stream_that_is_let_go_waits_for_the_reader);
    TEST(test_stream_of_a_file_of_another_size_is_lost);
    EXPECT(unlink(path) == 0 && rmdir(dir) == 0);
    return 0;
}
