/* funcs: the functions of expressions, a row each in funcs.c, their bodies by what they work on.
 * Private to config/. */
#ifndef CONFIG_FUNCS_H
#define CONFIG_FUNCS_H

#include "config/expr_compile.h"

#define FUNC_PREPARE(name) \
    bool func_prepare_##name(struct expr_compiler *compiler, struct expr *call)
#define FUNC_EVAL(name)                                                        \
    enum expr_error func_##name(struct expr_env *env, const struct expr *call, \
                                const struct value *args, struct value *ret_value)

/* Text (funcs_text.c). */
FUNC_EVAL(end_pad);
FUNC_EVAL(start_pad);
FUNC_EVAL(join);
FUNC_EVAL(lower);
FUNC_EVAL(upper);
FUNC_EVAL(trim);
FUNC_EVAL(substr);
FUNC_EVAL(split);
FUNC_EVAL(replace);
FUNC_EVAL(match);
FUNC_PREPARE(match);

/* Encodings (funcs_encode.c). */
FUNC_EVAL(encode);
FUNC_PREPARE(encode);
FUNC_EVAL(hash);
FUNC_PREPARE(hash);
FUNC_EVAL(hmac);
FUNC_PREPARE(hmac);

/* Numbers and containers (funcs_value.c). */
FUNC_EVAL(entries);
FUNC_EVAL(keys);
FUNC_EVAL(values);
FUNC_EVAL(length);
FUNC_EVAL(max);
FUNC_EVAL(min);
FUNC_EVAL(parse_int);
FUNC_EVAL(parse_float);
FUNC_EVAL(random);
FUNC_PREPARE(random);
FUNC_EVAL(range);
FUNC_EVAL(repeat);
FUNC_PREPARE(repeat);

/* The world around the expression (funcs_world.c). */
FUNC_EVAL(epoch);
FUNC_PREPARE(epoch);
FUNC_EVAL(now);
FUNC_PREPARE(now);
FUNC_EVAL(uuid);
FUNC_EVAL(worker);
FUNC_EVAL(counter);
FUNC_PREPARE(counter);
FUNC_PREPARE(env);

#endif
