/* http1_scan: where a run of field-name or field-value bytes ends. Private to http1_*.c.
 *
 * By SSE2 where it is there (all of x86-64), one byte at a time elsewhere or with
 * -DHTTP1_SCAN_PORTABLE; the answers are the same. Bytes outside [begin, end) are not touched.
 *
 * Threads: any; pure. */
#ifndef IO_HTTP1_SCAN_H
#define IO_HTTP1_SCAN_H

#include "core/base/defs.h"

#if defined(__SSE2__) && !defined(HTTP1_SCAN_PORTABLE)
#    define HTTP1_SCAN_SSE2 1
#else
#    define HTTP1_SCAN_SSE2 0
#endif

/* tchar of RFC 9110 section 5.6.2: a letter, a digit or one of !#$%&'*+-.^_`|~ */
static inline bool http1_is_token(char byte)
{
    static const uint64_t set[4] = {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    uint8_t c = (uint8_t)byte;

    return (set[c >> 6] >> (c & 63)) & 1;
}

/* What a field value or a reason may hold: HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.5). */
static inline bool http1_is_text(char byte)
{
    uint8_t c = (uint8_t)byte;

    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static inline bool http1_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static inline bool http1_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Where the runs of [begin, end) end; places are asked for in rising order. With SSE2 it marks 64
 * bytes at a time, because marks of one block do not wait for what was found in the last: a scan
 * that starts where the last one stopped would spend its time waiting. */
struct http1_scan {
    const char *begin;
    const char *end;
#if HTTP1_SCAN_SSE2
    const char *block;   /* The 64 bytes that the marks are about; those past `end` have none. */
    uint64_t text_stops; /* Bit i: block[i] is not text. */
    uint64_t name_stops; /* Bit i: block[i] is neither a letter nor a digit nor a hyphen. */
#endif
};

#if HTTP1_SCAN_SSE2
/* Marks the block at `p` < end. */
void http1_scan_fill(struct http1_scan *scan, const char *p);

/* First place from `p` on where `*stops` has a mark, or `end`. */
static inline const char *http1_scan_next(struct http1_scan *scan, const char *p,
                                          const uint64_t *stops)
{
    for (;;) {
        size_t at = (size_t)(p - scan->block);
        uint64_t marks = at < 64 ? *stops >> at : 0;

        if (likely(marks != 0)) return p + __builtin_ctzll(marks);
        if (at < 64) p = scan->block + 64;
        if (p >= scan->end) return scan->end;
        http1_scan_fill(scan, p);
    }
}
#endif

static inline void http1_scan_init(struct http1_scan *scan, const char *begin, const char *end)
{
    *scan = (struct http1_scan){.begin = begin, .end = end};
#if HTTP1_SCAN_SSE2
    scan->block = begin;
    if (begin < end) http1_scan_fill(scan, begin);
#endif
}

/* First byte of [p, end) that may not stand in a field name, or `end`. */
static inline const char *http1_scan_name(struct http1_scan *scan, const char *p)
{
#if HTTP1_SCAN_SSE2
    p = http1_scan_next(scan, p, &scan->name_stops);
    if (likely(p < scan->end && *p == ':')) return p;
#endif
    while (p < scan->end && http1_is_token(*p)) { /* Also the rarer characters of a token. */
        p++;
    }
    return p;
}

/* First byte of [p, end) that is not text, or `end`. */
static inline const char *http1_scan_text(struct http1_scan *scan, const char *p)
{
#if HTTP1_SCAN_SSE2
    return http1_scan_next(scan, p, &scan->text_stops);
#else
    while (p < scan->end && http1_is_text(*p)) {
        p++;
    }
    return p;
#endif
}

#endif
