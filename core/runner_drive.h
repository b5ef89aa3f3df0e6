/* runner_drive: when an endpoint may begin a request, and when it will begin none any more. Private
 * to the runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_DRIVE_H
#define CORE_RUNNER_DRIVE_H

#include "core/base/defs.h"

struct arena;
struct endpoint;
struct provider;
struct runner;

/* runner_drive.c */

/* Sets how the endpoint is run: by the test file, or by the options. */
void runner_init_drive(struct endpoint *endpoint);

/* True if the next request may have its values: it will be due, is asked for, and has room. Takes
 * the demand that it answers. */
bool runner_may_gather(struct endpoint *endpoint);

/* True if a request that has its values is due because of queues or demand, and not by a slot
 * alone. */
bool runner_is_due(const struct endpoint *endpoint);

/* True unless as many requests are under way as there may be. */
bool runner_may_send(const struct endpoint *endpoint);

/* How many requests of a driven endpoint could begin besides the one that is due. */
uint32_t runner_startable(const struct endpoint *endpoint);

/* Learns from the fill of its queues when a request of an endpoint ends. */
void runner_note_room(struct endpoint *endpoint);

/* A request could not be built: the next one comes a little later, unless it has a slot. */
void runner_pause(struct endpoint *endpoint);

/* When a driven endpoint has to be looked at even if nothing happens; TIME_NEVER: never. */
uint64_t runner_driven_next_ns(const struct runner *runner);

/* runner_ends.c */

/* True if the endpoint pops from the provider of this slot, by itself or in a declare. */
bool runner_pops_slot(const struct endpoint *endpoint, uint32_t slot);

/* Stops the endpoints that can send nothing more; tells of deadlocks. Called each turn. */
void runner_check_ends(struct runner *runner);

/* True if there is a value in the provider, or one will come without any endpoint. */
bool runner_has_own_values(const struct runner *runner, uint32_t provider);

/* The first provider that the endpoint waits for and that is not runner.is_open; NULL: none. */
const struct provider *runner_waits_for_shut(const struct endpoint *endpoint);

/* Calls for every provider that an endpoint can push into: those it provides, and those that its
 * values go back to. A provider may come twice. */
typedef void runner_target_fn(struct runner *runner, const struct endpoint *endpoint,
                              uint32_t provider);
void runner_each_target(struct endpoint *endpoint, runner_target_fn *fn);

/* runner_deadlock.c */

/* What keeps all endpoints of a worker, as of core/stillness.h. */
struct stuck {
    uint32_t *waits;   /* By endpoint. */
    uint32_t *stocks;  /* By provider. */
    uint64_t heard;    /* Of what others tell, before this look at the ends. */
    bool all_are_over; /* All endpoints of all workers have stopped, and all values have come. */
    uint32_t yielding; /* Endpoints that do; see flow_drive.yields_until_ns. */
};

/* True if no endpoint can ever go on unless values come from other workers. */
bool runner_is_stuck(struct runner *runner);

/* True if no endpoint can ever go on, on any worker that may send values here. If it was found out
 * here, runner.deadlock tells who waits for whom. */
MUST_USE bool runner_is_deadlocked(struct runner *runner);

/* True while others may send values here, or have values of ours. */
bool runner_is_needed_elsewhere(const struct runner *runner);

/* Lets endpoints go on whose values other workers have had time to get. */
void runner_end_yields(struct runner *runner);

/* The worker has ended: nothing moves here any more. */
void runner_rest_for_good(struct runner *runner);

/* runner_barter.c */

/* What a worker has sent to others and not got back, to be freed. */
struct barter_side {
    uint32_t *underway_to; /* By worker. */
    uint32_t *underway_of; /* By provider. */
    uint32_t underway;     /* All of them. */
    bool *is_kept;         /* By provider: it is open only for what endpoints here hold of it … */
    bool *lets_go;         /* … and no more for that. */
    uint32_t *underway_by; /* By worker, and provider. */
    uint32_t *shared;      /* Providers whose values go from worker to worker; [shared_count]. */
    uint32_t shared_count;
    uint64_t trade_ns; /* With many of them: not traded before. */
    uint64_t ask_ns;   /* Others are not woken before. */
    uint64_t next_ns;  /* When it looks again whether something has come to its end elsewhere. */
};

MUST_USE bool runner_init_barter(struct runner *runner, struct arena *arena);

/* True if values of the provider go from worker to worker. */
bool runner_is_shared(const struct runner *runner, uint32_t provider);

/* True if something that was sent has not come back to be freed. */
bool runner_has_underway(const struct runner *runner);

/* Tells the others that nobody here reads a provider any more. */
void runner_say_unread(struct runner *runner, uint32_t provider);

/* True if somebody reads the provider, here or on another worker. */
bool runner_is_read(const struct runner *runner, uint32_t provider);

/* Takes what the other workers of split components have sent. Called each turn. */
void runner_barter(struct runner *runner);

/* Says what is wanted here, and sends what is wanted elsewhere. Called at the end of each turn. */
void runner_trade(struct runner *runner);

/* True if a value of the provider may come from another worker. */
bool runner_is_fed_elsewhere(const struct runner *runner, uint32_t provider);

/* Tells the others whether values may still come to be in a provider here: by those who feed it, or
 * since some are held that may be given back. */
void runner_say_open(struct runner *runner, uint32_t provider, bool open, bool held);

#endif
