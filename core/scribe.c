#include "core/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/mailbox.h"
#include "io/wake.h"

enum { SLOTS = 64, LINE_BYTES = 256 };

enum ask { ASK_RESOLVE = 1, ASK_SAY, ASK_END };

struct scribe {
    struct arena arena; /* Holds this struct. */
    pthread_t thread;
    int ask_fd;             /* Eventfd: something is in `asks`. */
    int notify_fd;          /* Borrowed. */
    struct mailbox asks;    /* Coordinator posts; value of ASK_SAY: index of the line. */
    struct mailbox answers; /* Scribe posts. */
    struct mail asks_slots[SLOTS];
    struct mail answers_slots[SLOTS];
    /* Each belongs to the side whose turn the mailboxes say it is. */
    char lines[SLOTS][LINE_BYTES];
    uint32_t line_next; /* Coordinator's. */
    const char *host, *service;
    enum err resolve_err;
    struct addresses addresses;
    struct err_info why;
    _Atomic uint32_t owners; /* Who still uses this struct: starter and thread; the last frees. */
};

static void drop(struct scribe *scribe)
{
    struct arena arena;

    if (atomic_fetch_sub_explicit(&scribe->owners, 1, memory_order_acq_rel) != 1) return;
    if (scribe->ask_fd >= 0) (void)close(scribe->ask_fd);
    arena = scribe->arena;
    arena_release(&arena);
}

static void write_line(const char *line)
{
    size_t len = strlen(line);
    ssize_t rc = write(STDERR_FILENO, line, len);

    (void)rc; /* A closed stderr does not stop a run. */
}

static void answer_resolve(struct scribe *scribe)
{
    scribe->resolve_err = resolve(scribe->host, scribe->service, &scribe->addresses, &scribe->why);
    if (!mailbox_post(&scribe->answers, (struct mail){.kind = ASK_RESOLVE})) {
        CHECK(!"one question at a time");
    }
    wake_post(scribe->notify_fd);
}

static void *scribe_main(void *arg)
{
    struct scribe *scribe = arg;
    bool running = true;

    while (running) {
        struct mail mail;

        wake_clear(scribe->ask_fd); /* Blocks until there is something. */
        while (running && mailbox_take(&scribe->asks, &mail)) {
            switch ((enum ask)mail.kind) {
            case ASK_RESOLVE: answer_resolve(scribe); break;
            case ASK_SAY: write_line(scribe->lines[mail.value]); break;
            case ASK_END: running = false; break;
            }
        }
    }
    drop(scribe);
    return NULL;
}

enum err scribe_new(struct scribe **ret_scribe, int notify_fd, struct err_info *why)
{
    struct arena arena;
    struct scribe *scribe;
    int rc;

    arena_init(&arena, 0);
    scribe = arena_alloc(&arena, sizeof(*scribe), CACHE_LINE);
    if (scribe == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the scribe");
    scribe->arena = arena;
    scribe->notify_fd = notify_fd;
    mailbox_init(&scribe->asks, scribe->asks_slots, SLOTS);
    mailbox_init(&scribe->answers, scribe->answers_slots, SLOTS);
    scribe->ask_fd = eventfd(0, EFD_CLOEXEC);
    rc = scribe->ask_fd < 0 ? errno : 0;
    atomic_store_explicit(&scribe->owners, 2, memory_order_relaxed);
    if (rc == 0) rc = pthread_create(&scribe->thread, NULL, scribe_main, scribe);
    if (rc != 0) {
        atomic_store_explicit(&scribe->owners, 1, memory_order_relaxed);
        drop(scribe);
        return err_set(why, ERR_LIMIT, rc, "cannot start a thread: %s", err_errno_name(rc));
    }
    *ret_scribe = scribe;
    return ERR_OK;
}

static bool ask(struct scribe *scribe, enum ask kind, uint64_t value)
{
    bool posted = mailbox_post(&scribe->asks, (struct mail){.kind = kind, .value = value});

    if (posted) wake_post(scribe->ask_fd);
    return posted;
}

/* Whether a resolve has been asked for and not been answered: then the thread may be stuck. */
static bool is_resolving(const struct scribe *scribe)
{
    return scribe->host != NULL;
}

void scribe_free(struct scribe *scribe)
{
    pthread_t thread;
    bool joinable;

    if (scribe == NULL) return;
    thread = scribe->thread;
    joinable = !is_resolving(scribe);
    while (!ask(scribe, ASK_END, 0)) { /* Full: it has lines to write and will get there. */
        (void)usleep(1000);
    }
    if (joinable) {
        (void)pthread_join(thread, NULL);
    } else {
        (void)pthread_detach(thread);
    }
    drop(scribe);
}

void scribe_resolve(struct scribe *scribe, const char *host, const char *service)
{
    CHECK(!is_resolving(scribe));
    scribe->host = host;
    scribe->service = service;
    if (!ask(scribe, ASK_RESOLVE, 0)) CHECK(!"the first question finds room");
}

bool scribe_resolved(struct scribe *scribe, enum err *ret_err, struct addresses *ret_addresses,
                     struct err_info *ret_why)
{
    struct mail mail;

    if (!mailbox_take(&scribe->answers, &mail)) return false;
    scribe->host = NULL;
    *ret_err = scribe->resolve_err;
    if (scribe->resolve_err == ERR_OK) {
        *ret_addresses = scribe->addresses;
    } else {
        *ret_why = scribe->why;
    }
    return true;
}

void scribe_say(struct scribe *scribe, const char *format, ...)
{
    char *line = scribe->lines[scribe->line_next];
    va_list args;
    uint32_t used =
        load_relaxed(&scribe->asks.shared.posted) - load_acquire(&scribe->asks.shared.taken);

    if (used >= SLOTS - 1) return; /* The line might still be in use, and ASK_END needs room. */
    va_start(args, format);
    (void)vsnprintf(line, LINE_BYTES - 1, format, args);
    va_end(args);
    memcpy(line + strlen(line), "\n", 2);
    if (ask(scribe, ASK_SAY, scribe->line_next)) {
        scribe->line_next = (scribe->line_next + 1) % SLOTS;
    }
}
