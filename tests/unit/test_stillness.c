/* Who may think that nothing moves any more: what workers at rest come to, and that a value on its
 * way, or something told and not heard, is never overlooked. */
#include "core/stillness.h"

#include <pthread.h>
#include <sched.h>

#include "core/base/mailbox.h"
#include "tests/test.h"

enum { WORKERS = 2, ENDPOINTS = 2, PROVIDERS = 2, TURNS = 3000 };

/* How two workers rest, and what the first and the second find. */
struct still_row_test {
    const char *name;
    uint32_t waits[WORKERS][ENDPOINTS];
    uint32_t stocks[WORKERS][PROVIDERS];
    enum still_found found[WORKERS];
};

#define VALUE(provider) (STILL_VALUE + (provider))

static const struct still_row_test rows[] = {
    {"all over", {{0}}, {{0}}, {STILL_IS_OVER, STILL_IS_OVER}},
    {"values that nobody wants",
     {{0}},
     {{STILL_THERE}, {STILL_HELD | STILL_KEPT}},
     {STILL_IS_OVER, STILL_IS_OVER}},
    {"one waits",
     {{0}, {VALUE(1)}},
     {{0}, {0, STILL_WANTED | STILL_OPEN}},
     {STILL_IS_DEAD, STILL_IS_DEAD}},
    {"one waits for room", {{STILL_ROOM}}, {{0}}, {STILL_IS_DEAD, STILL_IS_DEAD}},
    {"what it waits for is there",
     {{VALUE(0)}},
     {{STILL_WANTED}, {STILL_THERE}},
     {STILL_MOVES, STILL_MOVES}},
    {"each holds what the other waits for",
     {{VALUE(0)}, {VALUE(1)}},
     {{STILL_WANTED, STILL_HELD}, {STILL_HELD, STILL_WANTED}},
     {STILL_MOVES, STILL_YIELD}},
    {"the first one holds, and yields to nobody",
     {{VALUE(1)}, {VALUE(0)}},
     {{STILL_HELD | STILL_OPEN, STILL_WANTED | STILL_OPEN}, {STILL_WANTED}},
     {STILL_IS_DEAD, STILL_IS_DEAD}},
    {"only what is held keeps it open",
     {{VALUE(0)}, {VALUE(0)}},
     {{STILL_WANTED | STILL_HELD | STILL_KEPT}, {STILL_WANTED}},
     {STILL_LET_GO, STILL_MOVES}},
    {"one could be asked",
     {{VALUE(0)}, {STILL_ROOM}},
     {{STILL_WANTED}, {STILL_UNASKED}},
     {STILL_MOVES, STILL_ASK}},
};

static struct stillness make(struct arena *arena, uint32_t workers)
{
    struct stillness still;

    arena_init(arena, 0);
    EXPECT(stillness_init(&still, arena, workers, ENDPOINTS, PROVIDERS));
    return still;
}

static void rest(const struct stillness *still, uint32_t worker, const uint32_t *waits,
                 const uint32_t *stocks)
{
    stillness_rest(
        still, worker,
        &(struct still_rest){.waits = waits, .stocks = stocks, .heard = stillness_changes(still)});
}

static enum still_found look(const struct stillness *still, uint32_t worker)
{
    uint32_t provider, waits[ENDPOINTS];

    return stillness_look(still, worker, &provider, waits);
}

static void test_stillness_knows_what_can_move(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct stillness still = make(&arena, WORKERS);

        (void)fprintf(stderr, "%s\n", rows[i].name);
        EXPECT(look(&still, 0) == STILL_MOVES);
        for (uint32_t w = 0; w < WORKERS; w++) {
            rest(&still, w, rows[i].waits[w], rows[i].stocks[w]);
        }
        for (uint32_t w = 0; w < WORKERS; w++) {
            EXPECT(look(&still, w) == rows[i].found[w]);
        }
        stillness_move(&still, 1);
        EXPECT(look(&still, 0) == STILL_MOVES);
        arena_release(&arena);
    }
}

static void test_stillness_tells_what_each_endpoint_waits_for(void)
{
    static const uint32_t none[PROVIDERS] = {0};
    struct arena arena;
    struct stillness still = make(&arena, 3);
    uint32_t provider, waits[ENDPOINTS];

    rest(&still, 0, (uint32_t[]){STILL_OVER, STILL_ROOM}, none);
    rest(&still, 1, (uint32_t[]){STILL_ROOM, VALUE(1)}, none);
    rest(&still, 2, (uint32_t[]){STILL_OVER, VALUE(0)}, none);
    EXPECT(stillness_look(&still, 0, &provider, waits) == STILL_IS_DEAD);
    EXPECT(waits[0] == STILL_ROOM && waits[1] == VALUE(1));
    EXPECT(!stillness_is_told(&still));
    stillness_tell(&still, 2);
    EXPECT(stillness_is_told(&still));
    arena_release(&arena);
}

static void test_stillness_waits_until_all_have_heard(void)
{
    static const uint32_t waits[ENDPOINTS] = {VALUE(0)}, stocks[PROVIDERS] = {0};
    struct arena arena;
    struct stillness still = make(&arena, WORKERS);

    rest(&still, 0, waits, stocks);
    rest(&still, 1, waits, stocks);
    EXPECT(look(&still, 0) == STILL_IS_DEAD);
    stillness_change(&still, 1);
    rest(&still, 1, waits, stocks);
    EXPECT(look(&still, 1) == STILL_MOVES); /* The other one may have something to do now. */
    rest(&still, 0, waits, stocks);
    EXPECT(look(&still, 1) == STILL_IS_DEAD);
    stillness_rest(&still, 0,
                   &(struct still_rest){.waits = waits, .stocks = stocks, .heard = UINT64_MAX});
    stillness_change(&still, 1);
    rest(&still, 1, waits, stocks);
    EXPECT(look(&still, 1) == STILL_IS_DEAD); /* It has ended and need not hear. */
    arena_release(&arena);
}

static void test_stillness_fails_without_memory(void)
{
    bool done = false;

    for (size_t bytes = 256; !done; bytes *= 2) {
        struct stillness still;
        struct arena arena;

        arena_init(&arena, bytes);
        done = stillness_init(&still, &arena, 4, 300, 300);
        EXPECT(!done || bytes > 256);
        arena_release(&arena);
    }
}

/* A value that goes round between two workers: who has none rests. The third, at rest all the time,
 * must never find that nothing moves. */
struct player {
    const struct stillness *still;
    struct mailbox *boxes; /* To each. */
    uint32_t self;
};

static void *play(void *arg)
{
    static const uint32_t waits[ENDPOINTS] = {VALUE(0)}, stocks[PROVIDERS] = {STILL_WANTED};
    const struct player *player = arg;
    struct mail mail;

    for (uint32_t turn = 0; turn < TURNS; turn++) {
        if (turn % 2 == player->self) { /* It has the value, */
            EXPECT(mailbox_post(&player->boxes[1 - player->self], (struct mail){.kind = 1}));
            while (!mailbox_take(&player->boxes[player->self], &mail)) {
                (void)sched_yield();
            }
            rest(player->still, player->self, waits, stocks); /* … which has been taken. */
        } else {
            while (!mailbox_take(&player->boxes[player->self], &mail)) {
                (void)sched_yield();
            }
            stillness_move(player->still, player->self);
            EXPECT(mailbox_post(&player->boxes[1 - player->self], (struct mail){.kind = 2}));
        }
    }
    return NULL;
}

static void test_stillness_sees_a_value_that_goes_round(void)
{
    static const uint32_t waits[ENDPOINTS] = {VALUE(0)}, stocks[PROVIDERS] = {STILL_WANTED};
    struct mail slots[2][2];
    struct mailbox boxes[2];
    struct player players[2];
    pthread_t threads[2];
    struct arena arena;
    struct stillness still = make(&arena, 3);

    rest(&still, 2, waits, stocks);
    for (uint32_t i = 0; i < 2; i++) {
        mailbox_init(&boxes[i], slots[i], 2);
        players[i] = (struct player){.still = &still, .boxes = boxes, .self = i};
    }
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT(pthread_create(&threads[i], NULL, play, &players[i]) == 0);
    }
    for (uint32_t i = 0; i < TURNS; i++) {
        EXPECT(look(&still, 2) == STILL_MOVES);
    }
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(look(&still, 2) == STILL_MOVES); /* One still has it. */
    arena_release(&arena);
}

int main(void)
{
    TEST(test_stillness_knows_what_can_move);
    TEST(test_stillness_tells_what_each_endpoint_waits_for);
    TEST(test_stillness_waits_until_all_have_heard);
    TEST(test_stillness_fails_without_memory);
    TEST(test_stillness_sees_a_value_that_goes_round);
    return 0;
}
