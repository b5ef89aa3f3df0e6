/* The command line of `pelt try`, and its filters. */
#include "core/try_cli.h"

#include <string.h>

#include "core/exit.h"
#include "tests/golden.h"
#include "tests/test.h"

enum { WORDS_MAX = 16 };

/* Reads a line of words between single spaces. */
static int read_words(const char *words, struct arena *arena, struct try_line *line)
{
    char *copy = arena_copy(arena, words, strlen(words));
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (char *at = copy; at != NULL && argc < WORDS_MAX;) {
        argv[argc++] = strsep(&at, " ");
    }
    return try_line_read(argc, argv, arena, line);
}

static void test_try_line_says_what_is_meant(void)
{
    struct try_line line;
    struct arena arena;

    arena_init(&arena, 0);
    EXPECT(read_words("try a.yaml", &arena, &line) == EXIT_CODE_OK);
    EXPECT(strcmp(line.file, "a.yaml") == 0 && line.filters_count == 0 && !line.json);
    EXPECT(line.timeout_ns == 30 * NS_PER_S && line.output == NULL && !line.loggers);
    EXPECT(!line.strict && !line.plan && !line.all_feeders && !line.show_secrets);
    EXPECT(read_words("try -i a=b --include=c!=d*e -f json -o out -lkK -d dir --timeout 2m x",
                      &arena, &line) == EXIT_CODE_OK);
    EXPECT(line.filters_count == 2 && line.json && strcmp(line.output, "out") == 0);
    EXPECT(line.filters[0].tag_len == 1 && !line.filters[0].is_not);
    EXPECT(strcmp(line.filters[0].pattern, "b") == 0);
    EXPECT(line.filters[1].tag_len == 1 && line.filters[1].is_not);
    EXPECT(strcmp(line.filters[1].pattern, "d*e") == 0);
    EXPECT(line.loggers && line.skip_response_body && line.skip_request_body);
    EXPECT(strcmp(line.results_dir, "dir") == 0 && line.timeout_ns == 120 * NS_PER_S);
    EXPECT(read_words("try --plan --all-feeders --show-secrets --strict --io epoll -- -f", &arena,
                      &line) == EXIT_CODE_OK);
    EXPECT(line.plan && line.all_feeders && line.show_secrets && line.strict);
    EXPECT(line.io == PLAN_IO_EPOLL && strcmp(line.file, "-f") == 0 && !line.json);
    EXPECT(read_words("try -ia=b -fhuman --loggers --skip-response-body --skip-request-body "
                      "--file=o --results-directory=d --format=json x",
                      &arena, &line) == EXIT_CODE_OK);
    EXPECT(line.filters_count == 1 && line.json && line.loggers && line.skip_request_body);
    EXPECT(read_words("try --help", &arena, &line) == EXIT_CODE_OK && line.help);
    EXPECT(read_words("try -lh", &arena, &line) == EXIT_CODE_OK && line.help);
    arena_release(&arena);
}

static void test_try_line_refuses_what_is_wrong(void)
{
    static const char *const lines[] = {
        "try",
        "try a b",
        "try -x a",
        "try -lx a",
        "try --unknown a",
        "try a -i",
        "try a -i word",
        "try a -i =x",
        "try a -i !=x",
        "try a -f xml",
        "try a --timeout 0s",
        "try a --timeout soon",
        "try a --io both",
        "try a -o",
        "try a --file=",
        "try a --results-directory=",
        "try a --plan=yes",
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        struct try_line line;
        struct arena arena;
        int code;

        arena_init(&arena, 0);
        code = read_words(lines[i], &arena, &line);
        if (code != EXIT_CODE_USAGE) (void)fprintf(stderr, "%s: taken\n", lines[i]);
        EXPECT(code == EXIT_CODE_USAGE);
        arena_release(&arena);
    }
}

static void test_try_help_is_as_it_was_read(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, try_usage);
    golden_expect("try_help.txt", &text);
    arena_release(&arena);
}

int main(void)
{
    TEST(test_try_line_says_what_is_meant);
    TEST(test_try_line_refuses_what_is_wrong);
    TEST(test_try_help_is_as_it_was_read);
    return 0;
}
