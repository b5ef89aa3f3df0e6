/* The command line of `pelt try`. */
#include <stdio.h>
#include <string.h>

#include "core/base/units.h"
#include "core/cli_options.h"
#include "core/exit.h"
#include "core/subcommand.h"
#include "core/try_cli.h"

#define TIMEOUT_NS (30 * NS_PER_S)

const char try_usage[] =
    "usage: pelt try FILE [options]\n"
    "\n"
    "Sends the requests of a test file once each, with all that they need from others, and\n"
    "prints requests and responses as they were. docs/try.md says what is called and why.\n"
    "\n"
    "  -i, --include FILTER     only endpoints that it matches, and those that feed them:\n"
    "                           TAG=PATTERN, TAG!=PATTERN or name=PATTERN; '*' is anything;\n"
    "                           of several one is enough\n"
    "  -f, --format FORMAT      human (default), or json: an object per line\n"
    "  -o, --file FILE          write there in place of stdout\n"
    "  -l, --loggers            let the loggers of the file write\n"
    "  -d, --results-directory DIR\n"
    "                           where they write; it is made if need be\n"
    "  -k, --skip-response-body do not print bodies of responses\n"
    "  -K, --skip-request-body  do not print bodies of requests\n"
    "      --timeout TIME       for all of it (default: 30s)\n"
    "      --plan               send nothing: print who would be called, and why\n"
    "      --all-feeders        call every endpoint that feeds one of the others\n"
    "      --show-secrets       print them: credentials in headers, and secret vars\n"
    "      --strict             exit with status 1 if an endpoint could not be called\n"
    "      --io ENGINE          auto, uring or epoll (default: auto)\n"
    "  -h, --help               print this and exit\n"
    "\n"
    "Exit status: 0 all that were called have answered as expected, 1 one has not, or the file is\n"
    "wrong, 3 ended by a logger, 64 wrong command line, 74 the output could not be written, 130\n"
    "interrupted.\n";

static int wrong_line(const char *what, const char *word)
{
    return subcommand_wrong("try", what, word);
}

struct try_flag {
    const char *name;
    char letter; /* 0: none. */
    bool *flag;
};

/* Takes a word of options that stand alone: "--name", or letters after one dash. */
static bool take_flags(struct try_line *line, const char *word)
{
    const struct try_flag flags[] = {
        {"loggers", 'l', &line->loggers},
        {"skip-response-body", 'k', &line->skip_response_body},
        {"skip-request-body", 'K', &line->skip_request_body},
        {"plan", 0, &line->plan},
        {"all-feeders", 0, &line->all_feeders},
        {"show-secrets", 0, &line->show_secrets},
        {"strict", 0, &line->strict},
        {"help", 'h', &line->help},
    };
    bool is_long = word[1] == '-';
    size_t left = is_long ? 1 : strlen(word + 1);
    bool *found[16];
    uint32_t count = 0;

    for (const char *at = word + (is_long ? 2 : 1); left > 0; left--, at++) {
        uint32_t before = count;

        for (size_t i = 0; i < COUNT(flags) && count < COUNT(found); i++) {
            if (is_long ? strcmp(at, flags[i].name) == 0 : *at == flags[i].letter) {
                found[count++] = flags[i].flag;
            }
        }
        if (count == before) return false;
    }
    while (count > 0) {
        *found[--count] = true;
    }
    return true;
}

enum try_option { TRY_INCLUDE, TRY_FORMAT, TRY_FILE, TRY_DIR, TRY_TIMEOUT, TRY_IO, TRY_OPTIONS };

static const struct {
    const char *name, *wants;
    char letter;
} options[TRY_OPTIONS] = {
    [TRY_INCLUDE] = {"include", "TAG=PATTERN, TAG!=PATTERN or name=PATTERN", 'i'},
    [TRY_FORMAT] = {"format", "human or json", 'f'},
    [TRY_FILE] = {"file", "a file", 'o'},
    [TRY_DIR] = {"results-directory", "a directory", 'd'},
    [TRY_TIMEOUT] = {"timeout", "a time such as 30s", 0},
    [TRY_IO] = {"io", "auto, uring or epoll", 0},
};

/* The option with a value that `word` is, TRY_OPTIONS: none; the value behind '=', or NULL: it is
 * the next word. */
static enum try_option option_of(const char *word, const char **ret_value)
{
    const char *name = word + 1 + (word[1] == '-');
    size_t len = strcspn(name, "=");
    bool is_long = word[1] == '-';

    *ret_value = name[len] == '=' ? name + len + 1 : NULL;
    for (int i = 0; i < TRY_OPTIONS; i++) {
        bool same = is_long
                        ? strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0
                        : options[i].letter == name[0] && name[0] != '\0';

        if (!same) continue;
        if (!is_long && name[1] != '\0' && name[1] != '=') *ret_value = name + 1;
        return (enum try_option)i;
    }
    return TRY_OPTIONS;
}

static bool take_value(struct try_line *line, enum try_option option, const char *value)
{
    int engine;

    switch (option) {
    case TRY_INCLUDE: return try_filter_read(value, &line->filters[line->filters_count++]);
    case TRY_FORMAT:
        line->json = strcmp(value, "json") == 0;
        return line->json || strcmp(value, "human") == 0;
    case TRY_FILE: line->output = value; return value[0] != '\0';
    case TRY_DIR: line->results_dir = value; return value[0] != '\0';
    case TRY_TIMEOUT: return units_parse_time_ns(value, &line->timeout_ns) && line->timeout_ns > 0;
    case TRY_IO:
        engine = subcommand_choice(value, cli_io_names);
        if (engine >= 0) line->io = (enum plan_io)engine;
        return engine >= 0;
    case TRY_OPTIONS: break;
    }
    return false;
}

/* Takes an option and its value, which may be the next word; EXIT_CODE_OK if it is right. */
static int take_option(struct try_line *line, int argc, char **argv, int *at)
{
    const char *word = argv[*at], *value;
    enum try_option option;
    char what[96];

    if (take_flags(line, word)) return EXIT_CODE_OK;
    option = option_of(word, &value);
    if (option == TRY_OPTIONS) return wrong_line("unknown option", word);
    if (value == NULL && *at + 1 < argc) value = argv[++*at];
    if (value != NULL && take_value(line, option, value)) return EXIT_CODE_OK;
    (void)snprintf(what, sizeof(what), "option '--%s' wants %s%s", options[option].name,
                   options[option].wants, value == NULL ? "" : ", not");
    return wrong_line(what, value);
}

int try_line_read(int argc, char **argv, struct arena *arena, struct try_line *ret_line)
{
    bool options_over = false;

    *ret_line = (struct try_line){.timeout_ns = TIMEOUT_NS};
    ret_line->filters = arena_array(arena, (size_t)argc, sizeof(*ret_line->filters));
    if (ret_line->filters == NULL) return wrong_line("no memory for the command line", NULL);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        int code = EXIT_CODE_OK;

        if (!options_over && strcmp(word, "--") == 0) {
            options_over = true;
        } else if (!options_over && word[0] == '-' && word[1] != '\0') {
            code = take_option(ret_line, argc, argv, &i);
        } else if (ret_line->file != NULL) {
            code = wrong_line("two files given; try one at a time, not also", word);
        } else {
            ret_line->file = word;
        }
        if (code != EXIT_CODE_OK || ret_line->help) return code;
    }
    if (ret_line->file == NULL) return wrong_line("no file given", NULL);
    return EXIT_CODE_OK;
}
