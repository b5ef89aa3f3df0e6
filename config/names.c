#include "config/names.h"

#include <string.h>

#include "core/base/check.h"

enum { SLOTS_MIN = 16 };

void names_init(struct names *names, struct arena *arena)
{
    *names = (struct names){.arena = arena};
}

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT32_C(16777619);
    }
    return hash ^ hash >> 15;
}

/* The slot of the name, or the free one where it belongs. */
static struct names_slot *slot_of(const struct names *names, const char *text, size_t len,
                                  uint32_t hash)
{
    for (uint32_t i = hash & names->mask;; i = (i + 1) & names->mask) {
        struct names_slot *slot = &names->slots[i];

        if (slot->text == NULL) return slot;
        if (slot->hash != hash || slot->len != len) continue;
        if (memcmp(slot->text, text, len) == 0) return slot;
    }
}

uint32_t names_find(const struct names *names, const char *text, size_t len)
{
    const struct names_slot *slot;

    if (names->count == 0) return NAMES_NONE;
    slot = slot_of(names, text, len, hash_of(text, len));
    return slot->text == NULL ? NAMES_NONE : slot->number;
}

static bool grow(struct names *names)
{
    struct names grown = {.arena = names->arena, .count = names->count};
    uint32_t slots = names->slots == NULL ? SLOTS_MIN : (names->mask + 1) * 2;

    grown.slots = arena_array(names->arena, slots, sizeof(*grown.slots));
    if (grown.slots == NULL) return false;
    grown.mask = slots - 1;
    for (uint32_t i = 0; names->slots != NULL && i <= names->mask; i++) {
        const struct names_slot *slot = &names->slots[i];

        if (slot->text == NULL) continue;
        *slot_of(&grown, slot->text, slot->len, slot->hash) = *slot;
    }
    *names = grown;
    return true;
}

bool names_put(struct names *names, const char *text, size_t len, uint32_t number)
{
    struct names_slot *slot;
    uint32_t hash = hash_of(text, len);

    CHECK(text != NULL);
    CHECK(len <= UINT32_MAX);
    if (names->slots == NULL || names->count >= (names->mask + 1) / 4 * 3) {
        if (!grow(names)) return false;
    }
    slot = slot_of(names, text, len, hash);
    if (slot->text == NULL) names->count++;
    *slot = (struct names_slot){.text = text, .len = (uint32_t)len, .hash = hash, .number = number};
    return true;
}
