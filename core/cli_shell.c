/* Completions for shells, from the tables of options: their names, the words of those that know
 * theirs, and files where an argument is called FILE or PATH. Of other arguments nothing is said,
 * so that a shell does not offer file names for a number. */
#include <string.h>

#include "core/cli_texts.h"
#include "core/serve.h"

bool cli_argument_is_file(const char *argument)
{
    return argument != NULL && (strcmp(argument, "FILE") == 0 || strcmp(argument, "PATH") == 0);
}

static const char *const formats[] = {"human", "json", NULL};

static bool try_entry_at(size_t n, struct cli_entry *ret_entry)
{
    static const struct cli_entry entries[] = {
        {.name = "include",
         .argument = "FILTER",
         .help = "only endpoints that it matches, and those that feed them: TAG=PATTERN, "
                 "TAG!=PATTERN or name=PATTERN",
         .letter = 'i'},
        {.name = "format",
         .argument = "FORMAT",
         .help = "how to print: human, or json, an object per line",
         .fallback = "human",
         .choices = formats,
         .letter = 'f'},
        {.name = "file",
         .argument = "FILE",
         .help = "write there in place of stdout",
         .letter = 'o'},
        {.name = "loggers", .help = "let the loggers of the file write", .letter = 'l'},
        {.name = "results-directory",
         .argument = "PATH",
         .help = "where loggers write",
         .letter = 'd'},
        {.name = "skip-response-body", .help = "do not print bodies of responses", .letter = 'k'},
        {.name = "skip-request-body", .help = "do not print bodies of requests", .letter = 'K'},
        {.name = "timeout", .argument = "TIME", .help = "for all of it", .fallback = "30s"},
        {.name = "plan", .help = "send nothing: print who would be called, and why"},
        {.name = "all-feeders", .help = "call every endpoint that feeds one of the others"},
        {.name = "show-secrets", .help = "print them: credentials in headers, and secret vars"},
        {.name = "strict", .help = "exit with status 1 if an endpoint could not be called"},
        {.name = "io",
         .argument = "ENGINE",
         .help = "how to talk to the kernel",
         .fallback = "auto",
         .choices = cli_io_names},
        {.name = "help", .help = "print the help and exit", .letter = 'h'},
    };

    if (n >= COUNT(entries)) return false;
    *ret_entry = entries[n];
    return true;
}

bool cli_entry_at(enum cli_command command, size_t n, struct cli_entry *ret_entry)
{
    static const struct cli_entry of_check[] = {
        {.name = "format",
         .argument = "FORMAT",
         .help = "how to say what is wrong: human, or json, an object per line on stdout",
         .fallback = "human",
         .choices = formats,
         .letter = 'f'},
        {.name = "help", .help = "print the help, or what a key means, and exit", .letter = 'h'},
        {.name = "reference",
         .help = "print the reference of the test file, as Markdown, and exit"},
    };
    const struct cli_option *option = &cli_options[n];
    struct serve_text text;

    switch (command) {
    case CLI_RUN:
        if (n >= OPTION_COUNT) return false;
        *ret_entry = (struct cli_entry){.name = option->name,
                                        .argument = option->argument,
                                        .help = option->help,
                                        .fallback = option->fallback,
                                        .choices = option->choices,
                                        .group = option->group,
                                        .letter = option->letter};
        return true;
    case CLI_TRY: return try_entry_at(n, ret_entry);
    case CLI_CHECK:
        if (n >= COUNT(of_check)) return false;
        *ret_entry = of_check[n];
        return true;
    case CLI_SERVE:
        if (!serve_option_at(n, &text)) return false;
        *ret_entry = (struct cli_entry){
            .name = text.name + strlen("--"), .argument = text.value, .help = text.help};
        return true;
    case CLI_COMMANDS: break;
    }
    return false;
}

static const char *const names[CLI_COMMANDS] = {
    [CLI_RUN] = "run", [CLI_TRY] = "try", [CLI_CHECK] = "check", [CLI_SERVE] = "serve"};

static void add_choices(struct text *out, const char *const *choices)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        text_printf(out, "%s%s", i == 0 ? "" : " ", choices[i]);
    }
}

/* "'--one --two'" */
static void add_bash_names(struct text *out, enum cli_command command)
{
    struct cli_entry entry;

    text_add_str(out, "'");
    for (size_t i = 0; cli_entry_at(command, i, &entry); i++) {
        text_printf(out, "%s--%s", i == 0 ? "" : " ", entry.name);
    }
    text_add_str(out, "'");
}

/* A branch for what follows an option with an argument. */
static void add_bash_branch(struct text *out, const struct cli_entry *entry)
{
    if (entry->argument == NULL) return;
    text_add_str(out, "    ");
    if (entry->letter != 0) text_printf(out, "-%c | ", entry->letter);
    text_printf(out, "--%s) ", entry->name);
    if (entry->choices != NULL) {
        text_add_str(out, "words='");
        add_choices(out, entry->choices);
        text_add_str(out, "' ;;\n");
    } else if (cli_argument_is_file(entry->argument)) {
        text_add_str(out, "files=yes ;;\n");
    } else {
        text_add_str(out, ";;\n");
    }
}

static void add_bash_command(struct text *out, enum cli_command command)
{
    static const char *const ends[CLI_COMMANDS] = {
        [CLI_RUN] = "\n        first='try check serve'",
        [CLI_TRY] = "\n        [[ $now == -* ]] || files=yes",
        [CLI_CHECK] = "\n        [[ $now == -* ]] || files=yes",
        [CLI_SERVE] = "",
    };
    struct cli_entry entry;

    text_printf(out, "_pelt_%s() {\n    case $1 in\n", names[command]);
    for (size_t i = 0; cli_entry_at(command, i, &entry); i++) {
        add_bash_branch(out, &entry);
    }
    text_add_str(out, "    *) words=");
    add_bash_names(out, command);
    text_add_str(out, ends[command]);
    text_add_str(out, "\n        ;;\n    esac\n}\n\n");
}

/* bash takes "--name=value" for three words. */
static void write_bash(struct text *out)
{
    text_add_str(out, "# Completion of pelt for bash; made by 'pelt --completions bash'.\n\n");
    for (int command = 0; command < CLI_COMMANDS; command++) {
        add_bash_command(out, (enum cli_command)command);
    }
    text_add_str(out,
                 "_pelt() {\n"
                 "    local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                 "    local words='' first='' files=''\n"
                 "    COMPREPLY=()\n"
                 "    if [[ $now == '=' ]]; then\n"
                 "        now=''\n"
                 "    elif [[ $before == '=' && $COMP_CWORD -gt 1 ]]; then\n"
                 "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
                 "    fi\n"
                 "    case $((COMP_CWORD > 1))${COMP_WORDS[1]} in\n"
                 "    1try) _pelt_try \"$before\" ;;\n"
                 "    1check) _pelt_check \"$before\" ;;\n"
                 "    1serve) _pelt_serve \"$before\" ;;\n"
                 "    *) _pelt_run \"$before\" ;;\n"
                 "    esac\n"
                 "    [[ $COMP_CWORD -eq 1 && $now != -* ]] && words=$first\n"
                 "    if [[ -n $files ]]; then\n"
                 "        compopt -o filenames 2>/dev/null\n"
                 "        mapfile -t COMPREPLY < <(compgen -f -- \"$now\")\n"
                 "    elif [[ $words != --* || $now == -* ]]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$now\")\n"
                 "    fi\n"
                 "}\n\n"
                 "complete -F _pelt pelt\n");
}

/* `words` inside single quotes; brackets and colons, which end a description, are escaped. */
static void add_zsh_quoted(struct text *out, const char *words)
{
    for (; *words != '\0'; words++) {
        if (*words == '\'') {
            text_add_str(out, "'\\''");
        } else {
            if (strchr("[]:\\", *words) != NULL) text_add_str(out, "\\");
            text_add(out, words, 1);
        }
    }
}

/* "'(-c --connections)'{-c+,--connections=}'[words]:N:'", or "'--ids[words]'". */
static void add_zsh_entry(struct text *out, const struct cli_entry *entry)
{
    const char *equals = entry->argument != NULL ? "=" : "";

    text_add_str(out, " \\\n        '*'");
    if (entry->letter != 0) {
        text_printf(out, "{-%c%s,--%s%s}", entry->letter, entry->argument != NULL ? "+" : "",
                    entry->name, equals);
    } else {
        text_printf(out, "--%s%s", entry->name, equals);
    }
    text_add_str(out, "'[");
    add_zsh_quoted(out, entry->help);
    text_add_str(out, "]");
    if (entry->argument != NULL) {
        text_add_str(out, ":");
        add_zsh_quoted(out, entry->argument);
        text_add_str(out, ":");
        if (entry->choices != NULL) {
            text_add_str(out, "(");
            add_choices(out, entry->choices);
            text_add_str(out, ")");
        } else if (cli_argument_is_file(entry->argument)) {
            text_add_str(out, "_files");
        }
    }
    text_add_str(out, "'");
}

static void add_zsh_command(struct text *out, enum cli_command command)
{
    static const char *const ends[CLI_COMMANDS] = {[CLI_RUN] = " \\\n        '*:URL:_pelt_urls'",
                                                   [CLI_TRY] = " \\\n        '*:FILE:_files'",
                                                   [CLI_CHECK] = " \\\n        '*:FILE:_files'",
                                                   [CLI_SERVE] = ""};
    struct cli_entry entry;

    text_printf(out, "_pelt_%s() {\n    _arguments -s", names[command]);
    for (size_t i = 0; cli_entry_at(command, i, &entry); i++) {
        add_zsh_entry(out, &entry);
    }
    text_add_str(out, ends[command]);
    text_add_str(out, "\n}\n\n");
}

static void write_zsh(struct text *out)
{
    text_add_str(out, "#compdef pelt\n"
                      "# Completion of pelt for zsh; made by 'pelt --completions zsh'.\n\n");
    for (int command = 0; command < CLI_COMMANDS; command++) {
        add_zsh_command(out, (enum cli_command)command);
    }
    text_add_str(out, "_pelt_urls() {\n"
                      "    (( CURRENT == 2 )) && compadd try check serve\n"
                      "    _urls\n"
                      "}\n\n"
                      "_pelt() {\n"
                      "    if [[ ${words[2]} == (try|check|serve) && $CURRENT -gt 2 ]]; then\n"
                      "        shift words\n"
                      "        (( CURRENT-- ))\n"
                      "        _pelt_${words[1]}\n"
                      "    else\n"
                      "        _pelt_run\n"
                      "    fi\n"
                      "}\n\n"
                      "_pelt \"$@\"\n");
}

static void add_fish_entry(struct text *out, enum cli_command command,
                           const struct cli_entry *entry)
{
    text_printf(out, "complete -c pelt -n '%s__fish_seen_subcommand_from %s' -l %s",
                command == CLI_RUN ? "not " : "",
                command == CLI_RUN ? "try check serve" : names[command], entry->name);
    if (entry->letter != 0) text_printf(out, " -s %c", entry->letter);
    if (entry->choices != NULL) {
        text_add_str(out, " -x -a '");
        add_choices(out, entry->choices);
        text_add_str(out, "'");
    } else if (entry->argument != NULL) {
        text_add_str(out, cli_argument_is_file(entry->argument) ? " -r -F" : " -x");
    }
    text_add_str(out, " -d '");
    for (const char *c = entry->help; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\') text_add_str(out, "\\");
        text_add(out, c, 1);
    }
    text_add_str(out, "'\n");
}

static void write_fish(struct text *out)
{
    struct cli_entry entry;

    text_add_str(out, "# Completion of pelt for fish; made by 'pelt --completions fish'.\n\n"
                      "complete -c pelt -f\n"
                      "complete -c pelt -n __fish_use_subcommand -a try -d 'the requests of a "
                      "test file, once'\n"
                      "complete -c pelt -n __fish_use_subcommand -a check -d 'is a test file "
                      "right?'\n"
                      "complete -c pelt -n __fish_use_subcommand -a serve -d 'the built-in "
                      "target'\n"
                      "complete -c pelt -n '__fish_seen_subcommand_from try check' -F\n");
    for (int command = 0; command < CLI_COMMANDS; command++) {
        for (size_t i = 0; cli_entry_at((enum cli_command)command, i, &entry); i++) {
            add_fish_entry(out, (enum cli_command)command, &entry);
        }
    }
}

void cli_completions(enum cli_shell shell, struct text *out)
{
    switch (shell) {
    case CLI_BASH: write_bash(out); return;
    case CLI_ZSH: write_zsh(out); return;
    case CLI_FISH: write_fish(out); return;
    }
}
