#include "core/buckets.h"

#include <string.h>

#include "config/plan.h"
#include "config/testfile.h"
#include "core/base/check.h"
#include "core/worker.h"

/* What is known of a group besides what others see of it. */
struct merged {
    uint64_t hash;
    struct merged *same_next; /* In its chain. */
    /* From due, from sent: of all of the run, and of the last bucket; they change places. */
    struct hist_view *total[2], *interval[2];
};

struct buckets {
    struct buckets_options options;
    struct arena *arena;
    struct bucket_group *groups; /* [GROUPS_MAX + 1] */
    struct merged *merged;       /* By group. */
    struct merged **chains;      /* [chains_mask + 1] */
    uint32_t chains_mask;
    uint32_t count, told; /* Groups, and those that the last bucket had. */
    uint32_t **group_of;  /* By worker, by its group: which it is here. */
    uint32_t *known;      /* By worker: how many of its groups are in that. */
    uint32_t other;       /* Index of the group "other"; UINT32_MAX: there is none. */
    bool is_full;         /* Groups were counted as "other"; it has been said. */
    struct bucket_provider *providers;
    struct bucket bucket;
    bool has_bucket;
    uint64_t start_ns, wall_ns; /* The same moment: the start of the run. */
    uint64_t next_ns;           /* When the bucket that is open ends. */
};

enum { CHAINS = 2048 };

static bool take_lists(struct buckets *b)
{
    uint32_t workers = b->options.plan->workers;

    b->groups = arena_array(b->arena, GROUPS_MAX + 1, sizeof(*b->groups));
    b->merged = arena_array(b->arena, GROUPS_MAX + 1, sizeof(*b->merged));
    b->chains = arena_array(b->arena, CHAINS, sizeof(struct merged *));
    b->chains_mask = CHAINS - 1;
    b->group_of = arena_array(b->arena, workers, sizeof(uint32_t *));
    b->known = arena_array(b->arena, workers, sizeof(uint32_t));
    b->providers = arena_array(b->arena, b->options.test->providers_count, sizeof(*b->providers));
    if (b->groups == NULL || b->merged == NULL || b->chains == NULL || b->group_of == NULL ||
        b->known == NULL || b->providers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < workers; i++) {
        b->group_of[i] = arena_array(b->arena, GROUPS_MAX + 1, sizeof(uint32_t));
        if (b->group_of[i] == NULL) return false;
    }
    return true;
}

struct buckets *buckets_new(struct arena *arena, const struct buckets_options *options)
{
    struct buckets *b = arena_array(arena, 1, sizeof(*b));

    if (b == NULL) return NULL;
    b->options = *options;
    b->arena = arena;
    b->other = UINT32_MAX;
    b->next_ns = TIME_NEVER;
    return take_lists(b) ? b : NULL;
}

/* The wall clock at a moment of the run, as it would have gone on from its start. */
static uint64_t wall_of(const struct buckets *b, uint64_t at_ns)
{
    return b->wall_ns + (at_ns - b->start_ns);
}

/* Opens the bucket that `from_ns` lies in. */
static void open_bucket(struct buckets *b, uint64_t from_ns)
{
    uint64_t size_ns = b->options.test->general.bucket_size_ns;
    uint64_t wall_ns = wall_of(b, from_ns), begun_ns = wall_ns % size_ns;

    b->bucket.start_wall_ns = wall_ns - begun_ns;
    b->bucket.size_ns = size_ns;
    b->bucket.from_ns = from_ns - b->start_ns;
    b->next_ns = max_u64(from_ns + (size_ns - begun_ns), from_ns + BUCKETS_NS_MIN);
}

void buckets_start(struct buckets *b, uint64_t start_ns, uint64_t wall_ns)
{
    CHECK(b->options.test->general.bucket_size_ns > 0);
    b->start_ns = start_ns;
    b->wall_ns = wall_ns;
    open_bucket(b, start_ns);
    for (uint32_t i = 0; i < b->options.sinks_count; i++) {
        const struct bucket_sink *sink = &b->options.sinks[i];

        if (sink->start != NULL) sink->start(sink->self, wall_ns);
    }
}

/* Groups. */

static struct hist_view *new_view(struct buckets *b)
{
    struct hist_view *view = arena_array(b->arena, 1, sizeof(*view));

    if (view != NULL) hist_view_clear(view);
    return view;
}

static bool take_views(struct buckets *b, struct merged *merged)
{
    for (int i = 0; i < 2; i++) {
        merged->total[i] = new_view(b);
        merged->interval[i] = new_view(b);
        if (merged->total[i] == NULL || merged->interval[i] == NULL) return false;
    }
    return true;
}

/* Adds a group with the tags of `group`; UINT32_MAX when there is no memory for it. */
static uint32_t add_group(struct buckets *b, const struct group *group)
{
    uint32_t index = b->count;
    struct merged *merged = &b->merged[index];
    struct merged **chain = &b->chains[group->hash & b->chains_mask];

    CHECK(index <= GROUPS_MAX);
    if (!take_views(b, merged)) return UINT32_MAX;
    merged->hash = group->hash;
    merged->same_next = *chain;
    *chain = merged;
    b->groups[index].index = index;
    b->groups[index].tags = group->tags;
    b->groups[index].tags_count = group->tags_count;
    b->count++;
    return index;
}

/* Which group stands for those without a place: "other", or without memory for that the first. */
static uint32_t other_index(struct buckets *b)
{
    static const struct group_tag tag = {
        .name = "_id", .value = "other", .name_len = 3, .value_len = 5};
    static const struct group other = {.tags = &tag, .tags_count = 1};

    if (b->other == UINT32_MAX) b->other = add_group(b, &other);
    return b->other == UINT32_MAX ? 0 : b->other;
}

static uint32_t find_group(struct buckets *b, const struct group *group)
{
    const struct merged *merged = b->chains[group->hash & b->chains_mask];
    uint32_t index;

    if (group->is_other) return other_index(b);
    for (; merged != NULL; merged = merged->same_next) {
        index = (uint32_t)(merged - b->merged);
        if (merged->hash == group->hash && index != b->other &&
            group_has_tags(group, b->groups[index].tags, b->groups[index].tags_count)) {
            return index;
        }
    }
    if (b->count - (b->other != UINT32_MAX) == GROUPS_MAX) return other_index(b);
    index = add_group(b, group);
    return index == UINT32_MAX ? other_index(b) : index;
}

/* Learns of the groups that have come up on the workers; says once when there are too many. */
static void learn_groups(struct buckets *b)
{
    for (uint32_t w = 0; w < b->options.plan->workers; w++) {
        const struct groups *groups = &b->options.shared[w]->groups;
        uint32_t count = groups_count(groups);

        for (; b->known[w] < count; b->known[w]++) {
            b->group_of[w][b->known[w]] = find_group(b, &groups->list[b->known[w]]);
        }
    }
    if (b->is_full || b->other == UINT32_MAX) return;
    b->is_full = true;
    if (b->options.say == NULL) return;
    b->options.say(b->options.self,
                   "pelt: more than 1,000 groups of tags: further ones are counted as 'other'");
}

/* Figures. */

static void clear_counts(struct bucket_figures *figures)
{
    figures->ok = figures->bytes_sent = figures->bytes_received = 0;
    figures->waits = figures->waited_ns = 0;
    memset(figures->failed, 0, sizeof(figures->failed));
    memset(figures->status, 0, sizeof(figures->status));
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        figures->errors[i].count = 0;
    }
}

static void add_error(struct bucket_figures *figures, const struct group_error *error)
{
    uint32_t i = 0;

    while (i < figures->errors_count && (figures->errors[i].code != error->code ||
                                         strcmp(figures->errors[i].text, error->text) != 0)) {
        i++;
    }
    if (i == GROUP_ERRORS_MAX) i--;
    if (i == figures->errors_count) {
        bool is_last = i == GROUP_ERRORS_MAX - 1;

        figures->errors[i] = (struct bucket_error){.code = error->code,
                                                   .text = is_last ? "other errors" : error->text};
        figures->errors_count++;
    }
    figures->errors[i].count += load_relaxed(&error->count);
}

static void add_counts(struct bucket_figures *figures, const struct group *group)
{
    uint32_t errors = load_acquire(&group->errors_count);

    figures->ok += load_relaxed(&group->ok);
    for (int i = 0; i < FAILED_COUNT; i++) {
        figures->failed[i] += load_relaxed(&group->failed[i]);
    }
    for (int i = 0; i < STATUS_COUNT; i++) {
        figures->status[i] += load_relaxed(&group->status[i]);
    }
    figures->bytes_sent += load_relaxed(&group->bytes_sent);
    figures->bytes_received += load_relaxed(&group->bytes_received);
    figures->waits += load_relaxed(&group->waits);
    figures->waited_ns += load_relaxed(&group->waited_ns);
    for (uint32_t i = 0; i < errors; i++) {
        add_error(figures, &group->errors[i]);
    }
}

/* `figures`, which holds what there was, becomes what there is more of now. */
static void take_difference(struct bucket_figures *figures, const struct bucket_figures *now)
{
    figures->ok = now->ok - figures->ok;
    for (int i = 0; i < FAILED_COUNT; i++) {
        figures->failed[i] = now->failed[i] - figures->failed[i];
    }
    for (int i = 0; i < STATUS_COUNT; i++) {
        figures->status[i] = now->status[i] - figures->status[i];
    }
    figures->bytes_sent = now->bytes_sent - figures->bytes_sent;
    figures->bytes_received = now->bytes_received - figures->bytes_received;
    figures->waits = now->waits - figures->waits;
    figures->waited_ns = now->waited_ns - figures->waited_ns;
    /* Kinds of errors keep their places; new ones come behind them. */
    for (uint32_t i = 0; i < now->errors_count; i++) {
        uint64_t before = i < figures->errors_count ? figures->errors[i].count : 0;

        figures->errors[i] = now->errors[i];
        figures->errors[i].count = now->errors[i].count - before;
    }
    figures->errors_count = now->errors_count;
}

/* Makes what there is the past, and what will be read empty. */
static void begin_reading(struct buckets *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct bucket_group *group = &b->groups[i];

        group->bucket = group->total;
        clear_counts(&group->total);
        hist_view_clear(b->merged[i].interval[0]);
        hist_view_clear(b->merged[i].interval[1]);
    }
}

static void read_groups(struct buckets *b)
{
    for (uint32_t w = 0; w < b->options.plan->workers; w++) {
        const struct groups *groups = &b->options.shared[w]->groups;

        for (uint32_t i = 0; i < b->known[w]; i++) {
            const struct group *group = &groups->list[i];
            uint32_t index = b->group_of[w][i];

            add_counts(&b->groups[index].total, group);
            hist_view_add(b->merged[index].interval[0], &group->from_due);
            hist_view_add(b->merged[index].interval[1], &group->from_sent);
        }
    }
}

/* Makes the difference of what was read and the past the bucket's. */
static void end_reading(struct buckets *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct bucket_group *group = &b->groups[i];
        struct merged *merged = &b->merged[i];

        take_difference(&group->bucket, &group->total);
        for (int v = 0; v < 2; v++) {
            struct hist_view *now = merged->interval[v], *before = merged->total[v];

            hist_view_diff(before, now, before);
            merged->total[v] = now;
            merged->interval[v] = before;
        }
        group->is_new = i >= b->told;
        group->bucket.from_due = merged->interval[0];
        group->bucket.from_sent = merged->interval[1];
        group->total.from_due = merged->total[0];
        group->total.from_sent = merged->total[1];
    }
    b->told = b->count;
}

static void read_ledgers(struct buckets *b)
{
    struct ledger *total = &b->bucket.total, *part = &b->bucket.ledger;
    struct ledger before = *total, one;

    *total = (struct ledger){0};
    for (uint32_t w = 0; w < b->options.plan->workers; w++) {
        ledger_read(&b->options.shared[w]->ledger, &one);
        ledger_add(total, &one);
    }
    *part = *total;
    ledger_subtract(part, &before);
    part->pending = total->pending;
    part->in_flight = total->in_flight;
    part->alive = total->alive;
    part->alive_max = total->alive_max;
    b->bucket.connections_open = total->alive;
    b->bucket.connections_max = b->options.plan->connections;
}

static void read_providers(struct buckets *b)
{
    const struct testfile *test = b->options.test;

    if (!test->general.log_provider_stats) return;
    for (uint32_t i = 0; i < test->providers_count; i++) {
        struct bucket_provider *provider = &b->providers[i];

        *provider = (struct bucket_provider){.name = test->providers[i].name};
        for (uint32_t w = 0; w < b->options.plan->workers; w++) {
            const struct provider_gauge *gauge = &b->options.shared[w]->gauges[i];

            provider->len += load_relaxed(&gauge->len);
            provider->limit += load_relaxed(&gauge->limit);
            provider->receivers += load_relaxed(&gauge->receivers);
            provider->senders += load_relaxed(&gauge->senders);
            provider->on_demand += load_relaxed(&gauge->demand);
        }
    }
    b->bucket.providers = b->providers;
    b->bucket.providers_count = test->providers_count;
}

static void take_bucket(struct buckets *b, uint64_t now_ns, bool is_last)
{
    learn_groups(b);
    begin_reading(b);
    read_groups(b);
    end_reading(b);
    read_ledgers(b);
    read_providers(b);
    b->bucket.until_ns = now_ns - b->start_ns;
    b->bucket.is_last = is_last;
    b->bucket.groups = b->groups;
    b->bucket.groups_count = b->count;
    b->has_bucket = true;
    for (uint32_t i = 0; i < b->options.sinks_count; i++) {
        const struct bucket_sink *sink = &b->options.sinks[i];

        sink->bucket(sink->self, &b->bucket);
    }
}

uint64_t buckets_step(struct buckets *b, uint64_t now_ns)
{
    if (now_ns < b->next_ns) return b->next_ns;
    take_bucket(b, now_ns, false);
    open_bucket(b, now_ns);
    return b->next_ns;
}

void buckets_end(struct buckets *b, uint64_t now_ns)
{
    if (b->next_ns == TIME_NEVER) buckets_start(b, now_ns, 0); /* It never began. */
    take_bucket(b, max_u64(now_ns, b->start_ns + b->bucket.from_ns), true);
}

const struct bucket *buckets_last(const struct buckets *b)
{
    return b->has_bucket ? &b->bucket : NULL;
}

bool buckets_close(const struct buckets *b)
{
    const struct ledger *ledger = &b->bucket.total;
    uint64_t ok = 0, failed[FAILED_COUNT] = {0};

    CHECK(b->bucket.is_last);
    for (uint32_t i = 0; i < b->count; i++) {
        ok += b->groups[i].total.ok;
        for (int f = 0; f < FAILED_COUNT; f++) {
            failed[f] += b->groups[i].total.failed[f];
        }
    }
    return ok == ledger->ok && memcmp(failed, ledger->failed, sizeof(failed)) == 0;
}
