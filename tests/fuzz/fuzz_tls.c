/* fuzz_tls: what a client session makes of a hostile server. The first byte chooses how the rest
 * gets to it: as the first thing the server says, as ciphertext after a good handshake, as damage
 * to the server's flight, or as plaintext in records of lengths that the input chooses. The session
 * must take all input, end by a name when it ends, and put out only what has room. */
#include "tests/fuzz/fuzz.h"
#include "tls/tls.h"

enum { BYTES_MAX = 1 << 20, MODES = 4 };

struct fuzz_tls {
    struct arena arena;
    struct tls_ctx *client_ctx, *server_ctx;
    struct tls_target *target;
    struct tls_session client, server;
    char to_client[BYTES_MAX], to_server[BYTES_MAX];
    size_t to_client_len, to_server_len;
    enum tls_result result;
};

static struct fuzz_tls *set_up(void)
{
    static struct fuzz_tls fuzz;
    struct tls_options client = {
        .insecure = true, .seclevel = -1, .alpn = "http/1.1", .sessions_max = 4};
    struct tls_options server = {.server = true, .seclevel = -1, .alpn = "http/1.1"};
    struct tls_identity identity;
    struct err_info why;

    if (fuzz.target != NULL) return &fuzz;
    arena_init(&fuzz.arena, 0);
    MUST(tls_identity_make(&identity, &why) == ERR_OK);
    server.identity = &identity;
    MUST(tls_ctx_new(&fuzz.client_ctx, &fuzz.arena, &client, &why) == ERR_OK);
    MUST(tls_ctx_new(&fuzz.server_ctx, &fuzz.arena, &server, &why) == ERR_OK);
    MUST(tls_target_new(&fuzz.target, fuzz.client_ctx, "localhost", NULL, &why) == ERR_OK);
    return &fuzz;
}

/* One call of the client, with little room for what it has to say. */
static void call_client(struct fuzz_tls *fuzz)
{
    struct tls_session *client = &fuzz->client;
    char room[700], plain[100];
    struct tls_out out = {.data = room, .size = sizeof(room)};
    size_t got = 0;

    if (client->established) {
        fuzz->result = tls_read(client, &out, plain, sizeof(plain), &got);
        MUST((fuzz->result == TLS_DONE) == (got > 0) && got <= sizeof(plain));
    } else {
        fuzz->result = tls_handshake(client, &out);
    }
    MUST(out.len <= out.size);
    MUST(fuzz->result != TLS_MORE || client->in_len == 0);
    MUST((fuzz->result == TLS_FAILED) == client->failed);
    MUST(!client->failed || (client->err < TLS_ERR_COUNT && client->detail != NULL));
    do {
        MUST(fuzz->to_server_len + out.len <= BYTES_MAX);
        memcpy(fuzz->to_server + fuzz->to_server_len, room, out.len);
        fuzz->to_server_len += out.len;
        out.len = 0;
    } while (!tls_flush(client, &out) || out.len > 0);
}

/* Feeds the client `len` bytes in pieces of `piece` at most, from memory that ends with them. */
static void feed_client(struct fuzz_tls *fuzz, const char *data, size_t len, size_t piece)
{
    while (len > 0 && fuzz->result != TLS_FAILED && fuzz->result != TLS_CLOSED) {
        size_t n = len < piece ? len : piece;
        char *copy = fuzz_copy(data, n);

        tls_feed(&fuzz->client, copy, n);
        do {
            call_client(fuzz);
        } while (fuzz->result == TLS_DONE);
        fuzz_free(copy);
        data += n;
        len -= n;
    }
}

/* Lets the server read what the client said, and keeps what it says. */
static void call_server(struct fuzz_tls *fuzz, const char *plain, size_t len)
{
    struct tls_session *server = &fuzz->server;
    struct tls_out out = {.data = fuzz->to_client, .len = fuzz->to_client_len, .size = BYTES_MAX};
    char read[1000];
    size_t got = 0, used = 0;

    if (server->failed) return;
    tls_feed(server, fuzz->to_server, fuzz->to_server_len);
    if (!server->established) (void)(tls_handshake(server, &out) == TLS_DONE);
    while (server->established && !server->failed &&
           tls_read(server, &out, read, sizeof(read), &got) == TLS_DONE) {
    }
    if (len > 0 && server->established && !server->failed) {
        MUST(tls_write(server, &out, plain, len, &used) == TLS_DONE && used == len);
    }
    fuzz->to_server_len = 0;
    fuzz->to_client_len = out.len;
}

static void shake_hands(struct fuzz_tls *fuzz)
{
    call_server(fuzz, NULL, 0);
    feed_client(fuzz, fuzz->to_client, fuzz->to_client_len, SIZE_MAX);
    fuzz->to_client_len = 0;
    MUST(fuzz->client.established);
    call_server(fuzz, NULL, 0);
    MUST(fuzz->server.established);
}

/* Each pair of bytes says how far to go and what to change there. */
static void damage(struct fuzz_tls *fuzz, const char *data, size_t len)
{
    size_t at = 0;

    call_server(fuzz, NULL, 0);
    for (size_t i = 0; i + 1 < len; i += 2) {
        at += (unsigned char)data[i];
        if (at < fuzz->to_client_len)
            fuzz->to_client[at] = (char)(fuzz->to_client[at] ^ data[i + 1]);
    }
    feed_client(fuzz, fuzz->to_client, fuzz->to_client_len, 1 + (len > 0 ? data[0] & 63 : 0));
}

/* Records whose lengths are the input's bytes, fed in pieces of the first one. */
static void say(struct fuzz_tls *fuzz, const char *data, size_t len)
{
    shake_hands(fuzz);
    for (size_t i = 0; i < len; i++) {
        size_t record = (unsigned char)data[i];

        call_server(fuzz, data, record < len ? record : len);
    }
    feed_client(fuzz, fuzz->to_client, fuzz->to_client_len,
                1 + (len > 0 ? (unsigned char)data[0] : 0));
    MUST(fuzz->result != TLS_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_tls *fuzz = set_up();
    const char *rest = (const char *)data + 1;

    if (len < 2) return 0;
    fuzz->to_client_len = fuzz->to_server_len = 0;
    fuzz->result = TLS_MORE;
    MUST(tls_connect(&fuzz->client, fuzz->target));
    MUST(tls_accept(&fuzz->server, fuzz->server_ctx));
    call_client(fuzz);
    switch (data[0] % MODES) {
    case 0: feed_client(fuzz, rest, len - 1, 1 + data[0] / MODES); break;
    case 1:
        shake_hands(fuzz);
        feed_client(fuzz, rest, len - 1, 1 + data[0] / MODES);
        break;
    case 2: damage(fuzz, rest, len - 1); break;
    default: say(fuzz, rest, len - 1); break;
    }
    if (fuzz->result == TLS_MORE) (void)(tls_eof(&fuzz->client) == TLS_FAILED);
    tls_close(&fuzz->client);
    tls_close(&fuzz->server);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)data;
    (void)printf("%zu bytes\n", len);
}
