/* What a session promises: a handshake and data in pieces of any size, all output in the send
 * buffer, and a name for every way in which it can end. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/tls_pair.h"

static const char hello[] = "GET / HTTP/1.1\r\n\r\n";

static void start(struct pair *pair)
{
    pair_init_usual(pair);
    pair_open(pair);
    pair_run(pair);
    EXPECT(pair_is_up(pair));
}

static void expect_failed(const struct pair_side *side, enum tls_err err)
{
    if (side->result != TLS_FAILED || side->session.err != err) {
        (void)fprintf(stderr, "result %d, %s (%s)\n", side->result,
                      tls_err_names[side->session.err], side->session.detail);
    }
    EXPECT(side->result == TLS_FAILED && side->session.failed);
    EXPECT(side->session.err == err);
}

static void test_tls_session_agrees_and_says_on_what(void)
{
    struct pair pair;
    struct tls_facts facts;

    start(&pair);
    facts = tls_facts(&pair.client.session);
    EXPECT(strcmp(facts.version, "TLSv1.3") == 0);
    EXPECT(strncmp(facts.cipher, "TLS_AES_256_GCM", 15) == 0);
    EXPECT(strcmp(facts.group, "x25519") == 0 || strcmp(facts.group, "X25519") == 0);
    EXPECT(!facts.resumed && facts.verified);
    EXPECT(!tls_facts(&pair.server.session).verified);
    pair_release(&pair);
}

static void test_tls_session_names_version_and_cipher_of_1_2(void)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();
    struct pair pair;
    struct tls_facts facts;

    client.version_max = TLS_1_2;
    client.ciphers = "ECDHE-RSA-CHACHA20-POLY1305";
    server.cert_file = CERTS "rsa.pem";
    server.key_file = CERTS "rsa.key";
    client.groups = "P-384";
    pair_init(&pair, &client, &server, "good.test");
    pair_open(&pair);
    pair_run(&pair);
    EXPECT(pair_is_up(&pair));
    facts = tls_facts(&pair.client.session);
    EXPECT(strcmp(facts.version, "TLSv1.2") == 0);
    EXPECT(strcmp(facts.cipher, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256") == 0);
    EXPECT(strcmp(facts.group, "secp384r1") == 0);
    pair_release(&pair);
}

static void test_tls_session_carries_data_both_ways(void)
{
    struct pair pair;

    start(&pair);
    pair_say(&pair.client, &pair.server, hello, sizeof(hello));
    pair_say(&pair.server, &pair.client, "200", 3);
    pair_run(&pair);
    EXPECT(pair.server.plain_len == sizeof(hello));
    EXPECT(memcmp(pair.server.plain, hello, sizeof(hello)) == 0);
    EXPECT(pair.client.plain_len == 3 && memcmp(pair.client.plain, "200", 3) == 0);
    pair_release(&pair);
}

/* The whole connection in pieces of one size, 1.2 and 1.3. */
static void run_in_pieces(size_t piece_bytes, size_t room_bytes, uint16_t version_max)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();
    static char body[40000];
    struct pair pair;

    client.version_max = version_max;
    pair_init(&pair, &client, &server, "good.test");
    pair.client.piece_bytes = pair.server.piece_bytes = piece_bytes;
    pair.client.room_bytes = pair.server.room_bytes = room_bytes;
    pair_open(&pair);
    pair_run(&pair);
    EXPECT(pair_is_up(&pair));
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * 31 % 251);
    }
    if (pair.client.room_bytes <= TLS_OVERHEAD_BYTES) pair.client.room_bytes = 1024;
    if (pair.server.room_bytes <= TLS_OVERHEAD_BYTES) pair.server.room_bytes = 1024;
    pair_say(&pair.client, &pair.server, hello, sizeof(hello));
    pair_run(&pair);
    pair_say(&pair.server, &pair.client, body, sizeof(body));
    pair_run(&pair);
    EXPECT(pair.server.plain_len == sizeof(hello));
    EXPECT(pair.client.plain_len == sizeof(body));
    EXPECT(memcmp(pair.client.plain, body, sizeof(body)) == 0);
    pair_release(&pair);
}

static void test_tls_session_reads_pieces_of_any_size(void)
{
    static const size_t pieces[] = {1, 2, 3, 5, 6, 7, 16, 100, 517, 1024, 4096, 16384, SIZE_MAX};

    for (size_t i = 0; i < COUNT(pieces); i++) {
        run_in_pieces(pieces[i], 16 * 1024, TLS_1_3);
        run_in_pieces(pieces[i], 16 * 1024, TLS_1_2);
    }
}

static void test_tls_session_writes_into_room_of_any_size(void)
{
    static const size_t rooms[] = {1, 5, 64, TLS_OVERHEAD_BYTES, TLS_OVERHEAD_BYTES + 1, 500, 4096};

    for (size_t i = 0; i < COUNT(rooms); i++) {
        run_in_pieces(SIZE_MAX, rooms[i], TLS_1_3);
        run_in_pieces(SIZE_MAX, rooms[i], TLS_1_2);
    }
}

/* A record of the server split at every byte into two pieces. */
static void test_tls_session_reads_a_record_split_at_every_byte(void)
{
    struct pair pair;

    start(&pair);
    for (size_t at = 1; at < 60; at++) {
        struct pair_side *client = &pair.client;
        size_t before = client->plain_len;
        struct pair_out out;
        size_t got = 0;

        pair_say(&pair.server, client, "HTTP/1.1 204 No Content\r\n\r\n", 27);
        if (at >= client->inbox_len - client->inbox_at) break;
        tls_feed(&client->session, client->inbox + client->inbox_at, at);
        EXPECT(tls_read(&client->session, pair_out(&out, client), client->plain, 100, &got) ==
               TLS_MORE);
        EXPECT(got == 0 && out.out.len == 0);
        client->inbox_at += at;
        pair_run(&pair);
        EXPECT(client->plain_len == before + 27);
    }
    pair_release(&pair);
}

static void test_tls_session_reads_many_records_of_one_byte(void)
{
    struct pair pair;

    start(&pair);
    for (int i = 0; i < 1000; i++) {
        pair_say(&pair.server, &pair.client, "x", 1);
    }
    pair_run(&pair);
    EXPECT(pair.client.plain_len == 1000 && pair.client.result == TLS_MORE);
    pair_release(&pair);
}

static void test_tls_session_reads_into_small_buffers(void)
{
    struct pair pair;
    struct pair_side *client = &pair.client;
    char plain[7];
    size_t got = 0, sum = 0;
    struct pair_out out;
    enum tls_result result;

    start(&pair);
    pair_say(&pair.server, client, hello, sizeof(hello));
    tls_feed(&client->session, client->inbox + client->inbox_at,
             client->inbox_len - client->inbox_at);
    while ((result = tls_read(&client->session, pair_out(&out, client), plain, sizeof(plain),
                              &got)) == TLS_DONE) {
        EXPECT(got > 0 && memcmp(plain, hello + sum, got) == 0);
        sum += got;
    }
    EXPECT(result == TLS_MORE && sum == sizeof(hello));
    client->inbox_at = client->inbox_len;
    pair_release(&pair);
}

static void key_update(struct pair_side *side, struct pair_side *peer, int kind)
{
    EXPECT(SSL_key_update(side->session.ssl, kind) == 1);
    pair_say(side, peer, "u", 1); /* Goes out with the next record. */
}

/* The answer goes before the next record written (RFC 8446 section 4.6.3). */
static void test_tls_session_goes_on_over_key_updates_both_ways(void)
{
    struct pair pair;

    start(&pair);
    for (int i = 0; i < 20; i++) {
        key_update(&pair.server, &pair.client, SSL_KEY_UPDATE_REQUESTED);
        pair_run(&pair);
        pair_say(&pair.client, &pair.server, "a", 1);
        pair_run(&pair);
        key_update(&pair.client, &pair.server, SSL_KEY_UPDATE_REQUESTED);
        key_update(&pair.client, &pair.server, SSL_KEY_UPDATE_NOT_REQUESTED);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
    }
    pair_say(&pair.server, &pair.client, hello, sizeof(hello));
    pair_run(&pair);
    EXPECT(memcmp(pair.client.plain + pair.client.plain_len - sizeof(hello), hello,
                  sizeof(hello)) == 0);
    pair_release(&pair);
}

/* Many requests at once deserve one answer. */
static void test_tls_session_is_not_drowned_by_key_updates(void)
{
    struct pair pair;
    size_t before;

    start(&pair);
    for (int i = 0; i < 2000; i++) {
        key_update(&pair.server, &pair.client, SSL_KEY_UPDATE_REQUESTED);
    }
    pair_run(&pair);
    before = pair.server.inbox_len;
    pair_say(&pair.client, &pair.server, "a", 1);
    EXPECT(pair.server.inbox_len - before < 200);
    pair_run(&pair);
    EXPECT(pair_is_up(&pair) && pair.server.plain_len == 1);
    pair_release(&pair);
}

static void ask_renegotiation(struct pair *pair)
{
    struct pair_out out;
    SSL *ssl = pair->server.session.ssl;

    (void)SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    EXPECT(SSL_renegotiate(ssl) == 1);
    pair->server.session.out = pair_out(&out, &pair->server);
    EXPECT(SSL_do_handshake(ssl) == 1); /* Asks, and waits for nothing. */
    pair->server.session.out = NULL;
    pair_deliver(&pair->server, &out, &pair->client);
}

static void start_1_2(struct pair *pair)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();

    client.version_max = TLS_1_2;
    pair_init(pair, &client, &server, "good.test");
    pair_open(pair);
    pair_run(pair);
    EXPECT(pair_is_up(pair));
}

static void test_tls_session_refuses_renegotiation(void)
{
    struct pair pair;

    start_1_2(&pair);
    ask_renegotiation(&pair);
    (void)pair_turn(&pair.client, &pair.server);
    EXPECT(pair.client.result == TLS_MORE && !pair.client.session.failed);
    EXPECT(pair.server.inbox_at < pair.server.inbox_len); /* It was told no. */
    pair_release(&pair);
}

/* A peer that asks for what must be answered, again and again, and takes no answer. */
static void test_tls_session_ends_a_flood(void)
{
    struct pair pair;
    struct pair_side *client = &pair.client;
    char room[1];
    struct tls_out out = {.data = room, .size = 0};
    size_t got = 0;

    start_1_2(&pair);
    for (int i = 0; i < 20000 && client->result != TLS_FAILED; i++) {
        client->inbox_at = client->inbox_len = 0;
        ask_renegotiation(&pair);
        tls_feed(&client->session, client->inbox, client->inbox_len);
        client->result = tls_read(&client->session, &out, client->plain, PAIR_PLAIN_BYTES, &got);
        EXPECT(client->result != TLS_DONE);
    }
    expect_failed(client, TLS_ERR_FLOOD);
    pair_release(&pair);
}

static void test_tls_session_closes_cleanly(void)
{
    struct pair pair;
    struct pair_out out;

    start(&pair);
    tls_shutdown(&pair.server.session, pair_out(&out, &pair.server));
    EXPECT(out.out.len > 0);
    pair_deliver(&pair.server, &out, &pair.client);
    tls_shutdown(&pair.server.session, pair_out(&out, &pair.server));
    EXPECT(out.out.len == 0); /* Once is enough. */
    pair_run(&pair);
    EXPECT(pair.client.result == TLS_CLOSED);
    EXPECT(tls_eof(&pair.client.session) == TLS_CLOSED);
    pair_release(&pair);
}

static void test_tls_session_forgets_what_comes_after_the_close(void)
{
    struct pair pair;
    struct pair_out out;
    size_t got = 0;

    start(&pair);
    tls_shutdown(&pair.server.session, pair_out(&out, &pair.server));
    pair_deliver(&pair.server, &out, &pair.client);
    memcpy(pair.client.inbox + pair.client.inbox_len, "rubbish", 7);
    pair.client.inbox_len += 7;
    pair_run(&pair);
    EXPECT(pair.client.result == TLS_CLOSED && pair.client.session.in_len == 0);
    tls_feed(&pair.client.session, "more", 4);
    EXPECT(tls_read(&pair.client.session, pair_out(&out, &pair.client), pair.client.plain, 10,
                    &got) == TLS_CLOSED);
    EXPECT(tls_read(&pair.client.session, pair_out(&out, &pair.client), pair.client.plain, 10,
                    &got) == TLS_CLOSED);
    pair_release(&pair);
}

static void test_tls_session_calls_a_close_without_notice_unclean(void)
{
    struct pair pair;

    start(&pair);
    EXPECT(tls_eof(&pair.client.session) == TLS_FAILED);
    EXPECT(pair.client.session.err == TLS_ERR_UNCLEAN_CLOSE);
    EXPECT(tls_eof(&pair.client.session) == TLS_FAILED);
    pair_release(&pair);
}

/* The server's flights are cut after every byte, and then the connection ends. */
static void test_tls_session_names_a_close_in_the_handshake(void)
{
    static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_options client = pair_client_options(), server = pair_server_options();
        struct pair pair;
        size_t cut = 0;
        bool up = false;

        client.version_max = versions[i];
        pair_init(&pair, &client, &server, "good.test");
        for (cut = 0; !up; cut++) {
            struct pair_side *side = &pair.client;

            pair_open(&pair);
            (void)pair_turn(side, &pair.server);
            while (side->result == TLS_MORE && side->inbox_at < cut) {
                (void)pair_turn(&pair.server, side);
                if (side->inbox_at == side->inbox_len) break;
                if (side->inbox_len > cut) side->inbox_len = cut;
                (void)pair_turn(side, &pair.server);
            }
            up = side->session.established;
            if (up) break;
            EXPECT(tls_eof(&side->session) == TLS_FAILED);
            EXPECT(side->session.err == TLS_ERR_HANDSHAKE_CLOSED);
        }
        EXPECT(cut > 100);
        pair_release(&pair);
    }
}

static void feed_client(struct pair *pair, const char *data, size_t len)
{
    pair_open(pair);
    (void)pair_turn(&pair->client, &pair->server);
    memcpy(pair->client.inbox, data, len);
    pair->client.inbox_len = len;
    (void)pair_turn(&pair->client, &pair->server);
}

static void test_tls_session_knows_what_is_not_tls(void)
{
    static const struct {
        const char *name, *data;
        size_t len;
        enum tls_err err;
    } rows[] = {
        {"plain HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, TLS_ERR_NOT_TLS},
        {"zeros", "\0\0\0\0\0\0\0\0\0\0", 10, TLS_ERR_NOT_TLS},
        {"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", 23, TLS_ERR_NOT_TLS},
        {"like a handshake", "\x16rubbish that goes on", 21, TLS_ERR_NOT_TLS},
        {"like a record", "\x16\x03\x03\xff\xff", 5, TLS_ERR_BAD_RECORD},
        {"an alert", "\x15\x03\x03\x00\x02\x02\x28", 7, TLS_ERR_NO_SHARED_CIPHER},
        {"an alert of an old server", "\x15\x03\x01\x00\x02\x02\x46", 7, TLS_ERR_NO_SHARED_VERSION},
        {"its own alert", "\x15\x03\x03\x00\x02\x02\x50", 7, TLS_ERR_ALERT},
        {"unknown name", "\x15\x03\x03\x00\x02\x02\x70", 7, TLS_ERR_NAME_REFUSED},
        {"data first", "\x17\x03\x03\x00\x02hi", 7, TLS_ERR_NOT_TLS},
        {"a notice of the end", "\x15\x03\x03\x00\x02\x01\x00", 7, TLS_ERR_HANDSHAKE_CLOSED},
    };
    struct pair pair;

    pair_init_usual(&pair);
    for (size_t i = 0; i < COUNT(rows); i++) {
        feed_client(&pair, rows[i].data, rows[i].len);
        if (pair.client.result != TLS_FAILED || pair.client.session.err != rows[i].err) {
            (void)fprintf(stderr, "%s\n", rows[i].name);
        }
        expect_failed(&pair.client, rows[i].err);
    }
    pair_release(&pair);
}

/* Any single byte of a record that is changed is noticed. */
static void test_tls_session_notices_a_damaged_record(void)
{
    struct pair pair;

    pair_init_usual(&pair);
    for (size_t at = 5; at < 40; at += 5) {
        pair_open(&pair);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
        pair_say(&pair.server, &pair.client, hello, sizeof(hello));
        pair.client.inbox[pair.client.inbox_at + at] ^= 1;
        pair_run(&pair);
        expect_failed(&pair.client, TLS_ERR_BAD_RECORD);
        EXPECT(pair.client.plain_len == 0);
        EXPECT(pair.server.result == TLS_FAILED); /* The alert got through. */
    }
    pair_release(&pair);
}

/* What another connection left in the error queue of the thread is not ours. */
static void test_tls_session_is_not_charged_for_the_errors_of_others(void)
{
    struct pair good, bad;

    start(&good);
    pair_init_usual(&bad);
    for (int i = 0; i < 50; i++) {
        feed_client(&bad, "HTTP/1.1 400 no\r\n\r\n", 19);
        EXPECT(bad.client.result == TLS_FAILED);
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
        pair_say(&good.server, &good.client, hello, sizeof(hello));
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
        pair_run(&good);
        EXPECT(pair_is_up(&good) && good.client.result == TLS_MORE);
    }
    EXPECT(good.client.plain_len == 50 * sizeof(hello));
    pair_release(&good);
    pair_release(&bad);
}

static void test_tls_session_can_be_closed_at_any_time(void)
{
    struct tls_session never = {0};
    struct pair pair;
    struct pair_out out;

    tls_close(&never);
    tls_shutdown(&never, NULL);
    pair_init_usual(&pair);
    pair_open(&pair);
    tls_shutdown(&pair.client.session, pair_out(&out, &pair.client));
    EXPECT(out.out.len == 0); /* Nothing to say before the handshake. */
    pair_call(&pair.client, &pair.server);
    pair_close(&pair);
    pair_close(&pair);
    pair_release(&pair);
}

int main(void)
{
    TEST(test_tls_session_agrees_and_says_on_what);
    TEST(test_tls_session_names_version_and_cipher_of_1_2);
    TEST(test_tls_session_carries_data_both_ways);
    TEST(test_tls_session_reads_pieces_of_any_size);
    TEST(test_tls_session_writes_into_room_of_any_size);
    TEST(test_tls_session_reads_a_record_split_at_every_byte);
    TEST(test_tls_session_reads_many_records_of_one_byte);
    TEST(test_tls_session_reads_into_small_buffers);
    TEST(test_tls_session_goes_on_over_key_updates_both_ways);
    TEST(test_tls_session_is_not_drowned_by_key_updates);
    TEST(test_tls_session_ends_a_flood);
    TEST(test_tls_session_closes_cleanly);
    TEST(test_tls_session_forgets_what_comes_after_the_close);
    TEST(test_tls_session_calls_a_close_without_notice_unclean);
    TEST(test_tls_session_names_a_close_in_the_handshake);
    TEST(test_tls_session_knows_what_is_not_tls);
    TEST(test_tls_session_notices_a_damaged_record);
    TEST(test_tls_session_refuses_renegotiation);
    TEST(test_tls_session_is_not_charged_for_the_errors_of_others);
    TEST(test_tls_session_can_be_closed_at_any_time);
    return 0;
}
