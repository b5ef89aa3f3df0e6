/* What the shortcut promises: it knows the head it has learnt, with any other Date of the same
 * length, and nothing else; and whatever it knows the strict parser reads alike. */
#include "io/http1.h"

#include <string.h>

#include "tests/guard.h"
#include "tests/http1_client.h"

#define DATE   "Sun, 06 Nov 1994 08:49:37 GMT"
#define DATE_2 "Mon, 07 Nov 1994 08:49:38 GMT"
#define HEAD_OF(line, date) \
    "HTTP/1.1 " line "\r\nServer: lean\r\nDate: " date "\r\nContent-Length: 2\r\n\r\n"
#define HEAD(date) HEAD_OF("200 OK", date)

/* Learns `learnt` and asks about `asked`, whose first `asked_len` bytes are there, on both sides
 * of a guard page. A match must be right. */
static bool matches(const struct guard *guard, const char *learnt, const char *asked,
                    size_t asked_len)
{
    struct http1_same same = {0};
    struct http1_head head;
    bool first = false;

    EXPECT(http1_parse_head(learnt, strlen(learnt), 0, HTTP1_HEAD_BYTES_MAX, &head) == HTTP1_DONE);
    http1_same_learn(&same, learnt, &head);
    for (int side = GUARD_BELOW; side <= GUARD_ABOVE; side++) {
        const char *place = guard_place(guard, (enum guard_side)side, asked, asked_len);
        bool match = http1_same_match(&same, place, asked_len);

        EXPECT(side == GUARD_BELOW || match == first);
        first = match;
        if (!match) continue;
        EXPECT(http1_parse_head(place, asked_len, 0, HTTP1_HEAD_BYTES_MAX, &head) == HTTP1_DONE);
        EXPECT(http1_head_equal(&head, &same.head));
    }
    return first;
}

static void test_http1_same_knows_its_head_again(void)
{
    static const struct {
        const char *name, *learnt, *asked;
        bool match;
    } rows[] = {
        {"the same", HEAD(DATE), HEAD(DATE), true},
        {"another date", HEAD(DATE), HEAD(DATE_2), true},
        {"bytes after it", HEAD(DATE), HEAD(DATE_2) "ok", true},
        {"odd but printable date", HEAD(DATE), HEAD("~un, !6 Nov:1994 08:49:37 \"M~"), true},
        {"no date", "HTTP/1.1 204\r\n\r\n", "HTTP/1.1 204\r\n\r\n", true},
        {"date first", "HTTP/1.1 204\r\nDate:" DATE "\n\n", "HTTP/1.1 204\r\nDate:" DATE_2 "\n\n",
         true},
        {"date that begins with a space", HEAD(DATE), HEAD(" un, 06 Nov 1994 08:49:37 GMT"), false},
        {"date that ends with a space", HEAD(DATE), HEAD("Sun, 06 Nov 1994 08:49:37 GM "), false},
        {"tab in the date", HEAD(DATE), HEAD("Sun,\t06 Nov 1994 08:49:37 GMT"), false},
        {"CR in the date", HEAD(DATE), HEAD("Sun, 06 Nov 1994\r08:49:37 GMT"), false},
        {"CRLF in the date", HEAD(DATE), HEAD("Sun, 06 Nov 1994\r\nA:49:37 GMT"), false},
        {"DEL in the date", HEAD(DATE), HEAD("Sun, 06 Nov 1994 08:49:37 GM\x7f"), false},
        {"obs-text in the date", HEAD(DATE), HEAD("Sun, 06 Nov 1994 08:49:37\xa0GMT"), false},
        {"0xff in the date", HEAD(DATE), HEAD("Sun, 06 Nov 1994 08:49:\xff\xff GMT"), false},
        {"shorter date", HEAD(DATE), HEAD("Sun, 06 Nov 1994 08:49:37 UT"), false},
        {"another date of another length", HEAD("now"), HEAD("six"), false},
        {"the same date of another length", HEAD("now"), HEAD("now"), true},
        {"folded date stays as it is", HEAD("Sun, 06 Nov\r\n 1994 08:49:37 GMT"),
         HEAD("Sun, 06 Nov\r\n 1995 08:49:37 GMT"), false},
        {"second date differs", "HTTP/1.1 204\r\nDate: " DATE "\r\nDate: " DATE "\r\n\r\n",
         "HTTP/1.1 204\r\nDate: " DATE "\r\nDate: " DATE_2 "\r\n\r\n", false},
        {"status differs", HEAD(DATE), HEAD_OF("201 OK", DATE), false},
        {"one byte more", HEAD(DATE), HEAD_OF("200 OK!", DATE), false},
        {"case differs", "HTTP/1.1 204\r\nA: b\r\n\r\n", "HTTP/1.1 204\r\na: b\r\n\r\n", false},
        {"last byte differs", "HTTP/1.1 204\r\n\r\n", "HTTP/1.1 204\r\n\rX", false},
    };
    struct guard guard = guard_open(4096);

    for (size_t i = 0; i < COUNT(rows); i++) {
        bool match = matches(&guard, rows[i].learnt, rows[i].asked, strlen(rows[i].asked));

        if (match != rows[i].match) (void)fprintf(stderr, "%s\n", rows[i].name);
        EXPECT(match == rows[i].match);
    }
    guard_close(&guard);
}

static void test_http1_same_needs_all_of_the_head(void)
{
    struct guard guard = guard_open(4096);
    size_t len = strlen(HEAD(DATE));

    for (size_t i = 0; i <= len + 2; i++) {
        EXPECT(matches(&guard, HEAD(DATE), HEAD(DATE_2) "ok", i) == (i >= len));
    }
    guard_close(&guard);
}

/* Every byte of the head, replaced by every other: a match must be one that the strict parser
 * agrees with (matches() sees to it), and outside of the date there is none. */
static void test_http1_same_sees_every_changed_byte(void)
{
    static const char learnt[] = HEAD(DATE);
    struct guard guard = guard_open(4096);
    size_t date_at = (size_t)(strstr(learnt, DATE) - learnt);

    for (size_t i = 0; i < sizeof(learnt) - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char asked[sizeof(learnt)];
            bool in_date = i >= date_at && i < date_at + strlen(DATE);
            bool at_edge = i == date_at || i == date_at + strlen(DATE) - 1;
            bool right = byte >= ' ' && byte < 0x7f && !(at_edge && byte == ' ');

            memcpy(asked, learnt, sizeof(learnt));
            asked[i] = (char)byte;
            EXPECT(matches(&guard, learnt, asked, sizeof(learnt) - 1) ==
                   (asked[i] == learnt[i] || (in_date && right)));
        }
    }
    guard_close(&guard);
}

static void test_http1_same_remembers_the_last_that_fits(void)
{
    static char text[HTTP1_SAME_BYTES_MAX + 64];
    struct http1_same same = {0};
    struct http1_head head;
    size_t len;

    EXPECT(!http1_same_match(&same, "HTTP/1.1 204\r\n\r\n", 16)); /* Nothing learnt yet. */
    for (size_t over = 0; over <= 1; over++) {
        len = HTTP1_SAME_BYTES_MAX + over;
        memset(text, 'x', sizeof(text));
        memcpy(text, "HTTP/1.1 204\r\nA:", 16);
        memcpy(text + len - 4, "\r\n\r\n", 4);
        EXPECT(http1_parse_head(text, len, 0, HTTP1_HEAD_BYTES_MAX, &head) == HTTP1_DONE);
        EXPECT(head.bytes == len);
        http1_same_learn(&same, text, &head);
        EXPECT(http1_same_match(&same, text, len) == (over == 0)); /* Too long: forgotten. */
    }
    EXPECT(same.head.bytes == 0);
    EXPECT(http1_parse_head("HTTP/1.1 204\r\n\r\n", 16, 0, 100, &head) == HTTP1_DONE);
    http1_same_learn(&same, "HTTP/1.1 204\r\n\r\n", &head);
    EXPECT(http1_same_match(&same, "HTTP/1.1 204\r\n\r\n", 16));
}

int main(void)
{
    TEST(test_http1_same_knows_its_head_again);
    TEST(test_http1_same_needs_all_of_the_head);
    TEST(test_http1_same_sees_every_changed_byte);
    TEST(test_http1_same_remembers_the_last_that_fits);
    return 0;
}
