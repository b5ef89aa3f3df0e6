/* serve_answer: takes requests from a connection's bytes and answers them. Private to serve. */
#ifndef CORE_SERVE_ANSWER_H
#define CORE_SERVE_ANSWER_H

#include "core/serve_conn.h"

/* Takes requests from the waiting bytes and then from `data` (may be NULL), until the connection
 * takes no more; keeps what is left. Ends the connection if its client has ended and nothing is
 * under way. */
void serve_answer_feed(struct serve_thread *thread, struct serve_conn *c, const char *data,
                       size_t len);

/* Answers the request under way, whose delay is over. */
void serve_answer_now(struct serve_thread *thread, struct serve_conn *c);

#endif
