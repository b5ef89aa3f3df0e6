/* What expressions promise: every operator and path as docs/expressions.md says, errors as values,
 * problems told with their place, and the same result folded as evaluated. */
#include "config/expr.h"

#include "tests/expr_world.h"

static char result[65536];

/* The JSON of the expression's value, or "! error", or "? problem". */
static const char *eval(const char *text, const char *body, bool indexing_is_null)
{
    static struct world world;
    const struct expr *expr;

    world_open(&world);
    expr = world_compile(&world, text);
    if (expr == NULL) {
        EXPECT(world.errors > 0);
        (void)snprintf(result, sizeof(result), "? %s", world.problems);
        result[strcspn(result, "\n")] = '\0';
    } else {
        EXPECT(world.errors == 0);
        world.env.indexing_is_null = indexing_is_null;
        world_answer(&world, body);
        (void)world_eval(&world, expr, result, sizeof(result));
    }
    world_close(&world);
    return result;
}

struct row {
    const char *text;
    const char *json;
};

static void check(const struct row *rows, size_t count, const char *body, bool indexing_is_null)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        const char *got = eval(rows[i].text, body, indexing_is_null);

        if (strcmp(got, rows[i].json) == 0) continue;
        (void)fprintf(stderr, "%s\n  gave   %s\n  wanted %s\n", rows[i].text, got, rows[i].json);
        wrong++;
    }
    EXPECT(wrong == 0);
}

static const struct row operators[] = {
    {"1", "1"},
    {"-5", "-5"},
    {"1.50", "1.5"},
    {"1e3", "1000.0"},
    {"1.0", "1.0"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "9.223372036854776e18"},
    {"null", "null"},
    {"true", "true"},
    {"false", "false"},
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"10 - 2 - 3", "5"},
    {"100 / 10 / 5", "2"},
    {"6 / 2", "3"},
    {"7 / 2", "3.5"},
    {"1 / 3", "0.3333333333333333"},
    {"7 % 3", "1"},
    {"-7 % 3", "-1"},
    {"7 % -3", "1"},
    {"7.5 % 2", "1.5"},
    {"1 / 0", "null"},
    {"1 % 0", "null"},
    {"1 / 0.0", "null"},
    {"1.5 + 1.5", "3"},
    {"0.1 + 0.2", "0.30000000000000004"},
    {"2 - 5", "-3"},
    {"num - 10", "-3"},
    {"num * real", "17.5"},
    {"num + str", "null"},
    {"yes + 1", "null"},
    {"nil * 2", "null"},
    {"big + 1", "9.223372036854776e18"},
    {"big * 2", "1.8446744073709552e19"},
    {"-big - 2", "-9.223372036854776e18"},
    {"(-big - 1) / -1", "9.223372036854776e18"},
    {"(-big - 1) % -1", "0"},
    {"1e308 * 10", "null"},
    {"-num", "-7"},
    {"- -num", "7"},
    {"-str", "null"},
    {"!num", "false"},
    {"!!num", "true"},
    {"!nil", "true"},
    {"!''", "true"},
    {"!0", "true"},
    {"!0.0", "true"},
    {"!arr", "false"},
    {"!no == yes", "true"},
    {"1 == 1.0", "true"},
    {"'1' == num", "false"},
    {"num == 7", "true"},
    {"num != 7", "false"},
    {"arr == arr", "true"},
    {"obj.b == obj.b", "true"},
    {"nil == null", "true"},
    {"big == 9223372036854775807.0", "false"},
    {"num < 8", "true"},
    {"num <= 7", "true"},
    {"num > 7", "false"},
    {"num >= 7.0", "true"},
    {"str < 'hellp'", "true"},
    {"str < 'hell'", "false"},
    {"str >= 'hello'", "true"},
    {"str < num", "false"},
    {"nil < 1", "false"},
    {"yes && str", "true"},
    {"yes && nil", "false"},
    {"no || nil", "false"},
    {"no || 'x'", "true"},
    {"no && nil.x", "false"},
    {"yes || nil.x", "true"},
    {"yes && nil.x", "! indexing into json"},
    {"1 || 0 && 0", "true"},
    {"(1 || 0) && 0", "false"},
    {"1 + 1 == 2 && 3 > 2", "true"},
    {"1 < 2 == true", "true"},
    {"num+1", "8"},
    {"num-1", "6"},
    {" \t\n num\r\n+\n1 ", "8"},
    {"truest", "\"true is a prefix\""},
    {"nullable", "\"null is a prefix\""},
    {"\xc3\xa9t\xc3\xa9", "\"summer\""},
    {"made", "\"declared\""},
    {"local[1]", "5"},
    {"error.msg", "\"timed out\""},
    {"for_each[0].id", "8"},
    {"one + list[2]", "4"},
};

static void test_expr_operators(void)
{
    check(operators, COUNT(operators), NULL, false);
}

static void test_expr_paths(void)
{
    static const struct row rows[] = {
        {"obj.a", "1"},
        {"obj['a']", "1"},
        {"obj[\"a\"]", "1"},
        {"obj[`a`]", "1"},
        {"obj.b.c[0]", "10"},
        {"obj.b.c[2].d", "\"deep\""},
        {"obj . b [ 'c' ] [ 2 ] . d", "\"deep\""},
        {"obj.b.c.length", "3"},
        {"obj.length", "99"},
        {"arr.length", "3"},
        {"arr[2].length", "2"},
        {"str.length", "5"},
        {"'J\xc3\xb6rg'.length", "4"},
        {"obj[1]", "\"one\""},
        {"obj['1']", "\"one\""},
        {"obj[-1]", "\"minus\""},
        {"obj.nothing", "null"},
        {"arr[3]", "null"},
        {"arr[-1]", "null"},
        {"arr.name", "null"},
        {"arr['0']", "null"},
        {"arr[99999999999]", "null"},
        {"obj.a.b", "! indexing into json"},
        {"nil.a", "! indexing into json"},
        {"nil.length", "! indexing into json"},
        {"num.length", "! indexing into json"},
        {"str[0]", "! indexing into json"},
        {"obj.nothing.more", "! indexing into json"},
        {"arr[num - 6]", "\"y\""},
        {"arr[obj.a]", "\"y\""},
        {"arr[one]", "\"y\""},
        {"obj['${word}' == 'abc']", "? 3:14: what is in brackets must be a string or a number"},
        {"obj[str]", "null"},
        {"obj[num - 8]", "\"minus\""},
        {"arr[real]", "null"},
        {"arr[nil]", "null"},
        {"provider['odd name']", "\"in brackets\""},
        {"provider['obj'].a", "1"},
        {"(obj).a", "1"},
        {"entries(obj)[0][1]", "1"},
        {"'abc'.length + 1", "4"},
        {"list.length", "3"},
        {"list[5]", "null"},
        {"word.x", "! indexing into json"},
    };
    static const struct row lenient[] = {
        {"obj.a.b", "null"},    {"nil.a.b.c", "null"},        {"str[0]", "null"},
        {"nil.length", "null"}, {"obj.nothing.more", "null"}, {"obj.b.c[2].d", "\"deep\""},
    };

    check(rows, COUNT(rows), NULL, false);
    check(lenient, COUNT(lenient), NULL, true);
}

static void test_expr_strings_are_templates(void)
{
    static const struct row rows[] = {
        {"'id-${num}'", "\"id-7\""},
        {"\"${str}, ${obj.b.c[2].d}!\"", "\"hello, deep!\""},
        {"`${num + 1}`", "\"8\""},
        {"'${one}${word}'", "\"1abc\""},
        {"'a\\'b'", "\"a'b\""},
        {"\"a\\\"b\"", "\"a\\\"b\""},
        {"'a\\\"b'", "\"a\\\\\\\"b\""},
        {"'\\d+\\.'", "\"\\\\d+\\\\.\""},
        {"'a\\\\'", "\"a\\\\\\\\\""},
        {"'line\\nnext\\ttab\\r'", "\"line\\nnext\\ttab\\r\""},
        {"'\\${num}'", "\"${num}\""},
        {"'\\\\${num}'", "\"\\\\\\\\7\""},
        {"'\\\\\\${num}'", "\"\\\\\\\\${num}\""},
        {"'$num $ {num} ${num}$'", "\"$num $ {num} 7$\""},
        {"'${obj.b}'", "\"{\\\"c\\\":[10,20,{\\\"d\\\":\\\"deep\\\"}]}\""},
        {"'${nil} ${yes} ${real}'", "\"null true 2.5\""},
        {"'a ${join(arr, \"-\")} b'", "\"a x-y-[1,2] b\""},
        {"'${`in ${str}`}'", "\"in hello\""},
        {"''", "\"\""},
        {"'${nil.x}'", "! indexing into json"},
        {"'${num'", "? 3:11: the '${' that begins here is not ended by a '}'"},
        {"'${'", "? 3:13: a value is missing at the end"},
        {"'${num} ${unknown}'", "? 3:20: there is no name 'unknown' here"},
    };

    check(rows, COUNT(rows), NULL, false);
}

static void test_expr_reads_the_response(void)
{
    static const char body[] =
        "{\"items\":[{\"id\":17,\"n\":\"a\"},{\"id\":18,\"n\":\"b\"}],\"ok\":true,"
        "\"text\":\"J\\u00f6rg\",\"nothing\":null,\"1\":\"digit\"}";
    static const struct row rows[] = {
        {"response.body.items[0].id", "17"},
        {"response.body.items[1].n", "\"b\""},
        {"response.body.items.length", "2"},
        {"response.body.text.length", "4"},
        {"response.body.text", "\"J\xc3\xb6rg\""},
        {"response.body.items[num - 6].id", "18"},
        {"response.body.nothing", "null"},
        {"response.body.missing", "null"},
        {"response.body.items[2]", "null"},
        {"response.body.nothing.x", "! indexing into json"},
        {"response.body.missing.x", "! indexing into json"},
        {"response.body.ok.x", "! indexing into json"},
        {"response.body.items[2].id", "! indexing into json"},
        {"response.body[1]", "\"digit\""},
        {"response['body']['items'][0]['id']", "17"},
        {"response.body.items[0]", "{\"id\":17,\"n\":\"a\"}"},
        {"response.body.items[0].id + response.body.items[1].id", "35"},
        {"'${response.body.items[0].id}-${response.body.items[0]}'",
         "\"17-{\\\"id\\\":17,\\\"n\\\":\\\"a\\\"}\""},
        {"response.body.ok && response.status == 200", "true"},
        {"response.status", "200"},
        {"response.headers['Content-Type']", "\"field 7 content-type\""},
        {"response.headers.server", "\"field 7 server\""},
        {"response['start-line']", "\"field 9\""},
        {"request.method", "\"field 0\""},
        {"request.url.searchParams", "\"field 1 searchParams\""},
        {"request.body", "\"field 4\""},
        {"stats.rtt", "12.5"},
        {"stats", "{\"rtt\":12.5,\"due_lag\":\"field 11\",\"connect\":\"field 12\","
                  "\"tls\":\"field 13\",\"ttfb\":\"field 14\"}"},
        {"response[str]", "null"},
        {"response[obj.b.c[2].d]", "null"},
        {"response[str == 'x']", "null"},
        {"response.statuses", "? 3:19: 'response' has no such member"},
        {"json_path('response.body.items.*.id')", "[17,18]"},
        {"json_path('response.body.items[*].n')", "[\"a\",\"b\"]"},
        {"json_path('$.response.body.items[?@.id > 17].n')", "[\"b\"]"},
        {"json_path('response.body..id')", "[17,18]"},
        {"json_path('response.body.nothing')", "[null]"},
        {"json_path('response.body.missing')", "[]"},
        {"json_path('response.body.missing.more.still')", "[]"},
        {"json_path('response.body.ok.x')", "[]"},
        {"json_path('response.body').length", "1"},
        {"json_path('obj.b.c[-1].d')", "[\"deep\"]"},
        {"json_path('list[1:]')", "[2,3]"},
        {"json_path('response.status')", "[200]"},
        {"json_path('unknown.x')", "? 3:21: there is no name 'unknown' here"},
        {"json_path('obj[')", "? 3:25: a selector is missing or wrong"},
        {"json_path(obj)", "? 3:20: a query in quotes is missing before 'obj'"},
    };
    static const struct row text[] = {
        {"response.body", "\"no json\""},
        {"response.body.length", "7"},
        {"response.body.x", "! indexing into json"},
        {"response.body == 'no json'", "true"},
        {"match(response.body, 'n(.) j')['1']", "\"o\""},
    };
    static const struct row none[] = {
        {"response.body", "null"}, {"response.body.items[0]", "null"}, {"response.status", "null"}};

    check(rows, COUNT(rows), body, false);
    check(text, COUNT(text), "no json", false);
    check(none, COUNT(none), NULL, true);
}

static void test_expr_tells_what_is_wrong(void)
{
    static const struct row rows[] = {
        {"", "? 3:10: a value is missing at the end"},
        {"1 +", "? 3:13: a value is missing at the end"},
        {"1 2", "? 3:12: an operator is missing before '2'"},
        {"(1", "? 3:12: a ')' is missing at the end"},
        {"a b", "? 3:10: there is no name 'a' here"},
        {"nope", "? 3:10: there is no name 'nope' here"},
        {"1 +\n  nope", "? 4:3: there is no name 'nope' here"},
        {"provider['nope']", "? 3:20: there is no name 'nope' here"},
        {"provider.nope", "? 3:19: there is no name 'nope' here"},
        {"provider['one']", "? 3:20: there is no name 'one' here"},
        {"nope(1)", "? 3:10: there is no function 'nope'"},
        {"1 = 2", "? 3:12: a single '=' means nothing; write '=='"},
        {"1 & 2", "? 3:12: a single '&' means nothing; write '&&'"},
        {"1 # 2", "? 3:12: '#' means nothing in an expression"},
        {"'abc", "? 3:10: the string that begins here does not end"},
        {"'abc\\'", "? 3:10: the string that begins here does not end"},
        {"1abc", "? 3:10: '1abc' is neither a number nor a name"},
        {"01", "? 3:10: a number does not begin with 0"},
        {"obj.", "? 3:14: a name is missing at the end"},
        {"obj.1", "? 3:14: a name is missing before '1'"},
        {"obj[", "? 3:14: a value is missing at the end"},
        {"obj[1", "? 3:15: a ']' is missing at the end"},
        {"obj[null]", "? 3:14: what is in brackets must be a string or a number"},
        {"if(1, 2)", "? 3:10: if() takes 3 arguments, not 2"},
        {"lower()", "? 3:10: lower() takes 1 argument, not 0"},
        {"join(1)", "? 3:10: join() takes 2 to 3 arguments, not 1"},
        {"lower(1", "? 3:17: a ',' or ')' is missing at the end"},
        {"lower(1,)", "? 3:18: a value is missing before ')'"},
        {"epoch('year')", "? 3:16: epoch() knows the units \"s\", \"ms\", \"mu\", \"ns\""},
        {"epoch(str)", "? 3:16: this must be a string that is known at load"},
        {"encode('x', 'rot13')",
         "? 3:22: there is no encoding 'rot13'; there are base64, base64-padded, base64url, hex, "
         "percent-simple, percent-query, percent, percent-path, percent-userinfo, "
         "non-alphanumeric"},
        {"hash('x', 'crc')", "? 3:20: there is no hash 'crc'; there are md5, sha1, sha256"},
        {"match(str, '(')",
         "? 3:21: the regular expression '(' is wrong at byte 1: missing closing parenthesis"},
        {"match(str, '(?=a)')", "? 3:21: the regular expression '(?=a)' is wrong at byte 0: "
                                "look-around is not supported"},
        {"match(str, nil)", "? 3:21: this must be a string that is known at load"},
        {"random(5, 5)", "? 3:10: random() takes two numbers, the first less than the second"},
        {"random('a', 5)", "? 3:10: random() takes two numbers, the first less than the second"},
        {"collect(num, str)",
         "? 3:23: this must be a whole number from 0 to 1048576 that is known at load"},
        {"collect(num, 3, 3)", "? 3:26: the maximum must be greater than the minimum"},
        {"now('%Q')",
         "? 3:14: a '%' in the format of now() is followed by one of YmdHMSLNjabseTFzZ%"},
        {"env('NOT_SET_HERE')", "? 3:14: the environment has no variable 'NOT_SET_HERE'"},
        {"counter('')", "? 3:10: there are too many counters"},
    };

    check(rows, COUNT(rows), NULL, false);
}

/* All unknown names of an expression are told, not only the first. */
static void test_expr_tells_all_unknown_names(void)
{
    static struct world world;

    world_open(&world);
    EXPECT(world_compile(&world, "nope + 1 == nada.x && lower(nix)") == NULL);
    EXPECT(world.errors == 3);
    EXPECT(strstr(world.problems, "'nope'") != NULL);
    EXPECT(strstr(world.problems, "'nada'") != NULL);
    EXPECT(strstr(world.problems, "'nix'") != NULL);
    EXPECT(world.warnings == 0);
    EXPECT(world.last_len == 3);
    world_close(&world);
}

static void test_expr_warns_of_what_never_changes(void)
{
    static const struct {
        const char *text;
        uint32_t warnings;
    } rows[] = {
        {"'a' + 1", 1},    {"-'a'", 1},      {"1 == 'a'", 1},  {"true < 1", 1},
        {"num == 'a'", 0}, {"num < 1", 0},   {"'a' < 1", 1},   {"1 == 1.0", 0},
        {"1 < 2.0", 0},    {"!num == 1", 1}, {"num + nil", 0}, {"lower(str) == 1", 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct world world;

        world_open(&world);
        EXPECT(world_compile(&world, rows[i].text) != NULL);
        EXPECT(world.warnings == rows[i].warnings);
        world_close(&world);
    }
}

static void test_expr_folds_constants(void)
{
    static const char *const constants[] = {
        "1 + 2 * 3",
        "'a${one}b'",
        "list[1]",
        "lower('ABC')",
        "match('ab', 'a(.)')['1']",
        "if(true, 1, 2)",
        "range(0, 10).length",
        "env('HOME_OF_TEST')",
        "!list",
        "json_path('list[0]')",
        "hash('x', 'md5')",
    };
    static const char *const others[] = {"num",   "'a${num}'", "random(0, 5)",    "uuid()",
                                         "now()", "word.x",    "response.status", "counter('a')"};
    static struct world world;

    world_open(&world);
    for (size_t i = 0; i < COUNT(constants); i++) {
        const struct expr *expr = world_compile(&world, constants[i]);

        EXPECT(expr != NULL);
        EXPECT(expr_is_constant(expr) != NULL);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        const struct expr *expr = world_compile(&world, others[i]);

        EXPECT(expr != NULL);
        EXPECT(expr_is_constant(expr) == NULL);
    }
    world_close(&world);
}

static bool uses(const struct world *world, const char *name)
{
    for (uint32_t i = 0; i < world->needs.uses_count; i++) {
        if (strcmp(world_names[world->needs.uses[i].index].name, name) == 0) return true;
    }
    return false;
}

static void test_expr_reports_what_it_needs(void)
{
    static struct world world;

    world_open(&world);
    EXPECT(world_compile(&world, "num + num + obj.a + made") != NULL);
    EXPECT(world.needs.uses_count == 3);
    EXPECT(uses(&world, "num"));
    EXPECT(uses(&world, "obj"));
    EXPECT(uses(&world, "made"));
    EXPECT(world.needs.mentions_count == 0);
    EXPECT(world.needs.body == NULL);
    EXPECT(!world.needs.random);
    EXPECT(!world.needs.wall);
    EXPECT(world_compile(&world, "'${response.body.a.b}' == response.body.a.b") != NULL);
    EXPECT(json_paths_count(world.needs.body) == 1);
    EXPECT(world_compile(&world, "response.headers.x || response.headers.X || stats.rtt") != NULL);
    EXPECT(world.needs.fields_count == 2);
    EXPECT(world_compile(&world, "uuid() == now() || counter('a') == for_each") != NULL);
    EXPECT(world.needs.random);
    EXPECT(world.needs.wall);
    EXPECT(world.needs.counters);
    EXPECT(world.needs.for_each);
    EXPECT(!world.needs.error);
    EXPECT(world_compile(&world, "error.code") != NULL);
    EXPECT(world.needs.error);
    world_close(&world);
}

/* In `declare` each mention pops on its own, collect() collects, if() pops for one branch only. */
static void test_expr_pops_in_declare(void)
{
    static const struct {
        const char *text;
        const char *json;
        uint32_t pops;
    } rows[] = {
        {"num", "100", 1},
        {"num + num", "300", 2},
        {"collect(num, 3)", "[100,101,102]", 3},
        {"collect(num, 0)", "[]", 0},
        {"collect('${num}-${str}', 2)", "[\"100-200\",\"101-201\"]", 4},
        {"collect(collect(num, 2), 2)", "[[100,101],[102,103]]", 4},
        {"if(true, num, str)", "100", 1},
        {"if(num == 100, str, obj)", "200", 2},
        {"if(num != 100, str, obj)", "300", 2},
        {"num || str", "true", 2},
        {"!num && str", "false", 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct world world;
        const struct expr *expr;
        const char *got;

        world_open(&world);
        world.scope.pops = true;
        expr = world_compile(&world, rows[i].text);
        EXPECT(expr != NULL);
        got = world_eval(&world, expr, result, sizeof(result));
        if (strcmp(got, rows[i].json) != 0) {
            (void)fprintf(stderr, "%s gave %s\n", rows[i].text, got);
        }
        EXPECT(strcmp(got, rows[i].json) == 0);
        EXPECT(world.pops == rows[i].pops);
        world_close(&world);
    }
}

static void test_expr_waits_and_begins_anew(void)
{
    static struct world world;
    const struct expr *expr;
    struct rng before;
    char first[64];

    world_open(&world);
    world.scope.pops = true;
    expr = world_compile(&world, "collect(num, 2, 9)");
    EXPECT(expr != NULL);
    EXPECT(world.needs.mentions_count == 1);
    EXPECT(world.needs.mentions[0].collected);
    before = world.rng;
    (void)world_eval(&world, expr, first, sizeof(first));
    for (world.pops_ready = 0; world.pops_ready < 9; world.pops_ready++) {
        world.rng = before;
        if (strcmp(world_eval(&world, expr, result, sizeof(result)), "! waiting for a value") !=
            0) {
            break;
        }
    }
    EXPECT(world.pops_ready >= 2);
    EXPECT(strcmp(first, result) == 0);
    world_close(&world);
}

static void test_expr_makes_shapes(void)
{
    static struct world world;
    const struct expr *values[2], *expr;
    struct value keys[2] = {value_str("id"), value_str("list")};
    struct value nothing = value_null();

    world_open(&world);
    values[0] = world_compile(&world, "num");
    values[1] = expr_constant(&world.unit, &nothing);
    EXPECT(values[0] != NULL);
    EXPECT(values[1] != NULL);
    expr = expr_array(&world.unit, values, 2);
    EXPECT(expr != NULL);
    EXPECT(strcmp(world_eval(&world, expr, result, sizeof(result)), "[7,null]") == 0);
    values[1] = expr;
    {
        const struct expr *members[2] = {world_compile(&world, "num"), expr};

        expr = expr_object(&world.unit, keys, members, 2);
        EXPECT(expr != NULL);
        EXPECT(strcmp(world_eval(&world, expr, result, sizeof(result)),
                      "{\"id\":7,\"list\":[7,null]}") == 0);
    }
    EXPECT(expr_kinds(expr) == 1U << VALUE_OBJECT);
    world_close(&world);
}

/* Whatever the scratch's size, an evaluation ends with the value or with EXPR_FULL. */
static void test_expr_survives_any_scratch(void)
{
    static const char *const texts[] = {
        "'a ${join(arr, `-`)} ${lower(`ABC${num}`)}'",
        "entries(obj)",
        "split('a,b,c${num}', ',')",
        "replace('l', [1] , 'x')",
        "match(html, '(?P<y>\\d{4})')",
        "range(0, num)",
        "json_path('obj..*')",
        "start_pad(str, 20, 'ab')",
        "replace('e', obj, '${str}')",
        "encode(html, 'base64')",
        "uuid()",
        "now()",
        "hash(str, 'sha256')",
        "keys(obj)",
        "values(obj)",
        "repeat(num)",
        "substr(num, 0, 1)",
        "parseFloat(str)",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        static struct world world;
        const struct expr *expr;
        bool done = false;

        world_open(&world);
        expr = world_compile(&world, strstr(texts[i], "[1]") != NULL ? "1" : texts[i]);
        EXPECT(expr != NULL);
        for (size_t bytes = 0; bytes <= sizeof(world.memory) && !done;
             bytes += bytes < 4096 ? 8 : 4096) {
            struct value value;
            enum expr_error error;

            scratch_init(&world.scratch, world.memory, bytes);
            error = expr_eval(expr, &world.env, &value);
            EXPECT(error == EXPR_OK || error == EXPR_FULL);
            EXPECT(world.scratch.top == world.scratch.end);
            done = error == EXPR_OK;
        }
        EXPECT(done);
        world_close(&world);
    }
}

/* And whatever the arena's, compiling ends with an expression or with problems told. */
static void test_expr_survives_any_arena(void)
{
    static const char text[] =
        "'${num} ${match(str, `a(b)`)}' == json_path('response.body.items[?@.a == 1]') && "
        "collect(obj.a.b, 3) || response.headers.x == encode(join(arr, ','), 'hex')";
    bool done = false;

    for (size_t bytes = 70 * 1024; bytes < 1024 * 1024 && !done; bytes += 1024) {
        static struct world world;
        struct arena small;

        world_open(&world);
        arena_init(&small, bytes);
        world.unit.arena = &small;
        expr_needs_init(&world.needs, &small);
        done = world_compile(&world, text) != NULL;
        EXPECT(done == (world.errors == 0));
        arena_release(&small);
        world_close(&world);
    }
    EXPECT(done);
}

static void test_expr_bounds_depth_and_length(void)
{
    static char text[4096];
    static const char *const units[] = {"(", "!", "-", "lower(", "[0", "'${", "1+(", "list["};

    for (size_t i = 0; i < COUNT(units); i++) {
        size_t len = 0;

        while (len + 16 < sizeof(text)) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", units[i]);
        }
        EXPECT(eval(text, NULL, false)[0] == '?');
    }
    text[0] = '\0';
    for (size_t len = 0; len + 16 < sizeof(text);) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "num+");
    }
    EXPECT(strstr(eval(text, NULL, false), "too many levels") != NULL);
    text[0] = '\0';
    for (size_t len = (size_t)snprintf(text, sizeof(text), "obj"); len + 16 < sizeof(text);) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, ".a");
    }
    EXPECT(strstr(eval(text, NULL, false), "a path has at most 64 steps") != NULL);
}

int main(void)
{
    TEST(test_expr_operators);
    TEST(test_expr_paths);
    TEST(test_expr_strings_are_templates);
    TEST(test_expr_reads_the_response);
    TEST(test_expr_tells_what_is_wrong);
    TEST(test_expr_tells_all_unknown_names);
    TEST(test_expr_warns_of_what_never_changes);
    TEST(test_expr_folds_constants);
    TEST(test_expr_reports_what_it_needs);
    TEST(test_expr_pops_in_declare);
    TEST(test_expr_waits_and_begins_anew);
    TEST(test_expr_makes_shapes);
    TEST(test_expr_survives_any_scratch);
    TEST(test_expr_survives_any_arena);
    TEST(test_expr_bounds_depth_and_length);
    return 0;
}
