/* Bodies made of files: one after another, or as the pieces of a multipart body (RFC 7578). */
#include <string.h>
#include <strings.h>

#include "core/runner_impl.h"

static void add_str(struct buf *body, const char *text)
{
    buf_add(body, text, strlen(text));
}

/* A name or file name between quotes (RFC 7578 section 4.2; WHATWG HTML, multipart/form-data). */
static void add_quoted(struct buf *body, const char *text, size_t len)
{
    buf_add_char(body, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') {
            buf_add(body, "%22", 3);
        } else if (text[i] == '\r') {
            buf_add(body, "%0D", 3);
        } else if (text[i] == '\n') {
            buf_add(body, "%0A", 3);
        } else {
            buf_add_char(body, text[i]);
        }
    }
    buf_add_char(body, '"');
}

static void add_disposition(const struct endpoint *endpoint, uint32_t index, struct buf *body)
{
    const struct testfile_piece *piece = &endpoint->def->body.pieces[index];
    const char *name, *slash;
    size_t len;

    add_str(body, "Content-Disposition: form-data; name=");
    add_quoted(body, piece->name, strlen(piece->name));
    if (piece->is_file) {
        runner_file_name(endpoint, index, &name, &len);
        slash = memrchr(name, '/', len);
        add_str(body, "; filename=");
        if (slash == NULL) {
            add_quoted(body, name, len);
        } else {
            add_quoted(body, slash + 1, len - (size_t)(slash + 1 - name));
        }
    }
    add_str(body, "\r\n");
}

static enum expr_error add_piece_headers(struct endpoint *endpoint, uint32_t index,
                                         struct buf *body)
{
    const struct testfile_piece *piece = &endpoint->def->body.pieces[index];
    struct runner *runner = endpoint->runner;
    bool has_disposition = false;

    for (uint32_t i = 0; i < piece->headers_count; i++) {
        enum expr_error error;

        has_disposition |= strcasecmp(piece->headers[i].name, "Content-Disposition") == 0;
        add_str(body, piece->headers[i].name);
        add_str(body, ": ");
        error = template_render(piece->headers[i].value.compiled, &runner->env, body);
        if (error != EXPR_OK) return error;
        add_str(body, "\r\n");
    }
    if (!has_disposition && endpoint->build.is_form) add_disposition(endpoint, index, body);
    return EXPR_OK;
}

static enum expr_error add_piece(struct endpoint *endpoint, uint32_t index, struct buf *body)
{
    const struct testfile_piece *piece = &endpoint->def->body.pieces[index];
    struct runner *runner = endpoint->runner;
    enum expr_error error;

    add_str(body, "--");
    add_str(body, runner->boundary);
    add_str(body, "\r\n");
    error = add_piece_headers(endpoint, index, body);
    if (error != EXPR_OK) return error;
    add_str(body, "\r\n");
    error = piece->is_file ? runner_add_file(endpoint, index, body)
                           : template_render(piece->content.compiled, &runner->env, body);
    add_str(body, "\r\n");
    return error;
}

enum expr_error runner_body_parts(struct endpoint *endpoint, struct buf *body)
{
    const struct testfile_body *def = &endpoint->def->body;
    enum expr_error error = EXPR_OK;

    for (uint32_t i = 0; i < def->count && error == EXPR_OK; i++) {
        error = def->kind == BODY_FILES ? runner_add_file(endpoint, i, body)
                                        : add_piece(endpoint, i, body);
    }
    if (def->kind == BODY_MULTIPART) {
        add_str(body, "--");
        add_str(body, endpoint->runner->boundary);
        add_str(body, "--\r\n");
    }
    return body->full ? EXPR_TOO_LARGE : error;
}
