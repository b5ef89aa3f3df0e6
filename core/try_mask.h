/* try_mask: secrets left out of what `pelt try` prints: the values of certain headers, and those of
 * the vars that config.general.secret names, wherever they appear, also percent-encoded or escaped
 * as in JSON.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_MASK_H
#define CORE_TRY_MASK_H

#include "config/testfile.h"
#include "core/base/text.h"

#define TRY_MASK "***"

/* Texts that are not printed. */
struct try_mask {
    const struct value *secrets; /* Strings, the longest first; [count]. */
    uint32_t count;
    bool hides_headers;
};

/* The secrets of a test file: its secret vars' texts, and those in them if they are containers.
 * `show`: there are none. False when `arena` refuses. */
MUST_USE bool try_mask_make(struct try_mask *mask, const struct testfile *test, bool show,
                            struct arena *arena);

/* True for headers whose values are secrets. */
bool try_mask_hides(const struct try_mask *mask, const char *name, size_t len);

/* True if there is a secret in the text. */
bool try_mask_finds(const struct try_mask *mask, const char *text, size_t len);

/* Adds the text, TRY_MASK in the place of every secret. */
void try_mask_add(const struct try_mask *mask, const char *text, size_t len, struct text *out);

#endif
