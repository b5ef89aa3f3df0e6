/* buf: text written into memory of a fixed size that somebody else owns.
 *
 * Writing never fails on the spot: what does not fit is left out whole, the buffer is marked
 * `full`, and further writes do nothing; whoever uses the text looks once at the end.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <string.h>

#include "core/base/defs.h"

struct buf {
    char *data;  /* [size], borrowed. */
    size_t len;  /* Bytes written, not terminated. */
    size_t size; /* Bytes there are. */
    bool full;   /* Something did not fit. */
};

/* Makes `buf` empty over `size` bytes at `data`, which must outlive it. */
static inline void buf_init(struct buf *buf, char *data, size_t size)
{
    *buf = (struct buf){.data = data, .size = size};
}

/* Room for `len` bytes more, which then count as written; NULL when it does not fit. */
static inline char *buf_take(struct buf *buf, size_t len)
{
    char *at = buf->data + buf->len;

    if (unlikely(buf->full || len > buf->size - buf->len)) {
        buf->full = true;
        return NULL;
    }
    buf->len += len;
    return at;
}

/* Adds `len` bytes, or nothing. */
static inline void buf_add(struct buf *buf, const char *data, size_t len)
{
    char *at = buf_take(buf, len);

    if (at != NULL && len > 0) memcpy(at, data, len);
}

static inline void buf_add_char(struct buf *buf, char c)
{
    char *at = buf_take(buf, 1);

    if (at != NULL) *at = c;
}

#endif
