#include "io/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static bool is_in(const struct addresses *addresses, const void *storage, socklen_t len)
{
    for (uint32_t i = 0; i < addresses->count; i++) {
        const struct address *known = &addresses->list[i];

        if (known->len == len && memcmp(&known->storage, storage, len) == 0) return true;
    }
    return false;
}

enum err resolve(const char *host, const char *service, struct addresses *ret_addresses,
                 struct err_info *why)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, service, &hints, &found);

    if (rc != 0) {
        return err_set(why, ERR_RESOLVE, 0, "cannot resolve '%s': %s", host, gai_strerror(rc));
    }
    ret_addresses->count = 0;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        struct address *address = &ret_addresses->list[ret_addresses->count];

        if (info->ai_addrlen > sizeof(address->storage)) continue;
        if (ret_addresses->count == RESOLVE_ADDRESSES_MAX) break;
        if (is_in(ret_addresses, info->ai_addr, info->ai_addrlen)) continue;
        memset(address, 0, sizeof(*address));
        memcpy(&address->storage, info->ai_addr, info->ai_addrlen);
        address->len = info->ai_addrlen;
        ret_addresses->count++;
    }
    freeaddrinfo(found);
    if (ret_addresses->count == 0) {
        return err_set(why, ERR_RESOLVE, 0, "cannot resolve '%s': it has no address", host);
    }
    return ERR_OK;
}

bool resolve_numeric(const char *text, const char *service, struct address *ret_address)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct address address;

    if (getaddrinfo(text, service, &hints, &found) != 0) return false;
    memset(&address, 0, sizeof(address));
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.len = found->ai_addrlen;
    freeaddrinfo(found);
    *ret_address = address;
    return true;
}

bool resolve_unix(const char *path, struct address *ret_address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof(un.sun_path)) return false;
    memcpy(un.sun_path, path, len);
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(&ret_address->storage, &un, sizeof(un));
    ret_address->len = sizeof(un);
    return true;
}

bool resolve_is_same(const struct addresses *a, const struct addresses *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!is_in(b, &a->list[i].storage, a->list[i].len)) return false;
    }
    return true;
}

const char *resolve_text_host(const struct address *address, char *buf)
{
    if (getnameinfo((const struct sockaddr *)&address->storage, address->len, buf, RESOLVE_TEXT_MAX,
                    NULL, 0, NI_NUMERICHOST) != 0) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "?");
    }
    return buf;
}

const char *resolve_text(const struct address *address, char *buf)
{
    const struct sockaddr_un *un = (const void *)&address->storage;
    char host[48], service[8];

    if (address->storage.ss_family == AF_UNIX) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "%.*s", RESOLVE_TEXT_MAX - 1, un->sun_path);
    } else if (getnameinfo((const struct sockaddr *)&address->storage, address->len, host,
                           sizeof(host), service, sizeof(service),
                           NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "?");
    } else if (address->storage.ss_family == AF_INET6) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "[%s]:%s", host, service);
    } else {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "%s:%s", host, service);
    }
    return buf;
}
