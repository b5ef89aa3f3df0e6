/* fuzz_expr: compiles and evaluates an expression in the small world of tests/expr_world.h.
 *
 * Input: byte 0 chooses how (bit 0: as in `declare`, bit 1: indexing is null, bit 2: there is a
 * response), the rest is the expression. Checked, besides what the sanitizers see: no expression
 * without a problem told, problems inside of the text, the scratch's top given back, and that the
 * value's JSON reads back as the same value. */
#include "tests/expr_world.h"
#include "tests/fuzz/fuzz.h"

static struct world world;

static void check_value(const struct value *value)
{
    static char text[1 << 22];
    static _Alignas(16) char memory[1 << 22];
    struct scratch scratch;
    struct value again;
    struct buf buf;

    buf_init(&buf, text, sizeof(text));
    value_write_json(value, &buf);
    if (buf.full) return;
    scratch_init(&scratch, memory, sizeof(memory));
    MUST(json_parse(text, buf.len, &scratch, &again, NULL));
    MUST(value_equal(value, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char body[] = "{\"items\":[{\"id\":1,\"n\":\"a\"},{\"id\":2}],\"s\":\"text\"}";
    const struct expr *expr;
    struct expr_source source = {.line = 1, .column = 1};
    struct value value;
    char *text;

    if (len < 1) return 0;
    text = fuzz_copy((const char *)data + 1, len - 1);
    source.text = text;
    source.len = len - 1;
    world_open(&world);
    world.arena.bytes_max = 1 << 25;
    world.scope.pops = (data[0] & 1) != 0;
    world.env.indexing_is_null = (data[0] & 2) != 0;
    expr = expr_compile(&world.unit, &source);
    MUST((expr == NULL) == (world.errors > 0));
    MUST(world.last_offset + world.last_len <= len);
    if (expr != NULL && world.needs.mentions_count <= WORLD_POPS_MAX) {
        world_answer(&world, (data[0] & 4) != 0 ? body : NULL);
        if (expr_eval(expr, &world.env, &value) == EXPR_OK) {
            MUST((expr_kinds(expr) >> value.kind & 1) != 0);
            if (json_is_utf8(text, len - 1)) check_value(&value);
        } else {
            MUST(world.env.error_offset <= len);
        }
        MUST(world.scratch.top == world.scratch.end);
    }
    world_close(&world);
    fuzz_free(text);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
}
