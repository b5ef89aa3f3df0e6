/* What reading JSON promises: exactly RFC 8259, as Python's module reads it too, every error with
 * its place, nothing read beyond the text, and a full scratch told apart from a wrong text. */
#include "config/json.h"

#include "tests/guard.h"
#include "tests/lines.h"

static _Alignas(16) char memory[512 * 1024];

static void open_scratch(struct scratch *scratch)
{
    scratch_init(scratch, memory, sizeof(memory));
}

/* Checks one text: its canonical form, or NULL when it is wrong. */
static bool agrees(const char *text, size_t len, const struct value *wanted)
{
    struct scratch scratch;
    struct json_error error;
    struct value value;
    struct buf buf;

    open_scratch(&scratch);
    if (!json_parse(text, len, &scratch, &value, &error)) {
        EXPECT(!error.is_memory);
        EXPECT(error.offset <= len);
        EXPECT(scratch.at == scratch.begin);
        EXPECT(scratch.top == scratch.end);
        return wanted->kind == VALUE_NULL;
    }
    EXPECT(scratch.top == scratch.end);
    buf = scratch_open(&scratch);
    value_write_json(&value, &buf);
    return wanted->kind == VALUE_STRING && wanted->len == buf.len &&
           memcmp(wanted->string, buf.data, buf.len) == 0;
}

static void test_json_parse_agrees_with_python(void)
{
    static struct lines lines;
    struct guard guard = guard_open(4096);
    struct value line;
    size_t wrong = 0;

    lines_open(&lines, "tests/data/json.jsonl");
    while (lines_next(&lines, &line)) {
        const struct value *text = lines_get(&line, "t"), *wanted = lines_get(&line, "r");

        for (int side = GUARD_BELOW; side <= GUARD_ABOVE; side++) {
            const char *at = guard_place(&guard, (enum guard_side)side, text->string, text->len);

            if (agrees(at, text->len, wanted)) continue;
            (void)fprintf(stderr, "tests/data/json.jsonl:%u: differs\n", lines.number);
            wrong++;
        }
    }
    EXPECT(wrong == 0);
    lines_close(&lines);
    guard_close(&guard);
}

static void test_json_parse_tells_the_place(void)
{
    static const struct {
        const char *text, *message;
        size_t offset;
        uint32_t line, column;
    } rows[] = {
        {"", "the text ends early", 0, 1, 1},
        {"  ", "the text ends early", 2, 1, 3},
        {"[1,\n 2", "the text ends early", 6, 2, 3},
        {"[1 2]", "a ',' or ']' is missing", 3, 1, 4},
        {"{\"a\":1 2}", "a ',' or '}' is missing", 7, 1, 8},
        {"[1,]", "a value is missing or wrong", 3, 1, 4},
        {"{\"a\":1,}", "a key in quotes is missing", 7, 1, 8},
        {"{1:2}", "a key in quotes is missing", 1, 1, 2},
        {"{\"a\" 1}", "a ':' is missing", 5, 1, 6},
        {"1 1", "there is more after the value", 2, 1, 3},
        {"01", "the number is wrong", 0, 1, 1},
        {"\n\n-", "the number is wrong", 2, 3, 1},
        {"\"abc", "the string does not end", 4, 1, 5},
        {"\"a\\", "the string does not end", 3, 1, 4},
        {"\"a\\x\"", "no such escape in a string", 3, 1, 4},
        {"\"\\u00g0\"", "'\\u' needs four hexadecimal digits", 5, 1, 6},
        {"\"\n\"", "a control character in a string must be escaped", 1, 1, 2},
        {"\"\xff\"", "the text is not UTF-8", 1, 1, 2},
        {"\"\xc3\"", "the text is not UTF-8", 1, 1, 2},
        {"\"\xed\xa0\x80\"", "the text is not UTF-8", 1, 1, 2},
        {"\xef\xbb\xbf{}", "a value is missing or wrong", 0, 1, 1},
        {"nul", "a value is missing or wrong", 0, 1, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scratch scratch;
        struct json_error error;
        struct value value = value_int(42);

        open_scratch(&scratch);
        EXPECT(!json_parse(rows[i].text, strlen(rows[i].text), &scratch, &value, &error));
        EXPECT(strcmp(error.message, rows[i].message) == 0);
        EXPECT(error.offset == rows[i].offset);
        EXPECT(error.line == rows[i].line);
        EXPECT(error.column == rows[i].column);
        EXPECT(!error.is_memory);
        EXPECT(value.integer == 42);
        EXPECT(!json_parse(rows[i].text, strlen(rows[i].text), &scratch, &value, NULL));
    }
}

static void test_json_parse_bounds_depth(void)
{
    static char text[2 * VALUE_DEPTH_MAX + 8];
    struct scratch scratch;
    struct json_error error;
    struct value value;

    for (size_t depth = VALUE_DEPTH_MAX - 1; depth <= VALUE_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        open_scratch(&scratch);
        EXPECT(json_parse(text, 2 * depth, &scratch, &value, &error) == (depth <= VALUE_DEPTH_MAX));
    }
    EXPECT(strcmp(error.message, "too many levels") == 0);
    EXPECT(error.offset == VALUE_DEPTH_MAX);
}

static void test_json_parse_fits_or_says_so(void)
{
    static const char text[] =
        "{\"a\":[1,2,{\"b\":\"c\\n\"}],\"d\":{\"e\":1,\"f\":2,\"g\":3,\"h\":4,"
        "\"i\":5,\"j\":6,\"k\":7,\"l\":8,\"m\":9,\"e\":10}}";
    bool done = false;

    for (size_t bytes = 0; bytes < 4096 && !done; bytes += 8) {
        struct scratch scratch;
        struct json_error error;
        struct value value;

        scratch_init(&scratch, memory, bytes);
        done = json_parse(text, strlen(text), &scratch, &value, &error);
        EXPECT(done || error.is_memory);
        EXPECT(scratch.top == scratch.end);
    }
    EXPECT(done);
}

static void test_json_parse_merges_many_keys(void)
{
    static char text[64 * 1024];
    size_t len = 1;
    struct scratch scratch;
    struct value value;

    text[0] = '{';
    for (int i = 0; i < 3000; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"k%d\":%d", i > 0 ? "," : "",
                                i % 1000, i);
    }
    text[len++] = '}';
    open_scratch(&scratch);
    EXPECT(json_parse(text, len, &scratch, &value, NULL));
    EXPECT(value.len == 1000);
    for (int i = 0; i < 1000; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", i);
        EXPECT(value_get(&value, key, strlen(key))->integer == 2000 + i);
        EXPECT(value.members[i].value.integer == 2000 + i);
    }
}

static void test_json_parse_arena_owns_the_text(void)
{
    char text[] = "{\"key\":[\"value\",\"esc\\u0061ped\"]}";
    struct arena arena;
    struct value value;
    struct json_error error;

    arena_init(&arena, 0);
    EXPECT(json_parse_arena(text, strlen(text), &arena, &value, &error));
    memset(text, '#', sizeof(text) - 1);
    EXPECT(memcmp(value_get(&value, "key", 3)->elements[0].string, "value", 5) == 0);
    EXPECT(memcmp(value_get(&value, "key", 3)->elements[1].string, "escaped", 7) == 0);
    EXPECT(!json_parse_arena("[", 1, &arena, &value, &error));
    EXPECT(!error.is_memory);
    arena_release(&arena);
    arena_init(&arena, 100);
    EXPECT(!json_parse_arena("[1]", 3, &arena, &value, &error));
    EXPECT(error.is_memory);
    EXPECT(!json_parse_arena("[1]", 3, &arena, &value, NULL));
    arena_release(&arena);
}

/* The bound on an arena's memory is one: whatever the text, what is taken is enough. */
static void test_json_parse_arena_takes_enough(void)
{
    static const char *const units[] = {"[],",
                                        "{},",
                                        "1,",
                                        "\"\",",
                                        "\"\\n\",",
                                        "[[[]]],",
                                        "{\"a\":{\"b\":1}},",
                                        "[1,2,3],",
                                        "\"\\u00e9\\\\\","};
    static char text[20000];

    for (size_t i = 0; i < COUNT(units); i++) {
        size_t len = 1;
        struct arena arena;
        struct value value;

        text[0] = '[';
        while (len + strlen(units[i]) + 2 < sizeof(text)) {
            memcpy(text + len, units[i], strlen(units[i]));
            len += strlen(units[i]);
        }
        text[len - 1] = ']';
        arena_init(&arena, 0);
        EXPECT(json_parse_arena(text, len, &arena, &value, NULL));
        arena_release(&arena);
    }
}

static void test_json_body_is_json_or_text_or_binary(void)
{
    static const struct {
        const char *body, *json;
        bool is_json;
    } rows[] = {
        {"{\"a\":1}", "{\"a\":1}", true},
        {" 5 ", "5", true},
        {"<html>", "\"<html>\"", false},
        {"", "\"\"", false},
        {"{\"a\":1} x", "\"{\\\"a\\\":1} x\"", false},
        {"\xff\xfe", "\"<<binary data>>\"", false},
        {"J\xc3\xb6rg", "\"J\xc3\xb6rg\"", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scratch scratch;
        struct value value;
        struct buf buf;
        bool is_json;

        open_scratch(&scratch);
        EXPECT(json_body(rows[i].body, strlen(rows[i].body), &scratch, &value, &is_json));
        EXPECT(is_json == rows[i].is_json);
        buf = scratch_open(&scratch);
        value_write_json(&value, &buf);
        EXPECT(buf.len == strlen(rows[i].json));
        EXPECT(memcmp(buf.data, rows[i].json, buf.len) == 0);
    }
    {
        struct scratch scratch;
        struct value value;
        bool is_json;

        scratch_init(&scratch, memory, 16);
        EXPECT(!json_body("[1,2,3]", 7, &scratch, &value, &is_json));
    }
}

int main(void)
{
    TEST(test_json_parse_agrees_with_python);
    TEST(test_json_parse_tells_the_place);
    TEST(test_json_parse_bounds_depth);
    TEST(test_json_parse_fits_or_says_so);
    TEST(test_json_parse_merges_many_keys);
    TEST(test_json_parse_arena_owns_the_text);
    TEST(test_json_parse_arena_takes_enough);
    TEST(test_json_body_is_json_or_text_or_binary);
    return 0;
}
