/* What the seam promises of receives, on each engine that this machine has: those that happen
 * once, those that throw bytes away, what is left behind them, buffers that run out, and
 * completions that do not fit their queue. The other end is a plain socket. */
#include <errno.h>
#include <string.h>

#include "tests/unit/ring_pair.h"

enum {
    UD_RECV = 7,
    UD_CANCEL = 8,
    UD_SEND = 9,
    UD_BURST = 100,
    BODY_BYTES = 300 * 1000,
    BURST = 500
};

static char data[BODY_BYTES];

static const enum ring_engine engines[] = {RING_URING, RING_EPOLL};

/* Runs `test` on a new pair of each engine. */
static void on_each(void (*test)(struct pair *pair))
{
    for (size_t i = 0; i < COUNT(engines); i++) {
        struct pair pair;

        if (!pair_open(&pair, engines[i])) continue;
        test(&pair);
        pair_close(&pair);
    }
}

static void client_sends(const struct pair *pair, const void *bytes, size_t len)
{
    EXPECT(send(pair->client, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static void expect_recv_once(struct pair *pair, const char *text)
{
    struct ring_event event;

    ring_recv_once(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    event = pair_event(pair->ring);
    EXPECT(event.user_data == UD_RECV);
    EXPECT(event.res == (int32_t)strlen(text));
    EXPECT((event.flags & (RING_BUFFER | RING_MORE)) == RING_BUFFER);
    EXPECT(memcmp(event.data, text, strlen(text)) == 0);
    ring_buffer_return(pair->ring, &event);
}

/* Drains exactly `len` bytes to `into` and returns the flags of the last event. */
static uint8_t drain_all(struct pair *pair, char *into, uint64_t len)
{
    for (;;) {
        struct ring_event event;

        ring_drain(pair->ring, pair->sock, into, len, UD_RECV);
        event = pair_event(pair->ring);
        EXPECT(event.user_data == UD_RECV);
        EXPECT(event.res > 0);
        EXPECT((uint64_t)event.res <= len);
        EXPECT((event.flags & (RING_BUFFER | RING_MORE)) == 0);
        len -= (uint64_t)event.res;
        if (into != NULL) into += event.res;
        if (len == 0) return event.flags;
    }
}

static void drains_no_more_than_asked(struct pair *pair)
{
    static char copy[BODY_BYTES];

    client_sends(pair, data, BODY_BYTES);
    client_sends(pair, "next", 4);
    (void)drain_all(pair, NULL, BODY_BYTES);
    expect_recv_once(pair, "next");
    client_sends(pair, data, BODY_BYTES);
    client_sends(pair, "last", 4);
    (void)drain_all(pair, copy, BODY_BYTES);
    EXPECT(memcmp(copy, data, BODY_BYTES) == 0);
    expect_recv_once(pair, "last");
}

static void test_ring_drain_leaves_what_follows(void)
{
    on_each(drains_no_more_than_asked);
}

/* The bytes of one small send arrive together, so that these answers are certain. */
static void tells_what_is_left(struct pair *pair)
{
    client_sends(pair, data, 900);
    EXPECT(drain_all(pair, NULL, 899) == RING_NONEMPTY);
    EXPECT(drain_all(pair, NULL, 1) == 0);
    client_sends(pair, data, PAIR_BUFFER_BYTES + 1);
    ring_recv_once(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    for (int32_t wanted = PAIR_BUFFER_BYTES; wanted >= 1; wanted -= PAIR_BUFFER_BYTES - 1) {
        struct ring_event event = pair_event(pair->ring);

        EXPECT(event.res == wanted);
        EXPECT(event.flags == (wanted > 1 ? RING_BUFFER | RING_NONEMPTY : RING_BUFFER));
        ring_buffer_return(pair->ring, &event);
        if (wanted == 1) break;
        ring_recv_once(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    }
}

static void test_ring_says_whether_a_receive_has_left_something(void)
{
    on_each(tells_what_is_left);
}

static void ends(struct pair *pair)
{
    client_sends(pair, data, 1000);
    EXPECT(shutdown(pair->client, SHUT_WR) == 0);
    (void)drain_all(pair, NULL, 1000);
    ring_drain(pair->ring, pair->sock, NULL, 1, UD_RECV);
    EXPECT(pair_event(pair->ring).res == 0);
}

static void test_ring_drain_sees_the_end(void)
{
    on_each(ends);
}

/* Once cancelled it takes nothing of what comes later. */
static void is_cancelled(struct pair *pair)
{
    bool seen[2] = {false, false};

    ring_drain(pair->ring, pair->sock, NULL, 1000, UD_RECV);
    ring_cancel(pair->ring, pair->sock, UD_CANCEL);
    for (int i = 0; i < 2; i++) {
        struct ring_event event = pair_event(pair->ring);

        EXPECT(event.user_data == UD_RECV || event.user_data == UD_CANCEL);
        if (event.user_data == UD_RECV) EXPECT(event.res == -ECANCELED);
        EXPECT(!seen[event.user_data == UD_CANCEL]);
        seen[event.user_data == UD_CANCEL] = true;
    }
    client_sends(pair, "later", 5);
    expect_recv_once(pair, "later");
}

static void test_ring_drain_can_be_cancelled(void)
{
    on_each(is_cancelled);
}

/* What is being sent goes on: more than the sockets hold, which nobody reads. */
static void is_cancelled_alone(struct pair *pair)
{
    static char large[32 * 1024 * 1024];
    struct ring_event event;

    ring_send(pair->ring, pair->sock, large, sizeof(large), 0, UD_SEND);
    ring_recv(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    ring_cancel_recv(pair->ring, pair->sock, UD_RECV, UD_CANCEL);
    for (int i = 0; i < 2; i++) {
        event = pair_event(pair->ring);
        EXPECT(event.user_data == UD_RECV || event.user_data == UD_CANCEL);
        if (event.user_data == UD_RECV) EXPECT(event.res == -ECANCELED);
    }
    ring_cancel(pair->ring, pair->sock, UD_CANCEL);
    for (int i = 0; i < 2; i++) {
        event = pair_event(pair->ring);
        EXPECT(event.user_data == UD_SEND || event.user_data == UD_CANCEL);
        if (event.user_data == UD_SEND) EXPECT(event.res < (int32_t)sizeof(large));
    }
}

static void test_ring_receive_is_cancelled_alone(void)
{
    on_each(is_cancelled_alone);
}

/* Four buffers for far more bytes: receives end, are armed again, and nothing is lost. */
static void runs_out_of_buffers(struct pair *pair)
{
    enum { SENT = 64 * 1024 };
    struct ring_event lent[PAIR_BUFFERS];
    size_t got = 0, count = 0;

    client_sends(pair, data, SENT);
    ring_recv(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    while (got < SENT) {
        struct ring_event event = pair_event(pair->ring);

        if (event.res > 0) {
            EXPECT(count < PAIR_BUFFERS);
            EXPECT(memcmp(event.data, data + got, (size_t)event.res) == 0);
            got += (size_t)event.res;
            lent[count++] = event;
            if (event.flags & RING_MORE) continue;
        } else {
            EXPECT(event.res == -ENOBUFS);
            EXPECT(event.flags == 0);
            EXPECT(count == PAIR_BUFFERS);
        }
        while (count > 0) {
            ring_buffer_return(pair->ring, &lent[--count]);
        }
        if (got < SENT) ring_recv(pair->ring, pair->sock, RING_SMALL, UD_RECV);
    }
    EXPECT(ring_counts(pair->ring)->no_buffers > 0);
}

static void test_ring_survives_want_of_buffers(void)
{
    on_each(runs_out_of_buffers);
}

/* Far more completions between two visits than the queue has room for: the kernel keeps them back
 * and says so, and all come, each once and in order. */
static void overflows(struct pair *pair)
{
    const struct ring_counts *counts = ring_counts(pair->ring);
    bool counted = strcmp(ring_facts(pair->ring)->engine, "io_uring") == 0;

    EXPECT(ring_facts(pair->ring)->cq_entries < BURST || !counted);
    for (uint64_t i = 0; i < BURST; i++) {
        ring_cancel(pair->ring, pair->sock, UD_BURST + i);
    }
    for (uint64_t i = 0; i < BURST; i++) {
        EXPECT(pair_event(pair->ring).user_data == UD_BURST + i);
    }
    EXPECT(!counted || counts->cq_overflow > 0);
    client_sends(pair, "alive", 5);
    expect_recv_once(pair, "alive");
}

static void test_ring_survives_more_completions_than_fit(void)
{
    on_each(overflows);
}

int main(void)
{
    for (size_t i = 0; i < BODY_BYTES; i++) {
        data[i] = (char)(i % 251);
    }
    TEST(test_ring_drain_leaves_what_follows);
    TEST(test_ring_says_whether_a_receive_has_left_something);
    TEST(test_ring_drain_sees_the_end);
    TEST(test_ring_drain_can_be_cancelled);
    TEST(test_ring_receive_is_cancelled_alone);
    TEST(test_ring_survives_want_of_buffers);
    TEST(test_ring_survives_more_completions_than_fit);
    return 0;
}
