/* Test files on the simulated kernel that come to an end, or go on where they once did not: what
 * tests/model has found, each in its shortest form. */
#include <string.h>

#include "tests/sim/sim_run.h"
#include "tests/test.h"

static struct sim_run run;

/* Runs the test file; returns how many requests came, and of `path` if that is not NULL. */
static size_t run_text(const char *yaml, const char *path)
{
    const struct sim_request *requests;
    size_t count, found = 0;

    sim_run(&run, &(struct sim_run_options){.text = yaml});
    requests = sim_peer_requests(run.peers[0], &count);
    for (size_t i = 0; i < count; i++) {
        found += path == NULL || strcmp(requests[i].path, path) == 0;
    }
    return found;
}

/* Each of two endpoints holds one value and waits for another. The provider has run dry: the first
 * stops, and what it held is the second one's. */
static void test_run_what_a_stopped_endpoint_held_is_for_others(void)
{
    EXPECT(run_text("load_pattern: [{linear: {from: 100%, to: 100%, over: 2s}}]\n"
                    "providers: {p: {range: {start: 1, end: 2}}}\n"
                    "endpoints:\n"
                    "  - url: 'http://a.test:8080/0/${p}/${d}'\n"
                    "    peak_load: 10hps\n"
                    "    declare: {d: 'collect(p, 1)'}\n"
                    "  - url: 'http://a.test:8080/1/${p}/${d}'\n"
                    "    peak_load: 10hps\n"
                    "    declare: {d: 'collect(p, 1)'}\n"
                    "config: {general: {workers: 1}}\n",
                    NULL) == 1);
    EXPECT(run.deadlock[0] == '\0');
    sim_run_end(&run);
}

/* A list that repeats is never used up: who pushes into it with `block` has his turn all the same.
 */
static void test_run_a_source_does_not_keep_others_out(void)
{
    EXPECT(run_text("load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"
                    "providers: {p: {list: [1]}}\n"
                    "endpoints:\n"
                    "  - {url: 'http://a.test:8080/${p}', peak_load: 100hps}\n"
                    "  - url: http://a.test:8080/\n"
                    "    peak_load: 10hps\n"
                    "    provides: {p: {select: 7, send: block}}\n"
                    "config: {general: {workers: 1}}\n",
                    "/7") >= 8);
    sim_run_end(&run);
}

/* The only request that there may be waits for room that only the next one could make. */
static void test_run_waiting_for_room_at_the_bound_is_a_deadlock(void)
{
    EXPECT(run_text("load_pattern: [{linear: {from: 100%, to: 100%, over: 60s}}]\n"
                    "providers: {p: {list: {values: [1], repeat: false}}}\n"
                    "endpoints:\n"
                    "  - url: 'http://a.test:8080/${p}'\n"
                    "    peak_load: 100hps\n"
                    "    max_parallel_requests: 1\n"
                    "    provides: {p: {for_each: ['range(0, 9)'], select: 7, send: block}}\n"
                    "config: {general: {workers: 1, auto_buffer_start_size: 2}}\n",
                    NULL) == 1);
    EXPECT(run.deadlock[0] != '\0');
    EXPECT(run.end_ns - run.start_ns < NS_PER_S);
    sim_run_end(&run);
}

int main(void)
{
    TEST(test_run_what_a_stopped_endpoint_held_is_for_others);
    TEST(test_run_a_source_does_not_keep_others_out);
    TEST(test_run_waiting_for_room_at_the_bound_is_a_deadlock);
    return 0;
}
