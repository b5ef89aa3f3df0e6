/* http1_chunked: decoder of the chunked transfer coding (RFC 9112 section 7.1). */
#include "io/http1.h"

enum state {
    SIZE, SIZE_END, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER_START, TRAILER, TRAILER_LF,
    END_LF
};

enum { OVERHEAD_BASE = 64 * 1024, OVERHEAD_PER_BYTE = 16, SIZE_DIGITS_MAX = 16 };

void http1_chunked_init(struct http1_chunked *chunked)
{
    *chunked = (struct http1_chunked){.state = SIZE};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
    return -1;
}

static enum http1_result size_char(struct http1_chunked *ch, char c)
{
    int digit = hex_value(c);

    if (digit >= 0) {
        if (++ch->digits > SIZE_DIGITS_MAX) return HTTP1_BAD_FRAMING;
        ch->data_left = ch->data_left << 4 | (uint64_t)digit;
        return ch->data_left > INT64_MAX ? HTTP1_BAD_FRAMING : HTTP1_MORE;
    }
    if (ch->digits == 0) return HTTP1_BAD_FRAMING;
    if (c == '\r') {
        ch->state = SIZE_LF;
    } else if (c == ';' || c == ' ' || c == '\t') {
        ch->state = EXTENSION;
    } else {
        return HTTP1_BAD_FRAMING;
    }
    return HTTP1_MORE;
}

static enum http1_result trailer_char(struct http1_chunked *ch, char c)
{
    if (++ch->trailer_bytes > HTTP1_TRAILER_BYTES_MAX) return HTTP1_TOO_LARGE;
    switch ((enum state)ch->state) {
    case TRAILER_START:
        ch->state = c == '\r' ? END_LF : TRAILER;
        return c == ' ' || c == '\t' || c == '\n' ? HTTP1_BAD_FRAMING : HTTP1_MORE;
    case TRAILER:
        if (c == '\r') ch->state = TRAILER_LF;
        return c == '\n' ? HTTP1_BAD_FRAMING : HTTP1_MORE;
    case TRAILER_LF:
        ch->state = TRAILER_START;
        return c == '\n' ? HTTP1_MORE : HTTP1_BAD_FRAMING;
    default: return c == '\n' ? HTTP1_DONE : HTTP1_BAD_FRAMING;
    }
}

/* One byte that is not data. */
static enum http1_result frame_char(struct http1_chunked *ch, char c)
{
    uint64_t bound = OVERHEAD_BASE + OVERHEAD_PER_BYTE * ch->data_bytes;

    if (ch->state >= TRAILER_START) return trailer_char(ch, c);
    if (++ch->overhead_bytes > bound) return HTTP1_TOO_LARGE;
    switch ((enum state)ch->state) {
    case SIZE: return size_char(ch, c);
    case EXTENSION:
        if (c == '\r') ch->state = SIZE_LF;
        return c == '\n' ? HTTP1_BAD_FRAMING : HTTP1_MORE;
    case SIZE_LF:
        ch->state = ch->data_left == 0 ? TRAILER_START : DATA;
        ch->digits = 0;
        return c == '\n' ? HTTP1_MORE : HTTP1_BAD_FRAMING;
    case DATA_CR:
        ch->state = DATA_LF;
        return c == '\r' ? HTTP1_MORE : HTTP1_BAD_FRAMING;
    case DATA_LF:
        ch->state = SIZE;
        return c == '\n' ? HTTP1_MORE : HTTP1_BAD_FRAMING;
    default: return HTTP1_BAD_FRAMING;
    }
}

enum http1_result http1_chunked_next(struct http1_chunked *chunked, const char *data, size_t len,
                                     size_t *ret_used, size_t *ret_span_len)
{
    size_t used = 0;
    enum http1_result result = HTTP1_MORE;

    *ret_span_len = 0;
    while (used < len && result == HTTP1_MORE) {
        if (chunked->state == DATA) {
            uint64_t span = min_u64(len - used, chunked->data_left);

            chunked->data_left -= span;
            chunked->data_bytes += span;
            if (chunked->data_left == 0) chunked->state = DATA_CR;
            *ret_span_len = span;
            used += span;
            break;
        }
        result = frame_char(chunked, data[used++]);
    }
    *ret_used = used;
    return result;
}
