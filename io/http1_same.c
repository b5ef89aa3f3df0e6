/* http1_same: the shortcut for a head like the last one.
 *
 * Servers mostly answer one request with one head that changes once a second, in the value of
 * Date. If all bytes but the 29 of an IMF-fixdate are those of a head that the strict parser has
 * read, and those 29 are printable ASCII that begins and ends with more than white space, then
 * the strict parser would find the same lines, the same fields and the same facts. A Date of any
 * other length is compared like the rest. */
#include "io/http1.h"

#include <string.h>

#include "core/base/check.h"

enum { DATE_LEN = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 section 5.6.7. */

static inline uint64_t load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* High bits are set if a byte of the word is below 0x20 or above 0x7e; which ones is not said. */
static inline uint64_t not_printable(uint64_t word)
{
    return (word | (word - UINT64_C(0x2020202020202020)) | (word + UINT64_C(0x0101010101010101))) &
           UINT64_C(0x8080808080808080);
}

static inline bool is_date(const char *p)
{
    return (not_printable(load8(p)) | not_printable(load8(p + 8)) | not_printable(load8(p + 16)) |
            not_printable(load8(p + DATE_LEN - 8))) == 0 &&
           p[0] != ' ' && p[DATE_LEN - 1] != ' ';
}

void http1_same_learn(struct http1_same *same, const char *data, const struct http1_head *head)
{
    CHECK(head->bytes > 0);

    same->head.bytes = 0;
    if (head->bytes > HTTP1_SAME_BYTES_MAX) return;
    memcpy(same->text, data, head->bytes);
    same->head = *head;
}

bool http1_same_match(const struct http1_same *same, const char *data, size_t len)
{
    uint32_t bytes = same->head.bytes, at = same->head.date_at, after = at + DATE_LEN;

    if (bytes == 0 || len < bytes) return false;
    if (same->head.date_len != DATE_LEN) return memcmp(data, same->text, bytes) == 0;
    return memcmp(data, same->text, at) == 0 &&
           memcmp(data + after, same->text + after, bytes - after) == 0 && is_date(data + at);
}
