/* try_graph: which endpoints of a test file `pelt try` has to call (docs/try.md): the dependency
 * graph of providers, what each endpoint costs, and who feeds whom.
 *
 * An endpoint needs every response provider that it pops from, wherever it names it. It is settled
 * once each of them has a settled feeder; the cheapest is settled first, ties by the order of the
 * file, and its score is how many distinct endpoints have to be called before it: those feeders,
 * theirs, and so on. What is never settled can never be called.
 *
 * Pure: nothing is sent. Threads: one owner. */
#ifndef CORE_TRY_GRAPH_H
#define CORE_TRY_GRAPH_H

#include "config/testfile.h"
#include "core/base/text.h"

enum { TRY_NONE = UINT32_MAX };

struct try_graph {
    const struct testfile *test;
    uint32_t *scores;   /* By endpoint; TRY_NONE: it can never be called. */
    uint32_t *feeders;  /* By provider: the settled endpoint of the lowest score that provides it;
                           TRY_NONE: there is none, or it is no response provider. */
    uint64_t *closures; /* By endpoint, [words] each: itself and all that are called before it. */
    uint32_t words;
};

/* Makes the graph of `test`, which must outlive it, as `arena` must. False when that refuses. */
MUST_USE bool try_graph_make(struct try_graph *graph, const struct testfile *test,
                             struct arena *arena);

/* True if the endpoint pops from the provider: in its request, a declare, a header, a tag, a log or
 * a global logger. */
bool try_reads(const struct testfile_endpoint *endpoint, uint32_t provider);
bool try_provides(const struct testfile_endpoint *endpoint, uint32_t provider);

/* Writes why endpoint `index`, whose score is TRY_NONE, can never be called: the chain of what it
 * needs, to what nobody provides or back to one that is in it. */
void try_graph_chain(const struct try_graph *graph, uint32_t index, struct text *out);

/* Why an endpoint is called. */
enum try_role { TRY_LEFT_OUT, TRY_CHOSEN, TRY_ADDED };

/* Adds to the chosen endpoints (`roles`, by endpoint, all either CHOSEN or LEFT_OUT; none of the
 * chosen has score TRY_NONE) those that have to feed them: for each response provider that one of
 * the run pops from, the feeder with the lowest score, unless a chosen endpoint other than the one
 * that asks provides it, and then too if the run could not begin otherwise. With `all` every
 * feeder that can be called at all is added. False when `arena` refuses. */
MUST_USE bool try_graph_choose(const struct try_graph *graph, enum try_role *roles, bool all,
                               struct arena *arena);

#endif
