/* The table of options, and what is made of it without parsing: the help, and guesses. */
#include "core/cli_options.h"

#include <string.h>

#include "core/base/nearest.h"

#define AT(member)      .offset = offsetof(struct cli_words, member)
#define TIME_OPTION_MAX UINT64_MAX /* units_parse_time_ns() has the bound. */

const char *const cli_io_names[] = {
    [PLAN_IO_AUTO] = "auto", [PLAN_IO_URING] = "uring", [PLAN_IO_EPOLL] = "epoll", NULL};

static const char *const arrivals_choices[] = {
    [PLAN_ARRIVALS_EVEN] = "even", [PLAN_ARRIVALS_POISSON] = "poisson", NULL};

static const char *const format_choices[] = {
    [CLI_FORMAT_TEXT] = "text", [CLI_FORMAT_WRK] = "wrk", NULL};

static const char *const shell_choices[] = {
    [CLI_BASH] = "bash", [CLI_ZSH] = "zsh", [CLI_FISH] = "fish", NULL};

static const char *const tls_choices[] = {
    [PLAN_TLS_ANY] = "any", [PLAN_TLS_1_0] = "1.0", [PLAN_TLS_1_1] = "1.1",
    [PLAN_TLS_1_2] = "1.2", [PLAN_TLS_1_3] = "1.3", NULL};

const struct cli_option cli_options[OPTION_COUNT] = {
    [OPTION_CONNECTIONS] = {"connections", "N", "connections, opened at the start and kept open",
                            "10", 1, PLAN_CONNECTIONS_MAX, AT(cli.plan.connections), CLI_U32,
                            CLI_LOAD, 'c', NULL},
    [OPTION_THREADS] = {"threads", "N", "worker threads, each pinned to a CPU",
                        "one per CPU allowed, at most one per connection to each host and port", 1,
                        PLAN_WORKERS_MAX, AT(cli.plan.workers), CLI_U32, CLI_LOAD, 't', NULL},
    [OPTION_DURATION] = {"duration", "TIME", "how long to send requests", "10s, with -n no bound",
                         1, TIME_OPTION_MAX, AT(cli.plan.duration_ns), CLI_TIME, CLI_LOAD, 'd',
                         NULL},
    [OPTION_REQUESTS] = {"requests", "N", "end after so many requests", "no bound", 1, INT64_MAX,
                         AT(cli.plan.requests_max), CLI_U64, CLI_LOAD, 'n', NULL},
    [OPTION_RATE] = {"rate", "R",
                     "requests per second, due at their time however fast answers come (an open "
                     "loop)",
                     "as fast as answers come", 0, PLAN_RATE_PER_S_MAX, AT(rate_per_s), CLI_RATE,
                     CLI_LOAD, 'R', NULL},
    [OPTION_STAGES] = {"stages", "[FROM:]OVER:TO,...",
                       "the same with a rate that goes from FROM (default: 0, then the last TO) to "
                       "TO in the time OVER, and so on; sets the duration",
                       NULL, 0, 0, AT(stages), CLI_TEXT, CLI_LOAD, 0, NULL},
    [OPTION_ARRIVALS] = {"arrivals", "KIND",
                         "even or poisson: requests of a rate are due at even steps or at random",
                         "even", 0, 0, AT(cli.plan.arrivals), CLI_CHOICE, CLI_LOAD, 0,
                         arrivals_choices},
    [OPTION_SEED] = {"seed", "N", "of what is random: the same seed gives the same moments", "1", 0,
                     INT64_MAX, AT(cli.plan.seed), CLI_U64, CLI_LOAD, 0, NULL},
    [OPTION_MAX_PENDING] = {"max-pending", "N",
                            "so many due requests may wait for a connection; more are not sent, "
                            "and counted as shed",
                            "1,000,000", 0, PLAN_PENDING_MAX, AT(cli.plan.max_pending), CLI_U64,
                            CLI_LOAD, 0, NULL},
    [OPTION_SPIN] = {"spin", NULL,
                     "do not sleep in the last 60 us before a request is due: costs CPU, and is "
                     "more punctual",
                     NULL, 0, 0, AT(cli.plan.spin), CLI_ON, CLI_LOAD, 0, NULL},
    [OPTION_WARMUP] = {"warmup", "TIME", "leave the first part of the run out of the figures",
                       "none", 0, TIME_OPTION_MAX, AT(cli.plan.warmup_ns), CLI_TIME, CLI_LOAD, 0,
                       NULL},
    [OPTION_MAX_CONNECTIONS] = {"max-connections", "N",
                                "never more connections than this at once, closing ones "
                                "included; with fewer than -c, requests wait for one",
                                "as -c", 1, PLAN_CONNECTIONS_MAX, AT(cli.plan.connections_max),
                                CLI_U32, CLI_LOAD, 0, NULL},
    [OPTION_WEIGHTS] = {"weights", "N,N,...",
                        "with several URLs: how often it is the turn of each; they take turns in "
                        "an order that keeps to it all the time",
                        "1 each", 0, 0, AT(weights), CLI_TEXT, CLI_LOAD, 0, NULL},
    [OPTION_PIPELINE] = {"pipeline", "N",
                         "requests that may be outstanding on a connection: each is sent without "
                         "waiting for the answers to those before it",
                         "1", 1, PLAN_PIPELINE_MAX, AT(cli.plan.pipeline), CLI_U32, CLI_LOAD, 0,
                         NULL},
    [OPTION_REQUESTS_PER_CONNECTION] = {"requests-per-connection", "N",
                                        "end a connection after so many requests, the last of "
                                        "which says 'Connection: close', and open another one",
                                        "no bound", 1, UINT32_MAX - 1,
                                        AT(cli.plan.max_requests_per_connection), CLI_U32, CLI_LOAD,
                                        0, NULL},
    [OPTION_NO_KEEPALIVE] = {"no-keepalive", NULL,
                             "a new connection for every request: as --requests-per-connection 1",
                             NULL, 0, 0, AT(no_keepalive), CLI_ON, CLI_LOAD, 0, NULL},
    [OPTION_CONNECT_RATE] = {"connect-rate", "R",
                             "at most R attempts to connect per second, evenly, over all threads; "
                             "requests wait for connections meanwhile",
                             "no bound", 0, PLAN_RATE_PER_S_MAX, AT(cli.plan.connect_rate_per_s),
                             CLI_RATE, CLI_LOAD, 0, NULL},
    [OPTION_NO_BATCH_WAIT] = {"no-batch-wait", NULL,
                              "never hold a completion back for up to 20 us to handle several at "
                              "once, as a saturated worker does",
                              NULL, 0, 0, AT(cli.plan.batch_wait), CLI_OFF, CLI_LOAD, 0, NULL},
    [OPTION_IO] = {"io", "ENGINE",
                   "auto, uring or epoll; auto takes epoll only where io_uring is not to be had",
                   "auto", 0, 0, AT(cli.plan.io), CLI_CHOICE, CLI_LOAD, 0, cli_io_names},
    [OPTION_SOURCE] = {"source", "A,B,C-D",
                       "local addresses that connections come from, in turn; also ranges such as "
                       "127.0.0.2-127.0.0.9",
                       "the kernel's choice", 0, 0, AT(source), CLI_TEXT, CLI_NETWORK, 0, NULL},
    [OPTION_RESOLVE] = {"resolve", "HOST:PORT:ADDR,...",
                        "take these addresses for HOST:PORT and ask nobody; may be given again",
                        NULL, 0, 0, AT(resolves), CLI_LIST, CLI_NETWORK, 0, NULL},
    [OPTION_RESOLVE_EVERY] = {"resolve-every", "TIME",
                              "look names up again so often; new connections go to what is found",
                              "once", 100 * NS_PER_MS, TIME_OPTION_MAX,
                              AT(cli.plan.net.resolve_every_ns), CLI_TIME, CLI_NETWORK, 0, NULL},
    [OPTION_UNIX] = {"unix", "PATH", "connect to this unix socket, whatever the URL's host", NULL,
                     0, 0, AT(cli.plan.net.unix_path), CLI_TEXT, CLI_NETWORK, 0, NULL},
    [OPTION_PROXY] = {"proxy", "URL",
                      "send requests by way of http://[USER:PASSWORD@]HOST:PORT; http_proxy and "
                      "the like in the environment are not looked at",
                      NULL, 0, 0, AT(proxy), CLI_TEXT, CLI_NETWORK, 0, NULL},
    [OPTION_PROXY_TUNNEL] = {"proxy-tunnel", NULL,
                             "have the proxy make a tunnel (CONNECT) for each connection", NULL, 0,
                             0, AT(cli.plan.net.proxy.tunnel), CLI_ON, CLI_NETWORK, 0, NULL},
    [OPTION_CACERT] = {"cacert", "FILE",
                       "trust the certificates in FILE (PEM): issuers, or the server's own",
                       "the system's roots", 0, 0, AT(cli.plan.tls.ca_file), CLI_TEXT, CLI_TLS, 0,
                       NULL},
    [OPTION_INSECURE] = {"insecure", NULL,
                         "trust every certificate, whoever issued it for whatever name", NULL, 0, 0,
                         AT(cli.plan.tls.insecure), CLI_ON, CLI_TLS, 'k', NULL},
    [OPTION_CRL] = {"crl", "FILE",
                    "revocation lists (PEM), one for every issuer of the chain; without them "
                    "revocation is not looked at",
                    NULL, 0, 0, AT(cli.plan.tls.crl_file), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_CERT] = {"cert", "FILE", "client certificate and its issuers (PEM)", NULL, 0, 0,
                     AT(cli.plan.tls.cert_file), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_KEY] = {"key", "FILE", "the key of that certificate (PEM)", "in the same file", 0, 0,
                    AT(cli.plan.tls.key_file), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_SNI] = {"sni", "NAME", "name to ask the server for, and to verify",
                    "the host of the url", 0, 0, AT(cli.plan.tls.sni), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_ALPN] = {"alpn", "A,B", "application protocols to offer, or none; spoken is HTTP/1.1",
                     "http/1.1", 0, 0, AT(cli.plan.tls.alpn), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_TLS_RESUME] = {"tls-resume", "HOW",
                           "tickets: new connections resume a session where they can; full: none "
                           "does; mix:80%: so many try to",
                           "tickets", 0, 0, AT(tls_resume), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_EARLY_DATA] = {"early-data", NULL,
                           "send the first request of a resumed connection in front of the "
                           "handshake, where the ticket allows it (TLS 1.3)",
                           NULL, 0, 0, AT(cli.plan.tls.early_data), CLI_ON, CLI_TLS, 0, NULL},
    [OPTION_TLS_MIN] = {"tls-min", "VERSION", "lowest TLS version: 1.0, 1.1, 1.2, 1.3 or any",
                        "1.2", 0, 0, AT(tls_min), CLI_CHOICE, CLI_TLS, 0, tls_choices},
    [OPTION_TLS_MAX] = {"tls-max", "VERSION", "highest TLS version", "any", 0, 0, AT(tls_max),
                        CLI_CHOICE, CLI_TLS, 0, tls_choices},
    [OPTION_CIPHERS] = {"ciphers", "LIST", "ciphers of TLS 1.2 and below, as openssl-ciphers(1)",
                        "OpenSSL's", 0, 0, AT(cli.plan.tls.ciphers), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_CIPHERSUITES] = {"ciphersuites", "LIST", "cipher suites of TLS 1.3", "OpenSSL's", 0, 0,
                             AT(cli.plan.tls.ciphersuites), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_GROUPS] = {"groups", "LIST", "key exchange groups, such as X25519:P-256", "OpenSSL's",
                       0, 0, AT(cli.plan.tls.groups), CLI_TEXT, CLI_TLS, 0, NULL},
    [OPTION_SECLEVEL] = {"seclevel", "N",
                         "OpenSSL's security level: 0 takes any key and digest, 2 none below 112 "
                         "bits",
                         "as OpenSSL is set up", 0, PLAN_TLS_SECLEVEL_MAX, AT(seclevel), CLI_U32,
                         CLI_TLS, 0, NULL},
    [OPTION_HEADER] = {"header", "'NAME: VALUE'", "add a header; may be given again", NULL, 0, 0,
                       AT(headers), CLI_LIST, CLI_REQUEST, 'H', NULL},
    [OPTION_METHOD] = {"method", "METHOD", "request method", "GET, with a body POST", 0, 0,
                       AT(method), CLI_TEXT, CLI_REQUEST, 'X', NULL},
    [OPTION_BODY] = {"body", "TEXT", "send TEXT as the body", NULL, 0, 0, AT(body), CLI_TEXT,
                     CLI_REQUEST, 0, NULL},
    [OPTION_BODY_FILE] = {"body-file", "FILE",
                          "send the contents of FILE, of any size, as the body", NULL, 0, 0,
                          AT(body_file), CLI_TEXT, CLI_REQUEST, 0, NULL},
    [OPTION_CHUNKED_BODY] = {"chunked-body", NULL,
                             "send the body in the chunked coding, its length not said before",
                             NULL, 0, 0, AT(chunked_body), CLI_ON, CLI_REQUEST, 0, NULL},
    [OPTION_EXPECT_CONTINUE] = {"expect-continue", NULL,
                                "send the body when the server has said 100 Continue to the head, "
                                "or nothing for a second; not when it has answered",
                                NULL, 0, 0, AT(cli.plan.expect_continue), CLI_ON, CLI_REQUEST, 0,
                                NULL},
    [OPTION_IDS] = {"ids", NULL, "give every request an X-Request-Id of its own", NULL, 0, 0,
                    AT(cli.plan.ids), CLI_ON, CLI_REQUEST, 0, NULL},
    [OPTION_READ_BODIES] = {"read-bodies", NULL,
                            "receive all of every body; without it the kernel may throw large "
                            "ones away once their length is known, and the report says so",
                            NULL, 0, 0, AT(cli.plan.read_bodies), CLI_ON, CLI_REQUEST, 0, NULL},
    [OPTION_TIMEOUT] = {"timeout", "TIME",
                        "for a request, from sent to its last byte; with a rate also "
                        "for how long it may wait to be sent",
                        "10s", 1, TIME_OPTION_MAX, AT(cli.plan.timeout_ns), CLI_TIME, CLI_DEADLINES,
                        'T', NULL},
    [OPTION_CONNECT_TIMEOUT] = {"connect-timeout", "TIME", "for a connection to be made", "as -T",
                                1, TIME_OPTION_MAX, AT(cli.plan.connect_timeout_ns), CLI_TIME,
                                CLI_DEADLINES, 0, NULL},
    [OPTION_TLS_TIMEOUT] = {"tls-timeout", "TIME", "for a TLS handshake, from connected on",
                            "as --connect-timeout", 1, TIME_OPTION_MAX, AT(cli.plan.tls.timeout_ns),
                            CLI_TIME, CLI_DEADLINES, 0, NULL},
    [OPTION_FIRST_BYTE_TIMEOUT] = {"first-byte-timeout", "TIME",
                                   "for a request, from sent to its first byte", "only -T", 1,
                                   TIME_OPTION_MAX, AT(cli.plan.first_byte_timeout_ns), CLI_TIME,
                                   CLI_DEADLINES, 0, NULL},
    [OPTION_DRAIN] = {"drain", "TIME", "how long answers are awaited after the end",
                      "as -T, with --format wrk 0", 0, TIME_OPTION_MAX, AT(cli.plan.drain_ns),
                      CLI_TIME, CLI_DEADLINES, 0, NULL},
    [OPTION_STRICT] = {"strict", NULL, "exit with status 98 when the client was the limit", NULL, 0,
                       0, AT(cli.strict), CLI_ON, CLI_OUTPUT, 0, NULL},
    [OPTION_LATENCY] = {"latency", NULL, "print the full latency spectrum", NULL, 0, 0,
                        AT(cli.spectrum), CLI_ON, CLI_OUTPUT, 'L', NULL},
    [OPTION_FORMAT] = {"format", "FORM",
                       "text, or wrk: the report as wrk prints it; certificates are then not "
                       "verified either unless --cacert or --crl is given",
                       "text", 0, 0, AT(cli.format), CLI_CHOICE, CLI_OUTPUT, 0, format_choices},
    [OPTION_WRK_STATS] = {"wrk-stats", NULL,
                          "latencies of that report by wrk's arithmetic, which leaves timeouts out "
                          "and adds samples that nobody measured",
                          NULL, 0, 0, AT(cli.wrk.corrected), CLI_ON, CLI_OUTPUT, 0, NULL},
    [OPTION_JSON] = {"json", "FILE",
                     "write the results as JSON; '-' is stdout, which then carries nothing else",
                     NULL, 0, 0, AT(cli.json_path), CLI_TEXT, CLI_OUTPUT, 0, NULL},
    [OPTION_CSV] = {"csv", "FILE",
                    "write a row of figures per second as comma-separated values, as the run goes "
                    "on",
                    NULL, 0, 0, AT(cli.csv_path), CLI_TEXT, CLI_OUTPUT, 0, NULL},
    [OPTION_HDR] = {"hdr", "FILE",
                    "write the latencies of each second as an HdrHistogram log (version 1.3), "
                    "tagged from_due and from_sent",
                    NULL, 0, 0, AT(cli.hdr_path), CLI_TEXT, CLI_OUTPUT, 0, NULL},
    [OPTION_REQUESTS_OUT] = {"requests-out", "FILE",
                             "write a row per request as comma-separated values, after the run; "
                             "for short ones",
                             NULL, 0, 0, AT(cli.requests_path), CLI_TEXT, CLI_OUTPUT, 0, NULL},
    [OPTION_REQUESTS_OUT_MAX] = {"requests-out-max", "N",
                                 "so many rows at most, 48 bytes of memory each; later ones are "
                                 "only counted",
                                 "1,000,000", 1, PLAN_ROWS_MAX, AT(cli.plan.rows_max), CLI_U64,
                                 CLI_OUTPUT, 0, NULL},
    [OPTION_QUIET] = {"quiet", NULL, "nothing on stderr but errors", NULL, 0, 0, AT(cli.quiet),
                      CLI_ON, CLI_OUTPUT, 'q', NULL},
    [OPTION_VERBOSE] = {"verbose", NULL, "say more on stderr about what is done", NULL, 0, 0,
                        AT(cli.verbose), CLI_ON, CLI_OUTPUT, 'v', NULL},
    [OPTION_HELP] = {"help", NULL, "print this and exit", NULL, 0, 0, AT(cli.help), CLI_ON,
                     CLI_OUTPUT, 'h', NULL},
    [OPTION_VERSION] = {"version", NULL, "print the version and exit", NULL, 0, 0, AT(cli.version),
                        CLI_ON, CLI_OUTPUT, 0, NULL},
    [OPTION_COMPLETIONS] = {"completions", "SHELL",
                            "print completions for bash, zsh or fish and exit", NULL, 0, 0,
                            AT(cli.shell), CLI_CHOICE, CLI_OUTPUT, 0, shell_choices},
    [OPTION_MAN] = {"man", NULL, "print the manual page and exit; see it with 'man -l -'", NULL, 0,
                    0, AT(cli.man), CLI_ON, CLI_OUTPUT, 0, NULL},
};

const struct cli_option *cli_option_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option *option = &cli_options[i];

        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0) return option;
    }
    return NULL;
}

const struct cli_option *cli_option_by_letter(char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (letter != 0 && cli_options[i].letter == letter) return &cli_options[i];
    }
    return NULL;
}

const struct cli_option *cli_option_like(const char *name, size_t len)
{
    struct nearest nearest = nearest_to(name, len);
    const struct cli_option *best = NULL;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (nearest_offer(&nearest, cli_options[i].name)) best = &cli_options[i];
    }
    return best;
}
