/* request: what is sent, made once as bytes (config/plan.h: struct plan_request).
 *
 * Threads: as the plan's, while it is made. */
#ifndef CONFIG_REQUEST_H
#define CONFIG_REQUEST_H

#include "config/plan.h"

struct plan_header {
    const char *name;
    const char *value;
};

/* What request building needs; all borrowed for the call. */
struct plan_request_options {
    const struct plan_target *url; /* Its URL and path; NULL: those of the target. */
    uint32_t weight;               /* 0 counts as 1. */
    const char *method;
    const struct plan_header *headers; /* In the order given; a name may come twice. */
    size_t headers_count;
    const char *body; /* NULL: none. */
    size_t body_len;
    bool chunked; /* In the chunked coding (RFC 9112 section 7.1), as one chunk. */
    bool apart;   /* The body is plan.body and not among the bytes; `body` only says that there is
                     one. */
};

/* Parses "Name: value" (white space around the value is dropped; an empty value is fine).
 * ERR_USAGE when there is no colon, the name is empty or not a token (RFC 9110 section 5.1), or
 * the value holds CR, LF, NUL. */
MUST_USE enum err plan_parse_header(struct arena *arena, const char *text,
                                    struct plan_header *ret_header, struct err_info *why);

/* ERR_USAGE when `method` is not a token (RFC 9110 section 9.1), or is CONNECT, which makes a
 * tunnel and not a request. */
MUST_USE enum err plan_check_method(const char *method, struct err_info *why);

/* Makes `target` one that the plan's proxy is asked for by CONNECT (RFC 9110 section 9.3.6), in
 * the plan's arena. ERR_MEMORY. */
MUST_USE enum err plan_add_tunnel(struct plan *plan, struct plan_target *target,
                                  struct err_info *why);

/* Builds the bytes of one request to `target`, in the plan's arena: request line (to a proxy
 * without a tunnel in absolute form, with Proxy-Authorization), Host (unless given among the
 * headers), the headers in order, Content-Length when there is a body or the method is POST, PUT or
 * PATCH (unless it or Transfer-Encoding is given), "Connection: close" in the last request of a
 * connection (unless a Connection is given; then there is no other last request), "Expect:
 * 100-continue" if the plan expects it, X-Request-Id if `ids`, then the body unless it is apart.
 * ERR_USAGE as plan_check_method(), when a Content-Length given is not the body's (the server would
 * read into the next request), or when X-Request-Id is given with `ids`. ERR_MEMORY. */
MUST_USE enum err plan_build_request(struct plan *plan, uint32_t target,
                                     const struct plan_request_options *options,
                                     struct plan_request *ret_request, struct err_info *why);

/* Puts the framing of one chunk around plan.body, which is a single span. Where the body waits for
 * leave so does the chunk's length; else that is among the bytes of requests. ERR_MEMORY. */
MUST_USE enum err plan_chunk_body(struct plan *plan, struct err_info *why);

#endif
