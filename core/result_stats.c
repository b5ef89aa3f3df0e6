#include "core/result_stats.h"

#include "core/base/check.h"

/* Makes an empty view at `view` unless there is one. */
static bool need_view(struct hist_view **view, struct arena *arena)
{
    if (*view != NULL) return true;
    *view = arena_array(arena, 1, sizeof(**view));
    if (*view == NULL) return false;
    hist_view_clear(*view);
    return true;
}

bool result_stats_init(struct result *result, bool open, struct arena *arena)
{
    if (!need_view(&result->from_due, arena) || !need_view(&result->from_sent, arena) ||
        !need_view(&result->loop_lag, arena)) {
        return false;
    }
    return !open || (need_view(&result->lateness, arena) && need_view(&result->conn_wait, arena));
}

/* Where the view of a status is: among the others when there is no row left for it. */
static struct hist_view **view_of(struct result *result, uint16_t status)
{
    struct result_status *rows = result->by_status;
    uint32_t i = 0;

    while (i < result->by_status_count && rows[i].status != status) {
        i++;
    }
    if (i == STATS_STATUSES_MAX) return &result->other_statuses;
    if (i == result->by_status_count) {
        rows[i] = (struct result_status){.status = status};
        result->by_status_count++;
    }
    return &rows[i].from_sent;
}

static bool add_statuses(struct result *result, const struct stats *stats, struct arena *arena)
{
    for (uint32_t place = 0; place < STATS_PLACES; place++) {
        struct hist_view **view = &result->other_statuses;

        if (stats_place_count(stats, place) == 0) continue;
        if (place < stats->places_used) view = view_of(result, stats->status_at[place]);
        if (!need_view(view, arena)) return false;
        stats_add_place(stats, place, *view);
    }
    return true;
}

static bool add_phases(struct result *result, const struct stats *stats, struct arena *arena)
{
    const struct {
        const struct hist *hist;
        struct hist_view **view;
    } connects[] = {{&stats->connect, &result->connect},
                    {&stats->connect_failed, &result->connect_failed},
                    {&stats->tls.full, &result->handshake_full},
                    {&stats->tls.resumed, &result->handshake_resumed}};

    for (size_t i = 0; i < COUNT(connects); i++) {
        if (load_relaxed(&connects[i].hist->count) == 0) continue;
        if (!need_view(connects[i].view, arena)) return false;
        hist_view_add(*connects[i].view, connects[i].hist);
    }
    if (stats->places_used == 0) return true;
    if (!need_view(&result->first_byte, arena) || !need_view(&result->body, arena)) return false;
    stats_add_first_byte(stats, result->first_byte);
    stats_add_body(stats, result->body);
    return true;
}

bool result_stats_add(struct result *result, const struct stats *stats, struct arena *arena)
{
    hist_view_add(result->from_due, &stats->from_due);
    result->late += load_relaxed(&stats->late);
    stats_add_from_sent(stats, result->from_sent);
    hist_view_add(result->loop_lag, &stats->loop_lag);
    if (result->lateness != NULL) {
        hist_view_add(result->lateness, &stats->lateness);
        hist_view_add(result->conn_wait, &stats->conn_wait);
    }
    stats_tls_add(&result->tls, &stats->tls);
    for (int i = 0; i < STATUS_COUNT; i++) {
        result->status[i] += load_relaxed(&stats->status[i]);
        result->refused[i] += load_relaxed(&stats->refused[i]);
    }
    return add_statuses(result, stats, arena) && add_phases(result, stats, arena);
}

void result_stats_end(struct result *result)
{
    struct result_status *rows = result->by_status;

    CHECK(result->by_status_count <= STATS_STATUSES_MAX);
    for (uint32_t i = 1; i < result->by_status_count; i++) {
        for (uint32_t j = i; j > 0 && rows[j - 1].status > rows[j].status; j--) {
            struct result_status row = rows[j];

            rows[j] = rows[j - 1];
            rows[j - 1] = row;
        }
    }
}
