/* A worker's part in a component that is split: what it has too much of goes to those that starve.
 */
#include <string.h>

#include "core/base/check.h"
#include "core/runner_impl.h"

/* With more providers than that it is traded now and then. */
enum { SHARED_EACH_TURN_MAX = 16 };

#define TRADE_NS (100 * NS_PER_US)
#define ASK_NS   (100 * NS_PER_US) /* Between two wakes of others. */

bool runner_is_shared(const struct runner *runner, uint32_t provider)
{
    const struct testfile_provider *def = &runner->test->providers[provider];

    /* Values of sources have their workers by number. */
    return runner->options.provider_crews[provider] > 1 &&
           (def->is_fed || def->auto_return != RETURN_NONE);
}

bool runner_init_barter(struct runner *runner, struct arena *arena)
{
    struct barter_side *side = &runner->barter;
    uint32_t workers = runner->worker->plan->workers, providers = runner->test->providers_count;

    side->underway_to = arena_array(arena, workers, sizeof(uint32_t));
    side->underway_of = arena_array(arena, providers, sizeof(uint32_t));
    side->underway_by = arena_array(arena, (size_t)workers * providers, sizeof(uint32_t));
    side->shared = arena_array(arena, providers, sizeof(uint32_t));
    side->is_kept = arena_array(arena, providers, sizeof(bool));
    side->lets_go = arena_array(arena, providers, sizeof(bool));
    if (side->underway_to == NULL || side->underway_of == NULL || side->underway_by == NULL ||
        side->shared == NULL || side->is_kept == NULL || side->lets_go == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < providers; i++) {
        if (runner_is_shared(runner, i)) side->shared[side->shared_count++] = i;
    }
    return true;
}

bool runner_has_underway(const struct runner *runner)
{
    return runner->barter.underway > 0;
}

bool runner_is_read(const struct runner *runner, uint32_t provider)
{
    if (likely(runner->readers[provider] > 0)) return true;
    return runner->options.barter != NULL && runner->had_readers[provider] &&
           runner_is_shared(runner, provider) && barter_is_read(runner->options.barter, provider);
}

/* Items of a provider that a worker has not given back. */
static uint32_t *underway_of(const struct runner *runner, uint32_t to, uint32_t provider)
{
    return &runner->barter.underway_by[(size_t)to * runner->test->providers_count + provider];
}

_Static_assert(sizeof(void *) == sizeof(uint64_t), "a mail's word holds one");

/* The item that a mail's first word points to. */
static struct provider_item *item_of(struct mail mail)
{
    struct provider_item *item;

    memcpy(&item, &mail.kind, sizeof(mail.kind));
    return item;
}

/* Says what this worker would take of a provider, if that has changed; true if it begins to. */
static bool say_wants(struct runner *runner, uint32_t index, uint32_t wants)
{
    const struct barter *barter = runner->options.barter;
    _Atomic uint32_t *said = &barter_cell(barter, runner->worker->index, index)->wants;
    uint32_t before = load_relaxed(said);

    if (before != wants) store_relaxed(said, wants);
    return before == 0 && wants > 0;
}

static void say_spares(struct runner *runner, uint32_t index, bool spares)
{
    const struct barter *barter = runner->options.barter;
    _Atomic uint32_t *said = &barter_cell(barter, runner->worker->index, index)->spares;

    if (load_relaxed(said) != spares) store_relaxed(said, spares);
}

/* Keeps a value that another worker has sent; its item goes back. */
static void receive(struct runner *runner, uint32_t from, struct mail mail)
{
    const struct barter *barter = runner->options.barter;
    uint32_t index = (uint32_t)(mail.value >> 1), self = runner->worker->index;
    const struct provider_item *sent = item_of(mail);
    struct provider *provider = &runner->providers[index];
    bool posted;

    stillness_move(&barter->still, self); /* Before it can be seen that it has come. */
    (void)say_wants(runner, index, 0);
    if (!runner_is_read(runner, index)) {
        provider->unread++;
    } else {
        (void)!provider_push(provider, &sent->value, true);
        barter_set_open(barter, self, index, true); /* Before the sender's may be shut. */
    }
    runner->is_stirred = runner->ends_changed = true;
    posted = mailbox_post(barter_box(barter, self, from),
                          (struct mail){.kind = mail.kind, .value = mail.value | 1});
    CHECK(posted);
}

static void take_mail(struct runner *runner, uint32_t from)
{
    const struct barter *barter = runner->options.barter;
    struct barter_side *side = &runner->barter;
    struct mail mail;

    while (mailbox_take(barter_box(barter, from, runner->worker->index), &mail)) {
        if ((mail.value & 1) == 0) {
            receive(runner, from, mail);
            continue;
        }
        provider_item_free(&runner->blocks, item_of(mail));
        side->underway_to[from]--;
        (*underway_of(runner, from, (uint32_t)(mail.value >> 1)))--;
        side->underway_of[mail.value >> 1]--;
        side->underway--;
        runner->ends_changed = true;
    }
}

/* Sends a worker what it waits for, as far as it is there and nobody here waits. */
static void feed_worker(struct runner *runner, uint32_t index, uint32_t to)
{
    const struct barter *barter = runner->options.barter;
    struct barter_side *side = &runner->barter;
    struct provider *provider = &runner->providers[index];
    uint32_t wants = load_relaxed(&barter_cell(barter, to, index)->wants);
    bool any = false;

    /* It may not have seen yet what it was sent. */
    if (*underway_of(runner, to, index) > 0) return;
    wants = (uint32_t)min_u64(wants, (provider->len + 1) / 2);

    while (wants > 0 && provider->len > 0 && side->underway_to[to] < BARTER_UNDERWAY_MAX) {
        struct provider_item *item = provider_take(provider);
        bool posted;

        stillness_move(&barter->still, runner->worker->index);
        posted =
            mailbox_post(barter_box(barter, runner->worker->index, to),
                         (struct mail){.kind = (uintptr_t)item, .value = (uint64_t)index << 1});

        CHECK(posted);
        side->underway_to[to]++;
        (*underway_of(runner, to, index))++;
        side->underway_of[index]++;
        side->underway++;
        wants--;
        any = true;
    }
    if (!any) return;
    runner->is_stirred = true;
    barter->wake(barter->self, to);
}

void runner_barter(struct runner *runner)
{
    const struct barter *barter = runner->options.barter;
    struct worker *w = runner->worker;

    if (barter == NULL) return;
    for (uint32_t from = 0; from < barter->workers; from++) {
        if (from != w->index) take_mail(runner, from);
    }
    if (w->now_ns < runner->barter.next_ns) return;
    runner->barter.next_ns = w->now_ns + BARTER_NS;
    runner->ends_changed = true; /* Others may have shut what kept somebody here. */
    runner_end_yields(runner);
}

/* Sends what there is too much of to those that want it; what they wanted before they stopped they
 * want no more. */
static void offer(struct runner *runner, uint32_t index)
{
    const struct barter *barter = runner->options.barter;
    const struct provider *provider = &runner->providers[index];

    for (uint32_t to = 0; to < barter->workers && provider->len > 0; to++) {
        if (to == runner->worker->index) continue;
        if (likely(load_relaxed(&barter_cell(barter, to, index)->wants) == 0)) continue;
        if (barter_is_read_by(barter, to, index)) feed_worker(runner, index, to);
    }
}

/* Wakes those who have what somebody here has begun to wait for, but not all the time: they look by
 * themselves as well. */
static void ask(struct runner *runner, uint32_t index)
{
    const struct barter *barter = runner->options.barter;
    struct barter_side *side = &runner->barter;

    if (runner->worker->now_ns < side->ask_ns) return;
    for (uint32_t to = 0; to < barter->workers; to++) {
        if (to == runner->worker->index) continue;
        if (load_relaxed(&barter_cell(barter, to, index)->spares) == 0) continue;
        side->ask_ns = runner->worker->now_ns + ASK_NS;
        barter->wake(barter->self, to);
    }
}

void runner_trade(struct runner *runner)
{
    struct barter_side *side = &runner->barter;

    if (runner->options.barter == NULL) return;
    if (side->shared_count > SHARED_EACH_TURN_MAX) {
        if (runner->worker->now_ns < side->trade_ns) return;
        side->trade_ns = runner->worker->now_ns + TRADE_NS;
    }
    for (uint32_t i = 0; i < side->shared_count; i++) {
        uint32_t index = side->shared[i], wants = 0;
        const struct provider *provider = &runner->providers[index];

        if (provider->receivers.first != NULL) {
            wants = (uint32_t)min_u64(max_u64(provider->limit, provider->receivers.count),
                                      BARTER_UNDERWAY_MAX);
        }
        if (say_wants(runner, index, wants)) ask(runner, index);
        if (wants == 0 && provider->len > 0) offer(runner, index);
        say_spares(runner, index, wants == 0 && provider->len > 0);
    }
}

bool runner_is_fed_elsewhere(const struct runner *runner, uint32_t provider)
{
    const struct barter *barter = runner->options.barter;

    if (!runner_is_shared(runner, provider)) return false;
    if (barter != NULL && runner->barter.underway_of[provider] > 0) return true;
    return barter == NULL || barter_is_open_elsewhere(barter, runner->worker->index, provider);
}

void runner_say_unread(struct runner *runner, uint32_t provider)
{
    const struct barter *barter = runner->options.barter;

    if (barter == NULL || !runner_is_shared(runner, provider)) return;
    barter_set_unread(barter, runner->worker->index, provider);
}

void runner_say_open(struct runner *runner, uint32_t provider, bool open, bool held)
{
    const struct barter *barter = runner->options.barter;
    struct barter_side *side = &runner->barter;
    uint32_t self = runner->worker->index;

    if (barter == NULL || !runner_is_shared(runner, provider)) return;
    /* What is left of values that nobody reads on any worker keeps none of them. */
    open = open && runner_is_read(runner, provider);
    open |= side->underway_of[provider] > 0;
    side->is_kept[provider] = !open && held && !side->lets_go[provider];
    barter_set_open(barter, self, provider, open || side->is_kept[provider]);
}
