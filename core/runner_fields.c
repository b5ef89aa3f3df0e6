/* What expressions see of a request and its answer: method, URL, headers, bodies, times. Made from
 * the bytes that were sent and received, only when asked for. */
#include <string.h>
#include <strings.h>

#include "core/base/check.h"
#include "core/base/hex.h"
#include "core/runner_impl.h"

enum { FIELDS_MAX = 256, NAME_BYTES_MAX = 256 };

struct span {
    const char *text;
    size_t len;
};

/* One field of a head. */
struct field {
    struct span name, value;
};

/* The line at `*at`, without its end; false at the empty line or the end. */
static bool next_line(const char **at, const char *end, struct span *ret_line)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = lf == NULL ? end : lf;

    ret_line->text = *at;
    ret_line->len = (size_t)(stop - *at);
    if (ret_line->len > 0 && stop[-1] == '\r') ret_line->len--;
    *at = lf == NULL ? end : lf + 1;
    return ret_line->len > 0;
}

static bool next_field(const char **at, const char *end, struct field *ret_field)
{
    struct span line;
    const char *colon;

    do {
        if (*at == end || !next_line(at, end, &line)) return false;
        colon = memchr(line.text, ':', line.len);
    } while (colon == NULL || line.text[0] == ' ' || line.text[0] == '\t'); /* obs-fold */
    ret_field->name = (struct span){line.text, (size_t)(colon - line.text)};
    ret_field->value = (struct span){colon + 1, line.len - ret_field->name.len - 1};
    while (ret_field->value.len > 0 &&
           (*ret_field->value.text == ' ' || *ret_field->value.text == '\t')) {
        ret_field->value.text++;
        ret_field->value.len--;
    }
    return true;
}

/* A string value; what is not UTF-8 reads as the marker of bodies. */
static struct value string_of(struct span span)
{
    if (!json_is_utf8(span.text, span.len)) return value_str("<<binary data>>");
    return value_string(span.text, span.len);
}

static bool is_name(struct span name, const char *member, size_t len)
{
    return name.len == len && strncasecmp(name.text, member, len) == 0;
}

/* One header by its name: the last value, or all as an array. */
static enum expr_error one_header(struct span head, const struct expr_field *asked, bool all,
                                  struct scratch *scratch, struct value *ret_value)
{
    struct value values[FIELDS_MAX];
    const char *at = head.text, *end = head.text + head.len;
    struct field field;
    struct span line;
    uint32_t count = 0;
    struct value *copy;

    (void)next_line(&at, end, &line);
    while (count < FIELDS_MAX && next_field(&at, end, &field)) {
        if (is_name(field.name, asked->member, asked->member_len)) {
            values[count++] = string_of(field.value);
        }
    }
    *ret_value = count == 0 ? value_null() : values[count - 1];
    if (!all || count == 0) return EXPR_OK;
    copy = scratch_alloc(scratch, count * sizeof(*copy));
    if (copy == NULL) return EXPR_FULL;
    memcpy(copy, values, count * sizeof(*copy));
    return value_array(copy, count, ret_value) ? EXPR_OK : EXPR_TOO_LARGE;
}

/* The name in lower case, in the scratch; len UINT32_MAX when that is full. */
static struct value lower(struct span name, struct scratch *scratch)
{
    char *text = scratch_alloc(scratch, name.len);

    if (text == NULL) return value_null();
    for (size_t i = 0; i < name.len; i++) {
        char c = name.text[i];

        text[i] = c;
        if (c >= 'A' && c <= 'Z') text[i] = (char)(c | 0x20);
    }
    return string_of((struct span){text, name.len});
}

/* All headers: an object by name, of the last values or of arrays of all. */
static enum expr_error all_headers(struct span head, bool all, struct scratch *scratch,
                                   struct value *ret_value)
{
    struct value_member *members = scratch_alloc(scratch, FIELDS_MAX * sizeof(*members));
    const char *at = head.text, *end = head.text + head.len;
    struct field field;
    struct span line;
    uint32_t count = 0;

    if (members == NULL) return EXPR_FULL;
    (void)next_line(&at, end, &line);
    while (count < FIELDS_MAX && next_field(&at, end, &field)) {
        struct expr_field one = {.member = field.name.text, .member_len = (uint32_t)field.name.len};
        struct value value = string_of(field.value);
        struct value key = lower(field.name, scratch);
        uint32_t i = 0;
        bool is_new;

        if (key.kind != VALUE_STRING) return EXPR_FULL;
        while (i < count && !value_equal(&members[i].key, &key)) {
            i++;
        }
        is_new = i == count;
        if (all && is_new) {
            enum expr_error error = one_header(head, &one, true, scratch, &value);

            if (error != EXPR_OK) return error;
        }
        if (is_new) members[count++].key = key;
        if (!all || is_new) members[i].value = value;
    }
    return value_object(members, count, ret_value) ? EXPR_OK : EXPR_TOO_LARGE;
}

static enum expr_error headers(struct span head, const struct expr_field *asked, bool all,
                               struct scratch *scratch, struct value *ret_value)
{
    *ret_value = value_null();
    if (head.len == 0) return EXPR_OK;
    if (asked->member != NULL) return one_header(head, asked, all, scratch, ret_value);
    return all_headers(head, all, scratch, ret_value);
}

static struct value start_line(struct span head)
{
    const char *at = head.text;
    struct span line;

    if (head.len == 0 || !next_line(&at, head.text + head.len, &line)) return value_null();
    return string_of(line);
}

/* Where the body of what was sent begins. */
static size_t head_len_of(struct span sent)
{
    const char *end = sent.len == 0 ? NULL : memmem(sent.text, sent.len, "\r\n\r\n", 4);

    return end == NULL ? sent.len : (size_t)(end - sent.text) + 4;
}

static struct value milliseconds(uint64_t from_ns, uint64_t to_ns)
{
    return value_double((double)(to_ns - min_u64(to_ns, from_ns)) / 1e6);
}

static struct value stats_field(const struct exchange *exchange, enum expr_field_kind kind)
{
    const struct conn_answer *answer = exchange->answer;

    if (answer == NULL) return value_null();
    if (kind == EXPR_STATS_RTT) return milliseconds(exchange->sent_ns, answer->done_ns);
    if (kind == EXPR_STATS_TTFB) return milliseconds(exchange->sent_ns, answer->first_ns);
    if (kind == EXPR_STATS_DUE_LAG) return milliseconds(exchange->due_ns, exchange->sent_ns);
    if (kind == EXPR_STATS_CONNECT) return value_double((double)exchange->connect_ns / 1e6);
    return value_double((double)exchange->tls_ns / 1e6);
}

enum expr_error runner_field(void *context, const struct expr_field *field, struct scratch *scratch,
                             struct value *ret_value)
{
    struct exchange *exchange = context;
    struct span sent = {exchange->sent, exchange->sent_len};
    struct span head = {exchange->head, exchange->head_len};
    size_t body_at = head_len_of(sent);
    struct span sent_head = {sent.text, body_at};

    switch (field->kind) {
    case EXPR_REQUEST_METHOD: *ret_value = value_str(exchange->endpoint->def->method); break;
    case EXPR_REQUEST_URL: return runner_url_field(exchange, field, scratch, ret_value);
    case EXPR_REQUEST_HEADERS: return headers(sent_head, field, false, scratch, ret_value);
    case EXPR_REQUEST_HEADERS_ALL: return headers(sent_head, field, true, scratch, ret_value);
    case EXPR_REQUEST_BODY:
        *ret_value = string_of((struct span){sent.text + body_at, sent.len - body_at});
        break;
    case EXPR_REQUEST_START_LINE: *ret_value = start_line(sent_head); break;
    case EXPR_RESPONSE_STATUS:
        *ret_value = exchange->status == 0 ? value_null() : value_int(exchange->status);
        break;
    case EXPR_RESPONSE_HEADERS: return headers(head, field, false, scratch, ret_value);
    case EXPR_RESPONSE_HEADERS_ALL: return headers(head, field, true, scratch, ret_value);
    case EXPR_RESPONSE_START_LINE: *ret_value = start_line(head); break;
    case EXPR_STATS_RTT:
    case EXPR_STATS_DUE_LAG:
    case EXPR_STATS_CONNECT:
    case EXPR_STATS_TLS:
    case EXPR_STATS_TTFB: *ret_value = stats_field(exchange, field->kind); break;
    case EXPR_FIELDS_COUNT: UNREACHABLE("a count is no field");
    }
    return EXPR_OK;
}

/* request.url, as by the WHATWG URL standard: what was sent has no user and no fragment. */

struct url_parts {
    struct span protocol, host, hostname, port, pathname, search, href;
};

static enum expr_error split_url(const struct exchange *exchange, struct scratch *scratch,
                                 struct url_parts *ret_parts)
{
    const struct plan_target *target = exchange->target;
    const char *scheme_end = strstr(target->url, "://");
    const char *path = memchr(exchange->sent, ' ', exchange->sent_len);
    const char *path_end, *query;
    size_t path_len, scheme_len;
    struct buf href;

    CHECK(path != NULL && scheme_end != NULL);
    scheme_len = (size_t)(scheme_end - target->url) + 1;
    path++;
    path_end = memchr(path, ' ', exchange->sent_len - (size_t)(path - exchange->sent));
    CHECK(path_end != NULL);
    path_len = (size_t)(path_end - path);
    query = memchr(path, '?', path_len);
    ret_parts->protocol = (struct span){target->url, scheme_len};
    ret_parts->host = (struct span){target->host_field, strlen(target->host_field)};
    ret_parts->hostname = (struct span){target->host, strlen(target->host)};
    ret_parts->port = (struct span){"", 0};
    if (strlen(target->host_field) > 0 && strrchr(target->host_field, ':') != NULL &&
        strcmp(strrchr(target->host_field, ':') + 1, target->service) == 0) {
        ret_parts->port = (struct span){target->service, strlen(target->service)};
    }
    ret_parts->pathname = (struct span){path, query == NULL ? path_len : (size_t)(query - path)};
    ret_parts->search =
        query == NULL ? (struct span){"", 0} : (struct span){query, (size_t)(path_end - query)};
    href = scratch_open(scratch);
    buf_add(&href, target->url, scheme_len);
    buf_add(&href, "//", 2);
    buf_add(&href, ret_parts->host.text, ret_parts->host.len);
    ret_parts->href = (struct span){href.data, href.len};
    buf_add(&href, path, path_len);
    ret_parts->href.len = href.len;
    return scratch_close(scratch, &href) ? EXPR_OK : EXPR_FULL;
}

/* What stands in a query for `text` (WHATWG URL, section 5.1), as it is where that is no UTF-8. */
static enum expr_error decode(struct span text, struct scratch *scratch, struct value *ret_value)
{
    struct buf decoded;

    *ret_value = value_string(text.text, text.len);
    if (memchr(text.text, '%', text.len) == NULL && memchr(text.text, '+', text.len) == NULL) {
        return EXPR_OK;
    }
    decoded = scratch_open(scratch);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.text[i];
        int high = c == '%' && text.len - i > 2 ? hex_digit(text.text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.text[i + 2]) : -1;

        if (low >= 0) i += 2;
        if (low >= 0) c = (char)(high << 4 | low);
        if (low < 0 && c == '+') c = ' ';
        buf_add_char(&decoded, c);
    }
    if (!scratch_close(scratch, &decoded)) return EXPR_FULL;
    if (json_is_utf8(decoded.data, decoded.len)) {
        *ret_value = value_string(decoded.data, decoded.len);
    }
    return EXPR_OK;
}

/* The parameters of the query: an object, the last of a name counting. */
static enum expr_error search_params(struct span search, struct scratch *scratch,
                                     struct value *ret_value)
{
    struct value_member *members = scratch_alloc(scratch, FIELDS_MAX * sizeof(*members));
    const char *at = search.text + (search.len > 0), *end = search.text + search.len;
    uint32_t count = 0;

    if (members == NULL) return EXPR_FULL;
    while (at < end && count < FIELDS_MAX) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        const char *equals;
        struct value key, value = value_str("");
        enum expr_error error;
        uint32_t i = 0;

        if (stop == NULL) stop = end;
        equals = memchr(at, '=', (size_t)(stop - at));
        error = decode((struct span){at, (size_t)((equals == NULL ? stop : equals) - at)}, scratch,
                       &key);
        if (error == EXPR_OK && equals != NULL) {
            error = decode((struct span){equals + 1, (size_t)(stop - equals - 1)}, scratch, &value);
        }
        if (error != EXPR_OK) return error;
        at = stop + 1;
        if (key.len == 0) continue;
        while (i < count && !value_equal(&members[i].key, &key)) {
            i++;
        }
        members[i] = (struct value_member){.key = key, .value = value};
        if (i == count) count++;
    }
    return value_object(members, count, ret_value) ? EXPR_OK : EXPR_TOO_LARGE;
}

enum { URL_MEMBERS = 12 };

enum expr_error runner_url_field(struct exchange *exchange, const struct expr_field *field,
                                 struct scratch *scratch, struct value *ret_value)
{
    static const char *const names[URL_MEMBERS] = {
        "href",     "origin", "protocol",     "host", "hostname", "port",
        "pathname", "search", "searchParams", "hash", "username", "password"};
    struct value_member *members;
    struct url_parts parts;
    enum expr_error error;
    const struct value *one;

    *ret_value = value_null();
    if (exchange->sent_len == 0) return EXPR_OK;
    error = split_url(exchange, scratch, &parts);
    if (error != EXPR_OK) return error;
    members = scratch_alloc(scratch, URL_MEMBERS * sizeof(*members));
    if (members == NULL) return EXPR_FULL;
    {
        struct span origin = {parts.href.text, parts.protocol.len + 2 + parts.host.len};
        struct span texts[URL_MEMBERS] = {parts.href,     origin,     parts.protocol, parts.host,
                                          parts.hostname, parts.port, parts.pathname, parts.search,
                                          {"", 0},        {"", 0},    {"", 0},        {"", 0}};

        for (uint32_t i = 0; i < URL_MEMBERS; i++) {
            members[i] =
                (struct value_member){.key = value_str(names[i]), .value = string_of(texts[i])};
        }
    }
    error = search_params(parts.search, scratch, &members[8].value);
    if (error != EXPR_OK) return error;
    if (!value_object(members, URL_MEMBERS, ret_value)) return EXPR_TOO_LARGE;
    if (field->member == NULL) return EXPR_OK;
    one = value_get(ret_value, field->member, field->member_len);
    *ret_value = one == NULL ? value_null() : *one;
    return EXPR_OK;
}
