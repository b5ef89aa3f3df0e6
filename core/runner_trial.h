/* runner_trial: a test file run for its answers and not for a load: the endpoints that were chosen
 * are called once, those that feed them as often as they are asked, and when all chosen ones have
 * answered, or nothing can go on, the run ends (docs/try.md).
 *
 * Who is asked. A provider asks when somebody stands in line for its value and nothing is on the
 * way to it: one of its feeders then sends one request, the one that has been asked least, and of
 * equals the one with the lowest score. When nothing else goes on at all, another feeder is
 * asked than the one that waits itself. One that has failed, or has been asked TRIAL_ASKS_MAX
 * times, is not asked again.
 *
 * Threads: the worker's; the fates are main's again when it has ended. */
#ifndef CORE_RUNNER_TRIAL_H
#define CORE_RUNNER_TRIAL_H

#include "core/base/defs.h"

enum { TRIAL_ASKS_MAX = 1000 };

struct runner;
struct runner_seen;

/* What became of an endpoint. */
struct trial_fate {
    uint32_t asks;       /* Requests that it was to send. */
    uint32_t answers;    /* Answers, as expected or not. */
    uint32_t failures;   /* Requests without an answer, or with one that was not expected. */
    const char *failed;  /* The last one's class (io/failed.h), or why it could not be built. */
    const char *trouble; /* What an expression on an answer came to; NULL: all went well. */
    bool is_barren;      /* It has failed and given nothing: it is not asked again. */
    bool is_cut;         /* A request had no answer yet when the run ended, … */
    bool is_waiting;     /* … or no connection. */
    bool lacks_value;    /* It waited in the end: */
    uint32_t lacked;     /* … for a value of this provider. */
};

struct trial {
    const bool *chosen;       /* By endpoint of the test. */
    const uint32_t *scores;   /* The same. */
    struct trial_fate *fates; /* The same; zeroed. */
    bool *was_fed;            /* By provider; zeroed: whether it ever had a value. */
    bool is_over;             /* False; the worker's. */
};

/* At the start: asks those who were chosen. */
void runner_trial_start(struct runner *runner);

/* When a turn has come to rest: asks whoever has to be asked, or ends the run. */
void runner_trial_step(struct runner *runner);

/* At the end of the run: notes who waits for what, and tells of requests under way. */
void runner_trial_end(struct runner *runner);

/* An expression on an answer of the endpoint has failed. */
void runner_trial_trouble(struct runner *runner, uint32_t endpoint, const char *why);

/* At the end of an exchange of the endpoint. */
void runner_trial_note(struct runner *runner, const struct runner_seen *seen);

#endif
