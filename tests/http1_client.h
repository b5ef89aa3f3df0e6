/* http1_client: the smallest reader of one response that uses io/http1.h as it is meant to be
 * used, shared by its tests and its fuzz target. It is fed the bytes of one connection in pieces
 * and says what it made of them; what it says must not depend on the pieces. */
#ifndef TESTS_HTTP1_CLIENT_H
#define TESTS_HTTP1_CLIENT_H

#include "io/http1.h"

enum http1_client_state {
    CLIENT_HEAD,
    CLIENT_LENGTH,
    CLIENT_CHUNKED,
    CLIENT_CLOSE,
    CLIENT_OVER,
};

struct http1_client {
    enum http1_asked asked;
    size_t head_bytes_max;

    enum http1_client_state state;
    size_t head_seen; /* Bytes of the unfinished head that were there at the last call. */
    uint64_t left;    /* CLIENT_LENGTH: bytes of the body still to come. */
    struct http1_head head;
    struct http1_framing framing;
    struct http1_chunked chunked;

    enum http1_result verdict; /* HTTP1_MORE until the response is over. */
    uint32_t interims;         /* 1xx heads read. */
    uint64_t body_bytes;
    uint64_t body_sum; /* Depends on every body byte and on their order. */
};

/* Whether two heads say the same in every field. */
static inline bool http1_head_equal(const struct http1_head *a, const struct http1_head *b)
{
    return a->bytes == b->bytes && a->status == b->status && a->version_minor == b->version_minor &&
           a->has_length == b->has_length && a->has_te == b->has_te && a->chunked == b->chunked &&
           a->says_close == b->says_close && a->says_keep_alive == b->says_keep_alive &&
           a->content_length == b->content_length && a->date_at == b->date_at &&
           a->date_len == b->date_len;
}

static inline void http1_client_init(struct http1_client *client, enum http1_asked asked,
                                     size_t head_bytes_max)
{
    *client = (struct http1_client){
        .asked = asked, .head_bytes_max = head_bytes_max, .verdict = HTTP1_MORE};
}

static inline void http1_client_end(struct http1_client *client, enum http1_result verdict)
{
    client->state = CLIENT_OVER;
    client->verdict = verdict;
}

static inline void http1_client_body(struct http1_client *client, const char *data, size_t len)
{
    client->body_bytes += len;
    for (size_t i = 0; i < len; i++) {
        client->body_sum = client->body_sum * 31 + (uint8_t)data[i] + 1;
    }
}

/* Decides what follows a finished head. */
static inline void http1_client_frame(struct http1_client *client)
{
    client->framing = http1_framing(&client->head, client->asked);
    client->head_seen = 0;
    if (client->framing.interim) {
        if (++client->interims > HTTP1_INTERIM_MAX) http1_client_end(client, HTTP1_TOO_LARGE);
        return;
    }
    switch (client->framing.body) {
    case HTTP1_BODY_NONE: http1_client_end(client, HTTP1_DONE); break;
    case HTTP1_BODY_LENGTH:
        client->state = CLIENT_LENGTH;
        client->left = client->framing.length;
        break;
    case HTTP1_BODY_CHUNKED:
        client->state = CLIENT_CHUNKED;
        http1_chunked_init(&client->chunked);
        break;
    case HTTP1_BODY_CLOSE: client->state = CLIENT_CLOSE; break;
    }
}

/* Reads from `data`, the bytes not yet consumed; returns how many are now. Call again with the
 * rest for as long as some are consumed and client->verdict is HTTP1_MORE. */
static inline size_t http1_client_feed(struct http1_client *client, const char *data, size_t len)
{
    enum http1_result result;
    size_t used = 0, span = 0;

    switch (client->state) {
    case CLIENT_HEAD:
        result =
            http1_parse_head(data, len, client->head_seen, client->head_bytes_max, &client->head);
        client->head_seen = len;
        if (result == HTTP1_DONE) {
            http1_client_frame(client);
            return client->head.bytes;
        }
        if (result != HTTP1_MORE) http1_client_end(client, result);
        return 0;
    case CLIENT_LENGTH:
        used = (size_t)min_u64(len, client->left);
        client->left -= used;
        http1_client_body(client, data, used);
        if (client->left == 0) http1_client_end(client, HTTP1_DONE);
        return used;
    case CLIENT_CHUNKED:
        result = http1_chunked_next(&client->chunked, data, len, &used, &span);
        http1_client_body(client, data + used - span, span);
        if (result != HTTP1_MORE) http1_client_end(client, result);
        return used;
    case CLIENT_CLOSE: http1_client_body(client, data, len); return len;
    case CLIENT_OVER: break;
    }
    return 0;
}

/* The connection has ended: what is not over yet is incomplete (the verdict stays HTTP1_MORE),
 * but for a body that ends this way. */
static inline void http1_client_eof(struct http1_client *client)
{
    if (client->state == CLIENT_CLOSE) http1_client_end(client, HTTP1_DONE);
}

#endif
