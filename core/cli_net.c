/* From the words of the command line to the plan's net: sources, given names, unix socket, proxy.
 */
#include <string.h>

#include "core/base/quote.h"
#include "core/cli_build.h"

/* Options that a unix socket leaves nothing to do for. */
static enum err check_unix(const struct cli_words *words, struct err_info *why)
{
    static const enum cli_option_id others[] = {OPTION_SOURCE, OPTION_RESOLVE, OPTION_RESOLVE_EVERY,
                                                OPTION_PROXY};
    const char *path = words->cli.plan.net.unix_path;

    if (path == NULL) return ERR_OK;
    if (path[0] == '\0' || strlen(path) > NET_UNIX_PATH_MAX) {
        return err_set(why, ERR_USAGE, 0, "option '--unix' wants a path of 1 to %d bytes, not '%s'",
                       NET_UNIX_PATH_MAX, quote(path).text);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (!cli_is_given(words, others[i])) continue;
        return err_set(why, ERR_USAGE, 0, "options '--unix' and '--%s' exclude each other",
                       cli_options[others[i]].name);
    }
    return ERR_OK;
}

static enum err build_resolves(struct cli_words *words, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    uint32_t count = words->resolves.count;
    struct net_resolve *resolves;
    enum err err = ERR_OK;

    if (count > NET_RESOLVES_MAX) {
        return err_set(why, ERR_USAGE, 0, "option '--resolve' may be given %d times",
                       NET_RESOLVES_MAX);
    }
    resolves = arena_array(&plan->arena, count, sizeof(*resolves));
    if (resolves == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the plan");
    for (uint32_t i = 0; err == ERR_OK && i < count; i++) {
        err = net_parse_resolve(&plan->arena, words->resolves.items[i], &resolves[i], why);
    }
    plan->net.resolves = resolves;
    plan->net.resolves_count = count;
    return err;
}

enum err cli_build_net(struct cli_words *words, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    enum err err = check_unix(words, why);

    if (err == ERR_OK && words->source != NULL) {
        err = net_parse_sources(&plan->arena, words->source, &plan->net, why);
    }
    if (err == ERR_OK) err = build_resolves(words, why);
    if (err == ERR_OK && words->proxy != NULL) {
        err = net_parse_proxy(&plan->arena, words->proxy, &plan->net.proxy, why);
    }
    if (err != ERR_OK) return err;
    if (plan->net.proxy.tunnel && plan->net.proxy.host == NULL) {
        return err_set(why, ERR_USAGE, 0, "option '--proxy-tunnel' wants a '--proxy'");
    }
    return ERR_OK;
}

/* A place that connections go to: the proxy, if there is one, else a target. */
static void place_of(const struct plan *plan, uint32_t i, const char **ret_host,
                     const char **ret_service)
{
    const struct net_proxy *proxy = &plan->net.proxy;

    *ret_host = proxy->host != NULL ? proxy->host : plan->targets[i].host;
    *ret_service = proxy->host != NULL ? proxy->service : plan->targets[i].service;
}

enum err cli_check_names(const struct cli_words *words, struct err_info *why)
{
    const struct plan *plan = &words->cli.plan;
    uint32_t places = plan->net.proxy.host != NULL ? 1 : plan->targets_count;
    const char *host, *service;
    bool has_name = false;

    for (uint32_t i = 0; i < plan->net.resolves_count; i++) {
        bool is_used = false;

        for (uint32_t j = 0; !is_used && j < places; j++) {
            place_of(plan, j, &host, &service);
            is_used = net_find_resolve(&plan->net, host, service) == &plan->net.resolves[i];
        }
        if (is_used) continue;
        return err_set(why, ERR_USAGE, 0,
                       "option '--resolve %s' is about no place that connections go to",
                       quote(words->resolves.items[i]).text);
    }
    for (uint32_t j = 0; !has_name && j < places; j++) {
        place_of(plan, j, &host, &service);
        has_name = !net_is_literal(host) && net_find_resolve(&plan->net, host, service) == NULL;
    }
    if (has_name || plan->net.resolve_every_ns == 0) return ERR_OK;
    return err_set(why, ERR_USAGE, 0, "option '--resolve-every' finds no name to look up");
}
