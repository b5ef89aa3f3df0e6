/* Functions on text. What is no string is taken as the text that it prints as. Lengths count
 * characters; cases and white space are those of ASCII. */
#include <string.h>

#include "config/funcs.h"
#include "config/regex.h"
#include "core/base/check.h"
#include "core/base/quote.h"

static bool begins_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Bytes of the first `chars` characters. */
static size_t chars_len(const struct value *text, size_t chars)
{
    size_t i = 0;

    for (; i < text->len; i++) {
        if (begins_char(text->string[i]) && chars-- == 0) break;
    }
    return i;
}

/* The arguments from `first` on as texts. */
static enum expr_error texts(struct expr_env *env, const struct expr *call,
                             const struct value *args, struct value *ret_texts)
{
    for (uint32_t i = 0; i < call->args_count; i++) {
        enum expr_error error = expr_text(env, call, &args[i], &ret_texts[i]);

        if (error != EXPR_OK) return error;
    }
    return EXPR_OK;
}

/* Keeps what was written as a string. */
static enum expr_error keep(struct expr_env *env, const struct expr *call, const struct buf *buf,
                            struct value *ret_value)
{
    if (!scratch_close(env->scratch, buf)) return expr_fail(env, call, EXPR_FULL);
    *ret_value = value_string(buf->data, buf->len);
    return EXPR_OK;
}

/* `pad` again and again, the last time only its beginning. */
static void write_pad(const struct value *pad, size_t chars, struct buf *buf)
{
    size_t pad_chars = value_chars(pad);

    for (; chars >= pad_chars && !buf->full; chars -= pad_chars) {
        buf_add(buf, pad->string, pad->len);
    }
    buf_add(buf, pad->string, chars_len(pad, chars));
}

static enum expr_error pad(struct expr_env *env, const struct expr *call, const struct value *args,
                           bool at_end, struct value *ret_value)
{
    struct value text[3] = {{0}};
    enum expr_error error = texts(env, call, args, text);
    size_t chars, missing = 0;
    struct buf buf;

    if (error != EXPR_OK) return error;
    chars = value_chars(&text[0]);
    if (args[1].kind == VALUE_INT && args[1].integer > (int64_t)chars && text[2].len > 0) {
        if (args[1].integer > EXPR_TEXT_MAX) return expr_fail(env, call, EXPR_TOO_LARGE);
        missing = (size_t)args[1].integer - chars;
    }
    if (missing == 0) {
        *ret_value = text[0];
        return EXPR_OK;
    }
    buf = scratch_open(env->scratch);
    if (!at_end) write_pad(&text[2], missing, &buf);
    buf_add(&buf, text[0].string, text[0].len);
    if (at_end) write_pad(&text[2], missing, &buf);
    return keep(env, call, &buf, ret_value);
}

FUNC_EVAL(end_pad)
{
    return pad(env, call, args, true, ret_value);
}

FUNC_EVAL(start_pad)
{
    return pad(env, call, args, false, ret_value);
}

FUNC_EVAL(join)
{
    struct value separators[2] = {{0}, {0}};
    bool is_object = args[0].kind == VALUE_OBJECT && call->args_count == 3;
    enum expr_error error = EXPR_OK;
    struct buf buf;

    for (uint32_t i = 1; i < call->args_count && error == EXPR_OK; i++) {
        error = expr_text(env, call, &args[i], &separators[i - 1]);
    }
    if (error != EXPR_OK) return error;
    if (!is_object && args[0].kind != VALUE_ARRAY) {
        return expr_text(env, call, &args[0], ret_value);
    }
    buf = scratch_open(env->scratch);
    for (uint32_t i = 0; i < args[0].len && !buf.full; i++) {
        if (i > 0) buf_add(&buf, separators[0].string, separators[0].len);
        if (is_object) {
            value_write(&args[0].members[i].key, &buf);
            buf_add(&buf, separators[1].string, separators[1].len);
            value_write(&args[0].members[i].value, &buf);
        } else {
            value_write(&args[0].elements[i], &buf);
        }
    }
    return keep(env, call, &buf, ret_value);
}

static enum expr_error change_case(struct expr_env *env, const struct expr *call,
                                   const struct value *arg, char first, struct value *ret_value)
{
    struct value text;
    enum expr_error error = expr_text(env, call, arg, &text);
    char *copy;

    if (error != EXPR_OK) return error;
    copy = scratch_alloc(env->scratch, text.len);
    if (copy == NULL) return expr_fail(env, call, EXPR_FULL);
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.string[i];

        copy[i] = c;
        if (c >= first && c <= first + 25) copy[i] = (char)(c ^ 0x20);
    }
    *ret_value = value_string(copy, text.len);
    return EXPR_OK;
}

FUNC_EVAL(lower)
{
    return change_case(env, call, args, 'A', ret_value);
}

FUNC_EVAL(upper)
{
    return change_case(env, call, args, 'a', ret_value);
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

FUNC_EVAL(trim)
{
    struct value text;
    enum expr_error error = expr_text(env, call, args, &text);
    size_t begin = 0, end;

    if (error != EXPR_OK) return error;
    end = text.len;
    while (begin < end && is_white(text.string[begin])) {
        begin++;
    }
    while (end > begin && is_white(text.string[end - 1])) {
        end--;
    }
    *ret_value = value_string(text.string + begin, end - begin);
    return EXPR_OK;
}

/* A place in `chars` characters; negative ones count from the end. */
static size_t place_of(int64_t place, size_t chars)
{
    if (place < 0) place = place < -(int64_t)chars ? 0 : place + (int64_t)chars;
    return place > (int64_t)chars ? chars : (size_t)place;
}

FUNC_EVAL(substr)
{
    struct value text;
    enum expr_error error = expr_text(env, call, args, &text);
    size_t chars, begin, count, from;

    if (error != EXPR_OK) return error;
    *ret_value = value_null();
    if (args[1].kind != VALUE_INT) return EXPR_OK;
    if (call->args_count == 3 && args[2].kind != VALUE_INT) return EXPR_OK;
    chars = value_chars(&text);
    begin = place_of(args[1].integer, chars);
    count = chars - begin;
    if (call->args_count == 3 && args[2].integer < (int64_t)count) {
        count = args[2].integer < 0 ? 0 : (size_t)args[2].integer;
    }
    from = chars_len(&text, begin);
    text = value_string(text.string + from, text.len - from);
    *ret_value = value_string(text.string, chars_len(&text, count));
    return EXPR_OK;
}

/* The next `needle` from `at` on, or NULL. */
static const char *find(const char *at, const char *end, const struct value *needle)
{
    return memmem(at, (size_t)(end - at), needle->string, needle->len);
}

/* The length of the next piece: up to the separator, or one character where that is empty. */
static size_t piece_len(const char *at, const char *end, const struct value *separator)
{
    struct value rest = value_string(at, (size_t)(end - at));
    const char *found;

    if (separator->len == 0) return chars_len(&rest, 1);
    found = find(at, end, separator);
    return found != NULL ? (size_t)(found - at) : rest.len;
}

FUNC_EVAL(split)
{
    struct value text[2] = {{0}};
    enum expr_error error = texts(env, call, args, text);
    const char *at, *end;
    struct value *pieces;
    size_t count = 0;

    if (error != EXPR_OK) return error;
    at = text[0].string;
    end = at + text[0].len;
    pieces = (struct value *)(void *)env->scratch->at;
    for (;;) {
        size_t len = piece_len(at, end, &text[1]);
        struct value *piece;

        if (text[1].len == 0 && at == end) break;
        piece = scratch_alloc(env->scratch, sizeof(*piece)); /* Just behind the last one. */
        if (piece == NULL) return expr_fail(env, call, EXPR_FULL);
        *piece = value_string(at, len);
        count++;
        at += len;
        if (at == end) {
            break;
        }
        at += text[1].len;
    }
    if (!value_array(pieces, count, ret_value)) return expr_fail(env, call, EXPR_TOO_LARGE);
    return EXPR_OK;
}

/* What replace() looks for and puts in its place. */
struct replacing {
    struct expr_env *env;
    const struct expr *call;
    struct value needle, with;
};

static enum expr_error replace_text(const struct replacing *replacing, const struct value *text,
                                    struct value *ret_value)
{
    const char *at = text->string, *end = at + text->len;
    const char *found = find(at, end, &replacing->needle);
    struct buf buf;

    if (found == NULL) {
        *ret_value = *text;
        return EXPR_OK;
    }
    buf = scratch_open(replacing->env->scratch);
    for (; found != NULL && !buf.full; found = find(at, end, &replacing->needle)) {
        buf_add(&buf, at, (size_t)(found - at));
        buf_add(&buf, replacing->with.string, replacing->with.len);
        at = found + replacing->needle.len;
    }
    buf_add(&buf, at, (size_t)(end - at));
    return keep(replacing->env, replacing->call, &buf, ret_value);
}

/* A key may have become one that is there already: the later one counts. */
static uint32_t add_member(struct value_member *members, uint32_t count, const struct value *key,
                           const struct value *value, bool may_be_there)
{
    for (uint32_t i = 0; may_be_there && i < count; i++) {
        if (value_equal(&members[i].key, key)) {
            members[i].value = *value;
            return count;
        }
    }
    members[count] = (struct value_member){.key = *key, .value = *value};
    return count + 1;
}

static enum expr_error replace_all(const struct replacing *replacing, const struct value *value,
                                   struct value *ret_value);

static enum expr_error replace_object(const struct replacing *replacing, const struct value *object,
                                      struct value *ret_value)
{
    struct value_member *members =
        scratch_alloc(replacing->env->scratch, object->len * sizeof(*members));
    bool changed = false;
    uint32_t count = 0;

    if (members == NULL) return expr_fail(replacing->env, replacing->call, EXPR_FULL);
    for (uint32_t i = 0; i < object->len; i++) {
        const struct value_member *member = &object->members[i];
        struct value key = value_null(), value = value_null();
        enum expr_error error = replace_text(replacing, &member->key, &key);

        if (error == EXPR_OK) error = replace_all(replacing, &member->value, &value);
        if (error != EXPR_OK) return error;
        changed |= key.string != member->key.string;
        count = add_member(members, count, &key, &value, changed);
    }
    return value_object(members, count, ret_value)
               ? EXPR_OK
               : expr_fail(replacing->env, replacing->call, EXPR_TOO_LARGE);
}

static enum expr_error replace_array(const struct replacing *replacing, const struct value *array,
                                     struct value *ret_value)
{
    struct value *elements = scratch_alloc(replacing->env->scratch, array->len * sizeof(*elements));

    if (elements == NULL) return expr_fail(replacing->env, replacing->call, EXPR_FULL);
    for (uint32_t i = 0; i < array->len; i++) {
        enum expr_error error = replace_all(replacing, &array->elements[i], &elements[i]);

        if (error != EXPR_OK) return error;
    }
    return value_array(elements, array->len, ret_value)
               ? EXPR_OK
               : expr_fail(replacing->env, replacing->call, EXPR_TOO_LARGE);
}

static enum expr_error replace_all(const struct replacing *replacing, const struct value *value,
                                   struct value *ret_value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_STRING: return replace_text(replacing, value, ret_value);
    case VALUE_ARRAY: return replace_array(replacing, value, ret_value);
    case VALUE_OBJECT: return replace_object(replacing, value, ret_value);
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_DOUBLE: *ret_value = *value; return EXPR_OK;
    }
    UNREACHABLE("kind of a value");
}

FUNC_EVAL(replace)
{
    struct replacing replacing = {.env = env, .call = call};
    enum expr_error error = expr_text(env, call, &args[0], &replacing.needle);

    if (error == EXPR_OK) error = expr_text(env, call, &args[2], &replacing.with);
    if (error != EXPR_OK) return error;
    if (replacing.needle.len == 0) {
        *ret_value = args[1]; /* Nothing is nowhere. */
        return EXPR_OK;
    }
    return replace_all(&replacing, &args[1], ret_value);
}

FUNC_PREPARE(match)
{
    const struct value *pattern = expr_constant_text(compiler, call->args[1]);
    struct regex_error error;

    if (pattern == NULL) return false;
    call->data = regex_compile(compiler->unit->arena, pattern->string, pattern->len, false, &error);
    if (call->data == NULL) {
        expr_wrong(compiler, call->args[1]->offset, 1,
                   "the regular expression '%s' is wrong at byte %zu: %s",
                   quote_len(pattern->string, pattern->len).text, error.offset, error.message);
    }
    return call->data != NULL;
}

FUNC_EVAL(match)
{
    struct value text;
    enum expr_error error = expr_text(env, call, &args[0], &text);

    if (error != EXPR_OK) return error;
    switch (regex_match(call->data, text.string, text.len, env->scratch, ret_value)) {
    case REGEX_FOUND: return EXPR_OK;
    case REGEX_NONE: *ret_value = value_null(); return EXPR_OK;
    case REGEX_LIMIT: return expr_fail(env, call, EXPR_REGEX_LIMIT);
    case REGEX_FULL: return expr_fail(env, call, EXPR_FULL);
    }
    UNREACHABLE("result of a match");
}
