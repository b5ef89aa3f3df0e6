/* What the framing promises: where each response ends and whether its connection lives on, for
 * every rule of RFC 9112 sections 6.3 and 9.3. Each row is one response and what follows it, read
 * head, body and all, in every way of tests/http1_run.h. */
#include "io/http1.h"

#include <string.h>

#include "tests/http1_run.h"

enum follows { REUSED = 1, CONFLICT = 2 };

struct row {
    const char *name;
    const char *text;
    size_t len;
    enum http1_asked asked;
    enum http1_result verdict;
    uint16_t status;      /* From here on: unless the head is refused. */
    enum http1_body body; /* Of the last head. */
    uint64_t body_bytes;
    size_t left;
    unsigned follows;
    uint32_t interims;
};

#define TEXT(string) .text = (string), .len = sizeof(string) - 1
#define ALL          SIZE_MAX /* None of it was consumed. */
#define OTHER        HTTP1_ASKED_OTHER
#define OK           "HTTP/1.1 200 OK\r\n"
#define OK_1_0       "HTTP/1.0 200 OK\r\n"
#define CL(value)    "Content-Length: " value "\r\n"
#define TE(value)    "Transfer-Encoding: " value "\r\n"
#define CONN(value)  "Connection: " value "\r\n"
#define CHUNKS       "2\r\nok\r\n0\r\n\r\n"

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct http1_run run = {
            .name = row->name, .data = row->text, .len = row->len, .asked = row->asked};
        const struct http1_framing *framing = &run.client.framing;
        size_t left = row->left == ALL ? row->len : row->left;

        http1_run(&run);
        if (run.client.verdict != row->verdict || run.left != left ||
            run.client.body_bytes != row->body_bytes) {
            (void)fprintf(stderr, "%s: verdict %d, body %llu, left %zu\n", row->name,
                          (int)run.client.verdict, (unsigned long long)run.client.body_bytes,
                          run.left);
        }
        EXPECT(run.client.verdict == row->verdict);
        EXPECT(run.left == left);
        EXPECT(run.client.body_bytes == row->body_bytes);
        EXPECT(run.client.interims == row->interims);
        if (row->status == 0) continue;
        if (framing->body != row->body || framing->reusable != ((row->follows & REUSED) != 0)) {
            (void)fprintf(stderr, "%s: body %d, reusable %d\n", row->name, (int)framing->body,
                          framing->reusable);
        }
        EXPECT(run.client.head.status == row->status);
        EXPECT(framing->body == row->body);
        EXPECT(framing->reusable == ((row->follows & REUSED) != 0));
        EXPECT(framing->conflict == ((row->follows & CONFLICT) != 0));
        EXPECT(framing->interim == (row->status < 200 && row->status != 101));
    }
}

static void test_http1_framing_knows_responses_without_body(void)
{
    static const struct row rows[] = {
        {"HEAD with length", TEXT(OK CL("5") "\r\nHTTP/"), HTTP1_ASKED_HEAD, HTTP1_DONE, 200,
         HTTP1_BODY_NONE, 0, 5, REUSED},
        {"HEAD with chunked", TEXT(OK TE("chunked") "\r\n"), HTTP1_ASKED_HEAD, HTTP1_DONE, 200,
         HTTP1_BODY_NONE, 0, 0, REUSED},
        {"HEAD with neither", TEXT(OK "\r\n"), HTTP1_ASKED_HEAD, HTTP1_DONE, 200, HTTP1_BODY_NONE,
         0, 0, REUSED},
        {"HEAD with an unknown coding", TEXT(OK TE("gzip") "\r\n"), HTTP1_ASKED_HEAD, HTTP1_DONE,
         200, HTTP1_BODY_NONE, 0, 0, REUSED},
        {"HEAD to HTTP/1.0", TEXT(OK_1_0 "\r\n"), HTTP1_ASKED_HEAD, HTTP1_DONE, 200,
         HTTP1_BODY_NONE},
        {"HEAD with both", TEXT(OK CL("5") TE("chunked") "\r\n"), HTTP1_ASKED_HEAD, HTTP1_DONE, 200,
         HTTP1_BODY_NONE, 0, 0, CONFLICT},
        {"204", TEXT("HTTP/1.1 204 No Content\r\n\r\n"), OTHER, HTTP1_DONE, 204, HTTP1_BODY_NONE, 0,
         0, REUSED},
        {"204 with length", TEXT("HTTP/1.1 204 No Content\r\n" CL("5") "\r\nhello"), OTHER,
         HTTP1_DONE, 204, HTTP1_BODY_NONE, 0, 5, REUSED},
        {"304 with length", TEXT("HTTP/1.1 304 Not Modified\r\n" CL("5") "\r\n"), OTHER, HTTP1_DONE,
         304, HTTP1_BODY_NONE, 0, 0, REUSED},
        {"304 with chunked", TEXT("HTTP/1.1 304 Not Modified\r\n" TE("chunked") "\r\n" CHUNKS),
         OTHER, HTTP1_DONE, 304, HTTP1_BODY_NONE, 0, 12, REUSED},
        {"length 0", TEXT(OK CL("0") "\r\nx"), OTHER, HTTP1_DONE, 200, HTTP1_BODY_NONE, 0, 1,
         REUSED},
        {"205 is framed like any other", TEXT("HTTP/1.1 205 Reset\r\n" CL("1") "\r\nx"), OTHER,
         HTTP1_DONE, 205, HTTP1_BODY_LENGTH, 1, 0, REUSED},
        {"CONNECT, 200", TEXT(OK CL("5") TE("chunked") "\r\n\1\2\3"), HTTP1_ASKED_CONNECT,
         HTTP1_DONE, 200, HTTP1_BODY_NONE, 0, 3, CONFLICT},
        {"CONNECT, 299", TEXT("HTTP/1.1 299\r\n\r\n\1\2\3"), HTTP1_ASKED_CONNECT, HTTP1_DONE, 299,
         HTTP1_BODY_NONE, 0, 3},
        {"CONNECT, 407", TEXT("HTTP/1.1 407 No\r\n" CL("2") "\r\nno"), HTTP1_ASKED_CONNECT,
         HTTP1_DONE, 407, HTTP1_BODY_LENGTH, 2, 0, REUSED},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_framing_skips_interim_responses(void)
{
    static const struct row rows[] = {
        {"100 then 200", TEXT("HTTP/1.1 100 Continue\r\n\r\n" OK CL("2") "\r\nok"), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_LENGTH, 2, 0, REUSED, 1},
        {"102, 103, 103, then 204",
         TEXT("HTTP/1.1 102\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 103\n\n"
              "HTTP/1.1 204 No\r\n\r\n"),
         OTHER, HTTP1_DONE, 204, HTTP1_BODY_NONE, 0, 0, REUSED, 3},
        {"100 with length has no body",
         TEXT("HTTP/1.1 100 Go\r\n" CL("9") "\r\n" OK CL("0") "\r\n"), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_NONE, 0, 0, REUSED, 1},
        {"100 alone is not an answer", TEXT("HTTP/1.1 100 Continue\r\n\r\n"), OTHER, HTTP1_MORE,
         100, HTTP1_BODY_NONE, 0, 0, REUSED, 1},
        {"100 to HEAD", TEXT("HTTP/1.1 100 Go\r\n\r\n" OK CL("9") "\r\n"), HTTP1_ASKED_HEAD,
         HTTP1_DONE, 200, HTTP1_BODY_NONE, 0, 0, REUSED, 1},
        {"101 is final",
         TEXT("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n" CONN("upgrade") "\r\n\1\2"), OTHER,
         HTTP1_DONE, 101, HTTP1_BODY_NONE, 0, 2},
        {"rubbish after 100", TEXT("HTTP/1.1 100 Go\r\n\r\nrubbish"), OTHER, HTTP1_BAD, 0,
         HTTP1_BODY_NONE, 0, 7, 0, 1},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_framing_bounds_interim_responses(void)
{
    static const char interim[] = "HTTP/1.1 100 Go\r\n\r\n";
    char text[1024];

    for (size_t count = HTTP1_INTERIM_MAX; count <= HTTP1_INTERIM_MAX + 1; count++) {
        struct http1_run run = {.name = "many 100s", .data = text};

        for (size_t i = 0; i < count; i++) {
            memcpy(text + run.len, interim, sizeof(interim) - 1);
            run.len += sizeof(interim) - 1;
        }
        memcpy(text + run.len, "HTTP/1.1 204\r\n\r\n", 16);
        run.len += 16;
        http1_run(&run);
        EXPECT(run.client.verdict == (count <= HTTP1_INTERIM_MAX ? HTTP1_DONE : HTTP1_TOO_LARGE));
        EXPECT(run.left == (count <= HTTP1_INTERIM_MAX ? 0 : 16));
    }
}

static void test_http1_framing_takes_lengths(void)
{
    static const struct row rows[] = {
        {"exact", TEXT(OK CL("5") "\r\nhello"), OTHER, HTTP1_DONE, 200, HTTP1_BODY_LENGTH, 5, 0,
         REUSED},
        {"bytes after it are left", TEXT(OK CL("5") "\r\nhelloHTTP/1.1 "), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_LENGTH, 5, 9, REUSED},
        {"too few are incomplete", TEXT(OK CL("5") "\r\nhell"), OTHER, HTTP1_MORE, 200,
         HTTP1_BODY_LENGTH, 4, 0, REUSED},
        {"leading zeros", TEXT(OK CL("0000000000000000000000000000005") "\r\nhello"), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_LENGTH, 5, 0, REUSED},
        {"equal list", TEXT(OK CL("5, 5,5") "\r\nhello"), OTHER, HTTP1_DONE, 200, HTTP1_BODY_LENGTH,
         5, 0, REUSED},
        {"equal fields", TEXT(OK CL("5") CL("5") "\r\nhello"), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_LENGTH, 5, 0, REUSED},
        {"2^63 - 1", TEXT(OK CL("9223372036854775807") "\r\nhello"), OTHER, HTTP1_MORE, 200,
         HTTP1_BODY_LENGTH, 5, 0, REUSED},
        {"differing list", TEXT(OK CL("5, 6") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"differing fields", TEXT(OK CL("5") CL("6") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"0 and another", TEXT(OK CL("0") CL("6") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"2^63", TEXT(OK CL("9223372036854775808") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"2^64", TEXT(OK CL("18446744073709551616") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"2^64 + 5", TEXT(OK CL("18446744073709551621") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"40 digits", TEXT(OK CL("1234567890123456789012345678901234567890") "\r\n"), OTHER,
         HTTP1_BAD_FRAMING, .left = ALL},
        {"empty", TEXT(OK CL("") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"plus", TEXT(OK CL("+5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"minus", TEXT(OK CL("-5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"hexadecimal", TEXT(OK CL("0x5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"decimal point", TEXT(OK CL("5.0") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"unit", TEXT(OK CL("5b") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"inner space", TEXT(OK CL("5 5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"comma first", TEXT(OK CL(", 5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"comma last", TEXT(OK CL("5,") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"semicolon", TEXT(OK CL("5;5") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"quoted", TEXT(OK CL("\"5\"") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"obs-text", TEXT(OK CL("5\xa0") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"one right, one wrong", TEXT(OK CL("5") CL("x") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"one wrong, one right", TEXT(OK CL("x") CL("5") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"wrong though 204", TEXT("HTTP/1.1 204 No\r\n" CL("x") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"wrong though HEAD", TEXT(OK CL("x") "\r\n"), HTTP1_ASKED_HEAD, HTTP1_BAD_FRAMING,
         .left = ALL},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_framing_takes_transfer_codings(void)
{
    static const struct row rows[] = {
        {"chunked", TEXT(OK TE("chunked") "\r\n" CHUNKS), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"in any case", TEXT(OK "transfer-ENCODING: ChUnKeD\r\n\r\n" CHUNKS), OTHER, HTTP1_DONE,
         200, HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"what follows is left", TEXT(OK TE("chunked") "\r\n" CHUNKS "HTTP"), OTHER, HTTP1_DONE,
         200, HTTP1_BODY_CHUNKED, 2, 4, REUSED},
        {"no last chunk is incomplete", TEXT(OK TE("chunked") "\r\n2\r\nok\r\n"), OTHER, HTTP1_MORE,
         200, HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"empty elements", TEXT(OK TE(", ,chunked,\t,") "\r\n" CHUNKS), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"gzip, chunked", TEXT(OK TE("gzip, chunked") "\r\n" CHUNKS), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"gzip, then chunked in a field of its own",
         TEXT(OK TE("gzip") TE("chunked") "\r\n" CHUNKS), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"chunked and an empty field", TEXT(OK TE("chunked") TE(" ") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"parameters on another coding",
         TEXT(OK TE("a;b=\"x,chunked\\\",;\" ; c , chunked") "\r\n" CHUNKS), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CHUNKED, 2, 0, REUSED},
        {"gzip alone runs to the close", TEXT(OK TE("gzip") "\r\nhello"), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CLOSE, 5, 0},
        {"identity runs to the close", TEXT(OK TE("identity") "\r\n" CHUNKS), OTHER, HTTP1_DONE,
         200, HTTP1_BODY_CLOSE, 12, 0},
        {"an unknown one runs to the close", TEXT(OK TE("xchunked") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CLOSE, 12, 0},
        {"both: chunked wins, never reused", TEXT(OK CL("3") TE("chunked") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CHUNKED, 2, 0, CONFLICT},
        {"both, the other way round", TEXT(OK TE("chunked") CL("3") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CHUNKED, 2, 0, CONFLICT},
        {"both, with a wrong length", TEXT(OK TE("chunked") CL("3, 4") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CHUNKED, 2, 0, CONFLICT},
        {"both, with no length at all", TEXT(OK CL("x") TE("chunked") "\r\n" CHUNKS), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CHUNKED, 2, 0, CONFLICT},
        {"length and gzip", TEXT(OK CL("3") TE("gzip") "\r\nhello"), OTHER, HTTP1_DONE, 200,
         HTTP1_BODY_CLOSE, 5, 0, CONFLICT},
        {"bad chunk", TEXT(OK TE("chunked") "\r\n2\r\nokx\r\n"), OTHER, HTTP1_BAD_FRAMING, 200,
         HTTP1_BODY_CHUNKED, 2, 3, REUSED},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_framing_refuses_transfer_codings(void)
{
    static const struct row rows[] = {
        {"chunked, gzip", TEXT(OK TE("chunked, gzip") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"chunked twice", TEXT(OK TE("chunked, chunked") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"chunked in two fields", TEXT(OK TE("chunked") TE("chunked") "\r\n"), OTHER,
         HTTP1_BAD_FRAMING, .left = ALL},
        {"chunked, then gzip in a field of its own", TEXT(OK TE("chunked") TE("gzip") "\r\n"),
         OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"parameter on chunked", TEXT(OK TE("chunked;x=1") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"empty parameter on chunked", TEXT(OK TE("chunked ;") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"two words", TEXT(OK TE("chunked x") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"another and chunked without comma", TEXT(OK TE("gzip chunked") "\r\n"), OTHER,
         HTTP1_BAD_FRAMING, .left = ALL},
        {"quoted", TEXT(OK TE("\"chunked\"") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"open quote", TEXT(OK TE("a;b=\"x, chunked") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"open quote after an escape", TEXT(OK TE("a;b=\"x\\") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"empty", TEXT(OK TE("") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"commas alone", TEXT(OK TE(",,") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"obs-text after it", TEXT(OK TE("chunked\x0b") "\r\n"), OTHER, HTTP1_BAD, .left = ALL},
        {"colon before it", TEXT(OK TE(": chunked") "\r\n"), OTHER, HTTP1_BAD_FRAMING, .left = ALL},
        {"in HTTP/1.0", TEXT(OK_1_0 TE("chunked") "\r\n" CHUNKS), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
        {"another in HTTP/1.0", TEXT(OK_1_0 TE("gzip") "\r\n"), OTHER, HTTP1_BAD_FRAMING,
         .left = ALL},
    };
    check_rows(rows, COUNT(rows));
}

static void test_http1_framing_decides_on_reuse(void)
{
    static const struct row rows[] = {
        {"1.1 by default", TEXT(OK CL("0") "\r\n"), OTHER, HTTP1_DONE, 200, .follows = REUSED},
        {"1.1 with keep-alive", TEXT(OK CL("0") CONN("keep-alive") "\r\n"), OTHER, HTTP1_DONE, 200,
         .follows = REUSED},
        {"1.1 with close", TEXT(OK CL("0") CONN("close") "\r\n"), OTHER, HTTP1_DONE, 200},
        {"close in odd case", TEXT(OK CL("0") CONN("cLOSE") "\r\n"), OTHER, HTTP1_DONE, 200},
        {"close and keep-alive", TEXT(OK CL("0") CONN("keep-alive, close") "\r\n"), OTHER,
         HTTP1_DONE, 200},
        {"close first of several", TEXT(OK CL("0") CONN("close ,\tTE") "\r\n"), OTHER, HTTP1_DONE,
         200},
        {"close last of several", TEXT(OK CL("0") CONN(",, x , Close ,") "\r\n"), OTHER, HTTP1_DONE,
         200},
        {"close in a second field", TEXT(OK CL("0") CONN("x") CONN("close") "\r\n"), OTHER,
         HTTP1_DONE, 200},
        {"words like close",
         TEXT(OK CL("0") CONN("closed, clos, closf, xclose, \"close\", close;x") "\r\n"), OTHER,
         HTTP1_DONE, 200, .follows = REUSED},
        {"empty option list", TEXT(OK CL("0") CONN("") "\r\n"), OTHER, HTTP1_DONE, 200,
         .follows = REUSED},
        {"to the close", TEXT(OK "\r\nhello"), OTHER, HTTP1_DONE, 200, HTTP1_BODY_CLOSE, 5},
        {"to the close, nothing", TEXT(OK "\r\n"), OTHER, HTTP1_DONE, 200, HTTP1_BODY_CLOSE},
        {"to the close, despite keep-alive", TEXT(OK CONN("keep-alive") "\r\nhello"), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CLOSE, 5},
        {"1.0 by default", TEXT(OK_1_0 CL("0") "\r\n"), OTHER, HTTP1_DONE, 200},
        {"1.0 with keep-alive", TEXT(OK_1_0 CL("2") CONN("keep-alive") "\r\nok"), OTHER, HTTP1_DONE,
         200, HTTP1_BODY_LENGTH, 2, 0, REUSED},
        {"1.0 with keep-alive in odd case", TEXT(OK_1_0 CL("0") CONN("x,Keep-ALIVE") "\r\n"), OTHER,
         HTTP1_DONE, 200, .follows = REUSED},
        {"1.0 with keep-alive, no length", TEXT(OK_1_0 CONN("keep-alive") "\r\nok"), OTHER,
         HTTP1_DONE, 200, HTTP1_BODY_CLOSE, 2},
        {"1.0 with both", TEXT(OK_1_0 CL("0") CONN("close, keep-alive") "\r\n"), OTHER, HTTP1_DONE,
         200},
        {"1.0 with a word like it", TEXT(OK_1_0 CL("0") CONN("keep_alive, keep-alivf") "\r\n"),
         OTHER, HTTP1_DONE, 200},
        {"304 to HTTP/1.0 with keep-alive", TEXT("HTTP/1.0 304 Not\r\n" CONN("keep-alive") "\r\n"),
         OTHER, HTTP1_DONE, 304, .follows = REUSED},
        {"204 with close", TEXT("HTTP/1.1 204 No\r\n" CONN("close") "\r\n"), OTHER, HTTP1_DONE,
         204},
    };
    check_rows(rows, COUNT(rows));
}

int main(void)
{
    TEST(test_http1_framing_knows_responses_without_body);
    TEST(test_http1_framing_skips_interim_responses);
    TEST(test_http1_framing_bounds_interim_responses);
    TEST(test_http1_framing_takes_lengths);
    TEST(test_http1_framing_takes_transfer_codings);
    TEST(test_http1_framing_refuses_transfer_codings);
    TEST(test_http1_framing_decides_on_reuse);
    return 0;
}
