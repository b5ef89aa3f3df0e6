/* What the peers of the simulated machine promise: right answers of every kind, each misbehaviour
 * as named, exact delays, and a record that closes with what the client saw. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_peer.h"
#include "tests/test.h"

enum { PORT = 8080, BYTES_MAX = 200000 };

/* What one connection got: its bytes, and how it ended (1: it did not). */
struct heard {
    char bytes[BYTES_MAX + 1];
    size_t len;
    int32_t end;
    uint64_t first_ns; /* After the request was sent; 0: nothing came. */
    uint64_t last_ns;
};

static struct heard heard; /* Large, and of this program alone. */

/* Sends `text` on one connection and listens until nothing comes any more, the connection ends,
 * `limit_ns` have passed or the bytes are too many. Options may be NULL. */
static struct sim_peer_counts ask(const struct sim_behaviour *behaviour, const char *text,
                                  const struct sim_options *given, uint64_t limit_ns)
{
    struct ring_options ring_options = {.sq_entries = 16,
                                        .cq_entries = 64,
                                        .socks_count = 1,
                                        .accept_from = 1,
                                        .buffer_bytes = {512, 0},
                                        .buffers_count = {8, 0}};
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};
    struct sim_peer_counts counts;
    struct sim_options options;
    struct sockaddr_in address;
    struct sim_peer *peer;
    struct ring *ring;
    struct sim *sim;
    uint64_t sent_ns = 0;

    sim_options_plain(&options, 1);
    sim = sim_new(given != NULL ? given : &options);
    peer = sim_peer_new_local(sim, PORT, behaviour, &address);
    EXPECT(ring_open(&ring, &ring_options, NULL) == ERR_OK);
    EXPECT(ring_sock_open(ring, 0, AF_INET, NULL, 0) == 0);
    ring_connect(ring, 0, (const struct sockaddr *)&address, sizeof(address), 1);
    heard = (struct heard){.end = 1};
    while (heard.end == 1 && heard.len + 512 < BYTES_MAX) {
        struct ring_event event;

        ring_wait(ring, &wait);
        while (ring_reap(ring, &event, 1) == 1) {
            if (event.user_data == 1) {
                EXPECT(event.res == 0);
                sent_ns = clock_now_ns();
                ring_recv(ring, 0, RING_SMALL, 2);
                ring_send(ring, 0, text, strlen(text), RING_SEND_QUIET, 3);
                continue;
            }
            if ((event.flags & RING_BUFFER) != 0 && heard.len + 512 < BYTES_MAX) {
                memcpy(heard.bytes + heard.len, event.data, (size_t)event.res);
                heard.len += (size_t)event.res;
                heard.last_ns = clock_now_ns() - sent_ns;
                if (heard.first_ns == 0) heard.first_ns = heard.last_ns;
            }
            if ((event.flags & RING_BUFFER) != 0) ring_buffer_return(ring, &event);
            if (event.user_data == 2 && event.res <= 0 && event.res != -ENOBUFS) {
                heard.end = event.res;
            } else if (event.user_data == 2 && (event.flags & RING_MORE) == 0) {
                ring_recv(ring, 0, RING_SMALL, 2);
            }
        }
        if (!sim_advance(sim) || sim_now_ns(sim) > options.start_ns + limit_ns) {
            break;
        }
    }
    counts = *sim_peer_counts(peer);
    ring_close(ring);
    sim_free(sim);
    heard.bytes[heard.len] = '\0';
    return counts;
}

static const char get_text[] = "GET /p HTTP/1.1\r\nHost: sim\r\n\r\n";
static const char get_close_text[] = "GET /p HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n";
static const char head_text[] = "HEAD /p HTTP/1.1\r\nHost: sim\r\n\r\n";
static const char get_twice_text[] = "GET /p HTTP/1.1\r\nHost: sim\r\n\r\n"
                                     "GET /q HTTP/1.1\r\nHost: sim\r\n\r\n";

static bool begins(const char *text)
{
    return strncmp(heard.bytes, text, strlen(text)) == 0;
}

static bool ends(const char *text)
{
    size_t len = strlen(text);

    return heard.len >= len && strcmp(heard.bytes + heard.len - len, text) == 0;
}

static bool has(const char *text)
{
    return strstr(heard.bytes, text) != NULL;
}

static const char raw_text[] = "HTTP/1.0 299 \r\nx:y\r\n\r\nraw";
static const struct {
    const char *name;
    const char *request;
    struct sim_route route;
    const char *begin;
    const char *contains;
    const char *end;
    int32_t how; /* 1: the connection stays. */
} framings[] = {
    {"empty", get_text, {0}, "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n", "\r\n\r\n", 1},
    {"length", get_text, {.body_bytes = 4}, "HTTP/1.1 200 OK\r\n", "Length: 4\r\n", "abcd", 1},
    {"status", get_text, {.status = 503}, "HTTP/1.1 503 Ser", "Length: 0\r\n", "\r\n\r\n", 1},
    {"204", get_text, {.status = 204}, "HTTP/1.1 204 No", "Server: sim\r\n", "\r\n\r\n", 1},
    {"head", head_text, {.body_bytes = 9}, "HTTP/1.1 200", "Length: 9\r\n", "\r\n\r\n", 1},
    {"chunked",
     get_text,
     {.body = SIM_BODY_CHUNKED, .body_bytes = 1},
     "HTTP/1.1 200",
     "chunked\r\n\r\n1\r\na\r\n",
     "\r\n0\r\n\r\n",
     1},
    {"close",
     get_text,
     {.body = SIM_BODY_CLOSE, .body_bytes = 3},
     "HTTP/1.1 200",
     "GMT\r\n\r\n",
     "\r\nabc",
     0},
    {"announced",
     get_text,
     {.close = true},
     "HTTP/1.1 200",
     "Connection: close\r\n",
     "\r\n\r\n",
     0},
    {"asked for",
     get_close_text,
     {.body_bytes = 1},
     "HTTP/1.1 200",
     "Connection: close\r\n",
     "\r\n\r\na",
     0},
    {"raw",
     get_text,
     {.body = SIM_BODY_RAW, .raw = raw_text, .raw_bytes = sizeof(raw_text) - 1, .status = 299},
     raw_text,
     "",
     "raw",
     1},
    {"raw and close",
     get_text,
     {.body = SIM_BODY_RAW, .raw = raw_text, .raw_bytes = sizeof(raw_text) - 1, .close = true},
     raw_text,
     "",
     "raw",
     0},
    {"fields", get_text, {.fields = "X-A: b\r\n"}, "HTTP/1.1 200", "\r\nX-A: b\r\n", "\r\n\r\n", 1},
    {"other path", get_text, {.path = "/other"}, "HTTP/1.1 404", "Length: 0", "\r\n\r\n", 1},
};

static void test_peer_answers_in_every_framing(void)
{
    for (size_t i = 0; i < COUNT(framings); i++) {
        struct sim_behaviour behaviour = {.routes = &framings[i].route, .routes_count = 1};
        uint16_t status = framings[i].route.status != 0 ? framings[i].route.status : 200;
        struct sim_peer_counts counts = ask(&behaviour, framings[i].request, NULL, NS_PER_S);

        (void)printf("  %s\n", framings[i].name);
        if (framings[i].route.path != NULL) status = 404;
        EXPECT(begins(framings[i].begin));
        EXPECT(has(framings[i].contains));
        EXPECT(ends(framings[i].end));
        EXPECT(heard.end == framings[i].how);
        EXPECT(counts.requests == 1);
        EXPECT(counts.answers == 1);
        EXPECT(counts.status[status] == 1);
        EXPECT(counts.bytes_out == heard.len);
        EXPECT(counts.bytes_in == strlen(framings[i].request));
    }
}

/* A chunked body of many chunks, taken apart by hand. */
static void test_peer_chunks_add_up(void)
{
    struct sim_route route = {.body = SIM_BODY_CHUNKED, .body_bytes = 50000};
    struct sim_behaviour behaviour = {.routes = &route, .routes_count = 1};
    const char *at;
    uint64_t bytes = 0;
    int chunks = 0;

    (void)ask(&behaviour, get_text, NULL, NS_PER_S);
    at = strstr(heard.bytes, "\r\n\r\n") + 4;
    for (;;) {
        char *line_end;
        uint64_t size = strtoull(at, &line_end, 16);

        EXPECT(strncmp(line_end, "\r\n", 2) == 0);
        at = line_end + 2;
        for (uint64_t i = 0; i < size; i++) {
            EXPECT(at[i] == (char)('a' + bytes++ % 26));
        }
        at += size;
        EXPECT(strncmp(at, "\r\n", 2) == 0);
        at += 2;
        if (size == 0) break;
        chunks++;
    }
    EXPECT(at == heard.bytes + heard.len);
    EXPECT(bytes == 50000);
    EXPECT(chunks > 10);
}

static void test_peer_misbehaves_as_named(void)
{
    static const struct {
        enum sim_mis mis;
        uint64_t body_bytes;
        size_t len_min;
        size_t len_max;
        int32_t end;
        bool whole; /* The head is complete. */
        bool counted;
    } rows[] = {
        {SIM_MIS_SILENT, 9, 0, 0, 1, false, false},
        {SIM_MIS_RESET_BEFORE, 9, 0, 0, -ECONNRESET, false, false},
        {SIM_MIS_RESET_IN_HEAD, 9, 1, 200, -ECONNRESET, false, false},
        {SIM_MIS_RESET_IN_BODY, 900, 60, 1000, -ECONNRESET, true, false},
        {SIM_MIS_CLOSE_BEFORE, 9, 0, 0, 0, false, false},
        {SIM_MIS_CLOSE_IN_HEAD, 9, 1, 200, 0, false, false},
        {SIM_MIS_CLOSE_IN_BODY, 900, 60, 1000, 0, true, false},
        {SIM_MIS_RUBBISH, 9, 1, 64, 1, false, false},
        {SIM_MIS_ENDLESS_HEAD, 9, 100000, BYTES_MAX, 1, false, false},
        {SIM_MIS_ENDLESS_CHUNKS, 9, 100000, BYTES_MAX, 1, true, false},
        {SIM_MIS_EXTRA_AFTER, 9, 60, 200, 1, true, true},
        {SIM_MIS_EXTRA_IDLE, 9, 60, 200, 1, true, true},
        {SIM_MIS_INTERIM_FLOOD, 9, 25000, 26000, 1, true, true},
        {SIM_MIS_DRIP, 9, 60, 200, 1, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum sim_mis mis = rows[i].mis;
        struct sim_route route = {.body_bytes = rows[i].body_bytes};
        struct sim_behaviour behaviour = {.routes = &route,
                                          .routes_count = 1,
                                          .mis_share = 1,
                                          .mis_mask = SIM_MIS_BIT(mis),
                                          .extra_idle_ns = 3 * NS_PER_MS};
        struct sim_peer_counts counts = ask(&behaviour, get_text, NULL, NS_PER_S);

        (void)printf("  %s: %zu bytes, end %d\n", sim_mis_name(mis), heard.len, (int)heard.end);
        EXPECT(counts.mis[mis] == 1);
        EXPECT(counts.answers == rows[i].counted);
        EXPECT(heard.len >= rows[i].len_min);
        EXPECT(heard.len <= rows[i].len_max);
        EXPECT(heard.end == rows[i].end);
        if (mis != SIM_MIS_RUBBISH) EXPECT(has("\r\n\r\n") == rows[i].whole);
        EXPECT(counts.extras == (mis == SIM_MIS_EXTRA_AFTER || mis == SIM_MIS_EXTRA_IDLE));
        if (mis == SIM_MIS_EXTRA_IDLE) {
            EXPECT(heard.last_ns == heard.first_ns + 3 * NS_PER_MS);
        }
        if (mis == SIM_MIS_DRIP) {
            EXPECT(heard.last_ns - heard.first_ns == (heard.len - 1) * NS_PER_MS);
        }
    }
}

/* What makes no sense for an answer is replaced, and recorded as what it became. */
static void test_peer_replaces_what_does_not_fit(void)
{
    static const struct {
        enum sim_mis asked;
        enum sim_mis mis;
        struct sim_route route;
    } rows[] = {
        {SIM_MIS_RESET_IN_BODY, SIM_MIS_RESET_IN_HEAD, {.body_bytes = 0}},
        {SIM_MIS_CLOSE_IN_BODY, SIM_MIS_CLOSE_IN_HEAD, {.status = 204}},
        {SIM_MIS_CLOSE_IN_BODY, SIM_MIS_RESET_IN_BODY, {.body = SIM_BODY_CLOSE, .body_bytes = 9}},
        {SIM_MIS_CLOSE_IN_BODY, SIM_MIS_CLOSE_IN_BODY, {.body = SIM_BODY_CHUNKED}},
        {SIM_MIS_EXTRA_AFTER, SIM_MIS_NONE, {.body = SIM_BODY_CLOSE, .body_bytes = 9}},
        {SIM_MIS_EXTRA_IDLE, SIM_MIS_NONE, {.close = true}},
        {SIM_MIS_ENDLESS_CHUNKS, SIM_MIS_NONE, {.status = 304}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim_behaviour behaviour = {.routes = &rows[i].route,
                                          .routes_count = 1,
                                          .mis_share = 1,
                                          .mis_mask = SIM_MIS_BIT(rows[i].asked)};
        struct sim_peer_counts counts = ask(&behaviour, get_text, NULL, NS_PER_S);

        EXPECT(counts.mis[rows[i].mis] == 1);
    }
}

static void test_peer_greets(void)
{
    static const struct {
        enum sim_greeting greeting;
        bool speaks;
        int32_t end;
    } rows[] = {
        {SIM_GREET_NONE, false, 1},
        {SIM_GREET_RESET, false, -ECONNRESET},
        {SIM_GREET_CLOSE, false, 0},
        {SIM_GREET_RUBBISH, true, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim_behaviour behaviour = {.greeting = rows[i].greeting,
                                          .delay = {.a_ns = NS_PER_S}};
        struct sim_peer_counts counts = ask(&behaviour, get_text, NULL, NS_PER_MS);

        EXPECT(counts.connections == 1);
        EXPECT(heard.end == rows[i].end);
        EXPECT((heard.len > 0) == rows[i].speaks);
    }
}

static void test_peer_delays_exactly(void)
{
    static const uint64_t trip_ns = 100 * NS_PER_US;
    struct sim_behaviour constant = {.delay = {.a_ns = 5 * NS_PER_MS}};
    struct sim_behaviour two_point = {
        .delay = {
            .kind = SIM_DELAY_TWO_POINT, .a_ns = NS_PER_MS, .b_ns = NS_PER_S, .b_share = 0.1}};
    struct sim_behaviour uniform = {
        .delay = {.kind = SIM_DELAY_UNIFORM, .a_ns = 1000, .b_ns = 2000}};
    struct sim_behaviour frozen = {.freeze_from_ns = 1000 * NS_PER_S,
                                   .freeze_to_ns = 1003 * NS_PER_S};
    uint32_t slow = 0;

    (void)ask(&constant, get_text, NULL, 9 * NS_PER_S);
    EXPECT(heard.first_ns == 5 * NS_PER_MS + trip_ns);
    (void)ask(&frozen, get_text, NULL, 9 * NS_PER_S);
    EXPECT(heard.first_ns == 3 * NS_PER_S - trip_ns / 2);
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct sim_options options;

        sim_options_plain(&options, seed);
        (void)ask(&two_point, get_text, &options, 9 * NS_PER_S);
        if (heard.first_ns == NS_PER_S + trip_ns) {
            slow++;
        } else {
            EXPECT(heard.first_ns == NS_PER_MS + trip_ns);
        }
        (void)ask(&uniform, get_text, &options, 9 * NS_PER_S);
        EXPECT(heard.first_ns >= trip_ns + 1000 && heard.first_ns <= trip_ns + 2000);
    }
    EXPECT(slow > 25 && slow < 80);
}

static void test_peer_ends_keepalive(void)
{
    struct sim_behaviour once = {.keepalive_max = 1};
    struct sim_behaviour quietly = {.keepalive_max = 1, .close_unannounced = true};
    struct sim_behaviour twice = {.keepalive_max = 2};
    struct sim_behaviour idle = {.idle_close_ns = 2 * NS_PER_MS};
    struct sim_peer_counts counts;

    (void)ask(&once, get_text, NULL, NS_PER_S);
    EXPECT(has("Connection: close\r\n") && heard.end == 0);
    (void)ask(&quietly, get_text, NULL, NS_PER_S);
    EXPECT(!has("Connection: close\r\n") && heard.end == 0);
    (void)ask(&twice, get_text, NULL, NS_PER_S);
    EXPECT(!has("Connection: close\r\n") && heard.end == 1);
    counts = ask(&twice, get_twice_text, NULL, NS_PER_S);
    EXPECT(has("Connection: close\r\n") && heard.end == 0);
    EXPECT(counts.answers == 2);
    counts = ask(&once, get_twice_text, NULL, NS_PER_S); /* The second is not processed. */
    EXPECT(counts.requests == 2 && counts.answers == 1);
    (void)ask(&idle, get_text, NULL, NS_PER_S);
    EXPECT(heard.len > 0 && heard.end == 0);
}

/* --- Runs ---------------------------------------------------------------------------------- */

struct killing {
    struct sim_peer *peer;
    struct sim_behaviour behaviour;
};

static void stop_server(void *context)
{
    struct killing *killing = context;

    killing->behaviour.connect = SIM_CONNECT_REFUSE;
    sim_peer_set(killing->peer, &killing->behaviour);
    sim_peer_kill(killing->peer);
}

static void start_server(void *context)
{
    struct killing *killing = context;

    killing->behaviour.connect = SIM_CONNECT_OK;
    sim_peer_set(killing->peer, &killing->behaviour);
}

/* The server goes away for 50 ms and comes back; all goes on, and both sides agree. */
static void test_peer_restarts(void)
{
    struct sim_client client = {
        .slots_count = 8, .requests_max = 900, .timeout_ns = 100 * NS_PER_MS};
    struct killing killing = {.behaviour = {.delay = {.a_ns = NS_PER_MS}}};
    const struct sim_request *requests;
    struct sim_options options;
    struct sim *sim;
    size_t count;
    size_t answered = 0;
    bool answered_after = false;

    sim_options_plain(&options, 1);
    sim = sim_new(&options);
    killing.peer = sim_peer_new_local(sim, PORT, &killing.behaviour, &client.address);
    client.sim = sim;
    sim_at(sim, options.start_ns + 20 * NS_PER_MS, stop_server, &killing);
    sim_at(sim, options.start_ns + 70 * NS_PER_MS, start_server, &killing);
    sim_client_open(&client, 8, 512);
    while (!sim_client_is_done(&client)) {
        sim_client_step(&client);
        EXPECT(sim_advance(sim) || sim_client_is_done(&client));
    }
    requests = sim_peer_requests(killing.peer, &count);
    for (size_t i = 0; i < count; i++) {
        if (requests[i].status == 0) continue;
        EXPECT(requests[i].status == 200);
        EXPECT(requests[i].answered_ns == requests[i].arrived_ns + NS_PER_MS);
        answered++;
        if (requests[i].arrived_ns > options.start_ns + 70 * NS_PER_MS) answered_after = true;
    }
    EXPECT(answered_after);
    EXPECT(client.ok == answered); /* The kill let no answer that was underway be lost. */
    EXPECT(client.failed > 8);
    EXPECT(sim_peer_counts(killing.peer)->refused > 8);
    EXPECT(sim_peer_counts(killing.peer)->connections_max == 8);
    sim_client_close(&client);
    sim_free(sim);
}

int main(void)
{
    TEST(test_peer_answers_in_every_framing);
    TEST(test_peer_chunks_add_up);
    TEST(test_peer_misbehaves_as_named);
    TEST(test_peer_replaces_what_does_not_fit);
    TEST(test_peer_greets);
    TEST(test_peer_delays_exactly);
    TEST(test_peer_ends_keepalive);
    TEST(test_peer_restarts);
    return 0;
}
