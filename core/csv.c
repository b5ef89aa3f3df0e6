#include "core/csv.h"

#include <string.h>

void csv_cell(struct text *out, const char *text)
{
    bool formula = text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL;
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;

    if (quoted) text_add(out, "\"", 1);
    if (formula) text_add(out, "'", 1);
    while (*text != '\0') {
        size_t len = strcspn(text, "\"");

        text_add(out, text, len);
        text += len;
        if (*text == '\0') break;
        text_add(out, "\"\"", 2);
        text++;
    }
    if (quoted) text_add(out, "\"", 1);
}
