/* digest: hashes and keyed hashes. The door to OpenSSL for config/.
 *
 * Threads: any. */
#ifndef TLS_DIGEST_H
#define TLS_DIGEST_H

#include "core/base/defs.h"

enum digest { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };

enum { DIGEST_BYTES_MAX = 32 };

/* The algorithm of that name ("md5", "sha1", "sha256"); false if there is none. */
MUST_USE bool digest_find(const char *name, size_t len, enum digest *ret_digest);

/* Writes the hash of `len` bytes (16, 20 or 32 bytes) and returns how many they are; 0 when OpenSSL
 * has not got the algorithm, as with MD5 where only FIPS 140 is allowed. */
MUST_USE size_t digest_hash(enum digest digest, const char *data, size_t len,
                            unsigned char ret_hash[static DIGEST_BYTES_MAX]);

/* The same for HMAC (RFC 2104) with a key of any length. */
MUST_USE size_t digest_hmac(enum digest digest, const char *key, size_t key_len, const char *data,
                            size_t len, unsigned char ret_hash[static DIGEST_BYTES_MAX]);

#endif
