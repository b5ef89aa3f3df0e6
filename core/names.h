/* names: where the targets are. A place is a host and a port that connections go to: a target's,
 * the proxy's, or a unix socket. Its addresses are found before the run and, if the plan says so,
 * again while it goes on, by a scribe of its own that may be stuck for as long as it likes.
 *
 * Every place has two lists. One is the workers' to read; a look-up that finds other addresses
 * fills the other one, an order lends both to all workers, and once each of them has said that
 * it uses the old list no more that is ours again. Until then nothing is asked.
 *
 * Threads: the coordinator's. */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include "config/plan.h"
#include "core/coord.h"
#include "core/scribe.h"
#include "io/resolve.h"
#include "io/sources.h"

enum { NAMES_CHANGES_KEPT = 16, NAMES_TEXT_MAX = 160 };

struct names_place {
    const char *host; /* NULL: a unix socket. */
    const char *service;
    bool is_fixed;             /* Nobody has to be asked. */
    bool has_failed;           /* The last look-up did, and people were told. */
    struct addresses *current; /* The workers'. */
    struct addresses *spare;   /* NULL: nothing is looked up again. */
};

struct names_change {
    uint64_t at_ns; /* Since the start of the run. */
    const char *host;
    char addresses[NAMES_TEXT_MAX]; /* The new ones, as many as fit. */
};

/* What the look-ups during the run came to. */
struct names_counts {
    uint64_t lookups; /* Answered. */
    uint64_t failed;  /* Of these, without an address that we can use: the old ones stay. */
    uint64_t changes; /* Of these, other addresses than before. */
    struct names_change kept[NAMES_CHANGES_KEPT]; /* The first ones. */
};

struct names {
    const struct plan *plan;
    struct sources *sources; /* NULL: the kernel chooses. */
    struct names_place *places;
    uint32_t places_count;
    const struct addresses **of_target; /* [plan->targets_count], for the workers. */
    struct scribe *resolver;            /* Of the look-ups during the run; NULL: there are none. */
    struct order_addresses order;       /* Lent to the workers. */
    uint32_t next;                      /* The place that is asked for next, or now. */
    bool is_asking;
    uint64_t round_ns; /* When the round began, or will. */
    struct names_counts counts;
};

/* Takes all memory from `arena`, finds the places of `plan` and fills those that are fixed.
 * ERR_USAGE: an address that was given is none; ERR_MEMORY. */
MUST_USE enum err names_init(struct names *names, const struct plan *plan, struct arena *arena,
                             struct err_info *why);

/* A place that is not fixed was found at `addresses`: keeps those that a source can go to.
 * ERR_NETWORK when none is left. */
MUST_USE enum err names_found(struct names *names, uint32_t place,
                              const struct addresses *addresses, struct err_info *why);

/* All places have been found: tries the sources, and starts the scribe of later look-ups, which
 * writes `notify_fd`, if the plan wants any. ERR_NETWORK names the source that cannot be used. */
MUST_USE enum err names_open(struct names *names, int notify_fd, struct err_info *why);

/* While the run goes on: asks, and hands on what has changed. Lines for people go to `lines`
 * (NULL: nowhere), those of changes too if `verbose`. Returns when it wants to be called again. */
uint64_t names_step(struct names *names, struct coord *coord, struct scribe *lines, bool verbose,
                    uint64_t now_ns);

/* A zeroed one is fine. */
void names_release(struct names *names);

#endif
