#include "io/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes read, 0 at the end and at an error: what came before it is all there is. */
static size_t read_some(int fd, char *buf, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, buf, size);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

bool proc_read(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0, n;

    buf[0] = '\0';
    if (fd < 0) return false;
    while (len + 1 < size && (n = read_some(fd, buf + len, size - 1 - len)) > 0) {
        len += n;
    }
    (void)close(fd);
    buf[len] = '\0';
    return len > 0;
}

bool proc_lines_open(struct proc_lines *lines, const char *path)
{
    lines->at = lines->len = 0;
    lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    return lines->fd >= 0;
}

bool proc_lines_next(struct proc_lines *lines)
{
    size_t used = 0;

    for (;;) {
        const char *from = lines->buf + lines->at, *end;
        size_t left = lines->len - lines->at, take;

        if (left == 0) {
            lines->at = 0;
            lines->len = lines->fd < 0 ? 0 : read_some(lines->fd, lines->buf, sizeof(lines->buf));
            if (lines->len == 0) break;
            continue;
        }
        end = memchr(from, '\n', left);
        take = end != NULL ? (size_t)(end - from) : left;
        lines->at += end != NULL ? take + 1 : take;
        if (take > sizeof(lines->line) - 1 - used) take = sizeof(lines->line) - 1 - used;
        memcpy(lines->line + used, from, take);
        used += take;
        lines->line[used] = '\0';
        if (end != NULL) return true;
    }
    proc_lines_close(lines);
    return used > 0;
}

void proc_lines_close(struct proc_lines *lines)
{
    if (lines->fd >= 0) (void)close(lines->fd);
    lines->fd = -1;
}

bool proc_number(const char *text, const char *key, int base, uint64_t *ret_value)
{
    size_t len = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        char *end;
        uint64_t value;

        if (*line == '\n') line++;
        if (strncmp(line, key, len) != 0) continue;
        errno = 0;
        value = strtoull(line + len, &end, base);
        if (end == line + len || errno != 0) return false;
        *ret_value = value;
        return true;
    }
    return false;
}
