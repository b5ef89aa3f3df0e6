#include "tls/tls_words.h"

#include "tls/tls_ctx.h"

/* Makes a context with these options, and a target with that name (NULL: none). */
static enum err check(const struct tls_options *options, const char *sni, struct err_info *why)
{
    struct tls_ctx *ctx = NULL;
    struct tls_target *target;
    struct arena arena;
    enum err err;

    arena_init(&arena, 0);
    err = tls_ctx_new(&ctx, &arena, options, why);
    if (err == ERR_OK && sni != NULL) err = tls_target_new(&target, ctx, sni, NULL, why);
    tls_ctx_free(ctx);
    arena_release(&arena);
    return err;
}

enum err tls_word_check(enum tls_word word, const char *text, struct err_info *why)
{
    struct tls_options options = {.insecure = word != TLS_WORD_CA_FILE,
                                  .seclevel = TLS_SECLEVEL_UNTOUCHED};

    switch (word) {
    case TLS_WORD_CA_FILE: options.ca_file = text; break;
    case TLS_WORD_CIPHERS: options.ciphers = text; break;
    case TLS_WORD_CIPHERSUITES: options.ciphersuites = text; break;
    case TLS_WORD_GROUPS: options.groups = text; break;
    case TLS_WORD_ALPN: options.alpn = text; break;
    case TLS_WORD_SNI: break;
    }
    return check(&options, word == TLS_WORD_SNI ? text : NULL, why);
}

enum err tls_cert_check(const char *cert_file, const char *key_file, struct err_info *why)
{
    const struct tls_options options = {.insecure = true,
                                        .cert_file = cert_file,
                                        .key_file = key_file,
                                        .seclevel = TLS_SECLEVEL_UNTOUCHED};

    return check(&options, NULL, why);
}
