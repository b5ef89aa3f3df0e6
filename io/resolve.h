/* resolve: names to addresses. Blocks; the scribe's business, never a worker's. */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <sys/socket.h>

#include "core/base/err.h"

enum { RESOLVE_ADDRESSES_MAX = 64, RESOLVE_TEXT_MAX = 64 };

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

struct addresses {
    struct address list[RESOLVE_ADDRESSES_MAX];
    uint32_t count;
};

/* All stream addresses of `host` (a name, or an IPv4 or IPv6 literal) at `service` (digits), in
 * the resolver's order (RFC 6724), without repeats, the first RESOLVE_ADDRESSES_MAX. ERR_RESOLVE
 * with the reason when there is none. May block for as long as the resolver does. Any thread. */
MUST_USE enum err resolve(const char *host, const char *service, struct addresses *ret_addresses,
                          struct err_info *why);

/* "127.0.0.1:80" or "[::1]:80" into `buf` of RESOLVE_TEXT_MAX bytes; returns `buf`. */
const char *resolve_text(const struct address *address, char *buf);

#endif
