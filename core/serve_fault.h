/* serve_fault: how the test target misbehaves when asked to, one table row per misbehaviour.
 *
 * All bytes are constant: a misbehaviour sends `text`, then `loop` without end, or, with pauses,
 * `tail`, and then ends as `end` says.
 *
 * Threads: any. */
#ifndef CORE_SERVE_FAULT_H
#define CORE_SERVE_FAULT_H

#include "core/base/defs.h"

/* What becomes of a connection after an answer. */
enum serve_end {
    SERVE_END_KEEP,   /* It takes the next request. */
    SERVE_END_CLOSE,  /* It is closed. */
    SERVE_END_RESET,  /* It is reset. */
    SERVE_END_SILENT, /* It stays open and never says a word again. */
    SERVE_END_LINGER, /* What the client still sends is dropped for a while, then it is closed. */
};

struct serve_fault {
    const char *name; /* As in /fault/NAME. */
    const char *help;
    const char *text; /* Sent first; "" for nothing. */
    const char *loop; /* Sent again and again after it, or NULL. */
    const char *tail; /* Sent after `text`, with a pause before each piece, or NULL. */
    uint32_t text_len;
    uint32_t loop_len;
    uint32_t tail_len;
    uint32_t piece_bytes; /* Bytes of `tail` per piece. */
    uint32_t pause_ms;
    enum serve_end end;
};

/* Finds a misbehaviour by name; false if there is none, `ret_n` then untouched. */
MUST_USE bool serve_fault_find(const char *name, size_t len, uint64_t *ret_n);

/* Number `n`, or NULL behind the last. Constant. */
const struct serve_fault *serve_fault_at(uint64_t n);

#endif
