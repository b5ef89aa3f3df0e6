/* Names: what they stand for, what is needed because of them, and the steps that follow. */
#include <string.h>

#include "config/expr_compile.h"
#include "core/base/check.h"
#include "core/base/quote.h"

bool expr_grow(struct arena *arena, void *array_pointer, uint32_t count, size_t element_size)
{
    void **array = array_pointer;
    void *grown;

    if (count != 0 && (count & (count - 1)) != 0) return true; /* Not at a power of two. */
    grown = arena_array(arena, count == 0 ? 1 : (size_t)count * 2, element_size);
    if (grown == NULL) return false;
    if (count > 0) memcpy(grown, *array, count * element_size);
    *array = grown;
    return true;
}

void expr_needs_init(struct expr_needs *needs, struct arena *arena)
{
    *needs = (struct expr_needs){.arena = arena};
}

static bool need_use(struct expr_compiler *compiler, enum expr_name_kind kind, uint32_t index)
{
    struct expr_needs *needs = compiler->unit->needs;

    for (uint32_t i = 0; i < needs->uses_count; i++) {
        if (needs->uses[i].kind == kind && needs->uses[i].index == index) return true;
    }
    if (!expr_grow(needs->arena, &needs->uses, needs->uses_count, sizeof(*needs->uses))) {
        expr_no_memory(compiler);
        return false;
    }
    needs->uses[needs->uses_count++] = (struct expr_use){kind, index};
    return true;
}

static bool same_field(const struct expr_field *a, const struct expr_field *b)
{
    if (a->kind != b->kind || (a->member == NULL) != (b->member == NULL)) return false;
    if (a->member == NULL) return true;
    return a->member_len == b->member_len && memcmp(a->member, b->member, a->member_len) == 0;
}

bool expr_need_field(struct expr_compiler *compiler, const struct expr_field *field)
{
    struct expr_needs *needs = compiler->unit->needs;

    for (uint32_t i = 0; i < needs->fields_count; i++) {
        if (same_field(&needs->fields[i], field)) return true;
    }
    if (!expr_grow(needs->arena, &needs->fields, needs->fields_count, sizeof(*needs->fields))) {
        expr_no_memory(compiler);
        return false;
    }
    needs->fields[needs->fields_count++] = *field;
    return true;
}

/* A mention of a provider that pops. */
static bool need_mention(struct expr_compiler *compiler, uint32_t provider, uint32_t *ret_mention)
{
    struct expr_needs *needs = compiler->unit->needs;

    if (!expr_grow(needs->arena, &needs->mentions, needs->mentions_count,
                   sizeof(*needs->mentions))) {
        expr_no_memory(compiler);
        return false;
    }
    needs->mentions[needs->mentions_count] =
        (struct expr_mention){.provider = provider, .collected = compiler->collecting};
    *ret_mention = needs->mentions_count++;
    return true;
}

const struct expr *expr_path(struct expr_compiler *compiler, const struct expr *base,
                             const struct expr_step *steps, uint32_t steps_count)
{
    const struct expr *below[EXPR_STEPS_MAX + 1] = {base};
    size_t below_count = 1;
    bool constant = base->op == OP_CONSTANT;
    struct expr_step *copy;
    struct expr *expr;

    CHECK(steps_count > 0);
    CHECK(steps_count <= EXPR_STEPS_MAX);
    for (uint32_t i = 0; i < steps_count; i++) {
        if (steps[i].index == NULL) continue;
        below[below_count++] = steps[i].index;
        constant = false;
    }
    expr = expr_node(compiler, OP_PATH, base->offset, below, below_count);
    if (expr == NULL) return NULL;
    copy = arena_array(compiler->unit->arena, steps_count, sizeof(*copy));
    if (copy == NULL) {
        expr_no_memory(compiler);
        return NULL;
    }
    memcpy(copy, steps, steps_count * sizeof(*copy));
    expr->base = base;
    expr->steps = copy;
    expr->steps_count = steps_count;
    return constant ? expr_fold(compiler, expr) : expr;
}

static const struct expr *with_steps(struct expr_compiler *compiler, const struct expr *base,
                                     const struct expr_step *steps, uint32_t steps_count)
{
    if (base == NULL || steps_count == 0) return base;
    return expr_path(compiler, base, steps, steps_count);
}

/* Members of the special variables. */
static const struct special {
    enum expr_name_kind of;
    const char *name;
    enum expr_field_kind field;
    uint32_t kinds;
} specials[] = {
    {EXPR_REQUEST, "method", EXPR_REQUEST_METHOD, EXPR_KIND(VALUE_STRING)},
    {EXPR_REQUEST, "url", EXPR_REQUEST_URL, EXPR_KIND_ANY},
    {EXPR_REQUEST, "headers", EXPR_REQUEST_HEADERS, EXPR_KIND_ANY},
    {EXPR_REQUEST, "headers_all", EXPR_REQUEST_HEADERS_ALL, EXPR_KIND_ANY},
    {EXPR_REQUEST, "body", EXPR_REQUEST_BODY, EXPR_KIND_ANY},
    {EXPR_REQUEST, "start-line", EXPR_REQUEST_START_LINE, EXPR_KIND_ANY},
    {EXPR_RESPONSE, "status", EXPR_RESPONSE_STATUS, EXPR_KIND_ANY},
    {EXPR_RESPONSE, "headers", EXPR_RESPONSE_HEADERS, EXPR_KIND_ANY},
    {EXPR_RESPONSE, "headers_all", EXPR_RESPONSE_HEADERS_ALL, EXPR_KIND_ANY},
    {EXPR_RESPONSE, "body", EXPR_FIELDS_COUNT, EXPR_KIND_ANY}, /* By paths. */
    {EXPR_RESPONSE, "start-line", EXPR_RESPONSE_START_LINE, EXPR_KIND_ANY},
    {EXPR_STATS, "rtt", EXPR_STATS_RTT, EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL)},
    {EXPR_STATS, "due_lag", EXPR_STATS_DUE_LAG, EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL)},
    {EXPR_STATS, "connect", EXPR_STATS_CONNECT, EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL)},
    {EXPR_STATS, "tls", EXPR_STATS_TLS, EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL)},
    {EXPR_STATS, "ttfb", EXPR_STATS_TTFB, EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL)},
};

static const struct special *special_find(enum expr_name_kind of, const struct json_step *step)
{
    if (step->name == NULL) return NULL;
    for (size_t i = 0; i < COUNT(specials); i++) {
        if (specials[i].of == of && strlen(specials[i].name) == step->len &&
            memcmp(specials[i].name, step->name, step->len) == 0) {
            return &specials[i];
        }
    }
    return NULL;
}

static bool has_members(enum expr_field_kind kind)
{
    return kind == EXPR_REQUEST_URL || kind == EXPR_REQUEST_HEADERS ||
           kind == EXPR_REQUEST_HEADERS_ALL || kind == EXPR_RESPONSE_HEADERS ||
           kind == EXPR_RESPONSE_HEADERS_ALL;
}

/* The member of a field that is asked for, in lower case where it is a header's name. */
static bool field_member(struct expr_compiler *compiler, const struct json_step *step,
                         struct expr_field *field)
{
    char *member = arena_copy(compiler->unit->arena, step->name, step->len);

    if (member == NULL) {
        expr_no_memory(compiler);
        return false;
    }
    for (uint32_t i = 0; i < step->len && field->kind != EXPR_REQUEST_URL; i++) {
        if (member[i] >= 'A' && member[i] <= 'Z') member[i] = (char)(member[i] - 'A' + 'a');
    }
    field->member = member;
    field->member_len = step->len;
    return true;
}

static const struct expr *make_field(struct expr_compiler *compiler, uint32_t offset,
                                     const struct special *special, const struct expr_step *steps,
                                     uint32_t steps_count)
{
    struct expr_field field = {.kind = special->field};
    struct expr *expr;

    if (steps_count > 0 && has_members(field.kind) && steps[0].index == NULL &&
        steps[0].step.name != NULL) {
        if (!field_member(compiler, &steps[0].step, &field)) return NULL;
        steps++;
        steps_count--;
    }
    if (!expr_need_field(compiler, &field)) return NULL;
    expr = expr_node(compiler, OP_FIELD, offset, NULL, 0);
    if (expr == NULL) return NULL;
    expr->field = field;
    expr->kinds = field.member == NULL ? special->kinds : EXPR_KIND_ANY;
    return with_steps(compiler, expr, steps, steps_count);
}

/* response.body: the constant steps, as far as they can be, are a path that the body is searched
 * for while it comes. "length" may be asked of an array or a string, so it is taken from the value.
 */
static const struct expr *make_body(struct expr_compiler *compiler, uint32_t offset,
                                    const struct expr_step *steps, uint32_t steps_count)
{
    struct expr_needs *needs = compiler->unit->needs;
    struct json_step path[JSON_STEPS_MAX];
    uint32_t count = 0, number = JSON_PATH_NONE;
    struct expr *expr;

    if (needs->body == NULL) needs->body = json_paths_new(needs->arena);
    while (needs->body != NULL && count < steps_count && count < JSON_STEPS_MAX &&
           steps[count].index == NULL) {
        const struct json_step *step = &steps[count].step;

        if (step->name != NULL && step->len == 6 && memcmp(step->name, "length", 6) == 0) break;
        path[count++] = *step;
    }
    /* What does not fit into the set is taken from a value further up. */
    for (uint32_t used = count + 1; needs->body != NULL && number == JSON_PATH_NONE && used > 0;) {
        used--;
        number = json_paths_add(needs->body, path, used);
        count = used;
    }
    expr = number == JSON_PATH_NONE ? NULL : expr_node(compiler, OP_BODY, offset, NULL, 0);
    if (expr == NULL) {
        expr_no_memory(compiler);
        return NULL;
    }
    expr->index = number;
    return with_steps(compiler, expr, steps_count > count ? steps + count : NULL,
                      steps_count - count);
}

static const struct expr *make_special(struct expr_compiler *compiler, uint32_t offset,
                                       const struct special *special, const struct expr_step *steps,
                                       uint32_t steps_count)
{
    if (special->field == EXPR_FIELDS_COUNT) {
        return make_body(compiler, offset, steps, steps_count);
    }
    return make_field(compiler, offset, special, steps, steps_count);
}

/* All of request, response or stats. */
static const struct expr *make_all_specials(struct expr_compiler *compiler, uint32_t offset,
                                            enum expr_name_kind of)
{
    const struct expr **members =
        arena_array(compiler->unit->arena, COUNT(specials), sizeof(const struct expr *));
    struct value *keys = arena_array(compiler->unit->arena, COUNT(specials), sizeof(*keys));
    uint32_t count = 0;
    struct expr *expr;

    if (members == NULL || keys == NULL) {
        expr_no_memory(compiler);
        return NULL;
    }
    for (size_t i = 0; i < COUNT(specials); i++) {
        if (specials[i].of != of) continue;
        members[count] = make_special(compiler, offset, &specials[i], NULL, 0);
        if (members[count] == NULL) return NULL;
        keys[count++] = value_str(specials[i].name);
    }
    expr = expr_node(compiler, OP_OBJECT, offset, members, count);
    if (expr == NULL) return NULL;
    expr->args = members;
    expr->args_count = count;
    expr->keys = keys;
    expr->kinds = EXPR_KIND(VALUE_OBJECT);
    return expr;
}

static const struct expr *resolve_special(struct expr_compiler *compiler, const struct token *name,
                                          enum expr_name_kind of, const struct expr_step *steps,
                                          uint32_t steps_count)
{
    const struct special *special;

    if (steps_count == 0 || steps[0].index != NULL) {
        return with_steps(compiler, make_all_specials(compiler, name->offset, of), steps,
                          steps_count);
    }
    special = special_find(of, &steps[0].step);
    if (special == NULL) {
        expr_wrong(compiler, steps[0].offset, 1, "'%s' has no such member",
                   quote_len(compiler->source->text + name->offset, name->len).text);
        return NULL;
    }
    return make_special(compiler, name->offset, special, steps + 1, steps_count - 1);
}

static const struct expr *resolve_provider(struct expr_compiler *compiler, const struct token *name,
                                           uint32_t index)
{
    bool pops = compiler->unit->scope->pops;
    uint32_t mention = index;
    struct expr *expr;

    if (!need_use(compiler, EXPR_PROVIDER, index)) return NULL;
    if (pops && !need_mention(compiler, index, &mention)) return NULL;
    expr = expr_node(compiler, pops ? OP_POP : OP_PROVIDER, name->offset, NULL, 0);
    if (expr != NULL) expr->index = mention;
    return expr;
}

/* The node of a name that has been found, without steps. */
static const struct expr *resolve_plain(struct expr_compiler *compiler, const struct token *name,
                                        const struct expr_name *found)
{
    enum expr_op op = OP_FOR_EACH;
    struct expr *expr;

    switch (found->kind) {
    case EXPR_CONSTANT: return expr_node_constant(compiler, name->offset, &found->value);
    case EXPR_PROVIDER: return resolve_provider(compiler, name, found->index);
    case EXPR_DECLARE: op = OP_DECLARE; break;
    case EXPR_LOCAL: op = OP_LOCAL; break;
    case EXPR_FOR_EACH: compiler->unit->needs->for_each = true; break;
    case EXPR_ERROR:
        op = OP_ERROR;
        compiler->unit->needs->error = true;
        break;
    case EXPR_REQUEST:
    case EXPR_RESPONSE:
    case EXPR_STATS: UNREACHABLE("a special name is no plain one");
    }
    if ((op == OP_DECLARE || op == OP_LOCAL) && !need_use(compiler, found->kind, found->index)) {
        return NULL;
    }
    expr = expr_node(compiler, op, name->offset, NULL, 0);
    if (expr == NULL) return NULL;
    expr->index = found->index;
    if (op == OP_FOR_EACH) expr->kinds = EXPR_KIND(VALUE_ARRAY);
    return expr;
}

static bool find(struct expr_compiler *compiler, const char *name, size_t len, bool is_provider,
                 struct expr_name *ret_name)
{
    const struct expr_scope *scope = compiler->unit->scope;

    return scope->find != NULL && scope->find(scope->context, name, len, is_provider, ret_name);
}

/* provider["name"], unless something is called "provider". */
static bool is_provider_form(const char *text, const struct token *name,
                             const struct expr_step *steps, uint32_t steps_count)
{
    return name->len == 8 && memcmp(text, "provider", 8) == 0 && steps_count > 0 &&
           steps[0].index == NULL && steps[0].step.name != NULL;
}

const struct expr *expr_resolve(struct expr_compiler *compiler, const struct token *name,
                                const struct expr_step *steps, uint32_t steps_count)
{
    const char *text = compiler->source->text + name->offset;
    struct token told = *name;
    struct expr_name found;
    struct expr *expr;

    if (!find(compiler, text, name->len, false, &found)) {
        bool known = false;

        if (is_provider_form(text, name, steps, steps_count)) {
            known = find(compiler, steps[0].step.name, steps[0].step.len, true, &found);
            told.offset = steps[0].offset;
            if (steps[0].step.name != compiler->source->text + told.offset) {
                told.offset++; /* Behind its quote. */
            }
            told.len = steps[0].step.len;
            steps++;
            steps_count--;
        }
        if (!known) {
            /* What stands for it is not constant and may be anything, so that nothing else
             * is told because of it. */
            expr_unknown(compiler, &told, false);
            expr = expr_node(compiler, OP_ERROR, name->offset, NULL, 0);
            return expr;
        }
    }
    if (found.kind == EXPR_REQUEST || found.kind == EXPR_RESPONSE || found.kind == EXPR_STATS) {
        return resolve_special(compiler, name, found.kind, steps, steps_count);
    }
    return with_steps(compiler, resolve_plain(compiler, name, &found), steps, steps_count);
}
