#include "tests/sim/sim_buffers.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#    define SIM_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define SIM_ASAN 1
#    endif
#endif
#ifdef SIM_ASAN
#    include <sanitizer/asan_interface.h>
#endif

enum { POISON = 0xDB };

static void forbid(const void *memory, size_t len)
{
#ifdef SIM_ASAN
    ASAN_POISON_MEMORY_REGION(memory, len);
#else
    (void)memory;
    (void)len;
#endif
}

static void allow(const void *memory, size_t len)
{
#ifdef SIM_ASAN
    ASAN_UNPOISON_MEMORY_REGION(memory, len);
#else
    (void)memory;
    (void)len;
#endif
}

static char *buffer_at(const struct sim_group *group, uint16_t id)
{
    return group->memory + (size_t)id * group->bytes;
}

void sim_group_init(struct sim *sim, struct sim_group *group, uint32_t count, uint32_t bytes)
{
    *group = (struct sim_group){.count = count, .bytes = bytes, .free_count = count};
    if (count == 0) return;
    if (bytes == 0 || count > 32768 || (count & (count - 1)) != 0) {
        sim_fail(sim, "a buffer group of %u buffers of %u bytes", count, bytes);
    }
    group->memory = sim_alloc(sim, (size_t)count * bytes);
    group->buffers = sim_alloc(sim, count * sizeof(*group->buffers));
    group->free_ids = sim_alloc(sim, count * sizeof(*group->free_ids));
    for (uint32_t i = 0; i < count; i++) {
        group->free_ids[i] = (uint16_t)i;
    }
    forbid(group->memory, (size_t)count * bytes);
}

bool sim_buffer_take(struct sim *sim, struct sim_group *group, uint16_t *ret_id)
{
    struct sim_buffer *buffer;
    const char *memory;
    uint16_t id;

    if (group->free_count == 0) return false;
    id = group->free_ids[group->free_head];
    group->free_head = (group->free_head + 1) & (group->count - 1);
    group->free_count--;
    buffer = &group->buffers[id];
    memory = buffer_at(group, id);
    allow(memory, buffer->bytes_high);
    for (uint32_t i = 0; i < buffer->bytes_high; i++) {
        if ((unsigned char)memory[i] != POISON) {
            sim_fail(sim, "rule 5: buffer %u was written at byte %u after its return", id, i);
        }
    }
    forbid(memory, buffer->bytes_high);
    buffer->state = SIM_BUFFER_FILLED;
    *ret_id = id;
    return true;
}

char *sim_buffer_fill(struct sim_group *group, uint16_t id, size_t len)
{
    struct sim_buffer *buffer = &group->buffers[id];

    if (len > buffer->bytes_high) buffer->bytes_high = (uint32_t)len;
    allow(buffer_at(group, id), len);
    return buffer_at(group, id);
}

void sim_buffer_hide(struct sim_group *group, uint16_t id, size_t len)
{
    forbid(buffer_at(group, id), len);
}

void sim_buffer_lend(struct sim *sim, struct sim_group *group, uint16_t id, size_t len)
{
    allow(buffer_at(group, id), len);
    group->buffers[id].state = SIM_BUFFER_LENT;
    sim->counts.buffers_lent_now++;
    if (sim->counts.buffers_lent_now > sim->counts.buffers_lent_max) {
        sim->counts.buffers_lent_max = sim->counts.buffers_lent_now;
    }
}

void sim_buffer_back(struct sim *sim, struct sim_group *group, const struct ring_event *event)
{
    uint16_t id = event->buffer_id;
    struct sim_buffer *buffer;

    if (id >= group->count || event->data != buffer_at(group, id)) {
        sim_fail(sim, "rule 5: a buffer %u that does not exist was returned", id);
    }
    buffer = &group->buffers[id];
    if (buffer->state != SIM_BUFFER_LENT) {
        sim_fail(sim, "rule 5: buffer %u was returned but is not lent", id);
    }
    allow(buffer_at(group, id), buffer->bytes_high);
    memset(buffer_at(group, id), POISON, buffer->bytes_high);
    forbid(buffer_at(group, id), buffer->bytes_high);
    buffer->state = SIM_BUFFER_FREE;
    group->free_ids[(group->free_head + group->free_count) & (group->count - 1)] = id;
    group->free_count++;
    sim->counts.buffers_lent_now--;
}

void sim_group_check_back(struct sim *sim, const struct sim_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->buffers[i].state == SIM_BUFFER_LENT) {
            sim_fail(sim, "rule 5: buffer %u was not returned before ring_close()", i);
        }
    }
}
