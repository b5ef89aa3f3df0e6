/* Making contexts and targets: options in, OpenSSL's settings out. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/quote.h"
#include "tls/tls_impl.h"

enum { ALPN_BYTES_MAX = 256, WRITE_MIN = 512 /* SSL_CTX_set_max_send_fragment(3) */ };

/* Says that `what` could not be done with `value`. */
static enum err refuse(struct err_info *why, enum err err, const char *what, const char *value)
{
    return err_set(why, err, 0, "%s '%s': %s", what, quote(value).text, tls_err_setup());
}

/* An encrypted key is refused, not asked for on the terminal. */
static int no_password(char *buf, int size, int writing, void *self)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)self;
    return 0;
}

/* insecure: no chain is built, no name compared. */
static int accept_any(X509_STORE_CTX *store, void *self)
{
    (void)store;
    (void)self;
    return 1;
}

/* The peer wants a certificate and there is none. */
static int note_cert_asked(SSL *ssl, X509 **ret_cert, EVP_PKEY **ret_key)
{
    struct tls_session *session = SSL_get_app_data(ssl);

    (void)ret_cert;
    (void)ret_key;
    session->cert_asked = true;
    return 0;
}

/* "h2,http/1.1" as a list of names that each begin with their length (RFC 7301 section 3.1).
 * 0: a name is empty or too long. */
static size_t alpn_list(const char *names, unsigned char *list)
{
    size_t len = strlen(names);
    size_t at = 0;

    if (len == 0 || len + 1 > ALPN_BYTES_MAX) return 0;
    memcpy(list + 1, names, len);
    for (size_t i = 0; i <= len; i++) {
        if (i < len && names[i] != ',') continue;
        if (i == at) return 0;
        list[at] = (unsigned char)(i - at);
        at = i + 1;
    }
    return len + 1;
}

/* A server's choice: the first of its own that the client offers, or an alert. */
static int choose_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                       const unsigned char *offered, unsigned offered_len, void *self)
{
    const struct tls_ctx *ctx = self;
    unsigned char *name = NULL;
    int rc;

    (void)ssl;
    rc = SSL_select_next_proto(&name, ret_len, ctx->alpn, (unsigned)ctx->alpn_len, offered,
                               offered_len);
    *ret_name = name;
    return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static enum err set_alpn(struct tls_ctx *ctx, const char *names, struct err_info *why)
{
    unsigned char list[ALPN_BYTES_MAX];

    if (names == NULL || names[0] == '\0') return ERR_OK;
    ctx->alpn_len = alpn_list(names, list);
    if (ctx->alpn_len == 0) {
        return err_set(why, ERR_USAGE, 0,
                       "'%s' is no list of application protocols; "
                       "write 'http/1.1'",
                       quote(names).text);
    }
    ctx->alpn = arena_alloc(ctx->arena, ctx->alpn_len, 1);
    if (ctx->alpn == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for TLS");
    memcpy(ctx->alpn, list, ctx->alpn_len);
    if (ctx->server) {
        SSL_CTX_set_alpn_select_cb(ctx->ssl_ctx, choose_alpn, ctx);
    } else if (SSL_CTX_set_alpn_protos(ctx->ssl_ctx, ctx->alpn, (unsigned)ctx->alpn_len) != 0) {
        return refuse(why, ERR_MEMORY, "cannot offer", names);
    }
    return ERR_OK;
}

/* What is offered, or accepted. */
static enum err set_algorithms(struct tls_ctx *ctx, const struct tls_options *options,
                               struct err_info *why)
{
    SSL_CTX *ssl_ctx = ctx->ssl_ctx;
    int version_min = options->version_min == TLS_VERSION_ANY ? TLS_1_2 : options->version_min;

    CHECK(options->seclevel >= TLS_SECLEVEL_UNTOUCHED && options->seclevel <= TLS_SECLEVEL_MAX);
    if (options->version_max != TLS_VERSION_ANY && version_min > options->version_max) {
        if (options->version_min != TLS_VERSION_ANY) {
            return err_set(why, ERR_USAGE, 0, "the lowest TLS version is above the highest");
        }
        version_min = options->version_max;
    }
    if (options->seclevel >= 0) SSL_CTX_set_security_level(ssl_ctx, options->seclevel);
    if (SSL_CTX_set_min_proto_version(ssl_ctx, version_min) != 1 ||
        SSL_CTX_set_max_proto_version(ssl_ctx, options->version_max) != 1) {
        return err_set(why, ERR_USAGE, 0, "the TLS library lacks a TLS version: %s",
                       tls_err_setup());
    }
    if (options->ciphers != NULL && SSL_CTX_set_cipher_list(ssl_ctx, options->ciphers) != 1) {
        return refuse(why, ERR_USAGE, "ciphers", options->ciphers);
    }
    if (options->ciphersuites != NULL &&
        SSL_CTX_set_ciphersuites(ssl_ctx, options->ciphersuites) != 1) {
        return refuse(why, ERR_USAGE, "cipher suites", options->ciphersuites);
    }
    if (options->groups != NULL && SSL_CTX_set1_groups_list(ssl_ctx, options->groups) != 1) {
        return refuse(why, ERR_USAGE, "groups", options->groups);
    }
    return set_alpn(ctx, options->alpn, why);
}

static enum err load_crl(SSL_CTX *ssl_ctx, const char *file, struct err_info *why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (lookup == NULL || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) < 1) {
        return refuse(why, ERR_FILE, "cannot read revocation lists from", file);
    }
    if (X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1) {
        return refuse(why, ERR_MEMORY, "cannot use revocation lists from", file);
    }
    return ERR_OK;
}

/* Who is trusted. */
static enum err set_trust(struct tls_ctx *ctx, const struct tls_options *options,
                          struct err_info *why)
{
    SSL_CTX *ssl_ctx = ctx->ssl_ctx;

    ctx->early_data = options->early_data;
    ctx->verifies = options->server ? options->ca_file != NULL : !options->insecure;
    if (!ctx->verifies) {
        SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_NONE, NULL);
        if (!options->server) SSL_CTX_set_cert_verify_callback(ssl_ctx, accept_any, NULL);
        return ERR_OK;
    }
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (options->ca_file == NULL) {
        if (SSL_CTX_set_default_verify_paths(ssl_ctx) != 1) {
            return err_set(why, ERR_FILE, 0, "cannot read the system's roots: %s", tls_err_setup());
        }
    } else if (SSL_CTX_load_verify_file(ssl_ctx, options->ca_file) != 1) {
        return refuse(why, ERR_FILE, "cannot read certificates from", options->ca_file);
    } else if (X509_STORE_set_flags(SSL_CTX_get_cert_store(ssl_ctx), X509_V_FLAG_PARTIAL_CHAIN) !=
               1) { /* What was named is trusted, whether it is a root or not. */
        return refuse(why, ERR_MEMORY, "cannot trust", options->ca_file);
    }
    return options->crl_file == NULL ? ERR_OK : load_crl(ssl_ctx, options->crl_file, why);
}

/* Our own certificate and key from files. */
static enum err load_files(SSL_CTX *ssl_ctx, const struct tls_options *options,
                           struct err_info *why)
{
    const char *key_file = options->key_file != NULL ? options->key_file : options->cert_file;

    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, options->cert_file) != 1) {
        return refuse(why, ERR_FILE, "cannot use certificate", options->cert_file);
    }
    /* A key of another kind than the certificate's is taken, and is nobody's. */
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl_ctx) != 1) {
        return refuse(why, ERR_FILE, "cannot use key", key_file);
    }
    return ERR_OK;
}

static enum err load_identity(SSL_CTX *ssl_ctx, const struct tls_identity *identity,
                              struct err_info *why)
{
    BIO *cert_bio = BIO_new_mem_buf(identity->cert_pem, -1);
    BIO *key_bio = BIO_new_mem_buf(identity->key_pem, -1);
    X509 *cert = cert_bio == NULL ? NULL : PEM_read_bio_X509(cert_bio, NULL, no_password, NULL);
    EVP_PKEY *key =
        key_bio == NULL ? NULL : PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
    bool loaded = cert != NULL && key != NULL && SSL_CTX_use_certificate(ssl_ctx, cert) == 1 &&
                  SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1;
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];

    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    memcpy(ticket_key, identity->ticket_key, sizeof(ticket_key));
    loaded =
        loaded && SSL_CTX_set_tlsext_ticket_keys(ssl_ctx, ticket_key, (int)sizeof(ticket_key)) == 1;
    OPENSSL_cleanse(ticket_key, sizeof(ticket_key));
    if (loaded) return ERR_OK;
    return err_set(why, ERR_MEMORY, 0, "cannot use a certificate of our own: %s", tls_err_setup());
}

static enum err set_identity(SSL_CTX *ssl_ctx, const struct tls_options *options,
                             struct err_info *why)
{
    SSL_CTX_set_default_passwd_cb(ssl_ctx, no_password);
    if (options->cert_file != NULL) return load_files(ssl_ctx, options, why);
    if (options->identity != NULL) return load_identity(ssl_ctx, options->identity, why);
    if (options->key_file != NULL) {
        return err_set(why, ERR_USAGE, 0, "key '%s' has no certificate with it",
                       quote(options->key_file).text);
    }
    CHECK(!options->server);
    SSL_CTX_set_client_cert_cb(ssl_ctx, note_cert_asked);
    return ERR_OK;
}

static bool set_sessions(struct tls_ctx *ctx, const struct tls_options *options)
{
    static const unsigned char id_context[] = "pelt";
    SSL_CTX *ssl_ctx = ctx->ssl_ctx;

    CHECK(options->resume_percent <= 100 && options->sessions_max <= TLS_SESSIONS_MAX);
    ctx->resume = options->resume;
    ctx->resume_percent = options->resume_percent;
    ctx->sessions_max = options->resume == TLS_RESUME_FULL ? 0 : options->sessions_max;
    if (options->resume == TLS_RESUME_FULL) SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET);
    if (ctx->server) {
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
        if (options->resume == TLS_RESUME_FULL && SSL_CTX_set_num_tickets(ssl_ctx, 0) != 1) {
            return false;
        }
        return SSL_CTX_set_session_id_context(ssl_ctx, id_context, sizeof(id_context) - 1) == 1;
    }
    if (ctx->sessions_max == 0) {
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
        return true;
    }
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_ctx, tls_cache_put);
    return true;
}

static enum err configure(struct tls_ctx *ctx, const struct tls_options *options,
                          struct err_info *why)
{
    enum err err;

    CHECK(options->write_max <= TLS_PLAIN_BYTES);
    ctx->write_max = options->write_max == 0 ? TLS_PLAIN_BYTES : options->write_max;
    if (ctx->write_max < WRITE_MIN) ctx->write_max = WRITE_MIN;
    if (SSL_CTX_set_max_send_fragment(ctx->ssl_ctx, ctx->write_max) != 1) {
        return err_set(why, ERR_MEMORY, 0, "cannot set up TLS: %s", tls_err_setup());
    }
    /* So all sessions decrypt in the same memory, which the caches hold. */
    if (!options->keep_buffers) SSL_CTX_set_mode(ctx->ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx->ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    err = set_algorithms(ctx, options, why);
    if (err == ERR_OK) err = set_trust(ctx, options, why);
    if (err == ERR_OK) err = set_identity(ctx->ssl_ctx, options, why);
    if (err == ERR_OK && !set_sessions(ctx, options)) {
        err = err_set(why, ERR_MEMORY, 0, "cannot set up TLS sessions: %s", tls_err_setup());
    }
    return err;
}

enum err tls_ctx_new(struct tls_ctx **ret_ctx, struct arena *arena,
                     const struct tls_options *options, struct err_info *why)
{
    struct tls_ctx *ctx = arena_alloc(arena, sizeof(*ctx), CACHE_LINE);
    enum err err;

    if (ctx == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for TLS");
    ERR_clear_error();
    *ctx = (struct tls_ctx){.arena = arena, .server = options->server};
    ctx->ssl_ctx = SSL_CTX_new(options->server ? TLS_server_method() : TLS_client_method());
    ctx->bio_method = tls_bio_method_new();
    if (ctx->ssl_ctx == NULL || ctx->bio_method == NULL) {
        err = err_set(why, ERR_MEMORY, 0, "cannot set up TLS: %s", tls_err_setup());
    } else {
        err = configure(ctx, options, why);
    }
    if (err != ERR_OK) {
        tls_ctx_free(ctx);
        return err;
    }
    *ret_ctx = ctx;
    return ERR_OK;
}

void tls_ctx_free(struct tls_ctx *ctx)
{
    if (ctx == NULL) return;
    for (struct tls_target *target = ctx->targets; target != NULL; target = target->next) {
        tls_cache_release(target);
    }
    SSL_CTX_free(ctx->ssl_ctx);
    BIO_meth_free(ctx->bio_method);
    *ctx = (struct tls_ctx){0};
}

/* Copies a host to `name` as certificates write it: no zone, no dot at its end. False when it is
 * too long, or nothing is left of it. */
static bool copy_name(char *name, const char *host)
{
    size_t len = strcspn(host, "%");

    if (len > 0 && host[len - 1] == '.') len--;
    if (len == 0 || len >= TLS_NAME_BYTES) return false;
    memcpy(name, host, len);
    name[len] = '\0';
    return true;
}

static bool is_address(const char *name)
{
    struct in6_addr address;

    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

bool tls_target_name(struct tls_target *target, const char *host)
{
    if (!copy_name(target->name, host)) return false;
    target->is_address = is_address(target->name);
    return true;
}

enum err tls_target_new(struct tls_target **ret_target, struct tls_ctx *ctx, const char *host,
                        const char *sni, struct err_info *why)
{
    struct tls_target *target = arena_alloc(ctx->arena, sizeof(*target), CACHE_LINE);

    CHECK(!ctx->server);
    if (target == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for TLS");
    *target = (struct tls_target){.ctx = ctx};
    if (ctx->sessions_max > 0) {
        target->sessions = arena_array(ctx->arena, ctx->sessions_max, sizeof(SSL_SESSION *));
        if (target->sessions == NULL) {
            return err_set(why, ERR_MEMORY, ENOMEM, "no memory for TLS sessions");
        }
    }
    if (!tls_target_name(target, sni != NULL ? sni : host)) {
        return err_set(why, ERR_USAGE, 0, "'%s' is no name that a certificate could have",
                       quote(sni != NULL ? sni : host).text);
    }
    target->next = ctx->targets;
    ctx->targets = target;
    *ret_target = target;
    return ERR_OK;
}
