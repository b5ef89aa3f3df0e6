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

/* The address that `text` (an IPv4 or IPv6 literal, perhaps with a zone) is, with the port
 * `service`, without asking anybody; false when it is no literal. Any thread. */
MUST_USE bool resolve_numeric(const char *text, const char *service, struct address *ret_address);

/* The address of a unix socket; false when `path` is longer than the kernel takes (107 bytes). */
MUST_USE bool resolve_unix(const char *path, struct address *ret_address);

/* True if both lists hold the same addresses, in any order. */
bool resolve_is_same(const struct addresses *a, const struct addresses *b);

/* "127.0.0.1:80" or "[::1]:80", or a unix socket's path (cut), into `buf` of RESOLVE_TEXT_MAX
 * bytes; returns `buf`. The other one leaves the port and the brackets away. */
const char *resolve_text(const struct address *address, char *buf);
const char *resolve_text_host(const struct address *address, char *buf);

#endif
