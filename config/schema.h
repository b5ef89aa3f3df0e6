/* schema: every key of a test file, in one table. The parser reads by it, `pelt check --help KEY`
 * prints it, and the reference page docs/test-file.md is made from it.
 *
 * A new key is a new row, and, unless it is one of the simple kinds, the code that reads it. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "core/base/text.h"

enum schema_section {
    SCHEMA_ROOT,
    SCHEMA_CONFIG,
    SCHEMA_CLIENT,
    SCHEMA_TLS,
    SCHEMA_GENERAL,
    SCHEMA_SEGMENT,
    SCHEMA_LINEAR,
    SCHEMA_PROVIDER,
    SCHEMA_FILE,
    SCHEMA_CSV,
    SCHEMA_RESPONSE,
    SCHEMA_LIST,
    SCHEMA_RANGE,
    SCHEMA_LOGGER,
    SCHEMA_ENDPOINT,
    SCHEMA_BODY,
    SCHEMA_PIECE,
    SCHEMA_PIECE_BODY,
    SCHEMA_PROVIDES,
    SCHEMA_LOGS,
    SCHEMA_WITH,
    SCHEMA_EXPECT,
    SCHEMA_THRESHOLD,
    SCHEMA_SECTIONS,
};

enum schema_kind {
    /* Read and stored by the table alone. */
    SCHEMA_BOOL,      /* bool */
    SCHEMA_COUNT,     /* uint64_t, min..max */
    SCHEMA_INTEGER,   /* int64_t */
    SCHEMA_BYTES,     /* uint64_t, min..max */
    SCHEMA_DURATION,  /* uint64_t, nanoseconds, min..max */
    SCHEMA_SHARE,     /* double; a percent, 1 is 100 % */
    SCHEMA_HITS,      /* double, per second */
    SCHEMA_WORD,      /* uint32_t or an enum: index into `words` */
    SCHEMA_TEXT,      /* const char *; one of `words` if there are any */
    SCHEMA_CHARACTER, /* char */
    /* Read by code of their own. */
    SCHEMA_TEMPLATE,
    SCHEMA_EXPRESSION,
    SCHEMA_OTHER, /* `type` says what. */
};

struct schema_key {
    const char *name;
    enum schema_section section; /* In which it stands. */
    enum schema_kind kind;
    bool required;
    bool later;            /* Known, but not in this version: an error that says so. */
    const char *type;      /* Of SCHEMA_OTHER, and where the kind's own name says too little. */
    const char *fallback;  /* The value when it is not given, as one would write it; or NULL. */
    const char *otherwise; /* What holds then, in words, where no value can say it; or NULL. */
    const char *help;      /* Sentences without a final full stop. */
    uint64_t min, max;
    const char *const *words; /* Ends with NULL. */
    size_t offset;            /* Into the section's struct, of kinds stored by the table. */
};

struct schema_section_info {
    const char *path;  /* "endpoints[]": where the section stands, for help and headings. */
    const char *what;  /* "an endpoint", for messages. */
    const char *about; /* For the reference page; markdown. */
};

extern const struct schema_key schema_keys[];
extern const size_t schema_keys_count;
extern const struct schema_section_info schema_sections[SCHEMA_SECTIONS];

/* The rows of one section stand together: the first, and how many. */
const struct schema_key *schema_section_keys(enum schema_section section, size_t *ret_count);

/* The row of a key in a section, or NULL. */
const struct schema_key *schema_find(enum schema_section section, const char *name);

/* The known name nearest to `name` in a section, or NULL. */
const char *schema_nearest(enum schema_section section, const char *name);

/* Writes what is known of a key: `name` as it stands alone ("peak_load", "to") or with where it
 * stands ("endpoints.peak_load"). False, and nothing is written, when there is none. */
MUST_USE bool schema_help(const char *name, struct text *out);

/* The nearest name that schema_help() knows, or NULL. */
const char *schema_help_nearest(const char *name);

/* Writes the reference page, Markdown. */
void schema_reference(struct text *out);

#endif
