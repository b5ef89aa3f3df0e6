/* tls_err: why a TLS connection failed. The names, with "tls_" before them, are keys of the JSON
 * report. */
#ifndef TLS_TLS_ERR_H
#define TLS_TLS_ERR_H

#include "core/base/defs.h"

#define TLS_ERRORS(X)                                                                             \
    X(NOT_TLS, not_tls, "peer does not speak TLS")                                                \
    X(NO_SHARED_VERSION, no_shared_version, "no TLS version in common")                           \
    X(NO_SHARED_CIPHER, no_shared_cipher, "no cipher or group in common")                         \
    X(CERT_EXPIRED, certificate_expired, "certificate has expired")                               \
    X(CERT_NOT_YET_VALID, certificate_not_yet_valid, "certificate is not yet valid")              \
    X(NAME_MISMATCH, name_mismatch, "certificate is for another name")                            \
    X(UNKNOWN_ISSUER, unknown_issuer, "certificate's issuer is not trusted or not known")         \
    X(SELF_SIGNED, self_signed, "certificate is self-signed and not trusted")                     \
    X(CERT_REVOKED, certificate_revoked, "certificate has been revoked")                          \
    X(REVOCATION_UNKNOWN, revocation_unknown, "revocation list is missing, too old or not valid") \
    X(WEAK_KEY, weak_key, "key is too small for the security level")                              \
    X(WEAK_DIGEST, weak_digest, "signature's digest is too weak for the security level")          \
    X(CERT_PURPOSE, certificate_purpose, "certificate is not made for servers")                   \
    X(CERT_INVALID, certificate_invalid, "certificate chain is not valid")                        \
    X(CLIENT_CERT_REQUIRED, client_certificate_required, "peer requires a client certificate")    \
    X(CLIENT_CERT_REFUSED, client_certificate_refused, "peer refused the client certificate")     \
    X(ALPN_REFUSED, alpn_refused, "peer speaks none of the application protocols offered")        \
    X(ALPN_H2, alpn_h2, "peer chose h2, and only HTTP/1.1 is spoken here")                        \
    X(ALPN_OTHER, alpn_other, "peer chose an application protocol that is not HTTP/1.1")          \
    X(NAME_REFUSED, name_refused, "peer does not know the server name")                           \
    X(HANDSHAKE_CLOSED, handshake_closed, "connection closed in the handshake")                   \
    X(UNCLEAN_CLOSE, unclean_close, "connection closed without close_notify")                     \
    X(BAD_RECORD, bad_record, "record damaged")                                                   \
    X(TOO_LARGE, too_large, "handshake message too large")                                        \
    X(FLOOD, flood, "peer demands answers faster than it takes them")                             \
    X(PROTOCOL, protocol, "peer broke the protocol")                                              \
    X(ALERT, alert, "peer ended the connection with an alert")                                    \
    X(LOCAL, local, "the TLS library could not go on")

#define TLS_ERR_ENUM(upper, lower, text) TLS_ERR_##upper,
enum tls_err { TLS_ERRORS(TLS_ERR_ENUM) TLS_ERR_COUNT };
#undef TLS_ERR_ENUM

extern const char *const tls_err_names[TLS_ERR_COUNT]; /* "not_tls" … */
extern const char *const tls_err_texts[TLS_ERR_COUNT]; /* For people; one line. */

#endif
