#include "core/arrivals.h"

#include <math.h>

#include "core/base/check.h"

/* Workers' generators are seeded from one generator, so that neighbouring seeds of a run share no
 * worker's sequence. */
static void seed_worker(struct rng *rng, uint64_t seed, uint32_t index)
{
    struct rng seeds;
    uint64_t own;

    rng_init(&seeds, seed);
    own = rng_next(&seeds);
    for (uint32_t i = 0; i < index; i++) {
        own = rng_next(&seeds);
    }
    rng_init(rng, own);
}

/* Goes to the last one of this worker that is due by `from_ns`. */
static void skip(struct arrivals *arrivals, uint32_t index, uint64_t from_ns)
{
    mod_amount amount = mod_interval_amount_at(arrivals->cursor.mod, from_ns);
    mod_amount first = (mod_amount)MOD_HIT * (index + 1);

    if (arrivals->kind == PLAN_ARRIVALS_POISSON) {
        arrivals->amount = amount;
    } else if (amount >= first) {
        arrivals->amount = first + (amount - first) / arrivals->step * arrivals->step;
    }
}

void arrivals_init(struct arrivals *arrivals, const struct mod_interval *mod,
                   const struct arrivals_options *options)
{
    CHECK(options->workers > 0);
    CHECK(options->index < options->workers);
    *arrivals = (struct arrivals){
        .cursor = {.mod = mod},
        .total = mod_interval_total(mod),
        .step = (mod_amount)MOD_HIT * options->workers,
        .kind = options->kind,
    };
    if (options->kind == PLAN_ARRIVALS_POISSON) {
        seed_worker(&arrivals->rng, options->seed, options->index);
    } else {
        /* One step before the first: modulo 2^128, as the next addition. */
        arrivals->amount = (mod_amount)MOD_HIT * (options->index + 1) - arrivals->step;
    }
    if (options->from_ns > 0) skip(arrivals, options->index, options->from_ns);
}

/* Unit exponential: -ln(1 - u), u in [0, 1), is finite: 36.7 at most. */
static mod_amount gap(struct arrivals *arrivals)
{
    return (mod_amount)(-log1p(-rng_double(&arrivals->rng)) * (double)arrivals->step);
}

uint64_t arrivals_next(struct arrivals *arrivals)
{
    mod_amount amount = arrivals->amount;

    if (arrivals->ended) return TIME_NEVER;
    amount += arrivals->kind == PLAN_ARRIVALS_POISSON ? gap(arrivals) : arrivals->step;
    if (amount > arrivals->total) {
        arrivals->ended = true;
        return TIME_NEVER;
    }
    arrivals->amount = amount;
    /* A gap of 0 at the very start: R reaches 0 at once. */
    return amount == 0 ? 0 : mod_cursor_time_of(&arrivals->cursor, amount);
}
