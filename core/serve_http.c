/* Request heads, one line after the other. The one idea: a line is looked at only when its end is
 * there, so the verdict on a head cannot depend on where the bytes were cut; only the search for
 * the end of the line and the maxima see unfinished lines. */
#include "core/serve_http.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/hex.h"

enum { EMPTY_LINES_MAX = 2 };

/* A span of the head. */
struct span {
    const char *at;
    size_t len;
};

/* The parse of one head. */
struct head {
    const char *data;
    struct serve_request *request;
    uint16_t refusal; /* 0 while the head is right. */
    bool has_host;
    bool has_length;
    bool says_close;
    bool says_keep_alive;
};

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token_char(unsigned char c)
{
    static const uint64_t set[4] = {
        UINT64_C(0x03ff6cfa00000000), /* ! # $ % & ' * + - . 0-9 */
        UINT64_C(0x57ffffffc7fffffe), /* A-Z ^ _ ` a-z | ~ */
        0,
        0,
    };

    return (set[c >> 6] >> (c & 63)) & 1;
}

static bool is_token(struct span span)
{
    for (size_t i = 0; i < span.len; i++) {
        if (!is_token_char((unsigned char)span.at[i])) return false;
    }
    return span.len > 0;
}

/* Field values: no controls but HTAB (RFC 9110 section 5.5); a CR here is a bare one. */
static bool is_field_value(struct span span)
{
    for (size_t i = 0; i < span.len; i++) {
        unsigned char c = (unsigned char)span.at[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

/* Compares with a lower-case name, letters in either case. */
static bool span_is(struct span span, const char *lower)
{
    if (span.len != strlen(lower)) return false;
    for (size_t i = 0; i < span.len; i++) {
        char c = span.at[i];

        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c != lower[i]) return false;
    }
    return true;
}

static struct span span_trim(struct span span)
{
    while (span.len > 0 && (span.at[0] == ' ' || span.at[0] == '\t')) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && (span.at[span.len - 1] == ' ' || span.at[span.len - 1] == '\t')) {
        span.len--;
    }
    return span;
}

/* Takes the line at `*at`, without its end, and moves `*at` behind it; false if its end is not
 * there yet. */
static bool take_line(const char *data, size_t len, size_t *at, struct span *ret_line)
{
    const char *start = data + *at;
    const char *end = memchr(start, '\n', len - *at);

    if (end == NULL) return false;
    *at = (size_t)(end + 1 - data);
    if (end > start && end[-1] == '\r') end--;
    *ret_line = (struct span){start, (size_t)(end - start)};
    return true;
}

static void refuse(struct head *head, uint16_t status)
{
    if (head->refusal == 0) head->refusal = status;
}

/* The path is what lies between the authority, if there is one, and the query. */
static void parse_target(struct head *head, struct span target)
{
    const char *query;

    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.at[i];

        if (c <= 0x20 || c >= 0x7f) refuse(head, 400);
    }
    if (target.len == 0) refuse(head, 400);
    if (head->refusal != 0) return;

    if (target.len >= 7 && span_is((struct span){target.at, 7}, "http://")) {
        const char *path = memchr(target.at + 7, '/', target.len - 7);
        const char *end = target.at + target.len;

        if (path == NULL) path = end;
        target = (struct span){path, (size_t)(end - path)};
    }
    query = memchr(target.at, '?', target.len);
    if (query != NULL) target.len = (size_t)(query - target.at);
    head->request->path_at = (uint32_t)(target.at - head->data);
    head->request->path_len = (uint32_t)target.len;
}

static void parse_version(struct head *head, struct span version)
{
    if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.' ||
        version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9') {
        refuse(head, 400);
    } else if (version.at[5] != '1') {
        refuse(head, 505);
    } else {
        head->request->is_http10 = version.at[7] == '0';
    }
}

static void parse_request_line(struct head *head, struct span line)
{
    const char *end = line.at + line.len;
    const char *target = memchr(line.at, ' ', line.len);
    const char *version;
    struct span method;

    if (target == NULL) {
        refuse(head, 400);
        return;
    }
    method = (struct span){line.at, (size_t)(target - line.at)};
    target++;
    version = memchr(target, ' ', (size_t)(end - target));
    if (!is_token(method) || version == NULL) {
        refuse(head, 400);
        return;
    }
    head->request->is_head = method.len == 4 && memcmp(method.at, "HEAD", 4) == 0;
    parse_target(head, (struct span){target, (size_t)(version - target)});
    version++;
    parse_version(head, (struct span){version, (size_t)(end - version)});
}

static void parse_length(struct head *head, struct span value)
{
    uint64_t bytes = 0;

    if (value.len == 0 || value.len > 18) {
        refuse(head, 400);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') {
            refuse(head, 400);
            return;
        }
        bytes = bytes * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (head->has_length && bytes != head->request->body_bytes) refuse(head, 400);
    head->has_length = true;
    head->request->body_bytes = bytes;
}

static void parse_connection(struct head *head, struct span value)
{
    while (value.len > 0) {
        const char *comma = memchr(value.at, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.at);
        struct span option = span_trim((struct span){value.at, len});

        if (span_is(option, "close")) head->says_close = true;
        if (span_is(option, "keep-alive")) head->says_keep_alive = true;
        if (comma == NULL) return;
        value = (struct span){comma + 1, value.len - len - 1};
    }
}

static void parse_field(struct head *head, struct span line)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct span name, value;

    if (colon == NULL) {
        refuse(head, 400);
        return;
    }
    name = (struct span){line.at, (size_t)(colon - line.at)};
    value = span_trim((struct span){colon + 1, line.len - name.len - 1});
    if (!is_token(name) || !is_field_value(value)) {
        refuse(head, 400);
        return;
    }
    if (span_is(name, "host")) {
        if (head->has_host) refuse(head, 400);
        head->has_host = true;
    } else if (span_is(name, "content-length")) {
        parse_length(head, value);
    } else if (span_is(name, "transfer-encoding")) {
        if (!span_is(value, "chunked")) refuse(head, 501);
        if (head->request->chunked) refuse(head, 400);
        head->request->chunked = true;
    } else if (span_is(name, "connection")) {
        parse_connection(head, value);
    } else if (span_is(name, "expect")) {
        if (!span_is(value, "100-continue")) refuse(head, 417);
        head->request->expects_continue = true;
    } else if (span_is(name, "x-request-id")) {
        head->request->id_at = (uint32_t)(value.at - head->data);
        head->request->id_len = (uint32_t)value.len;
    }
}

/* What only the whole head can tell. */
static void judge_head(struct head *head)
{
    struct serve_request *request = head->request;

    if (!head->has_host && !request->is_http10) refuse(head, 400);
    if (request->chunked && (head->has_length || request->is_http10)) refuse(head, 400);
    if (request->is_http10) request->expects_continue = false;
    request->persists = !head->says_close && (!request->is_http10 || head->says_keep_alive);
}

/* An unfinished head: it may be too long, or its first byte may already show that it is not
 * HTTP (a TLS greeting), which need not wait for a line end that may never come. */
static enum serve_http_result parse_unfinished(const char *data, size_t len, uint16_t *ret_status)
{
    if (len >= SERVE_HEAD_BYTES_MAX) {
        *ret_status = 431;
        return SERVE_HTTP_BAD;
    }
    if (len > 0 && !is_token_char((unsigned char)data[0]) && data[0] != '\r' && data[0] != '\n') {
        *ret_status = 400;
        return SERVE_HTTP_BAD;
    }
    return SERVE_HTTP_MORE;
}

enum serve_http_result serve_http_parse(const char *data, size_t len,
                                        struct serve_request *ret_request, uint16_t *ret_status)
{
    struct serve_request request = {0};
    struct head head = {.data = data, .request = &request};
    uint32_t lines = 0, empty = 0;
    struct span line;
    size_t at = 0;

    for (;;) {
        if (!take_line(data, len, &at, &line)) return parse_unfinished(data, len, ret_status);
        if (at > SERVE_HEAD_BYTES_MAX || lines > SERVE_FIELDS_MAX + 1) refuse(&head, 431);
        if (line.len == 0 && lines == 0) {
            if (++empty > EMPTY_LINES_MAX) refuse(&head, 400);
        } else if (line.len == 0) {
            break;
        } else if (lines++ == 0) {
            parse_request_line(&head, line);
        } else {
            parse_field(&head, line);
        }
        if (head.refusal != 0) break;
    }
    if (head.refusal == 0) judge_head(&head);
    if (head.refusal != 0) {
        *ret_status = head.refusal;
        return SERVE_HTTP_BAD;
    }
    request.head_bytes = (uint32_t)at;
    *ret_request = request;
    return SERVE_HTTP_DONE;
}

enum {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_CR,
    CHUNK_LF,
    CHUNK_TRAILER,
    CHUNK_TRAILER_LINE,
    CHUNK_END_LF
};

/* One byte of a size line: true unless it is wrong. */
static bool chunk_size_byte(struct serve_chunked *chunked, char c)
{
    int digit = hex_digit(c);

    if (++chunked->line_bytes > SERVE_CHUNK_LINE_MAX) return false;
    if (chunked->state == CHUNK_SIZE && digit >= 0) {
        if (++chunked->digits > 15) return false;
        chunked->left = chunked->left * 16 + (uint64_t)digit;
        return true;
    }
    if (chunked->digits == 0) return false;
    if (c == '\r') {
        chunked->state = CHUNK_SIZE_LF;
        return true;
    }
    if (chunked->state == CHUNK_SIZE && c != ';' && c != ' ' && c != '\t') return false;
    chunked->state = CHUNK_EXTENSION;
    return c != '\n';
}

/* One byte of the trailers: true unless it is wrong. */
static bool chunk_trailer_byte(struct serve_chunked *chunked, char c)
{
    if (++chunked->line_bytes > SERVE_TRAILERS_MAX) return false;
    if (chunked->state == CHUNK_TRAILER && c == '\r') {
        chunked->state = CHUNK_END_LF;
    } else {
        chunked->state = c == '\n' ? CHUNK_TRAILER : CHUNK_TRAILER_LINE;
    }
    return true;
}

/* One byte that is not chunk data: true unless it is wrong. */
static bool chunk_byte(struct serve_chunked *chunked, char c)
{
    switch (chunked->state) {
    case CHUNK_SIZE:
    case CHUNK_EXTENSION: return chunk_size_byte(chunked, c);
    case CHUNK_SIZE_LF:
        chunked->state = chunked->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        chunked->line_bytes = 0;
        return c == '\n';
    case CHUNK_CR: chunked->state = CHUNK_LF; return c == '\r';
    case CHUNK_LF: *chunked = (struct serve_chunked){.state = CHUNK_SIZE}; return c == '\n';
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_LINE: return chunk_trailer_byte(chunked, c);
    case CHUNK_END_LF: return c == '\n';
    default: UNREACHABLE("a state of the chunked decoder"); return false;
    }
}

enum serve_http_result serve_chunked_next(struct serve_chunked *chunked, const char *data,
                                          size_t len, size_t *ret_used, size_t *ret_span_len)
{
    for (size_t at = 0; at < len; at++) {
        bool last = chunked->state == CHUNK_END_LF;

        if (chunked->state == CHUNK_DATA) {
            size_t span = (size_t)min_u64(chunked->left, len - at);

            chunked->left -= span;
            if (chunked->left == 0) chunked->state = CHUNK_CR;
            *ret_used = at + span;
            *ret_span_len = span;
            return SERVE_HTTP_MORE;
        }
        if (!chunk_byte(chunked, data[at])) return SERVE_HTTP_BAD;
        if (last) {
            *ret_used = at + 1;
            *ret_span_len = 0;
            return SERVE_HTTP_DONE;
        }
    }
    *ret_used = len;
    *ret_span_len = 0;
    return SERVE_HTTP_MORE;
}
