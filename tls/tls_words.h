/* tls_words: whether OpenSSL takes what a user wrote about TLS, before there is a connection. A
 * door for config/.
 *
 * Threads: any. */
#ifndef TLS_TLS_WORDS_H
#define TLS_TLS_WORDS_H

#include "core/base/err.h"

/* Files are PEM; what they hold, and the lists, are described at struct tls_options (tls_ctx.h). */
enum tls_word {
    TLS_WORD_CA_FILE,
    TLS_WORD_CIPHERS,
    TLS_WORD_CIPHERSUITES,
    TLS_WORD_GROUPS,
    TLS_WORD_ALPN,
    TLS_WORD_SNI,
};

/* ERR_USAGE: OpenSSL does not take it. ERR_FILE: the file is not what it should be. ERR_MEMORY. */
MUST_USE enum err tls_word_check(enum tls_word word, const char *text, struct err_info *why);

/* The same for a certificate and its key, which is in the same file if `key_file` is NULL. */
MUST_USE enum err tls_cert_check(const char *cert_file, const char *key_file, struct err_info *why);

#endif
