/* What tests of `pelt try` share: a test file, and the graph of its endpoints. */
#ifndef TESTS_UNIT_TRY_LOADED_H
#define TESTS_UNIT_TRY_LOADED_H

#include <string.h>

#include "config/load.h"
#include "core/try_graph.h"
#include "tests/test.h"

/* A test file at hand. */
struct loaded {
    struct arena arena;
    struct diags diags;
    struct testfile *file;
    struct try_graph graph;
};

static inline void loaded_open(struct loaded *loaded, const char *text)
{
    static const struct testfile_options options = {.seed = 5, .skip_files = true};
    struct source source = source_of_text("t.yaml", text, strlen(text));
    struct text out;

    arena_init(&loaded->arena, 0);
    diags_init(&loaded->diags, &loaded->arena);
    loaded->file = testfile_load_text(&source, &options, &loaded->diags);
    text_init(&out, &loaded->arena);
    diags_human(&loaded->diags, &out);
    if (loaded->file == NULL) (void)fprintf(stderr, "%s\n%s", text, out.data);
    EXPECT(loaded->file != NULL);
    EXPECT(try_graph_make(&loaded->graph, loaded->file, &loaded->arena));
}

static inline void loaded_close(struct loaded *loaded)
{
    testfile_free(loaded->file);
    arena_release(&loaded->arena);
}

#endif
