#include "io/http1.h"

struct http1_framing http1_framing(const struct http1_head *head, enum http1_asked asked)
{
    struct http1_framing framing = {.body = HTTP1_BODY_CLOSE};

    framing.conflict = head->has_te && head->has_length;
    framing.interim = head->status < 200 && head->status != 101;
    if (asked == HTTP1_ASKED_HEAD || head->status < 200 || head->status == 204 ||
        head->status == 304) {
        framing.body = HTTP1_BODY_NONE;
    } else if (asked == HTTP1_ASKED_CONNECT && head->status < 300) {
        framing.body = HTTP1_BODY_CLOSE; /* A tunnel: whatever comes until the close. */
    } else if (head->chunked) {
        framing.body = HTTP1_BODY_CHUNKED;
    } else if (head->has_te) {
        framing.body = HTTP1_BODY_CLOSE;
    } else if (head->has_length) {
        framing.body = head->content_length > 0 ? HTTP1_BODY_LENGTH : HTTP1_BODY_NONE;
        framing.length = head->content_length;
    }
    framing.reusable = framing.body != HTTP1_BODY_CLOSE && !head->says_close &&
                       !framing.conflict && head->status != 101 &&
                       (head->version_minor > 0 || head->says_keep_alive);
    return framing;
}
