/* Walks over a pattern and refuses what PCRE2 knows and RE2 does not. Whether the rest is right is
 * PCRE2's business. */
#include <stdio.h>
#include <string.h>

#include "config/regex.h"

struct guard {
    const char *text;
    size_t len, at;
    struct regex_error *error;
};

static bool refuse(struct guard *guard, size_t at, const char *what)
{
    guard->error->offset = at;
    (void)snprintf(guard->error->message, sizeof(guard->error->message), "%s", what);
    return false;
}

/* The character `ahead` of the present one, 0 behind the end. */
static char peek(const struct guard *guard, size_t ahead)
{
    if (guard->at + ahead >= guard->len) return '\0';
    return guard->text[guard->at + ahead];
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* \Q takes everything as it is up to \E. */
static void skip_literal(struct guard *guard)
{
    guard->at += 2;
    while (guard->at < guard->len && (peek(guard, 0) != '\\' || peek(guard, 1) != 'E')) {
        guard->at++;
    }
    guard->at += guard->at < guard->len ? 2 : 0;
}

static bool check_escape(struct guard *guard)
{
    char c = peek(guard, 1);

    if (guard->at + 1 >= guard->len) {
        return refuse(guard, guard->at, "the pattern ends with a backslash");
    }
    if (c == 'Q') {
        skip_literal(guard);
        return true;
    }
    if (c >= '1' && c <= '9') {
        return refuse(guard, guard->at, "back references are not supported");
    }
    if (is_alnum(c) && strchr("dDwWsSbBAznrtfvapPxE0", c) == NULL) {
        return refuse(guard, guard->at, "this escape is not supported");
    }
    guard->at += 2;
    if ((c == 'x' || c == 'p' || c == 'P') && peek(guard, 0) == '{') {
        while (guard->at < guard->len && peek(guard, 0) != '}') {
            guard->at++;
        }
        guard->at += guard->at < guard->len;
    }
    return true;
}

/* From '[' to behind its ']'. */
static bool check_class(struct guard *guard)
{
    size_t begin = guard->at++;

    if (peek(guard, 0) == '^') guard->at++;
    if (peek(guard, 0) == ']') guard->at++;
    while (guard->at < guard->len && peek(guard, 0) != ']') {
        if (peek(guard, 0) == '\\') {
            if (!check_escape(guard)) return false;
        } else if (peek(guard, 0) == '[' && peek(guard, 1) == ':') {
            const char *end =
                memmem(guard->text + guard->at + 2, guard->len - guard->at - 2, ":]", 2);

            guard->at = end != NULL ? (size_t)(end - guard->text) + 2 : guard->at + 1;
        } else {
            guard->at++;
        }
    }
    if (guard->at == guard->len) return refuse(guard, begin, "a ']' is missing");
    guard->at++;
    return true;
}

/* (?flags) and (?flags: */
static bool check_flags(struct guard *guard, size_t begin)
{
    while (peek(guard, 0) != '\0' && strchr("imsU-", peek(guard, 0)) != NULL) {
        guard->at++;
    }
    if (peek(guard, 0) != ':' && peek(guard, 0) != ')') {
        return refuse(guard, begin, "this kind of group is not supported");
    }
    return true; /* A ')' is looked at as any other. */
}

static bool check_group(struct guard *guard)
{
    size_t begin = guard->at++;

    if (peek(guard, 0) == '*') return refuse(guard, begin, "verbs are not supported");
    if (peek(guard, 0) != '?') return true;
    guard->at++;
    if (peek(guard, 0) == '=' || peek(guard, 0) == '!' ||
        (peek(guard, 0) == '<' && (peek(guard, 1) == '=' || peek(guard, 1) == '!'))) {
        return refuse(guard, begin, "look-around is not supported");
    }
    if (peek(guard, 0) == '<' || (peek(guard, 0) == 'P' && peek(guard, 1) == '<')) {
        guard->at += peek(guard, 0) == '<' ? 1 : 2;
        return true;
    }
    return check_flags(guard, begin);
}

/* Length of the quantifier at the present place, or 0. */
static size_t quantifier_len(const struct guard *guard)
{
    size_t i = 1, digits;

    if (peek(guard, 0) == '*' || peek(guard, 0) == '+' || peek(guard, 0) == '?') return 1;
    if (peek(guard, 0) != '{') return 0;
    for (digits = i; peek(guard, i) >= '0' && peek(guard, i) <= '9'; i++) {
    }
    if (i == digits) return 0;
    if (peek(guard, i) == ',') {
        for (i++; peek(guard, i) >= '0' && peek(guard, i) <= '9'; i++) {
        }
    }
    return peek(guard, i) == '}' ? i + 1 : 0;
}

static bool check_plain(struct guard *guard)
{
    size_t len = quantifier_len(guard);

    if (len > 0 && peek(guard, len) == '+') {
        return refuse(guard, guard->at, "possessive quantifiers are not supported");
    }
    guard->at += len > 0 ? len : 1;
    return true;
}

bool regex_guard(const char *pattern, size_t len, struct regex_error *ret_error)
{
    struct guard guard = {.text = pattern, .len = len, .error = ret_error};

    if (memchr(pattern, '\0', len) != NULL) return refuse(&guard, 0, "the pattern holds a NUL");
    while (guard.at < len) {
        bool good;

        switch (pattern[guard.at]) {
        case '\\': good = check_escape(&guard); break;
        case '[': good = check_class(&guard); break;
        case '(': good = check_group(&guard); break;
        default: good = check_plain(&guard); break;
        }
        if (!good) return false;
    }
    return true;
}
