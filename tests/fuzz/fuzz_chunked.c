/* fuzz_chunked: the chunked decoder against one that is slow and looks at the whole body.
 *
 * Input: the low three bits of byte 0 are how many gap bytes follow, each gap byte + 1 is the
 * length of one piece; the rest is the body and what follows it. */
#include "io/http1.h"
#include "tests/fuzz/fuzz.h"

enum { GAPS_MAX = 7 };

struct answer {
    enum http1_result verdict;
    size_t used;
    uint64_t data_bytes;
    uint64_t data_sum;
};

static bool equal(const struct answer *a, const struct answer *b)
{
    return a->verdict == b->verdict && a->used == b->used && a->data_bytes == b->data_bytes &&
           a->data_sum == b->data_sum;
}

static void add_data(struct answer *answer, const char *data, size_t len)
{
    answer->data_bytes += len;
    for (size_t i = 0; i < len; i++) {
        answer->data_sum = answer->data_sum * 31 + (uint8_t)data[i] + 1;
    }
}

static struct answer decode(const char *data, size_t len, const uint8_t *gaps, size_t gaps_count,
                            size_t last_gap)
{
    struct answer answer = {.verdict = HTTP1_MORE};
    struct http1_chunked chunked;
    size_t there = 0;

    http1_chunked_init(&chunked);
    for (size_t gap = 0; answer.verdict == HTTP1_MORE && there < len; gap++) {
        size_t used = 0, span = 0;

        there += min_u64(gap < gaps_count ? gaps[gap] + (size_t)1 : last_gap, len - there);
        HIDE(data, answer.used);
        SHOW(data + answer.used, there - answer.used);
        HIDE(data + there, len - there);
        do {
            const char *at = data + answer.used;

            answer.verdict = http1_chunked_next(&chunked, at, there - answer.used, &used, &span);
            MUST(used <= there - answer.used && span <= used);
            MUST(span == 0 || answer.verdict == HTTP1_MORE);
            add_data(&answer, at + used - span, span);
            answer.used += used;
            MUST(chunked.data_bytes == answer.data_bytes);
        } while (used > 0 && answer.verdict == HTTP1_MORE);
        MUST(answer.verdict != HTTP1_MORE || answer.used == there);
    }
    SHOW(data, len);
    return answer;
}

static bool is_text(char byte)
{
    return byte == '\t' || ((uint8_t)byte >= ' ' && byte != 0x7f);
}

/* Length of the line at `at` with its CRLF; 0 if it is wrong or unfinished. */
static size_t line_len(const char *data, size_t len, size_t at)
{
    size_t i = at;

    while (i < len && is_text(data[i])) {
        i++;
    }
    return len - i >= 2 && data[i] == '\r' && data[i + 1] == '\n' ? i + 2 - at : 0;
}

/* Takes the trailers at `at`; true if they end. */
static bool slow_trailers(const char *data, size_t len, size_t at, struct answer *answer)
{
    for (size_t begin = at, line; (line = line_len(data, len, at)) > 0; at += line) {
        size_t name = strspn(data + at, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (line == 2) {
            answer->used = at + 2;
            return at + 2 - begin <= HTTP1_TRAILER_BYTES_MAX;
        }
        if (name > 0 && data[at + name] == ':') continue;
        if (at == begin || (data[at] != ' ' && data[at] != '\t')) return false;
    }
    return false;
}

/* The slow decoder; true if the body is right and complete. `data` ends with a NUL. Inputs are
 * too short for the maxima of size lines and overhead. */
static bool slow_decode(const char *data, size_t len, struct answer *answer)
{
    for (size_t at = 0;;) {
        size_t digits = strspn(data + at, "0123456789abcdefABCDEF"), line = line_len(data, len, at);
        size_t blanks = strspn(data + at + digits, " \t");
        char after = data[at + digits + blanks];
        unsigned long long size = strtoull(data + at, NULL, 16);

        if (line == 0 || digits < 1 || digits > 16 || (after != '\r' && after != ';')) return false;
        at += line;
        if (size == 0) return slow_trailers(data, len, at, answer);
        if (size > len - at || len - at - size < 2) return false;
        add_data(answer, data + at, size);
        at += size + 2;
        if (data[at - 2] != '\r' || data[at - 1] != '\n') return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t gaps_count = len > 0 ? data[0] & GAPS_MAX : 0, body_len;
    struct answer whole, other, slow = {0};
    char *copy;

    if (len < 1 + gaps_count) return 0;
    body_len = len - 1 - gaps_count;
    copy = fuzz_copy((const char *)data + 1 + gaps_count, body_len);
    whole = decode(copy, body_len, NULL, 0, body_len);
    other = decode(copy, body_len, NULL, 0, 1);
    MUST(equal(&whole, &other));
    other = decode(copy, body_len, data + 1, gaps_count, SIZE_MAX);
    MUST(equal(&whole, &other));
    copy = realloc(copy, body_len + 1);
    MUST(copy != NULL);
    copy[body_len] = '\0';
    MUST(slow_decode(copy, body_len, &slow) == (whole.verdict == HTTP1_DONE));
    if (whole.verdict == HTTP1_DONE) {
        MUST(slow.used == whole.used && slow.data_bytes == whole.data_bytes);
        MUST(slow.data_sum == whole.data_sum);
    }
    fuzz_free(copy);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)data;
    (void)printf("%zu bytes\n", len);
}
