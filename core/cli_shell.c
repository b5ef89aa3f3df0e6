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

/* What a shell has to know of an option of either command. */
struct entry {
    const char *name; /* Long, without dashes. */
    const char *argument, *help;
    const char *const *choices;
    char letter;
};

static bool entry_at(bool serve, size_t n, struct entry *ret_entry)
{
    const struct cli_option *option = &cli_options[n];
    struct serve_text text;

    if (serve) {
        if (!serve_option_at(n, &text)) return false;
        *ret_entry = (struct entry){
            .name = text.name + strlen("--"), .argument = text.value, .help = text.help};
        return true;
    }
    if (n >= OPTION_COUNT) return false;
    *ret_entry = (struct entry){.name = option->name,
                                .argument = option->argument,
                                .help = option->help,
                                .choices = option->choices,
                                .letter = option->letter};
    return true;
}

static void add_choices(struct text *out, const char *const *choices)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        text_printf(out, "%s%s", i == 0 ? "" : " ", choices[i]);
    }
}

/* "'--one --two'" */
static void add_bash_names(struct text *out, bool serve)
{
    struct entry entry;

    text_add_str(out, "'");
    for (size_t i = 0; entry_at(serve, i, &entry); i++) {
        text_printf(out, "%s--%s", i == 0 ? "" : " ", entry.name);
    }
    text_add_str(out, "'");
}

/* A branch for what follows an option with an argument. */
static void add_bash_branch(struct text *out, const struct entry *entry)
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

static void add_bash_command(struct text *out, bool serve)
{
    struct entry entry;

    text_printf(out, "_pelt_%s() {\n    case $1 in\n", serve ? "serve" : "run");
    for (size_t i = 0; entry_at(serve, i, &entry); i++) {
        add_bash_branch(out, &entry);
    }
    text_add_str(out, "    *) words=");
    add_bash_names(out, serve);
    text_printf(out, "%s ;;\n    esac\n}\n\n", serve ? "" : " first=serve");
}

/* bash takes "--name=value" for three words. */
static void write_bash(struct text *out)
{
    text_add_str(out, "# Completion of pelt for bash; made by 'pelt --completions bash'.\n\n");
    add_bash_command(out, false);
    add_bash_command(out, true);
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
                 "    if [[ ${COMP_WORDS[1]} == serve && $COMP_CWORD -gt 1 ]]; then\n"
                 "        _pelt_serve \"$before\"\n"
                 "    else\n"
                 "        _pelt_run \"$before\"\n"
                 "    fi\n"
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
static void add_zsh_entry(struct text *out, const struct entry *entry)
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

static void write_zsh(struct text *out)
{
    struct entry entry;

    text_add_str(out, "#compdef pelt\n"
                      "# Completion of pelt for zsh; made by 'pelt --completions zsh'.\n\n"
                      "_pelt() {\n"
                      "    if [[ ${words[2]} == serve && $CURRENT -gt 2 ]]; then\n"
                      "        shift words\n"
                      "        (( CURRENT-- ))\n"
                      "        _arguments -s");
    for (size_t i = 0; entry_at(true, i, &entry); i++) {
        add_zsh_entry(out, &entry);
    }
    text_add_str(out, "\n        return\n    fi\n    _arguments -s");
    for (size_t i = 0; entry_at(false, i, &entry); i++) {
        add_zsh_entry(out, &entry);
    }
    text_add_str(out, " \\\n        '*:URL:_pelt_urls'\n}\n\n"
                      "_pelt_urls() {\n"
                      "    (( CURRENT == 2 )) && compadd serve\n"
                      "    _urls\n"
                      "}\n\n"
                      "_pelt \"$@\"\n");
}

static void add_fish_entry(struct text *out, bool serve, const struct entry *entry)
{
    text_printf(out, "complete -c pelt -n '%s__fish_seen_subcommand_from serve' -l %s",
                serve ? "" : "not ", entry->name);
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
    struct entry entry;

    text_add_str(out, "# Completion of pelt for fish; made by 'pelt --completions fish'.\n\n"
                      "complete -c pelt -f\n"
                      "complete -c pelt -n __fish_use_subcommand -a serve -d 'the built-in "
                      "target'\n");
    for (int serve = 0; serve <= 1; serve++) {
        for (size_t i = 0; entry_at(serve, i, &entry); i++) {
            add_fish_entry(out, serve, &entry);
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
