#include "core/run_plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/url.h"

/* Targets. */

static bool is_same_target(const struct plan_target *a, const struct plan_target *b)
{
    return a->tls == b->tls && strcasecmp(a->host, b->host) == 0 &&
           strcmp(a->service, b->service) == 0;
}

/* Finds or adds the target of an endpoint, if its URL has the same one in all requests. */
static enum err add_target(struct plan *plan, const struct testfile_endpoint *def, uint32_t index,
                           struct err_info *why)
{
    const char *outline = template_outline(def->url.compiled, PLAN_VALUE_MARK, &plan->arena);
    struct plan_target target = {0};
    uint32_t i = 0;
    size_t len;
    char *url;
    enum err err;

    if (outline == NULL) return run_client_no_memory(why);
    len = plan_authority_len(outline);
    if (len == 0) {
        plan->hosts_max = RUN_HOSTS_MAX;
        plan->hosts_tls |= strncasecmp(outline, "http://", 7) != 0;
        plan->requests[index] =
            (struct plan_request){.weight = 1, .url = def->name, .method = def->method};
        return ERR_OK;
    }
    url = arena_copy(&plan->arena, outline, len);
    if (url == NULL) return run_client_no_memory(why);
    for (size_t at = 0; at < len; at++) {
        if (url[at] >= 'A' && url[at] <= 'Z') url[at] = (char)(url[at] | 0x20);
    }
    err = plan_parse_url(&plan->arena, url, &target, why);
    if (err != ERR_OK) return err;
    while (i < plan->targets_count && !is_same_target(&plan->targets[i], &target)) {
        i++;
    }
    if (i == PLAN_URLS_MAX) {
        return err_set(why, ERR_CONFIG, 0, "more than %d hosts in a test file", PLAN_URLS_MAX);
    }
    if (i == plan->targets_count) plan->targets[plan->targets_count++] = target;
    plan->requests[index] =
        (struct plan_request){.target = i, .weight = 1, .url = def->name, .method = def->method};
    return ERR_OK;
}

static enum err add_targets(struct plan *plan, const struct testfile *test, struct err_info *why)
{
    size_t targets = min_u64(test->endpoints_count, PLAN_URLS_MAX);

    plan->targets = arena_array(&plan->arena, targets, sizeof(*plan->targets));
    plan->requests = arena_array(&plan->arena, test->endpoints_count, sizeof(*plan->requests));
    if (plan->targets == NULL || plan->requests == NULL) return run_client_no_memory(why);
    plan->requests_count = test->endpoints_count;
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        enum err err = add_target(plan, &test->endpoints[i], i, why);

        if (err != ERR_OK) return err;
    }
    if (plan->targets_count > 0) return ERR_OK;
    /* All hosts are found during the run. What reads the plan wants one; nobody connects to it. */
    plan->targets[plan->targets_count++] = (struct plan_target){.url = plan->requests[0].url,
                                                                .host = "127.0.0.1",
                                                                .service = "9",
                                                                .path = "/",
                                                                .host_field = "127.0.0.1:9"};
    return ERR_OK;
}

/* The rate of all endpoints together, linear between any two moments at which one changes. */

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* An endpoint's rate just after (`after`) or just before `at_ns`. */
static double rate_at(const struct testfile_endpoint *def, uint64_t at_ns, bool after)
{
    uint64_t start_ns = 0;

    for (uint32_t i = 0; i < def->stages_count; i++) {
        const struct plan_stage *stage = &def->stages[i];
        uint64_t end_ns = start_ns + stage->length_ns;

        if (stage->length_ns > 0 && (after ? at_ns < end_ns : at_ns <= end_ns)) {
            double share = (double)(at_ns - start_ns) / (double)stage->length_ns;

            return stage->from_per_s + share * (stage->to_per_s - stage->from_per_s);
        }
        start_ns = end_ns;
    }
    return 0;
}

static double sum_at(const struct testfile *test, uint64_t at_ns, bool after)
{
    double sum = 0;

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        sum += rate_at(&test->endpoints[i], at_ns, after);
    }
    return sum;
}

static enum err add_stages(struct plan *plan, const struct testfile *test, struct err_info *why)
{
    uint64_t *times;
    size_t count = 2, unique = 0;

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        count += test->endpoints[i].stages_count;
    }
    times = arena_array(&plan->arena, count, sizeof(*times));
    plan->stages = arena_array(&plan->arena, count, sizeof(*plan->stages));
    if (times == NULL || plan->stages == NULL) return run_client_no_memory(why);
    times[0] = plan->pattern_from_ns;
    times[1] = test->duration_ns;
    count = 2;
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        uint64_t at_ns = 0;

        for (uint32_t s = 0; s < test->endpoints[i].stages_count; s++) {
            at_ns += test->endpoints[i].stages[s].length_ns;
            times[count++] = max_u64(at_ns, plan->pattern_from_ns);
        }
    }
    qsort(times, count, sizeof(*times), by_time);
    for (size_t i = 0; i < count; i++) {
        if (unique == 0 || times[unique - 1] != times[i]) times[unique++] = times[i];
    }
    for (size_t i = 0; i + 1 < unique; i++) {
        plan->stages[i] = (struct plan_stage){
            .length_ns = times[i + 1] - times[i],
            .from_per_s = sum_at(test, times[i], true),
            .to_per_s = sum_at(test, times[i + 1], false),
        };
    }
    plan->stages_count = (uint32_t)(unique - 1);
    return ERR_OK;
}

/* Components. */

struct components {
    uint32_t *parent; /* Of endpoints, then providers, then loggers. */
    double *peak;     /* By root. */
    bool *is_rated;   /* By root: some endpoint has a rate. */
    uint32_t count;
};

static uint32_t find_root(uint32_t *parent, uint32_t at)
{
    while (parent[at] != at) {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    return at;
}

static void join(uint32_t *parent, uint32_t a, uint32_t b)
{
    parent[find_root(parent, a)] = find_root(parent, b);
}

static double peak_of(const struct testfile_endpoint *def)
{
    double peak = 0;

    for (uint32_t i = 0; i < def->stages_count; i++) {
        if (def->stages[i].from_per_s > peak) peak = def->stages[i].from_per_s;
        if (def->stages[i].to_per_s > peak) peak = def->stages[i].to_per_s;
    }
    return peak;
}

static void join_endpoint(const struct testfile *test, uint32_t *parent, uint32_t index)
{
    const struct testfile_endpoint *def = &test->endpoints[index];
    uint32_t providers = test->endpoints_count, loggers = providers + test->providers_count;

    for (uint32_t i = 0; i < def->slots_count; i++) {
        join(parent, index, providers + def->slots[i]);
    }
    for (uint32_t i = 0; i < def->provides_count; i++) {
        join(parent, index, providers + def->provides[i].target);
    }
    for (uint32_t i = 0; i < def->logs_count; i++) {
        const struct testfile_logger *logger = &test->loggers[def->logs[i].target];

        if (logger->limit > 0 || logger->kill) join(parent, index, loggers + def->logs[i].target);
    }
}

/* The worker for a component: all when it is too much for one. */
static void place(struct run_crews *crews, double *loads, uint32_t workers, double peak,
                  uint32_t *ret_crew, uint32_t *ret_owner)
{
    uint32_t least = 0;

    if (workers > 1 && peak > (double)RUN_SPLIT_PER_S) {
        crews->split++;
        for (uint32_t w = 0; w < workers; w++) {
            loads[w] += peak / workers;
        }
        *ret_crew = workers;
        *ret_owner = 0;
        return;
    }
    for (uint32_t w = 1; w < workers; w++) {
        if (loads[w] < loads[least]) least = w;
    }
    loads[least] += peak;
    *ret_crew = 1;
    *ret_owner = least;
}

/* Places all components, the one with the highest peak first. */
static void place_all(struct run_crews *crews, const struct components *parts, double *loads,
                      uint32_t workers)
{
    uint32_t *crew = crews->crews, *owner = crews->owners;

    for (;;) {
        uint32_t best = UINT32_MAX;

        for (uint32_t i = 0; i < parts->count; i++) {
            bool is_open = parts->parent[i] == i && crew[i] == 0;

            if (is_open && (best == UINT32_MAX || parts->peak[i] > parts->peak[best])) best = i;
        }
        if (best == UINT32_MAX) return;
        place(crews, loads, workers, parts->peak[best], &crew[best], &owner[best]);
    }
}

static enum err make_crews(struct plan *plan, const struct testfile *test, struct run_crews *crews,
                           struct err_info *why)
{
    struct arena *arena = &plan->arena;
    uint32_t endpoints = test->endpoints_count, providers = test->providers_count;
    uint32_t count = endpoints + providers + test->loggers_count;
    struct components parts = {.count = count,
                               .parent = arena_array(arena, count, sizeof(uint32_t)),
                               .peak = arena_array(arena, count, sizeof(double)),
                               .is_rated = arena_array(arena, count, sizeof(bool))};
    uint32_t *crew = arena_array(arena, count, sizeof(*crew));
    uint32_t *owner = arena_array(arena, count, sizeof(*owner));
    double *loads = arena_array(arena, plan->workers, sizeof(*loads));

    if (parts.parent == NULL || parts.peak == NULL || parts.is_rated == NULL || crew == NULL ||
        owner == NULL || loads == NULL) {
        return run_client_no_memory(why);
    }
    for (uint32_t i = 0; i < count; i++) {
        parts.parent[i] = i;
    }
    for (uint32_t i = 0; i < endpoints; i++) {
        join_endpoint(test, parts.parent, i);
    }
    for (uint32_t i = 0; i < endpoints; i++) {
        parts.peak[find_root(parts.parent, i)] += peak_of(&test->endpoints[i]);
        parts.is_rated[find_root(parts.parent, i)] |= test->endpoints[i].has_peak_load;
    }
    for (uint32_t i = 0; test->general.workers > 0 && i < endpoints; i++) {
        uint32_t root = find_root(parts.parent, i);

        /* As fast as it goes, and that shall be as fast as all workers go. */
        if (!parts.is_rated[root]) parts.peak[root] = RUN_SPLIT_PER_S + 1;
    }
    crews->crews = crew;
    crews->owners = owner;
    place_all(crews, &parts, loads, plan->workers);
    for (uint32_t i = 0; i < endpoints + providers; i++) {
        uint32_t root = find_root(parts.parent, i);

        /* Roots were placed; their members follow. */
        crew[i] = crew[root];
        owner[i] = owner[root];
    }
    crews->provider_crews = crew + endpoints;
    crews->provider_owners = owner + endpoints;
    return ERR_OK;
}

enum err run_plan_make(struct plan *plan, const struct testfile *test,
                       const struct run_machine *machine, struct run_crews *ret_crews,
                       struct err_info *why)
{
    enum err err = add_targets(plan, test, why);

    if (err == ERR_OK) err = run_client_fill(plan, test, machine, why);
    if (err == ERR_OK) err = add_stages(plan, test, why);
    if (err != ERR_OK) return err;
    *ret_crews = (struct run_crews){0};
    return make_crews(plan, test, ret_crews, why);
}
