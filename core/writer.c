#include "core/writer.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/check.h"
#include "io/wake.h"

struct file {
    char *ring;    /* [size]; byte i belongs to the side whose turn it is. */
    uint64_t size; /* A power of two: indexes wrap by a mask. */
    int fd;
    bool begun; /* Writer's. It has been cut to nothing. */
    int error;  /* Writer's; read after the join. */
    struct {
        _Alignas(CACHE_LINE) _Atomic uint64_t added;   /* Owner's; release hands the bytes over. */
        _Alignas(CACHE_LINE) _Atomic uint64_t written; /* Writer's; release gives room back. */
    } shared;
};

struct writer {
    struct arena arena; /* Holds this struct. */
    struct file files[WRITER_FILES_MAX];
    pthread_t thread;
    int wake_fd;
    bool started;
    _Atomic bool ending; /* Owner's; no byte is added after it. */
};

/* Writes what is there of a file, as far as it lies in one piece; false when nothing was. */
static bool write_some(struct file *file)
{
    uint64_t written = load_relaxed(&file->shared.written);
    uint64_t len = load_acquire(&file->shared.added) - written;
    uint64_t at = written & (file->size - 1);
    ssize_t n;

    if (len == 0) return false;
    if (!file->begun && file->error == 0 && ftruncate(file->fd, 0) != 0 && errno != EINVAL) {
        file->error = errno; /* What cannot be cut, a pipe or a device, is written as it is. */
    }
    file->begun = true;
    if (file->error == 0) {
        len = min_u64(len, file->size - at);
        n = write(file->fd, file->ring + at, len);
        if (n < 0 && errno == EINTR) return true;
        if (n <= 0) file->error = n < 0 ? errno : EIO;
        if (n > 0) len = (uint64_t)n;
    }
    store_release(&file->shared.written, written + len);
    return true;
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;
    bool ending;

    do {
        bool busy = true;

        wake_clear(writer->wake_fd); /* Blocks until there is something. */
        ending = load_acquire(&writer->ending);
        while (busy) {
            busy = false;
            for (uint32_t i = 0; i < WRITER_FILES_MAX; i++) {
                if (writer->files[i].fd >= 0 && write_some(&writer->files[i])) busy = true;
            }
        }
    } while (!ending);
    return NULL;
}

enum err writer_new(struct writer **ret_writer, const int *fds, uint64_t ring_bytes,
                    struct err_info *why)
{
    struct arena arena;
    struct writer *writer;
    bool memory = true;
    int rc;

    CHECK(ring_bytes > 0 && (ring_bytes & (ring_bytes - 1)) == 0);
    arena_init(&arena, 0);
    writer = arena_alloc(&arena, sizeof(*writer), CACHE_LINE);
    if (writer == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write files");
    for (uint32_t i = 0; i < WRITER_FILES_MAX; i++) {
        struct file *file = &writer->files[i];

        file->fd = fds[i];
        if (file->fd < 0) continue;
        file->begun = file->fd <= STDERR_FILENO; /* What others write there too is never cut. */
        file->size = ring_bytes;
        file->ring = arena_array(&arena, ring_bytes, 1);
        if (file->ring == NULL) memory = false;
    }
    writer->arena = arena;
    writer->wake_fd = eventfd(0, EFD_CLOEXEC);
    rc = writer->wake_fd < 0 ? errno : 0;
    if (rc == 0 && memory) rc = pthread_create(&writer->thread, NULL, writer_main, writer);
    writer->started = rc == 0 && memory;
    if (writer->started) {
        *ret_writer = writer;
        return ERR_OK;
    }
    writer_free(writer);
    if (!memory) return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write files");
    return err_set(why, ERR_LIMIT, rc, "cannot start a thread: %s", err_errno_name(rc));
}

bool writer_add(struct writer *writer, uint32_t file_index, const char *data, size_t len)
{
    struct file *file = &writer->files[file_index];
    uint64_t added = load_relaxed(&file->shared.added);
    uint64_t room = file->size - (added - load_acquire(&file->shared.written));
    uint64_t at = added & (file->size - 1);
    size_t first = min_u64(len, file->size - at);

    CHECK(file_index < WRITER_FILES_MAX);
    CHECK(file->fd >= 0);
    CHECK(!load_relaxed(&writer->ending));
    if (len > room) return false;
    memcpy(file->ring + at, data, first);
    memcpy(file->ring, data + first, len - first);
    store_release(&file->shared.added, added + len);
    wake_post(writer->wake_fd);
    return true;
}

void writer_end(struct writer *writer)
{
    int rc;

    CHECK(writer->started);
    store_release(&writer->ending, true);
    wake_post(writer->wake_fd);
    rc = pthread_join(writer->thread, NULL);
    CHECK(rc == 0);
    writer->started = false;
}

int writer_error(const struct writer *writer, uint32_t file)
{
    CHECK(!writer->started);
    CHECK(file < WRITER_FILES_MAX);
    return writer->files[file].error;
}

void writer_free(struct writer *writer)
{
    struct arena arena;

    if (writer == NULL) return;
    if (writer->started) writer_end(writer);
    if (writer->wake_fd >= 0) (void)close(writer->wake_fd);
    arena = writer->arena;
    arena_release(&arena);
}
