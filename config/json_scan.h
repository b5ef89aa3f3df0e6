/* json_scan: what the two readers of JSON have in common. Private to config/. */
#ifndef CONFIG_JSON_SCAN_H
#define CONFIG_JSON_SCAN_H

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

#include "config/value.h"

/* The first byte from `at` on that is not plain inside a string: a quote, a backslash, a control
 * character, or part of a character outside of ASCII; `end` if there is none. */
static inline const char *json_skip_plain(const char *at, const char *end)
{
#ifdef __SSE2__
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed: bytes above 0x7f are less than 0x20 too. */
        __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                   _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
        unsigned int mask = (unsigned int)_mm_movemask_epi8(odd);

        if (mask != 0) return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool json_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What a backslash and this letter stand for, 0 if nothing ('u' is not among them). */
static inline char json_escape(char letter)
{
    switch (letter) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

static inline bool json_is_high_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdbff;
}

static inline bool json_is_low_surrogate(uint32_t code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

static inline uint32_t json_surrogates(uint32_t high, uint32_t low)
{
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

enum { JSON_REPLACEMENT = 0xfffd }; /* For half a surrogate pair. */

/* Length of the number (RFC 8259 section 6) at the start of the `len` bytes, 0 if there is none. */
size_t json_number_len(const char *text, size_t len);

/* The value of the `len` bytes, which must be a number: an int if it has neither decimals nor
 * exponent and fits, else the nearest double (beyond the largest: the largest). */
struct value json_number(const char *text, size_t len);

#endif
