/* http_chars: the character classes of HTTP (RFC 9110 section 5.6). Private to config/. */
#ifndef CONFIG_HTTP_CHARS_H
#define CONFIG_HTTP_CHARS_H

#include "core/base/defs.h"

static inline bool http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool http_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* tchar: what methods and field names are made of. */
static inline bool http_is_token_char(char c)
{
    switch (c) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~': return true;
    default: return http_is_digit(c) || http_is_alpha(c);
    }
}

/* True if `text` is one or more tchars. */
static inline bool http_is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!http_is_token_char(text[i])) return false;
    }
    return len > 0;
}

#endif
