#include "core/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/mailbox.h"
#include "io/wake.h"

/* A worker's asks on their way to the reader. */
struct desk {
    struct mailbox box; /* Its worker posts pointers to struct reader_ask. */
    struct mail slots[READER_ASKS_MAX];
};

struct reader {
    struct arena arena; /* Holds this struct. */
    struct reader_options options;
    struct desk *desks; /* [options.workers] */
    int ask_fd;         /* Eventfd: something is on a desk, or the end has come. */
    pthread_t thread;
    _Atomic uint32_t ending; /* Engine's. */
};

/* Reads until all is there or the file ends. */
static int32_t read_all(const struct reader_ask *ask)
{
    uint32_t got = 0;

    while (got < ask->len) {
        ssize_t rc = pread(ask->fd, ask->to + got, ask->len - got, (off_t)(ask->offset + got));

        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0) return got > 0 ? (int32_t)got : -errno;
        if (rc == 0) break;
        got += (uint32_t)rc;
    }
    return (int32_t)got;
}

/* Reads a file from its beginning; how many bytes it has, or -errno. */
static int32_t read_whole(const struct reader_ask *ask, int fd)
{
    struct reader_ask all = *ask;
    struct stat facts;
    int32_t got;
    char more;

    if (fstat(fd, &facts) != 0) return -errno;
    if (!S_ISREG(facts.st_mode)) return S_ISDIR(facts.st_mode) ? -EISDIR : -EINVAL;
    all.fd = fd;
    all.offset = 0;
    got = read_all(&all);
    if (got == (int32_t)ask->len && pread(fd, &more, 1, got) == 1) return -EFBIG;
    return got;
}

void reader_read_file(struct reader_ask *ask)
{
    int fd = open(ask->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    ask->got = fd < 0 ? -errno : read_whole(ask, fd);
    if (fd >= 0) (void)close(fd);
    store_release(&ask->done, 1);
}

/* Reads what one worker asked for; true if it asked for anything. */
static bool serve(struct reader *reader, uint32_t worker)
{
    struct mail mail;
    bool any = false;

    while (!load_acquire(&reader->ending) && mailbox_take(&reader->desks[worker].box, &mail)) {
        uintptr_t address = mail.value;
        struct reader_ask *ask;

        memcpy(&ask, &address, sizeof(address)); /* As reader_ask() posted it. */

        if (ask->path != NULL) {
            reader_read_file(ask);
        } else {
            ask->got = read_all(ask);
            store_release(&ask->done, 1);
        }
        reader->options.wake(reader->options.self, worker);
        any = true;
    }
    return any;
}

static void *reader_main(void *arg)
{
    struct reader *reader = arg;

    while (!load_acquire(&reader->ending)) {
        bool any = false;

        wake_clear(reader->ask_fd); /* Blocks until there is something. */
        do {
            any = false;
            for (uint32_t i = 0; i < reader->options.workers; i++) {
                any |= serve(reader, i);
            }
        } while (any);
    }
    return NULL;
}

static void release(struct reader *reader)
{
    struct arena arena = reader->arena;

    if (reader->ask_fd >= 0) (void)close(reader->ask_fd);
    arena_release(&arena);
}

enum err reader_new(struct reader **ret_reader, const struct reader_options *options,
                    struct err_info *why)
{
    struct arena arena;
    struct reader *reader;
    int rc = 0;

    arena_init(&arena, 0);
    reader = arena_alloc(&arena, sizeof(*reader), CACHE_LINE);
    if (reader == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the reader");
    reader->options = *options;
    reader->desks = arena_array(&arena, options->workers, sizeof(struct desk));
    reader->arena = arena;
    reader->ask_fd = eventfd(0, EFD_CLOEXEC);
    if (reader->desks == NULL || reader->ask_fd < 0) {
        enum err err = reader->desks == NULL
                           ? err_set(why, ERR_MEMORY, ENOMEM, "no memory for the reader")
                           : err_set(why, ERR_LIMIT, errno, "eventfd: %s; raise 'ulimit -n'",
                                     err_errno_name(errno));
        release(reader);
        return err;
    }
    for (uint32_t i = 0; i < options->workers; i++) {
        mailbox_init(&reader->desks[i].box, reader->desks[i].slots, READER_ASKS_MAX);
    }
    rc = pthread_create(&reader->thread, NULL, reader_main, reader);
    if (rc != 0) {
        release(reader);
        return err_set(why, ERR_LIMIT, rc, "cannot start the reader: %s; see ulimit -u",
                       err_errno_name(rc));
    }
    *ret_reader = reader;
    return ERR_OK;
}

void reader_free(struct reader *reader)
{
    if (reader == NULL) return;
    store_release(&reader->ending, 1);
    wake_post(reader->ask_fd);
    (void)pthread_join(reader->thread, NULL);
    release(reader);
}

bool reader_ask(struct reader *reader, uint32_t worker, struct reader_ask *ask)
{
    struct mail mail = {.kind = 1, .value = (uintptr_t)ask};

    CHECK(worker < reader->options.workers);
    store_relaxed(&ask->done, 0); /* The mailbox's release publishes it with the rest. */
    if (!mailbox_post(&reader->desks[worker].box, mail)) return false;
    wake_post(reader->ask_fd);
    return true;
}
