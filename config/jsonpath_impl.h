/* jsonpath_impl: a compiled query. Private to jsonpath_*.c. */
#ifndef CONFIG_JSONPATH_IMPL_H
#define CONFIG_JSONPATH_IMPL_H

#include "config/jsonpath.h"
#include "config/regex.h"

enum {
    JSONPATH_SEGMENTS_MAX = 64,
    JSONPATH_SELECTORS_MAX = 64, /* Of one segment. */
    JSONPATH_NESTING_MAX = 16,   /* Parentheses and filters inside one another. */
};

enum selector_kind { SELECT_NAME, SELECT_ALL, SELECT_INDEX, SELECT_SLICE, SELECT_FILTER };

struct selector {
    enum selector_kind kind;
    struct value name;
    int64_t start, end, step; /* INDEX: start only. */
    bool has_start, has_end;
    const struct filter *filter;
};

struct segment {
    bool descendant;
    const struct selector *selectors;
    uint32_t count;
};

struct jsonpath {
    const struct segment *segments;
    uint32_t count;
    bool singular; /* Finds one node at most: names and indices only. */
};

/* What can be compared, or asked for truth. */
enum operand_kind {
    OPERAND_VALUE, /* A literal. */
    OPERAND_QUERY, /* From the present node, or from the root. */
    OPERAND_LENGTH,
    OPERAND_COUNT,
    OPERAND_VALUE_OF, /* value() */
    OPERAND_MATCH,    /* match() and search(): truth, no value. */
};

struct operand {
    enum operand_kind kind;
    struct value value;
    bool from_root;
    const struct jsonpath *query;
    const struct operand *arg; /* Of functions. */
    const struct regex *regex;
};

enum filter_kind {
    FILTER_OR,
    FILTER_AND,
    FILTER_NOT,
    FILTER_TEST, /* left: is there something, or is it true. */
    FILTER_EQUAL,
    FILTER_UNEQUAL,
    FILTER_LESS,
    FILTER_LESS_EQUAL,
    FILTER_GREATER,
    FILTER_GREATER_EQUAL,
};

struct filter {
    enum filter_kind kind;
    const struct filter *a, *b;         /* OR, AND; NOT: a only. */
    const struct operand *left, *right; /* All others; TEST: left only. */
};

/* Parsing, in two files. */
struct jsonpath_parser {
    struct arena *arena;
    const char *text;
    size_t len, at;
    uint32_t nesting;
    struct jsonpath_error *error;
    bool failed;
};

/* Says what is wrong at the present place, once; returns false. */
bool jsonpath_wrong(struct jsonpath_parser *parser, const char *what);
void *jsonpath_alloc(struct jsonpath_parser *parser, size_t size);
void jsonpath_skip_blank(struct jsonpath_parser *parser);
/* The byte `ahead` of the present place, 0 behind the end. */
char jsonpath_peek(const struct jsonpath_parser *parser, size_t ahead);
/* Takes `text` if it stands here. */
bool jsonpath_take(struct jsonpath_parser *parser, const char *text);
/* A string in quotes. */
bool jsonpath_string(struct jsonpath_parser *parser, struct value *ret_value);
/* Segments as far as they go. NULL when they are wrong. */
const struct jsonpath *jsonpath_segments(struct jsonpath_parser *parser);
/* What follows "?". NULL when it is wrong. */
const struct filter *jsonpath_filter(struct jsonpath_parser *parser);

#endif
