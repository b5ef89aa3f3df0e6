#include "io/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/proc.h"

/* Columns of a "cpu" line, proc_stat(5). */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

enum { PATH_BYTES = 256 };
#define SPAN_MIN_NS NS_PER_S

static void take_cpu(struct health *health, const char *line, uint64_t tick_ns)
{
    uint64_t columns[COLUMNS];
    char *at;
    unsigned long cpu = strtoul(line + strlen("cpu"), &at, 10);

    /* The first line, without a number, is the sum. */
    if (at == line + strlen("cpu") || cpu >= CPUS_MAX) return;
    for (int i = 0; i < COLUMNS; i++) {
        char *end;

        columns[i] = strtoull(at, &end, 10);
        if (end == at) return;
        at = end;
    }
    health->cpus[cpu] = (struct health_cpu){
        .known = true,
        .idle_ns = (columns[IDLE] + columns[IOWAIT]) * tick_ns,
        .irq_ns = (columns[IRQ] + columns[SOFTIRQ]) * tick_ns,
        .steal_ns = columns[STEAL] * tick_ns,
    };
}

static void read_cpus(struct health *health, const char *proc)
{
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    struct proc_lines lines;
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/stat", proc);
    if (ticks_per_s <= 0 || !proc_lines_open(&lines, path)) return;
    while (proc_lines_next(&lines) && strncmp(lines.line, "cpu", 3) == 0) {
        take_cpu(health, lines.line, NS_PER_S / (uint64_t)ticks_per_s);
    }
    proc_lines_close(&lines);
}

/* The value below "RetransSegs": two lines begin with "Tcp:", names and values. */
static void read_retransmits(struct health *health, const char *proc)
{
    static const char prefix[] = "Tcp:";
    struct proc_lines lines;
    char path[PATH_BYTES];
    int column = -1;

    (void)snprintf(path, sizeof(path), "%s/net/snmp", proc);
    if (!proc_lines_open(&lines, path)) return;
    while (proc_lines_next(&lines)) {
        char *rest = NULL;
        const char *word;
        int at = 0;

        if (strncmp(lines.line, prefix, strlen(prefix)) != 0) continue;
        word = strtok_r(lines.line + strlen(prefix), " ", &rest);
        for (; word != NULL; word = strtok_r(NULL, " ", &rest), at++) {
            if (column < 0 && strcmp(word, "RetransSegs") == 0) break;
            if (column == at) break;
        }
        if (word == NULL) break;
        if (column == at) {
            health->retransmits = strtoull(word, NULL, 10);
            health->retransmits_known = true;
            break;
        }
        column = at;
    }
    proc_lines_close(&lines);
}

void health_read(struct health *ret_health, const char *proc, uint64_t at_ns)
{
    memset(ret_health, 0, sizeof(*ret_health));
    ret_health->at_ns = at_ns;
    read_cpus(ret_health, proc);
    read_retransmits(ret_health, proc);
}

/* Columns may go back a little (iowait does): that is no time then. */
static uint64_t grown(uint64_t begin, uint64_t end)
{
    return end > begin ? end - begin : 0;
}

static double share_of(uint64_t part_ns, uint64_t span_ns)
{
    return part_ns >= span_ns ? 1.0 : (double)part_ns / (double)span_ns;
}

struct health_core health_core(const struct health *begin, const struct health *end, uint32_t cpu,
                               uint64_t own_ns)
{
    uint64_t span_ns = grown(begin->at_ns, end->at_ns), steal_ns, not_foreign_ns;
    const struct health_cpu *from, *to;

    if (cpu >= CPUS_MAX || span_ns < SPAN_MIN_NS || !begin->cpus[cpu].known ||
        !end->cpus[cpu].known) {
        return (struct health_core){.foreign = HEALTH_UNKNOWN, .steal = HEALTH_UNKNOWN};
    }
    from = &begin->cpus[cpu];
    to = &end->cpus[cpu];
    steal_ns = grown(from->steal_ns, to->steal_ns);
    not_foreign_ns =
        grown(from->idle_ns, to->idle_ns) + grown(from->irq_ns, to->irq_ns) + steal_ns + own_ns;
    return (struct health_core){
        .foreign = share_of(grown(not_foreign_ns, span_ns), span_ns),
        .steal = share_of(steal_ns, span_ns),
    };
}

bool health_retransmits(const struct health *begin, const struct health *end, uint64_t *ret_count)
{
    if (!begin->retransmits_known || !end->retransmits_known) return false;
    *ret_count = grown(begin->retransmits, end->retransmits);
    return true;
}
