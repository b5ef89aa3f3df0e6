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

/* Opens the file at ask->path: 0 or -errno. FIFOs and devices do not block this. */
static int32_t open_file(struct reader_ask *ask)
{
    ask->fd = open(ask->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return ask->fd < 0 ? -errno : 0;
}

static void close_file(struct reader_ask *ask)
{
    if (ask->fd >= 0) (void)close(ask->fd);
    ask->fd = -1;
}

/* How many bytes a regular file has now: 0 or -errno. */
static int32_t measure(int fd, uint64_t *ret_size)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0) return -errno;
    if (!S_ISREG(facts.st_mode)) return S_ISDIR(facts.st_mode) ? -EISDIR : -EINVAL;
    *ret_size = (uint64_t)facts.st_size;
    return 0;
}

static int32_t read_file(struct reader_ask *ask)
{
    int32_t got = open_file(ask);
    char more;

    ask->offset = 0;
    if (got == 0) got = measure(ask->fd, &ask->size);
    if (got == 0) got = ask->size > ask->len ? -EFBIG : read_all(ask);
    /* It may have grown meanwhile; what there is of it now is as good. */
    if (got >= 0 && (uint32_t)got == ask->len && pread(ask->fd, &more, 1, got) == 1) {
        got = measure(ask->fd, &ask->size);
        if (got == 0) got = -EFBIG;
    }
    if (got >= 0) ask->size = (uint64_t)got;
    close_file(ask);
    return got;
}

static int32_t read_part(struct reader_ask *ask)
{
    int32_t got = ask->fd < 0 ? open_file(ask) : 0;
    uint64_t size = 0;

    if (got == 0) got = read_all(ask);
    if (got >= 0) {
        /* Measured after it was read: so the bytes are those of a file of this size. */
        int32_t rc = measure(ask->fd, &size);

        if (rc < 0) got = rc;
        if (rc == 0 && (size != ask->size || (uint32_t)got != ask->len)) got = -ESTALE;
    }
    if (got < 0 || ask->offset + ask->len == ask->size) close_file(ask);
    return got;
}

void reader_run(struct reader_ask *ask)
{
    switch (ask->kind) {
    case READER_STRETCH: ask->got = read_all(ask); break;
    case READER_FILE: ask->got = read_file(ask); break;
    case READER_PART: ask->got = read_part(ask); break;
    }
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

        reader_run(ask);
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
