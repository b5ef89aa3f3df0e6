/* lines: files of tests/data/, a JSON object a line. Tests run from the root of the project. */
#ifndef TESTS_LINES_H
#define TESTS_LINES_H

#include <string.h>

#include "config/json.h"
#include "tests/test.h"

enum { LINES_BYTES_MAX = 64 * 1024, LINES_SCRATCH_BYTES = 1024 * 1024 };

struct lines {
    FILE *file;
    uint32_t number; /* Of the last line read, from 1. */
    struct scratch scratch;
    char line[LINES_BYTES_MAX];
    _Alignas(16) char memory[LINES_SCRATCH_BYTES];
};

static inline void lines_open(struct lines *lines, const char *path)
{
    lines->file = fopen(path, "r");
    if (lines->file == NULL) (void)fprintf(stderr, "%s: cannot be opened\n", path);
    EXPECT(lines->file != NULL);
    lines->number = 0;
    scratch_init(&lines->scratch, lines->memory, sizeof(lines->memory));
}

/* The next line's value, good until the next call; false behind the last. */
static inline bool lines_next(struct lines *lines, struct value *ret_value)
{
    if (fgets(lines->line, sizeof(lines->line), lines->file) == NULL) return false;
    lines->number++;
    scratch_clear(&lines->scratch);
    EXPECT(json_parse(lines->line, strlen(lines->line), &lines->scratch, ret_value, NULL));
    return true;
}

static inline const struct value *lines_get(const struct value *line, const char *key)
{
    const struct value *value = value_get(line, key, strlen(key));

    EXPECT(value != NULL);
    return value;
}

static inline void lines_close(struct lines *lines)
{
    EXPECT(lines->number > 0);
    EXPECT(fclose(lines->file) == 0);
}

#endif
