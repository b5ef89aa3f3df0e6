#include "core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/quote.h"

void output_hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* Only readable: who writes there is told that it cannot be. */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return;
    }
}

enum err output_open(struct output *output, const char *path, struct err_info *why)
{
    *output = (struct output){.path = path, .fd = -1};
    if (path == NULL) return ERR_OK;
    if (strcmp(path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        return ERR_OK;
    }
    output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (output->fd >= 0) return ERR_OK;
    return err_set(why, ERR_FILE, errno, "cannot write '%s': %s", quote(path).text,
                   strerror(errno));
}

/* Writes all of it; 0 or an errno. */
static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n == 0 || errno == EAGAIN) {
            return EIO;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

enum err output_stream(int fd, const struct text *text, struct err_info *why)
{
    int error;

    if (text->failed) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the report");
    error = write_all(fd, text->data, text->len);
    if (error == 0 || error == EPIPE) return ERR_OK;
    return err_set(why, ERR_FILE, error, "cannot write the report: %s", strerror(error));
}

void output_add(struct output *output, const struct text *piece)
{
    if (output->fd < 0 || output->error != 0) return;
    if (piece->failed) {
        output->error = ENOMEM;
        return;
    }
    /* What cannot be cut, a pipe or a device, is written as it is. */
    if (!output->begun && ftruncate(output->fd, 0) != 0 && errno != EINVAL) {
        output->error = errno;
        return;
    }
    output->begun = true;
    output->error = write_all(output->fd, piece->data, piece->len);
}

enum err output_close(struct output *output, struct err_info *why)
{
    if (output->fd < 0) return ERR_OK;
    if (close(output->fd) != 0 && output->error == 0) output->error = errno;
    output->fd = -1;
    if (output->error == 0) return ERR_OK;
    return err_set(why, output->error == ENOMEM ? ERR_MEMORY : ERR_FILE, output->error,
                   "cannot write '%s': %s", quote(output->path).text, strerror(output->error));
}

enum err output_write(struct output *output, const struct text *text, struct err_info *why)
{
    if (output->fd == STDOUT_FILENO) return output_stream(output->fd, text, why);
    output_add(output, text);
    return output_close(output, why);
}
