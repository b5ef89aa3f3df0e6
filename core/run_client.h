/* run_client: `config.client` and `config.general` of a test file as parts of a plan: limits,
 * deadlines, and how connections are made.
 *
 * Threads: main, before the run. */
#ifndef CORE_RUN_CLIENT_H
#define CORE_RUN_CLIENT_H

#include "config/testfile.h"

/* What a machine carries, where the test file does not say how many connections there may be. */
struct run_machine {
    uint32_t cpus;        /* That may be used; at least 1. */
    uint64_t descriptors; /* That may be open. */
    uint64_t ports;       /* Of one source to one address; 0: not known. */
};

/* Fills `plan`, whose targets are there, from the test file, which must outlive it; memory comes
 * from the plan's arena. ERR_CONFIG: what the file says cannot be done; ERR_MEMORY. */
MUST_USE enum err run_client_fill(struct plan *plan, const struct testfile *test,
                                  const struct run_machine *machine, struct err_info *why);

/* ERR_MEMORY, told of the plan of a test file. */
MUST_USE enum err run_client_no_memory(struct err_info *why);

#endif
