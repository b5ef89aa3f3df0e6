/* That the simulator catches a caller who breaks a rule: each row breaks one in a forked child,
 * which must die with the right words. */
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_peer.h"
#include "tests/test.h"

enum { PORT = 8080 };

static const char request_text[] = "GET / HTTP/1.1\r\nHost: sim\r\n\r\n";

/* A plain machine with one connection on socket 0. */
struct bench {
    struct sim *sim;
    struct sockaddr_in address;
    struct ring *ring;
};

static struct ring_event next_event(struct bench *bench)
{
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};
    struct ring_event event;

    for (;;) {
        ring_wait(bench->ring, &wait);
        if (ring_reap(bench->ring, &event, 1) == 1) return event;
        EXPECT(sim_advance(bench->sim));
    }
}

static void start_connect(struct bench *bench, uint32_t sock)
{
    EXPECT(ring_sock_open(bench->ring, sock, AF_INET, NULL, 0) == 0);
    ring_connect(bench->ring, sock, (const struct sockaddr *)&bench->address,
                 sizeof(bench->address), 1);
}

static struct ring_event receive(struct bench *bench)
{
    ring_recv(bench->ring, 0, RING_SMALL, 2);
    ring_send(bench->ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
    return next_event(bench);
}

static void let_time_pass(struct bench *bench)
{
    struct ring_wait wait = {.timeout_ns = NS_PER_S};

    ring_wait(bench->ring, &wait);
    EXPECT(sim_advance(bench->sim));
}

/* --- Breaches ------------------------------------------------------------------------------ */

static void second_receive(struct bench *bench)
{
    ring_recv(bench->ring, 0, RING_SMALL, 2);
    ring_recv(bench->ring, 0, RING_SMALL, 3);
}

static void receive_while_it_goes_on(struct bench *bench)
{
    struct ring_event event = receive(bench);

    EXPECT((event.flags & RING_MORE) != 0);
    ring_recv(bench->ring, 0, RING_SMALL, 2);
}

static void drain_while_it_receives(struct bench *bench)
{
    ring_recv_once(bench->ring, 0, RING_SMALL, 2);
    ring_drain(bench->ring, 0, NULL, 1, 3);
}

/* Only a body is made of the letters a to z. */
static void drain_of_a_head(struct bench *bench)
{
    ring_drain(bench->ring, 0, NULL, 1000, 2);
    ring_send(bench->ring, 0, request_text, sizeof(request_text) - 1, RING_SEND_QUIET, 3);
    (void)next_event(bench);
}

static void second_loud_send(struct bench *bench)
{
    ring_send(bench->ring, 0, request_text, 4, 0, 2);
    ring_send(bench->ring, 0, request_text + 4, 4, 0, 3);
}

static void send_behind_a_held_quiet_one(struct bench *bench)
{
    struct sim_faults faults = {.quiet_hold = 1};

    sim_faults_set(bench->sim, &faults);
    ring_send(bench->ring, 0, request_text, 4, RING_SEND_QUIET, 2);
    ring_send(bench->ring, 0, request_text + 4, 4, RING_SEND_QUIET, 3);
    let_time_pass(bench);
}

static void loud_bytes_change(struct bench *bench)
{
    static char bytes[] = "GET / HTTP/1.1\r\n";
    struct ring_wait wait = {.timeout_ns = NS_PER_S};

    ring_send(bench->ring, 0, bytes, sizeof(bytes) - 1, 0, 2);
    ring_wait(bench->ring, &wait); /* Taken, and posted, but not reaped. */
    bytes[0] = 'P';
    (void)next_event(bench);
}

static void queued_bytes_change(struct bench *bench)
{
    static char bytes[] = "GET / HTTP/1.1\r\n";

    ring_send(bench->ring, 0, bytes, sizeof(bytes) - 1, 0, 2);
    bytes[0] = 'P';
    let_time_pass(bench);
}

static void held_quiet_bytes_change(struct bench *bench)
{
    static char bytes[] = "GET / HTTP/1.1\r\nHost: sim\r\n\r\n";
    struct sim_faults faults = {.quiet_hold = 1};
    struct sim_faults none = {0};

    sim_faults_set(bench->sim, &faults);
    ring_send(bench->ring, 0, bytes, sizeof(bytes) - 1, RING_SEND_QUIET, 2);
    let_time_pass(bench);
    sim_faults_set(bench->sim, &none);
    bytes[0] = 'P';
    for (int i = 0; i < 10; i++) {
        let_time_pass(bench);
    }
}

static void quiet_bytes_change_later(struct bench *bench)
{
    static char bytes[] = "GET / HTTP/1.1\r\nHost: sim\r\n\r\n";

    ring_send(bench->ring, 0, bytes, sizeof(bytes) - 1, RING_SEND_QUIET, 2);
    for (int i = 0; i < 10; i++) {
        let_time_pass(bench);
    }
    bytes[0] = 'P';
    ring_close(bench->ring);
}

static void address_changes(struct bench *bench)
{
    start_connect(bench, 1);
    bench->address.sin_port = htons(1);
    (void)next_event(bench);
}

static void close_with_a_receive(struct bench *bench)
{
    ring_recv(bench->ring, 0, RING_SMALL, 2);
    let_time_pass(bench);
    ring_close_sock(bench->ring, 0, 3);
}

static void close_before_the_cancelled_one_ends(struct bench *bench)
{
    struct ring_event event;

    ring_recv(bench->ring, 0, RING_SMALL, 2);
    ring_cancel(bench->ring, 0, 3);
    do {
        event = next_event(bench);
    } while (event.user_data == 2 && (event.flags & RING_MORE) != 0);
    /* One of the two is still to come; a caller may not tell which by luck. */
    if (event.user_data == 2) ring_recv(bench->ring, 0, RING_SMALL, 2);
    ring_close_sock(bench->ring, 0, 4);
}

static void close_with_a_loud_send(struct bench *bench)
{
    ring_send(bench->ring, 0, request_text, 4, 0, 2);
    ring_close_sock(bench->ring, 0, 3);
}

static void close_with_a_connect(struct bench *bench)
{
    start_connect(bench, 1);
    ring_close_sock(bench->ring, 1, 3);
}

static void send_after_close(struct bench *bench)
{
    ring_close_sock(bench->ring, 0, 2);
    ring_send(bench->ring, 0, request_text, 4, 0, 3);
}

static void reuse_before_close_completed(struct bench *bench)
{
    struct ring_wait wait = {.timeout_ns = NS_PER_S};

    ring_close_sock(bench->ring, 0, 2);
    ring_wait(bench->ring, &wait); /* The event is there, but not reaped. */
    EXPECT(ring_sock_open(bench->ring, 0, AF_INET, NULL, 0) == 0);
}

static void buffer_returned_twice(struct bench *bench)
{
    struct ring_event event = receive(bench);

    ring_buffer_return(bench->ring, &event);
    ring_buffer_return(bench->ring, &event);
}

static void buffer_made_up(struct bench *bench)
{
    struct ring_event event = receive(bench);

    event.buffer_id ^= 1;
    ring_buffer_return(bench->ring, &event);
}

static void buffer_written_after_return(struct bench *bench)
{
    struct ring_event event = receive(bench);
    char *bytes;

    memcpy(&bytes, &event.data, sizeof(bytes));
    ring_buffer_return(bench->ring, &event);
    bytes[3] = '!';
    for (int i = 0; i < 8; i++) {
        event = next_event(bench);
        if ((event.flags & RING_BUFFER) != 0) ring_buffer_return(bench->ring, &event);
        if ((event.flags & RING_MORE) == 0) ring_recv(bench->ring, 0, RING_SMALL, 2);
    }
}

static void buffer_never_returned(struct bench *bench)
{
    (void)receive(bench);
    ring_close(bench->ring);
}

static void cap_broken(struct bench *bench)
{
    start_connect(bench, 1);
    start_connect(bench, 2);
}

static void cap_broken_by_one_that_closes(struct bench *bench)
{
    struct ring_wait wait = {.timeout_ns = NS_PER_S};

    start_connect(bench, 1);
    EXPECT(next_event(bench).res == 0);
    ring_close_sock(bench->ring, 0, 2);
    ring_wait(bench->ring, &wait);
    start_connect(bench, 2);
}

static void empty_socket(struct bench *bench)
{
    ring_recv(bench->ring, 5, RING_SMALL, 2);
}

static void socket_outside(struct bench *bench)
{
    EXPECT(ring_sock_open(bench->ring, 8, AF_INET, NULL, 0) == 0);
}

static void connect_twice(struct bench *bench)
{
    ring_connect(bench->ring, 0, (const struct sockaddr *)&bench->address, sizeof(bench->address),
                 2);
}

static void loop_that_blocks(struct bench *bench)
{
    struct ring_wait wait = {.timeout_ns = NS_PER_S};
    struct ring_event event;

    ring_recv(bench->ring, 0, RING_SMALL, 2);
    do {
        ring_wait(bench->ring, &wait);
    } while (ring_reap(bench->ring, &event, 1) == 0);
}

static void ring_left_open(struct bench *bench)
{
    sim_free(bench->sim);
}

static void ring_used_when_closed(struct bench *bench)
{
    ring_close(bench->ring);
    ring_recv(bench->ring, 0, RING_SMALL, 2);
}

static void closed_in_flight(struct bench *bench)
{
    ring_recv(bench->ring, 0, RING_SMALL, 2);
    ring_close(bench->ring);
}

static void nobody_waits(struct bench *bench)
{
    while (sim_advance(bench->sim)) {
    }
}

static void send_text(struct bench *bench, const char *text)
{
    ring_send(bench->ring, 0, text, strlen(text), RING_SEND_QUIET, 2);
    for (int i = 0; i < 10; i++) {
        let_time_pass(bench);
    }
}

static void request_without_host(struct bench *bench)
{
    send_text(bench, "GET / HTTP/1.1\r\n\r\n");
}

static void request_with_bare_lf(struct bench *bench)
{
    send_text(bench, "GET / HTTP/1.1\nHost: sim\r\n\r\n");
}

static void request_mixed_up(struct bench *bench)
{
    send_text(bench, "GET / HTTP/1.1\r\nHost: GET / HTTP/1.1\r\nHost: sim\r\n\r\n");
}

/* --- Children ------------------------------------------------------------------------------ */

/* Runs one breach; the child does not come back. */
_Noreturn static void run_breach(void (*breach)(struct bench *bench), int pipe_fd)
{
    struct ring_options ring_options = {.sq_entries = 16,
                                        .cq_entries = 32,
                                        .socks_count = 8,
                                        .accept_from = 8,
                                        .buffer_bytes = {16, 0},
                                        .buffers_count = {4, 0}};
    struct rlimit no_core = {0};
    struct sim_behaviour behaviour = {0};
    struct sim_options options;
    struct bench bench;

    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (dup2(pipe_fd, STDERR_FILENO) < 0) _exit(3);
    sim_options_plain(&options, 4711);
    options.connections_max = 2;
    options.strict_drain = true;
    options.strict_close = breach == closed_in_flight;
    bench.sim = sim_new(&options);
    (void)sim_peer_new_local(bench.sim, PORT, &behaviour, &bench.address);
    EXPECT(ring_open(&bench.ring, &ring_options, NULL) == ERR_OK);
    start_connect(&bench, 0);
    EXPECT(next_event(&bench).res == 0);
    breach(&bench);
    _exit(0);
}

/* What the child said before it died; false if it lived. */
static bool child_dies(void (*breach)(struct bench *bench), char *ret_words, size_t words_max)
{
    int fds[2];
    size_t len = 0;
    ssize_t got = 0;
    int status = 0;
    pid_t pid;

    EXPECT(pipe(fds) == 0);
    (void)fflush(NULL);
    pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        run_breach(breach, fds[1]);
    }
    (void)close(fds[1]);
    do {
        len += (size_t)got;
        got = read(fds[0], ret_words + len, words_max - 1 - len);
    } while (got > 0);
    ret_words[len] = '\0';
    (void)close(fds[0]);
    EXPECT(waitpid(pid, &status, 0) == pid);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_sim_catches_each_broken_rule(void)
{
    static const struct {
        void (*breach)(struct bench *bench);
        const char *words;
    } rows[] = {
        {second_receive, "rule 1: a second receive"},
        {receive_while_it_goes_on, "rule 1: a second receive"},
        {drain_while_it_receives, "rule 1: a second receive"},
        {drain_of_a_head, "a drain took byte 72, which is of no body"},
        {second_loud_send, "rule 1: a second send"},
        {send_behind_a_held_quiet_one, "bytes of a quiet send are in flight"},
        {loud_bytes_change, "rule 2: the bytes of a send"},
        {queued_bytes_change, "rule 2: the bytes of a send"},
        {held_quiet_bytes_change, "rule 2: the bytes of a quiet send"},
        {quiet_bytes_change_later, "rule 2: the bytes of a quiet send"},
        {address_changes, "the address of a connect"},
        {close_with_a_receive, "rule 4: socket 0 of ring 0 is closed with a receive in flight"},
        {close_before_the_cancelled_one_ends, "is closed with a receive in flight"},
        {close_with_a_loud_send, "is closed with a send in flight"},
        {close_with_a_connect, "is closed with a connect in flight"},
        {send_after_close, "rule 4: send on socket 0 of ring 0 after ring_close_sock()"},
        {reuse_before_close_completed, "used again before its close completed"},
        {buffer_returned_twice, "is not lent"},
        {buffer_made_up, "that does not exist was returned"},
        {buffer_written_after_return, "was written at byte 3 after its return"},
        {buffer_never_returned, "was not returned before ring_close()"},
        {cap_broken, "the cap is broken: 3 connections of at most 2"},
        {cap_broken_by_one_that_closes, "the cap is broken"},
        {empty_socket, "which is empty"},
        {socket_outside, "outside its table"},
        {connect_twice, "which is connected"},
        {loop_that_blocks, "a loop that blocks or spins"},
        {ring_left_open, "ring 0 was never closed"},
        {ring_used_when_closed, "ring 0, which is closed"},
        {closed_in_flight, "ring 0 was closed with 1 operations in flight"},
        {nobody_waits, "can go on and nobody lets it"},
        {request_without_host, "not exactly one Host"},
        {request_with_bare_lf, "a line end that is not CR LF"},
        {request_mixed_up, "malformed request"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static char words[65536];
        bool dies = child_dies(rows[i].breach, words, sizeof(words));
        /* The address sanitizer sees a touch of a returned buffer before the simulator does. */
        bool right = strstr(words, rows[i].words) != NULL ||
                     (rows[i].breach == buffer_written_after_return &&
                      strstr(words, "use-after-poison") != NULL);

        if (!dies || !right) {
            (void)fprintf(stderr, "\"%s\": the child %s: %.300s\n", rows[i].words,
                          dies ? "said" : "lived and said", words);
        }
        EXPECT(dies);
        EXPECT(right);
        if (strstr(words, "use-after-poison") == NULL) {
            EXPECT(strstr(words, "sim: seed 4711") != NULL);
        }
    }
}

int main(void)
{
    TEST(test_sim_catches_each_broken_rule);
    return 0;
}
