#include "core/base/quote.h"

#include <string.h>

struct quote quote_len(const char *text, size_t len)
{
    static const char dots[] = "...";
    struct quote quoted = {""};
    bool cut = len > QUOTE_BYTES - 1;
    size_t kept = cut ? QUOTE_BYTES - sizeof(dots) : len;

    /* Do not end on part of a sequence: step back over continuation bytes to a first byte. */
    while (cut && kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) {
        kept--;
    }
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)text[i];

        quoted.text[i] = text[i];
        if (c < ' ' || c == 0x7F) quoted.text[i] = '?';
    }
    if (cut) memcpy(quoted.text + kept, dots, sizeof(dots));
    return quoted;
}

struct quote quote(const char *text)
{
    return quote_len(text, strlen(text));
}
