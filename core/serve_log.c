#include "core/serve_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"

bool serve_log_init(struct serve_log *log, struct arena *arena, int fd)
{
    *log = (struct serve_log){.fd = fd};
    mailbox_init(&log->full, log->slots[0], SERVE_LOG_CHUNKS);
    mailbox_init(&log->empty, log->slots[1], SERVE_LOG_CHUNKS);
    if (fd < 0) return true;
    log->memory = arena_array(arena, SERVE_LOG_CHUNKS, SERVE_LOG_CHUNK_BYTES);

    log->next_new = 1;
    return log->memory != NULL;
}

static char *chunk_at(const struct serve_log *log, uint64_t chunk)
{
    CHECK(chunk < SERVE_LOG_CHUNKS);
    return log->memory + (size_t)chunk * SERVE_LOG_CHUNK_BYTES;
}

static void write_chunk(struct serve_log *log, uint64_t chunk, size_t len)
{
    const char *data = chunk_at(log, chunk);

    while (len > 0) {
        ssize_t rc = write(log->fd, data, len);

        if (rc < 0 && errno == EINTR) continue;
        if (rc <= 0) {
            store_relaxed(&log->failed, true);
            return;
        }
        data += rc;
        len -= (size_t)rc;
    }
}

/* Hands the full chunk over and takes an empty one. */
static void turn_chunk(struct serve_log *log)
{
    struct mail mail = {.kind = log->used, .value = log->chunk};
    struct mail empty;

    if (mailbox_take(&log->empty, &empty)) {
        CHECK(mailbox_post(&log->full, mail));
        log->chunk = (uint32_t)empty.value;
    } else if (log->next_new < SERVE_LOG_CHUNKS) {
        CHECK(mailbox_post(&log->full, mail));
        log->chunk = log->next_new++;
    } else {
        write_chunk(log, log->chunk, log->used);
    }
    log->used = 0;
}

void serve_log_add(struct serve_log *log, const char *id, size_t id_len, unsigned status)
{
    char *at;

    CHECK(log->memory != NULL);
    CHECK(id_len > 0);
    CHECK(status <= 999);

    if (id_len > SERVE_ID_MAX) id_len = SERVE_ID_MAX;
    if (log->used + id_len + 5 > SERVE_LOG_CHUNK_BYTES) turn_chunk(log);
    at = chunk_at(log, log->chunk) + log->used;
    memcpy(at, id, id_len);
    at += id_len;
    at[0] = ' ';
    at[1] = (char)('0' + status / 100);
    at[2] = (char)('0' + status / 10 % 10);
    at[3] = (char)('0' + status % 10);
    at[4] = '\n';
    log->used += (uint32_t)id_len + 5;
}

void serve_log_drain(struct serve_log *log)
{
    struct mail mail;

    while (mailbox_take(&log->full, &mail)) {
        write_chunk(log, mail.value, (size_t)mail.kind);
        CHECK(mailbox_post(&log->empty, mail));
    }
}

bool serve_log_finish(struct serve_log *log)
{
    if (log->fd < 0) return true;
    serve_log_drain(log);
    write_chunk(log, log->chunk, log->used);
    log->used = 0;
    return !load_relaxed(&log->failed);
}
