#include "core/report_net.h"

#include <stdio.h>

#include "core/base/units.h"
#include "core/names.h"
#include "core/report_health.h"

enum { LINE_BYTES = 512 };

static bool is_plain(const struct net *net)
{
    return net->sources_count == 0 && net->unix_path == NULL && net->proxy.host == NULL &&
           net->resolves_count == 0 && net->resolve_every_ns == 0;
}

/* "127.0.0.1:3128", or "[::1]:3128". */
static void write_proxy(const struct net_proxy *proxy, char *buf, size_t size)
{
    bool is_ip6 = false;

    for (const char *c = proxy->host; *c != '\0'; c++) {
        is_ip6 = is_ip6 || *c == ':';
    }
    (void)snprintf(buf, size, is_ip6 ? "[%s]:%s" : "%s:%s", proxy->host, proxy->service);
}

/* Whether connections ask the proxy for tunnels: all do, or those of https targets. */
static bool has_tunnels(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        if (plan->targets[i].connect != NULL) return true;
    }
    return false;
}

static uint64_t count_refused(const struct result *result)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        count += result->refused[i];
    }
    return count;
}

/* "12 tunnels refused: 403: 2, 407: 10". */
static void add_refused(const struct result *result, struct text *out)
{
    uint64_t count = count_refused(result);
    char line[LINE_BYTES], number[UNITS_TEXT_MAX];
    size_t len;

    if (count == 0) return;
    len = (size_t)snprintf(line, sizeof(line), "%s tunnel%s refused", units_grouped(number, count),
                           count == 1 ? "" : "s");
    for (unsigned i = 0; i < STATUS_COUNT && len < sizeof(line) - 64; i++) {
        if (result->refused[i] == 0) continue;
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s %03u: %s",
                                line[len - 1] == 'd' ? ":" : ",", i,
                                units_grouped(number, result->refused[i]));
    }
    report_wrapped(out, "", line);
}

static void add_names(const struct result *result, struct text *out)
{
    const struct names_counts *names = result->names;
    char line[LINE_BYTES], lookups[UNITS_TEXT_MAX], failed[UNITS_TEXT_MAX], time[UNITS_TEXT_MAX];

    if (names == NULL) return;
    (void)snprintf(line, sizeof(line),
                   "looked up again every %s: %s answer%s, %s of them failed, %llu other addresses",
                   units_time(time, result->plan->net.resolve_every_ns),
                   units_grouped(lookups, names->lookups), names->lookups == 1 ? "" : "s",
                   units_grouped(failed, names->failed), (unsigned long long)names->changes);
    report_wrapped(out, "names", line);
}

void report_net_text(const struct result *result, struct text *out)
{
    const struct net *net = &result->plan->net;
    const char *label = "network";
    char line[LINE_BYTES];

    if (net->sources_count > 0) {
        (void)snprintf(line, sizeof(line), "from %s", net->sources[0].text);
        if (net->sources_count > 1) {
            (void)snprintf(line, sizeof(line), "from %u addresses in turn, %s to %s",
                           net->sources_count, net->sources[0].text,
                           net->sources[net->sources_count - 1].text);
        }
        report_wrapped(out, label, line);
        label = "";
    }
    if (net->unix_path != NULL) {
        (void)snprintf(line, sizeof(line), "to the unix socket %s", net->unix_path);
        report_wrapped(out, label, line);
    }
    if (net->proxy.host != NULL) {
        char proxy[PLAN_HOST_BYTES_MAX + 16];

        write_proxy(&net->proxy, proxy, sizeof(proxy));
        (void)snprintf(line, sizeof(line), "%s the proxy %s",
                       has_tunnels(result->plan) ? "by tunnels of" : "by way of", proxy);
        report_wrapped(out, label, line);
    }
    add_refused(result, out);
    add_names(result, out);
}

static void put_proxy(struct json *json, const struct result *result)
{
    const struct net_proxy *proxy = &result->plan->net.proxy;
    char text[PLAN_HOST_BYTES_MAX + 16];

    write_proxy(proxy, text, sizeof(text));
    json_key(json, "proxy");
    json_object(json);
    json_put_str(json, "address", text);
    json_put_bool(json, "tunnel", has_tunnels(result->plan));
    json_key(json, "refused");
    json_object(json);
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        char status[16];

        if (result->refused[i] == 0) continue;
        (void)snprintf(status, sizeof(status), "%03u", i);
        json_put_u64(json, status, result->refused[i]);
    }
    json_end(json);
    json_end(json);
}

static void put_names(struct json *json, const struct names_counts *names)
{
    json_key(json, "names");
    json_object(json);
    json_put_u64(json, "lookups", names->lookups);
    json_put_u64(json, "failed", names->failed);
    json_put_u64(json, "changes", names->changes);
    json_key(json, "changed");
    json_array(json);
    for (uint32_t i = 0; i < NAMES_CHANGES_KEPT && i < names->changes; i++) {
        json_object_line(json);
        json_put_double(json, "t_s", (double)names->kept[i].at_ns / (double)NS_PER_S, 9);
        json_put_str(json, "host", names->kept[i].host);
        json_put_str(json, "addresses", names->kept[i].addresses);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}

void report_net_json(struct json *json, const struct result *result)
{
    const struct net *net = &result->plan->net;

    if (is_plain(net)) return;
    json_key(json, "network");
    json_object(json);
    if (net->sources_count > 0) {
        json_key(json, "sources");
        json_array(json);
        for (uint32_t i = 0; i < net->sources_count; i++) {
            json_str(json, net->sources[i].text);
        }
        json_end(json);
    }
    if (net->unix_path != NULL) {
        json_put_str(json, "unix", net->unix_path);
    }
    if (net->proxy.host != NULL) put_proxy(json, result);
    if (result->names != NULL) put_names(json, result->names);
    json_end(json);
}
