/* Connections for what waits: as many as requests wait for one, within the bounds of the test file,
 * over the targets that share them. */
#include "core/runner_impl.h"

enum { IDLE_LOOKED_AT = 16 };

/* A connection of `pool` that can be closed for another target's sake: it carries nothing, and was
 * of use before, or is of none now. Else two targets could take the last one from each other
 * without ever sending anything. */
static struct conn *spare_of(const struct runner *runner, const struct pool *pool)
{
    bool is_wanted = runner->lines[pool->index].first != NULL;
    struct conn *conn = pool->idle_first;

    for (uint32_t i = 0; conn != NULL && i < IDLE_LOOKED_AT; i++) {
        if (conn->window_count == 0 && (conn->window_first > 0 || !is_wanted)) return conn;
        conn = conn->idle_next;
    }
    return NULL;
}

/* Closes a connection of the target that has most, so that one without any gets its place. */
static void make_room(struct runner *runner)
{
    struct worker *w = runner->worker;
    struct conn *best = NULL;

    if (runner->leaving != NULL && runner->leaving->generation == runner->leaving_generation) {
        return; /* One is being closed already. */
    }
    for (uint32_t i = 0; i < w->pools_count; i++) {
        struct pool *pool = &w->pools[i];
        struct conn *conn = spare_of(runner, pool);

        if (conn == NULL) continue;
        if (best == NULL || pool->slots_used > best->pool->slots_used) best = conn;
    }
    runner->leaving = best;
    if (best == NULL) return;
    runner->leaving_generation = best->generation;
    best->pool->wanted--;
    conn_close(&w->table, best);
}

/* Opens as many connections as requests wait for one, and no more than there may be: so there are
 * as many as the test needs. */
static void open_missing(struct runner *runner, struct pool *pool)
{
    struct worker *w = runner->worker;
    uint64_t needed = 0;

    if (w->table.free_count == 0) return;
    for (struct endpoint *e = runner->lines[pool->index].first; e != NULL; e = e->ready_next) {
        /* Of those whose URLs have hosts of their own, the ones behind may go elsewhere. */
        needed +=
            e->build.is_dynamic ? 1 : lanes_pending_of(&w->lanes, e->index) + runner_startable(e);
    }
    needed -= min_u64(needed, (uint64_t)pool->idle_room + pool->connecting);
    pool->wanted = (uint32_t)min_u64(pool->slots_used + needed, runner->pool_max);
    pool_maintain(pool, w->now_ns);
}

void runner_connect(struct runner *runner)
{
    struct worker *w = runner->worker;
    bool starves = false;

    /* Those that have none come first. */
    for (uint32_t i = 0; i < w->pools_count; i++) {
        if (runner->lines[i].first == NULL || w->pools[i].slots_used > 0) continue;
        open_missing(runner, &w->pools[i]);
        starves |= w->pools[i].slots_used == 0 && !timer_is_armed(&w->pools[i].backoff);
    }
    for (uint32_t i = 0; w->table.free_count > 0 && i < w->pools_count; i++) {
        if (runner->lines[i].first != NULL) open_missing(runner, &w->pools[i]);
    }
    if (unlikely(starves)) make_room(runner);
}
