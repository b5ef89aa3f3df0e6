/* uring_compat: constants that liburing 2.3 (Debian 12) and its kernel headers lack. Each is
 * probed at run time before it is used; the values are the kernel's ABI (include/uapi/linux/
 * io_uring.h). */
#ifndef IO_URING_COMPAT_H
#define IO_URING_COMPAT_H

#include <liburing.h>

#include "core/base/defs.h"

#ifndef IORING_FEAT_MIN_TIMEOUT
#    define IORING_FEAT_MIN_TIMEOUT (1U << 15) /* Linux 6.12: wait for a batch, bounded. */
#endif

/* struct io_uring_getevents_arg with the name that Linux 6.12 gave to its padding. */
struct uring_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_sz;
    uint32_t min_wait_usec;
    uint64_t ts;
};
_Static_assert(sizeof(struct uring_getevents_arg) == sizeof(struct io_uring_getevents_arg),
               "the kernel's layout");

#endif
