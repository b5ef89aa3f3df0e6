/* What the head parser promises: the facts of every head that RFC 9112 allows a client to
 * believe, refusal of the others, and one verdict however the bytes are cut. Each row is read
 * whole, at every two-way split and byte by byte, its bytes against an unreadable page on either
 * side. What the facts mean for the body is test_http1_framing.c. */
#include "io/http1.h"

#include <string.h>

#include "tests/guard.h"

enum facts {
    LENGTH = 1,
    TE = 2,
    CHUNKED = 4,
    CLOSE = 8,
    KEEP_ALIVE = 16,
    MINOR_0 = 32, /* HTTP/1.0 */
};

struct row {
    const char *name;
    const char *text;
    size_t len; /* Of text, which may hold NUL. */
    enum http1_result verdict;
    uint16_t status; /* From here on: for HTTP1_DONE. */
    unsigned facts;
    uint64_t length;
    size_t left;      /* Bytes of text after the head. */
    const char *date; /* NULL: none. */
};

#define TEXT(string) .text = (string), .len = sizeof(string) - 1
#define OK           "HTTP/1.1 200 OK\r\n"
#define DATE         "Sun, 06 Nov 1994 08:49:37 GMT"
#define BODY_2       "Content-Length: 2\r\n"

static unsigned facts_of(const struct http1_head *head)
{
    return (head->has_length ? LENGTH : 0u) | (head->has_te ? TE : 0u) |
           (head->chunked ? CHUNKED : 0u) | (head->says_close ? CLOSE : 0u) |
           (head->says_keep_alive ? KEEP_ALIVE : 0u) | (head->version_minor == 0 ? MINOR_0 : 0u);
}

/* Feeds row->text as prefixes of `step`, 2 * `step` … bytes, or if `step` is 0 as [0, cut) and
 * then all of it; gives the verdict of the last call. */
static enum http1_result parse_cut(const struct guard *guard, enum guard_side side,
                                   const struct row *row, size_t cut, size_t step,
                                   struct http1_head *ret_head)
{
    size_t seen = 0, len = step > 0 ? step : cut;
    enum http1_result result;

    for (;;) {
        const char *place;

        if (len > row->len) len = row->len;
        place = guard_place(guard, side, row->text, len);
        result = http1_parse_head(place, len, seen, HTTP1_HEAD_BYTES_MAX, ret_head);
        if (result != HTTP1_MORE || len == row->len) return result;
        seen = len;
        len = step > 0 ? len + step : row->len;
    }
}

static void expect_row(const struct row *row, enum http1_result result,
                       const struct http1_head *head)
{
    if (result != row->verdict) (void)fprintf(stderr, "%s: %d\n", row->name, (int)result);
    EXPECT(result == row->verdict);
    if (result != HTTP1_DONE) {
        EXPECT(head->bytes == 77); /* Not written. */
        return;
    }
    if (facts_of(head) != row->facts) (void)fprintf(stderr, "%s: %x\n", row->name, facts_of(head));
    EXPECT(facts_of(head) == row->facts);
    EXPECT(head->bytes == row->len - row->left);
    EXPECT(head->status == row->status);
    EXPECT(head->content_length == row->length);
    if (row->date == NULL) {
        EXPECT(head->date_at == 0 && head->date_len == 0);
    } else {
        EXPECT(head->date_len == strlen(row->date));
        EXPECT(memcmp(row->text + head->date_at, row->date, head->date_len) == 0);
    }
}

static void check_rows(const struct row *rows, size_t count)
{
    struct guard guard = guard_open(4096);

    for (size_t i = 0; i < count; i++) {
        for (int side = GUARD_BELOW; side <= GUARD_ABOVE; side++) {
            for (size_t cut = 0; cut <= rows[i].len; cut++) { /* 0: whole, then byte by byte. */
                struct http1_head head = {.bytes = 77};
                enum http1_result result = parse_cut(&guard, (enum guard_side)side, &rows[i],
                                                     cut == 0 ? rows[i].len : cut, 0, &head);

                expect_row(&rows[i], result, &head);
            }
            for (size_t step = 1; step <= 3; step++) {
                struct http1_head head = {.bytes = 77};
                enum http1_result result =
                    parse_cut(&guard, (enum guard_side)side, &rows[i], 0, step, &head);

                expect_row(&rows[i], result, &head);
            }
        }
    }
    guard_close(&guard);
}

static void test_http1_head_reads_status_lines(void)
{
    static const struct row rows[] = {
        {"plain", TEXT(OK "\r\n"), HTTP1_DONE, 200},
        {"reason of several words", TEXT("HTTP/1.1 404 Not  Found \r\n\r\n"), HTTP1_DONE, 404},
        {"reason with tab and obs-text", TEXT("HTTP/1.1 200 \t\xe9\xff\r\n\r\n"), HTTP1_DONE, 200},
        {"empty reason", TEXT("HTTP/1.1 200 \r\n\r\n"), HTTP1_DONE, 200},
        {"missing reason and space", TEXT("HTTP/1.1 200\r\n\r\n"), HTTP1_DONE, 200},
        {"missing reason, LF only", TEXT("HTTP/1.1 200\n\n"), HTTP1_DONE, 200},
        {"HTTP/1.0", TEXT("HTTP/1.0 200 OK\r\n\r\n"), HTTP1_DONE, 200, MINOR_0},
        {"a later minor", TEXT("HTTP/1.7 200 OK\r\n\r\n"), HTTP1_DONE, 200},
        {"status 100", TEXT("HTTP/1.1 100 Continue\r\n\r\n"), HTTP1_DONE, 100},
        {"status 101", TEXT("HTTP/1.1 101 Switching Protocols\r\n\r\n"), HTTP1_DONE, 101},
        {"status 999", TEXT("HTTP/1.1 999 Odd\r\n\r\n"), HTTP1_DONE, 999},
        {"status 099", TEXT("HTTP/1.1 099 Low\r\n\r\n"), HTTP1_BAD},
        {"status 000", TEXT("HTTP/1.1 000\r\n\r\n"), HTTP1_BAD},
        {"status 1000", TEXT("HTTP/1.1 1000 High\r\n\r\n"), HTTP1_BAD},
        {"status of two digits", TEXT("HTTP/1.1 20 OK\r\n\r\n"), HTTP1_BAD},
        {"status with a letter", TEXT("HTTP/1.1 2O0 OK\r\n\r\n"), HTTP1_BAD},
        {"negative status", TEXT("HTTP/1.1 -20 OK\r\n\r\n"), HTTP1_BAD},
        {"reason stuck to the status", TEXT("HTTP/1.1 200OK\r\n\r\n"), HTTP1_BAD},
        {"tab after the status", TEXT("HTTP/1.1 200\tOK\r\n\r\n"), HTTP1_BAD},
        {"two spaces before the status", TEXT("HTTP/1.1  200 OK\r\n\r\n"), HTTP1_BAD},
        {"tab before the status", TEXT("HTTP/1.1\t200 OK\r\n\r\n"), HTTP1_BAD},
        {"no status", TEXT("HTTP/1.1\r\n\r\n"), HTTP1_BAD},
        {"NUL in the reason", TEXT("HTTP/1.1 200 O\0K\r\n\r\n"), HTTP1_BAD},
        {"DEL in the reason", TEXT("HTTP/1.1 200 O\x7fK\r\n\r\n"), HTTP1_BAD},
        {"bare CR in the reason", TEXT("HTTP/1.1 200 O\rK\r\n\r\n"), HTTP1_BAD},
        {"CR CR LF after the reason", TEXT("HTTP/1.1 200 OK\r\r\n\r\n"), HTTP1_BAD},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_head_refuses_other_protocols(void)
{
    static const struct row rows[] = {
        {"HTTP/0.9, a body at once", TEXT("<html>hello</html>"), HTTP1_BAD},
        {"HTTP/0.9 by name", TEXT("HTTP/0.9 200 OK\r\n\r\n"), HTTP1_BAD},
        {"HTTP/2 by name", TEXT("HTTP/2 200 OK\r\n\r\n"), HTTP1_BAD},
        {"HTTP/2.0 by name", TEXT("HTTP/2.0 200 OK\r\n\r\n"), HTTP1_BAD},
        {"HTTP/2 preface", TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP1_BAD},
        {"HTTP/2 SETTINGS", TEXT("\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80"), HTTP1_BAD},
        {"TLS alert", TEXT("\x15\3\3\0\2\2\x28"), HTTP1_BAD},
        {"a request", TEXT("GET / HTTP/1.1\r\n\r\n"), HTTP1_BAD},
        {"lower case", TEXT("http/1.1 200 OK\r\n\r\n"), HTTP1_BAD},
        {"version of two digits", TEXT("HTTP/1.10 200 OK\r\n\r\n"), HTTP1_BAD},
        {"version without minor", TEXT("HTTP/1. 200 OK\r\n\r\n"), HTTP1_BAD},
        {"comma for point", TEXT("HTTP/1,1 200 OK\r\n\r\n"), HTTP1_BAD},
        {"ICY", TEXT("ICY 200 OK\r\n\r\n"), HTTP1_BAD},
        {"empty line first", TEXT("\r\nHTTP/1.1 200 OK\r\n\r\n"), HTTP1_BAD},
        {"space first", TEXT(" HTTP/1.1 200 OK\r\n\r\n"), HTTP1_BAD},
        {"NUL first", TEXT("\0HTTP/1.1 200 OK\r\n\r\n"), HTTP1_BAD},
        {"wrong from the second byte", TEXT("HX"), HTTP1_BAD},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_head_reads_fields_and_line_ends(void)
{
    static const struct row rows[] = {
        {"a usual head and its body",
         TEXT(OK "Server: lean\r\nDate: " DATE "\r\n" BODY_2 "Connection: keep-alive\r\n\r\nok"),
         HTTP1_DONE, 200, LENGTH | KEEP_ALIVE, 2, 2, DATE},
        {"LF only", TEXT("HTTP/1.1 200 OK\nA: b\n\n"), HTTP1_DONE, 200},
        {"LF and CRLF mixed", TEXT("HTTP/1.1 200 OK\nA: b\r\nC: d\n\r\n"), HTTP1_DONE, 200},
        {"CRLF then LF to end", TEXT(OK "A: b\r\n\n"), HTTP1_DONE, 200},
        {"ends at the first empty line", TEXT(OK "\r\n\r\n"), HTTP1_DONE, 200, .left = 2},
        {"bytes after are not looked at", TEXT(OK "\r\n\0\r\n \r"), HTTP1_DONE, 200, .left = 5},
        {"empty value", TEXT(OK "A:\r\nB: \r\n\r\n"), HTTP1_DONE, 200},
        {"no space after the colon", TEXT(OK "Content-Length:2\r\n\r\n"), HTTP1_DONE, 200, LENGTH,
         2},
        {"white space around a value", TEXT(OK "Content-Length: \t 2 \t\r\n\r\n"), HTTP1_DONE, 200,
         LENGTH, 2},
        {"colons in a value", TEXT(OK "A: b:c:: d\r\n\r\n"), HTTP1_DONE, 200},
        {"every tchar", TEXT(OK "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n"), HTTP1_DONE, 200},
        {"tab and obs-text in a value", TEXT(OK "A: \tb\t\x80\xff\r\n\r\n"), HTTP1_DONE, 200},
        {"names in any case", TEXT(OK "cOnTeNt-LeNgTh: 2\r\nCONNECTION: x\r\n\r\n"), HTTP1_DONE,
         200, LENGTH, 2},
        {"names alike are not the same",
         TEXT(OK "Content-Lengti: x\r\nXontent-Length: y\r\nTransfer-Encodinh: z\r\n"
                 "Transfer_Encoding: z\r\nContent_Length: 9\r\nConnectiom: close\r\n\r\n"),
         HTTP1_DONE, 200},
        {"a length that does not count",
         TEXT(OK "Content-Length: 3, 4\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP1_DONE, 200,
         LENGTH | TE | CHUNKED, 0},
        {"no end yet", TEXT(OK "A: b\r\n"), HTTP1_MORE},
        {"wrong line, but no end yet", TEXT(OK "A b\r\nC: d"), HTTP1_MORE},
        {"nothing yet", TEXT(""), HTTP1_MORE},
        {"half a status line", TEXT("HTTP/1.1 2"), HTTP1_MORE},
        {"CR of the empty line", TEXT(OK "\r"), HTTP1_MORE},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_head_refuses_wrong_fields(void)
{
    static const struct row rows[] = {
        {"space before the colon", TEXT(OK "Content-Length : 2\r\n\r\n"), HTTP1_BAD},
        {"tab before the colon", TEXT(OK "A\t: b\r\n\r\n"), HTTP1_BAD},
        {"space in a name", TEXT(OK "A B: c\r\n\r\n"), HTTP1_BAD},
        {"no colon", TEXT(OK "Content-Length\r\n\r\n"), HTTP1_BAD},
        {"no colon on the last line", TEXT(OK "A: b\r\nC\r\n\r\n"), HTTP1_BAD},
        {"no name", TEXT(OK ": b\r\n\r\n"), HTTP1_BAD},
        {"bracket in a name", TEXT(OK "A(b): c\r\n\r\n"), HTTP1_BAD},
        {"NUL in a name", TEXT(OK "A\0B: c\r\n\r\n"), HTTP1_BAD},
        {"obs-text in a name", TEXT(OK "\xc3\xa9: c\r\n\r\n"), HTTP1_BAD},
        {"at sign in a long name", TEXT(OK "Abcdefghijklmnopqrstuvw@yz: c\r\n\r\n"), HTTP1_BAD},
        {"CR in a name", TEXT(OK "A\rB: c\r\n\r\n"), HTTP1_BAD},
        {"bare CR in a value", TEXT(OK "A: b\rc\r\n\r\n"), HTTP1_BAD},
        {"bare CR hides a field", TEXT(OK "A: b\rContent-Length: 2\r\n\r\n"), HTTP1_BAD},
        {"CR CR LF", TEXT(OK "A: b\r\r\n\r\n"), HTTP1_BAD},
        {"bare CR as empty line", TEXT(OK "A: b\r\n\rB: c\r\n\r\n"), HTTP1_BAD},
        {"NUL in a value", TEXT(OK "A: b\0c\r\n\r\n"), HTTP1_BAD},
        {"SOH in a value", TEXT(OK "A: b\001c\r\n\r\n"), HTTP1_BAD},
        {"DEL in a value", TEXT(OK "A: b\x7f\r\n\r\n"), HTTP1_BAD},
        {"escape in a long value", TEXT(OK "A: 0123456789abcdefghijklmno\x1b[1mred\r\n\r\n"),
         HTTP1_BAD},
        {"white space before the first field", TEXT(OK " A: b\r\n\r\n"), HTTP1_BAD},
        {"tab before the first field", TEXT(OK "\tContent-Length: 2\r\n\r\n"), HTTP1_BAD},
        {"blank first line", TEXT(OK " \r\nA: b\r\n\r\n"), HTTP1_BAD},
        {"wrong field and wrong framing", TEXT(OK "Content-Length: x\r\nA b\r\n\r\n"), HTTP1_BAD},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_head_reads_folds_as_spaces(void)
{
    static const struct row rows[] = {
        {"a folded value", TEXT(OK "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n"), HTTP1_DONE, 200},
        {"fold by LF", TEXT("HTTP/1.1 200 OK\nA: b\n c\n\n"), HTTP1_DONE, 200},
        {"fold of white space alone", TEXT(OK "A: b\r\n \r\n\r\n"), HTTP1_DONE, 200},
        {"a fold that looks like a field", TEXT(OK "A: b\r\n Transfer-Encoding: chunked\r\n\r\n"),
         HTTP1_DONE, 200},
        {"a fold that looks like a length", TEXT(OK "A: b\r\n Content-Length: 9\r\n" BODY_2 "\r\n"),
         HTTP1_DONE, 200, LENGTH, 2},
        {"length on the fold", TEXT(OK "Content-Length:\r\n 2\r\n\r\n"), HTTP1_DONE, 200, LENGTH,
         2},
        {"length before an empty fold", TEXT(OK "Content-Length: 2\r\n\t\r\n\r\n"), HTTP1_DONE, 200,
         LENGTH, 2},
        {"digits over a fold", TEXT(OK "Content-Length: 1\r\n 2\r\n\r\n"), HTTP1_BAD_FRAMING},
        {"list over a fold", TEXT(OK "Content-Length: 2,\r\n 2\r\n\r\n"), HTTP1_DONE, 200, LENGTH,
         2},
        {"option on the fold", TEXT(OK "Connection: x,\r\n close\r\n\r\n"), HTTP1_DONE, 200, CLOSE},
        {"option before the fold", TEXT(OK "Connection: close\r\n , x\r\n\r\n"), HTTP1_DONE, 200,
         CLOSE},
        {"option broken by a fold", TEXT(OK "Connection: clo\r\n se\r\n\r\n"), HTTP1_DONE, 200},
        {"folded Date is not for the shortcut", TEXT(OK "Date: Sun,\r\n 06 Nov 1994\r\n\r\n"),
         HTTP1_DONE, 200},
        {"coding on the fold", TEXT(OK "Transfer-Encoding:\r\n chunked\r\n\r\n"),
         HTTP1_BAD_FRAMING},
        {"coding before the fold", TEXT(OK "Transfer-Encoding: chunked\r\n x\r\n\r\n"),
         HTTP1_BAD_FRAMING},
        {"fold makes the coding last", TEXT(OK "Transfer-Encoding: gzip,\r\n chunked\r\n\r\n"),
         HTTP1_BAD_FRAMING},
        {"coding before an empty fold", TEXT(OK "Transfer-Encoding: chunked\r\n \r\n\r\n"),
         HTTP1_BAD_FRAMING},
        {"NUL in a fold", TEXT(OK "A: b\r\n c\0d\r\n\r\n"), HTTP1_BAD},
        {"bare CR in a fold", TEXT(OK "A: b\r\n c\rd\r\n\r\n"), HTTP1_BAD},
        {"no end after a fold", TEXT(OK "A: b\r\n c\r\n"), HTTP1_MORE},
        {"no line end in a fold", TEXT(OK "A: b\r\n c"), HTTP1_MORE},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_head_finds_the_date(void)
{
    static const struct row rows[] = {
        {"first", TEXT(OK "Date: " DATE "\r\n\r\n"), HTTP1_DONE, 200, .date = DATE},
        {"in any case, trimmed", TEXT(OK "dAtE:\t " DATE " \t\r\n\r\n"), HTTP1_DONE, 200,
         .date = DATE},
        {"the first of two", TEXT(OK "Date: now\r\nDate: " DATE "\r\n\r\n"), HTTP1_DONE, 200,
         .date = "now"},
        {"empty ones do not count", TEXT(OK "Date:  \r\nDate: now\r\n\r\n"), HTTP1_DONE, 200,
         .date = "now"},
        {"names alike", TEXT(OK "Dats: now\r\nXate: now\r\n\r\n"), HTTP1_DONE, 200},
    };
    check_rows(rows, COUNT(rows));
}

/* Every byte value at every place of a long name and of a long value, so in every lane of every
 * block that the parser looks at in one go. */
static void test_http1_head_sees_every_byte_everywhere(void)
{
    enum { LINE = sizeof(OK) - 1, PART = 150, END = LINE + 2 * PART + 1 };
    struct guard guard = guard_open(4096);
    char *text = guard.end - (END + 4);

    for (size_t i = 0; i < 2 * PART + 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            bool in_name = i < PART, colon = byte == ':';
            bool token = byte > ' ' && byte < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", byte) == NULL;
            bool value = byte == '\t' || (byte >= ' ' && byte != 0x7f);
            struct http1_head head;
            enum http1_result result;
            bool right;

            if (byte == '\n') continue; /* It makes other lines, not wrong ones. */
            memcpy(text, OK, LINE);
            memset(text + LINE, 'n', 2 * PART + 1);
            text[LINE + PART] = ':';
            memcpy(text + END, "\r\n\r\n", 4);
            text[LINE + i] = (char)byte;
            right = in_name ? token || (colon && i > 0) : i == PART ? colon : value;
            result = http1_parse_head(text, END + 4, 0, HTTP1_HEAD_BYTES_MAX, &head);
            if (result != (right ? HTTP1_DONE : HTTP1_BAD)) {
                (void)fprintf(stderr, "byte %d at %zu: %d\n", byte, i, (int)result);
            }
            EXPECT(result == (right ? HTTP1_DONE : HTTP1_BAD));
        }
    }
    guard_close(&guard);
}

int main(void)
{
    TEST(test_http1_head_reads_status_lines);
    TEST(test_http1_head_refuses_other_protocols);
    TEST(test_http1_head_reads_fields_and_line_ends);
    TEST(test_http1_head_refuses_wrong_fields);
    TEST(test_http1_head_reads_folds_as_spaces);
    TEST(test_http1_head_finds_the_date);
    TEST(test_http1_head_sees_every_byte_everywhere);
    return 0;
}
