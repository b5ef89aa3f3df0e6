#include "core/serve_fault.h"

#include <string.h>

#define BYTES(literal) (literal), .text_len = sizeof(literal) - 1
#define LOOP(literal)  (literal), .loop_len = sizeof(literal) - 1
#define TAIL(literal)  (literal), .tail_len = sizeof(literal) - 1

#define OK_LINE   "HTTP/1.1 200 OK\r\n"
#define NAMES     "Server: pelt\r\nContent-Type: text/plain\r\n"
#define OK_ANSWER OK_LINE NAMES "Content-Length: 2\r\n\r\nok"
#define HUNDRED_BYTES                                                                             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789"
#define TWICE(x)    x x
#define TIMES_16(x) TWICE(TWICE(TWICE(TWICE(x))))
#define FILL_LINE   "X-Fill: " HUNDRED_BYTES "\r\n"
#define ONE_CHUNK   "64\r\n" HUNDRED_BYTES "\r\n"
#define INTERIM     "HTTP/1.1 100 Continue\r\n\r\n"

static const struct serve_fault faults[] = {
    {.name = "reset-before",
     .help = "a reset instead of an answer",
     .text = BYTES(""),
     .end = SERVE_END_RESET},
    {.name = "reset-in-head",
     .help = "half a head, then a reset",
     .text = BYTES(OK_LINE "Server: pe"),
     .end = SERVE_END_RESET},
    {.name = "reset-in-body",
     .help = "100 of 1000 body bytes, then a reset",
     .text = BYTES(OK_LINE NAMES "Content-Length: 1000\r\n\r\n" HUNDRED_BYTES),
     .end = SERVE_END_RESET},
    {.name = "close-before",
     .help = "the connection is closed instead of an answer",
     .text = BYTES(""),
     .end = SERVE_END_CLOSE},
    {.name = "close-in-head",
     .help = "half a head, then closed",
     .text = BYTES(OK_LINE "Server: pe"),
     .end = SERVE_END_CLOSE},
    {.name = "close-in-body",
     .help = "100 of 1000 body bytes, then closed",
     .text = BYTES(OK_LINE NAMES "Content-Length: 1000\r\n\r\n" HUNDRED_BYTES),
     .end = SERVE_END_CLOSE},
    {.name = "silent",
     .help = "no answer, ever; the connection stays open",
     .text = BYTES(""),
     .end = SERVE_END_SILENT},
    {.name = "rubbish",
     .help = "bytes that are not HTTP, then closed",
     .text = BYTES("\x16\x03\x01 this is not\x01 HTTP\r\nat: all\r\n\r\n"),
     .end = SERVE_END_CLOSE},
    {.name = "endless-head",
     .help = "a head whose fields never end",
     .text = BYTES(OK_LINE),
     .loop = LOOP(TIMES_16(FILL_LINE)),
     .end = SERVE_END_CLOSE},
    {.name = "endless-chunks",
     .help = "a chunked body that never ends",
     .text = BYTES(OK_LINE NAMES "Transfer-Encoding: chunked\r\n\r\n"),
     .loop = LOOP(TIMES_16(ONE_CHUNK)),
     .end = SERVE_END_CLOSE},
    {.name = "unsolicited",
     .help = "a right answer with extra bytes behind it",
     .text = BYTES(OK_ANSWER "extra bytes"),
     .end = SERVE_END_KEEP},
    {.name = "unsolicited-later",
     .help = "a right answer, and 50 ms later extra bytes",
     .text = BYTES(OK_ANSWER),
     .tail = TAIL("extra bytes"),
     .piece_bytes = 64,
     .pause_ms = 50,
     .end = SERVE_END_KEEP},
    {.name = "interim-flood",
     .help = "100 Continue without end",
     .text = BYTES(INTERIM),
     .loop = LOOP(TIMES_16(INTERIM)),
     .end = SERVE_END_CLOSE},
    {.name = "drip",
     .help = "a right answer, one byte per 100 ms",
     .text = BYTES(""),
     .tail = TAIL(OK_ANSWER),
     .piece_bytes = 1,
     .pause_ms = 100,
     .end = SERVE_END_KEEP},
    {.name = "bad-length",
     .help = "a Content-Length that is no number",
     .text = BYTES(OK_LINE NAMES "Content-Length: 2x\r\n\r\nok"),
     .end = SERVE_END_KEEP},
    {.name = "both-framings",
     .help = "Content-Length and Transfer-Encoding in one head",
     .text = BYTES(OK_LINE NAMES "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "2\r\nok\r\n0\r\n\r\n"),
     .end = SERVE_END_KEEP},
    {.name = "http2",
     .help = "HTTP/2 frames (SETTINGS, GOAWAY), then closed",
     .text = BYTES("\x00\x00\x00\x04\x00\x00\x00\x00\x00"
                   "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
     .end = SERVE_END_CLOSE},
};

bool serve_fault_find(const char *name, size_t len, uint64_t *ret_n)
{
    for (size_t i = 0; i < COUNT(faults); i++) {
        if (len == strlen(faults[i].name) && memcmp(name, faults[i].name, len) == 0) {
            *ret_n = i;
            return true;
        }
    }
    return false;
}

const struct serve_fault *serve_fault_at(uint64_t n)
{
    return n < COUNT(faults) ? &faults[n] : NULL;
}
