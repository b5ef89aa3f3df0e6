#include "config/value.h"

#include <string.h>

#include "core/base/check.h"

struct value value_str(const char *string)
{
    return value_string(string, strlen(string));
}

bool value_array(const struct value *elements, size_t count, struct value *ret_value)
{
    uint8_t depth = 0;

    CHECK(count <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        if (elements[i].depth > depth) depth = elements[i].depth;
    }
    if (depth >= VALUE_DEPTH_MAX) return false;
    *ret_value = (struct value){.kind = VALUE_ARRAY,
                                .depth = (uint8_t)(depth + 1),
                                .len = (uint32_t)count,
                                .elements = elements};
    return true;
}

bool value_object(const struct value_member *members, size_t count, struct value *ret_value)
{
    uint8_t depth = 0;

    CHECK(count <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        DCHECK(members[i].key.kind == VALUE_STRING);
        if (members[i].value.depth > depth) depth = members[i].value.depth;
    }
    if (depth >= VALUE_DEPTH_MAX) return false;
    *ret_value = (struct value){.kind = VALUE_OBJECT,
                                .depth = (uint8_t)(depth + 1),
                                .len = (uint32_t)count,
                                .members = members};
    return true;
}

bool value_is_true(const struct value *value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NULL: return false;
    case VALUE_BOOL: return value->boolean;
    case VALUE_INT: return value->integer != 0;
    case VALUE_DOUBLE: return value->real != 0;
    case VALUE_STRING: return value->len != 0;
    case VALUE_ARRAY:
    case VALUE_OBJECT: return true;
    }
    UNREACHABLE("kind of a value");
}

double value_as_double(const struct value *value)
{
    CHECK(value_is_number(value));
    return value->kind == VALUE_INT ? (double)value->integer : value->real;
}

const struct value *value_get(const struct value *object, const char *key, size_t len)
{
    if (object->kind != VALUE_OBJECT) return NULL;
    for (uint32_t i = 0; i < object->len; i++) {
        const struct value_member *member = &object->members[i];

        if (member->key.len == len && memcmp(member->key.string, key, len) == 0) {
            return &member->value;
        }
    }
    return NULL;
}

static enum value_order order_of(bool less, bool greater)
{
    if (less) return VALUE_LESS;
    return greater ? VALUE_GREATER : VALUE_SAME;
}

/* Exactly, although not every int64 is a double. */
static enum value_order compare_int_double(int64_t integer, double real)
{
    int64_t whole;
    double rest;

    if (real >= VALUE_INT_END) return VALUE_LESS;
    if (real < -VALUE_INT_END) return VALUE_GREATER;
    whole = (int64_t)real; /* Towards zero. */
    rest = real - (double)whole;
    if (integer != whole) return order_of(integer<whole, integer> whole);
    return order_of(rest > 0, rest < 0);
}

static enum value_order compare_numbers(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_INT && b->kind == VALUE_INT) {
        return order_of(a->integer<b->integer, a->integer> b->integer);
    }
    if (a->kind == VALUE_DOUBLE && b->kind == VALUE_DOUBLE) {
        return order_of(a->real<b->real, a->real> b->real);
    }
    if (a->kind == VALUE_INT) return compare_int_double(a->integer, b->real);
    switch (compare_int_double(b->integer, a->real)) {
    case VALUE_LESS: return VALUE_GREATER;
    case VALUE_GREATER: return VALUE_LESS;
    case VALUE_SAME: return VALUE_SAME;
    case VALUE_UNORDERED: break;
    }
    UNREACHABLE("order of numbers");
}

enum value_order value_compare(const struct value *a, const struct value *b)
{
    if (value_is_number(a) && value_is_number(b)) return compare_numbers(a, b);
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        int order = memcmp(a->string, b->string, min_u64(a->len, b->len));

        if (order != 0) return order_of(order<0, order> 0);
        return order_of(a->len<b->len, a->len> b->len);
    }
    return VALUE_UNORDERED;
}

static bool members_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value_member *member = &a->members[i];
        const struct value *other;

        /* Mostly both have the same order. */
        if (value_equal(&b->members[i].key, &member->key)) {
            other = &b->members[i].value;
        } else {
            other = value_get(b, member->key.string, member->key.len);
        }
        if (other == NULL || !value_equal(&member->value, other)) return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (value_is_number(a) && value_is_number(b)) return compare_numbers(a, b) == VALUE_SAME;
    if (a->kind != b->kind || a->len != b->len) return false;
    switch ((enum value_kind)a->kind) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a->boolean == b->boolean;
    case VALUE_INT:
    case VALUE_DOUBLE: break;
    case VALUE_STRING: return memcmp(a->string, b->string, a->len) == 0;
    case VALUE_ARRAY:
        for (uint32_t i = 0; i < a->len; i++) {
            if (!value_equal(&a->elements[i], &b->elements[i])) return false;
        }
        return true;
    case VALUE_OBJECT: return members_equal(a, b);
    }
    UNREACHABLE("kind of a value");
}

/* The finalizer of splitmix64: every bit of the result depends on every bit of `x`. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_bytes(const char *data, size_t len)
{
    uint64_t hash = len, word;

    while (len >= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        hash = mix(hash ^ word);
        data += sizeof(word);
        len -= sizeof(word);
    }
    word = 0;
    memcpy(&word, data, len);
    return mix(hash ^ word);
}

static uint64_t hash_double(double real)
{
    uint64_t bits;

    if (real >= -VALUE_INT_END && real < VALUE_INT_END && (double)(int64_t)real == real) {
        return mix((uint64_t)(int64_t)real + VALUE_INT); /* As the equal int. */
    }
    memcpy(&bits, &real, sizeof(bits));
    return mix(bits);
}

uint64_t value_hash(const struct value *value)
{
    uint64_t hash = value->kind;

    switch ((enum value_kind)value->kind) {
    case VALUE_NULL: return mix(hash);
    case VALUE_BOOL: return mix(hash + value->boolean);
    case VALUE_INT: return mix((uint64_t)value->integer + VALUE_INT);
    case VALUE_DOUBLE: return hash_double(value->real);
    case VALUE_STRING: return hash_bytes(value->string, value->len);
    case VALUE_ARRAY:
        for (uint32_t i = 0; i < value->len; i++) {
            hash = mix(hash ^ value_hash(&value->elements[i]));
        }
        return hash;
    case VALUE_OBJECT: /* A sum, as the order does not count. */
        for (uint32_t i = 0; i < value->len; i++) {
            const struct value_member *member = &value->members[i];

            hash += mix(value_hash(&member->key) ^ (value_hash(&member->value) + 1));
        }
        return mix(hash);
    }
    UNREACHABLE("kind of a value");
}

static size_t aligned(size_t bytes)
{
    return (bytes + SCRATCH_ALIGN - 1) & ~(size_t)(SCRATCH_ALIGN - 1);
}

/* Containers of a value one after the other, then all bytes of strings: no gaps but at the end. */
static void pack_bytes(const struct value *value, size_t *containers, size_t *strings)
{
    if (value->kind == VALUE_STRING) {
        *strings += value->len;
    } else if (value->kind == VALUE_ARRAY) {
        *containers += value->len * sizeof(struct value);
        for (uint32_t i = 0; i < value->len; i++) {
            pack_bytes(&value->elements[i], containers, strings);
        }
    } else if (value->kind == VALUE_OBJECT) {
        *containers += value->len * sizeof(struct value_member);
        for (uint32_t i = 0; i < value->len; i++) {
            *strings += value->members[i].key.len;
            pack_bytes(&value->members[i].value, containers, strings);
        }
    }
}

size_t value_pack_bytes(const struct value *value)
{
    size_t containers = 0, strings = 0;

    pack_bytes(value, &containers, &strings);
    return containers + aligned(strings);
}

struct packing {
    char *containers; /* Where the next one goes. */
    char *strings;
};

static struct value pack_string(const struct value *value, struct packing *packing)
{
    struct value copy = *value;

    copy.string = packing->strings;
    if (value->len > 0) memcpy(packing->strings, value->string, value->len);
    packing->strings += value->len;
    return copy;
}

static struct value pack(const struct value *value, struct packing *packing)
{
    struct value copy = *value;

    if (value->kind == VALUE_STRING) return pack_string(value, packing);
    if (value->kind == VALUE_ARRAY) {
        struct value *elements = (struct value *)(void *)packing->containers;

        packing->containers += value->len * sizeof(*elements);
        for (uint32_t i = 0; i < value->len; i++) {
            elements[i] = pack(&value->elements[i], packing);
        }
        copy.elements = elements;
    } else if (value->kind == VALUE_OBJECT) {
        struct value_member *members = (struct value_member *)(void *)packing->containers;

        packing->containers += value->len * sizeof(*members);
        for (uint32_t i = 0; i < value->len; i++) {
            members[i].key = pack_string(&value->members[i].key, packing);
            members[i].value = pack(&value->members[i].value, packing);
        }
        copy.members = members;
    }
    return copy;
}

struct value value_pack(const struct value *value, void *memory)
{
    size_t containers = 0, strings = 0;
    struct packing packing;

    CHECK((uintptr_t)memory % SCRATCH_ALIGN == 0);
    pack_bytes(value, &containers, &strings);
    packing = (struct packing){memory, (char *)memory + containers};
    return pack(value, &packing);
}

size_t value_chars(const struct value *string)
{
    size_t chars = 0;

    CHECK(string->kind == VALUE_STRING);
    for (uint32_t i = 0; i < string->len; i++) {
        chars += ((unsigned char)string->string[i] & 0xc0) != 0x80;
    }
    return chars;
}
