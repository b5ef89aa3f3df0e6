/* What the seam promises a server, on each engine that this machine has: accepted sockets, sends
 * that do not wait, and resets. The other end is a plain socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "io/ring.h"
#include "tests/test.h"

enum { LISTENER = 0, SOCKS = 8, DATA_BYTES = 64 * 1024 };

static char data[DATA_BYTES];

/* A ring that listens, a client connected to it, and the accepted socket. */
struct pair {
    struct ring *ring;
    int client;
    uint32_t sock;
};

static struct ring_event next_event(struct ring *ring)
{
    struct ring_wait wait = {.timeout_ns = 10 * NS_PER_S};
    struct ring_event event = {0};

    while (ring_reap(ring, &event, 1) == 0) {
        ring_wait(ring, &wait);
    }
    return event;
}

/* False if this engine is not to be had here. */
static bool pair_open(struct pair *pair, enum ring_engine engine)
{
    struct ring_options options = {.engine = engine,
                                   .sq_entries = 16,
                                   .cq_entries = 32,
                                   .socks_count = SOCKS,
                                   .accept_from = 1,
                                   .buffer_bytes = {1024, 0},
                                   .buffers_count = {4, 0}};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ring_event event;
    struct err_info why;
    uint16_t port = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ring_open(&pair->ring, &options, &why) != ERR_OK) {
        printf("  not here: %s\n", why.message);
        return false;
    }
    EXPECT(ring_listen(pair->ring, LISTENER, (const struct sockaddr *)&address, sizeof(address),
                       &port) == 0);
    ring_accept(pair->ring, LISTENER, 1);
    address.sin_port = htons(port);
    pair->client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(connect(pair->client, (const struct sockaddr *)&address, sizeof(address)) == 0);
    event = next_event(pair->ring);
    EXPECT(event.user_data == 1);
    EXPECT(event.res >= 1 && event.res < SOCKS);
    pair->sock = (uint32_t)event.res;
    return true;
}

static void pair_close(struct pair *pair)
{
    (void)close(pair->client);
    ring_close(pair->ring);
}

/* Sends quietly until the client's window and the socket's buffer are full: the send that finds
 * no more room says how far it came, and what arrives is exactly what was taken. */
static void expect_nowait_tells(enum ring_engine engine)
{
    struct ring_wait now = {.timeout_ns = 0};
    struct ring_event event = {0};
    size_t taken = 0, got = 0, sends = 0;
    struct pair pair;
    char buf[4096];

    if (!pair_open(&pair, engine)) return;
    for (;;) {
        EXPECT(sends++ < 10000);
        ring_send(pair.ring, pair.sock, data, DATA_BYTES, RING_SEND_QUIET | RING_SEND_NOWAIT, 7);
        ring_wait(pair.ring, &now);
        if (ring_reap(pair.ring, &event, 1) == 1) break;
        taken += DATA_BYTES;
    }
    EXPECT(event.user_data == 7);
    EXPECT(event.res == -EAGAIN || (event.res > 0 && event.res < DATA_BYTES));
    if (event.res > 0) taken += (size_t)event.res;
    ring_close_sock(pair.ring, pair.sock, 8);
    EXPECT(next_event(pair.ring).user_data == 8);
    for (;;) {
        ssize_t n = read(pair.client, buf, sizeof(buf));

        EXPECT(n >= 0);
        if (n == 0) break;
        for (ssize_t i = 0; i < n; i++) {
            EXPECT(buf[i] == data[got++ % DATA_BYTES]);
        }
    }
    EXPECT(got == taken);
    pair_close(&pair);
}

static void test_ring_send_that_does_not_wait_tells_how_far_it_came(void)
{
    for (size_t i = 0; i < DATA_BYTES; i++) {
        data[i] = (char)(i % 251);
    }
    expect_nowait_tells(RING_URING);
    expect_nowait_tells(RING_EPOLL);
}

/* The client sees what was sent before, and then a reset; after a close it sees an end. */
static void expect_end(enum ring_engine engine, bool reset)
{
    struct pair pair;
    char buf[16];

    if (!pair_open(&pair, engine)) return;
    ring_send(pair.ring, pair.sock, "abc", 3, 0, 7);
    EXPECT(next_event(pair.ring).res == 3);
    if (reset) {
        ring_reset_sock(pair.ring, pair.sock, 8);
    } else {
        ring_close_sock(pair.ring, pair.sock, 8);
    }
    EXPECT(next_event(pair.ring).user_data == 8);
    EXPECT(read(pair.client, buf, sizeof(buf)) == 3);
    if (reset) {
        EXPECT(read(pair.client, buf, sizeof(buf)) == -1);
        EXPECT(errno == ECONNRESET);
    } else {
        EXPECT(read(pair.client, buf, sizeof(buf)) == 0);
    }
    pair_close(&pair);
}

static void test_ring_reset_is_seen_as_one(void)
{
    expect_end(RING_URING, true);
    expect_end(RING_EPOLL, true);
    expect_end(RING_URING, false);
    expect_end(RING_EPOLL, false);
}

int main(void)
{
    TEST(test_ring_send_that_does_not_wait_tells_how_far_it_came);
    TEST(test_ring_reset_is_seen_as_one);
    return 0;
}
