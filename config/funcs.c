#include "config/funcs.h"

#include <string.h>

#define KIND(kind) EXPR_KIND(VALUE_##kind)
#define NUMBER     EXPR_KIND_NUMBER
#define ANY        EXPR_KIND_ANY

/* By name. Those without `eval` are operators of their own (collect, if, json_path) or become
 * constants when they are compiled (env). */
static const struct expr_function functions[] = {
    {"collect", 2, 3, 0, ANY, NULL, NULL},
    {"counter", 1, 1, 0, KIND(INT), func_prepare_counter, func_counter},
    {"encode", 2, 2, FUNCTION_PURE, KIND(STRING), func_prepare_encode, func_encode},
    {"end_pad", 3, 3, FUNCTION_PURE, KIND(STRING), NULL, func_end_pad},
    {"entries", 1, 1, FUNCTION_PURE, ANY, NULL, func_entries},
    {"env", 1, 1, 0, KIND(STRING), func_prepare_env, NULL},
    {"epoch", 1, 1, FUNCTION_WALL, KIND(STRING), func_prepare_epoch, func_epoch},
    {"hash", 2, 2, FUNCTION_PURE, KIND(STRING), func_prepare_hash, func_hash},
    {"hmac", 3, 3, FUNCTION_PURE, KIND(STRING), func_prepare_hmac, func_hmac},
    {"if", 3, 3, 0, ANY, NULL, NULL},
    {"join", 2, 3, FUNCTION_PURE, KIND(STRING), NULL, func_join},
    {"json_path", 1, 1, 0, KIND(ARRAY), NULL, NULL},
    {"keys", 1, 1, FUNCTION_PURE, KIND(ARRAY) | KIND(NULL), NULL, func_keys},
    {"length", 1, 1, FUNCTION_PURE, KIND(INT) | KIND(NULL), NULL, func_length},
    {"lower", 1, 1, FUNCTION_PURE, KIND(STRING), NULL, func_lower},
    {"match", 2, 2, FUNCTION_PURE, KIND(OBJECT) | KIND(NULL), func_prepare_match, func_match},
    {"max", 0, EXPR_ARGS_MAX, FUNCTION_PURE, NUMBER | KIND(NULL), NULL, func_max},
    {"min", 0, EXPR_ARGS_MAX, FUNCTION_PURE, NUMBER | KIND(NULL), NULL, func_min},
    {"now", 0, 1, FUNCTION_WALL, KIND(STRING), func_prepare_now, func_now},
    {"parseFloat", 1, 1, FUNCTION_PURE, KIND(DOUBLE) | KIND(NULL), NULL, func_parse_float},
    {"parseInt", 1, 1, FUNCTION_PURE, KIND(INT) | KIND(NULL), NULL, func_parse_int},
    {"random", 2, 2, FUNCTION_RANDOM, NUMBER | KIND(NULL), func_prepare_random, func_random},
    {"range", 2, 2, FUNCTION_PURE, KIND(ARRAY) | KIND(NULL), NULL, func_range},
    {"repeat", 1, 2, 0, KIND(ARRAY) | KIND(NULL), func_prepare_repeat, func_repeat},
    {"replace", 3, 3, FUNCTION_PURE, ANY, NULL, func_replace},
    {"split", 2, 2, FUNCTION_PURE, KIND(ARRAY), NULL, func_split},
    {"start_pad", 3, 3, FUNCTION_PURE, KIND(STRING), NULL, func_start_pad},
    {"substr", 2, 3, FUNCTION_PURE, KIND(STRING) | KIND(NULL), NULL, func_substr},
    {"trim", 1, 1, FUNCTION_PURE, KIND(STRING), NULL, func_trim},
    {"upper", 1, 1, FUNCTION_PURE, KIND(STRING), NULL, func_upper},
    {"uuid", 0, 0, FUNCTION_RANDOM, KIND(STRING), NULL, func_uuid},
    {"values", 1, 1, FUNCTION_PURE, KIND(ARRAY) | KIND(NULL), NULL, func_values},
    {"worker", 0, 0, 0, KIND(INT), NULL, func_worker},
};

const struct expr_function *expr_function_find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(functions); i++) {
        if (strlen(functions[i].name) == len && memcmp(functions[i].name, name, len) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

const char *expr_function_name(size_t i)
{
    return i < COUNT(functions) ? functions[i].name : NULL;
}
