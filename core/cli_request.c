/* From the words of the command line to the plan's requests. */
#include <string.h>

#include "config/request.h"
#include "core/cli_build.h"

/* Puts `prefix` in front of what went wrong: below us nobody knows of options. */
static enum err name_option(enum err err, const char *prefix, struct err_info *why)
{
    struct err_info inner;

    if (err != ERR_USAGE || why == NULL) return err;
    inner = *why;
    return err_set(why, err, 0, "%s: %s", prefix, inner.message);
}

/* A request for every URL. */
static enum err build_all(struct cli_words *words, struct plan_request_options *options,
                          struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    enum err err = ERR_OK;

    for (uint32_t i = 0; err == ERR_OK && i < words->urls_count; i++) {
        const struct cli_url *url = &words->urls[i];

        options->url = &url->parsed;
        options->weight = url->weight;
        err = plan_build_request(plan, url->target, options, &plan->requests[i], why);
    }
    if (err == ERR_OK) plan->requests_count = words->urls_count;
    return err;
}

enum err cli_build_requests(struct cli_words *words, struct arena *scratch, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    struct plan_request_options request = {.method = words->method,
                                           .headers_count = words->headers.count};
    struct plan_header *headers = arena_array(scratch, words->headers.count, sizeof(*headers));
    enum err err = ERR_OK;

    plan->requests = arena_array(&plan->arena, words->urls_count, sizeof(*plan->requests));
    if (headers == NULL || plan->requests == NULL) {
        return err_set(why, ERR_MEMORY, 0, "no memory for the plan");
    }
    for (size_t i = 0; err == ERR_OK && i < words->headers.count; i++) {
        err = plan_parse_header(scratch, words->headers.items[i], &headers[i], why);
        err = name_option(err, "option '-H'", why);
        /* wrk sends the spaces around a value too. */
        if (words->cli.as_wrk) headers[i].value = strchr(words->headers.items[i], ':') + 2;
    }
    request.headers = headers;
    if (err == ERR_OK) err = cli_build_body(words, scratch, &request, why);
    if (err != ERR_OK) return err;
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        struct plan_target *target = &plan->targets[i];

        /* Through a proxy TLS goes by a tunnel only. */
        if (!plan->net.proxy.tunnel && !(target->tls && plan->net.proxy.host != NULL)) continue;
        err = plan_add_tunnel(plan, target, why);
        if (err != ERR_OK) return err;
    }
    err = name_option(plan_check_method(words->method, why), "option '-X'", why);
    if (err != ERR_OK) return err;
    return build_all(words, &request, why);
}
