/* How ciphertext gets from a socket through OpenSSL, and back. There are three ways:
 *
 *   own BIO     tls_session, as the program has it: recv(2) into a buffer, which OpenSSL reads;
 *   memory BIO  recv(2) into the same buffer, BIO_write() into a BIO_s_mem(), SSL_read();
 *   socket BIO  SSL_set_fd(): SSL_read() receives for itself, a record's head, then its rest.
 *
 * Each has a connection of its own over the loopback, with the settings of one context, to a
 * server's end that is the same for all. A trip is a request and its response. Of it counts either
 * what the client does to write the request, or what it does to read the response; what the
 * server's end does is not in the figures, and the client begins to read when all that was pushed
 * is there. So the clock is read once for each request, once for each PUSH_BYTES of a response,
 * and that is in the figures of all. The length of a response is known: none asks the kernel or
 * OpenSSL once more to learn that nothing is left.
 *
 * In the program io_uring receives and sends: a system call serves many connections, and the own
 * BIO is what allows it. That is not seen here, where each pays its own system calls. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "tls/tls_impl.h"

enum {
    REQUEST_BYTES = 100,
    /* Receive buffers as in core/worker_open.c: small ones for bodies up to SMALL_BODY_MAX. */
    SMALL_BUFFER_BYTES = 4096,
    SMALL_BODY_MAX = 3072,
    LARGE_BUFFER_BYTES = 32 * 1024,
    PUSH_RECORDS = 8, /* Put into the socket at once: four large buffers. */
    PUSH_BYTES = PUSH_RECORDS * TLS_PLAIN_BYTES,
    OUT_BYTES = (PUSH_RECORDS + 1) * (TLS_PLAIN_BYTES + TLS_OVERHEAD_BYTES),
    SOCKET_BYTES = 208 * 1024, /* Of its buffers: what any kernel grants. */
    WAIT_MS = 10000,           /* For what must come at once. */
    SHAKE_STEPS_MAX = 1000,
};

enum way { WAY_OWN, WAY_MEMORY, WAY_SOCKET, WAYS };

/* An end that has a session of ours. */
struct end {
    int fd;
    struct tls_session session;
};

struct client {
    enum way way;
    struct end end; /* The session of WAY_OWN alone. */
    SSL *ssl;       /* Of the others. */
    BIO *in, *out;  /* WAY_MEMORY; of `ssl`. */
    struct end server;
};

struct world {
    struct arena arena;
    struct tls_ctx *client_ctx, *server_ctx;
    struct tls_target *target;
    struct client clients[WAYS];
    char *received; /* [LARGE_BUFFER_BYTES] */
    char *plain;    /* [TLS_PLAIN_BYTES]: what was read. */
    char *out;      /* [OUT_BYTES]: ciphertext to be sent. */
    char *body;     /* [PUSH_BYTES]: what the server says. */
};

/* What a rival does. */
struct trips {
    struct world *world;
    struct client *client;
    size_t response_bytes;
    bool reads; /* Reading the response counts; else writing the request. */
};

static struct tls_out out_of(const struct world *w)
{
    return (struct tls_out){.data = w->out, .size = OUT_BYTES};
}

/* As tls_session does it before each call. */
static void clear_errors(void)
{
    if (unlikely(ERR_peek_error() != 0)) ERR_clear_error();
}

/* ---- Sockets: not blocking, as in every event loop. */

static void await(int fd, short events)
{
    struct pollfd wanted = {.fd = fd, .events = events};

    CHECK(poll(&wanted, 1, WAIT_MS) == 1);
}

/* Waits until so many bytes can be received. */
static void await_bytes(int fd, size_t count)
{
    uint64_t deadline_ns = clock_now_ns() + WAIT_MS * NS_PER_MS;
    int ready;

    do {
        CHECK(ioctl(fd, FIONREAD, &ready) == 0);
        CHECK(clock_now_ns() < deadline_ns);
    } while ((size_t)ready < count);
}

static size_t receive(int fd, char *buffer, size_t size)
{
    ssize_t n = recv(fd, buffer, size, 0);

    CHECK(n > 0);
    return (size_t)n;
}

static void send_at_once(int fd, const char *data, size_t len)
{
    CHECK(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        CHECK(n > 0 || (n < 0 && errno == EAGAIN));
        if (n < 0) {
            await(fd, POLLOUT);
            continue;
        }
        data += n;
        len -= (size_t)n;
    }
}

/* No pacing and no waiting for more; room for all that is pushed. */
static void set_socket(int fd)
{
    static const char congestion[] = "reno";
    int on = 1, size = SOCKET_BYTES;

    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, sizeof(congestion) - 1) == 0);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
}

/* A connection over the loopback. */
static void open_sockets(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *name = (struct sockaddr *)&address;
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    client->end.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && client->end.fd >= 0);
    set_socket(listener); /* What is accepted has its settings. */
    set_socket(client->end.fd);
    CHECK(bind(listener, name, len) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, name, &len) == 0);
    CHECK(connect(client->end.fd, name, len) == 0);
    client->server.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(client->server.fd >= 0);
    CHECK(ioctl(client->end.fd, FIONBIO, &on) == 0);
    CHECK(close(listener) == 0);
}

/* ---- Handshakes. */

/* What has come, if anything has. */
static size_t receive_some(struct world *w, int fd)
{
    ssize_t n = recv(fd, w->received, LARGE_BUFFER_BYTES, 0);

    CHECK(n > 0 || (n < 0 && errno == EAGAIN));
    return n > 0 ? (size_t)n : 0;
}

/* One step of a session of ours: true once it is done. */
static bool shake_end(struct world *w, struct end *end)
{
    struct tls_out out = out_of(w);
    enum tls_result result;

    tls_feed(&end->session, w->received, receive_some(w, end->fd));
    result = tls_handshake(&end->session, &out);
    CHECK(result == TLS_DONE || result == TLS_MORE);
    CHECK(end->session.spill == NULL && end->session.in_len == 0);
    send_all(end->fd, out.data, out.len);
    return result == TLS_DONE;
}

/* The same where OpenSSL has a BIO of its own. */
static bool shake_ssl(struct world *w, struct client *client)
{
    int rc, len;

    if (client->way == WAY_MEMORY) {
        len = (int)receive_some(w, client->end.fd);
        CHECK(len == 0 || BIO_write(client->in, w->received, len) == len);
    }
    clear_errors();
    rc = SSL_do_handshake(client->ssl);
    CHECK(rc == 1 || SSL_get_error(client->ssl, rc) == SSL_ERROR_WANT_READ);
    if (client->way == WAY_MEMORY && BIO_ctrl_pending(client->out) > 0) {
        len = BIO_read(client->out, w->out, OUT_BYTES);
        CHECK(len > 0 && BIO_ctrl_pending(client->out) == 0);
        send_all(client->end.fd, w->out, (size_t)len);
    }
    return rc == 1;
}

static void shake(struct world *w, struct client *client)
{
    bool client_done = false, server_done = false;

    for (int i = 0; i < SHAKE_STEPS_MAX && !(client_done && server_done); i++) {
        if (!client_done) {
            client_done =
                client->way == WAY_OWN ? shake_end(w, &client->end) : shake_ssl(w, client);
            await(client->server.fd, POLLIN);
        }
        server_done = server_done || shake_end(w, &client->server);
        if (!client_done) await(client->end.fd, POLLIN);
    }
    CHECK(client_done && server_done);
}

/* A client of the same context as tls_connect() makes, but for its BIO. */
static void open_ssl(struct world *w, struct client *client)
{
    client->ssl = SSL_new(w->client_ctx->ssl_ctx);
    CHECK(client->ssl != NULL);
    SSL_set_connect_state(client->ssl);
    if (client->way == WAY_SOCKET) {
        CHECK(SSL_set_fd(client->ssl, client->end.fd) == 1);
        return;
    }
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    CHECK(client->in != NULL && client->out != NULL);
    SSL_set_bio(client->ssl, client->in, client->out);
}

static void open_client(struct world *w, enum way way)
{
    struct client *client = &w->clients[way];
    struct tls_facts facts;

    client->way = way;
    open_sockets(client);
    CHECK(tls_accept(&client->server.session, w->server_ctx));
    if (way == WAY_OWN) {
        CHECK(tls_connect(&client->end.session, w->target));
    } else {
        open_ssl(w, client);
    }
    shake(w, client);
    facts = tls_facts(&client->server.session);
    CHECK(strcmp(facts.version, "TLSv1.3") == 0);
    CHECK(strcmp(facts.cipher, "TLS_AES_256_GCM_SHA384") == 0);
    CHECK(strcasecmp(facts.group, "X25519") == 0);
}

static void close_client(struct client *client)
{
    tls_close(&client->end.session);
    tls_close(&client->server.session);
    SSL_free(client->ssl);
    CHECK(close(client->end.fd) == 0 && close(client->server.fd) == 0);
}

/* ---- What counts: the client's part. */

static void write_own(struct world *w, struct client *client)
{
    struct tls_out out = out_of(w);
    size_t used;

    CHECK(tls_write(&client->end.session, &out, w->body, REQUEST_BYTES, &used) == TLS_DONE);
    CHECK(used == REQUEST_BYTES);
    send_at_once(client->end.fd, out.data, out.len);
}

static void write_ssl(struct world *w, struct client *client)
{
    size_t used;
    int len;

    clear_errors();
    CHECK(SSL_write_ex(client->ssl, w->body, REQUEST_BYTES, &used) == 1);
    CHECK(used == REQUEST_BYTES);
    if (client->way == WAY_SOCKET) return;
    len = BIO_read(client->out, w->out, OUT_BYTES);
    CHECK(len > 0);
    send_at_once(client->end.fd, w->out, (size_t)len);
}

/* Reads `len` bytes of plaintext, which are there, with receives of at most `size` bytes. */
static void read_own(struct world *w, struct client *client, size_t len, size_t size)
{
    struct tls_session *session = &client->end.session;
    struct tls_out out = out_of(w);
    size_t done = 0, part;

    while (done < len) {
        enum tls_result result;

        tls_feed(session, w->received, receive(client->end.fd, w->received, size));
        do {
            result = tls_read(session, &out, w->plain, TLS_PLAIN_BYTES, &part);
            done += part;
        } while (result == TLS_DONE);
        CHECK(result == TLS_MORE);
    }
    CHECK(done == len && out.len == 0);
}

/* Reads from a record, if it is whole; else 0. */
static size_t read_ssl(struct world *w, struct client *client)
{
    size_t part = 0;
    int rc;

    clear_errors();
    rc = SSL_read_ex(client->ssl, w->plain, TLS_PLAIN_BYTES, &part);
    CHECK(rc == 1 || SSL_get_error(client->ssl, rc) == SSL_ERROR_WANT_READ);
    return part;
}

static void read_memory(struct world *w, struct client *client, size_t len, size_t size)
{
    size_t done = 0;

    while (done < len) {
        size_t n = receive(client->end.fd, w->received, size), part = 1;

        CHECK(BIO_write(client->in, w->received, (int)n) == (int)n);
        while (part > 0 && (BIO_ctrl_pending(client->in) > 0 || SSL_pending(client->ssl) > 0)) {
            part = read_ssl(w, client);
            done += part;
        }
    }
    CHECK(done == len);
}

static void read_socket(struct world *w, struct client *client, size_t len)
{
    for (size_t done = 0, part; done < len; done += part) {
        part = read_ssl(w, client);
        CHECK(part > 0 && part <= len - done);
    }
}

static uint64_t write_request(struct world *w, struct client *client)
{
    uint64_t begin_ns = clock_now_ns();

    if (client->way == WAY_OWN) {
        write_own(w, client);
    } else {
        write_ssl(w, client);
    }
    return clock_now_ns() - begin_ns;
}

static uint64_t read_response(struct world *w, struct client *client, size_t len, size_t size)
{
    uint64_t begin_ns = clock_now_ns();

    switch (client->way) {
    case WAY_OWN: read_own(w, client, len, size); break;
    case WAY_MEMORY: read_memory(w, client, len, size); break;
    case WAY_SOCKET: read_socket(w, client, len); break;
    case WAYS: UNREACHABLE("no way");
    }
    return clock_now_ns() - begin_ns;
}

/* ---- What does not: the server's end. */

static void take_request(struct world *w, struct end *server)
{
    struct tls_out out = out_of(w);
    size_t done = 0, part;

    while (done < REQUEST_BYTES) {
        await(server->fd, POLLIN);
        tls_feed(&server->session, w->received, receive_some(w, server->fd));
        while (tls_read(&server->session, &out, w->plain, TLS_PLAIN_BYTES, &part) == TLS_DONE) {
            done += part;
        }
        CHECK(!server->session.failed);
    }
    CHECK(done == REQUEST_BYTES && out.len == 0);
}

/* Sends so much of the response, and waits until the client can receive all of it. */
static void push(struct world *w, struct client *client, size_t len)
{
    struct tls_out out = out_of(w);
    size_t used;

    CHECK(tls_write(&client->server.session, &out, w->body, len, &used) == TLS_DONE);
    CHECK(used == len);
    send_all(client->server.fd, out.data, out.len);
    await_bytes(client->end.fd, out.len);
}

static uint64_t run_trips(void *state, uint64_t iterations)
{
    const struct trips *trips = state;
    struct world *w = trips->world;
    struct client *client = trips->client;
    size_t size = trips->response_bytes > SMALL_BODY_MAX ? LARGE_BUFFER_BYTES : SMALL_BUFFER_BYTES;
    uint64_t written_ns = 0, read_ns = 0;

    for (uint64_t i = 0; i < iterations; i++) {
        written_ns += write_request(w, client);
        take_request(w, &client->server);
        for (size_t left = trips->response_bytes; left > 0;) {
            size_t len = left < PUSH_BYTES ? left : PUSH_BYTES;

            push(w, client, len);
            read_ns += read_response(w, client, len, size);
            left -= len;
        }
    }
    return trips->reads ? read_ns : written_ns;
}

static void open_world(struct world *w)
{
    struct tls_identity identity;
    struct tls_options server = {.server = true,
                                 .identity = &identity,
                                 .version_min = TLS_1_3,
                                 .seclevel = TLS_SECLEVEL_UNTOUCHED,
                                 .resume = TLS_RESUME_FULL};
    struct tls_options client = {.insecure = true,
                                 .version_min = TLS_1_3,
                                 .groups = "X25519",
                                 .seclevel = TLS_SECLEVEL_UNTOUCHED,
                                 .resume = TLS_RESUME_FULL,
                                 .write_max = REQUEST_BYTES};
    struct err_info why;

    arena_init(&w->arena, 0);
    CHECK(tls_identity_make(&identity, &why) == ERR_OK);
    CHECK(tls_ctx_new(&w->server_ctx, &w->arena, &server, &why) == ERR_OK);
    CHECK(tls_ctx_new(&w->client_ctx, &w->arena, &client, &why) == ERR_OK);
    CHECK(tls_target_new(&w->target, w->client_ctx, "localhost", NULL, &why) == ERR_OK);
    w->received = arena_alloc(&w->arena, LARGE_BUFFER_BYTES, CACHE_LINE);
    w->plain = arena_alloc(&w->arena, TLS_PLAIN_BYTES, CACHE_LINE);
    w->out = arena_alloc(&w->arena, OUT_BYTES, CACHE_LINE);
    w->body = arena_alloc(&w->arena, PUSH_BYTES, CACHE_LINE);
    CHECK(w->received != NULL && w->plain != NULL && w->out != NULL && w->body != NULL);
    memset(w->body, 'x', PUSH_BYTES);
    for (int way = 0; way < WAYS; way++) {
        open_client(w, (enum way)way);
    }
}

static void close_world(struct world *w)
{
    for (int way = 0; way < WAYS; way++) {
        close_client(&w->clients[way]);
    }
    tls_ctx_free(w->client_ctx);
    tls_ctx_free(w->server_ctx);
    arena_release(&w->arena);
}

int main(void)
{
    static const struct {
        const char *names[WAYS];
        uint32_t response_bytes;
        bool reads;
    } rows[] = {
        {{"tls read 100 B, own BIO", "tls read 100 B, memory BIO", "tls read 100 B, socket BIO"},
         100,
         true},
        {{"tls read 16 KiB, own BIO", "tls read 16 KiB, memory BIO", "tls read 16 KiB, socket BIO"},
         16 * 1024,
         true},
        {{"tls read 1 MiB, own BIO", "tls read 1 MiB, memory BIO", "tls read 1 MiB, socket BIO"},
         1024 * 1024,
         true},
        {{"tls write 100 B, own BIO", "tls write 100 B, memory BIO", "tls write 100 B, socket BIO"},
         100,
         false},
    };
    struct world world = {0};

    open_world(&world);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench_rival rivals[WAYS];
        struct trips trips[WAYS];
        uint32_t bytes = rows[i].response_bytes;

        for (int way = 0; way < WAYS; way++) {
            trips[way] = (struct trips){.world = &world,
                                        .client = &world.clients[way],
                                        .response_bytes = bytes,
                                        .reads = rows[i].reads};
            rivals[way] = (struct bench_rival){
                .name = rows[i].names[way], .run = run_trips, .state = &trips[way]};
        }
        bench_run_beside(rivals, WAYS, bytes > SMALL_BODY_MAX ? bytes : 0);
    }
    close_world(&world);
    return 0;
}
