/* What the seam promises a server, on each engine that this machine has: accepted sockets, sends
 * that do not wait, and resets. The other end is a plain socket. */
#include <errno.h>
#include <string.h>

#include "tests/unit/ring_pair.h"

enum { DATA_BYTES = 64 * 1024 };

static char data[DATA_BYTES];

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
    EXPECT(pair_event(pair.ring).user_data == 8);
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
    EXPECT(pair_event(pair.ring).res == 3);
    if (reset) {
        ring_reset_sock(pair.ring, pair.sock, 8);
    } else {
        ring_close_sock(pair.ring, pair.sock, 8);
    }
    EXPECT(pair_event(pair.ring).user_data == 8);
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

/* What was queued is on its way after ring_submit(), and its completion still to be had. */
static void expect_submit_sends(enum ring_engine engine)
{
    struct pair pair;
    char buf[16];

    if (!pair_open(&pair, engine)) return;
    ring_send(pair.ring, pair.sock, "abc", 3, 0, 7);
    ring_submit(pair.ring);
    EXPECT(read(pair.client, buf, sizeof(buf)) == 3);
    ring_submit(pair.ring); /* Nothing is queued. */
    EXPECT(pair_event(pair.ring).res == 3);
    pair_close(&pair);
}

static void test_ring_submit_sends_what_is_queued(void)
{
    expect_submit_sends(RING_URING);
    expect_submit_sends(RING_EPOLL);
}

int main(void)
{
    TEST(test_ring_submit_sends_what_is_queued);
    TEST(test_ring_send_that_does_not_wait_tells_how_far_it_came);
    TEST(test_ring_reset_is_seen_as_one);
    return 0;
}
