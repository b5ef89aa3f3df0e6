/* try_decode: the body of a response without its content codings, for those who read it.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_DECODE_H
#define CORE_TRY_DECODE_H

#include "core/base/text.h"

/* Decodes a body as its head says, into at most `bytes_max` bytes of the arena of `out`, which is
 * empty. False, and `out` of no use, when there is nothing to decode, or it cannot be: a coding
 * that is not known, a body that is not whole or not what it says, or too much of it. */
MUST_USE bool try_decode(const char *head, size_t head_len, const char *body, size_t body_len,
                         uint64_t bytes_max, struct text *out);

#endif
