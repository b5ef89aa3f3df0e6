/* failed: why a started request has no answer. The names are keys of the JSON report. */
#ifndef IO_FAILED_H
#define IO_FAILED_H

#include "core/base/defs.h"
#include "tls/tls_err.h"

#define FAILED_CLASSES(X)                                                                        \
    X(CONNECT_REFUSED, connect_refused, "connection refused")                                    \
    X(CONNECT_TIMEOUT, connect_timeout, "connection not made in time")                           \
    X(RESOLVE, resolve, "host not found, or more of them than may be")                           \
    X(UNREACHABLE, unreachable, "host or network unreachable")                                   \
    X(PORTS, ports, "no local port left")                                                        \
    X(DESCRIPTORS, descriptors, "no descriptor or socket memory left")                           \
    X(PROXY_REFUSED, proxy_refused, "proxy refused the tunnel")                                  \
    X(TLS_TIMEOUT, tls_timeout, "TLS handshake not complete in time")                            \
    X(TLS_RESET, tls_reset, "connection reset in the TLS handshake")                             \
    X(RESET_IN_REQUEST, reset_in_request, "connection reset before all of the request was sent") \
    X(BODY_UNREADABLE, body_unreadable, "body file could not be read when it was sent")          \
    X(RESET_BEFORE_RESPONSE, reset_before_response, "connection reset before the response")      \
    X(RESET_IN_HEAD, reset_in_head, "connection reset in the response head")                     \
    X(RESET_IN_BODY, reset_in_body, "connection reset in the response body")                     \
    X(CLOSED_BEFORE_RESPONSE, closed_before_response, "connection closed before the response")   \
    X(INCOMPLETE, incomplete, "connection closed in the response")                               \
    X(BAD_HEAD, bad_head, "response head is not HTTP/1.x")                                       \
    X(HEAD_TOO_LARGE, head_too_large, "response head too large")                                 \
    X(BAD_FRAMING, bad_framing, "response length cannot be believed")                            \
    X(UNSOLICITED, unsolicited, "bytes came before the request was sent")                        \
    X(FIRST_BYTE_TIMEOUT, first_byte_timeout, "first byte not in time")                          \
    X(TIMEOUT, timeout, "response not complete in time")                                         \
    X(NOT_PROCESSED, not_processed, "connection ended before the request's turn")                \
    X(BUILD, build, "request could not be built")                                                \
    X(BODY_TOO_LARGE, body_too_large, "body too large for its expressions")                      \
    X(BAD_CODING, bad_coding, "body's content coding is broken or unknown")                      \
    X(UNEXPECTED, unexpected, "answer is not what was expected")

/* The reasons of tls/tls_err.h are classes too, FAILED_TLS_… and "tls_…". */
#define FAILED_ENUM(upper, lower, text)     FAILED_##upper,
#define FAILED_TLS_ENUM(upper, lower, text) FAILED_TLS_##upper,
enum failed_class { FAILED_CLASSES(FAILED_ENUM) TLS_ERRORS(FAILED_TLS_ENUM) FAILED_COUNT };
#undef FAILED_TLS_ENUM
#undef FAILED_ENUM

extern const char *const failed_names[FAILED_COUNT]; /* "connect_refused" … */
extern const char *const failed_texts[FAILED_COUNT]; /* For people. */

/* The class of a connect attempt, or of making its socket, that ended with this errno; `family`
 * is that of the address. */
enum failed_class failed_of_connect(int family, int errno_value);

static inline enum failed_class failed_of_tls(enum tls_err err)
{
    return (enum failed_class)(FAILED_COUNT - TLS_ERR_COUNT + (int)err);
}

/* Where in a response a connection was; IN_REQUEST: not all of the request had been sent. */
enum failed_place { FAILED_BEFORE, FAILED_IN_HEAD, FAILED_IN_BODY, FAILED_IN_REQUEST };

/* The class of a send or receive that ended with this errno. */
enum failed_class failed_of_stream(int errno_value, enum failed_place place);

#endif
