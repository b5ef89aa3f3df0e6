#include "core/ledger.h"

#include <string.h>

enum { HOT_WORDS = offsetof(struct ledger, cut_off) / sizeof(uint64_t) };

const char *const shed_names[SHED_COUNT] = {[SHED_FULL] = "full", [SHED_WAITED] = "waited"};
const char *const missed_names[MISSED_COUNT] = {
    [MISSED_PROVIDER] = "provider", [MISSED_LOGGER] = "logger", [MISSED_END] = "end"};

static uint64_t sum_of(const uint64_t *values, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum;
}

uint64_t ledger_failed(const struct ledger *ledger)
{
    return sum_of(ledger->failed, FAILED_COUNT);
}

uint64_t ledger_shed(const struct ledger *ledger)
{
    return sum_of(ledger->shed, SHED_COUNT);
}

uint64_t ledger_missed(const struct ledger *ledger)
{
    return sum_of(ledger->missed, MISSED_COUNT);
}

bool ledger_closes(const struct ledger *ledger)
{
    uint64_t ended = ledger->ok + ledger_failed(ledger) + ledger->cut_off;

    return ledger->started == ended + ledger->in_flight &&
           ledger->due ==
               ledger->started + ledger->pending + ledger_shed(ledger) + ledger_missed(ledger);
}

void ledger_add(struct ledger *sum, const struct ledger *ledger)
{
    uint64_t to[LEDGER_WORDS], from[LEDGER_WORDS];

    memcpy(to, sum, sizeof(to));
    memcpy(from, ledger, sizeof(from));
    for (size_t i = 0; i < LEDGER_WORDS; i++) {
        to[i] += from[i];
    }
    memcpy(sum, to, sizeof(to));
}

void ledger_subtract(struct ledger *from, const struct ledger *ledger)
{
    uint64_t left[LEDGER_WORDS], words[LEDGER_WORDS];

    memcpy(left, from, sizeof(left));
    memcpy(words, ledger, sizeof(words));
    for (size_t i = 0; i < LEDGER_WORDS; i++) {
        left[i] -= words[i];
    }
    memcpy(from, left, sizeof(left));
}

/* Writes the words that seldom change, if they have: nobody else does, so they may be read plainly
 * here. */
static void publish_rare(struct ledger_shared *shared, const struct ledger *ledger)
{
    const void *published = &shared->words[HOT_WORDS];
    uint64_t words[LEDGER_WORDS];

    if (memcmp(published, &ledger->cut_off, sizeof(words) - HOT_WORDS * sizeof(words[0])) == 0) {
        return;
    }
    memcpy(words, ledger, sizeof(words));
    for (size_t i = HOT_WORDS; i < LEDGER_WORDS; i++) {
        store_relaxed(&shared->words[i], words[i]);
    }
}

/* A sequence lock with one writer. The fences order the word stores and loads against the
 * sequence (Boehm, "Can seqlocks get along with programming language memory models?", 2012). */
void ledger_publish(struct ledger_shared *shared, const struct ledger *ledger)
{
    uint64_t words[HOT_WORDS];
    uint64_t sequence = load_relaxed(&shared->sequence);

    memcpy(words, ledger, sizeof(words));
    store_relaxed(&shared->sequence, sequence + 1);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < HOT_WORDS; i++) {
        store_relaxed(&shared->words[i], words[i]);
    }
    publish_rare(shared, ledger);
    store_release(&shared->sequence, sequence + 2);
}

void ledger_read(struct ledger_shared *shared, struct ledger *ret_ledger)
{
    uint64_t words[LEDGER_WORDS] = {0};
    uint64_t before, after;

    do {
        before = load_acquire(&shared->sequence);
        for (size_t i = 0; i < LEDGER_WORDS; i++) {
            words[i] = load_relaxed(&shared->words[i]);
        }
        atomic_thread_fence(memory_order_acquire);
        after = load_relaxed(&shared->sequence);
    } while (before != after || (before & 1) != 0);
    memcpy(ret_ledger, words, sizeof(words));
}
