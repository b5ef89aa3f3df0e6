/* What the writer of growing files promises: every byte in order, whole pieces or none, and of a
 * file that fails the first error, while the other is written on. */
#include "core/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

enum { RING_BYTES = 1 << 20 };

static int new_file(char *path)
{
    int fd;

    (void)snprintf(path, 64, "/tmp/test_writer.XXXXXX");
    fd = mkstemp(path);
    EXPECT(fd >= 0);
    return fd;
}

static void test_writer_writes_all_in_order(void)
{
    int fds[WRITER_FILES_MAX] = {-1, -1};
    struct writer *writer;
    struct err_info why;
    char path[64], piece[1000], *back;
    size_t pieces = 5000, refused = 0;
    struct stat stat;

    fds[1] = new_file(path);
    EXPECT(write(fds[1], "what was there before", 21) == 21);
    EXPECT(lseek(fds[1], 0, SEEK_SET) == 0);
    EXPECT(writer_new(&writer, fds, RING_BYTES, &why) == ERR_OK);
    for (size_t i = 0; i < pieces; i++) {
        memset(piece, 'a' + (int)(i % 26), sizeof(piece));
        while (!writer_add(writer, 1, piece, sizeof(piece))) {
            refused++; /* It is behind; nothing of the piece is in. */
            (void)usleep(100);
        }
    }
    writer_end(writer);
    EXPECT(writer_error(writer, 1) == 0);
    writer_free(writer);
    printf("refused %zu times\n", refused);
    EXPECT(fstat(fds[1], &stat) == 0);
    EXPECT((size_t)stat.st_size == pieces * sizeof(piece));
    back = malloc(pieces * sizeof(piece));
    EXPECT(back != NULL);
    EXPECT((size_t)pread(fds[1], back, pieces * sizeof(piece), 0) == pieces * sizeof(piece));
    for (size_t i = 0; i < pieces * sizeof(piece); i++) {
        EXPECT(back[i] == 'a' + (char)(i / sizeof(piece) % 26));
    }
    free(back);
    EXPECT(close(fds[1]) == 0 && unlink(path) == 0);
}

static void test_writer_leaves_a_file_alone_that_gets_nothing(void)
{
    int fds[WRITER_FILES_MAX] = {-1, -1};
    struct writer *writer;
    struct err_info why;
    struct stat stat;
    char path[64];

    fds[0] = new_file(path);
    EXPECT(write(fds[0], "kept", 4) == 4);
    EXPECT(writer_new(&writer, fds, RING_BYTES, &why) == ERR_OK);
    writer_free(writer);
    EXPECT(fstat(fds[0], &stat) == 0);
    EXPECT(stat.st_size == 4);
    EXPECT(close(fds[0]) == 0 && unlink(path) == 0);
}

static void test_writer_tells_the_first_error_and_goes_on_with_the_other(void)
{
    int fds[WRITER_FILES_MAX] = {-1, -1};
    static char piece[RING_BYTES];
    struct writer *writer;
    struct err_info why;
    struct stat stat;
    char path[64];

    fds[0] = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fds[0] < 0) return;
    fds[1] = new_file(path);
    EXPECT(writer_new(&writer, fds, RING_BYTES, &why) == ERR_OK);
    for (int i = 0; i < 5; i++) {
        while (!writer_add(writer, 0, piece, sizeof(piece))) {
            (void)usleep(100); /* What cannot be written does not stay in the way. */
        }
        EXPECT(writer_add(writer, 1, "line\n", 5));
    }
    writer_end(writer);
    EXPECT(writer_error(writer, 0) == ENOSPC);
    EXPECT(writer_error(writer, 1) == 0);
    writer_free(writer);
    EXPECT(fstat(fds[1], &stat) == 0);
    EXPECT(stat.st_size == 25);
    EXPECT(close(fds[0]) == 0 && close(fds[1]) == 0 && unlink(path) == 0);
}

/* A reader that takes nothing: the writer is stuck in a pipe, and its ring fills. */
static void test_writer_refuses_whole_pieces_when_it_is_behind(void)
{
    int fds[WRITER_FILES_MAX] = {-1, -1}, ends[2];
    static char piece[64 * 1024];
    struct writer *writer;
    struct err_info why;
    size_t added = 0, taken = 0;
    ssize_t n;

    EXPECT(pipe(ends) == 0);
    fds[0] = ends[1];
    EXPECT(writer_new(&writer, fds, RING_BYTES, &why) == ERR_OK);
    while (writer_add(writer, 0, piece, sizeof(piece))) {
        added += sizeof(piece);
        EXPECT(added <= 4 * RING_BYTES);
    }
    EXPECT(added >= RING_BYTES);
    while (taken < added && (n = read(ends[0], piece, sizeof(piece))) > 0) {
        taken += (size_t)n;
    }
    EXPECT(taken == added);
    writer_end(writer);
    EXPECT(writer_error(writer, 0) == 0);
    writer_free(writer);
    EXPECT(close(ends[0]) == 0 && close(ends[1]) == 0);
}

int main(void)
{
    TEST(test_writer_writes_all_in_order);
    TEST(test_writer_leaves_a_file_alone_that_gets_nothing);
    TEST(test_writer_tells_the_first_error_and_goes_on_with_the_other);
    TEST(test_writer_refuses_whole_pieces_when_it_is_behind);
    writer_free(NULL);
    return 0;
}
