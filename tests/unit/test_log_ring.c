/* What a ring of lines promises: whole lines in order, whatever their lengths, refused when there
 * is no room; little of it touched while the reader keeps up. */
#include "core/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "core/base/rng.h"
#include "tests/test.h"

enum { RING_BYTES = 4096, BIG_BYTES = 1 << 20 };

/* Line `n` of `len` bytes; false when there is no room. */
static bool add(struct log_ring *ring, uint32_t n, size_t len)
{
    for (uint32_t which = 0; which < LOG_PLACES; which++) {
        struct log_place place;
        char *at;

        if (!log_ring_place(ring, which, &place)) continue;
        at = buf_take(&place.buf, len);
        if (at == NULL) continue;
        memset(at, 'a' + (int)(n % 26), len);
        log_ring_add(ring, &place, n);
        return true;
    }
    return false;
}

/* Takes the next line, which must be `n` and as long; false when there is none. */
static bool take(struct log_ring *ring, uint32_t n, size_t len)
{
    uint64_t at = log_ring_begin(ring);
    const struct log_record *record = log_ring_read(ring, &at);
    const char *text = (const char *)(record + 1);

    if (record == NULL) return false;
    EXPECT(record->logger == n);
    EXPECT(record->bytes == len);
    for (size_t i = 0; i < len; i++) {
        EXPECT(text[i] == 'a' + (char)(n % 26));
    }
    log_ring_free(ring, at);
    return true;
}

static size_t length_of(uint32_t n)
{
    return (n * UINT32_C(2654435761) >> 16) % 700 + 1;
}

static void test_log_ring_keeps_order_whatever_the_lengths(void)
{
    static _Alignas(8) char bytes[RING_BYTES];
    struct log_ring ring;
    struct rng rng;
    uint32_t added = 0, taken = 0, refused = 0;

    rng_init(&rng, 1);
    log_ring_init(&ring, bytes, RING_BYTES);
    EXPECT(!take(&ring, 0, 0));
    while (added < 100000) {
        if (rng_next(&rng) % 2 == 0) {
            if (add(&ring, added, length_of(added))) {
                added++;
            } else {
                refused++;
                EXPECT(log_ring_used(&ring) > 0);
            }
        } else if (take(&ring, taken, length_of(taken))) {
            taken++;
        }
        EXPECT(log_ring_used(&ring) <= RING_BYTES);
    }
    while (take(&ring, taken, length_of(taken))) {
        taken++;
    }
    EXPECT(taken == added && refused > 0);
    EXPECT(log_ring_used(&ring) == 0);
}

static void test_log_ring_has_room_for_its_longest_line_wherever_it_stands(void)
{
    static _Alignas(8) char bytes[RING_BYTES];
    struct log_ring ring;

    for (size_t before = 1; before < 3000; before++) {
        log_ring_init(&ring, bytes, RING_BYTES);
        EXPECT(add(&ring, 0, before > log_ring_line_max(&ring) ? before / 2 : before));
        EXPECT(take(&ring, 0, before > log_ring_line_max(&ring) ? before / 2 : before));
        EXPECT(add(&ring, 1, log_ring_line_max(&ring)));
        EXPECT(take(&ring, 1, log_ring_line_max(&ring)));
        EXPECT(!add(&ring, 2, RING_BYTES));
    }
}

static void test_log_ring_touches_little_while_its_reader_keeps_up(void)
{
    static _Alignas(8) char bytes[BIG_BYTES];
    struct log_ring ring;

    log_ring_init(&ring, bytes, BIG_BYTES);
    for (uint32_t n = 0; n < 50000; n++) {
        EXPECT(add(&ring, n, 100));
        EXPECT(log_ring_used(&ring) <= 100 + 16); /* Beginning anew takes nothing. */
        EXPECT(take(&ring, n, 100));
    }
    for (size_t i = LOG_RING_REUSE_BYTES + 1024; i < BIG_BYTES; i++) {
        EXPECT(bytes[i] == 0);
    }
}

enum { THREAD_LINES = 30000 };

static void *read_all(void *arg)
{
    struct log_ring *ring = arg;

    for (uint32_t n = 0; n < THREAD_LINES;) {
        if (take(ring, n, length_of(n))) {
            n++;
        } else {
            (void)sched_yield(); /* There may be one processor only. */
        }
    }
    return NULL;
}

static void carry(char *bytes, size_t size)
{
    struct log_ring ring;
    pthread_t thread;

    log_ring_init(&ring, bytes, size);
    EXPECT(pthread_create(&thread, NULL, read_all, &ring) == 0);
    for (uint32_t n = 0; n < THREAD_LINES;) {
        if (add(&ring, n, length_of(n))) {
            n++;
        } else {
            (void)sched_yield();
        }
    }
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(log_ring_used(&ring) == 0);
}

static void test_log_ring_carries_lines_between_threads(void)
{
    static _Alignas(8) char bytes[BIG_BYTES];

    carry(bytes, RING_BYTES);
    carry(bytes, BIG_BYTES); /* Found empty behind its first bytes, it is begun anew. */
}

int main(void)
{
    TEST(test_log_ring_keeps_order_whatever_the_lengths);
    TEST(test_log_ring_has_room_for_its_longest_line_wherever_it_stands);
    TEST(test_log_ring_touches_little_while_its_reader_keeps_up);
    TEST(test_log_ring_carries_lines_between_threads);
    return 0;
}
