#include "core/base/nearest.h"

#include <string.h>
#include <strings.h>

#include "core/base/check.h"

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many slips lead from `a` to `b`, both at most NEAREST_NAME_MAX long: the optimal string
 * alignment distance (Damerau 1964, Levenshtein 1966, without editing a piece twice). */
static unsigned slips_between(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[NEAREST_NAME_MAX + 1][NEAREST_NAME_MAX + 1];

    CHECK(a_len <= NEAREST_NAME_MAX);
    CHECK(b_len <= NEAREST_NAME_MAX);
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        rows[i][0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned least = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            least = min_of(least, min_of(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                least = min_of(least, rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    return rows[a_len][b_len];
}

struct nearest nearest_to(const char *name, size_t len)
{
    unsigned slips = len < 4 ? 2 : len < 8 ? 3 : 4; /* One too many. */

    if (len < 2 || len > NEAREST_NAME_MAX) slips = 0;
    return (struct nearest){.name = name, .len = len, .slips = slips};
}

bool nearest_offer(struct nearest *nearest, const char *known)
{
    size_t len = strlen(known);
    unsigned slips;

    if (nearest->slips == 0 || len > NEAREST_NAME_MAX) return false;
    slips = strncasecmp(known, nearest->name, nearest->len) == 0
                ? 0
                : slips_between(nearest->name, nearest->len, known, len);
    if (slips >= nearest->slips) return false;
    nearest->slips = slips;
    nearest->best = known;
    return true;
}
