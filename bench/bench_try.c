/* What a whole `pelt try` takes, from its start to its end: a chain of six requests, each of which
 * needs a value of the answer before, on the built-in target. The file written, it is the program
 * as it is run from a shell: build/pelt, or the one that PELT names. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "core/base/units.h"

enum { WORDS_MAX = 8, WORDS_BYTES = 1024 };
enum { STEPS = 6, READY_TRIES = 200, READY_US = 10 * 1000 };

struct try_state {
    char directory[64];
    char port_file[128], test_file[128];
    const char *pelt;
    pid_t server;
};

/* Starts a program; the words end with a NULL. */
static pid_t start(const char *const *words)
{
    posix_spawn_file_actions_t actions;
    char text[WORDS_BYTES], *argv[WORDS_MAX + 1] = {NULL};
    size_t used = 0;
    pid_t pid = -1;
    int rc;

    for (size_t i = 0; words[i] != NULL; i++) {
        size_t len = strlen(words[i]) + 1;

        CHECK(i < WORDS_MAX && len <= sizeof(text) - used);
        argv[i] = memcpy(text + used, words[i], len);
        used += len;
    }
    rc = posix_spawn_file_actions_init(&actions);
    CHECK(rc == 0);
    rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    CHECK(rc == 0);
    rc = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    CHECK(rc == 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* The port that the server has written down; 0: it has not yet. */
static int read_port(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[16] = "";
    uint64_t port = 0;

    if (file == NULL) return 0;
    if (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (!units_parse_count(line, &port)) port = 0;
    }
    (void)fclose(file);
    return (int)port;
}

static void write_test(const char *path, int port)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    (void)fputs("load_pattern: [{linear: {from: 100%, to: 100%, over: 1m}}]\nproviders:\n", file);
    for (int i = 1; i < STEPS; i++) {
        (void)fprintf(file, "  v%d: {response: {}}\n", i);
    }
    (void)fputs("endpoints:\n", file);
    for (int i = 1; i <= STEPS; i++) {
        char need[16] = "0";

        if (i > 1) (void)snprintf(need, sizeof(need), "${v%d}", i - 1);
        (void)fprintf(file,
                      "  - {name: step %d, method: POST, url: 'http://127.0.0.1:%d/echo', body: "
                      "'{\"n\": %s}', peak_load: 1hps",
                      i, port, need);
        if (i < STEPS) (void)fprintf(file, ", provides: {v%d: {select: response.body.n + 1}}", i);
        (void)fputs("}\n", file);
    }
    CHECK(fclose(file) == 0);
}

static void set_up(struct try_state *state)
{
    const char *pelt = getenv("PELT");
    const char *argv[] = {NULL, "serve", "--port", "0", "--port-file", state->port_file, NULL};
    int port = 0;

    state->pelt = pelt == NULL ? "build/pelt" : pelt;
    argv[0] = state->pelt;
    (void)snprintf(state->directory, sizeof(state->directory), "/tmp/bench_try.XXXXXX");
    CHECK(mkdtemp(state->directory) != NULL);
    (void)snprintf(state->port_file, sizeof(state->port_file), "%s/port", state->directory);
    (void)snprintf(state->test_file, sizeof(state->test_file), "%s/test.yaml", state->directory);
    state->server = start(argv);
    for (int i = 0; i < READY_TRIES && (port = read_port(state->port_file)) == 0; i++) {
        (void)usleep(READY_US);
    }
    CHECK(port != 0);
    write_test(state->test_file, port);
}

static void try_chain(void *opaque, uint64_t iterations)
{
    struct try_state *state = opaque;
    const char *argv[] = {state->pelt, "try", state->test_file, "-i", "name=step 6", "-k", NULL};

    for (uint64_t i = 0; i < iterations; i++) {
        pid_t pid = start(argv);
        int status = -1;

        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void tear_down(struct try_state *state)
{
    (void)kill(state->server, SIGTERM);
    (void)waitpid(state->server, NULL, 0);
    (void)unlink(state->port_file);
    (void)unlink(state->test_file);
    (void)rmdir(state->directory);
}

int main(void)
{
    struct try_state state = {0};

    set_up(&state);
    bench_run("try a chain of 6", try_chain, &state, 0);
    tear_down(&state);
    return 0;
}
