#include "io/pace.h"

#include "core/base/check.h"

#define LATE_MAX_NS (5 * NS_PER_MS) /* What is made up for. */

void pace_start(struct pace *pace, double per_s, uint32_t count, uint32_t index, uint64_t now_ns)
{
    double interval_ns = (double)NS_PER_S * count / per_s;

    CHECK(per_s > 0 && index < count);
    *pace = (struct pace){.interval_ns = (uint64_t)interval_ns};
    if ((double)pace->interval_ns < interval_ns) pace->interval_ns++; /* Never more than that. */
    pace->next_ns = now_ns + (uint64_t)(interval_ns / count * index);
}

bool pace_take(struct pace *pace, uint32_t who, uint64_t now_ns)
{
    if (likely(pace->interval_ns == 0)) return true;
    if (pace->next_ns > now_ns) {
        pace->waits = true;
        return false;
    }
    if (!pace->waited || now_ns - pace->next_ns > LATE_MAX_NS) pace->next_ns = now_ns;
    pace->next_ns += pace->interval_ns;
    pace->after = who + 1;
    return true;
}

uint64_t pace_reserve(struct pace *pace, uint64_t now_ns)
{
    uint64_t at_ns = max_u64(pace->next_ns, now_ns);

    CHECK(pace->interval_ns > 0);
    pace->next_ns = at_ns + pace->interval_ns;
    return at_ns;
}
