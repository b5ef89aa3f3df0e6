/* What the chunked decoder promises: all the data and only the data, refusal of every size and
 * line end that two readers might take differently, an end to padding and trailers. Rows are read
 * in every way of tests/http1_run.h, behind a head that says chunked. */
#include "io/http1.h"

#include <string.h>

#include "tests/http1_run.h"

struct row {
    const char *name;
    const char *text;
    size_t len;
    enum http1_result verdict;
    uint64_t body_bytes;
    size_t left; /* When the verdict is a refusal: from the first wrong byte on. */
};

#define HEAD         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TEXT(string) .text = (HEAD string), .len = sizeof(HEAD string) - 1

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http1_run run = {.name = rows[i].name, .data = rows[i].text, .len = rows[i].len};

        http1_run(&run);
        if (run.client.verdict != rows[i].verdict || run.left != rows[i].left) {
            (void)fprintf(stderr, "%s: verdict %d, left %zu\n", rows[i].name,
                          (int)run.client.verdict, run.left);
        }
        EXPECT(run.client.verdict == rows[i].verdict);
        EXPECT(run.client.body_bytes == rows[i].body_bytes);
        EXPECT(run.left == rows[i].left);
    }
}

static void test_http1_chunked_reads_chunks(void)
{
    static const struct row rows[] = {
        {"one chunk", TEXT("5\r\nhello\r\n0\r\n\r\n"), HTTP1_DONE, 5},
        {"no data", TEXT("0\r\n\r\n"), HTTP1_DONE},
        {"several chunks", TEXT("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), HTTP1_DONE, 6},
        {"hexadecimal in both cases", TEXT("a\r\n0123456789\r\nC\r\n0123456789AB\r\n0\r\n\r\n"),
         HTTP1_DONE, 22},
        {"leading zeros", TEXT("0000000000000002\r\nok\r\n0000000000000000\r\n\r\n"), HTTP1_DONE,
         2},
        {"data that looks like framing", TEXT("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), HTTP1_DONE, 7},
        {"what follows is left", TEXT("2\r\nok\r\n0\r\n\r\nHTTP/1.1 200"), HTTP1_DONE, 2, 12},
        {"extension", TEXT("2;a=b\r\nok\r\n0;c;d=\"e\\\"\t\xe9\"\r\n\r\n"), HTTP1_DONE, 2},
        {"extension after white space", TEXT("2 \t; a = b\r\nok\r\n0\r\n\r\n"), HTTP1_DONE, 2},
        {"empty extension", TEXT("2;\r\nok\r\n0;\r\n\r\n"), HTTP1_DONE, 2},
        {"padded size", TEXT("2  \r\nok\r\n0 \r\n\r\n"), HTTP1_DONE, 2},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_chunked_knows_an_unfinished_body(void)
{
    static const struct row rows[] = {
        {"nothing", TEXT(""), HTTP1_MORE},
        {"half a size", TEXT("1"), HTTP1_MORE},
        {"half a size line", TEXT("5\r"), HTTP1_MORE},
        {"half a chunk", TEXT("5\r\nhel"), HTTP1_MORE, 3},
        {"no end of the chunk", TEXT("5\r\nhello"), HTTP1_MORE, 5},
        {"half an end of the chunk", TEXT("5\r\nhello\r"), HTTP1_MORE, 5},
        {"no last chunk", TEXT("5\r\nhello\r\n"), HTTP1_MORE, 5},
        {"no end of the trailers", TEXT("0\r\n"), HTTP1_MORE},
        {"half an end of the trailers", TEXT("0\r\n\r"), HTTP1_MORE},
        {"a trailer and no end", TEXT("0\r\nA: b\r\n"), HTTP1_MORE},
        {"2^63 - 1", TEXT("7fffffffffffffff\r\nhello"), HTTP1_MORE, 5},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_chunked_refuses_wrong_sizes(void)
{
    static const struct row rows[] = {
        {"empty", TEXT("\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 6},
        {"empty with extension", TEXT(";a=b\r\n"), HTTP1_BAD_FRAMING, 0, 6},
        {"empty, second chunk", TEXT("2\r\nok\r\n\r\n"), HTTP1_BAD_FRAMING, 2, 2},
        {"leading space", TEXT(" 2\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 8},
        {"sign", TEXT("+2\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 8},
        {"minus", TEXT("-2\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 8},
        {"0x", TEXT("0x2\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 8},
        {"letter", TEXT("g\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"colon and slash are no digits", TEXT("1:\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"two numbers", TEXT("2 2\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"NUL", TEXT("2\0\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"2^63", TEXT("8000000000000000\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"2^64 - 1", TEXT("ffffffffffffffff\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"2^64", TEXT("10000000000000000\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"17 digits, though zeros", TEXT("00000000000000002\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"sum over 2^63 - 1", TEXT("1\r\na\r\n7fffffffffffffff\r\nb"), HTTP1_BAD_FRAMING, 1, 2},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_chunked_refuses_wrong_line_ends(void)
{
    static const struct row rows[] = {
        {"LF after the size", TEXT("2\nok\r\n"), HTTP1_BAD_FRAMING, 0, 5},
        {"CR and another byte after the size", TEXT("2\rok\r\n"), HTTP1_BAD_FRAMING, 0, 4},
        {"LF in an extension", TEXT("2;a\nok\r\n"), HTTP1_BAD_FRAMING, 0, 5},
        {"bare CR in an extension", TEXT("2;a\rb\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"NUL in an extension", TEXT("2;a\0\r\nok\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"LF after white space", TEXT("2 \nok\r\n"), HTTP1_BAD_FRAMING, 0, 5},
        {"LF after the data", TEXT("2\r\nok\n0\r\n\r\n"), HTTP1_BAD_FRAMING, 2, 6},
        {"nothing after the data", TEXT("2\r\nok0\r\n\r\n"), HTTP1_BAD_FRAMING, 2, 5},
        {"too much data", TEXT("2\r\nokk\r\n"), HTTP1_BAD_FRAMING, 2, 3},
        {"CR and another byte after the data", TEXT("2\r\nok\r0"), HTTP1_BAD_FRAMING, 2, 1},
        {"LF to end the body", TEXT("0\r\n\n"), HTTP1_BAD_FRAMING, 0, 1},
        {"CR and another byte to end the body", TEXT("0\r\n\rx"), HTTP1_BAD_FRAMING, 0, 1},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_chunked_drops_trailers(void)
{
    static const struct row rows[] = {
        {"one", TEXT("2\r\nok\r\n0\r\nDigest: x\r\n\r\nHTTP"), HTTP1_DONE, 2, 4},
        {"several, odd ones", TEXT("0\r\nA:\r\n!x~: \t\xe9 y\r\nB: c:d\r\n\r\n"), HTTP1_DONE},
        {"framing fields mean nothing here",
         TEXT("0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP1_DONE},
        {"folded", TEXT("0\r\nA: b\r\n c\r\n\td\r\n\r\n"), HTTP1_DONE},
        {"fold first", TEXT("0\r\n A: b\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 9},
        {"no name", TEXT("0\r\n: b\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 7},
        {"no colon", TEXT("0\r\nAb\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 4},
        {"space before the colon", TEXT("0\r\nA : b\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 8},
        {"a response instead", TEXT("0\r\nHTTP/1.1 200 OK\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 15},
        {"NUL in a value", TEXT("0\r\nA: \0\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 5},
        {"LF after a value", TEXT("0\r\nA: b\n\r\n"), HTTP1_BAD_FRAMING, 0, 3},
        {"bare CR in a value", TEXT("0\r\nA: b\rc\r\n\r\n"), HTTP1_BAD_FRAMING, 0, 5},
    };
    check_rows(rows, COUNT(rows));
}

/* Decodes `prefix`, then `piece` over and over, at most `times`; gives how often it was taken. */
static size_t repeat(const char *prefix, const char *piece, size_t piece_len, size_t times,
                     enum http1_result *ret_result)
{
    struct http1_chunked chunked;
    size_t used, span;

    http1_chunked_init(&chunked);
    EXPECT(http1_chunked_next(&chunked, prefix, strlen(prefix), &used, &span) == HTTP1_MORE);
    EXPECT(used == strlen(prefix) && span == 0);
    for (size_t i = 0; i < times; i++) {
        for (size_t at = 0; at < piece_len; at += used) {
            *ret_result = http1_chunked_next(&chunked, piece + at, piece_len - at, &used, &span);
            if (*ret_result != HTTP1_MORE) return i;
        }
    }
    return times;
}

static void test_http1_chunked_ends_endless_overhead(void)
{
    static char padded[4096] = "1;";
    enum http1_result result = HTTP1_MORE;
    struct {
        const char *name, *prefix, *piece;
        size_t taken_min, taken_max;
        enum http1_result verdict;
    } rows[] = {
        {"a million chunks of 1 byte", "", "1\r\nx\r\n", 1000000, 1000000, HTTP1_MORE},
        {"of 1 byte and 10 of extension", "", "1;345678901\r\nx\r\n", 1000000, 1000000, HTTP1_MORE},
        {"of 1 byte and 12 of extension", "", "1;34567890123\r\nx\r\n", 60000, 70000,
         HTTP1_TOO_LARGE},
        {"of 1 byte, zeros and white space", "", "000000000000001   \r\nx\r\n", 60 * 1024 / 8,
         64 * 1024 / 5, HTTP1_TOO_LARGE},
        {"of 1 byte, zeros alone", "", "00000000000001\r\nx\r\n", 32000, 33000, HTTP1_TOO_LARGE},
        {"of 1 byte and 4 KiB of extension", "", padded, 15, 17, HTTP1_TOO_LARGE},
        {"endless extension", "2;", "x", 16 * 1024 - 2, 16 * 1024 - 2, HTTP1_TOO_LARGE},
        {"endless white space", "2", " ", 16 * 1024 - 1, 16 * 1024 - 1, HTTP1_TOO_LARGE},
        {"endless trailers", "0\r\n", "A: b\r\n", 16 * 1024 / 6, 16 * 1024 / 6, HTTP1_TOO_LARGE},
        {"endless trailer name", "0\r\n", "A", 16384, 16384, HTTP1_TOO_LARGE},
        {"endless trailer value", "0\r\nA:", "x", 16 * 1024 - 2, 16 * 1024 - 2, HTTP1_TOO_LARGE},
        {"endless trailer fold", "0\r\nA:\r\n", " \r\n", (16 * 1024 - 4) / 3, (16 * 1024 - 4) / 3,
         HTTP1_TOO_LARGE},
    };

    memset(padded + 2, 'p', sizeof(padded) - 2);
    memcpy(padded + sizeof(padded) - 6, "\r\nx\r\n", 6);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t taken =
            repeat(rows[i].prefix, rows[i].piece, strlen(rows[i].piece), 1000000, &result);

        if (result != rows[i].verdict || taken < rows[i].taken_min || taken > rows[i].taken_max) {
            (void)fprintf(stderr, "%s: %zu taken, verdict %d\n", rows[i].name, taken, (int)result);
        }
        EXPECT(result == rows[i].verdict);
        EXPECT(taken >= rows[i].taken_min && taken <= rows[i].taken_max);
    }
}

/* Trailers of exactly the maximum and of one byte more, in strided cuts. */
static void test_http1_chunked_bounds_trailers_to_the_byte(void)
{
    static char text[sizeof(HEAD) + 3 + HTTP1_TRAILER_BYTES_MAX + 1];

    for (size_t over = 0; over <= 1; over++) {
        struct http1_run run = {.name = "long trailers", .data = text, .stride = 97};
        size_t begin = sizeof(HEAD) - 1 + 3;

        run.len = begin + HTTP1_TRAILER_BYTES_MAX + over;
        memset(text, 'x', run.len);
        memcpy(text, HEAD "0\r\nA:", begin + 2);
        memcpy(text + run.len - 4, "\r\n\r\n", 4);
        http1_run(&run);
        EXPECT(run.client.verdict == (over == 0 ? HTTP1_DONE : HTTP1_TOO_LARGE));
        EXPECT(run.left == over);
    }
}

static void test_http1_chunked_gives_spans_of_the_input(void)
{
    static const char text[] = "3;x\r\nabc\r\n2\r\nde\r\n0\r\n\r\nnext";
    struct http1_chunked chunked = {0}; /* As good as http1_chunked_init(). */
    size_t used, span;
    const char *p = text;

    EXPECT(http1_chunked_next(&chunked, p, strlen(p), &used, &span) == HTTP1_MORE);
    EXPECT(used == 8 && span == 3 && memcmp(p + used - span, "abc", 3) == 0);
    p += used;
    EXPECT(http1_chunked_next(&chunked, p, 6, &used, &span) == HTTP1_MORE);
    EXPECT(used == 6 && span == 1 && p[5] == 'd');
    p += used;
    EXPECT(http1_chunked_next(&chunked, p, 0, &used, &span) == HTTP1_MORE);
    EXPECT(used == 0 && span == 0);
    EXPECT(http1_chunked_next(&chunked, p, strlen(p), &used, &span) == HTTP1_MORE);
    EXPECT(used == 1 && span == 1 && *p == 'e');
    EXPECT(chunked.data_bytes == 5);
    p += used;
    EXPECT(http1_chunked_next(&chunked, p, strlen(p), &used, &span) == HTTP1_DONE);
    EXPECT(used == 7 && span == 0 && strcmp(p + used, "next") == 0);
}

int main(void)
{
    TEST(test_http1_chunked_reads_chunks);
    TEST(test_http1_chunked_knows_an_unfinished_body);
    TEST(test_http1_chunked_refuses_wrong_sizes);
    TEST(test_http1_chunked_refuses_wrong_line_ends);
    TEST(test_http1_chunked_drops_trailers);
    TEST(test_http1_chunked_ends_endless_overhead);
    TEST(test_http1_chunked_bounds_trailers_to_the_byte);
    TEST(test_http1_chunked_gives_spans_of_the_input);
    return 0;
}
