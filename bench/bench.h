/* bench: the harness of the micro-benchmarks. Header only: each benchmark is one program.
 *
 * A benchmark is a function that does an operation `iterations` times. The count is doubled until
 * one call takes long enough to be timed, then the call is repeated; the figure is the median of
 * the repeats, with the smallest and the largest beside it. One line of JSON per benchmark goes to
 * stdout:  {"name": "…", "ns_per_op": …, "min": …, "max": …, "repeats": …}
 *
 * Threads: one. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/defs.h"

enum {
    BENCH_REPEATS = 11,
    BENCH_REPEAT_NS = 30 * 1000 * 1000, /* A repeat takes at least so long … */
};
#define BENCH_ITERATIONS_MAX (UINT64_C(1) << 32) /* … unless the operation costs nothing. */

/* Does the operation so many times on `state`. */
typedef void bench_fn(void *state, uint64_t iterations);

/* The same for who times it himself, part of it only: returns the nanoseconds that count. */
typedef uint64_t bench_span_fn(void *state, uint64_t iterations);

struct bench_result {
    double ns_per_op, min, max; /* Over the repeats: median, smallest, largest. */
    uint64_t operations;        /* All that were done, those of the calibration too. */
};

/* One of several that are measured beside each other. */
struct bench_rival {
    const char *name;
    bench_span_fn *run;
    void *state;
    uint64_t iterations; /* Of a repeat. */
    double ns[BENCH_REPEATS];
    struct bench_result result; /* Once measured. */
};

/* An extra figure of the line; name NULL: none. */
struct bench_extra {
    const char *name;
    double value;
};

/* Makes the compiler believe that `value` is used. */
static inline void bench_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

/* Makes the compiler believe that what `ptr` points to may have changed. */
static inline const void *bench_hide(const void *ptr)
{
    __asm__ volatile("" : "+r"(ptr) : : "memory");
    return ptr;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Finds out how many iterations take long enough to be timed. */
static inline void bench_calibrate(struct bench_rival *rival)
{
    for (rival->iterations = 1;; rival->iterations *= 2) {
        uint64_t took_ns = rival->run(rival->state, rival->iterations);

        rival->result.operations += rival->iterations;
        if (took_ns >= BENCH_REPEAT_NS || rival->iterations >= BENCH_ITERATIONS_MAX) return;
    }
}

static inline void bench_repeat(struct bench_rival *rival, int repeat)
{
    uint64_t took_ns = rival->run(rival->state, rival->iterations);

    rival->ns[repeat] = (double)took_ns / (double)rival->iterations;
    rival->result.operations += rival->iterations;
}

/* Calibrates and measures all of them: the repeats go forwards and backwards, A B C C B A, so that
 * a drift of the machine falls on all alike. */
static inline void bench_measure_beside(struct bench_rival *rivals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench_calibrate(&rivals[i]);
    }
    for (int repeat = 0; repeat < BENCH_REPEATS; repeat++) {
        for (size_t i = 0; i < count; i++) {
            bench_repeat(&rivals[repeat % 2 == 0 ? i : count - 1 - i], repeat);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct bench_result *result = &rivals[i].result;
        double *ns = rivals[i].ns;

        qsort(ns, BENCH_REPEATS, sizeof(ns[0]), bench_compare);
        result->ns_per_op = ns[BENCH_REPEATS / 2];
        result->min = ns[0];
        result->max = ns[BENCH_REPEATS - 1];
    }
}

/* An operation all of which counts. */
struct bench_whole {
    bench_fn *run;
    void *state;
};

static inline uint64_t bench_time_whole(void *state, uint64_t iterations)
{
    const struct bench_whole *whole = state;
    uint64_t begin_ns = clock_now_ns();

    whole->run(whole->state, iterations);
    return clock_now_ns() - begin_ns;
}

/* Calibrates, measures, and returns the figures. */
static inline struct bench_result bench_measure(bench_fn *run, void *state)
{
    struct bench_whole whole = {run, state};
    struct bench_rival rival = {.run = bench_time_whole, .state = &whole};

    bench_measure_beside(&rival, 1);
    return rival.result;
}

static inline void bench_print(const char *name, const struct bench_result *result,
                               const struct bench_extra *extra)
{
    printf("{\"name\": \"%s\", \"ns_per_op\": %.2f, \"min\": %.2f, \"max\": %.2f, \"repeats\": %d",
           name, result->ns_per_op, result->min, result->max, BENCH_REPEATS);
    if (extra != NULL) printf(", \"%s\": %.3f", extra->name, extra->value);
    printf("}\n");
    CHECK(fflush(stdout) == 0);
}

/* Measures and prints; `bytes` is what one operation works on, 0 if that means nothing. */
static inline void bench_run(const char *name, bench_fn *run, void *state, size_t bytes)
{
    struct bench_result result = bench_measure(run, state);
    struct bench_extra extra = {"bytes_per_op", (double)bytes};

    bench_print(name, &result, bytes == 0 ? NULL : &extra);
}

/* The same for several beside each other. */
static inline void bench_run_beside(struct bench_rival *rivals, size_t count, size_t bytes)
{
    struct bench_extra extra = {"bytes_per_op", (double)bytes};

    bench_measure_beside(rivals, count);
    for (size_t i = 0; i < count; i++) {
        bench_print(rivals[i].name, &rivals[i].result, bytes == 0 ? NULL : &extra);
    }
}

#endif
