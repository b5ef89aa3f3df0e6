/* serve_http: HTTP/1.1 requests as the test target reads them (RFC 9112), bytes in, facts out.
 *
 * Strict, because a test target that forgives hides its client's mistakes. Nothing is stored and
 * nothing is allocated: offsets point into the caller's bytes.
 *
 * Threads: any; no state but the caller's. */
#ifndef CORE_SERVE_HTTP_H
#define CORE_SERVE_HTTP_H

#include "core/base/defs.h"

enum {
    SERVE_HEAD_BYTES_MAX = 32 * 1024, /* Longest request head; above it: 431. */
    SERVE_FIELDS_MAX = 128,           /* Most fields in a head; above it: 431. */
    SERVE_CHUNK_LINE_MAX = 4 * 1024,  /* Longest chunk size line with its extensions. */
    SERVE_TRAILERS_MAX = 16 * 1024,   /* Most bytes of trailers, which are dropped. */
};

enum serve_http_result {
    SERVE_HTTP_DONE, /* Complete; the out-parameters are set. */
    SERVE_HTTP_MORE, /* Right so far, more bytes are needed. */
    SERVE_HTTP_BAD,  /* Refused. */
};

/* What a request head says. Offsets are from the first byte of the data given. */
struct serve_request {
    uint64_t body_bytes; /* Content-Length; 0 if there is none. Not valid if `chunked`. */
    uint32_t head_bytes; /* Length of the head, empty lines before it and its own included. */
    uint32_t path_at;    /* The path, without a query and without scheme and authority. */
    uint32_t path_len;
    uint32_t id_at;        /* Value of X-Request-Id; */
    uint32_t id_len;       /* 0 if there is none. */
    bool is_head;          /* The method is HEAD. */
    bool is_http10;        /* HTTP/1.0; any other 1.x counts as 1.1. */
    bool chunked;          /* The body has the chunked transfer coding. */
    bool expects_continue; /* Expect: 100-continue, in HTTP/1.1. */
    bool persists;         /* The client wants to keep the connection (section 9.3). */
};

/* Parses the head at the start of `data`. On SERVE_HTTP_DONE `ret_request` is filled; on
 * SERVE_HTTP_BAD `ret_status` is the status to refuse with: 400, 417 (an expectation other than
 * 100-continue), 431 (over a maximum above), 501 (a transfer coding other than chunked), 505 (not
 * HTTP/1.x). Of the two only that one is written. Whether a head is taken does not depend on how
 * its bytes were cut.
 *
 * Choices (RFC 9112 sections 2.2, 3, 5, 6): up to two empty lines before the request line are
 * skipped; a single LF ends a line; a bare CR, controls, obs-fold and white space before a colon
 * are refused; HTTP/1.1 needs exactly one Host; Content-Length is one number (repeats must be
 * equal); Transfer-Encoding together with Content-Length or in HTTP/1.0 is refused. */
MUST_USE enum serve_http_result serve_http_parse(const char *data, size_t len,
                                                 struct serve_request *ret_request,
                                                 uint16_t *ret_status);

/* Decoder state of one chunked body. Zero it before the first byte. */
struct serve_chunked {
    uint64_t left;       /* Bytes left of the current chunk's data. */
    uint32_t line_bytes; /* Of the size line or of the trailers so far. */
    uint8_t state;
    uint8_t digits; /* Of the size being read: at most 15. */
};

/* Reads from `data` up to the end of one span of body data. On DONE and MORE `ret_used` says how
 * many bytes were consumed and `ret_span_len` how many of them, the last ones, are body data.
 * MORE: call again with what is left, or with the next bytes. DONE: the body and its trailers are
 * over, what is left is the next request. BAD: a wrong size or line end, or over a maximum. */
MUST_USE enum serve_http_result serve_chunked_next(struct serve_chunked *chunked, const char *data,
                                                   size_t len, size_t *ret_used,
                                                   size_t *ret_span_len);

#endif
