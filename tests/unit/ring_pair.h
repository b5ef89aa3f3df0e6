/* ring_pair: a real ring that listens, and a plain socket connected to it: the fixture of the
 * tests of the seam. Included by one test program each. */
#ifndef TESTS_UNIT_RING_PAIR_H
#define TESTS_UNIT_RING_PAIR_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "io/ring.h"
#include "tests/test.h"

enum { PAIR_LISTENER = 0, PAIR_SOCKS = 8, PAIR_BUFFER_BYTES = 1024, PAIR_BUFFERS = 4 };

struct pair {
    struct ring *ring;
    int client;
    uint32_t sock; /* The accepted one. */
};

static inline struct ring_event pair_event(struct ring *ring)
{
    struct ring_wait wait = {.timeout_ns = 10 * NS_PER_S};
    struct ring_event event = {0};

    while (ring_reap(ring, &event, 1) == 0) {
        ring_wait(ring, &wait);
    }
    return event;
}

/* False if this engine is not to be had here. */
static inline bool pair_open(struct pair *pair, enum ring_engine engine)
{
    struct ring_options options = {.engine = engine,
                                   .sq_entries = 16,
                                   .cq_entries = 32,
                                   .socks_count = PAIR_SOCKS,
                                   .accept_from = 1,
                                   .buffer_bytes = {PAIR_BUFFER_BYTES, 0},
                                   .buffers_count = {PAIR_BUFFERS, 0}};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ring_event event;
    struct err_info why;
    uint16_t port = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ring_open(&pair->ring, &options, &why) != ERR_OK) {
        printf("  not here: %s\n", why.message);
        return false;
    }
    EXPECT(ring_listen(pair->ring, PAIR_LISTENER, (const struct sockaddr *)&address,
                       sizeof(address), &port) == 0);
    ring_accept(pair->ring, PAIR_LISTENER, 1);
    address.sin_port = htons(port);
    pair->client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(connect(pair->client, (const struct sockaddr *)&address, sizeof(address)) == 0);
    event = pair_event(pair->ring);
    EXPECT(event.user_data == 1);
    EXPECT(event.res >= 1 && event.res < PAIR_SOCKS);
    pair->sock = (uint32_t)event.res;
    return true;
}

static inline void pair_close(struct pair *pair)
{
    (void)close(pair->client);
    ring_close(pair->ring);
}

#endif
