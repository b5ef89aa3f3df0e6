#include "core/cli_wrk.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/cli_build.h"
#include "core/exit.h"
#include "core/version.h"
#include "core/wrk_target.h"
#include "io/reach.h"

/* The words of the line. */
struct wrk_line {
    uint64_t connections, threads, duration_s, timeout_s;
    const char *url;      /* NULL: none. */
    const char **headers; /* [headers_count], with room for all words. */
    uint32_t headers_count;
    const char *json_path;
    bool distribution, verbose, corrected;
};

enum { WRK_JSON = 256, WRK_VERBOSE, WRK_STATS }; /* Options of ours, which have no letters. */

/* "--v" to "--ver" are wrk's, which knows no other option that begins so. */
static const struct option long_options[] = {
    {"connections", required_argument, NULL, 'c'},
    {"duration", required_argument, NULL, 'd'},
    {"threads", required_argument, NULL, 't'},
    {"script", required_argument, NULL, 's'},
    {"header", required_argument, NULL, 'H'},
    {"latency", no_argument, NULL, 'L'},
    {"timeout", required_argument, NULL, 'T'},
    {"help", no_argument, NULL, '?'},
    {"version", no_argument, NULL, 'v'},
    {"v", no_argument, NULL, 'v'},
    {"ve", no_argument, NULL, 'v'},
    {"ver", no_argument, NULL, 'v'},
    {"json", required_argument, NULL, WRK_JSON},
    {"verbose", no_argument, NULL, WRK_VERBOSE},
    {"wrk-stats", no_argument, NULL, WRK_STATS},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "Usage: wrk <options> <url>\n"
    "  Options:\n"
    "    -c, --connections <N>  connections over all threads (10)\n"
    "    -d, --duration    <T>  length of the test (10s)\n"
    "    -t, --threads     <N>  threads (2)\n"
    "    -H, --header      <H>  'Name: value' to send; may be given again\n"
    "    -L, --latency          print the latency distribution\n"
    "    -T, --timeout     <T>  answers that take so long count as timeouts (2s)\n"
    "    -v, --version          print the version\n"
    "  Options that wrk does not have (this is pelt under its name):\n"
    "        --json     <FILE>  write all results as JSON\n"
    "        --verbose          print pelt's own report to stderr, too\n"
    "        --wrk-stats        latencies by wrk's arithmetic, corrected and cut off\n"
    "\n"
    "  N may have one of the units k, M, G, T, P (1k is 1000), T one of s, m, h.\n";

bool cli_is_wrk(const char *name)
{
    const char *slash = name == NULL ? NULL : strrchr(name, '/');

    return name != NULL && strcmp(slash == NULL ? name : slash + 1, "wrk") == 0;
}

/* Reads a whole number and perhaps a unit: one letter, in either case, each the scale times the one
 * before it; the first of `units` is 1. Spaces may stand in front of both. */
static bool parse_scaled(const char *text, const char *units, uint64_t scale, uint64_t *ret_value)
{
    unsigned long long value;
    const char *at;
    char *end;

    text += strspn(text, " ");
    if (!isdigit((unsigned char)text[text[0] == '+'])) return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0) return false;
    at = end + strspn(end, " ");
    if (*at != '\0') {
        const char *unit = strchr(units, tolower((unsigned char)*at));

        if (unit == NULL || (at[1] != '\0' && at[1] != ' ')) return false;
        for (; unit > units; unit--) {
            if (__builtin_mul_overflow(value, scale, &value)) return false;
        }
    }
    *ret_value = value;
    return true;
}

static bool parse_count(const char *text, uint64_t *ret_count)
{
    return parse_scaled(text, " kmgtp", 1000, ret_count);
}

static bool parse_seconds(const char *text, uint64_t *ret_seconds)
{
    return parse_scaled(text, "smh", 60, ret_seconds);
}

/* One option; false when the line is wrong, or help is wanted. */
static bool take_option(struct wrk_line *line, int option)
{
    switch (option) {
    case 'c': return parse_count(optarg, &line->connections);
    case 't': return parse_count(optarg, &line->threads);
    case 'd': return parse_seconds(optarg, &line->duration_s);
    case 'T': return parse_seconds(optarg, &line->timeout_s);
    case 'H': line->headers[line->headers_count++] = optarg; return true;
    case 'L': line->distribution = true; return true;
    case 'v':
        (void)printf("wrk pelt/%s [epoll] Copyright (C) 2012 Will Glozer\n", pelt_version);
        (void)fflush(stdout); /* What follows is written past stdio. */
        return true;
    case WRK_JSON: line->json_path = optarg; return true;
    case WRK_VERBOSE: line->verbose = true; return true;
    case WRK_STATS: line->corrected = true; return true;
    default: return false;
    }
}

static int print_usage(void)
{
    (void)fputs(usage, stdout);
    return fflush(stdout) == 0 ? CLI_WRK_WRONG : EXIT_CODE_OUTPUT;
}

/* Reads the options; -1 or the exit status. */
static int read_options(struct wrk_line *line, int argc, char **argv)
{
    int option;

    optind = 0; /* From the start, also the second time (getopt_long(3)). */
    while ((option = getopt_long(argc, argv, "t:c:s:d:H:T:Lrv?", long_options, NULL)) != -1) {
        if (option == 's') {
            (void)fprintf(stderr,
                          "wrk: this build runs no scripts (it has no LuaJIT); leave '-s %s' "
                          "away\n",
                          optarg);
            return CLI_WRK_WRONG;
        }
        if (!take_option(line, option)) return print_usage();
    }
    if (optind < argc) line->url = argv[optind];
    if (line->url == NULL || line->threads == 0 || line->duration_s == 0) return print_usage();
    return -1;
}

/* Puts the headers that wrk would send into the words. */
static bool add_headers(struct cli_words *words, const struct wrk_line *line,
                        const struct wrk_target *target, struct arena *scratch)
{
    struct cli_list *list = &words->headers;
    struct text host;
    bool has_host = false;

    for (uint32_t i = 0; i < line->headers_count; i++) {
        const char *header = line->headers[i];
        size_t len = strcspn(header, ":");
        uint32_t at = 0;

        if (header[len] == '\0' || header[len + 1] != ' ') continue;
        if (len == strlen("Content-Length") && memcmp(header, "Content-Length", len) == 0) continue;
        has_host |= len == strlen("Host") && strncasecmp(header, "Host", len) == 0;
        while (at < list->count && strncmp(list->items[at], header, len + 1) != 0) {
            at++;
        }
        list->items[at] = header;
        list->count = max_u32(list->count, at + 1);
    }
    if (has_host) return true;
    text_init(&host, scratch);
    text_printf(&host, "Host: %s", target->host_field);
    if (host.failed) return false;
    list->items[list->count++] = host.data;
    return true;
}

/* Puts the URL into the words, with the port that the address has, and, so that nobody has to be
 * asked again, what its name means. */
static bool add_url(struct cli_words *words, const struct wrk_target *target,
                    const struct address *address, struct arena *scratch)
{
    const char *open = target->bracketed ? "[" : "", *close = target->bracketed ? "]" : "";
    char full[RESOLVE_TEXT_MAX], host[RESOLVE_TEXT_MAX];
    const char *port = strrchr(resolve_text(address, full), ':') + 1;
    struct text url, resolve;

    text_init(&url, scratch);
    text_init(&resolve, scratch);
    text_printf(&url, "%s://%s%s%s:%s%s", target->tls ? "https" : "http", open, target->host, close,
                port, target->path);
    text_printf(&resolve, "%s:%s:%s", target->host, port, resolve_text_host(address, host));
    if (url.failed || resolve.failed) return false;
    words->urls[words->urls_count++] = (struct cli_url){.text = url.data, .path = target->path};
    if (!net_is_literal(target->host)) {
        words->resolves.items[words->resolves.count++] = resolve.data;
    }
    return true;
}

/* What wrk's line means in the words of ours. */
static void set_words(struct cli_words *words, const struct wrk_line *line)
{
    static const enum cli_option_id given[] = {OPTION_THREADS, OPTION_DURATION, OPTION_DRAIN};
    uint64_t seconds_max = INT64_MAX / NS_PER_S / 2;
    struct plan *plan = &words->cli.plan;

    for (size_t i = 0; i < COUNT(given); i++) {
        words->given[given[i]] = true;
    }
    plan->workers = (uint32_t)line->threads;
    plan->connections = (uint32_t)(line->connections / line->threads * line->threads);
    plan->duration_ns = min_u64(line->duration_s, seconds_max) * NS_PER_S;
    /* Nothing is given up before the end, where nothing is waited for. */
    plan->timeout_ns = plan->duration_ns + NS_PER_S;
    plan->drain_ns = 0;
    plan->late_ns = max_u64(1, min_u64(line->timeout_s, seconds_max) * NS_PER_S);
    plan->tls.alpn = "none";
    words->cli.json_path = line->json_path;
    words->cli.verbose = line->verbose;
    words->cli.terse = !line->verbose;
    words->cli.format = CLI_FORMAT_WRK;
    words->cli.as_wrk = true;
    words->cli.wrk = (struct report_wrk){.url = line->url,
                                         .threads = line->threads,
                                         .connections = line->connections,
                                         .duration_ns = plan->duration_ns,
                                         .timeout_ns = plan->late_ns,
                                         .distribution = line->distribution,
                                         .corrected = line->corrected};
}

static int refuse(enum err err, const struct err_info *why)
{
    (void)fprintf(stderr, err == ERR_NETWORK || err == ERR_RESOLVE ? "%s\n" : "wrk: %s\n",
                  why->message);
    return CLI_WRK_WRONG;
}

/* What wrk checks before it looks the host up; -1 or the exit status. */
static int check_line(const struct wrk_line *line, struct arena *scratch,
                      struct wrk_target *ret_target)
{
    if (!wrk_target_parse(scratch, line->url, ret_target)) {
        (void)fprintf(stderr, "invalid URL: %s\n", line->url);
        return print_usage();
    }
    if (line->connections < line->threads || line->connections == 0) {
        (void)fprintf(stderr, "number of connections must be >= threads\n");
        return print_usage();
    }
    if (line->threads > PLAN_WORKERS_MAX) {
        (void)fprintf(stderr, "unable to create thread %d: no more than %d are possible\n",
                      PLAN_WORKERS_MAX + 1, PLAN_WORKERS_MAX);
        return CLI_WRK_THREADS;
    }
    if (line->connections > PLAN_CONNECTIONS_MAX) {
        (void)fprintf(stderr, "wrk: no more than %d connections are possible\n",
                      PLAN_CONNECTIONS_MAX);
        return CLI_WRK_WRONG;
    }
    return -1;
}

/* From the line to the plan; -1 or the exit status. */
static int build(struct cli_words *words, const struct wrk_line *line, uint32_t cpus,
                 struct arena *scratch)
{
    struct wrk_target target;
    struct address address;
    struct err_info why;
    int code = check_line(line, scratch, &target);
    enum err err;

    if (code != -1) return code;
    err = reach(target.host, target.service, &address, &why);
    if (err != ERR_OK) return refuse(err, &why);
    set_words(words, line);
    if (!add_url(words, &target, &address, scratch) ||
        !add_headers(words, line, &target, scratch)) {
        err = err_set(&why, ERR_MEMORY, 0, "no memory for the command line");
    } else {
        err = cli_build(words, cpus, scratch, &why);
    }
    return err == ERR_OK ? -1 : refuse(err, &why);
}

int cli_wrk_parse(int argc, char **argv, uint32_t cpus, struct cli *ret_cli)
{
    struct wrk_line line = {.connections = 10, .threads = 2, .duration_s = 10, .timeout_s = 2};
    struct cli_words words = {.method = NULL};
    struct arena scratch;
    int code = CLI_WRK_WRONG;

    arena_init(&scratch, PLAN_ARENA_BYTES_MAX);
    plan_init(&words.cli.plan);
    line.headers = arena_array(&scratch, (size_t)argc, sizeof(*line.headers));
    if (line.headers != NULL && cli_words_init(&words, argc, &scratch)) {
        code = read_options(&line, argc, argv);
        if (code == -1) code = build(&words, &line, cpus, &scratch);
    } else {
        (void)fprintf(stderr, "wrk: no memory for the command line\n");
    }
    arena_release(&scratch);
    if (code == -1) {
        *ret_cli = words.cli;
    } else {
        plan_release(&words.cli.plan);
    }
    return code;
}
