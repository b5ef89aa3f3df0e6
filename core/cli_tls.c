/* From the words of the command line to the plan's TLS. */
#include <string.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/cli_build.h"

static const enum cli_option_id tls_options[] = {
    OPTION_CACERT,       OPTION_INSECURE,   OPTION_CRL,        OPTION_CERT,
    OPTION_KEY,          OPTION_TLS_MIN,    OPTION_TLS_MAX,    OPTION_CIPHERS,
    OPTION_CIPHERSUITES, OPTION_GROUPS,     OPTION_SECLEVEL,   OPTION_SNI,
    OPTION_ALPN,         OPTION_TLS_RESUME, OPTION_EARLY_DATA, OPTION_TLS_TIMEOUT,
};

/* Reads "full", "tickets" or "mix:80%". */
static enum err read_resume(const char *text, struct plan_tls *tls, struct err_info *why)
{
    char digits[4] = "";
    uint64_t percent;
    size_t len;

    if (strcmp(text, "full") == 0) {
        tls->resume = PLAN_TLS_FULL;
        return ERR_OK;
    }
    if (strcmp(text, "tickets") == 0) {
        tls->resume = PLAN_TLS_TICKETS;
        return ERR_OK;
    }
    if (strncmp(text, "mix:", 4) == 0) {
        len = strspn(text + 4, "0123456789");
        if (len > 0 && len < sizeof(digits) && strcmp(text + 4 + len, "%") == 0) {
            memcpy(digits, text + 4, len);
            if (units_parse_count(digits, &percent) && percent <= 100) {
                tls->resume = PLAN_TLS_MIX;
                tls->resume_percent = (uint32_t)percent;
                return ERR_OK;
            }
        }
    }
    return err_set(
        why, ERR_USAGE, 0,
        "option '--tls-resume' wants full, tickets or a share such as mix:80%%, not '%s'",
        quote(text).text);
}

static enum err check_files(const struct cli_words *words, struct err_info *why)
{
    const struct plan_tls *tls = &words->cli.plan.tls;

    if (tls->key_file != NULL && tls->cert_file == NULL) {
        return err_set(why, ERR_USAGE, 0, "option '--key' wants a '--cert'");
    }
    if (tls->insecure && (tls->ca_file != NULL || tls->crl_file != NULL)) {
        return err_set(why, ERR_USAGE, 0,
                       "options '--insecure' and '--%s' exclude each other: one trusts everybody",
                       tls->ca_file != NULL ? "cacert" : "crl");
    }
    return ERR_OK;
}

enum err cli_build_tls(struct cli_words *words, struct err_info *why)
{
    struct plan_tls *tls = &words->cli.plan.tls;
    enum err err = check_files(words, why);

    if (words->cli.format == CLI_FORMAT_WRK && !tls->insecure && tls->ca_file == NULL &&
        tls->crl_file == NULL) {
        tls->insecure = tls->as_wrk = true;
    }
    if (err == ERR_OK && words->tls_resume != NULL) err = read_resume(words->tls_resume, tls, why);
    if (err != ERR_OK) return err;
    tls->version_min = (enum plan_tls_version)words->tls_min;
    tls->version_max = (enum plan_tls_version)words->tls_max;
    if (cli_is_given(words, OPTION_TLS_MIN) && cli_is_given(words, OPTION_TLS_MAX) &&
        tls->version_min > tls->version_max) {
        return err_set(why, ERR_USAGE, 0, "option '--tls-min' is above '--tls-max'");
    }
    if (cli_is_given(words, OPTION_SECLEVEL)) tls->seclevel = (int)words->seclevel;
    if (tls->early_data && tls->resume == PLAN_TLS_FULL) {
        return err_set(
            why, ERR_USAGE, 0,
            "option '--early-data' wants sessions to resume, and '--tls-resume full' has "
            "none");
    }
    if (strcmp(tls->alpn, "none") == 0) tls->alpn = "";
    if (!cli_is_given(words, OPTION_TLS_TIMEOUT)) {
        tls->timeout_ns = words->cli.plan.connect_timeout_ns;
    }
    return ERR_OK;
}

enum err cli_check_tls(const struct cli_words *words, struct err_info *why)
{
    const struct plan *plan = &words->cli.plan;

    for (uint32_t i = 0; i < plan->targets_count; i++) {
        if (plan->targets[i].tls) return ERR_OK;
    }
    for (size_t i = 0; i < COUNT(tls_options); i++) {
        if (!cli_is_given(words, tls_options[i])) continue;
        return err_set(why, ERR_USAGE, 0, "option '--%s' is about TLS; write https:// in the url",
                       cli_options[tls_options[i]].name);
    }
    return ERR_OK;
}
