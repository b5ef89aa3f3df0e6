/* http1_head: the strict parser of a response head.
 *
 * One pass over contiguous bytes, line by line. The line ends are found by memchr, which is as
 * wide as the machine; names are looked at only if their length and first letter are those of a
 * field that matters here. */
#include <string.h>
#include <strings.h>

#include "io/http1.h"

/* RFC 9110 section 5.6.2: characters of a token. */
static bool is_token_char(unsigned char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) return true;
    return c != '\0' && memchr(others, c, sizeof(others) - 1) != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* One bit per byte of `word` that is a control character other than HTAB, or DEL. */
static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 32 && c != '\t') || c == 127) return true;
    }
    return false;
}

struct span {
    const char *at;
    size_t len;
};

static struct span trim(const char *at, size_t len)
{
    while (len > 0 && is_space(at[0])) {
        at++;
        len--;
    }
    while (len > 0 && is_space(at[len - 1])) {
        len--;
    }
    return (struct span){at, len};
}

/* Takes the next element of a comma-separated list; false at its end. Empty ones are skipped. */
static bool next_element(struct span *list, struct span *element)
{
    while (list->len > 0) {
        const char *comma = memchr(list->at, ',', list->len);
        size_t len = comma != NULL ? (size_t)(comma - list->at) : list->len;

        *element = trim(list->at, len);
        list->at += len;
        list->len -= len;
        if (comma != NULL) {
            list->at++;
            list->len--;
        }
        if (element->len > 0) return true;
    }
    return false;
}

static bool span_is(struct span span, const char *word)
{
    return span.len == strlen(word) && strncasecmp(span.at, word, span.len) == 0;
}

static bool parse_digits(struct span span, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (span.len == 0) return false;
    for (size_t i = 0; i < span.len; i++) {
        if (span.at[i] < '0' || span.at[i] > '9') return false;
        if (__builtin_mul_overflow(value, 10u, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(span.at[i] - '0'), &value)) return false;
    }
    if (value > INT64_MAX) return false;
    *ret_value = value;
    return true;
}

/* RFC 9112 section 6.3 rule 5: digits, or a list of identical ones. */
static enum http1_result take_length(struct span value, struct http1_head *head)
{
    struct span element;
    uint64_t length;
    bool any = false;

    while (next_element(&value, &element)) {
        if (!parse_digits(element, &length)) return HTTP1_BAD_FRAMING;
        if (head->has_length && head->content_length != length) return HTTP1_BAD_FRAMING;
        head->has_length = true;
        head->content_length = length;
        any = true;
    }
    return any ? HTTP1_DONE : HTTP1_BAD_FRAMING;
}

/* RFC 9112 section 6.1: chunked once, last, without parameters. */
static enum http1_result take_transfer_encoding(struct span value, struct http1_head *head)
{
    struct span element;

    while (next_element(&value, &element)) {
        if (head->chunked) return HTTP1_BAD_FRAMING; /* Something after chunked, or it twice. */
        head->has_te = true;
        if (span_is(element, "chunked")) {
            head->chunked = true;
        } else if (element.len >= 7 && strncasecmp(element.at, "chunked", 7) == 0 &&
                   (element.at[7 % element.len] == ';' || is_space(element.at[7 % element.len]))) {
            return HTTP1_BAD_FRAMING; /* chunked with parameters */
        }
    }
    return head->has_te ? HTTP1_DONE : HTTP1_BAD_FRAMING;
}

static void take_connection(struct span value, struct http1_head *head)
{
    struct span element;

    while (next_element(&value, &element)) {
        if (span_is(element, "close")) head->says_close = true;
        if (span_is(element, "keep-alive")) head->says_keep_alive = true;
    }
}

/* One field that matters: names are told apart by their length first. */
static enum http1_result take_field(struct span name, struct span value, const char *start,
                                    struct http1_head *head)
{
    switch (name.len) {
    case 4:
        if (head->date_len == 0 && span_is(name, "date") && value.len > 0) {
            head->date_at = (uint32_t)(value.at - start);
            head->date_len = (uint32_t)value.len;
        }
        break;
    case 10:
        if (span_is(name, "connection")) take_connection(value, head);
        break;
    case 14:
        if (span_is(name, "content-length")) return take_length(value, head);
        break;
    case 17:
        if (span_is(name, "transfer-encoding")) return take_transfer_encoding(value, head);
        break;
    default: break;
    }
    return HTTP1_DONE;
}

/* "HTTP/1.x SP 3DIGIT [SP [reason]]"; `len` without the line end. */
static enum http1_result parse_status_line(const char *line, size_t len, struct http1_head *head)
{
    if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0) return HTTP1_BAD;
    if (line[7] < '0' || line[7] > '9' || line[8] != ' ') return HTTP1_BAD;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') return HTTP1_BAD;
    }
    head->version_minor = line[7] == '0' ? 0 : 1;
    head->status =
        (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
    if (head->status < 100) return HTTP1_BAD;
    if (len > 12 && (line[12] != ' ' || has_control(line + 13, len - 13))) return HTTP1_BAD;
    return HTTP1_DONE;
}

/* One field line, `folded` when lines that begin with white space were joined to it. */
static enum http1_result parse_field(const char *line, size_t len, const char *start, bool folded,
                                     struct http1_head *head)
{
    const char *colon = memchr(line, ':', len);
    struct span name, value;
    enum http1_result result;
    uint32_t date_len = head->date_len;

    if (colon == NULL || colon == line) return HTTP1_BAD;
    name = (struct span){line, (size_t)(colon - line)};
    for (size_t i = 0; i < name.len; i++) {
        if (!is_token_char((unsigned char)name.at[i])) return HTTP1_BAD;
    }
    value = trim(colon + 1, len - name.len - 1);
    if (!folded && has_control(value.at, value.len)) return HTTP1_BAD;
    result = take_field(name, value, start, head);
    if (folded && head->date_len != date_len) { /* Its bytes are not one run of text. */
        head->date_at = 0;
        head->date_len = 0;
    }
    return result;
}

static const char *find_line_end(const char *at, const char *end)
{
    return at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
}

/* Length of the line from `at` to the LF at `lf`, without LF and a CR before it. */
static size_t line_length(const char *at, const char *lf)
{
    return (size_t)(lf - at) - (lf > at && lf[-1] == '\r');
}

/* True if the empty line that ends a head may be among the bytes from `from` on. */
static bool has_empty_line(const char *data, size_t len, size_t from)
{
    const char *end = data + len;
    const char *lf = find_line_end(data + from, end);

    while (lf != NULL) {
        if (lf + 1 < end && lf[1] == '\n') return true;
        if (lf + 2 < end && lf[1] == '\r' && lf[2] == '\n') return true;
        lf = find_line_end(lf + 1, end);
    }
    return false;
}

/* The fields that need obs-fold undone before they are read, joined in `joined`. */
static enum http1_result parse_folded(const char *line, size_t len, struct http1_head *head)
{
    char joined[HTTP1_LINE_BYTES_MAX];
    size_t joined_len = 0;

    for (size_t i = 0; i < len; i++) {
        char c = line[i];

        if (c == '\r' && i + 1 < len && line[i + 1] == '\n') continue;
        joined[joined_len++] = c == '\n' ? ' ' : c;
    }
    if (has_control(joined, joined_len)) return HTTP1_BAD;
    return parse_field(joined, joined_len, joined, true, head);
}

/* Reads the field lines from `at`; `ret_at` is then behind the empty line. */
static enum http1_result parse_fields(const char *data, const char *at, const char *end,
                                      struct http1_head *head)
{
    uint32_t fields = 0;

    for (;;) {
        const char *lf = find_line_end(at, end);
        const char *first_lf = lf;
        enum http1_result result;
        size_t len;

        if (lf == NULL) return end - at > HTTP1_LINE_BYTES_MAX ? HTTP1_TOO_LARGE : HTTP1_MORE;
        len = line_length(at, lf);
        if (len == 0) {
            head->bytes = (uint32_t)(lf + 1 - data);
            return HTTP1_DONE;
        }
        if (fields == 0 && is_space(at[0])) return HTTP1_BAD;
        for (;;) { /* obs-fold: lines that begin with white space go on with this one. */
            if (lf + 1 == end) return HTTP1_MORE;
            if (!is_space(lf[1])) break;
            lf = find_line_end(lf + 1, end);
            if (lf == NULL) return HTTP1_MORE;
            len = line_length(at, lf);
        }
        if (len > HTTP1_LINE_BYTES_MAX || ++fields > HTTP1_FIELDS_MAX) return HTTP1_TOO_LARGE;
        result = lf == first_lf ? parse_field(at, len, data, false, head)
                                : parse_folded(at, len, head);
        if (result != HTTP1_DONE) return result;
        at = lf + 1;
    }
}

enum http1_result http1_parse_head(const char *data, size_t len, size_t len_seen,
                                   size_t head_bytes_max, struct http1_head *ret_head)
{
    static const char start[] = "HTTP/1.";
    struct http1_head head = {0};
    size_t start_len = len < sizeof(start) - 1 ? len : sizeof(start) - 1;
    const char *lf;
    enum http1_result result;

    if (memcmp(data, start, start_len) != 0) return HTTP1_BAD;
    if (len_seen > 0 && !has_empty_line(data, len, len_seen > 3 ? len_seen - 3 : 0)) {
        return len >= head_bytes_max ? HTTP1_TOO_LARGE : HTTP1_MORE;
    }
    if (len > head_bytes_max) len = head_bytes_max;
    lf = find_line_end(data, data + len);
    if (lf == NULL) return len >= HTTP1_LINE_BYTES_MAX ? HTTP1_TOO_LARGE : HTTP1_MORE;
    result = parse_status_line(data, line_length(data, lf), &head);
    if (result == HTTP1_DONE) result = parse_fields(data, lf + 1, data + len, &head);
    if (result == HTTP1_MORE && len >= head_bytes_max) return HTTP1_TOO_LARGE;
    if (result != HTTP1_DONE) return result;
    if (head.has_te && head.version_minor == 0) return HTTP1_BAD_FRAMING;
    *ret_head = head;
    return HTTP1_DONE;
}
