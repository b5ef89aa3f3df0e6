/* What the head parser promises about size: each maximum holds to the byte, is told from a head
 * that is not finished, and is the same however the bytes are cut. */
#include "io/http1.h"

#include <string.h>

#include "tests/http1_run.h"

enum { TEXT_MAX = HTTP1_HEAD_BYTES_MAX + 4096 };

/* A text under construction. */
struct text {
    char data[TEXT_MAX];
    size_t len;
};

static void add(struct text *text, const char *string)
{
    EXPECT(text->len + strlen(string) <= sizeof(text->data));
    memcpy(text->data + text->len, string, strlen(string));
    text->len += strlen(string);
}

static void add_bytes(struct text *text, char byte, size_t count)
{
    EXPECT(text->len + count <= sizeof(text->data));
    memset(text->data + text->len, byte, count);
    text->len += count;
}

/* Reads the text in cuts and expects `verdict`. */
static void expect(const char *name, const struct text *text, size_t head_bytes_max,
                   enum http1_result verdict)
{
    struct http1_run run = {.name = name,
                            .data = text->data,
                            .len = text->len,
                            .asked = HTTP1_ASKED_HEAD,
                            .head_bytes_max = head_bytes_max,
                            .stride = text->len > 8192   ? 1021
                                      : text->len > 1024 ? 7
                                                         : 1};

    http1_run(&run);
    if (run.client.verdict != verdict) {
        (void)fprintf(stderr, "%s: verdict %d\n", name, (int)run.client.verdict);
    }
    EXPECT(run.client.verdict == verdict);
}

static void test_http1_head_holds_the_callers_maximum(void)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nServer: lean\r\n\r\n";
    static const size_t len = sizeof(head) - 1;
    static struct text text;

    add(&text, head);
    for (size_t max = 1; max <= len + 4; max++) {
        expect("whole head", &text, max, max < len ? HTTP1_TOO_LARGE : HTTP1_DONE);
    }
    text.len -= 1; /* No end: too large only when the maximum is there. */
    for (size_t max = 1; max <= len + 4; max++) {
        expect("unfinished head", &text, max, max < len ? HTTP1_TOO_LARGE : HTTP1_MORE);
    }
    text.data[20] = '\0'; /* Wrong, but neither is that known before its end. */
    expect("unfinished wrong head", &text, len, HTTP1_MORE);
    expect("unfinished wrong head over the maximum", &text, len - 1, HTTP1_TOO_LARGE);
    add(&text, "\n");
    expect("wrong head", &text, len, HTTP1_BAD);
    expect("wrong head over the maximum", &text, len - 1, HTTP1_TOO_LARGE);
}

static void test_http1_head_refuses_rubbish_before_size(void)
{
    static struct text text;

    add_bytes(&text, 'x', 300);
    expect("rubbish", &text, 1, HTTP1_BAD);
    expect("rubbish", &text, 100, HTTP1_BAD);
    text.len = 0;
    add(&text, "HTTP/2");
    for (size_t max = 1; max <= 5; max++) {
        expect("right as far as the maximum", &text, max, HTTP1_TOO_LARGE);
    }
    expect("wrong within the maximum", &text, 6, HTTP1_BAD);
}

static void test_http1_head_ends_an_endless_head(void)
{
    static struct text text;

    add(&text, "HTTP/1.1 200 OK\r\n");
    while (text.len < HTTP1_HEAD_BYTES_MAX - 32) {
        add(&text, "X-Endless: 0123456789012345678901234567890123456789012345678\r\n");
        add(&text, "X-Endless: 0123456789012345678901234567890123456789012345678\r\n\t");
        add_bytes(&text, 'f', 1000);
        add(&text, "\r\n");
    }
    text.len = HTTP1_HEAD_BYTES_MAX - 1;
    expect("64 KiB - 1", &text, HTTP1_HEAD_BYTES_MAX, HTTP1_MORE);
    add(&text, "x");
    expect("64 KiB", &text, HTTP1_HEAD_BYTES_MAX, HTTP1_TOO_LARGE);
    memcpy(text.data + text.len - 4, "\r\n\r\n", 4);
    expect("64 KiB with its end", &text, HTTP1_HEAD_BYTES_MAX, HTTP1_DONE);
    expect("64 KiB with its end, but 1 byte over", &text, HTTP1_HEAD_BYTES_MAX - 1,
           HTTP1_TOO_LARGE);
}

static void test_http1_head_bounds_the_number_of_fields(void)
{
    static struct text text;

    add(&text, "HTTP/1.1 200 OK\r\n");
    for (size_t i = 0; i < HTTP1_FIELDS_MAX; i++) {
        add(&text, i % 2 == 0 ? "A:\n" : "A:\n \n"); /* Folds are no fields. */
    }
    add(&text, "\n");
    expect("as many as may be", &text, 0, HTTP1_DONE);
    text.len -= 1;
    add(&text, "A:\n\n");
    expect("one more", &text, 0, HTTP1_TOO_LARGE);
    text.len -= 1;
    add(&text, "A\n\n");
    expect("one more and a wrong one", &text, 0, HTTP1_BAD);
}

static void test_http1_head_bounds_each_line(void)
{
    for (size_t over = 0; over <= 1; over++) {
        static struct text text;
        enum http1_result verdict = over == 0 ? HTTP1_DONE : HTTP1_TOO_LARGE;

        text.len = 0;
        add(&text, "HTTP/1.1 200 ");
        add_bytes(&text, 'r', HTTP1_LINE_BYTES_MAX - 13 - 2 + over);
        add(&text, "\r\n\r\n");
        expect("long reason", &text, 0, verdict);

        text.len = 0;
        add(&text, "HTTP/1.1 200 OK\r\nA:");
        add_bytes(&text, 'v', HTTP1_LINE_BYTES_MAX - 2 - 2 + over);
        add(&text, "\r\n\r\n");
        expect("long value", &text, 0, verdict);

        text.len = 0;
        add(&text, "HTTP/1.1 200 OK\r\n");
        add_bytes(&text, 'n', HTTP1_LINE_BYTES_MAX - 3 + over);
        add(&text, ":\r\nB: c\r\n\r\n");
        expect("long name", &text, 0, verdict);

        text.len = 0;
        add(&text, "HTTP/1.1 200 OK\r\nA:\r\n ");
        add_bytes(&text, 'f', HTTP1_LINE_BYTES_MAX - 1 - 2 + over);
        add(&text, "\r\n\r\n");
        expect("long fold", &text, 0, verdict);

        text.len = 0;
        add(&text, "HTTP/1.1 200 OK\nA:");
        add_bytes(&text, 'v', HTTP1_LINE_BYTES_MAX - 2 - 1 + over);
        add(&text, "\n\n");
        expect("long value, LF", &text, 0, verdict);
    }
}

int main(void)
{
    TEST(test_http1_head_holds_the_callers_maximum);
    TEST(test_http1_head_refuses_rubbish_before_size);
    TEST(test_http1_head_ends_an_endless_head);
    TEST(test_http1_head_bounds_the_number_of_fields);
    TEST(test_http1_head_bounds_each_line);
    return 0;
}
