/* try_print: one exchange of `pelt try` as text: request and answer as they were on the wire (the
 * answer's body without its transfer coding), secrets masked; or as a line of JSON.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_PRINT_H
#define CORE_TRY_PRINT_H

#include "core/runner.h"
#include "core/try_mask.h"

struct try_print {
    const struct testfile *test; /* Whose endpoints the records number. */
    const struct try_mask *mask;
    bool skips_request_body;
    bool skips_response_body;
};

/* What a reason for a failure is for people: "connection refused" for "connect_refused"; others are
 * words already. Static, or `failed` itself. */
const char *try_print_words(const char *failed);

/* For people: head and body of both; what there was no answer for says why. */
void try_print_human(const struct try_print *print, const struct runner_seen *seen,
                     struct text *out);

/* {"request":{"start-line","headers","body"},"response":{…},"stats":{"RTT"}} and a line end; a
 * request that was not built, or an answer that did not come, is null, and "error" says why.
 * Headers are arrays by name in lower case, a response's body its JSON value if it is JSON. */
void try_print_json(const struct try_print *print, const struct runner_seen *seen,
                    struct text *out);

#endif
