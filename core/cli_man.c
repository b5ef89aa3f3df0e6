/* The manual page, in the language of man(7), from the tables that the help is made of.
 *
 * Lines are cut at words, a sentence begins a line, and what the language would take for its own
 * is escaped: backslashes, hyphens that are minus signs, and dots and apostrophes at the start of
 * a line. */
#include <stdio.h>
#include <string.h>

#include "core/cli_texts.h"
#include "core/serve.h"
#include "core/serve_fault.h"
#include "core/version.h"

enum { LINE_MAX_LEN = 72 };

static void add_escaped(struct text *out, const char *words, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (words[i]) {
        case '\\': text_add_str(out, "\\e"); break;
        case '-': text_add_str(out, "\\-"); break;
        case '\'': text_add_str(out, "\\(aq"); break;
        default: text_add(out, words + i, 1);
        }
    }
}

/* A paragraph's words, in lines of their own. */
static void add_words(struct text *out, const char *words)
{
    size_t column = 0;

    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        bool ends = len > 0 && words[len - 1] == '.';

        if (column > 0 && column + 1 + len > LINE_MAX_LEN) {
            text_add_str(out, "\n");
            column = 0;
        }
        if (column > 0) {
            text_add_str(out, " ");
        } else if (words[0] == '.') {
            text_add_str(out, "\\&");
        }
        add_escaped(out, words, len);
        column = ends ? LINE_MAX_LEN : column + 1 + len;
        words += len + strspn(words + len, " ");
    }
    text_add_str(out, "\n");
}

static void add_section(struct text *out, const char *name)
{
    text_printf(out, ".SH %s\n", name);
}

/* The name of an option, as it is typed, and what its argument is called. */
static void add_name(struct text *out, const char *dashes, const char *name)
{
    text_add_str(out, "\\fB");
    add_escaped(out, dashes, strlen(dashes));
    add_escaped(out, name, strlen(name));
    text_add_str(out, "\\fR");
}

static void add_argument(struct text *out, const char *argument)
{
    if (argument == NULL) return;
    text_add_str(out, " \\fI");
    add_escaped(out, argument, strlen(argument));
    text_add_str(out, "\\fR");
}

static void add_option(struct text *out, const struct cli_entry *option)
{
    const char letter[] = {option->letter, '\0'};
    char words[512];

    text_add_str(out, ".TP\n");
    if (option->letter != 0) {
        add_name(out, "-", letter);
        text_add_str(out, ", ");
    }
    add_name(out, "--", option->name);
    add_argument(out, option->argument);
    text_add_str(out, "\n");
    (void)snprintf(words, sizeof(words), "%s", option->help);
    if (option->fallback != NULL) {
        (void)snprintf(words, sizeof(words), "%s (default: %s)", option->help, option->fallback);
    }
    add_words(out, words);
}

/* The options of a command; of a run those of one group. */
static void add_options_of(struct text *out, enum cli_command command, size_t group)
{
    struct cli_entry entry;

    for (size_t i = 0; cli_entry_at(command, i, &entry); i++) {
        if (command != CLI_RUN || entry.group == group) add_option(out, &entry);
    }
}

static void add_options(struct text *out)
{
    add_section(out, "OPTIONS");
    add_words(out, cli_arguments);
    for (size_t group = 0; group < CLI_GROUPS; group++) {
        text_printf(out, ".SS %s\n", cli_group_names[group]);
        add_options_of(out, CLI_RUN, group);
    }
}

static void add_test_files(struct text *out)
{
    add_section(out, "TEST FILES");
    text_add_str(out, "\\fBpelt try\\fR \\fIFILE\\fR\n");
    add_words(out, "sends the requests of a test file once each, with all that they need from "
                   "others, and prints requests and responses as they were.");
    add_options_of(out, CLI_TRY, 0);
    text_add_str(out, ".PP\n");
    text_add_str(out, "\\fBpelt check\\fR \\fIFILE\\fR\n");
    add_words(out, "reads a test file and all that it includes, and says what is wrong with it.");
    add_options_of(out, CLI_CHECK, 0);
}

/* A path of the built-in target. */
static void add_entry(struct text *out, const char *before, const struct serve_text *entry)
{
    text_add_str(out, ".TP\n");
    add_name(out, before, entry->name);
    text_add_str(out, "\n");
    add_words(out, entry->help);
}

static void add_serve(struct text *out)
{
    struct serve_text entry;

    add_section(out, "THE BUILT\\-IN TARGET");
    text_add_str(out, "\\fBpelt serve\\fR\n");
    add_words(out,
              "is an HTTP/1.1 server to test against, as fast as a core can be: a test target, "
              "no product server. SIGINT or SIGTERM ends it.");
    text_add_str(out, ".SS Options\n");
    add_options_of(out, CLI_SERVE, 0);
    text_add_str(out, ".SS Paths\n");
    for (size_t i = 0; serve_route_at(i, &entry); i++) {
        add_entry(out, "", &entry);
    }
    text_add_str(out, ".SS Paths that misbehave\n");
    for (uint64_t i = 0; serve_fault_at(i) != NULL; i++) {
        const struct serve_fault *fault = serve_fault_at(i);

        entry = (struct serve_text){.name = fault->name, .help = fault->help};
        add_entry(out, "/fault/", &entry);
    }
}

static void add_ends(struct text *out)
{
    add_section(out, "EXIT STATUS");
    for (size_t i = 0; cli_exits[i].code != NULL; i++) {
        text_printf(out, ".TP\n.B %s\n", cli_exits[i].code);
        add_words(out, cli_exits[i].words);
    }
    add_section(out, "EXAMPLES");
    for (size_t i = 0; cli_examples[i] != NULL; i++) {
        text_add_str(out, i == 0 ? ".nf\n" : ".PP\n.nf\n");
        add_escaped(out, cli_examples[i], strlen(cli_examples[i]));
        text_add_str(out, "\n.fi\n");
    }
}

void cli_man(struct text *out)
{
    text_printf(out, ".TH PELT 1 %s \"pelt ", pelt_date);
    add_escaped(out, pelt_version, strlen(pelt_version));
    text_add_str(out, "\" \"User Commands\"\n");
    add_section(out, "NAME");
    text_add_str(out, "pelt \\- load\\-test engine for HTTP/1.1\n");
    add_section(out, "SYNOPSIS");
    text_add_str(out, "\\fBpelt\\fR [\\fIOPTION\\fR]... \\fIURL\\fR...\n.br\n"
                      "\\fBpelt try\\fR [\\fIOPTION\\fR]... \\fIFILE\\fR\n.br\n"
                      "\\fBpelt check\\fR [\\fIOPTION\\fR]... \\fIFILE\\fR\n.br\n"
                      "\\fBpelt serve\\fR [\\fIOPTION\\fR]...\n");
    add_section(out, "DESCRIPTION");
    add_words(out, cli_about);
    add_options(out);
    add_test_files(out);
    add_serve(out);
    add_ends(out);
}
