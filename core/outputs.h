/* outputs: all that a run leaves behind, on stdout and in the files that were named: opened before
 * the run, so that a wrong path costs none, and written during it and after it. One that cannot be
 * written is told, and the others are written all the same.
 *
 * Threads: main. */
#ifndef CORE_OUTPUTS_H
#define CORE_OUTPUTS_H

#include "core/cli.h"
#include "core/output.h"
#include "core/record.h"
#include "core/result.h"
#include "core/run_outputs.h"

struct outputs {
    struct output json;
    struct output csv, hdr; /* Written by `record`. */
    struct output requests;
    struct record *record;  /* NULL: nothing is written during the run. */
    struct run_outputs run; /* Of a test file. */
};

/* Opens what `cli` names, which must outlive it. ERR_FILE, ERR_MEMORY, ERR_LIMIT; there is then
 * nothing to release. */
MUST_USE enum err outputs_open(struct outputs *outputs, const struct cli *cli,
                               struct err_info *why);

/* Before the run: what a report in wrk's form begins with, and on stderr what is not as wrk's. A
 * failure is given to `tell`; false if there was one. */
MUST_USE bool outputs_begin(const struct cli *cli, void (*tell)(const struct err_info *why));

/* After the run: the report for people on stdout, unless that for programs goes there, and all
 * files. Each failure is given to `tell`; false if there was one. */
MUST_USE bool outputs_write(struct outputs *outputs, const struct cli *cli,
                            const struct result *result, void (*tell)(const struct err_info *why));

/* Closes what is open and ends the thread. */
void outputs_release(struct outputs *outputs);

#endif
