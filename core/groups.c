/* Finding and making groups. Counting is inline in the header. */
#include "core/groups.h"

#include <string.h>

#include "core/base/check.h"

_Static_assert((int)GROUPS_MAX < (1 << 30), "buckets are counted in 32 bits");

static const struct group_tag other_tag = {
    .name = "_id", .value = "other", .name_len = 3, .value_len = 5};

bool groups_init(struct groups *groups, struct arena *arena, uint32_t max)
{
    uint64_t pages = min_u64((uint64_t)(max + 1) * 2 * HIST_PAGES, GROUPS_PAGES_MAX);
    uint32_t buckets = 2;

    CHECK(max > 0 && max <= GROUPS_MAX);
    while (buckets < 2 * max) {
        buckets *= 2;
    }
    *groups = (struct groups){.max = max, .buckets_mask = buckets - 1};
    groups->list = arena_array(arena, (size_t)max + 1, sizeof(*groups->list));
    groups->buckets = arena_array(arena, buckets, sizeof(struct group *));
    groups->text = arena_alloc(arena, GROUPS_TEXT_BYTES, _Alignof(struct group_tag));
    groups->text_left = GROUPS_TEXT_BYTES;
    return groups->list != NULL && groups->buckets != NULL && groups->text != NULL &&
           hist_slab_init(&groups->slab, arena, (uint32_t)pages);
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, uint32_t len)
{
    hash = (hash ^ len) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t hash_of(const struct group_tag *tags, uint32_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < count; i++) {
        hash = hash_bytes(hash, tags[i].name, tags[i].name_len);
        hash = hash_bytes(hash, tags[i].value, tags[i].value_len);
    }
    return hash ^ hash >> 32;
}

static bool is_same(const char *a, uint32_t a_len, const char *b, uint32_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool group_has_tags(const struct group *group, const struct group_tag *tags, uint32_t count)
{
    if (group->tags_count != count) return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct group_tag *own = &group->tags[i];

        if (!is_same(own->value, own->value_len, tags[i].value, tags[i].value_len) ||
            !is_same(own->name, own->name_len, tags[i].name, tags[i].name_len)) {
            return false;
        }
    }
    return true;
}

/* Memory for tags and errors, which is never given back; NULL when it is used up. */
static char *take_text(struct groups *groups, size_t size)
{
    char *at = groups->text;

    size = (size + _Alignof(struct group_tag) - 1) & ~(_Alignof(struct group_tag) - 1);
    if (size > groups->text_left) return NULL;
    groups->text += size;
    groups->text_left -= size;
    return at;
}

static const char *put(char **at, const char *bytes, uint32_t len)
{
    char *copy = *at;

    if (len > 0) memcpy(copy, bytes, len);
    copy[len] = '\0';
    *at += len + 1;
    return copy;
}

/* A copy of the tags in the groups' own memory; NULL when that is used up. */
static const struct group_tag *copy_tags(struct groups *groups, const struct group_tag *tags,
                                         uint32_t count)
{
    size_t bytes = count * sizeof(*tags);
    struct group_tag *copy;
    char *memory, *at;

    for (uint32_t i = 0; i < count; i++) {
        bytes += (size_t)tags[i].name_len + tags[i].value_len + 2;
    }
    memory = take_text(groups, bytes);
    if (memory == NULL) return NULL;
    copy = (struct group_tag *)(void *)memory;
    at = memory + count * sizeof(*tags);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = (struct group_tag){.name_len = tags[i].name_len, .value_len = tags[i].value_len};
        copy[i].name = put(&at, tags[i].name, tags[i].name_len);
        copy[i].value = put(&at, tags[i].value, tags[i].value_len);
    }
    return copy;
}

/* Adds a group whose tags will stay, and announces it. */
static struct group *add(struct groups *groups, const struct group_tag *tags, uint32_t count,
                         uint64_t hash)
{
    uint32_t index = load_relaxed(&groups->count);
    struct group *group = &groups->list[index];

    CHECK(index <= groups->max);
    group->tags = tags;
    group->tags_count = count;
    group->hash = hash;
    group->is_other = count == 1 && tags == &other_tag;
    hist_init(&group->from_due, &groups->slab);
    hist_init(&group->from_sent, &groups->slab);
    store_release(&groups->count, index + 1);
    return group;
}

/* The group of those that found none. */
static struct group *other(struct groups *groups)
{
    add_relaxed(&groups->homeless, 1);
    if (groups->other == NULL) groups->other = add(groups, &other_tag, 1, 0);
    return groups->other;
}

struct group *groups_find(struct groups *groups, const struct group_tag *tags, uint32_t count)
{
    const struct group_tag *copy;
    struct group **bucket, *group;
    uint64_t hash;

    CHECK(count <= GROUP_TAGS_MAX);
    hash = hash_of(tags, count);
    bucket = &groups->buckets[hash & groups->buckets_mask];
    group = *bucket;
    while (group != NULL && (group->hash != hash || !group_has_tags(group, tags, count))) {
        group = group->same_next;
    }
    if (group != NULL) return group;
    /* "other" has a place of its own behind the others. */
    if (load_relaxed(&groups->count) - (groups->other != NULL) == groups->max) return other(groups);
    copy = copy_tags(groups, tags, count);
    if (copy == NULL) return other(groups);
    group = add(groups, copy, count, hash);
    group->same_next = *bucket;
    *bucket = group;
    return group;
}

/* The kind of this error in the group; the last one when there are too many. */
static struct group_error *kind_of(struct groups *groups, struct group *group, enum test_error code,
                                   const char *text, size_t len)
{
    uint32_t count = load_relaxed(&group->errors_count), i = 0;
    struct group_error *error;
    char *copy;

    for (; i < count; i++) {
        error = &group->errors[i];
        if (error->code == code && strncmp(error->text, text, len) == 0 &&
            error->text[len] == '\0') {
            return error;
        }
    }
    if (count == GROUP_ERRORS_MAX) return &group->errors[GROUP_ERRORS_MAX - 1];
    error = &group->errors[count];
    error->code = code;
    error->text = "other errors";
    if (count < GROUP_ERRORS_MAX - 1 && (copy = take_text(groups, len + 1)) != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
        error->text = copy;
    }
    store_release(&group->errors_count, count + 1);
    return error;
}

void group_error(struct groups *groups, struct group *group, enum test_error code, const char *text)
{
    size_t len = strnlen(text, GROUP_ERROR_TEXT_MAX);

    add_relaxed(&kind_of(groups, group, code, text, len)->count, 1);
}
