/* The command line of the test target: one table row per option drives parser and help. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/units.h"
#include "core/serve.h"
#include "core/serve_fault.h"
#include "io/cpu.h"

enum { EXIT_CODE_ERROR = 1, EXIT_CODE_USAGE = 64, POINT_TEXT_MAX = 64 };

/* A copy of `len` bytes of `from`, terminated; false if they do not fit. */
static bool copy_part(char *to, size_t room, const char *from, size_t len)
{
    if (len >= room) return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

/* "90%=1ms" */
static bool parse_point(const char *text, size_t len, double *ret_share, uint64_t *ret_ns)
{
    char copy[POINT_TEXT_MAX];
    char *percent;
    double share;

    if (!copy_part(copy, sizeof(copy), text, len)) return false;
    percent = strstr(copy, "%=");
    if (percent == NULL || strspn(copy, "0123456789.") != (size_t)(percent - copy)) return false;
    *percent = '\0';
    if (!units_parse_rate(copy, &share) || share > 100.0) return false;
    *ret_share = share / 100.0;
    return units_parse_time_ns(percent + 2, ret_ns);
}

/* "90%=1ms,10%=1s": shares that add up to the whole. */
static bool parse_points(const char *text, struct serve_delay *delay)
{
    double below = 0.0, share;

    for (;;) {
        size_t len = strcspn(text, ",");
        uint32_t at = delay->points_count;

        if (at == SERVE_DELAY_POINTS_MAX) return false;
        if (!parse_point(text, len, &share, &delay->points[at].ns)) return false;
        below += share;
        delay->points[at].below = below;
        delay->points_count++;
        if (text[len] == '\0') break;
        text += len + 1;
    }
    if (fabs(below - 1.0) > 1e-9) return false;
    delay->points[delay->points_count - 1].below = 1.0;
    return delay->points_count == 2;
}

/* "1ms..5ms" */
static bool parse_range(const char *text, struct serve_delay *delay)
{
    const char *dots = strstr(text, "..");
    char from[POINT_TEXT_MAX];

    return dots != NULL && copy_part(from, sizeof(from), text, (size_t)(dots - text)) &&
           units_parse_time_ns(from, &delay->from_ns) &&
           units_parse_time_ns(dots + 2, &delay->to_ns) && delay->from_ns <= delay->to_ns;
}

bool serve_delay_parse(const char *text, struct serve_delay *ret_delay)
{
    struct serve_delay delay = {0};
    const char *value = strchr(text, ':');
    bool right = false;

    if (value == NULL) return false;
    value++;
    if (strncmp(text, "const:", 6) == 0) {
        right = units_parse_time_ns(value, &delay.from_ns);
        delay.to_ns = delay.from_ns;
    } else if (strncmp(text, "two-point:", 10) == 0) {
        right = parse_points(value, &delay);
    } else if (strncmp(text, "uniform:", 8) == 0) {
        right = parse_range(value, &delay);
    }
    if (right) *ret_delay = delay;
    return right;
}

bool serve_delay_is_set(const struct serve_delay *delay)
{
    return delay->points_count > 0 || delay->to_ns > 0;
}

uint64_t serve_delay_draw(const struct serve_delay *delay, struct rng *rng)
{
    double draw;
    uint32_t at = 0;

    if (delay->points_count == 0) {
        if (delay->from_ns == delay->to_ns) return delay->from_ns;
        return delay->from_ns + rng_below(rng, delay->to_ns - delay->from_ns + 1);
    }
    draw = rng_double(rng);
    while (at + 1 < delay->points_count && draw >= delay->points[at].below) {
        at++;
    }
    return delay->points[at].ns;
}

/* "5s@3s" */
static bool parse_freeze(const char *text, struct serve_options *options)
{
    const char *at = strchr(text, '@');
    char length[POINT_TEXT_MAX];

    return at != NULL && copy_part(length, sizeof(length), text, (size_t)(at - text)) &&
           units_parse_time_ns(length, &options->freeze_ns) &&
           units_parse_time_ns(at + 1, &options->freeze_at_ns);
}

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    uint64_t number;

    if (!units_parse_count(text, &number) || number < min || number > max) return false;
    *ret_number = number;
    return true;
}

/* "0,2-3" */
static bool parse_cpus(const char *text, struct serve_options *options)
{
    options->cpus_count = 0;
    for (;;) {
        char *end;
        unsigned long from, to;

        if (*text < '0' || *text > '9') return false;
        from = to = strtoul(text, &end, 10);
        if (*end == '-') {
            if (end[1] < '0' || end[1] > '9') return false;
            to = strtoul(end + 1, &end, 10);
        }
        if (to >= CPUS_MAX || to < from) return false;
        for (unsigned long cpu = from; cpu <= to; cpu++) {
            if (options->cpus_count == SERVE_THREADS_MAX) return false;
            options->cpus[options->cpus_count++] = (uint32_t)cpu;
        }
        if (*end == '\0') return true;
        if (*end != ',') return false;
        text = end + 1;
    }
}

static bool parse_engine(const char *text, struct serve_options *options)
{
    static const struct {
        const char *name;
        enum ring_engine engine;
    } engines[] = {{"auto", RING_AUTO}, {"uring", RING_URING}, {"epoll", RING_EPOLL}};

    for (size_t i = 0; i < COUNT(engines); i++) {
        if (strcmp(text, engines[i].name) == 0) {
            options->engine = engines[i].engine;
            return true;
        }
    }
    return false;
}

enum option_id {
    OPTION_PORT,
    OPTION_THREADS,
    OPTION_BIND,
    OPTION_CPU,
    OPTION_DELAY,
    OPTION_FREEZE,
    OPTION_REQUESTS_MAX,
    OPTION_CONNECTIONS_MAX,
    OPTION_LOG_IDS,
    OPTION_PORT_FILE,
    OPTION_IO,
    OPTION_TLS,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_SAVE_CERT,
    OPTION_NO_TICKETS,
    OPTION_QUIET,
    OPTION_HELP
};

static const struct option {
    const char *name;
    const char *value; /* What it is called in the help; NULL: the option takes none. */
    const char *help;
    enum option_id id;
} options_table[] = {
    {"--port", "P", "port to listen on; 0 takes any free one (8080)", OPTION_PORT},
    {"--threads", "N", "serving threads, each pinned to a processor (1, not pinned)",
     OPTION_THREADS},
    {"--bind", "ADDR", "numeric address to listen on (127.0.0.1)", OPTION_BIND},
    {"--cpu", "LIST", "processors to pin the threads to, as 0,2-3", OPTION_CPU},
    {"--delay", "D",
     "before every answer: const:2ms, uniform:1ms..5ms, or two-point:90%=1ms,10%=1s", OPTION_DELAY},
    {"--freeze", "T@AT", "answer nothing for T, from AT after the first request: 5s@3s",
     OPTION_FREEZE},
    {"--max-requests-per-connection", "N", "answer the Nth with Connection: close, and close",
     OPTION_REQUESTS_MAX},
    {"--max-connections", "N", "per thread; one more is closed at once (32767)",
     OPTION_CONNECTIONS_MAX},
    {"--log-ids", "FILE", "a line 'ID STATUS' per answer to a request with X-Request-Id",
     OPTION_LOG_IDS},
    {"--port-file", "FILE", "write the port there once we listen", OPTION_PORT_FILE},
    {"--io", "ENGINE", "auto, uring or epoll (auto)", OPTION_IO},
    {"--tls", NULL, "speak TLS, with a certificate for localhost that is made at the start",
     OPTION_TLS},
    {"--cert", "FILE", "with --tls: the certificate and its issuers (PEM) in its place",
     OPTION_CERT},
    {"--key", "FILE", "the key of that certificate (in the same file)", OPTION_KEY},
    {"--save-cert", "FILE", "with --tls: write the certificate that was made there",
     OPTION_SAVE_CERT},
    {"--no-tickets", NULL, "with --tls: no session can be resumed", OPTION_NO_TICKETS},
    {"--quiet", NULL, "print nothing but errors", OPTION_QUIET},
    {"--help", NULL, "this text", OPTION_HELP},
};

bool serve_option_at(size_t n, struct serve_text *ret_option)
{
    const struct option *option = &options_table[n];

    if (n >= COUNT(options_table)) return false;
    *ret_option =
        (struct serve_text){.name = option->name, .value = option->value, .help = option->help};
    return true;
}

static const struct serve_text routes[] = {
    {"/", NULL, "2 bytes, 'ok'"},
    {"/bytes/N", NULL, "N bytes, up to 1 GiB"},
    {"/chunked/N", NULL, "N bytes in chunks of 4096"},
    {"/status/N", NULL, "that status, 200 to 999"},
    {"/delay/MS", NULL, "'ok' after so many milliseconds"},
    {"/close", NULL, "'ok', and the connection is closed"},
    {"/echo", NULL, "the body of the request, up to 1 MiB, else 413"},
};

bool serve_route_at(size_t n, struct serve_text *ret_route)
{
    if (n >= COUNT(routes)) return false;
    *ret_route = routes[n];
    return true;
}

/* Sets one option; false if its value is wrong. */
static bool set_option(struct serve_options *options, enum option_id id, const char *value)
{
    uint64_t number = 0;
    bool right = true;

    switch (id) {
    case OPTION_PORT:
        right = parse_number(value, 0, UINT16_MAX, &number);
        options->port = (uint16_t)number;
        return right;
    case OPTION_THREADS:
        right = parse_number(value, 1, SERVE_THREADS_MAX, &number);
        options->threads = (uint32_t)number;
        return right;
    case OPTION_REQUESTS_MAX: return parse_number(value, 1, UINT32_MAX, &options->requests_max);
    case OPTION_CONNECTIONS_MAX:
        return parse_number(value, 1, SERVE_CONNECTIONS_MAX, &options->connections_max);
    case OPTION_BIND: options->bind = value; return true;
    case OPTION_CPU: return parse_cpus(value, options);
    case OPTION_DELAY: return serve_delay_parse(value, &options->delay);
    case OPTION_FREEZE: return parse_freeze(value, options);
    case OPTION_LOG_IDS: options->log_ids = value; return true;
    case OPTION_PORT_FILE: options->port_file = value; return true;
    case OPTION_IO: return parse_engine(value, options);
    case OPTION_TLS: options->tls = true; return true;
    case OPTION_CERT: options->tls_cert = value; return true;
    case OPTION_KEY: options->tls_key = value; return true;
    case OPTION_SAVE_CERT: options->tls_save_cert = value; return true;
    case OPTION_NO_TICKETS: options->tls_no_tickets = true; return true;
    case OPTION_QUIET: options->quiet = true; return true;
    case OPTION_HELP: options->help = true; return true;
    }
    return false;
}

/* The row whose name is `text`, or its part before '='; then `*ret_value` is what follows. */
static const struct option *find_option(const char *text, const char **ret_value)
{
    size_t len = strcspn(text, "=");

    for (size_t i = 0; i < COUNT(options_table); i++) {
        const char *name = options_table[i].name;

        if (strlen(name) == len && memcmp(name, text, len) == 0) {
            *ret_value = text[len] == '=' ? text + len + 1 : NULL;
            return &options_table[i];
        }
    }
    return NULL;
}

/* Threads that were asked for by number are pinned, one processor each, in turn. */
static void choose_cpus(struct serve_options *options)
{
    uint32_t allowed[CPUS_MAX];
    uint32_t count = cpu_allowed(allowed, CPUS_MAX);

    options->cpus_count = (uint32_t)min_u64(count, SERVE_THREADS_MAX);
    memcpy(options->cpus, allowed, options->cpus_count * sizeof(allowed[0]));
}

/* What TLS options ask of each other. */
static enum err check_tls(const struct serve_options *options, struct err_info *why)
{
    bool others =
        options->tls_cert != NULL || options->tls_save_cert != NULL || options->tls_no_tickets;

    if (options->tls_key != NULL && options->tls_cert == NULL) {
        return err_set(why, ERR_USAGE, 0, "'--key' wants a '--cert'");
    }
    if (others && !options->tls) {
        return err_set(why, ERR_USAGE, 0,
                       "'--cert', '--save-cert' and '--no-tickets' want '--tls'");
    }
    if (options->tls_cert != NULL && options->tls_save_cert != NULL) {
        return err_set(why, ERR_USAGE, 0, "'--cert' and '--save-cert' exclude each other");
    }
    return ERR_OK;
}

enum err serve_options_parse(struct serve_options *ret_options, int argc, char **argv,
                             struct err_info *why)
{
    struct serve_options options = {.bind = "127.0.0.1", .port = 8080};
    enum err err;

    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        const struct option *option = find_option(argv[i], &value);

        if (option == NULL) {
            return err_set(why, ERR_USAGE, 0, "unknown argument '%s'; see 'pelt serve --help'",
                           argv[i]);
        }
        if (option->value == NULL && value != NULL) {
            return err_set(why, ERR_USAGE, 0, "'%s' takes no value", option->name);
        }
        if (option->value != NULL && value == NULL) {
            if (i + 1 == argc) {
                return err_set(why, ERR_USAGE, 0, "'%s' needs a value: %s %s", option->name,
                               option->name, option->value);
            }
            value = argv[++i];
        }
        if (!set_option(&options, option->id, value == NULL ? "" : value)) {
            return err_set(why, ERR_USAGE, 0, "'%s' is no value for '%s': %s", value, option->name,
                           option->help);
        }
    }
    if (options.cpus_count == 0 && options.threads > 0) choose_cpus(&options);
    if (options.threads == 0) options.threads = 1;
    err = check_tls(&options, why);
    if (err == ERR_OK) *ret_options = options;
    return err;
}

static void print_help(void)
{
    char left[64];

    (void)printf("Usage: pelt serve [OPTION]...\n"
                 "An HTTP/1.1 server to test against, as fast as a core can be: a test target, no "
                 "product server.\n\nOptions:\n");
    for (size_t i = 0; i < COUNT(options_table); i++) {
        const struct option *option = &options_table[i];

        (void)snprintf(left, sizeof(left), "%s %s", option->name,
                       option->value == NULL ? "" : option->value);
        (void)printf("  %-34s %s\n", left, option->help);
    }
    (void)printf("\nPaths (any method; HEAD leaves the body out; others are 404):\n");
    for (size_t i = 0; i < COUNT(routes); i++) {
        (void)printf("  %-34s %s\n", routes[i].name, routes[i].help);
    }
    (void)printf("\nPaths that misbehave:\n");
    for (uint64_t n = 0; serve_fault_at(n) != NULL; n++) {
        (void)snprintf(left, sizeof(left), "/fault/%s", serve_fault_at(n)->name);
        (void)printf("  %-34s %s\n", left, serve_fault_at(n)->help);
    }
    (void)printf("\nSIGINT or SIGTERM ends it; the totals go to standard error. Of pipelined "
                 "requests each\nwaits for the answer before it, delays included.\n");
}

int serve_main(int argc, char **argv)
{
    struct serve_options options = {0};
    struct err_info why = {0};
    enum err err;

    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    err = serve_options_parse(&options, argc, argv, &why);
    if (err == ERR_OK && options.help) {
        print_help();
        return 0;
    }
    if (err == ERR_OK) err = serve_run(&options, &why);
    if (err == ERR_OK) return 0;
    (void)fprintf(stderr, "pelt serve: %s\n", why.message);
    return err == ERR_USAGE ? EXIT_CODE_USAGE : EXIT_CODE_ERROR;
}
