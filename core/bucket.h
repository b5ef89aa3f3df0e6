/* bucket: what the coordinator knows of one stretch of a test file's run, for those who print it or
 * write it down.
 *
 * Time is cut at multiples of `bucket_size` since the Unix epoch, so the first and the last bucket
 * of a run are mostly shorter. A bucket reaches to the moment at which it was read, at its end or a
 * few milliseconds after it, and the next one begins there: nothing is lost between two, and the
 * sums over all of them are the totals, which the last one has exactly. The places of the cuts
 * follow the monotonic clock from the start of the run on: a wall clock that is set meanwhile moves
 * none.
 *
 * All that a bucket points to is the coordinator's, and good until bucket_sink.bucket returns; but
 * for `tags` and names, which stay until the run's memory is given back. */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include "core/base/hist.h"
#include "core/base/text.h"
#include "core/groups.h"
#include "core/ledger.h"

enum { BUCKET_ERRORS_MAX = FAILED_COUNT + GROUP_ERRORS_MAX };

/* An error of a test file: one that failed no request, or, of TEST_ERROR_BUILD and
 * TEST_ERROR_EXPECT, what more is known of a failure that is in `failed` too. */
struct bucket_error {
    enum test_error code;
    const char *text; /* Terminated. */
    uint64_t count;
};

/* What was counted of a group, in a bucket or in all of the run. */
struct bucket_figures {
    uint64_t ok;                   /* Answered as expected … */
    uint64_t failed[FAILED_COUNT]; /* … or not: calls made are the sum of all these. */
    uint64_t status[STATUS_COUNT]; /* Answers by status, those that failed an `expect` too. */
    uint64_t bytes_sent;           /* Of requests. */
    uint64_t bytes_received;       /* Of bodies of answers. */
    uint64_t waits, waited_ns;     /* Requests that waited for values past their slot; how long. */
    struct bucket_error errors[GROUP_ERRORS_MAX];
    uint32_t errors_count;
    const struct hist_view *from_due;  /* Of `ok`, and of timeouts at their bound: see */
    const struct hist_view *from_sent; /* bucket_load_group(). The same. */
};

struct bucket_group {
    uint32_t index; /* From 0, in the order in which groups came up; its own for all of the run. */
    const struct group_tag *tags; /* [tags_count]; `_id` and `method` first, `url` among them. */
    uint32_t tags_count;
    bool is_new;                  /* No bucket before had it. */
    struct bucket_figures bucket; /* Of this bucket: all 0 if nothing of it ended. */
    struct bucket_figures total;  /* From the start of the run on. */
};

/* A provider at the end of the bucket, summed over the workers that have a part of it. */
struct bucket_provider {
    const char *name; /* Terminated. */
    uint64_t len, limit;
    uint64_t receivers, senders; /* Who waits for a value, or for room. */
    uint64_t on_demand;          /* Pops that found it empty and that nobody has answered yet. */
};

struct bucket {
    uint64_t start_wall_ns; /* Where it begins on the grid: a multiple of `bucket_size`. */
    uint64_t from_ns;       /* What it covers, since the start of the run. */
    uint64_t until_ns;
    bool is_last;                      /* The run has ended, all figures are exact. */
    const struct bucket_group *groups; /* By index; [groups_count]; all of the run so far. */
    uint32_t groups_count;
    const struct bucket_provider *providers; /* In the order of the file; [providers_count]; none
                                                with `log_provider_stats: false`. */
    uint32_t providers_count;
    uint64_t connections_open;                /* At its end. */
    uint64_t connections_max;                 /* As many as there may be. */
    void (*load)(void *self, uint32_t group); /* See bucket_load_group(). */
    void *self;
    struct ledger ledger; /* Of this bucket; pending, in_flight, alive, alive_max: at its end. */
    struct ledger total;
};

/* Who wants buckets. Called on the coordinator's thread, and for the last bucket, after all
 * threads have ended, on that of engine_finish(). It may not block. */
struct bucket_sink {
    void *self;
    /* The run begins; before the first bucket. */
    void (*start)(void *self, uint64_t wall_ns);
    void (*bucket)(void *self, const struct bucket *bucket);
};

/* The group of this index, the histograms of its figures there: until this is called for another
 * one, for they are packed, and unpacked one group at a time. Those of all other groups are NULL.
 */
static inline const struct bucket_group *bucket_load_group(const struct bucket *bucket,
                                                           uint32_t index)
{
    if (bucket->load != NULL) bucket->load(bucket->self, index);
    return &bucket->groups[index];
}

/* All requests that ended; of these, timeouts. */
uint64_t bucket_calls(const struct bucket_figures *figures);
uint64_t bucket_failed(const struct bucket_figures *figures);
uint64_t bucket_timeouts(const struct bucket_figures *figures);

/* True if nothing was counted. */
bool bucket_is_empty(const struct bucket_figures *figures);

/* Failures but for timeouts, and other errors, by their texts, each once, into `ret_errors`
 * [BUCKET_ERRORS_MAX]; returns how many kinds there are. */
uint32_t bucket_errors(const struct bucket_figures *figures, struct bucket_error *ret_errors);

/* The value of a tag, of which `ret_len` is the length; NULL if the group has none of that name. */
const char *bucket_tag(const struct bucket_group *group, const char *name, uint32_t *ret_len);

/* Writes the key "tags" and an object of all tags. */
void bucket_put_tags(const struct bucket_group *group, struct json *json);

#endif
