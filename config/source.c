#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/quote.h"

enum { READ_BYTES_MIN = 64 * 1024 };

static enum err cannot_read(const char *path, int errno_value, struct err_info *why)
{
    return err_set(why, ERR_FILE, errno_value, "cannot read '%s': %s", quote(path).text,
                   strerror(errno_value));
}

/* Reads `fd` to its end, or to one byte more than is allowed; false with errno. The size that the
 * kernel tells is a guess that saves growing. */
static bool read_all(struct arena *arena, int fd, size_t guess, struct source *source)
{
    size_t capacity = guess < READ_BYTES_MIN ? READ_BYTES_MIN : guess + 2;
    char *data = arena_alloc(arena, capacity, 1);
    size_t len = 0;

    while (data != NULL && len <= SOURCE_BYTES_MAX) {
        ssize_t n;

        if (len + 1 == capacity) {
            char *grown = arena_alloc(arena, capacity * 2, 1);

            if (grown == NULL) break;
            memcpy(grown, data, len);
            data = grown;
            capacity *= 2;
        }
        n = read(fd, data + len, capacity - len - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) {
            data[len] = '\0';
            source->data = data;
            source->len = len;
            return true;
        }
        len += (size_t)n;
    }
    errno = len > SOURCE_BYTES_MAX ? EFBIG : ENOMEM;
    return false;
}

enum err source_read(struct arena *arena, const char *path, struct source *ret_source,
                     struct err_info *why)
{
    struct source source = {.name = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat about;
    int errno_value;
    bool done;

    if (fd < 0) return cannot_read(path, errno, why);
    errno = 0;
    done = fstat(fd, &about) == 0;
    if (done && about.st_size > SOURCE_BYTES_MAX) {
        errno = EFBIG;
        done = false;
    }
    if (done) done = read_all(arena, fd, (size_t)about.st_size, &source);
    source.device = about.st_dev;
    source.inode = about.st_ino;
    errno_value = errno;
    (void)close(fd);
    if (done) {
        *ret_source = source;
        return ERR_OK;
    }
    if (errno_value == EFBIG) {
        return err_set(why, ERR_CONFIG, EFBIG,
                       "'%s' is larger than %d MiB; put data into files "
                       "of file providers",
                       quote(path).text, SOURCE_BYTES_MAX >> 20);
    }
    if (errno_value == ENOMEM) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory to read '%s'", quote(path).text);
    }
    return cannot_read(path, errno_value, why);
}

struct source source_of_text(const char *name, const char *data, size_t len)
{
    CHECK(len <= SOURCE_BYTES_MAX);
    return (struct source){.name = name, .data = data, .len = len};
}

/* Decodes one UTF-8 sequence of at most `room` bytes (RFC 3629 section 4); its length, or 0. */
static size_t decode(const unsigned char *at, size_t room, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t code;

    if (len == 0 || at[0] > 0xF4 || len > room) return 0;
    code = len == 1 ? at[0] : at[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (at[i] & 0x3F);
    }
    if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
    *ret_code = code;
    return len;
}

/* YAML 1.1 section 4.1.1, as libyaml has it. */
static bool is_printable(uint32_t code)
{
    if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
    if (code < 0x7F) return true;
    if (code < 0xA0) return code == 0x85;
    return code != 0xFEFF && code != 0xFFFE && code != 0xFFFF;
}

bool source_check(const struct source *source, struct place *ret_place, const char **ret_message)
{
    const unsigned char *data = (const unsigned char *)source->data;
    size_t at = 0;
    uint32_t code;

    if (source->len >= 3 && memcmp(source->data, "\xEF\xBB\xBF", 3) == 0) at = 3;
    while (at < source->len) {
        size_t len = decode(data + at, source->len - at, &code);

        if (len > 0 && is_printable(code)) {
            at += len;
            continue;
        }
        *ret_place = source_place(source, at);
        if (len > 0) {
            *ret_message = code == 0 ? "a NUL character; is this a text file?"
                                     : "a control character; write it as an escape in double "
                                       "quotes, such as \"\\x1B\"";
        } else {
            *ret_message = at == 0 && data[0] >= 0xFE ? "not UTF-8 but UTF-16; save it as UTF-8"
                                                      : "not UTF-8; save the file as UTF-8";
        }
        return false;
    }
    return true;
}

size_t source_break_len(const char *at, const char *end)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t room = (size_t)(end - at);

    if (room == 0) return 0;
    if (c[0] == '\n') return 1;
    if (c[0] == '\r') return room > 1 && c[1] == '\n' ? 2 : 1;
    if (c[0] == 0xC2 && room > 1 && c[1] == 0x85) return 2;
    if (c[0] == 0xE2 && room > 2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9)) return 3;
    return 0;
}

/* True for the few bytes that a line end can begin with. */
static bool may_break(char c)
{
    return c == '\n' || c == '\r' || c == '\xC2' || c == '\xE2';
}

/* Calls for each line: the offset at which it begins. Writes them to `lines` unless that is NULL;
 * the count. */
static uint32_t walk_lines(const struct source *source, uint32_t *lines)
{
    const char *end = source->data + source->len;
    uint32_t count = 1;

    if (lines != NULL) lines[0] = 0;
    for (const char *at = source->data; at < end;) {
        size_t len = may_break(*at) ? source_break_len(at, end) : 0;

        at += len > 0 ? len : 1;
        if (len == 0) continue;
        if (lines != NULL) lines[count] = (uint32_t)(at - source->data);
        count++;
    }
    return count;
}

bool source_index(struct source *source, struct arena *arena)
{
    uint32_t count, *lines;

    if (source->lines != NULL) return true;
    CHECK(source->data != NULL);
    count = walk_lines(source, NULL);
    lines = arena_array(arena, count, sizeof(*lines));
    if (lines == NULL) return false;
    (void)walk_lines(source, lines);
    source->lines = lines;
    source->lines_count = count;
    return true;
}

const char *source_line(const struct source *source, uint32_t line, size_t *ret_len)
{
    const char *at, *end, *stop = source->data + source->len;

    CHECK(source->lines != NULL);
    CHECK(line >= 1);
    *ret_len = 0;
    if (line > source->lines_count) return stop;
    at = end = source->data + source->lines[line - 1];
    while (end < stop && (!may_break(*end) || source_break_len(end, stop) == 0)) {
        end++;
    }
    *ret_len = (size_t)(end - at);
    return at;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* libyaml counts no character for the byte order mark that it is not shown. */
static size_t mark_len(const struct source *source, uint32_t line)
{
    if (line != 1 || source->len < 3 || memcmp(source->data, "\xEF\xBB\xBF", 3) != 0) return 0;
    return 3;
}

size_t source_offset(const struct source *source, uint32_t line, uint32_t column)
{
    size_t len, at = mark_len(source, line);
    const char *text = source_line(source, line, &len);

    for (uint32_t i = 1; i < column && at < len; i++) {
        at++;
        while (at < len && is_continuation(text[at])) {
            at++;
        }
    }
    return (size_t)(text - source->data) + at;
}

struct place source_place(const struct source *source, size_t offset)
{
    const char *end = source->data + source->len, *line_at = source->data;
    struct place place = {.line = 1, .column = 1, .width = 1};

    CHECK(offset <= source->len);
    for (const char *at = source->data; at < source->data + offset;) {
        size_t len = may_break(*at) ? source_break_len(at, end) : 0;

        at += len > 0 ? len : 1;
        if (len == 0 || at > source->data + offset) continue;
        place.line++;
        line_at = at;
    }
    line_at += mark_len(source, place.line);
    for (const char *at = line_at; at < source->data + offset; at++) {
        if (!is_continuation(*at)) place.column++;
    }
    return place;
}
