/* The objects of the form that pewpew's viewers read: whole seconds, microseconds, what is empty
 * left out. */
#include <stdio.h>
#include <string.h>

#include "core/results_forms.h"

void results_pewpew_header(struct results_lines *lines, const struct results_header *header)
{
    struct json *json = results_line(lines);

    json_put_str(json, "test", header->test);
    json_put_str(json, "bin", header->version);
    json_put_u64(json, "bucketSize", header->bucket_size_ns / NS_PER_S);
    json_end(json);
}

void results_pewpew_group(struct results_lines *lines, const struct bucket_group *group)
{
    struct json *json = results_line(lines);

    json_put_u64(json, "index", group->index);
    bucket_put_tags(group, json);
    json_end(json);
}

/* Errors by text; those of the same text are one. */
static void put_errors(struct json *json, const struct bucket_figures *figures)
{
    struct bucket_error errors[BUCKET_ERRORS_MAX];
    uint32_t count = bucket_errors(figures, errors);

    if (count == 0) return;
    json_key(json, "testErrors");
    json_object(json);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t sum = errors[i].count;

        if (sum == 0) continue;
        for (uint32_t j = i + 1; j < count; j++) {
            if (strcmp(errors[i].text, errors[j].text) != 0) continue;
            sum += errors[j].count;
            errors[j].count = 0; /* Told with this one. */
        }
        json_put_u64(json, errors[i].text, sum);
    }
    json_end(json);
}

static void put_entry(struct results_lines *lines, const struct bucket_group *group)
{
    const struct bucket_figures *figures = &group->bucket;
    uint64_t timeouts = bucket_timeouts(figures);
    struct json *json = &lines->json;
    char index[16];

    (void)snprintf(index, sizeof(index), "%u", group->index);
    json_key(json, index);
    json_object(json);
    if (timeouts > 0) json_put_u64(json, "requestTimeouts", timeouts);
    if (figures->from_sent != NULL && figures->from_sent->count > 0) {
        json_key(json, "rttHistogram");
        results_line_hist(lines, figures->from_sent);
    }
    if (results_has_statuses(figures)) {
        json_key(json, "statusCounts");
        results_statuses(json, figures);
    }
    put_errors(json, figures);
    json_end(json);
}

void results_pewpew_bucket(struct results_lines *lines, const struct bucket *bucket)
{
    struct json *json = results_line(lines);

    json_put_u64(json, "time", bucket->start_wall_ns / NS_PER_S);
    json_key(json, "entries");
    json_object(json);
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        if (bucket_is_empty(&bucket->groups[i].bucket)) continue;
        put_entry(lines, bucket_load_group(bucket, i));
    }
    json_end(json);
    json_end(json);
}
