/* Decimal to binary. Short numbers by one exact multiplication or division (Clinger, "How to read
 * floating point numbers accurately", 1990), all others by strtod(), which gets whole digits and
 * an exponent only, so that the locale's decimal point does not matter. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_scan.h"

enum {
    DIGITS_MAX = 800, /* 767 significant digits decide a double; one more stands for the rest. */
    EXPONENT_MAX = 100000, /* Anything beyond is 0 or too large, with DIGITS_MAX digits too. */
};

struct number {
    uint64_t mantissa; /* The first 19 significant digits. */
    char digits[DIGITS_MAX];
    int digits_count; /* Significant ones, DIGITS_MAX at most. */
    int exponent;     /* Of the last one of them. */
    bool negative;
};

size_t json_number_len(const char *text, size_t len)
{
    size_t i = 0, begin;

    if (i < len && text[i] == '-') i++;
    begin = i;
    while (i < len && json_is_digit(text[i])) {
        i++;
    }
    if (i == begin || (i > begin + 1 && text[begin] == '0')) return 0;
    if (i < len && text[i] == '.') {
        begin = ++i;
        while (i < len && json_is_digit(text[i])) {
            i++;
        }
        if (i == begin) return 0;
    }
    if (i < len && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < len && (text[i] == '+' || text[i] == '-')) i++;
        begin = i;
        while (i < len && json_is_digit(text[i])) {
            i++;
        }
        if (i == begin) return 0;
    }
    return i;
}

static int clamp(int64_t exponent)
{
    if (exponent > EXPONENT_MAX) return EXPONENT_MAX;
    return exponent < -EXPONENT_MAX ? -EXPONENT_MAX : (int)exponent;
}

static void add_digit(struct number *number, char digit)
{
    if (number->digits_count == 0 && digit == '0') return;
    if (number->digits_count < 19) {
        number->mantissa = number->mantissa * 10 + (uint64_t)(digit - '0');
    }
    if (number->digits_count < DIGITS_MAX) {
        number->digits[number->digits_count++] = digit;
        return;
    }
    /* The last one kept says whether anything followed. */
    if (digit != '0') number->digits[DIGITS_MAX - 1] = '1';
    if (number->exponent < EXPONENT_MAX) number->exponent++;
}

static void read_number(const char *text, size_t len, struct number *number)
{
    int64_t exponent = 0, decimals = 0;
    size_t i = 0;

    number->mantissa = 0;
    number->digits_count = number->exponent = 0;
    number->negative = text[0] == '-';
    if (number->negative) i++;
    for (; i < len && json_is_digit(text[i]); i++) {
        add_digit(number, text[i]);
    }
    if (i < len && text[i] == '.') {
        for (i++; i < len && json_is_digit(text[i]); i++) {
            add_digit(number, text[i]);
            decimals++;
        }
    }
    if (i < len) {
        bool negative = text[++i] == '-';

        if (text[i] == '-' || text[i] == '+') i++;
        for (; i < len; i++) {
            exponent = exponent * 10 + (text[i] - '0');
            if (exponent > INT32_MAX) exponent = INT32_MAX;
        }
        if (negative) exponent = -exponent;
    }
    number->exponent = clamp(number->exponent + exponent - decimals);
}

static double number_as_double(const struct number *number)
{
    static const double powers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    char text[DIGITS_MAX + 16];
    double real;
    int at = number->digits_count, exponent = number->exponent;

    if (number->digits_count == 0) return 0;
    if (number->digits_count <= 19 && number->mantissa <= UINT64_C(1) << 53) {
        if (exponent >= 0 && exponent <= 22) return (double)number->mantissa * powers[exponent];
        if (exponent < 0 && exponent >= -22) return (double)number->mantissa / powers[-exponent];
    }
    memcpy(text, number->digits, (size_t)at);
    text[at++] = 'e';
    if (exponent < 0) text[at++] = '-';
    exponent = abs(exponent);
    for (int unit = EXPONENT_MAX; unit > 0; unit /= 10) {
        text[at++] = (char)('0' + exponent / unit % 10);
    }
    text[at] = '\0';
    real = strtod(text, NULL);
    return real > DBL_MAX ? DBL_MAX : real;
}

/* The common case: up to 18 digits and nothing else. */
static bool short_int(const char *text, size_t len, int64_t *ret_integer)
{
    size_t i = text[0] == '-';
    int64_t integer = 0;

    if (len - i > 18) return false;
    for (size_t at = i; at < len; at++) {
        if (!json_is_digit(text[at])) return false;
        integer = integer * 10 + (text[at] - '0');
    }
    *ret_integer = i == 1 ? -integer : integer;
    return true;
}

struct value json_number(const char *text, size_t len)
{
    struct number number;
    int64_t integer;
    double real;

    if (short_int(text, len, &integer)) return value_int(integer);
    read_number(text, len, &number);
    if (memchr(text, '.', len) == NULL && memchr(text, 'e', len) == NULL &&
        memchr(text, 'E', len) == NULL && number.digits_count <= 19) {
        uint64_t max = (uint64_t)INT64_MAX + number.negative;

        if (number.mantissa <= max) {
            uint64_t bits = number.negative ? -number.mantissa : number.mantissa;

            return value_int((int64_t)bits);
        }
    }
    real = number_as_double(&number);
    return value_double(number.negative ? -real : real);
}
