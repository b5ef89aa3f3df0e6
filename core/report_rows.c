#include "core/report_rows.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/csv.h"

enum { PIECE_BYTES = 64 * 1024 };

/* The worker whose next row is that of the request which ended first; NULL when all are through.
 * There are few workers, and rows are many: so no heap, but no row is looked at twice either. */
static struct row *take_first(const struct result *result, uint64_t *next, uint32_t *ret_worker)
{
    struct row *first = NULL;

    for (uint32_t i = 0; i < result->plan->workers; i++) {
        const struct rows *rows = result->rows[i];
        struct row *row = &rows->rows[next[i]];

        if (next[i] == rows->count || (first != NULL && first->done_ns <= row->done_ns)) continue;
        first = row;
        *ret_worker = i;
    }
    if (first != NULL) next[*ret_worker]++;
    return first;
}

/* A cell of microseconds since the start of the run; empty when there is no such moment. */
static void add_moment(const struct result *result, uint64_t at_ns, struct text *out)
{
    uint64_t ns;

    if (at_ns != 0) {
        ns = at_ns - min_u64(at_ns, result->start_ns);
        text_printf(out, "%llu.%03u", (unsigned long long)(ns / NS_PER_US),
                    (unsigned)(ns % NS_PER_US));
    }
    text_add(out, ",", 1);
}

static void add_row(const struct result *result, const struct row *row, uint32_t worker,
                    struct text *out)
{
    const struct plan *plan = result->plan;

    CHECK(row->request < plan->requests_count);
    add_moment(result, row->due_ns, out);
    add_moment(result, row->sent_ns, out);
    add_moment(result, row->first_ns, out);
    add_moment(result, row->done_ns, out);
    csv_cell(out, plan->requests[row->request].url);
    if (row->end < ROW_FAILED) {
        text_printf(out, ",%03u", row->end);
    } else {
        CHECK(row->end < ROW_FAILED + FAILED_COUNT);
        text_printf(out, ",%s", failed_names[row->end - ROW_FAILED]);
    }
    text_printf(out, ",%llu,%u,", (unsigned long long)row->body_bytes, worker);
    if (row->connection != 0) text_printf(out, "%u", row->connection);
    text_add_str(out, "\r\n");
}

enum err report_rows(const struct result *result, struct output *output, struct err_info *why)
{
    const struct row *row;
    struct arena arena;
    struct text text;
    uint64_t *next;
    uint32_t worker = 0;

    if (output->path == NULL) return ERR_OK;
    CHECK(result->rows != NULL);
    arena_init(&arena, 0);
    next = arena_array(&arena, result->plan->workers, sizeof(*next));
    text_init(&text, &arena);
    text_add_str(&text, "due_us,sent_us,first_byte_us,done_us,url,result,body_bytes,worker,"
                        "connection\r\n");
    if (next == NULL) text.failed = true;
    while (!text.failed && (row = take_first(result, next, &worker)) != NULL) {
        add_row(result, row, worker, &text);
        if (text.len < PIECE_BYTES) continue;
        output_add(output, &text);
        text_clear(&text);
    }
    output_add(output, &text);
    arena_release(&arena);
    return output_close(output, why);
}
