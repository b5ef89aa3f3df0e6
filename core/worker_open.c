/* A worker's setting up: its ring, its memory, its connections; and the end of all that. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/runner_impl.h"
#include "core/share.h"
#include "core/waits.h"
#include "core/worker_pool.h"
#include "io/cpu.h"

enum {
    SQ_ENTRIES_MIN = 64,
    SQ_ENTRIES_MAX = 1024,
    CHAIN_BYTES_MAX = 1024, /* One segment, so that a socket without TCP_NODELAY sends it. */
    CQ_ENTRIES_MAX = 65536,
    SMALL_BUFFER_BYTES = 4096,
    SMALL_BUFFERS_MAX = 4096,
    LARGE_BUFFER_BYTES = 32 * 1024,
    LARGE_BUFFERS_MAX = 256,
    LARGE_BUFFERS_TLS_MAX = 64, /* Their records are read twice more, and the L2 holds so many. */
    SINK_BYTES = 256 * 1024,    /* Fits the caches, and few receives make a large body. */
    SMALL_BODY_MAX = 3072,      /* Fits a small buffer with its head. */
};

static uint32_t power_of_two(uint64_t at_least, uint32_t low, uint32_t high)
{
    uint32_t size = low;

    while (size < at_least && size < high) {
        size *= 2;
    }
    return size;
}

static enum ring_engine engine_of(enum plan_io io)
{
    switch (io) {
    case PLAN_IO_AUTO: return RING_AUTO;
    case PLAN_IO_URING: return RING_URING;
    case PLAN_IO_EPOLL: return RING_EPOLL;
    }
    UNREACHABLE("an engine without a name");
}

static enum err open_ring(struct worker *w, struct err_info *why)
{
    uint32_t conns = w->table.count;
    uint64_t ops = (w->plan->max_requests_per_connection != 1 ? UINT64_C(1) : 8) *
                   conns; /* With chains, and more. */
    uint32_t large_max = w->tls == NULL ? LARGE_BUFFERS_MAX : LARGE_BUFFERS_TLS_MAX;
    /* Handshakes use all that there are, and what was used once stays in memory. */
    uint64_t small = w->tls == NULL ? UINT64_C(2) * conns : conns;
    struct ring_options options = {
        .engine = engine_of(w->plan->io),
        .sq_entries = power_of_two(ops, SQ_ENTRIES_MIN, SQ_ENTRIES_MAX),
        .cq_entries = power_of_two(2 * ops, 2 * SQ_ENTRIES_MIN, CQ_ENTRIES_MAX),
        .socks_count = conns,
        .accept_from = conns,
        .probe_s = (uint32_t)((w->plan->net.probe_ns + NS_PER_S - 1) / NS_PER_S),
        .buffer_bytes = {SMALL_BUFFER_BYTES, LARGE_BUFFER_BYTES},
        .buffers_count = {power_of_two(small, 64, SMALL_BUFFERS_MAX),
                          power_of_two(conns, 16, large_max)},
    };

    return ring_open(&w->ring, &options, why);
}

static bool init_table(struct worker *w)
{
    struct ledger *l = &w->ledger;
    /* One per connection, one per pool. */
    uint32_t timers = w->table.count + w->pools_count + w->plan->hosts_max;
    struct timer **heap = arena_array(&w->arena, (size_t)timers + 1, sizeof(void *));

    if (heap == NULL) return false;
    timers_init(&w->timers, heap, timers);
    w->table.ring = w->ring;
    w->table.timers = &w->timers;
    w->table.owner = worker_conn_owner;
    w->table.owner.self = w;
    w->table.counts = (struct conn_counts){
        .bytes_sent = &l->bytes_sent,
        .bytes_received = &l->bytes_received,
        .bytes_discarded = &l->bytes_discarded,
        .discarded = &l->discarded,
        .closed_by_peer = &l->closed_by_peer,
        .unsolicited_idle = &l->unsolicited_idle,
        .conflicting = &l->conflicting,
        .interim = &l->interim,
        .bodies_continued = &l->bodies_continued,
        .bodies_unasked = &l->bodies_unasked,
        .bodies_unsent = &l->bodies_unsent,
        .tls_unclean = &l->tls_unclean,
        .alive = &l->alive,
        .alive_max = &l->alive_max,
    };
    if (w->plan->read_bodies) {
        w->table.sink_bytes = SINK_BYTES;
        w->table.sink = arena_alloc(&w->arena, SINK_BYTES, 4096);
        if (w->table.sink == NULL) return false;
    }
    w->table.requests_max = w->plan->max_requests_per_connection == 0
                                ? UINT32_MAX
                                : w->plan->max_requests_per_connection;
    w->table.head_bytes_max = HTTP1_HEAD_BYTES_MAX;
    w->table.small_body_max = SMALL_BODY_MAX;
    w->table.connect_timeout_ns = w->plan->connect_timeout_ns;
    w->table.timeout_ns = w->plan->timeout_ns;
    w->table.first_byte_timeout_ns =
        w->plan->first_byte_timeout_ns == 0 ? TIME_NEVER : w->plan->first_byte_timeout_ns;
    return conn_table_init(&w->table, &w->arena);
}

/* With answers back to back it does not pay: each receive would end in the next one's head. */
static uint64_t drain_above(const struct plan *plan)
{
    if (plan->pipeline > 1) return UINT64_MAX;
    return plan->read_bodies ? plan->sink_above : plan->discard_above;
}

static void init_pool(struct worker *w, struct pool *pool, const struct addresses *addresses)
{
    struct ledger *l = &w->ledger;

    pool->table = &w->table;
    pool->owner = worker_pool_owner;
    pool->owner.self = w;
    pool->index = (uint32_t)(pool - w->pools);
    pool->tls = w->tls_targets[pool->index];
    pool->counts = (struct pool_counts){.connects = &l->connects,
                                        .connects_refused = &l->connects_refused,
                                        .connects_failed = &l->connects_failed,
                                        .opened = &l->opened};
    pool->addresses = addresses;
    pool->sources = w->sources;
    pool->source_first = w->index + pool->index;
    pool->source_step = w->plan->workers;
    pool->drain_above = drain_above(w->plan);
}

struct pool *worker_add_pool(struct worker *w, const struct addresses *addresses,
                             struct tls_target *tls)
{
    struct pool *pool = &w->pools[w->pools_count];

    CHECK(w->pools_count < w->plan->targets_count + w->plan->hosts_max);
    init_pool(w, pool, addresses);
    pool->tls = tls;
    pool_init(pool);
    w->pools_count++;
    return pool;
}

static bool init_pools(struct worker *w, const struct worker_options *options)
{
    uint32_t wanted[PLAN_URLS_MAX];

    w->sources = options->sources;
    w->pools =
        arena_array(&w->arena, (size_t)w->pools_count + w->plan->hosts_max, sizeof(*w->pools));
    if (w->pools == NULL) return false;
    share_targets(w->plan, w->index, wanted);
    for (uint32_t i = 0; i < w->pools_count; i++) {
        const char *tunnel = w->plan->targets[i].connect;
        struct pool *pool = &w->pools[i];

        init_pool(w, pool, options->addresses[i]);
        pool->tunnel = tunnel;
        pool->tunnel_len = tunnel == NULL ? 0 : (uint32_t)strlen(tunnel);
        pool->wanted = wanted[i];
        pool_init(pool);
    }
    return true;
}

static bool init_open_flow(struct worker *w, const struct flow_parts *parts, uint32_t pending_max)
{
    const struct plan *plan = w->plan;
    const uint32_t **idle = arena_array(&w->arena, w->pools_count, sizeof(*idle));
    struct flow_open options = {
        .mod = &w->mod,
        .arrivals = {.kind = plan->arrivals,
                     .workers = plan->workers,
                     .index = w->index,
                     .seed = plan->seed},
        .wait_max_ns = plan->timeout_ns,
        .pending_max = pending_max,
        .idle = idle,
    };

    w->free_ns = arena_array(&w->arena, w->table.count, sizeof(*w->free_ns));
    if (idle == NULL || w->free_ns == NULL) return false;
    for (uint32_t i = 0; i < w->pools_count; i++) {
        idle[i] = &w->pools[i].idle_room;
    }
    return mod_interval_init(&w->mod, &w->arena, plan->stages, plan->stages_count) &&
           flow_init_open(&w->flow, &w->arena, parts, &options);
}

static bool init_flow(struct worker *w)
{
    const struct plan *plan = w->plan;
    uint32_t slots =
        (uint32_t)share_of(plan->connections, plan->workers, w->index) * plan->pipeline;
    uint32_t pending_max = (uint32_t)share_of(plan->max_pending, plan->workers, w->index);
    struct flow_parts parts = {
        .lanes = &w->lanes,
        .requests_count = plan->requests_count,
        .issued_max = share_of(plan->requests_max, plan->workers, w->index),
    };
    uint32_t places = plan->open_loop ? pending_max + w->table.count * plan->pipeline : slots;
    bool done = lanes_init(&w->lanes, &w->arena, w->pools_count, places) &&
                turns_init(&parts.turns, &w->arena, plan, w->index) &&
                (plan->open_loop ? init_open_flow(w, &parts, pending_max)
                                 : flow_init(&w->flow, &w->arena, &parts, slots));

    /* A counted run in which this worker has no share. */
    if (plan->requests_max != 0 && parts.issued_max == 0) w->flow.issued_max = 0;
    return done;
}

/* What a test file's load needs besides the runner's own. */
static bool init_test_flow(struct worker *w)
{
    uint32_t pending_max = (uint32_t)share_of(w->plan->max_pending, w->plan->workers, w->index);

    w->flow.open = true;
    w->free_ns = arena_array(&w->arena, w->table.count, sizeof(*w->free_ns));
    return w->free_ns != NULL &&
           lanes_init(&w->lanes, &w->arena, w->plan->requests_count, pending_max + w->table.count);
}

static bool init_test_stats(struct worker_shared *shared, const struct worker_options *options)
{
    const struct testfile *test = options->test->test;

    shared->waits =
        arena_array(options->stats_arena, test->providers_count, sizeof(*shared->waits));
    if (shared->waits == NULL) return false;
    if (test->general.log_provider_stats) {
        shared->gauges =
            arena_array(options->stats_arena, test->providers_count, sizeof(*shared->gauges));
        if (shared->gauges == NULL) return false;
    }
    return groups_init(&shared->groups, options->stats_arena, GROUPS_MAX);
}

static bool init_memory(struct worker *w, const struct worker_options *options)
{
    uint64_t rows_max = share_of(w->plan->rows_max, w->plan->workers, w->index);
    bool is_test = options->test != NULL;

    if (!init_table(w) || !worker_tls_init_table(w) || !init_pools(w, options)) return false;
    if (is_test ? !init_test_flow(w) : !worker_lay_out(w) || !init_flow(w)) return false;
    w->sends = arena_array(&w->arena, w->table.count, sizeof(*w->sends));
    w->filled = arena_array(&w->arena, w->table.count, sizeof(*w->filled));
    if (w->sends == NULL || w->filled == NULL) return false;
    if (!stats_init(&w->shared->stats, options->stats_arena)) return false;
    if (options->plan->late_ns > 0) w->shared->stats.late_ns = options->plan->late_ns;
    if (is_test && !init_test_stats(w->shared, options)) return false;
    if (w->plan->requests_count > 1 &&
        !stats_urls_init(&w->shared->urls, options->stats_arena, w->plan->requests_count)) {
        return false;
    }
    return rows_init(&w->shared->rows, rows_max, options->stats_arena);
}

/* Makes a test file the load. */
static enum err init_test(struct worker *w, const struct worker_options *options,
                          struct err_info *why)
{
    w->load = &runner_load;
    w->table.owner = runner_conn_owner();
    w->table.owner.self = w;
    for (uint32_t i = 0; i < w->pools_count; i++) {
        w->pools[i].owner = runner_pool_owner();
        w->pools[i].owner.self = w;
    }
    return runner_new(&w->runner, w, options->test, why);
}

/* A closed loop with a connection per request, whose bytes never change. In an open loop
 * connections are made before requests are due. */
static bool may_chain(const struct worker *w)
{
    if (!ring_facts(w->ring)->chains || w->table.requests_max > 1 || w->plan->open_loop) {
        return false;
    }
    if (!w->plain || w->plan->connect_rate_per_s > 0) return false;
    for (uint32_t i = 0; i < w->asks_count; i++) {
        if (w->asks[i].len > CHAIN_BYTES_MAX) return false;
    }
    return true;
}

enum err worker_new(struct worker **ret_worker, const struct worker_options *options,
                    struct err_info *why)
{
    const struct plan *plan = options->plan;
    struct arena arena;
    struct worker *w;
    enum err err;

    arena_init(&arena, 0);
    w = arena_alloc(&arena, sizeof(*w), CACHE_LINE);
    if (w == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a worker");
    w->arena = arena;
    w->plan = plan;
    w->load = &worker_flow_load;
    w->shared = options->shared;
    w->index = options->index;
    w->runs_test = options->test != NULL;
    w->wait_fd = cpu_wait_open();
    w->turn_end_ns = clock_now_ns();
    CHECK(plan->pipeline > 0 && plan->pipeline <= PLAN_PIPELINE_MAX);
    w->table.window_size = power_of_two(plan->pipeline, 1, PLAN_PIPELINE_MAX);
    w->table.window_max = plan->pipeline;
    w->table.count = share_connections(plan, options->index);
    w->pools_count = plan->targets_count;
    CHECK(w->table.count > 0);
    err = worker_tls_open(w, why);
    if (err == ERR_OK) err = open_ring(w, why);
    if (err == ERR_OK && !init_memory(w, options)) {
        err = err_set(why, ERR_MEMORY, ENOMEM, "no memory for %u connections", w->table.count);
    }
    if (err == ERR_OK && options->test != NULL) err = init_test(w, options, why);
    if (err == ERR_OK) arena_seal(&w->arena);
    if (err != ERR_OK) {
        worker_free(w);
        return err;
    }
    w->table.chains = may_chain(w);
    batch_init(&w->batch, plan->batch_wait && !plan->open_loop && ring_facts(w->ring)->min_wait,
               w->table.count);
    *ret_worker = w;
    return ERR_OK;
}

void worker_free(struct worker *w)
{
    struct arena arena;

    if (w == NULL) return;
    runner_hosts_release(w->runner);
    ring_close(w->ring);
    worker_tls_close(w);
    if (w->wait_fd >= 0) (void)close(w->wait_fd);
    arena = w->arena;
    arena_release(&arena);
}
