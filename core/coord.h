/* coord: the coordinator's reasoning, as a step function: when to start, when to stop, whether
 * every reading of the ledger closes, when a sample of the time series is due. It never blocks and
 * never touches a request.
 *
 * Threads: one, the coordinator's; it shares with workers only struct worker_shared. */
#ifndef CORE_COORD_H
#define CORE_COORD_H

#include "core/rates.h"
#include "core/series.h"
#include "core/worker.h"

/* How the coordinator reaches the world; the engine's or the tests'. */
struct coord_owner {
    void *self;
    void (*wake)(void *self, uint32_t worker); /* Make that worker look at its orders. */
    void (*say)(void *self, const char *line); /* A line for people; may be NULL. */
};

enum coord_phase { COORD_SETUP, COORD_RUNNING, COORD_ENDED };

struct coord {
    const struct plan *plan;
    struct worker_shared *const *shared; /* [plan->workers] */
    struct coord_owner owner;
    enum coord_phase phase;
    uint32_t ready, failed, ended; /* Workers that have said so. */
    uint32_t stops_seen;           /* How much of the stop level has been acted on. */
    const struct err_info *broken; /* Why the run had to end, if it had to; first one. */
    bool broken_seen;              /* It, or `is_killed`, has been acted on. */
    bool is_killed;                /* A logger ended the run. */
    uint32_t lent;                 /* Workers that addresses are lent to. */
    uint64_t start_ns;
    uint64_t next_reading_ns;
    struct series *series; /* NULL: none is kept. Set after coord_init(), before the first step. */
    struct rates *rates;   /* The same. */
    struct ledger ledger;  /* Sum at the last reading. */
    uint64_t readings;
    uint64_t readings_open;  /* That did not close: each is a bug. */
    bool said[FAILED_COUNT]; /* Classes of failure that people were told of. */
};

enum { COORD_READING_NS = 100 * 1000 * 1000 };

void coord_init(struct coord *coord, const struct plan *plan, struct worker_shared *const *shared,
                const struct coord_owner *owner);

/* Takes news, gives orders, reads ledgers. `stop_level` is how often a stop was asked for: from 1
 * on drain, from 2 on end at once. Returns when it wants to be called again at the latest;
 * TIME_NEVER once all workers have ended (phase COORD_ENDED). */
uint64_t coord_step(struct coord *coord, uint64_t now_ns, uint32_t stop_level);

/* Orders all workers to take other addresses; `order` is lent to them while
 * coord_is_readdressing(), and there must be none before it. While the run goes on. */
void coord_readdress(struct coord *coord, const struct order_addresses *order);
bool coord_is_readdressing(const struct coord *coord);

/* Takes the last sample of the series, up to `drained_ns` by the monotonic clock, when the last
 * worker stopped waiting for answers. Once, after the workers have been joined. */
void coord_end_series(struct coord *coord, uint64_t drained_ns);

#endif
