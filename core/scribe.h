/* scribe: the one thread that may block: name resolution, and what stands on stderr while a run
 * goes on: lines, and on a terminal one live line below them.
 *
 * It is asked through mailboxes and answers through them, so that the coordinator never waits for
 * a name server or a terminal.
 *
 * Threads: scribe_new() and scribe_free() from the engine's starter; everything else from the
 * coordinator only. */
#ifndef CORE_SCRIBE_H
#define CORE_SCRIBE_H

#include "core/base/err.h"
#include "core/live.h"
#include "io/resolve.h"

struct scribe;

/* Starts the thread. `notify_fd` is an eventfd that is written when an answer is there; it must
 * outlive the scribe. With `json` each line is a warning in JSON (core/run_json.h). */
MUST_USE enum err scribe_new(struct scribe **ret_scribe, int notify_fd, bool json,
                             struct err_info *why);

/* Ends the thread and frees. One that is still inside the resolver (which cannot be interrupted)
 * is left behind and frees itself when that returns. NULL is fine. */
void scribe_free(struct scribe *scribe);

/* Asks for the addresses of `host`; one question at a time. The strings (511 and 15 bytes
 * at most) are copied: a thread that is stuck outlives whoever asked. */
void scribe_resolve(struct scribe *scribe, const char *host, const char *service);

/* True once the answer is there: `ret_err` and either `ret_addresses` or `ret_why`. */
MUST_USE bool scribe_resolved(struct scribe *scribe, enum err *ret_err,
                              struct addresses *ret_addresses, struct err_info *ret_why);

/* Writes one line to stderr, cut at 255 bytes; dropped when the scribe is far behind. */
void scribe_say(struct scribe *scribe, const char *format, ...) PRINTF_LIKE(2, 3);

/* Draws the live line on stderr, a terminal, in place of the one before and as wide as the
 * terminal is now; not while the terminal belongs to another job. Dropped when the scribe is
 * behind. */
void scribe_live(struct scribe *scribe, const struct live *live);

/* Asks for everything so far to be written and the live line to be erased; scribe_flushed() is
 * true once that has been done. Once, when no question is open; false when the scribe is so far
 * behind that it cannot be asked. */
MUST_USE bool scribe_flush(struct scribe *scribe);
MUST_USE bool scribe_flushed(struct scribe *scribe);

#endif
