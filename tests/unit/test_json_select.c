/* What a selection promises: the values that json_parse() and a walk would find, however the text
 * is cut, and the same answer to whether it is JSON. */
#include "config/json.h"

#include "config/json_paths.h"
#include "tests/guard.h"
#include "tests/lines.h"

static _Alignas(16) char memory[256 * 1024];
static char kept[64 * 1024];

/* A path as "a.b.0.c": numbers are indices, '.' alone is the whole text. */
static uint32_t add_path(struct json_paths *paths, const char *text)
{
    struct json_step steps[JSON_STEPS_MAX];
    size_t count = 0;

    while (*text != '\0' && strcmp(text, ".") != 0) {
        size_t len = strcspn(text, ".");

        EXPECT(count < COUNT(steps));
        if (text[0] >= '0' && text[0] <= '9') {
            steps[count++] = (struct json_step){.index = (uint32_t)strtoul(text, NULL, 10)};
        } else {
            size_t skip = text[0] == '\''; /* A name that looks like a number. */

            steps[count++] = (struct json_step){.name = text + skip, .len = (uint32_t)(len - skip)};
        }
        text += len + (text[len] == '.');
    }
    return json_paths_add(paths, steps, count);
}

/* "found JSON", "missing" or "indexing". */
static const char *describe(const struct json_result *result)
{
    static char text[4096];
    struct buf buf;

    if (result->found == JSON_MISSING) return "missing";
    if (result->found == JSON_INDEXING) return "indexing";
    buf_init(&buf, text, sizeof(text) - 1);
    value_write_json(&result->value, &buf);
    EXPECT(!buf.full);
    text[buf.len] = '\0';
    return text;
}

static const char document[] =
    " {\"a\":{\"b\":[10,{\"c\":\"x\\ny\"},[],3.5e1],\"n\":null,\"e\":{}},\"s\":\"str\\\"ing\","
    "\"0\":\"zero\",\"12\":\"twelve\",\"t\":true,"
    "\"\\u0061\\u00e9\\ud83d\\ude00\\ud83d\":\"escaped\","
    "\"J\xc3\xb6rg\":-0.5e-3,\"\":\"empty\",\"dup\":{\"x\":1},\"dup\":{\"y\":2}} ";

static const struct {
    const char *path, *result;
} rows[] = {
    {"a.b.0", "10"},
    {"a.b.1.c", "\"x\\ny\""},
    {"a.b.2", "[]"},
    {"a.b.2.0", "missing"},
    {"a.b.3", "35.0"},
    {"a.b.4", "missing"},
    {"a.b.4.x", "indexing"},
    {"a.b.name", "missing"},
    {"a.b.0.x", "indexing"},
    {"a.n", "null"},
    {"a.n.x", "indexing"},
    {"a.e", "{}"},
    {"a.e.x", "missing"},
    {"a.x", "missing"},
    {"a.x.y", "indexing"},
    {"s", "\"str\\\"ing\""},
    {"s.x", "indexing"},
    {"0", "\"zero\""},
    {"12", "\"twelve\""},
    {"1", "missing"},
    {"'12", "\"twelve\""},
    {"t", "true"},
    {"a\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd", "\"escaped\""},
    {"J\xc3\xb6rg", "-0.0005"},
    {"dup", "{\"y\":2}"},
    {"dup.x", "missing"},
    {"dup.y", "2"},
    {"nothing", "missing"},
};

/* Feeds in pieces of `piece` bytes; the results of all rows if `which` is SIZE_MAX, else of one. */
static void check_rows(size_t which, size_t piece, bool with_whole)
{
    struct json_result results[COUNT(rows) + 1];
    uint32_t numbers[COUNT(rows)];
    struct json_select *select;
    struct json_paths *paths;
    struct scratch scratch;
    struct arena arena;
    bool is_json = false;

    arena_init(&arena, 0);
    paths = json_paths_new(&arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (which == SIZE_MAX || which == i) numbers[i] = add_path(paths, rows[i].path);
    }
    if (with_whole) EXPECT(add_path(paths, ".") == COUNT(rows));
    EXPECT(json_paths_seal(paths));
    select = json_select_new(&arena, paths);
    for (int lap = 0; lap < 2; lap++) { /* It can be used again. */
        json_select_start(select, kept, sizeof(kept));
        for (size_t at = 0; at < strlen(document); at += piece) {
            EXPECT(json_select_feed(select, document + at, min_u64(piece, strlen(document) - at)) ==
                   JSON_MORE);
        }
        scratch_init(&scratch, memory, sizeof(memory));
        EXPECT(json_select_finish(select, &scratch, results, &is_json));
        EXPECT(is_json);
        for (size_t i = 0; i < COUNT(rows); i++) {
            const char *got;

            if (which != SIZE_MAX && which != i) continue;
            got = describe(&results[numbers[i]]);
            if (strcmp(got, rows[i].result) != 0) {
                (void)fprintf(stderr, "%s: %s, not %s\n", rows[i].path, got, rows[i].result);
            }
            EXPECT(strcmp(got, rows[i].result) == 0);
        }
    }
    arena_release(&arena);
}

static void test_json_select_finds_each_path_alone(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_rows(i, SIZE_MAX, false);
        check_rows(i, 1, false);
    }
}

static void test_json_select_finds_all_paths_together_in_any_pieces(void)
{
    for (size_t piece = 1; piece < sizeof(document); piece++) {
        check_rows(SIZE_MAX, piece, false);
        check_rows(SIZE_MAX, piece, true);
    }
}

static bool select_says_json(const struct json_paths *paths, const char *text, size_t len,
                             size_t piece)
{
    struct json_result results[8];
    struct json_select *select;
    struct scratch scratch;
    struct arena arena;
    bool is_json;

    arena_init(&arena, 0);
    select = json_select_new(&arena, paths);
    json_select_start(select, kept, sizeof(kept));
    for (size_t at = 0; at < len; at += piece) {
        (void)json_select_feed(select, text + at, min_u64(piece, len - at));
    }
    scratch_init(&scratch, memory, sizeof(memory));
    EXPECT(json_select_finish(select, &scratch, results, &is_json));
    if (!is_json) EXPECT(results[0].found == JSON_INDEXING);
    arena_release(&arena);
    return is_json;
}

/* The machine and json_parse() take the same texts for JSON, those of the differential too. */
static void test_json_select_agrees_on_what_is_json(void)
{
    static struct lines lines;
    struct json_paths *paths;
    struct arena arena;
    struct value line;

    arena_init(&arena, 0);
    paths = json_paths_new(&arena);
    EXPECT(add_path(paths, "a") == 0);
    EXPECT(add_path(paths, "0.b") == 1);
    EXPECT(add_path(paths, "1") == 2);
    EXPECT(json_paths_seal(paths));
    lines_open(&lines, "tests/data/json.jsonl");
    while (lines_next(&lines, &line)) {
        const struct value *text = lines_get(&line, "t");
        bool wanted = lines_get(&line, "r")->kind == VALUE_STRING;

        for (size_t piece = 1; piece <= 3; piece++) {
            EXPECT(select_says_json(paths, text->string, text->len, piece) == wanted);
        }
        EXPECT(select_says_json(paths, text->string, text->len, SIZE_MAX / 2) == wanted);
    }
    lines_close(&lines);
    EXPECT(!select_says_json(paths, "\"\xff\"", 3, 1));
    EXPECT(!select_says_json(paths, "\"\xe2\x82\"", 4, 1));
    EXPECT(select_says_json(paths, "\"\xe2\x82\xac\"", 5, 1));
    arena_release(&arena);
}

static void test_json_select_bounds_what_it_keeps(void)
{
    static const char text[] = "{\"a\":\"0123456789\",\"b\":1}";
    struct json_result results[2];
    struct json_select *select;
    struct json_paths *paths;
    struct scratch scratch;
    struct arena arena;
    bool is_json;

    arena_init(&arena, 0);
    paths = json_paths_new(&arena);
    EXPECT(add_path(paths, "a") == 0);
    EXPECT(json_paths_seal(paths));
    select = json_select_new(&arena, paths);
    for (size_t bytes = 0; bytes <= 12; bytes++) {
        enum json_state state;

        json_select_start(select, kept, bytes);
        state = json_select_feed(select, text, strlen(text));
        EXPECT(state == (bytes < 12 ? JSON_FULL : JSON_MORE));
        EXPECT(json_select_feed(select, " ", 1) == state);
        scratch_init(&scratch, memory, sizeof(memory));
        EXPECT(json_select_finish(select, &scratch, results, &is_json) == (bytes >= 12));
    }
    json_select_start(select, kept, 0);
    EXPECT(json_select_feed(select, "{x", 2) == JSON_INVALID);
    EXPECT(json_select_feed(select, "}", 1) == JSON_INVALID);
    EXPECT(json_select_finish(select, &scratch, results, NULL));
    EXPECT(results[0].found == JSON_INDEXING);
    arena_release(&arena);
}

/* Without room for the values the end says so, and nothing else is taken from the scratch's top. */
static void test_json_select_finish_fits_or_says_so(void)
{
    static const char text[] = "{\"a\":[1,2,{\"b\":[3]}],\"c\":[4]}";

    for (int whole = 0; whole <= 1; whole++) {
        bool done = false;

        for (size_t bytes = 0; bytes < 1024 && !done; bytes += 8) {
            struct json_result results[3];
            struct scratch scratch;
            struct arena arena;
            struct json_paths *paths;
            struct json_select *select;

            arena_init(&arena, 0);
            paths = json_paths_new(&arena);
            EXPECT(add_path(paths, "a") == 0);
            EXPECT(add_path(paths, "c") == 1);
            if (whole) EXPECT(add_path(paths, ".") == 2);
            EXPECT(json_paths_seal(paths));
            EXPECT(json_paths_seal(paths));
            select = json_select_new(&arena, paths);
            json_select_start(select, kept, sizeof(kept));
            (void)json_select_feed(select, text, strlen(text));
            scratch_init(&scratch, memory, bytes);
            done = json_select_finish(select, &scratch, results, NULL);
            EXPECT(scratch.top == scratch.end);
            arena_release(&arena);
        }
        EXPECT(done);
    }
}

static void test_json_paths_refuse_what_does_not_fit(void)
{
    static char name[JSON_NAME_BYTES_MAX + 1];
    struct json_step steps[JSON_STEPS_MAX + 1] = {0};
    struct json_paths *paths;
    struct arena arena;

    arena_init(&arena, 0);
    paths = json_paths_new(&arena);
    memset(name, 'n', sizeof(name));
    EXPECT(json_paths_add(paths, steps, JSON_STEPS_MAX + 1) == JSON_PATH_NONE);
    steps[0] = (struct json_step){.name = name, .len = JSON_NAME_BYTES_MAX + 1};
    EXPECT(json_paths_add(paths, steps, 1) == JSON_PATH_NONE);
    steps[0].len--;
    EXPECT(json_paths_add(paths, steps, 1) == 0);
    EXPECT(json_paths_add(paths, steps, 1) == 0);
    for (uint32_t i = 1; i < JSON_PATHS_MAX; i++) {
        steps[0] = (struct json_step){.index = i};
        EXPECT(json_paths_add(paths, steps, 1) == i);
    }
    steps[0] = (struct json_step){.index = JSON_PATHS_MAX};
    EXPECT(json_paths_add(paths, steps, 1) == JSON_PATH_NONE);
    EXPECT(json_paths_count(paths) == JSON_PATHS_MAX);
    EXPECT(json_paths_seal(paths));
    arena_release(&arena);
    for (size_t bytes = 0; bytes < 40000; bytes += 500) {
        arena_init(&arena, bytes + 1);
        paths = json_paths_new(&arena);
        if (paths != NULL && json_paths_add(paths, steps, 1) == 0 && json_paths_seal(paths)) {
            (void)(json_select_new(&arena, paths) == NULL);
        }
        arena_release(&arena);
    }
}

int main(void)
{
    TEST(test_json_select_finds_each_path_alone);
    TEST(test_json_select_finds_all_paths_together_in_any_pieces);
    TEST(test_json_select_agrees_on_what_is_json);
    TEST(test_json_select_bounds_what_it_keeps);
    TEST(test_json_select_finish_fits_or_says_so);
    TEST(test_json_paths_refuse_what_does_not_fit);
    return 0;
}
