/* stats: what a worker measures, cumulative and single-writer, read by the coordinator.
 *
 * Every answer is recorded from due and, once, from sent; all other views of the latter are
 * sums. For that the times from sent are kept apart by status, and by whether the answer came
 * whole or in pieces: of one that came whole the first byte is the last, so that its time from
 * sent is that to its first byte too, and its body took no time. Only answers in pieces are
 * recorded for their phases as well.
 *
 * Threads: the worker writes; relaxed snapshots from any thread; exact after the worker ended. */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/base/hist.h"
#include "core/stats_tls.h"

enum {
    STATUS_COUNT = 1000,
    STATS_STATUSES_MAX = 12, /* Statuses with latencies of their own, the first ones seen. */
    STATS_PLACES = STATS_STATUSES_MAX + 1, /* The last place is that of all other statuses. */
};

/* Answers of one place, from sent to done. */
struct stats_answers {
    struct hist whole;
    struct hist pieces;
};

/* When the parts of an answer were there. */
struct stats_moments {
    uint64_t due_ns, sent_ns;
    uint64_t first_ns; /* done_ns when the answer came whole. */
    uint64_t done_ns;
};

struct stats {
    struct hist_slab slab;
    struct hist from_due; /* Answers, and timeouts at their bound. */
    struct stats_answers answers[STATS_PLACES];
    struct hist timeouts;       /* From sent, at their bound. */
    struct hist first_byte;     /* Answers in pieces: from sent to the first byte. */
    struct hist body;           /* Answers in pieces: from there to the last. */
    struct hist connect;        /* Attempts to connect, from begun to connected. */
    struct hist connect_failed; /* From begun to failed. */
    struct stats_tls tls;
    struct hist lateness;  /* Open loop: sent - max(due, when a connection was free). */
    struct hist conn_wait; /* Open loop: max(0, when a connection was free - due). */
    struct hist loop_lag;  /* From one visit of the completion queue to the next, waits left out. */
    uint64_t late_ns;      /* Worker's. Answers that took so long, from sent, are late; … */
    hist_cell late;        /* … so many were. */
    _Atomic uint64_t status[STATUS_COUNT];  /* Worker's. Answers by status. */
    _Atomic uint64_t refused[STATUS_COUNT]; /* Worker's. A proxy's answers to CONNECT, no 2xx. */
    uint8_t place_of[STATUS_COUNT];         /* Worker's. 1 + its place; 0: not measured yet. */
    uint16_t status_at[STATS_STATUSES_MAX]; /* Worker's; read after it ended. */
    uint32_t places_used;                   /* Worker's; read after it ended. */
};

/* Makes `stats` empty with all memory it will need from `arena`; false when that refuses. No answer
 * is late until late_ns is set. */
MUST_USE bool stats_init(struct stats *stats, struct arena *arena);

/* The first answer of a status that is measured: gives it a place, and returns that. */
uint32_t stats_place_new(struct stats *stats, uint32_t status);

/* Records the times of `count` answers, which are the same. */
static inline void stats_answered(struct stats *stats, uint32_t status,
                                  const struct stats_moments *at, uint64_t count)
{
    uint32_t place = stats->place_of[status];
    struct stats_answers *answers;

    if (unlikely(at->done_ns - at->sent_ns >= stats->late_ns)) add_relaxed(&stats->late, count);
    place = unlikely(place == 0) ? stats_place_new(stats, status) : place - 1;
    answers = &stats->answers[place];
    hist_record_many(&stats->from_due, at->done_ns - at->due_ns, count);
    if (likely(at->first_ns == at->done_ns)) {
        hist_record_many(&answers->whole, at->done_ns - at->sent_ns, count);
        return;
    }
    hist_record_many(&answers->pieces, at->done_ns - at->sent_ns, count);
    hist_record_many(&stats->first_byte, at->first_ns - at->sent_ns, count);
    hist_record_many(&stats->body, at->done_ns - at->first_ns, count);
}

/* Records a request that was given up `bound_ns` after it was sent. */
void stats_timed_out(struct stats *stats, uint64_t due_ns, uint64_t sent_ns, uint64_t bound_ns);

/* Each adds to `view` what was recorded so far: of all answers and timeouts, from sent; of
 * answers to their first byte; from there to the last. */
void stats_add_from_sent(const struct stats *stats, struct hist_view *view);
void stats_add_first_byte(const struct stats *stats, struct hist_view *view);
void stats_add_body(const struct stats *stats, struct hist_view *view);

/* How many answers of one place, below STATS_PLACES, were recorded; and their times from sent. */
uint64_t stats_place_count(const struct stats *stats, uint32_t place);
void stats_add_place(const struct stats *stats, uint32_t place, struct hist_view *view);

#endif
