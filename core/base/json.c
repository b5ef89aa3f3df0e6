/* The JSON writer of core/base/text.h (RFC 8259). Knows nothing of the text's failures: it goes
 * on counting levels, and the text ignores what it gets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

void json_init(struct json *json, struct text *out, bool compact)
{
    CHECK(out != NULL);
    *json = (struct json){.out = out, .compact = compact};
}

static bool is_on_one_line(const struct json *json)
{
    return json->compact || (json->line_depth != 0 && json->depth >= json->line_depth);
}

static void line_break(struct json *json)
{
    text_add(json->out, "\n", 1);
    for (uint32_t i = 0; i < json->depth; i++) {
        text_add(json->out, "  ", 2);
    }
}

/* What stands before an element of the innermost level: a comma and a line of its own. */
static void element_begin(struct json *json)
{
    bool *filled = &json->filled[json->depth - 1];

    if (*filled) text_add(json->out, ",", 1);
    if (!is_on_one_line(json)) {
        line_break(json);
    } else if (*filled && !json->compact) {
        text_add(json->out, " ", 1);
    }
    *filled = true;
}

static void value_begin(struct json *json)
{
    CHECK(!json->finished);
    if (json->depth == 0) return;
    if (json->in_object[json->depth - 1]) {
        CHECK(json->has_key);
        json->has_key = false;
    } else {
        element_begin(json);
    }
}

static void value_end(struct json *json)
{
    if (json->depth > 0) return;
    json->finished = true;
    text_add(json->out, "\n", 1);
}

static void level_begin(struct json *json, bool is_object)
{
    value_begin(json);
    CHECK(json->depth < JSON_DEPTH_MAX);
    text_add(json->out, is_object ? "{" : "[", 1);
    json->in_object[json->depth] = is_object;
    json->filled[json->depth] = false;
    json->depth++;
}

void json_object(struct json *json)
{
    level_begin(json, true);
}

void json_array(struct json *json)
{
    level_begin(json, false);
}

void json_object_line(struct json *json)
{
    level_begin(json, true);
    if (json->line_depth == 0) json->line_depth = json->depth;
}

void json_end(struct json *json)
{
    bool on_one_line = is_on_one_line(json);

    CHECK(json->depth > 0);
    CHECK(!json->has_key);
    if (json->depth == json->line_depth) json->line_depth = 0;
    json->depth--;
    if (json->filled[json->depth] && !on_one_line) line_break(json);
    text_add(json->out, json->in_object[json->depth] ? "}" : "]", 1);
    value_end(json);
}

static void add_escaped(struct text *out, unsigned char c)
{
    static const char letters[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                      {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};

    for (size_t i = 0; i < COUNT(letters); i++) {
        if (c == (unsigned char)letters[i][0]) {
            text_printf(out, "\\%c", letters[i][1]);
            return;
        }
    }
    text_printf(out, "\\u%04x", c);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static void add_quoted(struct text *out, const char *str, size_t len)
{
    const unsigned char *at = (const unsigned char *)str;
    size_t from = 0, i = 0; /* What is between `from` and `i` is added as it is. */

    text_add(out, "\"", 1);
    while (i < len) {
        size_t step = utf8_len(at + i, len - i);

        if (step > 0 && !needs_escape(at[i])) {
            i += step;
            continue;
        }
        text_add(out, str + from, i - from);
        if (step == 0) {
            text_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        } else {
            add_escaped(out, at[i]);
        }
        i++;
        from = i;
    }
    if (from < len) text_add(out, str + from, len - from);
    text_add(out, "\"", 1);
}

void json_key(struct json *json, const char *key)
{
    CHECK(key != NULL);
    json_key_len(json, key, strlen(key));
}

void json_key_len(struct json *json, const char *key, size_t len)
{
    CHECK(json->depth > 0);
    CHECK(json->in_object[json->depth - 1]);
    CHECK(!json->has_key);
    element_begin(json);
    add_quoted(json->out, key, len);
    text_add_str(json->out, json->compact ? ":" : ": ");
    json->has_key = true;
}

void json_str(struct json *json, const char *str)
{
    CHECK(str != NULL);
    json_str_len(json, str, strlen(str));
}

void json_str_len(struct json *json, const char *str, size_t len)
{
    value_begin(json);
    add_quoted(json->out, str, len);
    value_end(json);
}

static void json_word(struct json *json, const char *word)
{
    value_begin(json);
    text_add_str(json->out, word);
    value_end(json);
}

void json_u64(struct json *json, uint64_t value)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    json_word(json, digits);
}

/* Makes `number`, as printf writes it, the shortest that means the same: no zeros at the end of
 * the decimals, no point without decimals, no minus before a zero. Whatever the locale puts
 * between the digits becomes a point. */
static void number_trim(char *number)
{
    size_t from = 0, to = 0, point = 0;

    while (number[from] != '\0') {
        char c = number[from++];

        if ((c >= '0' && c <= '9') || (c == '-' && to == 0)) {
            number[to++] = c;
        } else if (point == 0) {
            point = to;
            number[to++] = '.';
        }
    }
    if (point != 0) {
        while (number[to - 1] == '0') {
            to--;
        }
        if (to - 1 == point) to--;
    }
    number[to] = '\0';
    if (strcmp(number, "-0") == 0) memcpy(number, "0", 2);
}

void json_double(struct json *json, double value, int decimals)
{
    char number[336]; /* A sign, 309 digits, a point of a few bytes, 9 decimals. */

    CHECK(decimals >= 0 && decimals <= 9);
    if (!isfinite(value)) {
        json_null(json);
        return;
    }
    (void)snprintf(number, sizeof(number), "%.*f", decimals, value);
    number_trim(number);
    json_word(json, number);
}

void json_bool(struct json *json, bool value)
{
    json_word(json, value ? "true" : "false");
}

void json_null(struct json *json)
{
    json_word(json, "null");
}

void json_put_str(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_str(json, value);
}

void json_put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

void json_put_double(struct json *json, const char *key, double value, int decimals)
{
    json_key(json, key);
    json_double(json, value, decimals);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void json_put_counts(struct json *json, const char *key, const uint64_t *counts,
                     const char *const *names, size_t count)
{
    json_key(json, key);
    json_object(json);
    for (size_t i = 0; i < count; i++) {
        if (counts[i] != 0) json_put_u64(json, names[i], counts[i]);
    }
    json_end(json);
}
