/* Numbers are read in integers, as a whole part and 18 decimals, so that "0.1s" is exactly
 * 100,000,000 ns and the process's locale has no say; they are written the same way. */
#include "core/base/units.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"

__extension__ typedef unsigned __int128 u128;

enum { DECIMALS = 18 };
static const uint64_t one = UINT64_C(1000000000000000000); /* 10^DECIMALS */
static const uint64_t count_max = INT64_MAX;
static const uint64_t time_max_ns =
    UINT64_C(36525) * 86400 * NS_PER_S;                         /* 100 years of 365.25 days. */
static const uint64_t rate_max_per_s = UINT64_C(1000000000000); /* 1e12 */

/* A number as it was written: whole + decimals / 10^18. */
struct number {
    uint64_t whole;    /* At most count_max. */
    uint64_t decimals; /* Below `one`. */
    bool cut;          /* There were more decimals, and not all were 0. */
};

struct unit {
    const char *name; /* In lower case. */
    uint64_t scale;
};

/* The prefixes k M G T P are powers of 1000. */
static const struct unit prefixes[] = {{"k", UINT64_C(1000)},
                                       {"m", UINT64_C(1000000)},
                                       {"g", UINT64_C(1000000000)},
                                       {"t", UINT64_C(1000000000000)},
                                       {"p", UINT64_C(1000000000000000)}};

static const struct unit time_units[] = {
    {"us", NS_PER_US},      {"ms", NS_PER_MS},       {"s", NS_PER_S},
    {"sec", NS_PER_S},      {"m", 60 * NS_PER_S},    {"min", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S}, {"hr", 3600 * NS_PER_S}, {"d", 86400 * NS_PER_S}};

/* Of durations in test files, which may be spelt out. */
static const struct unit duration_units[] = {
    {"us", NS_PER_US},         {"ms", NS_PER_MS},          {"s", NS_PER_S},
    {"sec", NS_PER_S},         {"secs", NS_PER_S},         {"second", NS_PER_S},
    {"seconds", NS_PER_S},     {"m", 60 * NS_PER_S},       {"min", 60 * NS_PER_S},
    {"mins", 60 * NS_PER_S},   {"minute", 60 * NS_PER_S},  {"minutes", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S},    {"hr", 3600 * NS_PER_S},    {"hrs", 3600 * NS_PER_S},
    {"hour", 3600 * NS_PER_S}, {"hours", 3600 * NS_PER_S}, {"d", 86400 * NS_PER_S},
    {"day", 86400 * NS_PER_S}, {"days", 86400 * NS_PER_S},
};

static const struct unit byte_units[] = {
    {"b", 1},         {"kb", 1000},     {"mb", 1000000},  {"gb", 1000000000},
    {"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
};

/* Hits per minute, so that both are whole. */
static const struct unit hit_units[] = {{"hps", 60}, {"hpm", 1}};

/* ctype.h asks the locale; these do not. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char to_lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c;
}

/* Reads digits, and decimals if a point follows, from `*at` on, and moves `*at` behind them. */
static bool number_parse(const char **at, struct number *ret_number)
{
    struct number number = {0};
    uint64_t weight = one;
    const char *c = *at;

    if (!is_digit(*c)) return false;
    for (; is_digit(*c); c++) {
        uint64_t digit = (uint64_t)(*c - '0');

        if (number.whole > (count_max - digit) / 10) return false;
        number.whole = number.whole * 10 + digit;
    }
    if (*c == '.') {
        c++;
        if (!is_digit(*c)) return false;
        for (; is_digit(*c); c++) {
            weight /= 10;
            number.decimals += weight * (uint64_t)(*c - '0');
            if (weight == 0 && *c != '0') number.cut = true;
        }
    }
    *at = c;
    *ret_number = number;
    return true;
}

/* Reads the letters at `*at`, which must be one of `units`, and moves `*at` behind them. */
static bool unit_parse(const char **at, const struct unit *units, size_t units_count,
                       uint64_t *ret_scale)
{
    size_t len = 0;

    while (is_letter((*at)[len])) {
        len++;
    }
    for (size_t i = 0; i < units_count; i++) {
        size_t same = 0;

        while (same < len && units[i].name[same] == to_lower((*at)[same])) {
            same++;
        }
        if (same < len || units[i].name[len] != '\0') continue;
        *at += len;
        *ret_scale = units[i].scale;
        return true;
    }
    return false;
}

/* Gives number * scale if that is whole and at most `max`. */
static bool number_scale(const struct number *number, uint64_t scale, uint64_t max,
                         uint64_t *ret_value)
{
    u128 part = (u128)number->decimals * scale; /* Below 10^18 * 10^15: far from 2^128. */
    u128 value = (u128)number->whole * scale + part / one;

    /* No scale has more than 16 twos or fives in it, so a 19th decimal cannot come out whole. */
    if (number->cut || part % one != 0) return false;
    if (value > max) return false;
    *ret_value = (uint64_t)value;
    return true;
}

/* Reads all of `str`: a number and perhaps a prefix. */
static bool prefixed_parse(const char *str, struct number *ret_number, uint64_t *ret_scale)
{
    CHECK(str != NULL);
    if (!number_parse(&str, ret_number)) return false;
    *ret_scale = 1;
    if (*str == '\0') return true;
    return unit_parse(&str, prefixes, COUNT(prefixes), ret_scale) && *str == '\0';
}

bool units_parse_count(const char *str, uint64_t *ret_count)
{
    struct number number;
    uint64_t scale;

    if (!prefixed_parse(str, &number, &scale)) return false;
    return number_scale(&number, scale, count_max, ret_count);
}

bool units_parse_rate(const char *str, double *ret_per_s)
{
    struct number number;
    uint64_t scale;
    u128 whole, part;

    if (!prefixed_parse(str, &number, &scale)) return false;
    part = (u128)number.decimals * scale;
    whole = (u128)number.whole * scale + part / one;
    part %= one;
    if (whole > rate_max_per_s) return false;
    if (whole == rate_max_per_s && (part > 0 || number.cut)) return false;
    *ret_per_s = (double)((long double)whole + (long double)part / (long double)one);
    return true;
}

bool units_parse_time_ns(const char *str, uint64_t *ret_ns)
{
    struct number number;
    uint64_t total_ns = 0, part_ns, scale;

    CHECK(str != NULL);
    if (!number_parse(&str, &number)) return false;
    if (*str == '\0') return number_scale(&number, NS_PER_S, time_max_ns, ret_ns);
    for (;;) {
        if (!unit_parse(&str, time_units, COUNT(time_units), &scale)) return false;
        if (!number_scale(&number, scale, time_max_ns - total_ns, &part_ns)) return false;
        total_ns += part_ns;
        if (*str == '\0') break;
        if (!number_parse(&str, &number)) return false;
    }
    *ret_ns = total_ns;
    return true;
}

static void skip_spaces(const char **at)
{
    while (**at == ' ' || **at == '\t') {
        ++*at;
    }
}

bool units_parse_duration_ns(const char *str, uint64_t *ret_ns)
{
    uint64_t total_ns = 0;

    CHECK(str != NULL);
    skip_spaces(&str);
    do {
        struct number number;
        uint64_t scale, part_ns;

        if (!number_parse(&str, &number)) return false;
        skip_spaces(&str);
        if (!unit_parse(&str, duration_units, COUNT(duration_units), &scale)) return false;
        if (!number_scale(&number, scale, time_max_ns - total_ns, &part_ns)) return false;
        total_ns += part_ns;
        skip_spaces(&str);
    } while (*str != '\0');
    *ret_ns = total_ns;
    return true;
}

bool units_parse_bytes(const char *str, uint64_t *ret_bytes)
{
    struct number number;
    uint64_t scale = 1;

    CHECK(str != NULL);
    if (!number_parse(&str, &number)) return false;
    skip_spaces(&str);
    if (*str != '\0' && !unit_parse(&str, byte_units, COUNT(byte_units), &scale)) return false;
    return *str == '\0' && number_scale(&number, scale, count_max, ret_bytes);
}

static double number_value(const struct number *number)
{
    return (double)((long double)number->whole + (long double)number->decimals / (long double)one);
}

bool units_parse_percent(const char *str, double *ret_share)
{
    struct number number;

    CHECK(str != NULL);
    if (!number_parse(&str, &number) || str[0] != '%' || str[1] != '\0') return false;
    *ret_share = number_value(&number) / 100;
    return true;
}

bool units_parse_hits(const char *str, double *ret_per_s)
{
    struct number number;
    uint64_t scale;

    CHECK(str != NULL);
    if (!number_parse(&str, &number)) return false;
    while (*str == ' ') {
        str++;
    }
    if (!unit_parse(&str, hit_units, COUNT(hit_units), &scale) || *str != '\0') return false;
    *ret_per_s = number_value(&number) * (double)scale / 60;
    return true;
}

/* n / scale to the nearest whole, halves up. */
static uint64_t divide_rounded(uint64_t n, uint64_t scale)
{
    return n / scale + (n % scale >= scale - scale / 2);
}

/* Writes `total` small units as big ones and the rest, which is left out when it is 0. */
static void write_two_units(char *buf, uint64_t total, uint32_t small_per_big, const char *big,
                            const char *small)
{
    unsigned long long whole = total / small_per_big, rest = total % small_per_big;

    if (rest == 0) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%llu %s", whole, big);
    } else {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%llu %s %llu %s", whole, big, rest, small);
    }
}

const char *units_time(char *buf, uint64_t ns)
{
    static const struct {
        const char *name;
        uint64_t scale, limit; /* As many of them are one of the next unit. */
    } steps[] = {{"us", NS_PER_US, 1000}, {"ms", NS_PER_MS, 1000}, {"s", NS_PER_S, 60}};
    const uint64_t minute = 60 * NS_PER_S, hour = 60 * minute;

    if (ns < NS_PER_US) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u ns", (unsigned)ns);
        return buf;
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        uint64_t hundredths = divide_rounded(ns, steps[i].scale / 100);
        uint64_t tenths = divide_rounded(ns, steps[i].scale / 10);

        if (hundredths < 1000) {
            (void)snprintf(buf, UNITS_TEXT_MAX, "%u.%02u %s", (unsigned)hundredths / 100,
                           (unsigned)hundredths % 100, steps[i].name);
            return buf;
        }
        if (tenths < steps[i].limit * 10) {
            (void)snprintf(buf, UNITS_TEXT_MAX, "%u.%u %s", (unsigned)tenths / 10,
                           (unsigned)tenths % 10, steps[i].name);
            return buf;
        }
    }
    if (divide_rounded(ns, NS_PER_S) < 3600) {
        write_two_units(buf, divide_rounded(ns, NS_PER_S), 60, "m", "s");
    } else if (divide_rounded(ns, minute) < UINT64_C(24) * 60) {
        write_two_units(buf, divide_rounded(ns, minute), 60, "h", "m");
    } else {
        write_two_units(buf, divide_rounded(ns, hour), 24, "d", "h");
    }
    return buf;
}

/* What the display functions print for a figure that is none. */
static const char *write_none(char *buf)
{
    (void)snprintf(buf, UNITS_TEXT_MAX, "-");
    return buf;
}

const char *units_bytes(char *buf, double bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = bytes;
    uint64_t tenths;

    if (!(bytes >= 0 && bytes < 0x1p64)) return write_none(buf);
    if (value < 1023.5) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u B", (unsigned)(value + 0.5));
        return buf;
    }
    for (size_t i = 0;; i++) {
        CHECK(i < COUNT(names));
        value /= 1024;
        tenths = (uint64_t)(value * 10 + 0.5);
        if (tenths >= 10240) continue;
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u.%u %s", (unsigned)tenths / 10,
                       (unsigned)tenths % 10, names[i]);
        return buf;
    }
}

/* Writes `value` in three significant digits; false when it rounds to 1000 or more. */
static bool write_three_digits(char *buf, double value, const char *suffix)
{
    unsigned hundredths, tenths, whole;

    if (value >= 999.5) return false;
    hundredths = (unsigned)(value * 100 + 0.5);
    tenths = (unsigned)(value * 10 + 0.5);
    whole = (unsigned)(value + 0.5);
    if (hundredths < 1000) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u.%02u%s", hundredths / 100, hundredths % 100,
                       suffix);
    } else if (tenths < 1000) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u.%u%s", tenths / 10, tenths % 10, suffix);
    } else {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u%s", whole, suffix);
    }
    return true;
}

const char *units_count(char *buf, double value)
{
    static const char *const suffixes[] = {"", "k", "M", "G", "T", "P"};

    if (!(value >= 0 && value < 999.5e15)) return write_none(buf);
    if (value > 0 && value < 0.005) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "<0.01");
        return buf;
    }
    if (value < 999.5 && value == (double)(unsigned)value) {
        (void)snprintf(buf, UNITS_TEXT_MAX, "%u", (unsigned)value);
        return buf;
    }
    for (size_t i = 0; !write_three_digits(buf, value, suffixes[i]); i++) {
        CHECK(i + 1 < COUNT(suffixes));
        value /= 1000;
    }
    return buf;
}

const char *units_grouped(char *buf, uint64_t value)
{
    char digits[24];
    size_t len, to = 0;

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) buf[to++] = ',';
        buf[to++] = digits[i];
    }
    buf[to] = '\0';
    return buf;
}
