/* net: how connections get to their targets: from which of our addresses, to which of theirs, by
 * way of what. A part of the plan (config/plan.h), and parsed into its arena.
 *
 * Threads: as the plan's. */
#ifndef CONFIG_NET_H
#define CONFIG_NET_H

#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/base/err.h"

enum {
    NET_SOURCES_MAX = 4096,
    NET_RESOLVES_MAX = 1000,        /* Lines of --resolve. */
    NET_RESOLVE_ADDRESSES_MAX = 64, /* Of one line. */
    NET_ADDRESS_BYTES = 64,         /* Of an address as text: INET6_ADDRSTRLEN, a zone, the end. */
    NET_UNIX_PATH_MAX = 107,        /* unix(7): sun_path without its end. */
    NET_USER_BYTES_MAX = 1024,      /* User information of a proxy, as given. */
};

/* An address of ours in its shortest form. */
struct net_source {
    char text[NET_ADDRESS_BYTES];
};

/* What a name is said to mean. */
struct net_resolve {
    const char *host;             /* In any case; without brackets. */
    const char *service;          /* The port in digits; NULL: any. */
    const char *const *addresses; /* [count] literals, without brackets. */
    uint32_t count;
};

struct net_proxy {
    const char *host;          /* Without brackets; NULL: there is no proxy. */
    const char *service;       /* The port in digits. */
    const char *authorization; /* Value of Proxy-Authorization; NULL: none. A secret. */
    bool tunnel;               /* Every connection asks for its target by CONNECT. */
};

struct net {
    const struct net_source *sources; /* [sources_count], no two the same; 0: the kernel chooses. */
    uint32_t sources_count;
    const struct net_resolve *resolves; /* [resolves_count]; the last that fits counts. */
    uint32_t resolves_count;
    const char *unix_path; /* All connections go there; NULL: to the target's addresses. */
    uint64_t probe_ns; /* How long a connection is idle before TCP asks whether the peer is there;
                          0: it does not. */
    uint64_t resolve_every_ns; /* Names are looked up again; 0: once for all. */
    struct net_proxy proxy;
};

/* Parses "A,B,C-D": IPv4 and IPv6 addresses (without brackets, a zone behind '%' is fine) and
 * ranges of IPv4 addresses, both ends included. ERR_USAGE when there is none, one is no address or
 * comes twice, a range goes down, or there are more than NET_SOURCES_MAX; ERR_MEMORY. */
MUST_USE enum err net_parse_sources(struct arena *arena, const char *text, struct net *net,
                                    struct err_info *why);

/* Parses "HOST:PORT:ADDRESS[,ADDRESS]...", an IPv6 HOST or ADDRESS in brackets or, for ADDRESS,
 * without. ERR_USAGE with the reason; ERR_MEMORY. */
MUST_USE enum err net_parse_resolve(struct arena *arena, const char *text,
                                    struct net_resolve *ret_resolve, struct err_info *why);

/* Parses "http://[USER[:PASSWORD]@]HOST:PORT[/]" (RFC 3986; %XX in user and password is decoded)
 * into host, service and authorization, which is "Basic ..." (RFC 7617). ERR_USAGE with the
 * reason, which does not repeat the text, since it may hold a password; ERR_MEMORY. */
MUST_USE enum err net_parse_proxy(struct arena *arena, const char *text,
                                  struct net_proxy *ret_proxy, struct err_info *why);

/* True if `host` (without brackets) is an address, so that nobody has to be asked. */
bool net_is_literal(const char *host);

/* What `host` at `service` is said to mean; NULL: nothing is. */
const struct net_resolve *net_find_resolve(const struct net *net, const char *host,
                                           const char *service);

#endif
