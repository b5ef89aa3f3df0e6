/* What dictionaries, sources and "did you mean" promise. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/dict.h"
#include "config/source.h"
#include "core/base/nearest.h"
#include "tests/test.h"

static void test_dict_keep_what_was_put(void)
{
    enum { NAMES = 20000 };
    struct arena arena;
    struct dict names;
    char text[32];

    arena_init(&arena, 0);
    dict_init(&names, &arena);
    EXPECT(dict_find(&names, "x", 1) == DICT_NONE);
    for (uint32_t i = 0; i < NAMES; i++) {
        int len = snprintf(text, sizeof(text), "n%u", i);
        const char *copy = arena_copy(&arena, text, (size_t)len);

        EXPECT(dict_put(&names, copy, (size_t)len, i));
    }
    EXPECT(names.count == NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        int len = snprintf(text, sizeof(text), "n%u", i);

        EXPECT(dict_find(&names, text, (size_t)len) == i);
        EXPECT(dict_find(&names, text, (size_t)len + 1) == DICT_NONE);
    }
    EXPECT(dict_put(&names, "n7", 2, 1));
    EXPECT(dict_find(&names, "n7", 2) == 1 && names.count == NAMES);
    EXPECT(dict_put(&names, "", 0, 5));
    EXPECT(dict_find(&names, "", 0) == 5);
    arena_release(&arena);
}

static void test_dict_say_when_memory_is_refused(void)
{
    struct arena arena;
    struct dict names;

    arena_init(&arena, 1);
    dict_init(&names, &arena);
    EXPECT(!dict_put(&names, "x", 1, 0));
    EXPECT(dict_find(&names, "x", 1) == DICT_NONE);
    arena_release(&arena);
}

static void test_nearest_finds_what_was_meant(void)
{
    static const char *const known[] = {"peak_load", "load_pattern", "url", "method", "provides"};
    static const struct {
        const char *name, *best;
    } rows[] = {
        {"peak_laod", "peak_load"},
        {"peakload", "peak_load"},
        {"load", "load_pattern"},
        {"URL", "url"},
        {"ulr", "url"},
        {"metod", "method"},
        {"x", NULL},
        {"something", NULL},
        {"provide", "provides"},
        {"", NULL},
        {"a name that is much longer than any that is known", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct nearest nearest = nearest_to(rows[i].name, strlen(rows[i].name));

        for (size_t j = 0; j < COUNT(known); j++) {
            const char *before = nearest.best;

            EXPECT(nearest_offer(&nearest, known[j]) == (nearest.best != before));
        }
        EXPECT((nearest.best == NULL) == (rows[i].best == NULL));
        EXPECT(rows[i].best == NULL || strcmp(nearest.best, rows[i].best) == 0);
    }
}

static void test_source_counts_lines_and_columns(void)
{
    static const char text[] = "\xEF\xBB\xBF"
                               "ab\r\nc\xC3\xA4"
                               "d\re\xE2\x80\xA8"
                               "f\n";
    struct source source = source_of_text("t", text, sizeof(text) - 1);
    struct arena arena;
    size_t len;

    arena_init(&arena, 0);
    EXPECT(source_index(&source, &arena) && source_index(&source, &arena));
    EXPECT(source.lines_count == 5);
    EXPECT(strncmp(source_line(&source, 2, &len),
                   "c\xC3\xA4"
                   "d",
                   4) == 0 &&
           len == 4);
    EXPECT(strncmp(source_line(&source, 4, &len), "f", 1) == 0 && len == 1);
    (void)source_line(&source, 5, &len);
    EXPECT(len == 0);
    EXPECT(source_line(&source, 99, &len) == text + sizeof(text) - 1 && len == 0);
    EXPECT(source_offset(&source, 99, 7) == sizeof(text) - 1);
    EXPECT(text[source_offset(&source, 1, 2)] == 'b');
    EXPECT(text[source_offset(&source, 2, 3)] == 'd');
    EXPECT(text[source_offset(&source, 2, 99)] == '\r');
    for (uint32_t line = 1; line <= 4; line++) {
        for (uint32_t column = 1; column <= 2; column++) {
            struct place place = source_place(&source, source_offset(&source, line, column));

            EXPECT(place.line == line);
            EXPECT(place.column <= column);
        }
    }
    arena_release(&arena);
}

/* Every code point, right and wrong, against a table of ranges. */
static void test_source_check_takes_utf8_alone(void)
{
    static const struct {
        const char *text;
        bool right;
    } rows[] = {
        {"plain", true},
        {"\xC2\x80", false},
        {"\xC2\x85", true},
        {"\xC2\xA0", true},
        {"\xDF\xBF", true},
        {"\xE0\xA0\x80", true},
        {"\xED\x9F\xBF", true},
        {"\xED\xA0\x80", false},
        {"\xEE\x80\x80", true},
        {"\xEF\xBF\xBD", true},
        {"\xEF\xBF\xBE", false},
        {"\xF0\x90\x80\x80", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false},
        {"\xC0\xAF", false},
        {"\xE0\x80\xAF", false},
        {"\xF0\x80\x80\xAF", false},
        {"\x80", false},
        {"\xC3", false},
        {"\xE2\x82", false},
        {"\xF5\x80\x80\x80", false},
        {"a\xEF\xBB\xBF", false},
        {"\xEF\xBB\xBF"
         "a",
         true},
        {"\x7F", false},
        {"\t\r\n", true},
        {"\x0B", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct source source = source_of_text("t", rows[i].text, strlen(rows[i].text));
        const char *message = NULL;
        struct place place;

        EXPECT(source_check(&source, &place, &message) == rows[i].right);
        EXPECT((message == NULL) == rows[i].right);
    }
}

/* A directory of its own, removed again. */
static void test_source_read_says_why_it_cannot(void)
{
    char dir[] = "/tmp/pelt-test-XXXXXX", path[64];
    struct err_info why;
    struct source source;
    struct arena arena;
    int fd;

    EXPECT(mkdtemp(dir) != NULL);
    arena_init(&arena, 0);
    (void)snprintf(path, sizeof(path), "%s/f", dir);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_FILE);
    EXPECT(strstr(why.message, "No such file") != NULL);
    EXPECT(source_read(&arena, dir, &source, &why) == ERR_FILE);
    EXPECT(strstr(why.message, "directory") != NULL);
    fd = open(path, O_CREAT | O_RDWR, 0600);
    EXPECT(fd >= 0);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_OK);
    EXPECT(source.len == 0 && source.data[0] == '\0');
    EXPECT(write(fd, "a: 1\n", 5) == 5);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_OK);
    EXPECT(source.len == 5 && strcmp(source.data, "a: 1\n") == 0 && source.name == path);
    EXPECT(ftruncate(fd, SOURCE_BYTES_MAX) == 0);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_OK);
    EXPECT(source.len == SOURCE_BYTES_MAX);
    EXPECT(ftruncate(fd, SOURCE_BYTES_MAX + 1) == 0);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_CONFIG);
    EXPECT(strstr(why.message, "larger than 10 MiB") != NULL);
    EXPECT(source_read(&arena, "/dev/zero", &source, &why) == ERR_CONFIG); /* Without an end. */
    arena_release(&arena);
    arena_init(&arena, 100);
    EXPECT(ftruncate(fd, 1000) == 0);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_MEMORY);
    arena_release(&arena);
    EXPECT(close(fd) == 0 && unlink(path) == 0 && rmdir(dir) == 0);
}

/* What comes through a pipe has no size to know in advance. */
static void test_source_read_takes_pipes(void)
{
    struct err_info why;
    struct source source;
    struct arena arena;
    char path[64];
    int fds[2];

    arena_init(&arena, 0);
    EXPECT(pipe(fds) == 0);
    EXPECT(write(fds[1], "a: 1\n", 5) == 5 && close(fds[1]) == 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    EXPECT(source_read(&arena, path, &source, &why) == ERR_OK);
    EXPECT(source.len == 5 && close(fds[0]) == 0);
    arena_release(&arena);
}

int main(void)
{
    TEST(test_dict_keep_what_was_put);
    TEST(test_dict_say_when_memory_is_refused);
    TEST(test_nearest_finds_what_was_meant);
    TEST(test_source_counts_lines_and_columns);
    TEST(test_source_check_takes_utf8_alone);
    TEST(test_source_read_says_why_it_cannot);
    TEST(test_source_read_takes_pipes);
    return 0;
}
