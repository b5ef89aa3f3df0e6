/* Whom a client trusts: every certificate of tests/certs, accepted or refused, each by its own
 * name; names and addresses; client certificates; application protocols. */
#include "tests/tls_pair.h"

enum { ACCEPTED = -1 };

struct fixture {
    const char *name; /* Of the server's certificate. */
    const char *host;
    int err; /* enum tls_err or ACCEPTED */
    const char *detail;
};

static const struct fixture fixtures[] = {
    {"good", "good.test", ACCEPTED, ""},
    {"good", "GOOD.test", ACCEPTED, ""},
    {"good", "good.test.", ACCEPTED, ""},
    {"good", "127.0.0.1", ACCEPTED, ""},
    {"good", "::1", ACCEPTED, ""},
    {"good", "0:0:0:0:0:0:0:1", ACCEPTED, ""},
    {"good", "::1%lo", ACCEPTED, ""},
    {"good", "other.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"good", "sub.good.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"good", "127.0.0.2", TLS_ERR_NAME_MISMATCH, "IP address mismatch"},
    {"good", "::2", TLS_ERR_NAME_MISMATCH, "IP address mismatch"},
    {"wronghost", "good.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"wronghost", "127.0.0.1", TLS_ERR_NAME_MISMATCH, "IP address mismatch"},
    {"otherroot", "good.test", TLS_ERR_UNKNOWN_ISSUER, "unable to get local issuer certificate"},
    {"expired", "good.test", TLS_ERR_CERT_EXPIRED, "certificate has expired"},
    {"notyet", "good.test", TLS_ERR_CERT_NOT_YET_VALID, "certificate is not yet valid"},
    {"wildcard", "a.wild.test", ACCEPTED, ""},
    {"wildcard", "a.b.wild.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"wildcard", "wild.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"cnsan", "good.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"cnonly", "good.test", TLS_ERR_NAME_MISMATCH, "hostname mismatch"},
    {"clientonly", "good.test", TLS_ERR_CERT_PURPOSE, NULL},
    {"sha1", "good.test", TLS_ERR_WEAK_DIGEST, "CA signature digest algorithm too weak"},
    {"rsa1024", "good.test", TLS_ERR_WEAK_KEY, "EE certificate key too weak"},
    {"selfsigned", "good.test", TLS_ERR_SELF_SIGNED, NULL},
    {"revoked", "good.test", ACCEPTED, ""},
    {"intermediate", "good.test", ACCEPTED, ""},
    {"nointermediate", "good.test", TLS_ERR_UNKNOWN_ISSUER, NULL},
    {"bynotca", "good.test", TLS_ERR_CERT_INVALID, NULL},
    {"pathlen", "good.test", TLS_ERR_CERT_INVALID, "path length constraint exceeded"},
    {"constrained", "good.test", TLS_ERR_CERT_INVALID, "permitted subtree violation"},
    {"san1000", "good.test", ACCEPTED, ""},
    {"san1000", "host-1000.names.test", ACCEPTED, ""},
    {"san1000", "host-1001.names.test", TLS_ERR_NAME_MISMATCH, NULL},
    {"san10000", "good.test", TLS_ERR_TOO_LARGE, NULL},
    {"rsa", "good.test", ACCEPTED, ""},
    {"p384", "good.test", ACCEPTED, ""},
    {"ed25519", "good.test", ACCEPTED, ""},
};

static char cert_file[64], key_file[64];

static struct tls_options server_of(const char *name)
{
    struct tls_options server = pair_server_options();

    (void)snprintf(cert_file, sizeof(cert_file), CERTS "%s.pem", name);
    (void)snprintf(key_file, sizeof(key_file), CERTS "%s.key", name);
    server.cert_file = cert_file;
    server.key_file = key_file;
    server.seclevel = 0; /* Else it would not show weak ones. */
    return server;
}

/* Connects once; ACCEPTED or the client's error. */
static int connect_once(const struct tls_options *client, const struct tls_options *server,
                        const char *host, const char **ret_detail)
{
    struct pair pair;
    int err = ACCEPTED;

    pair_init(&pair, client, server, host);
    pair_open(&pair);
    pair_run(&pair);
    if (pair.client.session.failed) {
        err = pair.client.session.err;
        EXPECT(pair.client.result == TLS_FAILED);
    } else {
        EXPECT(pair_is_up(&pair));
    }
    *ret_detail = pair.client.session.detail;
    pair_release(&pair);
    return err;
}

static void expect_row(const struct fixture *row, const struct tls_options *client)
{
    struct tls_options server = server_of(row->name);
    const char *detail = "";
    int err = connect_once(client, &server, row->host, &detail);

    if (err != row->err || (row->detail != NULL && strcmp(detail, row->detail) != 0)) {
        (void)fprintf(stderr, "%s as %s: %s (%s)\n", row->name, row->host,
                      err == ACCEPTED ? "accepted" : tls_err_names[err], detail);
    }
    EXPECT(err == row->err);
    EXPECT(row->detail == NULL || strcmp(detail, row->detail) == 0);
}

static void test_tls_verify_accepts_and_refuses_by_name(void)
{
    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        for (size_t i = 0; i < COUNT(fixtures); i++) {
            struct tls_options client = pair_client_options();

            client.version_max = (uint16_t)version;
            expect_row(&fixtures[i], &client);
        }
    }
}

static void test_tls_verify_insecure_accepts_all_and_says_so(void)
{
    for (size_t i = 0; i < COUNT(fixtures); i++) {
        struct tls_options client = pair_client_options(), server = server_of(fixtures[i].name);
        struct pair pair;

        if (fixtures[i].err == TLS_ERR_TOO_LARGE) continue;
        client.insecure = true;
        client.seclevel = 0;
        pair_init(&pair, &client, &server, fixtures[i].host);
        pair_open(&pair);
        pair_run(&pair);
        EXPECT(pair_is_up(&pair));
        EXPECT(!tls_facts(&pair.client.session).verified);
        pair_release(&pair);
    }
}

static void test_tls_verify_knows_the_revoked_by_a_list(void)
{
    struct tls_options client = pair_client_options();
    struct fixture row = {"revoked", "good.test", TLS_ERR_CERT_REVOKED, "certificate revoked"};

    client.crl_file = CERTS "crl.pem";
    expect_row(&row, &client);
    row = (struct fixture){"good", "good.test", ACCEPTED, ""};
    expect_row(&row, &client);
    /* An issuer without a list. */
    row = (struct fixture){"intermediate", "good.test", TLS_ERR_REVOCATION_UNKNOWN, NULL};
    expect_row(&row, &client);
}

static void test_tls_verify_trusts_what_is_named(void)
{
    static const struct {
        const char *ca_file;
        struct fixture row;
    } rows[] = {
        {CERTS "selfsigned.pem", {"selfsigned", "good.test", ACCEPTED, ""}},
        {CERTS "selfsigned.pem", {"selfsigned", "other.test", TLS_ERR_NAME_MISMATCH, NULL}},
        {CERTS "sub.pem", {"nointermediate", "good.test", ACCEPTED, ""}},
        {CERTS "good.pem", {"good", "good.test", ACCEPTED, ""}},
        {CERTS "other-ca.pem", {"otherroot", "good.test", ACCEPTED, ""}},
        {CERTS "other-ca.pem", {"good", "good.test", TLS_ERR_UNKNOWN_ISSUER, NULL}},
        {NULL, {"good", "good.test", TLS_ERR_UNKNOWN_ISSUER, NULL}},
        {NULL, {"selfsigned", "good.test", TLS_ERR_SELF_SIGNED, NULL}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_options client = pair_client_options();

        client.ca_file = rows[i].ca_file;
        expect_row(&rows[i].row, &client);
    }
}

static void test_tls_verify_lets_the_security_level_be_lowered(void)
{
    static const struct fixture rows[] = {
        {"rsa1024", "good.test", ACCEPTED, ""},
        {"sha1", "good.test", ACCEPTED, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_options client = pair_client_options();

        client.seclevel = 0;
        expect_row(&rows[i], &client);
    }
}

static void test_tls_verify_names_what_is_not_shared(void)
{
    static const struct {
        const char *name;
        uint16_t client_max, server_min;
        const char *client_suites, *server_suites, *client_groups, *server_groups;
        int err;
    } rows[] = {
        {"version", TLS_1_2, TLS_1_3, NULL, NULL, NULL, NULL, TLS_ERR_NO_SHARED_VERSION},
        {"cipher", 0, TLS_1_3, "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", NULL, NULL,
         TLS_ERR_NO_SHARED_CIPHER},
        {"group", 0, TLS_1_3, NULL, NULL, "X25519", "P-256", TLS_ERR_NO_SHARED_CIPHER},
        {"group asked again", 0, TLS_1_3, NULL, NULL, "X25519:P-256", "P-256", ACCEPTED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_options client = pair_client_options(), server = pair_server_options();
        const char *detail;

        client.version_max = rows[i].client_max;
        client.ciphersuites = rows[i].client_suites;
        client.groups = rows[i].client_groups;
        server.version_min = rows[i].server_min;
        server.ciphersuites = rows[i].server_suites;
        server.groups = rows[i].server_groups;
        if (connect_once(&client, &server, "good.test", &detail) != rows[i].err) {
            (void)fprintf(stderr, "%s: %s\n", rows[i].name, detail);
            EXPECT(false);
        }
    }
}

/* A server that speaks TLS 1.1 only. */
static void test_tls_verify_refuses_old_versions_unless_told(void)
{
    struct tls_options client = pair_client_options(), server = pair_server_options();
    const char *detail;

    server.version_min = TLS_1_0;
    server.version_max = TLS_1_1;
    server.seclevel = 0;
    EXPECT(connect_once(&client, &server, "good.test", &detail) == TLS_ERR_NO_SHARED_VERSION);
    client.version_min = TLS_1_1;
    client.seclevel = 0;
    EXPECT(connect_once(&client, &server, "good.test", &detail) == ACCEPTED);
}

static void test_tls_verify_shows_client_certificates(void)
{
    static const struct {
        const char *cert_file, *key_file;
        int err;
    } rows[] = {
        {CERTS "client.pem", CERTS "client.key", ACCEPTED},
        {NULL, NULL, TLS_ERR_CLIENT_CERT_REQUIRED},
        {CERTS "otherclient.pem", CERTS "otherclient.key", TLS_ERR_CLIENT_CERT_REFUSED},
        {CERTS "good.pem", CERTS "good.key", TLS_ERR_CLIENT_CERT_REFUSED}, /* Not for clients. */
    };

    for (int version = TLS_1_2; version <= TLS_1_3; version++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct tls_options client = pair_client_options(), server = pair_server_options();
            struct pair pair;

            client.version_max = (uint16_t)version;
            client.cert_file = rows[i].cert_file;
            client.key_file = rows[i].key_file;
            server.ca_file = CERTS "ca.pem";
            pair_init(&pair, &client, &server, "good.test");
            pair_open(&pair);
            pair_run(&pair);
            if (rows[i].err == ACCEPTED) {
                EXPECT(pair_is_up(&pair));
                EXPECT(tls_facts(&pair.server.session).version != NULL);
            } else {
                /* With TLS 1.3 our handshake is complete before the refusal comes. */
                EXPECT(pair.client.session.established == (version == TLS_1_3));
                EXPECT(pair.client.result == TLS_FAILED);
                EXPECT(pair.client.session.err == rows[i].err);
            }
            pair_release(&pair);
        }
    }
}

static void test_tls_verify_speaks_http_1_1_or_nothing(void)
{
    static const struct {
        const char *offered, *spoken;
        int err;
    } rows[] = {
        {"http/1.1", "http/1.1", ACCEPTED},
        {"http/1.1", NULL, ACCEPTED}, /* It does not know of such things. */
        {NULL, "h2", ACCEPTED},
        {"", "h2", ACCEPTED},
        {"http/1.1", "h2", TLS_ERR_ALPN_REFUSED},
        {"h2,http/1.1", "h2,http/1.1", TLS_ERR_ALPN_H2},
        {"h2,http/1.1", "http/1.1,h2", ACCEPTED},
        {"http/1.0", "http/1.0", ACCEPTED},
        {"spdy/3", "spdy/3", TLS_ERR_ALPN_OTHER},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_options client = pair_client_options(), server = pair_server_options();
        const char *detail;
        int err;

        client.alpn = rows[i].offered;
        server.alpn = rows[i].spoken;
        err = connect_once(&client, &server, "good.test", &detail);
        if (err != rows[i].err) (void)fprintf(stderr, "row %zu: %d %s\n", i, err, detail);
        EXPECT(err == rows[i].err);
    }
}

int main(void)
{
    TEST(test_tls_verify_accepts_and_refuses_by_name);
    TEST(test_tls_verify_insecure_accepts_all_and_says_so);
    TEST(test_tls_verify_knows_the_revoked_by_a_list);
    TEST(test_tls_verify_trusts_what_is_named);
    TEST(test_tls_verify_lets_the_security_level_be_lowered);
    TEST(test_tls_verify_names_what_is_not_shared);
    TEST(test_tls_verify_refuses_old_versions_unless_told);
    TEST(test_tls_verify_shows_client_certificates);
    TEST(test_tls_verify_speaks_http_1_1_or_nothing);
    return 0;
}
