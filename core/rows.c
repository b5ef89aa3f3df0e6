#include "core/rows.h"

#include <string.h>

bool rows_init(struct rows *rows, uint64_t max, struct arena *arena)
{
    *rows = (struct rows){.max = max};
    if (max == 0) return true;
    rows->rows = arena_array(arena, max, sizeof(*rows->rows));
    if (rows->rows == NULL) return false;
    memset(rows->rows, 0xff, max * sizeof(*rows->rows)); /* Zeroes might be left to later. */
    return true;
}
