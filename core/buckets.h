/* buckets: the coordinator's part of a test file's statistics: merges the groups of all workers,
 * and cuts the run into buckets (core/bucket.h) by subtracting what it read before.
 *
 * Nothing of the workers is reset or stopped for it. A group is told apart by its tags over all
 * workers; what comes when there are GROUPS_MAX of them is counted as "other", as on a worker.
 *
 * Threads: the coordinator's; after it has been joined, anyone's. */
#ifndef CORE_BUCKETS_H
#define CORE_BUCKETS_H

#include "core/bucket.h"

struct buckets;
struct plan;
struct testfile;
struct worker_shared;

/* No bucket is read sooner after the one before it. */
#define BUCKETS_NS_MIN (10 * NS_PER_MS)

struct buckets_options {
    const struct testfile *test;
    const struct plan *plan;
    struct worker_shared *const *shared; /* [plan->workers] */
    const struct bucket_sink *sinks;     /* [sinks_count]; each gets all buckets. */
    uint32_t sinks_count;
    void (*say)(void *self, const char *line); /* A line for people. */
    void *self;
};

/* Memory is taken from `arena` now and, as groups come up, later; NULL when it refuses now. What
 * the options point to must outlive it. */
MUST_USE struct buckets *buckets_new(struct arena *arena, const struct buckets_options *options);

/* The run began at `start_ns` by the monotonic clock, when the wall clock was `wall_ns`. */
void buckets_start(struct buckets *buckets, uint64_t start_ns, uint64_t wall_ns);

/* Takes the bucket that has ended by `now_ns`, if one has. Returns when it wants to be called
 * again; TIME_NEVER before the start. */
uint64_t buckets_step(struct buckets *buckets, uint64_t now_ns);

/* Takes the last bucket, which ends at `now_ns`. Once, when all workers have ended and been
 * joined. */
void buckets_end(struct buckets *buckets, uint64_t now_ns);

/* The last bucket that was taken, good until the next one is; NULL: none was. */
const struct bucket *buckets_last(const struct buckets *buckets);

/* After buckets_end(): true if the groups add up to the ledger: what was answered, and what failed,
 * by class. If not, it is a bug. */
bool buckets_close(const struct buckets *buckets);

#endif
