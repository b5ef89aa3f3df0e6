/* http1_framing: where a response's body ends and whether its connection lives on.
 *
 * RFC 9112 section 6.3 in its order. What the section calls an unrecoverable error never gets
 * here: the head parser has refused it. */
#include "io/http1.h"

/* Section 9.3: close wins; 1.1 persists by itself, 1.0 only if it says so. */
static bool persists(const struct http1_head *head)
{
    if (head->says_close) return false;
    return head->version_minor >= 1 || head->says_keep_alive;
}

struct http1_framing http1_framing(const struct http1_head *head, enum http1_asked asked)
{
    struct http1_framing framing = {.body = HTTP1_BODY_NONE};
    uint16_t status = head->status;

    framing.conflict = head->has_te && head->has_length;
    framing.interim = status < 200 && status != 101;
    framing.reusable = persists(head) && !framing.conflict;

    if (asked == HTTP1_ASKED_HEAD || status < 200 || status == 204 || status == 304) {
        if (status == 101) framing.reusable = false; /* What follows is another protocol. */
    } else if (asked == HTTP1_ASKED_CONNECT && status < 300) {
        framing.reusable = false; /* What follows is the tunnel. */
    } else if (head->has_te) {
        framing.body = head->chunked ? HTTP1_BODY_CHUNKED : HTTP1_BODY_CLOSE;
    } else if (!head->has_length) {
        framing.body = HTTP1_BODY_CLOSE;
    } else if (head->content_length > 0) {
        framing.body = HTTP1_BODY_LENGTH;
        framing.length = head->content_length;
    }
    if (framing.body == HTTP1_BODY_CLOSE) framing.reusable = false;
    return framing;
}
