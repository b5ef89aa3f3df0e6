/* check: assertions. CHECK stays on in release builds: a load generator that continues on a
 * broken invariant prints false figures, and a false figure is worse than an abort. */
#ifndef CORE_BASE_CHECK_H
#define CORE_BASE_CHECK_H

#include "core/base/defs.h"

/* Prints the place and the condition on stderr and aborts. Any thread. */
_Noreturn __attribute__((cold)) void check_failed(const char *file, int line, const char *what);

#define CHECK(x) (likely(x) ? (void)0 : check_failed(__FILE__, __LINE__, #x))

/* A place that no run can come to. */
#define UNREACHABLE(what) check_failed(__FILE__, __LINE__, what)

/* Debug builds only (-DPELT_DEBUG, which the sanitizer builds set): may be expensive. */
#ifdef PELT_DEBUG
#    define DCHECK(x) CHECK(x)
#else
#    define DCHECK(x) ((void)sizeof(!(x)))
#endif

#endif
