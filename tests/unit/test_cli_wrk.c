/* wrk's command line: what becomes of it in the plan, and its exit statuses. What is printed is
 * compared with wrk's own in tests/e2e/test_wrk.py. */
#include "core/cli_wrk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/test.h"

enum { WORDS_MAX = 16 };

/* A socket that somebody listens on, and its port in words of a line: "%s". */
struct rig {
    int fd;
    char port[8];
};

static void rig_open(struct rig *rig)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);

    rig->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(bind(rig->fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
    EXPECT(listen(rig->fd, 16) == 0);
    EXPECT(getsockname(rig->fd, (struct sockaddr *)&at, &len) == 0);
    (void)snprintf(rig->port, sizeof(rig->port), "%u", ntohs(at.sin_port));
}

static void rig_close(struct rig *rig)
{
    EXPECT(close(rig->fd) == 0);
}

/* Parses the words; "PORT" in one is that of the rig. */
static int parse(struct rig *rig, const char *const *words, struct cli *ret_cli)
{
    static char copies[WORDS_MAX + 1][128];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;

    (void)snprintf(copies[0], sizeof(copies[0]), "wrk");
    for (; words[argc - 1] != NULL; argc++) {
        const char *word = words[argc - 1], *mark = strstr(word, "PORT");

        EXPECT(argc <= WORDS_MAX);
        argv[argc] = copies[argc];
        if (mark == NULL) {
            (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", word);
        } else {
            (void)snprintf(copies[argc], sizeof(copies[argc]), "%.*s%s%s", (int)(mark - word), word,
                           rig->port, mark + 4);
        }
    }
    return cli_wrk_parse(argc, argv, 4, ret_cli);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define URL        "http://127.0.0.1:PORT/"

static struct cli parse_right(struct rig *rig, const char *const *words)
{
    struct cli cli;

    EXPECT(parse(rig, words, &cli) == -1);
    return cli;
}

static void test_cli_wrk_is_known_by_its_name(void)
{
    EXPECT(cli_is_wrk("wrk"));
    EXPECT(cli_is_wrk("/usr/bin/wrk"));
    EXPECT(!cli_is_wrk("wrk2") && !cli_is_wrk("/wrk/pelt") && !cli_is_wrk("") && !cli_is_wrk(NULL));
}

static void test_cli_wrk_has_wrks_defaults(void)
{
    struct rig rig;
    struct cli cli;

    rig_open(&rig);
    cli = parse_right(&rig, WORDS(URL));
    EXPECT(cli.as_wrk && cli.format == CLI_FORMAT_WRK && cli.terse && !cli.verbose);
    EXPECT(cli.plan.connections == 10 && cli.plan.workers == 2);
    EXPECT(cli.plan.duration_ns == 10 * NS_PER_S && cli.plan.drain_ns == 0);
    EXPECT(cli.plan.late_ns == 2 * NS_PER_S);
    EXPECT(cli.plan.timeout_ns > cli.plan.duration_ns);
    EXPECT(cli.plan.connect_timeout_ns > cli.plan.duration_ns);
    EXPECT(cli.plan.tls.insecure && cli.plan.tls.as_wrk && cli.plan.tls.alpn[0] == '\0');
    EXPECT(cli.wrk.threads == 2 && cli.wrk.connections == 10 && !cli.wrk.distribution);
    EXPECT(cli.json_path == NULL);
    cli_release(&cli);
    rig_close(&rig);
}

static void test_cli_wrk_takes_every_option(void)
{
    struct rig rig;
    struct cli cli;

    rig_open(&rig);
    cli = parse_right(&rig, WORDS("http://127.0.0.1:PORT/a", "-c1K", "--thr", "3", "-Ld", "2M",
                                  "--time=3", "--json", "f", "--verbose", "--wrk-stats", "words",
                                  "of a script"));
    EXPECT(cli.plan.connections == 999 && cli.plan.workers == 3);
    EXPECT(cli.wrk.connections == 1000);
    EXPECT(cli.plan.duration_ns == 120 * NS_PER_S && cli.plan.late_ns == 3 * NS_PER_S);
    EXPECT(strcmp(cli.json_path, "f") == 0);
    EXPECT(cli.verbose && !cli.terse && cli.wrk.corrected && cli.wrk.distribution);
    cli_release(&cli);
    rig_close(&rig);
}

/* The request is `line` and the headers; "PORT" in the last one is that of the rig. */
static void expect_request(struct rig *rig, const char *const *words, const char *wanted)
{
    struct cli cli = parse_right(rig, words);
    const struct plan_request *request = &cli.plan.requests[0];
    const char *mark = strstr(wanted, "PORT");
    size_t before = mark == NULL ? strlen(wanted) : (size_t)(mark - wanted);
    char text[256];

    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)before, wanted,
                   mark == NULL ? "" : rig->port, mark == NULL ? "" : mark + 4);
    (void)fprintf(stderr, "%.*s", (int)request->len, request->bytes);
    EXPECT(request->len == strlen(text));
    EXPECT(memcmp(request->bytes, text, request->len) == 0);
    cli_release(&cli);
}

static void test_cli_wrk_sends_what_wrk_sends(void)
{
    struct rig rig;

    rig_open(&rig);
    expect_request(&rig, WORDS("http://127.0.0.1:PORT"),
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
    expect_request(&rig, WORDS("http://127.0.0.1:PORT?q=1"),
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
    expect_request(&rig, WORDS("http://u:p@127.0.0.1:PORT/a?b=c#d"),
                   "GET /a?b=c#d HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
    expect_request(&rig, WORDS(URL, "-H", "A: 1", "-H", "B:2", "-H", "C", "-H", "A: 2"),
                   "GET / HTTP/1.1\r\nA: 2\r\nHost: 127.0.0.1:PORT\r\n\r\n");
    expect_request(&rig, WORDS(URL, "-HContent-Length: 5", "-Hhost: a.test"),
                   "GET / HTTP/1.1\r\nhost: a.test\r\n\r\n");
    rig_close(&rig);
}

static void test_cli_wrk_reads_numbers_as_wrk(void)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: usage. */
    } rows[] = {
        {"1", 1},
        {"+1", 1},
        {" 1", 1},
        {"1 s", 1},
        {"1S", 1},
        {"1s x", 1},
        {"2m", 120},
        {"1h", 3600},
        {"1ms", 0},
        {"1.5", 0},
        {"1s5", 0},
        {"", 0},
        {"s", 0},
        {"0x1", 0},
        {"0", 0},
        {"-1", 0},
        {"1k", 0},
        {"1ss", 0},
        {"99999999999999999999", 0},
        {"9223372036854775807h", 0},
    };
    struct rig rig;

    rig_open(&rig);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli cli;
        int code = parse(&rig, WORDS("-d", rows[i].text, URL), &cli);

        (void)fprintf(stderr, "'%s'\n", rows[i].text);
        EXPECT(code == (rows[i].seconds == 0 ? CLI_WRK_WRONG : -1));
        if (code != -1) continue;
        EXPECT(cli.plan.duration_ns == rows[i].seconds * NS_PER_S);
        cli_release(&cli);
    }
    rig_close(&rig);
}

static void test_cli_wrk_refuses_what_wrk_refuses(void)
{
    struct rig rig;
    struct cli cli;

    rig_open(&rig);
    EXPECT(parse(&rig, WORDS("-v"), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("--help", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-h", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("--nonsense", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-c0", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-t0", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-c1", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("127.0.0.1:PORT"), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-s", "x.lua", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-t1025", "-c2k", URL), &cli) == CLI_WRK_THREADS);
    EXPECT(parse(&rig, WORDS("-c1000001", URL), &cli) == CLI_WRK_WRONG);
    EXPECT(parse(&rig, WORDS("-H", "a b: c", URL), &cli) == CLI_WRK_WRONG);
    rig_close(&rig);
    EXPECT(parse(&rig, WORDS(URL), &cli) == CLI_WRK_WRONG); /* Nobody listens any more. */
}

int main(void)
{
    TEST(test_cli_wrk_is_known_by_its_name);
    TEST(test_cli_wrk_has_wrks_defaults);
    TEST(test_cli_wrk_takes_every_option);
    TEST(test_cli_wrk_sends_what_wrk_sends);
    TEST(test_cli_wrk_reads_numbers_as_wrk);
    TEST(test_cli_wrk_refuses_what_wrk_refuses);
    return 0;
}
