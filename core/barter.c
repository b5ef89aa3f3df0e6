#include "core/barter.h"

#include "core/base/check.h"

bool barter_init(struct barter *barter, struct arena *arena, uint32_t workers, uint32_t endpoints,
                 uint32_t providers)
{
    uint32_t boxes = workers * workers;
    struct mail *slots = arena_array(arena, (size_t)boxes * BARTER_SLOTS, sizeof(*slots));

    *barter = (struct barter){
        .workers = workers,
        .providers = providers,
        .cells = arena_array(arena, (size_t)workers * providers, sizeof(*barter->cells)),
        .boxes = arena_array(arena, boxes, sizeof(*barter->boxes)),
    };
    if (slots == NULL || barter->cells == NULL || barter->boxes == NULL) return false;
    for (uint32_t i = 0; i < boxes; i++) {
        mailbox_init(&barter->boxes[i], slots + (size_t)i * BARTER_SLOTS, BARTER_SLOTS);
    }
    for (uint32_t i = 0; i < workers * providers; i++) {
        store_release(&barter->cells[i].state, 1);
    }
    return stillness_init(&barter->still, arena, workers, endpoints, providers);
}

struct mailbox *barter_box(const struct barter *barter, uint32_t from, uint32_t to)
{
    CHECK(from < barter->workers && to < barter->workers);
    return &barter->boxes[from * barter->workers + to];
}

struct barter_cell *barter_cell(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    CHECK(worker < barter->workers && provider < barter->providers);
    return &barter->cells[(size_t)worker * barter->providers + provider];
}

void barter_set_open(const struct barter *barter, uint32_t worker, uint32_t provider, bool open)
{
    struct barter_cell *cell = barter_cell(barter, worker, provider);
    uint64_t state = load_relaxed(&cell->state);

    if ((state & 1) == open) return;
    store_release(&cell->state, ((state | 1) + 1) | open);
    stillness_change(&barter->still, worker);
}

bool barter_is_open(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    return (load_relaxed(&barter_cell(barter, worker, provider)->state) & 1) != 0;
}

/* The sum of all others' states, which only grow; 0 if one is open. */
static uint64_t read_states(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    uint64_t sum = 2;

    for (uint32_t i = 0; i < barter->workers; i++) {
        uint64_t state = load_acquire(&barter_cell(barter, i, provider)->state);

        if (i == worker) continue;
        if ((state & 1) != 0) return 0;
        sum += state;
    }
    return sum;
}

bool barter_is_open_elsewhere(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    uint64_t first = read_states(barter, worker, provider);

    return first == 0 || read_states(barter, worker, provider) != first;
}

void barter_set_unread(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    store_release(&barter_cell(barter, worker, provider)->is_unread, 1);
    stillness_change(&barter->still, worker);
}

bool barter_is_read_by(const struct barter *barter, uint32_t worker, uint32_t provider)
{
    return load_acquire(&barter_cell(barter, worker, provider)->is_unread) == 0;
}

bool barter_is_read(const struct barter *barter, uint32_t provider)
{
    for (uint32_t i = 0; i < barter->workers; i++) {
        if (barter_is_read_by(barter, i, provider)) return true;
    }
    return false;
}
