/* golden: output compared with a file that a person has read. The files stand in tests/golden/;
 * `PELT_GOLDEN=refresh make unit` writes them anew from what the program says now: read the
 * difference before you commit it. Tests run from the root of the project. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <string.h>

#include "core/base/text.h"
#include "tests/test.h"

/* Fails unless `text` is what tests/golden/`name` holds; shows the first line that differs. */
static inline void golden_expect(const char *name, const struct text *text)
{
    const char *refresh = getenv("PELT_GOLDEN");
    char path[128], wanted[64 * 1024];
    size_t len, same = 0, line = 1, from = 0;
    FILE *file;

    EXPECT(!text->failed);
    (void)snprintf(path, sizeof(path), "tests/golden/%s", name);
    if (refresh != NULL && strcmp(refresh, "refresh") == 0) {
        file = fopen(path, "w");
        EXPECT(file != NULL);
        EXPECT(fwrite(text->data, 1, text->len, file) == text->len);
        EXPECT(fclose(file) == 0);
        return;
    }
    file = fopen(path, "r");
    if (file == NULL) (void)fprintf(stderr, "%s: cannot be opened\n", path);
    EXPECT(file != NULL);
    len = fread(wanted, 1, sizeof(wanted), file);
    EXPECT(fclose(file) == 0);
    if (len == text->len && memcmp(wanted, text->data, len) == 0) return;
    while (same < len && same < text->len && wanted[same] == text->data[same]) {
        if (wanted[same++] == '\n') {
            line++;
            from = same;
        }
    }
    (void)fprintf(stderr, "%s:%zu: not what the program says\n- %.*s\n+ %.*s\n", path, line,
                  (int)strcspn(wanted + from, "\n"), wanted + from,
                  (int)strcspn(text->data + from, "\n"), text->data + from);
    exit(1);
}

#endif
