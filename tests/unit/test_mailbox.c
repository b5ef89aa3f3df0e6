/* What a mailbox promises: order, refusal when full, silence when empty. The two-thread half
 * of the promise is test_mailbox_threads.c. */
#include "core/base/mailbox.h"

#include "tests/aborts.h"
#include "tests/test.h"

static struct mail mail_of(uint64_t number)
{
    return (struct mail){.kind = number % 7, .value = number};
}

static bool is_mail_of(struct mail mail, uint64_t number)
{
    return mail.kind == number % 7 && mail.value == number;
}

static void test_mailbox_keeps_order_and_refuses_when_full(void)
{
    static const uint32_t slots_counts[] = {2, 8, 512};
    struct mail slots[512];

    for (size_t i = 0; i < COUNT(slots_counts); i++) {
        struct mailbox box;
        struct mail mail = {.kind = 42, .value = 43};
        uint64_t posted = 0, taken = 0;

        mailbox_init(&box, slots, slots_counts[i]);
        EXPECT(!mailbox_take(&box, &mail));
        EXPECT(mail.kind == 42 && mail.value == 43);
        for (int lap = 0; lap < 100; lap++) {
            while (mailbox_post(&box, mail_of(posted))) {
                posted++;
            }
            EXPECT(posted - taken == slots_counts[i]);
            while (mailbox_take(&box, &mail)) {
                EXPECT(is_mail_of(mail, taken));
                taken++;
            }
            EXPECT(taken == posted);
        }
    }
}

static void test_mailbox_works_at_every_fill_and_across_the_wrap_of_its_indices(void)
{
    struct mail slots[8], mail;
    struct mailbox box;
    uint64_t posted = 0, taken = 0;

    mailbox_init(&box, slots, COUNT(slots));
    store_relaxed(&box.shared.posted, UINT32_MAX - 20);
    store_relaxed(&box.shared.taken, UINT32_MAX - 20);
    for (uint32_t fill = 1; fill <= COUNT(slots); fill++) {
        for (uint32_t i = 0; i < fill; i++) {
            EXPECT(mailbox_post(&box, mail_of(posted++)));
        }
        EXPECT(mailbox_post(&box, mail_of(posted)) == (fill < COUNT(slots)));
        posted += fill < COUNT(slots);
        while (mailbox_take(&box, &mail)) {
            EXPECT(is_mail_of(mail, taken));
            taken++;
        }
        EXPECT(taken == posted);
    }
    EXPECT(load_relaxed(&box.shared.posted) < 100); /* The wrap has been crossed. */
}

static void test_mailbox_indices_do_not_share_a_cache_line(void)
{
    EXPECT(offsetof(struct mailbox, shared.posted) / CACHE_LINE !=
           offsetof(struct mailbox, shared.taken) / CACHE_LINE);
    EXPECT(offsetof(struct mailbox, shared.posted) >= CACHE_LINE);
    EXPECT(_Alignof(struct mailbox) >= CACHE_LINE);
}

static void init_with(uint32_t slots_count)
{
    struct mail slots[8];
    struct mailbox box;

    mailbox_init(&box, slots, slots_count);
}

static void slots_1(void)
{
    init_with(1);
}

static void slots_6(void)
{
    init_with(6);
}

static void slots_131072(void)
{
    init_with(131072);
}

static void test_mailbox_of_a_wrong_size_aborts(void)
{
    EXPECT(aborts(slots_1));
    EXPECT(aborts(slots_6));
    EXPECT(aborts(slots_131072));
}

int main(void)
{
    TEST(test_mailbox_keeps_order_and_refuses_when_full);
    TEST(test_mailbox_works_at_every_fill_and_across_the_wrap_of_its_indices);
    TEST(test_mailbox_indices_do_not_share_a_cache_line);
    TEST(test_mailbox_of_a_wrong_size_aborts);
    return 0;
}
