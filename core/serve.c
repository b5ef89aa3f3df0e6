/* The main thread of the test target: starts the serving threads one after the other (the first
 * one may choose the port), waits for a signal, writes the log of ids, prints the totals. */
#include "core/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/preflight.h"
#include "core/serve_thread.h"
#include "tls/tls_ctx.h"

enum { LOG_DRAIN_MS = 10 };

/* Everything of one run. */
struct serve {
    const struct serve_options *options;
    struct arena arena;
    struct serve_shared *shared;
    struct serve_thread *threads; /* [options->threads] */
    pthread_t *handles;
    uint32_t started; /* Threads that run. */
    struct sockaddr_storage address;
    sigset_t signals;
};

static enum err parse_address(struct serve *serve, struct err_info *why)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&serve->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&serve->address;

    serve->shared->address = (const struct sockaddr *)&serve->address;
    if (inet_pton(AF_INET, serve->options->bind, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        serve->shared->address_len = sizeof(*in4);
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, serve->options->bind, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        serve->shared->address_len = sizeof(*in6);
        return ERR_OK;
    }
    return err_set(why, ERR_USAGE, 0, "'%s' is no numeric address; give one as 127.0.0.1 or ::1",
                   serve->options->bind);
}

/* The certificate that all threads show, and its file for clients to trust. */
static enum err make_identity(struct serve *serve, struct err_info *why)
{
    const char *path = serve->options->tls_save_cert;
    struct tls_identity *identity = arena_array(&serve->arena, 1, sizeof(*identity));
    bool written;
    FILE *file;
    enum err err;

    if (identity == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for 'serve'");
    err = tls_identity_make(identity, why);
    if (err != ERR_OK) return err;
    serve->shared->identity = identity;
    if (path == NULL) return ERR_OK;
    file = fopen(path, "we");
    if (file != NULL) {
        written = fputs(identity->cert_pem, file) >= 0;
        if (fclose(file) == 0 && written) return ERR_OK;
    }
    return err_set(why, ERR_FILE, errno, "cannot write '%s': %s", path, err_errno_name(errno));
}

static enum err prepare(struct serve *serve, struct err_info *why)
{
    const struct serve_options *options = serve->options;
    struct arena *arena = &serve->arena;
    char *pattern, *chunks;
    enum err err;

    serve->shared = arena_array(arena, 1, sizeof(*serve->shared));
    serve->threads = arena_array(arena, options->threads, sizeof(*serve->threads));
    serve->handles = arena_array(arena, options->threads, sizeof(*serve->handles));
    pattern = arena_array(arena, SERVE_PATTERN_BYTES, 1);
    chunks = arena_array(arena, SERVE_CHUNKS_BYTES, 1);
    if (serve->shared == NULL || serve->threads == NULL || serve->handles == NULL ||
        pattern == NULL || chunks == NULL) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for 'serve'");
    }
    serve_pattern_fill(pattern, chunks);
    serve->shared->options = options;
    serve->shared->pattern = pattern;
    serve->shared->chunks = chunks;
    serve->shared->log_fd = -1;
    err = parse_address(serve, why);
    if (err == ERR_OK && options->tls && options->tls_cert == NULL) err = make_identity(serve, why);
    if (err != ERR_OK || options->log_ids == NULL) return err;
    serve->shared->log_fd =
        open(options->log_ids, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0644);
    if (serve->shared->log_fd < 0) {
        return err_set(why, ERR_FILE, errno, "cannot write '%s': %s", options->log_ids,
                       err_errno_name(errno));
    }
    return ERR_OK;
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0) {
        CHECK(errno == EINTR);
    }
}

static enum err start_threads(struct serve *serve, struct err_info *why)
{
    uint16_t port = serve->options->port;

    for (uint32_t i = 0; i < serve->options->threads; i++) {
        struct serve_thread *thread = &serve->threads[i];
        int rc;

        thread->shared = serve->shared;
        thread->index = i;
        thread->port = port;
        CHECK(sem_init(&thread->started, 0, 0) == 0);
        CHECK(sem_init(&thread->leave, 0, 0) == 0);
        rc = pthread_create(&serve->handles[i], NULL, serve_thread_main, thread);
        if (rc != 0) {
            return err_set(why, ERR_LIMIT, rc, "cannot start thread %u: %s", i + 1,
                           err_errno_name(rc));
        }
        serve->started++;
        wait_for(&thread->started);
        if (thread->err != ERR_OK) {
            *why = thread->why;
            return thread->err;
        }
        port = thread->port;
    }
    return ERR_OK;
}

/* Ends all threads. Their rings are woken, and only then may they close them. */
static void stop_threads(struct serve *serve)
{
    store_release(&serve->shared->stop, true);
    for (uint32_t i = 0; i < serve->started; i++) {
        if (serve->threads[i].err == ERR_OK) ring_wake(serve->threads[i].ring);
        CHECK(sem_post(&serve->threads[i].leave) == 0);
    }
    for (uint32_t i = 0; i < serve->started; i++) {
        CHECK(pthread_join(serve->handles[i], NULL) == 0);
    }
}

/* Under another name first: who waits for the file never reads half of it. */
static enum err write_port_file(const struct serve *serve, struct err_info *why)
{
    const char *path = serve->options->port_file;
    char draft[PATH_MAX];
    bool written = false;
    FILE *file;

    if (path == NULL) return ERR_OK;
    if (snprintf(draft, sizeof(draft), "%s.new", path) >= (int)sizeof(draft)) {
        return err_set(why, ERR_USAGE, ENAMETOOLONG, "'%s' is too long a name", path);
    }
    file = fopen(draft, "we");
    if (file != NULL) {
        written = fprintf(file, "%u\n", serve->threads[0].port) > 0;
        written = fclose(file) == 0 && written && rename(draft, path) == 0;
    }
    if (written) return ERR_OK;
    return err_set(why, ERR_FILE, errno, "cannot write '%s': %s", path, err_errno_name(errno));
}

static void say_hello(const struct serve *serve)
{
    const struct serve_options *options = serve->options;
    const struct ring_facts *facts = ring_facts(serve->threads[0].ring);
    bool is_ip6 = strchr(options->bind, ':') != NULL;

    if (options->quiet) return;
    if (facts->fallback[0] != '\0') {
        (void)fprintf(stderr, "pelt serve: on %s: %s\n", facts->engine, facts->fallback);
    }
    (void)fprintf(stderr,
                  "pelt serve: listening on %s%s%s:%u with %u thread%s (a test target, no product "
                  "server)\n",
                  is_ip6 ? "[" : "", options->bind, is_ip6 ? "]" : "", serve->threads[0].port,
                  options->threads, options->threads == 1 ? "" : "s");
}

/* Until SIGINT or SIGTERM; meanwhile the log goes to its file. */
static void wait_for_signal(struct serve *serve)
{
    struct timespec tick = {.tv_nsec = LOG_DRAIN_MS * (long)NS_PER_MS};
    bool logs = serve->shared->log_fd >= 0;

    for (;;) {
        if (logs ? sigtimedwait(&serve->signals, NULL, &tick) > 0
                 : sigwaitinfo(&serve->signals, NULL) > 0) {
            return;
        }
        for (uint32_t i = 0; logs && i < serve->started; i++) {
            serve_log_drain(&serve->threads[i].log);
        }
    }
}

static void print_totals(const struct serve *serve)
{
    struct serve_totals sum = {0};

    for (uint32_t i = 0; i < serve->started; i++) {
        const struct serve_totals *totals = &serve->threads[i].totals;

        sum.connections += totals->connections;
        sum.requests += totals->requests;
        sum.faults += totals->faults;
        sum.dropped += totals->dropped;
        sum.handshakes += totals->handshakes;
        sum.handshakes_resumed += totals->handshakes_resumed;
        sum.tls_failed += totals->tls_failed;
        for (size_t status = 0; status < COUNT(sum.status); status++) {
            sum.status[status] += totals->status[status];
        }
    }
    (void)fprintf(stderr, "pelt serve: %llu connections, %llu requests",
                  (unsigned long long)sum.connections, (unsigned long long)sum.requests);
    for (size_t status = 0; status < COUNT(sum.status); status++) {
        if (sum.status[status] == 0) continue;
        (void)fprintf(stderr, ", %zu: %llu", status, (unsigned long long)sum.status[status]);
    }
    if (sum.faults > 0) (void)fprintf(stderr, ", faults: %llu", (unsigned long long)sum.faults);
    if (sum.dropped > 0) {
        (void)fprintf(stderr, ", connections dropped: %llu", (unsigned long long)sum.dropped);
    }
    if (serve->options->tls) {
        (void)fprintf(stderr, ", TLS handshakes: %llu, resumed: %llu, failed: %llu",
                      (unsigned long long)sum.handshakes,
                      (unsigned long long)sum.handshakes_resumed,
                      (unsigned long long)sum.tls_failed);
    }
    (void)fprintf(stderr, "\n");
}

/* What the log still holds; an earlier error stays the error. */
static enum err finish_log(struct serve *serve, enum err err, struct err_info *why)
{
    bool written = true;

    if (serve->shared == NULL || serve->shared->log_fd < 0) return err;
    for (uint32_t i = 0; i < serve->started; i++) {
        if (serve->threads[i].err != ERR_OK) continue;
        if (!serve_log_finish(&serve->threads[i].log)) written = false;
    }
    if (close(serve->shared->log_fd) != 0) written = false;
    if (written || err != ERR_OK) return err;
    return err_set(why, ERR_FILE, 0, "'%s' is not complete: a write failed",
                   serve->options->log_ids);
}

enum err serve_run(const struct serve_options *options, struct err_info *why)
{
    struct serve serve = {.options = options};
    enum err err;

    CHECK(options->threads >= 1 && options->threads <= SERVE_THREADS_MAX);
    arena_init(&serve.arena, 0);
    (void)sigemptyset(&serve.signals);
    (void)sigaddset(&serve.signals, SIGINT);
    (void)sigaddset(&serve.signals, SIGTERM);
    CHECK(pthread_sigmask(SIG_BLOCK, &serve.signals, NULL) == 0); /* The threads inherit it. */
    preflight_raise_descriptors();

    err = prepare(&serve, why);
    if (err == ERR_OK) err = start_threads(&serve, why);
    if (err == ERR_OK) err = write_port_file(&serve, why);
    if (err == ERR_OK) {
        say_hello(&serve);
        wait_for_signal(&serve);
    }
    if (serve.started > 0) stop_threads(&serve);
    err = finish_log(&serve, err, why);
    if (err == ERR_OK && !options->quiet) print_totals(&serve);
    for (uint32_t i = 0; i < serve.started; i++) {
        arena_release(&serve.threads[i].arena);
    }
    arena_release(&serve.arena);
    return err;
}
