/* The test target over the simulated kernel: whatever the kernel and the wire do, a client gets
 * the answers to its requests, byte for byte and in order, or the first part of them; and when
 * the clients have left, the server holds nothing any more.
 *
 * A client plays a script: requests drawn from the seed, sent one by one or all at once, and the
 * bytes that must come back. Scripts end before the fourth second of a run, because then the
 * target writes a new date into the oldest edition of an answer (core/serve_reply.h). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/serve_thread.h"
#include "tests/sim/ring_sim.h"
#include "tests/test.h"

enum {
    PORT = 8080,
    SEEDS = 200,
    SLOTS = 6,
    CONNECTIONS = 12,          /* Those that have been left may still be closing. */
    STEPS_MAX = 8,             /* Requests of a script. */
    ASK_BYTES = 64 * 1024,     /* Room for its requests, */
    EXPECT_BYTES = 600 * 1024, /* and for its answers. */
    SCRIPTS_MAX = 60,          /* Of a run. */
    ANY = 1,                   /* In the answers: a byte of a date. */
};

static const uint64_t begin_for_ns = 1500 * NS_PER_MS;  /* Scripts begin so long, */
static const uint64_t script_ns_max = 1000 * NS_PER_MS; /* and take so long. */

enum slot_state { EMPTY, CONNECTING, PLAYING, LEAVING, CLOSING };

struct slot {
    enum slot_state state;
    uint32_t generation;
    bool connect_on, send_on, recv_on, cancelled;
    bool pipelines; /* Sends all requests at once. */
    bool leaves;    /* Does not wait for all answers. */
    uint64_t until_ns;
    uint32_t steps, step; /* Requests of the script; those that were sent. */
    size_t ask_end[STEPS_MAX];
    size_t expect_end[STEPS_MAX];
    size_t got;
    char *ask;
    char *expect;
};

struct world {
    struct serve_shared shared; /* First: it is aligned to cache lines. */
    struct sim *sim;
    struct arena arena;
    struct serve_options options;
    struct serve_thread *thread;
    struct serve_replies replies; /* For the answers that are expected. */
    struct ring *ring;            /* The clients'. */
    struct sockaddr_in address;
    struct slot slots[SLOTS];
    uint64_t begin_until_ns;
    uint32_t begun, whole; /* Scripts, and those that got all they wanted. */
    bool faulty;
};

enum kind { KIND_CONNECT = 1, KIND_SEND, KIND_RECV, KIND_CANCEL, KIND_CLOSE };

static uint64_t user_data(const struct world *world, uint32_t index, enum kind kind)
{
    return (uint64_t)world->slots[index].generation << 32 | index << 8 | (uint64_t)kind;
}

/* --- Scripts ------------------------------------------------------------------------------ */

/* Appends and returns the new length. */
static size_t put(char *to, size_t len, const char *data, size_t data_len)
{
    memcpy(to + len, data, data_len);
    return len + data_len;
}

/* Writes the answer of a route that may not be kept, by length or chunked; its length. */
static size_t write_bulk(struct world *world, char *to, struct serve_route route)
{
    const char *body = world->shared.pattern;
    uint64_t whole = route.n / SERVE_CHUNK_BYTES;
    size_t len;

    if (route.kind != SERVE_CHUNKED) {
        len = serve_reply_head(&world->replies, to, 200, (int64_t)route.n, 0);
        return put(to, len, body, (size_t)route.n);
    }
    len = serve_reply_head(&world->replies, to, 200, SERVE_LENGTH_CHUNKED, 0);
    len = put(to, len, world->shared.chunks, (size_t)whole * SERVE_CHUNK_FRAMED);
    return len + serve_reply_last_chunk(&world->replies, to + len, route.n);
}

/* Adds the answer of a route, with its date masked. */
static void expect_answer(struct world *world, struct slot *slot, struct serve_route route)
{
    char *at = slot->expect + slot->expect_end[slot->steps];
    const struct serve_reply *reply = NULL;
    size_t len;

    if (route.kind == SERVE_ROOT || route.kind == SERVE_DELAY || route.kind == SERVE_STATUS) {
        reply = serve_replies_get(&world->replies, route, 0);
        len = put(at, 0, reply->text, reply->len);
    } else {
        len = write_bulk(world, at, route);
    }
    at[len] = '\0';
    memset(strstr(at, "Date: ") + 6, ANY, SERVE_DATE_BYTES);
    slot->expect_end[slot->steps] += len;
}

static struct serve_route draw_route(struct sim *sim)
{
    switch (sim_below(sim, 8)) {
    case 0: return (struct serve_route){SERVE_BYTES, sim_below(sim, 3000)};
    case 1: return (struct serve_route){SERVE_BYTES, sim_below(sim, 45000)};
    case 2: return (struct serve_route){SERVE_CHUNKED, sim_below(sim, 45000)};
    case 3: return (struct serve_route){SERVE_STATUS, 200 + sim_below(sim, 400)};
    case 4: return (struct serve_route){SERVE_DELAY, sim_below(sim, 5)};
    case 5: return (struct serve_route){SERVE_ECHO, 1 + sim_below(sim, 6000)};
    default: return (struct serve_route){SERVE_ROOT, 0};
    }
}

/* Writes a request's framing and body; their length. */
static size_t write_body(struct world *world, char *to, uint64_t body_bytes)
{
    const char *body = world->shared.pattern;
    size_t len;

    if (body_bytes == 0) return (size_t)snprintf(to, 16, "\r\n");
    if (sim_below(world->sim, 2) == 0) {
        len = (size_t)snprintf(to, 64, "Content-Length: %u\r\n\r\n", (unsigned)body_bytes);
        return put(to, len, body, (size_t)body_bytes);
    }
    len =
        (size_t)snprintf(to, 64, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", (unsigned)body_bytes);
    len = put(to, len, body, (size_t)body_bytes);
    return len + (size_t)snprintf(to + len, 16, "\r\n0\r\n\r\n");
}

/* Adds a request and its answer. */
static void add_step(struct world *world, struct slot *slot)
{
    static const char *const paths[] = {
        [SERVE_ROOT] = "",        [SERVE_BYTES] = "bytes/",     [SERVE_STATUS] = "status/",
        [SERVE_DELAY] = "delay/", [SERVE_CHUNKED] = "chunked/", [SERVE_ECHO] = "echo?"};
    struct serve_route route = draw_route(world->sim);
    size_t at = slot->steps == 0 ? 0 : slot->ask_end[slot->steps - 1];
    char n[24] = "";

    if (route.kind != SERVE_ROOT) (void)snprintf(n, sizeof(n), "%u", (unsigned)route.n);
    at += (size_t)snprintf(slot->ask + at, 256, "GET /%s%s HTTP/1.1\r\nHost: sim\r\n",
                           paths[route.kind], n);
    at += write_body(world, slot->ask + at, route.kind == SERVE_ECHO ? route.n : 0);
    slot->ask_end[slot->steps] = at;
    slot->expect_end[slot->steps] = slot->steps == 0 ? 0 : slot->expect_end[slot->steps - 1];
    expect_answer(world, slot, route);
    slot->steps++;
}

static void write_script(struct world *world, struct slot *slot)
{
    uint64_t steps = 1 + sim_below(world->sim, STEPS_MAX);

    slot->steps = 0;
    slot->step = 0;
    slot->got = 0;
    for (uint64_t i = 0; i < steps; i++) {
        add_step(world, slot);
    }
    CHECK(slot->ask_end[slot->steps - 1] < ASK_BYTES);
    CHECK(slot->expect_end[slot->steps - 1] < EXPECT_BYTES);
    slot->leaves = world->faulty && sim_below(world->sim, 4) == 0;
    slot->pipelines = sim_below(world->sim, 2) == 0;
    slot->until_ns =
        clock_now_ns() + (slot->leaves ? sim_below(world->sim, 20 * NS_PER_MS) : script_ns_max);
}

/* --- The client --------------------------------------------------------------------------- */

static void leave_more(struct world *world, uint32_t index)
{
    struct slot *slot = &world->slots[index];

    if (slot->connect_on || slot->send_on || slot->recv_on) {
        if (!slot->cancelled) ring_cancel(world->ring, index, user_data(world, index, KIND_CANCEL));
        slot->cancelled = true;
        return;
    }
    slot->state = CLOSING;
    if (sim_below(world->sim, 2) == 0) {
        ring_reset_sock(world->ring, index, user_data(world, index, KIND_CLOSE));
    } else {
        ring_close_sock(world->ring, index, user_data(world, index, KIND_CLOSE));
    }
}

static void leave(struct world *world, uint32_t index)
{
    world->slots[index].state = LEAVING;
    leave_more(world, index);
}

/* Sends the next request, or all of them. */
static void ask(struct world *world, uint32_t index)
{
    struct slot *slot = &world->slots[index];
    size_t from = slot->step == 0 ? 0 : slot->ask_end[slot->step - 1];

    if (slot->send_on || slot->step == slot->steps) return;
    slot->step = slot->pipelines ? slot->steps : slot->step + 1;
    slot->send_on = true;
    ring_send(world->ring, index, slot->ask + from, slot->ask_end[slot->step - 1] - from, 0,
              user_data(world, index, KIND_SEND));
}

static void take_bytes(struct world *world, uint32_t index, const char *data, size_t len)
{
    struct slot *slot = &world->slots[index];
    size_t wanted = slot->expect_end[slot->step - 1];

    for (size_t i = 0; i < len; i++) {
        char expected = slot->expect[slot->got];

        if (slot->got == wanted) sim_fail(world->sim, "bytes that nobody asked for");
        if (expected != ANY && expected != data[i]) {
            sim_fail(world->sim, "byte %zu of slot %u is %d and not %d", slot->got, index, data[i],
                     expected);
        }
        slot->got++;
    }
    if (slot->got < wanted) return;
    if (slot->step < slot->steps) {
        ask(world, index);
    } else {
        world->whole++;
        leave(world, index);
    }
}

static void receive(struct world *world, uint32_t index)
{
    world->slots[index].recv_on = true;
    ring_recv(world->ring, index, RING_SMALL, user_data(world, index, KIND_RECV));
}

static void on_recv(struct world *world, uint32_t index, const struct ring_event *event)
{
    struct slot *slot = &world->slots[index];

    if ((event->flags & RING_MORE) == 0) slot->recv_on = false;
    if ((event->flags & RING_BUFFER) != 0) {
        if (slot->state == PLAYING) take_bytes(world, index, event->data, (size_t)event->res);
        ring_buffer_return(world->ring, event);
    }
    if (slot->state != PLAYING || slot->recv_on) return;
    if (event->res > 0 || event->res == -ENOBUFS) {
        receive(world, index);
        return;
    }
    if (!world->faulty) sim_fail(world->sim, "slot %u ended with %d", index, event->res);
    leave(world, index);
}

static void on_event(struct world *world, const struct ring_event *event)
{
    uint32_t index = (uint32_t)(event->user_data >> 8) & 0xFFFFFF;
    struct slot *slot = &world->slots[index];

    CHECK(slot->generation == (uint32_t)(event->user_data >> 32));
    switch ((enum kind)(event->user_data & 0xFF)) {
    case KIND_CONNECT:
        slot->connect_on = false;
        if (slot->state != CONNECTING) break;
        slot->state = PLAYING;
        if (event->res != 0) {
            leave(world, index);
            return;
        }
        receive(world, index);
        ask(world, index);
        return;
    case KIND_SEND:
        slot->send_on = false;
        if (slot->state == PLAYING && slot->got == slot->expect_end[slot->step - 1]) {
            ask(world, index);
        }
        break;
    case KIND_RECV: on_recv(world, index, event); break;
    case KIND_CANCEL: return;
    case KIND_CLOSE: slot->state = EMPTY; return;
    }
    if (slot->state == LEAVING) leave_more(world, index);
}

/* Begins a script on an empty slot. */
static void begin(struct world *world, uint32_t index)
{
    struct slot *slot = &world->slots[index];

    if (world->begun == SCRIPTS_MAX || clock_now_ns() > world->begin_until_ns) return;
    if (ring_sock_open(world->ring, index, AF_INET, NULL, 0) != 0) return;
    world->begun++;
    write_script(world, slot);
    slot->state = CONNECTING;
    slot->generation++;
    slot->cancelled = false;
    slot->connect_on = true;
    ring_connect(world->ring, index, (const struct sockaddr *)&world->address,
                 sizeof(world->address), user_data(world, index, KIND_CONNECT));
}

static bool clients_step(struct world *world)
{
    struct ring_wait wait = {.timeout_ns = NS_PER_MS};
    struct ring_event events[16];
    uint64_t now_ns = clock_now_ns();
    bool idle = true;
    uint32_t count;

    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (slot->state == EMPTY) begin(world, i);
        if ((slot->state == PLAYING || slot->state == CONNECTING) && now_ns >= slot->until_ns) {
            if (!world->faulty) sim_fail(world->sim, "slot %u takes too long", i);
            leave(world, i);
        }
        if (slot->state != EMPTY) idle = false;
    }
    if (idle && (world->begun == SCRIPTS_MAX || now_ns > world->begin_until_ns)) return false;
    ring_wait(world->ring, &wait);
    do {
        count = ring_reap(world->ring, events, COUNT(events));
        for (uint32_t i = 0; i < count; i++) {
            on_event(world, &events[i]);
        }
    } while (count > 0);
    return true;
}

/* --- The world ---------------------------------------------------------------------------- */

static void world_open(struct world *world, const struct sim_options *sim_options)
{
    struct ring_options ring_options = {.sq_entries = 64,
                                        .cq_entries = 64,
                                        .socks_count = SLOTS,
                                        .accept_from = SLOTS,
                                        .buffer_bytes = {2048, 0},
                                        .buffers_count = {64, 0}};

    *world = (struct world){.sim = sim_new(sim_options), .faulty = true};
    arena_init(&world->arena, 0);
    world->thread = arena_alloc(&world->arena, sizeof(*world->thread), CACHE_LINE);
    world->shared.pattern = arena_alloc(&world->arena, SERVE_PATTERN_BYTES, 1);
    world->shared.chunks = arena_alloc(&world->arena, SERVE_CHUNKS_BYTES, 1);
    serve_pattern_fill(world->shared.pattern, world->shared.chunks);
    EXPECT(serve_replies_init(&world->replies, &world->arena, world->shared.pattern));
    serve_replies_set_time(&world->replies, clock_wall_ns());
    for (uint32_t i = 0; i < SLOTS; i++) {
        world->slots[i].ask = arena_alloc(&world->arena, ASK_BYTES, 1);
        world->slots[i].expect = arena_alloc(&world->arena, EXPECT_BYTES, 1);
        EXPECT(world->slots[i].ask != NULL && world->slots[i].expect != NULL);
    }
    world->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
    world->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    world->options = (struct serve_options){.bind = "127.0.0.1", .connections_max = CONNECTIONS};
    world->shared.options = &world->options;
    world->shared.address = (const struct sockaddr *)&world->address;
    world->shared.address_len = sizeof(world->address);
    world->shared.log_fd = -1;
    world->thread->shared = &world->shared;
    world->thread->port = PORT;
    EXPECT(serve_thread_open(world->thread) == ERR_OK);
    EXPECT(ring_open(&world->ring, &ring_options, NULL) == ERR_OK);
}

static void play(struct world *world, uint64_t for_ns)
{
    world->begun = 0;
    world->whole = 0;
    world->begin_until_ns = clock_now_ns() + for_ns;
    while (clients_step(world)) {
        serve_thread_step(world->thread);
        EXPECT(sim_advance(world->sim));
    }
}

static bool server_is_idle(const struct world *world)
{
    for (uint32_t i = 0; i < world->thread->socks_count; i++) {
        if (world->thread->conns[i].state != SERVE_CONN_FREE) return false;
    }
    return true;
}

/* Time goes on until the server has seen that all have left. */
static void settle(struct world *world)
{
    uint64_t until_ns = clock_now_ns() + 200 * NS_PER_MS;

    sim_at(world->sim, until_ns, NULL, NULL);
    while (!server_is_idle(world) && clock_now_ns() < until_ns) {
        struct ring_wait wait = {.timeout_ns = TIME_NEVER};

        serve_thread_step(world->thread);
        ring_wait(world->ring, &wait);
        EXPECT(sim_advance(world->sim));
    }
    if (!server_is_idle(world)) sim_fail(world->sim, "the server still has connections");
    if (world->thread->pool.taken_now != 0) sim_fail(world->sim, "the server still has memory");
}

/* One run: with faults, then without; its trace hash. */
static uint64_t run_once(const struct sim_options *options, uint64_t *quiet_failed)
{
    static const struct sim_faults none;
    struct world world;
    uint64_t hash;

    world_open(&world, options);
    play(&world, begin_for_ns);
    sim_faults_set(world.sim, &none);
    settle(&world);
    world.faulty = false;
    play(&world, 100 * NS_PER_MS);
    if (world.whole != world.begun) sim_fail(world.sim, "without faults some scripts failed");
    if (world.whole == 0) sim_fail(world.sim, "no script was played");
    settle(&world);
    hash = sim_trace_hash(world.sim);
    *quiet_failed += sim_counts(world.sim)->quiet_failed;
    ring_close(world.ring);
    serve_thread_close(world.thread);
    arena_release(&world.thread->arena);
    sim_free(world.sim);
    arena_release(&world.arena);
    return hash;
}

static void test_serve_answers_in_order_under_every_fault(void)
{
    uint64_t quiet_failed = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options;
        uint64_t hash;

        sim_options_draw(&options, seed);
        hash = run_once(&options, &quiet_failed);
        if (seed % 10 == 0) EXPECT(run_once(&options, &quiet_failed) == hash);
    }
    EXPECT(quiet_failed > 100); /* That path was taken. */
}

int main(void)
{
    TEST(test_serve_answers_in_order_under_every_fault);
    return 0;
}
