/* record: the series, written as the run goes on: a row of comma-separated values for each sample
 * (--csv), and what the histograms took in during it as a log of HdrHistogram (--hdr). What each
 * column and line means stands in docs/report.md.
 *
 * A sample is put into words where it is taken and handed to the writer, who writes it. So a run
 * that is killed leaves what it has measured up to its last whole second.
 *
 * Threads: one owner at a time: the starter, the coordinator, and the starter again. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/base/err.h"
#include "core/series.h"

struct record;

enum record_file { RECORD_CSV, RECORD_HDR, RECORD_FILES };

/* Takes all memory, and starts the thread that writes to `fds`, one for each file, -1 for one that
 * is not wanted; they stay the caller's. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err record_new(struct record **ret_record, const int fds[RECORD_FILES],
                             struct err_info *why);

/* The run began at `wall_ns` by the wall clock: writes what comes before the first sample. */
void record_start(struct record *record, uint64_t wall_ns);

/* Writes a sample, and the intervals of its histograms. As series_options.taken, of which `self`
 * is the record. */
void record_sample(void *self, const struct series_sample *sample,
                   struct hist_view *const intervals[SERIES_HISTS]);

/* Waits until all is written. Once. */
void record_end(struct record *record);

/* After record_end(): what became of a file. ERR_FILE when not all of it could be written. */
MUST_USE enum err record_result(const struct record *record, enum record_file file,
                                const char *path, struct err_info *why);

/* Ends it if need be, and frees. NULL is fine. */
void record_free(struct record *record);

#endif
