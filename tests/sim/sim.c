/* The machine: virtual time, the events that wait for it, chance, and the trace. Everything that
 * the simulator decides comes from here and from the seed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "tests/sim/sim_kernel.h"

enum { STILL_MAX = 1000000, FIRST_PORT = 40000 };

/* 2020-01-01 as the wall clock's start: nothing may depend on it. */
static const uint64_t wall_start_ns = UINT64_C(1577836800) * NS_PER_S;

static struct sim *current; /* ring_open() has no argument for it. */

/* --- Chance ------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood, 2014): not the product's generator, so that a change there
 * leaves all seeds as they are. */
static uint64_t rng_next64(struct sim_rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double rng_unit(struct sim_rng *rng)
{
    return (double)(rng_next64(rng) >> 11) * 0x1.0p-53;
}

uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound)
{
    CHECK(bound > 0);
    return (uint64_t)(((unsigned __int128)rng_next64(rng) * bound) >> 64);
}

uint64_t sim_draw(struct sim *sim, uint64_t bound)
{
    return sim_rng_below(&sim->kernel_rng, bound);
}

bool sim_chance(struct sim *sim, double probability)
{
    if (probability <= 0) return false;
    return rng_unit(&sim->kernel_rng) < probability;
}

uint64_t sim_latency(struct sim *sim)
{
    uint64_t min = sim->options.latency_ns_min;

    return min + sim_draw(sim, sim->options.latency_ns_max - min + 1);
}

uint64_t sim_lateness(struct sim *sim)
{
    return 1 + sim_draw(sim, max_u64(sim->options.delay_ns_max, 1));
}

uint64_t sim_below(struct sim *sim, uint64_t bound)
{
    return sim_rng_below(&sim->test_rng, bound);
}

/* --- Options ------------------------------------------------------------------------------ */

/* How likely each fault is at most; drawn as max * u^2, so that most seeds have few of most. */
static const struct {
    size_t at;
    double max;
} fault_table[] = {
    {offsetof(struct sim_faults, segment_split), 0.8},
    {offsetof(struct sim_faults, recv_split), 0.8},
    {offsetof(struct sim_faults, recv_wait), 0.8},
    {offsetof(struct sim_faults, recv_end), 0.5},
    {offsetof(struct sim_faults, delay), 0.5},
    {offsetof(struct sim_faults, reorder), 1.0},
    {offsetof(struct sim_faults, overflow), 0.5},
    {offsetof(struct sim_faults, send_hold), 0.5},
    {offsetof(struct sim_faults, quiet_hold), 0.5},
    {offsetof(struct sim_faults, send_late), 0.5},
    {offsetof(struct sim_faults, send_error), 0.05},
    {offsetof(struct sim_faults, send_short), 0.05},
    {offsetof(struct sim_faults, net_reset), 0.02},
    {offsetof(struct sim_faults, connect_error), 0.5},
    {offsetof(struct sim_faults, sock_error), 0.3},
    {offsetof(struct sim_faults, cancel_late), 0.8},
    {offsetof(struct sim_faults, cancel_lose), 0.8},
    {offsetof(struct sim_faults, wake_spurious), 0.3},
    {offsetof(struct sim_faults, stall), 0.1},
};
_Static_assert(COUNT(fault_table) * sizeof(double) == sizeof(struct sim_faults),
               "every fault is in the table");

void sim_options_plain(struct sim_options *options, uint64_t seed)
{
    *options = (struct sim_options){
        .seed = seed,
        .start_ns = 1000 * NS_PER_S,
        .latency_ns_min = 50 * NS_PER_US,
        .latency_ns_max = 50 * NS_PER_US,
        .delay_ns_max = NS_PER_MS,
        .stall_ns_max = 20 * NS_PER_MS,
        .window_bytes = 64 * 1024,
        .waits_max = 100000,
        .multishot = true,
        .min_wait = true,
        .chains = true,
    };
}

void sim_options_draw(struct sim_options *options, uint64_t seed)
{
    struct sim_rng rng = {.state = ~seed};

    sim_options_plain(options, seed);
    for (size_t i = 0; i < COUNT(fault_table); i++) {
        double u = rng_unit(&rng);
        double *fault = (double *)(void *)((char *)&options->faults + fault_table[i].at);

        if (sim_rng_below(&rng, 2) == 0) *fault = fault_table[i].max * u * u;
    }
    options->latency_ns_min = sim_rng_below(&rng, 200 * NS_PER_US);
    options->latency_ns_max = options->latency_ns_min + sim_rng_below(&rng, 2 * NS_PER_MS);
    options->delay_ns_max = 1 + sim_rng_below(&rng, 10 * NS_PER_MS);
    options->stall_ns_max = 1 + sim_rng_below(&rng, 100 * NS_PER_MS);
    options->window_bytes = UINT32_C(512) << sim_rng_below(&rng, 9);
    options->queue_shrink = sim_rng_below(&rng, 4) == 0 ? (uint32_t)sim_rng_below(&rng, 3) : 0;
    options->clock_step_ns = sim_rng_below(&rng, 4) == 0 ? sim_rng_below(&rng, 500) : 0;
    options->multishot = sim_rng_below(&rng, 4) != 0;
    options->min_wait = sim_rng_below(&rng, 2) != 0;
    options->chains = sim_rng_below(&rng, 4) != 0;
    options->buffers_shrink = sim_rng_below(&rng, 4) == 0 ? (uint32_t)sim_rng_below(&rng, 8) : 0;
}

/* --- Life --------------------------------------------------------------------------------- */

struct sim *sim_new(const struct sim_options *options)
{
    struct arena arena;
    struct sim *sim;

    arena_init(&arena, 0);
    sim = arena_alloc(&arena, sizeof(*sim), CACHE_LINE);
    CHECK(sim != NULL);
    CHECK(options->latency_ns_min <= options->latency_ns_max);
    CHECK(options->window_bytes > 0);
    sim->arena = arena;
    sim->options = *options;
    sim->kernel_rng.state = options->seed;
    sim->test_rng.state = options->seed ^ UINT64_C(0xA5A5A5A5A5A5A5A5);
    sim->now_ns = options->start_ns;
    sim->port_next = FIRST_PORT;
    sim->printing = getenv("SIM_TRACE") != NULL;
    current = sim;
    return sim;
}

void sim_free(struct sim *sim)
{
    struct arena arena;

    if (sim == NULL) return;
    for (struct ring *ring = sim->rings; ring != NULL; ring = ring->next) {
        if (ring->open) sim_fail(sim, "ring %u was never closed", ring->index);
    }
    if (current == sim) current = NULL;
    arena = sim->arena; /* It holds the machine too. */
    arena_release(&arena);
}

void sim_use(struct sim *sim)
{
    current = sim;
}

struct sim *sim_current(void)
{
    CHECK(current != NULL);
    return current;
}

void *sim_alloc(struct sim *sim, size_t bytes)
{
    void *memory = arena_alloc(&sim->arena, bytes, 16);

    CHECK(memory != NULL);
    return memory;
}

void *sim_grow(struct sim *sim, void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    size_t capacity_new = *capacity == 0 ? 16 : *capacity * 2;
    void *grown;

    if (count < *capacity) return array;
    grown = sim_alloc(sim, capacity_new * element_bytes);
    if (count > 0) memcpy(grown, array, count * element_bytes);
    *capacity = capacity_new;
    return grown;
}

void sim_faults_set(struct sim *sim, const struct sim_faults *faults)
{
    sim->options.faults = *faults;
}

const struct sim_counts *sim_counts(const struct sim *sim)
{
    return &sim->counts;
}

void sim_fail(const struct sim *sim, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "sim: seed %" PRIu64 ", at %" PRIu64 " ns: ", sim->options.seed,
                  sim->now_ns - sim->options.start_ns);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    abort();
}

/* --- Trace -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *values[SIM_TRACE_VALUES];
} trace_table[SIM_TRACE_KINDS] = {
    [SIM_TRACE_ACCEPT] = {"accept", {"ring", "sock", "user"}},
    [SIM_TRACE_CONNECT] = {"connect", {"ring", "sock", "user", "addr"}},
    [SIM_TRACE_SEND] = {"send", {"ring", "sock", "user", "hash", "len", "quiet"}},
    [SIM_TRACE_RECV] = {"recv", {"ring", "sock", "user", "group"}},
    [SIM_TRACE_CANCEL] = {"cancel", {"ring", "sock", "user"}},
    [SIM_TRACE_CLOSE] = {"close", {"ring", "sock", "user", "reset"}},
    [SIM_TRACE_SOCK_OPEN] = {"open", {"ring", "sock", "family", "res"}},
    [SIM_TRACE_LISTEN] = {"listen", {"ring", "sock", "addr", "res"}},
    [SIM_TRACE_EVENT] = {"  event", {"ring", "sock", "user", "data", "res", "flags"}},
    [SIM_TRACE_RETURN] = {"return", {"ring", "group", "buffer"}},
    [SIM_TRACE_TIME] = {"time", {"step"}},
    [SIM_TRACE_REQUEST] = {"    request", {"conn", "path", "id", "body", "mis"}},
    [SIM_TRACE_ANSWER] = {"    answer", {"conn", "status"}},
    [SIM_TRACE_RESET] = {"    reset", {"side", "ring", "sock"}},
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t sim_hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const char *at = data;

    hash = mix(hash, len);
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        hash = mix(hash, word);
    }
    for (; len > 0; len--, at++) {
        hash = mix(hash, (unsigned char)*at);
    }
    return hash;
}

void sim_trace(struct sim *sim, enum sim_trace_kind kind, const uint64_t values[SIM_TRACE_VALUES])
{
    uint64_t hash = mix(sim->hash, (uint64_t)kind);

    for (size_t i = 0; i < SIM_TRACE_VALUES; i++) {
        hash = mix(hash, values[i]);
    }
    sim->hash = hash;
    if (!sim->printing) return;
    (void)fprintf(stderr, "%14.6f ms  %s", (double)(sim->now_ns - sim->options.start_ns) / 1e6,
                  trace_table[kind].name);
    for (size_t i = 0; i < SIM_TRACE_VALUES && trace_table[kind].values[i] != NULL; i++) {
        bool small = values[i] <= UINT32_MAX || values[i] >= -(uint64_t)UINT32_MAX;

        (void)fprintf(stderr, small ? " %s=%" PRId64 : " %s=%" PRIx64, trace_table[kind].values[i],
                      (int64_t)values[i]);
    }
    (void)fprintf(stderr, "\n");
}

uint64_t sim_trace_hash(const struct sim *sim)
{
    return sim->hash;
}

/* --- Events ------------------------------------------------------------------------------- */

static bool event_is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->sequence < b->sequence;
}

void sim_event_at(struct sim *sim, uint64_t at_ns, sim_event_fn *run, void *object, uint64_t arg)
{
    struct sim_event event = {.at_ns = max_u64(at_ns, sim->now_ns),
                              .sequence = sim->sequence++,
                              .run = run,
                              .object = object,
                              .arg = arg};
    size_t i = sim->events_count;

    sim->events = sim_grow(sim, sim->events, i, &sim->events_capacity, sizeof(event));
    sim->events_count++;
    for (; i > 0 && event_is_before(&event, &sim->events[(i - 1) / 2]); i = (i - 1) / 2) {
        sim->events[i] = sim->events[(i - 1) / 2];
    }
    sim->events[i] = event;
}

static struct sim_event event_take(struct sim *sim)
{
    struct sim_event first = sim->events[0];
    struct sim_event last = sim->events[--sim->events_count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= sim->events_count) break;
        if (child + 1 < sim->events_count &&
            event_is_before(&sim->events[child + 1], &sim->events[child])) {
            child++;
        }
        if (!event_is_before(&sim->events[child], &last)) break;
        sim->events[i] = sim->events[child];
        i = child;
    }
    sim->events[i] = last;
    return first;
}

static void run_until(struct sim *sim, uint64_t until_ns)
{
    while (sim->events_count > 0 && sim->events[0].at_ns <= until_ns) {
        struct sim_event event = event_take(sim);

        sim->now_ns = max_u64(sim->now_ns, event.at_ns);
        if (event.run != NULL) event.run(sim, event.object, event.arg);
    }
    sim->now_ns = max_u64(sim->now_ns, until_ns);
}

void sim_run_due(struct sim *sim)
{
    run_until(sim, sim->now_ns);
}

struct sim_call {
    void (*run)(void *context);
    void *context;
};

static void run_call(struct sim *sim, void *object, uint64_t arg)
{
    const struct sim_call *call = object;

    (void)sim;
    (void)arg;
    if (call->run != NULL) call->run(call->context);
}

void sim_at(struct sim *sim, uint64_t at_ns, void (*run)(void *context), void *context)
{
    struct sim_call *call = sim_alloc(sim, sizeof(*call));

    *call = (struct sim_call){.run = run, .context = context};
    sim_event_at(sim, at_ns, run_call, call, 0);
}

/* --- Time --------------------------------------------------------------------------------- */

bool sim_advance(struct sim *sim)
{
    uint64_t next_ns;

    sim_run_due(sim);
    next_ns = sim->events_count > 0 ? sim->events[0].at_ns : TIME_NEVER;
    for (const struct ring *ring = sim->rings; ring != NULL; ring = ring->next) {
        if (!ring->open || ring->parked) continue;
        if (sim_ring_is_runnable(ring)) {
            if (++sim->still_count > STILL_MAX) {
                sim_fail(sim, "ring %u can go on and nobody lets it", ring->index);
            }
            return true;
        }
        next_ns = min_u64(next_ns, sim_ring_moment(ring));
    }
    if (next_ns == TIME_NEVER) return false;
    if (sim_chance(sim, sim->options.faults.stall)) {
        next_ns += 1 + sim_draw(sim, max_u64(sim->options.stall_ns_max, 1));
    }
    sim->still_count = 0;
    sim->counts.time_steps++;
    sim_trace(sim, SIM_TRACE_TIME, (uint64_t[SIM_TRACE_VALUES]){next_ns - sim->now_ns});
    run_until(sim, next_ns);
    return true;
}

uint64_t sim_now_ns(const struct sim *sim)
{
    return sim->now_ns;
}

uint64_t clock_now_ns(void)
{
    struct sim *sim = sim_current();

    sim->now_ns += sim->options.clock_step_ns;
    return sim->now_ns;
}

uint64_t clock_wall_ns(void)
{
    struct sim *sim = sim_current();

    return wall_start_ns + (sim->now_ns - sim->options.start_ns);
}
