/* What the command line of the test target promises. */
#include <math.h>
#include <string.h>

#include "core/serve.h"
#include "tests/test.h"

static void test_serve_delay_reads_its_three_forms(void)
{
    static const struct {
        const char *text;
        bool right;
        uint32_t points;
        uint64_t a_ns; /* First point or lower end. */
        uint64_t b_ns;
        double share; /* Of the first point. */
    } rows[] = {
        {"const:2ms", true, 0, 2 * NS_PER_MS, 2 * NS_PER_MS, 0},
        {"uniform:1ms..5ms", true, 0, NS_PER_MS, 5 * NS_PER_MS, 0},
        {"uniform:0s..0.5s", true, 0, 0, NS_PER_S / 2, 0},
        {"two-point:90%=1ms,10%=1s", true, 2, NS_PER_MS, NS_PER_S, 0.9},
        {"two-point:99.9%=1ms,0.1%=1s", true, 2, NS_PER_MS, NS_PER_S, 0.999},
        {"two-point:90%=1ms,11%=1s", false, 0, 0, 0, 0},
        {"two-point:90%=1ms", false, 0, 0, 0, 0},
        {"two-point:100%=1ms", false, 0, 0, 0, 0},
        {"two-point:90=1ms,10=1s", false, 0, 0, 0, 0},
        {"two-point:90%=1ms,10%=", false, 0, 0, 0, 0},
        {"two-point:50%=1ms,25%=1s,25%=2s", false, 0, 0, 0, 0},
        {"two-point:-10%=1ms,110%=1s", false, 0, 0, 0, 0},
        {"uniform:5ms..1ms", false, 0, 0, 0, 0},
        {"uniform:5ms", false, 0, 0, 0, 0},
        {"const:", false, 0, 0, 0, 0},
        {"const:x", false, 0, 0, 0, 0},
        {"2ms", false, 0, 0, 0, 0},
        {"", false, 0, 0, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct serve_delay delay = {0};

        printf("  %s\n", rows[i].text);
        EXPECT(serve_delay_parse(rows[i].text, &delay) == rows[i].right);
        EXPECT(serve_delay_is_set(&delay) == rows[i].right);
        if (!rows[i].right) continue;
        EXPECT(delay.points_count == rows[i].points);
        if (rows[i].points == 0) {
            EXPECT(delay.from_ns == rows[i].a_ns);
            EXPECT(delay.to_ns == rows[i].b_ns);
        } else {
            EXPECT(delay.points[0].ns == rows[i].a_ns);
            EXPECT(delay.points[1].ns == rows[i].b_ns);
            EXPECT(fabs(delay.points[0].below - rows[i].share) < 1e-12);
            EXPECT(fabs(delay.points[1].below - 1.0) < 1e-12);
        }
    }
}

static void test_serve_delay_draws_what_was_asked(void)
{
    struct serve_delay delay = {0};
    uint64_t slow = 0, min_ns = UINT64_MAX, max_ns = 0;
    struct rng rng;

    rng_init(&rng, 7);
    EXPECT(serve_delay_parse("two-point:90%=1ms,10%=1s", &delay));
    for (int i = 0; i < 100000; i++) {
        uint64_t ns = serve_delay_draw(&delay, &rng);

        EXPECT(ns == NS_PER_MS || ns == NS_PER_S);
        slow += ns == NS_PER_S;
    }
    EXPECT(slow > 9600 && slow < 10400); /* Four standard deviations are 380. */
    EXPECT(serve_delay_parse("uniform:10us..20us", &delay));
    for (int i = 0; i < 100000; i++) {
        uint64_t ns = serve_delay_draw(&delay, &rng);

        min_ns = min_u64(min_ns, ns);
        max_ns = max_u64(max_ns, ns);
    }
    EXPECT(min_ns >= 10000 && min_ns < 10100);
    EXPECT(max_ns <= 20000 && max_ns > 19900);
}

static enum err parse(struct serve_options *options, struct err_info *why, const char *line)
{
    static char copy[256];
    char *argv[16] = {NULL};
    char *rest = NULL;
    int argc = 0;

    (void)snprintf(copy, sizeof(copy), "serve %s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = word;
    }
    return serve_options_parse(options, argc, argv, why);
}

static void test_serve_options_take_all_of_them(void)
{
    struct serve_options options = {0};
    struct err_info why = {0};

    EXPECT(parse(&options, &why, "") == ERR_OK);
    EXPECT(options.port == 8080);
    EXPECT(options.threads == 1);
    EXPECT(options.cpus_count == 0);
    EXPECT(strcmp(options.bind, "127.0.0.1") == 0);
    EXPECT(options.requests_max == 0);
    EXPECT(parse(&options, &why,
                 "--port 0 --threads=3 --cpu 0,2-3 --bind ::1 --freeze 5s@3s --io epoll --quiet") ==
           ERR_OK);
    EXPECT(options.port == 0);
    EXPECT(options.threads == 3);
    EXPECT(options.cpus_count == 3);
    EXPECT(options.cpus[0] == 0 && options.cpus[1] == 2 && options.cpus[2] == 3);
    EXPECT(strcmp(options.bind, "::1") == 0);
    EXPECT(options.freeze_ns == 5 * NS_PER_S);
    EXPECT(options.freeze_at_ns == 3 * NS_PER_S);
    EXPECT(options.engine == RING_EPOLL);
    EXPECT(options.quiet);
    EXPECT(parse(&options, &why,
                 "--max-requests-per-connection 7 --log-ids a=b --port-file=p --help") == ERR_OK);
    EXPECT(options.requests_max == 7);
    EXPECT(strcmp(options.log_ids, "a=b") == 0);
    EXPECT(strcmp(options.port_file, "p") == 0);
    EXPECT(options.help);
    EXPECT(!options.tls && options.tls_cert == NULL && !options.tls_no_tickets);
    EXPECT(parse(&options, &why, "--tls --cert c --key k --no-tickets") == ERR_OK);
    EXPECT(options.tls && options.tls_no_tickets);
    EXPECT(strcmp(options.tls_cert, "c") == 0 && strcmp(options.tls_key, "k") == 0);
    EXPECT(parse(&options, &why, "--tls --save-cert d") == ERR_OK);
    EXPECT(strcmp(options.tls_save_cert, "d") == 0);
    EXPECT(parse(&options, &why, "--threads 1") == ERR_OK);
    EXPECT(options.cpus_count > 0);
}

static void test_serve_options_refuse_with_the_word_that_is_wrong(void)
{
    static const struct {
        const char *line;
        const char *word;
    } rows[] = {
        {"--port", "'--port'"},
        {"--port x", "'x'"},
        {"--port 65536", "'65536'"},
        {"--threads 0", "'0'"},
        {"--threads 257", "'257'"},
        {"--cpu 1-", "'1-'"},
        {"--cpu 3-1", "'3-1'"},
        {"--cpu ,", "','"},
        {"--freeze 5s", "'5s'"},
        {"--delay 5s", "'5s'"},
        {"--io aio", "'aio'"},
        {"--quiet=1", "'--quiet'"},
        {"--max-requests-per-connection 0", "'0'"},
        {"--nope", "'--nope'"},
        {"--tls --key k", "'--key' wants a '--cert'"},
        {"--cert c --key k", "want '--tls'"},
        {"--save-cert c", "want '--tls'"},
        {"--no-tickets", "want '--tls'"},
        {"--tls --cert c --save-cert d", "exclude each other"},
        {"8080", "'8080'"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct serve_options options = {.port = 42};
        struct err_info why = {0};

        printf("  %s\n", rows[i].line);
        EXPECT(parse(&options, &why, rows[i].line) == ERR_USAGE);
        EXPECT(strstr(why.message, rows[i].word) != NULL);
        EXPECT(options.port == 42);
    }
}

int main(void)
{
    TEST(test_serve_delay_reads_its_three_forms);
    TEST(test_serve_delay_draws_what_was_asked);
    TEST(test_serve_options_take_all_of_them);
    TEST(test_serve_options_refuse_with_the_word_that_is_wrong);
    return 0;
}
