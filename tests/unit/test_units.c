/* What the units promise: every right spelling its exact value, every wrong one refused with the
 * result untouched, and every figure written so that it reads back as what it was. */
#include "core/base/units.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

static const uint64_t untouched = UINT64_C(0xdeadbeef);

static const struct {
    const char *str;
    uint64_t count;
} counts[] = {
    {"0", 0},
    {"1", 1},
    {"007", 7},
    {"42", 42},
    {"1k", 1000},
    {"1K", 1000},
    {"10m", 10000000},
    {"10M", 10000000},
    {"2g", UINT64_C(2000000000)},
    {"2G", UINT64_C(2000000000)},
    {"3t", UINT64_C(3000000000000)},
    {"3T", UINT64_C(3000000000000)},
    {"4p", UINT64_C(4000000000000000)},
    {"4P", UINT64_C(4000000000000000)},
    {"1.5k", 1500},
    {"0.001k", 1},
    {"1.0", 1},
    {"2.000000000000000000000000000", 2},
    {"1.500000000000000000000000000k", 1500},
    {"0.000000000000001P", 1},
    {"1.234567M", 1234567},
    {"9223372036854775807", INT64_MAX},
    {"9223.372036854775807P", INT64_MAX},
    {"0000000000000000000000000000000000000005", 5},
};

static const char *const bad_counts[] = {
    "",
    " ",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1 k",
    "k",
    ".",
    ".5k",
    "5.",
    "5.k",
    "1.5",
    "0.1",
    "1.0000000000000000001",
    "1.0000000000000000001k",
    "1.2345k",
    "1.2.3k",
    "1kk",
    "1kb",
    "1ki",
    "1e3",
    "0x10",
    "1,000",
    "1_000",
    "1s",
    "ten",
    "nan",
    "inf",
    "9223372036854775808",
    "9223.372036854775808P",
    "9224P",
    "18446744073709551616",
    "99999999999999999999999999999999999999999999",
    "99999999999999999999P",
    "\xd9\xa1",
    "1\xc2\xb5",
};

static void test_units_parse_count_takes_right_spellings(void)
{
    for (size_t i = 0; i < COUNT(counts); i++) {
        uint64_t count = untouched;

        EXPECT(units_parse_count(counts[i].str, &count));
        EXPECT(count == counts[i].count);
    }
}

static void test_units_parse_count_refuses_wrong_spellings(void)
{
    for (size_t i = 0; i < COUNT(bad_counts); i++) {
        uint64_t count = untouched;

        EXPECT(!units_parse_count(bad_counts[i], &count));
        EXPECT(count == untouched);
    }
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 2.3e-16 * fabs(b); /* One unit in the last place. */
}

static void test_units_parse_rate_takes_right_spellings(void)
{
    static const struct {
        const char *str;
        double per_s;
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"0.1", 0.1},
        {"0.5", 0.5},
        {"2.5", 2.5},
        {"1.2345k", 1234.5},
        {"1.5M", 1.5e6},
        {"0.3333333333333333333333333333", 1.0 / 3},
        {"0.000000000000000001", 1e-18},
        {"1000000000000", 1e12},
        {"1T", 1e12},
        {"0.001P", 1e12},
        {"999999999999.75", 999999999999.75},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        double per_s = -1;

        EXPECT(units_parse_rate(rows[i].str, &per_s));
        EXPECT(is_near(per_s, rows[i].per_s));
    }
}

static void test_units_parse_rate_refuses_wrong_spellings(void)
{
    static const char *const rows[] = {
        "",
        "-1",
        "+1",
        ".5",
        "5.",
        "1e3",
        "nan",
        "inf",
        "1/s",
        "1 k",
        " 1",
        "1k ",
        "1.1T",
        "0.0011P",
        "1000000000001",
        "1000000000000.1",
        "1000000000000.0000000000000000001",
        "99999999999999999999",
        "1s",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        double per_s = -1;

        EXPECT(!units_parse_rate(rows[i], &per_s));
        EXPECT(is_near(per_s, -1));
    }
}

static void test_units_parse_rate_agrees_with_strtod(void)
{
    struct rng rng;

    rng_init(&rng, 21);
    for (int i = 0; i < 100000; i++) {
        uint64_t whole = rng_below(&rng, UINT64_C(1) << rng_below(&rng, 40));
        uint64_t decimals = rng_below(&rng, UINT64_C(1000000000000000000));
        char str[64];
        double per_s = -1;

        (void)snprintf(str, sizeof(str), "%llu.%018llu", (unsigned long long)whole,
                       (unsigned long long)decimals);
        EXPECT(units_parse_rate(str, &per_s));
        EXPECT(is_near(per_s, strtod(str, NULL)));
    }
}

static const struct {
    const char *str;
    uint64_t ns;
} times[] = {
    {"0", 0},
    {"90", 90 * NS_PER_S},
    {"1.5", 1500 * NS_PER_MS},
    {"0.000000001", 1},
    {"1m30s", 90 * NS_PER_S},
    {"1.5m30s", 120 * NS_PER_S},
    {"250ms", 250 * NS_PER_MS},
    {"250MS", 250 * NS_PER_MS},
    {"0.5s", 500 * NS_PER_MS},
    {"0.1s", 100 * NS_PER_MS},
    {"10s", 10 * NS_PER_S},
    {"10S", 10 * NS_PER_S},
    {"10sec", 10 * NS_PER_S},
    {"10SEC", 10 * NS_PER_S},
    {"1h", 3600 * NS_PER_S},
    {"1H", 3600 * NS_PER_S},
    {"1hr", 3600 * NS_PER_S},
    {"1Hr", 3600 * NS_PER_S},
    {"2m", 120 * NS_PER_S},
    {"2M", 120 * NS_PER_S},
    {"2min", 120 * NS_PER_S},
    {"2MIN", 120 * NS_PER_S},
    {"1d", 86400 * NS_PER_S},
    {"1D", 86400 * NS_PER_S},
    {"7us", 7 * NS_PER_US},
    {"7Us", 7 * NS_PER_US},
    {"0.001us", 1},
    {"0.0000152587890625d", UINT64_C(1318359375)},
    {"1d2h3m4s5ms6us", UINT64_C(93784005006000)},
    {"30s1m", 90 * NS_PER_S},
    {"1s1s", 2 * NS_PER_S},
    {"0s0ms", 0},
    {"36525d", UINT64_C(3155760000) * NS_PER_S},
    {"3155760000", UINT64_C(3155760000) * NS_PER_S},
    {"36524d86400s", UINT64_C(3155760000) * NS_PER_S},
};

static const char *const bad_times[] = {
    "",
    " ",
    "s",
    "ms",
    "-1s",
    "+1s",
    " 1s",
    "1s ",
    "1 s",
    "1m 30s",
    "1m30",
    "30m5",
    "0s5",
    "1mm",
    "1mss",
    "1ns",
    "1min30",
    "1sek",
    "1hrs",
    "1hour",
    "1secs",
    "1se",
    "1mi",
    "1u",
    "1w",
    "1y",
    "1k",
    "1ks",
    ".5s",
    "5.s",
    "1..5s",
    "1.5.5s",
    "1e3s",
    "1:30",
    "1,5s",
    "0.0000000001",
    "0.0001us",
    "0.5us0.0001us",
    "1.0000000001s",
    "1.0000000000000000000001s",
    "36525d1us",
    "36525.1d",
    "3155760000.000000001",
    "3155760001",
    "9223372036854775807s",
    "9223372036854775808us",
    "99999999999999999999999s",
    "36525d36525d",
};

static void test_units_parse_time_takes_right_spellings(void)
{
    for (size_t i = 0; i < COUNT(times); i++) {
        uint64_t ns = untouched;

        EXPECT(units_parse_time_ns(times[i].str, &ns));
        EXPECT(ns == times[i].ns);
    }
}

static void test_units_parse_time_refuses_wrong_spellings(void)
{
    for (size_t i = 0; i < COUNT(bad_times); i++) {
        uint64_t ns = untouched;

        EXPECT(!units_parse_time_ns(bad_times[i], &ns));
        EXPECT(ns == untouched);
    }
}

/* Decimals are exact: n ns written as seconds read back as n. */
static void test_units_parse_time_loses_no_nanosecond(void)
{
    struct rng rng;

    rng_init(&rng, 31);
    for (int i = 0; i < 100000; i++) {
        uint64_t ns = rng_next(&rng) >> (3 + rng_below(&rng, 61)), parsed_ns = untouched;
        char str[64];

        (void)snprintf(str, sizeof(str), "%llu.%09llu%s", (unsigned long long)(ns / NS_PER_S),
                       (unsigned long long)(ns % NS_PER_S), i % 2 == 0 ? "" : "s");
        EXPECT(units_parse_time_ns(str, &parsed_ns));
        EXPECT(parsed_ns == ns);
    }
}

static void test_units_parse_duration_takes_what_test_files_have(void)
{
    static const struct {
        const char *str;
        uint64_t ns; /* untouched: refused. */
    } rows[] = {
        {"60s", 60 * NS_PER_S},
        {"1h45m", 105 * 60 * NS_PER_S},
        {"4 hrs 15 mins", 255 * 60 * NS_PER_S},
        {"1.5s", 1500 * NS_PER_MS},
        {"1d 2HOURS 3 Minute 4secs", UINT64_C(93784) * NS_PER_S},
        {" 10 ms ", 10 * NS_PER_MS},
        {"1\tday", 86400 * NS_PER_S},
        {"7us", 7 * NS_PER_US},
        {"2 days 1 second", 172801 * NS_PER_S},
        {"0s", 0},
        {"60", untouched},
        {"1m30", untouched},
        {"", untouched},
        {" ", untouched},
        {"s", untouched},
        {"-1s", untouched},
        {"1 fortnight", untouched},
        {"1s,", untouched},
        {"1. s", untouched},
        {"36526d", untouched},
        {"0.1us0.0001us", untouched},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t ns = untouched;

        EXPECT(units_parse_duration_ns(rows[i].str, &ns) == (rows[i].ns != untouched));
        EXPECT(ns == rows[i].ns);
    }
    for (size_t i = 0; i < COUNT(times); i++) {
        uint64_t ns = untouched;
        bool bare = strspn(times[i].str, "0123456789.") == strlen(times[i].str);

        EXPECT(units_parse_duration_ns(times[i].str, &ns) == !bare);
        EXPECT(bare || ns == times[i].ns);
    }
}

static void test_units_parse_bytes_takes_what_test_files_have(void)
{
    static const struct {
        const char *str;
        uint64_t bytes;
    } rows[] = {
        {"0", 0},
        {"1000", 1000},
        {"16 MiB", 16 << 20},
        {"1.5kib", 1536},
        {"2kB", 2000},
        {"3 MB", 3000000},
        {"1GB", 1000000000},
        {"1 GiB", 1 << 30},
        {"5 B", 5},
        {"1.5", untouched},
        {"1k", untouched},
        {"", untouched},
        {"MiB", untouched},
        {"-1", untouched},
        {"9223372036854775808", untouched},
        {"1 MiB ", untouched},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t bytes = untouched;

        EXPECT(units_parse_bytes(rows[i].str, &bytes) == (rows[i].bytes != untouched));
        EXPECT(bytes == rows[i].bytes);
    }
}

static void test_units_parse_percent_and_hits(void)
{
    static const struct {
        const char *percent;
        double share;
    } shares[] = {
        {"100%", 1}, {"15.25%", 0.1525}, {"250%", 2.5}, {"0%", 0}, {"100", -1},
        {"1 %", -1}, {"-5%", -1},        {"%", -1},     {"", -1},  {"5%%", -1},
    };
    static const struct {
        const char *hits;
        double per_s;
    } rates[] = {
        {"50hps", 50},      {"60hpm", 1},  {"300 hpm", 5}, {"1.5 HPS", 1.5},
        {"1hpm", 1.0 / 60}, {"0hps", 0},   {"50", -1},     {"hps", -1},
        {"50 hp", -1},      {"50hph", -1}, {"50hps ", -1}, {"-1hps", -1},
    };

    for (size_t i = 0; i < COUNT(shares); i++) {
        double share = -1;

        EXPECT(units_parse_percent(shares[i].percent, &share) == (shares[i].share >= 0));
        EXPECT(is_near(share, shares[i].share));
    }
    for (size_t i = 0; i < COUNT(rates); i++) {
        double per_s = -1;

        EXPECT(units_parse_hits(rates[i].hits, &per_s) == (rates[i].per_s >= 0));
        EXPECT(is_near(per_s, rates[i].per_s));
    }
}

static void test_units_parse_is_blind_to_the_locale(void)
{
    locale_t locale = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    locale_t former;

    if (locale == (locale_t)0) return; /* Not on this machine: nothing to be blind to. */
    former = uselocale(locale);
    test_units_parse_time_takes_right_spellings();
    test_units_parse_count_refuses_wrong_spellings();
    (void)uselocale(former);
    freelocale(locale);
}

static void test_units_time_is_short_and_right(void)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0 ns"},
        {1, "1 ns"},
        {850, "850 ns"},
        {999, "999 ns"},
        {1000, "1.00 us"},
        {1004, "1.00 us"},
        {1005, "1.01 us"},
        {9994, "9.99 us"},
        {9995, "10.0 us"},
        {10049, "10.0 us"},
        {194600, "194.6 us"},
        {999949, "999.9 us"},
        {999950, "1.00 ms"},
        {1230000, "1.23 ms"},
        {999949999, "999.9 ms"},
        {999950000, "1.00 s"},
        {1000000000, "1.00 s"},
        {UINT64_C(10000000000), "10.0 s"},
        {UINT64_C(59949999999), "59.9 s"},
        {UINT64_C(59950000000), "1 m"},
        {UINT64_C(60000000000), "1 m"},
        {UINT64_C(60500000000), "1 m 1 s"},
        {UINT64_C(90000000000), "1 m 30 s"},
        {UINT64_C(3599499999999), "59 m 59 s"},
        {UINT64_C(3599500000000), "1 h"},
        {UINT64_C(3600000000000), "1 h"},
        {UINT64_C(5400000000000), "1 h 30 m"},
        {UINT64_C(86369999999999), "23 h 59 m"},
        {UINT64_C(86370000000000), "1 d"},
        {UINT64_C(86400000000000), "1 d"},
        {UINT64_C(129600000000000), "1 d 12 h"},
        {UINT64_MAX, "213504 d"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char buf[UNITS_TEXT_MAX];

        EXPECT(units_time(buf, rows[i].ns) == buf);
        EXPECT(strcmp(buf, rows[i].text) == 0);
    }
}

/* Reads "12.3 ms" or "1 m 30 s" back into nanoseconds. */
static double read_back_ns(const char *text)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                 {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    double total = 0;

    while (*text != '\0') {
        char *rest;
        double value = strtod(text, &rest);
        size_t len, i = 0;

        EXPECT(rest != text && *rest == ' ');
        rest++;
        len = strcspn(rest, " ");
        while (i < COUNT(units) &&
               (strlen(units[i].name) != len || memcmp(rest, units[i].name, len) != 0)) {
            i++;
        }
        EXPECT(i < COUNT(units));
        total += value * units[i].ns;
        text = rest + len + (rest[len] == ' ');
    }
    return total;
}

static void test_units_time_of_anything_reads_back_close(void)
{
    struct rng rng;

    rng_init(&rng, 51);
    for (int i = 0; i < 200000; i++) {
        uint64_t ns = rng_next(&rng) >> rng_below(&rng, 64);
        char buf[UNITS_TEXT_MAX];

        /* The worst: half an hour left out after a day. */
        (void)units_time(buf, ns);
        EXPECT(fabs(read_back_ns(buf) - (double)ns) <= 0.0209 * (double)ns);
    }
}

static void test_units_bytes_is_short_and_right(void)
{
    static const struct {
        double bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},
        {0.4, "0 B"},
        {1, "1 B"},
        {512, "512 B"},
        {1023, "1023 B"},
        {1023.4, "1023 B"},
        {1023.5, "1.0 KiB"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1023.9 * 1024, "1023.9 KiB"},
        {1023.96 * 1024, "1.0 MiB"},
        {23.4 * 1024 * 1024, "23.4 MiB"},
        {0x1p30, "1.0 GiB"},
        {0x1p40, "1.0 TiB"},
        {0x1p50, "1.0 PiB"},
        {0x1p60, "1.0 EiB"},
        {0x1.fffffffffffffp63, "16.0 EiB"},
        {0x1p64, "-"},
        {-1, "-"},
        {(double)INFINITY, "-"},
        {(double)NAN, "-"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char buf[UNITS_TEXT_MAX];

        EXPECT(units_bytes(buf, rows[i].bytes) == buf);
        EXPECT(strcmp(buf, rows[i].text) == 0);
    }
}

static void test_units_count_is_short_and_right(void)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {0.001, "<0.01"},
        {0.005, "0.01"},
        {0.25, "0.25"},
        {9, "9"},
        {9.5, "9.50"},
        {9.994, "9.99"},
        {9.996, "10.0"},
        {42.25, "42.3"},
        {99.96, "100"},
        {950, "950"},
        {999, "999"},
        {999.4, "999"},
        {999.5, "1.00k"},
        {1000, "1.00k"},
        {12345, "12.3k"},
        {999499, "999k"},
        {999500, "1.00M"},
        {1450000, "1.45M"},
        {2e9, "2.00G"},
        {3.14e12, "3.14T"},
        {999e15, "999P"},
        {999.5e15, "-"},
        {-1, "-"},
        {(double)INFINITY, "-"},
        {(double)NAN, "-"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char buf[UNITS_TEXT_MAX];

        EXPECT(units_count(buf, rows[i].value) == buf);
        EXPECT(strcmp(buf, rows[i].text) == 0);
    }
}

/* Values around every edge and all over the range: no buffer overrun, no abort by rounding. */
static void test_units_display_survives_any_double(void)
{
    struct rng rng;

    rng_init(&rng, 61);
    for (int i = 0; i < 500000; i++) {
        uint64_t bits = rng_next(&rng);
        double value, scaled = ldexp(rng_double(&rng), (int)rng_below(&rng, 70));
        double edge = pow(i % 2 == 0 ? 1000 : 1024, (double)rng_below(&rng, 7)) *
                      (1 - rng_double(&rng) * 1e-3);
        char buf[UNITS_TEXT_MAX];

        memcpy(&value, &bits, sizeof(value));
        EXPECT(strlen(units_bytes(buf, value)) < 16);
        EXPECT(strlen(units_count(buf, value)) < 16);
        EXPECT(strlen(units_bytes(buf, scaled)) <= strlen("1023.9 KiB"));
        EXPECT(strlen(units_count(buf, scaled)) <= strlen("<0.01"));
        EXPECT(strlen(units_bytes(buf, edge)) <= strlen("1023.9 KiB"));
        EXPECT(strlen(units_count(buf, edge)) <= strlen("<0.01"));
    }
}

static void test_units_grouped_puts_commas_every_three_digits(void)
{
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {12345, "12,345"},
        {123456, "123,456"},
        {3321904, "3,321,904"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char buf[UNITS_TEXT_MAX];

        EXPECT(units_grouped(buf, rows[i].value) == buf);
        EXPECT(strcmp(buf, rows[i].text) == 0);
    }
}

static void parse_null(void)
{
    uint64_t ns;

    (void)!units_parse_time_ns(NULL, &ns);
}

static void test_units_misuse_aborts(void)
{
    EXPECT(aborts(parse_null));
}

int main(void)
{
    TEST(test_units_parse_count_takes_right_spellings);
    TEST(test_units_parse_count_refuses_wrong_spellings);
    TEST(test_units_parse_rate_takes_right_spellings);
    TEST(test_units_parse_rate_refuses_wrong_spellings);
    TEST(test_units_parse_rate_agrees_with_strtod);
    TEST(test_units_parse_time_takes_right_spellings);
    TEST(test_units_parse_time_refuses_wrong_spellings);
    TEST(test_units_parse_time_loses_no_nanosecond);
    TEST(test_units_parse_duration_takes_what_test_files_have);
    TEST(test_units_parse_bytes_takes_what_test_files_have);
    TEST(test_units_parse_percent_and_hits);
    TEST(test_units_parse_is_blind_to_the_locale);
    TEST(test_units_time_is_short_and_right);
    TEST(test_units_time_of_anything_reads_back_close);
    TEST(test_units_bytes_is_short_and_right);
    TEST(test_units_count_is_short_and_right);
    TEST(test_units_display_survives_any_double);
    TEST(test_units_grouped_puts_commas_every_three_digits);
    TEST(test_units_misuse_aborts);
    return 0;
}
