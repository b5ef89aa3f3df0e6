/* The URL of a proxy. It may hold a password, so no message repeats it. */
#include "config/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/http_chars.h"
#include "config/plan.h"
#include "core/base/base64.h"
#include "core/base/hex.h"

#define PREFIX "option '--proxy' "

/* "Basic " and four characters for every three bytes begun; one is added where a password is not
 * given. */
enum { VALUE_BYTES = 6 + (NET_USER_BYTES_MAX + 1 + 2) / 3 * 4 };

static enum err refuse(struct err_info *why, const char *reason)
{
    return err_set(why, ERR_USAGE, 0, PREFIX "wants http://[USER:PASSWORD@]HOST:PORT; this one %s",
                   reason);
}

/* Decodes %XX of `len` bytes into `to`, which has room for them; false when it is malformed or
 * decodes to a control character, which a header must not hold. */
static bool decode(const char *from, size_t len, char *to, size_t *ret_len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        int high, low;

        to[out] = from[i];
        if (from[i] == '%') {
            high = i + 2 < len ? hex_digit(from[i + 1]) : -1;
            low = i + 2 < len ? hex_digit(from[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            to[out] = (char)(high * 16 + low);
            i += 2;
        }
        if ((unsigned char)to[out] < ' ' || to[out] == 0x7F) return false;
        out++;
    }
    *ret_len = out;
    return true;
}

/* "Basic ..." of "user:password" (RFC 7617 section 2); without a password it is empty. */
static enum err authorize(struct arena *arena, const char *user, size_t len,
                          struct net_proxy *proxy, struct err_info *why)
{
    char plain[NET_USER_BYTES_MAX + 1], value[VALUE_BYTES];
    size_t plain_len, value_len = sizeof("Basic ") - 1;

    if (len > NET_USER_BYTES_MAX) return refuse(why, "has a user and password over 1 KiB");
    if (!decode(user, len, plain, &plain_len)) {
        return refuse(why, "has a user or password with a bad %XX or a control character");
    }
    if (memchr(user, ':', len) == NULL) plain[plain_len++] = ':';
    memcpy(value, "Basic ", value_len);
    value_len += base64_encode(value + value_len, plain, plain_len);
    proxy->authorization = arena_copy(arena, value, value_len);
    if (proxy->authorization == NULL) return err_set(why, ERR_MEMORY, 0, PREFIX "found no memory");
    return ERR_OK;
}

enum err net_parse_proxy(struct arena *arena, const char *text, struct net_proxy *ret_proxy,
                         struct err_info *why)
{
    static const char scheme[] = "http://";
    struct net_proxy proxy = {.tunnel = ret_proxy->tunnel};
    struct plan_target target;
    const char *authority, *at, *host;
    char url[512];
    size_t len;
    enum err err;

    if (strncasecmp(text, scheme, sizeof(scheme) - 1) != 0) {
        return refuse(why, "does not begin with http://");
    }
    authority = text + sizeof(scheme) - 1;
    len = strcspn(authority, "/?#");
    if (strcmp(authority + len, "") != 0 && strcmp(authority + len, "/") != 0) {
        return refuse(why, "has something behind its port");
    }
    at = memrchr(authority, '@', len);
    host = at == NULL ? authority : at + 1;
    len -= (size_t)(host - authority);
    if (len == 0 || host[0] == ':') return refuse(why, "has no host");
    if (len > sizeof(url) - sizeof(scheme)) return refuse(why, "has a host over 253 bytes");
    (void)snprintf(url, sizeof(url), "http://%.*s", (int)len, host);
    /* The host has no secrets any more: its faults are named as a target's. */
    err = plan_parse_url(arena, url, &target, why);
    if (err != ERR_OK) return err;
    if (!http_is_digit(host[len - 1]) || memchr(host, ':', len) == NULL) {
        return refuse(why, "has no port");
    }
    if (at != NULL) err = authorize(arena, authority, (size_t)(at - authority), &proxy, why);
    if (err != ERR_OK) return err;
    proxy.host = target.host;
    proxy.service = target.service;
    *ret_proxy = proxy;
    return ERR_OK;
}
