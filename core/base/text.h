/* text: a growing string in an arena, and a JSON writer on top of it.
 *
 * Writing never fails on the spot: when the arena refuses, the text is marked `failed`, further
 * writes do nothing, and whoever sends it out checks once at the end.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/arena.h"
#include "core/base/defs.h"

struct text {
    struct arena *arena; /* Borrowed; grown copies stay in it until it is released. */
    char *data;          /* Terminated once anything has been written. */
    size_t len;
    size_t capacity;
    bool failed;
};

/* Makes `text` empty. It doubles as it grows and leaves its former copies behind, so it takes
 * up to four times its length from `arena`. Nothing to release. */
void text_init(struct text *text, struct arena *arena);

/* Empties `text` and keeps its room; the mark of a failure stays. */
void text_clear(struct text *text);

/* Each adds all of what it is given or, when the arena refuses, nothing, and marks the text. */
void text_add(struct text *text, const char *data, size_t len);
void text_add_str(struct text *text, const char *str);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

enum { JSON_DEPTH_MAX = 16 };

/* Writes one JSON value (RFC 8259), indented by two spaces per level, or on one line without
 * spaces if `compact`; either ends with a line end. Commas and line ends are the writer's.
 * Aborts on calls out of order: a value without a key inside an object, a key elsewhere, an end
 * without a start, more than JSON_DEPTH_MAX levels, a second value. */
struct json {
    struct text *out;
    uint32_t depth;
    uint32_t line_depth; /* Levels from here on stand on one line; 0: none does. */
    bool compact;
    bool finished;                  /* The one value is complete. */
    bool has_key;                   /* A key has been written, its value has not. */
    bool in_object[JSON_DEPTH_MAX]; /* Per level. */
    bool filled[JSON_DEPTH_MAX];    /* Per level: it already holds something. */
};

/* `out` is borrowed until the last call. */
void json_init(struct json *json, struct text *out, bool compact);

void json_object(struct json *json);
void json_array(struct json *json);
void json_object_line(struct json *json);          /* An object that takes one line. */
void json_end(struct json *json);                  /* Ends the innermost object or array. */
void json_key(struct json *json, const char *key); /* Only in an object; escaped like a string. */
void json_key_len(struct json *json, const char *key, size_t len); /* Not terminated. */

/* Strings are UTF-8; control characters, quotes and backslashes are escaped, and each byte that
 * is not part of a valid UTF-8 sequence becomes U+FFFD. `json_str_len` takes bytes that need
 * not be terminated. */
void json_str(struct json *json, const char *str);
void json_str_len(struct json *json, const char *str, size_t len);
void json_u64(struct json *json, uint64_t value);

/* With at most `decimals` (0..9) digits after the point; NaN and infinities become null. */
void json_double(struct json *json, double value, int decimals);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A key and its value, as the functions above write them. */
void json_put_str(struct json *json, const char *key, const char *value);
void json_put_u64(struct json *json, const char *key, uint64_t value);
void json_put_double(struct json *json, const char *key, double value, int decimals);
void json_put_bool(struct json *json, const char *key, bool value);

/* A key and an object of the [count] counts that are not 0, each under its name. */
void json_put_counts(struct json *json, const char *key, const uint64_t *counts,
                     const char *const *names, size_t count);

#endif
