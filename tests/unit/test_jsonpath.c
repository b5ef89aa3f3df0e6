/* What queries promise: the nodes, in the order, that an independent implementation of RFC 9535
 * finds (recorded in tests/data/jsonpath.jsonl), and bounds on their work. */
#include "config/jsonpath.h"

#include "tests/lines.h"

static _Alignas(16) char memory[4 * 1024 * 1024];

/* What the RFC refuses and the recorded implementation does not: wrong types. Ours also wants
 * patterns that are literals and sound. */
static bool is_ours_alone(const char *message)
{
    static const char *const messages[] = {"pattern", "regular expression", "must be compared",
                                           "this function takes", "single values"};

    for (size_t i = 0; i < COUNT(messages); i++) {
        if (strstr(message, messages[i]) != NULL) return true;
    }
    return false;
}

/* The same values in any order: the RFC leaves the order of descendants open. */
static bool same_values(const struct value *a, const struct value *b)
{
    bool used[1024] = {false};

    if (a->len != b->len) return false;
    EXPECT(a->len <= COUNT(used));
    for (uint32_t i = 0; i < a->len; i++) {
        uint32_t j = 0;

        while (j < b->len && (used[j] || !value_equal(&a->elements[i], &b->elements[j]))) {
            j++;
        }
        if (j == b->len) return false;
        used[j] = true;
    }
    return true;
}

static bool agrees(const struct value *line, struct arena *arena)
{
    const struct value *query = lines_get(line, "q"), *document = lines_get(line, "d"),
                       *wanted = lines_get(line, "r");
    struct jsonpath_error error = {.message = "a '$' is missing"};
    const struct jsonpath *path = NULL;
    struct scratch scratch;
    struct value found;

    if (query->len > 0 && query->string[0] == '$') {
        path = jsonpath_compile(arena, query->string + 1, query->len - 1, &error);
    }
    if (path == NULL) {
        EXPECT(error.offset <= query->len);
        if (wanted->kind == VALUE_NULL || is_ours_alone(error.message)) return true;
        (void)fprintf(stderr, "%s at %zu\n", error.message, error.offset);
        return false;
    }
    if (wanted->kind == VALUE_NULL) return false;
    scratch_init(&scratch, memory, sizeof(memory));
    EXPECT(jsonpath_eval(path, document, &scratch, &found) == JSONPATH_OK);
    EXPECT(scratch.top == scratch.end);
    if (memmem(query->string, query->len, "..", 2) != NULL) return same_values(&found, wanted);
    return value_equal(&found, wanted);
}

static void test_jsonpath_agrees_with_the_recorded_implementation(void)
{
    static struct lines lines;
    struct value line;
    size_t wrong = 0;

    lines_open(&lines, "tests/data/jsonpath.jsonl");
    while (lines_next(&lines, &line)) {
        struct arena arena;

        arena_init(&arena, 0);
        if (!agrees(&line, &arena)) {
            const struct value *query = lines_get(&line, "q");

            (void)fprintf(stderr, "tests/data/jsonpath.jsonl:%u: %.*s\n", lines.number,
                          (int)query->len, query->string);
            wrong++;
        }
        arena_release(&arena);
    }
    lines_close(&lines);
    EXPECT(wrong == 0);
}

/* The examples of RFC 9535, sections 2.3 to 2.5. */
static const char comparisons[] = "{\"obj\":{\"x\":\"y\"},\"arr\":[2,3]}";
static const char filters[] =
    "{\"a\":[3,5,1,2,4,6,{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}],"
    "\"o\":{\"p\":1,\"q\":2,\"r\":3,\"s\":5,\"t\":{\"u\":6}},\"e\":\"f\"}";
static const char letters[] = "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]";
static const char nested[] = "{\"o\":{\"j\":1,\"k\":2},\"a\":[5,3,[{\"j\":4},{\"k\":6}]]}";
static const char nothings[] = "{\"a\":null,\"b\":[null],\"c\":[{}],\"null\":1}";

static const struct {
    const char *document, *path, *found;
} examples[] = {
    {"{\"o\":{\"j j\":{\"k.k\":3}},\"'\":{\"@\":2}}", ".o['j j']['k.k']", "[3]"},
    {"{\"o\":{\"j j\":{\"k.k\":3}},\"'\":{\"@\":2}}", "[\"'\"][\"@\"]", "[2]"},
    {"{\"o\":{\"j\":1,\"k\":2},\"a\":[5,3]}", "[*]", "[{\"j\":1,\"k\":2},[5,3]]"},
    {"{\"o\":{\"j\":1,\"k\":2},\"a\":[5,3]}", ".o[*,*]", "[1,2,1,2]"},
    {letters, "[1]", "[\"b\"]"},
    {letters, "[-2]", "[\"f\"]"},
    {letters, "[1:3]", "[\"b\",\"c\"]"},
    {letters, "[5:]", "[\"f\",\"g\"]"},
    {letters, "[1:5:2]", "[\"b\",\"d\"]"},
    {letters, "[5:1:-2]", "[\"f\",\"d\"]"},
    {letters, "[::-1]", "[\"g\",\"f\",\"e\",\"d\",\"c\",\"b\",\"a\"]"},
    {letters, "[0, 3]", "[\"a\",\"d\"]"},
    {letters, "[0:2, 5]", "[\"a\",\"b\",\"f\"]"},
    {letters, "[0, 0]", "[\"a\",\"a\"]"},
    {letters, "[ 5 : : ]", "[\"f\",\"g\"]"},
    {letters, "[1:2:0]", "[]"},
    {letters, "[:-5]", "[\"a\",\"b\"]"},
    {letters, "[:-7]", "[]"},
    {letters, "[:-8]", "[]"},
    {letters, "[-9:-5]", "[\"a\",\"b\"]"},
    {letters, "[:-9:-3]", "[\"g\",\"d\",\"a\"]"},
    {letters, "[?@ == 'a' && @ != 'b' && @ == 'c']", "[]"},
    {letters, "[?@ == 'a' || @ == 'b' || @ == 'c' && @ == 'd']", "[\"a\",\"b\"]"},
    {letters, "[?@ && !@ && @]", "[]"},
    {letters, "[-9007199254740991:9007199254740991:9007199254740991]", "[\"a\"]"},
    {comparisons, "[?$.absent1 == $.absent2]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?$.absent1 <= $.absent2]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?$.absent == 'g']", "[]"},
    {comparisons, "[?$.absent1 != $.absent2]", "[]"},
    {comparisons, "[?$.absent != 'g']", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?1 <= 2]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?1 > 2]", "[]"},
    {comparisons, "[?13 == '13']", "[]"},
    {comparisons, "[?'a' <= 'b']", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?'a' > 'b']", "[]"},
    {comparisons, "[?$.obj == $.arr]", "[]"},
    {comparisons, "[?$.obj != $.arr]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?$.obj == $.obj]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?$.obj == 17]", "[]"},
    {comparisons, "[?$.obj <= $.arr]", "[]"},
    {comparisons, "[?$.obj <= $.obj]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?1 <= $.arr]", "[]"},
    {comparisons, "[?true <= true]", "[{\"x\":\"y\"},[2,3]]"},
    {comparisons, "[?true > true]", "[]"},
    {comparisons, "[?$.obj.x == 'y' && $.arr[1] == 3]", "[{\"x\":\"y\"},[2,3]]"},
    {filters, ".a[?@.b == 'kilo']", "[{\"b\":\"kilo\"}]"},
    {filters, ".a[?(@.b == 'kilo')]", "[{\"b\":\"kilo\"}]"},
    {filters, ".a[?@>3.5]", "[5,4,6]"},
    {filters, ".a[?@.b]", "[{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}]"},
    {filters, "[?@[?@.b]]",
     "[[3,5,1,2,4,6,{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}]]"},
    {filters, ".o[?@<3, ?@<3]", "[1,2,1,2]"},
    {filters, ".a[?@<2 || @.b == 'k']", "[1,{\"b\":\"k\"}]"},
    {filters, ".a[?match(@.b, '[jk]')]", "[{\"b\":\"j\"},{\"b\":\"k\"}]"},
    {filters, ".a[?search(@.b, '[jk]')]", "[{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":\"kilo\"}]"},
    {filters, ".o[?@>1 && @<4]", "[2,3]"},
    {filters, ".o[?@.u || @.x]", "[{\"u\":6}]"},
    {filters, ".a[?@.b == $.x]", "[3,5,1,2,4,6]"},
    {filters, ".a[?length(@.b) == 4]", "[{\"b\":\"kilo\"}]"},
    {filters, "[?count(@.*) == 5].p", "[1]"},
    {filters, "[?value(@..u) == 6].p", "[1]"},
    {filters, "[?search(@, '^f$')]", "[]"}, /* Not anchors in an I-Regexp. */
    {"[\"a.b\",\"a\\nb\",\"a^b\",\"a$b\"]", "[?match(@, 'a.b')]", "[\"a.b\",\"a^b\",\"a$b\"]"},
    {"[\"a.b\",\"a^b\"]", "[?match(@, 'a\\\\.b')]", "[\"a.b\"]"},
    {"[\"a.b\",\"a^b\"]", "[?match(@, 'a^b')]", "[\"a^b\"]"},
    {nested, "..j", "[1,4]"},
    {nested, "..[0]", "[5,{\"j\":4}]"},
    {nested, "..o", "[{\"j\":1,\"k\":2}]"},
    {nested, ".o..[*, *]", "[1,2,1,2]"},
    {nested, ".a..[0, 1]", "[5,3,{\"j\":4},{\"k\":6}]"},
    {nothings, ".a", "[null]"},
    {nothings, ".a[0]", "[]"},
    {nothings, ".a.d", "[]"},
    {nothings, ".b[0]", "[null]"},
    {nothings, ".b[*]", "[null]"},
    {nothings, ".b[?@]", "[null]"},
    {nothings, ".b[?@==null]", "[null]"},
    {nothings, ".c[?@.d==null]", "[]"},
    {nothings, ".null", "[1]"},
};

static void test_jsonpath_finds_what_the_rfc_says(void)
{
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct jsonpath_error error;
        const struct jsonpath *path;
        struct scratch scratch;
        struct arena arena;
        struct value document, found, wanted;

        arena_init(&arena, 0);
        path = jsonpath_compile(&arena, examples[i].path, strlen(examples[i].path), &error);
        EXPECT(path != NULL);
        EXPECT(json_parse_arena(examples[i].document, strlen(examples[i].document), &arena,
                                &document, NULL));
        EXPECT(
            json_parse_arena(examples[i].found, strlen(examples[i].found), &arena, &wanted, NULL));
        scratch_init(&scratch, memory, sizeof(memory));
        EXPECT(jsonpath_eval(path, &document, &scratch, &found) == JSONPATH_OK);
        if (!value_equal(&found, &wanted)) (void)fprintf(stderr, "$%s\n", examples[i].path);
        EXPECT(value_equal(&found, &wanted));
        arena_release(&arena);
    }
}

static void test_jsonpath_tells_the_place(void)
{
    static const struct {
        const char *text, *message;
        size_t offset;
    } rows[] = {
        {"x", "a '.' or '[' is missing", 0},
        {".", "a name or '*' is missing", 1},
        {".a.", "a name or '*' is missing", 3},
        {"[", "a selector is missing or wrong", 1},
        {"[1", "a ',' or ']' is missing", 2},
        {"[01]", "a number is wrong", 1},
        {"[-0]", "a number is wrong", 1},
        {"[9007199254740992]", "a number is too large", 17},
        {"['a]", "the string does not end", 4},
        {"['\\x']", "no such escape in a string", 3},
        {"['\\ud800']", "half a surrogate pair", 8},
        {"['\\udc00']", "half a surrogate pair", 8},
        {"['\\ud800\\u0041']", "half a surrogate pair", 14},
        {"['\\u00g0']", "'\\u' needs four hexadecimal digits", 6},
        {"['\x01']", "a control character in a string", 2},
        {"['\xff']", "the text is not UTF-8", 2},
        {"[?]", "a value is missing or wrong", 2},
        {"[?1]", "a value must be compared", 3},
        {"[?(@.a]", "a ')' is missing", 6},
        {"[?@.* == 1]", "only single values can be compared", 10},
        {"[?!@.a == 1]", "a comparison is negated in parentheses", 11},
        {"[?count(1) == 1]", "this function takes a query", 9},
        {"[?length(@.*) == 1]", "this function takes a single value", 12},
        {"[?length(@.a == 1]", "a ')' is missing", 13},
        {"[?match(@.a)]", "a ',' is missing", 11},
        {"[?match(@.a, @.b)]", "the pattern must be a string in quotes", 13},
        {"[?match(@.a, '(')]", "the regular expression is wrong: missing closing parenthesis", 16},
    };

    size_t wrong = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jsonpath_error error;
        struct arena arena;

        arena_init(&arena, 0);
        EXPECT(jsonpath_compile(&arena, rows[i].text, strlen(rows[i].text), &error) == NULL);
        arena_release(&arena);
        if (strcmp(error.message, rows[i].message) == 0 && error.offset == rows[i].offset) continue;
        (void)fprintf(stderr, "%s: %s at %zu\n", rows[i].text, error.message, error.offset);
        wrong++;
    }
    EXPECT(wrong == 0);
}

static void test_jsonpath_bounds_nesting(void)
{
    static char text[4096];
    static const char *const units[] = {"[?(", "[?@", "[?!(", "[?length(value(@"};

    for (size_t i = 0; i < COUNT(units); i++) {
        struct jsonpath_error error;
        struct arena arena;
        size_t len = 0;

        while (len + strlen(units[i]) < sizeof(text)) {
            memcpy(text + len, units[i], strlen(units[i]));
            len += strlen(units[i]);
        }
        arena_init(&arena, 0);
        EXPECT(jsonpath_compile(&arena, text, len, &error) == NULL);
        arena_release(&arena);
    }
    for (size_t len = 0; len + 2 <= sizeof(text); len += 2) {
        memcpy(text + len, ".a", 2);
    }
    {
        struct jsonpath_error error;
        struct arena arena;

        arena_init(&arena, 0);
        EXPECT(jsonpath_compile(&arena, text, sizeof(text), &error) == NULL);
        EXPECT(strcmp(error.message, "too many segments") == 0);
        arena_release(&arena);
    }
}

static enum jsonpath_result run(const char *text, const char *json, size_t scratch_bytes)
{
    struct jsonpath_error error;
    const struct jsonpath *path;
    struct scratch scratch;
    struct arena arena;
    struct value document, found;
    enum jsonpath_result result;

    arena_init(&arena, 0);
    path = jsonpath_compile(&arena, text, strlen(text), &error);
    EXPECT(path != NULL);
    EXPECT(json_parse_arena(json, strlen(json), &arena, &document, NULL));
    scratch_init(&scratch, memory, scratch_bytes);
    result = jsonpath_eval(path, &document, &scratch, &found);
    EXPECT(scratch.top == scratch.end);
    arena_release(&arena);
    return result;
}

static void test_jsonpath_bounds_work_and_memory(void)
{
    static char json[4096];
    size_t len = 1;

    json[0] = '[';
    for (int i = 0; i < 500; i++) {
        len += (size_t)snprintf(json + len, sizeof(json) - len, "%s[%d]", i > 0 ? "," : "", i);
    }
    json[len++] = ']';
    json[len] = '\0';
    EXPECT(run("[?count($..[?count($..*) > 0]) > 0]", json, sizeof(memory)) == JSONPATH_WORK);
    EXPECT(run("..*", json, 1024) == JSONPATH_FULL);
    EXPECT(run("..*", json, 1000 * 16) == JSONPATH_FULL); /* Kept, but not moved. */
    EXPECT(run("..*", json, 2 * 1000 * 16) == JSONPATH_OK);
    EXPECT(run("[?search(@, '(a*)*b')]", "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]",
               sizeof(memory)) != JSONPATH_FULL);
    EXPECT(run("[?search(@, 'a')]", "[\"a\"]", 64) == JSONPATH_FULL);
}

static void test_jsonpath_survives_any_arena(void)
{
    static const char text[] = ".a['b',2,1:2:3]..[?@.x == 1 && !match(@.y, 'z') || count(@.*) > 2]";
    bool done = false;

    for (size_t bytes = 1; bytes < 256 * 1024 && !done; bytes += bytes < 8192 ? 64 : 4096) {
        struct jsonpath_error error;
        struct arena arena;

        arena_init(&arena, bytes);
        done = jsonpath_compile(&arena, text, strlen(text), &error) != NULL;
        if (!done) EXPECT(strstr(error.message, "memory") != NULL);
        arena_release(&arena);
    }
    EXPECT(done);
}

int main(void)
{
    TEST(test_jsonpath_agrees_with_the_recorded_implementation);
    TEST(test_jsonpath_finds_what_the_rfc_says);
    TEST(test_jsonpath_tells_the_place);
    TEST(test_jsonpath_bounds_nesting);
    TEST(test_jsonpath_bounds_work_and_memory);
    TEST(test_jsonpath_survives_any_arena);
    return 0;
}
