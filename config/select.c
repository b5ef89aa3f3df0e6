#include "config/select.h"

#include "core/base/check.h"

/* One select at work. */
struct run {
    const struct select *select;
    struct expr_env *env;
    struct value *locals;
    select_emit *emit;
    void *context;
    bool stopped;
    uint32_t depth;
};

static enum expr_error run_select(struct run *run);

static bool is_true(const struct run *run, enum expr_error *error)
{
    struct value value;

    if (run->select->where == NULL) return true;
    *error = expr_eval(run->select->where, run->env, &value);
    return *error == EXPR_OK && value_is_true(&value);
}

/* One combination: env->for_each holds it. */
static enum expr_error emit_one(struct run *run)
{
    enum expr_error error = EXPR_OK;
    struct value value;

    if (!run->select->where_is_first && !is_true(run, &error)) return error;
    error = expr_eval(run->select->select, run->env, &value);
    if (error == EXPR_OK && !run->emit(run->context, &value)) run->stopped = true;
    return error;
}

/* The lists of for_each and the place in each. */
struct product {
    struct value lists[SELECT_LISTS_MAX];
    uint32_t at[SELECT_LISTS_MAX];
    struct value chosen[SELECT_LISTS_MAX];
};

/* The next combination, the last list fastest; false after the last. */
static bool next_combination(struct product *product, uint32_t count)
{
    for (uint32_t i = count; i > 0; i--) {
        if (++product->at[i - 1] < product->lists[i - 1].len) return true;
        product->at[i - 1] = 0;
    }
    return false;
}

static enum expr_error make_lists(struct run *run, struct product *product, bool *ret_empty)
{
    *ret_empty = false;
    for (uint32_t i = 0; i < run->select->for_each_count; i++) {
        enum expr_error error = expr_eval(run->select->for_each[i], run->env, &product->lists[i]);

        if (error != EXPR_OK) return error;
        product->at[i] = 0;
        if (product->lists[i].kind != VALUE_ARRAY) {
            struct value *single = scratch_alloc(run->env->scratch, sizeof(*single));

            if (single == NULL) return EXPR_FULL;
            *single = product->lists[i];
            if (!value_array(single, 1, &product->lists[i])) return EXPR_TOO_LARGE;
        }
        *ret_empty |= product->lists[i].len == 0;
    }
    return EXPR_OK;
}

/* True if there are so many combinations that the worker would stand still over them. */
static bool is_too_large(const struct product *product, uint32_t count)
{
    uint64_t rounds = 1;

    for (uint32_t i = 0; i < count && count > 1; i++) {
        rounds *= product->lists[i].len;
        if (rounds > SELECT_ROUNDS_MAX) return true;
    }
    return false;
}

static enum expr_error run_rounds(struct run *run)
{
    struct expr_env *env = run->env;
    uint32_t count = run->select->for_each_count;
    enum expr_error error;
    struct product product;
    bool empty;
    char *before;

    error = make_lists(run, &product, &empty);
    if (error != EXPR_OK || empty) return error;
    if (is_too_large(&product, count)) return EXPR_TOO_LARGE;
    before = env->scratch->at;
    do {
        for (uint32_t i = 0; i < count; i++) {
            product.chosen[i] = product.lists[i].elements[product.at[i]];
        }
        if (!value_array(product.chosen, count, &env->for_each)) return EXPR_TOO_LARGE;
        error = emit_one(run);
        env->scratch->at = before;
    } while (error == EXPR_OK && !run->stopped && next_combination(&product, count));
    return error;
}

/* The array that a nested select makes: its values are copied to the scratch, and kept at its top
 * until all are there. */
struct gathering {
    struct scratch *scratch;
    size_t count;
    size_t bytes; /* At the top: the values packed, each with its value in front. */
    bool full;
};

static bool gather(void *context, const struct value *value)
{
    struct gathering *gathering = context;
    size_t bytes = sizeof(struct value) + value_pack_bytes(value);
    char *memory = scratch_push(gathering->scratch, bytes);

    if (memory == NULL) {
        gathering->full = true;
        return false;
    }
    *(struct value *)(void *)memory = value_pack(value, memory + sizeof(struct value));
    gathering->count++;
    gathering->bytes += bytes;
    return true;
}

/* Moves the gathered values, newest lowest, to the bottom as an array. */
static enum expr_error make_local(struct gathering *gathering, struct value *ret_array)
{
    struct scratch *scratch = gathering->scratch;
    struct value *elements = scratch_alloc(scratch, gathering->count * sizeof(*elements));
    const char *at = scratch->top;

    if (gathering->full || elements == NULL) return EXPR_FULL;
    for (size_t i = gathering->count; i > 0; i--) {
        const struct value *packed = (const struct value *)(const void *)at;
        size_t bytes = value_pack_bytes(packed);
        char *memory = scratch_alloc(scratch, bytes);

        if (memory == NULL) return EXPR_FULL;
        elements[i - 1] = value_pack(packed, memory);
        at += sizeof(*packed) + bytes;
    }
    return value_array(elements, gathering->count, ret_array) ? EXPR_OK : EXPR_TOO_LARGE;
}

static enum expr_error run_with(struct run *run, const struct select_with *with)
{
    struct gathering gathering = {.scratch = run->env->scratch};
    struct run inner = {.select = with->select,
                        .env = run->env,
                        .locals = run->locals,
                        .emit = gather,
                        .context = &gathering,
                        .depth = run->depth + 1};
    char *top = run->env->scratch->top;
    enum expr_error error;

    CHECK(with->local < SELECT_LOCALS_MAX);
    if (inner.depth > SELECT_DEPTH_MAX) return EXPR_TOO_LARGE;
    error = run_select(&inner);
    if (error == EXPR_OK) error = make_local(&gathering, &run->locals[with->local]);
    run->env->scratch->top = top;
    return error;
}

static enum expr_error run_select(struct run *run)
{
    struct value outer = run->env->for_each;
    char *before = run->env->scratch->at;
    enum expr_error error = EXPR_OK;

    CHECK(run->select->for_each_count <= SELECT_LISTS_MAX);
    for (uint32_t i = 0; i < run->select->with_count; i++) {
        error = run_with(run, &run->select->with[i]);
        if (error != EXPR_OK) return error;
    }
    if (!run->select->where_is_first || is_true(run, &error)) {
        if (error == EXPR_OK) error = run_rounds(run);
    }
    run->env->for_each = outer;
    run->env->scratch->at = before;
    return error;
}

enum expr_error select_run(const struct select *select, struct expr_env *env, struct value *locals,
                           select_emit *emit, void *context)
{
    struct run run = {
        .select = select, .env = env, .locals = locals, .emit = emit, .context = context};

    CHECK(select->with_count == 0 || locals == env->locals);
    return run_select(&run);
}
