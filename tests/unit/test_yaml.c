/* What the YAML tree promises: shape, places, aliases and merge keys, bounds, and what is said
 * when something is wrong. */
#include <stdarg.h>
#include <string.h>

#include "config/yaml.h"
#include "tests/test.h"

/* A document at hand. */
struct document {
    struct arena arena;
    struct diags diags;
    const struct yaml_node *root;
};

static void parse_len(struct document *document, const char *text, size_t len)
{
    struct source source = source_of_text("t", text, len);

    arena_init(&document->arena, 0);
    diags_init(&document->diags, &document->arena);
    (void)diags_add_source(&document->diags, &source);
    document->root = yaml_parse(&document->arena, &document->diags, 0);
    EXPECT(!document->diags.failed);
    EXPECT((document->root == NULL) == (document->diags.errors > 0));
}

static void parse(struct document *document, const char *text)
{
    parse_len(document, text, strlen(text));
}

static void release(struct document *document)
{
    arena_release(&document->arena);
}

/* Writes a tree as JSON-like text: mappings in order, plain scalars bare, others quoted. */
static void write_tree(const struct yaml_node *node, struct text *out)
{
    if (node->kind == YAML_SCALAR) {
        text_printf(out, node->plain ? "%s" : "'%s'", node->text);
        return;
    }
    text_add_str(out, node->kind == YAML_MAPPING ? "{" : "[");
    for (uint32_t i = 0; i < node->count; i++) {
        if (i > 0) text_add_str(out, ",");
        if (node->kind == YAML_MAPPING) {
            write_tree(node->pairs[i].key, out);
            text_add_str(out, ":");
            write_tree(node->pairs[i].value, out);
        } else {
            write_tree(node->items[i], out);
        }
    }
    text_add_str(out, node->kind == YAML_MAPPING ? "}" : "]");
}

static void test_yaml_builds_the_tree_that_is_written(void)
{
    static const struct {
        const char *yaml, *tree;
    } rows[] = {
        {"a: 1", "{a:1}"},
        {"a: 1\nb:\n  - x\n  - 'y'\n", "{a:1,b:[x,'y']}"},
        {"{a: {b: [c, {d: e}]}}", "{a:{b:[c,{d:e}]}}"},
        {"a:\n", "{a:}"},
        {"a: |\n  x\n  y\n", "{a:'x\ny\n'}"},
        {"a: >-\n  x\n  y\n", "{a:'x y'}"},
        {"a: 1\na: 2\nb: 3\na: 4\n", "{a:1,a:2,b:3,a:4}"},
        {"'a': \"b\\tc\"", "{'a':'b\tc'}"},
        {"\xEF\xBB\xBF"
         "a: 1",
         "{a:1}"},
        {"%YAML 1.1\n---\na: 1\n...\n", "{a:1}"},
        {"a: b\r\nc: d\r\n", "{a:b,c:d}"},
        {"# only\na: b # end\n", "{a:b}"},
        {"a: &x [1, 2]\nb: *x\n", "{a:[1,2],b:[1,2]}"},
        {"a: &x s\nb: *x\n*x : 1\n", "{a:s,b:s,s:1}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{a:1,b:2,c:2}"},
        {"m: &m {a: 1, b: 2}\nn: {<<: *m, b: 3}\n", "{m:{a:1,b:2},n:{a:1,b:3}}"},
        {"m: &m {a: 1, b: 2}\nn: {b: 3, <<: *m, c: 4}\n", "{m:{a:1,b:2},n:{b:3,a:1,c:4}}"},
        {"x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}\n",
         "{x:{a:1},y:{a:2,b:2},z:{a:1,b:2}}"},
        {"x: &x {h: 1, h: 2}\nz: {<<: *x}\n", "{x:{h:1,h:2},z:{h:1,h:2}}"},
        {"z: {'<<': 1}\n", "{z:{'<<':1}}"},
        {"x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}\n", "{x:{a:1},y:{a:1,b:2},z:{a:1,b:2}}"},
        {"a: !!str 1\nb: !!null x\n", "{a:1,b:x}"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct document document;
        struct text out;

        parse(&document, rows[i].yaml);
        EXPECT(document.root != NULL);
        text_init(&out, &document.arena);
        write_tree(document.root, &out);
        if (strcmp(out.data, rows[i].tree) != 0) {
            (void)fprintf(stderr, "row %zu: %s\n", i, out.data);
        }
        EXPECT(strcmp(out.data, rows[i].tree) == 0);
        release(&document);
    }
}

static void test_yaml_nodes_know_their_place(void)
{
    struct document document;
    const struct yaml_node *b, *item;

    parse(&document, "a: 1\n\nb:\n  - x\n  - \"\xC3\xA4 y\"\n");
    EXPECT(document.root != NULL);
    b = yaml_get(document.root, "b");
    EXPECT(document.root->pairs[1].key->place.line == 3);
    EXPECT(document.root->pairs[1].key->place.column == 1);
    EXPECT(document.root->pairs[1].key->place.width == 1);
    EXPECT(b->kind == YAML_SEQUENCE && b->count == 2);
    item = b->items[1];
    EXPECT(item->place.line == 5 && item->place.column == 5);
    EXPECT(item->place.width == 5); /* Characters, quotes included. */
    EXPECT(yaml_get(document.root, "c") == NULL);
    EXPECT(yaml_get(item, "c") == NULL);
    release(&document);
}

static void test_yaml_place_in_finds_bytes_of_a_scalar(void)
{
    static const struct {
        const char *yaml;
        const char *find; /* Begins at the place that is looked for, once in the text. */
        uint32_t line, column;
    } rows[] = {
        {"a: plain text", "text", 1, 10},
        {"a: 'it''s here'", "here", 1, 11},
        {"a: \"x\\ty here\"", "here", 1, 10},
        {"a: \"\\u00e4\\x41 here\"", "here", 1, 16},
        {"a: |\n  one\n  two here\n", "here", 3, 7},
        {"a: >-\n    one\n    two\n\n    here\n", "here", 5, 5},
        {"a: one\n   two here", "here", 2, 8},
        {"a: \"one\n   two\\\n   here\"", "here", 3, 4},
        {"a: \"\xC3\xA4\xC3\xB6 here\"", "here", 1, 8},
        {"a: &n !!str 'x here'", "here", 1, 16},
        {"a: |2\n    one here\n", "here", 2, 9},
        {"a: x", "x", 1, 4},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct document document;
        const struct yaml_node *a;
        struct place place;
        const char *at;

        parse(&document, rows[i].yaml);
        EXPECT(document.root != NULL);
        a = yaml_get(document.root, "a");
        at = strstr(a->text, rows[i].find);
        EXPECT(at != NULL);
        place = yaml_place_in(a, (size_t)(at - a->text), 4, &document.diags);
        if (place.line != rows[i].line || place.column != rows[i].column) {
            (void)fprintf(stderr, "row %zu: %u:%u\n", i, place.line, place.column);
        }
        EXPECT(place.line == rows[i].line && place.column == rows[i].column && place.width == 4);
        for (size_t offset = 0; offset <= a->count + 1; offset++) {
            EXPECT(yaml_place_in(a, offset, 1, &document.diags).line >= 1);
        }
        release(&document);
    }
}

static void test_yaml_tells_what_is_wrong_and_where(void)
{
    static const struct {
        const char *yaml;
        uint32_t line, column;
        const char *message;
    } rows[] = {
        {"", 0, 0, "the file is empty"},
        {"# nothing\n", 0, 0, "the file is empty"},
        {"- a\n", 1, 1, "a test file is a mapping with keys such as 'endpoints', not a sequence"},
        {"abc", 1, 1, "a test file is a mapping with keys such as 'endpoints', not text"},
        {"a: 1\n---\nb: 2\n", 2, 1, "a second document; a test file is one"},
        {"a: \xff\n", 1, 4, "not UTF-8; save the file as UTF-8"},
        {"a: \xc3\xa4\n b: \xc0\x80", 2, 5, "not UTF-8; save the file as UTF-8"},
        {"\xff\xfe"
         "a",
         1, 1, "not UTF-8 but UTF-16; save it as UTF-8"},
        {"a: \x01", 1, 4,
         "a control character; write it as an escape in double quotes, such as \"\\x1B\""},
        {"a: \"\\0\"", 1, 4, "a value cannot hold a NUL character"},
        {"a: 'x\nb: 1\n", 1, 4, "a quote that is never closed"},
        {"a: b: c\n", 1, 5,
         "a ':' that cannot stand here; quote the value, or check the indentation"},
        {"a:\n\t- b\n", 2, 1, "a tab cannot indent; use spaces"},
        {"a: @b\n", 1, 4, "a value cannot begin with '@'; quote it"},
        {"a: [1, 2\nb: 3\n", 2, 2, "a '[' that is not closed before this"},
        {"a: {b: 1", 1, 9, "a '{' that is not closed before this"},
        {"a: {b: 1\n", 2, 1, "a '{' that is not closed before this"},
        {"a: 1\n b: 2\n", 2, 3,
         "a ':' that cannot stand here; quote the value, or check the indentation"},
        {"a:\n  b: 1\n c: 2\n", 3, 2,
         "no key where one is expected; is the line indented like its neighbours?"},
        {"a: 1\nb\nc: 2\n", 2, 1, "a key without a ':' behind it"},
        {"a: \"\\q\"\n", 1, 5,
         "an unknown escape; write '\\\\' for a backslash, or use single quotes"},
        {"a: *x\n", 1, 4, "alias '*x' without an anchor '&x' before it"},
        {"a: &x [1, *x]\n", 1, 11, "alias '*x' inside of what it names"},
        {"a: !linear b\n", 1, 4, "unknown tag '!linear'; '!file', '!!str' and '!!null' are known"},
        {"? [a]\n: b\n", 1, 3, "a key must be text, not a sequence"},
        {"a: {<<: 1}\n", 1, 9, "'<<' wants a mapping, or a sequence of mappings, not text"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct document document;
        const struct diag *diag;

        parse(&document, rows[i].yaml);
        EXPECT(document.diags.count >= 1);
        diag = &document.diags.list[0];
        if (strcmp(diag->message, rows[i].message) != 0 || diag->place.line != rows[i].line ||
            diag->place.column != rows[i].column) {
            (void)fprintf(stderr, "row %zu: %u:%u %s\n", i, diag->place.line, diag->place.column,
                          diag->message);
        }
        EXPECT(strcmp(diag->message, rows[i].message) == 0);
        EXPECT(diag->place.line == rows[i].line && diag->place.column == rows[i].column);
        release(&document);
    }
}

static void test_yaml_says_where_a_nul_byte_is(void)
{
    struct document document;

    parse_len(&document, "a: b\0c", 6);
    EXPECT(document.diags.list[0].place.column == 5);
    EXPECT(strstr(document.diags.list[0].message, "NUL") != NULL);
    release(&document);
}

static void repeat(struct text *out, const char *what, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_add_str(out, what);
    }
}

/* Expects that `text` is refused with a message that holds `part`, or taken if `part` is NULL. */
static void expect_bound(const struct text *text, const char *part)
{
    struct document document;

    EXPECT(!text->failed);
    parse_len(&document, text->data, text->len);
    if (part == NULL) {
        EXPECT(document.root != NULL);
    } else {
        EXPECT(document.root == NULL);
        if (strstr(document.diags.list[0].message, part) == NULL) {
            (void)fprintf(stderr, "%s\n", document.diags.list[0].message);
        }
        EXPECT(strstr(document.diags.list[0].message, part) != NULL);
    }
    EXPECT(document.arena.bytes_used < (size_t)200 << 20);
    release(&document);
}

static void test_yaml_holds_its_bounds(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    for (size_t depth = YAML_DEPTH_MAX - 1; depth <= YAML_DEPTH_MAX; depth++) {
        text_init(&text, &arena);
        text_add_str(&text, "a: ");
        repeat(&text, "[", depth);
        repeat(&text, "]", depth);
        expect_bound(&text, depth < YAML_DEPTH_MAX ? NULL : "nested deeper than 64 levels");
    }
    for (size_t more = 0; more <= 1; more++) {
        text_init(&text, &arena);
        text_add_str(&text, "a: ");
        repeat(&text, "x", YAML_SCALAR_BYTES_MAX + more);
        expect_bound(&text, more == 0 ? NULL : "a value of more than 1 MiB");
    }
    text_init(&text, &arena);
    text_add_str(&text, "a: ");
    repeat(&text, "[", 1000000);
    expect_bound(&text, "nested deeper than 64 levels");
    text_init(&text, &arena);
    text_add_str(&text, "a: [");
    repeat(&text, "1,", YAML_NODES_MAX);
    text_add_str(&text, "]");
    expect_bound(&text, "more than 1000000 values");
    arena_release(&arena);
}

static void test_yaml_stops_bombs_of_aliases(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++) {
        text_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            text_printf(&text, "%s*a%d", j > 0 ? "," : "", i - 1);
        }
        text_add_str(&text, "]\n");
    }
    expect_bound(&text, "aliases that grow to more than 100000 values");
    text_init(&text, &arena);
    text_add_str(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 80; i++) {
        text_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    }
    expect_bound(&text, "nested deeper than 64 levels, by the alias '*a62'");
    text_init(&text, &arena);
    text_add_str(&text, "m: &m {");
    for (int i = 0; i < 30000; i++) {
        text_printf(&text, "k%d: 1,", i);
    }
    text_add_str(&text, "}\nn: [{<<: *m}, {<<: *m}, {<<: *m}]\n");
    expect_bound(&text, "aliases that grow to more than 100000 values");
    arena_release(&arena);
}

/* Many anchors take time in proportion: libyaml's own loader would need minutes. */
static void test_yaml_takes_many_anchors(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, "a:\n");
    for (int i = 0; i < 90000; i++) {
        text_printf(&text, "- &n%d %d\n- *n%d\n", i, i, i);
    }
    expect_bound(&text, NULL);
    arena_release(&arena);
}

/* Wherever the arena refuses, it is said, and nothing breaks. */
static void test_yaml_survives_refused_memory(void)
{
    static const char yaml[] = "m: &m {a: 1, b: [x, y]}\nn: {<<: *m, c: *m}\no: |\n  text\n";
    bool done = false;

    for (size_t bytes = 0; !done; bytes += 64) {
        struct source source = source_of_text("t", yaml, sizeof(yaml) - 1);
        struct arena arena, diags_arena;
        const struct yaml_node *root;
        struct diags diags;

        EXPECT(bytes < 1 << 20);
        arena_init(&arena, bytes == 0 ? 1 : bytes);
        arena_init(&diags_arena, 0);
        diags_init(&diags, &diags_arena);
        (void)diags_add_source(&diags, &source);
        root = yaml_parse(&arena, &diags, 0);
        done = root != NULL;
        EXPECT(done == !diags.failed);
        arena_release(&arena);
        arena_release(&diags_arena);
    }
}

int main(void)
{
    TEST(test_yaml_builds_the_tree_that_is_written);
    TEST(test_yaml_nodes_know_their_place);
    TEST(test_yaml_place_in_finds_bytes_of_a_scalar);
    TEST(test_yaml_tells_what_is_wrong_and_where);
    TEST(test_yaml_says_where_a_nul_byte_is);
    TEST(test_yaml_holds_its_bounds);
    TEST(test_yaml_stops_bombs_of_aliases);
    TEST(test_yaml_takes_many_anchors);
    TEST(test_yaml_survives_refused_memory);
    return 0;
}
