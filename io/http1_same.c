#include <string.h>

#include "io/http1.h"

void http1_same_learn(struct http1_same *same, const char *data, const struct http1_head *head)
{
    if (head->bytes > sizeof(same->text)) {
        same->head.bytes = 0;
        return;
    }
    memcpy(same->text, data, head->bytes);
    same->head = *head;
}

bool http1_same_match(const struct http1_same *same, const char *data, size_t len)
{
    uint32_t bytes = same->head.bytes;
    uint32_t date_at = same->head.date_at;
    uint32_t after = date_at + same->head.date_len;
    unsigned bad = 0;

    if (bytes == 0 || len < bytes) return false;
    for (uint32_t i = date_at; i < after; i++) {
        unsigned char c = (unsigned char)data[i];

        bad |= (c < 32) | (c >= 127);
    }
    return bad == 0 && memcmp(same->text, data, date_at) == 0 &&
           memcmp(same->text + after, data + after, bytes - after) == 0;
}
