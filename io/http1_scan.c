/* http1_scan: the marks of a block of 64 bytes, by SSE2. No load touches a byte outside
 * [begin, end): the last 15 or fewer bytes are seen by a load that ends at `end`, or one by one
 * when there are not even 16 in all. */
#include "io/http1_scan.h"

#if HTTP1_SCAN_SSE2
#    include <emmintrin.h>

static inline uint64_t text_stops16(__m128i x)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    __m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));

    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

static inline uint64_t name_stops16(__m128i x)
{
    __m128i a = _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i n = _mm_sub_epi8(x, _mm_set1_epi8('0'));
    __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(a, _mm_set1_epi8(25)), a);
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(n, _mm_set1_epi8(9)), n);
    __m128i hyphen = _mm_cmpeq_epi8(x, _mm_set1_epi8('-'));
    __m128i plain = _mm_or_si128(_mm_or_si128(letter, digit), hyphen);

    return (uint32_t)_mm_movemask_epi8(plain) ^ 0xffff;
}

void http1_scan_fill(struct http1_scan *scan, const char *p)
{
    uint64_t text = 0, name = 0;
    const char *at = p;
    uint32_t i = 0;

    for (; i < 64 && scan->end - at >= 16; i += 16, at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);

        text |= text_stops16(x) << i;
        name |= name_stops16(x) << i;
    }
    if (i < 64 && at < scan->end && scan->end - scan->begin >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(scan->end - 16));
        uint32_t seen = 16 - (uint32_t)(scan->end - at);

        text |= text_stops16(x) >> seen << i;
        name |= name_stops16(x) >> seen << i;
    } else {
        for (; i < 64 && at < scan->end; i++, at++) {
            text |= (uint64_t)!http1_is_text(*at) << i;
            name |= (uint64_t)(!http1_is_token(*at)) << i;
        }
    }
    scan->block = p;
    scan->text_stops = text;
    scan->name_stops = name;
}
#endif
