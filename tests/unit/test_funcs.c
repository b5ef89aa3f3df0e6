/* What the functions of expressions promise: a table per function, the examples of the
 * specification among them. */
#include "config/expr.h"

#include "tests/expr_world.h"

struct row {
    const char *text;
    const char *json;
};

static char result[65536];

/* The JSON of the value, or "! error"; the text must compile. */
static const char *eval(struct world *world, const char *text)
{
    const struct expr *expr = world_compile(world, text);

    if (expr == NULL) (void)fprintf(stderr, "%s: %s", text, world->problems);
    EXPECT(expr != NULL);
    return world_eval(world, expr, result, sizeof(result));
}

static void check(const struct row *rows, size_t count)
{
    static struct world world;
    size_t wrong = 0;

    world_open(&world);
    for (size_t i = 0; i < count; i++) {
        const char *got = eval(&world, rows[i].text);

        scratch_clear(&world.scratch);
        if (strcmp(got, rows[i].json) == 0) continue;
        (void)fprintf(stderr, "%s\n  gave   %s\n  wanted %s\n", rows[i].text, got, rows[i].json);
        wrong++;
    }
    EXPECT(wrong == 0);
    world_close(&world);
}

#define CHECK_ROWS(...)                                 \
    do {                                                \
        static const struct row rows[] = {__VA_ARGS__}; \
        check(rows, COUNT(rows));                       \
    } while (0)

static void test_funcs_collect_outside_of_declare_is_its_item(void)
{
    CHECK_ROWS({"collect(num, 5)", "7"}, {"collect(num, 5, 89)", "7"}, {"collect(45, 5)", "45"});
}

static void test_funcs_encode(void)
{
    CHECK_ROWS({"encode('foo', 'base64')", "\"Zm9v\""}, {"encode('f', 'base64')", "\"Zg\""},
               {"encode('fo', 'base64')", "\"Zm8\""}, {"encode('', 'base64')", "\"\""},
               {"encode('f', 'base64-padded')", "\"Zg==\""},
               {"encode('fo', 'base64-padded')", "\"Zm8=\""},
               {"encode('foo', 'base64-padded')", "\"Zm9v\""},
               {"encode('\xfb\xff\xfe', 'base64')", "\"+//+\""},
               {"encode('\xfb\xff\xfe', 'base64url')", "\"-__-\""},
               {"encode('f', 'base64url')", "\"Zg\""}, {"encode('J\xc3\xb6', 'hex')", "\"4ac3b6\""},
               {"encode('asd\njkl#', 'percent-simple')", "\"asd%0Ajkl#\""},
               {"encode('\x7f\xc3\xa9 ', 'percent-simple')", "\"%7F%C3%A9 \""},
               {"encode('asd\njkl{', 'percent-query')", "\"asd%0Ajkl{\""},
               {"encode(' \"#<>`?{}', 'percent-query')", "\"%20%22%23%3C%3E`?{}\""},
               {"encode(' \"#<>`?{}%/', 'percent')", "\"%20%22%23%3C%3E%60%3F%7B%7D%/\""},
               {"encode('asd/jkl%', 'percent-path')", "\"asd%2Fjkl%25\""},
               {"encode('asd jkl|', 'percent-userinfo')", "\"asd%20jkl%7C\""},
               {"encode('foo=bar', 'percent-userinfo')", "\"foo%3Dbar\""},
               {"encode('/:;=@[]^|%', 'percent-userinfo')", "\"%2F%3A%3B%3D%40%5B%5D%5E%7C%\""},
               {"encode('a\\x', 'percent-userinfo')", "\"a%5Cx\""},
               {"encode('aZ09-._~ ', 'non-alphanumeric')", "\"aZ09%2D%2E%5F%7E%20\""},
               {"encode(obj.b, 'hex')", "\"7b2263223a5b31302c32302c7b2264223a2264656570227d5d7d\""},
               {"encode(nil, 'base64')", "\"bnVsbA\""}, {"encode(num, 'hex')", "\"37\""});
}

static void test_funcs_pad(void)
{
    CHECK_ROWS({"end_pad('Jones', 8, '-')", "\"Jones---\""},
               {"start_pad(83, 6, '0')", "\"000083\""}, {"start_pad('x', 6, 'abc')", "\"abcabx\""},
               {"end_pad('x', 6, 'abc')", "\"xabcab\""}, {"end_pad('Jones', 3, '-')", "\"Jones\""},
               {"end_pad('Jones', 5, '-')", "\"Jones\""}, {"end_pad('a', -1, '-')", "\"a\""},
               {"end_pad('a', 5, '')", "\"a\""}, {"end_pad('a', '5', '-')", "\"a\""},
               {"end_pad('a', nil, '-')", "\"a\""},
               {"start_pad('\xc3\xa9', 3, '\xc3\xb6x')", "\"\xc3\xb6x\xc3\xa9\""},
               {"start_pad('\xc3\xa9', 2, '\xc3\xb6x')", "\"\xc3\xb6\xc3\xa9\""},
               {"start_pad(nil, 6, 0)", "\"00null\""},
               {"start_pad('x', 99999999, 'y')", "! the result of an expression is too large"},
               {"start_pad('x', 9999999, 'y')", "! the memory for expressions is used up"});
}

static void test_funcs_entries_keys_values_length(void)
{
    CHECK_ROWS({"entries('foo')", "[[0,\"f\"],[1,\"o\"],[2,\"o\"]]"}, {"entries(null)", "null"},
               {"entries(false)", "false"}, {"entries(5)", "5"}, {"entries('')", "[]"},
               {"entries(obj.b)", "[[\"c\",[10,20,{\"d\":\"deep\"}]]]"},
               {"entries(list)", "[[0,1],[1,2],[2,3]]"},
               {"entries('\xc3\xa9t')", "[[0,\"\xc3\xa9\"],[1,\"t\"]]"},
               {"keys(obj)", "[\"a\",\"b\",\"1\",\"length\",\"-1\"]"}, {"keys(arr)", "[0,1,2]"},
               {"keys('abc')", "null"}, {"keys(null)", "null"},
               {"values(obj.b)", "[[10,20,{\"d\":\"deep\"}]]"}, {"values(list)", "[1,2,3]"},
               {"values('abc')", "null"}, {"values(5)", "null"}, {"length('J\xc3\xb6rg')", "4"},
               {"length(arr)", "3"}, {"length(obj)", "5"}, {"length(5)", "null"},
               {"length(null)", "null"});
}

static void test_funcs_epoch_and_now(void)
{
    CHECK_ROWS({"epoch('s')", "\"1709214245\""}, {"epoch('ms')", "\"1709214245123\""},
               {"epoch('mu')", "\"1709214245123456\""}, {"epoch('ns')", "\"1709214245123456789\""},
               {"now()", "\"2024-02-29T13:44:05.123Z\""},
               {"now('%Y-%m-%d %H:%M:%S')", "\"2024-02-29 13:44:05\""},
               {"now('%F %T.%N %z %Z')", "\"2024-02-29 13:44:05.123456789 +0000 UTC\""},
               {"now('%a, %d %b %Y %T')", "\"Thu, 29 Feb 2024 13:44:05\""},
               {"now('%j %e %s %L %%')", "\"060 29 1709214245 123 %\""}, {"now('')", "\"\""});
}

static void test_funcs_now_knows_the_calendar(void)
{
    static const struct {
        uint64_t s;
        const char *text;
    } rows[] = {
        {0, "\"1970-01-01 001 Thu\""},          {86399, "\"1970-01-01 001 Thu\""},
        {68169600, "\"1972-02-29 060 Tue\""},   {68256000, "\"1972-03-01 061 Wed\""},
        {94694399, "\"1972-12-31 366 Sun\""},   {951782400, "\"2000-02-29 060 Tue\""},
        {978307199, "\"2000-12-31 366 Sun\""},  {2147483648, "\"2038-01-19 019 Tue\""},
        {4107542400, "\"2100-03-01 060 Mon\""}, {4107456000, "\"2100-02-28 059 Sun\""},
    };
    static struct world world;

    world_open(&world);
    for (size_t i = 0; i < COUNT(rows); i++) {
        world.env.wall_ns = rows[i].s * NS_PER_S;
        EXPECT(strcmp(eval(&world, "now('%F %j %a')"), rows[i].text) == 0);
    }
    world_close(&world);
}

static void test_funcs_if(void)
{
    CHECK_ROWS({"if(true, 1, 2)", "1"}, {"if(false, 1, 2)", "2"}, {"if(nil, 1, num)", "7"},
               {"if(num, str, nil.x)", "\"hello\""}, {"if(!num, nil.x, str)", "\"hello\""},
               {"if('', 1, 2)", "2"}, {"if(arr, 1, 2)", "1"},
               {"if(num > 5, 'big', 'small')", "\"big\""});
}

static void test_funcs_join(void)
{
    CHECK_ROWS({"join(arr, '-')", "\"x-y-[1,2]\""},
               {"join(obj.b, '\\n', ': ')", "\"c: [10,20,{\\\"d\\\":\\\"deep\\\"}]\""},
               {"join(response.body, '\\n', ': ')", "\"null\""}, {"join(list, '')", "\"123\""},
               {"join(list, 0)", "\"10203\""}, {"join('abc', '-')", "\"abc\""},
               {"join(null, '-')", "\"null\""}, {"join(range(0, 0), '-')", "\"\""},
               {"join(obj.b, '-')", "\"{\\\"c\\\":[10,20,{\\\"d\\\":\\\"deep\\\"}]}\""},
               {"join(entries('ab'), ';')", "\"[0,\\\"a\\\"];[1,\\\"b\\\"]\""});
}

static void test_funcs_match(void)
{
    CHECK_ROWS(
        {"match(html, 'Hello, (?P<name>[^!]+).*(?P<y>\\d{4})-(?P<m>\\d{2})-(?P<d>\\d{2})')",
         "{\"0\":\"Hello, J\xc3\xb6rg! It is 2038-01-19\",\"name\":\"J\xc3\xb6rg\",\"y\":\"2038\","
         "\"m\":\"01\",\"d\":\"19\"}"},
        {"match(html, 'nothing')", "null"}, {"match(html, '(\\d+)-(?<m>\\d+)').m", "\"01\""},
        {"match(html, '(\\d+)-(?<m>\\d+)')[1]", "\"2038\""},
        {"match(html, '(\\d+)-(?<m>\\d+)')['2']", "null"}, {"match(num, '\\d')[0]", "\"7\""},
        {"match('ab', '(a)|(b)')", "{\"0\":\"a\",\"1\":\"a\",\"2\":null}"},
        {"match('b', '(a)|(b)')", "{\"0\":\"b\",\"1\":null,\"2\":\"b\"}"},
        {"match('', '')", "{\"0\":\"\"}"}, {"match('J\xc3\xb6rg', '^.{4}$')[0]", "\"J\xc3\xb6rg\""},
        {"match('a\nb', 'a.b')", "null"}, {"match('a\nb', '(?s)a.b')[0]", "\"a\\nb\""},
        {"match('a\n', 'a$')", "null"}, {"match('A', '(?i)a')[0]", "\"A\""},
        {"match('a\\'b', 'a\\'b')[0]", "\"a'b\""}, {"match(str, '${word}|hel')[0]", "\"hel\""},
        {"match('1234567890123456789012345678901x', '(\\d+)*y')", "null"});
}

static void test_funcs_match_is_bounded(void)
{
    static struct world world;
    static const char *const texts[] = {
        "match(start_pad('', 5000, 'a'), '(a|aa)+(b|c)+x')",
        "match(join(range(0, num + 2000), ''), '(\\d*)*(\\d*)*(\\d*)*x')",
    };

    world_open(&world);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *got = eval(&world, texts[i]);

        /* PCRE2 may see that there is no 'x' at all. */
        EXPECT(strcmp(got, "null") == 0 ||
               strcmp(got, "! a regular expression took too long") == 0 ||
               strcmp(got, "! the memory for expressions is used up") == 0);
        EXPECT(world.scratch.top == world.scratch.end);
        scratch_clear(&world.scratch);
    }
    EXPECT(strcmp(eval(&world, "match(start_pad('x', 4000, 'a'), '(x+x+)+y|(a?){30}a{30}(a*)*$')"),
                  "") != 0);
    world_close(&world);
}

static void test_funcs_min_and_max(void)
{
    CHECK_ROWS({"max(1, 2.5, num)", "7"}, {"min(1, 2.5, num)", "1"}, {"max()", "null"},
               {"min()", "null"}, {"max('9', nil)", "null"}, {"max('9', 3, nil)", "3"},
               {"min(2, 2.0)", "2"}, {"max(2.0, 2)", "2.0"}, {"max(-1, -2)", "-1"},
               {"max(arr, 1)", "1"}, {"min(big, 9223372036854775807.0)", "9223372036854775807"});
}

static void test_funcs_parse_numbers(void)
{
    CHECK_ROWS(
        {"parseInt('17')", "17"}, {"parseInt('-17')", "-17"}, {"parseInt('+17')", "17"},
        {"parseInt('007')", "7"}, {"parseInt('1.5')", "null"}, {"parseInt('12abc')", "null"},
        {"parseInt('')", "null"}, {"parseInt('-')", "null"}, {"parseInt(' 1')", "null"},
        {"parseInt(5)", "5"}, {"parseInt(5.0)", "5"}, {"parseInt(5.5)", "null"},
        {"parseInt(null)", "null"}, {"parseInt(true)", "null"}, {"parseInt(list)", "null"},
        {"parseInt('9223372036854775807')", "9223372036854775807"},
        {"parseInt('9223372036854775808')", "null"},
        {"parseInt('-9223372036854775808')", "-9223372036854775808"},
        {"parseInt('00000000000000000000000000000000000001')", "1"}, {"parseFloat('1.5')", "1.5"},
        {"parseFloat('-1.5e3')", "-1500.0"}, {"parseFloat('5')", "5.0"},
        {"parseFloat('+5')", "5.0"}, {"parseFloat('.5')", "0.5"}, {"parseFloat('5.')", "5.0"},
        {"parseFloat('5.e1')", "50.0"}, {"parseFloat('007.5')", "7.5"}, {"parseFloat('.')", "null"},
        {"parseFloat('')", "null"}, {"parseFloat('-')", "null"}, {"parseFloat('e5')", "null"},
        {"parseFloat('1.5x')", "null"}, {"parseFloat('1..5')", "null"},
        {"parseFloat('1.5.5')", "null"}, {"parseFloat('1.5.')", "null"},
        {"parseFloat('-.5')", "-0.5"}, {"parseFloat('nan')", "null"}, {"parseFloat('inf')", "null"},
        {"parseFloat(7)", "7.0"}, {"parseFloat(null)", "null"}, {"parseFloat(str)", "null"},
        {"parseFloat('1e400')", "1.7976931348623157e308"});
}

static void test_funcs_random_stays_in_range(void)
{
    static struct world world;
    const struct expr *whole, *real, *span;
    bool seen[10] = {false};
    struct value value;

    world_open(&world);
    whole = world_compile(&world, "random(-5, 5)");
    real = world_compile(&world, "random(-1, 1.5)");
    span = world_compile(&world, "random(-big - 1, big)");
    EXPECT(whole != NULL && real != NULL && span != NULL);
    for (int i = 0; i < 10000; i++) {
        EXPECT(expr_eval(whole, &world.env, &value) == EXPR_OK);
        EXPECT(value.kind == VALUE_INT);
        EXPECT(value.integer >= -5 && value.integer < 5);
        seen[value.integer + 5] = true;
        EXPECT(expr_eval(real, &world.env, &value) == EXPR_OK);
        EXPECT(value.kind == VALUE_DOUBLE);
        EXPECT(value.real >= -1 && value.real < 1.5);
        EXPECT(expr_eval(span, &world.env, &value) == EXPR_OK);
        EXPECT(value.kind == VALUE_INT);
    }
    for (size_t i = 0; i < COUNT(seen); i++) {
        EXPECT(seen[i]);
    }
    EXPECT(strcmp(eval(&world, "random(num, 7)"), "null") == 0);
    EXPECT(strcmp(eval(&world, "random(str, 7)"), "null") == 0);
    EXPECT(strcmp(eval(&world, "random(num, 8)"), "7") == 0);
    world_close(&world);
}

static void test_funcs_range_and_repeat(void)
{
    static struct world world;

    CHECK_ROWS(
        {"range(1, 5)", "[1,2,3,4]"}, {"range(5, 1)", "[5,4,3,2]"}, {"range(3, 3)", "[]"},
        {"range(-2, 1)", "[-2,-1,0]"}, {"range(num, 9)", "[7,8]"}, {"range(1.5, 3)", "null"},
        {"range('a', 3)", "null"}, {"range(0, big)", "! the result of an expression is too large"},
        {"range(-big - 1, big)", "! the result of an expression is too large"},
        {"range(0, 1000000)", "! the memory for expressions is used up"},
        {"repeat(3)", "[null,null,null]"}, {"repeat(0)", "[]"}, {"repeat(-1)", "null"},
        {"repeat('a')", "null"}, {"repeat(3, 3)", "null"}, {"repeat(3, 4)", "[null,null,null]"},
        {"repeat(9999999)", "! the result of an expression is too large"});
    world_open(&world);
    for (int i = 0; i < 200; i++) {
        size_t len = strlen(eval(&world, "repeat(1, 3)"));

        EXPECT(len == strlen("[null]") || len == strlen("[null,null]"));
        scratch_clear(&world.scratch);
    }
    world_close(&world);
}

static void test_funcs_replace(void)
{
    CHECK_ROWS({"replace('foo', 'a foo b foofoo', 'bar')", "\"a bar b barbar\""},
               {"replace('l', str, '')", "\"heo\""}, {"replace('', str, 'x')", "\"hello\""},
               {"replace('zz', str, 'x')", "\"hello\""}, {"replace('7', num, 'x')", "7"},
               {"replace('e', obj.b, 'E')", "{\"c\":[10,20,{\"d\":\"dEEp\"}]}"},
               {"replace('x', arr, num)", "[\"7\",\"y\",[1,2]]"},
               {"replace(1, obj, 'a')", "{\"a\":\"one\",\"b\":{\"c\":[10,20,{\"d\":\"deep\"}]},"
                                        "\"length\":99,\"-a\":\"minus\"}"},
               {"replace('length', obj, '1')", "{\"a\":1,\"b\":{\"c\":[10,20,{\"d\":\"deep\"}]},"
                                               "\"1\":99,\"-1\":\"minus\"}"},
               {"replace('a', 'aaa', 'aa')", "\"aaaaaa\""},
               {"replace('aa', 'aaa', 'b')", "\"ba\""});
}

static void test_funcs_text(void)
{
    CHECK_ROWS(
        {"lower('ABC\xc3\x89z9')", "\"abc\xc3\x89z9\""},
        {"upper('abc\xc3\xa9Z9')", "\"ABC\xc3\xa9Z9\""}, {"lower(yes)", "\"true\""},
        {"trim(' \t\n\r a b \x0b\x0c ')", "\"a b\""}, {"trim('')", "\"\""}, {"trim('   ')", "\"\""},
        {"trim(num)", "\"7\""}, {"substr(str, 1)", "\"ello\""}, {"substr(str, 1, 2)", "\"el\""},
        {"substr(str, -3)", "\"llo\""}, {"substr(str, -3, 2)", "\"ll\""},
        {"substr(str, -99, 2)", "\"he\""}, {"substr(str, 99)", "\"\""},
        {"substr(str, 0, 99)", "\"hello\""}, {"substr(str, 0, -1)", "\"\""},
        {"substr('J\xc3\xb6rg', 1, 2)", "\"\xc3\xb6r\""}, {"substr(str, 'a')", "null"},
        {"substr(str, 0, nil)", "null"}, {"substr(12345, 1, 3)", "\"234\""},
        {"split('a,b,,c', ',')", "[\"a\",\"b\",\"\",\"c\"]"}, {"split('a,', ',')", "[\"a\",\"\"]"},
        {"split(',', ',')", "[\"\",\"\"]"}, {"split('', ',')", "[\"\"]"},
        {"split('abc', 'x')", "[\"abc\"]"}, {"split('a--b', '--')", "[\"a\",\"b\"]"},
        {"split('\xc3\xa9t', '')", "[\"\xc3\xa9\",\"t\"]"}, {"split('', '')", "[]"},
        {"split(1.5, '.')", "[\"1\",\"5\"]"});
}

/* The values are those of the RFCs 1321, 3174, 2104, 2202 and 4231 and of FIPS 180. */
static void test_funcs_hash_and_hmac(void)
{
    CHECK_ROWS({"hash('', 'md5')", "\"d41d8cd98f00b204e9800998ecf8427e\""},
               {"hash('abc', 'md5')", "\"900150983cd24fb0d6963f7d28e17f72\""},
               {"hash('abc', 'sha1')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""},
               {"hash('abc', 'sha256')",
                "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
               {"hmac('Jefe', 'what do ya want for nothing?', 'md5')",
                "\"750c783e6ab0b503eaa86e310a5db738\""},
               {"hmac('Jefe', 'what do ya want for nothing?', 'sha1')",
                "\"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79\""},
               {"hmac('Jefe', 'what do ya want for nothing?', 'sha256')",
                "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\""},
               {"hash(num, 'md5')", "\"8f14e45fceea167a5a36dedd4bea2543\""});
}

static void test_funcs_uuid(void)
{
    static struct world world;
    char first[64];

    world_open(&world);
    (void)snprintf(first, sizeof(first), "%s", eval(&world, "uuid()"));
    for (int i = 0; i < 1000; i++) {
        const char *text = eval(&world, "uuid()");

        EXPECT(strlen(text) == 38);
        EXPECT(strspn(text + 1, "0123456789abcdef-") == 36);
        EXPECT(text[9] == '-' && text[14] == '-' && text[19] == '-' && text[24] == '-');
        EXPECT(text[15] == '4');
        EXPECT(strchr("89ab", text[20]) != NULL);
        EXPECT(strcmp(text, first) != 0);
        scratch_clear(&world.scratch);
    }
    world_close(&world);
}

static void test_funcs_world(void)
{
    static struct world world;
    const struct expr *counter;

    CHECK_ROWS({"worker()", "3"}, {"env('HOME_OF_TEST')", "\"/here\""});
    world_open(&world);
    world.counters[1] = 5;
    counter = world_compile(&world, "'${counter(`a`)},${counter(`a`)},${counter(`bb`)}'");
    EXPECT(counter != NULL);
    EXPECT(strcmp(world_eval(&world, counter, result, sizeof(result)), "\"5,7,0\"") == 0);
    EXPECT(strcmp(world_eval(&world, counter, result, sizeof(result)), "\"9,11,2\"") == 0);
    world.scope.counter = NULL;
    EXPECT(world_compile(&world, "counter('a')") == NULL);
    EXPECT(strstr(world.problems, "counter() cannot stand here") != NULL);
    world.scope.environment = NULL;
    EXPECT(world_compile(&world, "env('a')") == NULL);
    EXPECT(strstr(world.problems, "env() cannot stand here") != NULL);
    world_close(&world);
}

static void test_funcs_are_listed_in_order(void)
{
    size_t count = 0;

    while (expr_function_name(count + 1) != NULL) {
        EXPECT(strcasecmp(expr_function_name(count), expr_function_name(count + 1)) < 0);
        count++;
    }
    EXPECT(count + 1 == 33);
}

static void test_funcs_are_all_documented(void)
{
    static char docs[64 * 1024];
    FILE *file = fopen("docs/expressions.md", "r");
    size_t len;

    EXPECT(file != NULL);
    len = fread(docs, 1, sizeof(docs) - 1, file);
    docs[len] = '\0';
    EXPECT(fclose(file) == 0);
    for (size_t i = 0; expr_function_name(i) != NULL; i++) {
        char call[64];

        (void)snprintf(call, sizeof(call), "`%s(", expr_function_name(i));
        if (strstr(docs, call) == NULL) (void)fprintf(stderr, "%s)\n", call);
        EXPECT(strstr(docs, call) != NULL);
    }
}

int main(void)
{
    TEST(test_funcs_collect_outside_of_declare_is_its_item);
    TEST(test_funcs_encode);
    TEST(test_funcs_pad);
    TEST(test_funcs_entries_keys_values_length);
    TEST(test_funcs_epoch_and_now);
    TEST(test_funcs_now_knows_the_calendar);
    TEST(test_funcs_if);
    TEST(test_funcs_join);
    TEST(test_funcs_match);
    TEST(test_funcs_match_is_bounded);
    TEST(test_funcs_min_and_max);
    TEST(test_funcs_parse_numbers);
    TEST(test_funcs_random_stays_in_range);
    TEST(test_funcs_range_and_repeat);
    TEST(test_funcs_replace);
    TEST(test_funcs_text);
    TEST(test_funcs_hash_and_hmac);
    TEST(test_funcs_uuid);
    TEST(test_funcs_world);
    TEST(test_funcs_are_listed_in_order);
    TEST(test_funcs_are_all_documented);
    return 0;
}
