#include "io/sources.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"

static const int families[SOURCES_FAMILIES] = {AF_INET, AF_INET6};

static int place_of(int family)
{
    return family == AF_INET ? 0 : family == AF_INET6 ? 1 : -1;
}

bool sources_init(struct sources *sources, struct arena *arena, uint32_t count_max)
{
    *sources = (struct sources){.of = {{.count = 0}}};
    for (int i = 0; i < SOURCES_FAMILIES; i++) {
        sources->of[i].list = arena_array(arena, count_max, sizeof(struct address));
        if (sources->of[i].list == NULL) return false;
    }
    return true;
}

bool sources_add(struct sources *sources, const char *text)
{
    struct address address;
    int place;

    if (!resolve_numeric(text, "0", &address)) return false;
    place = place_of(address.storage.ss_family);
    CHECK(place >= 0);
    sources->of[place].list[sources->of[place].count++] = address;
    return true;
}

uint32_t sources_count(const struct sources *sources, int family)
{
    int place = place_of(family);

    return place < 0 ? 0 : sources->of[place].count;
}

const struct address *sources_at(const struct sources *sources, int family, uint64_t turn)
{
    int place = place_of(family);

    CHECK(place >= 0);
    CHECK(sources->of[place].count > 0);
    return &sources->of[place].list[turn % sources->of[place].count];
}

static enum err refuse(const struct address *source, int errno_value, const char *to,
                       struct err_info *why)
{
    char text[RESOLVE_TEXT_MAX];

    resolve_text_host(source, text);
    if (to != NULL) {
        return err_set(why, ERR_NETWORK, errno_value, "from source %s no way leads to %s (%s)",
                       text, to, err_errno_name(errno_value));
    }
    return err_set(why, ERR_NETWORK, errno_value,
                   "source %s is no address of this machine (%s); 'ip address' lists those there "
                   "are",
                   text, err_errno_name(errno_value));
}

/* Binds a socket to `source` and, if there is one, asks for the way to `destination`: connecting
 * a datagram socket sends nothing (udp(7)). */
static enum err try_source(const struct address *source, const struct address *destination,
                           struct err_info *why)
{
    int fd = socket(source->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char to[RESOLVE_TEXT_MAX];
    enum err err = ERR_OK;

    if (fd < 0) return refuse(source, errno, NULL, why);
    if (bind(fd, (const struct sockaddr *)&source->storage, source->len) != 0) {
        err = refuse(source, errno, NULL, why);
    } else if (destination != NULL &&
               connect(fd, (const struct sockaddr *)&destination->storage, destination->len) != 0) {
        /* No way to the host at all is the network's affair, and may change. */
        if (errno == EINVAL || errno == EADDRNOTAVAIL) {
            err = refuse(source, errno, resolve_text(destination, to), why);
        }
    }
    (void)close(fd);
    return err;
}

static const struct address *first_of(const struct addresses *addresses, int family)
{
    for (uint32_t i = 0; i < addresses->count; i++) {
        if (addresses->list[i].storage.ss_family == family) return &addresses->list[i];
    }
    return NULL;
}

enum err sources_check(const struct sources *sources, const struct addresses *addresses,
                       struct err_info *why)
{
    for (int i = 0; i < SOURCES_FAMILIES; i++) {
        const struct address *destination = first_of(addresses, families[i]);

        for (uint32_t j = 0; j < sources->of[i].count; j++) {
            enum err err = try_source(&sources->of[i].list[j], destination, why);

            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}
