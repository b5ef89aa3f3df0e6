/* Whole runs of the little client over machines as drawn from seeds: the same seed gives the same
 * run, another seed another; nothing is lost, lent or open at the end. */
#include <string.h>

#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_peer.h"
#include "tests/test.h"

enum { PORT = 8080, SEEDS = 500 };

/* How a run ended, for comparing two. */
struct outcome {
    uint64_t hash;
    uint64_t overflow;
    uint64_t no_buffers;
    uint64_t cancels_lost;
    uint32_t ok;
    uint32_t failed;
};

/* Each id at most once, and none answered less than the clients say. */
static void expect_ids_unique(const struct sim_peer *peer)
{
    static bool seen[1000];
    size_t count;
    const struct sim_request *requests = sim_peer_requests(peer, &count);

    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < count; i++) {
        size_t id = strtoull(requests[i].id, NULL, 10);

        if (requests[i].id[0] == '\0') continue; /* A quiet one. */
        EXPECT(id < COUNT(seen));
        EXPECT(!seen[id]);
        seen[id] = true;
    }
}

/* Two clients on two rings, one of them quiet, over a machine as drawn from the seed. */
static struct outcome run_seed(uint64_t seed)
{
    struct sim_route routes[] = {{.path = "/x", .body_bytes = 700}};
    struct sim_behaviour behaviour = {.routes = routes, .routes_count = 1, .keepalive_max = 7};
    struct sim_client clients[2] = {{.slots_count = 5, .requests_max = 60, .quiet = true},
                                    {.slots_count = 9, .requests_max = 60, .id_base = 100}};
    struct sim_options options;
    struct outcome outcome = {0};
    struct sim_peer *peer;
    bool done = false;

    sim_options_draw(&options, seed);
    options.connections_max = 14;
    behaviour.close_unannounced = (seed & 1) != 0;
    struct sim *sim = sim_new(&options);
    peer = sim_peer_new_local(sim, PORT, &behaviour, &clients[0].address);
    for (int i = 0; i < 2; i++) {
        clients[i].sim = sim;
        clients[i].address = clients[0].address;
        clients[i].timeout_ns = 300 * NS_PER_MS;
        sim_client_open(&clients[i], 8, 256);
    }
    while (!done) {
        done = true;
        for (int i = 0; i < 2; i++) {
            sim_client_step(&clients[i]);
            if (!sim_client_is_done(&clients[i])) done = false;
        }
        if (!sim_advance(sim) && !done) sim_fail(sim, "the run is stuck");
        if (sim_now_ns(sim) > options.start_ns + 1000 * NS_PER_S) sim_fail(sim, "no end in sight");
    }
    EXPECT(sim_counts(sim)->connections_now == 0);
    EXPECT(sim_counts(sim)->buffers_lent_now == 0);
    EXPECT(sim_peer_counts(peer)->connections_now == 0);
    EXPECT(sim_peer_counts(peer)->connections_max <= 14);
    expect_ids_unique(peer);
    for (int i = 0; i < 2; i++) {
        outcome.overflow += ring_counts(clients[i].ring)->cq_overflow;
        outcome.no_buffers += ring_counts(clients[i].ring)->no_buffers;
        outcome.ok += clients[i].ok;
        outcome.failed += clients[i].failed;
        EXPECT(clients[i].ok + clients[i].failed == clients[i].begun);
        sim_client_close(&clients[i]);
    }
    EXPECT(outcome.ok <= sim_peer_counts(peer)->answers);
    outcome.cancels_lost = sim_counts(sim)->cancels_lost;
    outcome.hash = sim_trace_hash(sim);
    sim_free(sim);
    return outcome;
}

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

static void test_sim_repeats_a_seed_and_never_another(void)
{
    static uint64_t hashes[SEEDS];
    struct outcome sum = {0};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct outcome first = run_seed(seed);
        struct outcome second = run_seed(seed);

        EXPECT(memcmp(&first, &second, sizeof(first)) == 0);
        hashes[seed] = first.hash;
        sum.overflow += first.overflow;
        sum.no_buffers += first.no_buffers;
        sum.cancels_lost += first.cancels_lost;
        sum.ok += first.ok;
        sum.failed += first.failed;
    }
    qsort(hashes, SEEDS, sizeof(hashes[0]), compare_hashes);
    for (size_t i = 1; i < SEEDS; i++) {
        EXPECT(hashes[i] != hashes[i - 1]);
    }
    /* The mixes reach what they are for. */
    EXPECT(sum.overflow > 0);
    EXPECT(sum.no_buffers > 0);
    EXPECT(sum.cancels_lost > 0);
    EXPECT(sum.failed > 100);
    EXPECT(sum.ok > SEEDS * 60);
    (void)printf("  %u ok, %u failed\n", sum.ok, sum.failed);
}

static bool same_faults(const struct sim_faults *left, const struct sim_faults *right)
{
    double a[sizeof(*left) / sizeof(double)];
    double b[COUNT(a)];

    memcpy(a, left, sizeof(a));
    memcpy(b, right, sizeof(b));
    for (size_t i = 0; i < COUNT(a); i++) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

static void test_sim_draws_the_same_mix_for_the_same_seed(void)
{
    uint32_t absent = 0;

    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct sim_options first;
        struct sim_options second;

        sim_options_draw(&first, seed);
        sim_options_draw(&second, seed);
        EXPECT(same_faults(&first.faults, &second.faults));
        EXPECT(first.window_bytes == second.window_bytes);
        if (!(first.faults.recv_split > 0)) absent++;
    }
    EXPECT(absent > 400 && absent < 600);
}

int main(void)
{
    TEST(test_sim_repeats_a_seed_and_never_another);
    TEST(test_sim_draws_the_same_mix_for_the_same_seed);
    return 0;
}
