#include <netinet/in.h>
#include <string.h>

#include "tests/sim/sim_kernel.h"

/* How well `listen` (an address listened at) fits `address`. */
static bool address_fits(const struct sockaddr_storage *listen, const struct sockaddr *address,
                         socklen_t len)
{
    struct sockaddr_storage asked = {0};

    if (len > sizeof(asked)) return false;
    memcpy(&asked, address, len);
    if (listen->ss_family != asked.ss_family) return false;
    if (asked.ss_family == AF_INET) {
        const struct sockaddr_in *here = (const void *)listen;
        const struct sockaddr_in *there = (const void *)&asked;

        return here->sin_port == there->sin_port &&
               (here->sin_addr.s_addr == htonl(INADDR_ANY) ||
                here->sin_addr.s_addr == there->sin_addr.s_addr);
    }
    if (asked.ss_family == AF_INET6) {
        const struct sockaddr_in6 *here = (const void *)listen;
        const struct sockaddr_in6 *there = (const void *)&asked;

        return here->sin6_port == there->sin6_port &&
               (IN6_IS_ADDR_UNSPECIFIED(&here->sin6_addr) ||
                IN6_ARE_ADDR_EQUAL(&here->sin6_addr, &there->sin6_addr));
    }
    return memcmp(listen, &asked, sizeof(asked)) == 0;
}

struct sim_target *sim_target_new(struct sim *sim, const struct sockaddr *address, socklen_t len)
{
    struct sim_target *target = sim_alloc(sim, sizeof(*target));

    if (len > sizeof(target->address)) sim_fail(sim, "an address of %u bytes", len);
    memcpy(&target->address, address, len);
    target->next = sim->targets;
    sim->targets = target;
    return target;
}

struct sim_target *sim_target_find(struct sim *sim, const struct sockaddr *address, socklen_t len)
{
    struct sim_target *found = NULL;
    uint32_t count = 0;

    for (struct sim_target *target = sim->targets; target != NULL; target = target->next) {
        if (target->dead || !address_fits(&target->address, address, len)) continue;
        /* Each of `count` ends up chosen with the same probability. */
        if (sim_draw(sim, ++count) == 0) found = target;
    }
    return found;
}

void sim_target_close(struct sim_target *target)
{
    target->dead = true;
    for (struct sim_link *link = target->backlog; link != NULL; link = link->next) {
        sim_link_reset(link, 1);
    }
    target->backlog = NULL;
}

/* Field by field: struct sockaddr_in has padding that nobody sets. */
uint64_t sim_address_hash(const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_storage storage = {0};
    uint64_t hash = sim_hash_bytes(0, &len, sizeof(len));

    memcpy(&storage, address, len < sizeof(storage) ? len : sizeof(storage));
    hash = sim_hash_bytes(hash, &storage.ss_family, sizeof(storage.ss_family));
    if (storage.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)&storage;

        hash = sim_hash_bytes(hash, &in->sin_port, sizeof(in->sin_port));
        return sim_hash_bytes(hash, &in->sin_addr, sizeof(in->sin_addr));
    }
    if (storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)&storage;

        hash = sim_hash_bytes(hash, &in6->sin6_port, sizeof(in6->sin6_port));
        return sim_hash_bytes(hash, &in6->sin6_addr, sizeof(in6->sin6_addr));
    }
    return sim_hash_bytes(hash, &storage, sizeof(storage));
}
