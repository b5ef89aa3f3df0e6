/* Command lines with TLS: what they mean, and what is said of wrong ones. */
#include <string.h>

#include "core/cli.h"
#include "tests/test.h"

#define URL "https://h/"
#define RESUME(text) \
    "option '--tls-resume' wants full, tickets or a share such as mix:80%, not '" text "'"

enum { WORDS_MAX = 8 };

static enum err parse(const char *const words[WORDS_MAX], struct cli *ret_cli, struct err_info *why)
{
    static char copies[WORDS_MAX + 1][128];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;

    (void)snprintf(copies[0], sizeof(copies[0]), "pelt");
    *why = (struct err_info){.code = ERR_OK};
    while (argc <= WORDS_MAX && words[argc - 1] != NULL) {
        (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
        argc++;
    }
    return cli_parse(argc, argv, 4, ret_cli, why);
}

static struct cli parse_right(const char *const words[WORDS_MAX])
{
    struct cli cli;
    struct err_info why;
    enum err err = parse(words, &cli, &why);

    if (err != ERR_OK) (void)fprintf(stderr, "%s\n", why.message);
    EXPECT(err == ERR_OK);
    return cli;
}

static void test_cli_tls_has_its_defaults(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){URL, "--connect-timeout", "3s"});
    const struct plan_tls *tls = &cli.plan.tls;

    EXPECT(cli.plan.targets[0].tls);
    EXPECT(!tls->insecure && tls->ca_file == NULL && tls->crl_file == NULL);
    EXPECT(tls->cert_file == NULL && tls->key_file == NULL && tls->sni == NULL);
    EXPECT(tls->version_min == PLAN_TLS_ANY && tls->version_max == PLAN_TLS_ANY);
    EXPECT(tls->ciphers == NULL && tls->ciphersuites == NULL && tls->groups == NULL);
    EXPECT(strcmp(tls->alpn, "http/1.1") == 0);
    EXPECT(tls->resume == PLAN_TLS_TICKETS);
    EXPECT(tls->seclevel == PLAN_TLS_SECLEVEL_UNTOUCHED);
    EXPECT(tls->timeout_ns == 3 * NS_PER_S);
    cli_release(&cli);
}

static void test_cli_tls_takes_every_option(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        struct plan_tls tls; /* But for what is not set. */
    } rows[] = {
        {{"-k", URL}, {.insecure = true}},
        {{"--insecure", URL}, {.insecure = true}},
        {{"--cacert", "f", "--crl", "g", URL}, {.ca_file = "f", .crl_file = "g"}},
        {{"--cert", "f", "--key", "g", URL}, {.cert_file = "f", .key_file = "g"}},
        {{"--cert", "f", URL}, {.cert_file = "f"}},
        {{"--sni", "a.test", "--alpn", "h2", URL}, {.sni = "a.test", .alpn = "h2"}},
        {{"--alpn", "none", URL}, {.alpn = ""}},
        {{"--ciphers", "a", "--ciphersuites", "b", "--groups", "c", URL},
         {.ciphers = "a", .ciphersuites = "b", .groups = "c"}},
        {{"--tls-min", "1.0", "--tls-max", "1.3", URL},
         {.version_min = PLAN_TLS_1_0, .version_max = PLAN_TLS_1_3}},
        {{"--tls-resume", "full", URL}, {.resume = PLAN_TLS_FULL}},
        {{"--tls-resume", "tickets", URL}, {.resume = PLAN_TLS_TICKETS}},
        {{"--tls-resume", "mix:0%", URL}, {.resume = PLAN_TLS_MIX}},
        {{"--early-data", URL}, {.early_data = true}},
        {{"--tls-resume", "mix:100%", URL}, {.resume = PLAN_TLS_MIX, .resume_percent = 100}},
        {{"--tls-timeout", "2s", URL}, {.timeout_ns = 2 * NS_PER_S}},
        {{"--format", "text", URL}, {.insecure = false}},
        {{"--format", "wrk", URL}, {.insecure = true, .as_wrk = true}},
        {{"--format", "wrk", "--insecure", URL}, {.insecure = true}},
        {{"--format", "wrk", "--cacert", "f", URL}, {.ca_file = "f"}},
        {{"--format", "wrk", "--crl", "f", URL}, {.crl_file = "f"}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i].words);
        const struct plan_tls *tls = &cli.plan.tls;
        const struct plan_tls *expected = &rows[i].tls;
        const char *const pairs[][2] = {
            {tls->ca_file, expected->ca_file},     {tls->crl_file, expected->crl_file},
            {tls->cert_file, expected->cert_file}, {tls->key_file, expected->key_file},
            {tls->ciphers, expected->ciphers},     {tls->ciphersuites, expected->ciphersuites},
            {tls->groups, expected->groups},       {tls->sni, expected->sni},
        };

        for (size_t j = 0; j < COUNT(pairs); j++) {
            EXPECT((pairs[j][0] == NULL) == (pairs[j][1] == NULL));
            EXPECT(pairs[j][0] == NULL || strcmp(pairs[j][0], pairs[j][1]) == 0);
        }
        EXPECT(strcmp(tls->alpn, expected->alpn != NULL ? expected->alpn : "http/1.1") == 0);
        EXPECT(tls->insecure == expected->insecure);
        EXPECT(tls->as_wrk == expected->as_wrk);
        EXPECT(tls->version_min == expected->version_min);
        EXPECT(tls->version_max == expected->version_max);
        EXPECT(tls->resume == expected->resume);
        EXPECT(tls->resume_percent == expected->resume_percent);
        EXPECT(tls->early_data == expected->early_data);
        EXPECT(expected->timeout_ns == 0 || tls->timeout_ns == expected->timeout_ns);
        cli_release(&cli);
    }
}

static void test_cli_tls_takes_security_levels(void)
{
    for (int level = 0; level <= PLAN_TLS_SECLEVEL_MAX; level++) {
        char digit[2] = {(char)('0' + level), '\0'};
        struct cli cli = parse_right((const char *const[WORDS_MAX]){"--seclevel", digit, URL});

        EXPECT(cli.plan.tls.seclevel == level);
        cli_release(&cli);
    }
}

static void test_cli_tls_goes_through_a_proxy_by_a_tunnel(void)
{
    struct cli cli =
        parse_right((const char *const[WORDS_MAX]){"--proxy", "http://p:3128", "https://h/x"});

    EXPECT(strncmp(cli.plan.targets[0].connect, "CONNECT h:443 HTTP/1.1\r\n", 24) == 0);
    EXPECT(strncmp(cli.plan.requests[0].bytes, "GET /x HTTP/1.1\r\n", 17) == 0);
    cli_release(&cli);
}

static void test_cli_tls_says_what_is_wrong(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *message; /* Without the hint. */
    } rows[] = {
        {{"--cacert", "f", "http://h/"},
         "option '--cacert' is about TLS; write https:// in the url"},
        {{"-k", "http://h/"}, "option '--insecure' is about TLS; write https:// in the url"},
        {{"--tls-timeout", "1s", "http://h/"},
         "option '--tls-timeout' is about TLS; write https:// in the url"},
        {{"--key", "f", URL}, "option '--key' wants a '--cert'"},
        {{"-k", "--cacert", "f", URL},
         "options '--insecure' and '--cacert' exclude each other: one trusts everybody"},
        {{"-k", "--crl", "f", URL},
         "options '--insecure' and '--crl' exclude each other: one trusts everybody"},
        {{"--tls-min", "1.3", "--tls-max", "1.2", URL}, "option '--tls-min' is above '--tls-max'"},
        {{"--tls-min", "2", URL},
         "option '--tls-min' wants one of any, 1.0, 1.1, 1.2, 1.3, not '2'"},
        {{"--seclevel", "6", URL}, "option '--seclevel' wants 0 to 5, not '6'"},
        {{"--tls-resume", "never", URL}, RESUME("never")},
        {{"--tls-resume", "mix:", URL}, RESUME("mix:")},
        {{"--tls-resume", "mix:80", URL}, RESUME("mix:80")},
        {{"--tls-resume", "mix:%", URL}, RESUME("mix:%")},
        {{"--tls-resume", "mix:101%", URL}, RESUME("mix:101%")},
        {{"--tls-resume", "mix:1000%", URL}, RESUME("mix:1000%")},
        {{"--tls-resume", "mix:-1%", URL}, RESUME("mix:-1%")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli;
        struct err_info why;
        size_t len = strlen(rows[i].message);

        EXPECT(parse(rows[i].words, &cli, &why) == ERR_USAGE);
        if (strncmp(why.message, rows[i].message, len) != 0) {
            (void)fprintf(stderr, "%s\n", why.message);
        }
        EXPECT(strncmp(why.message, rows[i].message, len) == 0);
        EXPECT(strcmp(why.message + len, " (see pelt --help)") == 0);
    }
}

int main(void)
{
    TEST(test_cli_tls_has_its_defaults);
    TEST(test_cli_tls_takes_every_option);
    TEST(test_cli_tls_takes_security_levels);
    TEST(test_cli_tls_goes_through_a_proxy_by_a_tunnel);
    TEST(test_cli_tls_says_what_is_wrong);
    return 0;
}
