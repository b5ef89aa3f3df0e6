/* source: the text of one file, and where its lines begin.
 *
 * Lines end with LF, CR, CR LF, NEL, LS or PS, as YAML 1.1 and libyaml count them, so that places
 * found there are places here. Lines and columns count from 1, columns in characters. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "core/base/arena.h"
#include "core/base/err.h"

enum { SOURCE_BYTES_MAX = 10 * 1024 * 1024 };

struct source {
    const char *name; /* The path as messages show it. */
    const char *data; /* UTF-8, [len], terminated; NULL while nothing has been read. */
    size_t len;
    const uint32_t *lines; /* Where each line begins, in bytes; [lines_count], made on demand. */
    uint32_t lines_count;
    uint64_t device, inode; /* Of the file, however it is named; 0: text. */
};

/* A stretch of one line of a source. */
struct place {
    uint32_t line;   /* From 1; 0: the file as a whole. */
    uint32_t column; /* From 1. */
    uint16_t width;  /* In characters; at most what fits is kept. */
    uint16_t source; /* Which one; index into those of the diagnostics. */
};

/* Reads the file at `path`, which ret_source->name then is (borrowed). ERR_FILE when it cannot be
 * read, ERR_CONFIG when it holds more than SOURCE_BYTES_MAX, ERR_MEMORY. Whatever can be read is
 * taken, a pipe too; blocks until its end. */
MUST_USE enum err source_read(struct arena *arena, const char *path, struct source *ret_source,
                              struct err_info *why);

/* Takes `len` bytes of text, borrowed and terminated, as they are; for tests and fuzzing. */
struct source source_of_text(const char *name, const char *data, size_t len);

/* Checks that all is UTF-8 (RFC 3629) without characters that YAML forbids. On failure gives the
 * place and the message. */
MUST_USE bool source_check(const struct source *source, struct place *ret_place,
                           const char **ret_message);

/* Finds where the lines begin, in `arena`; false when that refuses. */
MUST_USE bool source_index(struct source *source, struct arena *arena);

/* The line's text without its end; an empty one at the end of the source beyond the last. The index
 * must be there. */
const char *source_line(const struct source *source, uint32_t line, size_t *ret_len);

/* The byte offset of a place; that of the line's end for columns beyond it. The index must be
 * there. */
size_t source_offset(const struct source *source, uint32_t line, uint32_t column);

/* The place of a byte offset, with a width of 1. */
struct place source_place(const struct source *source, size_t offset);

/* How many bytes the line end at `at` (before `end`) has, 0 when there is none. */
size_t source_break_len(const char *at, const char *end);

#endif
