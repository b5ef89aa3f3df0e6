#include "core/run_line.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/units.h"
#include "core/cli_options.h"
#include "core/exit.h"
#include "core/subcommand.h"

const char run_usage[] =
    "usage: pelt run FILE [options]\n"
    "\n"
    "Runs a test file (docs/test-file.md, docs/running.md). `pelt check FILE` says what is\n"
    "wrong with one without running it.\n"
    "\n"
    "  -f, --output-format FORMAT\n"
    "                      human (default), or json: stdout and stderr are JSON, an\n"
    "                      object per line\n"
    "  -d, --results-dir DIR\n"
    "                      where the results file and the files of loggers go (default:\n"
    "                      here); made if it is not there\n"
    "  -o, --stats-file FILE\n"
    "                      name of the results file (default: stats-TEST-SECONDS.json)\n"
    "  -s, --stats-format FORMAT\n"
    "                      pelt (default), or pewpew: for viewers of that program; json\n"
    "                      means the same\n"
    "  -t, --start-at T    begin at this moment of the load pattern, as 10m or 1h30m\n"
    "      --json FILE     write the report as JSON; '-' is stdout, which then carries\n"
    "                      nothing else\n"
    "      --io ENGINE     auto, uring or epoll (default: auto)\n"
    "      --spin          do not sleep in the last 60 us before a request is due\n"
    "      --strict        exit with status 98 when the client was the limit\n"
    "  -L, --latency       print the full latency spectrum\n"
    "  -q, --quiet         nothing on stderr but errors\n"
    "  -v, --verbose       say more on stderr about what is done\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Exit status: 0 done, 1 there was no run or nothing was answered as expected, 2 providers\n"
    "ran dry or nothing could go on, 3 ended by a logger, 64 wrong command line, 70 the ledger\n"
    "does not close (a bug), 74 not all results could be written, 98 with --strict: the client\n"
    "was the limit, 99 a threshold is not met, 130 interrupted.\n";

static int wrong(const char *what, const char *word)
{
    return subcommand_wrong("run", what, word);
}

/* Options that stand alone. */
static bool take_flag(struct cli *cli, const char *word)
{
    const struct {
        const char *name, *letter;
        bool *flag;
    } flags[] = {{"--spin", "", &cli->plan.spin},     {"--strict", "", &cli->strict},
                 {"--latency", "-L", &cli->spectrum}, {"--quiet", "-q", &cli->quiet},
                 {"--verbose", "-v", &cli->verbose},  {"--help", "-h", &cli->help}};

    for (size_t i = 0; i < COUNT(flags); i++) {
        if (strcmp(word, flags[i].name) != 0 && strcmp(word, flags[i].letter) != 0) continue;
        *flags[i].flag = true;
        return true;
    }
    return false;
}

/* Options with a value. */
enum valued {
    FORMAT,
    DIRECTORY,
    DIRECTORY_SPELT,
    STATS_FILE,
    STATS_FORMAT,
    START_AT,
    JSON,
    IO,
    VALUED_COUNT
};

static const struct {
    const char *name;
    char letter; /* 0: none. */
} valued[VALUED_COUNT] = {
    [FORMAT] = {"--output-format", 'f'},
    [DIRECTORY] = {"--results-dir", 'd'},
    [DIRECTORY_SPELT] = {"--results-directory", 0},
    [STATS_FILE] = {"--stats-file", 'o'},
    [STATS_FORMAT] = {"--stats-format", 's'},
    [START_AT] = {"--start-at", 't'},
    [JSON] = {"--json", 0},
    [IO] = {"--io", 0},
};

/* A line as it is read. */
struct line {
    char **argv;
    int argc, at;
};

/* The value of option `option`, behind '=' or its letter, or as the next word; NULL if the word at
 * hand is another one or there is none. */
static const char *value_of(struct line *line, enum valued option)
{
    const char *word = line->argv[line->at], *name = valued[option].name;
    size_t len = strlen(name);

    CHECK(word != NULL);
    if (valued[option].letter != 0 && word[1] == valued[option].letter) {
        if (word[2] != '\0') return word + 2;
    } else {
        if (strncmp(word, name, len) != 0) return NULL;
        if (word[len] == '=') return word + len + 1;
        if (word[len] != '\0') return NULL;
    }
    return line->at + 1 < line->argc ? line->argv[++line->at] : NULL;
}

static int take_words(struct cli *cli, enum valued option, const char *value)
{
    static const char *const formats[] = {"human", "json", NULL};
    static const char *const stats[] = {"pelt", "pewpew", "json", NULL};
    int which;

    if (option == FORMAT) {
        which = subcommand_choice(value, formats);
        if (which < 0) return wrong("option '-f' wants human or json, not", value);
        cli->json_lines = which == 1;
    } else if (option == STATS_FORMAT) {
        which = subcommand_choice(value, stats);
        if (which < 0) return wrong("option '--stats-format' wants pelt or pewpew, not", value);
        cli->results_form = which == 0 ? RESULTS_PELT : RESULTS_PEWPEW;
    } else {
        which = subcommand_choice(value, cli_io_names);
        if (which < 0) return wrong("option '--io' wants auto, uring or epoll, not", value);
        cli->plan.io = (enum plan_io)which;
    }
    return EXIT_CODE_OK;
}

static int take_value(struct cli *cli, enum valued option, const char *value)
{
    switch (option) {
    case FORMAT:
    case STATS_FORMAT:
    case IO: return take_words(cli, option, value);
    case DIRECTORY:
    case DIRECTORY_SPELT: cli->results_dir = value; break;
    case STATS_FILE: cli->results_name = value; break;
    case JSON: cli->json_path = value; break;
    case START_AT:
        if (!units_parse_duration_ns(value, &cli->plan.pattern_from_ns)) {
            return wrong("option '--start-at' wants a time such as 90s or 1h30m, not", value);
        }
        break;
    case VALUED_COUNT: break;
    }
    return EXIT_CODE_OK;
}

/* An option, which the word at hand is. */
static int take_option(struct cli *cli, struct line *line)
{
    const char *word = line->argv[line->at], *value;

    if (take_flag(cli, word)) return EXIT_CODE_OK;
    for (int i = 0; i < VALUED_COUNT; i++) {
        value = value_of(line, (enum valued)i);
        if (value == NULL) continue;
        if (value[0] == '\0') return wrong("a value is missing behind", word);
        return take_value(cli, (enum valued)i, value);
    }
    if (strcmp(word, "-w") == 0 || strcmp(word, "--watch") == 0) {
        return wrong("a test cannot be changed while it runs yet; leave out", word);
    }
    return wrong("unknown option, or one without its value:", word);
}

int run_line_read(int argc, char **argv, struct cli *cli, const char **ret_file)
{
    struct line line = {.argv = argv, .argc = argc, .at = 1};
    bool options_over = false;

    *ret_file = NULL;
    for (; line.at < argc; line.at++) {
        const char *word = argv[line.at];
        int code = EXIT_CODE_OK;

        if (!options_over && strcmp(word, "--") == 0) {
            options_over = true;
        } else if (!options_over && word[0] == '-' && word[1] != '\0') {
            code = take_option(cli, &line);
        } else if (*ret_file != NULL) {
            code = wrong("two files given; run one at a time, not also", word);
        } else {
            *ret_file = word;
        }
        if (code != EXIT_CODE_OK || cli->help) return code;
    }
    if (*ret_file == NULL) return wrong("no file given", NULL);
    if (cli->json_lines && cli->json_path != NULL && strcmp(cli->json_path, "-") == 0) {
        return wrong("stdout cannot be for both '--json -' and '-f json'", NULL);
    }
    return EXIT_CODE_OK;
}
