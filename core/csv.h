/* csv: cells of comma-separated values (RFC 4180). Pure.
 *
 * A cell that begins with one of = + - @, a tab or a line end is a formula to spreadsheets; such a
 * cell gets an apostrophe in front, which makes it text. */
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include "core/base/text.h"

/* Appends a cell, in quotes where it needs them. */
void csv_cell(struct text *out, const char *text);

#endif
