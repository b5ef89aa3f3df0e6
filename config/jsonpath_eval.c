/* Runs a query depth first, which finds the nodes in the RFC's order. The recursion goes down the
 * value, so its depth is bounded by the value's and the query's; its work is counted. */
#include <string.h>

#include "config/jsonpath_impl.h"
#include "core/base/check.h"

/* What is done with the nodes that a query finds. */
struct sink {
    uint64_t count;
    bool keep;        /* At the top of the scratch, the newest lowest. */
    bool stop_at_one; /* It is enough to know of one … */
    bool stop_at_two; /* … or whether there is more than one. */
    struct value first;
};

struct walk {
    const struct value *root;
    struct scratch *scratch;
    uint64_t work;
    enum jsonpath_result result;
};

/* A query at work: goes on while true is returned. */
static bool run(struct walk *walk, const struct jsonpath *path, uint32_t segment,
                const struct value *node, struct sink *sink);

static bool found(struct walk *walk, const struct value *node, struct sink *sink)
{
    if (sink->count++ == 0) sink->first = *node;
    if (sink->keep) {
        struct value *kept = scratch_push(walk->scratch, sizeof(*kept));

        if (kept == NULL) {
            walk->result = JSONPATH_FULL;
            return false;
        }
        *kept = *node;
    }
    return !sink->stop_at_one && !(sink->stop_at_two && sink->count > 1);
}

/* Runs a query of a filter; false when the walk is over. */
static bool query(struct walk *walk, const struct operand *operand, const struct value *node,
                  struct sink *sink)
{
    (void)run(walk, operand->query, 0, operand->from_root ? walk->root : node, sink);
    return walk->result == JSONPATH_OK;
}

/* The value of an operand; false: nothing. */
static bool operand_value(struct walk *walk, const struct operand *operand,
                          const struct value *node, struct value *ret_value)
{
    struct sink sink = {.stop_at_two = operand->kind != OPERAND_COUNT};
    struct value arg;

    switch (operand->kind) {
    case OPERAND_VALUE: *ret_value = operand->value; return true;
    case OPERAND_QUERY:
        if (!query(walk, operand, node, &sink) || sink.count != 1) return false;
        *ret_value = sink.first;
        return true;
    case OPERAND_VALUE_OF:
        if (!query(walk, operand->arg, node, &sink) || sink.count != 1) return false;
        *ret_value = sink.first;
        return true;
    case OPERAND_COUNT:
        if (!query(walk, operand->arg, node, &sink)) return false;
        *ret_value = value_int((int64_t)sink.count);
        return true;
    case OPERAND_LENGTH:
        if (!operand_value(walk, operand->arg, node, &arg)) return false;
        if (arg.kind < VALUE_STRING) return false;
        *ret_value =
            value_int(arg.kind == VALUE_STRING ? (int64_t)value_chars(&arg) : (int64_t)arg.len);
        return true;
    case OPERAND_MATCH: break;
    }
    UNREACHABLE("match() has no value");
}

static bool test_match(struct walk *walk, const struct operand *operand, const struct value *node)
{
    struct value text;

    if (!operand_value(walk, operand->arg, node, &text) || text.kind != VALUE_STRING) return false;
    walk->work += text.len;
    switch (regex_test(operand->regex, text.string, text.len, walk->scratch)) {
    case REGEX_FOUND: return true;
    case REGEX_NONE: return false;
    case REGEX_LIMIT: walk->result = JSONPATH_WORK; return false;
    case REGEX_FULL: walk->result = JSONPATH_FULL; return false;
    }
    UNREACHABLE("result of a match");
}

static bool test(struct walk *walk, const struct operand *operand, const struct value *node)
{
    struct sink sink = {.stop_at_one = true};

    if (operand->kind == OPERAND_MATCH) return test_match(walk, operand, node);
    return query(walk, operand, node, &sink) && sink.count > 0;
}

/* Nothing equals nothing, and has no order. */
static bool compare(struct walk *walk, const struct filter *filter, const struct value *node)
{
    struct value left, right;
    bool has_left = operand_value(walk, filter->left, node, &left);
    bool has_right = operand_value(walk, filter->right, node, &right);
    bool both = has_left && has_right;
    bool equal = both ? value_equal(&left, &right) : has_left == has_right;
    enum value_order order = both ? value_compare(&left, &right) : VALUE_UNORDERED;

    switch (filter->kind) {
    case FILTER_EQUAL: return equal;
    case FILTER_UNEQUAL: return !equal;
    case FILTER_LESS: return order == VALUE_LESS;
    case FILTER_LESS_EQUAL: return order == VALUE_LESS || equal;
    case FILTER_GREATER: return order == VALUE_GREATER;
    case FILTER_GREATER_EQUAL: return order == VALUE_GREATER || equal;
    case FILTER_OR:
    case FILTER_AND:
    case FILTER_NOT:
    case FILTER_TEST: break;
    }
    UNREACHABLE("kind of a comparison");
}

static bool passes(struct walk *walk, const struct filter *filter, const struct value *node)
{
    switch (filter->kind) {
    case FILTER_OR: return passes(walk, filter->a, node) || passes(walk, filter->b, node);
    case FILTER_AND: return passes(walk, filter->a, node) && passes(walk, filter->b, node);
    case FILTER_NOT: return !passes(walk, filter->a, node);
    case FILTER_TEST: return test(walk, filter->left, node);
    case FILTER_EQUAL:
    case FILTER_UNEQUAL:
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL: return compare(walk, filter, node);
    }
    UNREACHABLE("kind of a filter");
}

/* Child number `i` of a container. */
static const struct value *child(const struct value *node, uint32_t i)
{
    return node->kind == VALUE_ARRAY ? &node->elements[i] : &node->members[i].value;
}

static uint32_t children(const struct value *node)
{
    return node->kind == VALUE_ARRAY || node->kind == VALUE_OBJECT ? node->len : 0;
}

/* All children, or those that pass the filter. */
static bool select_many(struct walk *walk, const struct jsonpath *path, uint32_t segment,
                        const struct filter *filter, const struct value *node, struct sink *sink)
{
    for (uint32_t i = 0; i < children(node); i++) {
        bool taken = filter == NULL || passes(walk, filter, child(node, i));

        if (walk->result != JSONPATH_OK) return false;
        if (taken && !run(walk, path, segment + 1, child(node, i), sink)) return false;
    }
    return true;
}

static int64_t clamp(int64_t at, int64_t low, int64_t high)
{
    if (at < low) return low;
    return at > high ? high : at;
}

/* RFC 9535 section 2.3.4.2.2. */
static bool select_slice(struct walk *walk, const struct jsonpath *path, uint32_t segment,
                         const struct selector *selector, const struct value *node,
                         struct sink *sink)
{
    int64_t len = node->len, step = selector->step;
    int64_t start = selector->has_start ? selector->start : step > 0 ? 0 : len - 1;
    int64_t end = selector->has_end ? selector->end : step > 0 ? len : -len - 1;

    if (step == 0) return true;
    if (start < 0) start += selector->has_start ? len : 0;
    if (end < 0) end += len;
    if (step > 0) {
        end = clamp(end, 0, len);
        for (int64_t i = clamp(start, 0, len); i < end; i += step) {
            if (!run(walk, path, segment + 1, &node->elements[i], sink)) return false;
        }
    } else {
        end = clamp(end, -1, len - 1);
        for (int64_t i = clamp(start, -1, len - 1); i > end; i += step) {
            if (!run(walk, path, segment + 1, &node->elements[i], sink)) return false;
        }
    }
    return true;
}

static bool select_nodes(struct walk *walk, const struct jsonpath *path, uint32_t segment,
                         const struct selector *selector, const struct value *node,
                         struct sink *sink)
{
    const struct value *member;
    int64_t index = selector->start;

    switch (selector->kind) {
    case SELECT_NAME:
        member = value_get(node, selector->name.string, selector->name.len);
        return member == NULL || run(walk, path, segment + 1, member, sink);
    case SELECT_INDEX:
        if (node->kind != VALUE_ARRAY) return true;
        if (index < 0) index += node->len;
        if (index < 0 || index >= node->len) return true;
        return run(walk, path, segment + 1, &node->elements[index], sink);
    case SELECT_ALL: return select_many(walk, path, segment, NULL, node, sink);
    case SELECT_FILTER: return select_many(walk, path, segment, selector->filter, node, sink);
    case SELECT_SLICE:
        return node->kind != VALUE_ARRAY || select_slice(walk, path, segment, selector, node, sink);
    }
    UNREACHABLE("kind of a selector");
}

static bool run_segment(struct walk *walk, const struct jsonpath *path, uint32_t number,
                        const struct value *node, struct sink *sink)
{
    const struct segment *segment = &path->segments[number];

    if (++walk->work > JSONPATH_WORK_MAX) {
        walk->result = JSONPATH_WORK;
        return false;
    }
    for (uint32_t i = 0; i < segment->count; i++) {
        if (!select_nodes(walk, path, number, &segment->selectors[i], node, sink)) return false;
    }
    if (!segment->descendant) return true;
    for (uint32_t i = 0; i < children(node); i++) {
        if (!run_segment(walk, path, number, child(node, i), sink)) return false;
    }
    return true;
}

static bool run(struct walk *walk, const struct jsonpath *path, uint32_t segment,
                const struct value *node, struct sink *sink)
{
    if (segment == path->count) return found(walk, node, sink);
    return run_segment(walk, path, segment, node, sink);
}

enum jsonpath_result jsonpath_eval(const struct jsonpath *path, const struct value *root,
                                   struct scratch *scratch, struct value *ret_array)
{
    struct walk walk = {.root = root, .scratch = scratch};
    struct sink sink = {.keep = true};
    struct scratch before = *scratch;
    struct value *elements;
    bool fits;

    (void)run(&walk, path, 0, root, &sink);
    if (walk.result == JSONPATH_OK) {
        elements = scratch_alloc(scratch, sink.count * sizeof(*elements));
        if (elements == NULL) walk.result = JSONPATH_FULL;
        for (uint64_t i = 0; elements != NULL && i < sink.count; i++) {
            const struct value *newest = (const struct value *)(void *)scratch->top;

            elements[i] = newest[sink.count - 1 - i];
        }
        scratch->top = before.top;
        if (walk.result == JSONPATH_OK) {
            fits = value_array(elements, sink.count, ret_array);
            if (!fits) walk.result = JSONPATH_WORK; /* The root itself, at its deepest. */
        }
    }
    scratch->top = before.top;
    return walk.result;
}
