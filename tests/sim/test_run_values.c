/* Test files on the simulated kernel: every value of a provider reaches a request exactly once, and
 * hit k of an endpoint meets value k of every provider that it names, on one worker and in a split
 * over several. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_run.h"
#include "tests/test.h"

enum { VALUES = 1000000, LIST = 7 };

static struct sim_run run;

/* All takes no time, so that requests come in the order of their hits. */
static void run_text(const char *yaml)
{
    struct sim_options kernel;

    sim_options_plain(&kernel, 1);
    kernel.latency_ns_min = 0;
    kernel.latency_ns_max = 0;
    sim_run(&run, &(struct sim_run_options){.text = yaml, .kernel = &kernel});
}

/* The whole number at `*at`, which is then behind it and the byte that follows. */
static long long take_number(const char **at)
{
    char *end;
    long long number = strtoll(*at, &end, 10);

    EXPECT(end != *at);
    *at = *end == '\0' ? end : end + 1;
    return number;
}

#define PROVIDERS                                                     \
    "providers:\n"                                                    \
    "  up: {range: {}}\n"                                             \
    "  down: {range: {start: 3000000, end: 0, step: -3}}\n"           \
    "  list: {list: [0, 1, 2, 3, 4, 5, 6]}\n"                         \
    "config: {client: {headers: {X-Request-Id: '${down}-${list}'}}, " \
    "general: {workers: %u}}\n"

/* A million hits of one endpoint, which names three providers in three places. */
static void test_run_hits_meet_the_values_of_their_number(void)
{
    static const struct {
        uint32_t workers, split, seconds;
    } rows[] = {{1, 0, 10}, {2, 1, 10}, {3, 1, 1}};

    for (size_t row = 0; row < COUNT(rows); row++) {
        const struct sim_request *requests;
        char yaml[1000];
        size_t count;

        (void)snprintf(yaml, sizeof(yaml),
                       PROVIDERS
                       "load_pattern: [{linear: {from: 100%%, to: 100%%, over: %us}}]\n"
                       "endpoints: [{url: 'http://a.test:8080/${up}', peak_load: 100000hps}]\n",
                       rows[row].workers, rows[row].seconds);
        run_text(yaml);
        EXPECT(run.crews.split == rows[row].split);
        requests = sim_peer_requests(run.peers[0], &count);
        EXPECT(count == rows[row].seconds * (VALUES / 10));
        for (size_t k = 0; k < count; k++) {
            const char *at = requests[k].path + 1, *id = requests[k].id;

            EXPECT(take_number(&at) == (long long)k);
            EXPECT(take_number(&id) == 3000000 - 3 * (long long)k);
            EXPECT(take_number(&id) == (long long)k % LIST);
        }
        sim_run_end(&run);
    }
}

/* Endpoints of different rates share a provider: each value is one request's, and those of one
 * endpoint go out in order; each has its next one in hand before that is due. The second endpoint
 * names a provider of its own, whose values are in the order of its hits. */
static void test_run_endpoints_share_values(void)
{
    static unsigned char seen[VALUES];

    for (uint32_t workers = 1; workers <= 2; workers++) {
        const struct sim_request *requests;
        long long own = 0, before[2] = {-1, -1};
        char yaml[1000];
        size_t count;

        (void)snprintf(yaml, sizeof(yaml),
                       "config: {general: {workers: %u}}\n"
                       "providers: {both: {range: {}}, own: {range: {}}}\n"
                       "load_pattern: [{linear: {to: 100%%, over: 2s}}]\n"
                       "endpoints:\n"
                       "  - {url: 'http://a.test:8080/${both}', peak_load: 70000hps}\n"
                       "  - {url: 'http://a.test:8080/${both}/${own}', peak_load: 31000hps}\n",
                       workers);
        run_text(yaml);
        EXPECT(run.crews.split == (workers == 1 ? 0 : 1));
        requests = sim_peer_requests(run.peers[0], &count);
        EXPECT(count == 101000);
        memset(seen, 0, sizeof(seen));
        for (size_t i = 0; i < count; i++) {
            const char *at = requests[i].path + 1;
            long long both = take_number(&at);

            EXPECT(both >= 0 && both < VALUES && seen[both] == 0);
            seen[both] = 1;
            EXPECT(workers > 1 || both > before[*at == '\0']);
            before[*at == '\0'] = both;
            if (*at != '\0') EXPECT(take_number(&at) == own++);
        }
        EXPECT(own == 31000);
        sim_run_end(&run);
    }
}

int main(void)
{
    TEST(test_run_hits_meet_the_values_of_their_number);
    TEST(test_run_endpoints_share_values);
    return 0;
}
