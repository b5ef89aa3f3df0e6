/* What a caller must leave alone: the bytes of sends and the addresses of connects. Each is hashed
 * when the operation is queued and again whenever the kernel looks at it. */
#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_kernel.h"

uint64_t sim_send_hash(const struct sim_op *op)
{
    uint64_t hash = op->iov_count;

    for (size_t i = 0; i < op->iov_count; i++) {
        hash = sim_hash_bytes(hash, op->iov[i].iov_base, op->iov[i].iov_len);
    }
    return hash;
}

void sim_send_copy(const struct sim_op *op, size_t offset, void *ret_bytes, size_t len)
{
    char *to = ret_bytes;

    for (size_t i = 0; i < op->iov_count && len > 0; i++) {
        const char *from = op->iov[i].iov_base;
        size_t there = op->iov[i].iov_len;
        size_t part;

        if (offset >= there) {
            offset -= there;
            continue;
        }
        part = min_u64(there - offset, len);
        memcpy(to, from + offset, part);
        to += part;
        len -= part;
        offset = 0;
    }
    CHECK(len == 0);
}

void sim_check_op_memory(const struct sim_op *op, const char *when)
{
    const struct sim *sim = op->ring->sim;

    if (op->kind == SIM_OP_SEND && sim_send_hash(op) != op->hash) {
        sim_fail(sim, "rule 2: the bytes of a %s on socket %u of ring %u changed (seen %s)",
                 op->quiet ? "quiet send" : "send", op->sock, op->ring->index, when);
    }
    if (op->kind == SIM_OP_CONNECT && sim_address_hash(op->address, op->address_len) != op->hash) {
        sim_fail(sim, "the address of a connect on socket %u of ring %u changed (seen %s)",
                 op->sock, op->ring->index, when);
    }
}

/* The slot of these bytes, or the free one where they belong. The place in the table depends on
 * an address, but nothing that is traced or decided depends on the place. */
static struct sim_quiet *quiet_slot(const struct ring *ring, const void *data, size_t len)
{
    size_t mask = ring->quiets_capacity - 1;
    size_t i = (((uintptr_t)data >> 3) ^ len) & mask;

    while (ring->quiets[i].data != NULL &&
           (ring->quiets[i].data != data || ring->quiets[i].len != len)) {
        i = (i + 1) & mask;
    }
    return &ring->quiets[i];
}

static void quiet_grow(struct ring *ring)
{
    struct sim_quiet *old = ring->quiets;
    size_t old_capacity = ring->quiets_capacity;

    ring->quiets_capacity = old_capacity == 0 ? 64 : old_capacity * 2;
    ring->quiets = sim_alloc(ring->sim, ring->quiets_capacity * sizeof(*ring->quiets));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].data != NULL) *quiet_slot(ring, old[i].data, old[i].len) = old[i];
    }
}

void sim_quiet_note(struct ring *ring, const struct sim_op *op)
{
    struct sim_quiet *quiet;

    if (op->len == 0) return;
    if (ring->quiets_count * 2 >= ring->quiets_capacity) quiet_grow(ring);
    quiet = quiet_slot(ring, op->one.iov_base, op->len);
    if (quiet->data == NULL) {
        *quiet = (struct sim_quiet){.data = op->one.iov_base, .len = op->len, .hash = op->hash};
        ring->quiets_count++;
    } else if (quiet->hash != op->hash) {
        sim_fail(ring->sim, "rule 2: the bytes of an earlier quiet send of ring %u changed",
                 ring->index);
    }
}

void sim_quiet_check_all(const struct ring *ring)
{
    for (size_t i = 0; i < ring->quiets_capacity; i++) {
        const struct sim_quiet *quiet = &ring->quiets[i];

        if (quiet->data == NULL) continue;
        if (sim_hash_bytes(1, quiet->data, quiet->len) != quiet->hash) {
            sim_fail(ring->sim, "rule 2: the bytes of a quiet send of ring %u changed",
                     ring->index);
        }
    }
}
