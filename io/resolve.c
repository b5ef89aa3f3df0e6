#include "io/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool is_known(const struct addresses *addresses, const struct addrinfo *info)
{
    for (uint32_t i = 0; i < addresses->count; i++) {
        const struct address *known = &addresses->list[i];

        if (known->len == info->ai_addrlen &&
            memcmp(&known->storage, info->ai_addr, info->ai_addrlen) == 0) {
            return true;
        }
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
        if (is_known(ret_addresses, info)) continue;
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

const char *resolve_text(const struct address *address, char *buf)
{
    char host[48], service[8];

    if (getnameinfo((const struct sockaddr *)&address->storage, address->len, host, sizeof(host),
                    service, sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "?");
    } else if (address->storage.ss_family == AF_INET6) {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "[%s]:%s", host, service);
    } else {
        (void)snprintf(buf, RESOLVE_TEXT_MAX, "%s:%s", host, service);
    }
    return buf;
}
