#include "core/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/mailbox.h"
#include "core/run_json.h"
#include "io/wake.h"

enum { SLOTS = 64, LINE_BYTES = 256, COLUMNS_ASSUMED = 80, HOST_BYTES = 512, SERVICE_BYTES = 16 };

enum ask { ASK_RESOLVE = 1, ASK_SAY, ASK_LIVE, ASK_FLUSH, ASK_END };

/* What is to be written: a line, or the figures of a live line. */
union words {
    char line[LINE_BYTES];
    struct live live;
};

struct scribe {
    struct mailbox asks;    /* Coordinator posts; value of ASK_SAY, ASK_LIVE: index of words. */
    struct mailbox answers; /* Scribe posts. */
    struct arena arena;     /* Holds this struct. */
    pthread_t thread;
    int ask_fd;    /* Eventfd: something is in `asks`. */
    int notify_fd; /* Borrowed. */
    struct mail asks_slots[SLOTS];
    struct mail answers_slots[SLOTS];
    /* Each belongs to the side whose turn the mailboxes say it is. */
    union words words[SLOTS];
    struct addresses addresses;
    struct err_info why;
    enum err resolve_err;
    char host[HOST_BYTES], service[SERVICE_BYTES]; /* Whose turn it is. */
    uint32_t words_next;                           /* Coordinator's. */
    _Atomic uint32_t owners; /* Who still uses this struct: starter and thread; the last frees. */
    bool json;               /* Lines are JSON; constant. */
    bool live_shown;         /* Scribe's. The live line stands on the terminal. */
    bool is_resolving;       /* Coordinator's. */
};

static void drop(struct scribe *scribe)
{
    struct arena arena;

    if (atomic_fetch_sub_explicit(&scribe->owners, 1, memory_order_acq_rel) != 1) return;
    if (scribe->ask_fd >= 0) (void)close(scribe->ask_fd);
    arena = scribe->arena;
    arena_release(&arena);
}

static void write_out(const char *data, size_t len)
{
    ssize_t rc = write(STDERR_FILENO, data, len);

    (void)rc; /* A closed stderr does not stop a run. */
}

/* Whether another job has the terminal: we are in the background and would write over it. */
static bool is_in_background(void)
{
    pid_t owner = tcgetpgrp(STDERR_FILENO);

    return owner > 0 && owner != getpgrp();
}

static void erase_live(struct scribe *scribe)
{
    if (scribe->live_shown && !is_in_background()) write_out(LIVE_ERASE, strlen(LIVE_ERASE));
    scribe->live_shown = false;
}

/* As a warning in JSON; without the line end, which that has of its own. */
static void write_json_line(char *line)
{
    struct arena arena;
    struct text text;

    line[strcspn(line, "\n")] = '\0';
    arena_init(&arena, 0);
    text_init(&text, &arena);
    run_json_line("warn", line, &text);
    if (!text.failed) write_out(text.data, text.len);
    arena_release(&arena);
}

static void write_line(struct scribe *scribe, char *line)
{
    erase_live(scribe);
    if (scribe->json) {
        write_json_line(line);
    } else {
        write_out(line, strlen(line));
    }
}

static void write_live(struct scribe *scribe, const struct live *live)
{
    struct winsize size = {0};
    char buf[LIVE_BYTES_MAX];
    uint32_t columns = COLUMNS_ASSUMED;

    if (is_in_background()) return;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns = size.ws_col;
    write_out(buf, live_draw(buf, live, columns));
    scribe->live_shown = true;
}

static void answer(struct scribe *scribe, enum ask kind)
{
    bool posted = mailbox_post(&scribe->answers, (struct mail){.kind = kind});

    CHECK(posted); /* One question at a time. */
    wake_post(scribe->notify_fd);
}

static void answer_resolve(struct scribe *scribe)
{
    scribe->resolve_err = resolve(scribe->host, scribe->service, &scribe->addresses, &scribe->why);
    answer(scribe, ASK_RESOLVE);
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
            case ASK_SAY: write_line(scribe, scribe->words[mail.value].line); break;
            case ASK_LIVE: write_live(scribe, &scribe->words[mail.value].live); break;
            case ASK_FLUSH:
                erase_live(scribe);
                answer(scribe, ASK_FLUSH);
                break;
            case ASK_END: running = false; break;
            }
        }
    }
    drop(scribe);
    return NULL;
}

enum err scribe_new(struct scribe **ret_scribe, int notify_fd, bool json, struct err_info *why)
{
    struct arena arena;
    struct scribe *scribe;
    int rc;

    arena_init(&arena, 0);
    scribe = arena_alloc(&arena, sizeof(*scribe), CACHE_LINE);
    if (scribe == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the scribe");
    scribe->arena = arena;
    scribe->notify_fd = notify_fd;
    scribe->json = json;
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
    return scribe->is_resolving;
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
    bool asked;

    CHECK(!is_resolving(scribe));
    CHECK(strlen(host) < HOST_BYTES);
    CHECK(strlen(service) < SERVICE_BYTES);
    (void)snprintf(scribe->host, HOST_BYTES, "%s", host);
    (void)snprintf(scribe->service, SERVICE_BYTES, "%s", service);
    scribe->is_resolving = true;
    asked = ask(scribe, ASK_RESOLVE, 0);
    CHECK(asked); /* The first question finds room. */
}

bool scribe_resolved(struct scribe *scribe, enum err *ret_err, struct addresses *ret_addresses,
                     struct err_info *ret_why)
{
    struct mail mail;

    if (!mailbox_take(&scribe->answers, &mail)) return false;
    CHECK(mail.kind == ASK_RESOLVE);
    scribe->is_resolving = false;
    *ret_err = scribe->resolve_err;
    if (scribe->resolve_err == ERR_OK) {
        *ret_addresses = scribe->addresses;
    } else {
        *ret_why = scribe->why;
    }
    return true;
}

/* Words that are the coordinator's to fill, or NULL when more than `used_max` mails wait. That is
 * less than SLOTS - 1, so that the words are neither those of a mail that waits nor of the one
 * that was taken last, and that ASK_FLUSH and ASK_END find room. */
static union words *next_words(struct scribe *scribe, uint32_t used_max)
{
    uint32_t used =
        load_relaxed(&scribe->asks.shared.posted) - load_acquire(&scribe->asks.shared.taken);

    return used > used_max ? NULL : &scribe->words[scribe->words_next];
}

static void ask_words(struct scribe *scribe, enum ask kind)
{
    if (ask(scribe, kind, scribe->words_next)) {
        scribe->words_next = (scribe->words_next + 1) % SLOTS;
    }
}

void scribe_say(struct scribe *scribe, const char *format, ...)
{
    union words *words = next_words(scribe, SLOTS - 3);
    va_list args;

    if (words == NULL) return;
    va_start(args, format);
    (void)vsnprintf(words->line, LINE_BYTES - 1, format, args);
    va_end(args);
    memcpy(words->line + strlen(words->line), "\n", 2);
    ask_words(scribe, ASK_SAY);
}

void scribe_live(struct scribe *scribe, const struct live *live)
{
    union words *words = next_words(scribe, SLOTS / 2);

    if (words == NULL) return;
    words->live = *live;
    ask_words(scribe, ASK_LIVE);
}

bool scribe_flush(struct scribe *scribe)
{
    CHECK(!is_resolving(scribe));
    return ask(scribe, ASK_FLUSH, 0);
}

bool scribe_flushed(struct scribe *scribe)
{
    struct mail mail;

    if (!mailbox_take(&scribe->answers, &mail)) return false;
    CHECK(mail.kind == ASK_FLUSH);
    return true;
}
