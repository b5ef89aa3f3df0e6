/* regex: regular expressions by PCRE2, held to what RE2 has: no look-around, no back references,
 * no recursion, no atomic groups, no possessive quantifiers, no verbs. Named groups are (?P<n>…)
 * or (?<n>…). "." is any character but a line feed, "$" the end of the text, \d and \w are ASCII.
 *
 * Compiled with the JIT where that is to be had; matching has bounds on time and memory, takes its
 * memory from the scratch, and is safe on text that is not UTF-8. Private to config/.
 *
 * Threads: a compiled expression never changes. */
#ifndef CONFIG_REGEX_H
#define CONFIG_REGEX_H

#include "config/value.h"
#include "core/base/arena.h"

struct regex;

struct regex_error {
    size_t offset;     /* In the pattern. */
    char message[160]; /* Terminated. */
};

enum {
    REGEX_BYTES_MAX = 4096, /* Of a pattern. */
    REGEX_GROUPS_MAX = 100,
    REGEX_STEPS = 200 * 1000,      /* PCRE2's match limit is so much, and one per byte … */
    REGEX_STEPS_MAX = 2000 * 1000, /* … up to this. */
    REGEX_HEAP_KIB_MAX = 4096,
};

/* Compiles `len` bytes; `whole`: a match has to take all of a text. NULL when it is wrong. What the
 * JIT holds goes with the arena. */
MUST_USE const struct regex *regex_compile(struct arena *arena, const char *pattern, size_t len,
                                           bool whole, struct regex_error *ret_error);

enum regex_result {
    REGEX_FOUND,
    REGEX_NONE,
    REGEX_LIMIT, /* It would take too long, or too much memory. */
    REGEX_FULL,  /* The scratch is full. */
};

/* Looks for the first match in `len` bytes. */
MUST_USE enum regex_result regex_test(const struct regex *regex, const char *text, size_t len,
                                      struct scratch *scratch);

/* The same; `ret_groups` (only if found) is an object: "0" is the whole match, every group stands
 * under its name or, without one, its number, and is null where it took no part. The strings point
 * into `text`. */
MUST_USE enum regex_result regex_match(const struct regex *regex, const char *text, size_t len,
                                       struct scratch *scratch, struct value *ret_groups);

/* The check for what RE2 has not; false with the reason. */
MUST_USE bool regex_guard(const char *pattern, size_t len, struct regex_error *ret_error);

#endif
