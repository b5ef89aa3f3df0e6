/* Derivation. Rates are whole numbers of hits per 3.6e9 seconds, times whole nanoseconds; so with
 * MOD_HIT = 2 * 3.6e9 * 1e9 a segment holds exactly
 *     (from + to) * length
 * of 1/MOD_HIT of a hit, and what is left over at its end is carried on exactly. The largest sum,
 * twice the largest rate over 100 years, is below 2^122.
 *
 * A segment is looked at from its low end: let `low` be the smaller of its rates, `rise` the
 * difference, L its length; t nanoseconds from the low end lie
 *     s(t) = 2 low t + rise t^2 / L
 * Both terms grow, so nothing cancels, whichever way the segment goes:
 *   upwards    hit m of the segment is due at the smallest t with s(t) >= m;
 *   downwards  by as long before the end as the largest t with s(t) <= s(L) - m.
 * The root of s(x) = m is
 *     x = m / (low + sqrt(low^2 + rise m / L))
 * which has no difference in it either, and no division by a rise that may be 0. In long double
 * (u = 2^-64) m, the product, the quotient, the square, the sum, the root, the sum and the
 * quotient round: 6 u of x at most in all. So x is known to within e = x / 2^60, with room to
 * spare. Rounding x - e and x + e to whole nanoseconds gives the same number unless the root is
 * that near to one; only then is s() computed there, in integers, and compared.
 *
 * rise t^2 may need 180 bits, but not its quotient by L: with rise t = q L + r
 *     rise t^2 / L = q t + r t / L
 * where r < L, so that everything stays below 2^124. */
#include "core/mod_interval.h"

#include <float.h>
#include <math.h>

#include "core/base/check.h"

_Static_assert(LDBL_MANT_DIG >= 64, "the bound on the error of a root");

#define RATE_ONE 3600000000.0L /* One hit per second. */
_Static_assert(MOD_HIT == 2 * UINT64_C(3600000000) * NS_PER_S, "as derived above");
_Static_assert(PLAN_RATE_PER_S_MAX <= 100000000 && PLAN_STAGES_NS_MAX < UINT64_C(1) << 62,
               "sums below 2^122");

/* A segment from its low end. */
struct ramp {
    uint64_t low;
    uint64_t rise; /* Above 0. */
    uint64_t length_ns;
};

static uint64_t rate_of(double per_s)
{
    CHECK(per_s >= 0 && per_s <= PLAN_RATE_PER_S_MAX);
    return (uint64_t)((long double)per_s * RATE_ONE + 0.5L);
}

bool mod_interval_init(struct mod_interval *mod, struct arena *arena,
                       const struct plan_stage *stages, uint32_t stages_count)
{
    struct mod_segment *at = arena_array(arena, (size_t)stages_count + 1, sizeof(*at));

    if (at == NULL) return false;
    *mod = (struct mod_interval){.segments = at, .count = stages_count};
    for (uint32_t i = 0; i < stages_count; i++, at++) {
        CHECK(stages[i].length_ns <= PLAN_STAGES_NS_MAX - at->start_ns);
        at->length_ns = stages[i].length_ns;
        at->from = rate_of(stages[i].from_per_s);
        at->to = rate_of(stages[i].to_per_s);
        at[1].start_ns = at->start_ns + at->length_ns;
        at[1].before = at->before + (mod_amount)(at->from + at->to) * at->length_ns;
    }
    return true;
}

uint64_t mod_interval_end_ns(const struct mod_interval *mod)
{
    return mod->segments[mod->count].start_ns;
}

mod_amount mod_interval_total(const struct mod_interval *mod)
{
    return mod->segments[mod->count].before;
}

uint64_t mod_interval_hits(const struct mod_interval *mod)
{
    return (uint64_t)(mod_interval_total(mod) / MOD_HIT);
}

static struct ramp ramp_of(const struct mod_segment *segment)
{
    bool up = segment->to >= segment->from;

    return (struct ramp){
        .low = up ? segment->from : segment->to,
        .rise = up ? segment->to - segment->from : segment->from - segment->to,
        .length_ns = segment->length_ns,
    };
}

/* s(t) rounded down; `*ret_whole` says whether it is whole. */
static mod_amount ramp_amount(const struct ramp *ramp, uint64_t t, bool *ret_whole)
{
    mod_amount product = (mod_amount)ramp->rise * t;
    uint64_t quotient = (uint64_t)(product / ramp->length_ns);
    mod_amount rest = product % ramp->length_ns * t;

    *ret_whole = rest % ramp->length_ns == 0;
    return (mod_amount)(2 * ramp->low) * t + (mod_amount)quotient * t + rest / ramp->length_ns;
}

/* The root of s(x) = m, to within x / 2^60. */
static long double ramp_root(const struct ramp *ramp, mod_amount m)
{
    long double low = (long double)ramp->low;
    long double square =
        low * low + (long double)ramp->rise * (long double)m / (long double)ramp->length_ns;

    return (long double)m / (low + sqrtl(square));
}

static uint64_t round_up(long double x)
{
    uint64_t whole = (uint64_t)x;

    return whole + ((long double)whole < x);
}

/* The smallest t with s(t) >= m, for m > 0. */
static uint64_t ramp_first(const struct ramp *ramp, mod_amount m)
{
    long double x = ramp_root(ramp, m);
    uint64_t t = round_up(x - x * 0x1p-60L);
    uint64_t last = round_up(x + x * 0x1p-60L);
    bool whole;

    while (unlikely(t < last) && ramp_amount(ramp, t, &whole) < m) {
        t++;
    }
    return t;
}

static bool ramp_is_within(const struct ramp *ramp, uint64_t t, mod_amount m)
{
    bool whole;
    mod_amount amount = ramp_amount(ramp, t, &whole);

    return amount < m || (amount == m && whole);
}

/* The largest t with s(t) <= m. */
static uint64_t ramp_last(const struct ramp *ramp, mod_amount m)
{
    long double x;
    uint64_t t, first;

    if (m == 0) return 0;
    x = ramp_root(ramp, m);
    t = (uint64_t)(x + x * 0x1p-60L);
    first = (uint64_t)(x - x * 0x1p-60L);
    while (unlikely(t > first) && !ramp_is_within(ramp, t, m)) {
        t--;
    }
    return t;
}

/* When R reaches `amount`, which it does in this segment and not before it. */
static uint64_t segment_time_of(const struct mod_segment *segment, mod_amount amount)
{
    mod_amount m = amount - segment->before;
    struct ramp ramp;

    DCHECK(amount > segment->before && amount <= segment[1].before);
    if (segment->from == segment->to) {
        uint64_t twice = 2 * segment->from;

        return segment->start_ns + (uint64_t)((m + twice - 1) / twice);
    }
    ramp = ramp_of(segment);
    if (segment->to > segment->from) return segment->start_ns + ramp_first(&ramp, m);
    return segment[1].start_ns - ramp_last(&ramp, segment[1].before - amount);
}

uint64_t mod_interval_time_of(const struct mod_interval *mod, mod_amount amount)
{
    uint32_t low = 0, high = mod->count;

    CHECK(amount > 0 && amount <= mod_interval_total(mod));
    /* The first segment at whose end R has reached it lies in [low, high). */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (mod->segments[middle].before < amount) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return segment_time_of(&mod->segments[low], amount);
}

uint64_t mod_cursor_time_of(struct mod_cursor *cursor, mod_amount amount)
{
    const struct mod_segment *segment = &cursor->mod->segments[cursor->segment];

    DCHECK(amount > segment->before && amount <= mod_interval_total(cursor->mod));
    while (unlikely(segment[1].before < amount)) {
        segment++;
    }
    cursor->segment = (uint32_t)(segment - cursor->mod->segments);
    return segment_time_of(segment, amount);
}

mod_amount mod_interval_amount_at(const struct mod_interval *mod, uint64_t at_ns)
{
    const struct mod_segment *segment = mod->segments;
    struct ramp ramp;
    mod_amount amount;
    bool whole;

    if (at_ns >= mod_interval_end_ns(mod)) return mod_interval_total(mod);
    while (segment[1].start_ns <= at_ns) {
        segment++;
    }
    ramp = ramp_of(segment);
    if (segment->to >= segment->from) {
        return segment->before + ramp_amount(&ramp, at_ns - segment->start_ns, &whole);
    }
    amount = ramp_amount(&ramp, segment[1].start_ns - at_ns, &whole);
    return segment[1].before - amount - !whole;
}

double mod_interval_mean_per_s(const struct mod_interval *mod, uint64_t from_ns, uint64_t to_ns)
{
    mod_amount amount;

    if (to_ns <= from_ns) return 0;
    amount = mod_interval_amount_at(mod, to_ns) - mod_interval_amount_at(mod, from_ns);
    return (double)((long double)amount / (long double)MOD_HIT * (long double)NS_PER_S /
                    (long double)(to_ns - from_ns));
}
