/* What the seam to the kernel costs: a round trip that does nothing, and a ping-pong of two bytes
 * over one loopback connection whose both ends are in the same ring, with the system calls that
 * a round trip takes (as ring_counts() has them: those of both ends, without ring_wake()'s). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "bench/bench.h"
#include "io/ring.h"

enum { SOCK_LISTEN, SOCK_CLIENT, SOCK_ACCEPTED, SOCKS };
enum { EVENTS = 16, PING_BYTES = 2 };
enum { UD_ACCEPT = 1, UD_CONNECT, UD_RECV_CLIENT, UD_RECV_SERVER, UD_SEND };

struct ring_state {
    struct ring *ring;
    uint32_t accepted;               /* Socket of the server's end. */
    uint32_t client_got, server_got; /* Bytes since the last look. */
    bool is_accepted, is_connected;
};

static const char ping[PING_BYTES] = "ok";

static void take_data(struct ring_state *state, const struct ring_event *event, uint32_t sock,
                      uint32_t *got)
{
    CHECK(event->res > 0);
    *got += (uint32_t)event->res;
    if (event->flags & RING_BUFFER) ring_buffer_return(state->ring, event);
    if (!(event->flags & RING_MORE)) ring_recv(state->ring, sock, RING_SMALL, event->user_data);
}

static void take(struct ring_state *state, const struct ring_event *event)
{
    switch (event->user_data) {
    case UD_ACCEPT:
        CHECK(event->res >= 0);
        state->accepted = (uint32_t)event->res;
        state->is_accepted = true;
        break;
    case UD_CONNECT:
        CHECK(event->res == 0);
        state->is_connected = true;
        break;
    case UD_RECV_CLIENT: take_data(state, event, SOCK_CLIENT, &state->client_got); break;
    case UD_RECV_SERVER: take_data(state, event, state->accepted, &state->server_got); break;
    default: CHECK(event->user_data != UD_SEND); /* A quiet send does not complete. */
    }
}

/* Waits once and takes what is there. */
static void turn(struct ring_state *state)
{
    static const struct ring_wait wait = {.timeout_ns = NS_PER_S};
    struct ring_event events[EVENTS];
    uint32_t n;

    ring_wait(state->ring, &wait);
    n = ring_reap(state->ring, events, EVENTS);
    for (uint32_t i = 0; i < n; i++) {
        take(state, &events[i]);
    }
}

static void run_nothing(void *arg, uint64_t iterations)
{
    struct ring_state *state = arg;

    for (uint64_t i = 0; i < iterations; i++) {
        ring_wake(state->ring);
        turn(state);
    }
}

static void run_ping_pong(void *arg, uint64_t iterations)
{
    struct ring_state *state = arg;

    for (uint64_t i = 0; i < iterations; i++) {
        state->client_got = state->server_got = 0;
        ring_send(state->ring, SOCK_CLIENT, ping, PING_BYTES, RING_SEND_QUIET, UD_SEND);
        while (state->server_got < PING_BYTES) {
            turn(state);
        }
        ring_send(state->ring, state->accepted, ping, PING_BYTES, RING_SEND_QUIET, UD_SEND);
        while (state->client_got < PING_BYTES) {
            turn(state);
        }
    }
}

/* One connection over loopback, a receive armed at both ends. */
static void open_connection(struct ring_state *state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr *name = (const struct sockaddr *)&address;
    uint16_t port;

    CHECK(ring_listen(state->ring, SOCK_LISTEN, name, sizeof(address), &port) == 0);
    address.sin_port = htons(port);
    ring_accept(state->ring, SOCK_LISTEN, UD_ACCEPT);
    CHECK(ring_sock_open(state->ring, SOCK_CLIENT, AF_INET, NULL, 0) == 0);
    ring_connect(state->ring, SOCK_CLIENT, name, sizeof(address), UD_CONNECT);
    while (!state->is_accepted || !state->is_connected) {
        turn(state);
    }
    ring_recv(state->ring, SOCK_CLIENT, RING_SMALL, UD_RECV_CLIENT);
    ring_recv(state->ring, state->accepted, RING_SMALL, UD_RECV_SERVER);
}

static void measure(const char *name, bench_fn *run, struct ring_state *state)
{
    uint64_t before = ring_counts(state->ring)->syscalls;
    struct bench_result result = bench_measure(run, state);
    struct bench_extra extra = {"syscalls_per_op", 0};

    extra.value = (double)(ring_counts(state->ring)->syscalls - before) / (double)result.operations;
    bench_print(name, &result, &extra);
}

/* An engine that is not to be had here is left out, with the reason on stderr. */
static bool measure_engine(enum ring_engine engine, const char *nothing, const char *ping_pong)
{
    const char *name = engine == RING_URING ? "io_uring" : "epoll";
    const struct ring_options options = {
        .engine = engine,
        .sq_entries = 64,
        .cq_entries = 256,
        .socks_count = SOCKS,
        .accept_from = SOCK_ACCEPTED,
        .buffer_bytes = {[RING_SMALL] = 4096},
        .buffers_count = {[RING_SMALL] = 16},
    };
    struct ring_state state = {0};
    struct err_info why;

    if (ring_open(&state.ring, &options, &why) != ERR_OK) {
        (void)fprintf(stderr, "bench_ring: %s left out: %s\n", name, why.message);
        return false;
    }
    if (strcmp(ring_facts(state.ring)->engine, name) != 0) {
        (void)fprintf(stderr, "bench_ring: %s left out: not in this build\n", name);
        ring_close(state.ring);
        return false;
    }
    measure(nothing, run_nothing, &state);
    open_connection(&state);
    measure(ping_pong, run_ping_pong, &state);
    ring_close(state.ring);
    return true;
}

int main(void)
{
    bool any = measure_engine(RING_URING, "ring_uring_nothing", "ring_uring_ping_pong");

    any |= measure_engine(RING_EPOLL, "ring_epoll_nothing", "ring_epoll_ping_pong");
    return any ? 0 : 77;
}
