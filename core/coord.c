#include "core/coord.h"

#include <stdio.h>

#include "core/base/check.h"

void coord_init(struct coord *coord, const struct plan *plan, struct worker_shared *const *shared,
                const struct coord_owner *owner)
{
    *coord = (struct coord){.plan = plan, .shared = shared, .owner = *owner};
}

static void order_one(struct coord *coord, uint32_t worker, enum order_kind kind, uint64_t value)
{
    bool posted =
        mailbox_post(&coord->shared[worker]->orders, (struct mail){.kind = kind, .value = value});

    CHECK(posted); /* At most four wait, and one of addresses. */
    coord->owner.wake(coord->owner.self, worker);
}

static void order_all(struct coord *coord, enum order_kind kind, uint64_t value)
{
    for (uint32_t i = 0; i < coord->plan->workers; i++) {
        order_one(coord, i, kind, value);
    }
}

void coord_readdress(struct coord *coord, const struct order_addresses *order)
{
    CHECK(coord->phase == COORD_RUNNING);
    CHECK(!coord_is_readdressing(coord));
    for (uint32_t i = 0; i < coord->plan->workers; i++) {
        if (coord->shared[i]->has_ended) continue;
        coord->shared[i]->has_order = true;
        coord->shared[i]->addresses = order;
        coord->lent++;
        order_one(coord, i, ORDER_ADDRESSES, 0);
    }
}

bool coord_is_readdressing(const struct coord *coord)
{
    return coord->lent > 0;
}

/* The worker uses what was lent to it no more. */
static void take_back(struct coord *coord, uint32_t worker)
{
    if (!coord->shared[worker]->has_order) return;
    coord->shared[worker]->has_order = false;
    coord->lent--;
}

static void take_news(struct coord *coord)
{
    for (uint32_t i = 0; i < coord->plan->workers; i++) {
        struct mail mail;

        while (mailbox_take(&coord->shared[i]->news, &mail)) {
            switch ((enum news_kind)mail.kind) {
            case NEWS_READY: coord->ready++; break;
            case NEWS_FAILED: coord->failed++; break;
            case NEWS_ADDRESSES: take_back(coord, i); break;
            case NEWS_BROKEN:
                if (coord->broken == NULL) coord->broken = &coord->shared[i]->broken;
                break;
            case NEWS_KILLED: coord->is_killed = true; break;
            case NEWS_ENDED:
                coord->ended++;
                coord->shared[i]->has_ended = true;
                take_back(coord, i);
                break;
            }
        }
    }
}

static void say(const struct coord *coord, const char *line)
{
    if (coord->owner.say != NULL) coord->owner.say(coord->owner.self, line);
}

/* What to do about a failure that is the machine's. */
static const char *hint_for(enum failed_class why)
{
    if (why == FAILED_PORTS) {
        return "; widen it with 'sysctl net.ipv4.ip_local_port_range', or use fewer connections";
    }
    if (why == FAILED_DESCRIPTORS) return "; raise the limit with 'ulimit -n'";
    return "";
}

/* Tells people once of each class of failure, as it first appears. */
static void say_failures(struct coord *coord)
{
    char line[200];

    for (int i = 0; i < FAILED_COUNT; i++) {
        if (coord->said[i] || coord->ledger.failed[i] == 0) continue;
        coord->said[i] = true;
        (void)snprintf(line, sizeof(line), "pelt: requests fail: %s%s", failed_texts[i],
                       hint_for((enum failed_class)i));
        say(coord, line);
    }
}

static void read_ledgers(struct coord *coord, uint64_t now_ns)
{
    struct ledger sum = {0}, one;

    for (uint32_t i = 0; i < coord->plan->workers; i++) {
        ledger_read(&coord->shared[i]->ledger, &one);
        coord->readings++;
        if (!ledger_closes(&one)) coord->readings_open++;
        ledger_add(&sum, &one);
        if (coord->rates != NULL) rates_read(coord->rates, i, now_ns, one.ok_in_span);
    }
    coord->ledger = sum;
    say_failures(coord);
}

static void take_sample(struct coord *coord, uint64_t at_ns)
{
    for (uint32_t i = 0; i < coord->plan->workers; i++) {
        const struct stats *stats = &coord->shared[i]->stats;

        hist_view_add(series_now(coord->series, SERIES_FROM_DUE), &stats->from_due);
        stats_add_from_sent(stats, series_now(coord->series, SERIES_FROM_SENT));
        if (!coord->plan->open_loop) continue;
        hist_view_add(series_now(coord->series, SERIES_LATENESS), &stats->lateness);
    }
    series_take(coord->series, at_ns - coord->start_ns, &coord->ledger);
}

static uint64_t next_sample_ns(const struct coord *coord)
{
    return coord->series == NULL ? TIME_NEVER : coord->start_ns + series_next_ns(coord->series);
}

static void end_span(struct coord *coord, uint64_t now_ns)
{
    if (coord->series != NULL) series_end_span(coord->series, now_ns - coord->start_ns);
    if (coord->rates != NULL) coord->rates->until_ns = min_u64(coord->rates->until_ns, now_ns);
}

/* The measured span, as it is planned. */
static void begin_rates(struct coord *coord)
{
    const struct plan *plan = coord->plan;
    uint64_t until_ns = TIME_NEVER;

    if (coord->rates == NULL) return;
    if (plan->duration_ns < TIME_NEVER - coord->start_ns) {
        until_ns = coord->start_ns + plan->duration_ns;
    }
    rates_set_span(coord->rates, coord->start_ns + plan->warmup_ns, until_ns);
}

static void setup_step(struct coord *coord, uint64_t now_ns, uint32_t stop_level)
{
    uint32_t workers = coord->plan->workers;

    if (coord->ready + coord->failed < workers) return;
    coord->phase = COORD_RUNNING;
    coord->start_ns = now_ns;
    begin_rates(coord);
    if (coord->failed > 0 || stop_level > 0) {
        order_all(coord, ORDER_ABORT, 0);
        end_span(coord, now_ns);
        coord->stops_seen = 2;
    } else {
        order_all(coord, ORDER_START, now_ns);
        coord->next_reading_ns = now_ns + COORD_READING_NS;
    }
}

static void running_step(struct coord *coord, uint64_t now_ns, uint32_t stop_level)
{
    if ((coord->broken != NULL || coord->is_killed) && !coord->broken_seen) {
        coord->broken_seen = true;
        if (coord->stops_seen == 0) end_span(coord, now_ns);
        if (coord->stops_seen < 2) order_all(coord, ORDER_ABORT, 0);
        coord->stops_seen = 2;
    }
    if (stop_level >= 1 && coord->stops_seen == 0) {
        order_all(coord, ORDER_STOP, now_ns);
        end_span(coord, now_ns);
        if (coord->plan->drain_ns > 0) {
            say(coord, "pelt: stopping, waiting for outstanding answers; once more to report now");
        }
        coord->stops_seen = 1;
    }
    if (stop_level >= 2 && coord->stops_seen == 1) {
        order_all(coord, ORDER_ABORT, 0);
        say(coord, "pelt: ending now");
        coord->stops_seen = 2;
    }
    if (now_ns >= min_u64(coord->next_reading_ns, next_sample_ns(coord))) {
        read_ledgers(coord, now_ns);
        if (now_ns >= next_sample_ns(coord)) take_sample(coord, now_ns);
        coord->next_reading_ns = now_ns + COORD_READING_NS;
    }
    if (coord->ended + coord->failed == coord->plan->workers) {
        read_ledgers(coord, now_ns);
        coord->phase = COORD_ENDED;
    }
}

uint64_t coord_step(struct coord *coord, uint64_t now_ns, uint32_t stop_level)
{
    take_news(coord);
    switch (coord->phase) {
    case COORD_SETUP: setup_step(coord, now_ns, stop_level); break;
    case COORD_RUNNING: running_step(coord, now_ns, stop_level); break;
    case COORD_ENDED: break;
    }
    if (coord->phase == COORD_ENDED) return TIME_NEVER;
    if (coord->phase == COORD_SETUP) return now_ns + COORD_READING_NS;
    return min_u64(coord->next_reading_ns, next_sample_ns(coord));
}

void coord_end_series(struct coord *coord, uint64_t drained_ns)
{
    CHECK(coord->phase == COORD_ENDED);
    if (coord->series != NULL) take_sample(coord, max_u64(drained_ns, coord->start_ns));
}
