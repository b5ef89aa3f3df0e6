#include "core/wrk_target.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PORT_MAX = 65535 };

static bool is_printable(const char *url)
{
    for (const char *c = url; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7F) return false;
    }
    return true;
}

/* Reads the port behind the host, if there is one; false when it is none. */
static bool parse_port(struct arena *arena, const char *at, size_t len, struct wrk_target *target)
{
    unsigned long port = 0;

    if (len == 0) return true;
    if (at[0] != ':' || len == 1) return false;
    for (size_t i = 1; i < len; i++) {
        if (!isdigit((unsigned char)at[i])) return false;
        port = port * 10 + (unsigned long)(at[i] - '0');
        if (port > PORT_MAX) return false;
    }
    target->service = arena_copy(arena, at + 1, len - 1);
    return target->service != NULL;
}

/* Reads "[USER@]HOST[:PORT]". */
static bool parse_authority(struct arena *arena, const char *at, size_t len,
                            struct wrk_target *target)
{
    static const char host_chars[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *user_end = memrchr(at, '@', len);
    const char *end = at + len;
    const char *host_end;

    if (user_end != NULL) at = user_end + 1;
    target->bracketed = at < end && at[0] == '[';
    if (target->bracketed) {
        at++;
        host_end = memchr(at, ']', (size_t)(end - at));
        if (host_end == NULL) return false;
    } else {
        host_end = at + strspn(at, host_chars);
        if (host_end > end) host_end = end;
    }
    if (host_end == at) return false;
    target->host = arena_copy(arena, at, (size_t)(host_end - at));
    if (target->bracketed) host_end++;
    return target->host != NULL && parse_port(arena, host_end, (size_t)(end - host_end), target);
}

/* The text of the Host field; NULL when the arena refuses. */
static const char *host_field_of(struct arena *arena, const struct wrk_target *target,
                                 bool has_port)
{
    size_t size = strlen(target->host) + strlen(target->service) + sizeof("[]:");
    char *field = arena_alloc(arena, size, 1);

    if (field == NULL) return NULL;
    (void)snprintf(field, size, "%s%s%s%s%s", target->bracketed ? "[" : "", target->host,
                   target->bracketed ? "]" : "", has_port ? ":" : "",
                   has_port ? target->service : "");
    return field;
}

bool wrk_target_parse(struct arena *arena, const char *url, struct wrk_target *ret_target)
{
    struct wrk_target target = {.path = "/"};
    size_t scheme_len = 0, authority_len;
    const char *authority;
    bool has_port;

    while (isalpha((unsigned char)url[scheme_len])) {
        scheme_len++;
    }
    if (scheme_len == 0 || strncmp(url + scheme_len, "://", 3) != 0) return false;
    if (!is_printable(url)) return false;
    authority = url + scheme_len + 3;
    authority_len = strcspn(authority, "/?#");
    target.tls = strncmp(url, "https", 5) == 0;
    if (!parse_authority(arena, authority, authority_len, &target)) return false;
    if (authority[authority_len] == '#') return false; /* wrk wants a path or a query before it. */
    if (authority[authority_len] == '/') {
        target.path =
            arena_copy(arena, authority + authority_len, strlen(authority) - authority_len);
    }
    has_port = target.service != NULL;
    if (!has_port) target.service = arena_copy(arena, url, scheme_len);
    if (target.service == NULL || target.path == NULL) return false;
    target.host_field = host_field_of(arena, &target, has_port);
    if (target.host_field == NULL) return false;
    *ret_target = target;
    return true;
}
