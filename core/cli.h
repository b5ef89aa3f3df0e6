/* cli: the command line. One table of options (cli_options.c) drives the parser, `--help` and the
 * guess at what a misspelt option was meant to be; the parser fills a plan.
 *
 * How a line is read: options and the URL in any order; "--" ends the options; "--name value" and
 * "--name=value"; "-c 10" and "-c10"; letters without an argument may stand together ("-Lq"). Of
 * an option given twice the last one counts, but for -H, which adds up. Long options cannot be
 * abbreviated: an abbreviation in somebody's script would change its meaning with a new option.
 *
 * Threads: main, before the others are started. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include "config/plan.h"
#include "core/base/defs.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/report_wrk.h"
#include "core/results_file.h"

struct engine_test;

/* What stdout carries: the report for people, or wrk's. */
enum cli_format { CLI_FORMAT_TEXT, CLI_FORMAT_WRK };

enum cli_shell { CLI_BASH, CLI_ZSH, CLI_FISH };

struct cli {
    struct plan plan;               /* Complete unless one of the last four is asked for. */
    const struct engine_test *test; /* Of `pelt run`; else NULL; so are the next ones. */
    const char *test_path;
    const char *results_dir;  /* Where a test's files go; NULL: here. Points into argv. */
    const char *results_name; /* NULL: stats-STEM-SECONDS.json. Points into argv. */
    enum results_form results_form;
    bool json_lines;       /* stdout and stderr are JSON, an object per line. */
    const char *json_path; /* NULL: no JSON; "-": stdout. Points into argv. */
    const char *csv_path;  /* Of the series; NULL: not wanted. Points into argv, as the next two. */
    const char *hdr_path;  /* Of the histogram log. */
    const char *requests_path;
    enum cli_format format;
    struct report_wrk wrk; /* Of CLI_FORMAT_WRK. */
    bool as_wrk;           /* Started under the name wrk: exit statuses and stderr as wrk's. */
    bool strict;           /* Exit status 98 when the client was the limit. */
    bool spectrum;         /* The report shows the full latency spectrum. */
    bool quiet;            /* Nothing on stderr but errors. */
    bool silent;           /* Nor these, once the run has begun. */
    bool terse;            /* Of what is normal, nothing. */
    bool verbose;
    /* Print it and do nothing else. */
    bool help;
    bool version;
    bool man;
    bool completions;
    enum cli_shell shell; /* Of the completions. */
};

/* True if the program is asked about itself only. */
static inline bool cli_is_about(const struct cli *cli)
{
    return cli->help || cli->version || cli->man || cli->completions;
}

/* Reads the command line; `argv[0]` is the program's name and is not looked at. `cpus` is how
 * many CPUs the process may use, at least 1. On success `ret_cli` is the caller's, who gives it
 * back with cli_release() after the run; `argv` must live as long. On failure it is untouched,
 * and `why->message` is one line for a person, without the program's name: ERR_USAGE for the line
 * itself, ERR_FILE for a body file that cannot be read (its name is in `why->file` too),
 * ERR_MEMORY. Reads no file but the body file. */
MUST_USE enum err cli_parse(int argc, char **argv, uint32_t cpus, struct cli *ret_cli,
                            struct err_info *why);

/* Gives the plan's memory back. A zeroed one is fine. */
void cli_release(struct cli *cli);

/* Writes what `--help` prints: at most 80 columns, from the option table. */
void cli_help(struct text *out);

/* Writes what `--version` prints: one line. */
void cli_version(struct text *out);

/* Writes the manual page, in man(7)'s language: the command and its built-in target. */
void cli_man(struct text *out);

/* Writes a script that teaches a shell the options, their files and words. */
void cli_completions(enum cli_shell shell, struct text *out);

#endif
