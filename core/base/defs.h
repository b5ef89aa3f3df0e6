/* defs: the handful of words that every file uses.
 *
 * Atomic helpers carry their memory order in their name, so that no order is ever the
 * unexplained default. Every atomic of the product has a single writer, which its comment names. */
#ifndef CORE_BASE_DEFS_H
#define CORE_BASE_DEFS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE                        __attribute__((warn_unused_result))
#define COUNT(array)                    (sizeof(array) / sizeof((array)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define likely(x)                       __builtin_expect(!!(x), 1)
#define unlikely(x)                     __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(at, first)          __attribute__((format(printf, at, first)))

#define load_relaxed(p)     atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p)     atomic_load_explicit((p), memory_order_acquire)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
/* Adds to a counter that only the calling thread writes: a plain add, no locked instruction. */
#define add_relaxed(p, n) store_relaxed((p), load_relaxed(p) + (n))

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_S   UINT64_C(1000000000)
#define TIME_NEVER UINT64_MAX /* A moment that does not come. */

enum { CACHE_LINE = 64 };

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
