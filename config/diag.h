/* diag: everything that is wrong with a test file, told at once and told well.
 *
 * Whoever finds something wrong adds it, with its place, and goes on as well as it can; at the end
 * all are shown in the order of the file:
 *
 *     test.yaml:12:5: error: unknown key 'peak_laod' in an endpoint; did you mean 'peak_load'?
 *        12 |     peak_laod: 5hps
 *           |     ^~~~~~~~~
 *
 * Messages: lower case, subjects in quotes, no full stop, and what to do about it.
 *
 * Threads: one owner. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include "config/source.h"
#include "core/base/text.h"

enum {
    DIAGS_MAX = 2000,      /* More are counted, not kept. */
    DIAGS_SHOWN_MAX = 200, /* More are counted, not shown. */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
    struct place place;
    enum diag_level level;
    const char *message; /* One line. */
};

struct diags {
    struct arena *arena; /* Borrowed; everything is in it. */
    struct source *sources;
    uint32_t sources_count, sources_capacity;
    struct diag *list; /* [count] */
    uint32_t count, capacity;
    uint32_t errors, warnings; /* All, kept or not. */
    bool failed;               /* Memory was refused: something is missing. */
};

/* Makes `diags` empty. Nothing to release. */
void diags_init(struct diags *diags, struct arena *arena);

/* Adds a source; its number goes into places. 0 and `failed` when memory is refused. */
uint16_t diags_add_source(struct diags *diags, const struct source *source);

/* Adds an error or a warning. `place` may be of line 0: of the file as a whole. */
void diag_error(struct diags *diags, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_warn(struct diags *diags, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds "; did you mean 'known'?" to the newest message; no-op if known is NULL. */
void diag_did_you_mean(struct diags *diags, const char *known);

/* Sorts by file, place, level and words; what is said twice of one place is kept once. */
void diags_sort(struct diags *diags);

/* Writes all for a person, each with its line and a mark below it, or a JSON object per line:
 * {"level","file","line","column","message"}; no line and column for a file as a whole. */
void diags_human(struct diags *diags, struct text *out);
void diags_json(const struct diags *diags, struct text *out);

#endif
