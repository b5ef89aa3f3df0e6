/* The file as a whole: sources and what they include, the sections one after another. */
#include "config/load.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load_impl.h"
#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/base/units.h"

bool load_entries_add(struct loader *loader, struct load_entries *entries,
                      const struct yaml_node *key, const struct yaml_node *value)
{
    if (entries->count == entries->capacity) {
        uint32_t wanted = entries->capacity * 2 + 16;
        struct load_entry *grown = load_alloc(loader, wanted, sizeof(*grown));

        if (grown == NULL) return false;
        if (entries->count > 0) memcpy(grown, entries->list, entries->count * sizeof(*grown));
        entries->list = grown;
        entries->capacity = wanted;
    }
    entries->list[entries->count++] = (struct load_entry){.key = key, .value = value};
    return true;
}

/* Adds the pairs of a mapping such as `providers`; names that come twice are told. */
static void add_named(struct loader *loader, struct load_entries *entries, const char *what,
                      const struct yaml_node *mapping)
{
    if (mapping == NULL || yaml_is_null(mapping)) return;
    if (mapping->kind != YAML_MAPPING) {
        diag_error(loader->diags, mapping->place, "'%s' is a mapping of names, not %s", what,
                   yaml_kind_name(mapping));
        return;
    }
    for (uint32_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = mapping->pairs[i].key;
        uint32_t first = dict_find(&entries->names, key->text, key->count);

        if (first != DICT_NONE) {
            const struct place at = entries->list[first].key->place;

            diag_error(loader->diags, key->place, "'%s' is in %s twice; the first is in %s:%u",
                       quote(key->text).text, what, loader->diags->sources[at.source].name,
                       at.line);
            continue;
        }
        if (entries->count == TESTFILE_NAMES_MAX) {
            diag_error(loader->diags, key->place, "more than %d names in '%s'", TESTFILE_NAMES_MAX,
                       what);
            return;
        }
        if (!dict_put(&entries->names, key->text, key->count, entries->count)) {
            loader->diags->failed = true;
        }
        if (!load_entries_add(loader, entries, key, mapping->pairs[i].value)) return;
    }
}

static void add_endpoints(struct loader *loader, const struct yaml_node *sequence)
{
    if (sequence == NULL || yaml_is_null(sequence)) return;
    if (sequence->kind != YAML_SEQUENCE) {
        diag_error(loader->diags, sequence->place, "'endpoints' is a sequence, not %s",
                   yaml_kind_name(sequence));
        return;
    }
    for (uint32_t i = 0; i < sequence->count; i++) {
        if (loader->endpoints.count == TESTFILE_ENDPOINTS_MAX) {
            diag_error(loader->diags, sequence->items[i]->place, "more than %d endpoints",
                       TESTFILE_ENDPOINTS_MAX);
            return;
        }
        if (!load_entries_add(loader, &loader->endpoints, NULL, sequence->items[i])) return;
    }
}

const char *load_path(struct loader *loader, uint16_t source, const char *path)
{
    const char *base = loader->diags->sources[source].name;
    const char *slash = strrchr(base, '/');
    size_t dir_len = slash == NULL || path[0] == '/' ? 0 : (size_t)(slash + 1 - base);
    size_t len = strlen(path);
    char *joined = load_alloc(loader, dir_len + len + 1, 1);

    if (joined == NULL) return NULL;
    memcpy(joined, base, dir_len);
    memcpy(joined + dir_len, path, len + 1);
    return joined;
}

bool load_check_file(struct loader *loader, struct place place, const char *path)
{
    struct stat about;
    const char *reason = NULL;

    if (loader->options->skip_files || path == NULL) return false;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        reason = strerror(EISDIR);
    } else if (access(path, R_OK) != 0) {
        reason = strerror(errno);
    }
    if (reason == NULL) return true;
    diag_error(loader->diags, place, "cannot read '%s': %s", quote(path).text, reason);
    return false;
}

/* A file on the way from the main file to the one being read. */
struct open_file {
    uint32_t source;
    const struct open_file *outer;
};

static void read_root(struct loader *loader, const struct yaml_node *root,
                      const struct open_file *open);

/* True of the root keys that an included file may have. */
static bool may_be_included(const struct yaml_node *key)
{
    static const char *const keys[] = {"vars", "providers", "loggers", "endpoints", "include"};

    for (size_t i = 0; i < COUNT(keys); i++) {
        if (yaml_is(key, keys[i])) return true;
    }
    return false;
}

/* The path of an included file. It lies with the diagnostics: they name it when the test file is
 * gone. */
static const char *include_path(struct loader *loader, const struct yaml_node *node)
{
    const char *path = load_path(loader, node->place.source, node->text);

    if (path != NULL) path = arena_copy(loader->diags->arena, path, strlen(path));
    if (path == NULL) loader->diags->failed = true;
    return path;
}

/* True if the file was read before, be it under another name; the number of its source then. */
static bool find_source(const struct diags *diags, const char *path, uint32_t *ret_number)
{
    struct stat about = {.st_ino = 0};

    (void)stat(path, &about);
    for (uint32_t i = 0; i < diags->sources_count; i++) {
        const struct source *source = &diags->sources[i];
        bool is_same =
            about.st_ino != 0 && source->device == about.st_dev && source->inode == about.st_ino;

        *ret_number = i;
        if (is_same || strcmp(source->name, path) == 0) return true;
    }
    return false;
}

/* Reads one included file, unless it was read before. */
static void include_one(struct loader *loader, const struct yaml_node *node,
                        const struct open_file *outer)
{
    struct diags *diags = loader->diags;
    struct open_file open = {.outer = outer};
    struct source source;
    struct err_info why;
    const struct yaml_node *root;
    const char *path;
    uint32_t number;

    if (node->kind != YAML_SCALAR || node->count == 0) {
        diag_error(diags, node->place, "'include' wants file names, not %s", yaml_kind_name(node));
        return;
    }
    path = include_path(loader, node);
    if (path == NULL) return;
    if (find_source(diags, path, &number)) {
        const struct open_file *file = outer;

        while (file != NULL && file->source != number) {
            file = file->outer;
        }
        if (file == NULL) return;
        diag_error(diags, node->place, "'%s' includes itself%s",
                   quote(diags->sources[number].name).text,
                   file == outer ? "" : ", by way of others");
        return;
    }
    if (diags->sources_count > TESTFILE_INCLUDES_MAX) {
        diag_error(diags, node->place, "more than %d included files", TESTFILE_INCLUDES_MAX);
        return;
    }
    if (source_read(diags->arena, path, &source, &why) != ERR_OK) {
        diag_error(diags, node->place, "%s", why.message);
        return;
    }
    number = diags_add_source(diags, &source);
    if (diags->failed) return;
    open.source = number;
    root = yaml_parse(loader->arena, diags, (uint16_t)number);
    if (root == NULL) return;
    for (uint32_t i = 0; i < root->count; i++) {
        const struct yaml_node *key = root->pairs[i].key;
        const struct schema_key *known = schema_find(SCHEMA_ROOT, key->text);

        if (known == NULL || may_be_included(key)) continue;
        diag_error(diags, key->place, "'%s' may stand in the main file only", key->text);
    }
    read_root(loader, root, &open);
}

/* Gathers what a file defines, and what those that it includes do. */
static void read_root(struct loader *loader, const struct yaml_node *root,
                      const struct open_file *open)
{
    const struct yaml_node *include;
    struct fields fields;

    fields_read(loader, root, SCHEMA_ROOT, NULL, &fields);
    add_named(loader, &loader->vars, "vars", fields_get(&fields, "vars"));
    add_named(loader, &loader->providers, "providers", fields_get(&fields, "providers"));
    add_named(loader, &loader->loggers, "loggers", fields_get(&fields, "loggers"));
    add_endpoints(loader, fields_get(&fields, "endpoints"));
    if (open->outer == NULL) loader->root = root;
    include = fields_get(&fields, "include");
    if (include == NULL) return;
    if (include->kind != YAML_SEQUENCE) {
        include_one(loader, include, open);
        return;
    }
    for (uint32_t i = 0; i < include->count; i++) {
        include_one(loader, include->items[i], open);
    }
}

/* What is drawn while loading follows from config.general.seed if that is a plain number. */
static void seed_rng(struct loader *loader)
{
    uint64_t seed = loader->options->seed;
    const struct yaml_node *node = yaml_get(loader->root, "config");

    if (node != NULL) node = yaml_get(node, "general");
    if (node != NULL) node = yaml_get(node, "seed");
    if (node != NULL && node->kind == YAML_SCALAR && !units_parse_count(node->text, &seed)) {
        seed = loader->options->seed; /* A template, or wrong: parse_config() will tell. */
    }
    rng_init(&loader->rng, seed);
}

static void read_all(struct loader *loader)
{
    struct open_file open = {.source = 0};
    const struct yaml_node *root = yaml_parse(loader->arena, loader->diags, 0), *node;

    if (root == NULL) return;
    dict_init(&loader->vars.names, loader->arena);
    dict_init(&loader->providers.names, loader->arena);
    dict_init(&loader->loggers.names, loader->arena);
    dict_init(&loader->counters, loader->arena);
    read_root(loader, root, &open);
    seed_rng(loader);
    parse_vars(loader);
    parse_config(loader, yaml_get(root, "config"));
    node = yaml_get(root, "load_pattern");
    if (node != NULL) loader->pattern = parse_pattern(loader, node, &loader->pattern_count);
    parse_providers(loader);
    parse_loggers(loader);
    parse_endpoints(loader);
    node = yaml_get(root, "thresholds");
    if (node != NULL) parse_thresholds(loader, node);
    if (!loader->diags->failed) testfile_check(loader);
}

/* Loads source 0 of the diagnostics. The test file lies in its own arena. */
static struct testfile *load(const struct testfile_options *options, struct diags *diags)
{
    struct loader loader = {.diags = diags, .options = options};
    struct testfile *file;
    struct arena arena;

    arena_init(&arena, options->bytes_max > 0 ? options->bytes_max : PLAN_ARENA_BYTES_MAX);
    file = arena_alloc(&arena, sizeof(*file), _Alignof(struct testfile));
    if (file == NULL) {
        diags->failed = true;
        return NULL;
    }
    file->arena = arena;
    loader.file = file;
    loader.arena = &file->arena;
    read_all(&loader);
    diags_sort(diags);
    if (diags->errors == 0 && !diags->failed) return file;
    testfile_free(file);
    return NULL;
}

struct testfile *testfile_load_text(const struct source *text,
                                    const struct testfile_options *options, struct diags *diags)
{
    CHECK(diags->sources_count == 0);
    (void)diags_add_source(diags, text);
    return diags->failed ? NULL : load(options, diags);
}

struct testfile *testfile_load(const char *path, const struct testfile_options *options,
                               struct diags *diags)
{
    struct source source = {.name = path};
    struct err_info why;

    if (source_read(diags->arena, path, &source, &why) == ERR_OK) {
        return testfile_load_text(&source, options, diags);
    }
    (void)diags_add_source(diags, &source);
    if (why.code == ERR_MEMORY) diags->failed = true;
    if (!diags->failed) diag_error(diags, (struct place){0}, "%s", why.message);
    return NULL;
}

void testfile_free(struct testfile *testfile)
{
    struct arena arena;

    if (testfile == NULL) return;
    arena = testfile->arena;
    arena_release(&arena);
}
