#include "core/try_records.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/wake.h"

enum err try_records_open(struct try_records *records, struct err_info *why)
{
    *records = (struct try_records){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (records->fd < 0) {
        return err_set(why, ERR_LIMIT, errno, "eventfd: %s; raise 'ulimit -n'",
                       err_errno_name(errno));
    }
    arena_init(&records->arena, TRY_RECORDS_BYTES_MAX);
    records->last = &records->first;
    records->read = &records->first;
    return ERR_OK;
}

/* Moves `*text` into the arena; false when it refuses. */
static bool copy(struct arena *arena, const char **text, size_t len)
{
    if (*text == NULL) return true;
    *text = arena_copy(arena, *text, len);
    return *text != NULL;
}

void try_records_add(void *self, const struct runner_seen *seen)
{
    struct try_records *records = self;
    struct arena *arena = &records->arena;
    struct try_record *record = arena_alloc(arena, sizeof(*record), _Alignof(struct try_record));

    if (record != NULL) record->seen = *seen;
    if (record == NULL || !copy(arena, &record->seen.sent, seen->sent_len) ||
        !copy(arena, &record->seen.head, seen->head_len) ||
        !copy(arena, &record->seen.body, seen->body_len)) {
        store_relaxed(&records->lost, load_relaxed(&records->lost) + 1);
        return;
    }
    store_release(&records->last->next, record);
    records->last = record;
    wake_post(records->fd);
}

const struct runner_seen *try_records_take(struct try_records *records)
{
    const struct try_record *next = load_acquire(&records->read->next);

    if (next == NULL) return NULL;
    records->read = next;
    return &next->seen;
}

void try_records_release(struct try_records *records)
{
    if (records->fd >= 0) (void)close(records->fd);
    arena_release(&records->arena);
    *records = (struct try_records){.fd = -1};
}
