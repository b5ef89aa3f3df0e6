/* The form of the report: what the line says of it, and what a report in wrk's form says of the
 * line. */
#include <string.h>

#include "core/cli_build.h"

enum err cli_check_format(const struct cli_words *words, struct err_info *why)
{
    const struct cli *cli = &words->cli;

    if (cli->wrk.corrected && cli->format != CLI_FORMAT_WRK) {
        return err_set(why, ERR_USAGE, 0, "option '--wrk-stats' wants '--format wrk'");
    }
    if (cli->format == CLI_FORMAT_WRK && cli->json_path != NULL &&
        strcmp(cli->json_path, "-") == 0) {
        return err_set(why, ERR_USAGE, 0,
                       "the report of wrk goes to stdout, and so would that of '--json -'; give "
                       "'--json' a file");
    }
    return ERR_OK;
}

enum err cli_build_format(struct cli_words *words, struct err_info *why)
{
    const struct plan *plan = &words->cli.plan;
    struct report_wrk *wrk = &words->cli.wrk;
    struct text urls;

    if (words->cli.format != CLI_FORMAT_WRK || words->cli.as_wrk) return ERR_OK;
    text_init(&urls, &words->cli.plan.arena);
    for (uint32_t i = 0; i < words->urls_count; i++) {
        text_printf(&urls, "%s%s", i == 0 ? "" : " ", words->urls[i].text);
    }
    if (urls.failed) return err_set(why, ERR_MEMORY, 0, "no memory for the plan");
    wrk->url = urls.data;
    wrk->threads = plan->workers;
    wrk->connections = plan->connections;
    wrk->duration_ns = plan->duration_ns;
    wrk->requests = plan->requests_max;
    wrk->timeout_ns = plan->timeout_ns;
    wrk->distribution = words->cli.spectrum;
    return ERR_OK;
}
