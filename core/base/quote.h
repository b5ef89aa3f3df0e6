/* quote: somebody's words inside a message of ours. One line, printable, cut when long, so that
 * neither a stray line end nor a whole file on the command line spoils an error message. */
#ifndef CORE_BASE_QUOTE_H
#define CORE_BASE_QUOTE_H

#include "core/base/defs.h"

enum { QUOTE_BYTES = 72 };

struct quote {
    char text[QUOTE_BYTES];
};

/* The first bytes of `text` (`len` of them) for display: control characters become '?', and what
 * does not fit gives way to "..." (never in the middle of a UTF-8 sequence). */
struct quote quote_len(const char *text, size_t len);

/* The same of a terminated string. */
struct quote quote(const char *text);

#endif
