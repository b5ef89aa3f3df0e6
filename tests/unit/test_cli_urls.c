/* What a command line with several URLs promises: each is a request, those of one host and port are
 * one target, weights are theirs, and what cannot work is refused with numbers. */
#include "core/cli.h"

#include <stdio.h>
#include <string.h>

#include "tests/test.h"

enum { WORDS_MAX = 10, CPUS = 4 };

static enum err parse(const char *const words[WORDS_MAX], struct cli *ret_cli, struct err_info *why)
{
    char texts[WORDS_MAX][64], program[] = "pelt", *argv[WORDS_MAX + 1] = {program};
    int argc = 1;

    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%s", words[i]);
        argv[argc++] = texts[i];
    }
    return cli_parse(argc, argv, CPUS, ret_cli, why);
}

static void test_cli_urls_share_targets(void)
{
    static const struct {
        const char *name, *words[WORDS_MAX];
        uint32_t targets, requests;
        uint32_t target[4], weight[4];
        const char *bytes[4]; /* How they begin. */
    } rows[] = {
        {"one", {"http://h/"}, 1, 1, {0}, {1}, {"GET / HTTP/1.1\r\nHost: h\r\n"}},
        {"paths of a host",
         {"http://h/a", "http://h/b?c", "http://h:80"},
         1,
         3,
         {0, 0, 0},
         {1, 1, 1},
         {"GET /a HTTP/1.1\r\nHost: h\r\n", "GET /b?c HTTP/1.1\r\nHost: h\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\n"}},
        {"hosts in any case", {"http://h/", "http://H/"}, 1, 2, {0, 0}, {1, 1}, {NULL}},
        {"ports",
         {"http://h:81/", "http://h:82/", "http://h:81/x"},
         2,
         3,
         {0, 1, 0},
         {1, 1, 1},
         {"GET / HTTP/1.1\r\nHost: h:81\r\n", "GET / HTTP/1.1\r\nHost: h:82\r\n"}},
        {"weights",
         {"--weights", "3,1k", "http://h/", "http://i/"},
         2,
         2,
         {0, 1},
         {3, 1000},
         {NULL}},
        {"the same twice", {"http://h/", "http://i/", "http://h/"}, 2, 2, {0, 1}, {2, 1}, {NULL}},
        {"the same twice, with weights",
         {"http://h/", "--weights=5,7,2", "http://h/", "http://i/"},
         2,
         2,
         {0, 1},
         {12, 2},
         {NULL}},
        {"a weight for one", {"--weights", "9", "http://h/"}, 1, 1, {0}, {9}, {NULL}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err_info why;
        struct cli cli;

        printf("%s\n", rows[i].name);
        EXPECT(parse(rows[i].words, &cli, &why) == ERR_OK);
        EXPECT(cli.plan.targets_count == rows[i].targets);
        EXPECT(cli.plan.requests_count == rows[i].requests);
        for (uint32_t j = 0; j < rows[i].requests; j++) {
            const struct plan_request *request = &cli.plan.requests[j];

            EXPECT(request->target == rows[i].target[j]);
            EXPECT(request->weight == rows[i].weight[j]);
            if (rows[i].bytes[j] == NULL) continue;
            EXPECT(strncmp(request->bytes, rows[i].bytes[j], strlen(rows[i].bytes[j])) == 0);
        }
        cli_release(&cli);
    }
}

static void test_cli_urls_all_have_body_and_headers(void)
{
    static const char *const words[WORDS_MAX] = {"-H",     "A: b", "http://h/1",
                                                 "--body", "x",    "http://i/2"};
    static const char *const bytes[] = {
        "POST /1 HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 1\r\n\r\nx",
        "POST /2 HTTP/1.1\r\nHost: i\r\nA: b\r\nContent-Length: 1\r\n\r\nx"};
    struct err_info why;
    struct cli cli;

    EXPECT(parse(words, &cli, &why) == ERR_OK);
    EXPECT(cli.plan.requests_count == COUNT(bytes));
    for (size_t i = 0; i < COUNT(bytes); i++) {
        EXPECT(cli.plan.requests[i].len == strlen(bytes[i]));
        EXPECT(memcmp(cli.plan.requests[i].bytes, bytes[i], strlen(bytes[i])) == 0);
    }
    EXPECT(strcmp(cli.plan.requests[1].url, "http://i/2") == 0);
    cli_release(&cli);
}

static void test_cli_urls_leave_threads_a_connection_to_each(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        uint32_t workers;
    } rows[] = {
        {{"http://h/", "http://i/"}, CPUS},
        {{"-c", "6", "http://h/", "http://i/"}, 3},
        {{"-c", "2", "http://h/", "http://i/"}, 1},
        {{"-c", "2", "http://h/", "http://h/i"}, 2},
        {{"-c", "50", "--max-connections", "5", "http://h/", "http://i/"}, 2},
        {{"-c", "8", "-t", "4", "http://h/", "http://i/"}, 4},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err_info why;
        struct cli cli;

        EXPECT(parse(rows[i].words, &cli, &why) == ERR_OK);
        EXPECT(cli.plan.workers == rows[i].workers);
        cli_release(&cli);
    }
}

static void test_cli_urls_say_what_is_wrong(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *message;
    } rows[] = {
        {{"--weights", "1", "http://h/", "http://i/"},
         "option '--weights' has 1 number for 2 URLs; give each URL one"},
        {{"--weights", "1,2,3", "http://h/"},
         "option '--weights' has 3 numbers for 1 URL; give each URL one"},
        {{"--weights", "1,0", "http://h/", "http://i/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not '1,0'"},
        {{"--weights", "", "http://h/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not ''"},
        {{"--weights", "1,", "http://h/", "http://i/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not '1,'"},
        {{"--weights", "1;2", "http://h/", "http://i/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not '1;2'"},
        {{"--weights", "1000001,1", "http://h/", "http://i/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not '1000001,1'"},
        {{"--weights", "111111111111111111111111111111111111111111111,1", "http://h/", "http://i/"},
         "option '--weights' wants numbers from 1 to 1000000 such as 3,1, not "
         "'111111111111111111111111111111111111111111111,1'"},
        {{"--weights", "99999,2", "http://h/", "http://i/"},
         "option '--weights' makes an order of 100001 requests, and 100000 is the most; use "
         "smaller numbers"},
        {{"-c", "3", "http://h/", "http://i/", "http://j/", "http://k/"},
         "1 thread (-t) and 4 targets for 3 connections (-c); each thread needs a connection of "
         "its own to each target: 4"},
        {{"-c", "7", "-t", "4", "http://h/", "http://i/"},
         "4 threads (-t) and 2 targets for 7 connections (-c); each thread needs a connection of "
         "its own to each target: 8"},
        {{"-t", "1", "--max-connections", "1", "http://h/", "http://i/"},
         "1 thread (-t) and 2 targets for 1 connection (--max-connections); each thread needs a "
         "connection of its own to each target: 2"},
        {{"http://h/", "ftp://i/"},
         "url 'ftp://i/' has an unknown scheme; http:// and https:// are known"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err_info why;
        struct cli cli;

        EXPECT(parse(rows[i].words, &cli, &why) == ERR_USAGE);
        printf("%s\n", why.message);
        EXPECT(strncmp(why.message, rows[i].message, strlen(rows[i].message)) == 0);
    }
}

static void test_cli_urls_are_a_thousand_at_most(void)
{
    static char program[] = "pelt", option[] = "-c1k", texts[PLAN_URLS_MAX + 2][32];
    char *argv[PLAN_URLS_MAX + 4] = {program, option};
    struct err_info why;
    struct cli cli;

    for (int i = 0; i < PLAN_URLS_MAX + 1; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "http://h:%d/", i + 1);
        argv[2 + i] = texts[i];
    }
    EXPECT(cli_parse(2 + PLAN_URLS_MAX, argv, CPUS, &cli, &why) == ERR_OK);
    EXPECT(cli.plan.targets_count == PLAN_URLS_MAX);
    EXPECT(cli.plan.workers == 1);
    cli_release(&cli);
    EXPECT(cli_parse(3 + PLAN_URLS_MAX, argv, CPUS, &cli, &why) == ERR_USAGE);
    EXPECT(strncmp(why.message, "1001 URLs given, and 1000 is the most", 37) == 0);
}

int main(void)
{
    TEST(test_cli_urls_share_targets);
    TEST(test_cli_urls_all_have_body_and_headers);
    TEST(test_cli_urls_leave_threads_a_connection_to_each);
    TEST(test_cli_urls_say_what_is_wrong);
    TEST(test_cli_urls_are_a_thousand_at_most);
    return 0;
}
