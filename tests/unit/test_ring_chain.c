/* What the seam promises of chains, on the real kernel: a socket's life up to its first answer in
 * one operation, and which events there are when a step of it fails. */
#include <errno.h>
#include <string.h>

#include "tests/unit/ring_pair.h"

enum { UD_SOCKET = 1, UD_CONNECT, UD_SEND, UD_RECV, UD_CLOSE, SOCKS = 8, EVENTS_MAX = 64 };

static const char asking[] = "GET";

struct rig {
    struct ring *ring;
    int listener;
    struct sockaddr_in address;
};

/* False if there are no chains here. */
static bool rig_open(struct rig *rig)
{
    struct ring_options options = {.engine = RING_URING,
                                   .sq_entries = 16,
                                   .cq_entries = 64,
                                   .socks_count = SOCKS,
                                   .accept_from = SOCKS,
                                   .buffer_bytes = {1024, 0},
                                   .buffers_count = {16, 0}};
    socklen_t len = sizeof(rig->address);
    struct err_info why;

    if (ring_open(&rig->ring, &options, &why) != ERR_OK) {
        printf("  not here: %s\n", why.message);
        return false;
    }
    EXPECT(ring_facts(rig->ring)->chains);
    rig->listener = socket(AF_INET, SOCK_STREAM, 0);
    rig->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    EXPECT(bind(rig->listener, (const struct sockaddr *)&rig->address, len) == 0);
    EXPECT(listen(rig->listener, 64) == 0);
    EXPECT(getsockname(rig->listener, (struct sockaddr *)&rig->address, &len) == 0);
    return true;
}

static void rig_close(struct rig *rig)
{
    ring_close(rig->ring);
    EXPECT(close(rig->listener) == 0);
}

static struct ring_chain chain_to(const struct sockaddr_in *address, uint32_t sock)
{
    return (struct ring_chain){.address = (const struct sockaddr *)address,
                               .address_len = sizeof(*address),
                               .data = asking,
                               .len = sizeof(asking),
                               .group = RING_SMALL,
                               .ud_socket = sock << 8 | UD_SOCKET,
                               .ud_connect = sock << 8 | UD_CONNECT,
                               .ud_send = sock << 8 | UD_SEND,
                               .ud_recv = sock << 8 | UD_RECV};
}

static void expect_event(struct rig *rig, uint64_t user_data, int32_t res)
{
    struct ring_event event = pair_event(rig->ring);

    if (event.user_data != user_data || event.res != res) {
        (void)fprintf(stderr, "%llu: %d\n", (unsigned long long)event.user_data, event.res);
    }
    EXPECT(event.user_data == user_data);
    EXPECT(event.res == res);
    if (event.flags & RING_BUFFER) ring_buffer_return(rig->ring, &event);
}

/* No event within a moment. */
static void expect_silence(struct rig *rig)
{
    struct ring_wait wait = {.timeout_ns = 20 * NS_PER_MS};
    struct ring_event event;

    ring_wait(rig->ring, &wait);
    EXPECT(ring_reap(rig->ring, &event, 1) == 0);
}

/* The server's end: reads what was asked, and answers it. The chain goes on only while we wait. */
static int accept_and_answer(struct rig *rig)
{
    struct ring_wait wait = {.timeout_ns = 0};
    int fd = accept(rig->listener, NULL, NULL);
    char buf[sizeof(asking)];

    EXPECT(fd >= 0);
    while (recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT) < (ssize_t)sizeof(buf)) {
        ring_wait(rig->ring, &wait);
    }
    EXPECT(recv(fd, buf, sizeof(buf), 0) == sizeof(buf));
    EXPECT(memcmp(buf, asking, sizeof(asking)) == 0);
    EXPECT(send(fd, "ok", 2, 0) == 2);
    return fd;
}

static void test_chain_takes_the_place_of_what_was(void)
{
    struct ring_chain chain;
    struct rig rig;
    char byte;
    int before = -1;

    if (!rig_open(&rig)) return;
    EXPECT(ring_sock_open(rig.ring, 0, AF_INET, NULL, 0) == 0);
    chain = chain_to(&rig.address, 0);
    for (int i = 0; i < 100; i++) {
        int fd;

        ring_chain(rig.ring, 0, &chain);
        expect_event(&rig, UD_CONNECT, 0);
        fd = accept_and_answer(&rig);
        expect_event(&rig, UD_RECV, 2);
        if (before >= 0) {
            EXPECT(read(before, &byte, 1) == 0); /* It was closed before. */
            EXPECT(close(before) == 0);
        }
        EXPECT(shutdown(fd, SHUT_WR) == 0);
        expect_event(&rig, UD_RECV, 0);
        before = fd;
    }
    ring_close_sock(rig.ring, 0, UD_CLOSE);
    expect_event(&rig, UD_CLOSE, 0);
    EXPECT(read(before, &byte, 1) == 0);
    EXPECT(close(before) == 0);
    rig_close(&rig);
}

/* Eight chains are more entries than the queue has: none is cut in two. */
static void test_chains_are_submitted_whole(void)
{
    uint32_t connected = 0, answered = 0;
    struct ring_chain chains[SOCKS];
    int fds[SOCKS];
    struct rig rig;

    if (!rig_open(&rig)) return;
    for (uint32_t i = 0; i < SOCKS; i++) {
        EXPECT(ring_sock_open(rig.ring, i, AF_INET, NULL, 0) == 0);
    }
    for (uint32_t i = 0; i < SOCKS; i++) {
        chains[i] = chain_to(&rig.address, i);
        ring_chain(rig.ring, i, &chains[i]);
    }
    ring_wait(rig.ring, &(struct ring_wait){.timeout_ns = 0});
    for (uint32_t i = 0; i < SOCKS; i++) {
        fds[i] = accept_and_answer(&rig);
    }
    while (answered < SOCKS) {
        struct ring_event event = pair_event(rig.ring);

        EXPECT(event.res == ((event.user_data & 0xff) == UD_CONNECT ? 0 : 2));
        if ((event.user_data & 0xff) == UD_CONNECT) {
            connected++;
        } else {
            answered++;
        }
        if (event.flags & RING_BUFFER) ring_buffer_return(rig.ring, &event);
    }
    EXPECT(connected == SOCKS);
    for (uint32_t i = 0; i < SOCKS; i++) {
        EXPECT(close(fds[i]) == 0);
    }
    rig_close(&rig);
}

static void test_chain_whose_connect_fails_cancels_the_rest(void)
{
    struct ring_chain chain;
    struct rig rig;

    if (!rig_open(&rig)) return;
    EXPECT(ring_sock_open(rig.ring, 0, AF_INET, NULL, 0) == 0);
    EXPECT(close(rig.listener) == 0);
    rig.listener = socket(AF_INET, SOCK_STREAM, 0);
    chain = chain_to(&rig.address, 0);
    ring_chain(rig.ring, 0, &chain);
    expect_event(&rig, UD_CONNECT, -ECONNREFUSED);
    expect_event(&rig, UD_SEND, -ECANCELED);
    expect_event(&rig, UD_RECV, -ECANCELED);
    ring_close_sock(rig.ring, 0, UD_CLOSE);
    expect_event(&rig, UD_CLOSE, 0);
    rig_close(&rig);
}

static void test_chain_without_a_socket_has_one_event(void)
{
    struct sockaddr_in nowhere = {.sin_family = 99};
    struct ring_chain chain;
    struct rig rig;

    if (!rig_open(&rig)) return;
    EXPECT(ring_sock_open(rig.ring, 0, AF_INET, NULL, 0) == 0);
    chain = chain_to(&nowhere, 0);
    ring_chain(rig.ring, 0, &chain);
    expect_event(&rig, UD_SOCKET, -EAFNOSUPPORT);
    expect_silence(&rig);
    ring_close_sock(rig.ring, 0, UD_CLOSE);
    EXPECT(pair_event(rig.ring).user_data == UD_CLOSE);
    rig_close(&rig);
}

static void test_chain_whose_send_fails_does_not_receive(void)
{
    struct ring_chain chain;
    struct rig rig;

    if (!rig_open(&rig)) return;
    EXPECT(ring_sock_open(rig.ring, 0, AF_INET, NULL, 0) == 0);
    chain = chain_to(&rig.address, 0);
    chain.data = (const void *)(uintptr_t)8; /* Nobody's memory. */
    ring_chain(rig.ring, 0, &chain);
    expect_event(&rig, UD_CONNECT, 0);
    expect_event(&rig, UD_SEND, -EFAULT);
    expect_silence(&rig);
    ring_recv(rig.ring, 0, RING_SMALL, UD_RECV); /* It is not armed: it may be. */
    expect_silence(&rig);
    rig_close(&rig);
}

int main(void)
{
    TEST(test_chain_takes_the_place_of_what_was);
    TEST(test_chains_are_submitted_whole);
    TEST(test_chain_whose_connect_fails_cancels_the_rest);
    TEST(test_chain_without_a_socket_has_one_event);
    TEST(test_chain_whose_send_fails_does_not_receive);
    return 0;
}
