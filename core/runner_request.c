/* A request's bytes, built from templates and values. What never changes is put together when the
 * test is set up; what is left per request is the templates, and the length of the body. */
#include "core/runner_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "config/url.h"
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/text.h"

/* Making ready. */

struct maker {
    struct endpoint *endpoint;
    struct arena *arena;
    struct build_piece *pieces;
    uint32_t count;
    struct text text; /* What is constant since the last other piece. */
};

static void end_text(struct maker *maker)
{
    if (maker->text.len == 0) return;
    maker->pieces[maker->count++] = (struct build_piece){
        .kind = BUILD_TEXT, .text = maker->text.data, .len = (uint32_t)maker->text.len};
    text_init(&maker->text, maker->arena);
}

static void add_piece(struct maker *maker, enum build_kind kind, const struct template *template)
{
    end_text(maker);
    maker->pieces[maker->count++] = (struct build_piece){.kind = kind, .template = template};
}

/* Ours, whatever the test file says. */
static bool is_ours(const char *name)
{
    return strcasecmp(name, "Host") == 0 || strcasecmp(name, "Content-Length") == 0 ||
           strcasecmp(name, "Transfer-Encoding") == 0;
}

/* Whether this is a parameter of a content type, with its semicolon, that names a boundary. */
static bool is_boundary(const char *param, size_t len)
{
    size_t i = 0;

    while (i < len && (param[i] == ';' || param[i] == ' ' || param[i] == '\t')) {
        i++;
    }
    return len - i >= 9 && strncasecmp(param + i, "boundary=", 9) == 0;
}

/* Adds a content type without the boundary that it may name: it has only one (RFC 2046 section
 * 5.1.1), and that is ours. */
static void add_type(struct text *text, const char *type, size_t len)
{
    bool is_quoted = false;
    size_t from = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && type[i] == '"') is_quoted = !is_quoted;
        if (i < len && (type[i] != ';' || is_quoted)) continue;
        if (!is_boundary(type + from, i - from)) text_add(text, type + from, i - from);
        from = i;
    }
}

/* The content type of a multipart body, with the boundary in it. What is no multipart type is
 * multipart/form-data instead. */
static void add_multipart_type(struct maker *maker, const struct template *template)
{
    const char *text = "multipart/form-data";
    size_t len = strlen(text);

    if (template != NULL && !template_is_constant(template, &text, &len)) {
        add_piece(maker, BUILD_HEADER, template);
        text = "";
        len = 0;
    } else if (strncasecmp(text, "multipart/", 10) != 0) {
        text = "multipart/form-data";
        len = strlen(text);
    }
    maker->endpoint->build.is_form = strncasecmp(text, "multipart/form-data", 19) == 0;
    add_type(&maker->text, text, len);
    text_printf(&maker->text, "; boundary=%s\r\n", maker->endpoint->runner->boundary);
}

static void add_headers(struct maker *maker)
{
    const struct testfile_endpoint *def = maker->endpoint->def;
    bool is_typed = def->body.kind != BODY_MULTIPART;

    for (uint32_t i = 0; i < def->headers_count; i++) {
        const struct testfile_header *header = &def->headers[i];
        const char *text;
        size_t len;

        if (is_ours(header->name)) continue;
        text_printf(&maker->text, "%s: ", header->name);
        if (def->body.kind == BODY_MULTIPART && strcasecmp(header->name, "Content-Type") == 0) {
            add_multipart_type(maker, header->value.compiled);
            is_typed = true;
            continue;
        }
        if (template_is_constant(header->value.compiled, &text, &len)) {
            text_add(&maker->text, text, len);
        } else {
            add_piece(maker, BUILD_HEADER, header->value.compiled);
        }
        text_add_str(&maker->text, "\r\n");
    }
    if (is_typed) return;
    text_add_str(&maker->text, "Content-Type: ");
    add_multipart_type(maker, NULL);
}

/* Bytes that stand in a path or query only percent-encoded (WHATWG URL, sections 1.3 and 4.4). */
static bool is_encoded(char c, bool in_query)
{
    unsigned char byte = (unsigned char)c;

    if (byte <= 0x20 || byte >= 0x7f) return true;
    if (c == '"' || c == '<' || c == '>' || c == '\'') return c != '\'' || in_query;
    return !in_query && (c == '`' || c == '{' || c == '}');
}

/* How many dots a segment of a path is, each of which may be encoded; 0 if it is anything else. */
static uint32_t dots_in(const char *segment, size_t len)
{
    uint32_t dots = 0;

    for (size_t i = 0; i < len; dots++) {
        if (segment[i] == '.') {
            i++;
        } else if (len - i >= 3 && strncasecmp(segment + i, "%2e", 3) == 0) {
            i += 3;
        } else {
            return 0;
        }
    }
    return dots;
}

/* A segment of the path that begins at `from` has ended, and is begun with the '/' at `*segment`:
 * of "." and ".." what they mean is left. True if the path ends with a '/' then. */
static bool end_segment(struct buf *buf, size_t from, size_t segment)
{
    uint32_t dots = 0;

    if (buf->full) return false;
    if (buf->len - segment <= 7) dots = dots_in(buf->data + segment + 1, buf->len - segment - 1);
    if (dots != 1 && dots != 2) return false;
    while (dots == 2 && segment > from && buf->data[--segment] != '/') {
    }
    buf->len = segment + 1;
    return true;
}

/* Adds path and query of a URL's rest behind its authority: a missing path is "/", "." and ".." in
 * it are resolved, the fragment is left away. */
static void add_path(struct buf *buf, const char *rest, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = buf->len, segment = from;
    bool in_query = false;

    if (len == 0 || (rest[0] != '/' && rest[0] != '\\')) buf_add_char(buf, '/');
    for (size_t i = 0; i < len && rest[i] != '#'; i++) {
        char c = rest[i];

        if (c == '\t' || c == '\n' || c == '\r') continue;
        if (c == '\\' && !in_query) c = '/';
        if (!in_query && (c == '/' || c == '?')) {
            bool is_slashed = buf->len > from && end_segment(buf, from, segment);

            in_query = c == '?';
            segment = is_slashed ? buf->len - 1 : buf->len;
            if (is_slashed && c == '/') continue;
        }
        if (likely(!is_encoded(c, in_query))) {
            buf_add_char(buf, c);
            continue;
        }
        buf_add_char(buf, '%');
        buf_add_char(buf, digits[(unsigned char)c >> 4]);
        buf_add_char(buf, digits[(unsigned char)c & 15]);
    }
    if (!in_query) (void)end_segment(buf, from, segment);
}

static enum err add_url(struct maker *maker, struct err_info *why)
{
    const struct testfile_text *url = &maker->endpoint->def->url;
    const char *outline = template_outline(url->compiled, PLAN_VALUE_MARK, maker->arena);
    struct build *build = &maker->endpoint->build;
    const char *text;
    size_t len;

    if (outline == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a URL");
    build->authority_len = (uint32_t)plan_authority_len(outline);
    build->is_dynamic = build->authority_len == 0;
    if (template_is_constant(url->compiled, &text, &len)) {
        struct buf buf;
        char *path = arena_alloc(maker->arena, 3 * len + 2, 1);

        if (path == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a URL");
        buf_init(&buf, path, 3 * len + 2);
        add_path(&buf, text + build->authority_len, len - build->authority_len);
        text_add(&maker->text, path, buf.len);
    } else {
        add_piece(maker, BUILD_PATH, url->compiled);
    }
    return ERR_OK;
}

/* True if the body is the same for all requests; adds its length and itself. */
static bool add_constant_body(struct maker *maker)
{
    const struct testfile_endpoint *def = maker->endpoint->def;
    const char *text = "";
    size_t len = 0;

    if (def->body.kind == BODY_NONE) {
        bool wants = strcasecmp(def->method, "POST") == 0 || strcasecmp(def->method, "PUT") == 0 ||
                     strcasecmp(def->method, "PATCH") == 0;

        text_add_str(&maker->text, wants ? "Content-Length: 0\r\n\r\n" : "\r\n");
        return true;
    }
    if (maker->endpoint->apart != NULL) {
        text_printf(&maker->text, "Content-Length: %" PRIu64 "\r\n\r\n",
                    maker->endpoint->apart_len);
        return true;
    }
    if (def->body.kind != BODY_TEXT ||
        !template_is_constant(def->body.text.compiled, &text, &len)) {
        return false;
    }
    text_printf(&maker->text, "Content-Length: %zu\r\n\r\n", len);
    text_add(&maker->text, text, len);
    return true;
}

enum err runner_prepare_build(struct endpoint *endpoint, struct arena *arena, struct err_info *why)
{
    const struct testfile_endpoint *def = endpoint->def;
    struct maker maker = {.endpoint = endpoint, .arena = arena};
    enum err err = runner_init_files(endpoint, arena, why);

    if (err != ERR_OK) return err;
    maker.pieces = arena_array(arena, 2 * (size_t)def->headers_count + 8, sizeof(*maker.pieces));
    if (maker.pieces == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for requests");
    text_init(&maker.text, arena);
    text_printf(&maker.text, "%s ", def->method);
    err = add_url(&maker, why);
    if (err != ERR_OK) return err;
    text_add_str(&maker.text, " HTTP/1.1\r\nHost: ");
    if (endpoint->build.is_dynamic) {
        add_piece(&maker, BUILD_HOST, NULL);
    } else {
        text_add_str(&maker.text, endpoint->target->host_field);
    }
    text_add_str(&maker.text, "\r\n");
    add_headers(&maker);
    if (!add_constant_body(&maker)) add_piece(&maker, BUILD_BODY, NULL);
    end_text(&maker);
    if (maker.text.failed) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for requests");
    endpoint->build.pieces = maker.pieces;
    endpoint->build.count = maker.count;
    endpoint->build.is_constant = maker.count == 1 && maker.pieces[0].kind == BUILD_TEXT;
    endpoint->build.asked = strcmp(def->method, "HEAD") == 0 ? HTTP1_ASKED_HEAD : HTTP1_ASKED_OTHER;
    return ERR_OK;
}

/* Building. */

void runner_ready_env(struct runner *runner, struct endpoint *endpoint, struct exchange *exchange)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        const struct provider_item *item = exchange->inputs.items[slot];

        runner->env_providers[slot] = item != NULL ? item->value : value_null();
    }
    for (uint32_t i = 0; i < def->declares_count; i++) {
        runner->env_declares[i] = exchange->inputs.declared[i].value;
    }
    runner->env.indexing_is_null = false;
    scratch_clear(&runner->scratch);
    runner->env.context = exchange;
    if (def->needs.wall) runner->env.wall_ns = clock_wall_ns();
}

static enum expr_error build_path(struct runner *runner, const struct build *build,
                                  const struct template *template, struct buf *buf)
{
    struct buf url;
    enum expr_error error;

    buf_init(&url, runner->body_bytes, RUNNER_BUILD_BYTES);
    error = template_render(template, &runner->env, &url);
    if (error != EXPR_OK) return error;
    add_path(buf, url.data + build->authority_len, url.len - build->authority_len);
    return EXPR_OK;
}

static enum expr_error render_body(struct endpoint *endpoint, struct buf *body)
{
    const struct testfile_body *def = &endpoint->def->body;
    struct runner *runner = endpoint->runner;
    struct value value;
    enum expr_error error;

    switch (def->kind) {
    case BODY_NONE: return EXPR_OK;
    case BODY_TEXT: return template_render(def->text.compiled, &runner->env, body);
    case BODY_JSON:
        error = expr_eval(def->json, &runner->env, &value);
        if (error == EXPR_OK) value_write_json(&value, body);
        return error;
    case BODY_FILES:
    case BODY_MULTIPART: return runner_body_parts(endpoint, body);
    }
    UNREACHABLE("a body without a kind");
}

static enum expr_error build_body(struct endpoint *endpoint, struct buf *buf)
{
    char digits[20];
    struct buf body;
    enum expr_error error;
    size_t at = sizeof(digits);
    uint64_t len;

    buf_init(&body, endpoint->runner->body_bytes, RUNNER_BUILD_BYTES);
    endpoint->cuts.count = 0;
    endpoint->cuts.bytes = 0;
    error = render_body(endpoint, &body);
    if (error != EXPR_OK) return error;
    if (body.full) return EXPR_TOO_LARGE;
    endpoint->cuts.text_len = endpoint->cuts.count > 0 ? body.len : 0;
    len = body.len + endpoint->cuts.bytes;
    do {
        digits[--at] = (char)('0' + len % 10);
        len /= 10;
    } while (len > 0);
    buf_add(buf, "Content-Length: ", 16);
    buf_add(buf, digits + at, sizeof(digits) - at);
    buf_add(buf, "\r\n\r\n", 4);
    if (endpoint->cuts.count == 0) buf_add(buf, body.data, body.len);
    return EXPR_OK;
}

/* Values must not bring header fields of their own (RFC 9112, section 11.1). */
static enum expr_error build_header(struct runner *runner, const struct template *template,
                                    struct buf *buf)
{
    size_t from = buf->len;
    enum expr_error error = template_render(template, &runner->env, buf);
    const char *text = buf->data + from;
    size_t len = buf->len - from;

    if (error != EXPR_OK) return error;
    if (memchr(text, '\n', len) != NULL || memchr(text, '\r', len) != NULL ||
        memchr(text, '\0', len) != NULL) {
        return EXPR_TEXT;
    }
    return EXPR_OK;
}

static enum expr_error build_piece(struct endpoint *endpoint, const struct build_piece *piece,
                                   struct buf *buf)
{
    struct runner *runner = endpoint->runner;
    const char *host = endpoint->target->host_field;

    switch (piece->kind) {
    case BUILD_TEXT: buf_add(buf, piece->text, piece->len); return EXPR_OK;
    case BUILD_HEADER: return build_header(runner, piece->template, buf);
    case BUILD_HOST: buf_add(buf, host, strlen(host)); return EXPR_OK;
    case BUILD_PATH:
        if (!endpoint->build.is_dynamic) {
            return build_path(runner, &endpoint->build, piece->template, buf);
        }
        add_path(buf, endpoint->url + endpoint->url_path, endpoint->url_len - endpoint->url_path);
        return EXPR_OK;
    case BUILD_BODY: return build_body(endpoint, buf);
    }
    UNREACHABLE("a piece without a kind");
}

bool runner_build(struct endpoint *endpoint, struct exchange *exchange, const char **ret_bytes,
                  size_t *ret_len, enum expr_error *ret_error)
{
    const struct build *build = &endpoint->build;
    struct runner *runner = endpoint->runner;
    struct buf buf;

    if (build->is_constant && exchange->inputs.error == EXPR_OK) {
        *ret_bytes = build->pieces[0].text;
        *ret_len = build->pieces[0].len;
        return true;
    }
    runner_ready_env(runner, endpoint, exchange);
    *ret_error = exchange->inputs.error;
    if (*ret_error != EXPR_OK) return false;
    buf_init(&buf, runner->build_bytes, RUNNER_BUILD_BYTES);
    for (uint32_t i = 0; i < build->count; i++) {
        *ret_error = build_piece(endpoint, &build->pieces[i], &buf);
        if (*ret_error != EXPR_OK) return false;
    }
    *ret_error = EXPR_TOO_LARGE;
    *ret_bytes = buf.data;
    *ret_len = buf.len;
    return !buf.full;
}
