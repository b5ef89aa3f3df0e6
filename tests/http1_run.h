/* http1_run: reads one response in every way a unit test wants: whole, at every two-way split,
 * byte by byte and by threes, its bytes against an unreadable page on either side. */
#ifndef TESTS_HTTP1_RUN_H
#define TESTS_HTTP1_RUN_H

#include "tests/guard.h"
#include "tests/http1_client.h"

struct http1_run {
    const char *name;
    const char *data;
    size_t len;
    enum http1_asked asked;
    size_t head_bytes_max; /* 0: HTTP1_HEAD_BYTES_MAX. */
    size_t stride; /* 0: all splits, pieces of 1 and 3 bytes. Large inputs: every so many. */

    struct http1_client client; /* What the first way of reading made of it, */
    size_t left;                /* and how many bytes it left over. */
};

/* Feeds the input as [0, cut), [cut, cut + step) … and then its end; gives the bytes left. */
static inline size_t http1_run_cut(const struct http1_run *run, const struct guard *guard,
                                   enum guard_side side, size_t cut, size_t step,
                                   struct http1_client *client)
{
    size_t used = 0, there = cut;

    http1_client_init(client, run->asked,
                      run->head_bytes_max > 0 ? run->head_bytes_max : HTTP1_HEAD_BYTES_MAX);
    for (;;) {
        size_t now;

        do {
            const char *place = guard_place(guard, side, run->data + used, there - used);

            now = http1_client_feed(client, place, there - used);
            used += now;
        } while (now > 0 && client->verdict == HTTP1_MORE);
        if (client->verdict != HTTP1_MORE || there == run->len) break;
        there = run->len - there > step ? there + step : run->len;
    }
    http1_client_eof(client);
    return run->len - used;
}

/* One more way of reading the input, on both sides; the answers must be the same. */
static inline void http1_run_again(const struct http1_run *run, const struct guard *guard,
                                   size_t cut, size_t step)
{
    for (int side = GUARD_BELOW; side <= GUARD_ABOVE; side++) {
        struct http1_client client;
        size_t left = http1_run_cut(run, guard, (enum guard_side)side, cut, step, &client);

        if (client.verdict != run->client.verdict || left != run->left) {
            (void)fprintf(stderr, "%s: cut at %zu, then by %zu: verdict %d, left %zu\n", run->name,
                          cut, step, (int)client.verdict, left);
        }
        EXPECT(client.verdict == run->client.verdict);
        EXPECT(left == run->left);
        EXPECT(client.head.status == run->client.head.status);
        EXPECT(client.interims == run->client.interims);
        EXPECT(client.body_bytes == run->client.body_bytes);
        EXPECT(client.body_sum == run->client.body_sum);
    }
}

/* Reads the input in every way, expects equal answers and leaves them in the run. */
static inline void http1_run(struct http1_run *run)
{
    struct guard guard = guard_open(run->len);
    size_t stride = run->stride > 0 ? run->stride : 1;

    run->left = http1_run_cut(run, &guard, GUARD_ABOVE, run->len, 1, &run->client);
    for (size_t cut = 0; cut <= run->len; cut += stride) {
        http1_run_again(run, &guard, cut, run->len);
    }
    http1_run_again(run, &guard, 0, stride);
    http1_run_again(run, &guard, 0, 3 * stride);
    guard_close(&guard);
}

#endif
