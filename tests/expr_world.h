/* expr_world: a small world for expressions: constants, providers with one value each, a response,
 * counters. Everything is compiled and evaluated from text to text. */
#ifndef TESTS_EXPR_WORLD_H
#define TESTS_EXPR_WORLD_H

#include <string.h>

#include "config/expr.h"
#include "config/json.h"
#include "config/select.h"
#include "config/template.h"
#include "core/base/arena.h"
#include "tests/test.h"

enum { WORLD_SCRATCH_BYTES = 256 * 1024, WORLD_PROBLEMS_BYTES = 4096, WORLD_POPS_MAX = 4096 };

/* A name and the JSON of its value. */
struct world_name {
    const char *name;
    enum expr_name_kind kind;
    const char *json;
};

static const struct world_name world_names[] = {
    {"one", EXPR_CONSTANT, "1"},
    {"word", EXPR_CONSTANT, "\"abc\""},
    {"list", EXPR_CONSTANT, "[1,2,3]"},
    {"num", EXPR_PROVIDER, "7"},
    {"real", EXPR_PROVIDER, "2.5"},
    {"str", EXPR_PROVIDER, "\"hello\""},
    {"obj", EXPR_PROVIDER,
     "{\"a\":1,\"b\":{\"c\":[10,20,{\"d\":\"deep\"}]},\"1\":\"one\",\"length\":99,"
     "\"-1\":\"minus\"}"},
    {"arr", EXPR_PROVIDER, "[\"x\",\"y\",[1,2]]"},
    {"nil", EXPR_PROVIDER, "null"},
    {"yes", EXPR_PROVIDER, "true"},
    {"no", EXPR_PROVIDER, "false"},
    {"truest", EXPR_PROVIDER, "\"true is a prefix\""},
    {"nullable", EXPR_PROVIDER, "\"null is a prefix\""},
    {"\xc3\xa9t\xc3\xa9", EXPR_PROVIDER, "\"summer\""},
    {"big", EXPR_PROVIDER, "9223372036854775807"},
    {"html", EXPR_PROVIDER, "\"<p>Hello, J\xc3\xb6rg! It is 2038-01-19.</p>\""},
    {"odd name", EXPR_PROVIDER, "\"in brackets\""},
    {"made", EXPR_DECLARE, "\"declared\""},
    {"local", EXPR_LOCAL, "[4,5]"},
    {"for_each", EXPR_FOR_EACH, NULL},
    {"error", EXPR_ERROR, NULL},
    {"request", EXPR_REQUEST, NULL},
    {"response", EXPR_RESPONSE, NULL},
    {"stats", EXPR_STATS, NULL},
};

struct world {
    struct arena arena;
    struct expr_scope scope;
    struct expr_needs needs;
    struct expr_unit unit;
    struct expr_env env;
    struct rng rng;
    struct scratch scratch;
    struct value values[COUNT(world_names)];
    struct json_result results[JSON_PATHS_MAX];
    int64_t counters[4];
    uint32_t counters_count;
    uint32_t popped[WORLD_POPS_MAX];
    uint32_t pops_ready;                 /* How many values each mention has. */
    uint32_t pops;                       /* Of all mentions. */
    const char *body;                    /* Of the response; NULL: none. */
    char problems[WORLD_PROBLEMS_BYTES]; /* "line:column: message" each on a line. */
    uint32_t errors, warnings;
    uint32_t last_offset, last_len;
    _Alignas(16) char memory[WORLD_SCRATCH_BYTES];
    char select_memory[16384];
};

static inline bool world_find(void *context, const char *name, size_t len, bool is_provider,
                              struct expr_name *ret_name)
{
    struct world *world = context;

    for (size_t i = 0; i < COUNT(world_names); i++) {
        const struct world_name *known = &world_names[i];

        if (strlen(known->name) != len || memcmp(known->name, name, len) != 0) continue;
        if (is_provider && known->kind != EXPR_PROVIDER) continue;
        *ret_name = (struct expr_name){
            .kind = known->kind, .index = (uint32_t)i, .value = world->values[i]};
        return true;
    }
    return false;
}

static inline bool world_counter(void *context, const char *name, size_t len, uint32_t *ret_index)
{
    struct world *world = context;

    (void)name;
    if (len == 0) return false;
    *ret_index = (uint32_t)(len % COUNT(world->counters));
    return true;
}

static inline const char *world_environment(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "HOME_OF_TEST") == 0 ? "/here" : NULL;
}

static inline void world_problem(void *context, const struct expr_problem *problem)
{
    struct world *world = context;
    size_t used = strlen(world->problems);

    (void)snprintf(world->problems + used, sizeof(world->problems) - used, "%u:%u: %s%s\n",
                   problem->line, problem->column, problem->is_warning ? "warning: " : "",
                   problem->message);
    world->errors += !problem->is_warning;
    world->warnings += problem->is_warning;
    world->last_offset = problem->offset;
    world->last_len = problem->len;
}

/* Fields read as their kind and member, a status as 200. */
static inline enum expr_error world_field(void *context, const struct expr_field *field,
                                          struct scratch *scratch, struct value *ret_value)
{
    struct world *world = context;
    struct buf buf = scratch_open(scratch);
    char digits[16];

    if (field->kind == EXPR_RESPONSE_STATUS) {
        *ret_value = world->body != NULL ? value_int(200) : value_null();
        return EXPR_OK;
    }
    if (field->kind == EXPR_STATS_RTT) {
        *ret_value = value_double(12.5);
        return EXPR_OK;
    }
    buf_add(&buf, digits, (size_t)snprintf(digits, sizeof(digits), "field %d", (int)field->kind));
    if (field->member != NULL) {
        buf_add_char(&buf, ' ');
        buf_add(&buf, field->member, field->member_len);
    }
    if (!scratch_close(scratch, &buf)) return EXPR_FULL;
    *ret_value = value_string(buf.data, buf.len);
    return EXPR_OK;
}

/* Value number n of a mention is 100 * (1 + mention) + n. */
static inline enum expr_error world_pop(void *context, uint32_t mention, uint32_t nth,
                                        struct value *ret_value)
{
    struct world *world = context;

    if (nth >= world->pops_ready) return EXPR_WAIT;
    world->pops++;
    *ret_value = value_int(100 * (1 + (int64_t)mention) + nth);
    return EXPR_OK;
}

static inline void world_open(struct world *world)
{
    static const char for_each[] = "[{\"id\":8},\"second\"]";
    static const char error[] = "{\"msg\":\"timed out\",\"code\":4}";

    memset(world, 0, offsetof(struct world, memory));
    arena_init(&world->arena, 0);
    for (size_t i = 0; i < COUNT(world_names); i++) {
        const char *json = world_names[i].json;

        if (json == NULL) continue;
        EXPECT(json_parse_arena(json, strlen(json), &world->arena, &world->values[i], NULL));
    }
    expr_needs_init(&world->needs, &world->arena);
    world->scope = (struct expr_scope){.find = world_find,
                                       .counter = world_counter,
                                       .environment = world_environment,
                                       .context = world};
    world->unit = (struct expr_unit){.arena = &world->arena,
                                     .scope = &world->scope,
                                     .needs = &world->needs,
                                     .problem = world_problem,
                                     .problem_context = world};
    rng_init(&world->rng, 1);
    scratch_init(&world->scratch, world->memory, sizeof(world->memory));
    world->pops_ready = UINT32_MAX;
    world->env = (struct expr_env){.providers = world->values,
                                   .declares = world->values,
                                   .locals = world->values,
                                   .field = world_field,
                                   .pop = world_pop,
                                   .popped = world->popped,
                                   .context = world,
                                   .scratch = &world->scratch,
                                   .rng = &world->rng,
                                   .wall_ns = UINT64_C(1709214245123456789),
                                   .counters = world->counters,
                                   .counter_step = 2,
                                   .worker = 3};
    EXPECT(json_parse_arena(for_each, strlen(for_each), &world->arena, &world->env.for_each, NULL));
    EXPECT(json_parse_arena(error, strlen(error), &world->arena, &world->env.error, NULL));
}

static inline void world_close(struct world *world)
{
    arena_release(&world->arena);
}

static inline struct expr_source world_source(const char *text)
{
    return (struct expr_source){.text = text, .len = strlen(text), .line = 3, .column = 10};
}

static inline const struct expr *world_compile(struct world *world, const char *text)
{
    struct expr_source source = world_source(text);

    world->problems[0] = '\0';
    world->errors = world->warnings = 0;
    return expr_compile(&world->unit, &source);
}

/* Feeds the body, whole, to what the needs ask of it. */
static inline void world_answer(struct world *world, const char *body)
{
    struct json_select *select;
    bool is_json;

    world->body = body;
    world->env.body = NULL;
    if (world->needs.body == NULL || body == NULL) return;
    EXPECT(json_paths_seal(world->needs.body));
    select = json_select_new(&world->arena, world->needs.body);
    EXPECT(select != NULL);
    json_select_start(select, world->select_memory, sizeof(world->select_memory));
    (void)json_select_feed(select, body, strlen(body));
    EXPECT(json_select_finish(select, &world->scratch, world->results, &is_json));
    world->env.body = world->results;
}

/* Evaluates to JSON in `text`, or to "! " and the error's text. */
static inline const char *world_eval(struct world *world, const struct expr *expr, char *text,
                                     size_t bytes)
{
    struct value value = value_null();
    struct buf buf;
    enum expr_error error;

    memset(world->popped, 0, sizeof(world->popped));
    error = expr_eval(expr, &world->env, &value);
    if (error != EXPR_OK) {
        (void)snprintf(text, bytes, "! %s", expr_error_text(error));
        return text;
    }
    buf_init(&buf, text, bytes - 1);
    value_write_json(&value, &buf);
    EXPECT(!buf.full);
    text[buf.len] = '\0';
    return text;
}

#endif
