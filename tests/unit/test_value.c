/* What values promise: truth, equality and order as in the specification, text that reads back as
 * the same value, and copies that own what they point to. */
#include "config/value.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "config/json.h"
#include "core/base/rng.h"
#include "tests/test.h"

static _Alignas(16) char memory[256 * 1024];
static struct scratch scratch = {memory, memory, memory + sizeof(memory), memory + sizeof(memory)};

static struct value parse(const char *json)
{
    struct value value;

    EXPECT(json_parse(json, strlen(json), &scratch, &value, NULL));
    return value;
}

static const char *write(const struct value *value,
                         void (*writer)(const struct value *, struct buf *))
{
    static char text[8192];
    struct buf buf;

    buf_init(&buf, text, sizeof(text) - 1);
    writer(value, &buf);
    EXPECT(!buf.full);
    text[buf.len] = '\0';
    return text;
}

static void test_value_truth(void)
{
    static const struct {
        const char *json;
        bool truth;
    } rows[] = {
        {"null", false}, {"false", false}, {"true", true}, {"0", false},    {"0.0", false},
        {"-0.0", false}, {"1", true},      {"0.1", true},  {"\"\"", false}, {"\"0\"", true},
        {"[]", true},    {"{}", true},     {"[0]", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = parse(rows[i].json);

        EXPECT(value_is_true(&value) == rows[i].truth);
    }
}

static void test_value_equality_and_hash(void)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"1", "1.0", true},
        {"0", "-0.0", true},
        {"1", "\"1\"", false},
        {"1", "true", false},
        {"null", "false", false},
        {"9223372036854775807", "9223372036854775807.0", false},
        {"9223372036854775807", "9223372036854775808", false},
        {"-9223372036854775808", "-9223372036854775808.0", true},
        {"9007199254740993", "9007199254740992.0", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"ab\"", false},
        {"[1,2]", "[1.0,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[]", "{}", false},
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":null}", "{\"b\":null}", false},
        {"\"12345678\"", "\"12345678\"", true},
        {"\"123456789\"", "\"123456780\"", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value a = parse(rows[i].a), b = parse(rows[i].b);

        EXPECT(value_equal(&a, &b) == rows[i].equal);
        EXPECT(value_equal(&b, &a) == rows[i].equal);
        EXPECT((value_hash(&a) == value_hash(&b)) == rows[i].equal);
        scratch_clear(&scratch);
    }
}

static void test_value_order(void)
{
    static const struct {
        const char *a, *b;
        enum value_order order;
    } rows[] = {
        {"1", "2", VALUE_LESS},
        {"2", "1", VALUE_GREATER},
        {"1", "1.0", VALUE_SAME},
        {"1", "1.5", VALUE_LESS},
        {"-1", "-1.5", VALUE_GREATER},
        {"1.5", "1", VALUE_GREATER},
        {"9223372036854775807", "9.3e18", VALUE_LESS},
        {"-9223372036854775808", "-9.3e18", VALUE_GREATER},
        {"9007199254740993", "9007199254740992.0", VALUE_GREATER},
        {"9007199254740992.0", "9007199254740993", VALUE_LESS},
        {"1.5", "2.5", VALUE_LESS},
        {"\"a\"", "\"b\"", VALUE_LESS},
        {"\"b\"", "\"abc\"", VALUE_GREATER},
        {"\"a\"", "\"ab\"", VALUE_LESS},
        {"\"a\"", "\"a\"", VALUE_SAME},
        {"\"1\"", "2", VALUE_UNORDERED},
        {"null", "null", VALUE_UNORDERED},
        {"[1]", "[2]", VALUE_UNORDERED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value a = parse(rows[i].a), b = parse(rows[i].b);

        EXPECT(value_compare(&a, &b) == rows[i].order);
    }
}

static void test_value_text(void)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"null", "null"},
        {"true", "true"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"\"a\\\"b\"", "a\"b"},
        {"[ 1, \"a\" ,null]", "[1,\"a\",null]"},
        {"{\"k\" : {\"l\":[]}, \"m\":{}}", "{\"k\":{\"l\":[]},\"m\":{}}"},
        {"[\"\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\\\/\\u007f\"]",
         "[\"\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"]"},
        {"1.0", "1.0"},
        {"-0.0", "-0.0"},
        {"1e21", "1e21"},
        {"1.5e-9", "1.5e-9"},
        {"100000.0", "100000.0"},
        {"0.1", "0.1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = parse(rows[i].json);

        EXPECT(strcmp(write(&value, value_write), rows[i].text) == 0);
    }
}

static void test_value_pretty(void)
{
    struct value value = parse("{\"a\":[1,{\"b\":[]}],\"c\":{}}");

    EXPECT(strcmp(write(&value, value_write_json_pretty),
                  "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}") ==
           0);
}

static bool reads_back(double real)
{
    char text[VALUE_NUMBER_BYTES];
    struct value value;
    size_t len = value_format_double(real, text);

    EXPECT(len <= sizeof(text));
    EXPECT(json_parse(text, len, &scratch, &value, NULL));
    return value.kind == VALUE_DOUBLE && value.real == real && signbit(value.real) == signbit(real);
}

static void test_value_doubles_read_back(void)
{
    static const double reals[] = {0,      -0.0,    1,        0.1,    0.3,     1.0 / 3, 1e15, 1e16,
                                   1e17,   1e22,    1e23,     5e-324, DBL_MAX, DBL_MIN, 1e-5, 1e-4,
                                   123456, 0.00123, 1e9 + .5, 4.35,   2.675,   -1.5e300};
    struct rng rng;

    for (size_t i = 0; i < COUNT(reals); i++) {
        EXPECT(reads_back(reals[i]));
    }
    rng_init(&rng, 7);
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = rng_next(&rng);
        double real;

        memcpy(&real, &bits, sizeof(real));
        if (isfinite(real)) EXPECT(reads_back(real));
        EXPECT(reads_back((double)(int64_t)(bits >> 40) / 1000));
    }
}

static void test_value_nan_and_infinity_are_null(void)
{
    EXPECT(value_double(NAN).kind == VALUE_NULL);
    EXPECT(value_double(INFINITY).kind == VALUE_NULL);
    EXPECT(value_double(-INFINITY).kind == VALUE_NULL);
    EXPECT(value_double(DBL_MAX).kind == VALUE_DOUBLE);
}

static void test_value_packs_into_one_block(void)
{
    static const char *const rows[] = {"null",
                                       "17",
                                       "\"text\"",
                                       "\"\"",
                                       "[]",
                                       "[1,\"two\",[3,{\"four\":\"five\"}],{}]",
                                       "{\"a\":{\"b\":[\"c\",{\"d\":null}]},\"\":\"\"}"};
    static _Alignas(16) char block[4096];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = parse(rows[i]), copy;
        size_t bytes = value_pack_bytes(&value);

        EXPECT(bytes % SCRATCH_ALIGN == 0);
        EXPECT(bytes < sizeof(block));
        memset(block, 0xee, sizeof(block));
        copy = value_pack(&value, block);
        for (size_t j = bytes; j < sizeof(block); j++) {
            EXPECT((unsigned char)block[j] == 0xee);
        }
        memset(memory, 0, sizeof(memory)); /* Nothing points to what it was made of. */
        scratch_clear(&scratch);
        EXPECT(strcmp(write(&copy, value_write_json), rows[i]) == 0);
        EXPECT(value_pack_bytes(&copy) == bytes);
    }
}

static void test_value_bounds_depth(void)
{
    struct value value = value_null();
    static struct value around[VALUE_DEPTH_MAX + 1];

    for (int i = 0; i < VALUE_DEPTH_MAX; i++) {
        around[i] = value;
        EXPECT(value_array(&around[i], 1, &value));
        EXPECT(value.depth == i + 1);
    }
    around[VALUE_DEPTH_MAX] = value;
    EXPECT(!value_array(&around[VALUE_DEPTH_MAX], 1, &value));
    EXPECT(value.depth == VALUE_DEPTH_MAX);
    {
        struct value_member member = {.key = value_str("k"), .value = value};

        EXPECT(!value_object(&member, 1, &value));
        EXPECT(value.kind == VALUE_ARRAY);
    }
}

static void test_value_counts_characters(void)
{
    static const struct {
        const char *text;
        size_t chars;
    } rows[] = {{"", 0}, {"abc", 3}, {"\xc3\xa9t\xc3\xa9", 3}, {"\xf0\x9f\x98\x80", 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = value_str(rows[i].text);

        EXPECT(value_chars(&value) == rows[i].chars);
    }
}

static void test_value_write_stops_at_the_end_of_the_buffer(void)
{
    struct value value = parse("{\"a\":[1,2.5,\"\\n\"],\"b\":null}");
    size_t len = strlen(write(&value, value_write_json));

    for (size_t size = 0; size <= len; size++) {
        static char text[64];
        struct buf buf;

        memset(text, '#', sizeof(text));
        buf_init(&buf, text, size);
        value_write_json(&value, &buf);
        EXPECT(buf.full == (size < len));
        EXPECT(buf.len <= size);
        EXPECT(text[size] == '#');
    }
}

int main(void)
{
    TEST(test_value_truth);
    TEST(test_value_equality_and_hash);
    TEST(test_value_order);
    TEST(test_value_text);
    TEST(test_value_pretty);
    TEST(test_value_doubles_read_back);
    TEST(test_value_nan_and_infinity_are_null);
    TEST(test_value_packs_into_one_block);
    TEST(test_value_bounds_depth);
    TEST(test_value_counts_characters);
    TEST(test_value_write_stops_at_the_end_of_the_buffer);
    return 0;
}
