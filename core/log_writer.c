#include "core/log_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "io/wake.h"

enum {
    PIECES_MAX = 256,     /* Lines in one call. */
    FILE_BYTES = 1 << 20, /* Of a file in one call. */
    PAUSE_MS = 10,        /* Workers do not wake the thread: it looks for itself. */
};

/* Lines to be written. */
struct batch {
    struct iovec pieces[PIECES_MAX];
    uint32_t loggers[PIECES_MAX];
    uint32_t count;
};

struct log_writer {
    struct arena arena; /* Holds this struct. */
    struct log_writer_options options;
    struct batch batch; /* The thread's. */
    size_t bytes_max;   /* In one call. */
    bool waits;         /* Only what there is room for is written. */
    bool started;
    int wake_fd;
    pthread_t thread;
    _Atomic int error;      /* The thread's. */
    _Atomic bool done;      /* The thread's; release publishes the counts. */
    _Atomic bool ending;    /* The ender's. */
    _Atomic bool giving_up; /* The ender's. */
};

/* Waits for room; false when it gives up. Hang-ups and errors count as room: the write tells. */
static bool wait_for_room(struct log_writer *writer)
{
    struct pollfd fds[] = {{.fd = writer->options.fd, .events = POLLOUT},
                           {.fd = writer->wake_fd, .events = POLLIN}};

    for (;;) {
        /* Looked at before each wait: the wake that came with it may have been taken already. */
        bool giving_up = load_acquire(&writer->giving_up);
        int ready = poll(fds, COUNT(fds), giving_up ? 0 : -1);

        if (ready > 0 && fds[0].revents != 0) return true;
        if (giving_up) return false;
        if (ready > 0) wake_clear(writer->wake_fd);
    }
}

/* How many of the pieces go into one call; the first one is cut if it is too long for one. */
static uint32_t choose(const struct log_writer *writer, struct iovec *pieces, uint32_t count)
{
    size_t bytes = 0;
    uint32_t n = 0;

    while (n < count && bytes + pieces[n].iov_len <= writer->bytes_max) {
        bytes += pieces[n++].iov_len;
    }
    return n;
}

/* Writes the first of some pieces, or a part of it, and as many more as fit. Bytes, or -errno. */
static ssize_t write_some(struct log_writer *writer, struct iovec *pieces, uint32_t count)
{
    uint32_t n = choose(writer, pieces, count);
    int fd = writer->options.fd;
    ssize_t rc;

    if (writer->waits && !wait_for_room(writer)) return -ECANCELED;
    rc = n > 0 ? writev(fd, pieces, (int)n) : write(fd, pieces[0].iov_base, writer->bytes_max);
    if (rc > 0) return rc;
    if (rc < 0 && (errno == EINTR || (errno == EAGAIN && writer->waits))) return 0;
    return rc == 0 ? -EIO : -errno;
}

/* Writes all lines of the batch, or loses them. */
static void write_batch(struct log_writer *writer)
{
    struct batch *batch = &writer->batch;
    struct log_written *counts = writer->options.counts;
    uint32_t at = 0;

    while (at < batch->count && load_relaxed(&writer->error) == 0) {
        ssize_t rc = write_some(writer, batch->pieces + at, batch->count - at);
        size_t left = rc > 0 ? (size_t)rc : 0;

        if (rc < 0) store_release(&writer->error, (int)-rc);
        while (at < batch->count && left >= batch->pieces[at].iov_len) {
            left -= batch->pieces[at].iov_len;
            counts[batch->loggers[at++]].written++;
        }
        if (left == 0) continue;
        batch->pieces[at].iov_base = (char *)batch->pieces[at].iov_base + left;
        batch->pieces[at].iov_len -= left;
    }
    while (at < batch->count) {
        counts[batch->loggers[at++]].lost++;
    }
}

/* Writes what there is of a ring, up to a batch; false when there was nothing. */
static bool serve(struct log_writer *writer, struct log_ring *ring)
{
    struct batch *batch = &writer->batch;
    uint64_t at = log_ring_begin(ring);
    const struct log_record *record;

    batch->count = 0;
    while (batch->count < PIECES_MAX && (record = log_ring_read(ring, &at)) != NULL) {
        /* writev() does not write there; the rings are not const. */
        batch->pieces[batch->count] = (struct iovec){
            .iov_base = ring->bytes + ((const char *)(record + 1) - ring->bytes),
            .iov_len = record->bytes,
        };
        batch->loggers[batch->count++] = record->logger;
    }
    if (batch->count == 0) return false;
    write_batch(writer);
    log_ring_free(ring, at);
    return true;
}

static void *writer_main(void *arg)
{
    struct log_writer *writer = arg;
    struct pollfd wake = {.fd = writer->wake_fd, .events = POLLIN};
    bool ending;

    do {
        bool any;

        ending = load_acquire(&writer->ending);
        do {
            any = false;
            for (uint32_t i = 0; i < writer->options.rings_count; i++) {
                any |= serve(writer, writer->options.rings[i]);
            }
        } while (any);
        if (!ending && poll(&wake, 1, PAUSE_MS) > 0) wake_clear(writer->wake_fd);
    } while (!ending);
    store_release(&writer->done, true);
    return NULL;
}

enum err log_writer_new(struct log_writer **ret_writer, const struct log_writer_options *options,
                        struct err_info *why)
{
    struct arena arena;
    struct log_writer *writer;
    struct stat stat;
    int rc;

    arena_init(&arena, 0);
    writer = arena_alloc(&arena, sizeof(*writer), CACHE_LINE);
    if (writer == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write logs");
    writer->arena = arena;
    writer->options = *options;
    writer->waits = fstat(options->fd, &stat) != 0 || !S_ISREG(stat.st_mode);
    writer->bytes_max = writer->waits ? PIPE_BUF : FILE_BYTES;
    writer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = writer->wake_fd < 0 ? errno : 0;
    if (rc == 0) rc = pthread_create(&writer->thread, NULL, writer_main, writer);
    writer->started = rc == 0;
    if (writer->started) {
        *ret_writer = writer;
        return ERR_OK;
    }
    log_writer_free(writer);
    return err_set(why, ERR_LIMIT, rc, "cannot start a thread for logs: %s; see ulimit -u",
                   err_errno_name(rc));
}

void log_writer_end(struct log_writer *writer)
{
    store_release(&writer->ending, true);
    wake_post(writer->wake_fd);
}

void log_writer_give_up(struct log_writer *writer)
{
    store_release(&writer->giving_up, true);
    wake_post(writer->wake_fd);
}

bool log_writer_is_done(const struct log_writer *writer)
{
    return load_acquire(&writer->done);
}

int log_writer_error(const struct log_writer *writer)
{
    return load_acquire(&writer->error);
}

void log_writer_free(struct log_writer *writer)
{
    struct arena arena;

    if (writer == NULL) return;
    if (writer->started) {
        log_writer_end(writer);
        log_writer_give_up(writer);
        (void)pthread_join(writer->thread, NULL);
    }
    if (writer->wake_fd >= 0) (void)close(writer->wake_fd);
    arena = writer->arena;
    arena_release(&arena);
}
