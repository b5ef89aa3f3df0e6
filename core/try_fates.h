/* try_fates: what `pelt try` says of endpoints at the end: who failed, who was not called and why.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_FATES_H
#define CORE_TRY_FATES_H

#include "core/runner_trial.h"
#include "core/try_model.h"

struct try_verdict {
    uint32_t failed;     /* Endpoints that were called and failed. */
    uint32_t not_called; /* Chosen endpoints. */
};

/* Adds a line for each endpoint that did not answer as it should have, and counts them.
 * `timed_out`: the time was over before the run was. */
struct try_verdict try_fates_tell(const struct try_model *model, const struct trial *trial,
                                  bool timed_out, struct text *out);

#endif
