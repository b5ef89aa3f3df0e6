/* mod_interval: scale functions: the rate of requests as a function of time, how many are due by
 * a moment, and at which moment the n-th is due. Exact: no sum of steps that drifts.
 *
 * Summary. The rate is linear in pieces (segments); all segments are one function. R(t) is its
 * integral from 0 to t, in hits. A run has floor(R(end)) hits, and hit n, counted from 1, is due
 *     t(n) = the smallest whole nanosecond t with R(t) >= n
 * so it is never early, never a nanosecond later than it must, and a hit that R reaches exactly at
 * the end belongs to the run. Within a segment that begins at T, with r0 and r1 the rates at its
 * ends, L its length and a = (r1 - r0) / L:
 *     R(T + t) = R(T) + r0 t + a t^2 / 2
 *     t        = 2 m / (r0 + sqrt(r0^2 + 2 a m))    for m = n - R(T)
 * How this is kept exact, and stable when a or a rate goes to 0, stands in the .c file.
 *
 * Immutable after mod_interval_init(); any thread may read it. */
#ifndef CORE_MOD_INTERVAL_H
#define CORE_MOD_INTERVAL_H

#include "config/plan.h"

/* A number of hits in units of 1/MOD_HIT, in which R is whole wherever a segment ends. */
__extension__ typedef unsigned __int128 mod_amount;
#define MOD_HIT UINT64_C(7200000000000000000)

struct mod_segment {
    mod_amount before; /* R at its start. */
    uint64_t start_ns;
    uint64_t length_ns;
    uint64_t from, to; /* Rates at its start and end, in hits per 3.6e9 s. */
};

struct mod_interval {
    struct mod_segment *segments; /* [count + 1]; the last one is the end: of no length. */
    uint32_t count;
};

/* Takes rates over from `stages` (their ranges as in config/plan.h), rounded to 1/3.6e9 per
 * second, so that 1/60 per second is exact. Memory from `arena`; false when that refuses. */
MUST_USE bool mod_interval_init(struct mod_interval *mod, struct arena *arena,
                                const struct plan_stage *stages, uint32_t stages_count);

/* The moment at which the function ends; R there; floor of that in hits. */
uint64_t mod_interval_end_ns(const struct mod_interval *mod);
mod_amount mod_interval_total(const struct mod_interval *mod);
uint64_t mod_interval_hits(const struct mod_interval *mod);

/* R(at_ns), rounded down; beyond the end the total. Divided by MOD_HIT it is how many hits are
 * due at `at_ns` or before, exactly. */
mod_amount mod_interval_amount_at(const struct mod_interval *mod, uint64_t at_ns);

/* The mean rate from `from_ns` to `to_ns`, per second; 0 if that is no time. */
double mod_interval_mean_per_s(const struct mod_interval *mod, uint64_t from_ns, uint64_t to_ns);

/* The smallest t with R(t) >= `amount`, for 0 < amount <= total. */
uint64_t mod_interval_time_of(const struct mod_interval *mod, mod_amount amount);

/* The same for amounts that do not fall, without a search. */
struct mod_cursor {
    const struct mod_interval *mod;
    uint32_t segment; /* Where the last amount lay. */
};

uint64_t mod_cursor_time_of(struct mod_cursor *cursor, mod_amount amount);

#endif
