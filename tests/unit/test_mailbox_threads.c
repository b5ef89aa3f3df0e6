/* What a mailbox promises between two threads: every mail once, in order, and what the poster
 * wrote before posting is there for the taker. SAN=thread checks the memory order itself. */
#include "core/base/mailbox.h"

#include <pthread.h>
#include <sched.h>

#include "tests/test.h"

enum { MAILS = 2000000, SLOTS_MAX = 1024, PAYLOADS = 4096 };

struct post_office {
    struct mailbox box, back;
    struct mail slots[SLOTS_MAX], back_slots[SLOTS_MAX];
    uint64_t payloads[PAYLOADS]; /* Plain memory that travels with the mail. */
};

static uint64_t payload_of(uint64_t number)
{
    return number * UINT64_C(0x9e3779b97f4a7c15);
}

static void post(struct mailbox *box, uint64_t number)
{
    struct mail mail = {.kind = ~number, .value = number};

    while (!mailbox_post(box, mail)) {
        (void)sched_yield();
    }
}

static uint64_t take(struct mailbox *box)
{
    struct mail mail;

    while (!mailbox_take(box, &mail)) {
        (void)sched_yield();
    }
    EXPECT(mail.kind == ~mail.value);
    return mail.value;
}

static void *post_all(void *arg)
{
    struct post_office *office = arg;

    for (uint64_t i = 0; i < MAILS; i++) {
        /* At most SLOTS_MAX mails are on their way, so the taker is done with this payload. */
        office->payloads[i % PAYLOADS] = payload_of(i);
        post(&office->box, i);
    }
    return NULL;
}

static void test_mailbox_keeps_order_between_threads(uint32_t slots_count)
{
    static struct post_office office;
    struct mail mail;
    pthread_t poster;

    mailbox_init(&office.box, office.slots, slots_count);
    EXPECT(pthread_create(&poster, NULL, post_all, &office) == 0);
    for (uint64_t i = 0; i < MAILS; i++) {
        EXPECT(take(&office.box) == i);
        EXPECT(office.payloads[i % PAYLOADS] == payload_of(i));
    }
    EXPECT(pthread_join(poster, NULL) == 0);
    EXPECT(!mailbox_take(&office.box, &mail));
}

static void test_mailbox_keeps_order_when_mostly_full(void)
{
    test_mailbox_keeps_order_between_threads(2);
}

static void test_mailbox_keeps_order_when_roomy(void)
{
    test_mailbox_keeps_order_between_threads(SLOTS_MAX);
}

static void *send_back_all(void *arg)
{
    struct post_office *office = arg;

    for (uint64_t i = 0; i < MAILS; i++) {
        uint64_t number = take(&office->box);

        EXPECT(number == i);
        office->payloads[number % PAYLOADS] += 1;
        post(&office->back, number);
    }
    return NULL;
}

/* Orders and news at once: a payload belongs to whoever holds its mail. */
static void test_mailbox_pair_carries_orders_and_news(void)
{
    static struct post_office office;
    uint64_t posted = 0, returned = 0;
    pthread_t worker;

    mailbox_init(&office.box, office.slots, 64);
    mailbox_init(&office.back, office.back_slots, 64);
    EXPECT(pthread_create(&worker, NULL, send_back_all, &office) == 0);
    while (returned < MAILS) {
        struct mail mail = {.kind = ~posted, .value = posted};

        if (posted < MAILS) {
            EXPECT(posted - returned < PAYLOADS); /* Two boxes of 64 hold far less. */
            office.payloads[posted % PAYLOADS] = posted;
            posted += mailbox_post(&office.box, mail);
        }
        if (!mailbox_take(&office.back, &mail)) {
            (void)sched_yield();
            continue;
        }
        EXPECT(mail.value == returned);
        EXPECT(mail.kind == ~returned);
        EXPECT(office.payloads[returned % PAYLOADS] == returned + 1);
        returned++;
    }
    EXPECT(pthread_join(worker, NULL) == 0);
}

int main(void)
{
    TEST(test_mailbox_keeps_order_when_mostly_full);
    TEST(test_mailbox_keeps_order_when_roomy);
    TEST(test_mailbox_pair_carries_orders_and_news);
    return 0;
}
