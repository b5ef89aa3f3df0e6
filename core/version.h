/* version: what this program calls itself. One object knows it, so that all that print it agree. */
#ifndef CORE_VERSION_H
#define CORE_VERSION_H

extern const char pelt_version[]; /* E.g. "1.2.0", "1.2.0-5-gabcdef0-dirty". */
extern const char pelt_date[];    /* Of the last change that is in it: "2026-01-31". */

#endif
