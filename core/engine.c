#include "core/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/engine_impl.h"
#include "core/logger.h"
#include "core/preflight.h"
#include "core/record.h"
#include "io/cpu.h"
#include "io/wake.h"

enum {
    RUNNER_MEMORY_BYTES = 1 << 30,     /* Of each worker; what is not used costs nothing. */
    LIVE_NS = 200 * 1000 * 1000,       /* Between two drawings of the live line. */
    FLUSH_NS_MAX = 1000 * 1000 * 1000, /* For the scribe to come to its end. */
};

static void post_news(struct crew *crew, enum news_kind kind, uint64_t value)
{
    bool posted = mailbox_post(&crew->shared->news, (struct mail){.kind = kind, .value = value});

    CHECK(posted); /* A worker has few pieces of news. */
    wake_post(crew->engine->coord_fd);
}

/* What a worker is told of a test file. */
static struct runner_options test_of(const struct engine *engine)
{
    const struct run_crews *crews = engine->test->crews;

    return (struct runner_options){
        .test = engine->test->test,
        .files = engine->test->files,
        .reader = engine->reader,
        .crews = crews->crews,
        .owners = crews->owners,
        .provider_crews = crews->provider_crews,
        .provider_owners = crews->provider_owners,
        .loggers = engine->test->loggers,
        .memory_bytes = RUNNER_MEMORY_BYTES,
        .barter = crews->split > 0 ? &engine->barter : NULL,
        .observer = engine->test->observer,
        .trial = engine->test->trial,
    };
}

/* Tells the coordinator once that the run has to end, if it has. */
static void tell_end(struct crew *crew)
{
    if (unlikely(worker_is_broken(crew->worker)) && !crew->broken) {
        crew->broken = true;
        post_news(crew, NEWS_BROKEN, 0);
    }
    if (unlikely(worker_is_killed(crew->worker)) && !crew->killed) {
        crew->killed = true;
        post_news(crew, NEWS_KILLED, 0);
    }
}

static void *worker_main(void *arg)
{
    struct crew *crew = arg;
    struct engine *engine = crew->engine;
    struct worker_options options = {
        .plan = engine->plan,
        .addresses = engine->names.of_target,
        .sources = engine->names.sources,
        .shared = crew->shared,
        .stats_arena = &crew->stats_arena,
        .index = crew->index,
    };
    struct runner_options test;
    bool goes_on = true;

    if (engine->test != NULL) {
        test = test_of(engine);
        options.test = &test;
    }

    if (crew->cpu != UINT32_MAX && !cpu_pin(crew->cpu)) crew->cpu = UINT32_MAX;
    /* Waits end when they should, not up to 50 us later (PR_SET_TIMERSLACK, prctl(2)). */
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    crew->err = worker_new(&crew->worker, &options, &crew->why);
    if (crew->err != ERR_OK) {
        post_news(crew, NEWS_FAILED, 0);
        return NULL;
    }
    post_news(crew, NEWS_READY, 0);
    while (goes_on) {
        goes_on = worker_step(crew->worker);
        tell_end(crew); /* What ends a run may end the worker in the same turn. */
    }
    crew->totals = *worker_totals(crew->worker);
    post_news(crew, NEWS_ENDED, crew->totals.ended_ns);
    return NULL;
}

static void wake_worker(void *self, uint32_t worker)
{
    struct engine *engine = self;

    /* One that failed has none; one that is ready set it before it said so. */
    if (engine->crew[worker].worker != NULL) worker_wake(engine->crew[worker].worker);
}

static void say(void *self, const char *line)
{
    struct engine *engine = self;

    if (!engine->quiet) scribe_say(engine->scribe, "%s", line);
}

/* Says once what is not as it should be with the first worker whose ring it is. */
static void say_engine(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->plan->workers; i++) {
        const struct ring_facts *facts = worker_ring_facts(engine->crew[i].worker);

        if (facts->fallback[0] == '\0' && facts->shrunk[0] == '\0') continue;
        if (facts->fallback[0] != '\0') {
            scribe_say(engine->scribe, "pelt: %s in place of io_uring: %s", facts->engine,
                       facts->fallback);
        } else {
            scribe_say(engine->scribe, "pelt: a smaller ring: %s", facts->shrunk);
        }
        return;
    }
}

static void say_start(struct engine *engine)
{
    const struct plan *plan = engine->plan;
    char more[40] = "";

    if (engine->quiet) return;
    if (engine->terse) {
        say_engine(engine);
        return;
    }
    if (plan->test_file != NULL) {
        (void)snprintf(more, sizeof(more), ", %u endpoint%s", plan->requests_count,
                       plan->requests_count == 1 ? "" : "s");
    } else if (plan->requests_count > 1) {
        (void)snprintf(more, sizeof(more), " and %u more", plan->requests_count - 1);
    }
    if (!engine->json_lines) {
        scribe_say(engine->scribe, "pelt: %s%s, %s%u connection%s, %u worker%s",
                   plan->test_file != NULL ? plan->test_file : plan->requests[0].url, more,
                   engine->test != NULL ? "up to " : "", plan->connections,
                   plan->connections == 1 ? "" : "s", plan->workers, plan->workers == 1 ? "" : "s");
    }
    say_engine(engine);
    for (uint32_t i = 0; engine->verbose && i < plan->workers; i++) {
        const struct ring_facts *facts = worker_ring_facts(engine->crew[i].worker);

        scribe_say(engine->scribe, "pelt: worker %u: %s, queues of %u and %u%s, cpu %d", i,
                   facts->engine, facts->sq_entries, facts->cq_entries,
                   facts->min_wait ? ", can wait for batches" : "", (int)engine->crew[i].cpu);
    }
}

static void say_addresses(struct engine *engine, const struct names_place *place)
{
    const struct addresses *addresses = place->current;
    char text[RESOLVE_TEXT_MAX];

    for (uint32_t i = 0; engine->verbose && i < addresses->count; i++) {
        scribe_say(engine->scribe, "pelt: %s has address %s",
                   place->host == NULL ? "the unix socket" : place->host,
                   resolve_text(&addresses->list[i], text));
    }
}

/* Draws the live line when it is time. */
static void show_live(struct engine *engine, uint64_t now_ns)
{
    const struct coord *coord = &engine->coord;
    struct live live;

    if (!engine->live || coord->phase != COORD_RUNNING || coord->failed > 0) return;
    if (coord->readings == 0 || now_ns < engine->next_live_ns) return;
    live = live_of(coord, now_ns);
    live.colours = engine->colours;
    scribe_live(engine->scribe, &live);
    engine->next_live_ns = now_ns + LIVE_NS;
}

static void wait_coord(struct engine *engine, uint64_t until_ns)
{
    struct pollfd poll_fd = {.fd = engine->coord_fd, .events = POLLIN};
    uint64_t now_ns = clock_now_ns();
    struct timespec timeout = {.tv_sec = 1};

    if (until_ns <= now_ns) return;
    if (until_ns - now_ns < NS_PER_S) {
        timeout = (struct timespec){.tv_nsec = (long)(until_ns - now_ns)};
    }
    if (ppoll(&poll_fd, 1, &timeout, NULL) == 1) wake_clear(engine->coord_fd);
}

/* Waits until all lines stand on stderr and the live line is gone, so that the report comes after
 * them; not for a terminal that does not take them. */
static void flush_scribe(struct engine *engine)
{
    uint64_t until_ns = clock_now_ns() + FLUSH_NS_MAX;

    if (!scribe_flush(engine->scribe)) return;
    while (!scribe_flushed(engine->scribe) && clock_now_ns() < until_ns) {
        wait_coord(engine, until_ns);
    }
}

/* Asks the scribe for the addresses of a place. */
static enum err resolve_place(struct engine *engine, uint32_t index)
{
    const struct names_place *place = &engine->names.places[index];
    struct addresses found = {.count = 0};
    enum err err = ERR_OK;

    scribe_resolve(engine->scribe, place->host, place->service);
    while (!scribe_resolved(engine->scribe, &err, &found, &engine->why)) {
        if (load_relaxed(&engine->stop_level) > 0) {
            return err_set(&engine->why, ERR_RESOLVE, EINTR, "interrupted while resolving '%s'",
                           place->host);
        }
        wait_coord(engine, clock_now_ns() + NS_PER_S);
    }
    return err != ERR_OK ? err : names_found(&engine->names, index, &found, &engine->why);
}

/* Finds every place that connections go to; false when one has no address, or at a stop. */
static bool resolve_places(struct engine *engine)
{
    struct names *names = &engine->names;

    for (uint32_t i = 0; i < names->places_count; i++) {
        if (!names->places[i].is_fixed) engine->err = resolve_place(engine, i);
        if (engine->err != ERR_OK) return false;
        say_addresses(engine, &names->places[i]);
    }
    engine->err = names_open(names, engine->coord_fd, &engine->why);
    return engine->err == ERR_OK;
}

/* False when the machine's limits cannot carry the plan. */
static bool preflight(struct engine *engine)
{
    struct preflight_wants wants = preflight_wants(engine->plan, &engine->names);
    struct preflight_limits limits;
    struct preflight_warning warning;

    preflight_read(&limits, "/proc");
    engine->err = preflight_check(&limits, &wants, &warning, &engine->why);
    if (engine->err != ERR_OK) return false;
    if (warning.text[0] != '\0' && !engine->quiet) {
        scribe_say(engine->scribe, "pelt: %s", warning.text);
    }
    return true;
}

/* Starts the workers' threads. Those that cannot be started count as failed at once. */
static void start_crew(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->plan->workers; i++) {
        struct crew *crew = &engine->crew[i];
        int rc = pthread_create(&crew->thread, NULL, worker_main, crew);

        crew->started = rc == 0;
        if (rc == 0) continue;
        crew->err = err_set(&crew->why, ERR_LIMIT, rc, "cannot start worker %u: %s; see ulimit -u",
                            i, err_errno_name(rc));
        post_news(crew, NEWS_FAILED, 0);
    }
}

static void join_crew(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->plan->workers; i++) {
        struct crew *crew = &engine->crew[i];

        if (crew->started) (void)pthread_join(crew->thread, NULL);
        if (crew->err != ERR_OK && engine->err == ERR_OK) {
            engine->err = crew->err;
            engine->why = crew->why;
        }
    }
}

/* The workers have been told to start, or to end at once because one of them failed. */
static void note_start(struct engine *engine)
{
    const struct coord *coord = &engine->coord;

    engine->wall_ns = clock_wall_ns() - (clock_now_ns() - coord->start_ns);
    engine->cpu_start_ns = cpu_process_ns();
    if (coord->failed > 0) return;
    if (engine->buckets != NULL) {
        buckets_start(engine->buckets, coord->start_ns, engine->wall_ns);
    }
    if (engine->record != NULL) record_start(engine->record, engine->wall_ns);
    say_start(engine);
}

static void *coord_main(void *arg)
{
    struct engine *engine = arg;
    struct coord *coord = &engine->coord;

    if (resolve_places(engine) && preflight(engine)) {
        uint64_t next_ns = 0, waits_ns = 0;

        start_crew(engine);
        while (coord->phase != COORD_ENDED) {
            enum coord_phase before = coord->phase;
            uint64_t now_ns = clock_now_ns();

            /* What we took for ourselves is not held against the machine. */
            watch_woke(engine->watch, max_u64(next_ns, waits_ns), now_ns);
            next_ns = coord_step(coord, now_ns, load_relaxed(&engine->stop_level));
            next_ns = min_u64(next_ns, watch_step(engine->watch, coord, now_ns));
            if (engine->buckets != NULL && coord->phase == COORD_RUNNING) {
                next_ns = min_u64(next_ns, buckets_step(engine->buckets, now_ns));
            }
            next_ns = min_u64(next_ns, names_step(&engine->names, coord,
                                                  engine->quiet ? NULL : engine->scribe,
                                                  engine->verbose, now_ns));
            if (before == COORD_SETUP && coord->phase == COORD_RUNNING) note_start(engine);
            show_live(engine, now_ns);
            engine_watch_logs(engine);
            engine_watch_waits(engine, now_ns);
            waits_ns = clock_now_ns();
            if (coord->phase != COORD_ENDED) wait_coord(engine, next_ns);
        }
        engine->cpu_end_ns = cpu_process_ns();
        join_crew(engine);
        engine_end_logs(engine);
        flush_scribe(engine);
    }
    wake_post(engine->done_fd);
    return NULL;
}

static bool init_crew(struct engine *engine)
{
    const struct plan *plan = engine->plan;
    uint32_t cpus[CPUS_MAX];
    uint32_t cpus_count = cpu_allowed(cpus, CPUS_MAX);

    engine->crew = arena_array(&engine->arena, plan->workers, sizeof(*engine->crew));
    engine->shared = arena_array(&engine->arena, plan->workers, sizeof(struct worker_shared *));
    engine->watch = arena_array(&engine->arena, 1, sizeof(*engine->watch));
    if (engine->crew == NULL || engine->shared == NULL || engine->watch == NULL) return false;
    for (uint32_t i = 0; i < plan->workers; i++) {
        struct crew *crew = &engine->crew[i];
        struct worker_shared *shared = arena_array(&engine->arena, 1, sizeof(*shared));

        if (shared == NULL) return false;
        mailbox_init(&shared->orders, shared->orders_slots, ORDERS_SLOTS);
        mailbox_init(&shared->news, shared->news_slots, NEWS_SLOTS);
        crew->engine = engine;
        crew->shared = shared;
        crew->index = i;
        /* With more workers than processors pinning would stack them unevenly. */
        crew->cpu = plan->workers <= cpus_count ? cpus[i] : UINT32_MAX;
        arena_init(&crew->stats_arena, 0);
        engine->shared[i] = shared;
    }
    return true;
}

static double asked_per_s(const void *schedule, uint64_t from_ns, uint64_t until_ns)
{
    return mod_interval_mean_per_s(schedule, from_ns, until_ns);
}

static bool init_series(struct engine *engine)
{
    const struct plan *plan = engine->plan;
    struct series_options options = {
        .warmup_ns = plan->warmup_ns,
        .duration_ns = plan->duration_ns,
        .drain_ns = plan->drain_ns,
    };

    if (plan->open_loop) {
        if (!mod_interval_init(&engine->mod, &engine->arena, plan->stages, plan->stages_count)) {
            return false;
        }
        options.asked_per_s = asked_per_s;
        options.schedule = &engine->mod;
    }
    if (engine->record != NULL) {
        options.taken = record_sample;
        options.self = engine->record;
    }
    engine->coord.series = &engine->series;
    return series_init(&engine->series, &options, &engine->arena);
}

static bool init_rates(struct engine *engine)
{
    if (!engine->wants_rates) return true;
    engine->coord.rates = &engine->rates;
    return rates_init(&engine->rates, engine->plan->workers, &engine->arena);
}

static bool init_buckets(struct engine *engine)
{
    struct buckets_options options = {
        .plan = engine->plan, .shared = engine->shared, .say = say, .self = engine};

    if (engine->test == NULL) return true;
    options.test = engine->test->test;
    options.sinks = engine->sinks;
    options.sinks_count = engine->sinks_count;
    engine->buckets = buckets_new(&engine->arena, &options);
    return engine->buckets != NULL;
}

static enum err start_logs(struct engine *engine, struct err_info *why)
{
    uint32_t count = loggers_count(engine->test->loggers);

    engine->logs_told = arena_array(&engine->arena, count, sizeof(*engine->logs_told));
    if (engine->logs_told == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for logs");
    return loggers_start(engine->test->loggers, why);
}

static enum err start_threads(struct engine *engine, struct err_info *why)
{
    struct coord_owner owner = {.self = engine, .wake = wake_worker, .say = say};
    enum err err;
    int rc;

    engine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    engine->coord_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->done_fd < 0 || engine->coord_fd < 0) {
        return err_set(why, ERR_LIMIT, errno, "eventfd: %s; raise 'ulimit -n'",
                       err_errno_name(errno));
    }
    if (!init_crew(engine)) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for workers");
    coord_init(&engine->coord, engine->plan, engine->shared, &owner);
    if (!init_series(engine) || !init_buckets(engine) || !init_rates(engine)) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for samples");
    }
    err = names_init(&engine->names, engine->plan, &engine->arena, why);
    if (err != ERR_OK) return err;
    err = scribe_new(&engine->scribe, engine->coord_fd, engine->json_lines, why);
    if (err != ERR_OK) return err;
    if (engine->test != NULL && engine->test->reads_files) {
        struct reader_options reader = {
            .workers = engine->plan->workers, .wake = wake_worker, .self = engine};

        err = reader_new(&engine->reader, &reader, why);
        if (err != ERR_OK) return err;
    }
    if (engine->test != NULL && !engine_init_waits(engine)) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a test file");
    }
    if (engine->test != NULL && engine->test->loggers != NULL) {
        err = start_logs(engine, why);
        if (err != ERR_OK) return err;
    }
    if (engine->test != NULL && engine->test->crews->split > 0) {
        if (!barter_init(&engine->barter, &engine->arena, engine->plan->workers,
                         engine->test->test->endpoints_count,
                         engine->test->test->providers_count)) {
            return err_set(why, ERR_MEMORY, ENOMEM, "no memory for workers");
        }
        engine->barter.wake = wake_worker;
        engine->barter.self = engine;
    }
    rc = pthread_create(&engine->coord_thread, NULL, coord_main, engine);
    if (rc == 0) return ERR_OK;
    return err_set(why, ERR_LIMIT, rc, "cannot start a thread: %s; see ulimit -u",
                   err_errno_name(rc));
}

enum err engine_start(struct engine **ret_engine, const struct engine_options *options,
                      struct err_info *why)
{
    struct arena arena;
    struct engine *engine;
    enum err err;

    arena_init(&arena, 0);
    engine = arena_alloc(&arena, sizeof(*engine), CACHE_LINE);
    if (engine == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the engine");
    engine->arena = arena;
    engine->plan = options->plan;
    engine->quiet = options->quiet;
    engine->terse = options->terse;
    engine->verbose = options->verbose && !options->quiet;
    engine->live = options->live && !options->quiet;
    engine->colours = options->colours;
    engine->record = options->record;
    engine->sinks = options->sinks;
    engine->sinks_count = options->sinks_count;
    engine->json_lines = options->json_lines;
    engine->wants_rates = options->rates;
    engine->test = options->test;
    engine->done_fd = -1;
    engine->coord_fd = -1;
    err = start_threads(engine, why);
    if (err != ERR_OK) {
        engine_free(engine);
        return err;
    }
    *ret_engine = engine;
    return ERR_OK;
}

int engine_done_fd(const struct engine *engine)
{
    return engine->done_fd;
}

void engine_stop(struct engine *engine)
{
    (void)atomic_fetch_add_explicit(&engine->stop_level, 1, memory_order_relaxed);
    wake_post(engine->coord_fd);
}

enum err engine_finish(struct engine *engine, const struct result **ret_result,
                       struct err_info *why)
{
    (void)pthread_join(engine->coord_thread, NULL);
    if (engine->err == ERR_OK && !engine_fill_result(engine)) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the result");
    }
    if (engine->err != ERR_OK) {
        *why = engine->why;
        return engine->err;
    }
    *ret_result = &engine->result;
    return ERR_OK;
}

void engine_free(struct engine *engine)
{
    struct arena arena;

    if (engine == NULL) return;
    scribe_free(engine->scribe);
    reader_free(engine->reader); /* Before the memory that it reads into. */
    names_release(&engine->names);
    for (uint32_t i = 0; engine->crew != NULL && i < engine->plan->workers; i++) {
        worker_free(engine->crew[i].worker);
        arena_release(&engine->crew[i].stats_arena);
    }
    if (engine->done_fd >= 0) (void)close(engine->done_fd);
    if (engine->coord_fd >= 0) (void)close(engine->coord_fd);
    arena = engine->arena;
    arena_release(&arena);
}
