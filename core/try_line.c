/* The command line of `pelt try`. */
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

enum option {
    INCLUDE,
    FORMAT,
    OUTPUT,
    LOGGERS,
    DIRECTORY,
    SKIP_RESPONSE_BODY,
    SKIP_REQUEST_BODY,
    TIMEOUT,
    PLAN,
    ALL_FEEDERS,
    SHOW_SECRETS,
    STRICT,
    IO,
    HELP,
};

static const struct subcommand_option options[] = {
    [INCLUDE] = {"include", "TAG=PATTERN, TAG!=PATTERN or name=PATTERN", 'i'},
    [FORMAT] = {"format", "human or json", 'f'},
    [OUTPUT] = {"file", "a file", 'o'},
    [LOGGERS] = {"loggers", NULL, 'l'},
    [DIRECTORY] = {"results-directory", "a directory", 'd'},
    [SKIP_RESPONSE_BODY] = {"skip-response-body", NULL, 'k'},
    [SKIP_REQUEST_BODY] = {"skip-request-body", NULL, 'K'},
    [TIMEOUT] = {"timeout", "a time such as 30s", 0},
    [PLAN] = {"plan", NULL, 0},
    [ALL_FEEDERS] = {"all-feeders", NULL, 0},
    [SHOW_SECRETS] = {"show-secrets", NULL, 0},
    [STRICT] = {"strict", NULL, 0},
    [IO] = {"io", "auto, uring or epoll", 0},
    [HELP] = {"help", NULL, 'h'},
};

/* Takes an option that was given; false if its value is none. */
static bool take(struct try_line *line, enum option option, const char *value)
{
    int engine;

    switch (option) {
    case INCLUDE: return try_filter_read(value, &line->filters[line->filters_count++]);
    case FORMAT:
        line->json = strcmp(value, "json") == 0;
        return line->json || strcmp(value, "human") == 0;
    case OUTPUT: line->output = value; return value[0] != '\0';
    case LOGGERS: line->loggers = true; break;
    case DIRECTORY: line->results_dir = value; return value[0] != '\0';
    case SKIP_RESPONSE_BODY: line->skip_response_body = true; break;
    case SKIP_REQUEST_BODY: line->skip_request_body = true; break;
    case TIMEOUT: return units_parse_time_ns(value, &line->timeout_ns) && line->timeout_ns > 0;
    case PLAN: line->plan = true; break;
    case ALL_FEEDERS: line->all_feeders = true; break;
    case SHOW_SECRETS: line->show_secrets = true; break;
    case STRICT: line->strict = true; break;
    case IO:
        engine = subcommand_choice(value, cli_io_names);
        if (engine >= 0) line->io = (enum plan_io)engine;
        return engine >= 0;
    case HELP: line->help = true; break;
    }
    return true;
}

int try_line_read(int argc, char **argv, struct arena *arena, struct try_line *ret_line)
{
    struct subcommand_line line = subcommand_begin("try", options, COUNT(options), argc, argv);
    const char *value;
    int option;

    *ret_line = (struct try_line){.timeout_ns = TIMEOUT_NS};
    ret_line->filters = arena_array(arena, (size_t)argc, sizeof(*ret_line->filters));
    if (ret_line->filters == NULL) {
        return subcommand_wrong("try", "no memory for the command line", NULL);
    }
    while ((option = subcommand_next(&line, &value)) != SUBCOMMAND_END) {
        if (option == SUBCOMMAND_WRONG) return EXIT_CODE_USAGE;
        if (!take(ret_line, (enum option)option, value)) {
            return subcommand_wants(&line, option, value);
        }
        if (ret_line->help) return EXIT_CODE_OK;
    }
    ret_line->file = line.file;
    return line.file != NULL ? EXIT_CODE_OK : subcommand_wrong("try", "no file given", NULL);
}
