/* Which connections resume an earlier one, as both ends count it. */
#include <openssl/ssl.h>

#include "tests/tls_pair.h"

static void init(struct pair *pair, const struct tls_options *changes, uint16_t version_max)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();

    client.resume = changes->resume;
    client.resume_percent = changes->resume_percent;
    client.sessions_max = changes->sessions_max;
    client.version_max = version_max;
    pair_init(pair, &client, &server, "good.test");
}

/* One connection after the other; how many were resumed. */
static int connect_times(struct pair *pair, int times)
{
    int resumed = 0;

    for (int i = 0; i < times; i++) {
        pair_open(pair);
        pair_run(pair);
        EXPECT(pair_is_up(pair));
        EXPECT(pair->client.session.resumed == pair->server.session.resumed);
        EXPECT(tls_facts(&pair->client.session).resumed == pair->client.session.resumed);
        resumed += pair->client.session.resumed;
    }
    return resumed;
}

static void test_tls_resume_all_that_can(void)
{
    struct tls_options changes = {.resume = TLS_RESUME_TICKETS, .sessions_max = 16};
    struct pair pair;

    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        init(&pair, &changes, (uint16_t)version);
        EXPECT(connect_times(&pair, 20) == 19);
        pair_release(&pair);
    }
}

static void test_tls_resume_none(void)
{
    struct tls_options changes = {.resume = TLS_RESUME_FULL, .sessions_max = 16};
    struct pair pair;

    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        init(&pair, &changes, (uint16_t)version);
        EXPECT(connect_times(&pair, 20) == 0);
        EXPECT(tls_target_tickets(pair.target) == 0);
        pair_release(&pair);
    }
}

static void test_tls_resume_a_share(void)
{
    static const int percents[] = {0, 1, 33, 50, 80, 100};

    for (size_t i = 0; i < COUNT(percents); i++) {
        struct tls_options changes = {
            .resume = TLS_RESUME_MIX, .resume_percent = (uint32_t)percents[i], .sessions_max = 16};
        struct pair pair;

        init(&pair, &changes, TLS_1_3);
        (void)connect_times(&pair, 1); /* Brings the first tickets. */
        EXPECT(connect_times(&pair, 100) == percents[i]);
        pair_release(&pair);
    }
}

/* A ticket of TLS 1.3 is offered once: two were given, and connections that end before new ones
 * come resume twice only. */
static void test_tls_resume_uses_a_ticket_of_1_3_once(void)
{
    struct tls_options changes = {.sessions_max = 16};
    struct pair pair;

    init(&pair, &changes, TLS_1_3);
    EXPECT(connect_times(&pair, 1) == 0);
    EXPECT(tls_target_tickets(pair.target) == 2);
    for (int i = 0; i < 3; i++) {
        pair_open(&pair); /* Closed before anything has come back. */
        EXPECT(tls_target_tickets(pair.target) == (i == 0 ? 1 : 0));
    }
    EXPECT(connect_times(&pair, 1) == 0);
    pair_release(&pair);
}

static void test_tls_resume_offers_a_session_of_1_2_again_and_again(void)
{
    struct tls_options changes = {.sessions_max = 16};
    struct pair pair;

    init(&pair, &changes, TLS_1_2);
    EXPECT(connect_times(&pair, 1) == 0);
    for (int i = 0; i < 5; i++) {
        pair_open(&pair);
        EXPECT(tls_target_tickets(pair.target) == 1);
    }
    EXPECT(connect_times(&pair, 3) == 3);
    EXPECT(tls_target_tickets(pair.target) == 1);
    pair_release(&pair);
}

static void test_tls_resume_keeps_no_more_than_asked(void)
{
    struct tls_options changes = {.resume = TLS_RESUME_MIX, .sessions_max = 3};
    struct pair pair;

    init(&pair, &changes, TLS_1_3);
    EXPECT(connect_times(&pair, 10) == 0);
    EXPECT(tls_target_tickets(pair.target) == 3);
    pair_release(&pair);
    changes = (struct tls_options){.sessions_max = 0};
    init(&pair, &changes, TLS_1_3);
    EXPECT(connect_times(&pair, 10) == 0);
    EXPECT(tls_target_tickets(pair.target) == 0);
    pair_release(&pair);
}

static void test_tls_resume_after_a_close_without_notice(void)
{
    struct tls_options changes = {.sessions_max = 16};
    struct pair pair;

    init(&pair, &changes, TLS_1_3);
    for (int i = 0; i < 5; i++) {
        EXPECT(connect_times(&pair, 1) == (i > 0));
        EXPECT(tls_eof(&pair.client.session) == TLS_FAILED);
    }
    pair_release(&pair);
}

static void test_tls_resume_takes_tickets_that_come_late(void)
{
    struct tls_options changes = {.sessions_max = 16};
    struct pair pair;

    init(&pair, &changes, TLS_1_3);
    (void)connect_times(&pair, 1);
    EXPECT(tls_target_tickets(pair.target) == 2);
    for (int i = 0; i < 3; i++) {
        EXPECT(SSL_new_session_ticket(pair.server.session.ssl) == 1);
        pair_say(&pair.server, &pair.client, "late", 4);
        pair_run(&pair);
    }
    EXPECT(pair.client.plain_len == 12);
    EXPECT(tls_target_tickets(pair.target) == 5);
    pair_release(&pair);
}

/* A server that does not know its tickets any longer. */
static void test_tls_resume_falls_back_to_a_full_handshake(void)
{
    struct tls_options changes = {.sessions_max = 16}, server = pair_server_options();
    struct err_info why;
    struct tls_ctx *other;
    struct pair pair;

    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        init(&pair, &changes, (uint16_t)version);
        EXPECT(connect_times(&pair, 2) == 1);
        pair_close(&pair);
        EXPECT(tls_ctx_new(&other, &pair.arena, &server, &why) == ERR_OK);
        tls_ctx_free(pair.server_ctx);
        pair.server_ctx = other;
        EXPECT(connect_times(&pair, 1) == 0);
        EXPECT(connect_times(&pair, 1) == 1);
        pair_release(&pair);
    }
}

/* Several threads of one server are one server: they share the key of their tickets. */
static void test_tls_resume_between_contexts_of_one_identity(void)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();
    struct tls_identity identity;
    struct tls_ctx *second;
    struct err_info why;
    struct pair pair;

    EXPECT(tls_identity_make(&identity, &why) == ERR_OK);
    client.insecure = true;
    server.cert_file = server.key_file = NULL;
    server.identity = &identity;
    pair_init(&pair, &client, &server, "localhost");
    EXPECT(tls_ctx_new(&second, &pair.arena, &server, &why) == ERR_OK);
    EXPECT(connect_times(&pair, 1) == 0);
    pair_close(&pair);
    tls_ctx_free(pair.server_ctx);
    pair.server_ctx = second;
    EXPECT(connect_times(&pair, 1) == 1);
    pair_release(&pair);
}

static void test_tls_resume_not_where_the_server_gives_no_tickets(void)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();
    struct pair pair;

    server.resume = TLS_RESUME_FULL;
    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        client.version_max = (uint16_t)version;
        pair_init(&pair, &client, &server, "good.test");
        EXPECT(connect_times(&pair, 5) == 0);
        EXPECT(tls_target_tickets(pair.target) == 0);
        pair_release(&pair);
    }
}

int main(void)
{
    TEST(test_tls_resume_all_that_can);
    TEST(test_tls_resume_none);
    TEST(test_tls_resume_a_share);
    TEST(test_tls_resume_uses_a_ticket_of_1_3_once);
    TEST(test_tls_resume_offers_a_session_of_1_2_again_and_again);
    TEST(test_tls_resume_keeps_no_more_than_asked);
    TEST(test_tls_resume_after_a_close_without_notice);
    TEST(test_tls_resume_takes_tickets_that_come_late);
    TEST(test_tls_resume_falls_back_to_a_full_handshake);
    TEST(test_tls_resume_between_contexts_of_one_identity);
    TEST(test_tls_resume_not_where_the_server_gives_no_tickets);
    return 0;
}
