/* What the reader promises besides what feeds ask of it: files that are read whole if they are
 * small, files that are read in parts and must have the size they are said to have, and asks that
 * it has no room for. */
#include "core/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static char dir[] = "/tmp/pelt-test-reader-XXXXXX";
static char path[64];
static char bytes[64];

static void write_file(const char *data)
{
    size_t len = strlen(data);
    int fd, rc;

    (void)snprintf(path, sizeof(path), "%s/file", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT(fd >= 0);
    EXPECT(write(fd, data, len) == (ssize_t)len);
    rc = close(fd);
    EXPECT(rc == 0);
}

static void test_reader_reads_small_files_whole_and_measures_large_ones(void)
{
    static const struct {
        const char *name, *data;
        uint32_t len;
        int32_t got;
    } rows[] = {
        {"empty", "", 0, 0},
        {"empty, with room", "", 5, 0},
        {"fits", "abcde", 5, 5},
        {"has room to spare", "abcde", 9, 5},
        {"too large", "abcde", 4, -EFBIG},
        {"no room at all", "a", 0, -EFBIG},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reader_ask ask = {
            .kind = READER_FILE, .path = path, .fd = -1, .to = bytes, .len = rows[i].len};

        write_file(rows[i].data);
        reader_run(&ask);
        EXPECT(reader_is_done(&ask) && ask.got == rows[i].got && ask.fd == -1);
        EXPECT(ask.size == strlen(rows[i].data));
        if (ask.got > 0) EXPECT(memcmp(bytes, rows[i].data, (size_t)ask.got) == 0);
    }
}

static void test_reader_refuses_what_is_no_file(void)
{
    struct reader_ask ask = {.kind = READER_FILE, .path = dir, .fd = -1, .to = bytes, .len = 9};
    struct reader_ask part = {
        .kind = READER_PART, .path = dir, .fd = -1, .to = bytes, .len = 9, .size = 9};
    char fifo[64];

    reader_run(&ask);
    EXPECT(ask.got == -EISDIR && ask.fd == -1);
    reader_run(&part);
    EXPECT(part.got == -EISDIR && part.fd == -1);
    (void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    EXPECT(mkfifo(fifo, 0600) == 0);
    ask.path = part.path = fifo;
    reader_run(&ask);
    EXPECT(ask.got == -EINVAL && ask.fd == -1);
    reader_run(&part);
    EXPECT(part.got < 0 && part.fd == -1);
    EXPECT(unlink(fifo) == 0);
    ask.path = part.path = fifo;
    reader_run(&ask);
    EXPECT(ask.got == -ENOENT);
    reader_run(&part);
    EXPECT(part.got == -ENOENT && part.fd == -1);
}

static void test_reader_reads_parts_of_a_file_that_keeps_its_size(void)
{
    struct reader_ask ask = {
        .kind = READER_PART, .path = path, .fd = -1, .to = bytes, .len = 4, .size = 10};

    write_file("0123456789");
    reader_run(&ask);
    EXPECT(ask.got == 4 && ask.fd >= 0 && memcmp(bytes, "0123", 4) == 0);
    /* It is open: another one of its name is not it. */
    EXPECT(unlink(path) == 0);
    write_file("x");
    ask.offset = 4;
    reader_run(&ask);
    EXPECT(ask.got == 4 && ask.fd >= 0 && memcmp(bytes, "4567", 4) == 0);
    ask.offset = 8;
    ask.len = 2;
    reader_run(&ask);
    EXPECT(ask.got == 2 && ask.fd == -1 && memcmp(bytes, "89", 2) == 0);
}

static void test_reader_knows_a_file_of_another_size(void)
{
    static const off_t sizes[] = {0, 3, 4, 9, 11, 4096};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct reader_ask ask = {
            .kind = READER_PART, .path = path, .fd = -1, .to = bytes, .len = 4, .size = 10};

        write_file("0123456789");
        EXPECT(truncate(path, sizes[i]) == 0);
        reader_run(&ask); /* From the start … */
        EXPECT(ask.got == -ESTALE && ask.fd == -1);
        write_file("0123456789");
        reader_run(&ask);
        EXPECT(ask.got == 4 && ask.fd >= 0);
        EXPECT(truncate(path, sizes[i]) == 0);
        ask.offset = 4;
        reader_run(&ask); /* … and while it is read. */
        EXPECT(ask.got == -ESTALE && ask.fd == -1);
    }
}

/* Does not return before the pipe has no writer any more. */
static void wait_for_end(void *self, uint32_t worker)
{
    const int *ends = self;
    char byte;
    ssize_t n = read(ends[0], &byte, 1);

    EXPECT(worker == 0 && n == 0);
}

static struct reader_ask asks[READER_ASKS_MAX + 2];

static void test_reader_says_when_it_has_no_room(void)
{
    int ends[2];
    struct reader_options options = {.workers = 1, .wake = wait_for_end, .self = ends};
    struct reader *reader;
    struct err_info why;
    uint32_t posted = 0;

    EXPECT(pipe(ends) == 0);
    EXPECT(reader_new(&reader, &options, &why) == ERR_OK);
    write_file("0123456789");
    while (posted < COUNT(asks)) {
        asks[posted] = (struct reader_ask){
            .kind = READER_FILE, .path = path, .fd = -1, .to = bytes, .len = sizeof(bytes)};
        if (!reader_ask(reader, 0, &asks[posted])) break;
        posted++;
    }
    /* It holds one at most, and its desk the others. */
    EXPECT(posted >= READER_ASKS_MAX && posted < COUNT(asks));
    EXPECT(close(ends[1]) == 0);
    for (uint32_t i = 0; i < posted; i++) {
        while (!reader_is_done(&asks[i])) {
            (void)sched_yield();
        }
        EXPECT(asks[i].got == 10);
    }
    reader_free(reader);
    EXPECT(close(ends[0]) == 0);
}

int main(void)
{
    EXPECT(mkdtemp(dir) != NULL);
    TEST(test_reader_reads_small_files_whole_and_measures_large_ones);
    TEST(test_reader_refuses_what_is_no_file);
    TEST(test_reader_reads_parts_of_a_file_that_keeps_its_size);
    TEST(test_reader_knows_a_file_of_another_size);
    TEST(test_reader_says_when_it_has_no_room);
    EXPECT(unlink(path) == 0 && rmdir(dir) == 0);
    return 0;
}
