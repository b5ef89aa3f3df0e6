/* ring_cause: why the kernel gives us no io_uring, in words that name the true cause and what
 * would mend it. The errno alone does not tell: EPERM is what Docker's seccomp filter answers and
 * what the sysctl answers; ENOSYS is an old kernel, one built without it, or another filter. Any
 * thread. */
#ifndef IO_RING_CAUSE_H
#define IO_RING_CAUSE_H

#include "core/base/defs.h"
#include "core/base/err.h"

/* What the machine says; -1: not known. */
struct ring_cause_facts {
    int disabled;           /* sysctl kernel.io_uring_disabled: 0, 1 (ordinary users), 2 (all). */
    int seccomp;            /* Of this process: 0 none, 1 strict, 2 a filter. */
    bool privileged;        /* CAP_SYS_ADMIN: io_uring_disabled=1 does not hold for us. */
    uint64_t memlock_bytes; /* RLIMIT_MEMLOCK; UINT64_MAX: no bound. */
    unsigned major, minor;  /* Of the kernel; 0.0: not known. */
};

/* Whether io_uring_setup is there and allowed. Makes no ring: the kernel holds what a ring has
 * locked for a while after its end. */
MUST_USE bool ring_cause_probe(void);

/* Reads the facts of this process. */
void ring_cause_read(struct ring_cause_facts *ret_facts);

/* Why io_uring_setup failed with the positive errno `error`: ERR_KERNEL, or ERR_LIMIT when a
 * limit was met, with the errno and at most 159 bytes of message. `needed_bytes`: what the ring
 * that was asked for would have locked in memory. Pure. */
MUST_USE enum err ring_cause(int error, const struct ring_cause_facts *facts, uint64_t needed_bytes,
                             struct err_info *why);

#endif
