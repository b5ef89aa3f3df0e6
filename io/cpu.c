#include "io/cpu.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/proc.h"

static uint64_t clock_ns(clockid_t id)
{
    struct timespec ts = {0};

    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint32_t cpu_allowed(uint32_t *cpus, uint32_t cpus_max)
{
    cpu_set_t set;
    uint32_t count = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (uint32_t cpu = 0; cpu < CPU_SETSIZE && count < cpus_max; cpu++) {
            if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
        }
    }
    if (count == 0) cpus[count++] = 0;
    return count;
}

bool cpu_pin(uint32_t cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

uint64_t cpu_thread_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t cpu_process_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int cpu_wait_open(void)
{
    return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

bool cpu_wait_ns(int fd, uint64_t *ret_ns)
{
    unsigned long long wait_ns, slices;
    char text[128], *end;
    ssize_t len = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    if (len <= 0) return false;
    text[len] = '\0';
    (void)strtoull(text, &end, 10); /* Time on a processor. */
    wait_ns = strtoull(end, &end, 10);
    slices = strtoull(end, NULL, 10);
    /* All are 0 where the kernel does not count. */
    if (slices == 0) return false;
    *ret_ns = wait_ns;
    return true;
}

uint64_t cpu_rss_max_kib(void)
{
    struct rusage usage = {0};
    char status[4096];
    uint64_t kib;

    if (proc_read("/proc/self/status", status, sizeof(status)) &&
        proc_number(status, "VmHWM:", 10, &kib)) {
        return kib;
    }
    /* This one begins with what the process that started us had. */
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss;
}
