/* The URLs of the command line: which targets they are at, how often it is the turn of each, and
 * whether there are connections for all of them. */
#include <string.h>
#include <strings.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/cli_build.h"
#include "core/turns.h"

/* The next number of a list "3,1,..." at `*at`, which is moved behind it and its comma. */
static bool take_weight(const char **at, uint32_t *ret_weight)
{
    size_t len = strcspn(*at, ",");
    char digits[UNITS_TEXT_MAX];
    uint64_t weight;

    if (len >= sizeof(digits)) return false;
    memcpy(digits, *at, len);
    digits[len] = '\0';
    if (!units_parse_count(digits, &weight) || weight < 1 || weight > PLAN_WEIGHT_MAX) return false;
    *ret_weight = (uint32_t)weight;
    *at += len + ((*at)[len] == ',');
    return true;
}

/* One weight for each URL on the line, into urls[]. */
static enum err read_weights(struct cli_words *words, struct err_info *why)
{
    const char *at = words->weights;
    uint32_t count = 1;

    for (const char *c = at; *c != '\0'; c++) {
        count += *c == ',';
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t weight;

        if (!take_weight(&at, &weight)) {
            return err_set(why, ERR_USAGE, 0,
                           "option '--weights' wants numbers from 1 to %u such as 3,1, not '%s'",
                           PLAN_WEIGHT_MAX, quote(words->weights).text);
        }
        if (i < words->urls_count) words->urls[i].weight = weight;
    }
    if (count == words->urls_count) return ERR_OK;
    return err_set(why, ERR_USAGE, 0,
                   "option '--weights' has %u number%s for %u URL%s; give each URL one", count,
                   count == 1 ? "" : "s", words->urls_count, words->urls_count == 1 ? "" : "s");
}

/* Drops every URL that is there already: it is its turn more often then. */
static void merge_same(struct cli_words *words)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < words->urls_count; i++) {
        uint32_t same = 0;

        while (same < count && strcmp(words->urls[same].text, words->urls[i].text) != 0) {
            same++;
        }
        if (same < count) {
            words->urls[same].weight += words->urls[i].weight;
        } else {
            words->urls[count++] = words->urls[i];
        }
    }
    words->urls_count = count;
}

static bool is_same_target(const struct plan_target *a, const struct plan_target *b)
{
    return a->tls == b->tls && strcasecmp(a->host, b->host) == 0 &&
           strcmp(a->service, b->service) == 0;
}

/* Takes a URL apart and finds its target, a new one if need be. */
static enum err find_target(struct plan *plan, struct cli_url *url, struct err_info *why)
{
    enum err err = plan_parse_url(&plan->arena, url->text, &url->parsed, why);

    if (err != ERR_OK) return err;
    if (url->path != NULL) {
        url->parsed.path = arena_copy(&plan->arena, url->path, strlen(url->path));
        if (url->parsed.path == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the URLs");
    }
    url->target = 0;
    while (url->target < plan->targets_count &&
           !is_same_target(&plan->targets[url->target], &url->parsed)) {
        url->target++;
    }
    if (url->target == plan->targets_count) plan->targets[plan->targets_count++] = url->parsed;
    return ERR_OK;
}

static enum err check_lap(const struct cli_words *words, struct arena *scratch,
                          struct err_info *why)
{
    struct plan_request *requests = arena_array(scratch, words->urls_count, sizeof(*requests));
    uint64_t lap;

    if (requests == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the URLs");
    for (uint32_t i = 0; i < words->urls_count; i++) {
        requests[i].weight = words->urls[i].weight;
    }
    lap = turns_of_lap(requests, words->urls_count);
    if (lap <= PLAN_LAP_MAX) return ERR_OK;
    return err_set(why, ERR_USAGE, 0,
                   "option '--weights' makes an order of %llu requests, and %u is the most; use "
                   "smaller numbers",
                   (unsigned long long)lap, PLAN_LAP_MAX);
}

enum err cli_build_urls(struct cli_words *words, struct arena *scratch, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    enum err err = ERR_OK;

    if (words->urls_count == 0) return err_set(why, ERR_USAGE, 0, "no URL given");
    if (words->urls_count > PLAN_URLS_MAX) {
        return err_set(why, ERR_USAGE, 0, "%u URLs given, and %u is the most", words->urls_count,
                       PLAN_URLS_MAX);
    }
    for (uint32_t i = 0; i < words->urls_count; i++) {
        words->urls[i].weight = 1;
    }
    if (words->weights != NULL) err = read_weights(words, why);
    if (err != ERR_OK) return err;
    merge_same(words);
    plan->targets = arena_array(&plan->arena, words->urls_count, sizeof(*plan->targets));
    if (plan->targets == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the plan");
    for (uint32_t i = 0; i < words->urls_count; i++) {
        err = find_target(plan, &words->urls[i], why);
        if (err != ERR_OK) return err;
    }
    return check_lap(words, scratch, why);
}

/* Whether each worker has a connection for each target. `option` says what bounds them. */
static enum err check_connections(const struct plan *plan, uint32_t connections, const char *option,
                                  struct err_info *why)
{
    uint64_t needed = (uint64_t)plan->workers * plan->targets_count;

    if (connections >= needed) return ERR_OK;
    if (plan->targets_count == 1) {
        return err_set(why, ERR_USAGE, 0,
                       "%u threads (-t) for %u connections (%s); each thread needs a connection "
                       "of its own",
                       plan->workers, connections, option);
    }
    return err_set(why, ERR_USAGE, 0,
                   "%u thread%s (-t) and %u targets for %u connection%s (%s); each thread needs a "
                   "connection of its own to each target: %llu",
                   plan->workers, plan->workers == 1 ? "" : "s", plan->targets_count, connections,
                   connections == 1 ? "" : "s", option, (unsigned long long)needed);
}

enum err cli_set_threads(struct cli_words *words, uint32_t cpus, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    enum err err;

    if (!cli_is_given(words, OPTION_THREADS)) {
        uint64_t least = plan->connections;

        if (plan->connections_max != 0) least = min_u64(least, plan->connections_max);
        plan->workers = (uint32_t)min_u64(cpus, max_u64(1, least / plan->targets_count));
        plan->workers = (uint32_t)min_u64(plan->workers, PLAN_WORKERS_MAX);
    }
    err = check_connections(plan, plan->connections, "-c", why);
    if (err != ERR_OK || plan->connections_max == 0) return err;
    return check_connections(plan, plan->connections_max, "--max-connections", why);
}
