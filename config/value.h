/* value: immutable JSON values.
 *
 * A value is 16 bytes and borrows what it points to: the bytes of a string, the elements of an
 * array, the members of an object. Those lie in a scratch, an arena or a block made by
 * value_pack(), and live as long as that; copying the 16 bytes is always right.
 *
 * Whole numbers that fit into 64 bits are kept apart from doubles; a double is always finite.
 * Strings are UTF-8 without a terminator. Objects keep the order of their members and hold no key
 * twice. No value is deeper than VALUE_DEPTH_MAX, so recursion over one is safe.
 *
 * Threads: any; nothing is ever changed. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "core/base/buf.h"
#include "core/base/defs.h"
#include "core/base/scratch.h"

enum value_kind {
    VALUE_NULL, /* A zeroed value. */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
};

#define VALUE_INT_END 9223372036854775808.0 /* The first double above all whole numbers. */

enum {
    VALUE_DEPTH_MAX = 128,   /* Containers inside one another; a scalar has depth 0. */
    VALUE_NUMBER_BYTES = 32, /* No number is longer as text. */
    VALUE_STRING_MAX = 1 << 30,
};

struct value {
    uint8_t kind;  /* enum value_kind */
    uint8_t depth; /* 1 + the deepest element's, of containers; else 0. */
    uint32_t len;  /* Bytes, elements or members. */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;
        const struct value *elements;
        const struct value_member *members;
    };
};
_Static_assert(sizeof(struct value) == 16, "two words");

struct value_member {
    struct value key; /* A string. */
    struct value value;
};

static inline struct value value_null(void)
{
    return (struct value){0};
}

static inline struct value value_bool(bool boolean)
{
    return (struct value){.kind = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_INT, .integer = integer};
}

/* NaN and infinities become null. */
static inline struct value value_double(double real)
{
    if (!__builtin_isfinite(real)) return value_null();
    return (struct value){.kind = VALUE_DOUBLE, .real = real};
}

/* Borrows `len` (at most VALUE_STRING_MAX) bytes of UTF-8. */
static inline struct value value_string(const char *string, size_t len)
{
    DCHECK(len <= VALUE_STRING_MAX);
    return (struct value){
        .kind = VALUE_STRING, .len = (uint32_t)len, .string = string != NULL ? string : ""};
}

/* The same of a terminated string. */
struct value value_str(const char *string);

/* Containers that borrow `count` elements or members (no key twice). False, `ret_value` untouched,
 * when that would be deeper than VALUE_DEPTH_MAX. */
MUST_USE bool value_array(const struct value *elements, size_t count, struct value *ret_value);
MUST_USE bool value_object(const struct value_member *members, size_t count,
                           struct value *ret_value);

/* null, false, 0 (0.0 too) and "" are false; all else is true. */
bool value_is_true(const struct value *value);

static inline bool value_is_number(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_DOUBLE;
}

/* The number as a double; `value` must be one. */
double value_as_double(const struct value *value);

/* The value of an object's member, or NULL. `object` may be any value. */
const struct value *value_get(const struct value *object, const char *key, size_t len);

/* Deep equality: 1 equals 1.0, a string never a number; the order of members does not count. */
bool value_equal(const struct value *a, const struct value *b);

/* Equal values have equal hashes. */
uint64_t value_hash(const struct value *value);

/* Numbers among themselves, exactly, and strings by their bytes; all else has no order. */
enum value_order { VALUE_LESS, VALUE_SAME, VALUE_GREATER, VALUE_UNORDERED };
enum value_order value_compare(const struct value *a, const struct value *b);

/* Writes the value as text: a string as it is, anything else as compact JSON. */
void value_write(const struct value *value, struct buf *buf);

/* Writes JSON (RFC 8259): compact, or indented by two spaces per level. A double always shows
 * that it is one ("1.0") and reads back as the same. */
void value_write_json(const struct value *value, struct buf *buf);
void value_write_json_pretty(const struct value *value, struct buf *buf);

/* The bytes of a string as they stand between the quotes of JSON. */
void value_write_escaped(const char *string, size_t len, struct buf *buf);

/* Bytes that value_pack() needs: a multiple of SCRATCH_ALIGN, 0 for what needs none. */
size_t value_pack_bytes(const struct value *value);

/* A copy that owns all it points to, in `memory` (aligned to SCRATCH_ALIGN, value_pack_bytes() of
 * it), and may be dropped with it. */
struct value value_pack(const struct value *value, void *memory);

/* Characters of a string (bytes that do not continue one). */
size_t value_chars(const struct value *string);

/* The shortest text that reads back as `real`, VALUE_NUMBER_BYTES at most, not terminated; returns
 * its length. `real` is finite. */
size_t value_format_double(double real, char *text);

#endif
