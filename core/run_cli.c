#include "core/run_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/data_file.h"
#include "core/exit.h"
#include "core/output.h"
#include "core/preflight.h"
#include "core/results_dir.h"

enum { DIAGS_BYTES_MAX = 64 * 1024 * 1024 };

static const char usage[] =
    "usage: pelt run FILE [options]\n"
    "\n"
    "Runs a test file (docs/test-file.md). `pelt check FILE` says what is wrong with one\n"
    "without running it.\n"
    "\n"
    "  -d, --results-dir DIR    where files of the test go; it is made if need be\n"
    "                      (default: the current directory)\n"
    "  -o, --stats-file FILE    the results file, below the directory of -d\n"
    "                      (default: stats-NAME-SECONDS.json; docs/results.md)\n"
    "  -s, --stats-format FORMAT   pelt, or pewpew for viewers of that (default: pelt)\n"
    "      --json FILE     write the results as JSON; '-' is stdout, which then carries\n"
    "                      nothing else\n"
    "      --io ENGINE     auto, uring or epoll (default: auto)\n"
    "      --spin          do not sleep in the last 60 us before a request is due\n"
    "      --strict        exit with status 98 when the client was the limit\n"
    "  -L, --latency       print the full latency spectrum\n"
    "  -q, --quiet         nothing on stderr but errors\n"
    "  -v, --verbose       say more on stderr about what is done\n"
    "  -h, --help          print this and exit\n";

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static int wrong_line(const char *what, const char *word)
{
    (void)fprintf(stderr, "pelt: %s%s%s%s (see pelt run --help)\n", what, word == NULL ? "" : " '",
                  word == NULL ? "" : quote(word).text, word == NULL ? "" : "'");
    return EXIT_CODE_USAGE;
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

/* The value of option `name`, behind '=' or as the next word; NULL if `word` is another one or
 * there is none. */
static const char *value_of(const char *word, const char *name, char **argv, int argc, int *at)
{
    size_t len = strlen(name);

    if (strncmp(word, name, len) != 0) return NULL;
    if (word[len] == '=') return word + len + 1;
    if (word[len] != '\0' || *at + 1 >= argc) return NULL;
    return argv[++*at];
}

static bool take_engine(struct cli *cli, const char *value)
{
    static const char *const names[] = {
        [PLAN_IO_AUTO] = "auto", [PLAN_IO_URING] = "uring", [PLAN_IO_EPOLL] = "epoll"};

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(value, names[i]) != 0) continue;
        cli->plan.io = (enum plan_io)i;
        return true;
    }
    return false;
}

static bool take_stats_format(struct cli *cli, const char *value)
{
    const struct {
        const char *name;
        enum results_form form;
    } forms[] = {{"pelt", RESULTS_PELT}, {"pewpew", RESULTS_PEWPEW}, {"json", RESULTS_PEWPEW}};

    for (size_t i = 0; i < COUNT(forms); i++) {
        if (strcmp(value, forms[i].name) != 0) continue;
        cli->results_form = forms[i].form;
        return true;
    }
    return false;
}

/* Options whose value is any text: true if `word` is one, and has a value. */
static bool take_text(struct cli *cli, const char *word, char **argv, int argc, int *at)
{
    const struct {
        const char *name, *letter;
        const char **text;
    } texts[] = {{"--json", "--json", &cli->json_path},
                 {"--results-dir", "-d", &cli->results_dir},
                 {"--stats-file", "-o", &cli->results_name}};

    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *value = value_of(word, texts[i].name, argv, argc, at);

        if (value == NULL) value = value_of(word, texts[i].letter, argv, argc, at);
        if (value == NULL || value[0] == '\0') continue;
        *texts[i].text = value;
        return true;
    }
    return false;
}

/* Options whose value is one of several words: EXIT_CODE_OK if `word` is one and its value is
 * right, -1 if it is none. */
static int take_choice(struct cli *cli, const char *word, char **argv, int argc, int *at)
{
    const char *value = value_of(word, "--io", argv, argc, at);

    if (value != NULL) {
        return take_engine(cli, value)
                   ? EXIT_CODE_OK
                   : wrong_line("option '--io' wants auto, uring or epoll, not", value);
    }
    value = value_of(word, "--stats-format", argv, argc, at);
    if (value == NULL) value = value_of(word, "-s", argv, argc, at);
    if (value == NULL) return -1;
    return take_stats_format(cli, value)
               ? EXIT_CODE_OK
               : wrong_line("option '--stats-format' wants pelt or pewpew, not", value);
}

/* Any option; EXIT_CODE_OK if it is right. */
static int take_option(struct cli *cli, const char *word, char **argv, int argc, int *at)
{
    int code;

    if (take_flag(cli, word) || take_text(cli, word, argv, argc, at)) return EXIT_CODE_OK;
    code = take_choice(cli, word, argv, argc, at);
    if (code != -1) return code;
    if (strcmp(word, "-w") == 0 || strcmp(word, "--watch") == 0) {
        return wrong_line("a test cannot be changed while it runs yet; leave out", word);
    }
    return wrong_line("unknown option, or one without its value:", word);
}

/* EXIT_CODE_OK if the line is right. */
static int read_line(int argc, char **argv, struct cli *cli, const char **ret_file)
{
    bool options_over = false;

    *ret_file = NULL;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool option = !options_over && word[0] == '-' && word[1] != '\0';

        if (option && strcmp(word, "--") == 0) {
            options_over = true;
        } else if (option) {
            int code = take_option(cli, word, argv, argc, &i);

            if (code != EXIT_CODE_OK || cli->help) return code;
        } else if (*ret_file != NULL) {
            return wrong_line("two files given; run one at a time, not also", word);
        } else {
            *ret_file = word;
        }
    }
    return *ret_file == NULL ? wrong_line("no file given", NULL) : EXIT_CODE_OK;
}

/* Reads the file; prints what is wrong with it, or surely not meant. */
static struct testfile *load(const char *path, uint64_t seed)
{
    struct testfile_options options = {
        .environment = environment, .wall_ns = clock_wall_ns(), .seed = seed};
    struct testfile *testfile;
    struct arena arena;
    struct diags diags;
    struct text out;
    struct err_info why;

    arena_init(&arena, DIAGS_BYTES_MAX);
    diags_init(&diags, &arena);
    text_init(&out, &arena);
    testfile = testfile_load(path, &options, &diags);
    diags_human(&diags, &out);
    if (out.len > 0) (void)!output_stream(STDERR_FILENO, &out, &why);
    arena_release(&arena);
    return testfile;
}

static struct records_options records_of(const struct testfile_provider *def,
                                         const struct value *names)
{
    return (struct records_options){
        .format = def->format == FORMAT_LINE   ? RECORDS_LINE
                  : def->format == FORMAT_JSON ? RECORDS_JSON
                                               : RECORDS_CSV,
        .parse = def->parse,
        .csv = {.delimiter = def->csv.delimiter,
                .quote = def->csv.quote,
                .escape = def->csv.escape,
                .comment = def->csv.comment,
                .terminator = def->csv.terminator,
                .double_quote = def->csv.double_quote},
        .first_row_names = def->csv.headers == CSV_HEADERS_FIRST,
        .names = names,
        .names_count = names == NULL ? 0 : def->csv.names_count,
    };
}

static enum err open_file(struct run_test *run, uint32_t index, struct err_info *why)
{
    const struct testfile_provider *def = &run->testfile->providers[index];
    struct arena *arena = &run->cli.plan.arena;
    struct value *names = NULL;
    struct records_options options;

    if (def->format == FORMAT_CSV && def->csv.headers == CSV_HEADERS_GIVEN) {
        names = arena_array(arena, def->csv.names_count, sizeof(*names));
        if (names == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for names of columns");
        for (uint32_t i = 0; i < def->csv.names_count; i++) {
            names[i] = value_str(def->csv.names[i]);
        }
    }
    options = records_of(def, names);
    run->test.reads_files = true;
    return data_file_open(&run->files[index], def->file, &options, def->random, arena, why);
}

static enum err open_files(struct run_test *run, struct err_info *why)
{
    uint32_t count = run->testfile->providers_count;

    run->files = arena_array(&run->cli.plan.arena, count, sizeof(*run->files));
    if (run->files == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for data files");
    for (uint32_t i = 0; i < count; i++) {
        run->files[i].fd = -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        enum err err = ERR_OK;

        if (run->testfile->providers[i].kind == PROVIDER_FILE) err = open_file(run, i, why);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* What of test files this version does not run yet; NULL: nothing of it is in the file. */
static const char *unsupported(const struct testfile *test)
{
    if (test->loggers_count > 0) return "'loggers' and 'logs'";
    if (test->thresholds_count > 0) return "'thresholds'";
    return NULL;
}

/* False, and told, if the file asks for what cannot be done: it is not run without that. */
static bool is_supported(const char *path, const struct testfile *test)
{
    const char *what = unsupported(test);

    if (what == NULL) return true;
    (void)fprintf(stderr, "pelt: %s: %s cannot be run by this version; 'pelt check' reads it\n",
                  quote(path).text, what);
    return false;
}

static struct run_machine machine_of(uint32_t cpus)
{
    struct preflight_limits limits;

    preflight_read(&limits, "/proc");
    return (struct run_machine){
        .cpus = cpus,
        .descriptors = limits.descriptors_hard,
        .ports = limits.port_high == 0 ? 0 : limits.port_high - limits.port_low + UINT64_C(1)};
}

/* What is told on stderr, unless the command line says it. */
static void set_level(struct cli *cli, enum testfile_log_level level)
{
    if (cli->quiet || cli->verbose) return;
    cli->silent = level == LOG_OFF;
    cli->quiet = level <= LOG_ERROR;
    cli->terse = level <= LOG_WARN;
    cli->verbose = level >= LOG_DEBUG;
}

static int make(struct run_test *run, const char *path, uint32_t cpus)
{
    struct run_machine machine = machine_of(cpus);
    struct err_info why;
    enum err err;

    run->testfile = load(path, run->cli.plan.seed);
    if (run->testfile == NULL || !is_supported(path, run->testfile)) return EXIT_CODE_ERROR;
    set_level(&run->cli, run->testfile->general.log_level);
    err = run_plan_make(&run->cli.plan, run->testfile, &machine, &run->crews, &why);
    if (err == ERR_OK) err = open_files(run, &why);
    if (err != ERR_OK) {
        (void)fprintf(stderr, "pelt: %s: %s\n", quote(path).text, why.message);
        return EXIT_CODE_ERROR;
    }
    if (run->cli.results_dir != NULL && results_dir_make(run->cli.results_dir, &why) != ERR_OK) {
        (void)fprintf(stderr, "pelt: %s\n", why.message);
        return EXIT_CODE_OUTPUT;
    }
    run->test.test = run->testfile;
    run->test.crews = &run->crews;
    run->test.files = run->files;
    run->cli.test = &run->test;
    run->cli.test_path = path;
    return -1;
}

int run_test_read(int argc, char **argv, uint32_t cpus, struct run_test *ret_run)
{
    const char *path;
    int code;

    *ret_run = (struct run_test){0};
    plan_init(&ret_run->cli.plan);
    code = read_line(argc, argv, &ret_run->cli, &path);
    if (code == EXIT_CODE_OK && ret_run->cli.help) {
        code = fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? EXIT_CODE_OUTPUT : EXIT_CODE_OK;
    } else if (code == EXIT_CODE_OK) {
        code = make(ret_run, path, cpus);
    }
    if (code != -1) run_test_release(ret_run);
    return code;
}

void run_test_release(struct run_test *run)
{
    for (uint32_t i = 0; run->files != NULL && i < run->testfile->providers_count; i++) {
        data_file_close(&run->files[i]);
    }
    testfile_free(run->testfile);
    plan_release(&run->cli.plan);
    *run = (struct run_test){0};
}
