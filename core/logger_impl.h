/* logger_impl: what the parts of the loggers share: logger.c (targets, from opening to closing) and
 * logger_port.c (a worker's side). Private to them. */
#ifndef CORE_LOGGER_IMPL_H
#define CORE_LOGGER_IMPL_H

#include "core/log_writer.h"
#include "core/logger.h"

/* Where lines of one or more loggers go. */
struct log_target {
    const char *to;
    int fd;
    bool is_ours;               /* Opened here; else stdout or stderr. */
    struct log_writer *writer;  /* NULL: not started, or closed. */
    struct log_ring **rings;    /* By worker. */
    struct log_written *counts; /* By logger; the writer's. */
    int error;                  /* After the writer is gone. */
};

/* A line that found its queue full. */
struct log_line {
    struct log_line *next;
    size_t size; /* Of the whole. */
    uint32_t logger, bytes;
};

/* A worker's way to one target. */
struct log_way {
    struct log_ring *ring;
    struct log_line *first, *last; /* Lines that wait, the oldest first. */
    bool is_full;
};

struct log_counts {
    uint64_t put, lost, dropped;
};

struct log_port {
    struct loggers *loggers;
    struct log_way *ways;      /* By target. */
    struct log_counts *counts; /* By logger. */
    struct blocks *blocks;
    struct scratch *scratch;
};

struct loggers {
    struct arena arena; /* Holds this struct. */
    const struct testfile *test;
    uint32_t workers;
    struct log_target targets[LOGGERS_TARGETS_MAX];
    uint32_t targets_count;
    uint32_t *target_of;     /* By logger. */
    _Atomic uint64_t *taken; /* By logger with a limit: values so far, of all workers. */
    struct log_port *ports;  /* By worker. */
    bool ending;
};

/* How many values a logger writes; UINT64_MAX: all. */
static inline uint64_t logger_limit(const struct testfile_logger *def)
{
    if (def->limit > 0) return def->limit;
    return def->kill ? 1 : UINT64_MAX;
}

#endif
