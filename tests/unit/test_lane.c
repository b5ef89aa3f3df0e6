/* What lanes promise: in each the oldest comes first, over all of them too, and nothing is lost or
 * comes twice, whatever is added and taken; with one lane and with several. */
#include "core/lane.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

enum { PLACES = 40, LANES = 5 };

static struct arena arena;

/* The same in the plainest way: an array, oldest first. */
struct model {
    struct lane_waiting waiting[PLACES];
    uint32_t count;
};

static bool model_take(struct model *model, uint32_t lane, struct lane_waiting *ret_waiting)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->waiting[i].lane != lane) continue;
        *ret_waiting = model->waiting[i];
        model->count--;
        memmove(&model->waiting[i], &model->waiting[i + 1],
                (model->count - i) * sizeof(model->waiting[0]));
        return true;
    }
    return false;
}

static void expect_same(const struct lanes *lanes, const struct model *model)
{
    const struct lane_waiting *oldest = lanes_oldest(lanes);
    uint32_t pending[LANES] = {0};

    EXPECT(lanes->pending == model->count);
    EXPECT((oldest == NULL) == (model->count == 0));
    if (oldest != NULL) EXPECT(oldest->due_ns == model->waiting[0].due_ns);
    for (uint32_t i = 0; i < model->count; i++) {
        pending[model->waiting[i].lane]++;
    }
    for (uint32_t i = 0; i < lanes->count; i++) {
        EXPECT(lanes_pending_of(lanes, i) == pending[i]);
    }
}

static void take_both(struct lanes *lanes, struct model *model, uint32_t lane)
{
    struct lane_waiting got = {.due_ns = 0}, wanted = {.due_ns = 0};
    bool taken = lanes_take(lanes, lane, &got);

    EXPECT(taken == model_take(model, lane, &wanted));
    if (!taken) return;
    EXPECT(got.due_ns == wanted.due_ns);
    EXPECT(got.request == wanted.request);
    EXPECT(got.lane == lane);
}

static void test_lane_is_the_same_as_a_plain_list(void)
{
    for (uint32_t count = 1; count <= LANES; count++) {
        struct model model = {.count = 0};
        struct lanes lanes;
        struct rng rng;

        rng_init(&rng, count);
        EXPECT(lanes_init(&lanes, &arena, count, PLACES));
        for (uint64_t step = 1; step < 100000; step++) {
            bool filling = step / 500 % 2 == 0;
            struct lane_waiting waiting = {.due_ns = step,
                                           .request = (uint16_t)rng_below(&rng, 60000),
                                           .lane = (uint16_t)rng_below(&rng, count)};

            if (rng_below(&rng, 100) < (filling ? 60 : 40) && model.count < PLACES) {
                lanes_add(&lanes, &waiting);
                model.waiting[model.count++] = waiting;
            } else if (rng_below(&rng, 4) == 0 && model.count > 0) {
                take_both(&lanes, &model, lanes_oldest(&lanes)->lane);
            } else {
                take_both(&lanes, &model, waiting.lane);
            }
            if (rng_below(&rng, 16) == 0) lanes_rewind(&lanes);
            expect_same(&lanes, &model);
        }
    }
}

/* A run in which little waits touches little of what is reserved for much. */
static void test_lane_uses_memory_from_its_beginning(void)
{
    for (uint32_t count = 1; count <= 2; count++) {
        struct lane_waiting waiting = {.due_ns = 1};
        struct lanes lanes;

        EXPECT(lanes_init(&lanes, &arena, count, 1000));
        for (int i = 0; i < 5000; i++) {
            lanes_rewind(&lanes);
            lanes_add(&lanes, &waiting);
            lanes_add(&lanes, &waiting);
            EXPECT(lanes_take(&lanes, 0, &waiting));
            EXPECT(lanes_take(&lanes, 0, &waiting));
            EXPECT(!lanes_take(&lanes, 0, &waiting));
        }
        for (uint32_t i = 2; i <= lanes.mask; i++) {
            EXPECT(lanes.entries[i].waiting.due_ns == 0);
        }
    }
}

static void test_lane_says_when_there_is_no_memory(void)
{
    struct arena small;
    struct lanes lanes;

    for (size_t bytes = 1; bytes < 1000; bytes += 13) {
        arena_init(&small, bytes);
        EXPECT(!lanes_init(&lanes, &small, 100, 10));
        arena_release(&small);
    }
}

static void one_too_many(void)
{
    struct lane_waiting waiting = {.due_ns = 1};
    struct lanes lanes;

    EXPECT(lanes_init(&lanes, &arena, 2, 4));
    for (int i = 0; i < 5; i++) {
        lanes_add(&lanes, &waiting);
    }
}

static void no_lane(void)
{
    struct lanes lanes;

    (void)!lanes_init(&lanes, &arena, 0, 4);
}

static void test_lane_refuses_what_cannot_be(void)
{
    EXPECT(aborts(one_too_many));
    EXPECT(aborts(no_lane));
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_lane_is_the_same_as_a_plain_list);
    TEST(test_lane_uses_memory_from_its_beginning);
    TEST(test_lane_says_when_there_is_no_memory);
    TEST(test_lane_refuses_what_cannot_be);
    arena_release(&arena);
    return 0;
}
