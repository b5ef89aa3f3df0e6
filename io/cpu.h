/* cpu: which processors we may use, and what we used of them. Any thread. */
#ifndef IO_CPU_H
#define IO_CPU_H

#include "core/base/defs.h"

enum { CPUS_MAX = 1024 };

/* The processors that this process may run on, ascending, into `cpus` (room for `cpus_max`);
 * returns how many, at least 1. */
uint32_t cpu_allowed(uint32_t *cpus, uint32_t cpus_max);

/* Pins the calling thread; false when the kernel refuses. */
MUST_USE bool cpu_pin(uint32_t cpu);

/* CPU time, user and system, of the calling thread and of the whole process. */
uint64_t cpu_thread_ns(void);
uint64_t cpu_process_ns(void);

/* For how long the calling thread was ready to run and another had its processor, or a quota kept
 * it off: read again and again from a descriptor, which cpu_wait_open() gives (-1: not to be had
 * here) and close(2) takes back. False, `ret_ns` untouched, when it is not known. */
int cpu_wait_open(void);
MUST_USE bool cpu_wait_ns(int fd, uint64_t *ret_ns);

/* Largest resident set of this process so far, in KiB. */
uint64_t cpu_rss_max_kib(void);

#endif
