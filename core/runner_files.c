#include "core/runner_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/runner_impl.h"

enum { APART_BYTES_MIN = 1 << 20 };
/* Of all files of a body: a length without overflow. */
#define CUTS_BYTES_MAX (UINT64_C(1) << 62)

/* Setting up. */

static bool set_name(struct body_file *file, const char *directory, const char *path, size_t len)
{
    size_t base = len > 0 && path[0] == '/' ? 0 : strlen(directory);

    if (base + len >= FILE_PATH_BYTES || memchr(path, '\0', len) != NULL) return false;
    memcpy(file->name, directory, base);
    memcpy(file->name + base, path, len);
    file->name[base + len] = '\0';
    file->name_len = base + len;
    file->given_from = base;
    return true;
}

static enum err cannot(const struct endpoint *endpoint, const struct body_file *file,
                       const char *what, int errno_value, struct err_info *why)
{
    return err_set(why, ERR_FILE, errno_value, "endpoint '%s': file '%s' of its body %s",
                   quote(endpoint->def->name).text, quote(file->path->text).text, what);
}

/* Reads a file that every request has; a large one is only looked at. */
static enum err read_constant(struct endpoint *endpoint, struct body_file *file,
                              struct arena *arena, uint32_t inline_max, struct err_info *why)
{
    struct stat facts;

    if (stat(file->name, &facts) != 0) {
        return cannot(endpoint, file, err_errno_name(errno), errno, why);
    }
    if (!S_ISREG(facts.st_mode)) return cannot(endpoint, file, "is no file", 0, why);
    file->is_named = facts.st_size > inline_max;
    file->is_constant = !file->is_named;
    if (file->is_named) {
        endpoint->loads_files = true;
        return ERR_OK;
    }
    file->ask.len = (uint32_t)facts.st_size;
    file->ask.to = arena_alloc(arena, file->ask.len, 1);
    if (file->ask.to == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a body");
    reader_run(&file->ask);
    if (file->ask.got >= 0) return ERR_OK;
    return cannot(endpoint, file, err_errno_name(-file->ask.got), -file->ask.got, why);
}

/* A file that is sent from where it lies. */
struct mapping {
    void *at;
    size_t len;
    int fd;
};

static void unmap(void *object)
{
    struct mapping *mapping = object;

    (void)munmap(mapping->at, mapping->len);
    (void)close(mapping->fd);
}

/* Maps a file and adds it to the body that is sent apart. */
static enum err map_file(struct endpoint *endpoint, const struct body_file *file,
                         struct arena *arena, struct err_info *why)
{
    struct mapping *mapping = arena_array(arena, 1, sizeof(*mapping));
    struct stat facts;
    int fd;

    if (mapping == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a body");
    fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return cannot(endpoint, file, err_errno_name(errno), errno, why);
    *mapping = (struct mapping){.at = MAP_FAILED, .fd = fd};
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
        mapping->len = (size_t)facts.st_size;
        if (mapping->len == 0) {
            (void)close(fd);
            return ERR_OK;
        }
        mapping->at = mmap(NULL, mapping->len, PROT_READ, MAP_SHARED, fd, 0);
    }
    if (mapping->at == MAP_FAILED || !arena_at_release(arena, unmap, mapping)) {
        if (mapping->at != MAP_FAILED) (void)munmap(mapping->at, mapping->len);
        (void)close(fd);
        return cannot(endpoint, file, "cannot be mapped", 0, why);
    }
    endpoint->apart->spans[endpoint->apart->count++] =
        (struct conn_span){.data = mapping->at, .len = mapping->len, .fd = fd};
    endpoint->apart_len += mapping->len;
    return ERR_OK;
}

/* Whether the body is a few files that never change and nobody looks at, and large: then it is sent
 * apart, from where the files lie. */
static bool is_apart(struct endpoint *endpoint)
{
    const struct testfile_body *def = &endpoint->def->body;
    uint64_t bytes = 0;

    if (def->kind != BODY_FILES || def->count > CONN_BODY_SPANS || endpoint->keeps_sent ||
        endpoint->runner->worker->table.window_max > 1) {
        return false;
    }
    for (uint32_t i = 0; i < def->count; i++) {
        struct body_file *file = &endpoint->files[i];
        struct stat facts;
        const char *text;
        size_t len;

        if (!template_is_constant(def->files[i].compiled, &text, &len)) return false;
        if (!set_name(file, def->directory, text, len)) return false;
        if (stat(file->name, &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
        bytes += (uint64_t)facts.st_size;
    }
    return bytes > APART_BYTES_MIN;
}

static enum err init_apart(struct endpoint *endpoint, struct arena *arena, struct err_info *why)
{
    enum err err = ERR_OK;

    endpoint->apart = arena_array(arena, 1, sizeof(*endpoint->apart));
    if (endpoint->apart == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a body");
    for (uint32_t i = 0; err == ERR_OK && i < endpoint->def->body.count; i++) {
        endpoint->files[i].path = &endpoint->def->body.files[i];
        err = map_file(endpoint, &endpoint->files[i], arena, why);
    }
    return err;
}

static enum err init_file(struct endpoint *endpoint, struct body_file *file, struct arena *arena,
                          uint32_t inline_max, struct err_info *why)
{
    const char *text;
    size_t len;

    file->ask = (struct reader_ask){.kind = READER_FILE, .path = file->name, .fd = -1};
    if (template_is_constant(file->path->compiled, &text, &len)) {
        if (!set_name(file, endpoint->def->body.directory, text, len)) {
            return cannot(endpoint, file, "has too long a path", 0, why);
        }
        return read_constant(endpoint, file, arena, inline_max, why);
    }
    endpoint->loads_files = true;
    /* Pages that no file fills cost nothing. */
    file->ask.len = inline_max;
    file->ask.to = arena_alloc(arena, inline_max, CACHE_LINE);
    return file->ask.to == NULL ? err_set(why, ERR_MEMORY, ENOMEM, "no memory for a body") : ERR_OK;
}

enum err runner_init_files(struct endpoint *endpoint, struct arena *arena, struct err_info *why)
{
    const struct testfile_body *def = &endpoint->def->body;
    uint32_t inline_max;
    enum err err = ERR_OK;

    if (def->kind != BODY_FILES && def->kind != BODY_MULTIPART) return ERR_OK;
    endpoint->files = arena_array(arena, def->count, sizeof(*endpoint->files));
    endpoint->cuts.list = arena_array(arena, def->count, sizeof(*endpoint->cuts.list));
    if (endpoint->files == NULL || endpoint->cuts.list == NULL ||
        !runner_init_streams(endpoint->runner, arena)) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a body");
    }
    if (is_apart(endpoint)) return init_apart(endpoint, arena, why);
    inline_max = (uint32_t)min_u64(FILE_INLINE_BYTES, BODY_INLINE_BYTES / max_u64(def->count, 1));
    for (uint32_t i = 0; err == ERR_OK && i < def->count; i++) {
        struct body_file *file = &endpoint->files[i];

        if (def->kind == BODY_FILES) file->path = &def->files[i];
        if (def->kind == BODY_MULTIPART && def->pieces[i].is_file) {
            file->path = &def->pieces[i].content;
        }
        if (file->path != NULL) err = init_file(endpoint, file, arena, inline_max, why);
    }
    return err;
}

/* Requests. */

/* Makes the name of a file of the next request, whose environment is ready if `error` is EXPR_OK;
 * false when that cannot be done. */
static bool make_name(struct endpoint *endpoint, struct body_file *file, enum expr_error error)
{
    struct runner *runner = endpoint->runner;
    struct buf path;

    if (file->is_named) return true;
    file->name_len = file->given_from = 0;
    buf_init(&path, runner->body_bytes, RUNNER_BUILD_BYTES);
    if (error == EXPR_OK) error = template_render(file->path->compiled, &runner->env, &path);
    return error == EXPR_OK && set_name(file, endpoint->def->body.directory, path.data, path.len);
}

/* Asks for the files of the next request. */
static void ask_files(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    struct exchange next = {.endpoint = endpoint, .inputs = endpoint->inputs};
    enum expr_error error = next.inputs.error;

    CHECK(runner->options.reader != NULL);
    if (error == EXPR_OK) runner_ready_env(runner, endpoint, &next);
    for (uint32_t i = 0; i < endpoint->def->body.count; i++) {
        struct body_file *file = &endpoint->files[i];

        if (file->path == NULL || file->is_constant) continue;
        file->ask.got = 0;
        store_relaxed(&file->ask.done, 1);
        file->is_wrong = !make_name(endpoint, file, error);
        if (file->is_wrong) continue;
        if (!reader_ask(runner->options.reader, runner->worker->index, &file->ask)) {
            file->is_wrong = true;
            store_relaxed(&file->ask.done, 1);
        }
    }
}

static bool are_done(const struct endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->def->body.count; i++) {
        const struct body_file *file = &endpoint->files[i];

        if (file->path == NULL || file->is_constant) continue;
        if (!reader_is_done(&file->ask)) return false;
    }
    return true;
}

static bool is_too_large(const struct body_file *file)
{
    return file->path != NULL && !file->is_wrong && file->ask.got == -EFBIG;
}

bool runner_load_files(struct endpoint *endpoint)
{
    if (likely(!endpoint->loads_files) || endpoint->has_files) return true;
    if (!endpoint->awaits_files) {
        ask_files(endpoint);
        endpoint->awaits_files = true;
        endpoint->runner->awaiting_files++;
    }
    if (!are_done(endpoint)) return false;
    endpoint->awaits_files = false;
    endpoint->runner->awaiting_files--;
    endpoint->has_files = true;
    endpoint->is_streamed = false;
    for (uint32_t i = 0; i < endpoint->def->body.count; i++) {
        endpoint->is_streamed |= is_too_large(&endpoint->files[i]);
    }
    return true;
}

void runner_files_poll(struct runner *runner)
{
    if (likely(runner->awaiting_files == 0)) return;
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (endpoint->awaits_files && are_done(endpoint)) runner_touch(endpoint);
    }
}

void runner_file_name(const struct endpoint *endpoint, uint32_t index, const char **ret_name,
                      size_t *ret_len)
{
    const struct body_file *file = &endpoint->files[index];

    *ret_name = file->name + file->given_from;
    *ret_len = file->name_len - file->given_from;
}

/* Leaves the bytes of a file to be sent from where they lie. */
static enum expr_error add_cut(struct endpoint *endpoint, const struct body_file *file,
                               const struct buf *body)
{
    if (file->ask.size > CUTS_BYTES_MAX - endpoint->cuts.bytes) return EXPR_TOO_LARGE;
    endpoint->cuts.bytes += file->ask.size;
    endpoint->cuts.list[endpoint->cuts.count++] = (struct body_cut){
        .at = body->len,
        .size = file->ask.size,
        .path = file->name,
        .name = file->name + file->given_from,
    };
    return EXPR_OK;
}

enum expr_error runner_add_file(struct endpoint *endpoint, uint32_t index, struct buf *body)
{
    const struct body_file *file = &endpoint->files[index];

    CHECK(file->path != NULL);
    if (is_too_large(file)) return add_cut(endpoint, file, body);
    if (file->is_wrong || file->ask.got < 0) return EXPR_FILE;
    buf_add(body, file->ask.to, (size_t)file->ask.got);
    return EXPR_OK;
}
