/* results: the results file of `pelt run`: a bucket goes in as it is closed. What stands in it:
 * docs/results.md.
 *
 * Threads: one owner at a time: main, the coordinator (the sink), and main again. */
#ifndef CORE_RESULTS_H
#define CORE_RESULTS_H

#include "core/bucket.h"
#include "core/results_file.h"
#include "core/results_forms.h"

struct results;

struct results_options {
    const char *test_path; /* Of the test file. Its stem is in the header and the default name. */
    const char *dir;       /* Where the file goes; it must be there. NULL: here. */
    const char *name;      /* Below `dir`, unless it is absolute: replaced if it is there. NULL:
                              stats-STEM-SECONDS.json, and -2 to -99 behind it if that is there. */
    enum results_form form;
    uint64_t bucket_size_ns; /* Whole seconds in RESULTS_PEWPEW. */
    uint64_t now_wall_ns;    /* For the default name. */
    /* Gets a line when the file cannot be written, while the run goes on, and when it can again;
     * without the program's name and a line end. On the thread that writes the file, and may
     * block. NULL: nobody does. */
    void (*say)(void *self, const char *line);
    void *self;
};

/* Opens the file and starts the thread that writes it. ERR_CONFIG when the form cannot hold what
 * the options say; ERR_FILE, ERR_MEMORY, ERR_LIMIT. Of the options nothing but `self` is kept. */
MUST_USE enum err results_open(struct results **ret_results, const struct results_options *options,
                               struct err_info *why);

/* Takes buckets until results_end(). */
struct bucket_sink results_sink(struct results *results);

/* The file's path; good as long as the results. */
const char *results_path(const struct results *results);

/* The run is over: writes the last line (of which `buckets` and `groups` need not be set), waits
 * until all is written and closes the file. `last` may be NULL: the run did not begin. Once.
 * ERR_FILE when not all is in the file, ERR_MEMORY. */
MUST_USE enum err results_end(struct results *results, struct results_last *last,
                              struct err_info *why);

/* Frees it. NULL is fine. */
void results_free(struct results *results);

#endif
