/* load: reads a test file, and all that it includes, into a struct testfile. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/testfile.h"

struct testfile_options {
    /* The environment variable of that name, or NULL; its text must live as long as the test
     * file. */
    const char *(*environment)(void *context, const char *name);
    void *context;
    uint64_t wall_ns; /* Wall clock, since the Unix epoch: what epoch() in vars gives. */
    uint64_t seed;    /* Of what vars draw at random, unless config.general.seed is given. */
    size_t bytes_max; /* That it may take; 0: PLAN_ARENA_BYTES_MAX. */
    bool skip_files;  /* Do not look whether the files named are there. */
};

/* Reads the test file at `path`, which must live as long as it. All that is wrong, and warnings,
 * go into `diags` (with an arena of the caller's, initialised and empty), sorted. NULL if there is
 * an error, or when memory is refused (diags->failed); else testfile_free() it. Blocks for as long
 * as reading files does. */
MUST_USE struct testfile *testfile_load(const char *path, const struct testfile_options *options,
                                        struct diags *diags);

/* The same of a text in memory, terminated, borrowed; `name` is its path, for messages and for
 * what is relative to it. */
MUST_USE struct testfile *testfile_load_text(const struct source *text,
                                             const struct testfile_options *options,
                                             struct diags *diags);

/* Gives all memory back. NULL is fine. */
void testfile_free(struct testfile *testfile);

#endif
