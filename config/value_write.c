/* Values as text. Doubles are written in the shortest form that reads back as the same, which is
 * found without the C library's decimal point, as that depends on the locale. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "core/base/check.h"

enum { DIGITS_MAX = 17 }; /* That any double needs (IEEE 754, binary64). */

/* A decimal number: 0.DIGITS times ten to the power of `point`. */
struct decimal {
    char digits[DIGITS_MAX + 3]; /* Terminated; no zeros at the end. */
    int count;
    int point;
};

static size_t format_u64(uint64_t number, char *text)
{
    char reversed[20];
    size_t len = 0;

    do {
        reversed[len++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < len; i++) {
        text[i] = reversed[len - 1 - i];
    }
    return len;
}

static void trim_zeros(struct decimal *decimal)
{
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0') {
        decimal->count--;
    }
    decimal->digits[decimal->count] = '\0';
}

/* Most numbers that people write have few decimals: if N / 10^decimals, both exact, is the double,
 * then so is the text of it, since division rounds correctly. */
static bool decimal_short(double real, struct decimal *decimal)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

    if (real >= 1e9 || real < 1e-3) return false;
    for (int i = 0; i < (int)COUNT(powers); i++) {
        double scaled = nearbyint(real * powers[i]);

        if (scaled / powers[i] == real) {
            decimal->count = (int)format_u64((uint64_t)scaled, decimal->digits);
            decimal->point = decimal->count - i;
            trim_zeros(decimal);
            return true;
        }
    }
    return false;
}

/* The digits of a positive double rounded to `count` of them. */
static void decimal_rounded(double real, int count, struct decimal *decimal)
{
    char text[48];
    const char *at = text;

    (void)snprintf(text, sizeof(text), "%.*e", count - 1, real);
    decimal->count = 0;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') decimal->digits[decimal->count++] = *at;
    }
    decimal->point = (int)strtol(at + 1, NULL, 10) + 1;
    trim_zeros(decimal);
}

static double decimal_read(const struct decimal *decimal)
{
    char text[48];

    (void)snprintf(text, sizeof(text), "%se%d", decimal->digits, decimal->point - decimal->count);
    return strtod(text, NULL);
}

static void decimal_shortest(double real, struct decimal *decimal)
{
    if (decimal_short(real, decimal)) return;
    for (int count = 15; count < DIGITS_MAX; count++) {
        decimal_rounded(real, count, decimal);
        if (decimal_read(decimal) == real) return;
    }
    decimal_rounded(real, DIGITS_MAX, decimal);
}

static char *put(char *at, const char *data, int len)
{
    memcpy(at, data, (size_t)len);
    return at + len;
}

static char *put_zeros(char *at, int count)
{
    for (; count > 0; count--) {
        *at++ = '0';
    }
    return at;
}

static char *put_exponent(char *at, const struct decimal *decimal)
{
    int exponent = decimal->point - 1;

    at = put(at, decimal->digits, 1);
    if (decimal->count > 1) {
        *at++ = '.';
        at = put(at, decimal->digits + 1, decimal->count - 1);
    }
    *at++ = 'e';
    if (exponent < 0) *at++ = '-';
    return at + format_u64((uint64_t)abs(exponent), at);
}

size_t value_format_double(double real, char *text)
{
    struct decimal decimal = {.digits = "0", .count = 1, .point = 1};
    char *at = text;

    CHECK(isfinite(real));
    if (signbit(real)) *at++ = '-';
    if (real != 0) decimal_shortest(fabs(real), &decimal);
    if (decimal.point > 16 || decimal.point < -4) {
        at = put_exponent(at, &decimal);
    } else if (decimal.point <= 0) {
        at = put(at, "0.", 2);
        at = put_zeros(at, -decimal.point);
        at = put(at, decimal.digits, decimal.count);
    } else if (decimal.count <= decimal.point) {
        at = put(at, decimal.digits, decimal.count);
        at = put_zeros(at, decimal.point - decimal.count);
        at = put(at, ".0", 2);
    } else {
        at = put(at, decimal.digits, decimal.point);
        *at++ = '.';
        at = put(at, decimal.digits + decimal.point, decimal.count - decimal.point);
    }
    CHECK(at - text <= VALUE_NUMBER_BYTES);
    return (size_t)(at - text);
}

static void write_int(int64_t integer, struct buf *buf)
{
    char text[VALUE_NUMBER_BYTES];
    size_t len = 0;

    if (integer < 0) text[len++] = '-';
    len += format_u64(integer < 0 ? -(uint64_t)integer : (uint64_t)integer, text + len);
    buf_add(buf, text, len);
}

static void write_double(double real, struct buf *buf)
{
    char text[VALUE_NUMBER_BYTES];

    buf_add(buf, text, value_format_double(real, text));
}

static void write_escape(unsigned char c, struct buf *buf)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (c == (unsigned char)letters[i]) {
            buf_add(buf, (char[]){'\\', letters[i + 1]}, 2);
            return;
        }
    }
    buf_add(buf, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void value_write_escaped(const char *string, size_t len, struct buf *buf)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)string[i];

        if (likely(c >= 0x20 && c != '"' && c != '\\')) continue;
        buf_add(buf, string + from, i - from);
        write_escape(c, buf);
        from = i + 1;
    }
    buf_add(buf, string + from, len - from);
}

static void write_quoted(const struct value *string, struct buf *buf)
{
    buf_add_char(buf, '"');
    value_write_escaped(string->string, string->len, buf);
    buf_add_char(buf, '"');
}

/* How containers are laid out. */
struct layout {
    bool pretty;
    uint32_t level;
};

static void write_break(const struct layout *layout, struct buf *buf)
{
    if (!layout->pretty) return;
    buf_add_char(buf, '\n');
    for (uint32_t i = 0; i < layout->level; i++) {
        buf_add(buf, "  ", 2);
    }
}

static void write_json(const struct value *value, struct layout *layout, struct buf *buf);

static void write_container(const struct value *value, struct layout *layout, struct buf *buf)
{
    bool is_array = value->kind == VALUE_ARRAY;

    buf_add_char(buf, is_array ? '[' : '{');
    layout->level++;
    for (uint32_t i = 0; i < value->len && !buf->full; i++) {
        if (i > 0) buf_add_char(buf, ',');
        write_break(layout, buf);
        if (is_array) {
            write_json(&value->elements[i], layout, buf);
            continue;
        }
        write_quoted(&value->members[i].key, buf);
        buf_add(buf, ": ", layout->pretty ? 2 : 1);
        write_json(&value->members[i].value, layout, buf);
    }
    layout->level--;
    if (value->len > 0) write_break(layout, buf);
    buf_add_char(buf, is_array ? ']' : '}');
}

static void write_json(const struct value *value, struct layout *layout, struct buf *buf)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NULL: buf_add(buf, "null", 4); return;
    case VALUE_BOOL:
        buf_add(buf, value->boolean ? "true" : "false", value->boolean ? 4 : 5);
        return;
    case VALUE_INT: write_int(value->integer, buf); return;
    case VALUE_DOUBLE: write_double(value->real, buf); return;
    case VALUE_STRING: write_quoted(value, buf); return;
    case VALUE_ARRAY:
    case VALUE_OBJECT: write_container(value, layout, buf); return;
    }
    UNREACHABLE("kind of a value");
}

void value_write_json(const struct value *value, struct buf *buf)
{
    struct layout layout = {.pretty = false};

    write_json(value, &layout, buf);
}

void value_write_json_pretty(const struct value *value, struct buf *buf)
{
    struct layout layout = {.pretty = true};

    write_json(value, &layout, buf);
}

void value_write(const struct value *value, struct buf *buf)
{
    if (likely(value->kind == VALUE_STRING)) {
        buf_add(buf, value->string, value->len);
    } else {
        value_write_json(value, buf);
    }
}
