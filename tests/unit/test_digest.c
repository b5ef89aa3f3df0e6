/* What digests promise: the standards' values, whatever the lengths, and no error left behind. */
#include "tls/digest.h"

#include <openssl/err.h>
#include <string.h>

#include "tests/test.h"

static void expect_hex(const unsigned char *hash, size_t len, const char *hex)
{
    char text[2 * DIGEST_BYTES_MAX + 1];

    EXPECT(strlen(hex) == 2 * len);
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    }
    EXPECT(strcmp(text, hex) == 0);
}

static void test_digest_find(void)
{
    enum digest digest = DIGEST_MD5;

    EXPECT(digest_find("sha256", 6, &digest));
    EXPECT(digest == DIGEST_SHA256);
    EXPECT(digest_find("sha1", 4, &digest));
    EXPECT(digest == DIGEST_SHA1);
    EXPECT(digest_find("md5", 3, &digest));
    EXPECT(digest == DIGEST_MD5);
    EXPECT(!digest_find("sha25", 5, &digest));
    EXPECT(!digest_find("SHA1", 4, &digest));
    EXPECT(!digest_find("", 0, &digest));
    EXPECT(digest == DIGEST_MD5);
}

/* FIPS 180, RFC 1321 section A.5. */
static void test_digest_hash(void)
{
    static char million[1000000];
    unsigned char hash[DIGEST_BYTES_MAX];

    memset(million, 'a', sizeof(million));
    expect_hex(hash, digest_hash(DIGEST_SHA1, million, sizeof(million), hash),
               "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    expect_hex(hash, digest_hash(DIGEST_SHA256, million, sizeof(million), hash),
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    expect_hex(hash, digest_hash(DIGEST_MD5, "message digest", 14, hash),
               "f96b697d7cb7938d525a2f31aaf161d0");
    expect_hex(hash, digest_hash(DIGEST_MD5, "", 0, hash), "d41d8cd98f00b204e9800998ecf8427e");
}

/* RFC 4231 section 4.7: a key longer than a block; RFC 2202. */
static void test_digest_hmac(void)
{
    static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    unsigned char hash[DIGEST_BYTES_MAX];
    char key[131];

    memset(key, 0xaa, sizeof(key));
    expect_hex(hash, digest_hmac(DIGEST_SHA256, key, sizeof(key), text, strlen(text), hash),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    expect_hex(hash, digest_hmac(DIGEST_SHA1, key, 80, text, strlen(text), hash),
               "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    expect_hex(hash, digest_hmac(DIGEST_SHA256, "", 0, "", 0, hash),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    EXPECT(ERR_peek_error() == 0);
}

static void test_digest_refuses_a_key_that_openssl_cannot_take(void)
{
    unsigned char hash[DIGEST_BYTES_MAX];

    EXPECT(digest_hmac(DIGEST_MD5, "", (size_t)1 << 31, "", 0, hash) == 0);
}

int main(void)
{
    TEST(test_digest_find);
    TEST(test_digest_hash);
    TEST(test_digest_hmac);
    TEST(test_digest_refuses_a_key_that_openssl_cannot_take);
    return 0;
}
