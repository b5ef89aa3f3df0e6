/* logger: the loggers of a test file: where lines go, how many, and what of them got there.
 *
 * Every target (stdout, stderr, a file) has a thread that writes (core/log_writer.h) and a queue of
 * lines, of which each worker has a part of its own (core/log_ring.h). No line is lost by default:
 * of a target whose queue is full a worker keeps what still comes in memory of its own, and holds
 * back the endpoints that log there until it has room again. A logger with `on_full: drop` drops
 * and counts instead.
 *
 * Threads: loggers_* from main before the run and the engine's coordinator after it; a port is its
 * worker's while that runs, the coordinator's afterwards. */
#ifndef CORE_LOGGER_H
#define CORE_LOGGER_H

#include "config/testfile.h"
#include "core/base/blocks.h"
#include "core/base/err.h"

struct loggers;
struct log_port; /* One worker's side of all loggers. */

enum {
    LOGGERS_TARGETS_MAX = 64,
    LOGGERS_QUEUE_BYTES = 64 << 20, /* Of a target, over all workers. */
};

struct loggers_options {
    const struct testfile *test; /* Must outlive the loggers. */
    const char *directory;       /* Files are relative to it; NULL: the current one. */
    uint32_t workers;
    uint64_t queue_bytes; /* Of a target; 0: LOGGERS_QUEUE_BYTES. */
};

/* Opens all targets; a FIFO waits for its reader. What a file holds stays until loggers_start().
 * ERR_FILE names logger and target; ERR_CONFIG: too many, ERR_MEMORY. */
MUST_USE enum err loggers_new(struct loggers **ret_loggers, const struct loggers_options *options,
                              struct err_info *why);

/* Empties the files and starts the threads. ERR_FILE, ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum err loggers_start(struct loggers *loggers, struct err_info *why);

/* A worker's side; memory for lines that wait comes from `blocks`, for building them from
 * `scratch`, and both are borrowed. */
struct log_port *loggers_port(struct loggers *loggers, uint32_t worker, struct blocks *blocks,
                              struct scratch *scratch);

enum logger_put {
    LOGGER_PUT,
    LOGGER_DROPPED, /* Its queue is full, and it may drop; or there was no memory: lost. Counted. */
    LOGGER_LIMIT,   /* It has had its `limit` of values. */
    LOGGER_KILL,    /* This value, which is not written, ends the test. Once. */
};

/* A line of `value` for a logger. */
enum logger_put logger_put(struct log_port *port, uint32_t logger, const struct value *value);

/* True if no value will be written any more, nor end the test: none need be made. */
MUST_USE bool logger_is_over(const struct log_port *port, uint32_t logger);

/* False if endpoints that log to it are to be held back. */
MUST_USE bool logger_has_room(struct log_port *port, uint32_t logger);

/* Moves lines that wait into the queues; true when none waits any more. */
bool log_port_flush(struct log_port *port);

/* The coordinator's, once no worker puts lines any more: brings all lines to their targets. Call it
 * until it is true, then loggers_close(). */
MUST_USE bool loggers_end(struct loggers *loggers);

/* What can only be written by waiting is lost: loggers_end() becomes true soon. */
void loggers_give_up(struct loggers *loggers);

/* Joins the threads and closes the files. */
void loggers_close(struct loggers *loggers);

/* What became of a logger's lines. */
struct logger_figures {
    const char *name, *to;
    uint64_t put;     /* Lines for its queue. */
    uint64_t written; /* Of these, lines in its target … */
    uint64_t lost;    /* … and not, and lines for which there was no memory. */
    uint64_t dropped; /* By `on_full: drop`. */
    int error;        /* errno that the target was given up with; 0: it was not. */
};

/* The errno that a logger's target was given up with; 0 while it is not. */
int loggers_error(const struct loggers *loggers, uint32_t logger);

/* The name of the first logger that has ended the test, or NULL. Any thread. */
const char *loggers_killer(const struct loggers *loggers);

uint32_t loggers_count(const struct loggers *loggers);
/* After loggers_close(). */
void loggers_figures(const struct loggers *loggers, uint32_t logger,
                     struct logger_figures *ret_figures);

/* After loggers_close(): true if every line that was put is written or counted as lost. */
bool loggers_balance(const struct loggers *loggers);

/* A target whose lines are not all written yet, of those loggers_end() waits for; else NULL. */
const char *loggers_behind(const struct loggers *loggers);

/* Ends what goes on and frees. NULL is fine. */
void loggers_free(struct loggers *loggers);

#endif
