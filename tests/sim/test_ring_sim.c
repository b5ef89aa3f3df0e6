/* What the simulated kernel promises: exact time, streams in order, lent buffers, every errno,
 * races of cancels, waits. Whole runs are in test_ring_sim_runs.c, peers in test_ring_sim_peers.c,
 * broken rules in test_ring_sim_rules.c. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_peer.h"
#include "tests/test.h"

enum { PORT = 8080 };

static const char request_text[] = "GET / HTTP/1.1\r\nHost: sim\r\n\r\n";
static const uint64_t trip_ns = 50 * NS_PER_US; /* One way on a plain machine. */

/* One ring on a plain or faulty machine, and a peer at `address`. */
struct bench {
    struct sim *sim;
    struct sim_peer *peer;
    struct sockaddr_in address;
    struct ring *ring;
};

static void bench_open(struct bench *bench, const struct sim_options *options,
                       const struct sim_behaviour *behaviour)
{
    static const struct sim_behaviour plain;
    struct ring_options ring_options = {.sq_entries = 16,
                                        .cq_entries = 32,
                                        .socks_count = 8,
                                        .accept_from = 4,
                                        .buffer_bytes = {64, 4096},
                                        .buffers_count = {2, 4}};

    bench->sim = sim_new(options);
    bench->peer = sim_peer_new_local(bench->sim, PORT, behaviour != NULL ? behaviour : &plain,
                                     &bench->address);
    EXPECT(ring_open(&bench->ring, &ring_options, NULL) == ERR_OK);
}

static void bench_close(struct bench *bench)
{
    ring_close(bench->ring);
    sim_free(bench->sim);
}

/* The next event, with time moving as far as it must; false when none will ever come. */
static bool next_event(struct bench *bench, struct ring_event *ret_event)
{
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};

    for (;;) {
        ring_wait(bench->ring, &wait);
        if (ring_reap(bench->ring, ret_event, 1) == 1) return true;
        if (!sim_advance(bench->sim)) return false;
    }
}

static struct ring_event expect_event(struct bench *bench, uint64_t user_data)
{
    struct ring_event event = {0};

    EXPECT(next_event(bench, &event));
    EXPECT(event.user_data == user_data);
    return event;
}

static void connect_sock(struct bench *bench, uint32_t sock)
{
    EXPECT(ring_sock_open(bench->ring, sock, AF_INET, NULL, 0) == 0);
    ring_connect(bench->ring, sock, (const struct sockaddr *)&bench->address,
                 sizeof(bench->address), 1);
    EXPECT(expect_event(bench, 1).res == 0);
}

static void test_sim_is_exact_in_time(void)
{
    struct sim_route route = {.body_bytes = 5};
    struct sim_behaviour behaviour = {
        .routes = &route, .routes_count = 1, .delay = {.a_ns = 7 * NS_PER_MS}};
    struct sim_options options;
    struct bench bench;
    struct ring_event event;
    uint64_t start_ns;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, &behaviour);
    start_ns = clock_now_ns();
    EXPECT(start_ns == options.start_ns);
    connect_sock(&bench, 0);
    EXPECT(clock_now_ns() == start_ns + 2 * trip_ns);
    ring_recv(bench.ring, 0, RING_LARGE, 2);
    ring_send(bench.ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
    event = expect_event(&bench, 2);
    EXPECT(clock_now_ns() == start_ns + 4 * trip_ns + 7 * NS_PER_MS);
    EXPECT(event.flags == (RING_BUFFER | RING_MORE));
    EXPECT(memcmp(event.data, "HTTP/1.1 200 OK\r\n", 17) == 0);
    EXPECT(memcmp(event.data + event.res - 5, "abcde", 5) == 0);
    ring_buffer_return(bench.ring, &event);
    EXPECT(!next_event(&bench, &event)); /* A quiet send makes no event. */
    EXPECT(sim_peer_counts(bench.peer)->answers == 1);
    bench_close(&bench);
}

static void test_sim_lends_buffers_and_says_when_they_are_out(void)
{
    struct sim_route route = {.body_bytes = 400};
    struct sim_behaviour behaviour = {.routes = &route, .routes_count = 1};
    struct sim_options options;
    struct bench bench;
    struct ring_event lent[2];
    struct ring_event event;
    size_t bytes = 0;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, &behaviour);
    connect_sock(&bench, 0);
    ring_recv(bench.ring, 0, RING_SMALL, 2);
    ring_send(bench.ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
    for (int lap = 0; lap < 20; lap++) {
        int held = 0;

        for (;;) {
            if (!next_event(&bench, &event)) break;
            if ((event.flags & RING_BUFFER) == 0) break;
            EXPECT(held < 2);
            bytes += (size_t)event.res;
            lent[held++] = event;
        }
        for (int i = 0; i < held; i++) {
            ring_buffer_return(bench.ring, &lent[i]);
        }
        if (event.res != -ENOBUFS) break;
        EXPECT(held == 2);
        EXPECT((event.flags & RING_MORE) == 0);
        ring_recv(bench.ring, 0, RING_SMALL, 2);
    }
    EXPECT(bytes == sim_peer_counts(bench.peer)->bytes_out);
    EXPECT(bytes > 400);
    EXPECT(ring_counts(bench.ring)->no_buffers >= 3);
    EXPECT(sim_counts(bench.sim)->buffers_lent_max == 2);
    EXPECT(sim_counts(bench.sim)->buffers_lent_now == 0);
    bench_close(&bench);
}

static void test_sim_drains_what_it_is_asked_to(void)
{
    static const char raw[] = "abcdefghijHTTP";
    struct sim_route route = {.body = SIM_BODY_RAW, .raw = raw, .raw_bytes = sizeof(raw) - 1};
    struct sim_behaviour behaviour = {.routes = &route, .routes_count = 1};
    struct sim_options options;
    struct ring_event event;
    struct bench bench;
    uint64_t left = 10;
    char sink[10] = "";

    sim_options_plain(&options, 1);
    options.faults.recv_split = 0.9;
    options.strict_drain = true;
    bench_open(&bench, &options, &behaviour);
    connect_sock(&bench, 0);
    ring_send(bench.ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
    while (left > 0) {
        ring_drain(bench.ring, 0, left > 5 ? NULL : sink, left, 2);
        event = expect_event(&bench, 2);
        EXPECT(event.res > 0);
        EXPECT((uint64_t)event.res <= left);
        EXPECT(event.flags == RING_NONEMPTY);
        left -= (uint64_t)event.res;
    }
    EXPECT(sim_counts(bench.sim)->discarded >= 5);
    EXPECT(sim_counts(bench.sim)->discarded + sim_counts(bench.sim)->sunk == 10);
    EXPECT(sim_counts(bench.sim)->sunk == 0 || memchr(sink, 'j', sizeof(sink)) != NULL);
    for (const char *rest = raw + 10; *rest != '\0';) {
        ring_recv_once(bench.ring, 0, RING_SMALL, 2);
        event = expect_event(&bench, 2);
        EXPECT((event.flags & (RING_BUFFER | RING_MORE)) == RING_BUFFER);
        EXPECT(memcmp(event.data, rest, (size_t)event.res) == 0);
        rest += event.res;
        EXPECT(((event.flags & RING_NONEMPTY) != 0) == (*rest != '\0'));
        ring_buffer_return(bench.ring, &event);
    }
    bench_close(&bench);
}

static void test_sim_gives_every_connect_errno(void)
{
    static const int errnos[] = {ECONNREFUSED, ETIMEDOUT,     ENETUNREACH,
                                 EHOSTUNREACH, EADDRNOTAVAIL, ECONNRESET};
    static const int sock_errnos[] = {EMFILE, EADDRNOTAVAIL, ENOBUFS};
    bool seen[COUNT(errnos)] = {false};
    bool sock_seen[COUNT(sock_errnos)] = {false};

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct sim_options options;
        struct bench bench;
        struct ring_event event;
        int res = 0;

        sim_options_plain(&options, seed);
        options.faults.sock_error = 0.5;
        options.faults.connect_error = 1;
        bench_open(&bench, &options, NULL);
        res = ring_sock_open(bench.ring, 0, AF_INET, NULL, 0);
        for (size_t i = 0; i < COUNT(sock_errnos); i++) {
            if (res == -sock_errnos[i]) sock_seen[i] = true;
        }
        if (res == 0) {
            ring_connect(bench.ring, 0, (const struct sockaddr *)&bench.address,
                         sizeof(bench.address), 1);
            event = expect_event(&bench, 1);
            for (size_t i = 0; i < COUNT(errnos); i++) {
                if (event.res == -errnos[i]) seen[i] = true;
            }
            EXPECT(event.res < 0);
        }
        bench_close(&bench);
    }
    for (size_t i = 0; i < COUNT(errnos); i++) {
        EXPECT(seen[i]);
    }
    for (size_t i = 0; i < COUNT(sock_errnos); i++) {
        EXPECT(sock_seen[i]);
    }
}

static void test_sim_connects_as_its_peers_will(void)
{
    static const struct {
        const char *name;
        struct sim_behaviour behaviour;
        uint16_t port;
        int family;
        int32_t res;
    } rows[] = {
        {"accepts", {0}, PORT, AF_INET, 0},
        {"refuses", {.connect = SIM_CONNECT_REFUSE}, PORT, AF_INET, -ECONNREFUSED},
        {"fails as told",
         {.connect = SIM_CONNECT_ERRNO, .connect_errno = EHOSTUNREACH},
         PORT,
         AF_INET,
         -EHOSTUNREACH},
        {"no one listens", {0}, PORT + 1, AF_INET, -ECONNREFUSED},
        {"socket of another family", {0}, PORT, AF_INET6, -EAFNOSUPPORT},
        {"never answers", {.connect = SIM_CONNECT_BLACK_HOLE}, PORT, AF_INET, -ECANCELED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim_options options;
        struct bench bench;
        struct ring_event event;

        (void)printf("  %s\n", rows[i].name);
        sim_options_plain(&options, i);
        bench_open(&bench, &options, &rows[i].behaviour);
        bench.address.sin_port = htons(rows[i].port);
        EXPECT(ring_sock_open(bench.ring, 0, rows[i].family, NULL, 0) == 0);
        ring_connect(bench.ring, 0, (const struct sockaddr *)&bench.address, sizeof(bench.address),
                     1);
        if (rows[i].res == -ECANCELED) {
            EXPECT(!next_event(&bench, &event)); /* Nothing will ever happen. */
            ring_cancel(bench.ring, 0, 2);
            EXPECT(next_event(&bench, &event));
            if (event.user_data == 2) EXPECT(next_event(&bench, &event));
        } else {
            event = expect_event(&bench, 1);
        }
        EXPECT(event.res == rows[i].res);
        bench_close(&bench);
    }
}

/* A receive that waits, cancelled just when bytes come: each of the two may win, and the receive
 * ends exactly once. */
static void test_sim_cancels_win_and_lose(void)
{
    uint32_t won = 0;
    uint32_t lost = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sim_options options;
        struct bench bench;
        struct ring_event event;
        uint32_t ends = 0;
        uint32_t cancels = 0;
        bool data = false;

        sim_options_plain(&options, seed);
        options.multishot = false;
        options.delay_ns_max = 4 * trip_ns;
        options.faults.cancel_late = 0.9;
        options.faults.cancel_lose = 0.5;
        bench_open(&bench, &options, NULL);
        connect_sock(&bench, 0);
        ring_recv(bench.ring, 0, RING_LARGE, 2);
        ring_send(bench.ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
        ring_cancel(bench.ring, 0, 4);
        while (next_event(&bench, &event)) {
            if (event.user_data == 4) cancels++;
            if (event.user_data != 2) continue;
            ends++;
            if (event.res == -ECANCELED) {
                won++;
            } else {
                data = true;
                ring_buffer_return(bench.ring, &event);
            }
        }
        EXPECT(ends == 1);
        EXPECT(cancels == 1);
        if (data) lost++;
        ring_close_sock(bench.ring, 0, 5);
        EXPECT(expect_event(&bench, 5).res == 0);
        bench_close(&bench);
    }
    EXPECT(won > 20);
    EXPECT(lost > 20);
}

static void test_sim_sends_break_loudly(void)
{
    static const struct {
        const char *name;
        double send_error;
        double send_short;
        unsigned flags;
    } rows[] = {
        {"loud error", 1, 0, 0},
        {"loud short", 0, 1, 0},
        {"quiet error", 1, 0, RING_SEND_QUIET},
        {"quiet short", 0, 1, RING_SEND_QUIET},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim_options options;
        struct bench bench;
        struct ring_event event;
        int32_t sent = INT32_MAX;
        int32_t received = INT32_MAX;

        (void)printf("  %s\n", rows[i].name);
        sim_options_plain(&options, i);
        options.faults.send_error = rows[i].send_error;
        options.faults.send_short = rows[i].send_short;
        bench_open(&bench, &options, NULL);
        connect_sock(&bench, 0);
        ring_recv(bench.ring, 0, RING_LARGE, 2);
        ring_send(bench.ring, 0, request_text, sizeof(request_text) - 1, rows[i].flags, 3);
        while (next_event(&bench, &event)) {
            *(event.user_data == 3 ? &sent : &received) = event.res;
        }
        EXPECT(sent < (int32_t)sizeof(request_text) - 1);
        EXPECT(rows[i].send_error > 0 ? sent == -EPIPE || sent == -ECONNRESET : sent > 0);
        EXPECT(received == -ECONNRESET);
        EXPECT(sim_peer_counts(bench.peer)->requests == 0);
        EXPECT(sim_counts(bench.sim)->quiet_failed == (rows[i].flags != 0));
        bench_close(&bench);
    }
}

/* A request larger than the window, to a peer that does not read: it stays in flight. */
static void test_sim_window_holds_sends_back(void)
{
    struct sim_behaviour deaf = {.deaf = true};
    struct sim_behaviour hears = {0};
    static char post[6000] = "POST / HTTP/1.1\r\nHost: sim\r\nContent-Length: 5948\r\n\r\n";
    const size_t head_bytes = sizeof(post) - 5948;
    struct iovec parts[3] = {{post, 10}, {post + 10, 3000}, {post + 3010, sizeof(post) - 3010}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    struct sim_options options;
    struct bench bench;
    struct ring_event event;
    const struct sim_request *requests;
    size_t count;

    EXPECT(strlen(post) == head_bytes);
    memset(post + head_bytes, 'p', sizeof(post) - head_bytes);
    sim_options_plain(&options, 1);
    options.window_bytes = 1024;
    bench_open(&bench, &options, &deaf);
    connect_sock(&bench, 0);
    ring_sendmsg(bench.ring, 0, &message, 2);
    EXPECT(!next_event(&bench, &event));
    sim_peer_set(bench.peer, &hears);
    event = expect_event(&bench, 2);
    EXPECT(event.res == (int32_t)sizeof(post));
    EXPECT(!next_event(&bench, &event));
    requests = sim_peer_requests(bench.peer, &count);
    EXPECT(count == 1);
    EXPECT(requests[0].body_bytes == sizeof(post) - head_bytes);
    EXPECT(strcmp(requests[0].method, "POST") == 0);
    bench_close(&bench);
}

static void test_sim_waits_are_exact(void)
{
    struct sim_options options;
    struct bench bench;
    struct ring_wait wait = {.timeout_ns = 12345};
    struct ring_event event;
    uint64_t start_ns;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, NULL);
    start_ns = clock_now_ns();
    for (uint64_t lap = 1; lap <= 10; lap++) {
        ring_wait(bench.ring, &wait); /* Would sleep. */
        EXPECT(sim_advance(bench.sim));
        EXPECT(clock_now_ns() == start_ns + lap * 12345);
        ring_wait(bench.ring, &wait); /* That sleep ends; it does not sleep again. */
        EXPECT(sim_advance(bench.sim));
        EXPECT(clock_now_ns() == start_ns + lap * 12345);
    }
    wait.timeout_ns = TIME_NEVER;
    ring_wait(bench.ring, &wait);
    EXPECT(!sim_advance(bench.sim));
    ring_wake(bench.ring);
    EXPECT(sim_advance(bench.sim));
    ring_wait(bench.ring, &wait);
    EXPECT(ring_reap(bench.ring, &event, 1) == 0);
    EXPECT(sim_advance(bench.sim)); /* Its owner has the floor. */
    ring_wait(bench.ring, &wait);
    EXPECT(!sim_advance(bench.sim));
    /* Polling costs time. */
    start_ns = clock_now_ns();
    wait.timeout_ns = 0;
    for (int i = 0; i < 1000; i++) {
        ring_wait(bench.ring, &wait);
        EXPECT(sim_advance(bench.sim));
    }
    EXPECT(clock_now_ns() > start_ns);
    bench_close(&bench);
}

/* Two connects that complete 30 us apart: a wait for two ends with the second if it may take so
 * long after the first, else before it. */
static void test_sim_honours_min_wait(void)
{
    static const struct {
        uint32_t min_wait_ns;
        bool honoured;
        uint32_t events;
        uint64_t after_first_ns;
    } rows[] = {
        {0, true, 1, 0},         {20000, true, 1, 20000}, {30000, true, 2, 30000},
        {90000, true, 2, 30000}, {90000, false, 1, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim_behaviour slow = {.connect_delay_ns = 30000};
        struct ring_wait wait = {
            .timeout_ns = NS_PER_S, .wait_nr = 2, .min_wait_ns = rows[i].min_wait_ns};
        struct sim_options options;
        struct bench bench;
        struct ring_event events[4];
        struct sockaddr_in address;
        uint32_t count = 0;

        sim_options_plain(&options, 1);
        options.min_wait = rows[i].honoured;
        bench_open(&bench, &options, NULL);
        EXPECT(ring_facts(bench.ring)->min_wait == rows[i].honoured);
        (void)sim_peer_new_local(bench.sim, PORT + 1, &slow, &address);
        EXPECT(ring_sock_open(bench.ring, 0, AF_INET, NULL, 0) == 0);
        EXPECT(ring_sock_open(bench.ring, 1, AF_INET, NULL, 0) == 0);
        ring_connect(bench.ring, 0, (const struct sockaddr *)&bench.address, sizeof(address), 1);
        ring_connect(bench.ring, 1, (const struct sockaddr *)&address, sizeof(address), 2);
        while (count == 0) {
            ring_wait(bench.ring, &wait);
            count = ring_reap(bench.ring, events, COUNT(events));
            EXPECT(sim_advance(bench.sim) || count > 0);
        }
        EXPECT(count == rows[i].events);
        EXPECT(clock_now_ns() == options.start_ns + 2 * trip_ns + rows[i].after_first_ns);
        bench_close(&bench);
    }
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void test_sim_calls_at_the_moment(void)
{
    struct sim_options options;
    struct bench bench;
    int calls = 0;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, NULL);
    sim_ring_park(bench.ring);
    sim_at(bench.sim, options.start_ns + 500, count_call, &calls);
    sim_at(bench.sim, options.start_ns + 200, NULL, NULL);
    EXPECT(sim_advance(bench.sim));
    EXPECT(sim_now_ns(bench.sim) == options.start_ns + 200);
    EXPECT(calls == 0);
    EXPECT(sim_advance(bench.sim));
    EXPECT(sim_now_ns(bench.sim) == options.start_ns + 500);
    EXPECT(calls == 1);
    EXPECT(!sim_advance(bench.sim));
    bench_close(&bench);
}

/* Limits of the machine: descriptors and ports. */
static void test_sim_runs_out_of_descriptors_and_ports(void)
{
    struct sim_options options;
    struct bench bench;

    sim_options_plain(&options, 1);
    options.descriptors_max = 2;
    options.ports_max = 1;
    options.connections_max = 2;
    bench_open(&bench, &options, NULL);
    connect_sock(&bench, 0);
    EXPECT(ring_sock_open(bench.ring, 1, AF_INET, NULL, 0) == 0);
    EXPECT(ring_sock_open(bench.ring, 2, AF_INET, NULL, 0) == -EMFILE);
    ring_connect(bench.ring, 1, (const struct sockaddr *)&bench.address, sizeof(bench.address), 1);
    EXPECT(expect_event(&bench, 1).res == -EADDRNOTAVAIL);
    ring_close_sock(bench.ring, 0, 2);
    EXPECT(expect_event(&bench, 2).res == 0);
    EXPECT(ring_sock_open(bench.ring, 0, AF_INET, NULL, 0) == 0);
    ring_connect(bench.ring, 1, (const struct sockaddr *)&bench.address, sizeof(bench.address), 1);
    EXPECT(expect_event(&bench, 1).res == 0);
    EXPECT(sim_counts(bench.sim)->connections_now == 1);
    EXPECT(sim_counts(bench.sim)->connections_max == 2);
    bench_close(&bench);
}

/* Both ends are sockets of a ring: a server can be tried here too. */
static void test_sim_accepts_on_a_ring(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct sim_options options;
    struct bench bench;
    struct ring_event event;
    uint32_t accepted[2] = {0};
    int accepts = 0;
    uint16_t port = 0;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, NULL);
    EXPECT(ring_listen(bench.ring, 3, (const struct sockaddr *)&any, sizeof(any), &port) == 0);
    EXPECT(port != 0);
    bench.address.sin_port = htons(port);
    ring_accept(bench.ring, 3, 10);
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT(ring_sock_open(bench.ring, i, AF_INET, NULL, 0) == 0);
        ring_connect(bench.ring, i, (const struct sockaddr *)&bench.address, sizeof(bench.address),
                     1);
    }
    for (int i = 0; i < 4; i++) {
        EXPECT(next_event(&bench, &event));
        if (event.user_data != 10) continue;
        EXPECT(event.flags == RING_MORE);
        EXPECT(event.res >= 4 && event.res < 8);
        accepted[accepts++] = (uint32_t)event.res;
    }
    EXPECT(accepts == 2);
    EXPECT(accepted[0] != accepted[1]);
    ring_recv(bench.ring, accepted[0], RING_SMALL, 11);
    ring_send(bench.ring, 0, "hello", 5, 0, 12);
    EXPECT(expect_event(&bench, 12).res == 5);
    event = expect_event(&bench, 11);
    EXPECT(event.res == 5 && memcmp(event.data, "hello", 5) == 0);
    ring_buffer_return(bench.ring, &event);
    ring_close_sock(bench.ring, 0, 13);
    EXPECT(expect_event(&bench, 13).res == 0);
    event = expect_event(&bench, 11);
    EXPECT(event.res == 0 && event.flags == 0);
    ring_cancel(bench.ring, 3, 14);
    EXPECT(next_event(&bench, &event));
    EXPECT(next_event(&bench, &event));
    ring_close_sock(bench.ring, 3, 15);
    EXPECT(expect_event(&bench, 15).res == 0);
    bench_close(&bench);
}

/* A full table ends the accept; the connection waits until there is room and it is started again.
 */
static void test_sim_accept_ends_when_the_table_is_full(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct sim_options options;
    struct bench bench;
    struct ring_event event;
    uint16_t port = 0;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, NULL);
    EXPECT(ring_listen(bench.ring, 3, (const struct sockaddr *)&any, sizeof(any), &port) == 0);
    bench.address.sin_port = htons(port);
    for (uint32_t i = 4; i < 8; i++) {
        EXPECT(ring_sock_open(bench.ring, i, AF_INET, NULL, 0) == 0);
    }
    ring_accept(bench.ring, 3, 10);
    EXPECT(ring_sock_open(bench.ring, 0, AF_INET, NULL, 0) == 0);
    ring_connect(bench.ring, 0, (const struct sockaddr *)&bench.address, sizeof(bench.address), 1);
    EXPECT(expect_event(&bench, 1).res == 0);
    event = expect_event(&bench, 10);
    EXPECT(event.res == -ENFILE && event.flags == 0);
    ring_close_sock(bench.ring, 6, 11);
    EXPECT(expect_event(&bench, 11).res == 0);
    ring_accept(bench.ring, 3, 10);
    EXPECT(expect_event(&bench, 10).res == 6);
    bench_close(&bench);
}

static void test_sim_knows_ipv6(void)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    struct sockaddr_in6 one = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sim_behaviour behaviour = {0};
    struct sim_options options;
    struct bench bench;
    struct sim_peer *peer;

    sim_options_plain(&options, 1);
    bench_open(&bench, &options, NULL);
    peer = sim_peer_new(bench.sim, (const struct sockaddr *)&any, sizeof(any), &behaviour);
    EXPECT(ring_sock_open(bench.ring, 0, AF_INET6, NULL, 0) == 0);
    ring_connect(bench.ring, 0, (const struct sockaddr *)&one, sizeof(one), 1);
    EXPECT(expect_event(&bench, 1).res == 0);
    EXPECT(sim_peer_counts(peer)->connections == 1);
    EXPECT(sim_peer_counts(bench.peer)->connections == 0);
    bench_close(&bench);
}

int main(void)
{
    TEST(test_sim_is_exact_in_time);
    TEST(test_sim_lends_buffers_and_says_when_they_are_out);
    TEST(test_sim_drains_what_it_is_asked_to);
    TEST(test_sim_gives_every_connect_errno);
    TEST(test_sim_connects_as_its_peers_will);
    TEST(test_sim_cancels_win_and_lose);
    TEST(test_sim_sends_break_loudly);
    TEST(test_sim_window_holds_sends_back);
    TEST(test_sim_waits_are_exact);
    TEST(test_sim_honours_min_wait);
    TEST(test_sim_calls_at_the_moment);
    TEST(test_sim_runs_out_of_descriptors_and_ports);
    TEST(test_sim_accepts_on_a_ring);
    TEST(test_sim_accept_ends_when_the_table_is_full);
    TEST(test_sim_knows_ipv6);
    return 0;
}
