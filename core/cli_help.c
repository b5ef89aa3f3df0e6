/* What --help and --version print, and the words that the manual page shares with them. */
#include <string.h>

#include "core/cli_texts.h"
#include "core/version.h"

const char *const cli_group_names[CLI_GROUPS] = {
    [CLI_LOAD] = "Load",       [CLI_NETWORK] = "Network",     [CLI_TLS] = "TLS (https)",
    [CLI_REQUEST] = "Request", [CLI_DEADLINES] = "Deadlines", [CLI_OUTPUT] = "Output",
};

const char cli_about[] =
    "Sends requests to an HTTP/1.1 server, as fast as it answers or at a given rate, over a fixed "
    "number of connections, and reports rate and latencies with every request accounted for. "
    "With several URLs requests go to each in turn; URLs of one host and port share connections.";

const char cli_arguments[] = "N may be 100, 10k or 1.5M (powers of 1000), R also 0.5; TIME 90 "
                             "(seconds), 500ms or 1m30s.";

const struct cli_exit cli_exits[] = {
    {"0", "done"},
    {"1", "error, or nothing was answered"},
    {"2", "of a test file: its providers ran dry before its end, or nothing could go on"},
    {"3", "of a test file: a logger has ended it"},
    {"64", "the command line is wrong"},
    {"70", "the ledger does not close: a bug, please report it"},
    {"74", "the results could not be written completely"},
    {"98", "with --strict: the client was the limit"},
    {"99", "of a test file: a threshold is not met"},
    {"130", "interrupted by Ctrl-C; the report is complete (a second Ctrl-C does not wait for "
            "answers)"},
    {NULL, NULL},
};

const char *const cli_examples[] = {
    "pelt -c 64 -d 30s http://127.0.0.1:8080/",
    "pelt -R 50k -c 200 -d 1m --warmup 5s http://127.0.0.1:8080/",
    "pelt -R 1k --weights 9,1 http://127.0.0.1:8080/ http://127.0.0.1:8080/buy",
    "pelt --stages 30s:20k,5m:20k,10s:0 -c 500 http://127.0.0.1:8080/",
    "pelt -n 1000 -H 'Content-Type: text/plain' --body hello --json run.json http://[::1]/echo",
    NULL,
};

enum { HELP_COLUMNS = 80, HELP_TEXT_AT = 30 };

/* Writes `words` from column `from` on (`*column` is where we are), in as many lines as it takes;
 * `more` ends a line that is gone on with. */
static void add_wrapped_at(struct text *out, const char *words, size_t from, const char *more,
                           size_t *column)
{
    size_t columns = HELP_COLUMNS - strlen(more);

    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        if (*column > from && *column + 1 + len >= columns) {
            text_printf(out, "%s\n", more);
            *column = 0;
        }
        if (*column < from) {
            text_printf(out, "%*s", (int)(from - *column), "");
            *column = from;
        } else if (*column > from) {
            text_add(out, " ", 1);
            *column += 1;
        }
        text_add(out, words, len);
        *column += len;
        words += len + strspn(words + len, " ");
    }
}

static void add_wrapped(struct text *out, const char *words, size_t *column)
{
    add_wrapped_at(out, words, HELP_TEXT_AT, "", column);
}

/* A paragraph from the first column on. */
static void add_paragraph(struct text *out, const char *words)
{
    size_t column = 0;

    add_wrapped_at(out, words, 0, "", &column);
    text_add_str(out, "\n");
}

static void add_option(struct text *out, const struct cli_option *option)
{
    size_t line_at = out->len, column;

    if (option->letter != 0) {
        text_printf(out, "  -%c, ", option->letter);
    } else {
        text_add_str(out, "      ");
    }
    text_printf(out, "--%s", option->name);
    if (option->argument != NULL) text_printf(out, " %s", option->argument);
    column = out->len - line_at;
    if (column + 2 > HELP_TEXT_AT) {
        text_add(out, "\n", 1);
        column = 0;
    }
    add_wrapped(out, option->help, &column);
    if (option->fallback != NULL) {
        add_wrapped(out, "(default:", &column);
        add_wrapped(out, option->fallback, &column);
        text_add(out, ")", 1);
    }
    text_add(out, "\n", 1);
}

static void add_exit(struct text *out, const struct cli_exit *code)
{
    size_t column = 7;

    text_printf(out, "  %-5s", code->code);
    add_wrapped_at(out, code->words, 7, "", &column);
    text_add_str(out, "\n");
}

static void add_example(struct text *out, const char *line)
{
    size_t len = strcspn(line, " "), column = 2 + len;

    text_printf(out, "  %.*s", (int)len, line);
    add_wrapped_at(out, line + len + 1, 7, " \\", &column);
    text_add_str(out, "\n");
}

void cli_help(struct text *out)
{
    text_add_str(out, "usage: pelt [OPTION]... URL...\n"
                      "       pelt run FILE              runs a test file; see pelt run --help\n"
                      "       pelt try FILE              every request once; see pelt try "
                      "--help\n"
                      "       pelt check FILE            is a test file right? see pelt check "
                      "--help\n"
                      "       pelt serve --port PORT     the built-in target; see "
                      "pelt serve --help\n"
                      "\n");
    add_paragraph(out, cli_about);
    for (size_t group = 0; group < CLI_GROUPS; group++) {
        text_printf(out, "\n%s\n", cli_group_names[group]);
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            if (cli_options[i].group == group) add_option(out, &cli_options[i]);
        }
    }
    text_add_str(out, "\n");
    add_paragraph(out, cli_arguments);
    text_add_str(out, "\nExamples\n");
    for (size_t i = 0; cli_examples[i] != NULL; i++) {
        add_example(out, cli_examples[i]);
    }
    text_add_str(out, "\nExit status\n");
    for (size_t i = 0; cli_exits[i].code != NULL; i++) {
        add_exit(out, &cli_exits[i]);
    }
}

void cli_version(struct text *out)
{
    text_printf(out, "pelt %s\n", pelt_version);
}
