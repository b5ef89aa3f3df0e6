#include "core/try_fates.h"

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/try_print.h"

static bool was_called(const struct trial_fate *fate)
{
    return fate->answers + fate->failures > 0 || fate->is_cut || fate->is_waiting;
}

static const char *name_of(const struct try_model *model, uint32_t endpoint, struct quote *memory)
{
    *memory = quote(model->test.endpoints[endpoint].name);
    return memory->text;
}

/* The feeder that says most of why there is no value: one that answered, else one that was asked,
 * else any; TRY_NONE: the run has none but `asking`. */
static uint32_t who_should(const struct try_model *model, const struct trial *trial,
                           uint32_t provider, uint32_t asking)
{
    uint32_t best = TRY_NONE;

    for (uint32_t i = 0; i < model->test.endpoints_count; i++) {
        const struct trial_fate *fate = &trial->fates[i];

        if (i == asking || !try_provides(&model->test.endpoints[i], provider)) continue;
        if (best == TRY_NONE || fate->answers > trial->fates[best].answers ||
            (trial->fates[best].answers == 0 && was_called(fate) &&
             !was_called(&trial->fates[best]))) {
            best = i;
        }
    }
    return best;
}

/* Whether all that the endpoint has for the provider stands under a `where`. */
static bool has_where(const struct testfile_endpoint *endpoint, uint32_t provider)
{
    for (uint32_t i = 0; i < endpoint->provides_count; i++) {
        const struct testfile_output *output = &endpoint->provides[i];

        if (output->target == provider && output->select.where == NULL) return false;
    }
    return true;
}

static void add_feeder(const struct try_model *model, const struct trial *trial, uint32_t provider,
                       uint32_t feeder, struct text *out)
{
    const struct trial_fate *fate = &trial->fates[feeder];
    const char *again = trial->was_fed[provider] ? " again" : "";
    struct quote name, from = quote(model->test.providers[provider].name);
    char times[UNITS_TEXT_MAX];

    (void)name_of(model, feeder, &name);
    if (fate->answers == 0) {
        text_printf(out, "`%s` of `%s` never came: that %s", from.text, name.text,
                    fate->failures > 0 ? "failed"
                    : was_called(fate) ? "has not answered in time"
                                       : "was not called itself");
        return;
    }
    if (has_where(&model->test.endpoints[feeder], provider)) {
        text_printf(out, "`where` was %s true%s", *again == '\0' ? "never" : "not", again);
    } else {
        text_printf(out, "there was no value%s", again);
    }
    (void)units_grouped(times, fate->answers);
    text_printf(out, " (`%s` of `%s`, which answered %s%s)", from.text, name.text,
                fate->answers == 1 ? "once" : times, fate->answers == 1 ? "" : " times");
}

/* Why an endpoint was not called. */
static void add_cause(const struct try_model *model, const struct trial *trial, uint32_t endpoint,
                      bool timed_out, struct text *out)
{
    const struct trial_fate *fate = &trial->fates[endpoint];
    const struct testfile_provider *provider = &model->test.providers[fate->lacked];
    uint32_t feeder = who_should(model, trial, fate->lacked, endpoint);

    if (!fate->lacks_value) {
        text_add_str(out, timed_out ? "the time was over" : "nobody asked for its values");
    } else if (feeder != TRY_NONE) {
        add_feeder(model, trial, fate->lacked, feeder, out);
    } else if (provider->kind == PROVIDER_RESPONSE) {
        text_printf(out, "only it feeds `%s`, which it needs", quote(provider->name).text);
    } else {
        text_printf(out, "`%s` has no %svalues", quote(provider->name).text,
                    trial->was_fed[fate->lacked] ? "more " : "");
    }
    if (timed_out && fate->lacks_value) text_add_str(out, "; the time was over");
}

struct try_verdict try_fates_tell(const struct try_model *model, const struct trial *trial,
                                  bool timed_out, struct text *out)
{
    struct try_verdict verdict = {0};

    for (uint32_t i = 0; i < model->test.endpoints_count; i++) {
        const struct trial_fate *fate = &trial->fates[i];
        struct quote name;

        (void)name_of(model, i, &name);
        if (fate->failures > 0 || (was_called(fate) && fate->answers == 0)) {
            verdict.failed++;
            text_printf(out, "pelt: failed: `%s`: %s\n", name.text,
                        fate->failed != NULL ? try_print_words(fate->failed)
                        : fate->is_cut       ? "no answer before the time was over"
                                             : "no connection before the time was over");
        }
        if (fate->trouble != NULL) {
            text_printf(out, "pelt: `%s`: what it provides could not be made: %s\n", name.text,
                        fate->trouble);
        }
        if (was_called(fate) || (model->roles[i] != TRY_CHOSEN && fate->asks == 0)) continue;
        verdict.not_called += model->roles[i] == TRY_CHOSEN;
        text_printf(out, "pelt: not called: `%s`: ", name.text);
        add_cause(model, trial, i, timed_out, out);
        text_add_str(out, "\n");
    }
    return verdict;
}
