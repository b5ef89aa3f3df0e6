/* A worker's side of the loggers: lines into queues, or kept until there is room. */
#include <string.h>

#include "core/base/check.h"
#include "core/logger_impl.h"

struct log_port *loggers_port(struct loggers *loggers, uint32_t worker, struct blocks *blocks,
                              struct scratch *scratch)
{
    struct log_port *port = &loggers->ports[worker];

    CHECK(worker < loggers->workers);
    port->blocks = blocks;
    port->scratch = scratch;
    return port;
}

static void write_line(const struct testfile_logger *def, const struct value *value,
                       struct buf *buf)
{
    if (value->kind == VALUE_STRING || !def->pretty) {
        value_write(value, buf);
    } else {
        value_write_json_pretty(value, buf);
    }
    buf_add_char(buf, '\n');
}

/* Builds the line in the queue; false when it does not fit. */
static bool put_in_ring(struct log_port *port, uint32_t logger, struct log_ring *ring,
                        const struct value *value)
{
    for (uint32_t which = 0; which < LOG_PLACES; which++) {
        struct log_place place;

        if (!log_ring_place(ring, which, &place)) continue;
        write_line(&port->loggers->test->loggers[logger], value, &place.buf);
        if (place.buf.full) continue;
        log_ring_add(ring, &place, logger);
        return true;
    }
    return false;
}

/* Keeps the line until there is room; false without memory, or when there never will be. */
static bool keep(struct log_port *port, uint32_t logger, struct log_way *way,
                 const struct value *value)
{
    struct buf buf = scratch_open(port->scratch);
    struct log_line *line;
    size_t size;

    write_line(&port->loggers->test->loggers[logger], value, &buf);
    if (buf.full || buf.len > log_ring_line_max(way->ring)) return false;
    size = sizeof(*line) + buf.len;
    line = blocks_alloc(port->blocks, size);
    if (line == NULL) return false;
    *line = (struct log_line){.size = size, .logger = logger, .bytes = (uint32_t)buf.len};
    memcpy(line + 1, buf.data, buf.len);
    if (way->last != NULL) {
        way->last->next = line;
    } else {
        way->first = line;
    }
    way->last = line;
    way->is_full = true;
    return true;
}

bool logger_is_over(const struct log_port *port, uint32_t logger)
{
    const struct testfile_logger *def = &port->loggers->test->loggers[logger];
    uint64_t limit = logger_limit(def);

    if (likely(limit == UINT64_MAX)) return false;
    return load_relaxed(&port->loggers->taken[logger]) >= limit + def->kill;
}

/* Whether this value is to be written at all. */
static enum logger_put take_place(struct log_port *port, uint32_t logger)
{
    const struct testfile_logger *def = &port->loggers->test->loggers[logger];
    uint64_t limit = logger_limit(def), nth;

    if (likely(limit == UINT64_MAX)) return LOGGER_PUT;
    nth = atomic_fetch_add_explicit(&port->loggers->taken[logger], 1, memory_order_relaxed);
    if (nth < limit) return LOGGER_PUT;
    return def->kill && nth == limit ? LOGGER_KILL : LOGGER_LIMIT;
}

enum logger_put logger_put(struct log_port *port, uint32_t logger, const struct value *value)
{
    const struct testfile_logger *def = &port->loggers->test->loggers[logger];
    struct log_way *way = &port->ways[port->loggers->target_of[logger]];
    struct log_counts *counts = &port->counts[logger];
    enum logger_put put = take_place(port, logger);

    CHECK(logger < port->loggers->test->loggers_count);
    if (put != LOGGER_PUT) return put;
    /* Nothing overtakes a line that waits. */
    if (likely(way->first == NULL) && likely(put_in_ring(port, logger, way->ring, value))) {
        counts->put++;
        return LOGGER_PUT;
    }
    if (def->on_full == ON_FULL_DROP) {
        counts->dropped++;
        return LOGGER_DROPPED;
    }
    if (keep(port, logger, way, value)) {
        counts->put++;
        return LOGGER_PUT;
    }
    counts->lost++;
    return LOGGER_DROPPED;
}

bool logger_has_room(struct log_port *port, uint32_t logger)
{
    struct log_way *way = &port->ways[port->loggers->target_of[logger]];
    uint64_t used, size = way->ring->size;

    if (port->loggers->test->loggers[logger].on_full == ON_FULL_DROP) return true;
    /* Full from 7/8 on, so that the answers to what is on its way find room; and until it is half
     * empty, so that those who are held back do not come back for one line. */
    used = log_ring_used(way->ring);
    if (way->first != NULL || used > size - size / 8) {
        way->is_full = true;
    } else if (used <= size / 2) {
        way->is_full = false;
    }
    return !way->is_full;
}

/* True once no line waits. */
static bool flush_way(struct log_port *port, struct log_way *way)
{
    while (way->first != NULL) {
        struct log_line *line = way->first;
        uint32_t which = 0;
        struct log_place place;

        while (which < LOG_PLACES) {
            bool there = log_ring_place(way->ring, which, &place);

            if (there) buf_add(&place.buf, (const char *)(line + 1), line->bytes);
            if (there && !place.buf.full) break;
            which++;
        }
        if (which == LOG_PLACES) return false;
        log_ring_add(way->ring, &place, line->logger);
        way->first = line->next;
        if (way->first == NULL) way->last = NULL;
        blocks_free(port->blocks, line, line->size);
    }
    return true;
}

bool log_port_flush(struct log_port *port)
{
    bool done = true;

    for (uint32_t i = 0; i < port->loggers->targets_count; i++) {
        if (unlikely(port->ways[i].first != NULL)) done &= flush_way(port, &port->ways[i]);
    }
    return done;
}
