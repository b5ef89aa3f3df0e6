#include "core/logger_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/quote.h"

enum { RING_BYTES_MIN = 4 << 20 }; /* Of the queue of a worker, unless less is asked for. */

static enum err no_memory(struct err_info *why)
{
    return err_set(why, ERR_MEMORY, ENOMEM, "no memory for loggers");
}

static enum err cannot_write(const struct testfile_logger *def, const char *to,
                             struct err_info *why)
{
    return err_set(why, ERR_FILE, errno, "logger '%s': cannot write '%s': %s",
                   quote(def->name).text, quote(to).text, strerror(errno));
}

/* Opening. */

/* The path of a logger's file; NULL without memory. */
static const char *path_of(struct loggers *loggers, const char *directory, const char *to)
{
    size_t len = directory == NULL || to[0] == '/' ? 0 : strlen(directory) + 1;
    char *path = arena_array(&loggers->arena, len + strlen(to) + 1, 1);

    if (path == NULL) return NULL;
    if (len > 0) (void)snprintf(path, len + 1, "%s/", directory);
    memcpy(path + len, to, strlen(to) + 1);
    return path;
}

static bool is_same_file(int a, int b)
{
    struct stat of_a, of_b;

    return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* The target of this name, or of the same file, if there is one; else the place of a new one. */
static uint32_t find_target(const struct loggers *loggers, const struct log_target *target)
{
    uint32_t i = 0;

    while (i < loggers->targets_count && strcmp(loggers->targets[i].to, target->to) != 0 &&
           !(loggers->targets[i].is_ours && target->is_ours &&
             is_same_file(loggers->targets[i].fd, target->fd))) {
        i++;
    }
    return i;
}

static enum err open_target(struct loggers *loggers, uint32_t logger, const char *directory,
                            struct err_info *why)
{
    const struct testfile_logger *def = &loggers->test->loggers[logger];
    struct log_target target = {.to = def->to, .fd = -1};
    uint32_t index;

    if (strcmp(def->to, "stdout") == 0) {
        target.fd = STDOUT_FILENO;
    } else if (strcmp(def->to, "stderr") == 0) {
        target.fd = STDERR_FILENO;
    } else {
        target.to = path_of(loggers, directory, def->to);
        if (target.to == NULL) return no_memory(why);
        index = find_target(loggers, &target); /* Of this name; nothing is open yet. */
        target.is_ours = index == loggers->targets_count;
        if (target.is_ours) target.fd = open(target.to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (target.is_ours && target.fd < 0) return cannot_write(def, target.to, why);
    }
    index = find_target(loggers, &target);
    loggers->target_of[logger] = index;
    if (index < loggers->targets_count) {
        if (target.is_ours) (void)close(target.fd);
        return ERR_OK;
    }
    if (index == LOGGERS_TARGETS_MAX) {
        if (target.is_ours) (void)close(target.fd);
        return err_set(why, ERR_CONFIG, 0, "loggers write to more than %d files",
                       LOGGERS_TARGETS_MAX);
    }
    loggers->targets[loggers->targets_count++] = target;
    return ERR_OK;
}

static uint64_t ring_bytes(const struct loggers_options *options)
{
    uint64_t asked = options->queue_bytes / options->workers, size = UINT64_C(1) << 30;

    if (options->queue_bytes == 0) {
        asked = max_u64(LOGGERS_QUEUE_BYTES / options->workers, RING_BYTES_MIN);
    }
    while (size > asked && size > 1024) {
        size /= 2;
    }
    return size;
}

/* The queues of one target, a part for each worker. */
static bool init_target(struct loggers *loggers, struct log_target *target, uint64_t bytes)
{
    struct arena *arena = &loggers->arena;

    target->rings = arena_array(arena, loggers->workers, sizeof(struct log_ring *));
    target->counts = arena_array(arena, loggers->test->loggers_count, sizeof(struct log_written));
    if (target->rings == NULL || target->counts == NULL) return false;
    for (uint32_t i = 0; i < loggers->workers; i++) {
        char *memory = arena_array(arena, bytes, 1); /* Zeroed pages cost nothing untouched. */

        target->rings[i] = arena_array(arena, 1, sizeof(struct log_ring));
        if (memory == NULL || target->rings[i] == NULL) return false;
        log_ring_init(target->rings[i], memory, bytes);
    }
    return true;
}

static bool init_port(struct loggers *loggers, uint32_t worker)
{
    struct log_port *port = &loggers->ports[worker];

    port->loggers = loggers;
    port->ways = arena_array(&loggers->arena, loggers->targets_count, sizeof(*port->ways));
    port->counts =
        arena_array(&loggers->arena, loggers->test->loggers_count, sizeof(*port->counts));
    if (port->ways == NULL || port->counts == NULL) return false;
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        port->ways[i].ring = loggers->targets[i].rings[worker];
    }
    return true;
}

static bool init_queues(struct loggers *loggers, const struct loggers_options *options)
{
    uint64_t bytes = ring_bytes(options);

    loggers->ports = arena_array(&loggers->arena, options->workers, sizeof(*loggers->ports));
    if (loggers->ports == NULL) return false;
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        if (!init_target(loggers, &loggers->targets[i], bytes)) return false;
    }
    for (uint32_t i = 0; i < options->workers; i++) {
        if (!init_port(loggers, i)) return false;
    }
    return true;
}

enum err loggers_new(struct loggers **ret_loggers, const struct loggers_options *options,
                     struct err_info *why)
{
    uint32_t count = options->test->loggers_count;
    struct arena arena;
    struct loggers *loggers;
    enum err err = ERR_OK;

    CHECK(options->workers > 0);
    arena_init(&arena, 0);
    loggers = arena_alloc(&arena, sizeof(*loggers), CACHE_LINE);
    if (loggers == NULL) return no_memory(why);
    loggers->arena = arena;
    loggers->test = options->test;
    loggers->workers = options->workers;
    loggers->target_of = arena_array(&loggers->arena, count, sizeof(uint32_t));
    loggers->taken = arena_array(&loggers->arena, count, sizeof(*loggers->taken));
    if (loggers->target_of == NULL || loggers->taken == NULL) {
        loggers_free(loggers);
        return no_memory(why);
    }
    for (uint32_t i = 0; err == ERR_OK && i < count; i++) {
        err = open_target(loggers, i, options->directory, why);
    }
    if (err == ERR_OK && !init_queues(loggers, options)) err = no_memory(why);
    if (err != ERR_OK) {
        loggers_free(loggers);
        return err;
    }
    *ret_loggers = loggers;
    return ERR_OK;
}

enum err loggers_start(struct loggers *loggers, struct err_info *why)
{
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        struct log_target *target = &loggers->targets[i];
        struct log_writer_options options = {
            .fd = target->fd,
            .rings = target->rings,
            .rings_count = loggers->workers,
            .counts = target->counts,
        };
        enum err err;

        /* What cannot be cut, a pipe or a device, is written as it is. */
        if (target->is_ours && ftruncate(target->fd, 0) != 0 && errno != EINVAL) {
            return err_set(why, ERR_FILE, errno, "cannot write '%s': %s", quote(target->to).text,
                           strerror(errno));
        }
        err = log_writer_new(&target->writer, &options, why);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* The end. */

bool loggers_end(struct loggers *loggers)
{
    bool done = true;

    for (uint32_t i = 0; i < loggers->workers; i++) {
        done &= log_port_flush(&loggers->ports[i]);
    }
    if (!done) return false;
    if (!loggers->ending) {
        for (uint32_t i = 0; i < loggers->targets_count; i++) {
            log_writer_end(loggers->targets[i].writer);
        }
        loggers->ending = true;
    }
    return loggers_behind(loggers) == NULL;
}

const char *loggers_behind(const struct loggers *loggers)
{
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        const struct log_target *target = &loggers->targets[i];

        if (target->writer != NULL && !log_writer_is_done(target->writer)) return target->to;
    }
    return NULL;
}

void loggers_give_up(struct loggers *loggers)
{
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        log_writer_give_up(loggers->targets[i].writer);
    }
}

void loggers_close(struct loggers *loggers)
{
    for (uint32_t i = 0; i < loggers->targets_count; i++) {
        struct log_target *target = &loggers->targets[i];

        if (target->writer != NULL) target->error = log_writer_error(target->writer);
        log_writer_free(target->writer);
        target->writer = NULL;
        if (target->is_ours && target->fd >= 0 && close(target->fd) != 0 && target->error == 0) {
            target->error = errno;
        }
        if (target->is_ours) target->fd = -1;
    }
}

int loggers_error(const struct loggers *loggers, uint32_t logger)
{
    const struct log_target *target = &loggers->targets[loggers->target_of[logger]];

    return target->writer == NULL ? target->error : log_writer_error(target->writer);
}

const char *loggers_killer(const struct loggers *loggers)
{
    for (uint32_t i = 0; i < loggers_count(loggers); i++) {
        const struct testfile_logger *def = &loggers->test->loggers[i];

        if (def->kill && load_relaxed(&loggers->taken[i]) > logger_limit(def)) return def->name;
    }
    return NULL;
}

uint32_t loggers_count(const struct loggers *loggers)
{
    return loggers->test->loggers_count;
}

void loggers_figures(const struct loggers *loggers, uint32_t logger,
                     struct logger_figures *ret_figures)
{
    const struct log_target *target = &loggers->targets[loggers->target_of[logger]];
    struct logger_figures figures = {
        .name = loggers->test->loggers[logger].name,
        .to = target->to,
        .written = target->counts[logger].written,
        .lost = target->counts[logger].lost,
        .error = target->error,
    };

    for (uint32_t i = 0; i < loggers->workers; i++) {
        const struct log_counts *counts = &loggers->ports[i].counts[logger];

        figures.put += counts->put;
        figures.lost += counts->lost;
        figures.dropped += counts->dropped;
    }
    *ret_figures = figures;
}

bool loggers_balance(const struct loggers *loggers)
{
    for (uint32_t i = 0; i < loggers_count(loggers); i++) {
        const struct log_written *counts = &loggers->targets[loggers->target_of[i]].counts[i];
        uint64_t put = 0;

        for (uint32_t w = 0; w < loggers->workers; w++) {
            put += loggers->ports[w].counts[i].put;
        }
        if (put != counts->written + counts->lost) return false;
    }
    return true;
}

void loggers_free(struct loggers *loggers)
{
    struct arena arena;

    if (loggers == NULL) return;
    loggers_close(loggers);
    arena = loggers->arena;
    arena_release(&arena);
}
