/* engine_impl: what the parts of engine share: engine.c (threads) and engine_result.c (what they
 * found). Private to them. */
#ifndef CORE_ENGINE_IMPL_H
#define CORE_ENGINE_IMPL_H

#include <pthread.h>

#include "core/barter.h"
#include "core/buckets.h"
#include "core/coord.h"
#include "core/engine.h"
#include "core/mod_interval.h"
#include "core/names.h"
#include "core/reader.h"
#include "core/run_plan.h"
#include "core/runner.h"
#include "core/scribe.h"
#include "core/watch.h"
#include "core/worker.h"

/* A worker's thread and what it leaves behind. */
struct crew {
    struct engine *engine;
    pthread_t thread;
    struct worker *worker; /* Set before NEWS_READY; the coordinator wakes it. */
    struct worker_shared *shared;
    struct arena stats_arena;
    uint32_t index;
    uint32_t cpu; /* UINT32_MAX: not pinned. */
    bool started;
    bool broken; /* Its own: it has said that the run has to end … */
    bool killed; /* … because a logger says so. */
    enum err err;
    struct err_info why;
    struct worker_totals totals;
};

/* What people have been told of the waits for a provider. */
struct waits_told {
    uint64_t count;
    uint64_t next_ns; /* Not again before. */
};

struct engine {
    struct arena arena; /* Holds this struct, the crew, the result. */
    const struct plan *plan;
    bool quiet;
    bool terse;
    bool verbose;
    bool live;
    bool colours;
    struct record *record;           /* Borrowed; NULL: none. */
    uint64_t next_live_ns;           /* When the live line is to be drawn again. */
    const struct bucket_sink *sinks; /* Borrowed; [sinks_count]. */
    uint32_t sinks_count;
    bool json_lines;
    bool wants_rates;
    int done_fd;                 /* Readable when the coordinator's thread is through. */
    int coord_fd;                /* Wakes the coordinator: news, answers, stops. */
    _Atomic uint32_t stop_level; /* Any thread adds; the coordinator reads. A hint only. */
    pthread_t coord_thread;
    struct scribe *scribe;
    const struct engine_test *test; /* NULL: no test file. */
    struct barter barter;           /* Of split components. */
    struct reader *reader;          /* NULL: it reads no data files. */
    struct waits_told *waits_told;  /* By provider; NULL: no test file. */
    bool *logs_told;                /* By logger: people know that it failed. */
    struct buckets *buckets;        /* Of the test file's statistics. */
    struct coord coord;
    struct watch *watch;
    struct series series;
    struct rates rates;
    struct mod_interval mod; /* Open loop: the schedule. */
    struct names names;      /* Where the targets are. */
    struct crew *crew;       /* [plan->workers] */
    struct worker_shared **shared;
    enum err err; /* Coordinator's; read after it has been joined. */
    struct err_info why;
    uint64_t wall_ns;
    uint64_t cpu_start_ns, cpu_end_ns;
    struct result result;
};
/* Fills engine->result once all threads but the caller's have been joined; false when the arena
 * refuses. */
MUST_USE bool engine_fill_result(struct engine *engine);

/* Tells people of logs that cannot be written (engine_logs.c). The coordinator's. */
void engine_watch_logs(struct engine *engine);

/* engine_waits.c: makes ready to tell who waits for values, false when the arena refuses; tells;
 * and fills in what there is to report, as above. */
MUST_USE bool engine_init_waits(struct engine *engine);
void engine_watch_waits(struct engine *engine, uint64_t now_ns);
MUST_USE bool engine_fill_waits(struct engine *engine, struct result_test *test);
MUST_USE bool engine_fill_dropped(struct engine *engine, struct result_test *test);

/* Once the workers have been joined: waits until all that was logged is written or lost. */
void engine_end_logs(struct engine *engine);

#endif
