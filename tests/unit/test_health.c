/* What the snapshots of the machine promise: shares by table from files made by hand, and "not
 * known" for all that cannot be read. */
#include "io/health.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "tests/test.h"

#define PROC "build/test_health.proc"

static struct arena arena;

static struct health *new_health(void)
{
    struct health *health = arena_array(&arena, 1, sizeof(*health));

    EXPECT(health != NULL);
    return health;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    EXPECT(file != NULL);
    EXPECT(fputs(text, file) >= 0);
    EXPECT(fclose(file) == 0);
}

static struct health *read_files(const char *stat_text, const char *snmp_text, uint64_t at_ns)
{
    struct health *health = new_health();

    (void)mkdir(PROC, 0755);
    (void)mkdir(PROC "/net", 0755);
    (void)unlink(PROC "/stat");
    (void)unlink(PROC "/net/snmp");
    if (stat_text != NULL) write_file(PROC "/stat", stat_text);
    if (snmp_text != NULL) write_file(PROC "/net/snmp", snmp_text);
    health_read(health, PROC, at_ns);
    return health;
}

static bool is_near(double a, double b)
{
    return a > b - 1e-9 && a < b + 1e-9;
}

/* A core over ten seconds: ticks of 10 ms that each column grows by. */
static const struct {
    const char *name;
    int idle, iowait, irq, softirq, steal;
    uint64_t own_ms;
    double foreign, steal_share;
} rows[] = {
    {"idle", 1000, 0, 0, 0, 0, 0, 0, 0},
    {"all ours", 0, 0, 0, 0, 0, 10000, 0, 0},
    {"half ours", 500, 0, 0, 0, 0, 5000, 0, 0},
    {"half ours, half foreign", 0, 0, 0, 0, 0, 5000, 0.5, 0},
    {"waiting for a disk is idle", 300, 300, 0, 0, 0, 4000, 0, 0},
    {"interrupts accuse nobody", 200, 0, 100, 300, 0, 4000, 0, 0},
    {"and may be in our own time as well", 0, 0, 100, 300, 0, 10000, 0, 0},
    {"the hypervisor's", 300, 0, 0, 0, 200, 5000, 0, 0.2},
    {"some of all", 100, 50, 20, 30, 100, 5000, 0.2, 0.1},
    {"idle goes back", -5, 0, 0, 0, 0, 5000, 0.5, 0},
};

static void test_health_shares_a_core(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct health *begin, *end;
        struct health_core core;
        char text[256];

        printf("%s\n", rows[i].name);
        begin = read_files("cpu  9 9 9 9 9 9 9 9\ncpu0 7 7 7 7 7 7 7 7 0 0\n"
                           "cpu3 1000 10 2000 50000 300 20 400 60 0 0\nintr 5 5\n",
                           NULL, 5 * NS_PER_S);
        (void)snprintf(text, sizeof(text), "cpu  1 1 1 1 1 1 1 1\ncpu3 1 1 1 %d %d %d %d %d 0 0\n",
                       50000 + rows[i].idle, 300 + rows[i].iowait, 20 + rows[i].irq,
                       400 + rows[i].softirq, 60 + rows[i].steal);
        end = read_files(text, NULL, 15 * NS_PER_S);
        core = health_core(begin, end, 3, rows[i].own_ms * NS_PER_MS);
        EXPECT(is_near(core.foreign, rows[i].foreign));
        EXPECT(is_near(core.steal, rows[i].steal_share));
        arena_release(&arena);
    }
}

static void test_health_does_not_guess(void)
{
    static const char *const stats[] = {NULL,
                                        "",
                                        "cpu0 1 2 3\n",
                                        "cpu1 1 1 1 1 1 1 1 1\n",
                                        "rubbish\ncpu0 1 1 1 1 1 1 1 1\n",
                                        "cpu99999 1 1 1 1 1 1 1 1\n"};
    static const char *const snmps[] = {NULL,
                                        "",
                                        "Tcp: RetransSegs\n",
                                        "Tcp: A RetransSegs\nTcp: 1",
                                        "Tcp: A B\nTcp: 1 2\n",
                                        "Udp: RetransSegs\nUdp: 5\n"};
    struct health *good = read_files("cpu0 1 1 1 1 1 1 1 1\n", "Tcp: RetransSegs\nTcp: 7\n", 0);
    uint64_t count = 42;

    EXPECT(good->retransmits_known);
    EXPECT(good->cpus[0].known);
    for (size_t i = 0; i < COUNT(stats); i++) {
        struct health *bad = read_files(stats[i], snmps[i], 10 * NS_PER_S);

        EXPECT(health_core(good, bad, 0, 0).foreign < 0);
        EXPECT(health_core(good, bad, 0, 0).steal < 0);
        EXPECT(!health_retransmits(good, bad, &count));
        EXPECT(!health_retransmits(bad, good, &count));
        EXPECT(count == 42);
    }
    arena_release(&arena);
}

static void test_health_tells_no_shares_of_less_than_a_second(void)
{
    static const char line[] = "cpu0 1 1 1 1 1 1 1 1\n";
    struct health *begin = read_files(line, NULL, NS_PER_S);

    EXPECT(health_core(begin, read_files(line, NULL, 2 * NS_PER_S - 1), 0, 0).foreign < 0);
    EXPECT(health_core(begin, read_files(line, NULL, 2 * NS_PER_S), 0, 0).foreign >= 0);
    EXPECT(health_core(begin, read_files(line, NULL, NS_PER_S / 2), 0, 0).foreign < 0);
    EXPECT(health_core(begin, begin, UINT32_MAX, 0).foreign < 0);
    arena_release(&arena);
}

static void test_health_counts_retransmits(void)
{
    struct health *begin = read_files(NULL,
                                      "Ip: a b\nIp: 1 2\nTcp: RtoMin RetransSegs InErrs\n"
                                      "Tcp: -1 100 3\nUdp: RetransSegs\nUdp: 5\n",
                                      0);
    struct health *end = read_files(NULL, "Tcp: RtoMin RetransSegs\nTcp: -1 117\n", 1);
    uint64_t count = 0;

    EXPECT(health_retransmits(begin, end, &count));
    EXPECT(count == 17);
    EXPECT(health_retransmits(end, begin, &count)); /* Never less than nothing. */
    EXPECT(count == 0);
    arena_release(&arena);
}

static void test_health_reads_a_long_stat_line_by_line(void)
{
    size_t size = CPUS_MAX * 128;
    char *text = arena_array(&arena, size, 1);
    struct health *health;
    size_t len = 0;

    EXPECT(text != NULL);
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        len += (size_t)snprintf(text + len, size - len, "cpu%d 1 1 1 %d 0 0 0 %d 0 0\n", cpu,
                                100000000 + cpu, cpu);
    }
    health = read_files(text, NULL, 0);
    for (uint64_t cpu = 0; cpu < CPUS_MAX; cpu++) {
        EXPECT(health->cpus[cpu].known);
        EXPECT(health->cpus[cpu].steal_ns == cpu * 10 * NS_PER_MS);
        EXPECT(health->cpus[cpu].idle_ns == (100000000 + cpu) * 10 * NS_PER_MS);
    }
    arena_release(&arena);
}

static void test_health_reads_this_machine(void)
{
    struct health *health = new_health();

    health_read(health, "/proc", clock_now_ns());
    EXPECT(health->cpus[0].known);
    EXPECT(health->retransmits_known);
    arena_release(&arena);
}

int main(void)
{
    TEST(test_health_shares_a_core);
    TEST(test_health_does_not_guess);
    TEST(test_health_tells_no_shares_of_less_than_a_second);
    TEST(test_health_counts_retransmits);
    TEST(test_health_reads_a_long_stat_line_by_line);
    TEST(test_health_reads_this_machine);
    return 0;
}
