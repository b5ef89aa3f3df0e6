/* The loop of a serving thread: wait, reap, hand each completion to its connection. No system
 * call but the ring's, no allocation once it serves. */
#include "core/serve_thread.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/serve_tls.h"
#include "io/cpu.h"

enum {
    SOCKS_MAX = SERVE_CONNECTIONS_MAX + SERVE_CONN_FIRST,
    SOCKS_MIN = 64,
    SQ_ENTRIES = 1024,
    CQ_ENTRIES_MIN = 4096,
    BUFFERS = 1024,
    BUFFER_BYTES = 2048,
    EVENTS = 128,         /* Completions taken at a time. */
    REAPS_PER_TURN = 32,  /* And no more often, before the timers have their turn. */
    ACCEPT_AGAIN_MS = 10, /* After an accept that failed, for want of descriptors or slots. */
    STOP_POLL_MS = 20,    /* How often a frozen thread looks whether it shall stop. */
};

static void start_accept(struct serve_thread *thread)
{
    ring_accept(thread->ring, SERVE_LISTENER,
                serve_user_data(thread, SERVE_OP_ACCEPT, &thread->conns[SERVE_LISTENER]));
}

static void on_accept(struct serve_thread *thread, const struct ring_event *event)
{
    bool more = (event->flags & RING_MORE) != 0;

    if (event->res >= 0) {
        CHECK((uint32_t)event->res >= SERVE_CONN_FIRST);
        CHECK((uint32_t)event->res < thread->socks_count);
        thread->totals.connections++;
        serve_conn_accepted(thread, &thread->conns[event->res]);
        if (!more) start_accept(thread);
    } else if (!more && !timer_is_armed(&thread->accept_timer)) {
        timers_set(&thread->timers, &thread->accept_timer,
                   thread->batch_ns + ACCEPT_AGAIN_MS * NS_PER_MS);
    }
}

/* The hot path: one request with the bytes of the last one, from a client that waits for its
 * answers. All that is not exactly that goes the long way. */
static inline void on_recv(struct serve_thread *thread, struct serve_conn *c,
                           const struct ring_event *event)
{
    struct serve_reply *reply = thread->same_reply;

    if (thread->tls != NULL) {
        serve_tls_received(thread, c, event);
    } else if (likely(event->res > 0 && (uint32_t)event->res == thread->same_len &&
                      (event->flags & RING_MORE) && c->state == SERVE_CONN_READY && c->in == NULL &&
                      !c->eof && c->quiet_batch != thread->batch &&
                      memcmp(event->data, thread->same, thread->same_len) == 0)) {
        serve_conn_send_quiet(thread, c, reply, reply->len);
        thread->totals.requests++;
        thread->totals.status[reply->status]++;
    } else {
        serve_conn_received(thread, c, event);
    }
    if (event->flags & RING_BUFFER) ring_buffer_return(thread->ring, event);
}

static void on_sent(struct serve_thread *thread, struct serve_conn *c, int res)
{
    if (thread->tls != NULL) {
        serve_tls_sent(thread, c, res);
    } else {
        serve_conn_sent(thread, c, res);
    }
}

static void on_event(struct serve_thread *thread, const struct ring_event *event)
{
    uint32_t sock = (uint32_t)event->user_data;
    struct serve_conn *c = &thread->conns[sock];

    DCHECK(sock < thread->socks_count);
    if (unlikely((event->user_data >> 32 & SERVE_GENERATION_MASK) != c->generation)) {
        CHECK(event->user_data >> 56 == SERVE_OP_QUIET);
        return;
    }
    switch ((enum serve_op)(event->user_data >> 56)) {
    case SERVE_OP_RECV: on_recv(thread, c, event); return;
    case SERVE_OP_SEND: on_sent(thread, c, event->res); return;
    case SERVE_OP_ACCEPT: on_accept(thread, event); return;
    case SERVE_OP_QUIET: serve_conn_quiet_failed(thread, c, event->res); return;
    case SERVE_OP_CANCEL: serve_conn_cancelled(thread, c); return;
    case SERVE_OP_CLOSE: serve_conn_closed(thread, c); return;
    }
    UNREACHABLE("a completion of this kind");
}

/* Once per second: Date. */
static void on_second(struct serve_thread *thread)
{
    uint64_t wall_ns = clock_wall_ns();

    serve_replies_set_time(&thread->replies, wall_ns);
    if (thread->same_len > 0) serve_reply_freshen(&thread->replies, thread->same_reply);
    thread->next_second_ns = thread->batch_ns + (NS_PER_S - wall_ns % NS_PER_S);
}

/* If the freeze is on, sleeps until it is over. It begins `freeze_at_ns` after the first request
 * that any thread has taken. */
static void freeze(struct serve_thread *thread)
{
    const struct serve_options *options = thread->shared->options;
    uint64_t first_ns = load_acquire(&thread->shared->first_ns);
    uint64_t from_ns = first_ns + options->freeze_at_ns;
    uint64_t to_ns = from_ns + options->freeze_ns;
    uint64_t now_ns = thread->batch_ns;

    if (first_ns == 0 || now_ns < from_ns) return;
    while (now_ns < to_ns && !load_relaxed(&thread->shared->stop)) {
        uint64_t until_ns = min_u64(to_ns, now_ns + STOP_POLL_MS * NS_PER_MS);
        struct timespec ts = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                              .tv_nsec = (long)(until_ns % NS_PER_S)};

        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
        now_ns = clock_now_ns();
    }
    thread->batch_ns = now_ns;
}

static void run_timers(struct serve_thread *thread)
{
    struct timer *timer;

    while ((timer = timers_take_due(&thread->timers, thread->batch_ns)) != NULL) {
        if (timer == &thread->accept_timer) {
            start_accept(thread);
        } else {
            serve_conn_timed(thread, container_of(timer, struct serve_conn, timer));
        }
    }
}

static void note_first_request(struct serve_thread *thread)
{
    uint64_t none = 0;

    (void)atomic_compare_exchange_strong_explicit(&thread->shared->first_ns, &none,
                                                  thread->batch_ns, memory_order_release,
                                                  memory_order_relaxed);
}

/* Stamps a batch: what has come is answered with this clock and this Date. */
static void begin_batch(struct serve_thread *thread)
{
    thread->batch++;
    thread->batch_ns = clock_now_ns();
    if (unlikely(thread->shared->options->freeze_ns > 0)) freeze(thread);
    if (unlikely(thread->batch_ns >= thread->next_second_ns)) on_second(thread);
}

void serve_thread_step(struct serve_thread *thread)
{
    uint64_t next_ns = timers_next_ns(&thread->timers);
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};
    struct ring_event events[EVENTS];
    uint32_t count, reaps = 0;

    if (next_ns != TIME_NEVER) {
        uint64_t now_ns = clock_now_ns();

        wait.timeout_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    }
    ring_wait(thread->ring, &wait);
    begin_batch(thread);
    do {
        count = ring_reap(thread->ring, events, EVENTS);
        for (uint32_t i = 0; i < count; i++) {
            on_event(thread, &events[i]);
        }
    } while (count == EVENTS && ++reaps < REAPS_PER_TURN);
    run_timers(thread);
    if (unlikely(thread->notes_first && thread->totals.requests > 0)) {
        note_first_request(thread);
        thread->notes_first = false;
    }
}

/* Opens the ring with as many sockets as the limits carry. */
static enum err open_ring(struct serve_thread *thread)
{
    uint64_t asked = thread->shared->options->connections_max;
    struct rlimit limit = {.rlim_cur = SOCKS_MAX};
    uint32_t socks = SOCKS_MAX;
    enum err err;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < socks) socks = (uint32_t)limit.rlim_cur;
    if (asked > 0 && asked < socks - SERVE_CONN_FIRST) socks = (uint32_t)asked + SERVE_CONN_FIRST;
    for (;;) {
        struct ring_options options = {
            .engine = thread->shared->options->engine,
            .sq_entries = SQ_ENTRIES,
            .cq_entries = (uint32_t)max_u64(2 * (uint64_t)socks, CQ_ENTRIES_MIN),
            .socks_count = socks,
            .accept_from = SERVE_CONN_FIRST,
            .buffer_bytes = {[RING_SMALL] = BUFFER_BYTES},
            .buffers_count = {[RING_SMALL] = BUFFERS},
        };

        err = ring_open(&thread->ring, &options, &thread->why);
        if (err != ERR_LIMIT || asked > 0 || socks / 2 < SOCKS_MIN) break;
        socks /= 2;
    }
    thread->socks_count = socks;
    return err;
}

static enum err reserve_memory(struct serve_thread *thread)
{
    const struct serve_options *options = thread->shared->options;
    struct arena *arena = &thread->arena;
    struct timer **heap;

    heap = arena_array(arena, (size_t)thread->socks_count + 1, sizeof(struct timer *));
    thread->conns = arena_array(arena, thread->socks_count, sizeof(struct serve_conn));
    if (heap == NULL || thread->conns == NULL ||
        !serve_pool_init(&thread->pool, arena, thread->socks_count) ||
        !serve_replies_init(&thread->replies, arena, thread->shared->pattern) ||
        !serve_log_init(&thread->log, arena, thread->shared->log_fd)) {
        return err_set(&thread->why, ERR_MEMORY, ENOMEM, "no memory for a thread of 'serve'");
    }
    if (options->log_ids != NULL) {
        thread->ids = arena_array(arena, thread->socks_count, SERVE_ID_MAX);
        if (thread->ids == NULL) {
            return err_set(&thread->why, ERR_MEMORY, ENOMEM, "no memory for the log of ids");
        }
    }
    if (options->tls) {
        enum err err = serve_tls_open(thread);

        if (err != ERR_OK) return err;
    }
    /* One timer per connection, and the listener's. */
    timers_init(&thread->timers, heap, thread->socks_count);
    arena_seal(arena);
    return ERR_OK;
}

static enum err start_listening(struct serve_thread *thread)
{
    struct sockaddr_storage address = {0};
    int rc;

    memcpy(&address, thread->shared->address, thread->shared->address_len);
    /* The port stands at the same place in both families. */
    ((struct sockaddr_in *)(void *)&address)->sin_port = htons(thread->port);
    rc = ring_listen(thread->ring, SERVE_LISTENER, (const struct sockaddr *)&address,
                     thread->shared->address_len, &thread->port);
    if (rc < 0) {
        return err_set(&thread->why, ERR_NETWORK, -rc, "cannot listen on '%s' port %u: %s",
                       thread->shared->options->bind, thread->port, err_errno_name(-rc));
    }
    return ERR_OK;
}

enum err serve_thread_open(struct serve_thread *thread)
{
    const struct serve_options *options = thread->shared->options;
    uint32_t cpu;
    enum err err;

    if (options->cpus_count > 0) {
        cpu = options->cpus[thread->index % options->cpus_count];
        if (!cpu_pin(cpu)) {
            return err_set(&thread->why, ERR_USAGE, errno, "cannot run on processor %u", cpu);
        }
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* Delays end when they should. */
    arena_init(&thread->arena, 0);
    thread->shortcut = options->requests_max == 0 && !serve_delay_is_set(&options->delay);
    thread->notes_first = options->freeze_ns > 0;
    rng_init(&thread->rng, thread->index);
    err = open_ring(thread);
    if (err == ERR_OK) err = reserve_memory(thread);
    if (err == ERR_OK) err = start_listening(thread);
    if (err == ERR_OK) start_accept(thread);
    return err;
}

void serve_thread_close(struct serve_thread *thread)
{
    ring_close(thread->ring);
    thread->ring = NULL;
    serve_tls_close(thread);
}

void *serve_thread_main(void *arg)
{
    struct serve_thread *thread = arg;
    bool serves;

    thread->err = serve_thread_open(thread);
    serves = thread->err == ERR_OK;
    CHECK(sem_post(&thread->started) == 0);
    while (serves && !load_relaxed(&thread->shared->stop)) {
        serve_thread_step(thread);
    }
    while (sem_wait(&thread->leave) != 0) {
        CHECK(errno == EINTR);
    }
    serve_thread_close(thread);
    return NULL;
}
