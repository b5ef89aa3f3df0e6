#include "core/stats.h"

#include "core/base/check.h"

_Static_assert(STATS_PLACES < UINT8_MAX, "a place and one more in a byte");

bool stats_init(struct stats *stats, struct arena *arena)
{
    struct hist *const others[] = {&stats->from_due, &stats->timeouts,   &stats->first_byte,
                                   &stats->body,     &stats->connect,    &stats->connect_failed,
                                   &stats->lateness, &stats->conn_wait,  &stats->loop_lag,
                                   &stats->tls.full, &stats->tls.resumed};
    uint32_t hists = (uint32_t)(COUNT(others) + (size_t)2 * STATS_PLACES);

    stats->late_ns = TIME_NEVER;
    /* Every page of all histograms, 288 KiB each, of which a run touches a few. */
    if (!hist_slab_init(&stats->slab, arena, hists * HIST_PAGES)) return false;
    for (size_t i = 0; i < COUNT(others); i++) {
        hist_init(others[i], &stats->slab);
    }
    for (uint32_t i = 0; i < STATS_PLACES; i++) {
        hist_init(&stats->answers[i].whole, &stats->slab);
        hist_init(&stats->answers[i].pieces, &stats->slab);
    }
    return true;
}

uint32_t stats_place_new(struct stats *stats, uint32_t status)
{
    uint32_t place = stats->places_used;

    CHECK(status < STATUS_COUNT);
    CHECK(stats->place_of[status] == 0);
    CHECK(place <= STATS_STATUSES_MAX);
    if (place < STATS_STATUSES_MAX) {
        stats->status_at[place] = (uint16_t)status;
        stats->places_used++;
    }
    stats->place_of[status] = (uint8_t)(place + 1);
    return place;
}

void stats_timed_out(struct stats *stats, uint64_t due_ns, uint64_t sent_ns, uint64_t bound_ns)
{
    hist_record(&stats->from_due, sent_ns + bound_ns - due_ns);
    hist_record(&stats->timeouts, bound_ns);
}

uint64_t stats_place_count(const struct stats *stats, uint32_t place)
{
    CHECK(place < STATS_PLACES);
    return load_relaxed(&stats->answers[place].whole.count) +
           load_relaxed(&stats->answers[place].pieces.count);
}

void stats_add_place(const struct stats *stats, uint32_t place, struct hist_view *view)
{
    CHECK(place < STATS_PLACES);
    hist_view_add(view, &stats->answers[place].whole);
    hist_view_add(view, &stats->answers[place].pieces);
}

void stats_add_from_sent(const struct stats *stats, struct hist_view *view)
{
    for (uint32_t i = 0; i < STATS_PLACES; i++) {
        stats_add_place(stats, i, view);
    }
    hist_view_add(view, &stats->timeouts);
}

void stats_add_first_byte(const struct stats *stats, struct hist_view *view)
{
    for (uint32_t i = 0; i < STATS_PLACES; i++) {
        hist_view_add(view, &stats->answers[i].whole);
    }
    hist_view_add(view, &stats->first_byte);
}

void stats_add_body(const struct stats *stats, struct hist_view *view)
{
    uint64_t whole = 0;

    for (uint32_t i = 0; i < STATS_PLACES; i++) {
        whole += load_relaxed(&stats->answers[i].whole.count);
    }
    hist_view_add_zeros(view, whole);
    hist_view_add(view, &stats->body);
}
