#include "core/report_tls.h"

#include "core/base/units.h"

static bool speaks_tls(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        if (plan->targets[i].tls) return true;
    }
    return false;
}

/* Handshakes per second of the run, drain included: they go on while answers are awaited. */
static double handshakes_per_s(const struct result *result)
{
    uint64_t ns = result->warmup_ns + result->span_ns + result->drained_ns;

    return ns == 0 ? 0 : (double)result->ledger.handshakes * (double)NS_PER_S / (double)ns;
}

/* Begins a line: with the label if it is the first. */
static void begin_line(struct text *out, bool first)
{
    text_printf(out, "%-13s", first ? "tls" : "");
}

static void add_agreed(const struct result *result, struct text *out)
{
    const struct stats_tls *tls = &result->tls;
    char buf[UNITS_TEXT_MAX];

    for (uint32_t i = 0; i < tls->agreed_count; i++) {
        const struct stats_tls_agreed *agreed = &tls->agreed[i];

        begin_line(out, i == 0);
        text_printf(out, "%s, %s%s%s", agreed->version, agreed->cipher,
                    agreed->group[0] == '\0' ? "" : ", ", agreed->group);
        if (tls->agreed_count > 1) text_printf(out, ": %s", units_grouped(buf, agreed->count));
        text_add_str(out, "\n");
    }
    if (tls->agreed_otherwise == 0) return;
    begin_line(out, false);
    text_printf(out, "otherwise: %s\n", units_grouped(buf, tls->agreed_otherwise));
}

void report_tls(const struct result *result, struct text *out)
{
    const struct ledger *ledger = &result->ledger;
    char buf[UNITS_TEXT_MAX];

    if (!speaks_tls(result->plan)) return;
    add_agreed(result, out);
    begin_line(out, result->tls.agreed_count == 0);
    if (!result->plan->tls.insecure) {
        text_add_str(out, "certificates and names were verified\n");
    } else {
        text_printf(out, "certificates were not verified (%s)\n",
                    result->plan->tls.as_wrk ? "as wrk" : "--insecure");
    }
    begin_line(out, false);
    text_printf(out, "%s handshakes", units_grouped(buf, ledger->handshakes));
    text_printf(out, ", %s of them resumed", units_grouped(buf, ledger->handshakes_resumed));
    text_printf(out, ", %s failed\n", units_grouped(buf, ledger->handshakes_failed));
    if (result->plan->tls.early_data) {
        begin_line(out, false);
        text_printf(out, "%s requests sent as early data", units_grouped(buf, ledger->early_sent));
        text_printf(out, ", %s of them taken\n", units_grouped(buf, ledger->early_taken));
    }
    if (ledger->tls_unclean == 0) return;
    begin_line(out, false);
    text_printf(out, "%s closed by the server without saying so (close_notify)\n",
                units_grouped(buf, ledger->tls_unclean));
}

static void put_agreed(struct json *json, const struct stats_tls *tls)
{
    json_key(json, "agreed");
    json_array(json);
    for (uint32_t i = 0; i < tls->agreed_count; i++) {
        json_object(json);
        json_put_str(json, "version", tls->agreed[i].version);
        json_put_str(json, "cipher", tls->agreed[i].cipher);
        if (tls->agreed[i].group[0] != '\0') {
            json_put_str(json, "group", tls->agreed[i].group);
        }
        json_put_u64(json, "handshakes", tls->agreed[i].count);
        json_end(json);
    }
    json_end(json);
    if (tls->agreed_otherwise == 0) return;
    json_put_u64(json, "agreed_otherwise", tls->agreed_otherwise);
}

static void put_details(struct json *json, const struct stats_tls *tls)
{
    json_key(json, "details");
    json_object(json);
    for (int i = 0; i < FAILED_COUNT; i++) {
        if (tls->details[i] == NULL) continue;
        json_put_str(json, failed_names[i], tls->details[i]);
    }
    json_end(json);
}

void report_tls_json(const struct result *result, struct json *json)
{
    const struct ledger *ledger = &result->ledger;
    const struct {
        const char *key;
        uint64_t count;
    } counts[] = {{"handshakes", ledger->handshakes},
                  {"resumed", ledger->handshakes_resumed},
                  {"failed", ledger->handshakes_failed},
                  {"unclean_closes", ledger->tls_unclean}};

    if (!speaks_tls(result->plan)) return;
    json_key(json, "tls");
    json_object(json);
    json_put_str(json, "library", result->tls_library);
    json_put_bool(json, "verified", !result->plan->tls.insecure);
    if (result->plan->tls.insecure) {
        json_put_str(json, "not_verified_because", result->plan->tls.as_wrk ? "wrk" : "insecure");
    }
    for (size_t i = 0; i < COUNT(counts); i++) {
        json_put_u64(json, counts[i].key, counts[i].count);
    }
    json_put_double(json, "handshakes_per_s", handshakes_per_s(result), 3);
    if (result->plan->tls.early_data) {
        json_key(json, "early_data");
        json_object(json);
        json_put_u64(json, "sent", ledger->early_sent);
        json_put_u64(json, "taken", ledger->early_taken);
        json_end(json);
    }
    put_agreed(json, &result->tls);
    put_details(json, &result->tls);
    json_end(json);
}
