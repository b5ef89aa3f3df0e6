/* Functions that look outside: at the clock, the environment, the worker. The clock's reading is
 * the environment's (env->wall_ns), so that all of a request sees the same. */
#include <stdio.h>
#include <string.h>

#include "config/funcs.h"
#include "core/base/check.h"
#include "core/base/quote.h"

static enum expr_error keep(struct expr_env *env, const struct expr *call, const struct buf *buf,
                            struct value *ret_value)
{
    if (!scratch_close(env->scratch, buf)) return expr_fail(env, call, EXPR_FULL);
    *ret_value = value_string(buf->data, buf->len);
    return EXPR_OK;
}

static const struct {
    const char *name;
    uint64_t ns;
} epoch_units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"mu", NS_PER_US}, {"ns", 1}};

FUNC_PREPARE(epoch)
{
    const struct value *unit = expr_constant_text(compiler, call->args[0]);

    if (unit == NULL) return false;
    for (size_t i = 0; i < COUNT(epoch_units); i++) {
        struct value known = value_str(epoch_units[i].name);

        if (value_equal(&known, unit)) {
            call->data = &epoch_units[i].ns;
            return true;
        }
    }
    expr_wrong(compiler, call->args[0]->offset, 1,
               "epoch() knows the units \"s\", \"ms\", \"mu\", \"ns\"");
    return false;
}

static void write_int(uint64_t number, struct buf *buf)
{
    struct value value = value_int((int64_t)number);

    value_write(&value, buf);
}

FUNC_EVAL(epoch)
{
    const uint64_t *unit_ns = call->data;
    struct buf buf = scratch_open(env->scratch);

    (void)args;
    write_int(env->wall_ns / *unit_ns, &buf);
    return keep(env, call, &buf, ret_value);
}

/* A moment in UTC, of the proleptic Gregorian calendar. */
struct moment {
    uint64_t epoch_ns;
    uint32_t year, month, day; /* From 1. */
    uint32_t weekday;          /* From 0, Sunday. */
    uint32_t year_day;         /* From 1. */
    uint32_t hour, minute, second;
};

/* Days are counted in years that begin in March, so that the leap day comes last: a year's month m
 * (0 is March) begins after (153 m + 2) / 5 days, and 400 years have 146,097 days. */
static void moment_of(uint64_t epoch_ns, struct moment *moment)
{
    uint64_t seconds = epoch_ns / NS_PER_S, days = seconds / 86400;
    uint64_t march_days = days + 719468; /* From 0000-03-01 to 1970-01-01. */
    uint64_t era = march_days / 146097, day = march_days % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t year_day = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * year_day + 2) / 153;
    bool leap;

    moment->epoch_ns = epoch_ns;
    moment->day = (uint32_t)(year_day - (153 * month + 2) / 5 + 1);
    moment->month = (uint32_t)(month < 10 ? month + 3 : month - 9);
    moment->year = (uint32_t)(year + era * 400 + (month >= 10));
    leap = moment->year % 4 == 0 && (moment->year % 100 != 0 || moment->year % 400 == 0);
    moment->year_day = (uint32_t)(month >= 10 ? year_day - 305 : year_day + 60 + leap);
    moment->weekday = (uint32_t)((days + 4) % 7);
    moment->hour = (uint32_t)(seconds / 3600 % 24);
    moment->minute = (uint32_t)(seconds / 60 % 60);
    moment->second = (uint32_t)(seconds % 60);
}

static void write_digits(uint64_t number, int digits, struct buf *buf)
{
    char *at = buf_take(buf, (size_t)digits);

    for (int i = digits - 1; i >= 0 && at != NULL; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

static void write_name(const char *names, uint32_t number, struct buf *buf)
{
    buf_add(buf, names + 3 * (size_t)number, 3);
}

static void write_format(const char *format, size_t len, const struct moment *moment,
                         struct buf *buf);

#define FIELDS "YmdHMSLNjabseTFzZ%"

static void write_field(char field, const struct moment *moment, struct buf *buf)
{
    switch (field) {
    case 'Y': write_digits(moment->year, 4, buf); return;
    case 'm': write_digits(moment->month, 2, buf); return;
    case 'd': write_digits(moment->day, 2, buf); return;
    case 'H': write_digits(moment->hour, 2, buf); return;
    case 'M': write_digits(moment->minute, 2, buf); return;
    case 'S': write_digits(moment->second, 2, buf); return;
    case 'L': write_digits(moment->epoch_ns / NS_PER_MS % 1000, 3, buf); return;
    case 'N': write_digits(moment->epoch_ns % NS_PER_S, 9, buf); return;
    case 'j': write_digits(moment->year_day, 3, buf); return;
    case 'a': write_name("SunMonTueWedThuFriSat", moment->weekday, buf); return;
    case 'b': write_name("JanFebMarAprMayJunJulAugSepOctNovDec", moment->month - 1, buf); return;
    case 's': write_int(moment->epoch_ns / NS_PER_S, buf); return;
    case 'e': write_int(moment->day, buf); return;
    case 'T': write_format("%H:%M:%S", 8, moment, buf); return;
    case 'F': write_format("%Y-%m-%d", 8, moment, buf); return;
    case 'z': buf_add(buf, "+0000", 5); return;
    case 'Z': buf_add(buf, "UTC", 3); return;
    case '%': buf_add_char(buf, '%'); return;
    default: UNREACHABLE("field of a time format");
    }
}

static void write_format(const char *format, size_t len, const struct moment *moment,
                         struct buf *buf)
{
    for (size_t i = 0; i < len && !buf->full; i++) {
        if (format[i] == '%') {
            write_field(format[++i], moment, buf);
        } else {
            buf_add_char(buf, format[i]);
        }
    }
}

FUNC_PREPARE(now)
{
    static const char rfc3339[] = "%FT%T.%LZ";
    const struct value *format;
    struct value *data = arena_alloc(compiler->unit->arena, sizeof(*data), _Alignof(struct value));

    if (data == NULL) {
        expr_no_memory(compiler);
        return false;
    }
    *data = value_str(rfc3339);
    call->data = data;
    if (call->args_count == 0) return true;
    format = expr_constant_text(compiler, call->args[0]);
    if (format == NULL) return false;
    *data = *format;
    for (uint32_t i = 0; i < format->len; i++) {
        if (format->string[i] != '%') continue;
        if (++i == format->len || format->string[i] == '\0' ||
            strchr(FIELDS, format->string[i]) == NULL) {
            expr_wrong(compiler, call->args[0]->offset, 1,
                       "a '%%' in the format of now() is followed by one of %s", FIELDS);
            return false;
        }
    }
    return true;
}

FUNC_EVAL(now)
{
    const struct value *format = call->data;
    struct buf buf = scratch_open(env->scratch);
    struct moment moment;

    (void)args;
    moment_of(env->wall_ns, &moment);
    write_format(format->string, format->len, &moment, &buf);
    return keep(env, call, &buf, ret_value);
}

/* Version 4, of the variant of RFC 9562 section 5.4. */
FUNC_EVAL(uuid)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t halves[2] = {rng_next(env->rng), rng_next(env->rng)};
    char *text = scratch_alloc(env->scratch, 36), *at = text;

    (void)args;
    if (text == NULL) return expr_fail(env, call, EXPR_FULL);
    halves[0] = (halves[0] & ~UINT64_C(0xf000)) | 0x4000;
    halves[1] = (halves[1] & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) *at++ = '-';
        *at++ = hex[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    }
    *ret_value = value_string(text, 36);
    return EXPR_OK;
}

FUNC_EVAL(worker)
{
    (void)call;
    (void)args;
    *ret_value = value_int(env->worker);
    return EXPR_OK;
}

FUNC_PREPARE(counter)
{
    const struct value *name = expr_constant_text(compiler, call->args[0]);
    const struct expr_scope *scope = compiler->unit->scope;
    uint32_t *index;

    if (name == NULL) return false;
    index = arena_alloc(compiler->unit->arena, sizeof(*index), _Alignof(uint32_t));
    if (index == NULL) {
        expr_no_memory(compiler);
        return false;
    }
    if (scope->counter == NULL) {
        expr_wrong(compiler, call->offset, 7, "counter() cannot stand here");
        return false;
    }
    if (!scope->counter(scope->context, name->string, name->len, index)) {
        expr_wrong(compiler, call->offset, 7, "there are too many counters");
        return false;
    }
    call->data = index;
    compiler->unit->needs->counters = true;
    return true;
}

FUNC_EVAL(counter)
{
    const uint32_t *index = call->data;
    int64_t *counter = &env->counters[*index];

    (void)args;
    *ret_value = value_int(*counter);
    *counter += env->counter_step;
    return EXPR_OK;
}

/* env() becomes a constant. */
FUNC_PREPARE(env)
{
    const struct value *name = expr_constant_text(compiler, call->args[0]);
    const struct expr_scope *scope = compiler->unit->scope;
    const char *found, *copy;
    char *terminated;

    if (name == NULL) return false;
    if (scope->environment == NULL) {
        expr_wrong(compiler, call->offset, 3, "env() cannot stand here");
        return false;
    }
    terminated = arena_copy(compiler->unit->arena, name->string, name->len);
    found = terminated == NULL ? NULL : scope->environment(scope->context, terminated);
    if (terminated != NULL && found == NULL) {
        expr_wrong(compiler, call->args[0]->offset, 1, "the environment has no variable '%s'",
                   quote(terminated).text);
        return false;
    }
    copy = found == NULL ? NULL : arena_copy(compiler->unit->arena, found, strlen(found));
    if (copy == NULL) {
        expr_no_memory(compiler);
        return false;
    }
    call->op = OP_CONSTANT;
    call->kinds = EXPR_KIND(VALUE_STRING);
    call->constant = value_str(copy);
    return true;
}
