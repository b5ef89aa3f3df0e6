/* Where in the file a byte of a scalar's text stands.
 *
 * The text and the file are walked side by side. Whatever the style, the characters that are not
 * white space stand in both in the same order; white space may have been folded, cut or indented
 * away, so it is not compared: the place of a space is right behind what stands before it. */
#include "config/yaml.h"

#include <string.h>

#include "core/base/check.h"

struct walk {
    const char *at; /* In the file. */
    const char *end;
    char quote; /* '\'', '"', or 0 for plain scalars and blocks. */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct walk *walk)
{
    while (walk->at < walk->end && is_space(*walk->at)) {
        walk->at++;
    }
}

/* How many bytes of text the escape at `walk->at` (the character behind the backslash) makes, 0 if
 * it makes white space or nothing; `*ret_len` is its length, the backslash left out. */
static size_t escape_bytes(const struct walk *walk, size_t *ret_len)
{
    size_t digits = 0;
    uint32_t code = 0;

    *ret_len = 1;
    switch (*walk->at) {
    case 'x': digits = 2; break;
    case 'u': digits = 4; break;
    case 'U': digits = 8; break;
    case 'N':
    case '_': return 2;
    case 'L':
    case 'P': return 3;
    case 't':
    case 'n':
    case 'r': return 0;
    default: return is_space(*walk->at) ? 0 : 1;
    }
    for (size_t i = 1; i <= digits && walk->at + i < walk->end; i++) {
        char c = walk->at[i];

        code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *ret_len = 1 + digits;
    if (code < 0x80 && is_space((char)code)) return 0;
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Steps to the next thing in the file that is not white space, and over it: where it begins, or
 * NULL at the end. `*ret_bytes` is how many bytes of text it makes. */
static const char *next_thing(struct walk *walk, size_t *ret_bytes)
{
    for (;;) {
        const char *start;
        size_t len;

        skip_space(walk);
        if (walk->at >= walk->end) return NULL;
        start = walk->at++;
        *ret_bytes = 1;
        if (walk->quote == '\'' && *start == '\'') {
            walk->at++;
            return start;
        }
        if (walk->quote != '"' || *start != '\\' || walk->at >= walk->end) return start;
        *ret_bytes = escape_bytes(walk, &len);
        walk->at += len;
        if (*ret_bytes > 0) return start;
    }
}

/* Sets `walk` on the first character of the scalar's content: behind anchor, tag, quote and the
 * block's header. */
static void begin(struct walk *walk)
{
    while (walk->at < walk->end && (*walk->at == '&' || *walk->at == '!')) {
        while (walk->at < walk->end && !is_space(*walk->at)) {
            walk->at++;
        }
        skip_space(walk);
    }
    if (walk->at >= walk->end) return;
    if (*walk->at == '\'' || *walk->at == '"') {
        walk->quote = *walk->at++;
    } else if (*walk->at == '|' || *walk->at == '>') {
        while (walk->at < walk->end && *walk->at != '\n' && *walk->at != '\r') {
            walk->at++;
        }
    }
}

struct place yaml_place_in(const struct yaml_node *scalar, size_t offset, uint32_t width,
                           struct diags *diags)
{
    struct source *source = &diags->sources[scalar->place.source];
    struct walk walk;
    const char *found;
    struct place place;

    CHECK(scalar->kind == YAML_SCALAR);
    if (source->data == NULL || !source_index(source, diags->arena)) return scalar->place;
    walk.at = source->data + source_offset(source, scalar->place.line, scalar->place.column);
    walk.end = source->data + source->len;
    walk.quote = 0;
    begin(&walk);
    found = walk.at;
    for (size_t at = 0; at <= offset && at < scalar->count;) {
        size_t bytes;

        if (is_space(scalar->text[at])) {
            found = at == offset ? walk.at : found;
            at++;
            continue;
        }
        found = next_thing(&walk, &bytes);
        if (found == NULL) return scalar->place;
        at += bytes;
    }
    if (offset >= scalar->count) found = walk.at;
    place = source_place(source, (size_t)(found - source->data));
    place.source = scalar->place.source;
    place.width = (uint16_t)min_u64(width, UINT16_MAX);
    return place;
}
