/* What is kept of handshakes, and how workers' shares of it add up. */
#include "core/stats_tls.h"

#include <string.h>

#include "core/base/arena.h"
#include "tests/test.h"

struct fixture {
    struct arena arena;
    struct hist_slab slab;
    struct stats_tls tls;
};

static void init(struct fixture *f)
{
    *f = (struct fixture){.tls = {.agreed_count = 0}};
    arena_init(&f->arena, 0);
    EXPECT(hist_slab_init(&f->slab, &f->arena, 2 * HIST_PAGES));
    hist_init(&f->tls.full, &f->slab);
    hist_init(&f->tls.resumed, &f->slab);
}

static struct conn_handshake handshake_of(const char *cipher, bool resumed, bool verified)
{
    return (struct conn_handshake){.begun_ns = 1000,
                                   .ended_ns = 3000,
                                   .why = FAILED_COUNT,
                                   .detail = "",
                                   .facts = {.version = "TLSv1.3",
                                             .cipher = cipher,
                                             .group = "x25519",
                                             .resumed = resumed,
                                             .verified = verified}};
}

static void test_stats_tls_keeps_full_and_resumed_apart(void)
{
    struct fixture f;
    struct conn_handshake full = handshake_of("A", false, true);
    struct conn_handshake resumed = handshake_of("A", true, true);

    init(&f);
    stats_tls_note(&f.tls, &full, true);
    stats_tls_note(&f.tls, &full, false);
    stats_tls_note(&f.tls, &resumed, true);
    stats_tls_note(&f.tls, &resumed, true);
    EXPECT(load_relaxed(&f.tls.full.count) == 1);
    EXPECT(load_relaxed(&f.tls.resumed.count) == 2);
    EXPECT(f.tls.agreed_count == 1 && f.tls.agreed[0].count == 4);
    EXPECT(f.tls.unverified == 0);
    arena_release(&f.arena);
}

static void test_stats_tls_counts_what_was_agreed_on_up_to_a_bound(void)
{
    static const char *const ciphers[] = {"A", "B", "C", "D", "E", "F", "A", "E"};
    struct fixture f;
    struct stats_tls sum = {.agreed_count = 0};

    init(&f);
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        struct conn_handshake handshake = handshake_of(ciphers[i], false, false);

        stats_tls_note(&f.tls, &handshake, false);
    }
    EXPECT(f.tls.agreed_count == STATS_TLS_AGREED_MAX);
    EXPECT(f.tls.agreed[0].count == 2 && f.tls.agreed[3].count == 1);
    EXPECT(f.tls.agreed_otherwise == 3);
    EXPECT(f.tls.unverified == COUNT(ciphers));
    stats_tls_add(&sum, &f.tls);
    stats_tls_add(&sum, &f.tls);
    EXPECT(sum.agreed_count == STATS_TLS_AGREED_MAX && sum.agreed[0].count == 4);
    EXPECT(strcmp(sum.agreed[1].cipher, "B") == 0 && sum.agreed[1].count == 2);
    EXPECT(sum.agreed_otherwise == 6 && sum.unverified == 2 * COUNT(ciphers));
    arena_release(&f.arena);
}

static void test_stats_tls_keeps_the_first_words_of_each_failure(void)
{
    static const char *const words[] = {"", "first", "second"};
    struct stats_tls sum = {.agreed_count = 0};
    struct fixture f;

    init(&f);
    for (size_t i = 0; i < COUNT(words); i++) {
        struct conn_handshake failed = {.why = FAILED_TLS_CERT_INVALID, .detail = words[i]};

        stats_tls_note(&f.tls, &failed, true);
    }
    EXPECT(f.tls.agreed_count == 0);
    EXPECT(strcmp(f.tls.details[FAILED_TLS_CERT_INVALID], "first") == 0);
    stats_tls_add(&sum, &f.tls);
    f.tls.details[FAILED_TLS_CERT_INVALID] = "other";
    stats_tls_add(&sum, &f.tls);
    EXPECT(strcmp(sum.details[FAILED_TLS_CERT_INVALID], "first") == 0);
    arena_release(&f.arena);
}

static void test_stats_tls_has_a_class_for_every_reason(void)
{
    for (int err = 0; err < TLS_ERR_COUNT; err++) {
        enum failed_class why = failed_of_tls((enum tls_err)err);

        EXPECT(strncmp(failed_names[why], "tls_", 4) == 0);
        EXPECT(strcmp(failed_names[why] + 4, tls_err_names[err]) == 0);
        EXPECT(strcmp(failed_texts[why] + 5, tls_err_texts[err]) == 0);
    }
    EXPECT(failed_of_tls(TLS_ERR_NOT_TLS) == FAILED_TLS_NOT_TLS);
    EXPECT(failed_of_tls(TLS_ERR_LOCAL) == FAILED_TLS_LOCAL);
}

int main(void)
{
    TEST(test_stats_tls_keeps_full_and_resumed_apart);
    TEST(test_stats_tls_counts_what_was_agreed_on_up_to_a_bound);
    TEST(test_stats_tls_keeps_the_first_words_of_each_failure);
    TEST(test_stats_tls_has_a_class_for_every_reason);
    return 0;
}
