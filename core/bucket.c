#include "core/bucket.h"

#include <string.h>

uint64_t bucket_failed(const struct bucket_figures *figures)
{
    uint64_t sum = 0;

    for (int i = 0; i < FAILED_COUNT; i++) {
        sum += figures->failed[i];
    }
    return sum;
}

uint64_t bucket_calls(const struct bucket_figures *figures)
{
    return figures->ok + bucket_failed(figures);
}

static bool is_timeout(int why)
{
    return why == FAILED_TIMEOUT || why == FAILED_FIRST_BYTE_TIMEOUT;
}

uint64_t bucket_timeouts(const struct bucket_figures *figures)
{
    return figures->failed[FAILED_TIMEOUT] + figures->failed[FAILED_FIRST_BYTE_TIMEOUT];
}

bool bucket_is_empty(const struct bucket_figures *figures)
{
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        if (figures->errors[i].count > 0) return false;
    }
    return figures->waits == 0 && bucket_calls(figures) == 0;
}

/* Failures of a class that no error tells more of. */
static uint64_t untold(const struct bucket_figures *figures, enum failed_class why)
{
    enum test_error code = test_error_of(why);
    uint64_t told = 0;

    if (is_timeout((int)why)) return 0;
    if (why != FAILED_BUILD && why != FAILED_UNEXPECTED) return figures->failed[why];
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        if (figures->errors[i].code == code) told += figures->errors[i].count;
    }
    return figures->failed[why] - min_u64(figures->failed[why], told);
}

uint32_t bucket_errors(const struct bucket_figures *figures, struct bucket_error *ret_errors)
{
    uint32_t count = 0;

    for (int i = 0; i < FAILED_COUNT; i++) {
        enum failed_class why = (enum failed_class)i;
        uint64_t left = untold(figures, why);

        if (left == 0) continue;
        ret_errors[count] = (struct bucket_error){
            .code = test_error_of(why), .text = failed_texts[i], .count = left};
        count++;
    }
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        if (figures->errors[i].count > 0) ret_errors[count++] = figures->errors[i];
    }
    return count;
}

const char *bucket_tag(const struct bucket_group *group, const char *name, uint32_t *ret_len)
{
    size_t len = strlen(name);

    for (uint32_t i = 0; i < group->tags_count; i++) {
        const struct group_tag *tag = &group->tags[i];

        if (tag->name_len != len || memcmp(tag->name, name, len) != 0) continue;
        *ret_len = tag->value_len;
        return tag->value;
    }
    return NULL;
}

void bucket_put_tags(const struct bucket_group *group, struct json *json)
{
    json_key(json, "tags");
    json_object(json);
    for (uint32_t i = 0; i < group->tags_count; i++) {
        const struct group_tag *tag = &group->tags[i];

        json_key_len(json, tag->name, tag->name_len);
        json_str_len(json, tag->value, tag->value_len);
    }
    json_end(json);
}
