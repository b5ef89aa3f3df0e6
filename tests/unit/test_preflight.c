/* Which plans the limits of a machine carry, by table, and where the limits are read from. */
#include "core/preflight.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/defs.h"
#include "tests/test.h"

#define PROC "build/test_preflight.proc"

/* Numbers of a plan and of a machine; what is 0 here is as on a usual Debian. */
static const struct {
    const char *name;
    uint64_t files, files_hard; /* 20000. */
    uint32_t connections, workers, destinations;
    bool epoll;
    uint32_t low, high, reserved; /* 32768 to 60999. */
    double connects_per_s;        /* Not 0: without keep-alive. */
    uint64_t connects_max;
    uint32_t tw_reuse;
    bool loopback;
    bool local;                  /* Over a unix socket. */
    uint32_t sources;            /* 0: the kernel's choice. */
    uint64_t pairs;              /* Those of the destinations. */
    const char *refuses, *warns; /* What the line holds; NULL: there is none. */
} rows[] = {
    {.name = "small", .connections = 64},
    {.name = "a table as large as the limit", .connections = 20000},
    {.name = "a larger table",
     .connections = 20001,
     .refuses = "20001 connections on 1 worker need 20001 descriptors, and this process may have "
                "20000; raise the limit first with 'ulimit -n 20001' as root"},
    {.name = "a table per worker", .connections = 40000, .workers = 2, .destinations = 2},
    {.name = "one more of them",
     .connections = 40001,
     .workers = 2,
     .destinations = 2,
     .refuses = "'ulimit -n 20001' as root"},
    {.name = "epoll needs one each",
     .connections = 20000,
     .epoll = true,
     .refuses = "need 20026 descriptors"},
    {.name = "epoll, all workers together",
     .connections = 20000,
     .workers = 2,
     .epoll = true,
     .refuses = "'ulimit -n 20030'"},
    {.name = "epoll fits", .connections = 19974, .epoll = true},
    {.name = "the hard limit has room",
     .files = 1024,
     .files_hard = 4096,
     .connections = 2000,
     .refuses = "may have 1024; raise the limit first with 'ulimit -n 2000'"},
    {.name = "few, but for us as well", .files = 20, .connections = 1, .refuses = "'ulimit -n 26'"},
    {.name = "no bound", .files = UINT64_MAX, .connections = 28232, .epoll = true},
    {.name = "a port each",
     .files = UINT64_MAX,
     .connections = 28233,
     .refuses = "28233 connections to 1 address need a local port each, and there are 28232 "
                "(32768 to 60999); sysctl -w net.ipv4.ip_local_port_range='1024 65535' makes it "
                "64512 per address"},
    {.name = "a port each per address",
     .files = UINT64_MAX,
     .connections = 56464,
     .destinations = 2},
    {.name = "one more than that",
     .files = UINT64_MAX,
     .connections = 56465,
     .destinations = 2,
     .refuses = "to 2 addresses"},
    {.name = "ten ports",
     .connections = 30,
     .low = 50000,
     .high = 50009,
     .refuses = "there are 10 (50000 to 50009)"},
    {.name = "ten ports are enough for ten", .connections = 10, .low = 50000, .high = 50009},
    {.name = "reserved ones are no ports",
     .connections = 10,
     .low = 50000,
     .high = 50009,
     .reserved = 1,
     .refuses = "there are 9"},
    {.name = "all reserved",
     .connections = 1,
     .low = 50000,
     .high = 50009,
     .reserved = 10,
     .refuses = "there are 0"},
    {.name = "no range is wider",
     .files = UINT64_MAX,
     .connections = 64513,
     .low = 1024,
     .high = 65535,
     .refuses = "use fewer connections, or --source with more addresses of ours"},
    {.name = "as many sources",
     .files = UINT64_MAX,
     .connections = 20,
     .low = 50000,
     .high = 50009,
     .sources = 2,
     .pairs = 2},
    {.name = "one source too few",
     .files = UINT64_MAX,
     .connections = 21,
     .low = 50000,
     .high = 50009,
     .sources = 2,
     .pairs = 2,
     .refuses = "21 connections from 2 sources to 1 address need a local port each, and there are "
                "20 (50000 to 50009); sysctl -w net.ipv4.ip_local_port_range='1024 65535' makes it "
                "64512 per address, and --source A,B twice as many"},
    {.name = "no ports wanted", .files = UINT64_MAX, .connections = 40000, .local = true},
    {.name = "the range is not known", .files = UINT64_MAX, .connections = 1000000, .low = 1},
    {.name = "few connects", .connections = 64, .connects_per_s = 470},
    {.name = "60 s each",
     .connections = 64,
     .connects_per_s = 471,
     .warns = "471 new connections/s hold up to 28260 local ports for 60 s after their end if we "
              "close them first, and there are 28232; sysctl -w net.ipv4.tcp_tw_reuse=1 makes it "
              "1 s"},
    {.name = "a short run", .connections = 64, .connects_per_s = 10000, .connects_max = 28232},
    {.name = "used again", .connections = 64, .connects_per_s = 28000, .tw_reuse = 1},
    {.name = "used again, and yet",
     .connections = 64,
     .connects_per_s = 29000,
     .tw_reuse = 1,
     .warns = "ip_local_port_range"},
    {.name = "on the loopback",
     .connections = 64,
     .connects_per_s = 10000,
     .tw_reuse = 2,
     .loopback = true},
    {.name = "not on the loopback",
     .connections = 64,
     .connects_per_s = 10000,
     .tw_reuse = 2,
     .warns = "tcp_tw_reuse=1"},
};

static void test_preflight_refuses_and_warns_with_numbers(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct preflight_limits limits = {
            .descriptors = rows[i].files != 0 ? rows[i].files : 20000,
            .descriptors_hard = rows[i].files_hard != 0 ? rows[i].files_hard : 20000,
            .descriptors_used = 6,
            .port_low = rows[i].low != 0 ? rows[i].low : 32768,
            .port_high = rows[i].high != 0 ? rows[i].high : 60999,
            .ports_reserved = rows[i].reserved,
            .tw_reuse = rows[i].tw_reuse,
        };
        struct preflight_wants wants = {
            .epoll = rows[i].epoll,
            .connections = rows[i].connections,
            .workers = rows[i].workers != 0 ? rows[i].workers : 1,
            .destinations = rows[i].destinations != 0 ? rows[i].destinations : 1,
            .sources = rows[i].sources,
            .pairs = rows[i].pairs,
            .loopback = rows[i].loopback,
            .connects_per_s = rows[i].connects_per_s,
            .connects_max = rows[i].connects_max != 0 ? rows[i].connects_max : UINT64_MAX,
        };
        struct preflight_warning warning;
        struct err_info why = {.message = ""};
        enum err err;

        if (wants.pairs == 0 && !rows[i].local) wants.pairs = wants.destinations;
        wants.crowded =
            (struct preflight_place){wants.connections, wants.destinations, wants.pairs};
        if (rows[i].low == 1) limits.port_low = limits.port_high = 0;
        err = preflight_check(&limits, &wants, &warning, &why);
        printf("%s: %s%s\n", rows[i].name, why.message, warning.text);
        EXPECT(err == (rows[i].refuses != NULL ? ERR_LIMIT : ERR_OK));
        if (rows[i].refuses != NULL) EXPECT(strstr(why.message, rows[i].refuses) != NULL);
        EXPECT((warning.text[0] != '\0') == (rows[i].warns != NULL));
        if (rows[i].warns != NULL) EXPECT(strstr(warning.text, rows[i].warns) != NULL);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    EXPECT(file != NULL);
    EXPECT(fputs(text, file) >= 0);
    EXPECT(fclose(file) == 0);
}

static const struct {
    const char *range, *reserved, *reuse; /* NULL: there is no such file. */
    uint32_t low, high, reserved_count, tw_reuse;
} files[] = {
    {"32768\t60999\n", "\n", "2\n", 32768, 60999, 0, 2},
    {"1024 65535\n", "8080,9148\n", "0\n", 1024, 65535, 2, 0},
    {"50000\t50009\n", "1-49999,50001,50003-50004,50009-60000\n", "1\n", 50000, 50009, 4, 1},
    {"50000\t50009\n", "7000-6000,x", NULL, 50000, 50009, 0, 0},
    {NULL, NULL, NULL, 0, 0, 0, 0},
    {"rubbish\n", "8080\n", "2\n", 0, 0, 0, 0},
    {"60999 32768\n", "8080\n", "2\n", 0, 0, 0, 0},
};

static void test_preflight_reads_what_there_is(void)
{
    static const char *const folders[] = {PROC, PROC "/sys", PROC "/sys/net", PROC "/sys/net/ipv4"};
    static const char *const paths[] = {PROC "/sys/net/ipv4/ip_local_port_range",
                                        PROC "/sys/net/ipv4/ip_local_reserved_ports",
                                        PROC "/sys/net/ipv4/tcp_tw_reuse"};

    for (size_t i = 0; i < COUNT(folders); i++) {
        (void)mkdir(folders[i], 0755);
    }
    for (size_t i = 0; i < COUNT(files); i++) {
        const char *const texts[] = {files[i].range, files[i].reserved, files[i].reuse};
        struct preflight_limits limits;

        for (size_t j = 0; j < COUNT(paths); j++) {
            (void)unlink(paths[j]);
            if (texts[j] != NULL) write_file(paths[j], texts[j]);
        }
        preflight_read(&limits, PROC);
        printf("%u to %u, %u, %u\n", limits.port_low, limits.port_high, limits.ports_reserved,
               limits.tw_reuse);
        EXPECT(limits.port_low == files[i].low);
        EXPECT(limits.port_high == files[i].high);
        EXPECT(limits.ports_reserved == files[i].reserved_count);
        EXPECT(limits.tw_reuse == files[i].tw_reuse);
        EXPECT(limits.descriptors_used == 0); /* There is no such folder. */
        EXPECT(limits.descriptors > 0);
    }
}

static void test_preflight_counts_the_descriptors_in_use(void)
{
    struct preflight_limits before, after;
    int fds[2];

    preflight_read(&before, "/proc");
    EXPECT(pipe(fds) == 0);
    preflight_read(&after, "/proc");
    EXPECT(before.descriptors_used >= 3);
    EXPECT(after.descriptors_used == before.descriptors_used + 2);
    EXPECT(close(fds[0]) == 0);
    EXPECT(close(fds[1]) == 0);
}

static struct address address_of(const char *text)
{
    struct address address = {.len = 0};
    struct sockaddr_in *v4 = (void *)&address.storage;
    struct sockaddr_in6 *v6 = (void *)&address.storage;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        address.storage.ss_family = AF_INET;
    } else {
        EXPECT(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1);
        address.storage.ss_family = AF_INET6;
    }
    return address;
}

static const struct {
    const char *first, *second;
    uint32_t destinations;
    bool loopback;
} targets[] = {
    {"127.0.0.1", NULL, 1, true},           {"127.9.9.9", "::1", 2, true},
    {"::1", "192.0.2.1", 2, false},         {"192.0.2.1", NULL, 1, false},
    {"2001:db8::1", "127.0.0.1", 2, false},
};

static struct plan_request request = {.target = 0, .weight = 1};

static void test_preflight_knows_what_a_plan_wants(void)
{
    static struct addresses addresses;
    struct names_place place = {.current = &addresses};
    const struct addresses *of_target[] = {&addresses};
    struct names names = {.places = &place, .places_count = 1, .of_target = of_target};

    for (size_t i = 0; i < COUNT(targets); i++) {
        struct plan plan = {.targets_count = 1,
                            .requests = &request,
                            .requests_count = 1,
                            .connections = 100,
                            .connections_max = 80,
                            .workers = 2,
                            .io = PLAN_IO_EPOLL,
                            .requests_max = 5};
        struct preflight_wants wants;

        addresses.count = 1;
        addresses.list[0] = address_of(targets[i].first);
        if (targets[i].second != NULL)
            addresses.list[addresses.count++] = address_of(targets[i].second);
        wants = preflight_wants(&plan, &names);
        EXPECT(wants.pairs == wants.destinations);
        EXPECT(wants.sources == 0);
        EXPECT(wants.epoll);
        EXPECT(wants.connections == 80);
        EXPECT(wants.workers == 2);
        EXPECT(wants.destinations == targets[i].destinations);
        EXPECT(wants.loopback == targets[i].loopback);
        EXPECT(wants.connects_max == 5);
        plan.io = PLAN_IO_URING;
        plan.connections_max = 0;
        wants = preflight_wants(&plan, &names);
        EXPECT(!wants.epoll);
        EXPECT(wants.connections == 100);
    }
}

/* Four targets at three places; the second has the fewest ports for its connections. */
static void test_preflight_finds_the_target_with_the_fewest_ports(void)
{
    static struct addresses addresses[3];
    static struct plan_request requests[] = {{.target = 0, .weight = 40},
                                             {.target = 1, .weight = 20},
                                             {.target = 2, .weight = 10},
                                             {.target = 3, .weight = 10}};
    struct names_place places[] = {
        {.current = &addresses[0]}, {.current = &addresses[1]}, {.current = &addresses[2]}};
    const struct addresses *of_target[] = {&addresses[0], &addresses[1], &addresses[2],
                                           &addresses[1]};
    struct names names = {.places = places, .places_count = 3, .of_target = of_target};
    struct plan plan = {.targets_count = 4,
                        .requests = requests,
                        .requests_count = 4,
                        .connections = 80,
                        .workers = 2,
                        .io = PLAN_IO_EPOLL};
    struct preflight_wants wants;

    addresses[0].count = 2;
    addresses[0].list[0] = address_of("192.0.2.1");
    addresses[0].list[1] = address_of("192.0.2.2");
    addresses[1].count = addresses[2].count = 1;
    addresses[1].list[0] = address_of("192.0.2.3");
    addresses[2].list[0] = address_of("192.0.2.4");
    wants = preflight_wants(&plan, &names);
    EXPECT(wants.connections == 80);
    EXPECT(wants.destinations == 4);
    EXPECT(wants.pairs == 4);
    EXPECT(wants.crowded.connections == 30); /* Against 40 at two addresses. */
    EXPECT(wants.crowded.destinations == 1);
    EXPECT(wants.crowded.pairs == 1);
}

static void test_preflight_expects_the_highest_rate_of_the_stages(void)
{
    static struct addresses addresses;
    struct names_place place = {.current = &addresses};
    const struct addresses *of_target[] = {&addresses};
    struct names names = {.places = &place, .places_count = 1, .of_target = of_target};
    struct plan_stage stages[] = {{10 * NS_PER_S, 0, 4000}, {5 * NS_PER_S, 1000, 1000}};
    struct plan plan = {.targets_count = 1,
                        .requests = &request,
                        .requests_count = 1,
                        .connections = 1,
                        .workers = 1,
                        .io = PLAN_IO_EPOLL,
                        .max_requests_per_connection = 1,
                        .open_loop = true,
                        .stages = stages,
                        .stages_count = COUNT(stages)};
    struct preflight_wants wants;

    addresses.count = 1;
    addresses.list[0] = address_of("192.0.2.1");
    wants = preflight_wants(&plan, &names);
    EXPECT(wants.connects_per_s > 3999 && wants.connects_per_s < 4001);
    EXPECT(wants.connects_max == 25000);
    plan.max_requests_per_connection = 10;
    wants = preflight_wants(&plan, &names);
    EXPECT(wants.connects_per_s > 399 && wants.connects_per_s < 401);
    EXPECT(wants.connects_max == 2500);
    plan.connect_rate_per_s = 50;
    EXPECT(preflight_wants(&plan, &names).connects_per_s < 51);
    plan.open_loop = false;
    EXPECT(preflight_wants(&plan, &names).connects_per_s > 49);
    plan.open_loop = true;
    plan.connect_rate_per_s = 0;
    plan.max_requests_per_connection = 0;
    EXPECT(preflight_wants(&plan, &names).connects_per_s <= 0);
    plan.max_requests_per_connection = 1;
    plan.requests_max = 7;
    EXPECT(preflight_wants(&plan, &names).connects_max == 7);
    plan.open_loop = false;
    EXPECT(preflight_wants(&plan, &names).connects_per_s <= 0);
}

int main(void)
{
    TEST(test_preflight_refuses_and_warns_with_numbers);
    TEST(test_preflight_reads_what_there_is);
    TEST(test_preflight_counts_the_descriptors_in_use);
    TEST(test_preflight_knows_what_a_plan_wants);
    TEST(test_preflight_finds_the_target_with_the_fewest_ports);
    TEST(test_preflight_expects_the_highest_rate_of_the_stages);
    return 0;
}
