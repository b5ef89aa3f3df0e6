/* fuzz_http1: a whole connection of responses, read in several cuts that must agree.
 *
 * Input: byte 0 chooses the request method and the maximum of a head, the low three bits of
 * byte 1 how many gap bytes follow, each gap byte + 1 is the length of one piece, and the rest is
 * the stream. ASCII digits do for the first two, so that the corpus can be read.
 *
 * Checked, besides what the sanitizers see: the answers whole, in the given pieces and byte by
 * byte are equal; the portable parser agrees with the SSE2 one; a head is read alike with and
 * without the bytes after it, and is unfinished without its last byte; what the shortcut knows,
 * the strict parser reads alike. Under ASan the bytes that are not there yet, or no longer, are
 * poisoned. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/http1_client.h"

enum { ANSWERS_MAX = 32, GAPS_MAX = 7 };

/* io/http1_head.c once more, compiled for processors without SSE2. */
enum http1_result http1_parse_head_portable(const char *data, size_t len, size_t len_seen,
                                            size_t head_bytes_max, struct http1_head *ret_head);

struct input {
    enum http1_asked asked;
    size_t head_bytes_max;
    size_t gaps[GAPS_MAX + 1];
    size_t gaps_count;
    const char *data;
    size_t len;
};

/* What was made of one response. */
struct answer {
    enum http1_result verdict;
    uint16_t status; /* Of its last head, 0 if it has none. */
    uint32_t interims;
    enum http1_body body;
    bool reusable;
    bool conflict;
    uint64_t body_bytes;
    uint64_t body_sum;
    size_t end; /* Bytes of the stream consumed by then. */
};

struct answers {
    struct answer at[ANSWERS_MAX];
    size_t count;
};

static bool decode(const uint8_t *data, size_t len, struct input *input)
{
    static const size_t head_bytes_max[] = {HTTP1_HEAD_BYTES_MAX, 128, 64, 16};
    static const enum http1_asked asked[] = {HTTP1_ASKED_OTHER, HTTP1_ASKED_HEAD,
                                             HTTP1_ASKED_CONNECT};

    if (len < 2) return false;
    *input = (struct input){.asked = asked[data[0] % 3],
                            .head_bytes_max = head_bytes_max[data[0] / 3 % 4],
                            .gaps_count = data[1] & GAPS_MAX};
    if (len < 2 + input->gaps_count) return false;
    for (size_t i = 0; i < input->gaps_count; i++) {
        input->gaps[i] = data[2 + i] + (size_t)1;
    }
    input->data = (const char *)data + 2 + input->gaps_count;
    input->len = len - 2 - input->gaps_count;
    return true;
}

static enum http1_result parse(const struct input *input, const char *data, size_t len,
                               struct http1_head *head)
{
    return http1_parse_head(data, len, 0, input->head_bytes_max, head);
}

/* All that must hold of the head at `data`, whatever it is. */
static void check_head(const struct input *input, const char *data, size_t len,
                       struct http1_same *same)
{
    struct http1_head head = {.bytes = 77}, other = {.bytes = 77};
    bool known = http1_same_match(same, data, len);
    enum http1_result result = parse(input, data, len, &head);

    MUST(http1_parse_head_portable(data, len, 0, input->head_bytes_max, &other) == result);
    MUST(http1_head_equal(&head, &other));
    if (known) {
        MUST(result == HTTP1_DONE);
        MUST(http1_head_equal(&head, &same->head));
    }
    if (result != HTTP1_DONE) {
        MUST(head.bytes == 77); /* Not written. */
        return;
    }
    MUST(head.bytes <= len && head.bytes <= input->head_bytes_max);
    MUST(head.status >= 100 && head.status <= 999);
    MUST(head.content_length <= INT64_MAX);
    MUST(parse(input, data, head.bytes, &other) == HTTP1_DONE);
    MUST(http1_head_equal(&head, &other));
    MUST(parse(input, data, head.bytes - 1, &other) == HTTP1_MORE);
    http1_same_learn(same, data, &head);
    known = http1_same_match(same, data, len);
    MUST(!known || head.bytes <= HTTP1_SAME_BYTES_MAX);
    MUST(known || head.bytes > HTTP1_SAME_BYTES_MAX || head.date_len == 29); /* Odd bytes in it. */
}

static struct answer answer_of(const struct http1_client *client, size_t end)
{
    return (struct answer){.verdict = client->verdict,
                           .status = client->head.status,
                           .interims = client->interims,
                           .body = client->framing.body,
                           .reusable = client->framing.reusable,
                           .conflict = client->framing.conflict,
                           .body_bytes = client->body_bytes,
                           .body_sum = client->body_sum,
                           .end = end};
}

/* Reads the stream in pieces of `gaps`, the last of which repeats; `same` if heads are to be
 * checked on the way, which only makes sense when all is there. */
static void read_stream(const struct input *input, const char *data, const size_t *gaps,
                        size_t gaps_count, struct http1_same *same, struct answers *answers)
{
    struct http1_client client;
    size_t used = 0, there = 0, gap = 0;

    answers->count = 0;
    http1_client_init(&client, input->asked, input->head_bytes_max);
    do {
        size_t now;

        there += min_u64(gaps[gap], input->len - there);
        if (gap + 1 < gaps_count) gap++;
        HIDE(data, used);
        SHOW(data + used, there - used);
        HIDE(data + there, input->len - there);
        do {
            if (same != NULL && client.state == CLIENT_HEAD && client.head_seen == 0) {
                check_head(input, data + used, there - used, same);
            }
            now = http1_client_feed(&client, data + used, there - used);
            MUST(now <= there - used);
            used += now;
            if (client.verdict == HTTP1_DONE && client.framing.reusable && used < input->len &&
                answers->count < ANSWERS_MAX - 1) {
                answers->at[answers->count++] = answer_of(&client, used);
                http1_client_init(&client, input->asked, input->head_bytes_max);
                now = there - used;
            }
        } while (now > 0 && client.verdict == HTTP1_MORE);
    } while (client.verdict == HTTP1_MORE && there < input->len);
    http1_client_eof(&client);
    answers->at[answers->count++] = answer_of(&client, used);
    SHOW(data, input->len);
}

static void check_equal(const struct answers *a, const struct answers *b)
{
    MUST(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        MUST(a->at[i].verdict == b->at[i].verdict);
        MUST(a->at[i].status == b->at[i].status);
        MUST(a->at[i].interims == b->at[i].interims);
        MUST(a->at[i].body == b->at[i].body);
        MUST(a->at[i].reusable == b->at[i].reusable);
        MUST(a->at[i].conflict == b->at[i].conflict);
        MUST(a->at[i].body_bytes == b->at[i].body_bytes);
        MUST(a->at[i].body_sum == b->at[i].body_sum);
        MUST(a->at[i].end == b->at[i].end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t whole[] = {SIZE_MAX}, bytes[] = {1};
    struct http1_same same = {0};
    struct answers first, other;
    struct input input;
    char *copy;

    if (!decode(data, len, &input)) return 0;
    copy = fuzz_copy(input.data, input.len);
    read_stream(&input, copy, whole, 1, &same, &first);
    read_stream(&input, copy, bytes, 1, NULL, &other);
    check_equal(&first, &other);
    if (input.gaps_count > 0) {
        input.gaps[input.gaps_count] = SIZE_MAX;
        read_stream(&input, copy, input.gaps, input.gaps_count + 1, NULL, &other);
        check_equal(&first, &other);
    }
    fuzz_free(copy);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    static const char *const verdicts[] = {"done", "more", "bad", "bad_framing", "too_large"};
    static const size_t whole[] = {SIZE_MAX};
    struct answers answers;
    struct input input;

    if (!decode(data, len, &input)) return;
    read_stream(&input, input.data, whole, 1, NULL, &answers);
    for (size_t i = 0; i < answers.count; i++) {
        const struct answer *answer = &answers.at[i];

        (void)printf("%s status=%d interims=%u body=%llu reusable=%d conflict=%d end=",
                     verdicts[answer->verdict], answer->status, answer->interims,
                     (unsigned long long)answer->body_bytes, answer->reusable, answer->conflict);
        if (answer->body == HTTP1_BODY_CHUNKED && answer->verdict > HTTP1_MORE) {
            (void)printf("?\n"); /* Which byte is the wrong one the reference does not say. */
        } else {
            (void)printf("%zu\n", answer->end);
        }
    }
}
