/* tls_pair: a client and a server session wired together in memory, for the tests of tls/. What
 * one says is in the other's inbox; how much of it is fed at once, and how much room output has,
 * is the test's to choose. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <stdio.h>
#include <string.h>

#include "tests/test.h"
#include "tls/tls.h"

#define CERTS "build/certs/" /* Made by tests/certs. */

enum { PAIR_INBOX_BYTES = 4 * 1024 * 1024, PAIR_PLAIN_BYTES = 512 * 1024 };

struct pair_side {
    struct tls_session session;
    char *inbox; /* [PAIR_INBOX_BYTES] */
    size_t inbox_at, inbox_len;
    char *plain; /* [PAIR_PLAIN_BYTES]: what has been read. */
    size_t plain_len;
    size_t piece_bytes; /* Fed at once. */
    size_t room_bytes;  /* Of the send buffer. */
    bool begun;
    enum tls_result result;
};

struct pair {
    struct arena arena;
    struct tls_ctx *client_ctx, *server_ctx;
    struct tls_target *target;
    struct pair_side client, server;
};

static inline struct tls_options pair_client_options(void)
{
    return (struct tls_options){.ca_file = CERTS "ca.pem",
                                .seclevel = TLS_SECLEVEL_UNTOUCHED,
                                .alpn = "http/1.1",
                                .sessions_max = 16};
}

static inline struct tls_options pair_server_options(void)
{
    return (struct tls_options){.server = true,
                                .cert_file = CERTS "good.pem",
                                .key_file = CERTS "good.key",
                                .seclevel = TLS_SECLEVEL_UNTOUCHED,
                                .alpn = "http/1.1"};
}

static inline void pair_init_side(struct pair_side *side, struct arena *arena)
{
    *side = (struct pair_side){.piece_bytes = SIZE_MAX, .room_bytes = 16 * 1024};
    side->inbox = arena_alloc(arena, PAIR_INBOX_BYTES, 1);
    side->plain = arena_alloc(arena, PAIR_PLAIN_BYTES, 1);
    EXPECT(side->inbox != NULL && side->plain != NULL);
}

static inline void pair_check(enum err err, const struct err_info *why)
{
    if (err != ERR_OK) (void)fprintf(stderr, "%s\n", why->message);
    EXPECT(err == ERR_OK);
}

/* Contexts and a target named `host`; no session yet. */
static inline void pair_init(struct pair *pair, const struct tls_options *client,
                             const struct tls_options *server, const char *host)
{
    struct err_info why = {0};

    *pair = (struct pair){0};
    arena_init(&pair->arena, 0);
    pair_check(tls_ctx_new(&pair->client_ctx, &pair->arena, client, &why), &why);
    pair_check(tls_ctx_new(&pair->server_ctx, &pair->arena, server, &why), &why);
    pair_check(tls_target_new(&pair->target, pair->client_ctx, host, NULL, &why), &why);
    pair_init_side(&pair->client, &pair->arena);
    pair_init_side(&pair->server, &pair->arena);
}

static inline void pair_init_usual(struct pair *pair)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();

    pair_init(pair, &client, &server, "good.test");
}

static inline void pair_close(struct pair *pair)
{
    tls_close(&pair->client.session);
    tls_close(&pair->server.session);
}

/* A new connection; the last one is closed. */
static inline void pair_open(struct pair *pair)
{
    struct pair_side *sides[] = {&pair->client, &pair->server};

    pair_close(pair);
    for (size_t i = 0; i < COUNT(sides); i++) {
        sides[i]->inbox_at = sides[i]->inbox_len = sides[i]->plain_len = 0;
        sides[i]->result = TLS_MORE;
        sides[i]->begun = false;
    }
    EXPECT(tls_connect(&pair->client.session, pair->target));
    EXPECT(tls_accept(&pair->server.session, pair->server_ctx));
}

static inline void pair_release(struct pair *pair)
{
    pair_close(pair);
    tls_ctx_free(pair->client_ctx);
    tls_ctx_free(pair->server_ctx);
    arena_release(&pair->arena);
}

/* A send buffer for one call; pair_deliver() empties it. */
struct pair_out {
    struct tls_out out;
    char room[64 * 1024];
};

static inline struct tls_out *pair_out(struct pair_out *to, const struct pair_side *side)
{
    to->out = (struct tls_out){.data = to->room, .size = side->room_bytes};
    EXPECT(side->room_bytes <= sizeof(to->room));
    return &to->out;
}

/* Puts what a call of `from` wrote, and what waited for room, into the inbox of `to`. */
static inline void pair_deliver(struct pair_side *from, struct pair_out *out, struct pair_side *to)
{
    bool all;

    do {
        EXPECT(to->inbox_len + out->out.len <= PAIR_INBOX_BYTES);
        memcpy(to->inbox + to->inbox_len, out->out.data, out->out.len);
        to->inbox_len += out->out.len;
        out->out.len = 0;
        all = tls_flush(&from->session, &out->out);
    } while (!all || out->out.len > 0);
}

/* One call of `side`: the handshake, or a read. */
static inline void pair_call(struct pair_side *side, struct pair_side *peer)
{
    struct pair_out out;
    size_t got = 0;

    if (!side->session.established) {
        side->result = tls_handshake(&side->session, pair_out(&out, side));
    } else {
        side->result = tls_read(&side->session, pair_out(&out, side), side->plain + side->plain_len,
                                PAIR_PLAIN_BYTES - side->plain_len, &got);
        side->plain_len += got;
    }
    pair_deliver(side, &out, peer);
}

/* Feeds `side` its inbox and lets it work until it wants more. False if nothing was to be done. */
static inline bool pair_turn(struct pair_side *side, struct pair_side *peer)
{
    bool moved = false;

    if (side->result == TLS_FAILED || side->result == TLS_CLOSED) return false;
    if (!side->begun && side->session.target != NULL) {
        pair_call(side, peer); /* A client's first words. */
        moved = true;
    }
    side->begun = true;
    while (side->inbox_at < side->inbox_len && side->result != TLS_FAILED &&
           side->result != TLS_CLOSED) {
        size_t left = side->inbox_len - side->inbox_at;
        size_t piece = left < side->piece_bytes ? left : side->piece_bytes;

        tls_feed(&side->session, side->inbox + side->inbox_at, piece);
        side->inbox_at += piece;
        do {
            pair_call(side, peer);
        } while (side->result == TLS_DONE);
        moved = true;
    }
    return moved;
}

/* Lets both work until both want more. */
static inline void pair_run(struct pair *pair)
{
    bool moved;

    do {
        moved = pair_turn(&pair->client, &pair->server);
        moved = pair_turn(&pair->server, &pair->client) || moved;
    } while (moved);
}

static inline bool pair_is_up(const struct pair *pair)
{
    return pair->client.session.established && !pair->client.session.failed &&
           pair->server.session.established && !pair->server.session.failed;
}

/* Writes `len` bytes of `data` from one side to the other, piece by piece. */
static inline void pair_say(struct pair_side *from, struct pair_side *to, const char *data,
                            size_t len)
{
    while (len > 0) {
        struct pair_out out;
        size_t used = 0;

        EXPECT(tls_write(&from->session, pair_out(&out, from), data, len, &used) == TLS_DONE);
        EXPECT(out.out.len <= out.out.size);
        pair_deliver(from, &out, to);
        EXPECT(used > 0);
        data += used;
        len -= used;
    }
}

#endif
