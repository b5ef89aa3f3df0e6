/* http1: HTTP/1.1 responses as a client reads them (RFC 9112), bytes in, facts out.
 *
 * Three parts that touch no socket, no clock and no memory of their own:
 *   http1_parse_head    strict parser of a status line and its fields      (http1_head.c)
 *   http1_same_*        the shortcut for a head like the last one          (http1_same.c)
 *   http1_chunked_next  decoder of the chunked transfer coding             (http1_chunked.c)
 * http1_framing() decides between them where a body ends. Nothing is stored: body bytes are
 * handed back as spans of the caller's buffer.
 *
 * Threads: any; no state but the caller's. */
#ifndef IO_HTTP1_H
#define IO_HTTP1_H

#include "core/base/defs.h"

enum {
    HTTP1_HEAD_BYTES_MAX = 64 * 1024, /* Default of head_bytes_max, and its upper bound. */
    HTTP1_LINE_BYTES_MAX = 16 * 1024,
    HTTP1_FIELDS_MAX = 256,
    HTTP1_INTERIM_MAX = 16, /* 1xx heads before one final head. */
    HTTP1_TRAILER_BYTES_MAX = 16 * 1024,
    HTTP1_SAME_BYTES_MAX = 1024, /* Longest head that the shortcut remembers. */
};

enum http1_result {
    HTTP1_DONE,        /* Complete; the out-parameters are set. */
    HTTP1_MORE,        /* All of it is right so far and more bytes are needed. */
    HTTP1_BAD,         /* Not HTTP/1.x, or a field or line that the RFC forbids. */
    HTTP1_BAD_FRAMING, /* Content-Length or Transfer-Encoding that cannot be believed. */
    HTTP1_TOO_LARGE,   /* Over one of the maxima above. */
};

/* What a head says. Offsets are from the first byte of the head. */
struct http1_head {
    uint32_t bytes;          /* Length of the head with its empty line. */
    uint16_t status;         /* 100..999. */
    uint8_t version_minor;   /* HTTP/1.x: 0 or 1 (higher minors count as 1). */
    bool has_length;         /* A Content-Length; valid unless has_te, which overrides it. */
    bool has_te;             /* Any Transfer-Encoding. */
    bool chunked;            /* Its last coding is chunked (and only the last). */
    bool says_close;         /* Connection: close among its options. */
    bool says_keep_alive;    /* Connection: keep-alive among its options. */
    uint64_t content_length; /* If has_length; at most 2^63 - 1. 0 if invalid. */
    uint32_t date_at;        /* Offset and length of the value of the first Date field that is */
    uint32_t date_len;       /* neither empty nor folded; 0, 0 when there is none. */
};

/* Parses the head at the start of `data`. `len_seen` is how many of these bytes were already
 * there at the last call for the same head that gave HTTP1_MORE (0 at the first), so that a head
 * that drips in is searched once, not once per byte. `head_bytes_max` is 1..HTTP1_HEAD_BYTES_MAX.
 * `ret_head` is written only on HTTP1_DONE. HTTP1_BAD is given as soon as the first bytes cannot
 * be the start of "HTTP/1.x ddd"; all else is judged when the empty line is there. The verdict
 * does not depend on how the bytes were cut.
 *
 * Choices (RFC 9112 sections 2.2, 4, 5, 6): a single LF ends a line as CRLF does; a bare CR is
 * refused; NUL and other controls but HTAB in a value or reason are refused; white space before a
 * colon or at the start of the first field line is refused; obs-fold is read as a space; an empty
 * or missing reason is accepted; status 100..999 only. Framing fields are judged whatever the
 * status and the request: Content-Length: digits only, or a list of equal ones, unless there is a
 * Transfer-Encoding; Transfer-Encoding: not folded, and chunked, if it is there, comes once, last,
 * without parameters, else HTTP1_BAD_FRAMING; in an HTTP/1.0 response Transfer-Encoding is
 * HTTP1_BAD_FRAMING too (section 6.1: its framing is faulty). HTTP1_BAD wins over
 * HTTP1_TOO_LARGE for lines and fields, and that over HTTP1_BAD_FRAMING. */
MUST_USE enum http1_result http1_parse_head(const char *data, size_t len, size_t len_seen,
                                            size_t head_bytes_max, struct http1_head *ret_head);

/* How a response's body ends. */
enum http1_body { HTTP1_BODY_NONE, HTTP1_BODY_LENGTH, HTTP1_BODY_CHUNKED, HTTP1_BODY_CLOSE };

/* What the framing of a response depends on in its request. */
enum http1_asked { HTTP1_ASKED_OTHER, HTTP1_ASKED_HEAD, HTTP1_ASKED_CONNECT };

struct http1_framing {
    enum http1_body body;
    uint64_t length; /* For HTTP1_BODY_LENGTH; > 0 (a length of 0 is HTTP1_BODY_NONE). */
    bool reusable;   /* The connection may carry another request after this response. */
    bool interim;    /* 1xx but 101: not the final response; the exchange goes on. */
    bool conflict;   /* Both Transfer-Encoding and Content-Length: never reusable. */
};

/* RFC 9112 section 6.3 in its order, and section 9.3 for `reusable`. 101 to a request that asked
 * for no upgrade is for the caller to refuse: it has status 101, body NONE, not reusable. */
struct http1_framing http1_framing(const struct http1_head *head, enum http1_asked asked);

/* The shortcut: remembers one head, and knows it again when the next is the same but for the
 * value of Date (checked to be printable text of the same length, that of an IMF-fixdate). */
struct http1_same {
    struct http1_head head; /* Facts of the remembered head; head.bytes = 0: none remembered. */
    char text[HTTP1_SAME_BYTES_MAX];
};

/* Remembers `head`, parsed from `data`; forgets instead if it is too long to keep. */
void http1_same_learn(struct http1_same *same, const char *data, const struct http1_head *head);

/* True if `data` begins with the remembered head; its facts are then same->head. False when none
 * is remembered, `len` is too short, or anything differs: ask the strict parser then. */
MUST_USE bool http1_same_match(const struct http1_same *same, const char *data, size_t len);

/* Decoder state of one chunked body. Zero it (or http1_chunked_init) before the first byte. */
struct http1_chunked {
    uint64_t data_left;      /* Bytes left of the current chunk's data. */
    uint64_t data_bytes;     /* Data so far. */
    uint64_t overhead_bytes; /* Sizes, extensions, line ends so far: bounded against data_bytes. */
    uint32_t line_bytes;     /* Of the size line being read. */
    uint32_t trailer_bytes;
    uint8_t state;
    uint8_t digits; /* Of the size being read: at most 16. */
};

void http1_chunked_init(struct http1_chunked *chunked);

/* Reads from `data` up to the end of one span of body data. On every result `ret_used` says how
 * many bytes were consumed and `ret_span_len` how many of them, the last ones, are body data
 * (0 = none). HTTP1_MORE: call again with what is left, or with the next bytes when nothing is.
 * HTTP1_DONE: the body and its trailers (dropped) are over; what is left belongs to the next
 * response. HTTP1_BAD_FRAMING: a size that is missing, longer than 16 digits or over 2^63 - 1, a
 * byte that may not stand in an extension or trailer, a line end that is not CRLF; the first
 * byte left is the wrong one. HTTP1_TOO_LARGE: a size line over 16 KiB, trailers over
 * HTTP1_TRAILER_BYTES_MAX, or framing over 64 KiB + 16 bytes per byte of data (what counts as
 * framing: http1_chunked.c). After any result but HTTP1_MORE the decoder must be initialised
 * before it is used again. Neither verdict nor counts depend on how the bytes were cut. */
MUST_USE enum http1_result http1_chunked_next(struct http1_chunked *chunked, const char *data,
                                              size_t len, size_t *ret_used, size_t *ret_span_len);

#endif
