#include "core/result.h"

#include "core/base/check.h"
#include "core/exit.h"
#include "core/logger.h"
#include "core/result_test.h"

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

struct result_figures result_figures(const struct result *result)
{
    const struct ledger *ledger = &result->ledger;
    uint64_t run_ns = result->warmup_ns + result->span_ns;
    uint64_t all_ns = run_ns + result->drained_ns;
    uint64_t measured = ledger->due - ledger->warmup;
    uint64_t known = result->from_due->count - result->from_due->unplaced;
    struct result_figures figures = {
        .achieved_per_s = ratio(ledger->ok_in_span, result->span_ns) * (double)NS_PER_S,
        .sent_per_s = ratio(ledger->bytes_sent, all_ns) * (double)NS_PER_S,
        .received_per_s = ratio(ledger->bytes_received, all_ns) * (double)NS_PER_S,
        .cpu_us_per_request = ratio(result->cpu_ns, ledger->started) / (double)NS_PER_US,
        .syscalls_per_request = ratio(result->syscalls, ledger->started),
        .completions_per_enter = ratio(result->completions, result->enters),
        .measured = measured,
        .left_out = measured - min_u64(known, measured),
    };

    CHECK(ledger->warmup <= ledger->due);
    CHECK(result->from_due->unplaced <= result->from_due->count);
    figures.left_out_share = ratio(figures.left_out, measured);
    for (uint32_t i = 0; i < result->plan->workers; i++) {
        double share = ratio(result->workers[i].cpu_ns, run_ns);

        if (share > figures.cpu_share_max) figures.cpu_share_max = share;
    }
    return figures;
}

double result_url_left_out(const struct result_url *url)
{
    return ratio(url->left_out, url->measured);
}

const char *result_end_name(enum result_end end)
{
    switch (end) {
    case END_DURATION: return "duration";
    case END_COUNT: return "count";
    case END_INTERRUPTED: return "interrupted";
    case END_BROKEN: return "broken";
    case END_PROVIDERS: return "providers";
    case END_KILLED: return "killed";
    case END_DEADLOCK: return "deadlock";
    }
    check_failed(__FILE__, __LINE__, "no such end of a run");
}

bool result_closes(const struct result *result)
{
    const struct result_test *test = result->test;

    return ledger_closes(&result->ledger) && result->readings_open == 0 &&
           (test == NULL || !test->groups_differ) &&
           (result->loggers == NULL || loggers_balance(result->loggers));
}

int result_exit_code(const struct result *result)
{
    if (!result_closes(result)) return EXIT_CODE_LEDGER;
    if (result->end == END_INTERRUPTED) return EXIT_CODE_INTERRUPTED;
    if (result->end == END_KILLED) return EXIT_CODE_KILLED;
    if (result->end == END_DEADLOCK) return EXIT_CODE_PROVIDERS;
    if (result->end == END_BROKEN || result->ledger.ok == 0) return EXIT_CODE_ERROR;
    if (result->end == END_PROVIDERS) return EXIT_CODE_PROVIDERS;
    if (result->test != NULL && !result_test_is_passed(result->test)) return EXIT_CODE_THRESHOLD;
    return EXIT_CODE_OK;
}
