/* base64: bytes as text (RFC 4648 section 4, with padding). Threads: any. */
#ifndef CORE_BASE_BASE64_H
#define CORE_BASE_BASE64_H

#include "core/base/defs.h"

/* How long the text of `len` bytes is. */
static inline size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes base64_len(len) characters to `to`, no terminator, and returns how many that is. */
size_t base64_encode(char *to, const void *from, size_t len);

#endif
