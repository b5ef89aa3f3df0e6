/* Segments and selectors (RFC 9535 sections 2.3 and 2.5). */
#include <stdio.h>
#include <string.h>

#include "config/json_scan.h"
#include "config/jsonpath_impl.h"
#include "core/base/hex.h"
#include "core/base/utf8.h"

#define INDEX_MAX ((INT64_C(1) << 53) - 1) /* RFC 9535 section 2.1: of I-JSON. */

bool jsonpath_wrong(struct jsonpath_parser *parser, const char *what)
{
    if (!parser->failed) {
        parser->failed = true;
        parser->error->offset = parser->at < parser->len ? parser->at : parser->len;
        (void)snprintf(parser->error->message, sizeof(parser->error->message), "%s", what);
    }
    return false;
}

void *jsonpath_alloc(struct jsonpath_parser *parser, size_t size)
{
    void *memory = arena_alloc(parser->arena, size, _Alignof(struct value));

    if (memory == NULL) (void)jsonpath_wrong(parser, "no memory for the query");
    return memory;
}

char jsonpath_peek(const struct jsonpath_parser *parser, size_t ahead)
{
    if (ahead >= parser->len - parser->at) return '\0';
    return parser->text[parser->at + ahead];
}

void jsonpath_skip_blank(struct jsonpath_parser *parser)
{
    while (parser->at < parser->len && json_is_space(parser->text[parser->at])) {
        parser->at++;
    }
}

bool jsonpath_take(struct jsonpath_parser *parser, const char *text)
{
    size_t len = strlen(text);

    if (len > parser->len - parser->at) return false;
    if (memcmp(parser->text + parser->at, text, len) != 0) return false;
    parser->at += len;
    return true;
}

static bool take_hex(struct jsonpath_parser *parser, uint32_t *ret_code)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(jsonpath_peek(parser, 0));

        if (digit < 0) return jsonpath_wrong(parser, "'\\u' needs four hexadecimal digits");
        code = code << 4 | (uint32_t)digit;
        parser->at++;
    }
    *ret_code = code;
    return true;
}

static bool take_unicode(struct jsonpath_parser *parser, char **to)
{
    uint32_t code, low;

    if (!take_hex(parser, &code)) return false;
    if (json_is_low_surrogate(code)) return jsonpath_wrong(parser, "half a surrogate pair");
    if (json_is_high_surrogate(code)) {
        if (!jsonpath_take(parser, "\\u")) return jsonpath_wrong(parser, "half a surrogate pair");
        if (!take_hex(parser, &low)) return false;
        if (!json_is_low_surrogate(low)) return jsonpath_wrong(parser, "half a surrogate pair");
        code = json_surrogates(code, low);
    }
    *to += utf8_put(code, *to);
    return true;
}

static bool take_escape(struct jsonpath_parser *parser, char quote, char **to)
{
    char letter = jsonpath_peek(parser, 0), plain = json_escape(letter);

    if (letter == 'u') {
        parser->at++;
        return take_unicode(parser, to);
    }
    if (letter == quote) {
        plain = quote;
    } else if (letter == '"' || plain == 0) {
        return jsonpath_wrong(parser, "no such escape in a string");
    }
    *(*to)++ = plain;
    parser->at++;
    return true;
}

bool jsonpath_string(struct jsonpath_parser *parser, struct value *ret_value)
{
    char quote = parser->text[parser->at++];
    /* No character is longer than its escape. */
    char *text = jsonpath_alloc(parser, parser->len - parser->at + UTF8_BYTES_MAX), *to = text;

    if (text == NULL) return false;
    while (parser->at < parser->len && parser->text[parser->at] != quote) {
        const unsigned char *at = (const unsigned char *)parser->text + parser->at;
        size_t len = utf8_len(at, parser->len - parser->at);

        if (*at == '\\') {
            parser->at++;
            if (!take_escape(parser, quote, &to)) return false;
            continue;
        }
        if (*at < 0x20) return jsonpath_wrong(parser, "a control character in a string");
        if (len == 0) return jsonpath_wrong(parser, "the text is not UTF-8");
        memcpy(to, at, len);
        to += len;
        parser->at += len;
    }
    if (parser->at == parser->len) return jsonpath_wrong(parser, "the string does not end");
    parser->at++;
    *ret_value = value_string(text, (size_t)(to - text));
    return true;
}

/* Length of a name without quotes, 0 if there is none. */
static size_t name_len(const struct jsonpath_parser *parser)
{
    size_t i = parser->at;

    while (i < parser->len) {
        unsigned char c = (unsigned char)parser->text[i];
        size_t step = utf8_len((const unsigned char *)parser->text + i, parser->len - i);
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;

        if (step == 0 || (!letter && (i == parser->at || !json_is_digit((char)c)))) break;
        i += step;
    }
    return i - parser->at;
}

static bool is_int_begin(const struct jsonpath_parser *parser)
{
    return jsonpath_peek(parser, 0) == '-' || json_is_digit(jsonpath_peek(parser, 0));
}

static bool take_int(struct jsonpath_parser *parser, int64_t *ret_integer)
{
    size_t begin = parser->at, len;
    int64_t integer = 0;
    bool negative = jsonpath_take(parser, "-");

    while (json_is_digit(jsonpath_peek(parser, 0)) && integer <= INDEX_MAX) {
        integer = integer * 10 + (parser->text[parser->at++] - '0');
    }
    len = parser->at - begin - negative;
    if (len == 0 || (len > 1 && parser->text[begin + negative] == '0') ||
        (negative && integer == 0)) {
        parser->at = begin;
        return jsonpath_wrong(parser, "a number is wrong");
    }
    if (integer > INDEX_MAX) return jsonpath_wrong(parser, "a number is too large");
    *ret_integer = negative ? -integer : integer;
    return true;
}

/* start:end:step, after the start if there is one. */
static bool parse_slice(struct jsonpath_parser *parser, struct selector *selector)
{
    selector->kind = SELECT_SLICE;
    selector->step = 1;
    parser->at++; /* The colon. */
    jsonpath_skip_blank(parser);
    if (is_int_begin(parser)) {
        selector->has_end = true;
        if (!take_int(parser, &selector->end)) return false;
        jsonpath_skip_blank(parser);
    }
    if (!jsonpath_take(parser, ":")) return true;
    jsonpath_skip_blank(parser);
    return !is_int_begin(parser) || take_int(parser, &selector->step);
}

static bool parse_selector(struct jsonpath_parser *parser, struct selector *selector)
{
    char c = jsonpath_peek(parser, 0);
    size_t behind;

    *selector = (struct selector){.kind = SELECT_ALL};
    if (c == '"' || c == '\'') {
        selector->kind = SELECT_NAME;
        return jsonpath_string(parser, &selector->name);
    }
    if (jsonpath_take(parser, "*")) return true;
    if (jsonpath_take(parser, "?")) {
        selector->kind = SELECT_FILTER;
        jsonpath_skip_blank(parser);
        selector->filter = jsonpath_filter(parser);
        return selector->filter != NULL;
    }
    if (is_int_begin(parser)) {
        selector->kind = SELECT_INDEX;
        selector->has_start = true;
        if (!take_int(parser, &selector->start)) return false;
        behind = parser->at;
        jsonpath_skip_blank(parser);
        if (jsonpath_peek(parser, 0) == ':') return parse_slice(parser, selector);
        parser->at = behind;
        return true;
    }
    if (c == ':') return parse_slice(parser, selector);
    return jsonpath_wrong(parser, "a selector is missing or wrong");
}

/* After '['. */
static bool parse_brackets(struct jsonpath_parser *parser, struct segment *segment)
{
    struct selector selectors[JSONPATH_SELECTORS_MAX], *copy;
    uint32_t count = 0;

    do {
        if (count == JSONPATH_SELECTORS_MAX) return jsonpath_wrong(parser, "too many selectors");
        jsonpath_skip_blank(parser);
        if (!parse_selector(parser, &selectors[count])) return false;
        count++;
        jsonpath_skip_blank(parser);
    } while (jsonpath_take(parser, ","));
    if (!jsonpath_take(parser, "]")) return jsonpath_wrong(parser, "a ',' or ']' is missing");
    copy = jsonpath_alloc(parser, count * sizeof(*copy));
    if (copy == NULL) return false;
    memcpy(copy, selectors, count * sizeof(*copy));
    segment->selectors = copy;
    segment->count = count;
    return true;
}

/* A name or '*' without brackets. */
static bool parse_short(struct jsonpath_parser *parser, struct segment *segment)
{
    struct selector *selector = jsonpath_alloc(parser, sizeof(*selector));
    size_t len = name_len(parser);

    if (selector == NULL) return false;
    *selector = (struct selector){.kind = SELECT_ALL};
    if (!jsonpath_take(parser, "*")) {
        char *name;

        if (len == 0) return jsonpath_wrong(parser, "a name or '*' is missing");
        name = jsonpath_alloc(parser, len);
        if (name == NULL) return false;
        memcpy(name, parser->text + parser->at, len);
        selector->kind = SELECT_NAME;
        selector->name = value_string(name, len);
        parser->at += len;
    }
    segment->selectors = selector;
    segment->count = 1;
    return true;
}

static bool parse_segment(struct jsonpath_parser *parser, struct segment *segment)
{
    *segment = (struct segment){.descendant = jsonpath_take(parser, "..")};
    if (jsonpath_take(parser, "[")) return parse_brackets(parser, segment);
    if (!segment->descendant && !jsonpath_take(parser, ".")) {
        return jsonpath_wrong(parser, "a '.' or '[' is missing");
    }
    return parse_short(parser, segment);
}

static bool is_singular(const struct segment *segment)
{
    return !segment->descendant && segment->count == 1 &&
           (segment->selectors[0].kind == SELECT_NAME ||
            segment->selectors[0].kind == SELECT_INDEX);
}

const struct jsonpath *jsonpath_segments(struct jsonpath_parser *parser)
{
    struct segment *segments = jsonpath_alloc(parser, 0);
    struct jsonpath *path = jsonpath_alloc(parser, sizeof(*path));
    uint32_t capacity = 0;

    if (segments == NULL || path == NULL) return NULL;
    *path = (struct jsonpath){.singular = true};
    for (;;) {
        size_t behind = parser->at;
        char c;

        jsonpath_skip_blank(parser);
        c = jsonpath_peek(parser, 0);
        if (c != '.' && c != '[') {
            parser->at = behind;
            break;
        }
        if (path->count == JSONPATH_SEGMENTS_MAX) {
            (void)jsonpath_wrong(parser, "too many segments");
            return NULL;
        }
        if (path->count == capacity) {
            struct segment *grown;

            capacity = capacity == 0 ? 4 : capacity * 2;
            grown = jsonpath_alloc(parser, capacity * sizeof(*grown));
            if (grown == NULL) return NULL;
            memcpy(grown, segments, path->count * sizeof(*grown));
            segments = grown;
        }
        if (!parse_segment(parser, &segments[path->count])) return NULL;
        path->singular &= is_singular(&segments[path->count]);
        path->count++;
    }
    path->segments = segments;
    return path;
}

const struct jsonpath *jsonpath_compile(struct arena *arena, const char *text, size_t len,
                                        struct jsonpath_error *ret_error)
{
    struct jsonpath_parser parser = {.arena = arena, .text = text, .len = len, .error = ret_error};
    const struct jsonpath *path = jsonpath_segments(&parser);

    if (path != NULL && parser.at != len) {
        (void)jsonpath_wrong(&parser, "a '.' or '[' is missing");
    }
    return parser.failed ? NULL : path;
}
