/* groups: the statistics of a test file by tag group, as one worker counts them.
 *
 * A group is a list of pairs of name and value; every request that ended, with an answer or
 * without one, belongs to exactly one group. So over all groups of all workers `ok` adds up to the
 * ledger's, each class of failure to the ledger's, and the histograms to those of struct stats.
 *
 * Groups are found by their tags; who has constant tags finds its group once and keeps it. There
 * are GROUPS_MAX at most: what would need one more is counted in a group of its own, whose only
 * tag says `_id: other`.
 *
 * Threads: cumulative and single-writer, as core/stats.h: the worker writes, nothing is ever
 * reset, any thread reads: the groups below groups_count(), in which all but the counts is
 * constant. Counts are relaxed, and exact once the worker has ended. */
#ifndef CORE_GROUPS_H
#define CORE_GROUPS_H

#include "core/stats.h"
#include "core/test_error.h"

enum {
    GROUPS_MAX = 1000,           /* Besides "other". */
    GROUPS_TEXT_BYTES = 8 << 20, /* Of all tags and errors of a worker. */
    GROUPS_PAGES_MAX = 1 << 20,  /* Of its histograms, of 256 B, those that are touched. */
    GROUP_TAGS_MAX = 64,         /* Further ones are left away. */
    GROUP_ERRORS_MAX = 16,       /* Kinds; the last one takes all that follow. */
    GROUP_ERROR_TEXT_MAX = 160,  /* Bytes; what is longer is cut. */
};

/* Those of groups are terminated besides. */
struct group_tag {
    const char *name, *value;
    uint32_t name_len, value_len;
};

/* Errors that are no failures of requests: of expressions, waits for providers. Those of
 * TEST_ERROR_BUILD and TEST_ERROR_EXPECT tell more of failures that are counted as such too. */
struct group_error {
    enum test_error code;
    const char *text; /* Terminated. */
    _Atomic uint64_t count;
};

struct group {
    const struct group_tag *tags; /* [tags_count]; the group's own. */
    uint32_t tags_count;
    uint64_t hash;
    struct group *same_next; /* In its bucket. */
    bool is_other;           /* It is that of those that found none. */
    _Atomic uint64_t ok;
    _Atomic uint64_t failed[FAILED_COUNT];
    _Atomic uint64_t status[STATUS_COUNT]; /* Of all answers, those that failed an `expect` too. */
    _Atomic uint64_t bytes_sent;           /* Of requests. */
    _Atomic uint64_t bytes_received;       /* Of bodies of answers. */
    _Atomic uint64_t waits, waited_ns;     /* Of requests for their values, past their slot. */
    struct hist from_due; /* Of `ok`, and of timeouts at their bound; after the warm-up. */
    struct hist from_sent;
    struct group_error errors[GROUP_ERRORS_MAX]; /* [errors_count] */
    _Atomic uint32_t errors_count;               /* Release announces the last one. */
};

struct groups {
    struct group *list; /* [max + 1] */
    uint32_t max;
    struct group **buckets; /* [buckets_mask + 1] */
    uint32_t buckets_mask;
    struct group *other; /* The worker's own. NULL: not needed yet. */
    char *text;          /* What is left of the memory for tags and errors. */
    size_t text_left;
    struct hist_slab slab;
    _Atomic uint32_t count;    /* Release announces the last one. */
    _Atomic uint64_t homeless; /* Requests that went to "other". */
};

/* Makes `groups` empty, with all memory that it will ever need from `arena`; untouched pages cost
 * nothing. `max`, 1 to GROUPS_MAX, is how many there may be. False when the arena refuses. */
MUST_USE bool groups_init(struct groups *groups, struct arena *arena, uint32_t max);

/* The group of exactly these tags in this order, made if there is none; everything is copied.
 * Never NULL. */
struct group *groups_find(struct groups *groups, const struct group_tag *tags, uint32_t count);

/* True if these are the tags of `group`. */
bool group_has_tags(const struct group *group, const struct group_tag *tags, uint32_t count);

/* How many groups of the list may be read; grows only. Any thread. */
static inline uint32_t groups_count(const struct groups *groups)
{
    return load_acquire(&groups->count);
}

/* One request that ended. */
struct group_request {
    const struct stats_moments *at; /* NULL: no latency is known. */
    uint64_t bytes_sent, bytes_received;
    uint32_t status;       /* 0: there was no answer. */
    enum failed_class why; /* FAILED_COUNT: it did well. */
};

/* Counts a request. Of a timeout `at` has its bound as done_ns; of requests in the warm-up, and of
 * other failures, `at` is NULL. */
static inline void group_add(struct group *group, const struct group_request *request)
{
    if (likely(request->why == FAILED_COUNT)) {
        add_relaxed(&group->ok, 1);
    } else {
        add_relaxed(&group->failed[request->why], 1);
    }
    if (request->status < STATUS_COUNT && request->status > 0) {
        add_relaxed(&group->status[request->status], 1);
    }
    add_relaxed(&group->bytes_sent, request->bytes_sent);
    add_relaxed(&group->bytes_received, request->bytes_received);
    if (request->at == NULL) return;
    hist_record(&group->from_due, request->at->done_ns - request->at->due_ns);
    hist_record(&group->from_sent, request->at->done_ns - request->at->sent_ns);
}

/* Counts an error. `text` is terminated and copied. */
void group_error(struct groups *groups, struct group *group, enum test_error code,
                 const char *text);

/* Counts a request's wait for a value that lasted past its slot. */
static inline void group_waited(struct group *group, uint64_t waited_ns)
{
    add_relaxed(&group->waits, 1);
    add_relaxed(&group->waited_ns, waited_ns);
}

#endif
