#include "core/results_file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/mailbox.h"
#include "core/base/quote.h"
#include "core/results_disk.h"
#include "core/results_units.h"
#include "io/hdr.h"
#include "io/wake.h"

enum { SLOTS = 64 };

struct results_file {
    struct mailbox box; /* Owner → writer: pointers to struct results_lines. */
    struct arena arena; /* Holds this struct. */
    struct results_file_options options;
    struct mail slots[SLOTS];
    pthread_t thread;
    int wake_fd;
    bool started;
    _Atomic bool ending;       /* Owner's; nothing is added after it. */
    struct results_lines *end; /* The writer's once `ending` is set; NULL: none. */

    uint64_t lost;          /* Owner's: lots that were not taken. */
    uint64_t posted;        /* Owner's: bytes that were handed over. */
    _Atomic uint64_t taken; /* Writer's: of these, those freed again. */

    /* Writer's; the owner's after the join. */
    struct results_disk disk;
    struct hdr *hdr;
    struct hist_view *view;
    struct results_units heads;   /* All of them, for a file that has to be begun anew. */
    struct results_units waiting; /* Not known to be on disk. */
    struct results_units last;    /* The same of the last line. */
    uint64_t lost_units;          /* There was no memory to keep them. */
    int error;                    /* Why units wait; 0: none do. */
};

/* The text of the lines with all holes filled. */
static void fill(struct results_file *file, const struct results_lines *lines, struct text *out)
{
    const char *data = lines->text.data;
    size_t at = 0;

    for (const struct results_hole *hole = lines->first; hole != NULL; hole = hole->next) {
        text_add(out, data + at, hole->at - at);
        at = hole->at;
        results_hole_view(hole, file->view);
        text_add_str(out, file->options.form == RESULTS_PELT
                              ? hdr_encode(file->hdr, file->view)
                              : hdr_encode_us(file->hdr, file->view));
    }
    text_add(out, data + at, lines->text.len - at);
}

static struct results_units *units_for(struct results_file *file, enum results_kind kind)
{
    switch (kind) {
    case RESULTS_HEAD: return &file->heads;
    case RESULTS_BUCKET: return &file->waiting;
    case RESULTS_END: return &file->last;
    }
    check_failed(__FILE__, __LINE__, "no such kind of line");
}

/* Makes units of the lines. */
static void take(struct results_file *file, const struct results_lines *lines)
{
    struct results_units *units = units_for(file, lines->kind);
    struct arena arena;
    struct text text;
    bool pelt = file->options.form == RESULTS_PELT;
    const char *line, *end;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    fill(file, lines, &text);
    if (text.failed) file->lost_units++;
    for (line = text.data; !text.failed && line < text.data + text.len; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text.data + text.len - line));
        CHECK(end != NULL);
        if (!results_units_add(units, pelt, line, (size_t)(end - line))) {
            file->lost_units++;
        }
    }
    arena_release(&arena);
}

/* The medium itself, not its room: what was written may be lost without a further word. */
static bool is_of_the_medium(int error)
{
    return error == EIO || error == EROFS || error == ENODEV || error == ESTALE;
}

static void unwrite_all(struct results_file *file, bool all)
{
    results_units_unwrite(&file->heads, all);
    results_units_unwrite(&file->waiting, all);
    results_units_unwrite(&file->last, all);
}

/* 0: all that was written is on disk. For want of room it has to be written again. */
static int sync_all(struct results_file *file)
{
    int error = results_disk_sync(&file->disk), rc;

    if (is_of_the_medium(error)) return error;
    if (error != 0) {
        rc = results_disk_rewind(&file->disk);
        unwrite_all(file, false);
        return rc != 0 ? EIO : error;
    }
    results_units_synced(&file->heads);
    results_units_synced(&file->waiting);
    results_units_synced(&file->last);
    results_units_forget(&file->waiting);
    return 0;
}

/* Writes and syncs what the disk takes; the last line, for which room is kept, in any case. 0 if
 * that is all, or the errno. */
static int write_all(struct results_file *file)
{
    const struct results_units *const all[] = {&file->heads, &file->waiting, &file->last};
    size_t keep = file->options.form == RESULTS_PELT ? RESULTS_END_BYTES_MAX : 0;
    int error = 0, rc;

    for (size_t i = 0; i < COUNT(all); i++) {
        bool last = all[i] == &file->last;

        if (error != 0 && !last) continue;
        rc = results_units_write(all[i], &file->disk, last ? 0 : keep);
        if (is_of_the_medium(rc)) return rc;
        if (error == 0) error = rc;
    }
    rc = sync_all(file); /* Of a full disk too: something may be in. */
    return rc != 0 ? rc : error;
}

/* All that is not known to be on disk goes to the next part. */
static int begin_anew(struct results_file *file)
{
    int error = results_disk_next(&file->disk);

    if (error != 0) return error;
    unwrite_all(file, true);
    return write_all(file);
}

static void flush(struct results_file *file, bool ending)
{
    int error = file->disk.fd < 0 ? EIO : write_all(file);

    if (is_of_the_medium(error) && file->disk.regular) error = begin_anew(file);
    if (error != file->error && !ending && file->options.changed != NULL) {
        file->options.changed(file->options.self, error);
    }
    file->error = error;
}

/* The last line. Nothing comes after it that could try again: so what failed before it is tried
 * with it, and it once more if it is not on disk then. */
static void write_end(struct results_file *file)
{
    take(file, file->end);
    results_lines_free(file->end);
    flush(file, true);
    if (!results_units_are_synced(&file->last)) flush(file, true);
}

static void take_mail(struct results_file *file, struct mail mail)
{
    uintptr_t address = mail.value;
    struct results_lines *lines;
    uint64_t bytes;

    memcpy(&lines, &address, sizeof(address)); /* As results_file_add() posted it. */
    bytes = lines->arena.bytes_used;
    take(file, lines);
    results_lines_free(lines);
    store_release(&file->taken, load_relaxed(&file->taken) + bytes);
}

static void *results_main(void *arg)
{
    struct results_file *file = arg;
    bool ending;

    do {
        struct mail mail;
        bool any = false;

        wake_clear(file->wake_fd); /* Blocks until there is something. */
        ending = load_acquire(&file->ending);
        while (mailbox_take(&file->box, &mail)) {
            take_mail(file, mail);
            any = true;
        }
        if (any || (ending && file->error != 0)) flush(file, ending);
        if (ending && file->end != NULL) write_end(file);
    } while (!ending);
    return NULL;
}

static enum err start(struct results_file *file, struct err_info *why)
{
    int rc;

    file->hdr = hdr_new(&file->arena);
    file->view = arena_array(&file->arena, 1, sizeof(*file->view));
    if (file->hdr == NULL || file->view == NULL) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write results");
    }
    file->wake_fd = eventfd(0, EFD_CLOEXEC);
    rc = file->wake_fd < 0 ? errno : pthread_create(&file->thread, NULL, results_main, file);
    file->started = rc == 0;
    if (rc == 0) return ERR_OK;
    return err_set(why, ERR_LIMIT, rc, "cannot start a thread: %s", err_errno_name(rc));
}

enum err results_file_open(struct results_file **ret_file,
                           const struct results_file_options *options, struct err_info *why)
{
    struct results_file *file;
    struct arena arena;
    enum err err;

    arena_init(&arena, 0);
    file = arena_alloc(&arena, sizeof(*file), CACHE_LINE);
    if (file == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write results");
    file->arena = arena;
    file->options = *options;
    file->wake_fd = -1;
    mailbox_init(&file->box, file->slots, SLOTS);
    results_units_init(&file->heads);
    results_units_init(&file->waiting);
    results_units_init(&file->last);
    err = results_disk_open(&file->disk, options->path, options->fresh, why);
    if (err == ERR_OK) err = start(file, why);
    if (err != ERR_OK) {
        results_file_free(file);
        return err;
    }
    *ret_file = file;
    return ERR_OK;
}

void results_file_add(struct results_file *file, struct results_lines *lines)
{
    uint64_t posted = file->posted, bytes;
    struct mail mail = {.value = (uintptr_t)lines};

    CHECK(!load_relaxed(&file->ending));
    if (lines == NULL) {
        file->lost++;
        return;
    }
    CHECK(lines->kind != RESULTS_END);
    bytes = lines->arena.bytes_used;
    if (lines->text.failed ||
        posted - load_acquire(&file->taken) + bytes > RESULTS_FILE_BYTES_MAX ||
        !mailbox_post(&file->box, mail)) {
        file->lost++;
        results_lines_free(lines);
        return;
    }
    file->posted = posted + bytes;
    wake_post(file->wake_fd);
}

void results_file_end(struct results_file *file, struct results_lines *last)
{
    int rc;

    CHECK(file->started);
    CHECK(last == NULL || last->kind == RESULTS_END);
    file->end = last;
    store_release(&file->ending, true);
    wake_post(file->wake_fd);
    rc = pthread_join(file->thread, NULL);
    CHECK(rc == 0);
    file->started = false;
    rc = results_disk_close(&file->disk);
    if (file->error == 0) file->error = rc;
}

enum err results_file_result(const struct results_file *file, struct err_info *why)
{
    int error = file->error;
    struct quote name = quote(file->options.path);
    uint64_t lost = file->lost + file->lost_units;

    CHECK(!file->started);
    if (error != 0) {
        return err_set(why, ERR_FILE, error, "cannot write all results to '%s': %s", name.text,
                       strerror(error));
    }
    if (lost > 0) {
        return err_set(why, ERR_FILE, 0, "'%s' lacks %llu lines: writing could not keep up",
                       name.text, (unsigned long long)lost);
    }
    if (file->disk.part > 1) {
        return err_set(why, ERR_FILE, EIO, "'%s' could not be written; its results go on in '%s'",
                       name.text, quote(file->disk.path).text);
    }
    return ERR_OK;
}

void results_file_free(struct results_file *file)
{
    struct arena arena;

    if (file == NULL) return;
    if (file->started) results_file_end(file, NULL);
    (void)!results_disk_close(&file->disk);
    if (file->wake_fd >= 0) (void)close(file->wake_fd);
    results_units_release(&file->heads);
    results_units_release(&file->waiting);
    results_units_release(&file->last);
    arena = file->arena;
    arena_release(&arena);
}
