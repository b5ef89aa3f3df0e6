#include "io/failed.h"

#include <errno.h>
#include <sys/socket.h>

#define FAILED_NAME(upper, lower, text)     [FAILED_##upper] = #lower,
#define FAILED_TEXT(upper, lower, text)     [FAILED_##upper] = (text),
#define FAILED_TLS_NAME(upper, lower, text) [FAILED_TLS_##upper] = "tls_" #lower,
#define FAILED_TLS_TEXT(upper, lower, text) [FAILED_TLS_##upper] = ("TLS: " text),
const char *const failed_names[FAILED_COUNT] = {FAILED_CLASSES(FAILED_NAME)
                                                    TLS_ERRORS(FAILED_TLS_NAME)};
const char *const failed_texts[FAILED_COUNT] = {FAILED_CLASSES(FAILED_TEXT)
                                                    TLS_ERRORS(FAILED_TLS_TEXT)};

enum failed_class failed_of_connect(int family, int errno_value)
{
    /* Of a unix socket: its queue of connections is full; there is no such path (unix(7)). */
    if (family == AF_UNIX && (errno_value == EAGAIN || errno_value == ENOENT)) {
        return FAILED_CONNECT_REFUSED;
    }
    switch (errno_value) {
    case ECONNREFUSED: return FAILED_CONNECT_REFUSED;
    case ETIMEDOUT: return FAILED_CONNECT_TIMEOUT;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EAGAIN: return FAILED_PORTS;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return FAILED_DESCRIPTORS;
    case ECONNRESET:
    case EPIPE: return FAILED_RESET_BEFORE_RESPONSE;
    default: return FAILED_UNREACHABLE;
    }
}

enum failed_class failed_of_stream(int errno_value, enum failed_place place)
{
    static const enum failed_class resets[] = {
        [FAILED_BEFORE] = FAILED_RESET_BEFORE_RESPONSE,
        [FAILED_IN_HEAD] = FAILED_RESET_IN_HEAD,
        [FAILED_IN_BODY] = FAILED_RESET_IN_BODY,
        [FAILED_IN_REQUEST] = FAILED_RESET_IN_REQUEST,
    };

    switch (errno_value) {
    case ETIMEDOUT: return FAILED_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN: return FAILED_UNREACHABLE;
    default: return resets[place];
    }
}
