/* From the words of the command line to the requests' body: text or a file, in the requests' bytes
 * or apart from them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/quote.h"
#include "core/cli_build.h"

static enum err refuse_file(const char *name, int errno_value, struct err_info *why)
{
    enum err err =
        err_set(why, ERR_FILE, errno_value, "body file '%s' cannot be read: %s (%s)",
                quote(name).text, strerrordesc_np(errno_value), err_errno_name(errno_value));

    if (why != NULL) (void)snprintf(why->file, sizeof(why->file), "%s", name);
    return err;
}

/* Reads all of the file, which may be a pipe, into `scratch`. */
static enum err read_all(struct cli_words *words, struct arena *scratch, int fd,
                         struct plan_request_options *request, struct err_info *why)
{
    /* Untouched pages cost nothing, so a small file does not pay for the bound. */
    char *body = arena_alloc(scratch, PLAN_BODY_BYTES_MAX + 1, 1);
    size_t len = 0;
    ssize_t n;

    if (body == NULL) {
        return err_set(why, ERR_MEMORY, 0, "no memory for body file '%s'",
                       quote(words->body_file).text);
    }
    do {
        n = read(fd, body + len, PLAN_BODY_BYTES_MAX + 1 - len);
        if (n > 0) len += (size_t)n;
    } while ((n > 0 && len <= PLAN_BODY_BYTES_MAX) || (n < 0 && errno == EINTR));
    if (n < 0) return refuse_file(words->body_file, errno, why);
    if (len > PLAN_BODY_BYTES_MAX) {
        return err_set(why, ERR_FILE, 0,
                       "body file '%s' is larger than 64 MiB, which only a regular file may be, "
                       "and not with '--pipeline'",
                       quote(words->body_file).text);
    }
    request->body = body;
    request->body_len = len;
    return ERR_OK;
}

/* Maps a file of `len` bytes, which is the plan's from then on, as is `fd`. */
static enum err map(struct cli_words *words, int fd, uint64_t len,
                    struct plan_request_options *request, struct err_info *why)
{
    void *body = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

    if (body == MAP_FAILED) return refuse_file(words->body_file, errno, why);
    (void)madvise(body, len, MADV_WILLNEED); /* Advice: that it may fail changes nothing. */
    words->cli.plan.body[0] =
        (struct plan_span){.data = body, .len = len, .fd = fd, .mapping = body};
    words->cli.plan.body_spans = 1;
    request->body = body;
    request->body_len = len;
    request->apart = true;
    return ERR_OK;
}

static enum err open_body(struct cli_words *words, struct arena *scratch,
                          struct plan_request_options *request, struct err_info *why)
{
    int fd = open(words->body_file, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    enum err err;

    if (fd < 0) return refuse_file(words->body_file, errno, why);
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > PLAN_BODY_APART_ABOVE &&
        words->cli.plan.pipeline == 1) {
        err = map(words, fd, (uint64_t)facts.st_size, request, why);
        if (err == ERR_OK) return ERR_OK;
    } else {
        err = read_all(words, scratch, fd, request, why);
    }
    (void)close(fd);
    return err;
}

/* What waits for leave to be sent is apart from what asks for it. */
static enum err set_apart(struct plan *plan, struct plan_request_options *request,
                          struct err_info *why)
{
    char *body;

    if (request->body_len == 0) {
        return err_set(why, ERR_USAGE, 0, "option '--expect-continue' wants a body with bytes");
    }
    body = arena_copy(&plan->arena, request->body, request->body_len);
    if (body == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for the body");
    plan->body[0] = (struct plan_span){.data = body, .len = request->body_len, .fd = -1};
    plan->body_spans = 1;
    request->body = body;
    request->apart = true;
    return ERR_OK;
}

enum err cli_build_body(struct cli_words *words, struct arena *scratch,
                        struct plan_request_options *request, struct err_info *why)
{
    struct plan *plan = &words->cli.plan;
    enum err err = ERR_OK;

    request->chunked = words->chunked_body;
    if (words->body != NULL) {
        request->body = words->body;
        request->body_len = strlen(words->body);
    }
    if (words->body_file != NULL) err = open_body(words, scratch, request, why);
    if (err == ERR_OK && plan->expect_continue && !request->apart) {
        err = set_apart(plan, request, why);
    }
    if (err != ERR_OK || !request->apart || !request->chunked) return err;
    return plan_chunk_body(plan, why);
}

enum err cli_check_body(const struct cli_words *words, struct err_info *why)
{
    static const enum cli_option_id ids[] = {OPTION_CHUNKED_BODY, OPTION_EXPECT_CONTINUE};
    bool has_body = words->body != NULL || words->body_file != NULL;

    if (words->body != NULL && words->body_file != NULL) {
        return err_set(why, ERR_USAGE, 0, "options '--body' and '--body-file' exclude each other");
    }
    for (size_t i = 0; i < COUNT(ids); i++) {
        if (has_body || !cli_is_given(words, ids[i])) continue;
        return err_set(why, ERR_USAGE, 0,
                       "option '--%s' wants a body; give '--body' or '--body-file'",
                       cli_options[ids[i]].name);
    }
    if (words->cli.plan.expect_continue && words->cli.plan.pipeline > 1) {
        return err_set(why, ERR_USAGE, 0,
                       "options '--pipeline' and '--expect-continue' exclude each other: a request "
                       "cannot follow one that may not be sent");
    }
    return ERR_OK;
}
