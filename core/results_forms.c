/* What both forms of a results file have. */
#include "core/results_forms.h"

#include <stdio.h>

bool results_has_statuses(const struct bucket_figures *figures)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (figures->status[i] > 0) return true;
    }
    return false;
}

void results_statuses(struct json *json, const struct bucket_figures *figures)
{
    json_object(json);
    for (int i = 0; i < STATUS_COUNT; i++) {
        char key[16];

        if (figures->status[i] == 0) continue;
        (void)snprintf(key, sizeof(key), "%d", i);
        json_put_u64(json, key, figures->status[i]);
    }
    json_end(json);
}
