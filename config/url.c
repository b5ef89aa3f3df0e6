/* Splits an http:// or https:// URL as RFC 3986 does, and refuses what would only fail later or,
 * worse, be sent somewhere else than was meant. */
#include "config/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/http_chars.h"
#include "config/plan.h"
#include "core/base/quote.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535 };

/* A piece of the URL; not terminated. */
struct span {
    const char *at;
    size_t len;
};

struct url_parts {
    struct span host;    /* Without brackets. */
    struct span zone;    /* Of an IPv6 address; empty when there is none. */
    struct span port;    /* Digits; empty when there is none. */
    struct span request; /* Path and query; empty or from '/' or '?' on. */
    bool tls;
    bool bracketed;
    unsigned port_number;
};

static enum err refuse(struct err_info *why, const char *url, const char *reason)
{
    return err_set(why, ERR_USAGE, 0, "url '%s' %s", quote(url).text, reason);
}

/* Checks every byte and takes the scheme off; `*ret_rest` is what follows "//". */
static enum err url_scheme(const char *url, struct url_parts *parts, const char **ret_rest,
                           struct err_info *why)
{
    const char *mark = strstr(url, "://");
    size_t len = strlen(url);

    if (len == 0) return err_set(why, ERR_USAGE, 0, "the url is empty; write http://host/path");
    if (len > PLAN_URL_BYTES_MAX) return refuse(why, url, "is longer than 64 KiB");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)url[i];

        if (c == ' ') return refuse(why, url, "holds a space; write it as %20");
        if (c < ' ' || c == 0x7F) return refuse(why, url, "holds a control character");
    }
    if (mark == NULL && strncasecmp(url, "http:", 5) == 0) {
        return refuse(why, url, "has no '//' behind its 'http:'");
    }
    if (mark == NULL && strncasecmp(url, "https:", 6) == 0) {
        return refuse(why, url, "has no '//' behind its 'https:'");
    }
    if (mark == NULL || mark > url + strcspn(url, "/?#")) {
        return err_set(why, ERR_USAGE, 0, "url '%s' has no scheme; write 'http://%s'",
                       quote(url).text, quote(url).text);
    }
    len = (size_t)(mark - url);
    parts->tls = len == 5 && strncasecmp(url, "https", len) == 0;
    if (!parts->tls && (len != 4 || strncasecmp(url, "http", len) != 0)) {
        return refuse(why, url, "has an unknown scheme; http:// and https:// are known");
    }
    *ret_rest = mark + 3;
    return ERR_OK;
}

/* Takes "[address]" or "[address%25zone]" off the start of `*rest`. */
static enum err url_address6(const char *url, struct span *rest, struct url_parts *parts,
                             struct err_info *why)
{
    const char *end = memchr(rest->at, ']', rest->len);
    char address[INET6_ADDRSTRLEN] = "";
    struct in6_addr parsed;
    const char *percent;

    if (end == NULL) return refuse(why, url, "has no ']' after its '['");
    parts->bracketed = true;
    parts->host = (struct span){rest->at + 1, (size_t)(end - rest->at) - 1};
    percent = memchr(parts->host.at, '%', parts->host.len);
    if (percent != NULL) {
        size_t zone_len = (size_t)(end - percent);

        if (zone_len <= 3 || strncmp(percent, "%25", 3) != 0) {
            return refuse(why, url, "has a bad zone; write it as [fe80::1%25eth0]");
        }
        parts->zone = (struct span){percent + 3, zone_len - 3};
        parts->host.len = (size_t)(percent - parts->host.at);
    }
    if (parts->host.len < sizeof(address)) memcpy(address, parts->host.at, parts->host.len);
    if (inet_pton(AF_INET6, address, &parsed) != 1) {
        return refuse(why, url, "has no IPv6 address between its brackets");
    }
    rest->len -= (size_t)(end + 1 - rest->at);
    rest->at = end + 1;
    return ERR_OK;
}

/* Takes a name or an IPv4 address off the start of `*rest`. */
static enum err url_name(const char *url, struct span *rest, struct url_parts *parts,
                         struct err_info *why)
{
    const char *colon = memchr(rest->at, ':', rest->len);
    size_t len = colon != NULL ? (size_t)(colon - rest->at) : rest->len;

    if (colon != NULL && memchr(colon + 1, ':', rest->len - len - 1) != NULL) {
        return refuse(why, url, "has too many colons; write an IPv6 address as http://[::1]/");
    }
    if (len == 0) return refuse(why, url, "has no host");
    if (len > PLAN_HOST_BYTES_MAX) return refuse(why, url, "has a host over 253 bytes");
    for (size_t i = 0; i < len; i++) {
        char c = rest->at[i];

        if ((unsigned char)c >= 0x80) {
            return refuse(why, url, "has a host that is not ASCII; write it in its xn-- form");
        }
        if (!http_is_alpha(c) && !http_is_digit(c) && strchr("-._~", c) == NULL) {
            return err_set(why, ERR_USAGE, 0, "url '%s' has '%c' in its host", quote(url).text, c);
        }
    }
    parts->host = (struct span){rest->at, len};
    rest->at += len;
    rest->len -= len;
    return ERR_OK;
}

/* Reads what is left of the authority behind the host: nothing, or ":" and perhaps a port. */
static enum err url_port(const char *url, struct span rest, struct url_parts *parts,
                         struct err_info *why)
{
    unsigned port = 0;

    parts->port_number = parts->tls ? PORT_HTTPS : PORT_HTTP;
    if (rest.len == 0) return ERR_OK;
    if (rest.at[0] != ':') return refuse(why, url, "has more than a port behind its ']'");
    if (rest.len == 1) return ERR_OK;
    for (size_t i = 1; i < rest.len; i++) {
        if (!http_is_digit(rest.at[i])) return refuse(why, url, "has a port that is no number");
        port = port * 10 + (unsigned)(rest.at[i] - '0');
        if (port > PORT_MAX) return refuse(why, url, "has a port over 65535");
    }
    if (port == 0) return refuse(why, url, "has port 0, where nothing can listen");
    parts->port_number = port;
    return ERR_OK;
}

static enum err url_split(const char *url, struct url_parts *parts, struct err_info *why)
{
    struct span authority;
    const char *rest = url;
    enum err err = url_scheme(url, parts, &rest, why);

    if (err != ERR_OK) return err;
    authority = (struct span){rest, strcspn(rest, "/?#")};
    parts->request.at = rest + authority.len;
    parts->request.len = strcspn(parts->request.at, "#");
    if (memchr(authority.at, '@', authority.len) != NULL) {
        return refuse(why, url,
                      "holds user information; send it as a header, 'Authorization: ...'");
    }
    if (authority.len > 0 && authority.at[0] == '[') {
        err = url_address6(url, &authority, parts, why);
    } else {
        err = url_name(url, &authority, parts, why);
    }
    if (err != ERR_OK) return err;
    return url_port(url, authority, parts, why);
}

size_t plan_authority_len(const char *outline)
{
    size_t len = strcspn(outline, ":/\\?#" PLAN_VALUE_MARK);

    if (strncmp(outline + len, "://", 3) != 0) return 0;
    len += 3;
    len += strcspn(outline + len, "/\\?#" PLAN_VALUE_MARK);
    return outline[len] == PLAN_VALUE_MARK[0] ? 0 : len;
}

/* A terminated string of five pieces. */
static const char *join(struct arena *arena, const struct span pieces[5])
{
    size_t len = 0;
    char *joined, *at;

    for (size_t i = 0; i < 5; i++) {
        len += pieces[i].len;
    }
    joined = at = arena_alloc(arena, len + 1, 1);
    if (joined == NULL) return NULL;
    for (size_t i = 0; i < 5; i++) {
        if (pieces[i].len > 0) memcpy(at, pieces[i].at, pieces[i].len);
        at += pieces[i].len;
    }
    *at = '\0';
    return joined;
}

/* The piece `text` if `wanted`, else nothing. */
static struct span piece_if(bool wanted, const char *text)
{
    return (struct span){text, wanted ? strlen(text) : 0};
}

enum err plan_parse_url(struct arena *arena, const char *url, struct plan_target *ret_target,
                        struct err_info *why)
{
    struct url_parts parts = {.bracketed = false};
    struct plan_target target;
    enum err err = url_split(url, &parts, why);
    char digits[8];
    bool slash, port;

    if (err != ERR_OK) return err;
    (void)snprintf(digits, sizeof(digits), "%u", parts.port_number);
    slash = parts.request.len == 0 || parts.request.at[0] != '/';
    port = parts.port_number != (parts.tls ? PORT_HTTPS : PORT_HTTP);
    target.tls = parts.tls;

    target.url = arena_copy(arena, url, strlen(url));
    target.service = arena_copy(arena, digits, strlen(digits));
    target.host =
        join(arena, (struct span[5]){parts.host, piece_if(parts.zone.len > 0, "%"), parts.zone});
    target.path = join(arena, (struct span[5]){piece_if(slash, "/"), parts.request});
    target.host_field = join(arena, (struct span[5]){piece_if(parts.bracketed, "["), parts.host,
                                                     piece_if(parts.bracketed, "]"),
                                                     piece_if(port, ":"), piece_if(port, digits)});
    if (target.url == NULL || target.service == NULL || target.host == NULL ||
        target.path == NULL || target.host_field == NULL) {
        return err_set(why, ERR_MEMORY, 0, "no memory for url '%s'", quote(url).text);
    }
    target.connect = NULL;
    *ret_target = target;
    return ERR_OK;
}
