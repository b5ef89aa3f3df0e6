/* url: what can be told of a URL in which values are still to come. Splitting one is plan.h's
 * plan_parse_url(). Pure. Threads: any. */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include <stddef.h>

/* How a value stands in the outline of a URL (template_outline()): no URL that is sent holds it. */
#define PLAN_VALUE_MARK "\x01"

/* How long scheme and authority are of the URL with this outline; 0 when values are in them, so
 * that they are only known with the request. */
size_t plan_authority_len(const char *outline);

#endif
