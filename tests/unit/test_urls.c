/* What figures by URL promise: those of several workers add up, under the URL and not under its
 * place, and the reports say of a URL what is known of it and nothing else. */
#include "core/report_urls.h"

#include <stdio.h>
#include <string.h>

#include "core/result_urls.h"
#include "tests/golden.h"
#include "tests/test.h"

enum { WORKERS = 2, URLS = 3 };

static struct arena arena;

struct rig {
    struct plan plan;
    struct plan_request requests[PLAN_URLS_MAX];
    char urls[PLAN_URLS_MAX][40];
    struct stats_urls workers[WORKERS];
    struct result result;
};

static void fill(struct rig *rig)
{
    const struct stats_urls *workers[WORKERS] = {&rig->workers[0], &rig->workers[1]};

    rig->result.plan = &rig->plan;
    EXPECT(result_urls_fill(&rig->result, workers, WORKERS, &arena));
}

static void rig_open(struct rig *rig, uint32_t count)
{
    *rig = (struct rig){.plan = {.requests = rig->requests, .requests_count = count}};
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(rig->urls[i], sizeof(rig->urls[i]), "http://host-%u/", i);
        rig->requests[i] = (struct plan_request){.url = rig->urls[i], .weight = i + 1};
    }
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(stats_urls_init(&rig->workers[i], &arena, count));
        EXPECT(rig->workers[i].count == count);
    }
}

/* The first URL is well, of the second a tenth is lost, of the third nothing is known. */
static void run_three(struct rig *rig)
{
    rig_open(rig, URLS);
    for (uint64_t w = 0; w < WORKERS; w++) {
        struct stats_url *urls = rig->workers[w].list;

        urls[0] = (struct stats_url){.from_due = urls[0].from_due,
                                     .from_sent = urls[0].from_sent,
                                     .due = 60000,
                                     .warmup = 10000,
                                     .started = 60000,
                                     .ok = 60000};
        urls[1] = (struct stats_url){.from_due = urls[1].from_due,
                                     .from_sent = urls[1].from_sent,
                                     .due = 1000,
                                     .shed = 10,
                                     .missed = 15,
                                     .started = 975,
                                     .ok = 900,
                                     .failed = 70,
                                     .cut_off = 5};
        urls[2] = (struct stats_url){.from_due = urls[2].from_due,
                                     .from_sent = urls[2].from_sent,
                                     .due = 5 + w,
                                     .started = 5 + w,
                                     .failed = 5 + w};
        for (uint64_t i = 1; i <= 50000; i++) {
            stats_url_record(&urls[0], i * NS_PER_US + w, i * 500, 1);
        }
        for (uint64_t i = 1; i <= 900; i++) {
            stats_url_record(&urls[1], i * 100 * NS_PER_US, i * NS_PER_US, 1);
        }
    }
    fill(rig);
}

static struct rig rig;

static void test_urls_add_up_over_workers(void)
{
    const struct result_url *urls;

    run_three(&rig);
    urls = rig.result.urls;
    EXPECT(urls[0].due == 120000 && urls[0].warmup == 20000 && urls[0].ok == 120000);
    EXPECT(urls[0].from_due.count == 100000);
    EXPECT(urls[0].from_due.max_ns == 50 * NS_PER_MS + 1);
    EXPECT(urls[0].from_due.p50_ns > 24900 * NS_PER_US);
    EXPECT(urls[0].from_due.p50_ns < 25100 * NS_PER_US);
    EXPECT(urls[0].from_sent.max_ns == 25 * NS_PER_MS);
    EXPECT(urls[0].left_out == 0);
    EXPECT(urls[1].shed == 20 && urls[1].missed == 30 && urls[1].started == 1950);
    EXPECT(urls[1].ok == 1800 && urls[1].failed == 140 && urls[1].cut_off == 10);
    EXPECT(urls[1].measured == 2000 && urls[1].left_out == 200);
    EXPECT(result_url_left_out(&urls[1]) > 0.0999 && result_url_left_out(&urls[1]) < 0.1001);
    EXPECT(urls[2].due == 11 && urls[2].left_out == 11);
    EXPECT(urls[2].from_due.count == 0 && urls[2].from_due.max_ns == 0);
}

static void test_urls_read_as_the_golden_files_do(void)
{
    struct text text;
    struct json json;

    run_three(&rig);
    text_init(&text, &arena);
    report_urls(&rig.result, false, &text);
    golden_expect("urls.txt", &text);
    text_init(&text, &arena);
    json_init(&json, &text, false);
    json_object(&json);
    report_urls_json(&rig.result, &json);
    json_end(&json);
    golden_expect("urls.json", &text);
}

static void test_urls_have_no_word_when_there_is_one(void)
{
    const struct stats_urls none = {.count = 0};
    const struct stats_urls *workers[] = {&none};
    struct result result = {.plan = &rig.plan};
    struct text text;
    struct json json;

    EXPECT(result_urls_fill(&result, workers, 1, &arena));
    EXPECT(result.urls == NULL);
    text_init(&text, &arena);
    report_urls(&result, true, &text);
    EXPECT(text.len == 0);
    json_init(&json, &text, true);
    json_object(&json);
    report_urls_json(&result, &json);
    json_end(&json);
    EXPECT(strstr(text.data, "per_url") == NULL);
}

static size_t count_lines(const struct text *text)
{
    size_t count = 0;

    for (size_t i = 0; i < text->len; i++) {
        count += text->data[i] == '\n';
    }
    return count;
}

static void test_urls_of_a_long_list_are_all_shown_when_asked_for(void)
{
    static const struct {
        uint32_t count;
        size_t lines, all; /* A heading, and where some are left away, a word of that. */
    } rows[] = {{2, 3, 3}, {20, 21, 21}, {21, 22, 22}, {PLAN_URLS_MAX, 22, PLAN_URLS_MAX + 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text text;

        rig_open(&rig, rows[i].count);
        fill(&rig);
        text_init(&text, &arena);
        report_urls(&rig.result, false, &text);
        EXPECT(count_lines(&text) == rows[i].lines);
        text_init(&text, &arena);
        report_urls(&rig.result, true, &text);
        EXPECT(count_lines(&text) == rows[i].all);
    }
}

/* More URLs than the bound on pages: what finds no page is counted and nothing else. */
static void test_urls_count_what_finds_no_memory(void)
{
    struct stats_url *url;

    rig_open(&rig, PLAN_URLS_MAX);
    rig.workers[0].slab.pages_used = rig.workers[0].slab.pages_count;
    url = &rig.workers[0].list[7];
    url->due = url->started = url->ok = 1;
    stats_url_record(url, NS_PER_MS, NS_PER_MS, 1);
    fill(&rig);
    EXPECT(rig.result.urls[7].from_due.count == 1);
    EXPECT(rig.result.urls[7].from_due.unplaced == 1);
    EXPECT(rig.result.urls[7].left_out == 1);
}

static void test_urls_say_when_there_is_no_memory(void)
{
    const struct stats_urls *workers[] = {&rig.workers[0]};
    struct stats_urls urls;
    struct arena small;

    rig_open(&rig, URLS);
    rig.result.plan = &rig.plan;
    for (size_t bytes = 1; bytes < 2000000; bytes = bytes * 3) {
        arena_init(&small, bytes);
        EXPECT(!stats_urls_init(&urls, &small, URLS));
        arena_release(&small);
        if (bytes > 500000) continue;
        arena_init(&small, bytes);
        EXPECT(!result_urls_fill(&rig.result, workers, 1, &small));
        arena_release(&small);
    }
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_urls_add_up_over_workers);
    TEST(test_urls_read_as_the_golden_files_do);
    TEST(test_urls_have_no_word_when_there_is_one);
    TEST(test_urls_of_a_long_list_are_all_shown_when_asked_for);
    TEST(test_urls_count_what_finds_no_memory);
    TEST(test_urls_say_when_there_is_no_memory);
    arena_release(&arena);
    return 0;
}
