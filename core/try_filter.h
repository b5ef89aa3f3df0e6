/* try_filter: which endpoints `pelt try` was asked for: by tag or by name.
 *
 * "tag=pattern" takes endpoints that have the tag with such a value, "tag!=pattern" those that do
 * not, "name=pattern" takes names; '*' in a pattern stands for anything. Tags are those of the test
 * file and the implicit ones (_id, method, url); what of a tag is not known before a request is
 * made reads as '*'.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_FILTER_H
#define CORE_TRY_FILTER_H

#include "config/testfile.h"

struct try_filter {
    const char *tag; /* Borrowed, [tag_len]. */
    size_t tag_len;
    const char *pattern; /* Borrowed, terminated. */
    bool is_not;
};

/* Reads "tag=pattern" or "tag!=pattern"; false for anything else. `word` must outlive it. */
MUST_USE bool try_filter_read(const char *word, struct try_filter *ret_filter);

/* Whether the endpoint, number `index` of the test file, passes. `arena` is for its tags as text;
 * false in `ret_matches`, and false returned, when it refuses. */
MUST_USE bool try_filter_matches(const struct try_filter *filter,
                                 const struct testfile_endpoint *endpoint, uint32_t index,
                                 struct arena *arena, bool *ret_matches);

#endif
