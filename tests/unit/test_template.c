/* What templates promise: constant parts are made at load, the rest is rendered in place, nothing
 * of the scratch stays taken, and every problem of every part is told. */
#include "config/template.h"

#include "tests/expr_world.h"

static char rendered[4096];

static const char *render(struct world *world, const struct template *template, size_t size)
{
    struct buf buf;
    enum expr_error error;
    char *before = world->scratch.at;

    buf_init(&buf, rendered, size);
    error = template_render(template, &world->env, &buf);
    EXPECT(world->scratch.at == before);
    if (error != EXPR_OK) return expr_error_text(error);
    rendered[buf.len] = '\0';
    return rendered;
}

static void test_template_renders(void)
{
    static const struct {
        const char *text, *wanted;
        bool constant;
    } rows[] = {
        {"", "", true},
        {"plain", "plain", true},
        {"a ${one} b ${word}", "a 1 b abc", true},
        {"${num}", "7", false},
        {"/items/${num}?q=${str}", "/items/7?q=hello", false},
        {"${obj.b}", "{\"c\":[10,20,{\"d\":\"deep\"}]}", false},
        {"${ num + 1 }${real}${nil}${yes}", "82.5nulltrue", false},
        {"\\${num}", "${num}", true},
        {"\\\\${num}", "\\\\7", false},
        {"\\\\\\${num}", "\\\\${num}", true},
        {"C:\\dir\\$x \\{ $ {a} $$ \\", "C:\\dir\\$x \\{ $ {a} $$ \\", true},
        {"\\n stays", "\\n stays", true},
        {"${'}'}${\"{\"}", "}{", true},
        {"${'\\${x}'}", "${x}", true},
        {"$${num}$", "$7$", false},
        {"${lower('${upper(str)}')}", "hello", false},
    };
    static struct world world;

    world_open(&world);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct expr_source source = world_source(rows[i].text);
        const struct template *template = template_compile(&world.unit, &source);
        const char *text = NULL;
        size_t len = 0;

        EXPECT(template != NULL);
        EXPECT(strcmp(render(&world, template, sizeof(rendered) - 1), rows[i].wanted) == 0);
        EXPECT(template_is_constant(template, &text, &len) == rows[i].constant);
        if (!rows[i].constant) continue;
        EXPECT(strcmp(text, rows[i].wanted) == 0);
        EXPECT(len == strlen(text));
    }
    world_close(&world);
}

static void test_template_tells_what_is_wrong(void)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"a ${", "3:14: a value is missing at the end\n"},
        {"a ${num", "3:12: the '${' that begins here is not ended by a '}'\n"},
        {"a ${num b}", "3:12: the '${' that begins here is not ended by a '}'\n"},
        {"a ${}", "3:14: a value is missing before '}'\n"},
        {"a\nb ${nope}", "4:5: there is no name 'nope' here\n"},
        {"${nope} ${nada}",
         "3:12: there is no name 'nope' here\n3:20: there is no name 'nada' here\n"},
    };
    static struct world world;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct expr_source source = world_source(rows[i].text);

        world_open(&world);
        EXPECT(template_compile(&world.unit, &source) == NULL);
        if (strcmp(world.problems, rows[i].problem) != 0)
            (void)fprintf(stderr, "%s", world.problems);
        EXPECT(strcmp(world.problems, rows[i].problem) == 0);
        world_close(&world);
    }
}

static void test_template_is_built_in_parts(void)
{
    static struct world world;
    struct template_builder builder;
    struct expr_source path = world_source("/a/${num}"), value = world_source("${str}-${one}"),
                       json = world_source("${html} ${obj.b} ${num}"),
                       nope = world_source("${nope}");
    const struct template *template;

    world_open(&world);
    template_begin(&builder, &world.unit);
    template_add_text(&builder, "GET ", 4);
    template_add(&builder, &path, TEMPLATE_PLAIN);
    template_add_text(&builder, " HTTP/1.1\r\nX: ", 14);
    template_add(&builder, &value, TEMPLATE_HEADER);
    template_add_text(&builder, "\r\n\r\n{\"a\":\"", 10);
    template_add(&builder, &json, TEMPLATE_JSON);
    template_add_text(&builder, "\"}", 2);
    template_add_expr(&builder, world_compile(&world, "num"), TEMPLATE_PLAIN);
    template = template_end(&builder);
    EXPECT(template != NULL);
    EXPECT(strcmp(render(&world, template, sizeof(rendered) - 1),
                  "GET /a/7 HTTP/1.1\r\nX: hello-1\r\n\r\n"
                  "{\"a\":\"<p>Hello, J\xc3\xb6rg! It is 2038-01-19.</p> "
                  "{\\\"c\\\":[10,20,{\\\"d\\\":\\\"deep\\\"}]} 7\"}7") == 0);
    EXPECT(strcmp(template_outline(template, "*", &world.arena),
                  "GET /a/* HTTP/1.1\r\nX: *-1\r\n\r\n{\"a\":\"* * *\"}*") == 0);
    template_begin(&builder, &world.unit);
    template_add(&builder, &nope, TEMPLATE_PLAIN);
    template_add(&builder, &nope, TEMPLATE_PLAIN);
    EXPECT(template_end(&builder) == NULL);
    EXPECT(world.errors == 2);
    world_close(&world);
}

static void test_template_refuses_line_ends_in_headers(void)
{
    static const char *const texts[] = {"${'a\\nb${str}'}", "${'${str}\\r'}", "${'a\\nb'}"};
    static struct world world;

    world_open(&world);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct expr_source source = world_source(texts[i]);
        struct template_builder builder;
        const struct template *template;

        template_begin(&builder, &world.unit);
        template_add(&builder, &source, TEMPLATE_HEADER);
        template = template_end(&builder);
        EXPECT(template != NULL);
        EXPECT(strcmp(render(&world, template, sizeof(rendered) - 1), "a line end in a header") ==
               0);
    }
    world_close(&world);
}

static void test_template_fits_or_says_so(void)
{
    static struct world world;
    struct expr_source source = world_source("a ${num} ${str} ${obj.b} z");
    const struct template *template;
    size_t len;

    world_open(&world);
    template = template_compile(&world.unit, &source);
    EXPECT(template != NULL);
    len = strlen(render(&world, template, sizeof(rendered) - 1));
    for (size_t size = 0; size < len; size++) {
        EXPECT(strcmp(render(&world, template, size), "the result of an expression is too large") ==
               0);
    }
    EXPECT(strlen(render(&world, template, len)) == len);
    world_close(&world);
}

static void test_template_as_an_expression(void)
{
    static struct world world;
    struct expr_source source = world_source("x ${num}"), plain = world_source("x ${one}");
    const struct template *template;
    const struct expr *expr;

    world_open(&world);
    template = template_compile(&world.unit, &source);
    expr = template_expr(&world.unit, template);
    EXPECT(expr != NULL);
    EXPECT(strcmp(world_eval(&world, expr, rendered, sizeof(rendered)), "\"x 7\"") == 0);
    template = template_compile(&world.unit, &plain);
    expr = template_expr(&world.unit, template);
    EXPECT(expr != NULL);
    EXPECT(expr_is_constant(expr) != NULL);
    world_close(&world);
}

static void test_template_passes_errors_on(void)
{
    static struct world world;
    struct expr_source source = world_source("x ${num} ${nil.a}");
    const struct template *template;

    world_open(&world);
    template = template_compile(&world.unit, &source);
    EXPECT(template != NULL);
    EXPECT(strcmp(render(&world, template, 100), "indexing into json") == 0);
    EXPECT(world.env.error_offset == 15);
    world.env.indexing_is_null = true;
    EXPECT(strcmp(render(&world, template, 100), "x 7 null") == 0);
    world_close(&world);
}

static void test_template_survives_any_arena(void)
{
    struct expr_source source = world_source("a${num}b${one}c${obj}d${str}e${real}f");
    bool done = false;

    for (size_t bytes = 1; bytes < 64 * 1024 && !done; bytes += 50) {
        static struct world world;
        struct arena small;

        world_open(&world);
        arena_init(&small, bytes);
        world.unit.arena = &small;
        done = template_compile(&world.unit, &source) != NULL;
        arena_release(&small);
        world_close(&world);
    }
    EXPECT(done);
}

int main(void)
{
    TEST(test_template_renders);
    TEST(test_template_tells_what_is_wrong);
    TEST(test_template_is_built_in_parts);
    TEST(test_template_refuses_line_ends_in_headers);
    TEST(test_template_fits_or_says_so);
    TEST(test_template_as_an_expression);
    TEST(test_template_passes_errors_on);
    TEST(test_template_survives_any_arena);
    return 0;
}
