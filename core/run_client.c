#include "core/run_client.h"

#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/units.h"

enum {
    DESCRIPTORS_KEPT = 128, /* For files, rings and whatever else is open. */
    CONNECTIONS_DEFAULT = 10000,
};

enum err run_client_no_memory(struct err_info *why)
{
    return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the plan of the test file");
}

/* As many as descriptors and ports carry, within reason. */
static uint64_t connections_of(const struct plan *plan, const struct run_machine *machine)
{
    uint64_t sources = plan->net.sources_count > 0 ? plan->net.sources_count : 1;
    uint64_t count = CONNECTIONS_DEFAULT;

    if (machine->ports > 0) count = min_u64(count, machine->ports * sources);
    if (machine->descriptors <= 2 * (uint64_t)DESCRIPTORS_KEPT) return DESCRIPTORS_KEPT;
    return min_u64(count, machine->descriptors - DESCRIPTORS_KEPT);
}

/* Every worker has a connection at least, and none more than its share of any bound. */
static void set_workers(struct plan *plan, const struct testfile *test, uint32_t cpus)
{
    uint64_t workers = test->general.workers > 0 ? test->general.workers : cpus;
    uint64_t per_host = test->client.max_connections_per_host;

    workers = min_u64(workers, plan->connections / plan->targets_count);
    if (per_host > 0) workers = min_u64(workers, per_host);
    plan->workers = workers == 0 ? 1 : (uint32_t)workers;
}

static void set_limits(struct plan *plan, const struct testfile *test,
                       const struct run_machine *machine)
{
    const struct testfile_client *client = &test->client;
    uint64_t connections = client->max_connections;

    if (connections == 0) connections = connections_of(plan, machine);
    plan->connections = (uint32_t)min_u64(connections, PLAN_CONNECTIONS_MAX);
    plan->max_requests_per_connection =
        (uint32_t)min_u64(client->max_requests_per_connection, UINT32_MAX - 1);
    plan->pipeline = (uint32_t)client->pipeline;
    if (plan->max_requests_per_connection > 0 &&
        plan->pipeline > plan->max_requests_per_connection) {
        plan->pipeline = plan->max_requests_per_connection;
    }
    plan->max_pending = test->general.max_pending;
    if (test->general.seed_is_given) plan->seed = test->general.seed;
    set_workers(plan, test, machine->cpus);
}

/* Answers are awaited after the end for as long as the most patient endpoint waits. */
static void set_deadlines(struct plan *plan, const struct testfile *test)
{
    const struct testfile_client *client = &test->client;

    plan->duration_ns = test->duration_ns - plan->pattern_from_ns;
    plan->timeout_ns = client->request_timeout_ns;
    plan->connect_timeout_ns =
        client->connect_timeout_ns > 0 ? client->connect_timeout_ns : client->request_timeout_ns;
    plan->drain_ns = client->request_timeout_ns;
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        plan->drain_ns = max_u64(plan->drain_ns, test->endpoints[i].request_timeout_ns);
    }
}

static enum err set_sources(struct plan *plan, const struct testfile_client *client,
                            struct err_info *why)
{
    struct text list;

    if (client->sources_count == 0) return ERR_OK;
    text_init(&list, &plan->arena);
    for (uint32_t i = 0; i < client->sources_count; i++) {
        text_printf(&list, "%s%s", i == 0 ? "" : ",", client->sources[i]);
    }
    if (list.failed) return run_client_no_memory(why);
    return net_parse_sources(&plan->arena, list.data, &plan->net, why);
}

static enum err set_resolves(struct plan *plan, const struct testfile_client *client,
                             struct err_info *why)
{
    uint32_t count = client->resolves_count;
    struct net_resolve *resolves = arena_array(&plan->arena, count, sizeof(*resolves));
    const char **addresses = arena_array(&plan->arena, count, sizeof(*addresses));

    if (resolves == NULL || addresses == NULL) return run_client_no_memory(why);
    for (uint32_t i = 0; i < count; i++) {
        addresses[i] = client->resolves[i].address;
        resolves[i] = (struct net_resolve){
            .host = client->resolves[i].host, .addresses = &addresses[i], .count = 1};
    }
    plan->net.resolves = resolves;
    plan->net.resolves_count = count;
    return ERR_OK;
}

static enum plan_tls_version version_of(const char *text)
{
    static const struct {
        const char *text;
        enum plan_tls_version version;
    } rows[] = {{"any", PLAN_TLS_ANY},
                {"1.0", PLAN_TLS_1_0},
                {"1.1", PLAN_TLS_1_1},
                {"1.2", PLAN_TLS_1_2},
                {"1.3", PLAN_TLS_1_3}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].text, text) == 0) return rows[i].version;
    }
    UNREACHABLE("a TLS version that was checked");
}

static void set_resume(struct plan_tls *tls, const char *text)
{
    double share = 0;
    bool known;

    if (strcmp(text, "tickets") == 0) return;
    tls->resume = PLAN_TLS_FULL;
    if (strcmp(text, "full") == 0) return;
    known = units_parse_percent(text + strlen("mix:"), &share);
    CHECK(known);
    tls->resume = PLAN_TLS_MIX;
    tls->resume_percent = (uint32_t)(share * 100 + 0.5);
}

static void set_tls(struct plan *plan, const struct testfile_tls *from)
{
    struct plan_tls *tls = &plan->tls;

    CHECK(!from->insecure || from->cacert == NULL);
    tls->insecure = from->insecure;
    tls->ca_file = from->cacert;
    tls->cert_file = from->cert;
    tls->key_file = from->key;
    tls->version_min = version_of(from->tls_min);
    tls->version_max = version_of(from->tls_max);
    tls->ciphers = from->ciphers;
    tls->ciphersuites = from->ciphersuites;
    tls->groups = from->groups;
    tls->sni = from->sni;
    tls->alpn = strcmp(from->alpn, "none") == 0 ? "" : from->alpn;
    set_resume(tls, from->tls_resume);
    tls->timeout_ns = plan->connect_timeout_ns;
}

enum err run_client_fill(struct plan *plan, const struct testfile *test,
                         const struct run_machine *machine, struct err_info *why)
{
    enum err err = set_sources(plan, &test->client, why);

    CHECK(plan->targets_count > 0 && machine->cpus > 0);
    if (err == ERR_OK) err = set_resolves(plan, &test->client, why);
    if (err != ERR_OK) return err;
    set_limits(plan, test, machine);
    set_deadlines(plan, test);
    plan->open_loop = true;
    plan->net.probe_ns = test->client.keepalive_ns;
    set_tls(plan, &test->client.tls);
    return ERR_OK;
}
