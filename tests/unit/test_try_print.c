/* What `pelt try` prints: requests and answers for people and as JSON, without secrets; what it
 * says of endpoints that were not called; its plan. */
#include "core/try_print.h"

#include <string.h>

#include "core/try_fates.h"
#include "core/try_filter.h"
#include "core/try_plan.h"
#include "tests/golden.h"
#include "tests/unit/try_loaded.h"

#define PATTERN "load_pattern: [{linear: {from: 100%, to: 100%, over: 1m}}]\n"

static const char secretive[] =
    PATTERN "vars: {key: 'p@ss \"w\"', deep: {a: [12345, x1x], b: true}, open: seen}\n"
            "config: {general: {secret: [key, deep]}}\n"
            "endpoints:\n"
            "  - {name: one, method: POST, url: http://h/, peak_load: 1hps}\n";

static const char request[] = "POST /?k=p%40ss+%22w%22&o=seen HTTP/1.1\r\nHost: h\r\n"
                              "Authorization: Basic abc\r\nX-Two: a\r\nX-two: x1x b\r\n\r\n"
                              "{\"k\": \"p@ss \\\"w\\\"\"}";
static const char head[] = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n folded\r\nETag: \"x\"\r\n\r\n";
static const char body[] =
    "{\"n\": 12345, \"list\": [1, \"x1x\", {\"x1x\": 2.50}], \"t\": \"\\u00e4\"}";

static const struct runner_seen seen = {.sent = request,
                                        .sent_len = sizeof(request) - 1,
                                        .head = head,
                                        .head_len = sizeof(head) - 1,
                                        .body = body,
                                        .body_len = sizeof(body) - 1,
                                        .status = 200,
                                        .sent_ns = 1000,
                                        .done_ns = 1251000};

static void expect_text(const struct text *out, const char *wanted)
{
    EXPECT(!out->failed);
    if (strcmp(out->data, wanted) != 0) {
        (void)fprintf(stderr, "got:\n%s\nwanted:\n%s\n", out->data, wanted);
    }
    EXPECT(strcmp(out->data, wanted) == 0);
}

static void expect_printed(const struct try_print *print, const struct runner_seen *what,
                           const char *human, const char *json)
{
    struct arena arena;
    struct text out;

    arena_init(&arena, 0);
    text_init(&out, &arena);
    try_print_human(print, what, &out);
    expect_text(&out, human);
    text_clear(&out);
    try_print_json(print, what, &out);
    expect_text(&out, json);
    arena_release(&arena);
}

/* A test file with secrets, and who prints its exchanges. */
struct rig {
    struct loaded loaded;
    struct try_mask mask;
    struct try_print print;
};

static void rig_open(struct rig *rig, bool show)
{
    loaded_open(&rig->loaded, secretive);
    EXPECT(try_mask_make(&rig->mask, rig->loaded.file, show, &rig->loaded.arena));
    rig->print = (struct try_print){.test = rig->loaded.file, .mask = &rig->mask};
}

static void test_try_print_masks_secrets(void)
{
    struct rig rig;

    rig_open(&rig, false);
    expect_printed(&rig.print, &seen,
                   "Request (one)\n"
                   "========================================\n"
                   "POST /?k=***&o=seen HTTP/1.1\nHost: h\nAuthorization: ***\nX-Two: a\n"
                   "X-two: *** b\n\n{\"k\": \"***\"}\n\n"
                   "Response (RTT: 1.250ms)\n"
                   "========================================\n"
                   "HTTP/1.1 200 OK\nSet-Cookie: ***\n\nETag: \"x\"\n\n"
                   "{\"n\": ***, \"list\": [1, \"***\", {\"***\": 2.50}], \"t\": \"\\u00e4\"}\n\n",
                   "{\"request\":{\"start-line\":\"POST /?k=***&o=seen HTTP/1.1\",\"headers\":"
                   "{\"host\":[\"h\"],\"authorization\":[\"***\"],\"x-two\":[\"a\",\"*** b\"]},"
                   "\"body\":\"{\\\"k\\\": \\\"***\\\"}\"},\"response\":{\"start-line\":"
                   "\"HTTP/1.1 200 OK\",\"headers\":{\"set-cookie\":[\"***\"],\"etag\":"
                   "[\"\\\"x\\\"\"]},\"body\":{\"n\":\"***\",\"list\":[1,\"***\",{\"***\":2.5}],"
                   "\"t\":\"\xc3\xa4\"}},\"stats\":{\"RTT\":1.25}}\n");
    loaded_close(&rig.loaded);
}

static void test_try_print_shows_secrets_when_told(void)
{
    struct rig rig;
    struct text out;

    rig_open(&rig, true);
    text_init(&out, &rig.loaded.arena);
    try_print_human(&rig.print, &seen, &out);
    EXPECT(strstr(out.data, "***") == NULL);
    EXPECT(strstr(out.data, "Authorization: Basic abc\n") != NULL);
    EXPECT(strstr(out.data, "p%40ss+%22w%22") != NULL);
    loaded_close(&rig.loaded);
}

static void test_try_print_leaves_bodies_out(void)
{
    struct rig rig;

    rig_open(&rig, false);
    rig.print.skips_request_body = rig.print.skips_response_body = true;
    expect_printed(&rig.print, &seen,
                   "Request (one)\n"
                   "========================================\n"
                   "POST /?k=***&o=seen HTTP/1.1\nHost: h\nAuthorization: ***\nX-Two: a\n"
                   "X-two: *** b\n\n"
                   "Response (RTT: 1.250ms)\n"
                   "========================================\n"
                   "HTTP/1.1 200 OK\nSet-Cookie: ***\n\nETag: \"x\"\n\n",
                   "{\"request\":{\"start-line\":\"POST /?k=***&o=seen HTTP/1.1\",\"headers\":"
                   "{\"host\":[\"h\"],\"authorization\":[\"***\"],\"x-two\":[\"a\",\"*** b\"]}},"
                   "\"response\":{\"start-line\":\"HTTP/1.1 200 OK\",\"headers\":{\"set-cookie\":"
                   "[\"***\"],\"etag\":[\"\\\"x\\\"\"]}},\"stats\":{\"RTT\":1.25}}\n");
    loaded_close(&rig.loaded);
}

static void test_try_print_says_why_there_is_no_answer(void)
{
    static const char plain[] = "GET / HTTP/1.1\r\n\r\n";
    static const char odd_body[] = "\xff\xfe";
    struct runner_seen failed = {
        .sent = plain, .sent_len = sizeof(plain) - 1, .failed = "connect_refused"};
    struct runner_seen unbuilt = {.failed = "build", .error = "too large"};
    struct runner_seen odd = seen;
    struct rig rig;

    rig_open(&rig, false);
    expect_printed(&rig.print, &failed,
                   "Request (one)\n========================================\nGET / HTTP/1.1\n\n"
                   "Response\n========================================\n"
                   "(none: connection refused)\n\n",
                   "{\"request\":{\"start-line\":\"GET / HTTP/1.1\",\"headers\":{},\"body\":\"\"},"
                   "\"response\":null,\"stats\":{\"RTT\":null},"
                   "\"error\":\"connect_refused\"}\n");
    expect_printed(&rig.print, &unbuilt,
                   "Request (one)\n========================================\n(not built)\n\n"
                   "Response\n========================================\n(none: too large)\n\n",
                   "{\"request\":null,\"response\":null,\"stats\":{\"RTT\":null},"
                   "\"error\":\"too large\"}\n");
    odd.sent = plain;
    odd.sent_len = sizeof(plain) - 1;
    odd.head = "HTTP/1.1 500 No\r\n\r\n";
    odd.head_len = 19;
    odd.body = odd_body;
    odd.body_len = sizeof(odd_body) - 1;
    odd.body_is_cut = true;
    odd.failed = "unexpected";
    expect_printed(&rig.print, &odd,
                   "Request (one)\n========================================\nGET / HTTP/1.1\n\n"
                   "Response (RTT: 1.250ms)\n========================================\n"
                   "HTTP/1.1 500 No\n\n<<binary data>>\n(the rest of the body is too large)\n\n"
                   "(failed: answer is not what was expected)\n\n",
                   "{\"request\":{\"start-line\":\"GET / HTTP/1.1\",\"headers\":{},\"body\":\"\"},"
                   "\"response\":{\"start-line\":\"HTTP/1.1 500 No\",\"headers\":{},\"body\":"
                   "\"<<binary data>>\"},\"stats\":{\"RTT\":1.25},"
                   "\"error\":\"unexpected\"}\n");
    loaded_close(&rig.loaded);
}

static const char chain[] =
    PATTERN "providers: {t: {response: {}}, u: {response: {}}, v: {response: {}}, f: {list: [1]},\n"
            "  never: {response: {}}}\n"
            "endpoints:\n"
            "  - name: a\n    url: http://h/a\n    peak_load: 1hps\n    tags: {kind: login}\n"
            "    provides: {t: {select: 1, where: response.status == 201}, u: {select: 1}}\n"
            "  - {name: b, url: 'http://h/b?${t}', peak_load: 1hps,\n"
            "     provides: {v: {select: 1}}, tags: {kind: 'x${response.status}'}}\n"
            "  - {name: c, url: 'http://h/c?${u}', peak_load: 1hps}\n"
            "  - {name: d, url: 'http://h/d?${v}', peak_load: 1hps}\n"
            "  - {name: e, url: 'http://h/e?${f}', peak_load: 1hps}\n"
            "  - {name: g, url: 'http://h/g?${never}', peak_load: 1hps}\n";

enum { CHAIN = 6 };

static void test_try_plan_says_who_is_called(void)
{
    enum try_role roles[CHAIN] = {TRY_LEFT_OUT, TRY_LEFT_OUT, TRY_LEFT_OUT, TRY_CHOSEN};
    struct loaded loaded;
    struct text out;

    loaded_open(&loaded, chain);
    EXPECT(try_graph_choose(&loaded.graph, roles, false, &loaded.arena));
    text_init(&out, &loaded.arena);
    try_plan_human(&loaded.graph, roles, &out);
    expect_text(&out, "Providers\n"
                      "  `t` (response): fed by `a`, cheapest `a`; read by `b`\n"
                      "  `u` (response): fed by `a`, cheapest `a`; read by `c`\n"
                      "  `v` (response): fed by `b`, cheapest `b`; read by `d`\n"
                      "  `f` (list): fed by itself; read by `e`\n"
                      "  `never` (response): fed by nobody; read by `g`\n"
                      "\n"
                      "Endpoints\n"
                      "  score  role      name\n"
                      "      0  added     `a`\n"
                      "      1  added     `b`\n"
                      "      1  left out  `c`\n"
                      "      2  chosen    `d`\n"
                      "      0  left out  `e`\n"
                      "      -  never     `g` needs `never`, which nobody provides\n");
    text_clear(&out);
    try_plan_json(&loaded.graph, roles, &out);
    EXPECT(strstr(out.data, "{\"name\":\"v\",\"type\":\"response\",\"fed_by\":[\"b\"],"
                            "\"cheapest\":\"b\",\"read_by\":[\"d\"]}") != NULL);
    EXPECT(strstr(out.data, "{\"name\":\"b\",\"score\":1,\"role\":\"added\",\"reads\":[\"t\"]}") !=
           NULL);
    EXPECT(strstr(out.data,
                  "{\"name\":\"g\",\"score\":null,\"role\":\"never\",\"reads\":"
                  "[\"never\"],\"why\":\"`g` needs `never`, which nobody provides\"}") != NULL);
    loaded_close(&loaded);
}

static void test_try_model_is_what_is_run(void)
{
    enum try_role roles[CHAIN] = {TRY_ADDED, TRY_CHOSEN};
    struct loaded loaded;
    struct try_model model;

    loaded_open(&loaded, chain);
    EXPECT(try_model_make(&model, &loaded.graph, roles, false, 5 * NS_PER_S, &loaded.arena));
    EXPECT(model.test.endpoints_count == 2);
    EXPECT(model.roles[0] == TRY_ADDED && model.roles[1] == TRY_CHOSEN);
    EXPECT(model.scores[0] == 0 && model.scores[1] == 1);
    /* Nobody of the run reads u and v. */
    EXPECT(model.test.endpoints[0].provides_count == 1);
    EXPECT(model.test.endpoints[1].provides_count == 0);
    EXPECT(model.test.endpoints[0].provides[0].send == SEND_BLOCK);
    EXPECT(!model.test.endpoints[0].has_peak_load && model.test.endpoints[0].stages_count == 0);
    EXPECT(model.test.duration_ns == 5 * NS_PER_S && model.test.general.workers == 1);
    for (uint32_t i = 0; i < model.test.providers_count; i++) {
        EXPECT(model.test.providers[i].buffer == 1);
    }
    EXPECT(loaded.file->endpoints[0].provides_count == 2);
    loaded_close(&loaded);
}

static void test_try_filters_look_at_tags_and_names(void)
{
    static const struct {
        const char *filter, *taken;
    } rows[] = {
        {"name=b", "b"},     {"name=*", "abcdeg"}, {"name!=b", "acdeg"},
        {"_id=0", "a"},      {"_id=5", "g"},       {"method=GET", "abcdeg"},
        {"method=POST", ""}, {"kind=login", "a"},  {"kind=*", "ab"},
        {"kind!=*", "cdeg"}, {"kind=x*", "b"},     {"kind!=login", "bcdeg"},
        {"url=*/c?*", "c"},  {"none=*", ""},       {"none!=x", "abcdeg"},
    };
    struct loaded loaded;

    loaded_open(&loaded, chain);
    for (size_t r = 0; r < COUNT(rows); r++) {
        char taken[CHAIN + 1] = "";
        struct try_filter filter;
        size_t len = 0;

        EXPECT(try_filter_read(rows[r].filter, &filter));
        for (uint32_t i = 0; i < loaded.file->endpoints_count; i++) {
            bool matches;

            EXPECT(try_filter_matches(&filter, &loaded.file->endpoints[i], i, &loaded.arena,
                                      &matches));
            if (matches) taken[len++] = loaded.file->endpoints[i].name[0];
        }
        if (strcmp(taken, rows[r].taken) != 0) {
            (void)fprintf(stderr, "%s takes %s\n", rows[r].filter, taken);
        }
        EXPECT(strcmp(taken, rows[r].taken) == 0);
    }
    loaded_close(&loaded);
}

/* What is told of a run of a, b, d and e, in which these were the fates. */
static void expect_told(const struct trial_fate *fates, bool *was_fed, bool timed_out,
                        const char *told, uint32_t failed, uint32_t not_called)
{
    enum try_role roles[CHAIN] = {TRY_ADDED, TRY_ADDED, TRY_LEFT_OUT, TRY_CHOSEN, TRY_CHOSEN};
    struct trial_fate own[4];
    struct trial trial = {.fates = own, .was_fed = was_fed};
    struct try_verdict verdict;
    struct loaded loaded;
    struct try_model model;
    struct text out;

    memcpy(own, fates, sizeof(own));
    loaded_open(&loaded, chain);
    EXPECT(try_model_make(&model, &loaded.graph, roles, false, NS_PER_S, &loaded.arena));
    text_init(&out, &loaded.arena);
    text_add_str(&out, "");
    verdict = try_fates_tell(&model, &trial, timed_out, &out);
    if (out.len > 0 || told[0] != '\0') expect_text(&out, told);
    EXPECT(verdict.failed == failed && verdict.not_called == not_called);
    loaded_close(&loaded);
}

enum { A, B, D, E }; /* Their places in the run; t, u, v, f are 0 to 3. */

static void test_try_fates_are_told(void)
{
    struct trial_fate well[4] = {{.asks = 1, .answers = 1},
                                 {.asks = 1, .answers = 1},
                                 {.asks = 1, .answers = 1},
                                 {.asks = 1, .answers = 1}};
    struct trial_fate fates[4];
    bool was_fed[5] = {false};

    expect_told(well, was_fed, false, "", 0, 0);
    memcpy(fates, well, sizeof(well));
    fates[A].answers = fates[A].asks = 1000;
    fates[B] = (struct trial_fate){.asks = 1, .lacks_value = true, .lacked = 0};
    fates[D] = (struct trial_fate){.asks = 1, .lacks_value = true, .lacked = 2};
    fates[E] = (struct trial_fate){.asks = 1, .lacks_value = true, .lacked = 3};
    expect_told(fates, was_fed, false,
                "pelt: not called: `b`: `where` was never true (`t` of `a`, which answered 1,000 "
                "times)\n"
                "pelt: not called: `d`: `v` of `b` never came: that was not called itself\n"
                "pelt: not called: `e`: `f` has no values\n",
                0, 2);
    was_fed[0] = was_fed[2] = was_fed[3] = true;
    fates[A].answers = 1;
    fates[B].answers = 1;
    expect_told(fates, was_fed, false,
                "pelt: not called: `d`: there was no value again (`v` of `b`, which answered "
                "once)\n"
                "pelt: not called: `e`: `f` has no more values\n",
                0, 2);
    fates[A] = (struct trial_fate){.asks = 1, .failures = 1, .failed = "connect_refused"};
    fates[B] = (struct trial_fate){.asks = 1, .is_cut = true};
    expect_told(fates, was_fed, true,
                "pelt: failed: `a`: connection refused\n"
                "pelt: failed: `b`: no answer before the time was over\n"
                "pelt: not called: `d`: `v` of `b` never came: that has not answered in time; the "
                "time was over\n"
                "pelt: not called: `e`: `f` has no more values; the time was over\n",
                2, 2);
}

int main(void)
{
    TEST(test_try_print_masks_secrets);
    TEST(test_try_print_shows_secrets_when_told);
    TEST(test_try_print_leaves_bodies_out);
    TEST(test_try_print_says_why_there_is_no_answer);
    TEST(test_try_plan_says_who_is_called);
    TEST(test_try_model_is_what_is_run);
    TEST(test_try_filters_look_at_tags_and_names);
    TEST(test_try_fates_are_told);
    return 0;
}
