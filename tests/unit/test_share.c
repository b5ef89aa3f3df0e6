/* What shares promise: they add up, every target has a connection at every worker, and over all
 * workers the targets have what their weights say. */
#include "core/share.h"

#include "core/base/rng.h"
#include "tests/test.h"

enum { REQUESTS_MAX = 12 };

static struct plan_request requests[REQUESTS_MAX];

static void test_share_adds_up_and_differs_by_one(void)
{
    static const uint64_t totals[] = {0, 1, 2, 7, 64, 1000003};

    for (size_t i = 0; i < COUNT(totals); i++) {
        for (uint32_t workers = 1; workers < 20; workers++) {
            uint64_t sum = 0;

            for (uint32_t w = 0; w < workers; w++) {
                uint64_t share = share_of(totals[i], workers, w);

                EXPECT(share == totals[i] / workers || share == totals[i] / workers + 1);
                sum += share;
            }
            EXPECT(sum == totals[i]);
        }
    }
}

static void test_share_divides_connections_by_weight(void)
{
    static const struct {
        const char *name;
        uint32_t weights[4], targets, connections, max, counts[4];
    } rows[] = {
        {"one target", {1}, 1, 7, 0, {7}},
        {"evenly", {1, 1}, 2, 8, 0, {4, 4}},
        {"by weight", {3, 1}, 2, 4, 0, {3, 1}},
        {"at least one each", {1000, 1, 1}, 3, 10, 0, {8, 1, 1}},
        {"as many as targets", {9, 1, 1, 1}, 4, 4, 0, {1, 1, 1, 1}},
        {"fewer than targets", {1, 1}, 2, 1, 0, {0, 1}},
        {"of the cap", {1, 1}, 2, 100, 10, {5, 5}},
        {"a cap above it", {1, 1}, 2, 10, 100, {5, 5}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct plan plan = {.requests = requests,
                            .requests_count = rows[i].targets,
                            .targets_count = rows[i].targets,
                            .workers = 1,
                            .connections = rows[i].connections,
                            .connections_max = rows[i].max};
        uint32_t counts[PLAN_URLS_MAX];

        printf("%s\n", rows[i].name);
        for (uint32_t j = 0; j < rows[i].targets; j++) {
            requests[j] = (struct plan_request){.target = j, .weight = rows[i].weights[j]};
        }
        share_targets(&plan, 0, counts);
        for (uint32_t j = 0; j < rows[i].targets; j++) {
            EXPECT(counts[j] == rows[i].counts[j]);
        }
    }
}

/* Whatever does not divide is rounded for one target here and for another there. */
static void test_share_of_workers_adds_up_for_every_target(void)
{
    struct rng rng;

    rng_init(&rng, 6);
    for (int run = 0; run < 2000; run++) {
        uint32_t targets = 1 + (uint32_t)rng_below(&rng, REQUESTS_MAX);
        uint32_t workers = 1 + (uint32_t)rng_below(&rng, 9);
        uint32_t all = workers * targets + (uint32_t)rng_below(&rng, 200);
        struct plan plan = {.requests = requests,
                            .requests_count = REQUESTS_MAX,
                            .targets_count = targets,
                            .workers = workers,
                            .connections = all};
        uint64_t weights[REQUESTS_MAX] = {0}, sums[REQUESTS_MAX] = {0}, sum = 0;
        bool floored = false;

        for (uint32_t j = 0; j < REQUESTS_MAX; j++) {
            requests[j] = (struct plan_request){.target = j % targets,
                                                .weight = 1 + (uint32_t)rng_below(&rng, 30)};
            weights[j % targets] += requests[j].weight;
            sum += requests[j].weight;
        }
        for (uint32_t w = 0; w < workers; w++) {
            uint32_t counts[PLAN_URLS_MAX], own = 0;

            share_targets(&plan, w, counts);
            for (uint32_t j = 0; j < targets; j++) {
                EXPECT(counts[j] >= 1);
                floored = floored || share_connections(&plan, w) * weights[j] < sum;
                own += counts[j];
                sums[j] += counts[j];
            }
            EXPECT(own == share_connections(&plan, w));
        }
        for (uint32_t j = 0; !floored && j < targets; j++) {
            double ideal = (double)all * (double)weights[j] / (double)sum;

            EXPECT((double)sums[j] > ideal - workers && (double)sums[j] < ideal + workers);
        }
    }
}

int main(void)
{
    TEST(test_share_adds_up_and_differs_by_one);
    TEST(test_share_divides_connections_by_weight);
    TEST(test_share_of_workers_adds_up_for_every_target);
    return 0;
}
