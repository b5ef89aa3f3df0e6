/* report_tls: what TLS was agreed on and how handshakes went, for both reports. Private to them.
 * Nothing is said where no target is https. Pure. */
#ifndef CORE_REPORT_TLS_H
#define CORE_REPORT_TLS_H

#include "core/base/text.h"
#include "core/result.h"

/* "tls" with what follows, a line or more. */
void report_tls(const struct result *result, struct text *out);

/* The key "tls" in the object that `json` is in. */
void report_tls_json(const struct result *result, struct json *json);

#endif
