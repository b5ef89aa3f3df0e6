/* What the JSON writer promises: correct JSON whatever it is given, or an abort when it is
 * called out of order. */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "tests/aborts.h"
#include "tests/test.h"

/* One value to be written, and what has come of it. */
struct rig {
    struct arena arena;
    struct text text;
    struct json json;
};

static void rig_init(struct rig *rig, bool compact)
{
    arena_init(&rig->arena, 0);
    text_init(&rig->text, &rig->arena);
    json_init(&rig->json, &rig->text, compact);
}

/* Compares what has been written and gives the memory back. */
static bool rig_wrote(struct rig *rig, const char *expected)
{
    bool same = !rig->text.failed && rig->text.len == strlen(expected) &&
                strcmp(rig->text.data, expected) == 0;

    if (!same) (void)fprintf(stderr, "wrote %s\nnot   %s\n", rig->text.data, expected);
    arena_release(&rig->arena);
    return same;
}

static void write_sample(struct json *json)
{
    json_object(json);
    json_key(json, "name");
    json_str(json, "a b");
    json_key(json, "empty");
    json_object(json);
    json_end(json);
    json_key(json, "list");
    json_array(json);
    json_u64(json, 1);
    json_array(json);
    json_end(json);
    json_object(json);
    json_key(json, "on");
    json_bool(json, true);
    json_end(json);
    json_null(json);
    json_end(json);
    json_key(json, "half");
    json_double(json, 0.5, 3);
    json_end(json);
}

static void test_json_object_may_take_one_line(void)
{
    static const char *const wanted[] = {"[\n"
                                         "  {\"a\": 1, \"b\": {\"c\": [true, {}]}, \"d\": 2},\n"
                                         "  {},\n"
                                         "  [\n"
                                         "    null\n"
                                         "  ]\n"
                                         "]\n",
                                         "[{\"a\":1,\"b\":{\"c\":[true,{}]},\"d\":2},{},[null]]\n"};

    for (int compact = 0; compact < 2; compact++) {
        struct json *json;
        struct rig rig;

        rig_init(&rig, compact);
        json = &rig.json;
        json_array(json);
        json_object_line(json);
        json_key(json, "a");
        json_u64(json, 1);
        json_key(json, "b");
        json_object_line(json);
        json_key(json, "c");
        json_array(json);
        json_bool(json, true);
        json_object(json);
        json_end(json);
        json_end(json);
        json_end(json);
        json_key(json, "d");
        json_u64(json, 2);
        json_end(json);
        json_object_line(json);
        json_end(json);
        json_array(json);
        json_null(json);
        json_end(json);
        json_end(json);
        EXPECT(rig_wrote(&rig, wanted[compact]));
    }
}

static void test_json_indents_by_two_spaces(void)
{
    struct rig rig;

    rig_init(&rig, false);
    write_sample(&rig.json);
    EXPECT(rig_wrote(&rig, "{\n"
                           "  \"name\": \"a b\",\n"
                           "  \"empty\": {},\n"
                           "  \"list\": [\n"
                           "    1,\n"
                           "    [],\n"
                           "    {\n"
                           "      \"on\": true\n"
                           "    },\n"
                           "    null\n"
                           "  ],\n"
                           "  \"half\": 0.5\n"
                           "}\n"));
}

static void test_json_compact_is_one_line(void)
{
    struct rig rig;

    rig_init(&rig, true);
    write_sample(&rig.json);
    EXPECT(rig_wrote(&rig, "{\"name\":\"a b\",\"empty\":{},\"list\":[1,[],{\"on\":true},null],"
                           "\"half\":0.5}\n"));
}

static void test_json_of_a_bare_value_is_a_line(void)
{
    struct rig rig;

    for (int compact = 0; compact < 2; compact++) {
        rig_init(&rig, compact);
        json_u64(&rig.json, UINT64_MAX);
        EXPECT(rig_wrote(&rig, "18446744073709551615\n"));
        rig_init(&rig, compact);
        json_bool(&rig.json, false);
        EXPECT(rig_wrote(&rig, "false\n"));
        rig_init(&rig, compact);
        json_array(&rig.json);
        json_end(&rig.json);
        EXPECT(rig_wrote(&rig, "[]\n"));
    }
}

static void test_json_nests_to_its_maximum(void)
{
    char expected[200] = "";
    struct rig rig;

    rig_init(&rig, true);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        if (i % 2 == 0) {
            json_object(&rig.json);
            if (i + 1 < JSON_DEPTH_MAX) json_key(&rig.json, "k");
        } else {
            json_array(&rig.json);
        }
    }
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        json_end(&rig.json);
    }
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        memcpy(expected + strlen(expected), "{\"k\":[", 7);
    }
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        memcpy(expected + strlen(expected), "]}", 3);
    }
    memcpy(expected + strlen(expected), "\n", 2);
    EXPECT(rig_wrote(&rig, expected));
}

#define FFFD "\xef\xbf\xbd"

static const struct {
    const char *name, *in, *out;
} strings[] = {
    {"empty", "", ""},
    {"plain", "plain text / ~", "plain text / ~"},
    {"quote and backslash", "a\"b\\c", "a\\\"b\\\\c"},
    {"short escapes", "\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
    {"other controls", "\x01\x1f\x7f", "\\u0001\\u001f\\u007f"},
    {"escapes at both ends", "\nx\n", "\\nx\\n"},
    {"two bytes, lowest and highest", "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"},
    {"three bytes, lowest and highest", "\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf"},
    {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
    {"four bytes, lowest", "\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
    {"four bytes, highest", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"continuation alone", "a\x80z", "a" FFFD "z"},
    {"two bytes, cut", "\xc3", FFFD},
    {"two bytes, broken", "\xc3(", FFFD "("},
    {"three bytes, cut after one", "\xe2", FFFD},
    {"three bytes, cut after two", "\xe2\x82", FFFD FFFD},
    {"three bytes, broken by a quote", "\xe2\x82\"", FFFD FFFD "\\\""},
    {"four bytes, cut after three", "\xf0\x9f\x98", FFFD FFFD FFFD},
    {"broken by another start", "\xe2\xc3\xa4", FFFD "\xc3\xa4"},
    {"overlong slash", "\xc0\xaf", FFFD FFFD},
    {"overlong in three", "\xe0\x9f\xbf", FFFD FFFD FFFD},
    {"overlong in four", "\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD},
    {"surrogate", "\xed\xa0\x80", FFFD FFFD FFFD},
    {"above U+10FFFF", "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
    {"bytes that are never used", "\xf5\xfe\xff", FFFD FFFD FFFD},
};

static void test_json_escapes_strings_and_keys_alike(void)
{
    for (size_t i = 0; i < COUNT(strings); i++) {
        char expected[100];
        struct rig rig;

        rig_init(&rig, true);
        json_str(&rig.json, strings[i].in);
        (void)snprintf(expected, sizeof(expected), "\"%s\"\n", strings[i].out);
        EXPECT(rig_wrote(&rig, expected));

        rig_init(&rig, true);
        json_object(&rig.json);
        json_key(&rig.json, strings[i].in);
        json_null(&rig.json);
        json_end(&rig.json);
        (void)snprintf(expected, sizeof(expected), "{\"%s\":null}\n", strings[i].out);
        EXPECT(rig_wrote(&rig, expected));
    }
}

static void test_json_str_len_needs_no_terminator_and_takes_nul(void)
{
    struct rig rig;

    rig_init(&rig, true);
    json_array(&rig.json);
    json_str_len(&rig.json, "abcdef", 3);
    json_str_len(&rig.json, "a\0b", 3);
    json_str_len(&rig.json, "\xc3\xa4", 1); /* The rest of the sequence is not ours to read. */
    json_str_len(&rig.json, NULL, 0);
    json_end(&rig.json);
    EXPECT(rig_wrote(&rig, "[\"abc\",\"a\\u0000b\",\"" FFFD "\",\"\"]\n"));
}

/* Value of the sequence at `at`, whose length goes to `ret_len`; UINT32_MAX when it is not
 * UTF-8. Decodes first and judges the value after, unlike the writer. */
static uint32_t decode(const unsigned char *at, size_t len, size_t *ret_len)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = at[0] < 0x80             ? 1
                  : (at[0] & 0xe0) == 0xc0 ? 2
                  : (at[0] & 0xf0) == 0xe0 ? 3
                  : (at[0] & 0xf8) == 0xf0 ? 4
                                           : 0;
    uint32_t value;

    if (need == 0 || need > len) return UINT32_MAX;
    value = need == 1 ? at[0] : at[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80) return UINT32_MAX;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < lowest[need] || value > 0x10ffff) return UINT32_MAX;
    if (value >= 0xd800 && value < 0xe000) return UINT32_MAX;
    *ret_len = need;
    return value;
}

/* Copies `in`, each byte that belongs to no valid sequence replaced. */
static size_t replace_invalid(char *out, const unsigned char *in, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < len;) {
        size_t step = 1;
        bool valid = decode(in + i, len - i, &step) != UINT32_MAX;

        memcpy(out + to, valid ? (const char *)in + i : FFFD, valid ? step : 3);
        to += valid ? step : 3;
        i += step;
    }
    return to;
}

static bool read_hex(const char *at, unsigned *ret_code)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        const char *digit = strchr("0123456789abcdef", at[i]);

        if (at[i] == '\0' || digit == NULL) return false;
        code = code << 4 | (unsigned)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
    }
    *ret_code = code;
    return true;
}

/* Reads a string as a strict JSON parser would, from the quote on; false when it is not one. */
static bool unescape(const char *at, char *out, size_t *ret_len)
{
    static const char letters[] = "\"\"\\\\b\bf\fn\nr\rt\t"; /* What stands, what it means. */
    size_t to = 0;

    if (*at++ != '"') return false;
    while (*at != '"') {
        unsigned code;

        if ((unsigned char)*at < 0x20) return false;
        if (*at != '\\') {
            out[to++] = *at++;
        } else if (at[1] == 'u') {
            if (!read_hex(at + 2, &code) || code > 0x7f) return false;
            out[to++] = (char)code;
            at += 6;
        } else {
            size_t l = 0;

            while (l < sizeof(letters) - 1 && letters[l] != at[1]) {
                l += 2;
            }
            if (l >= sizeof(letters) - 1) return false;
            out[to++] = letters[l + 1];
            at += 2;
        }
    }
    *ret_len = to;
    return strcmp(at, "\"\n") == 0;
}

static void expect_string_round_trip(struct rig *rig, const unsigned char *bytes, size_t len)
{
    char expected[64], got[64];
    size_t expected_len = replace_invalid(expected, bytes, len), got_len = 0;

    rig->text.len = 0;
    json_init(&rig->json, &rig->text, true);
    json_str_len(&rig->json, (const char *)bytes, len);
    EXPECT(unescape(rig->text.data, got, &got_len));
    EXPECT(got_len == expected_len);
    EXPECT(memcmp(got, expected, got_len) == 0);
}

static void test_json_strings_of_all_byte_pairs_read_back(void)
{
    struct rig rig;

    rig_init(&rig, true);
    for (unsigned pair = 0; pair < 65536; pair++) {
        unsigned char bytes[2] = {(unsigned char)(pair >> 8), (unsigned char)pair};

        expect_string_round_trip(&rig, bytes, 2);
    }
    arena_release(&rig.arena);
}

static void test_json_strings_of_random_bytes_read_back(void)
{
    /* The bytes at which UTF-8 and JSON change their rules are drawn more often. */
    static const unsigned char edges[] = {0x00, 0x1f, 0x22, 0x5c, 0x7f, 0x80, 0x8f,
                                          0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf,
                                          0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
    struct rig rig;
    struct rng rng;

    rng_init(&rng, 11);
    rig_init(&rig, true);
    for (int i = 0; i < 200000; i++) {
        unsigned char bytes[16];
        size_t len = rng_below(&rng, sizeof(bytes) + 1);

        for (size_t b = 0; b < len; b++) {
            bytes[b] = rng_below(&rng, 4) == 0 ? (unsigned char)rng_below(&rng, 256)
                                               : edges[rng_below(&rng, COUNT(edges))];
        }
        expect_string_round_trip(&rig, bytes, len);
    }
    arena_release(&rig.arena);
}

static const struct {
    double value;
    int decimals;
    const char *out;
} doubles[] = {
    {0.0, 0, "0"},
    {0.0, 9, "0"},
    {-0.0, 3, "0"},
    {-0.0004, 3, "0"},
    {1.0, 3, "1"},
    {100.0, 0, "100"},
    {100.0, 2, "100"},
    {1.5, 0, "2"},
    {1.25, 3, "1.25"},
    {1.250, 1, "1.2"},
    {-12.75, 2, "-12.75"},
    {0.001, 3, "0.001"},
    {0.0005, 2, "0"},
    {999.9996, 3, "1000"},
    {123456789.123456789, 9, "123456789.123456791"},
    {1e21, 3, "1000000000000000000000"},
    {(double)INFINITY, 3, "null"},
    {-(double)INFINITY, 0, "null"},
    {(double)NAN, 9, "null"},
};

static void expect_doubles(void)
{
    for (size_t i = 0; i < COUNT(doubles); i++) {
        char expected[64];
        struct rig rig;

        rig_init(&rig, false);
        json_double(&rig.json, doubles[i].value, doubles[i].decimals);
        (void)snprintf(expected, sizeof(expected), "%s\n", doubles[i].out);
        EXPECT(rig_wrote(&rig, expected));
    }
}

static void test_json_doubles_are_short_and_always_json(void)
{
    struct rig rig;

    expect_doubles();
    rig_init(&rig, false);
    json_double(&rig.json, -1.7976931348623157e308, 9); /* The longest there is. */
    EXPECT(rig.text.len == 1 + 309 + 1);
    arena_release(&rig.arena);
}

/* An embedder may have set a locale that writes "0,5"; machines without any have no say. */
static void test_json_doubles_do_not_ask_the_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};

    for (size_t i = 0; i < COUNT(names); i++) {
        locale_t locale = newlocale(LC_ALL_MASK, names[i], (locale_t)0);
        locale_t former;

        if (locale == (locale_t)0) continue;
        former = uselocale(locale);
        expect_doubles();
        (void)uselocale(former);
        freelocale(locale);
    }
}

static void test_json_on_a_failed_text_still_counts_its_levels(void)
{
    size_t whole = 0;

    for (size_t bytes_max = 1; bytes_max < 2000; bytes_max++) {
        struct rig rig;

        rig_init(&rig, false);
        arena_init(&rig.arena, bytes_max);
        for (int i = 0; i < 3; i++) { /* Long enough to grow once. */
            json_init(&rig.json, &rig.text, false);
            write_sample(&rig.json);
        }
        EXPECT(rig.json.depth == 0);
        EXPECT(rig.json.finished);
        whole += !rig.text.failed;
        EXPECT(rig.text.failed || strcmp(rig.text.data + rig.text.len - 4, "5\n}\n") == 0);
        arena_release(&rig.arena);
    }
    EXPECT(whole > 0);
}

/* Each misuse starts from a fresh writer; the child that runs it is thrown away. */
static struct json fresh(void)
{
    static struct rig rig;

    rig_init(&rig, true);
    return rig.json;
}

static void value_without_key(void)
{
    struct json json = fresh();

    json_object(&json);
    json_u64(&json, 1);
}

static void key_in_array(void)
{
    struct json json = fresh();

    json_array(&json);
    json_key(&json, "k");
}

static void key_outside(void)
{
    struct json json = fresh();

    json_key(&json, "k");
}

static void key_after_key(void)
{
    struct json json = fresh();

    json_object(&json);
    json_key(&json, "k");
    json_key(&json, "k");
}

static void end_after_key(void)
{
    struct json json = fresh();

    json_object(&json);
    json_key(&json, "k");
    json_end(&json);
}

static void end_without_start(void)
{
    struct json json = fresh();

    json_end(&json);
}

static void end_once_too_often(void)
{
    struct json json = fresh();

    json_array(&json);
    json_end(&json);
    json_end(&json);
}

static void second_value(void)
{
    struct json json = fresh();

    json_null(&json);
    json_null(&json);
}

static void one_level_too_many(void)
{
    struct json json = fresh();

    for (int i = 0; i <= JSON_DEPTH_MAX; i++) {
        json_array(&json);
    }
}

static void ten_decimals(void)
{
    struct json json = fresh();

    json_double(&json, 1, 10);
}

static void test_json_puts_keys_with_their_values(void)
{
    static const uint64_t counts[] = {0, 7, 0, 9};
    static const char *const names[] = {"a", "b", "c", "d"};
    struct rig rig;

    rig_init(&rig, true);
    json_object(&rig.json);
    json_put_str(&rig.json, "text", "a b");
    json_put_u64(&rig.json, "most", UINT64_MAX);
    json_put_double(&rig.json, "half", 0.5, 1);
    json_put_bool(&rig.json, "on", true);
    json_put_counts(&rig.json, "some", counts, names, COUNT(counts));
    json_put_counts(&rig.json, "none", counts, names, 1);
    json_end(&rig.json);
    EXPECT(rig_wrote(&rig, "{\"text\":\"a b\",\"most\":18446744073709551615,\"half\":0.5,"
                           "\"on\":true,\"some\":{\"b\":7,\"d\":9},\"none\":{}}\n"));
}

static void test_json_out_of_order_aborts(void)
{
    static void (*const misuses[])(void) = {
        value_without_key, key_in_array,       key_outside,  key_after_key,      end_after_key,
        end_without_start, end_once_too_often, second_value, one_level_too_many, ten_decimals,
    };

    for (size_t i = 0; i < COUNT(misuses); i++) {
        EXPECT(aborts(misuses[i]));
    }
}

int main(void)
{
    TEST(test_json_indents_by_two_spaces);
    TEST(test_json_object_may_take_one_line);
    TEST(test_json_compact_is_one_line);
    TEST(test_json_of_a_bare_value_is_a_line);
    TEST(test_json_nests_to_its_maximum);
    TEST(test_json_escapes_strings_and_keys_alike);
    TEST(test_json_str_len_needs_no_terminator_and_takes_nul);
    TEST(test_json_strings_of_all_byte_pairs_read_back);
    TEST(test_json_strings_of_random_bytes_read_back);
    TEST(test_json_doubles_are_short_and_always_json);
    TEST(test_json_doubles_do_not_ask_the_locale);
    TEST(test_json_on_a_failed_text_still_counts_its_levels);
    TEST(test_json_puts_keys_with_their_values);
    TEST(test_json_out_of_order_aborts);
    return 0;
}
