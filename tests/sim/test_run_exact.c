/* Test files on the simulated kernel: when hits are due, to the nanosecond, held against integrals
 * that are computed here, in whole numbers, from what the file says. */
#include <stdio.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "tests/sim/sim_run.h"
#include "tests/test.h"

enum {
    FILES = 50,
    ENDPOINTS_MAX = 4,
    SEGMENTS_MAX = 6,
    PERCENT_MAX = 20000, /* In hundredths. */
    HITS_MAX = 400000,   /* Of one pattern. */
    INTERVALS = 20,
};

__extension__ typedef __int128 wide;

/* Rates in hits per minute times ten thousand; R below is in units of 1 / (2 MINUTE) hits. */
#define MINUTE ((wide)60 * NS_PER_S * 10000)

struct segment {
    uint64_t from, to; /* Hundredths of a percent. */
    uint64_t over_ms;
};

struct endpoint_made {
    uint64_t per_min; /* At 100 %. */
    struct segment segments[SEGMENTS_MAX];
    uint32_t segments_count;
};

struct made {
    struct endpoint_made endpoints[ENDPOINTS_MAX];
    uint32_t endpoints_count;
    uint32_t workers;
};

static void make_endpoint(struct rng *rng, struct endpoint_made *ret_endpoint, uint64_t per_min)
{
    uint64_t at = 0;

    *ret_endpoint = (struct endpoint_made){.per_min = per_min};
    ret_endpoint->segments_count = 1 + (uint32_t)rng_below(rng, SEGMENTS_MAX);
    for (uint32_t i = 0; i < ret_endpoint->segments_count; i++) {
        struct segment *segment = &ret_endpoint->segments[i];

        segment->from = rng_below(rng, 3) == 0 ? rng_below(rng, PERCENT_MAX) : at;
        segment->to = rng_below(rng, 4) == 0 ? 0 : rng_below(rng, PERCENT_MAX);
        if (rng_below(rng, 3) == 0) segment->to = segment->from;
        segment->over_ms = i > 0 && rng_below(rng, 8) == 0 ? 0 : 1 + rng_below(rng, 1000);
        at = segment->to;
    }
}

static void make(struct rng *rng, struct made *made)
{
    static const uint64_t peaks[] = {7, 600, 60 * 37, 60 * 1000, 60 * 9001, 60 * 30000};

    made->endpoints_count = 1 + (uint32_t)rng_below(rng, ENDPOINTS_MAX);
    made->workers = 1 + (uint32_t)rng_below(rng, 3);
    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        make_endpoint(rng, &made->endpoints[i], peaks[rng_below(rng, COUNT(peaks))]);
    }
}

static void write_percent(struct text *text, const char *key, uint64_t percent)
{
    text_printf(text, "%s: %u.%02u%%, ", key, (unsigned)(percent / 100), (unsigned)(percent % 100));
}

static void write_endpoint(struct text *text, const struct endpoint_made *endpoint, uint32_t index)
{
    bool whole = endpoint->per_min % 60 == 0;

    text_printf(text, "  - url: http://127.0.0.1:8080/%u\n    peak_load: %u%s\n    load_pattern:\n",
                index, (unsigned)(endpoint->per_min / (whole ? 60 : 1)), whole ? "hps" : "hpm");
    for (uint32_t i = 0; i < endpoint->segments_count; i++) {
        const struct segment *segment = &endpoint->segments[i];
        uint64_t before = i == 0 ? 0 : segment[-1].to;

        text_printf(text, "      - linear: {");
        if (segment->from != before) write_percent(text, "from", segment->from);
        write_percent(text, "to", segment->to);
        text_printf(text, "over: %ums}\n", (unsigned)segment->over_ms);
    }
}

static const char *write_file(const struct made *made, struct arena *arena)
{
    struct text text;

    text_init(&text, arena);
    text_printf(&text, "config: {general: {workers: %u}, client: {max_connections: 300}}\n",
                made->workers);
    text_printf(&text, "endpoints:\n");
    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        write_endpoint(&text, &made->endpoints[i], i);
    }
    EXPECT(!text.failed);
    return text.data;
}

/* R(at_ns) - hits, times the length of the segment that `at_ns` is in: its sign is exact. */
static wide excess(const struct endpoint_made *endpoint, uint64_t at_ns, uint64_t hits)
{
    wide before = 0, peak = endpoint->per_min;

    for (uint32_t i = 0; i < endpoint->segments_count; i++) {
        const struct segment *segment = &endpoint->segments[i];
        uint64_t length_ns = segment->over_ms * NS_PER_MS;

        if (at_ns <= length_ns && length_ns > 0) {
            wide t = at_ns, from = (wide)segment->from, to = (wide)segment->to, len = length_ns;

            return before * len + peak * (2 * from * t * len + (to - from) * t * t) -
                   2 * MINUTE * (wide)hits * len;
        }
        before += peak * (wide)(segment->from + segment->to) * (wide)length_ns;
        at_ns -= length_ns;
    }
    return before - 2 * MINUTE * (wide)hits;
}

/* R(at_ns) in hits, nearly. */
static long double integral(const struct endpoint_made *endpoint, uint64_t at_ns)
{
    long double sum = 0, peak = (long double)endpoint->per_min / 60;

    for (uint32_t i = 0; i < endpoint->segments_count; i++) {
        const struct segment *segment = &endpoint->segments[i];
        uint64_t length_ns = segment->over_ms * NS_PER_MS, part_ns = min_u64(at_ns, length_ns);
        long double from = segment->from / 1e4L, to = segment->to / 1e4L, share;

        if (length_ns == 0) continue;
        share = (long double)part_ns / (long double)length_ns;
        sum += peak * (from + (to - from) * share / 2) * (long double)part_ns / 1e9L;
        at_ns -= part_ns;
    }
    return sum;
}

static uint64_t length_of(const struct endpoint_made *endpoint)
{
    uint64_t length_ns = 0;

    for (uint32_t i = 0; i < endpoint->segments_count; i++) {
        length_ns += endpoint->segments[i].over_ms * NS_PER_MS;
    }
    return length_ns;
}

/* When the requests of an endpoint came, in the time of its pattern. */
struct times {
    uint64_t from_ns; /* Where in it the run began. */
    uint64_t *at_ns;  /* [count] */
    size_t count;
};

static void collect(const struct sim_run *run, uint32_t index, struct times *ret_times)
{
    size_t count;
    const struct sim_request *requests = sim_peer_requests(run->peers[0], &count);
    char path[16];

    (void)snprintf(path, sizeof(path), "/%u", index);
    ret_times->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(requests[i].path, path) != 0) continue;
        EXPECT(ret_times->count < HITS_MAX);
        ret_times->at_ns[ret_times->count++] =
            ret_times->from_ns + requests[i].arrived_ns - run->start_ns;
    }
}

/* Hit n comes at the first nanosecond at which the integral is n, and the hits are all that the
 * integral has at its end, but for those before the run began. */
static void expect_exact(const struct endpoint_made *endpoint, const struct times *times)
{
    uint64_t length_ns = length_of(endpoint), hits = 0;

    while (excess(endpoint, min_u64(times->from_ns, length_ns), hits + 1) >= 0) {
        hits++;
    }
    for (size_t i = 0; i < times->count; i++) {
        hits++;
        EXPECT(excess(endpoint, times->at_ns[i], hits) >= 0);
        EXPECT(times->at_ns[i] > 0 && excess(endpoint, times->at_ns[i] - 1, hits) < 0);
    }
    EXPECT(excess(endpoint, length_ns, hits) >= 0);
    EXPECT(excess(endpoint, length_ns, hits + 1) < 0);
}

/* In any interval there are as many hits as the integral grows by, within one. */
static void expect_within_one(const struct endpoint_made *endpoint, const struct times *times,
                              struct rng *rng)
{
    uint64_t length_ns = length_of(endpoint), begin_ns = times->from_ns;

    for (uint32_t i = 0; i < INTERVALS && length_ns > begin_ns; i++) {
        uint64_t from_ns = begin_ns + rng_below(rng, length_ns - begin_ns);
        uint64_t to_ns = from_ns + 1 + rng_below(rng, length_ns - from_ns);
        long double grown = integral(endpoint, to_ns) - integral(endpoint, from_ns);
        size_t hits = 0;

        for (size_t n = 0; n < times->count; n++) {
            hits += times->at_ns[n] > from_ns && times->at_ns[n] <= to_ns;
        }
        EXPECT((long double)hits < grown + 1 + 1e-6L && (long double)hits > grown - 1 - 1e-6L);
    }
}

/* Nothing takes time: what is due goes out, and comes, in the same nanosecond. */
static void run_made(struct sim_run *run, const char *yaml, uint64_t from_ns)
{
    struct sim_options kernel;

    sim_options_plain(&kernel, 1);
    kernel.latency_ns_min = 0;
    kernel.latency_ns_max = 0;
    sim_run(run, &(struct sim_run_options){.text = yaml, .kernel = &kernel, .from_ns = from_ns});
    EXPECT(run->coord.ledger.ok == run->coord.ledger.due);
}

/* Every third run begins in the middle of the longest pattern. */
static uint64_t choose_begin(struct rng *rng, const struct made *made)
{
    uint64_t longest_ns = 0;

    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        longest_ns = max_u64(longest_ns, length_of(&made->endpoints[i]));
    }
    return rng_below(rng, 3) == 0 ? rng_below(rng, longest_ns) : 0;
}

static struct sim_run run;

static void test_run_sends_when_the_integral_says(void)
{
    static uint64_t times_ns[HITS_MAX];
    struct times times = {.at_ns = times_ns};
    uint64_t hits = 0, split = 0, patterns = 0;

    for (uint64_t seed = 1; seed <= FILES; seed++) {
        struct arena arena;
        struct made made;
        struct rng rng;
        const char *yaml;
        uint64_t sum = 0;

        rng_init(&rng, seed);
        arena_init(&arena, 0);
        make(&rng, &made);
        yaml = write_file(&made, &arena);
        (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        times.from_ns = choose_begin(&rng, &made);
        run_made(&run, yaml, times.from_ns);
        for (uint32_t i = 0; i < made.endpoints_count; i++) {
            collect(&run, i, &times);
            expect_exact(&made.endpoints[i], &times);
            expect_within_one(&made.endpoints[i], &times, &rng);
            sum += times.count;
        }
        EXPECT(sum == run.coord.ledger.due);
        hits += sum;
        patterns += made.endpoints_count;
        split += run.crews.split;
        sim_run_end(&run);
        arena_release(&arena);
    }
    printf("%llu hits of %llu patterns, %llu of them split, each to the nanosecond\n",
           (unsigned long long)hits, (unsigned long long)patterns, (unsigned long long)split);
    EXPECT(hits >= 500000 && split > 0);
}

/* A host whose connections are all in use does not hold up what is due at another one. */
static void test_run_keeps_times_beside_a_busy_host(void)
{
    static const char yaml[] =
        "load_pattern: [{linear: {from: 100%, to: 100%, over: 1s}}]\n"
        "config: {general: {workers: 1}, client: {max_connections_per_host: 1}}\n"
        "endpoints:\n"
        "  - {url: 'http://a.test:8080/0', peak_load: 2000hps}\n"
        "  - {url: 'http://b.test:8080/1', peak_load: 37hps}\n";
    const struct sim_behaviour slow = {.delay = {.kind = SIM_DELAY_CONSTANT, .a_ns = 10000000}};
    const struct sim_request *requests;
    struct sim_options kernel;
    size_t count;

    sim_options_plain(&kernel, 1);
    kernel.latency_ns_min = 0;
    kernel.latency_ns_max = 0;
    sim_run(&run, &(struct sim_run_options){.text = yaml, .kernel = &kernel, .behaviour = &slow});
    requests = sim_peer_requests(run.peers[1], &count);
    EXPECT(count == 37);
    for (size_t i = 0; i < count; i++) {
        EXPECT(requests[i].arrived_ns - run.start_ns == ((i + 1) * NS_PER_S + 36) / 37);
    }
    sim_run_end(&run);
}

int main(void)
{
    TEST(test_run_keeps_times_beside_a_busy_host);
    TEST(test_run_sends_when_the_integral_says);
    return 0;
}
