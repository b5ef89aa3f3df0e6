#include "core/runner_hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/runner_impl.h"
#include "core/scribe.h"
#include "core/worker_pool.h"
#include "tls/tls_ctx.h"

#define LOST_NS NS_PER_S /* A host that was not found is not asked for again before. */

enum { NAME_BYTES = 256, SERVICE_BYTES = 6, URL_BYTES_MIN = 256, NOBODY = 0xffffffff };

/* Scheme, host and port of a URL: the host in small letters and without brackets. */
struct authority {
    char name[NAME_BYTES];
    char service[SERVICE_BYTES];
    bool tls;
};

enum host_state { HOST_NEW, HOST_WAITS, HOST_FOUND, HOST_LOST };

struct host {
    struct authority authority;
    char field[NAME_BYTES + SERVICE_BYTES + 4]; /* Of the Host header. */
    struct plan_target target;                  /* Its strings are the two above. */
    const struct plan_target *known;            /* `target`, or one of the plan's. */
    enum host_state state;
    uint64_t lost_until_ns;
    struct pool *pool; /* NULL: not found yet. */
    struct addresses addresses;
};

struct hosts {
    struct host *list; /* [max]; those of the plan first. */
    uint32_t count, max;
    uint32_t *table; /* [mask + 1]: indices into the list by hash, plus 1; 0: empty. */
    uint32_t mask;
    struct scribe *scribe;
    int notify_fd;   /* A copy of the ring's, for a scribe that is stuck outlives the ring. */
    uint32_t asking; /* Who is being looked up; NOBODY. */
};

/* URLs (WHATWG URL, section 4.4): what of them comes before the path. */

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* Skips the scheme and the slashes behind it; 0 when it is none of ours. */
static size_t read_scheme(const char *url, size_t len, bool *ret_tls)
{
    size_t at = 0;

    while (at < len && (unsigned char)url[at] <= ' ') {
        at++;
    }
    if (len - at >= 5 && strncasecmp(url + at, "http:", 5) == 0) {
        *ret_tls = false;
        at += 5;
    } else if (len - at >= 6 && strncasecmp(url + at, "https:", 6) == 0) {
        *ret_tls = true;
        at += 6;
    } else {
        return 0;
    }
    while (at < len && is_slash(url[at])) {
        at++;
    }
    return at;
}

static bool read_port(const char *text, size_t len, struct authority *authority)
{
    uint32_t port = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        port = port * 10 + (uint32_t)(text[i] - '0');
        if (port > UINT16_MAX) return false;
    }
    if (len == 0) port = authority->tls ? 443 : 80;
    (void)snprintf(authority->service, sizeof(authority->service), "%u", port);
    return port != 0;
}

static bool read_name(const char *text, size_t len, struct authority *authority)
{
    struct in6_addr address;
    bool is_v6 = len > 0 && text[0] == '[';

    if (is_v6 && text[len - 1] != ']') return false;
    if (is_v6) {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= NAME_BYTES) return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_' &&
            !(is_v6 && c == ':')) {
            return false;
        }
        authority->name[i] = c;
        if (c >= 'A' && c <= 'Z') authority->name[i] = (char)(c | 0x20);
    }
    authority->name[len] = '\0';
    return !is_v6 || inet_pton(AF_INET6, authority->name, &address) == 1;
}

/* Where the path begins; 0 when this is no URL that we can send to. */
static size_t read_url(const char *url, size_t len, struct authority *ret_authority)
{
    size_t from = read_scheme(url, len, &ret_authority->tls), to = from, name_len;
    const char *colon = NULL;

    if (from == 0) return 0;
    while (to < len && !is_slash(url[to]) && url[to] != '?' && url[to] != '#') {
        if (url[to] == ':') colon = url + to;
        if (url[to] == ']') colon = NULL; /* Those before it are the address's. */
        to++;
    }
    name_len = colon == NULL ? to - from : (size_t)(colon - (url + from));
    if (!read_name(url + from, name_len, ret_authority)) return 0;
    if (colon == NULL) return read_port("", 0, ret_authority) ? to : 0;
    return read_port(colon + 1, (size_t)(url + to - colon) - 1, ret_authority) ? to : 0;
}

/* The list. */

static uint32_t hash_of(const struct authority *authority)
{
    uint32_t hash = 2166136261u + authority->tls; /* FNV-1a */

    for (const char *at = authority->name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    for (const char *at = authority->service; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    return hash;
}

static bool is_same(const struct authority *a, const struct authority *b)
{
    return a->tls == b->tls && strcmp(a->name, b->name) == 0 && strcmp(a->service, b->service) == 0;
}

/* The host of this authority, a new one if need be; NULL when there are too many. */
static struct host *host_of(struct hosts *hosts, const struct authority *authority)
{
    uint32_t at = hash_of(authority) & hosts->mask;
    struct host *host;

    while (hosts->table[at] != 0) {
        host = &hosts->list[hosts->table[at] - 1];
        if (is_same(&host->authority, authority)) return host;
        at = (at + 1) & hosts->mask;
    }
    if (hosts->count == hosts->max) return NULL;
    host = &hosts->list[hosts->count++];
    hosts->table[at] = hosts->count;
    host->authority = *authority;
    return host;
}

static void name_target(struct host *host)
{
    const struct authority *authority = &host->authority;
    bool is_v6 = strchr(authority->name, ':') != NULL;
    bool is_usual = strcmp(authority->service, authority->tls ? "443" : "80") == 0;

    (void)snprintf(host->field, sizeof(host->field), "%s%s%s%s%s", is_v6 ? "[" : "",
                   authority->name, is_v6 ? "]" : "", is_usual ? "" : ":",
                   is_usual ? "" : authority->service);
    host->target = (struct plan_target){.url = authority->tls ? "https://" : "http://",
                                        .host = authority->name,
                                        .service = authority->service,
                                        .path = "/",
                                        .host_field = host->field,
                                        .tls = authority->tls};
    host->known = &host->target;
}

/* Pools. */

static void lose(struct host *host, uint64_t now_ns)
{
    host->state = HOST_LOST;
    host->lost_until_ns = now_ns + LOST_NS;
}

/* The addresses of a host are known: those that our sources can go to are used, by a pool of its
 * own. */
static void found(struct runner *runner, struct host *host, const struct addresses *addresses)
{
    struct worker *w = runner->worker;
    const struct sources *sources = w->sources;
    struct tls_target *tls = NULL;

    host->addresses.count = 0;
    for (uint32_t i = 0; i < addresses->count; i++) {
        int family = addresses->list[i].storage.ss_family;

        if (sources != NULL && sources_count(sources, family) == 0) continue;
        host->addresses.list[host->addresses.count++] = addresses->list[i];
    }
    if (host->authority.tls) tls = w->tls_targets[w->pools_count];
    if (host->addresses.count == 0 || (host->authority.tls && tls == NULL) ||
        (tls != NULL && w->plan->tls.sni == NULL && !tls_target_name(tls, host->authority.name))) {
        lose(host, w->now_ns);
        return;
    }
    host->pool = worker_add_pool(w, &host->addresses, tls);
    host->pool->owner = runner_pool_owner();
    host->pool->owner.self = w;
    host->pool->drain_above = UINT64_MAX;
    host->state = HOST_FOUND;
}

/* Finds a host that nobody has to be asked for; false if it is not one. */
static bool find_given(struct runner *runner, struct host *host)
{
    const struct authority *authority = &host->authority;
    const struct net_resolve *given =
        net_find_resolve(&runner->worker->plan->net, authority->name, authority->service);
    struct addresses addresses = {.count = 1};
    const char *text = given == NULL ? authority->name : given->addresses[0];

    if (given == NULL && !net_is_literal(text)) return false;
    if (resolve_numeric(text, authority->service, &addresses.list[0])) {
        found(runner, host, &addresses);
    } else {
        lose(host, runner->worker->now_ns);
    }
    return true;
}

static void ask_next(struct hosts *hosts)
{
    for (uint32_t i = 0; hosts->asking == NOBODY && i < hosts->count; i++) {
        const struct host *host = &hosts->list[i];

        if (host->state != HOST_WAITS) continue;
        hosts->asking = i;
        scribe_resolve(hosts->scribe, host->authority.name, host->authority.service);
    }
}

void runner_hosts_poll(struct runner *runner)
{
    struct hosts *hosts = runner->hosts;
    struct addresses addresses = {.count = 0};
    struct err_info why;
    enum err err = ERR_OK;

    if (hosts == NULL || hosts->asking == NOBODY) return;
    if (!scribe_resolved(hosts->scribe, &err, &addresses, &why)) return;
    if (err == ERR_OK) {
        found(runner, &hosts->list[hosts->asking], &addresses);
    } else {
        lose(&hosts->list[hosts->asking], runner->worker->now_ns);
    }
    hosts->asking = NOBODY;
    ask_next(hosts);
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (endpoint->is_here && endpoint->build.is_dynamic) runner_touch(endpoint);
    }
}

/* Requests. */

/* Makes the URL of the endpoint's next request. */
static enum expr_error render_url(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    struct exchange next = {.endpoint = endpoint, .inputs = endpoint->inputs};
    enum expr_error error = next.inputs.error;
    struct buf url;

    if (error != EXPR_OK) return error;
    runner_ready_env(runner, endpoint, &next);
    buf_init(&url, runner->body_bytes, RUNNER_BUILD_BYTES);
    error = template_render(endpoint->def->url.compiled, &runner->env, &url);
    if (error != EXPR_OK) return error;
    while (url.len > 0 && (unsigned char)url.data[url.len - 1] <= ' ') {
        url.len--;
    }
    if (url.len == 0) return EXPR_URL;
    if (url.full || url.len > PLAN_URL_BYTES_MAX) return EXPR_TOO_LARGE;
    if (url.len > endpoint->url_size) {
        blocks_free(&runner->blocks, endpoint->url, endpoint->url_size);
        endpoint->url_size = max_u64(url.len, URL_BYTES_MIN);
        endpoint->url = blocks_alloc(&runner->blocks, endpoint->url_size);
        if (endpoint->url == NULL) endpoint->url_size = 0;
        if (endpoint->url == NULL) return EXPR_FULL;
    }
    memcpy(endpoint->url, url.data, url.len);
    endpoint->url_len = url.len;
    return EXPR_OK;
}

/* Makes the URL and finds its host, which may be new. */
static enum expr_error make_url(struct endpoint *endpoint)
{
    struct hosts *hosts = endpoint->runner->hosts;
    struct authority authority = {.tls = false};
    enum expr_error error = render_url(endpoint);

    if (error != EXPR_OK) return error;
    endpoint->url_path = read_url(endpoint->url, endpoint->url_len, &authority);
    if (endpoint->url_path == 0) return EXPR_URL;
    endpoint->host = host_of(hosts, &authority);
    endpoint->has_url = true;
    return EXPR_OK;
}

bool runner_find_host(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    uint64_t now_ns = runner->worker->now_ns;
    struct host *host;

    if (!endpoint->has_url) {
        enum expr_error error = make_url(endpoint);

        if (error != EXPR_OK) {
            runner_fail_oldest(endpoint, FAILED_BUILD, error);
            return false;
        }
    }
    host = endpoint->host;
    if (host != NULL && host->state == HOST_NEW) name_target(host);
    if (host != NULL &&
        (host->state == HOST_NEW || (host->state == HOST_LOST && now_ns >= host->lost_until_ns))) {
        host->state = HOST_WAITS;
        if (!find_given(runner, host)) ask_next(runner->hosts);
    }
    if (host != NULL) endpoint->target = host->known;
    if (host == NULL || host->state == HOST_LOST) {
        runner_fail_oldest(endpoint, FAILED_RESOLVE, EXPR_OK);
        return false;
    }
    if (host->state != HOST_FOUND) return false;
    endpoint->pool = host->pool;
    return true;
}

/* Setting up. */

static void add_known(struct runner *runner)
{
    const struct plan *plan = runner->worker->plan;

    for (uint32_t i = 0; i < plan->targets_count; i++) {
        struct authority authority = {.tls = plan->targets[i].tls};
        struct host *host;

        if (!read_name(plan->targets[i].host, strlen(plan->targets[i].host), &authority)) continue;
        (void)snprintf(authority.service, SERVICE_BYTES, "%s", plan->targets[i].service);
        host = host_of(runner->hosts, &authority);
        host->known = &plan->targets[i];
        host->pool = &runner->worker->pools[i];
        host->state = HOST_FOUND;
    }
}

enum err runner_hosts_new(struct runner *runner, struct arena *arena, struct err_info *why)
{
    const struct plan *plan = runner->worker->plan;
    struct hosts *hosts = arena_array(arena, 1, sizeof(*hosts));
    uint32_t size = 2;
    enum err err;

    if (hosts == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for hosts");
    hosts->max = plan->targets_count + plan->hosts_max;
    CHECK(plan->hosts_max > 0);
    hosts->asking = NOBODY;
    while (size < 2 * hosts->max) {
        size *= 2;
    }
    hosts->mask = size - 1;
    hosts->list = arena_array(arena, hosts->max, sizeof(*hosts->list));
    hosts->table = arena_array(arena, size, sizeof(*hosts->table));
    if (hosts->list == NULL || hosts->table == NULL) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for hosts");
    }
    hosts->notify_fd = dup(ring_facts(runner->worker->ring)->wake_fd);
    if (hosts->notify_fd < 0) {
        return err_set(why, ERR_LIMIT, errno, "no descriptor for look-ups: %s",
                       err_errno_name(errno));
    }
    err = scribe_new(&hosts->scribe, hosts->notify_fd, false, why);
    if (err != ERR_OK) {
        (void)close(hosts->notify_fd);
        return err;
    }
    runner->hosts = hosts;
    add_known(runner);
    hosts->max = hosts->count + plan->hosts_max;
    return ERR_OK;
}

void runner_hosts_release(struct runner *runner)
{
    struct hosts *hosts = runner == NULL ? NULL : runner->hosts;

    if (hosts == NULL) return;
    scribe_free(hosts->scribe);
    /* One that is stuck will still write to it. */
    if (hosts->asking == NOBODY) (void)close(hosts->notify_fd);
}
