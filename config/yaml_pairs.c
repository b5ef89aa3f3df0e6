/* Mappings: pairs, merge keys, and looking things up.
 *
 * Merge keys are as https://yaml.org/type/merge.html has them: the pairs of the mapping, or of the
 * mappings of a sequence, join where "<<" stands; a key that the mapping has itself wins, and an
 * earlier mapping of the sequence wins over a later one. */
#include "config/yaml_impl.h"

#include <string.h>

#include "config/dict.h"
#include "core/base/check.h"

/* What is being put together. */
struct merge {
    struct arena *arena;
    struct diags *diags;
    struct yaml_pair *pairs; /* [count] */
    uint32_t count, capacity;
    struct dict own;  /* The keys of the mapping itself. */
    struct dict from; /* Key → number of the mapping that it was merged from. */
    uint32_t *expanded;
};

static bool no_memory(struct diags *diags)
{
    diags->failed = true;
    return false;
}

static bool add_pair(struct merge *merge, const struct yaml_node *key,
                     const struct yaml_node *value)
{
    if (merge->count == merge->capacity) {
        uint32_t wanted = merge->capacity * 2 + 8;
        struct yaml_pair *grown = arena_array(merge->arena, wanted, sizeof(*grown));

        if (grown == NULL) return no_memory(merge->diags);
        if (merge->count > 0) memcpy(grown, merge->pairs, merge->count * sizeof(*grown));
        merge->pairs = grown;
        merge->capacity = wanted;
    }
    merge->pairs[merge->count++] = (struct yaml_pair){key, value};
    return true;
}

static bool is_merge_key(const struct yaml_node *key)
{
    return key->plain && key->tag == YAML_TAG_NONE && yaml_is(key, "<<");
}

/* Adds the pairs of one mapping, number `number` of those merged here. */
static bool merge_one(struct merge *merge, const struct yaml_node *from, struct place place,
                      uint32_t number)
{
    if (from->kind != YAML_MAPPING) {
        diag_error(merge->diags, from->place,
                   "'<<' wants a mapping, or a sequence of mappings, not %s", yaml_kind_name(from));
        return true;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        const struct yaml_node *key = from->pairs[i].key, *value = from->pairs[i].value;
        uint32_t other = dict_find(&merge->from, key->text, key->count);

        if (dict_find(&merge->own, key->text, key->count) != DICT_NONE) continue;
        if (other != DICT_NONE && other != number) continue;
        if (!yaml_add_expanded(merge->diags, place, merge->expanded, 1 + value->weight)) {
            return false;
        }
        if (!dict_put(&merge->from, key->text, key->count, number)) {
            return no_memory(merge->diags);
        }
        if (!add_pair(merge, key, value)) return false;
    }
    return true;
}

static bool merge_value(struct merge *merge, const struct yaml_node *key,
                        const struct yaml_node *value, uint32_t *number)
{
    if (value->kind != YAML_SEQUENCE) return merge_one(merge, value, key->place, (*number)++);
    for (uint32_t i = 0; i < value->count; i++) {
        if (!merge_one(merge, value->items[i], key->place, (*number)++)) return false;
    }
    return true;
}

static bool has_merge_key(const struct yaml_node *const *children, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 2) {
        if (children[i]->kind == YAML_SCALAR && is_merge_key(children[i])) return true;
    }
    return false;
}

static bool add_own_names(struct merge *merge, const struct yaml_node *const *children,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 2) {
        if (children[i]->kind != YAML_SCALAR || is_merge_key(children[i])) continue;
        if (!dict_put(&merge->own, children[i]->text, children[i]->count, 0)) {
            return no_memory(merge->diags);
        }
    }
    return true;
}

static void update_size(struct yaml_node *mapping)
{
    mapping->weight = 1;
    for (uint32_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *value = mapping->pairs[i].value;

        mapping->weight += 1 + value->weight;
        if (value->height >= mapping->height) mapping->height = value->height + 1;
    }
}

bool yaml_make_pairs(struct arena *arena, struct diags *diags, struct yaml_node *mapping,
                     const struct yaml_node *const *children, uint32_t count, uint32_t *expanded)
{
    struct merge merge = {.arena = arena, .diags = diags, .expanded = expanded};
    bool merging = has_merge_key(children, count);
    uint32_t number = 0;

    CHECK(count % 2 == 0);
    dict_init(&merge.own, arena);
    dict_init(&merge.from, arena);
    merge.pairs = arena_alloc(arena, count / 2 * sizeof(*merge.pairs), _Alignof(struct yaml_pair));
    if (merge.pairs == NULL) return no_memory(diags);
    merge.capacity = count / 2;
    if (merging && !add_own_names(&merge, children, count)) return false;
    for (uint32_t i = 0; i < count; i += 2) {
        const struct yaml_node *key = children[i], *value = children[i + 1];
        bool right;

        if (key->kind != YAML_SCALAR) {
            diag_error(diags, key->place, "a key must be text, not %s", yaml_kind_name(key));
            continue;
        }
        right = is_merge_key(key) ? merge_value(&merge, key, value, &number)
                                  : add_pair(&merge, key, value);
        if (!right) return false;
    }
    mapping->pairs = merge.pairs;
    mapping->count = merge.count;
    if (merging) update_size(mapping);
    return true;
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    if (mapping->kind != YAML_MAPPING) return NULL;
    for (uint32_t i = 0; i < mapping->count; i++) {
        if (yaml_is(mapping->pairs[i].key, key)) return mapping->pairs[i].value;
    }
    return NULL;
}

bool yaml_is(const struct yaml_node *node, const char *text)
{
    return node->kind == YAML_SCALAR && strcmp(node->text, text) == 0;
}

bool yaml_is_null(const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR) return false;
    if (node->tag == YAML_TAG_NULL) return true;
    if (node->tag != YAML_TAG_NONE || !node->plain) return false;
    return node->count == 0 || yaml_is(node, "null") || yaml_is(node, "~");
}

const char *yaml_kind_name(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_SCALAR: return yaml_is_null(node) ? "nothing" : "text";
    case YAML_SEQUENCE: return "a sequence";
    case YAML_MAPPING: return "a mapping";
    }
    UNREACHABLE("a kind of node that there is not");
}
