#include "core/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/version.h"

enum { NAMES_MAX = 99, LINE_BYTES = 320 };

struct results {
    struct arena arena; /* Holds this struct. */
    struct results_file *file;
    char path[PATH_MAX];
    char stem[NAME_MAX + 1];
    enum results_form form;
    uint64_t bucket_size_ns;
    uint64_t buckets, groups; /* So far. */
    void (*say)(void *self, const char *line);
    void *self;
};

static const struct {
    void (*header)(struct results_lines *lines, const struct results_header *header);
    void (*group)(struct results_lines *lines, const struct bucket_group *group);
    void (*bucket)(struct results_lines *lines, const struct bucket *bucket);
} forms[] = {
    [RESULTS_PELT] = {results_pelt_header, results_pelt_group, results_pelt_bucket},
    [RESULTS_PEWPEW] = {results_pewpew_header, results_pewpew_group, results_pewpew_bucket},
};

/* The name of the test file without directories and its last ending. */
static void set_stem(struct results *results, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t len = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);

    (void)snprintf(results->stem, sizeof(results->stem), "%.*s", (int)min_u64(len, NAME_MAX), name);
}

/* False if it is too long. */
static bool set_path(struct results *results, const struct results_options *options, int number)
{
    bool absolute = options->name != NULL && options->name[0] == '/';
    const char *dir = options->dir == NULL || absolute ? "" : options->dir;
    const char *between = dir[0] == '\0' ? "" : "/";
    unsigned long long seconds = options->now_wall_ns / NS_PER_S;
    char again[8] = "";
    int len;

    if (number > 1) (void)snprintf(again, sizeof(again), "-%d", number);
    if (options->name != NULL) {
        len = snprintf(results->path, sizeof(results->path), "%s%s%s", dir, between, options->name);
    } else {
        len = snprintf(results->path, sizeof(results->path), "%s%sstats-%s-%llu%s.json", dir,
                       between, results->stem, seconds, again);
    }
    return len >= 0 && (size_t)len < sizeof(results->path);
}

/* As results_file_options.changed: tells people. */
static void say_change(void *self, int error)
{
    const struct results *results = self;
    char line[LINE_BYTES];

    if (results->say == NULL) return;
    if (error != 0) {
        (void)snprintf(line, sizeof(line),
                       "cannot write '%s': %s; what is missing is kept, and tried again "
                       "with every bucket",
                       quote(results->path).text, strerror(error));
    } else {
        (void)snprintf(line, sizeof(line), "'%s' is complete again", quote(results->path).text);
    }
    results->say(results->self, line);
}

static enum err open_file(struct results *results, const struct results_options *options,
                          struct err_info *why)
{
    struct results_file_options file = {.path = results->path,
                                        .fresh = options->name == NULL,
                                        .form = options->form,
                                        .changed = say_change,
                                        .self = results};
    enum err err = ERR_OK;

    for (int number = 1; number <= NAMES_MAX; number++) {
        if (!set_path(results, options, number)) {
            return err_set(why, ERR_FILE, ENAMETOOLONG, "cannot write '%s': %s",
                           quote(results->path).text, strerror(ENAMETOOLONG));
        }
        err = results_file_open(&results->file, &file, why);
        if (err != ERR_FILE || why->errno_value != EEXIST) break;
    }
    return err;
}

enum err results_open(struct results **ret_results, const struct results_options *options,
                      struct err_info *why)
{
    struct results *results;
    struct arena arena;
    enum err err;

    if (options->form == RESULTS_PEWPEW && options->bucket_size_ns % NS_PER_S != 0) {
        return err_set(why, ERR_CONFIG, 0,
                       "'--stats-format pewpew' has whole seconds only; make 'bucket_size' "
                       "such, or use the format 'pelt'");
    }
    arena_init(&arena, 0);
    results = arena_alloc(&arena, sizeof(*results), CACHE_LINE);
    if (results == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory to write results");
    results->arena = arena;
    results->form = options->form;
    results->bucket_size_ns = options->bucket_size_ns;
    results->say = options->say;
    results->self = options->self;
    set_stem(results, options->test_path);
    err = open_file(results, options, why);
    if (err != ERR_OK) {
        results_free(results);
        return err;
    }
    *ret_results = results;
    return ERR_OK;
}

static void start(void *self, uint64_t wall_ns)
{
    struct results *results = self;
    struct results_lines *lines = results_lines_new(RESULTS_HEAD);
    struct results_header header = {.test = results->stem,
                                    .version = pelt_version,
                                    .start_wall_ns = wall_ns,
                                    .bucket_size_ns = results->bucket_size_ns};

    if (lines != NULL) forms[results->form].header(lines, &header);
    results_file_add(results->file, lines);
}

/* The lines of groups that are new in this bucket. */
static void add_groups(struct results *results, const struct bucket *bucket)
{
    struct results_lines *lines;

    if (bucket->groups_count == results->groups) return;
    lines = results_lines_new(RESULTS_HEAD);
    for (uint32_t i = 0; lines != NULL && i < bucket->groups_count; i++) {
        if (bucket->groups[i].is_new) forms[results->form].group(lines, &bucket->groups[i]);
    }
    results->groups = bucket->groups_count;
    results_file_add(results->file, lines);
}

static void add_bucket(void *self, const struct bucket *bucket)
{
    struct results *results = self;
    struct results_lines *lines;

    add_groups(results, bucket);
    lines = results_lines_new(RESULTS_BUCKET);
    if (lines != NULL) forms[results->form].bucket(lines, bucket);
    results->buckets++;
    results_file_add(results->file, lines);
}

struct bucket_sink results_sink(struct results *results)
{
    return (struct bucket_sink){.self = results, .start = start, .bucket = add_bucket};
}

const char *results_path(const struct results *results)
{
    return results->path;
}

enum err results_end(struct results *results, struct results_last *last, struct err_info *why)
{
    struct results_lines *lines = NULL;

    if (last != NULL && results->form == RESULTS_PELT) {
        lines = results_lines_new(RESULTS_END);
        last->buckets = results->buckets;
        last->groups = results->groups;
        if (lines == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the last line");
        results_pelt_last(lines, last);
    }
    results_file_end(results->file, lines);
    return results_file_result(results->file, why);
}

void results_free(struct results *results)
{
    struct arena arena;

    if (results == NULL) return;
    results_file_free(results->file);
    arena = results->arena;
    arena_release(&arena);
}
