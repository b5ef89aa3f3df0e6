/* glob: texts held against a pattern in which '*' stands for anything.
 *
 * Pure. Threads: any. */
#ifndef CORE_BASE_GLOB_H
#define CORE_BASE_GLOB_H

#include "core/base/defs.h"

/* True if all of `text`, [len] bytes that need not be terminated, is as `pattern` says: '*' stands
 * for any bytes or none, every other byte for itself. Takes pattern length times `len` at worst. */
bool glob_matches(const char *pattern, const char *text, size_t len);

#endif
