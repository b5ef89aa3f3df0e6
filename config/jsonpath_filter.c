/* Filters (RFC 9535 sections 2.3.5 and 2.4), which are checked for their types as they are parsed:
 * only single values can be compared, only truth can be tested. */
#include <stdio.h>
#include <string.h>

#include "config/json_scan.h"
#include "config/jsonpath_impl.h"

static const struct filter *parse_or(struct jsonpath_parser *parser);

/* Operands that have a value. */
static bool has_value(const struct operand *operand)
{
    return operand->kind != OPERAND_MATCH &&
           (operand->kind != OPERAND_QUERY || operand->query->singular);
}

static bool parse_query(struct jsonpath_parser *parser, struct operand *operand)
{
    operand->kind = OPERAND_QUERY;
    operand->from_root = parser->text[parser->at++] == '$';
    operand->query = jsonpath_segments(parser);
    return operand->query != NULL;
}

static const struct {
    const char *name; /* With its parenthesis. */
    enum operand_kind kind;
    bool whole;
} functions[] = {
    {"length(", OPERAND_LENGTH, false},  {"count(", OPERAND_COUNT, false},
    {"value(", OPERAND_VALUE_OF, false}, {"match(", OPERAND_MATCH, true},
    {"search(", OPERAND_MATCH, false},
};

/* Writes an I-Regexp (RFC 9485) as PCRE2 reads it: '.' is no line end, '^' and '$' are themselves.
 */
static size_t write_iregexp(const struct value *pattern, char *to)
{
    bool in_class = false;
    size_t len = 0;

    for (uint32_t i = 0; i < pattern->len; i++) {
        char c = pattern->string[i];

        if (c == '\\' && i + 1 < pattern->len) {
            to[len++] = c;
            c = pattern->string[++i];
        } else if (!in_class && c == '.') {
            memcpy(to + len, "[^\n\r]", 5);
            len += 5;
            continue;
        } else if (!in_class && (c == '^' || c == '$')) {
            to[len++] = '\\';
        } else if (c == '[' || c == ']') {
            in_class = c == '[';
        }
        to[len++] = c;
    }
    return len;
}

static bool compile_regex(struct jsonpath_parser *parser, const struct value *pattern, bool whole,
                          struct operand *operand)
{
    struct regex_error error;
    char *text = jsonpath_alloc(parser, pattern->len * (size_t)5 + 1);

    if (text == NULL) return false;
    operand->regex =
        regex_compile(parser->arena, text, write_iregexp(pattern, text), whole, &error);
    if (operand->regex == NULL) {
        char message[sizeof(parser->error->message)];

        (void)snprintf(message, sizeof(message), "the regular expression is wrong: %.90s",
                       error.message);
        return jsonpath_wrong(parser, message);
    }
    return true;
}

static const struct operand *parse_operand(struct jsonpath_parser *parser);

static bool parse_pattern(struct jsonpath_parser *parser, bool whole, struct operand *operand)
{
    struct value pattern;

    jsonpath_skip_blank(parser);
    if (!jsonpath_take(parser, ",")) return jsonpath_wrong(parser, "a ',' is missing");
    jsonpath_skip_blank(parser);
    if (jsonpath_peek(parser, 0) != '"' && jsonpath_peek(parser, 0) != '\'') {
        return jsonpath_wrong(parser, "the pattern must be a string in quotes");
    }
    return jsonpath_string(parser, &pattern) && compile_regex(parser, &pattern, whole, operand);
}

/* After "name(". */
static bool parse_function(struct jsonpath_parser *parser, size_t function, struct operand *operand)
{
    bool wants_nodes =
        functions[function].kind == OPERAND_COUNT || functions[function].kind == OPERAND_VALUE_OF;

    operand->kind = functions[function].kind;
    jsonpath_skip_blank(parser);
    operand->arg = parse_operand(parser);
    if (operand->arg == NULL) return false;
    if (wants_nodes ? operand->arg->kind != OPERAND_QUERY : !has_value(operand->arg)) {
        return jsonpath_wrong(parser, wants_nodes ? "this function takes a query"
                                                  : "this function takes a single value");
    }
    if (operand->kind == OPERAND_MATCH &&
        !parse_pattern(parser, functions[function].whole, operand)) {
        return false;
    }
    jsonpath_skip_blank(parser);
    return jsonpath_take(parser, ")") || jsonpath_wrong(parser, "a ')' is missing");
}

static bool parse_literal(struct jsonpath_parser *parser, struct operand *operand)
{
    char c = jsonpath_peek(parser, 0);
    size_t len;

    operand->kind = OPERAND_VALUE;
    if (c == '"' || c == '\'') return jsonpath_string(parser, &operand->value);
    if (jsonpath_take(parser, "true")) {
        operand->value = value_bool(true);
    } else if (jsonpath_take(parser, "false")) {
        operand->value = value_bool(false);
    } else if (!jsonpath_take(parser, "null")) {
        len = json_number_len(parser->text + parser->at, parser->len - parser->at);
        if (len == 0) return jsonpath_wrong(parser, "a value is missing or wrong");
        operand->value = json_number(parser->text + parser->at, len);
        parser->at += len;
    }
    return true;
}

static const struct operand *parse_operand(struct jsonpath_parser *parser)
{
    struct operand *operand = jsonpath_alloc(parser, sizeof(*operand));
    char c = jsonpath_peek(parser, 0);
    bool good = false, is_function = false;

    if (operand == NULL) return NULL;
    if (parser->nesting == JSONPATH_NESTING_MAX) {
        (void)jsonpath_wrong(parser, "too many levels");
        return NULL;
    }
    *operand = (struct operand){.kind = OPERAND_VALUE};
    parser->nesting++;
    if (c == '@' || c == '$') {
        is_function = true;
        good = parse_query(parser, operand);
    }
    for (size_t i = 0; i < COUNT(functions) && !is_function; i++) {
        if (!jsonpath_take(parser, functions[i].name)) continue;
        is_function = true;
        good = parse_function(parser, i, operand);
    }
    if (!is_function) good = parse_literal(parser, operand);
    parser->nesting--;
    return good ? operand : NULL;
}

static struct filter *new_filter(struct jsonpath_parser *parser, enum filter_kind kind)
{
    struct filter *filter = jsonpath_alloc(parser, sizeof(*filter));

    if (filter != NULL) *filter = (struct filter){.kind = kind};
    return filter;
}

static const struct {
    const char *sign;
    enum filter_kind kind;
} comparisons[] = {
    {"==", FILTER_EQUAL},         {"!=", FILTER_UNEQUAL}, {"<=", FILTER_LESS_EQUAL},
    {">=", FILTER_GREATER_EQUAL}, {"<", FILTER_LESS},     {">", FILTER_GREATER},
};

/* A comparison, or something that is tested. */
static const struct filter *parse_comparison(struct jsonpath_parser *parser)
{
    const struct operand *left = parse_operand(parser);
    struct filter *filter = new_filter(parser, FILTER_TEST);
    size_t behind = parser->at;

    if (left == NULL || filter == NULL) return NULL;
    filter->left = left;
    jsonpath_skip_blank(parser);
    for (size_t i = 0; i < COUNT(comparisons); i++) {
        if (!jsonpath_take(parser, comparisons[i].sign)) continue;
        filter->kind = comparisons[i].kind;
        jsonpath_skip_blank(parser);
        filter->right = parse_operand(parser);
        if (filter->right == NULL) return NULL;
        if (!has_value(left) || !has_value(filter->right)) {
            (void)jsonpath_wrong(parser, "only single values can be compared");
            return NULL;
        }
        return filter;
    }
    parser->at = behind;
    if (left->kind != OPERAND_QUERY && left->kind != OPERAND_MATCH) {
        (void)jsonpath_wrong(parser, "a value must be compared");
        return NULL;
    }
    return filter;
}

/* "!" stands before parentheses and tests, not before comparisons. */
static const struct filter *parse_basic(struct jsonpath_parser *parser)
{
    bool negated = jsonpath_take(parser, "!");
    const struct filter *inner;
    struct filter *filter;

    if (negated) jsonpath_skip_blank(parser);
    if (jsonpath_take(parser, "(")) {
        jsonpath_skip_blank(parser);
        inner = parse_or(parser);
        if (inner == NULL) return NULL;
        jsonpath_skip_blank(parser);
        if (!jsonpath_take(parser, ")")) {
            (void)jsonpath_wrong(parser, "a ')' is missing");
            return NULL;
        }
    } else {
        inner = parse_comparison(parser);
        if (inner == NULL) return NULL;
        if (negated && inner->kind != FILTER_TEST) {
            (void)jsonpath_wrong(parser, "a comparison is negated in parentheses");
            return NULL;
        }
    }
    if (!negated) return inner;
    filter = new_filter(parser, FILTER_NOT);
    if (filter != NULL) filter->a = inner;
    return filter;
}

/* Takes the operator if it follows, after blanks. */
static bool take_operator(struct jsonpath_parser *parser, const char *sign)
{
    size_t behind = parser->at;

    jsonpath_skip_blank(parser);
    if (jsonpath_take(parser, sign)) {
        jsonpath_skip_blank(parser);
        return true;
    }
    parser->at = behind;
    return false;
}

static const struct filter *parse_and(struct jsonpath_parser *parser)
{
    const struct filter *left = parse_basic(parser);

    while (left != NULL && take_operator(parser, "&&")) {
        struct filter *filter = new_filter(parser, FILTER_AND);

        if (filter == NULL) return NULL;
        filter->a = left;
        filter->b = parse_basic(parser);
        left = filter->b == NULL ? NULL : filter;
    }
    return left;
}

static const struct filter *parse_or(struct jsonpath_parser *parser)
{
    const struct filter *left;

    if (parser->nesting == JSONPATH_NESTING_MAX) {
        (void)jsonpath_wrong(parser, "too many levels");
        return NULL;
    }
    parser->nesting++;
    left = parse_and(parser);
    while (left != NULL && take_operator(parser, "||")) {
        struct filter *filter = new_filter(parser, FILTER_OR);

        if (filter == NULL) return NULL;
        filter->a = left;
        filter->b = parse_and(parser);
        left = filter->b == NULL ? NULL : filter;
    }
    parser->nesting--;
    return left;
}

const struct filter *jsonpath_filter(struct jsonpath_parser *parser)
{
    return parse_or(parser);
}
