/* results_dir: the directory that a test's files go to (`pelt run -d`). Threads: main. */
#ifndef CORE_RESULTS_DIR_H
#define CORE_RESULTS_DIR_H

#include "core/base/err.h"

/* Makes the directory and those above it, as far as they are not there (mode 0777, as the umask
 * has it). ERR_FILE, with the errno. */
MUST_USE enum err results_dir_make(const char *path, struct err_info *why);

#endif
