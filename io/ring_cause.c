#include "io/ring_cause.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "io/proc.h"

enum { SECCOMP_FILTER = 2, CAP_SYS_ADMIN_BIT = 21, KIB = 1024 };

bool ring_cause_probe(void)
{
    /* Without parameters it fails with EFAULT or EINVAL where it is had. */
    long rc = syscall(__NR_io_uring_setup, 0, NULL);

    return rc < 0 && errno != ENOSYS && errno != EPERM && errno != EACCES;
}

void ring_cause_read(struct ring_cause_facts *ret_facts)
{
    struct ring_cause_facts facts = {.disabled = -1, .seccomp = -1, .memlock_bytes = UINT64_MAX};
    char text[8192];
    struct rlimit limit;
    struct utsname kernel;
    uint64_t value;

    if (proc_read("/proc/sys/kernel/io_uring_disabled", text, sizeof(text)) &&
        proc_number(text, "", 10, &value)) {
        facts.disabled = (int)value;
    }
    if (proc_read("/proc/self/status", text, sizeof(text))) {
        if (proc_number(text, "Seccomp:", 10, &value)) facts.seccomp = (int)value;
        if (proc_number(text, "CapEff:", 16, &value)) {
            facts.privileged = (value >> CAP_SYS_ADMIN_BIT & 1) != 0;
        }
    }
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        facts.memlock_bytes = limit.rlim_cur;
    }
    if (uname(&kernel) == 0) {
        char *end;

        facts.major = (unsigned)strtoul(kernel.release, &end, 10);
        if (*end == '.') facts.minor = (unsigned)strtoul(end + 1, NULL, 10);
    }
    *ret_facts = facts;
}

static bool is_older_than(const struct ring_cause_facts *facts, unsigned major, unsigned minor)
{
    if (facts->major == 0) return false;
    return facts->major < major || (facts->major == major && facts->minor < minor);
}

static enum err forbidden(int error, const struct ring_cause_facts *facts, struct err_info *why)
{
    const char *name = err_errno_name(error);

    if (facts->disabled == 2) {
        return err_set(why, ERR_KERNEL, error,
                       "io_uring is forbidden by sysctl kernel.io_uring_disabled=2; as root: "
                       "sysctl -w kernel.io_uring_disabled=0");
    }
    if (facts->disabled == 1 && !facts->privileged) {
        return err_set(why, ERR_KERNEL, error,
                       "io_uring is forbidden to ordinary users by sysctl "
                       "kernel.io_uring_disabled=1; run as root or set it to 0");
    }
    if (facts->seccomp == SECCOMP_FILTER) {
        return err_set(why, ERR_KERNEL, error,
                       "io_uring is forbidden by a seccomp filter (%s), as Docker's and "
                       "containerd's are; docker run --security-opt seccomp=unconfined lifts it",
                       name);
    }
    return err_set(why, ERR_KERNEL, error,
                   "io_uring is forbidden (%s), by neither sysctl nor seccomp: perhaps by a "
                   "security module such as SELinux",
                   name);
}

static enum err missing(int error, const struct ring_cause_facts *facts, struct err_info *why)
{
    if (is_older_than(facts, 5, 1)) {
        return err_set(why, ERR_KERNEL, error,
                       "Linux %u.%u has no io_uring; 6.1 or later is needed", facts->major,
                       facts->minor);
    }
    if (facts->seccomp == SECCOMP_FILTER) {
        return err_set(why, ERR_KERNEL, error,
                       "io_uring is hidden by a seccomp filter (ENOSYS), as in some containers; "
                       "a profile that allows io_uring_setup lifts it");
    }
    return err_set(why, ERR_KERNEL, error,
                   "the kernel was built without io_uring (CONFIG_IO_URING; ENOSYS)");
}

static enum err no_memory(int error, const struct ring_cause_facts *facts, uint64_t needed_bytes,
                          struct err_info *why)
{
    unsigned long long needed_kib = (needed_bytes + KIB - 1) / KIB;

    if (facts->memlock_bytes == UINT64_MAX) {
        return err_set(why, ERR_LIMIT, error,
                       "the kernel has no memory for an io_uring of %llu KiB", needed_kib);
    }
    return err_set(why, ERR_LIMIT, error,
                   "memlock is %llu KiB per user, a ring locks about %llu KiB; raise it first: "
                   "ulimit -l unlimited",
                   (unsigned long long)facts->memlock_bytes / KIB, needed_kib);
}

enum err ring_cause(int error, const struct ring_cause_facts *facts, uint64_t needed_bytes,
                    struct err_info *why)
{
    switch (error) {
    case EPERM:
    case EACCES: return forbidden(error, facts, why);
    case ENOSYS: return missing(error, facts, why);
    case ENOMEM: return no_memory(error, facts, needed_bytes, why);
    case EMFILE:
    case ENFILE:
        return err_set(why, ERR_LIMIT, error,
                       "no descriptor is left for io_uring (%s); raise the "
                       "limit with 'ulimit -n'",
                       err_errno_name(error));
    case EINVAL:
        if (is_older_than(facts, 6, 1)) {
            return err_set(why, ERR_KERNEL, error,
                           "io_uring of Linux %u.%u lacks what is needed; 6.1 or later has it",
                           facts->major, facts->minor);
        }
        break;
    default: break;
    }
    return err_set(why, ERR_KERNEL, error, "io_uring_setup failed: %s", err_errno_name(error));
}
