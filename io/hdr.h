/* hdr: a histogram in the encoding of HdrHistogram's interval logs: V2, compressed by zlib (RFC
 * 1950), as base64 text.
 *
 * Our buckets are those of an HdrHistogram of 1 ns to 2^45 - 1 ns with three digits: the same
 * index, the same bounds (core/base/hist.h). So the counts go over one by one, and nothing is lost.
 *
 * The V2 encoding (HdrHistogram, AbstractHistogram.encodeIntoByteBuffer()), all numbers big-endian:
 *     4 bytes cookie 0x1c849313, 4 length of what follows the head, 4 normalizing index offset (0),
 *     4 digits, 8 lowest value, 8 highest value, 8 (a double) ratio of integers to doubles (1);
 *     then, up to the last count that is not 0, each count, or a run of more than one 0 as its
 *     negative length, as ZigZag LEB128 of at most 9 bytes.
 * Compressed: 4 bytes cookie 0x1c849314, 4 length of what follows, that.
 *
 * The other form is for viewers that read what is not compressed, and microseconds.
 *
 * Threads: one owner. */
#ifndef IO_HDR_H
#define IO_HDR_H

#include "core/base/hist.h"

struct hdr;

/* An encoder with all the memory that it will need, in `arena`, which must outlive it; NULL when
 * that refuses. Nothing to release. */
MUST_USE struct hdr *hdr_new(struct arena *arena);

/* The text of `view`, terminated, without a line end; valid until the next call. */
const char *hdr_encode(struct hdr *hdr, const struct hist_view *view);

/* The same in whole microseconds (each count goes to that of its bucket's middle, rounded down),
 * not compressed, and without the padding of base64. */
const char *hdr_encode_us(struct hdr *hdr, const struct hist_view *view);

#endif
