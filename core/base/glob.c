#include "core/base/glob.h"

bool glob_matches(const char *pattern, const char *text, size_t len)
{
    const char *star = NULL;    /* Behind the last '*' … */
    size_t at = 0, star_at = 0; /* … and where what follows it is tried. */

    while (at < len) {
        if (*pattern == '*') {
            star = ++pattern;
            star_at = at;
        } else if (*pattern != '\0' && *pattern == text[at]) {
            pattern++;
            at++;
        } else if (star != NULL) {
            pattern = star; /* The last star takes one byte more. */
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
