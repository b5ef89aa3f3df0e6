#include "core/run_line.h"

#include <string.h>

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

enum option {
    FORMAT,
    DIRECTORY,
    DIRECTORY_SPELT,
    STATS_FILE,
    STATS_FORMAT,
    START_AT,
    WATCH,
    JSON,
    IO,
    SPIN,
    STRICT,
    LATENCY,
    QUIET,
    VERBOSE,
    HELP,
};

static const struct subcommand_option options[] = {
    [FORMAT] = {"output-format", "human or json", 'f'},
    [DIRECTORY] = {"results-dir", "a directory", 'd'},
    [DIRECTORY_SPELT] = {"results-directory", "a directory", 0},
    [STATS_FILE] = {"stats-file", "a file", 'o'},
    [STATS_FORMAT] = {"stats-format", "pelt or pewpew", 's'},
    [START_AT] = {"start-at", "a time such as 90s or 1h30m", 't'},
    [WATCH] = {"watch", NULL, 'w'},
    [JSON] = {"json", "a file", 0},
    [IO] = {"io", "auto, uring or epoll", 0},
    [SPIN] = {"spin", NULL, 0},
    [STRICT] = {"strict", NULL, 0},
    [LATENCY] = {"latency", NULL, 'L'},
    [QUIET] = {"quiet", NULL, 'q'},
    [VERBOSE] = {"verbose", NULL, 'v'},
    [HELP] = {"help", NULL, 'h'},
};

/* Takes an option whose value is one of a few words; false if it is another. */
static bool take_word(struct cli *cli, enum option option, const char *value)
{
    static const char *const formats[] = {"human", "json", NULL};
    static const char *const stats[] = {"pelt", "pewpew", "json", NULL};
    int which = subcommand_choice(value, option == FORMAT         ? formats
                                         : option == STATS_FORMAT ? stats
                                                                  : cli_io_names);

    if (which < 0) return false;
    if (option == FORMAT) {
        cli->json_lines = which == 1;
    } else if (option == STATS_FORMAT) {
        cli->results_form = which == 0 ? RESULTS_PELT : RESULTS_PEWPEW;
    } else {
        cli->plan.io = (enum plan_io)which;
    }
    return true;
}

/* Takes an option that was given; false if its value is none. */
static bool take(struct cli *cli, enum option option, const char *value)
{
    switch (option) {
    case FORMAT:
    case STATS_FORMAT:
    case IO: return take_word(cli, option, value);
    case DIRECTORY:
    case DIRECTORY_SPELT: cli->results_dir = value; return value[0] != '\0';
    case STATS_FILE: cli->results_name = value; return value[0] != '\0';
    case START_AT: return units_parse_duration_ns(value, &cli->plan.pattern_from_ns);
    case JSON: cli->json_path = value; return value[0] != '\0';
    case WATCH: break; /* Refused by the caller. */
    case SPIN: cli->plan.spin = true; break;
    case STRICT: cli->strict = true; break;
    case LATENCY: cli->spectrum = true; break;
    case QUIET: cli->quiet = true; break;
    case VERBOSE: cli->verbose = true; break;
    case HELP: cli->help = true; break;
    }
    return true;
}

int run_line_read(int argc, char **argv, struct cli *cli, const char **ret_file)
{
    struct subcommand_line line = subcommand_begin("run", options, COUNT(options), argc, argv);
    const char *value;
    int option;

    *ret_file = NULL;
    while ((option = subcommand_next(&line, &value)) != SUBCOMMAND_END) {
        if (option == SUBCOMMAND_WRONG) return EXIT_CODE_USAGE;
        if (option == WATCH) {
            return subcommand_wrong("run", "a test cannot be changed while it runs; leave out",
                                    "--watch");
        }
        if (!take(cli, (enum option)option, value)) return subcommand_wants(&line, option, value);
        if (cli->help) return EXIT_CODE_OK;
    }
    *ret_file = line.file;
    if (line.file == NULL) return subcommand_wrong("run", "no file given", NULL);
    if (cli->json_lines && cli->json_path != NULL && strcmp(cli->json_path, "-") == 0) {
        return subcommand_wrong("run", "stdout cannot be for both '--json -' and '-f json'", NULL);
    }
    return EXIT_CODE_OK;
}
