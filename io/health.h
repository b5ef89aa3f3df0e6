/* health: what else happened on this machine while a run went on: foreign programs and the
 * hypervisor on our processors, and TCP retransmits. From /proc, as an ordinary user; what is not
 * there to be read is not known, never 0.
 *
 * Foreign CPU. Of a worker's processor over a span,
 *     foreign = span - idle - iowait - irq - softirq - steal - (CPU time that was our own)
 * Idle and iowait are exact on tickless kernels; the columns user and system are not used, since
 * the tick that samples them misses tasks that come and go between two ticks. Interrupts and
 * softirqs are left out because the network works for us in them. Where they run in a task's
 * context the kernel may have put that time on the task as well: then it is subtracted twice, and
 * `foreign` is a lower bound. It accuses nobody wrongly; what it leaves out is seen from the other
 * side by cpu_wait_ns() (io/cpu.h): the time that a worker waited for its processor.
 *
 * Columns are counted in ticks of 10 ms, so shares of less than a second are not told.
 *
 * Threads: any; a snapshot belongs to who took it. */
#ifndef IO_HEALTH_H
#define IO_HEALTH_H

#include "core/base/defs.h"
#include "io/cpu.h"

struct health_cpu {
    bool known;
    uint64_t idle_ns;  /* And iowait. */
    uint64_t irq_ns;   /* And softirq. */
    uint64_t steal_ns; /* The hypervisor ran somebody else. */
};

/* A moment; about 32 KiB. */
struct health {
    uint64_t at_ns; /* By clock_now_ns(). */
    bool retransmits_known;
    uint64_t retransmits; /* TCP segments sent again, by all connections of this network
                             namespace since it was made. */
    struct health_cpu cpus[CPUS_MAX];
};

/* Takes a snapshot; `proc` is "/proc" but in tests. */
void health_read(struct health *ret_health, const char *proc, uint64_t at_ns);

/* Shares of a processor's time, 0 to 1; HEALTH_UNKNOWN where there is none to be told. */
struct health_core {
    double foreign;
    double steal;
};
#define HEALTH_UNKNOWN (-1.0)

/* What happened on `cpu` between two snapshots; `own_ns`: CPU time that this process may have used
 * there meanwhile. */
struct health_core health_core(const struct health *begin, const struct health *end, uint32_t cpu,
                               uint64_t own_ns);

/* Segments sent again between two snapshots; false when not known. */
MUST_USE bool health_retransmits(const struct health *begin, const struct health *end,
                                 uint64_t *ret_count);

#endif
