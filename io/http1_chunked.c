/* http1_chunked: the decoder of the chunked transfer coding (RFC 9112 section 7.1).
 *
 * One state per place in the grammar, one byte per step, except in data, which is handed back as
 * spans. Line ends are CRLF and nothing else, in trailers too: this is framing, and what one
 * reader takes for a line end another must not. Extensions and trailers are checked for bytes
 * that may not be there, and dropped.
 *
 * Maxima, all counted in bytes of the stream, so that they do not depend on how it was cut:
 *   a size line     LINE_BYTES_MAX with its CRLF
 *   trailers        HTTP1_TRAILER_BYTES_MAX with the closing CRLF
 *   overhead        OVERHEAD_FREE + OVERHEAD_PER_BYTE * data bytes so far, looked at when a size
 *                   line ends. Overhead is all that is neither data nor trailer. The plainest
 *                   one-byte chunk "1 CRLF x CRLF" costs 5 for each byte and may go on for ever;
 *                   one with 12 bytes or more of padding in extensions may not.
 *   data            2^63 - 1, each chunk and the sum. */
#include "io/http1.h"

#include "core/base/check.h"
#include "core/base/hex.h"
#include "io/http1_scan.h"

enum {
    LINE_BYTES_MAX = 16 * 1024,
    OVERHEAD_FREE = 64 * 1024,
    OVERHEAD_PER_BYTE = 16,
    SIZE_DIGITS_MAX = 16,
};

enum state {
    SIZE,       /* Digits of a chunk's size; zero, so that a zeroed decoder is ready. */
    SIZE_BLANK, /* White space after them: an extension or the line's end follows. */
    EXTENSION,  /* Anything up to CR. */
    SIZE_LF,    /* The LF of a size line. */
    DATA,       /* data_left bytes of data, at least one. */
    DATA_CR,    /* The CRLF after them. */
    DATA_LF,
    TRAILER_FIRST, /* First byte of the trailers: a field, or the CRLF that ends the body. */
    TRAILER_START, /* First byte of a later trailer line, which may be a fold. */
    TRAILER_NAME,  /* The rest of a name, up to the colon. */
    TRAILER_VALUE, /* Anything up to CR. */
    TRAILER_LF,
    LAST_LF, /* The LF of the CRLF that ends the body. */
    OVER,    /* Done or refused. */
};

void http1_chunked_init(struct http1_chunked *chunked)
{
    *chunked = (struct http1_chunked){0};
}

/* One byte of a size line's digits or what follows them. */
static enum http1_result step_size(struct http1_chunked *chunked, char byte)
{
    int digit = chunked->state == SIZE ? hex_digit(byte) : -1;

    if (digit >= 0) {
        if (++chunked->digits > SIZE_DIGITS_MAX) return HTTP1_BAD_FRAMING;
        if (chunked->data_left > (uint64_t)INT64_MAX >> 4) return HTTP1_BAD_FRAMING;
        chunked->data_left = chunked->data_left << 4 | (uint64_t)digit;
        return HTTP1_MORE;
    }
    if (chunked->digits == 0) return HTTP1_BAD_FRAMING;
    if (byte != '\r' && byte != ';' && !http1_is_blank(byte)) return HTTP1_BAD_FRAMING;
    chunked->state = byte == '\r' ? SIZE_LF : byte == ';' ? EXTENSION : SIZE_BLANK;
    return HTTP1_MORE;
}

/* A size line has ended. */
static enum http1_result end_size(struct http1_chunked *chunked)
{
    uint64_t bytes = chunked->data_bytes;
    /* Past this much data the bound is out of reach, and the product would not fit. */
    uint64_t allowed = OVERHEAD_FREE + OVERHEAD_PER_BYTE * min_u64(bytes, UINT64_C(1) << 56);

    if (chunked->overhead_bytes > allowed) return HTTP1_TOO_LARGE;
    if (chunked->data_left > (uint64_t)INT64_MAX - bytes) return HTTP1_BAD_FRAMING;
    chunked->state = chunked->data_left > 0 ? DATA : TRAILER_FIRST;
    chunked->line_bytes = 0;
    chunked->digits = 0;
    return HTTP1_MORE;
}

/* The first byte of a line of the trailers. */
static enum http1_result start_trailer(struct http1_chunked *chunked, char byte)
{
    bool may_fold = chunked->state == TRAILER_START;

    if (byte == '\r') {
        chunked->state = LAST_LF;
    } else if (http1_is_token(byte)) {
        chunked->state = TRAILER_NAME;
    } else if (may_fold && http1_is_blank(byte)) {
        chunked->state = TRAILER_VALUE;
    } else {
        return HTTP1_BAD_FRAMING;
    }
    return HTTP1_MORE;
}

/* Goes on to `next` if `byte` is the only one that may stand here. */
static enum http1_result expect(struct http1_chunked *chunked, bool right, enum state next)
{
    chunked->state = (uint8_t)next;
    return right ? HTTP1_MORE : HTTP1_BAD_FRAMING;
}

/* Stays in text until CR, then goes on to `next`. */
static enum http1_result step_text(struct http1_chunked *chunked, char byte, enum state next)
{
    if (byte == '\r') chunked->state = (uint8_t)next;
    return byte == '\r' || http1_is_text(byte) ? HTTP1_MORE : HTTP1_BAD_FRAMING;
}

/* Counts one byte of framing; false if it is one too many. */
static bool count(struct http1_chunked *chunked)
{
    if (chunked->state >= TRAILER_FIRST) {
        return ++chunked->trailer_bytes <= HTTP1_TRAILER_BYTES_MAX;
    }
    chunked->overhead_bytes++;
    return chunked->state >= DATA || ++chunked->line_bytes <= LINE_BYTES_MAX;
}

/* One byte of framing. */
static enum http1_result step(struct http1_chunked *chunked, char byte)
{
    if (!count(chunked)) return HTTP1_TOO_LARGE;
    switch ((enum state)chunked->state) {
    case SIZE:
    case SIZE_BLANK: return step_size(chunked, byte);
    case EXTENSION: return step_text(chunked, byte, SIZE_LF);
    case SIZE_LF: return byte == '\n' ? end_size(chunked) : HTTP1_BAD_FRAMING;
    case DATA_CR: return expect(chunked, byte == '\r', DATA_LF);
    case DATA_LF: return expect(chunked, byte == '\n', SIZE);
    case TRAILER_FIRST:
    case TRAILER_START: return start_trailer(chunked, byte);
    case TRAILER_NAME:
        if (http1_is_token(byte)) return HTTP1_MORE;
        return expect(chunked, byte == ':', TRAILER_VALUE);
    case TRAILER_VALUE: return step_text(chunked, byte, TRAILER_LF);
    case TRAILER_LF: return expect(chunked, byte == '\n', TRAILER_START);
    case LAST_LF: return byte == '\n' ? HTTP1_DONE : HTTP1_BAD_FRAMING;
    case DATA:
    case OVER: break;
    }
    CHECK(chunked->state != DATA && chunked->state != OVER); /* They have no framing. */
    return HTTP1_BAD_FRAMING;
}

/* Takes what most framing consists of in one go, with the same effect as step() on each byte:
 * the CRLF after data, and a size alone on its line up to the LF. Gives the bytes taken, 0 if
 * these are not all there or not plain. */
static size_t skip_plain(struct http1_chunked *chunked, const char *data, size_t len)
{
    uint64_t size = 0;
    uint8_t i = 0;

    if (chunked->state == DATA_CR) {
        if (len < 2 || data[0] != '\r' || data[1] != '\n') return 0;
        chunked->overhead_bytes += 2;
        chunked->state = SIZE;
        return 2;
    }
    if (chunked->state != SIZE || chunked->digits > 0) return 0;
    for (int digit; i < len && i < SIZE_DIGITS_MAX && (digit = hex_digit(data[i])) >= 0; i++) {
        size = size << 4 | (uint64_t)digit;
    }
    if (i == 0 || i == len || data[i] != '\r' || size > INT64_MAX) return 0;
    chunked->data_left = size;
    chunked->digits = i++;
    chunked->line_bytes = i;
    chunked->overhead_bytes += i;
    chunked->state = SIZE_LF;
    return i;
}

enum http1_result http1_chunked_next(struct http1_chunked *chunked, const char *data, size_t len,
                                     size_t *ret_used, size_t *ret_span_len)
{
    size_t i = 0, span = 0;
    enum http1_result result = HTTP1_MORE;

    CHECK(chunked->state < OVER);
    while (i < len && chunked->state != DATA && result == HTTP1_MORE) {
        size_t plain = skip_plain(chunked, data + i, len - i);

        i += plain;
        if (plain > 0) continue;
        result = step(chunked, data[i]);
        if (result == HTTP1_MORE || result == HTTP1_DONE) i++;
    }
    if (result != HTTP1_MORE) {
        chunked->state = OVER;
    } else if (i < len) {
        span = (size_t)min_u64(len - i, chunked->data_left);
        chunked->data_left -= span;
        chunked->data_bytes += span;
        if (chunked->data_left == 0) chunked->state = DATA_CR;
    }
    *ret_used = i + span;
    *ret_span_len = span;
    return result;
}
