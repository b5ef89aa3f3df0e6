/* Makes the bytes of a request once, so that sending one is sending memory that does not change. */
#include "config/request.h"

#include <string.h>
#include <strings.h>

#include "config/http_chars.h"
#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/base/text.h"
#include "core/base/units.h"

/* RFC 9112 section 7.1: the end of a chunk with the last one behind it; that alone. */
static const char chunk_end[] = "\r\n0\r\n\r\n";
static const char last_chunk[] = "0\r\n\r\n";

enum err plan_parse_header(struct arena *arena, const char *text, struct plan_header *ret_header,
                           struct err_info *why)
{
    const char *colon = strchr(text, ':');
    struct plan_header header;
    const char *value;
    size_t len;

    if (colon == NULL) {
        return err_set(why, ERR_USAGE, 0, "header '%s' has no colon; write 'Name: value'",
                       quote(text).text);
    }
    if (colon == text) {
        return err_set(why, ERR_USAGE, 0, "header '%s' has no name; write 'Name: value'",
                       quote(text).text);
    }
    if (!http_is_token(text, (size_t)(colon - text))) {
        return err_set(why, ERR_USAGE, 0, "header name '%s' holds a character that is not allowed",
                       quote_len(text, (size_t)(colon - text)).text);
    }
    value = colon + 1 + strspn(colon + 1, " \t");
    len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        len--;
    }
    if (strpbrk(value, "\r\n") != NULL) {
        return err_set(why, ERR_USAGE, 0, "header '%s' holds a line end", quote(text).text);
    }
    header.name = arena_copy(arena, text, (size_t)(colon - text));
    header.value = arena_copy(arena, value, len);
    if (header.name == NULL || header.value == NULL) {
        return err_set(why, ERR_MEMORY, 0, "no memory for header '%s'", quote(text).text);
    }
    *ret_header = header;
    return ERR_OK;
}

/* The value of the first header of this name (in any case), or NULL. */
static const char *header_value(const struct plan_request_options *options, const char *name)
{
    for (size_t i = 0; i < options->headers_count; i++) {
        if (strcasecmp(options->headers[i].name, name) == 0) return options->headers[i].value;
    }
    return NULL;
}

static enum err check_length(const struct plan_request_options *options, struct err_info *why)
{
    size_t body_len = options->body != NULL ? options->body_len : 0;

    for (size_t i = 0; i < options->headers_count; i++) {
        const struct plan_header *header = &options->headers[i];
        uint64_t length = 0;
        bool digits;

        CHECK(header->value != NULL);
        if (strcasecmp(header->name, "Content-Length") != 0) continue;
        digits = strspn(header->value, "0123456789") == strlen(header->value);
        if (!digits || !units_parse_count(header->value, &length) || length != body_len) {
            return err_set(why, ERR_USAGE, 0,
                           "header 'Content-Length: %s' does not match the body of %zu bytes; "
                           "leave it away",
                           quote(header->value).text, body_len);
        }
    }
    return ERR_OK;
}

enum err plan_check_method(const char *method, struct err_info *why)
{
    if (!http_is_token(method, strlen(method))) {
        return err_set(why, ERR_USAGE, 0, "method '%s' is not a word that HTTP allows",
                       quote(method).text);
    }
    if (strcmp(method, "CONNECT") == 0) {
        return err_set(why, ERR_USAGE, 0,
                       "method 'CONNECT' asks for a tunnel, which cannot be measured; use another");
    }
    return ERR_OK;
}

/* The option that writes this header itself, or one that contradicts it; NULL: there is none. */
static const char *excluding(const struct plan *plan, const struct plan_request_options *options,
                             const char *name)
{
    if (plan->expect_continue && strcasecmp(name, "Expect") == 0) return "--expect-continue";
    if (options->chunked &&
        (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)) {
        return "--chunked-body";
    }
    return NULL;
}

static enum err check_options(const struct plan *plan, const struct plan_request_options *options,
                              struct err_info *why)
{
    enum err err = plan_check_method(options->method, why);

    if (err != ERR_OK) return err;
    if (plan->ids && header_value(options, "X-Request-Id") != NULL) {
        return err_set(why, ERR_USAGE, 0,
                       "header 'X-Request-Id' and '--ids' exclude each other; leave one away");
    }
    for (size_t i = 0; i < options->headers_count; i++) {
        const char *name = options->headers[i].name;
        const char *option = excluding(plan, options, name);

        if (option == NULL) continue;
        return err_set(why, ERR_USAGE, 0, "header '%s' and '%s' exclude each other; leave one away",
                       quote(name).text, option);
    }
    return check_length(options, why);
}

/* Anticipated by RFC 9110 section 8.6: these say Content-Length even when it is 0. */
static bool method_has_content(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

/* A request line that a proxy can send on (RFC 9112 section 3.2.2), and what lets us use it. */
static void write_absolute(struct text *head, const struct net_proxy *proxy, const char *host_field,
                           const char *path, const struct plan_request_options *options)
{
    text_printf(head, "%s http://%s%s HTTP/1.1\r\n", options->method, host_field, path);
    if (proxy->authorization != NULL && header_value(options, "Proxy-Authorization") == NULL) {
        text_printf(head, "Proxy-Authorization: %s\r\n", proxy->authorization);
    }
}

/* Writes the head, as that of a connection's last request if `is_last`; the digits of the id are
 * zeros. */
static void write_head(struct text *head, const struct plan *plan, const struct plan_target *target,
                       const struct plan_request_options *options, bool is_last, size_t *ret_id_at)
{
    const char *path = options->url != NULL ? options->url->path : target->path;
    size_t body_len = options->body != NULL ? options->body_len : 0;
    bool sized = header_value(options, "Content-Length") != NULL ||
                 header_value(options, "Transfer-Encoding") != NULL;

    if (plan->net.proxy.host != NULL && target->connect == NULL) {
        write_absolute(head, &plan->net.proxy, target->host_field, path, options);
    } else {
        text_printf(head, "%s %s HTTP/1.1\r\n", options->method, path);
    }
    if (header_value(options, "Host") == NULL) {
        text_printf(head, "Host: %s\r\n", target->host_field);
    }
    for (size_t i = 0; i < options->headers_count; i++) {
        text_printf(head, "%s: %s\r\n", options->headers[i].name, options->headers[i].value);
    }
    if (options->chunked) {
        text_add_str(head, "Transfer-Encoding: chunked\r\n");
    } else if (!sized && (options->body != NULL || method_has_content(options->method))) {
        text_printf(head, "Content-Length: %zu\r\n", body_len);
    }
    if (is_last && header_value(options, "Connection") == NULL) {
        text_add_str(head, "Connection: close\r\n");
    }
    if (plan->expect_continue) text_add_str(head, "Expect: 100-continue\r\n");
    *ret_id_at = 0;
    if (plan->ids) {
        text_add_str(head, "X-Request-Id: ");
        *ret_id_at = head->len;
        text_printf(head, "%0*d\r\n", PLAN_ID_DIGITS, 0);
    }
    text_add_str(head, "\r\n");
}

enum err plan_add_tunnel(struct plan *plan, struct plan_target *target, struct err_info *why)
{
    const char *bracket = strchr(target->host_field, ']');
    const char *port = strchr(bracket != NULL ? bracket : target->host_field, ':');
    struct text head;

    CHECK(plan->net.proxy.host != NULL);
    text_init(&head, &plan->arena);
    /* The port is never left away here (RFC 9112 section 3.2.3). */
    for (int i = 0; i < 2; i++) {
        text_printf(&head, "%s%s", i == 0 ? "CONNECT " : " HTTP/1.1\r\nHost: ", target->host_field);
        if (port == NULL) text_printf(&head, ":%s", target->service);
    }
    text_add_str(&head, "\r\n");
    if (plan->net.proxy.authorization != NULL) {
        text_printf(&head, "Proxy-Authorization: %s\r\n", plan->net.proxy.authorization);
    }
    text_add_str(&head, "\r\n");
    if (head.failed) return err_set(why, ERR_MEMORY, 0, "no memory for a tunnel");
    target->connect = head.data;
    return ERR_OK;
}

/* Head and body; NULL when the arena refuses. */
static const char *build_bytes(struct plan *plan, const struct plan_target *target,
                               const struct plan_request_options *options, bool is_last,
                               size_t *ret_len, size_t *ret_id_at)
{
    size_t body_len = options->body != NULL && !options->apart ? options->body_len : 0;
    const char *end = "";
    struct text head;
    size_t end_len;
    char *bytes;

    text_init(&head, &plan->arena);
    write_head(&head, plan, target, options, is_last, ret_id_at);
    if (options->chunked && !(options->apart && plan->expect_continue)) {
        if (options->body_len > 0) text_printf(&head, "%zx\r\n", options->body_len);
        if (!options->apart) end = options->body_len > 0 ? chunk_end : last_chunk;
    }
    end_len = strlen(end);
    if (head.failed || body_len > PLAN_BODY_BYTES_MAX) return NULL;
    bytes = arena_alloc(&plan->arena, head.len + body_len + end_len, CACHE_LINE);
    if (bytes == NULL) return NULL;
    memcpy(bytes, head.data, head.len);
    if (body_len > 0) memcpy(bytes + head.len, options->body, body_len);
    memcpy(bytes + head.len + body_len, end, end_len);
    *ret_len = head.len + body_len + end_len;
    return bytes;
}

enum err plan_build_request(struct plan *plan, uint32_t target,
                            const struct plan_request_options *options,
                            struct plan_request *ret_request, struct err_info *why)
{
    struct plan_request request = {.target = target};
    bool is_only = plan->max_requests_per_connection == 1;
    bool built;
    enum err err;

    CHECK(target < plan->targets_count);
    CHECK(options->method != NULL);
    err = check_options(plan, options, why);
    if (err != ERR_OK) return err;

    request.url = options->url != NULL ? options->url->url : plan->targets[target].url;
    request.weight = options->weight != 0 ? options->weight : 1;
    request.method = arena_copy(&plan->arena, options->method, strlen(options->method));
    request.bytes =
        build_bytes(plan, &plan->targets[target], options, is_only, &request.len, &request.id_at);
    built = request.bytes != NULL && request.method != NULL;
    if (built && plan->max_requests_per_connection > 1 &&
        header_value(options, "Connection") == NULL) {
        request.last_bytes = build_bytes(plan, &plan->targets[target], options, true,
                                         &request.last_len, &request.last_id_at);
        built = request.last_bytes != NULL;
    }
    if (!built) {
        return err_set(why, ERR_MEMORY, 0, "no memory for a request of %zu bytes and more",
                       options->body != NULL ? options->body_len : 0);
    }
    *ret_request = request;
    return ERR_OK;
}

enum err plan_chunk_body(struct plan *plan, struct err_info *why)
{
    struct text line;

    CHECK(plan->body_spans == 1);
    if (plan->expect_continue) {
        text_init(&line, &plan->arena);
        text_printf(&line, "%llx\r\n", (unsigned long long)plan->body[0].len);
        if (line.failed) return err_set(why, ERR_MEMORY, 0, "no memory for the body");
        plan->body[1] = plan->body[0];
        plan->body[0] = (struct plan_span){.data = line.data, .len = line.len, .fd = -1};
        plan->body_spans++;
    }
    plan->body[plan->body_spans++] =
        (struct plan_span){.data = chunk_end, .len = sizeof(chunk_end) - 1, .fd = -1};
    return ERR_OK;
}
