/* Reads the command line in two passes: words into a struct by the option table, then, when all
 * is known, defaults that depend on other options, checks between options, and the request
 * (cli_request.c). */
#include "core/cli.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/cli_build.h"

enum { ROWS_DEFAULT = 1000000 };

/* Where in the command line we are. */
struct reader {
    struct cli_words *words;
    char **argv;
    int argc;
    int next; /* Index of the first argument that is not yet read. */
    struct err_info *why;
};

/* An option as it stands on the line. */
struct found {
    const struct cli_option *option;
    const char *value;    /* NULL: takes none. */
    struct quote spelled; /* "-c" or "--connections", for messages. */
};

static enum err refuse_range(const struct found *found, struct err_info *why)
{
    const struct cli_option *option = found->option;

    if (option->kind == CLI_TIME && option->min > 1) {
        char least[UNITS_TEXT_MAX];

        return err_set(why, ERR_USAGE, 0, "option '%s' wants a time of at least %s, not '%s'",
                       found->spelled.text, units_time(least, option->min),
                       quote(found->value).text);
    }
    if (option->kind == CLI_TIME) {
        return err_set(why, ERR_USAGE, 0, "option '%s' wants a time longer than 0, not '%s'",
                       found->spelled.text, quote(found->value).text);
    }
    if (option->max >= INT64_MAX) {
        return err_set(why, ERR_USAGE, 0, "option '%s' wants at least %llu, not '%s'",
                       found->spelled.text, (unsigned long long)option->min,
                       quote(found->value).text);
    }
    return err_set(why, ERR_USAGE, 0, "option '%s' wants %llu to %llu, not '%s'",
                   found->spelled.text, (unsigned long long)option->min,
                   (unsigned long long)option->max, quote(found->value).text);
}

static enum err read_number(const struct found *found, uint64_t *ret_number, struct err_info *why)
{
    const struct cli_option *option = found->option;
    uint64_t number;

    if (option->kind == CLI_TIME) {
        if (!units_parse_time_ns(found->value, &number)) {
            return err_set(why, ERR_USAGE, 0,
                           "option '%s' wants a time such as 10s, 500ms or 1m30s, not '%s'",
                           found->spelled.text, quote(found->value).text);
        }
    } else if (!units_parse_count(found->value, &number)) {
        return err_set(why, ERR_USAGE, 0,
                       "option '%s' wants a whole number such as 100 or 10k, not '%s'",
                       found->spelled.text, quote(found->value).text);
    }
    if (number < option->min || number > option->max) return refuse_range(found, why);
    *ret_number = number;
    return ERR_OK;
}

static enum err read_rate(const struct found *found, double *ret_per_s, struct err_info *why)
{
    if (units_parse_rate(found->value, ret_per_s) && *ret_per_s > 0 &&
        *ret_per_s <= (double)found->option->max) {
        return ERR_OK;
    }
    return err_set(why, ERR_USAGE, 0,
                   "option '%s' wants a rate such as 50, 0.5 or 10k, at most %lluM, not '%s'",
                   found->spelled.text, (unsigned long long)found->option->max / 1000000,
                   quote(found->value).text);
}

static enum err read_choice(const struct found *found, uint32_t *ret_choice, struct err_info *why)
{
    const char *const *choices = found->option->choices;
    char list[64] = "";
    size_t len = 0;

    for (uint32_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(found->value, choices[i]) == 0) {
            *ret_choice = i;
            return ERR_OK;
        }
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : ", ",
                                choices[i]);
        CHECK(len < sizeof(list));
    }
    return err_set(why, ERR_USAGE, 0, "option '%s' wants one of %s, not '%s'", found->spelled.text,
                   list, quote(found->value).text);
}

/* Puts one option where the table says. */
static enum err store(struct cli_words *words, const struct found *found, struct err_info *why)
{
    const struct cli_option *option = found->option;
    void *at = (char *)words + option->offset;
    struct cli_list *list = at;
    uint64_t number = 0;
    enum err err;

    CHECK((found->value != NULL) == (option->argument != NULL));
    words->given[option - cli_options] = true;
    switch (option->kind) {
    case CLI_ON:
    case CLI_OFF: *(bool *)at = option->kind == CLI_ON; break;
    case CLI_TEXT: *(const char **)at = found->value; break;
    case CLI_CHOICE: return read_choice(found, at, why);
    case CLI_RATE: return read_rate(found, at, why);
    case CLI_LIST: list->items[list->count++] = found->value; break;
    case CLI_U32:
    case CLI_U64:
    case CLI_TIME:
        err = read_number(found, &number, why);
        if (err != ERR_OK) return err;
        if (option->kind == CLI_U32) {
            CHECK(number <= UINT32_MAX);
            *(uint32_t *)at = (uint32_t)number;
        } else {
            *(uint64_t *)at = number;
        }
        break;
    }
    return ERR_OK;
}

/* True if `word` is an option of ours, so that it is hardly the value of the option before it. */
static bool is_option(const char *word)
{
    if (word[0] != '-') return false;
    if (word[1] == '-') return cli_option_by_name(word + 2, strcspn(word + 2, "=")) != NULL;
    return word[1] != '\0' && word[2] == '\0' && cli_option_by_letter(word[1]) != NULL;
}

/* Takes the next argument as the value of `found`. */
static enum err take_value(struct reader *reader, struct found *found)
{
    const struct cli_option *option = found->option;
    const char *word = reader->next < reader->argc ? reader->argv[reader->next] : NULL;

    if (word == NULL) {
        return err_set(reader->why, ERR_USAGE, 0, "option '%s' needs a value (%s)",
                       found->spelled.text, option->argument);
    }
    if (is_option(word)) {
        return err_set(reader->why, ERR_USAGE, 0,
                       "option '%s' needs a value, but '%s' follows; write '--%s=%s' if that is "
                       "the value",
                       found->spelled.text, quote(word).text, option->name, quote(word).text);
    }
    found->value = word;
    reader->next++;
    return ERR_OK;
}

/* wrk has it, and whoever comes from there should be told more than that it is unknown. */
static enum err refuse_script(const char *option, struct err_info *why)
{
    return err_set(why, ERR_USAGE, 0, "option '%s': this build runs no scripts (it has no LuaJIT)",
                   option);
}

static enum err refuse_unknown(const char *name, size_t len, struct err_info *why)
{
    const struct cli_option *like = cli_option_like(name, len);

    if (len == strlen("script") && memcmp(name, "script", len) == 0) {
        return refuse_script("--script", why);
    }
    if (like == NULL) {
        return err_set(why, ERR_USAGE, 0, "unknown option '--%s'", quote_len(name, len).text);
    }
    return err_set(why, ERR_USAGE, 0, "unknown option '--%s'; did you mean '--%s'?",
                   quote_len(name, len).text, like->name);
}

/* Reads "--name", "--name value" or "--name=value"; `name` begins behind the dashes. */
static enum err read_long(struct reader *reader, const char *name)
{
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    struct found found = {.option = cli_option_by_name(name, len)};
    enum err err;

    if (found.option == NULL) return refuse_unknown(name, len, reader->why);
    found.spelled = quote_len(name - 2, len + 2);
    if (found.option->argument == NULL && value != NULL) {
        return err_set(reader->why, ERR_USAGE, 0, "option '%s' takes no value", found.spelled.text);
    }
    if (found.option->argument != NULL) {
        found.value = value;
        if (value == NULL) {
            err = take_value(reader, &found);
            if (err != ERR_OK) return err;
        }
    }
    return store(reader->words, &found, reader->why);
}

/* Reads "-L", "-Lq", "-c 10", "-c10", "-Lc10"; `letters` begins behind the dash. */
static enum err read_letters(struct reader *reader, const char *letters)
{
    for (const char *at = letters; *at != '\0'; at++) {
        struct found found = {.option = cli_option_by_letter(*at)};
        enum err err;

        if (*at == 's') return refuse_script("-s", reader->why);
        if (found.option == NULL) {
            return err_set(reader->why, ERR_USAGE, 0, "unknown option '-%s'",
                           quote_len(at, 1).text);
        }
        (void)snprintf(found.spelled.text, sizeof(found.spelled.text), "-%c", *at);
        if (found.option->argument != NULL) {
            if (at[1] == '\0') {
                err = take_value(reader, &found);
                if (err != ERR_OK) return err;
            } else {
                found.value = at + 1;
            }
        }
        err = store(reader->words, &found, reader->why);
        if (err != ERR_OK) return err;
        if (found.value != NULL) break;
    }
    return ERR_OK;
}

/* Reads the line up to its end, or up to the first option that only asks about the program. */
static enum err read_line(struct reader *reader)
{
    struct cli *cli = &reader->words->cli;
    bool options_over = false;

    while (reader->next < reader->argc && !cli_is_about(cli)) {
        const char *word = reader->argv[reader->next++];
        enum err err = ERR_OK;

        if (options_over || word[0] != '-' || word[1] == '\0') {
            reader->words->urls[reader->words->urls_count++].text = word;
        } else if (strcmp(word, "--") == 0) {
            options_over = true;
        } else if (word[1] == '-') {
            err = read_long(reader, word + 2);
        } else {
            err = read_letters(reader, word + 1);
        }
        if (err != ERR_OK) return err;
        cli->completions = cli_is_given(reader->words, OPTION_COMPLETIONS);
    }
    return ERR_OK;
}

/* Defaults that depend on other options. */
static void set_defaults(struct cli_words *words)
{
    struct plan *plan = &words->cli.plan;

    if (cli_is_given(words, OPTION_REQUESTS) && !cli_is_given(words, OPTION_DURATION)) {
        plan->duration_ns = TIME_NEVER;
    }
    if (!cli_is_given(words, OPTION_CONNECT_TIMEOUT)) plan->connect_timeout_ns = plan->timeout_ns;
    if (!cli_is_given(words, OPTION_DRAIN)) {
        plan->drain_ns = words->cli.format == CLI_FORMAT_WRK ? 0 : plan->timeout_ns;
    }
    if (words->cli.requests_path == NULL) {
        plan->rows_max = 0;
    } else if (!cli_is_given(words, OPTION_REQUESTS_OUT_MAX)) {
        plan->rows_max = ROWS_DEFAULT;
    }
    if (words->no_keepalive && !cli_is_given(words, OPTION_REQUESTS_PER_CONNECTION)) {
        plan->max_requests_per_connection = 1;
    }
    if (words->method == NULL) {
        words->method = words->body != NULL || words->body_file != NULL ? "POST" : "GET";
    }
}

/* Files to write have names, and none is named twice. */
static enum err check_files(const struct cli *cli, struct err_info *why)
{
    const struct {
        const char *option;
        const char *path;
    } files[] = {{"--json", cli->json_path},
                 {"--csv", cli->csv_path},
                 {"--hdr", cli->hdr_path},
                 {"--requests-out", cli->requests_path}};

    for (size_t i = 0; i < COUNT(files); i++) {
        const char *path = files[i].path;
        bool json = path != NULL && path == cli->json_path;

        if (path == NULL) continue;
        if (path[0] == '\0' || (!json && strcmp(path, "-") == 0)) {
            return err_set(why, ERR_USAGE, 0, "option '%s' wants a file name%s", files[i].option,
                           json ? ", or '-' for stdout" : "");
        }
        for (size_t j = 0; j < i; j++) {
            if (files[j].path == NULL || strcmp(files[j].path, path) != 0) continue;
            return err_set(why, ERR_USAGE, 0, "options '%s' and '%s' name the same file",
                           files[j].option, files[i].option);
        }
    }
    return ERR_OK;
}

static enum err check_words(const struct cli_words *words, struct err_info *why)
{
    const struct plan *plan = &words->cli.plan;
    uint32_t requests = plan->max_requests_per_connection;
    enum err err;

    if (words->no_keepalive && cli_is_given(words, OPTION_REQUESTS_PER_CONNECTION)) {
        return err_set(why, ERR_USAGE, 0,
                       "options '--no-keepalive' and '--requests-per-connection' exclude each "
                       "other: the one is the other with 1");
    }
    if (requests > 0 && plan->pipeline > requests) {
        return err_set(why, ERR_USAGE, 0,
                       "options '--pipeline' and '--%s' exclude each other: a connection that ends "
                       "after %u request%s cannot carry %u at once",
                       words->no_keepalive ? "no-keepalive" : "requests-per-connection", requests,
                       requests == 1 ? "" : "s", plan->pipeline);
    }
    if (plan->warmup_ns > 0 && plan->warmup_ns >= plan->duration_ns) {
        return err_set(why, ERR_USAGE, 0,
                       "option '--warmup' wants a time shorter than that of the run, of which it "
                       "is a part");
    }
    if (words->cli.requests_path == NULL && cli_is_given(words, OPTION_REQUESTS_OUT_MAX)) {
        return err_set(why, ERR_USAGE, 0, "option '--requests-out-max' wants '--requests-out'");
    }
    err = cli_check_body(words, why);
    if (err == ERR_OK) err = cli_check_format(words, why);
    return err == ERR_OK ? check_files(&words->cli, why) : err;
}

/* Every complaint about the command line ends with where to look it up. */
static void add_hint(struct err_info *why)
{
    static const char hint[] = " (see pelt --help)";
    size_t len = min_u64(strlen(why->message), sizeof(why->message) - sizeof(hint));

    memcpy(why->message + len, hint, sizeof(hint));
}

static bool make_list(struct cli_list *list, int argc, struct arena *scratch)
{
    list->items = arena_array(scratch, (size_t)argc + 1, sizeof(*list->items));
    return list->items != NULL;
}

bool cli_words_init(struct cli_words *words, int words_max, struct arena *scratch)
{
    words->urls = arena_array(scratch, (size_t)words_max + 1, sizeof(*words->urls));
    return words->urls != NULL && make_list(&words->headers, words_max, scratch) &&
           make_list(&words->resolves, words_max, scratch);
}

enum err cli_build(struct cli_words *words, uint32_t cpus, struct arena *scratch,
                   struct err_info *why)
{
    enum err err = cli_build_urls(words, scratch, why);

    if (err != ERR_OK) return err;
    set_defaults(words);
    err = cli_build_rate(words, why);
    if (err != ERR_OK) return err;
    err = check_words(words, why);
    if (err != ERR_OK) return err;
    err = cli_set_threads(words, cpus, why);
    if (err != ERR_OK) return err;
    err = cli_build_net(words, why);
    if (err == ERR_OK) err = cli_build_tls(words, why);
    if (err != ERR_OK) return err;
    err = cli_build_requests(words, scratch, why);
    if (err != ERR_OK) return err;
    err = cli_check_tls(words, why);
    if (err != ERR_OK) return err;
    err = cli_check_names(words, why);
    return err == ERR_OK ? cli_build_format(words, why) : err;
}

/* What cli_parse() does, on storage that it releases. */
static enum err parse_into(struct cli_words *words, struct reader *reader, uint32_t cpus,
                           struct arena *scratch)
{
    enum err err;

    if (!cli_words_init(words, reader->argc, scratch)) {
        return err_set(reader->why, ERR_MEMORY, 0, "no memory for the command line");
    }
    err = read_line(reader);
    if (err != ERR_OK || cli_is_about(&words->cli)) return err;
    return cli_build(words, cpus, scratch, reader->why);
}

enum err cli_parse(int argc, char **argv, uint32_t cpus, struct cli *ret_cli, struct err_info *why)
{
    struct cli_words words = {.method = NULL};
    struct reader reader = {.words = &words, .argv = argv, .argc = argc, .next = 1, .why = why};
    struct arena scratch;
    enum err err;

    CHECK(argc >= 0);
    CHECK(cpus >= 1);
    arena_init(&scratch, PLAN_ARENA_BYTES_MAX);
    plan_init(&words.cli.plan);
    err = parse_into(&words, &reader, cpus, &scratch);
    arena_release(&scratch);
    if (err != ERR_OK) {
        if (err == ERR_USAGE && why != NULL) add_hint(why);
        plan_release(&words.cli.plan);
        return err;
    }
    *ret_cli = words.cli;
    return ERR_OK;
}

void cli_release(struct cli *cli)
{
    plan_release(&cli->plan);
    cli->json_path = cli->csv_path = cli->hdr_path = cli->requests_path = NULL;
}
