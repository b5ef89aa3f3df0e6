/* Every wrong file of tests/testfiles/wrong is told to be wrong where and how
 * tests/testfiles/wrong/expected.txt says, in bounded memory; and none is taken. After a change of
 * a message on purpose: PELT_GOLDEN=refresh, and read the difference. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "tests/test.h"

#define DIRECTORY     "tests/testfiles/wrong"
#define EXPECTED_PATH DIRECTORY "/expected.txt"

enum { FILES_MAX = 1000, MEMORY_MAX = 50 << 20, EXPECTED_BYTES_MAX = 1 << 20 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of all test files in the directory, sorted. */
static size_t list_files(char **names)
{
    DIR *dir = opendir(DIRECTORY);
    size_t count = 0;

    EXPECT(dir != NULL);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);

        if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml") != 0) continue;
        EXPECT(count < FILES_MAX);
        names[count++] = strdup(entry->d_name);
    }
    EXPECT(closedir(dir) == 0);
    qsort(names, count, sizeof(*names), compare_names);
    return count;
}

/* Adds what is told of one file. */
static void check_one(const char *name, struct text *out)
{
    struct testfile_options options = {.seed = 1};
    struct testfile *file;
    struct text human;
    struct diags diags;
    struct arena arena;
    char path[300];

    (void)snprintf(path, sizeof(path), DIRECTORY "/%s", name);
    arena_init(&arena, MEMORY_MAX);
    diags_init(&diags, &arena);
    file = testfile_load(path, &options, &diags);
    if (file != NULL) (void)fprintf(stderr, "%s: taken as right\n", name);
    EXPECT(file == NULL);
    EXPECT(!diags.failed);
    EXPECT(diags.errors > 0);
    for (uint32_t i = 0; i < diags.count; i++) {
        const struct diag *diag = &diags.list[i];
        const char *source = diags.sources[diag->place.source].name;

        text_printf(out, "%s:%u:%u+%u: %s: %s\n", source + strlen(DIRECTORY "/"), diag->place.line,
                    diag->place.column, diag->place.width,
                    diag->level == DIAG_ERROR ? "error" : "warning", diag->message);
    }
    text_add(out, "\n", 1);
    text_init(&human, &arena);
    diags_human(&diags, &human);
    EXPECT(!human.failed && human.len > 0);
    arena_release(&arena);
}

static void write_expected(const struct text *text)
{
    FILE *file = fopen(EXPECTED_PATH, "w");

    EXPECT(file != NULL);
    EXPECT(fwrite(text->data, 1, text->len, file) == text->len);
    EXPECT(fclose(file) == 0);
}

static void compare_expected(struct arena *arena, const struct text *text)
{
    char *wanted = arena_alloc(arena, EXPECTED_BYTES_MAX, 1);
    FILE *file = fopen(EXPECTED_PATH, "r");
    size_t len, same = 0, from = 0;

    EXPECT(wanted != NULL && file != NULL);
    len = fread(wanted, 1, EXPECTED_BYTES_MAX - 1, file);
    EXPECT(fclose(file) == 0);
    while (same < len && same < text->len && wanted[same] == text->data[same]) {
        if (wanted[same++] == '\n') from = same;
    }
    if (same == len && same == text->len) return;
    (void)fprintf(stderr, "%s: not what is told\n- %.*s\n+ %.*s\n", EXPECTED_PATH,
                  (int)strcspn(wanted + from, "\n"), wanted + from,
                  (int)strcspn(text->data + from, "\n"), text->data + from);
    exit(1);
}

static void test_wrong_files_are_told_as_expected(void)
{
    static char *names[FILES_MAX];
    const char *refresh = getenv("PELT_GOLDEN");
    size_t count = list_files(names);
    struct arena arena;
    struct text text;

    EXPECT(count >= 200);
    arena_init(&arena, 0);
    text_init(&text, &arena);
    for (size_t i = 0; i < count; i++) {
        check_one(names[i], &text);
        free(names[i]);
    }
    EXPECT(!text.failed);
    if (refresh != NULL && strcmp(refresh, "refresh") == 0) {
        write_expected(&text);
    } else {
        compare_expected(&arena, &text);
    }
    arena_release(&arena);
}

int main(void)
{
    TEST(test_wrong_files_are_told_as_expected);
    return 0;
}
