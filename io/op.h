/* op: what a completion's user_data says: kind, slot and generation of the connection that the
 * operation was for, so that a late completion cannot reach the wrong connection. */
#ifndef IO_OP_H
#define IO_OP_H

#include "core/base/defs.h"

enum op_kind {
    OP_SOCKET = 1,
    OP_CONNECT,
    OP_SEND,
    OP_SEND_QUIET,
    OP_RECV,
    OP_DRAIN,
    OP_CANCEL,
    OP_CLOSE
};

enum { OP_SLOTS_MAX = 1 << 24 };

/* Kind in the low byte, slot above it, generation in the high word. */
static inline uint64_t op_pack(enum op_kind kind, uint32_t slot, uint32_t generation)
{
    return (uint64_t)generation << 32 | (uint64_t)slot << 8 | (uint64_t)kind;
}

static inline enum op_kind op_kind_of(uint64_t user_data)
{
    return (enum op_kind)(user_data & 0xff);
}

static inline uint32_t op_slot_of(uint64_t user_data)
{
    return (uint32_t)(user_data >> 8) & (OP_SLOTS_MAX - 1);
}

static inline uint32_t op_generation_of(uint64_t user_data)
{
    return (uint32_t)(user_data >> 32);
}

#endif
