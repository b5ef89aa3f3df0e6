/* What selects promise: every combination in order, `where` before or in the rounds, nested selects
 * as arrays, an end when the taker has enough, and errors that end the run. */
#include "config/select.h"

#include "tests/expr_world.h"

enum { OUT_BYTES = 4096 };

struct taker {
    char out[OUT_BYTES]; /* JSON of the values, one after the other. */
    size_t count, most;
};

static bool take(void *context, const struct value *value)
{
    struct taker *taker = context;
    size_t used = strlen(taker->out);
    struct buf buf;

    buf_init(&buf, taker->out + used, sizeof(taker->out) - used - 2);
    value_write_json(value, &buf);
    EXPECT(!buf.full);
    buf.data[buf.len] = ' ';
    buf.data[buf.len + 1] = '\0';
    return ++taker->count < taker->most;
}

/* A select from texts; lists separated by ';'. */
static struct select make(struct world *world, const char *select, const char *where,
                          const char *lists)
{
    struct select made = {0};
    const struct expr **for_each =
        arena_array(&world->arena, SELECT_LISTS_MAX, sizeof(const struct expr *));

    made.select = world_compile(world, select);
    EXPECT(made.select != NULL);
    if (where != NULL) {
        world->needs.for_each = false;
        made.where = world_compile(world, where);
        EXPECT(made.where != NULL);
        made.where_is_first = !world->needs.for_each;
    }
    while (lists != NULL && *lists != '\0') {
        size_t len = strcspn(lists, ";");
        char *text = arena_copy(&world->arena, lists, len);

        for_each[made.for_each_count] = world_compile(world, text);
        EXPECT(for_each[made.for_each_count] != NULL);
        made.for_each_count++;
        lists += len + (lists[len] == ';');
    }
    made.for_each = for_each;
    return made;
}

static const char body[] = "{\"orders\":[{\"id\":1,\"total\":50},{\"id\":2,\"total\":150},"
                           "{\"id\":3,\"total\":250}],\"tags\":[\"a\",\"b\"],\"one\":\"x\"}";

static void test_select_runs(void)
{
    static const struct {
        const char *select, *where, *lists, *wanted;
    } rows[] = {
        {"num", NULL, NULL, "7 "},
        {"num", "num > 6", NULL, "7 "},
        {"num", "num > 7", NULL, ""},
        {"for_each", NULL, NULL, "[] "},
        {"for_each[0].id", NULL, "response.body.orders", "1 2 3 "},
        {"for_each[0].id", "for_each[0].total > 100", "response.body.orders", "2 3 "},
        {"for_each[0].id", "num > 100", "nil.x", ""},
        {"for_each", NULL, "list;response.body.tags",
         "[1,\"a\"] [1,\"b\"] [2,\"a\"] [2,\"b\"] [3,\"a\"] [3,\"b\"] "},
        {"for_each", NULL, "list;range(0, 0)", ""},
        {"for_each", NULL, "num;response.body.one", "[7,\"x\"] "},
        {"'${for_each[0]}-${str}'", NULL, "repeat(2)", "\"null-hello\" \"null-hello\" "},
    };
    static struct world world;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct taker taker = {.most = SIZE_MAX};
        struct select select;
        struct value locals[4];
        char *before;

        world_open(&world);
        select = make(&world, rows[i].select, rows[i].where, rows[i].lists);
        world_answer(&world, body);
        before = world.scratch.at;
        EXPECT(select_run(&select, &world.env, locals, take, &taker) == EXPR_OK);
        if (strcmp(taker.out, rows[i].wanted) != 0) {
            (void)fprintf(stderr, "%s: %s\n", rows[i].select, taker.out);
        }
        EXPECT(strcmp(taker.out, rows[i].wanted) == 0);
        EXPECT(world.scratch.at == before);
        EXPECT(world.env.for_each.len == 2); /* As it was. */
        world_close(&world);
    }
}

static void test_select_stops_when_told(void)
{
    static struct world world;
    struct taker taker = {.most = 2};
    struct select select;

    world_open(&world);
    select = make(&world, "for_each[0]", NULL, "range(0, 1000)");
    EXPECT(select_run(&select, &world.env, NULL, take, &taker) == EXPR_OK);
    EXPECT(strcmp(taker.out, "0 1 ") == 0);
    world_close(&world);
}

static void test_select_ends_with_errors(void)
{
    static const struct {
        const char *select, *where, *lists, *wanted;
    } rows[] = {
        {"nil.x", NULL, NULL, ""},
        {"num", "nil.x", NULL, ""},
        {"num", NULL, "nil.x", ""},
        {"num", "for_each[0].x.y", "list", ""},
        {"list[for_each[0]]", "for_each[0].a || true", "arr", ""},
    };
    static struct world world;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct taker taker = {.most = SIZE_MAX};
        struct select select;

        world_open(&world);
        select = make(&world, rows[i].select, rows[i].where, rows[i].lists);
        EXPECT(select_run(&select, &world.env, NULL, take, &taker) == EXPR_INDEXING);
        EXPECT(strcmp(taker.out, rows[i].wanted) == 0);
        world_close(&world);
    }
}

static void test_select_bounds_combinations(void)
{
    static struct world world;
    struct taker taker = {.most = SIZE_MAX};
    struct select select;

    world_open(&world);
    select = make(&world, "num", NULL, "range(0, 128);range(0, 128);range(0, 65)");
    EXPECT(select_run(&select, &world.env, NULL, take, &taker) == EXPR_TOO_LARGE);
    EXPECT(strcmp(taker.out, "") == 0);
    select = make(&world, "num", "false", "range(0, 128);range(0, 128);range(0, 64)");
    EXPECT(select_run(&select, &world.env, NULL, take, &taker) == EXPR_OK);
    world_close(&world);
}

/* The example of the specification, and one level more. */
static void test_select_nests(void)
{
    static struct world world;
    struct taker taker = {.most = SIZE_MAX};
    struct select inner, middle, outer;
    struct select_with with_inner, with_middle;
    size_t at = 0;

    world_open(&world);
    while (strcmp(world_names[at].name, "local") != 0) {
        at++;
    }
    inner = make(&world, "for_each[0].id * 10", "for_each[0].total > 100", "response.body.orders");
    middle = make(&world, "'${for_each[0]}/${local.length}'", NULL, "local");
    outer = make(&world, "'${for_each[0]}${local.length}'", NULL, "local");
    with_inner = (struct select_with){.local = (uint32_t)at, .select = &inner};
    middle.with = &with_inner;
    middle.with_count = 1;
    with_middle = (struct select_with){.local = (uint32_t)at, .select = &middle};
    outer.with = &with_middle;
    outer.with_count = 1;
    world_answer(&world, body);
    EXPECT(select_run(&outer, &world.env, world.values, take, &taker) == EXPR_OK);
    EXPECT(strcmp(taker.out, "\"20/22\" \"30/22\" ") == 0);
    EXPECT(world.scratch.top == world.scratch.end);
    world_close(&world);
}

static void test_select_survives_any_scratch(void)
{
    static struct world world;
    bool done = false;

    for (size_t bytes = 0; bytes < 8192 && !done; bytes += 8) {
        struct taker taker = {.most = SIZE_MAX};
        struct select inner, outer;
        struct select_with with;
        enum expr_error error;
        size_t at = 0;

        world_open(&world);
        while (strcmp(world_names[at].name, "local") != 0) {
            at++;
        }
        inner = make(&world, "'${for_each[0]}'", NULL, "arr");
        outer = make(&world, "for_each", NULL, "local;num");
        with = (struct select_with){.local = (uint32_t)at, .select = &inner};
        outer.with = &with;
        outer.with_count = 1;
        scratch_init(&world.scratch, world.memory, bytes);
        error = select_run(&outer, &world.env, world.values, take, &taker);
        EXPECT(error == EXPR_OK || error == EXPR_FULL);
        EXPECT(world.scratch.top == world.scratch.end);
        done = error == EXPR_OK;
        world_close(&world);
    }
    EXPECT(done);
}

int main(void)
{
    TEST(test_select_runs);
    TEST(test_select_stops_when_told);
    TEST(test_select_ends_with_errors);
    TEST(test_select_bounds_combinations);
    TEST(test_select_nests);
    TEST(test_select_survives_any_scratch);
    return 0;
}
