/* Bodies made of files: one after another, or as the pieces of a multipart body (RFC 7578). A file
 * is read when its path is first needed and kept. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/runner_impl.h"

/* Adds the file at `path`, which is relative to `directory`. */
static enum expr_error add_file(const char *directory, const char *path, size_t len,
                                struct buf *body)
{
    char name[RUNNER_PATH_BYTES];
    size_t base = len > 0 && path[0] == '/' ? 0 : strlen(directory);
    enum expr_error error = EXPR_OK;
    ssize_t rc = 1;
    int fd;

    if (base + len >= sizeof(name) || memchr(path, '\0', len) != NULL) return EXPR_TEXT;
    memcpy(name, directory, base);
    memcpy(name + base, path, len);
    name[base + len] = '\0';
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return EXPR_TEXT;
    while (rc > 0 && error == EXPR_OK) {
        size_t room = body->size - body->len;

        if (room == 0) {
            error = EXPR_TOO_LARGE;
            break;
        }
        rc = read(fd, body->data + body->len, room);
        if (rc > 0) body->len += (size_t)rc;
        if (rc < 0 && errno == EINTR) rc = 1;
        if (rc < 0) error = EXPR_TEXT;
    }
    (void)close(fd);
    return error;
}

/* Renders a path, relative to the test file, and adds the file. */
static enum expr_error add_path_of(struct endpoint *endpoint, const struct testfile_text *path,
                                   struct buf *body)
{
    struct runner *runner = endpoint->runner;
    struct buf text = scratch_open(&runner->scratch);
    enum expr_error error = template_render(path->compiled, &runner->env, &text);

    if (error != EXPR_OK) return error;
    return add_file(endpoint->def->body.directory, text.data, text.len, body);
}

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

static enum expr_error add_disposition(struct runner *runner, const struct testfile_piece *piece,
                                       struct buf *body)
{
    struct buf path;
    enum expr_error error;
    const char *slash;

    add_str(body, "Content-Disposition: form-data; name=");
    add_quoted(body, piece->name, strlen(piece->name));
    if (piece->is_file) {
        path = scratch_open(&runner->scratch);
        error = template_render(piece->content.compiled, &runner->env, &path);
        if (error != EXPR_OK) return error;
        slash = memrchr(path.data, '/', path.len);
        add_str(body, "; filename=");
        if (slash == NULL) {
            add_quoted(body, path.data, path.len);
        } else {
            add_quoted(body, slash + 1, path.len - (size_t)(slash + 1 - path.data));
        }
    }
    add_str(body, "\r\n");
    return EXPR_OK;
}

static enum expr_error add_piece_headers(struct endpoint *endpoint,
                                         const struct testfile_piece *piece, struct buf *body)
{
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
    if (has_disposition || !endpoint->build.is_form) return EXPR_OK;
    return add_disposition(runner, piece, body);
}

static enum expr_error add_piece(struct endpoint *endpoint, const struct testfile_piece *piece,
                                 struct buf *body)
{
    struct runner *runner = endpoint->runner;
    enum expr_error error;

    add_str(body, "--");
    add_str(body, runner->boundary);
    add_str(body, "\r\n");
    error = add_piece_headers(endpoint, piece, body);
    if (error != EXPR_OK) return error;
    add_str(body, "\r\n");
    error = piece->is_file ? add_path_of(endpoint, &piece->content, body)
                           : template_render(piece->content.compiled, &runner->env, body);
    add_str(body, "\r\n");
    return error;
}

enum expr_error runner_body_parts(struct endpoint *endpoint, struct buf *body)
{
    const struct testfile_body *def = &endpoint->def->body;
    enum expr_error error = EXPR_OK;

    for (uint32_t i = 0; i < def->count && error == EXPR_OK; i++) {
        error = def->kind == BODY_FILES ? add_path_of(endpoint, &def->files[i], body)
                                        : add_piece(endpoint, &def->pieces[i], body);
    }
    if (def->kind == BODY_MULTIPART) {
        add_str(body, "--");
        add_str(body, endpoint->runner->boundary);
        add_str(body, "--\r\n");
    }
    return body->full ? EXPR_TOO_LARGE : error;
}
