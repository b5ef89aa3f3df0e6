/* The tags of a request, and by them the group that it is counted in. Most endpoints have tags that
 * never change: their group is found when the test is set up. */
#include "core/runner_impl.h"

#include <stdio.h>
#include <string.h>

enum {
    IMPLICIT_TAGS = 2,    /* `_id` and `method`; `url` is among those of the test file. */
    TAG_BYTES_MAX = 1024, /* What is longer is cut. */
    ID_BYTES = 16,
};

static struct group_tag tag_of(const char *name, const char *value, size_t len)
{
    return (struct group_tag){.name = name,
                              .value = value,
                              .name_len = (uint32_t)strlen(name),
                              .value_len = (uint32_t)min_u64(len, TAG_BYTES_MAX)};
}

/* Text that is cut ends with a whole character. */
static uint32_t cut(const char *text, size_t len)
{
    if (len <= TAG_BYTES_MAX) return (uint32_t)len;
    len = TAG_BYTES_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--;
    }
    return (uint32_t)len;
}

bool runner_prepare_tags(struct endpoint *endpoint, struct arena *arena)
{
    const struct testfile_endpoint *def = endpoint->def;
    uint32_t count = IMPLICIT_TAGS + def->tags_count;
    char id[ID_BYTES], *own_id;
    int id_len = snprintf(id, sizeof(id), "%u", endpoint->index);

    if (count > GROUP_TAGS_MAX) count = GROUP_TAGS_MAX;
    endpoint->tags = arena_array(arena, count, sizeof(*endpoint->tags));
    own_id = arena_copy(arena, id, (size_t)id_len);
    if (endpoint->tags == NULL || own_id == NULL) return false;
    endpoint->tags_count = count;
    endpoint->tags[0] = tag_of("_id", own_id, (size_t)id_len);
    endpoint->tags[1] = tag_of("method", def->method, strlen(def->method));
    for (uint32_t i = IMPLICIT_TAGS; i < count; i++) {
        const struct testfile_tag *tag = &def->tags[i - IMPLICIT_TAGS];
        const char *text = NULL;
        size_t len = 0;

        if (!template_is_constant(tag->value.compiled, &text, &len)) endpoint->tags_vary = true;
        endpoint->tags[i] = tag_of(tag->name, text, text == NULL ? 0 : cut(text, len));
    }
    if (!endpoint->tags_vary) {
        endpoint->group = groups_find(&endpoint->runner->worker->shared->groups, endpoint->tags,
                                      endpoint->tags_count);
    }
    return true;
}

/* Evaluates the tags that vary; one that cannot be evaluated is dropped. Returns how many there
 * are. */
static uint32_t evaluate(struct exchange *exchange, struct group_tag *ret_tags)
{
    const struct endpoint *endpoint = exchange->endpoint;
    struct expr_env *env = &endpoint->runner->env;
    uint32_t count = 0;

    env->indexing_is_null = true;
    for (uint32_t i = 0; i < endpoint->tags_count; i++) {
        struct group_tag *tag = &ret_tags[count];
        struct value text;

        *tag = endpoint->tags[i];
        if (tag->value == NULL) {
            const struct testfile_tag *def = &endpoint->def->tags[i - IMPLICIT_TAGS];

            if (template_text(def->value.compiled, env, &text) != EXPR_OK) continue;
            tag->value = text.string;
            tag->value_len = cut(text.string, text.len);
        }
        count++;
    }
    return count;
}

struct group *runner_group_of(struct exchange *exchange)
{
    struct endpoint *endpoint = exchange->endpoint;
    struct runner *runner = endpoint->runner;
    struct group_tag tags[GROUP_TAGS_MAX];
    uint32_t count;

    if (exchange->group != NULL) return exchange->group;
    exchange->group = endpoint->group;
    if (likely(!endpoint->tags_vary)) return exchange->group;
    if (exchange->answer == NULL) {
        exchange->status = 0; /* A head without all of its body is no answer. */
        runner_ready_env(runner, endpoint, exchange);
        runner->env.body = NULL;
    }
    count = evaluate(exchange, tags);
    if (endpoint->group == NULL || !group_has_tags(endpoint->group, tags, count)) {
        endpoint->group = groups_find(&runner->worker->shared->groups, tags, count);
    }
    exchange->group = endpoint->group;
    return exchange->group;
}
