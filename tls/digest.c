#include "tls/digest.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "core/base/check.h"

_Static_assert(DIGEST_BYTES_MAX <= EVP_MAX_MD_SIZE, "OpenSSL writes no more");

static const struct {
    const char *name;
    const EVP_MD *(*algorithm)(void);
} digests[] = {
    [DIGEST_MD5] = {"md5", EVP_md5},
    [DIGEST_SHA1] = {"sha1", EVP_sha1},
    [DIGEST_SHA256] = {"sha256", EVP_sha256},
};

bool digest_find(const char *name, size_t len, enum digest *ret_digest)
{
    for (size_t i = 0; i < COUNT(digests); i++) {
        if (strlen(digests[i].name) == len && memcmp(digests[i].name, name, len) == 0) {
            *ret_digest = (enum digest)i;
            return true;
        }
    }
    return false;
}

/* What OpenSSL has to say about a failure must not be found by somebody else. */
static size_t failed(void)
{
    ERR_clear_error();
    return 0;
}

size_t digest_hash(enum digest digest, const char *data, size_t len,
                   unsigned char ret_hash[static DIGEST_BYTES_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;

    CHECK((size_t)digest < COUNT(digests));
    if (EVP_Digest(data, len, hash, &hash_len, digests[digest].algorithm(), NULL) != 1) {
        return failed();
    }
    CHECK(hash_len <= DIGEST_BYTES_MAX);
    memcpy(ret_hash, hash, hash_len);
    return hash_len;
}

size_t digest_hmac(enum digest digest, const char *key, size_t key_len, const char *data,
                   size_t len, unsigned char ret_hash[static DIGEST_BYTES_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;

    CHECK((size_t)digest < COUNT(digests));
    if (key_len > INT_MAX) return 0;
    if (HMAC(digests[digest].algorithm(), key, (int)key_len, (const unsigned char *)data, len, hash,
             &hash_len) == NULL) {
        return failed();
    }
    CHECK(hash_len <= DIGEST_BYTES_MAX);
    memcpy(ret_hash, hash, hash_len);
    return hash_len;
}
