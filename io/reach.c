#include "io/reach.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* Connects and closes; 0 or an errno. */
static int try_address(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0) return errno;
    if (connect(fd, info->ai_addr, info->ai_addrlen) != 0) error = errno;
    (void)close(fd);
    return error;
}

enum err reach(const char *host, const char *service, struct address *ret_address,
               struct err_info *why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, service, &hints, &found), error = EHOSTUNREACH;

    if (rc != 0) {
        return err_set(why, ERR_RESOLVE, 0, "unable to resolve %s:%s %s", host, service,
                       gai_strerror(rc));
    }
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        if (info->ai_addrlen > sizeof(ret_address->storage)) continue;
        error = try_address(info);
        if (error != 0) continue;
        memset(ret_address, 0, sizeof(*ret_address));
        memcpy(&ret_address->storage, info->ai_addr, info->ai_addrlen);
        ret_address->len = info->ai_addrlen;
        break;
    }
    freeaddrinfo(found);
    if (error == 0) return ERR_OK;
    return err_set(why, ERR_NETWORK, error, "unable to connect to %s:%s %s", host, service,
                   strerror(error));
}
