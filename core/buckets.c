#include "core/buckets.h"

#include <string.h>

#include "config/plan.h"
#include "config/testfile.h"
#include "core/base/check.h"
#include "core/base/hist_pack.h"
#include "core/worker.h"

/* What is known of a group besides what others see of it. */
struct merged {
    uint64_t hash;
    struct merged *same_next; /* In its chain. */
    /* From due, from sent: what was read last, and what was read before that. */
    struct hist_pack now[2], before[2];
};

struct buckets {
    struct buckets_options options;
    struct arena *arena;
    struct bucket_group *groups; /* [GROUPS_MAX + 1] */
    struct merged *merged;       /* By group. */
    struct merged **chains;      /* [chains_mask + 1] */
    uint32_t chains_mask;
    uint32_t count, told; /* Groups, and those that the last bucket had. */
    uint32_t **first_of;  /* By worker, by group: the number of the first of its groups that this */
    uint32_t **next_same; /* is, and, by that number, of the next one; 0: there is none. */
    uint32_t *known;      /* By worker: how many of its groups are in that; numbers begin with 1. */
    uint32_t other;       /* Index of the group "other"; NOTHING: there is none. */
    struct hist_packs packs;
    struct hist_view *total[2], *interval[2]; /* From due, from sent, of the group `loaded`. */
    uint32_t loaded;                          /* NOTHING: none is. */
    bool is_full; /* Groups were counted as "other"; it has been said. */
    struct bucket_provider *providers;
    struct bucket bucket;
    bool has_bucket;
    uint64_t start_ns, wall_ns; /* The same moment: the start of the run. */
    uint64_t next_ns;           /* When the bucket that is open ends. */
};

enum { CHAINS = 2048 };
#define NOTHING UINT32_MAX

static bool take_lists(struct buckets *b)
{
    uint32_t workers = b->options.plan->workers;

    b->groups = arena_array(b->arena, GROUPS_MAX + 1, sizeof(*b->groups));
    b->merged = arena_array(b->arena, GROUPS_MAX + 1, sizeof(*b->merged));
    b->chains = arena_array(b->arena, CHAINS, sizeof(struct merged *));
    b->chains_mask = CHAINS - 1;
    b->first_of = arena_array(b->arena, workers, sizeof(uint32_t *));
    b->next_same = arena_array(b->arena, workers, sizeof(uint32_t *));
    b->known = arena_array(b->arena, workers, sizeof(uint32_t));
    b->providers = arena_array(b->arena, b->options.test->providers_count, sizeof(*b->providers));
    if (b->groups == NULL || b->merged == NULL || b->chains == NULL || b->first_of == NULL ||
        b->next_same == NULL || b->known == NULL || b->providers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < workers; i++) {
        b->first_of[i] = arena_array(b->arena, GROUPS_MAX + 1, sizeof(uint32_t));
        b->next_same[i] = arena_array(b->arena, GROUPS_MAX + 2, sizeof(uint32_t));
        if (b->first_of[i] == NULL || b->next_same[i] == NULL) return false;
    }
    return true;
}

static bool take_views(struct buckets *b)
{
    for (int i = 0; i < 2; i++) {
        b->total[i] = arena_array(b->arena, 1, sizeof(struct hist_view));
        b->interval[i] = arena_array(b->arena, 1, sizeof(struct hist_view));
        if (b->total[i] == NULL || b->interval[i] == NULL) return false;
    }
    return true;
}

struct buckets *buckets_new(struct arena *arena, const struct buckets_options *options)
{
    struct buckets *b = arena_array(arena, 1, sizeof(*b));

    if (b == NULL) return NULL;
    b->options = *options;
    b->arena = arena;
    b->other = NOTHING;
    b->loaded = NOTHING;
    b->next_ns = TIME_NEVER;
    hist_packs_init(&b->packs, arena);
    return take_lists(b) && take_views(b) ? b : NULL;
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

/* Adds a group with the tags of `group`. */
static uint32_t add_group(struct buckets *b, const struct group *group)
{
    uint32_t index = b->count;
    struct merged *merged = &b->merged[index];
    struct merged **chain = &b->chains[group->hash & b->chains_mask];

    CHECK(index <= GROUPS_MAX);
    merged->hash = group->hash;
    merged->same_next = *chain;
    *chain = merged;
    b->groups[index].index = index;
    b->groups[index].tags = group->tags;
    b->groups[index].tags_count = group->tags_count;
    b->count++;
    return index;
}

/* Which group stands for those without a place. */
static uint32_t other_index(struct buckets *b)
{
    static const struct group_tag tag = {
        .name = "_id", .value = "other", .name_len = 3, .value_len = 5};
    static const struct group other = {.tags = &tag, .tags_count = 1};

    if (b->other == NOTHING) b->other = add_group(b, &other);
    return b->other;
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
    if (b->count - (b->other != NOTHING) == GROUPS_MAX) return other_index(b);
    return add_group(b, group);
}

/* Learns of the groups that have come up on the workers; says once when there are too many. */
static void learn_groups(struct buckets *b)
{
    for (uint32_t w = 0; w < b->options.plan->workers; w++) {
        const struct groups *groups = &b->options.shared[w]->groups;
        uint32_t count = groups_count(groups);

        while (b->known[w] < count) {
            uint32_t index = find_group(b, &groups->list[b->known[w]]);
            uint32_t number = ++b->known[w];

            b->next_same[w][number] = b->first_of[w][index];
            b->first_of[w][index] = number;
        }
    }
    if (b->is_full || b->other == NOTHING) return;
    b->is_full = true;
    if (b->options.say == NULL) return;
    b->options.say(b->options.self,
                   "pelt: more than 1,000 groups of tags: further ones are counted as 'other'");
}

/* Figures. */

/* There are a thousand statuses, and a group has a few: what is 0 and stays so is not written, for
 * the memory that it stands in is taken when it is. */
static void set_status(struct bucket_figures *figures, int status, uint64_t count)
{
    if (figures->status[status] != count) figures->status[status] = count;
}

static void clear_counts(struct bucket_figures *figures)
{
    figures->ok = figures->bytes_sent = figures->bytes_received = 0;
    figures->waits = figures->waited_ns = 0;
    memset(figures->failed, 0, sizeof(figures->failed));
    for (int i = 0; i < STATUS_COUNT; i++) {
        set_status(figures, i, 0);
    }
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        figures->errors[i].count = 0;
    }
}

static void copy_counts(struct bucket_figures *figures, const struct bucket_figures *from)
{
    figures->ok = from->ok;
    figures->bytes_sent = from->bytes_sent;
    figures->bytes_received = from->bytes_received;
    figures->waits = from->waits;
    figures->waited_ns = from->waited_ns;
    memcpy(figures->failed, from->failed, sizeof(figures->failed));
    for (int i = 0; i < STATUS_COUNT; i++) {
        set_status(figures, i, from->status[i]);
    }
    figures->errors_count = from->errors_count;
    memcpy(figures->errors, from->errors, from->errors_count * sizeof(from->errors[0]));
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
        set_status(figures, i, figures->status[i] + load_relaxed(&group->status[i]));
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
        set_status(figures, i, now->status[i] - figures->status[i]);
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

/* Adds up what the workers have of a group by now; its histograms go to b->total. */
static void add_up(struct buckets *b, uint32_t index)
{
    for (int v = 0; v < 2; v++) {
        hist_view_clear(b->total[v]);
    }
    for (uint32_t w = 0; w < b->options.plan->workers; w++) {
        const struct group *list = b->options.shared[w]->groups.list;
        uint32_t number = b->first_of[w][index];

        for (; number != 0; number = b->next_same[w][number]) {
            const struct group *group = &list[number - 1];

            add_counts(&b->groups[index].total, group);
            hist_view_add(b->total[0], &group->from_due);
            hist_view_add(b->total[1], &group->from_sent);
        }
    }
}

/* What there was becomes the past; what there is more of now is the bucket's. */
static void read_group(struct buckets *b, uint32_t index)
{
    struct bucket_group *group = &b->groups[index];
    struct merged *merged = &b->merged[index];

    copy_counts(&group->bucket, &group->total);
    clear_counts(&group->total);
    add_up(b, index);
    take_difference(&group->bucket, &group->total);
    for (int v = 0; v < 2; v++) {
        struct hist_pack before = merged->now[v];

        merged->now[v] = merged->before[v];
        merged->before[v] = before;
        hist_pack_set(&b->packs, &merged->now[v], b->total[v]);
    }
    group->is_new = index >= b->told;
}

/* Where the histograms of a group are: in the views, or only packed. */
static void point(struct buckets *b, uint32_t index, bool is_loaded)
{
    struct bucket_group *group = &b->groups[index];

    group->bucket.from_due = is_loaded ? b->interval[0] : NULL;
    group->bucket.from_sent = is_loaded ? b->interval[1] : NULL;
    group->total.from_due = is_loaded ? b->total[0] : NULL;
    group->total.from_sent = is_loaded ? b->total[1] : NULL;
}

static void unload(struct buckets *b)
{
    if (b->loaded != NOTHING) point(b, b->loaded, false);
    b->loaded = NOTHING;
}

/* bucket.load */
static void load(void *self, uint32_t index)
{
    struct buckets *b = self;
    const struct merged *merged = &b->merged[index];

    CHECK(index < b->count);
    if (b->loaded == index) return;
    unload(b);
    for (int v = 0; v < 2; v++) {
        hist_pack_get(&merged->now[v], b->total[v]);
        hist_pack_get(&merged->before[v], b->interval[v]);
        hist_view_diff(b->interval[v], b->total[v], b->interval[v]);
    }
    b->loaded = index;
    point(b, index, true);
}

static void read_groups(struct buckets *b)
{
    unload(b);
    for (uint32_t i = 0; i < b->count; i++) {
        read_group(b, i);
    }
    b->told = b->count;
    b->bucket.load = load;
    b->bucket.self = b;
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
    read_groups(b);
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
