#include "core/preflight.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/check.h"
#include "core/share.h"
#include "io/proc.h"
#include "io/ring_cause.h"

enum {
    TIME_WAIT_S = 60,
    TIME_WAIT_REUSED_S = 1,
    DESCRIPTORS_PER_WORKER = 4, /* Ring, wake, schedstat, and a socket on its way to the table. */
    DESCRIPTORS_SPARE = 16,     /* Resolver, report, eventfds. */
    PORT_LOWEST = 1024,
    PORT_HIGHEST = 65535,
    PATH_BYTES = 256,
};

static uint64_t descriptors_needed(const struct preflight_limits *limits,
                                   const struct preflight_wants *wants)
{
    uint64_t own = limits->descriptors_used + DESCRIPTORS_SPARE +
                   (uint64_t)wants->workers * DESCRIPTORS_PER_WORKER;
    uint64_t table = (wants->connections + wants->workers - 1) / wants->workers;

    if (wants->epoll) return own + wants->connections;
    /* A ring's table may have as many places as the process may have descriptors. */
    return max_u64(own, table);
}

static enum err check_descriptors(const struct preflight_limits *limits,
                                  const struct preflight_wants *wants, struct err_info *why)
{
    uint64_t needed = descriptors_needed(limits, wants);

    if (needed <= limits->descriptors) return ERR_OK;
    return err_set(why, ERR_LIMIT, EMFILE,
                   "%u connections on %u worker%s need %llu descriptors, and this process may have "
                   "%llu; raise the limit first with 'ulimit -n %llu'%s",
                   wants->connections, wants->workers, wants->workers == 1 ? "" : "s",
                   (unsigned long long)needed, (unsigned long long)limits->descriptors,
                   (unsigned long long)needed, needed > limits->descriptors_hard ? " as root" : "");
}

/* What to do about too few ports; the range cannot be wider than all. */
static const char *mend_ports(const struct preflight_limits *limits)
{
    if (limits->port_low <= PORT_LOWEST && limits->port_high >= PORT_HIGHEST) {
        return "use fewer connections, or --source with more addresses of ours";
    }
    return "sysctl -w net.ipv4.ip_local_port_range='1024 65535' makes it 64512 per address, and "
           "--source A,B twice as many";
}

static enum err check_ports(const struct preflight_limits *limits,
                            const struct preflight_wants *wants, uint64_t ports_each,
                            struct err_info *why)
{
    const struct preflight_place *place = &wants->crowded;
    uint64_t ports = ports_each * place->pairs;
    char from[32] = "";

    if (place->connections <= ports || place->pairs == 0) return ERR_OK;
    if (wants->sources > 0) {
        (void)snprintf(from, sizeof(from), " from %u source%s", wants->sources,
                       wants->sources == 1 ? "" : "s");
    }
    return err_set(why, ERR_LIMIT, EADDRNOTAVAIL,
                   "%u connections%s to %u address%s need a local port each, and there are %llu "
                   "(%u to %u); %s",
                   place->connections, from, place->destinations,
                   place->destinations == 1 ? "" : "es", (unsigned long long)ports,
                   limits->port_low, limits->port_high, mend_ports(limits));
}

/* Whether connections that we close use the ports up before these are free again. Only a warning:
 * where the server closes first, as it should, the wait is the server's. */
static void warn_time_wait(const struct preflight_limits *limits,
                           const struct preflight_wants *wants, uint64_t ports,
                           struct preflight_warning *warning)
{
    bool reused = limits->tw_reuse == 1 || (limits->tw_reuse == 2 && wants->loopback);
    unsigned held_s = reused ? TIME_WAIT_REUSED_S : TIME_WAIT_S;
    double held = wants->connects_per_s * held_s;

    if (wants->connects_per_s <= 0) return;
    if (held > (double)wants->connects_max) held = (double)wants->connects_max;
    if (held <= (double)ports) return;
    (void)snprintf(warning->text, sizeof(warning->text),
                   "%.0f new connections/s hold up to %.0f local ports for %u s after their end "
                   "if we close them first, and there are %llu; %s",
                   wants->connects_per_s, held, held_s, (unsigned long long)ports,
                   reused ? mend_ports(limits) : "sysctl -w net.ipv4.tcp_tw_reuse=1 makes it 1 s");
}

enum err preflight_check(const struct preflight_limits *limits, const struct preflight_wants *wants,
                         struct preflight_warning *ret_warning, struct err_info *why)
{
    uint64_t ports;
    enum err err;

    CHECK(wants->workers > 0);
    CHECK(wants->destinations > 0);
    ret_warning->text[0] = '\0';
    err = check_descriptors(limits, wants, why);
    if (err != ERR_OK || limits->port_high == 0 || wants->pairs == 0) return err;
    CHECK(limits->port_low <= limits->port_high);
    ports = limits->port_high - limits->port_low + 1;
    ports -= min_u64(ports, limits->ports_reserved);
    err = check_ports(limits, wants, ports, why);
    if (err != ERR_OK) return err;
    warn_time_wait(limits, wants, ports * wants->pairs, ret_warning);
    return ERR_OK;
}

/* Reads a small file below `proc`. */
static bool read_below(const char *proc, const char *name, char *buf, size_t size)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", proc, name);
    return proc_read(path, buf, size);
}

/* How many of the ports are in the list "8080,9000-9100". */
static uint32_t count_reserved(const char *list, uint32_t low, uint32_t high)
{
    uint32_t count = 0;

    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long from = strtoul(list, &end, 10), to = from;

        if (*end == '-') to = strtoul(end + 1, &end, 10);
        from = max_u64(from, low);
        to = min_u64(to, high);
        if (from <= to) count += (uint32_t)(to - from + 1);
        list = *end == ',' ? end + 1 : end;
    }
    return count;
}

static void read_ports(struct preflight_limits *limits, const char *proc)
{
    char text[4096], *end;
    unsigned long low, high;
    uint64_t value;

    if (!read_below(proc, "sys/net/ipv4/ip_local_port_range", text, sizeof(text))) return;
    low = strtoul(text, &end, 10);
    high = strtoul(end, NULL, 10);
    if (low == 0 || high < low || high > PORT_HIGHEST) return;
    limits->port_low = (uint32_t)low;
    limits->port_high = (uint32_t)high;
    if (read_below(proc, "sys/net/ipv4/ip_local_reserved_ports", text, sizeof(text))) {
        limits->ports_reserved = count_reserved(text, limits->port_low, limits->port_high);
    }
    if (read_below(proc, "sys/net/ipv4/tcp_tw_reuse", text, sizeof(text)) &&
        proc_number(text, "", 10, &value)) {
        limits->tw_reuse = (uint32_t)value;
    }
}

/* Entries of /proc/self/fd but for "." and "..", and the descriptor that lists them. */
static uint64_t count_descriptors(const char *proc)
{
    char path[PATH_BYTES];
    uint64_t count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/self/fd", proc);
    dir = opendir(path);
    if (dir == NULL) return 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count > 3 ? count - 3 : 0;
}

static uint64_t limit_of(rlim_t value)
{
    return value == RLIM_INFINITY ? UINT64_MAX : value;
}

void preflight_read(struct preflight_limits *ret_limits, const char *proc)
{
    struct preflight_limits limits = {.descriptors = UINT64_MAX, .descriptors_hard = UINT64_MAX};
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        limits.descriptors = limit_of(files.rlim_cur);
        limits.descriptors_hard = limit_of(files.rlim_max);
    }
    limits.descriptors_used = count_descriptors(proc);
    read_ports(&limits, proc);
    *ret_limits = limits;
}

void preflight_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool is_loopback(const struct address *address)
{
    const void *storage = &address->storage;

    if (address->storage.ss_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)storage)->sin_addr.s_addr) >> 24 ==
               IN_LOOPBACKNET;
    }
    return address->storage.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)storage)->sin6_addr);
}

/* Of an open loop whose connections end after some requests: the highest rate of connections, and
 * how many there will be in all. */
static void want_connects(const struct plan *plan, struct preflight_wants *wants)
{
    double total = 0, high_most = 0, each = plan->max_requests_per_connection;
    double rate = plan->connect_rate_per_s;

    if (each <= 0 || (!plan->open_loop && rate <= 0)) return;
    wants->connects_per_s = rate;
    wants->connects_max /= plan->max_requests_per_connection;
    if (!plan->open_loop) return;
    for (uint32_t i = 0; i < plan->stages_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        double high = stage->from_per_s > stage->to_per_s ? stage->from_per_s : stage->to_per_s;

        if (high > high_most) high_most = high;
        total += (stage->from_per_s + stage->to_per_s) / 2 * (double)stage->length_ns / 1e9;
    }
    high_most /= each;
    if (rate <= 0 || high_most < rate) wants->connects_per_s = high_most;
    if (total / each < (double)wants->connects_max) wants->connects_max = (uint64_t)(total / each);
}

/* How many sources connections to `address` may come from; none is bound where it is no network. */
static uint64_t pairs_of(const struct names *names, const struct address *address)
{
    int family = address->storage.ss_family;

    if (family != AF_INET && family != AF_INET6) return 0;
    return names->sources == NULL ? 1 : sources_count(names->sources, family);
}

/* Adds each target's connections to those of its place, places[names->places_count]. */
static void count_connections(const struct plan *plan, const struct names *names,
                              struct preflight_place *places)
{
    uint32_t counts[PLAN_URLS_MAX];

    for (uint32_t w = 0; w < plan->workers; w++) {
        share_targets(plan, w, counts);
        for (uint32_t i = 0; i < plan->targets_count; i++) {
            uint32_t at = 0;

            while (names->places[at].current != names->of_target[i]) {
                at++;
                CHECK(at < names->places_count);
            }
            places[at].connections += counts[i];
        }
    }
}

/* The place whose ports its connections fill most. */
static struct preflight_place most_crowded(const struct preflight_place *places, uint32_t count)
{
    struct preflight_place most = places[0];

    for (uint32_t i = 1; i < count; i++) {
        if (places[i].connections * most.pairs > most.connections * places[i].pairs) {
            most = places[i];
        }
    }
    return most;
}

struct preflight_wants preflight_wants(const struct plan *plan, const struct names *names)
{
    struct preflight_place places[PLAN_URLS_MAX] = {0};
    uint32_t cap = plan->connections_max == 0 ? plan->connections : plan->connections_max;
    struct preflight_wants wants = {
        .epoll = plan->io == PLAN_IO_EPOLL || (plan->io == PLAN_IO_AUTO && !ring_cause_probe()),
        .connections = (uint32_t)min_u64(cap, plan->connections),
        .workers = plan->workers,
        .sources = plan->net.sources_count,
        .loopback = true,
        .connects_max = plan->requests_max == 0 ? UINT64_MAX : plan->requests_max,
    };

    CHECK(names->places_count <= PLAN_URLS_MAX);
    for (uint32_t i = 0; i < names->places_count; i++) {
        const struct addresses *addresses = names->places[i].current;

        places[i].destinations = addresses->count;
        for (uint32_t j = 0; j < addresses->count; j++) {
            wants.loopback = wants.loopback && is_loopback(&addresses->list[j]);
            places[i].pairs += pairs_of(names, &addresses->list[j]);
        }
        wants.destinations += places[i].destinations;
        wants.pairs += places[i].pairs;
    }
    count_connections(plan, names, places);
    wants.crowded = most_crowded(places, names->places_count);
    want_connects(plan, &wants);
    return wants;
}
