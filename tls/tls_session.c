/* A connection's TLS: a BIO of our own between OpenSSL and the caller's spans, and the calls that
 * move records through it.
 *
 * OpenSSL asks the BIO for ciphertext in pieces of one record at most (read-ahead is off), so no
 * record hides in its buffers: once the span fed is used up and a read has emptied its record,
 * there is nothing left to read, and no further call is needed to learn that. Output never meets
 * a full buffer, as far as OpenSSL can see: what does not fit spills into memory of OpenSSL's own
 * and comes out as soon as there is room, so a call is never half done. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/base/check.h"
#include "tls/tls_impl.h"

enum {
    RECORD_ALERT = 0x15, /* RFC 8446 section 5.1. */
    RECORD_HANDSHAKE = 0x16,
};

static int bio_read(BIO *bio, char *to, size_t size, size_t *ret_len)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t len = size < session->in_len ? size : session->in_len;

    BIO_clear_retry_flags(bio);
    *ret_len = len;
    if (len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, session->in, len);
    session->in += len;
    session->in_len -= len;
    return 1;
}

/* Keeps what has no room in the send buffer. */
static bool spill(struct tls_session *session, const char *data, size_t len)
{
    if (session->spill == NULL) session->spill = BIO_new(BIO_s_mem());
    if (session->spill == NULL) return false;
    if (BIO_ctrl_pending(session->spill) + len > TLS_SPILL_MAX) {
        session->flooded = true;
        return false;
    }
    return BIO_write(session->spill, data, (int)len) == (int)len;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *ret_len)
{
    struct tls_session *session = BIO_get_data(bio);
    struct tls_out *out = session->out;
    size_t fits = 0;

    BIO_clear_retry_flags(bio);
    *ret_len = len;
    if (out != NULL && (session->spill == NULL || BIO_ctrl_pending(session->spill) == 0)) {
        fits = out->size - out->len < len ? out->size - out->len : len;
        memcpy(out->data + out->len, data, fits);
        out->len += fits;
    }
    return fits == len || spill(session, data + fits, len - fits);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* Nothing else is known here. */
}

BIO_METHOD *tls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "spans of a session");

    if (method == NULL) return NULL;
    if (BIO_meth_set_read_ex(method, bio_read) == 1 &&
        BIO_meth_set_write_ex(method, bio_write) == 1 && BIO_meth_set_ctrl(method, bio_ctrl) == 1) {
        return method;
    }
    BIO_meth_free(method);
    return NULL;
}

/* Name or address that the certificate must have, and the name asked for (RFC 6066 section 3: never
 * an address). A common name is no name. */
static bool set_names(SSL *ssl, const struct tls_target *target)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if (target->is_address) return X509_VERIFY_PARAM_set1_ip_asc(param, target->name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, target->name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, target->name) == 1;
}

static bool set_client(struct tls_session *session)
{
    struct tls_target *target = session->target;
    SSL_SESSION *ticket;
    bool set = true;

    if (!set_names(session->ssl, target)) return false;
    SSL_set_connect_state(session->ssl);
    ticket = tls_cache_take(target);
    if (ticket != NULL) {
        set = SSL_set_session(session->ssl, ticket) == 1;
        SSL_SESSION_free(ticket);
    }
    return set;
}

/* Makes the SSL object and the BIO, bound to each other and to `session`. */
static bool open_session(struct tls_session *session, const struct tls_ctx *ctx)
{
    BIO *bio = BIO_new(ctx->bio_method);

    ERR_clear_error();
    session->ssl = SSL_new(ctx->ssl_ctx);
    session->write_max = ctx->write_max;
    if (bio == NULL || session->ssl == NULL) {
        SSL_free(session->ssl);
        BIO_free(bio);
        session->ssl = NULL;
        return false;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_app_data(session->ssl, session);
    return true;
}

bool tls_connect(struct tls_session *session, struct tls_target *target)
{
    *session = (struct tls_session){.target = target, .detail = ""};
    if (!open_session(session, target->ctx)) return false;
    if (set_client(session)) return true;
    tls_close(session);
    return false;
}

bool tls_accept(struct tls_session *session, struct tls_ctx *ctx)
{
    CHECK(ctx->server);
    *session = (struct tls_session){.detail = ""};
    if (!open_session(session, ctx)) return false;
    SSL_set_accept_state(session->ssl);
    return true;
}

void tls_close(struct tls_session *session)
{
    if (session->ssl == NULL) return;
    /* OpenSSL takes a connection that it has not seen end for one that failed, and forbids the use
     * of its tickets. A missing close_notify is no reason for that (RFC 5246 section 7.2.1). */
    if (!session->failed || session->err == TLS_ERR_UNCLEAN_CLOSE)
        SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN);
    SSL_free(session->ssl);
    BIO_free(session->spill);
    session->ssl = NULL;
    session->spill = NULL;
}

void tls_feed(struct tls_session *session, const char *data, size_t len)
{
    CHECK(session->ssl != NULL && session->in_len == 0);
    if (len == 0) return;
    if (!session->seen) {
        session->seen = true;
        session->alien = data[0] != RECORD_HANDSHAKE && data[0] != RECORD_ALERT;
    }
    session->in = data;
    session->in_len = len;
}

/* What a call that returned `rc` means, if not that it is done. */
static enum tls_result result_of(struct tls_session *session, int rc)
{
    if (unlikely(session->flooded)) return tls_err_fail(session, TLS_ERR_FLOOD);
    switch (SSL_get_error(session->ssl, rc)) {
    case SSL_ERROR_WANT_READ: CHECK(session->in_len == 0); return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        session->in_len =
            0; /* What comes after a close_notify is nothing (RFC 8446 section 6.1). */
        return TLS_CLOSED;
    default: tls_err_note(session); return TLS_FAILED;
    }
}

/* Moves what waited for room into `out`. */
static void flush_spill(struct tls_session *session, struct tls_out *out)
{
    int len = BIO_read(session->spill, out->data + out->len, (int)(out->size - out->len));

    if (len > 0) out->len += (size_t)len;
}

static void begin_call(struct tls_session *session, struct tls_out *out)
{
    CHECK(session->ssl != NULL && !session->failed);
    if (unlikely(ERR_peek_error() != 0)) ERR_clear_error(); /* To look is cheaper. */
    session->out = out;
    if (unlikely(session->spill != NULL)) flush_spill(session, out);
}

/* Whether the application protocol is one that we speak. */
static enum tls_result check_alpn(struct tls_session *session)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(session->ssl, &name, &len);
    if (len == 0 || (len == 8 && memcmp(name, "http/1.", 7) == 0)) return TLS_DONE;
    return tls_err_fail(session, len == 2 && memcmp(name, "h2", 2) == 0 ? TLS_ERR_ALPN_H2
                                                                        : TLS_ERR_ALPN_OTHER);
}

enum tls_result tls_handshake(struct tls_session *session, struct tls_out *out)
{
    enum tls_result result;
    int rc;

    if (session->established) return TLS_DONE;
    session->begun = true;
    begin_call(session, out);
    rc = SSL_do_handshake(session->ssl);
    session->out = NULL;
    if (rc != 1) {
        result = result_of(session, rc);
        return result == TLS_CLOSED ? tls_err_fail(session, TLS_ERR_HANDSHAKE_CLOSED) : result;
    }
    session->established = true;
    session->resumed = SSL_session_reused(session->ssl) == 1;
    session->early_taken =
        session->early && SSL_get_early_data_status(session->ssl) == SSL_EARLY_DATA_ACCEPTED;
    return session->target != NULL ? check_alpn(session) : TLS_DONE;
}

uint32_t tls_early_max(const struct tls_session *session)
{
    const SSL_SESSION *ticket;

    if (session->begun || session->target == NULL || !session->target->ctx->early_data) return 0;
    ticket = SSL_get0_session(session->ssl);
    if (ticket == NULL) return 0;
    return (uint32_t)min_u64(SSL_SESSION_get_max_early_data(ticket), session->write_max);
}

enum tls_result tls_write_early(struct tls_session *session, struct tls_out *out, const char *plain,
                                size_t len)
{
    enum tls_result result = TLS_DONE;
    size_t written = 0;
    int rc;

    CHECK(len > 0 && len <= tls_early_max(session));
    session->begun = true;
    begin_call(session, out);
    rc = SSL_write_early_data(session->ssl, plain, len, &written);
    if (rc != 1) result = result_of(session, rc);
    session->out = NULL;
    session->early = rc == 1;
    CHECK(result != TLS_MORE && (rc != 1 || written == len));
    return result == TLS_CLOSED ? tls_err_fail(session, TLS_ERR_HANDSHAKE_CLOSED) : result;
}

enum tls_result tls_read(struct tls_session *session, struct tls_out *out, char *plain, size_t size,
                         size_t *ret_len)
{
    enum tls_result result = TLS_DONE;
    int rc;

    CHECK(session->established && size > 0);
    *ret_len = 0;
    if (session->in_len == 0 && SSL_pending(session->ssl) == 0) {
        return SSL_get_shutdown(session->ssl) & SSL_RECEIVED_SHUTDOWN ? TLS_CLOSED : TLS_MORE;
    }
    begin_call(session, out);
    rc = SSL_read_ex(session->ssl, plain, size, ret_len);
    if (rc != 1) result = result_of(session, rc);
    session->out = NULL;
    return result;
}

enum tls_result tls_write(struct tls_session *session, struct tls_out *out, const char *plain,
                          size_t len, size_t *ret_len)
{
    enum tls_result result = TLS_DONE;

    CHECK(session->established && !session->notify_sent);
    begin_call(session, out);
    *ret_len = 0;
    while (result == TLS_DONE && *ret_len < len && out->size - out->len > TLS_OVERHEAD_BYTES &&
           (session->spill == NULL || BIO_ctrl_pending(session->spill) == 0)) {
        size_t room = out->size - out->len - TLS_OVERHEAD_BYTES;
        size_t piece = len - *ret_len < room ? len - *ret_len : room;
        size_t written = 0;
        int rc;

        if (piece > session->write_max) piece = session->write_max;
        rc = SSL_write_ex(session->ssl, plain + *ret_len, piece, &written);
        if (rc != 1) result = result_of(session, rc);
        *ret_len += written;
    }
    session->out = NULL;
    CHECK(result != TLS_MORE);
    return result;
}

void tls_shutdown(struct tls_session *session, struct tls_out *out)
{
    if (session->ssl == NULL || session->failed || session->notify_sent || !session->established) {
        return;
    }
    begin_call(session, out);
    (void)SSL_shutdown(session->ssl); /* 0: sent, and the peer has not said the same yet. */
    session->out = NULL;
    session->notify_sent = true;
    ERR_clear_error();
}

enum tls_result tls_eof(struct tls_session *session)
{
    CHECK(session->ssl != NULL);
    if (session->failed) return TLS_FAILED;
    if (!session->established) return tls_err_fail(session, TLS_ERR_HANDSHAKE_CLOSED);
    if (SSL_get_shutdown(session->ssl) & SSL_RECEIVED_SHUTDOWN) return TLS_CLOSED;
    return tls_err_fail(session, TLS_ERR_UNCLEAN_CLOSE);
}

bool tls_flush(struct tls_session *session, struct tls_out *out)
{
    if (session->spill == NULL) return true;
    flush_spill(session, out);
    return BIO_ctrl_pending(session->spill) == 0;
}

struct tls_facts tls_facts(const struct tls_session *session)
{
    SSL *ssl = session->ssl;
    const char *group;
    int nid;

    CHECK(session->established && ssl != NULL);
    nid = (int)SSL_get_negotiated_group(ssl);
    group = nid == NID_undef ? NULL : SSL_group_to_name(ssl, nid);
    return (struct tls_facts){
        .version = SSL_get_version(ssl),
        .cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)),
        .group = group != NULL ? group : "",
        .resumed = session->resumed,
        .verified = session->target != NULL && session->target->ctx->verifies,
        .early = session->early,
        .early_taken = session->early_taken,
    };
}
