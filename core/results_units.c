#include "core/results_units.h"

#include <stdio.h>
#include <string.h>

#include "io/crc.h"

struct results_unit {
    struct results_unit *next;
    bool written; /* But perhaps not on disk yet. */
    bool synced;  /* It is on disk. */
    size_t len;
    char data[];
};

void results_units_init(struct results_units *units)
{
    *units = (struct results_units){.first = NULL};
    arena_init(&units->arena, RESULTS_UNITS_BYTES_MAX);
}

void results_units_release(struct results_units *units)
{
    arena_release(&units->arena);
    units->first = units->last = NULL;
}

static void append(struct results_units *units, struct results_unit *unit)
{
    unit->next = NULL;
    if (units->first == NULL) units->first = unit;
    if (units->last != NULL) units->last->next = unit;
    units->last = unit;
}

bool results_units_add(struct results_units *units, bool line, const char *data, size_t len)
{
    char tail[sizeof(",\"crc\":\"00000000\"}\n")] = "";
    size_t kept = line ? len - 1 : len, tail_len;
    struct results_unit *unit;

    if (line) (void)snprintf(tail, sizeof(tail), ",\"crc\":\"%08x\"}\n", crc_of(data, kept));
    tail_len = strlen(tail);
    unit =
        arena_alloc(&units->arena, sizeof(*unit) + kept + tail_len, _Alignof(struct results_unit));
    if (unit == NULL) return false;
    *unit = (struct results_unit){.len = kept + tail_len};
    memcpy(unit->data, data, kept);
    memcpy(unit->data + kept, tail, tail_len);
    append(units, unit);
    return true;
}

int results_units_write(const struct results_units *units, struct results_disk *disk, size_t keep)
{
    for (struct results_unit *unit = units->first; unit != NULL; unit = unit->next) {
        int error = 0;

        if (!unit->written) error = results_disk_append(disk, unit->data, unit->len, keep);
        if (error != 0) return error;
        unit->written = true;
    }
    return 0;
}

void results_units_synced(const struct results_units *units)
{
    for (struct results_unit *unit = units->first; unit != NULL; unit = unit->next) {
        unit->synced = unit->written;
    }
}

bool results_units_are_synced(const struct results_units *units)
{
    for (const struct results_unit *unit = units->first; unit != NULL; unit = unit->next) {
        if (!unit->synced) return false;
    }
    return true;
}

void results_units_unwrite(const struct results_units *units, bool all)
{
    for (struct results_unit *unit = units->first; unit != NULL; unit = unit->next) {
        if (all) unit->synced = false;
        unit->written = unit->synced;
    }
}

void results_units_forget(struct results_units *units)
{
    struct results_unit *unit = units->first;

    units->first = units->last = NULL;
    for (struct results_unit *next; unit != NULL; unit = next) {
        next = unit->next;
        if (!unit->synced) append(units, unit);
    }
    if (units->first == NULL) arena_release(&units->arena);
}
