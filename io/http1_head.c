/* http1_head: the strict parser of a response's head.
 *
 * The verdict is a function of the bytes alone, not of how they were cut:
 *   1. Of the first 13 bytes those that are there must fit "HTTP/1.d ddd" and its delimiter,
 *      else HTTP1_BAD at once.
 *   2. The head ends with the first LF that LF or CRLF follows. If there is none among the first
 *      head_bytes_max bytes: HTTP1_TOO_LARGE when that many are there, else HTTP1_MORE.
 *   3. Otherwise the head's lines decide, read in order.
 * In practice the lines are read first, in one pass, in the hope that the end is there: a wrong
 * line and a missing end look the same to that pass, and only then is the end searched for.
 *
 * Values may hold folds (CR, LF and the white space after them), which are checked where the
 * line is split; whoever reads such a value takes CR and LF for white space. */
#include "io/http1.h"

#include <string.h>
#include <strings.h>

#include "core/base/check.h"
#include "io/http1_scan.h"

enum { STATUS_LINE_FIXED = 13 }; /* "HTTP/1.1 200" and the byte after it. */

/* A field's value in the head: not trimmed, and with the line ends of its folds if it has any. */
struct value {
    const char *at;
    const char *end;
    bool folded;
};

/* What is being read, and what the lines so far have said of the framing. */
struct reader {
    struct http1_scan scan; /* Over the bytes that may be read. */
    bool bad_length;        /* A Content-Length that is no number, or two that differ. */
    bool bad_te;
};

static inline uint64_t load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint32_t load4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* Eight bytes with upper-case letters made lower. Other bytes change too, but nothing becomes a
 * letter that was none, and only CR becomes a hyphen, which no token or option holds. */
static inline uint64_t load8_lower(const char *p)
{
    return load8(p) | UINT64_C(0x2020202020202020);
}

static inline uint32_t load4_lower(const char *p)
{
    return load4(p) | UINT32_C(0x20202020);
}

static inline bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static inline const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p)) {
        p++;
    }
    return p;
}

/* Rule 1 above, all of it there. */
static inline bool starts_right(const char *data)
{
    return load4(data) == load4("HTTP") && load4(data + 3) == load4("P/1.") &&
           http1_is_digit(data[7]) && data[8] == ' ' && data[9] != '0' && http1_is_digit(data[9]) &&
           http1_is_digit(data[10]) && http1_is_digit(data[11]) &&
           (data[12] == ' ' || data[12] == '\r' || data[12] == '\n');
}

/* The same when the end is not there yet: judged with a right one. */
static __attribute__((noinline)) bool short_starts_right(const char *data, size_t len)
{
    char line[] = "HTTP/1.1 200 ";

    memcpy(line, data, len);
    return starts_right(line);
}

/* Whether a head ends in [data + from, end), its last LF at the earliest there. */
static __attribute__((noinline)) bool has_end(const char *data, size_t from, const char *end)
{
    const char *p = data + from;

    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        if (p < end && *p == '\n') return true;
        if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') return true;
    }
    return false;
}

/* The start of the next line if a line end is at `p`, else NULL. */
static inline const char *line_end(const char *p, const char *end)
{
    if (likely(end - p >= 2 && p[0] == '\r' && p[1] == '\n')) return p + 2;
    return p < end && *p == '\n' ? p + 1 : NULL;
}

/* Content-Length: a number or a list of equal ones (RFC 9110 section 8.6), equal to those of
 * earlier fields too. Up to 2^63 - 1, so that sums of a few cannot wrap. */
static bool read_length(struct value value, struct http1_head *head)
{
    const char *p = value.at, *end = value.end;

    for (;;) {
        uint64_t number = 0;

        p = skip_space(p, end);
        if (p == end || !http1_is_digit(*p)) return false;
        for (; p < end && http1_is_digit(*p); p++) {
            uint64_t digit = (uint64_t)(*p - '0');

            if (number > ((uint64_t)INT64_MAX - digit) / 10) return false;
            number = number * 10 + digit;
        }
        if (head->has_length && head->content_length != number) return false;
        head->has_length = true;
        head->content_length = number;
        p = skip_space(p, end);
        if (p == end) return true;
        if (*p++ != ',') return false;
    }
}

/* Past the parameters at `p`, which end at a comma outside quotes; NULL if a quote stays open. */
static const char *skip_parameters(const char *p, const char *end)
{
    bool quoted = false;

    for (; p < end && (quoted || *p != ','); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '\\' && quoted && ++p == end) {
            break;
        }
    }
    return quoted ? NULL : p;
}

/* Transfer-Encoding: a list of codings. Chunked must come once, last and bare. A folded one is
 * not believed: where readers disagree about folds they would disagree about the body. */
static __attribute__((noinline)) bool read_te(struct value value, struct http1_head *head)
{
    const char *p = value.at, *end = value.end;
    bool empty = !head->has_te;

    head->has_te = true;
    if (value.folded) return false;
    for (;;) {
        const char *name;
        bool chunked;

        while (p < end && (http1_is_blank(*p) || *p == ',')) { /* Empty elements are legal. */
            p++;
        }
        if (p == end) return !empty;
        empty = false;
        if (head->chunked) return false;
        for (name = p; p < end && http1_is_token(*p);) {
            p++;
        }
        chunked = p - name == 7 && strncasecmp(name, "chunked", 7) == 0;
        if (p == name) return false;
        p = skip_space(p, end);
        if (p < end && *p == ';' && !chunked) p = skip_parameters(p, end);
        if (p == NULL || (p < end && *p != ',')) return false;
        head->chunked = chunked;
    }
}

/* One connection option (RFC 9110 section 7.6.1), of which two concern us. */
static inline bool read_option(const char *p, size_t len, struct http1_head *head)
{
    bool keep_alive =
        len == 10 && load8_lower(p) == load8("keep-ali") && load8_lower(p + 2) == load8("ep-alive");
    bool close = len == 5 && load4_lower(p) == load4("clos") && (p[4] | 0x20) == 'e';

    head->says_keep_alive |= keep_alive;
    head->says_close |= close;
    return keep_alive || close;
}

/* Connection: mostly one option alone, else a list. */
static void read_connection(struct value value, struct http1_head *head)
{
    const char *p = skip_space(value.at, value.end), *end = value.end;

    if (likely(read_option(p, (size_t)(end - p), head))) return;
    while (p < end) {
        const char *option = p = skip_space(p, end), *option_end;

        while (p < end && *p != ',') {
            p++;
        }
        option_end = p++;
        while (option_end > option && is_space(option_end[-1])) {
            option_end--;
        }
        (void)read_option(option, (size_t)(option_end - option), head);
    }
}

/* Date: remembers where it is, for the shortcut of http1_same. */
static void read_date(struct value value, const char *begin, struct http1_head *head)
{
    const char *p = skip_space(value.at, value.end), *end = value.end;

    if (value.folded || head->date_len != 0) return;
    while (end > p && is_space(end[-1])) {
        end--;
    }
    if (end == p) return;
    head->date_at = (uint32_t)(p - begin);
    head->date_len = (uint32_t)(end - p);
}

/* Sorts one field by its name. The names that matter differ in length. */
static inline void read_field(const char *name, size_t name_len, struct value value,
                              struct reader *reader, struct http1_head *head)
{
    switch (name_len) {
    case 4:
        if (load4_lower(name) == load4("date")) read_date(value, reader->scan.begin, head);
        break;
    case 10:
        if (load8_lower(name) == load8("connecti") && load8_lower(name + 2) == load8("nnection")) {
            read_connection(value, head);
        }
        break;
    case 14:
        if (load8_lower(name) == load8("content-") && load8_lower(name + 6) == load8("t-length")) {
            reader->bad_length |= !read_length(value, head);
        }
        break;
    case 17:
        if (load8_lower(name) == load8("transfer") && load8_lower(name + 8) == load8("-encodin") &&
            load8_lower(name + 9) == load8("encoding")) {
            reader->bad_te |= !read_te(value, head);
        }
        break;
    default: break;
    }
}

/* Reads the lines at `next` that continue a field (obs-fold, RFC 9112 section 5.2). Returns the
 * start of the line after them, NULL if one is wrong or has no end. */
static __attribute__((noinline)) const char *skip_folds(const char *next, struct reader *reader)
{
    while (next != NULL && next < reader->scan.end && http1_is_blank(*next)) {
        next = line_end(http1_scan_text(&reader->scan, next), reader->scan.end);
    }
    return next;
}

/* Whether a line, with its line end, is longer than lines may be. */
static bool has_long_line(const char *p, const char *end)
{
    while (p < end) {
        const char *next = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;

        if (next - p > HTTP1_LINE_BYTES_MAX) return true;
        p = next;
    }
    return false;
}

/* Reads the lines of the head at reader->scan.begin, whose fixed part is known to be right. A head
 * without an end is HTTP1_BAD here: the caller tells the two apart. */
static enum http1_result read_lines(struct reader *reader, struct http1_head *head)
{
    const char *begin = reader->scan.begin, *end = reader->scan.end;
    const char *p = line_end(http1_scan_text(&reader->scan, begin + STATUS_LINE_FIXED - 1), end);
    uint32_t fields;

    if (p == NULL) return HTTP1_BAD;
    for (fields = 0;; fields++) {
        const char *name = p, *name_end = http1_scan_name(&reader->scan, p);
        struct value value = {0};

        if (name_end == end) return HTTP1_BAD;
        if (name_end == name) break;
        if (*name_end != ':') return HTTP1_BAD;
        value.at = name_end + 1;
        value.end = http1_scan_text(&reader->scan, value.at);
        p = line_end(value.end, end);
        if (p == NULL || p == end) return HTTP1_BAD;
        if (unlikely(http1_is_blank(*p))) {
            p = skip_folds(p, reader);
            if (p == NULL) return HTTP1_BAD;
            value.end = p;
            value.folded = true;
        }
        read_field(name, (size_t)(name_end - name), value, reader, head);
    }
    p = line_end(p, end); /* The empty line, if it is empty. */
    if (p == NULL) return HTTP1_BAD;
    head->bytes = (uint32_t)(p - begin);
    head->version_minor = begin[7] != '0';
    head->status = (uint16_t)((begin[9] - '0') * 100 + (begin[10] - '0') * 10 + (begin[11] - '0'));

    if (fields > HTTP1_FIELDS_MAX) return HTTP1_TOO_LARGE;
    if (head->bytes > HTTP1_LINE_BYTES_MAX && has_long_line(begin, p)) return HTTP1_TOO_LARGE;
    if (reader->bad_te || (head->has_te && head->version_minor == 0)) return HTTP1_BAD_FRAMING;
    if (reader->bad_length && !head->has_te) return HTTP1_BAD_FRAMING;
    if (reader->bad_length) head->content_length = 0; /* Transfer-Encoding overrides it. */
    head->has_length |= reader->bad_length;
    return HTTP1_DONE;
}

enum http1_result http1_parse_head(const char *data, size_t len, size_t len_seen,
                                   size_t head_bytes_max, struct http1_head *ret_head)
{
    size_t limit = len < head_bytes_max ? len : head_bytes_max;
    struct reader reader;
    struct http1_head head = {0};
    enum http1_result unfinished = len < head_bytes_max ? HTTP1_MORE : HTTP1_TOO_LARGE;
    enum http1_result result;

    CHECK(head_bytes_max >= 1 && head_bytes_max <= HTTP1_HEAD_BYTES_MAX);
    CHECK(len_seen <= limit);

    if (unlikely(limit < STATUS_LINE_FIXED)) {
        return short_starts_right(data, limit) ? unfinished : HTTP1_BAD;
    }
    if (unlikely(!starts_right(data))) return HTTP1_BAD;
    if (len_seen > 3 && !has_end(data, len_seen - 3, data + limit)) return unfinished;
    reader = (struct reader){0};
    http1_scan_init(&reader.scan, data, data + limit);
    result = read_lines(&reader, &head);
    if (likely(result == HTTP1_DONE)) {
        *ret_head = head;
    } else if (!has_end(data, 0, data + limit)) {
        result = unfinished;
    }
    return result;
}
