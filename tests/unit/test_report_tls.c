/* What both reports say of TLS, word by word. */
#include "core/report_tls.h"

#include <string.h>

#include "tests/test.h"

static const char usual_text[] =
    "tls          TLSv1.3, TLS_AES_256_GCM_SHA384, x25519: 1,000\n"
    "             TLSv1.2, TLS_RSA_WITH_AES_128_CBC_SHA: 5\n"
    "             otherwise: 2\n"
    "             certificates and names were verified\n"
    "             1,007 handshakes, 900 of them resumed, 3 failed\n"
    "             12 closed by the server without saying so (close_notify)\n";

static const char usual_json[] =
    "{\"tls\":{\"library\":\"OpenSSL 3\",\"verified\":true,\"handshakes\":1007,\"resumed\":900,"
    "\"failed\":3,\"unclean_closes\":12,\"handshakes_per_s\":503.5,"
    "\"agreed\":[{\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
    "\"group\":\"x25519\",\"handshakes\":1000},"
    "{\"version\":\"TLSv1.2\",\"cipher\":\"TLS_RSA_WITH_AES_128_CBC_SHA\",\"handshakes\":5}],"
    "\"agreed_otherwise\":2,\"details\":{\"tls_certificate_invalid\":\"path length\"}}}\n";

static const char failed_text[] = "tls          certificates were not verified (--insecure)\n"
                                  "             0 handshakes, 0 of them resumed, 7 failed\n";

static struct result usual(const struct plan *plan)
{
    struct result result = {
        .plan = plan,
        .tls_library = "OpenSSL 3",
        .warmup_ns = NS_PER_S / 2,
        .span_ns = NS_PER_S,
        .drained_ns = NS_PER_S / 2,
        .ledger = {.handshakes = 1007,
                   .handshakes_resumed = 900,
                   .handshakes_failed = 3,
                   .tls_unclean = 12},
        .tls = {.agreed = {{"TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519", 1000},
                           {"TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", "", 5}},
                .agreed_count = 2,
                .agreed_otherwise = 2},
    };

    result.tls.details[FAILED_TLS_CERT_INVALID] = "path length";
    return result;
}

static void expect_text(const struct result *result, const char *expected)
{
    struct arena arena;
    struct text out;

    arena_init(&arena, 0);
    text_init(&out, &arena);
    report_tls(result, &out);
    if (out.len > 0) (void)fprintf(stderr, "%s", out.data);
    EXPECT(out.len == strlen(expected));
    EXPECT(out.len == 0 || strcmp(out.data, expected) == 0);
    arena_release(&arena);
}

static void expect_json(const struct result *result, const char *expected)
{
    struct arena arena;
    struct text out;
    struct json json;

    arena_init(&arena, 0);
    text_init(&out, &arena);
    json_init(&json, &out, true);
    json_object(&json);
    report_tls_json(result, &json);
    json_end(&json);
    (void)fprintf(stderr, "%s", out.data);
    EXPECT(strcmp(out.data, expected) == 0);
    arena_release(&arena);
}

static void test_report_tls_says_what_was_agreed_on(void)
{
    struct plan_target targets[2] = {{.tls = false}, {.tls = true}};
    struct plan plan = {.targets = targets, .targets_count = 2};
    struct result result = usual(&plan);

    expect_text(&result, usual_text);
    expect_json(&result, usual_json);
}

static void test_report_tls_says_that_nothing_was_agreed_on(void)
{
    struct plan_target target = {.tls = true};
    struct plan plan = {.targets = &target, .targets_count = 1, .tls = {.insecure = true}};
    struct result result = {
        .plan = &plan, .tls_library = "OpenSSL 3", .ledger = {.handshakes_failed = 7}};

    expect_text(&result, failed_text);
}

static void test_report_tls_is_silent_without_tls(void)
{
    struct plan_target target = {.tls = false};
    struct plan plan = {.targets = &target, .targets_count = 1};
    struct result result = usual(&plan);

    expect_text(&result, "");
    expect_json(&result, "{}\n");
}

int main(void)
{
    TEST(test_report_tls_says_what_was_agreed_on);
    TEST(test_report_tls_says_that_nothing_was_agreed_on);
    TEST(test_report_tls_is_silent_without_tls);
    return 0;
}
