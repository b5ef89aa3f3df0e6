/* Command lines, right and wrong: what they mean, and word by word what is said of them. */
#include "core/cli.h"

#include <string.h>
#include <unistd.h>

#include "core/cli_options.h"
#include "core/exit.h"
#include "tests/golden.h"
#include "tests/test.h"

#define URL "http://h/"
#define STAGES(text)                                                                        \
    "option '--stages' wants stages such as 30s:50k or 10k:1m:50k, rates of at most 100M, " \
    "not '" text "'"
#define RATE(text) "option '-R' wants a rate such as 50, 0.5 or 10k, at most 100M, not '" text "'"
#define TOO_LOW                                                                               \
    "the rate is too low for one request in the time of the run; raise the rate, or give it " \
    "longer"
#define WARMUP "option '--warmup' wants a time shorter than that of the run, of which it is a part"
#define FULL   "options '--body' and '--body-file' exclude each other"

enum { WORDS_MAX = 12, CPUS = 4 };

/* Parses "pelt" and `words`, up to the first NULL. */
static enum err parse(const char *const words[WORDS_MAX], struct cli *ret_cli, struct err_info *why)
{
    static char copies[WORDS_MAX + 1][256];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;

    (void)snprintf(copies[0], sizeof(copies[0]), "pelt");
    *why = (struct err_info){.code = ERR_OK};
    while (argc <= WORDS_MAX && words[argc - 1] != NULL) {
        (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
        argc++;
    }
    return cli_parse(argc, argv, CPUS, ret_cli, why);
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

static void test_cli_has_its_defaults(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){URL});

    EXPECT(cli.plan.connections == 10);
    EXPECT(cli.plan.connections_max == 0);
    EXPECT(cli.plan.workers == CPUS);
    EXPECT(cli.plan.pipeline == 1);
    EXPECT(cli.plan.duration_ns == 10 * NS_PER_S);
    EXPECT(cli.plan.requests_max == 0);
    EXPECT(cli.plan.timeout_ns == 10 * NS_PER_S);
    EXPECT(cli.plan.connect_timeout_ns == 10 * NS_PER_S);
    EXPECT(cli.plan.first_byte_timeout_ns == 0);
    EXPECT(cli.plan.drain_ns == 10 * NS_PER_S);
    EXPECT(cli.plan.max_requests_per_connection == 0);
    EXPECT(!cli.plan.ids);
    EXPECT(cli.plan.batch_wait);
    EXPECT(!cli.plan.open_loop);
    EXPECT(cli.plan.stages_count == 0);
    EXPECT(cli.plan.arrivals == PLAN_ARRIVALS_EVEN);
    EXPECT(cli.plan.seed == 1);
    EXPECT(cli.plan.max_pending == 1000000);
    EXPECT(cli.plan.warmup_ns == 0);
    EXPECT(!cli.plan.spin);
    EXPECT(!cli.strict);
    EXPECT(cli.json_path == NULL);
    EXPECT(cli.csv_path == NULL);
    EXPECT(cli.hdr_path == NULL);
    EXPECT(cli.requests_path == NULL);
    EXPECT(cli.plan.rows_max == 0);
    EXPECT(!cli.spectrum);
    EXPECT(!cli.quiet);
    EXPECT(!cli.verbose);
    EXPECT(!cli.help);
    EXPECT(!cli.version);
    EXPECT(cli.plan.targets_count == 1);
    EXPECT(strcmp(cli.plan.targets[0].url, URL) == 0);
    EXPECT(cli.plan.requests_count == 1);
    EXPECT(strcmp(cli.plan.requests[0].bytes, "GET / HTTP/1.1\r\nHost: h\r\n\r\n") == 0);
    cli_release(&cli);
    cli_release(&cli);
}

static void test_cli_takes_every_option(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){
        "--connections=64", "--threads=2", "--duration=1m30s", "--requests=10k", "--timeout=2s",
        "--latency", "--max-connections=32", "--json=-", "--quiet", URL});

    EXPECT(cli.plan.connections == 64);
    EXPECT(cli.plan.workers == 2);
    EXPECT(cli.plan.duration_ns == 90 * NS_PER_S);
    EXPECT(cli.plan.requests_max == 10000);
    EXPECT(cli.plan.timeout_ns == 2 * NS_PER_S);
    EXPECT(cli.plan.connect_timeout_ns == 2 * NS_PER_S);
    EXPECT(cli.plan.drain_ns == 2 * NS_PER_S);
    EXPECT(cli.plan.connections_max == 32);
    EXPECT(cli.spectrum);
    EXPECT(strcmp(cli.json_path, "-") == 0);
    EXPECT(cli.quiet);
    cli_release(&cli);

    cli = parse_right((const char *const[WORDS_MAX]){
        "--drain=0", "--connect-timeout=500ms", "--first-byte-timeout=1.5s", "--no-keepalive",
        "--ids", "--no-batch-wait", "--verbose", "--timeout=3", URL});
    EXPECT(cli.plan.drain_ns == 0);
    EXPECT(cli.plan.connect_timeout_ns == 500 * NS_PER_MS);
    EXPECT(cli.plan.first_byte_timeout_ns == 1500 * NS_PER_MS);
    EXPECT(cli.plan.timeout_ns == 3 * NS_PER_S);
    EXPECT(cli.plan.max_requests_per_connection == 1);
    EXPECT(cli.plan.ids);
    EXPECT(!cli.plan.batch_wait);
    EXPECT(cli.verbose);
    cli_release(&cli);

    cli =
        parse_right((const char *const[WORDS_MAX]){"--csv=a", "--hdr=b", "--requests-out=c", URL});
    EXPECT(strcmp(cli.csv_path, "a") == 0);
    EXPECT(strcmp(cli.hdr_path, "b") == 0);
    EXPECT(strcmp(cli.requests_path, "c") == 0);
    EXPECT(cli.plan.rows_max == 1000000);
    cli_release(&cli);
    cli = parse_right(
        (const char *const[WORDS_MAX]){"--requests-out=c", "--requests-out-max=10k", URL});
    EXPECT(cli.plan.rows_max == 10000);
    cli_release(&cli);
}

/* Lines that must give 20 connections, 2 threads and the spectrum. */
static void test_cli_reads_every_spelling(void)
{
    static const char *const rows[][WORDS_MAX] = {
        {"-c", "20", "-t", "2", "-L", URL},
        {"-c20", "-t2", "-L", URL},
        {"-Lc20", "-t2", URL},
        {"-Lc", "20", "-t2", URL},
        {"--connections", "20", "--threads", "2", "--latency", URL},
        {URL, "-L", "-c", "20", "-t", "2"},
        {"-L", "-c", "20", URL, "-t", "2"},
        {"-L", "-c", "20", "-t", "2", "--", URL},
        {"-c", "1", "-c", "20", "--threads=3", "-t", "2", "-L", "-L", URL},
        {"-c", "0.02k", "-t", "2", "-L", URL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i]);

        EXPECT(cli.plan.connections == 20);
        EXPECT(cli.plan.workers == 2);
        EXPECT(cli.spectrum);
        EXPECT(strcmp(cli.plan.targets[0].url, URL) == 0);
        cli_release(&cli);
    }
}

static void test_cli_chooses_the_engine(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        enum plan_io io;
    } rows[] = {
        {{URL}, PLAN_IO_AUTO},
        {{"--io", "auto", URL}, PLAN_IO_AUTO},
        {{"--io", "uring", URL}, PLAN_IO_URING},
        {{"--io=epoll", URL}, PLAN_IO_EPOLL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i].words);

        EXPECT(cli.plan.io == rows[i].io);
        cli_release(&cli);
    }
}

static void test_cli_takes_the_options_of_a_rate(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){
        "--rate=50k", "--arrivals=poisson", "--seed=7", "--max-pending=0", "--spin", "--warmup=2s",
        "--strict", URL});

    EXPECT(cli.plan.open_loop);
    EXPECT(cli.plan.stages_count == 1);
    EXPECT(cli.plan.stages[0].length_ns == 10 * NS_PER_S);
    EXPECT(cli.plan.stages[0].from_per_s == 50000);
    EXPECT(cli.plan.stages[0].to_per_s == 50000);
    EXPECT(cli.plan.arrivals == PLAN_ARRIVALS_POISSON);
    EXPECT(cli.plan.seed == 7);
    EXPECT(cli.plan.max_pending == 0);
    EXPECT(cli.plan.spin);
    EXPECT(cli.plan.warmup_ns == 2 * NS_PER_S);
    EXPECT(cli.plan.duration_ns == 10 * NS_PER_S);
    EXPECT(cli.strict);
    cli_release(&cli);
}

/* --warmup and --strict are for the closed loop too. */
static void test_cli_takes_a_warmup_without_a_rate(void)
{
    struct cli cli =
        parse_right((const char *const[WORDS_MAX]){"--warmup", "500ms", "-d1", "--strict", URL});

    EXPECT(!cli.plan.open_loop);
    EXPECT(cli.plan.warmup_ns == 500 * NS_PER_MS);
    cli_release(&cli);
    cli = parse_right((const char *const[WORDS_MAX]){"--warmup", "1h", "-n1", URL});
    EXPECT(cli.plan.warmup_ns == 3600 * NS_PER_S);
    cli_release(&cli);
}

#define S NS_PER_S

static void test_cli_makes_stages_of_a_rate(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        struct plan_stage stages[4];
        uint32_t count;
        uint64_t duration_ns;
    } rows[] = {
        {{"-R", "50k", URL}, {{10 * S, 50e3, 50e3}}, 1, 10 * S},
        {{"-R0.5", "-d", "1m", URL}, {{60 * S, 0.5, 0.5}}, 1, 60 * S},
        {{"-R", "100M", "-d", "1h", URL}, {{3600 * S, 1e8, 1e8}}, 1, 3600 * S},
        {{"-R", "2", "-n", "5", URL}, {{PLAN_STAGES_NS_MAX, 2, 2}}, 1, TIME_NEVER},
        {{"-R", "2", "-n", "5", "-d", "3s", URL}, {{3 * S, 2, 2}}, 1, 3 * S},
        {{"--stages", "30s:50k", URL}, {{30 * S, 0, 50e3}}, 1, 30 * S},
        {{"--stages=10:30s:50k", URL}, {{30 * S, 10, 50e3}}, 1, 30 * S},
        {{"--stages", "0:30s:50k,1m:50k,10s:0", URL},
         {{30 * S, 0, 50e3}, {60 * S, 50e3, 50e3}, {10 * S, 50e3, 0}},
         3,
         100 * S},
        {{"--stages", "5s:1k,0s:2.5k,1m30s:2.5k,100:1s:200", URL},
         {{5 * S, 0, 1e3}, {0, 1e3, 2.5e3}, {90 * S, 2.5e3, 2.5e3}, {S, 100, 200}},
         4,
         96 * S},
        {{"--stages", "10:1:10", "-n", "3", URL}, {{S, 10, 10}}, 1, S},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i].words);

        printf("%s %s\n", rows[i].words[0], rows[i].words[1]);
        EXPECT(cli.plan.open_loop);
        EXPECT(cli.plan.duration_ns == rows[i].duration_ns);
        EXPECT(cli.plan.stages_count == rows[i].count);
        for (uint32_t j = 0; j < rows[i].count; j++) {
            EXPECT(cli.plan.stages[j].length_ns == rows[i].stages[j].length_ns);
            EXPECT(cli.plan.stages[j].from_per_s == rows[i].stages[j].from_per_s);
            EXPECT(cli.plan.stages[j].to_per_s == rows[i].stages[j].to_per_s);
        }
        cli_release(&cli);
    }
}

static void test_cli_bounds_the_number_of_stages(void)
{
    static char words[2][16 * 1024];
    char *argv[] = {words[0], words[0], words[1], NULL};
    struct err_info why;
    struct cli cli;

    (void)snprintf(words[1], sizeof(words[1]), URL);
    for (size_t count = PLAN_STAGES_MAX; count <= PLAN_STAGES_MAX + 1; count++) {
        size_t len = (size_t)snprintf(words[0], sizeof(words[0]), "--stages=1s:1");

        for (size_t i = 1; i < count; i++) {
            len += (size_t)snprintf(words[0] + len, sizeof(words[0]) - len, ",1s:2");
        }
        if (count > PLAN_STAGES_MAX) {
            EXPECT(cli_parse(3, argv, CPUS, &cli, &why) == ERR_USAGE);
            EXPECT(strstr(why.message, "at most 1000 stages") != NULL);
            return;
        }
        EXPECT(cli_parse(3, argv, CPUS, &cli, &why) == ERR_OK);
        EXPECT(cli.plan.stages_count == PLAN_STAGES_MAX);
        EXPECT(cli.plan.duration_ns == PLAN_STAGES_MAX * NS_PER_S);
        cli_release(&cli);
    }
}

static void test_cli_keeps_the_hint_behind_a_long_message(void)
{
    static const char hint[] = " (see pelt --help)";
    char value[200];
    struct cli cli;
    struct err_info why;

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    memcpy(value, "--header=", 9);
    EXPECT(parse((const char *const[WORDS_MAX]){"--first-byte-timeout", value, URL}, &cli, &why) ==
           ERR_USAGE);
    printf("%s\n", why.message);
    EXPECT(strlen(why.message) > 150);
    EXPECT(strcmp(why.message + strlen(why.message) - strlen(hint), hint) == 0);
}

static void test_cli_chooses_threads(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        uint32_t workers;
    } rows[] = {
        {{URL}, CPUS},
        {{"-c", "3", URL}, 3},
        {{"-c", "1", URL}, 1},
        {{"-c", "1M", URL}, CPUS},
        {{"-c", "100", "--max-connections", "2", URL}, 2},
        {{"-c", "100", "-t", "12", URL}, 12},
        {{"-c", "12", "-t", "12", URL}, 12},
        {{"-c", "1024", "-t", "1024", URL}, 1024},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i].words);

        EXPECT(cli.plan.workers == rows[i].workers);
        cli_release(&cli);
    }
}

static void test_cli_tells_a_report_as_wrks_of_the_line(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){
        "--format", "wrk", "-c6", "-t3", "-LT1s", "--wrk-stats", URL, "http://h/x"});

    EXPECT(cli.format == CLI_FORMAT_WRK && !cli.as_wrk);
    EXPECT(strcmp(cli.wrk.url, "http://h/ http://h/x") == 0);
    EXPECT(cli.wrk.connections == 6 && cli.wrk.threads == 3);
    EXPECT(cli.wrk.duration_ns == 10 * NS_PER_S && cli.wrk.timeout_ns == NS_PER_S);
    EXPECT(cli.wrk.distribution && cli.wrk.corrected);
    EXPECT(cli.plan.timeout_ns == NS_PER_S && cli.plan.late_ns == 0);
    EXPECT(cli.plan.drain_ns == 0);
    cli_release(&cli);
    cli = parse_right((const char *const[WORDS_MAX]){"--format=wrk", "--drain", "2s", "-n7", URL});
    EXPECT(cli.plan.drain_ns == 2 * NS_PER_S);
    EXPECT(cli.wrk.duration_ns == TIME_NEVER && cli.wrk.requests == 7);
    EXPECT(!cli.wrk.distribution && !cli.wrk.corrected);
    cli_release(&cli);
}

static void test_cli_has_no_end_by_time_when_only_requests_are_given(void)
{
    struct cli cli = parse_right((const char *const[WORDS_MAX]){"-n", "5", URL});

    EXPECT(cli.plan.requests_max == 5);
    EXPECT(cli.plan.duration_ns == TIME_NEVER);
    cli_release(&cli);
    cli = parse_right((const char *const[WORDS_MAX]){"-n", "5", "-d", "10s", URL});
    EXPECT(cli.plan.duration_ns == 10 * NS_PER_S);
    cli_release(&cli);
}

static void test_cli_builds_the_request(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *bytes;
    } rows[] = {
        {{"-H", "A: 1", "-HB:2", "--header=A: 3", URL},
         "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n"},
        {{"-X", "HEAD", URL}, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"},
        {{"--body", "abc", URL}, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
        {{"--body", "", URL}, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
        {{"--body", "--abc", "-X", "PUT", URL},
         "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n--abc"},
        {{"--body=--json", URL}, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n--json"},
        {{"--no-keepalive", URL}, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"},
        {{"--ids", URL}, "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: 0000000000000000\r\n\r\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli = parse_right(rows[i].words);

        EXPECT(cli.plan.requests[0].len == strlen(rows[i].bytes));
        EXPECT(memcmp(cli.plan.requests[0].bytes, rows[i].bytes, strlen(rows[i].bytes)) == 0);
        cli_release(&cli);
    }
}

static void test_cli_stops_at_help_and_version(void)
{
    static const char *const help[][WORDS_MAX] = {{"-h"}, {"--help"}, {"-c", "5", "-Lh", "--no"}};
    struct cli cli;

    for (size_t i = 0; i < COUNT(help); i++) {
        cli = parse_right(help[i]);
        EXPECT(cli.help);
        EXPECT(!cli.version);
        cli_release(&cli);
    }
    cli = parse_right((const char *const[WORDS_MAX]){"--version", URL, URL});
    EXPECT(cli.version);
    EXPECT(!cli.help);
    cli_release(&cli);
}

static const struct {
    const char *words[WORDS_MAX];
    const char *message;
} wrong_rows[] = {
    {{NULL}, "no URL given"},
    {{"-c", "5"}, "no URL given"},
    {{"--"}, "no URL given"},
    {{URL, "10s"}, "url '10s' has no scheme; write 'http://10s'"},
    {{"--", URL, "-L"}, "url '-L' has no scheme; write 'http://-L'"},
    {{"-"}, "url '-' has no scheme; write 'http://-'"},
    {{"h:80"}, "url 'h:80' has no scheme; write 'http://h:80'"},
    {{"--conections", "5", URL}, "unknown option '--conections'; did you mean '--connections'?"},
    {{"--conections=5", URL}, "unknown option '--conections'; did you mean '--connections'?"},
    {{"--conn", "5", URL}, "unknown option '--conn'; did you mean '--connections'?"},
    {{"--headers", "A: b", URL}, "unknown option '--headers'; did you mean '--header'?"},
    {{"--jsno", "x", URL}, "unknown option '--jsno'; did you mean '--json'?"},
    {{"--no-keep-alive", URL}, "unknown option '--no-keep-alive'; did you mean '--no-keepalive'?"},
    {{"--connect-rate", "0", URL},
     "option '--connect-rate' wants a rate such as 50, 0.5 or 10k, at most 100M, not '0'"},
    {{"--requests-per-connection", "0", URL},
     "option '--requests-per-connection' wants 1 to 4294967294, not '0'"},
    {{"--requests-per-connection", "2", "--no-keepalive", URL},
     "options '--no-keepalive' and '--requests-per-connection' exclude each other: the one is the "
     "other with 1"},
    {{"--requests-per-connection", "2", "--pipeline", "3", URL},
     "options '--pipeline' and '--requests-per-connection' exclude each other: a connection that "
     "ends after 2 requests cannot carry 3 at once"},
    {{"--latancy", URL}, "unknown option '--latancy'; did you mean '--latency'?"},
    {{"--zzzzzz", URL}, "unknown option '--zzzzzz'"},
    {{"--x", URL}, "unknown option '--x'"},
    {{"--=5", URL}, "unknown option '--'"},
    {{"-z", URL}, "unknown option '-z'"},
    {{"-Lz", URL}, "unknown option '-z'"},
    {{"-L-", URL}, "unknown option '--'"},
    {{"--latency=yes", URL}, "option '--latency' takes no value"},
    {{URL, "-c"}, "option '-c' needs a value (N)"},
    {{URL, "--json"}, "option '--json' needs a value (FILE)"},
    {{"--json", "--quiet", URL},
     "option '--json' needs a value, but '--quiet' follows; write '--json=--quiet' if that is "
     "the value"},
    {{"-d", "-L", URL},
     "option '-d' needs a value, but '-L' follows; write '--duration=-L' if that is the value"},
    {{"--json=", URL}, "option '--json' wants a file name, or '-' for stdout"},
    {{"--csv=", URL}, "option '--csv' wants a file name"},
    {{"--hdr=-", URL}, "option '--hdr' wants a file name"},
    {{"--csv", "x", "--requests-out", "x", URL},
     "options '--csv' and '--requests-out' name the same file"},
    {{"--requests-out-max", "10", URL}, "option '--requests-out-max' wants '--requests-out'"},
    {{"-c", "abc", URL}, "option '-c' wants a whole number such as 100 or 10k, not 'abc'"},
    {{"-c", "1.5", URL}, "option '-c' wants a whole number such as 100 or 10k, not '1.5'"},
    {{"-c", "-1", URL}, "option '-c' wants a whole number such as 100 or 10k, not '-1'"},
    {{"--connections=", URL},
     "option '--connections' wants a whole number such as 100 or 10k, not ''"},
    {{"-c", "0", URL}, "option '-c' wants 1 to 1000000, not '0'"},
    {{"-c", "2M", URL}, "option '-c' wants 1 to 1000000, not '2M'"},
    {{"-c", "5G", URL}, "option '-c' wants 1 to 1000000, not '5G'"},
    {{"-t", "0", URL}, "option '-t' wants 1 to 1024, not '0'"},
    {{"-t", "1025", URL}, "option '-t' wants 1 to 1024, not '1025'"},
    {{"--max-connections", "0", URL}, "option '--max-connections' wants 1 to 1000000, not '0'"},
    {{"-n", "0", URL}, "option '-n' wants at least 1, not '0'"},
    {{"-d", "0", URL}, "option '-d' wants a time longer than 0, not '0'"},
    {{"-d", "10 s", URL}, "option '-d' wants a time such as 10s, 500ms or 1m30s, not '10 s'"},
    {{"-d", "10x", URL}, "option '-d' wants a time such as 10s, 500ms or 1m30s, not '10x'"},
    {{"-T", "0s", URL}, "option '-T' wants a time longer than 0, not '0s'"},
    {{"--connect-timeout", "0", URL},
     "option '--connect-timeout' wants a time longer than 0, not '0'"},
    {{"--first-byte-timeout", "0", URL},
     "option '--first-byte-timeout' wants a time longer than 0, not '0'"},
    {{"-t", "12", URL},
     "12 threads (-t) for 10 connections (-c); each thread needs a connection of its own"},
    {{"-c", "8", "-t", "4", "--max-connections", "3", URL},
     "4 threads (-t) for 3 connections (--max-connections); each thread needs a connection of its "
     "own"},
    {{"-H", "Accept", URL}, "option '-H': header 'Accept' has no colon; write 'Name: value'"},
    {{"-H", "A b: c", URL}, "option '-H': header name 'A b' holds a character that is not allowed"},
    {{"-X", "", URL}, "option '-X': method '' is not a word that HTTP allows"},
    {{"-X", "CONNECT", URL},
     "option '-X': method 'CONNECT' asks for a tunnel, which cannot be measured; use another"},
    {{"--body", "a", "--body-file", "b", URL}, FULL},
    {{"ftp://h/"}, "url 'ftp://h/' has an unknown scheme; http:// and https:// are known"},
    {{"--format", "yaml", URL}, "option '--format' wants one of text, wrk, not 'yaml'"},
    {{"--wrk-stats", URL}, "option '--wrk-stats' wants '--format wrk'"},
    {{"--format", "wrk", "--json", "-", URL},
     "the report of wrk goes to stdout, and so would that of '--json -'; give '--json' a file"},
    {{"-s", "x.lua", URL}, "option '-s': this build runs no scripts (it has no LuaJIT)"},
    {{"--script=x.lua", URL}, "option '--script': this build runs no scripts (it has no LuaJIT)"},
    {{"--io", "kqueue", URL}, "option '--io' wants one of auto, uring, epoll, not 'kqueue'"},
    {{"--io=", URL}, "option '--io' wants one of auto, uring, epoll, not ''"},
    {{"-R", "0", URL}, RATE("0")},
    {{"-R", "-1", URL}, RATE("-1")},
    {{"-R", "fast", URL}, RATE("fast")},
    {{"-R", "101M", URL}, RATE("101M")},
    {{"-R", "0.09", URL}, TOO_LOW},
    {{"--stages", "1h:0", URL}, TOO_LOW},
    {{"--stages", "0s:5", URL}, TOO_LOW},
    {{"--stages=", URL}, STAGES("")},
    {{"--stages", "30s", URL}, STAGES("30s")},
    {{"--stages", "30s:", URL}, STAGES("30s:")},
    {{"--stages", ":5", URL}, STAGES(":5")},
    {{"--stages", "30s:5,", URL}, STAGES("")},
    {{"--stages", "30s:5,5:", URL}, STAGES("5:")},
    {{"--stages", "1:2:3:4", URL}, STAGES("1:2:3:4")},
    {{"--stages", "x:2:3", URL}, STAGES("x:2:3")},
    {{"--stages", "1s:101M", URL}, STAGES("1s:101M")},
    {{"--stages", "1s:5/s", URL}, STAGES("1s:5/s")},
    {{"--stages", "30000d:5,30000d:5", URL}, "option '--stages' wants at most 100 years"},
    {{"--stages", "30s:5", "-R", "5", URL}, "options '--stages' and '--rate' exclude each other"},
    {{"--stages", "30s:5", "-d", "5s", URL},
     "options '--stages' and '--duration' exclude each other"},
    {{"--spin", URL}, "option '--spin' wants a rate; give '--rate' or '--stages'"},
    {{"--seed", "1", URL}, "option '--seed' wants a rate; give '--rate' or '--stages'"},
    {{"--max-pending=5", URL}, "option '--max-pending' wants a rate; give '--rate' or '--stages'"},
    {{"--arrivals", "even", URL}, "option '--arrivals' wants a rate; give '--rate' or '--stages'"},
    {{"-R5", "--arrivals", "odd", URL},
     "option '--arrivals' wants one of even, poisson, not 'odd'"},
    {{"-R5", "--max-pending", "101M", URL},
     "option '--max-pending' wants 0 to 100000000, not '101M'"},
    {{"--warmup", "10s", URL}, WARMUP},
    {{"--warmup", "2s", "-d", "1s", "-R5", URL}, WARMUP},
    {{"--warmup", "31s", "--stages", "30s:5", URL}, WARMUP},
    {{"--ids", "-H", "X-Request-Id: 1", URL},
     "header 'X-Request-Id' and '--ids' exclude each other; leave one away"},
};

static void test_cli_says_what_is_wrong(void)
{
    for (size_t i = 0; i < COUNT(wrong_rows); i++) {
        struct cli cli = {.json_path = "untouched"};
        char expected[300];
        struct err_info why;
        enum err err = parse(wrong_rows[i].words, &cli, &why);

        printf("%s\n", why.message);
        EXPECT(err == ERR_USAGE);
        EXPECT(why.code == ERR_USAGE);
        EXPECT(exit_code_of(err) == 64);
        (void)snprintf(expected, sizeof(expected), "%s (see pelt --help)", wrong_rows[i].message);
        EXPECT(strcmp(why.message, expected) == 0);
        EXPECT(strcmp(cli.json_path, "untouched") == 0);
    }
}

/* Writes `len` bytes (a hole) to a new file beside the test program. */
static void file_make(const char *path, const char *text, off_t len)
{
    FILE *file = fopen(path, "w");

    EXPECT(file != NULL);
    EXPECT(fputs(text, file) >= 0);
    EXPECT(fclose(file) == 0);
    if (len > 0) EXPECT(truncate(path, len) == 0);
}

static void test_cli_reads_the_body_file(void)
{
    static const char path[] = "build/test_cli.body";
    const char *const words[WORDS_MAX] = {"--body-file", path, URL};
    const struct plan_request *request;
    struct cli cli;

    file_make(path, "one\ntwo", 0);
    cli = parse_right(words);
    request = &cli.plan.requests[0];
    EXPECT(strcmp(request->method, "POST") == 0);
    EXPECT(memmem(request->bytes, request->len, "Content-Length: 7\r\n", 19) != NULL);
    EXPECT(memcmp(request->bytes + request->len - 11, "\r\n\r\none\ntwo", 11) == 0);
    cli_release(&cli);

    file_make(path, "", 0);
    cli = parse_right(words);
    request = &cli.plan.requests[0];
    EXPECT(memmem(request->bytes, request->len, "Content-Length: 0\r\n", 19) != NULL);
    cli_release(&cli);
    EXPECT(unlink(path) == 0);
}

static void test_cli_maps_a_large_body_file(void)
{
    static const char path[] = "build/test_cli.mapped";
    const off_t len = (off_t)PLAN_BODY_BYTES_MAX + 1;
    struct cli cli;

    file_make(path, "x", len);
    cli = parse_right((const char *const[WORDS_MAX]){"--body-file", path, URL});
    EXPECT(cli.plan.body_spans == 1);
    EXPECT(cli.plan.body[0].len == (uint64_t)len && cli.plan.body[0].fd >= 0);
    EXPECT(cli.plan.body[0].data[0] == 'x' && cli.plan.body[0].data[len - 1] == '\0');
    EXPECT(cli.plan.requests[0].len < 200);
    cli_release(&cli);
    cli = parse_right((const char *const[WORDS_MAX]){"--body-file", path, "--chunked-body", URL});
    EXPECT(cli.plan.body_spans == 2);
    EXPECT(cli.plan.body[1].len == strlen("\r\n0\r\n\r\n"));
    cli_release(&cli);
    EXPECT(unlink(path) == 0);
}

static void test_cli_names_the_body_file_that_is_wrong(void)
{
    static const char path[] = "build/test_cli.large";
    struct cli cli;
    struct err_info why;
    enum err err;

    err = parse((const char *const[WORDS_MAX]){"--body-file", "build/none", URL}, &cli, &why);
    EXPECT(err == ERR_FILE);
    EXPECT(exit_code_of(err) == 1);
    EXPECT(strcmp(why.message, "body file 'build/none' cannot be read: No such file or directory "
                               "(ENOENT)") == 0);
    EXPECT(strcmp(why.file, "build/none") == 0);

    err = parse((const char *const[WORDS_MAX]){"--body-file", "build", URL}, &cli, &why);
    EXPECT(err == ERR_FILE);
    EXPECT(strcmp(why.message, "body file 'build' cannot be read: Is a directory (EISDIR)") == 0);

    file_make(path, "x", (off_t)PLAN_BODY_BYTES_MAX + 1);
    err = parse((const char *const[WORDS_MAX]){"--body-file", path, "--pipeline", "2", URL}, &cli,
                &why);
    EXPECT(err == ERR_FILE);
    EXPECT(strcmp(why.message, "body file 'build/test_cli.large' is larger than 64 MiB, which only "
                               "a regular file may be, and not with '--pipeline'") == 0);
    EXPECT(unlink(path) == 0);
}

static void test_cli_help_fits_80_columns_and_names_every_option(void)
{
    struct arena arena;
    struct text help;
    size_t column = 0;

    arena_init(&arena, 0);
    text_init(&help, &arena);
    cli_help(&help);
    golden_expect("help.txt", &help);
    for (size_t i = 0; i < help.len; i++) {
        column = help.data[i] == '\n' ? 0 : column + 1;
        EXPECT(column <= 80);
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char spelled[64];

        EXPECT(cli_options[i].name != NULL);
        EXPECT(cli_options[i].help != NULL);
        (void)snprintf(spelled, sizeof(spelled), "--%s ", cli_options[i].name);
        EXPECT(strstr(help.data, spelled) != NULL);
    }
    text_init(&help, &arena);
    cli_version(&help);
    EXPECT(strncmp(help.data, "pelt ", 5) == 0);
    EXPECT(strchr(help.data, '\n') == help.data + help.len - 1);
    arena_release(&arena);
}

int main(void)
{
    TEST(test_cli_has_its_defaults);
    TEST(test_cli_takes_every_option);
    TEST(test_cli_reads_every_spelling);
    TEST(test_cli_chooses_the_engine);
    TEST(test_cli_takes_the_options_of_a_rate);
    TEST(test_cli_takes_a_warmup_without_a_rate);
    TEST(test_cli_makes_stages_of_a_rate);
    TEST(test_cli_bounds_the_number_of_stages);
    TEST(test_cli_keeps_the_hint_behind_a_long_message);
    TEST(test_cli_chooses_threads);
    TEST(test_cli_tells_a_report_as_wrks_of_the_line);
    TEST(test_cli_has_no_end_by_time_when_only_requests_are_given);
    TEST(test_cli_builds_the_request);
    TEST(test_cli_stops_at_help_and_version);
    TEST(test_cli_says_what_is_wrong);
    TEST(test_cli_reads_the_body_file);
    TEST(test_cli_maps_a_large_body_file);
    TEST(test_cli_names_the_body_file_that_is_wrong);
    TEST(test_cli_help_fits_80_columns_and_names_every_option);
    return 0;
}
