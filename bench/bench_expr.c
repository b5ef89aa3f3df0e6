/* What expressions cost per request: rendering the three templates of a request (path, header, JSON
 * body), one template, an expression of a few operators, and picking one value out of a JSON body
 * of 1 KiB as it comes, beside parsing all of it. */
#include "bench/bench.h"
#include "config/expr.h"
#include "config/json.h"
#include "config/template.h"
#include "core/base/arena.h"

enum { SCRATCH_BYTES = 64 * 1024, BODY_BYTES = 1024 };

struct expr_state {
    struct arena arena;
    struct expr_needs needs;
    struct expr_unit unit;
    struct expr_scope scope;
    struct expr_env env;
    struct scratch scratch;
    struct value providers[2];
    const struct template *templates[3];
    const struct expr *expr;
    struct json_select *select;
    char body[BODY_BYTES];
    char kept[BODY_BYTES];
    char rendered[1024];
    _Alignas(16) char memory[SCRATCH_BYTES];
};

static bool find(void *context, const char *name, size_t len, bool is_provider,
                 struct expr_name *ret_name)
{
    (void)context;
    (void)len;
    (void)is_provider;
    *ret_name = (struct expr_name){.kind = name[0] == 'r' ? EXPR_RESPONSE : EXPR_PROVIDER,
                                   .index = name[0] == 'u'};
    return true;
}

static void run_templates(struct expr_state *state, size_t count, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        struct buf buf;

        buf_init(&buf, state->rendered, sizeof(state->rendered));
        for (size_t j = 0; j < count; j++) {
            CHECK(template_render(state->templates[j], &state->env, &buf) == EXPR_OK);
        }
        bench_keep(buf.len);
    }
}

static void run_three(void *state, uint64_t iterations)
{
    run_templates(state, 3, iterations);
}

static void run_one(void *state, uint64_t iterations)
{
    run_templates(state, 1, iterations);
}

static void run_operators(void *context, uint64_t iterations)
{
    struct expr_state *state = context;

    for (uint64_t i = 0; i < iterations; i++) {
        struct value value;

        CHECK(expr_eval(state->expr, &state->env, &value) == EXPR_OK);
        bench_keep(value.kind);
    }
}

static void run_select(void *context, uint64_t iterations)
{
    struct expr_state *state = context;

    for (uint64_t i = 0; i < iterations; i++) {
        struct json_result result;
        bool is_json;

        scratch_clear(&state->scratch);
        json_select_start(state->select, state->kept, sizeof(state->kept));
        CHECK(json_select_feed(state->select, bench_hide(state->body), BODY_BYTES) == JSON_MORE);
        CHECK(json_select_finish(state->select, &state->scratch, &result, &is_json));
        CHECK(result.found == JSON_FOUND);
        bench_keep((uint64_t)result.value.integer);
    }
}

static void run_parse(void *context, uint64_t iterations)
{
    struct expr_state *state = context;

    for (uint64_t i = 0; i < iterations; i++) {
        struct value value;

        scratch_clear(&state->scratch);
        CHECK(json_parse(bench_hide(state->body), BODY_BYTES, &state->scratch, &value, NULL));
        bench_keep(value.len);
    }
}

static struct value parse(struct expr_state *state, const char *json)
{
    struct value value;

    CHECK(json_parse_arena(json, strlen(json), &state->arena, &value, NULL));
    return value;
}

/* A list of items as an API gives them, to the byte. */
static void fill_body(char body[static BODY_BYTES])
{
    struct buf buf;

    buf_init(&buf, body, BODY_BYTES);
    buf_add(&buf, "{\"items\":[", 10);
    for (int i = 0; buf.len < BODY_BYTES - 150; i++) {
        char item[160];
        int len = snprintf(item, sizeof(item),
                           "%s{\"id\":%d,\"name\":\"item number %d\",\"price\":%d.99,\"tags\":"
                           "[\"new\",\"sale\"],\"in_stock\":true}",
                           i > 0 ? "," : "", 1000 + i, i, 10 + i);

        buf_add(&buf, item, (size_t)len);
    }
    buf_add(&buf, "],\"next\":null}", 14);
    while (!buf.full && buf.len < BODY_BYTES) {
        buf_add_char(&buf, ' ');
    }
    CHECK(!buf.full);
}

static void compile(struct expr_state *state)
{
    static const char *const texts[] = {"GET /api/items/${item.id}?page=${item.page} HTTP/1.1\r\n",
                                        "Authorization: Bearer ${user.token}\r\n",
                                        "{\"user\":\"${user.name}\",\"item\":${item.id}}"};
    static const char expr[] = "item.id * 2 + 1 > item.page && user.name != 'nobody'";
    static const char value[] = "response.body.items[3].id";
    struct expr_source source = {.line = 1, .column = 1};

    for (size_t i = 0; i < COUNT(texts); i++) {
        source.text = texts[i];
        source.len = strlen(texts[i]);
        state->templates[i] = template_compile(&state->unit, &source);
        CHECK(state->templates[i] != NULL);
    }
    source.text = value;
    source.len = strlen(value);
    CHECK(expr_compile(&state->unit, &source) != NULL);
    source.text = expr;
    source.len = strlen(expr);
    state->expr = expr_compile(&state->unit, &source);
    CHECK(state->expr != NULL);
    CHECK(json_paths_seal(state->needs.body));
    state->select = json_select_new(&state->arena, state->needs.body);
    CHECK(state->select != NULL);
}

int main(void)
{
    static struct expr_state state;

    arena_init(&state.arena, 0);
    expr_needs_init(&state.needs, &state.arena);
    state.scope.find = find;
    state.unit =
        (struct expr_unit){.arena = &state.arena, .scope = &state.scope, .needs = &state.needs};
    state.providers[0] = parse(&state, "{\"id\":48213,\"page\":7,\"title\":\"a thing\"}");
    state.providers[1] = parse(&state, "{\"name\":\"jean.valjean\",\"token\":"
                                       "\"eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG\"}");
    scratch_init(&state.scratch, state.memory, sizeof(state.memory));
    state.env = (struct expr_env){.providers = state.providers, .scratch = &state.scratch};
    fill_body(state.body);
    compile(&state);

    bench_run("expr_three_templates", run_three, &state, 0);
    bench_run("expr_one_template", run_one, &state, 0);
    bench_run("expr_five_operators", run_operators, &state, 0);
    bench_run("json_select_one_of_1_kib", run_select, &state, BODY_BYTES);
    bench_run("json_parse_1_kib", run_parse, &state, BODY_BYTES);
    arena_release(&state.arena);
    return 0;
}
