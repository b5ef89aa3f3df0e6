/* Setting up: what a context takes, and what it says of what it does not take. */
#include <malloc.h>
#include <openssl/ssl.h>

#include "tests/tls_pair.h"

struct row {
    const char *name;
    struct tls_options options;
    enum err err;
    const char *says; /* Somewhere in the message. */
};

static void expect_refused(const struct row *row)
{
    struct arena arena;
    struct err_info why = {0};
    struct tls_ctx *ctx = NULL;
    enum err err;

    arena_init(&arena, 0);
    err = tls_ctx_new(&ctx, &arena, &row->options, &why);
    if (err != row->err || strstr(why.message, row->says) == NULL) {
        (void)fprintf(stderr, "%s: %d '%s'\n", row->name, (int)err, why.message);
    }
    EXPECT(err == row->err && ctx == NULL);
    EXPECT(strstr(why.message, row->says) != NULL);
    arena_release(&arena);
}

static void test_tls_ctx_says_what_is_wrong(void)
{
    static const struct row rows[] = {
        {"no CA file", {.seclevel = -1, .ca_file = "/nowhere/ca.pem"}, ERR_FILE, "/nowhere/ca.pem"},
        {"CA file of no certificate",
         {.seclevel = -1, .ca_file = "Makefile"},
         ERR_FILE,
         "cannot read certificates from 'Makefile'"},
        {"no CRL file",
         {.seclevel = -1, .crl_file = "/nowhere/crl.pem"},
         ERR_FILE,
         "cannot read revocation lists from '/nowhere/crl.pem'"},
        {"no certificate",
         {.seclevel = -1, .cert_file = "/nowhere/c.pem"},
         ERR_FILE,
         "cannot use certificate '/nowhere/c.pem'"},
        {"certificate without key",
         {.seclevel = -1, .cert_file = CERTS "client.pem"},
         ERR_FILE,
         "cannot use key 'build/certs/client.pem'"},
        {"another's key",
         {.seclevel = -1, .cert_file = CERTS "client.pem", .key_file = CERTS "good.key"},
         ERR_FILE,
         "key values mismatch"},
        {"key without certificate",
         {.seclevel = -1, .key_file = CERTS "good.key"},
         ERR_USAGE,
         "has no certificate"},
        {"ciphers", {.seclevel = -1, .ciphers = "NONSENSE"}, ERR_USAGE, "ciphers 'NONSENSE'"},
        {"suites",
         {.seclevel = -1, .ciphersuites = "NONSENSE"},
         ERR_USAGE,
         "cipher suites 'NONSENSE'"},
        {"groups", {.seclevel = -1, .groups = "P-1"}, ERR_USAGE, "groups 'P-1'"},
        {"versions crossed",
         {.seclevel = -1, .version_min = TLS_1_3, .version_max = TLS_1_2},
         ERR_USAGE,
         "above the highest"},
        {"empty protocol", {.seclevel = -1, .alpn = "h2,,http/1.1"}, ERR_USAGE, "'h2,,http/1.1'"},
        {"protocol at the end", {.seclevel = -1, .alpn = "h2,"}, ERR_USAGE, "'h2,'"},
        {"a weak key of our own",
         {.seclevel = 2, .cert_file = CERTS "rsa1024.pem", .key_file = CERTS "rsa1024.key"},
         ERR_FILE,
         "key too small"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_refused(&rows[i]);
    }
}

static void test_tls_ctx_takes_one_version_alone(void)
{
    for (int version = TLS_1_0; version <= TLS_1_3; version++) {
        struct tls_options options = {.seclevel = 0, .version_max = (uint16_t)version};
        struct arena arena;
        struct tls_ctx *ctx;
        struct err_info why;

        arena_init(&arena, 0);
        EXPECT(tls_ctx_new(&ctx, &arena, &options, &why) == ERR_OK);
        tls_ctx_free(ctx);
        options.version_min = (uint16_t)version;
        EXPECT(tls_ctx_new(&ctx, &arena, &options, &why) == ERR_OK);
        tls_ctx_free(ctx);
        arena_release(&arena);
    }
}

/* Every size of arena until all fits. */
static void test_tls_ctx_says_when_memory_is_short(void)
{
    struct tls_options options = {.seclevel = -1, .alpn = "http/1.1", .sessions_max = 1000};
    bool done = false;

    for (size_t bytes = 1; !done; bytes += 500) {
        struct arena arena;
        struct tls_ctx *ctx = NULL;
        struct tls_target *target;
        struct err_info why = {0};
        enum err err;

        arena_init(&arena, bytes);
        err = tls_ctx_new(&ctx, &arena, &options, &why);
        if (err == ERR_OK) err = tls_target_new(&target, ctx, "good.test", NULL, &why);
        EXPECT(err == ERR_OK || err == ERR_MEMORY);
        done = err == ERR_OK;
        tls_ctx_free(ctx);
        arena_release(&arena);
    }
}

static void test_tls_ctx_refuses_hosts_that_are_no_names(void)
{
    static char long_name[300];
    static const char *const hosts[] = {"", ".", "%eth0", long_name};
    struct pair pair;

    memset(long_name, 'a', sizeof(long_name) - 1);
    pair_init_usual(&pair);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct tls_target *target;
        struct err_info why;

        EXPECT(tls_target_new(&target, pair.client_ctx, hosts[i], NULL, &why) == ERR_USAGE);
        EXPECT(strstr(why.message, "no name") != NULL);
    }
    pair_release(&pair);
}

/* What the server is asked for, by host and by an override. */
static void test_tls_ctx_asks_for_names_and_never_for_addresses(void)
{
    static const struct {
        const char *host, *sni, *asked;
    } rows[] = {
        {"good.test", NULL, "good.test"},
        {"good.test.", NULL, "good.test"},
        {"127.0.0.1", NULL, NULL},
        {"::1", NULL, NULL},
        {"127.0.0.1", "good.test", "good.test"},
        {"localhost", "good.test", "good.test"},
        {"good.test", "127.0.0.1", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair;
        struct err_info why;
        const char *asked;

        pair_init_usual(&pair);
        EXPECT(tls_target_new(&pair.target, pair.client_ctx, rows[i].host, rows[i].sni, &why) ==
               ERR_OK);
        pair_open(&pair);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
        asked = SSL_get_servername(pair.server.session.ssl, TLSEXT_NAMETYPE_host_name);
        EXPECT((asked == NULL) == (rows[i].asked == NULL));
        EXPECT(asked == NULL || strcmp(asked, rows[i].asked) == 0);
        pair_release(&pair);
    }
}

static void test_tls_ctx_makes_a_certificate_of_its_own(void)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
    struct tls_identity identity, other;
    struct err_info why;

    EXPECT(tls_identity_make(&identity, &why) == ERR_OK);
    EXPECT(tls_identity_make(&other, &why) == ERR_OK);
    EXPECT(strcmp(identity.cert_pem, other.cert_pem) != 0);
    EXPECT(memcmp(identity.ticket_key, other.ticket_key, sizeof(other.ticket_key)) != 0);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct tls_options client = pair_client_options(), server = pair_server_options();
        char file[] = "build/tests/own-XXXXXX";
        int fd = mkstemp(file);
        FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
        struct pair pair;

        EXPECT(out != NULL && fputs(identity.cert_pem, out) >= 0 && fclose(out) == 0);
        server.cert_file = server.key_file = NULL;
        server.identity = &identity;
        client.ca_file = file;
        pair_init(&pair, &client, &server, hosts[i]);
        pair_open(&pair);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
        EXPECT(tls_facts(&pair.client.session).verified);
        pair_release(&pair);
        EXPECT(remove(file) == 0);
    }
}

static void test_tls_ctx_refuses_a_damaged_identity(void)
{
    struct tls_identity identity = {.cert_pem = "nonsense"};
    struct row row = {"identity",
                      {.server = true, .seclevel = -1, .identity = &identity},
                      ERR_MEMORY,
                      "certificate of our own"};

    expect_refused(&row);
}

static void test_tls_ctx_names_the_library(void)
{
    EXPECT(strncmp(tls_library(), "OpenSSL 3.", 10) == 0);
}

/* Says how much memory a session takes that idles after a request; no test of it. */
static void test_tls_ctx_measures_an_idle_session(void)
{
    enum { SESSIONS = 500 };
    static struct tls_session held[SESSIONS];
    struct pair pair;
    struct mallinfo2 before, after;

    pair_init_usual(&pair);
    pair_open(&pair);
    pair_run(&pair);
    pair_close(&pair);
    before = mallinfo2();
    for (int i = 0; i < SESSIONS; i++) {
        pair.client.session = (struct tls_session){0};
        pair_open(&pair);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
        pair_say(&pair.client, &pair.server, "ping", 4);
        pair_say(&pair.server, &pair.client, "pong", 4);
        pair_run(&pair);
        held[i] = pair.client.session;
    }
    after = mallinfo2();
    /* Another allocator, such as a sanitizer's, counts nothing here. */
    (void)printf("# %zu bytes per idle session\n",
                 (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / SESSIONS);
    pair.client.session = (struct tls_session){0};
    for (int i = 0; i < SESSIONS; i++) {
        tls_close(&held[i]);
    }
    pair_release(&pair);
}

int main(void)
{
    TEST(test_tls_ctx_says_what_is_wrong);
    TEST(test_tls_ctx_takes_one_version_alone);
    TEST(test_tls_ctx_says_when_memory_is_short);
    TEST(test_tls_ctx_refuses_hosts_that_are_no_names);
    TEST(test_tls_ctx_asks_for_names_and_never_for_addresses);
    TEST(test_tls_ctx_makes_a_certificate_of_its_own);
    TEST(test_tls_ctx_refuses_a_damaged_identity);
    TEST(test_tls_ctx_names_the_library);
    TEST(test_tls_ctx_measures_an_idle_session);
    return 0;
}
