/* Sources and given names. What is wrong is said before a socket is made. */
#include "config/net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/quote.h"

enum { PORT_MAX = 65535, IPV4_BYTES = INET_ADDRSTRLEN };

/* A piece of a list; not terminated. */
struct piece {
    const char *at;
    size_t len;
};

/* Takes what stands before the next comma, and the comma, off `*rest`. */
static struct piece next_piece(const char **rest)
{
    struct piece piece = {*rest, strcspn(*rest, ",")};

    *rest += piece.len;
    if (**rest == ',') ++*rest;
    return piece;
}

static uint32_t count_pieces(const char *list)
{
    uint32_t count = 1;

    for (; *list != '\0'; list++) {
        if (*list == ',') count++;
    }
    return count;
}

/* Writes the address in `piece` in its shortest form; false when it is none. */
static bool read_address(struct piece piece, char text[NET_ADDRESS_BYTES])
{
    char copy[NET_ADDRESS_BYTES];
    struct in6_addr ip6;
    struct in_addr ip4;
    char *zone;

    if (piece.len == 0 || piece.len >= sizeof(copy)) return false;
    memcpy(copy, piece.at, piece.len);
    copy[piece.len] = '\0';
    if (inet_pton(AF_INET, copy, &ip4) == 1) {
        return inet_ntop(AF_INET, &ip4, text, NET_ADDRESS_BYTES) != NULL;
    }
    zone = strchr(copy, '%');
    if (zone != NULL) *zone = '\0';
    if (inet_pton(AF_INET6, copy, &ip6) != 1) return false;
    if (inet_ntop(AF_INET6, &ip6, text, INET6_ADDRSTRLEN) == NULL) return false;
    if (zone == NULL) return true;
    if (zone[1] == '\0' || strlen(text) + 1 + strlen(zone + 1) >= NET_ADDRESS_BYTES) return false;
    (void)snprintf(text + strlen(text), NET_ADDRESS_BYTES - strlen(text), "%%%s", zone + 1);
    return true;
}

static bool read_ip4(struct piece piece, uint32_t *ret_ip)
{
    char text[IPV4_BYTES];
    struct in_addr ip;

    if (piece.len >= sizeof(text)) return false;
    memcpy(text, piece.at, piece.len);
    text[piece.len] = '\0';
    if (inet_pton(AF_INET, text, &ip) != 1) return false;
    *ret_ip = ntohl(ip.s_addr);
    return true;
}

/* The list of sources as it grows. */
struct sources {
    struct net_source *list; /* [NET_SOURCES_MAX] */
    uint32_t count;
    struct err_info *why;
};

static enum err add_source(struct sources *sources, const char *text)
{
    for (uint32_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->list[i].text, text) == 0) {
            return err_set(sources->why, ERR_USAGE, 0, "option '--source' names %s twice", text);
        }
    }
    if (sources->count == NET_SOURCES_MAX) {
        return err_set(sources->why, ERR_USAGE, 0, "option '--source' takes %d addresses at most",
                       NET_SOURCES_MAX);
    }
    (void)snprintf(sources->list[sources->count++].text, NET_ADDRESS_BYTES, "%s", text);
    return ERR_OK;
}

static enum err add_range(struct sources *sources, struct piece piece, const char *dash)
{
    struct piece ends[2] = {{piece.at, (size_t)(dash - piece.at)},
                            {dash + 1, piece.len - (size_t)(dash + 1 - piece.at)}};
    uint32_t from, to;
    char text[IPV4_BYTES];
    enum err err = ERR_OK;

    if (!read_ip4(ends[0], &from) || !read_ip4(ends[1], &to) || from > to) {
        return err_set(sources->why, ERR_USAGE, 0,
                       "option '--source' wants a range of IPv4 addresses such as "
                       "127.0.0.2-127.0.0.9, not '%s'",
                       quote_len(piece.at, piece.len).text);
    }
    for (uint64_t ip = from; err == ERR_OK && ip <= to; ip++) {
        struct in_addr in = {.s_addr = htonl((uint32_t)ip)};

        (void)inet_ntop(AF_INET, &in, text, sizeof(text));
        err = add_source(sources, text);
    }
    return err;
}

enum err net_parse_sources(struct arena *arena, const char *text, struct net *net,
                           struct err_info *why)
{
    struct sources sources = {.list = arena_array(arena, NET_SOURCES_MAX, sizeof(*sources.list)),
                              .why = why};
    uint32_t pieces = count_pieces(text);
    enum err err = ERR_OK;

    if (sources.list == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for sources");
    for (uint32_t i = 0; err == ERR_OK && i < pieces; i++) {
        struct piece piece = next_piece(&text);
        const char *dash = memchr(piece.at, '-', piece.len);
        char one[NET_ADDRESS_BYTES];

        /* A zone may hold a dash: that of an interface's name. */
        if (dash != NULL && memchr(piece.at, '%', piece.len) == NULL) {
            err = add_range(&sources, piece, dash);
        } else if (read_address(piece, one)) {
            err = add_source(&sources, one);
        } else {
            err = err_set(why, ERR_USAGE, 0,
                          "option '--source' wants addresses such as 192.0.2.1 or fe80::1%%eth0, "
                          "not '%s'",
                          quote_len(piece.at, piece.len).text);
        }
    }
    if (err != ERR_OK) return err;
    net->sources = sources.list;
    net->sources_count = sources.count;
    return ERR_OK;
}

static enum err refuse_resolve(const char *text, const char *reason, struct err_info *why)
{
    return err_set(why, ERR_USAGE, 0, "option '--resolve' wants HOST:PORT:ADDRESS, and '%s' has %s",
                   quote(text).text, reason);
}

/* True if it is a port; without leading zeros, as targets have it. */
static bool is_port(struct piece piece)
{
    unsigned port = 0;

    if (piece.len == 0 || piece.len > 5 || piece.at[0] == '0') return false;
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.at[i] < '0' || piece.at[i] > '9') return false;
        port = port * 10 + (unsigned)(piece.at[i] - '0');
    }
    return port <= PORT_MAX;
}

static enum err read_addresses(struct arena *arena, const char *text, const char *list,
                               struct net_resolve *resolve, struct err_info *why)
{
    uint32_t count = count_pieces(list);
    const char **addresses;

    if (count > NET_RESOLVE_ADDRESSES_MAX) {
        return refuse_resolve(text, "more than 64 addresses", why);
    }
    addresses = arena_array(arena, count, sizeof(*addresses));
    if (addresses == NULL) goto no_memory;
    for (uint32_t i = 0; i < count; i++) {
        struct piece piece = next_piece(&list);
        char address[NET_ADDRESS_BYTES];

        if (piece.len >= 2 && piece.at[0] == '[' && piece.at[piece.len - 1] == ']') {
            piece = (struct piece){piece.at + 1, piece.len - 2};
        }
        if (!read_address(piece, address)) return refuse_resolve(text, "no address there", why);
        addresses[i] = arena_copy(arena, address, strlen(address));
        if (addresses[i] == NULL) goto no_memory;
    }
    resolve->addresses = addresses;
    resolve->count = count;
    return ERR_OK;

no_memory:
    return err_set(why, ERR_MEMORY, 0, "no memory for '--resolve %s'", quote(text).text);
}

enum err net_parse_resolve(struct arena *arena, const char *text, struct net_resolve *ret_resolve,
                           struct err_info *why)
{
    bool bracketed = text[0] == '[';
    struct piece host = {text, strcspn(text, bracketed ? "]" : ":")}, port;
    struct net_resolve resolve = {.count = 0};
    const char *at = text + host.len;
    enum err err;

    if (bracketed && *at == ']') {
        host = (struct piece){text + 1, host.len - 1};
        at++;
    }
    if (*at != ':') return refuse_resolve(text, "no port", why);
    if (host.len == 0) return refuse_resolve(text, "no host", why);
    port = (struct piece){at + 1, strcspn(at + 1, ":")};
    if (port.at[port.len] != ':') return refuse_resolve(text, "no address", why);
    if (!is_port(port)) return refuse_resolve(text, "no port from 1 to 65535", why);
    resolve.host = arena_copy(arena, host.at, host.len);
    resolve.service = arena_copy(arena, port.at, port.len);
    if (resolve.host == NULL || resolve.service == NULL) {
        return err_set(why, ERR_MEMORY, 0, "no memory for '--resolve %s'", quote(text).text);
    }
    err = read_addresses(arena, text, port.at + port.len + 1, &resolve, why);
    if (err == ERR_OK) *ret_resolve = resolve;
    return err;
}

bool net_is_literal(const char *host)
{
    char text[NET_ADDRESS_BYTES];

    return read_address((struct piece){host, strlen(host)}, text);
}

const struct net_resolve *net_find_resolve(const struct net *net, const char *host,
                                           const char *service)
{
    for (uint32_t i = net->resolves_count; i-- > 0;) {
        const struct net_resolve *resolve = &net->resolves[i];

        if (strcasecmp(resolve->host, host) != 0) continue;
        if (resolve->service == NULL || strcmp(resolve->service, service) == 0) return resolve;
    }
    return NULL;
}
