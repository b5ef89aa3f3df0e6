/* report_net: how connections got to their targets, for both reports. Nothing where the plan left
 * all of it to the kernel and the resolver. Pure. */
#ifndef CORE_REPORT_NET_H
#define CORE_REPORT_NET_H

#include "core/base/text.h"
#include "core/result.h"

/* "network" and "names": a line or more each for people. */
void report_net_text(const struct result *result, struct text *out);

/* The key `network` of the object that `json` is in. */
void report_net_json(struct json *json, const struct result *result);

#endif
