/* utf8: well-formed sequences, by table 3-7 of the Unicode standard (RFC 3629): nothing overlong,
 * no surrogates, nothing above U+10FFFF. */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include "core/base/defs.h"

enum { UTF8_BYTES_MAX = 4 }; /* Of one character. */

/* What may follow the first byte of a sequence. */
struct utf8_rest {
    uint8_t count;     /* Bytes that follow; UINT8_MAX: this byte begins nothing. */
    uint8_t low, high; /* Range of the first of them; all others are 0x80..0xbf. */
};

static inline struct utf8_rest utf8_rest(unsigned char first)
{
    struct utf8_rest rest = {0, 0x80, 0xbf};

    if (first < 0x80) return rest;
    if (first < 0xc2 || first > 0xf4) {
        rest.count = UINT8_MAX;
        return rest;
    }
    rest.count = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (first == 0xe0) rest.low = 0xa0;
    if (first == 0xed) rest.high = 0x9f;
    if (first == 0xf0) rest.low = 0x90;
    if (first == 0xf4) rest.high = 0x8f;
    return rest;
}

/* Length of the well-formed sequence at the start of the `len` (at least 1) bytes at `at`, or 0. */
static inline size_t utf8_len(const unsigned char *at, size_t len)
{
    struct utf8_rest rest = utf8_rest(at[0]);

    if (rest.count == 0) return 1;
    if (rest.count >= len) return 0; /* UINT8_MAX too, when the bytes end. */
    if (rest.count >= UTF8_BYTES_MAX || at[1] < rest.low || at[1] > rest.high) return 0;
    for (size_t i = 2; i <= rest.count; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) return 0;
    }
    return rest.count + (size_t)1;
}

/* Writes the character `code` (no surrogate, at most 0x10ffff) to `at` and returns its length. */
static inline size_t utf8_put(uint32_t code, char at[static UTF8_BYTES_MAX])
{
    if (code < 0x80) {
        at[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        at[0] = (char)(0xc0 | code >> 6);
        at[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        at[0] = (char)(0xe0 | code >> 12);
        at[1] = (char)(0x80 | (code >> 6 & 0x3f));
        at[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    at[0] = (char)(0xf0 | code >> 18);
    at[1] = (char)(0x80 | (code >> 12 & 0x3f));
    at[2] = (char)(0x80 | (code >> 6 & 0x3f));
    at[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

#endif
