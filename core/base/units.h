/* units: numbers and times as people write them, in wrk's spelling and a wider one.
 *
 * Numbers: digits, optional decimals, optional k M G T P (powers of 1000).
 * Times: one or more <number><unit>, numbers with optional decimals, units us ms s m h d (and
 * min, sec, hr), largest first not required; a number and nothing else means seconds.
 * Units may be in either case. A point needs digits on both sides.
 * Sizes for display are binary (KiB), times pick ns, us, ms, s and then two of s, m, h, d.
 * The process's locale changes nothing. */
#ifndef CORE_BASE_UNITS_H
#define CORE_BASE_UNITS_H

#include "core/base/defs.h"

/* Parses all of `str`; false (and `ret_x` untouched) on anything else: empty, signs, spaces,
 * unknown unit, more than 2^63 - 1, a number whose value is not whole ("1.5" is wrong, "1.5k" is
 * 1500). */
MUST_USE bool units_parse_count(const char *str, uint64_t *ret_count);

/* The same for a rate that need not be whole; at most 1e12, 18 decimals are looked at. */
MUST_USE bool units_parse_rate(const char *str, double *ret_per_s);

/* Nanoseconds, at most 100 years; false also for a part of a nanosecond. "90", "1m30s", "250ms",
 * "0.5s", "1h". */
MUST_USE bool units_parse_time_ns(const char *str, uint64_t *ret_ns);

/* The formats of test files. */

/* A duration: as a time, but every number has a unit, spaces (and tabs) may stand around numbers
 * and units, and units may be spelt out: sec(s), second(s), min(s), minute(s), hr(s), hour(s),
 * day(s). "1h45m", "4 hrs 15 mins", "1.5s". */
MUST_USE bool units_parse_duration_ns(const char *str, uint64_t *ret_ns);

/* A size: a number, spaces, and perhaps B, kB, MB, GB (powers of 1000), KiB, MiB or GiB, in
 * either case. At most 2^63 - 1; false for a part of a byte. */
MUST_USE bool units_parse_bytes(const char *str, uint64_t *ret_bytes);

/* A number followed at once by '%'; "250%" is a share of 2.5. 18 decimals are looked at. */
MUST_USE bool units_parse_percent(const char *str, double *ret_share);

/* A number, spaces, and "hps" or "hpm" in either case: hits per second or minute. */
MUST_USE bool units_parse_hits(const char *str, double *ret_per_s);

enum { UNITS_TEXT_MAX = 32 };

/* Writes e.g. "850 ns", "194.6 us", "1.23 ms", "10.0 s", "1 m 30 s" (three to four significant
 * digits) and returns `buf`, of UNITS_TEXT_MAX bytes. */
const char *units_time(char *buf, uint64_t ns);

/* The same with "512 B", "1.5 KiB", "23.4 MiB" ... up to EiB; "-" for what is not in 0..2^64. */
const char *units_bytes(char *buf, double bytes);

/* The same with three significant digits, whole numbers below 1000 as they are: "950", "9.50",
 * "12.3k", "1.45M" ... up to P; "<0.01" for less, "-" for what is not in 0..999P. */
const char *units_count(char *buf, double value);

/* Thousands separated by commas: "3,321,904". */
const char *units_grouped(char *buf, uint64_t value);

#endif
