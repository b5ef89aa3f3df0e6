/* Exchanges on their way to be printed: in order, whole, and counted when they are lost. */
#include "core/try_records.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "io/wake.h"
#include "tests/test.h"

enum { MANY = 2000 };

static struct runner_seen seen_of(uint32_t number, char *memory, size_t len)
{
    memset(memory, 'a' + (char)(number % 26), len);
    return (struct runner_seen){.endpoint = number,
                                .sent = memory,
                                .sent_len = len,
                                .head = len > 3 ? memory : NULL,
                                .head_len = len > 3 ? 3 : 0,
                                .body = memory,
                                .body_len = len / 2};
}

static bool is_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void expect_record(const struct runner_seen *record, uint32_t number, size_t len)
{
    EXPECT(record != NULL && record->endpoint == number);
    EXPECT(record->sent_len == len && record->body_len == len / 2);
    EXPECT((record->head == NULL) == (len <= 3));
    for (size_t i = 0; i < len; i++) {
        EXPECT(record->sent[i] == 'a' + (char)(number % 26));
    }
}

static void test_try_records_keeps_copies_in_order(void)
{
    struct try_records records;
    struct err_info why;
    char memory[64];

    EXPECT(try_records_open(&records, &why) == ERR_OK);
    EXPECT(try_records_take(&records) == NULL && !is_readable(records.fd));
    for (uint32_t i = 0; i < 3; i++) {
        struct runner_seen seen = seen_of(i, memory, 2 + i);

        try_records_add(&records, &seen);
    }
    memset(memory, '?', sizeof(memory));
    EXPECT(is_readable(records.fd));
    for (uint32_t i = 0; i < 3; i++) {
        expect_record(try_records_take(&records), i, 2 + i);
    }
    EXPECT(try_records_take(&records) == NULL);
    EXPECT(load_relaxed(&records.lost) == 0);
    try_records_release(&records);
}

static void test_try_records_counts_what_it_has_no_memory_for(void)
{
    struct try_records records;
    struct err_info why;
    char memory[4096];
    uint32_t taken = 0;

    EXPECT(try_records_open(&records, &why) == ERR_OK);
    arena_init(&records.arena, 128 * 1024);
    for (uint32_t i = 0; i < 100; i++) {
        struct runner_seen seen = seen_of(i, memory, sizeof(memory));

        try_records_add(&records, &seen);
    }
    while (try_records_take(&records) != NULL) {
        taken++;
    }
    EXPECT(taken > 0 && taken < 100);
    EXPECT(taken + load_relaxed(&records.lost) == 100);
    try_records_release(&records);
}

static void *add_many(void *arg)
{
    char memory[64];

    for (uint32_t i = 0; i < MANY; i++) {
        struct runner_seen seen = seen_of(i, memory, i % sizeof(memory));

        try_records_add(arg, &seen);
    }
    return NULL;
}

static void test_try_records_pass_from_thread_to_thread(void)
{
    struct try_records records;
    struct err_info why;
    pthread_t thread;
    uint32_t taken = 0;

    EXPECT(try_records_open(&records, &why) == ERR_OK);
    EXPECT(pthread_create(&thread, NULL, add_many, &records) == 0);
    while (taken < MANY) {
        struct pollfd poll_fd = {.fd = records.fd, .events = POLLIN};
        const struct runner_seen *record;

        EXPECT(poll(&poll_fd, 1, 30 * 1000) == 1);
        wake_clear(records.fd);
        while ((record = try_records_take(&records)) != NULL) {
            expect_record(record, taken, taken % 64);
            taken++;
        }
    }
    EXPECT(pthread_join(thread, NULL) == 0);
    try_records_release(&records);
}

int main(void)
{
    TEST(test_try_records_keeps_copies_in_order);
    TEST(test_try_records_counts_what_it_has_no_memory_for);
    TEST(test_try_records_pass_from_thread_to_thread);
    return 0;
}
