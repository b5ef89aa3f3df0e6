#include "core/stillness.h"

#include "core/base/check.h"

bool stillness_init(struct stillness *still, struct arena *arena, uint32_t workers,
                    uint32_t endpoints, uint32_t providers)
{
    *still = (struct stillness){
        .workers = workers,
        .endpoints = endpoints,
        .providers = providers,
        .rows = arena_alloc(arena, workers * sizeof(struct still_row), CACHE_LINE),
        .waits = arena_array(arena, (size_t)workers * endpoints, sizeof(*still->waits)),
        .stocks = arena_array(arena, (size_t)workers * providers, sizeof(*still->stocks)),
    };
    if (still->rows == NULL || still->waits == NULL || still->stocks == NULL) return false;
    for (uint32_t w = 0; w < workers; w++) {
        store_relaxed(&still->rows[w].state, 1);
    }
    return true;
}

void stillness_move(const struct stillness *still, uint32_t worker)
{
    struct still_row *row = &still->rows[worker];
    uint64_t state = load_relaxed(&row->state);

    CHECK(worker < still->workers);
    if ((state & 1) == 0) store_release(&row->state, state + 1);
}

static bool is_same(const _Atomic uint32_t *said, const uint32_t *now, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (load_relaxed(&said[i]) != now[i]) return false;
    }
    return true;
}

/* Releases, so that who sees one of them sees as well that the worker moved. */
static void say(_Atomic uint32_t *said, const uint32_t *now, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        store_release(&said[i], now[i]);
    }
}

void stillness_rest(const struct stillness *still, uint32_t worker, const struct still_rest *rest)
{
    struct still_row *row = &still->rows[worker];
    _Atomic uint32_t *waits = still->waits + (size_t)worker * still->endpoints;
    _Atomic uint32_t *stocks = still->stocks + (size_t)worker * still->providers;

    CHECK(worker < still->workers);
    if ((load_relaxed(&row->state) & 1) != 0 || !is_same(waits, rest->waits, still->endpoints) ||
        !is_same(stocks, rest->stocks, still->providers)) {
        stillness_move(still, worker);
        say(waits, rest->waits, still->endpoints);
        say(stocks, rest->stocks, still->providers);
        store_release(&row->state, load_relaxed(&row->state) + 1);
    }
    store_release(&row->heard, rest->heard);
}

void stillness_change(const struct stillness *still, uint32_t worker)
{
    struct still_row *row = &still->rows[worker];

    store_release(&row->changes, load_relaxed(&row->changes) + 1);
}

uint64_t stillness_changes(const struct stillness *still)
{
    uint64_t sum = 0;

    for (uint32_t w = 0; w < still->workers; w++) {
        sum += load_acquire(&still->rows[w].changes);
    }
    return sum;
}

/* The sum of all states, which only grow, + 1; 0 if one moves, or has not heard all. */
static uint64_t read_states(const struct stillness *still)
{
    uint64_t sum = 1, changes = stillness_changes(still);

    for (uint32_t w = 0; w < still->workers; w++) {
        uint64_t state = load_acquire(&still->rows[w].state);

        uint64_t heard = load_acquire(&still->rows[w].heard);

        if ((state & 1) != 0 || (heard != changes && heard != UINT64_MAX)) return 0;
        sum += state;
    }
    return sum;
}

static uint32_t stock_of(const struct stillness *still, uint32_t worker, uint32_t provider)
{
    return load_acquire(&still->stocks[(size_t)worker * still->providers + provider]);
}

/* What one provider's parts on all workers come to, seen from `self`. */
static enum still_found look_at_provider(const struct stillness *still, uint32_t self,
                                         uint32_t provider)
{
    uint32_t all = 0, wanted = UINT32_MAX, holder = UINT32_MAX, unasked = UINT32_MAX;

    for (uint32_t w = still->workers; w-- > 0;) {
        uint32_t stock = stock_of(still, w, provider);

        all |= stock;
        if ((stock & STILL_WANTED) != 0) wanted = w;
        if ((stock & STILL_UNASKED) != 0) unasked = w;
    }
    if (wanted == UINT32_MAX) return STILL_IS_DEAD;
    if ((all & STILL_THERE) != 0) return STILL_MOVES; /* It will be sent. */
    for (uint32_t w = still->workers; w-- > wanted + 1;) {
        if ((stock_of(still, w, provider) & STILL_HELD) != 0) holder = w;
    }
    if (holder != UINT32_MAX) return holder == self ? STILL_YIELD : STILL_MOVES;
    if (unasked != UINT32_MAX) return unasked == self ? STILL_ASK : STILL_MOVES;
    if ((all & STILL_OPEN) != 0 || (all & STILL_KEPT) == 0) return STILL_IS_DEAD;
    return (stock_of(still, self, provider) & STILL_KEPT) != 0 ? STILL_LET_GO : STILL_MOVES;
}

/* The first provider whose values can move. */
static enum still_found look_at_all(const struct stillness *still, uint32_t self,
                                    uint32_t *ret_provider)
{
    for (uint32_t i = 0; i < still->providers; i++) {
        enum still_found found = look_at_provider(still, self, i);

        if (found == STILL_IS_DEAD) continue;
        *ret_provider = i;
        return found;
    }
    return STILL_IS_DEAD;
}

/* What each endpoint waits for; true if one waits. */
static bool gather_waits(const struct stillness *still, uint32_t *waits)
{
    bool any = false;

    for (uint32_t i = 0; i < still->endpoints; i++) {
        waits[i] = STILL_OVER;
        for (uint32_t w = 0; w < still->workers; w++) {
            uint32_t wait = load_acquire(&still->waits[(size_t)w * still->endpoints + i]);

            /* The first value is told; room only where nobody waits for a value. */
            if (wait > waits[i] && waits[i] < STILL_VALUE) waits[i] = wait;
        }
        any |= waits[i] != STILL_OVER;
    }
    return any;
}

enum still_found stillness_look(const struct stillness *still, uint32_t worker,
                                uint32_t *ret_provider, uint32_t *ret_waits)
{
    uint64_t before = read_states(still);
    enum still_found found;

    if (before == 0) return STILL_MOVES;
    found = look_at_all(still, worker, ret_provider);
    if (!gather_waits(still, ret_waits)) found = STILL_IS_OVER;
    return read_states(still) == before ? found : STILL_MOVES;
}

void stillness_tell(const struct stillness *still, uint32_t worker)
{
    CHECK(worker < still->workers);
    store_release(&still->rows[worker].has_told, 1);
}

bool stillness_is_told(const struct stillness *still)
{
    for (uint32_t w = 0; w < still->workers; w++) {
        if (load_acquire(&still->rows[w].has_told) != 0) return true;
    }
    return false;
}
