/* What split components promise each other: boxes between any two workers, and that nobody is
 * thought shut while a value is on its way to him. */
#include "core/barter.h"

#include <pthread.h>
#include <sched.h>

#include "tests/test.h"

static void test_barter_knows_who_is_open(void)
{
    struct barter barter;
    struct arena arena;

    arena_init(&arena, 0);
    EXPECT(barter_init(&barter, &arena, 3, 1, 2));
    EXPECT(barter_is_open_elsewhere(&barter, 0, 0)); /* At first all are. */
    barter_set_open(&barter, 1, 0, false);
    EXPECT(!barter_is_open(&barter, 1, 0) && barter_is_open(&barter, 2, 0));
    EXPECT(barter_is_open_elsewhere(&barter, 0, 0));
    barter_set_open(&barter, 2, 0, false);
    EXPECT(!barter_is_open_elsewhere(&barter, 0, 0));
    EXPECT(barter_is_open_elsewhere(&barter, 1, 0)); /* Worker 0 itself is. */
    EXPECT(barter_is_open_elsewhere(&barter, 0, 1)); /* So is the other provider. */
    barter_set_open(&barter, 2, 0, true);
    EXPECT(barter_is_open_elsewhere(&barter, 0, 0));
    barter_set_open(&barter, 2, 0, true);
    barter_set_open(&barter, 2, 0, false);
    EXPECT(!barter_is_open_elsewhere(&barter, 0, 0));
    arena_release(&arena);
}

static void test_barter_knows_who_reads(void)
{
    struct barter barter;
    struct arena arena;

    arena_init(&arena, 0);
    EXPECT(barter_init(&barter, &arena, 2, 1, 2));
    EXPECT(barter_is_open(&barter, 0, 1) && barter_is_read(&barter, 1));
    barter_set_unread(&barter, 0, 1);
    EXPECT(barter_is_read(&barter, 1)); /* By the other worker. */
    barter_set_unread(&barter, 1, 1);
    EXPECT(!barter_is_read(&barter, 1) && barter_is_read(&barter, 0));
    barter_set_open(&barter, 0, 1, false);
    EXPECT(!barter_is_open(&barter, 0, 1) && barter_is_open(&barter, 1, 1));
    arena_release(&arena);
}

static void test_barter_fails_without_memory(void)
{
    struct barter barter;
    bool done = false;

    for (size_t bytes = 1024; !done; bytes *= 2) {
        struct arena arena;

        arena_init(&arena, bytes);
        done = barter_init(&barter, &arena, 4, 10, 10);
        arena_release(&arena);
    }
}

/* A value that goes round between two workers, each of whom says that he is shut when he does not
 * have it: the third must never find both shut. */
struct player {
    struct barter *barter;
    uint32_t self;
};

enum { ROUNDS = 3000 };

static void *play(void *arg)
{
    struct player *player = arg;
    uint32_t self = player->self, other = 1 - self;
    struct barter *barter = player->barter;
    bool has_it = self == 0;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct mail mail;

        if (has_it) {
            EXPECT(mailbox_post(barter_box(barter, self, other), (struct mail){.kind = 1}));
            while (!mailbox_take(barter_box(barter, other, self), &mail)) {
                (void)sched_yield();
            }
            EXPECT(mail.kind == 2); /* It is there: */
            barter_set_open(barter, self, 0, false);
        } else {
            while (!mailbox_take(barter_box(barter, other, self), &mail)) {
                (void)sched_yield();
            }
            barter_set_open(barter, self, 0, true);
            EXPECT(mailbox_post(barter_box(barter, self, other), (struct mail){.kind = 2}));
        }
        has_it = !has_it;
    }
    return NULL;
}

static void test_barter_sees_a_value_that_goes_round(void)
{
    struct player players[2];
    pthread_t threads[2];
    struct barter barter;
    struct arena arena;

    arena_init(&arena, 0);
    EXPECT(barter_init(&barter, &arena, 3, 1, 1));
    barter_set_open(&barter, 1, 0, false);
    for (uint32_t i = 0; i < 2; i++) {
        players[i] = (struct player){.barter = &barter, .self = i};
        EXPECT(pthread_create(&threads[i], NULL, play, &players[i]) == 0);
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        EXPECT(barter_is_open_elsewhere(&barter, 2, 0));
    }
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(barter_is_open_elsewhere(&barter, 2, 0)); /* One still has it. */
    arena_release(&arena);
}

int main(void)
{
    TEST(test_barter_knows_who_is_open);
    TEST(test_barter_knows_who_reads);
    TEST(test_barter_fails_without_memory);
    TEST(test_barter_sees_a_value_that_goes_round);
    return 0;
}
