#include "config/dict.h"

#include <string.h>

#include "core/base/check.h"

enum { SLOTS_MIN = 16 };

void dict_init(struct dict *dict, struct arena *arena)
{
    *dict = (struct dict){.arena = arena};
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
static struct dict_slot *slot_of(const struct dict *dict, const char *text, size_t len,
                                 uint32_t hash)
{
    CHECK(dict->slots != NULL);
    for (uint32_t i = hash & dict->mask;; i = (i + 1) & dict->mask) {
        struct dict_slot *slot = &dict->slots[i];

        if (slot->text == NULL) return slot;
        if (slot->hash != hash || slot->len != len) continue;
        if (memcmp(slot->text, text, len) == 0) return slot;
    }
}

uint32_t dict_find(const struct dict *dict, const char *text, size_t len)
{
    const struct dict_slot *slot;

    if (dict->count == 0) return DICT_NONE;
    slot = slot_of(dict, text, len, hash_of(text, len));
    return slot->text == NULL ? DICT_NONE : slot->number;
}

static bool grow(struct dict *dict)
{
    struct dict grown = {.arena = dict->arena, .count = dict->count};
    uint32_t slots = dict->slots == NULL ? SLOTS_MIN : (dict->mask + 1) * 2;

    grown.slots = arena_array(dict->arena, slots, sizeof(*grown.slots));
    if (grown.slots == NULL) return false;
    grown.mask = slots - 1;
    for (uint32_t i = 0; dict->slots != NULL && i <= dict->mask; i++) {
        const struct dict_slot *slot = &dict->slots[i];

        if (slot->text == NULL) continue;
        *slot_of(&grown, slot->text, slot->len, slot->hash) = *slot;
    }
    *dict = grown;
    return true;
}

bool dict_put(struct dict *dict, const char *text, size_t len, uint32_t number)
{
    struct dict_slot *slot;
    uint32_t hash;

    CHECK(text != NULL);
    CHECK(len <= UINT32_MAX);
    hash = hash_of(text, len);
    if (dict->slots == NULL || dict->count >= (dict->mask + 1) / 4 * 3) {
        if (!grow(dict)) return false;
    }
    slot = slot_of(dict, text, len, hash);
    if (slot->text == NULL) dict->count++;
    *slot = (struct dict_slot){.text = text, .len = (uint32_t)len, .hash = hash, .number = number};
    return true;
}
