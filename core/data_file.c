#include "core/data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_BYTES = 1 << 20, SCRATCH_BYTES = 64 << 10, OFFSETS_FIRST = 1024 };

/* Going through a file once. */
struct scan {
    struct data_file *file;
    struct records records;
    struct arena *arena;
    struct arena memory; /* Of the window; dropped at the end. */
    char *window;        /* [window_max] */
    size_t window_max;
    size_t from, to;   /* What of the window is there and not yet looked at. */
    uint64_t offset;   /* Of window[to] in the file. */
    uint64_t capacity; /* Of file->offsets. */
    struct err_info *why;
};

static enum err bad_file(struct err_info *why, const char *path, int errno_value)
{
    return err_set(why, ERR_FILE, errno_value, "data file '%s' cannot be read: %s", path,
                   err_errno_name(errno_value));
}

static enum err no_memory(struct err_info *why, const char *path)
{
    return err_set(why, ERR_MEMORY, ENOMEM, "no memory for data file '%s'", path);
}

static enum err open_regular(struct data_file *file, struct err_info *why)
{
    struct stat status;

    /* Without blocking: a FIFO that nobody writes would hold us up for good. */
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0) return bad_file(why, file->path, errno);
    if (fstat(file->fd, &status) != 0) return bad_file(why, file->path, errno);
    if (!S_ISREG(status.st_mode)) {
        return err_set(why, ERR_FILE, 0, "data file '%s' is %s; give a regular file", file->path,
                       S_ISDIR(status.st_mode)    ? "a directory"
                       : S_ISFIFO(status.st_mode) ? "a pipe"
                                                  : "a device or socket");
    }
    file->bytes = (uint64_t)status.st_size;
    return ERR_OK;
}

/* A mark in front of the text, as spreadsheets write it, is no part of the first record. */
static void pass_mark(struct data_file *file)
{
    char mark[3];

    if (pread(file->fd, mark, sizeof(mark), 0) != (ssize_t)sizeof(mark)) return;
    if (memcmp(mark, "\xef\xbb\xbf", sizeof(mark)) == 0) file->begin = sizeof(mark);
}

/* Reads more of the file behind what is left of the window; `ret_is_last` when there is no more. */
static enum err read_window(struct scan *scan, bool *ret_is_last)
{
    size_t left = scan->to - scan->from;

    memmove(scan->window, scan->window + scan->from, left);
    scan->from = 0;
    scan->to = left;
    while (scan->to < scan->window_max) {
        ssize_t rc = pread(scan->file->fd, scan->window + scan->to, scan->window_max - scan->to,
                           (off_t)scan->offset);

        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0) return bad_file(scan->why, scan->file->path, errno);
        *ret_is_last = rc == 0;
        if (rc == 0) break;
        scan->to += (size_t)rc;
        scan->offset += (size_t)rc;
    }
    return ERR_OK;
}

/* A list of twice the room. */
static uint64_t *grow(const struct scan *scan, const uint64_t *list, uint64_t capacity)
{
    uint64_t *larger = arena_array(scan->arena, capacity, sizeof(*larger));
    uint64_t count = scan->file->offsets_count;

    if (larger != NULL && count > 0) memcpy(larger, list, count * sizeof(*larger));
    return larger;
}

/* Notes that a record begins at `offset`, if its turn it is; false without memory. */
static bool note_offset(struct scan *scan, uint64_t offset)
{
    struct data_file *file = scan->file;
    bool has_lines = file->stride > 1;

    if (file->count % file->stride != 0) return true;
    if (file->offsets_count + 1 >= scan->capacity) {
        uint64_t capacity = scan->capacity == 0 ? OFFSETS_FIRST : 2 * scan->capacity;

        file->offsets = grow(scan, file->offsets, capacity);
        if (has_lines) file->lines = grow(scan, file->lines, capacity);
        if (file->offsets == NULL || (has_lines && file->lines == NULL)) return false;
        scan->capacity = capacity;
    }
    if (has_lines) file->lines[file->offsets_count] = scan->records.begin_line;
    file->offsets[file->offsets_count++] = offset;
    return true;
}

/* The next record is passed over. In random order the first row says how many columns there are,
 * whichever is drawn first; what is wrong with that row is told when it is drawn. */
static enum records_result next_record(struct scan *scan, const struct records_window *window,
                                       size_t *ret_used, struct scratch *scratch,
                                       const char **ret_reason)
{
    const struct data_file *file = scan->file;
    bool counts = file->random && file->count == 0 && file->options.format == RECORDS_CSV;
    struct records before = scan->records;
    enum records_result result;
    struct value unused;

    scratch_clear(scratch);
    result = records_next(&scan->records, window, ret_used, scratch, counts ? &unused : NULL,
                          ret_reason);
    if (!counts || (result != RECORDS_BAD && result != RECORDS_FULL)) return result;
    scan->records = before;
    scratch_clear(scratch);
    return records_next(&scan->records, window, ret_used, scratch, NULL, ret_reason);
}

/* One step: a record, or more of the file. `*is_last`: the window holds the file's end. */
static enum err scan_step(struct scan *scan, struct scratch *scratch, bool *is_last, bool *ret_end)
{
    struct records_window window = {
        .data = scan->window + scan->from, .len = scan->to - scan->from, .is_last = *is_last};
    const char *reason = "";
    size_t used = 0;
    uint64_t offset = scan->offset - window.len;

    switch (next_record(scan, &window, &used, scratch, &reason)) {
    case RECORDS_VALUE:
        if (!note_offset(scan, offset + scan->records.begin)) {
            return no_memory(scan->why, scan->file->path);
        }
        scan->file->count++;
        scan->from += used;
        return ERR_OK;
    case RECORDS_MORE:
        scan->from += used;
        if (scan->from == 0 && scan->to == scan->window_max) break;
        return read_window(scan, is_last);
    case RECORDS_END: *ret_end = true; return ERR_OK;
    case RECORDS_BAD:
        return err_set(scan->why, ERR_FILE, 0, "data file '%s', line %" PRIu64 ": %s",
                       scan->file->path, scan->records.line, reason);
    case RECORDS_FULL: break;
    }
    return err_set(scan->why, ERR_FILE, 0, "data file '%s', line %" PRIu64 ": it is too large",
                   scan->file->path, scan->records.line);
}

/* Finds what the columns are called and, for random order, where records begin. */
static enum err index_file(struct data_file *file, struct arena *arena, struct err_info *why)
{
    struct scan scan = {.file = file, .arena = arena, .offset = file->begin, .why = why};
    struct scratch scratch;
    enum err err = ERR_OK;
    bool is_last = false, end = false;
    char *memory;

    arena_init(&scan.memory, 0);
    records_init(&scan.records, &file->options, arena);
    scan.window_max = (size_t)min_u64(file->bytes, RECORDS_BYTES_MAX) + WINDOW_BYTES;
    scan.window = arena_alloc(&scan.memory, scan.window_max, CACHE_LINE);
    memory = arena_alloc(&scan.memory, SCRATCH_BYTES, CACHE_LINE);
    if (scan.window == NULL || memory == NULL) err = no_memory(why, file->path);
    if (err == ERR_OK) scratch_init(&scratch, memory, SCRATCH_BYTES);
    while (err == ERR_OK && !end && (file->random || scan.records.names_wanted)) {
        err = scan_step(&scan, &scratch, &is_last, &end);
    }
    if (err == ERR_OK && file->count > 0) file->offsets[file->offsets_count] = scan.offset;
    file->names = scan.records.names;
    file->names_count = scan.records.names_count;
    file->columns = scan.records.columns;
    arena_release(&scan.memory);
    return err;
}

static enum err load(struct data_file *file, struct arena *arena, struct err_info *why)
{
    char *data = arena_alloc(arena, (size_t)file->bytes, CACHE_LINE);
    uint64_t got = 0;

    if (data == NULL) return no_memory(why, file->path);
    while (got < file->bytes) {
        ssize_t rc = pread(file->fd, data + got, (size_t)(file->bytes - got), (off_t)got);

        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0) return bad_file(why, file->path, errno);
        if (rc == 0) {
            return err_set(why, ERR_FILE, 0, "data file '%s' became shorter while it was read",
                           file->path);
        }
        got += (uint64_t)rc;
    }
    file->data = data;
    return ERR_OK;
}

enum err data_file_open(struct data_file *file, const char *path,
                        const struct records_options *options, bool random, struct arena *arena,
                        struct err_info *why)
{
    enum err err;

    *file = (struct data_file){.path = path, .fd = -1, .options = *options, .random = random};
    file->names = options->names;
    file->names_count = options->names_count;
    err = open_regular(file, why);
    file->stride = file->bytes <= DATA_FILE_LOADED_MAX ? 1 : DATA_FILE_STRIDE;
    if (err == ERR_OK) pass_mark(file);
    if (err == ERR_OK) err = index_file(file, arena, why);
    if (err == ERR_OK && random && file->stride == 1) err = load(file, arena, why);
    if (err != ERR_OK) data_file_close(file);
    return err;
}

uint64_t data_file_line(const struct data_file *file, uint64_t record)
{
    uint64_t line = 1;

    if (file->lines != NULL) return file->lines[record / file->stride];
    for (const char *at = file->data, *end = at + file->offsets[record];
         (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        line++;
    }
    return line;
}

void data_file_close(struct data_file *file)
{
    if (file->fd >= 0) (void)close(file->fd);
    file->fd = -1;
}
