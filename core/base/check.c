#include "core/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "pelt: bug: %s:%d: check failed: %s\n", file, line, what);
    abort();
}
