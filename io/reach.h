/* reach: the first address of a host that can be connected to, found out before a run. Blocks, for
 * as long as the resolver and the kernel's connect(2) do: nothing for a worker.
 *
 * Threads: any. */
#ifndef IO_REACH_H
#define IO_REACH_H

#include "io/resolve.h"

/* Looks `host` up at `service` (digits, or a name of services(5)) and connects to its addresses in
 * turn until one takes the connection, which is closed at once. ERR_RESOLVE, or ERR_NETWORK with
 * what the last address said. */
MUST_USE enum err reach(const char *host, const char *service, struct address *ret_address,
                        struct err_info *why);

#endif
