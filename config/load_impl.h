/* What the files that read a test file (load*.c, parse_*.c, testfile_check.c) share.
 *
 * Nothing here fails on the spot: what is wrong goes into the diagnostics, something harmless
 * takes its place, and reading goes on, so that all errors are found in one run. When memory is
 * refused diags->failed is set, and everybody comes to an end soon. */
#ifndef CONFIG_LOAD_IMPL_H
#define CONFIG_LOAD_IMPL_H

#include "config/dict.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/yaml.h"

enum { FIELDS_MAX = 24, LOAD_TEXT_BYTES_MAX = 2 * 1024 * 1024 };

struct raw_linear {
    double from_share, to_share;
    uint64_t over_ns;
};

struct raw_threshold {
    const char *check;
    uint32_t from;
};

/* Name and definition of a var, provider or logger, out of whichever file. */
struct load_entry {
    const struct yaml_node *key, *value;
    bool done, busy, wrong; /* Vars: evaluated, being evaluated, with errors.
                             Endpoints: with errors. */
};

struct load_entries {
    struct load_entry *list; /* [count] */
    uint32_t count, capacity;
    struct dict names; /* Name → index. */
};

struct loader {
    struct arena *arena; /* The test file's. */
    struct diags *diags;
    const struct testfile_options *options;
    struct testfile *file;
    struct load_entries vars, providers, loggers;
    struct load_entries endpoints; /* Keys are NULL. */
    const struct yaml_node *root;  /* Of the main file. */
    const struct yaml_node *client_headers;
    const struct raw_linear *pattern; /* The root's; NULL: none. */
    uint32_t pattern_count;
    struct testfile_provider *provider_list; /* file->providers. */
    struct testfile_var *var_values;         /* [vars.count], as far as they are done. */
    struct dict counters;
    struct rng rng;
    void *work; /* For evaluating: LOAD_TEXT_BYTES_MAX of values and as much of text. */
};

/* The values of a mapping by the rows of its section; NULL: not given. */
struct fields {
    const struct schema_key *first;
    size_t count;
    const struct yaml_node *nodes[FIELDS_MAX];
};

/* Reads a mapping by the table: unknown, double, missing and later keys are told, simple kinds are
 * stored into `ret_struct` (defaults first), the nodes of all are in `ret_fields`. A node that is
 * no mapping is told, and is as an empty one; so is NULL, for which nothing is told. */
void fields_read(struct loader *loader, const struct yaml_node *node, enum schema_section section,
                 void *ret_struct, struct fields *ret_fields);

/* The value given for a key of the section, or NULL. */
const struct yaml_node *fields_get(const struct fields *fields, const char *name);

/* Zeroed memory for `count` elements of `size` bytes; NULL, and diags->failed, when refused. */
MUST_USE void *load_alloc(struct loader *loader, size_t count, size_t size);

/* Appends; false when memory is refused. */
bool load_entries_add(struct loader *loader, struct load_entries *entries,
                      const struct yaml_node *key, const struct yaml_node *value);

/* `path` relative to the directory of a source, in the arena; NULL when memory is refused. */
const char *load_path(struct loader *loader, uint16_t source, const char *path);

/* Tells unless there is a file at `path` (NULL: fine) that can be read, and no directory. True if
 * there is one to look into: false too where files are not asked for. */
bool load_check_file(struct loader *loader, struct place place, const char *path);

/* The text of a scalar after templates over vars; NULL, with the reason told, when it is none. */
const char *load_text(struct loader *loader, const struct yaml_node *node);

/* Tells of keys that come twice; of a node that is no mapping nothing. */
void load_check_twice(struct loader *loader, const struct yaml_node *mapping);

/* Reads one of the simple kinds into `ret_value`, untouched when wrong (told). */
bool load_simple(struct loader *loader, const struct schema_key *key, const struct yaml_node *node,
                 void *ret_value);

/* Tells of an unknown name; `what` is such as "provider". */
void load_unknown(struct loader *loader, struct place place, const char *what, const char *name,
                  const struct load_entries *known);

/* The JSON value that a node is; strings are templates over vars if `templates`, and the result is
 * JSON again if it parses: of every string if `all`, else of plain ones. */
struct value load_value(struct loader *loader, const struct yaml_node *node, bool templates,
                        bool all);

/* Evaluates all vars into loader->file (parse_vars.c). */
void parse_vars(struct loader *loader);

/* The value of a var, evaluated if need be; false when it is unknown or wrong (then told). */
bool load_var(struct loader *loader, const char *name, size_t len, struct value *ret_value);

void parse_config(struct loader *loader, const struct yaml_node *node);
void parse_providers(struct loader *loader);
void parse_loggers(struct loader *loader);
void parse_thresholds(struct loader *loader, const struct yaml_node *node);

/* Reads a load pattern; NULL when it is wrong (told). */
const struct raw_linear *parse_pattern(struct loader *loader, const struct yaml_node *node,
                                       uint32_t *ret_count);

void parse_endpoints(struct loader *loader);

/* What is wrong, or surely not meant, with the whole (testfile_check.c). */
void testfile_check(struct loader *loader);

#endif
