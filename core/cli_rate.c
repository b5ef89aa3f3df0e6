/* The rate of an open loop from the command line: --rate, --stages, and what belongs to them. */
#include "core/cli_build.h"

#include <string.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/mod_interval.h"

enum { FIELD_BYTES = 64 };

/* One field of a stage. */
struct field {
    char text[FIELD_BYTES];
};

/* Copies what stands between `at` and `end`; too long is as wrong as anything else. */
static struct field field_of(const char *at, const char *end)
{
    struct field field = {.text = "?"};

    if ((size_t)(end - at) >= FIELD_BYTES) return field;
    memcpy(field.text, at, (size_t)(end - at));
    field.text[end - at] = '\0';
    return field;
}

static bool parse_rate(const char *at, const char *end, double *ret_per_s)
{
    double per_s;

    if (!units_parse_rate(field_of(at, end).text, &per_s)) return false;
    if (per_s > PLAN_RATE_PER_S_MAX) return false;
    *ret_per_s = per_s;
    return true;
}

/* Reads "[FROM:]OVER:TO" from `at` to `end`; FROM is stage->from_per_s already, unless given. */
static bool parse_stage(const char *at, const char *end, struct plan_stage *stage)
{
    const char *colons[2];
    size_t count = 0;

    for (const char *c = at; c < end; c++) {
        if (*c != ':') continue;
        if (count == COUNT(colons)) return false;
        colons[count++] = c;
    }
    if (count == 0) return false;
    if (count == 2) {
        if (!parse_rate(at, colons[0], &stage->from_per_s)) return false;
        at = colons[0] + 1;
    }
    return units_parse_time_ns(field_of(at, colons[count - 1]).text, &stage->length_ns) &&
           parse_rate(colons[count - 1] + 1, end, &stage->to_per_s);
}

static enum err build_stages(struct cli_words *words, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    uint64_t total_ns = 0;
    double from_per_s = 0;
    uint32_t count = 1;

    for (const char *c = words->stages; *c != '\0'; c++) {
        count += *c == ',';
        if (count > PLAN_STAGES_MAX) {
            return err_set(why, ERR_USAGE, 0, "option '--stages' wants at most %d stages",
                           PLAN_STAGES_MAX);
        }
    }
    plan->stages = arena_array(&plan->arena, count, sizeof(*plan->stages));
    if (plan->stages == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the stages");
    plan->stages_count = count;
    for (const char *at = words->stages; count > 0; count--) {
        struct plan_stage *stage = &plan->stages[plan->stages_count - count];
        const char *end = at + strcspn(at, ",");

        stage->from_per_s = from_per_s;
        if (!parse_stage(at, end, stage)) {
            return err_set(why, ERR_USAGE, 0,
                           "option '--stages' wants stages such as 30s:50k or 10k:1m:50k, rates of "
                           "at most %dM, not '%s'",
                           PLAN_RATE_PER_S_MAX / 1000000, quote_len(at, (size_t)(end - at)).text);
        }
        from_per_s = stage->to_per_s;
        if (stage->length_ns > PLAN_STAGES_NS_MAX - total_ns) {
            return err_set(why, ERR_USAGE, 0, "option '--stages' wants at most 100 years");
        }
        total_ns += stage->length_ns;
        at = end + 1;
    }
    plan->duration_ns = total_ns;
    return ERR_OK;
}

/* A constant rate for the duration; without a bound on that, for as long as can be. */
static enum err build_constant(struct cli_words *words, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;

    plan->stages = arena_array(&plan->arena, 1, sizeof(*plan->stages));
    if (plan->stages == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the stages");
    plan->stages_count = 1;
    plan->stages[0] = (struct plan_stage){
        .length_ns = min_u64(plan->duration_ns, PLAN_STAGES_NS_MAX),
        .from_per_s = words->rate_per_s,
        .to_per_s = words->rate_per_s,
    };
    return ERR_OK;
}

/* Options that mean nothing without a rate. */
static enum err check_alone(const struct cli_words *words, struct err_info *why)
{
    static const enum cli_option_id ids[] = {OPTION_ARRIVALS, OPTION_SEED, OPTION_MAX_PENDING,
                                             OPTION_SPIN};

    for (size_t i = 0; i < COUNT(ids); i++) {
        if (!cli_is_given(words, ids[i])) continue;
        return err_set(why, ERR_USAGE, 0, "option '--%s' wants a rate; give '--rate' or '--stages'",
                       cli_options[ids[i]].name);
    }
    return ERR_OK;
}

static enum err check_hits(struct plan *plan, struct err_info *why)
{
    struct mod_interval mod;

    if (!mod_interval_init(&mod, &plan->arena, plan->stages, plan->stages_count)) {
        return err_set(why, ERR_MEMORY, 0, "no memory for the stages");
    }
    if (mod_interval_hits(&mod) > 0) return ERR_OK;
    return err_set(why, ERR_USAGE, 0,
                   "the rate is too low for one request in the time of the run; raise the rate, or "
                   "give it longer");
}

enum err cli_build_rate(struct cli_words *words, struct err_info *why)
{
    static const enum cli_option_id excluded[] = {OPTION_RATE, OPTION_DURATION};
    struct plan *plan = &words->cli.plan;
    enum err err;

    if (words->stages == NULL && words->rate_per_s == 0) return check_alone(words, why);
    plan->open_loop = true;
    if (words->stages == NULL) {
        err = build_constant(words, why);
        return err == ERR_OK ? check_hits(plan, why) : err;
    }
    for (size_t i = 0; i < COUNT(excluded); i++) {
        if (!cli_is_given(words, excluded[i])) continue;
        return err_set(why, ERR_USAGE, 0, "options '--stages' and '--%s' exclude each other",
                       cli_options[excluded[i]].name);
    }
    err = build_stages(words, why);
    return err == ERR_OK ? check_hits(plan, why) : err;
}
