/* json: reading JSON (RFC 8259), strictly: one value, nothing after it but white space, UTF-8, no
 * comments, no NaN. Two readers:
 *
 * json_parse() makes a value of a whole text.
 *
 * A selection picks a few values out of a text that comes in pieces, without making a value of
 * the rest. What to pick is a set of paths, compiled once (struct json_paths); what was picked
 * from one text is a struct json_select, which is small, is used again for the next text, and
 * keeps nothing of the text but the bytes of the values that it picks. It also says whether the
 * whole text is valid, and the two readers always agree on that.
 *
 * Threads: compiled paths never change; a selection has one owner. */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include "config/value.h"
#include "core/base/arena.h"
#include "core/base/scratch.h"

struct json_error {
    const char *message; /* Static: "a comma or ']' is missing", "memory is used up", … */
    size_t offset;       /* Of the wrong byte, from 0; the length of the text when it ends early. */
    uint32_t line;       /* Both from 1; columns count bytes. */
    uint32_t column;
    bool is_memory; /* The text may be right: the memory is used up. */
};

/* Parses `len` bytes. Of a key that comes twice the last value counts, at the place of the first.
 * A number that no double can hold becomes the largest one; half a surrogate pair becomes U+FFFD.
 * The value takes its memory from the scratch, and strings without escapes point into `text`, which
 * must therefore live as long. False (`ret_error` may be NULL) when it is wrong, deeper than
 * VALUE_DEPTH_MAX, or the scratch is full; the scratch is then as before. */
MUST_USE bool json_parse(const char *text, size_t len, struct scratch *scratch,
                         struct value *ret_value, struct json_error *ret_error);

/* The same with memory of the arena, which also gets the strings: `text` may go. */
MUST_USE bool json_parse_arena(const char *text, size_t len, struct arena *arena,
                               struct value *ret_value, struct json_error *ret_error);

/* True if the bytes are well-formed UTF-8 (RFC 3629). */
bool json_is_utf8(const char *text, size_t len);

/* What an expression takes for a body: its JSON value if the whole is JSON (`ret_is_json`), else
 * its text, else, when it is not UTF-8, the string "<<binary data>>". Points into `text`. False
 * when the scratch is full, or the text longer than VALUE_STRING_MAX. */
MUST_USE bool json_body(const char *text, size_t len, struct scratch *scratch,
                        struct value *ret_value, bool *ret_is_json);

/* One step of a path: a member by name, or an element by number, which in an object is the member
 * of that name. */
struct json_step {
    const char *name; /* NULL: by number. Not terminated. */
    uint32_t len;
    uint32_t index;
};

enum {
    JSON_PATHS_MAX = 256, /* Of one set. */
    JSON_STEPS_MAX = 32,  /* Of one path; what is deeper is taken from the value picked. */
    JSON_NAME_BYTES_MAX = 255,
    JSON_NODES_MAX = 1024, /* Steps of all paths together, each beginning counted once. */
    JSON_PATH_NONE = UINT32_MAX,
};

/* A set of paths, compiled. */
struct json_paths;

/* An empty set, in `arena`; NULL when that is full. */
MUST_USE struct json_paths *json_paths_new(struct arena *arena);

/* Adds a path (copied; no steps: the whole text) and returns its number, counted from 0 and the
 * same for the same path; JSON_PATH_NONE when a maximum is passed or the arena is full, and the
 * set is then as before. The beginning of the path may be added instead, and the rest be taken
 * from the value it finds. Never after json_paths_seal(). */
MUST_USE uint32_t json_paths_add(struct json_paths *paths, const struct json_step *steps,
                                 size_t steps_count);

uint32_t json_paths_count(const struct json_paths *paths);

/* Makes the set ready for selections. False when the arena is full. */
MUST_USE bool json_paths_seal(struct json_paths *paths);

/* What became of one path. */
enum json_found {
    JSON_FOUND,    /* There is a value. */
    JSON_MISSING,  /* The container that should hold it is there and does not: null. */
    JSON_INDEXING, /* A step leads into what is no container, or text that is no JSON. */
};

struct json_result {
    enum json_found found;
    struct value value; /* null unless found. */
};

enum json_state {
    JSON_MORE,    /* Right so far. */
    JSON_INVALID, /* No JSON; further bytes are only kept if the whole text is picked. */
    JSON_FULL,    /* The memory for what is picked is used up. */
};

/* A selection at work. */
struct json_select;

/* A selection for this sealed set, in `arena`; NULL when that is full. */
MUST_USE struct json_select *json_select_new(struct arena *arena, const struct json_paths *paths);

/* Begins with a new text. `memory` takes the bytes of the values that are picked, and must live
 * until the results are used no more. */
void json_select_start(struct json_select *select, char *memory, size_t memory_bytes);

/* Takes the next piece, any length. The piece may go after the call. */
enum json_state json_select_feed(struct json_select *select, const char *data, size_t len);

/* Ends the text: writes one result per path, in the order of their numbers, whose values lie in
 * the selection's memory and the scratch. `ret_is_json` (may be NULL) says whether the whole text
 * is JSON; when not, the path without steps finds the text or "<<binary data>>", all others are
 * JSON_INDEXING. False when the memory or the scratch was too small. */
MUST_USE bool json_select_finish(struct json_select *select, struct scratch *scratch,
                                 struct json_result *ret_results, bool *ret_is_json);

#endif
