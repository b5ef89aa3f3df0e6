/* The certificate that the built-in target makes for itself. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "core/base/check.h"
#include "tls/tls_impl.h"

enum { DAY_S = 86400, VALID_DAYS = 365, SERIAL_BITS = 127 };

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX v3;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx(&v3, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
    added = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* A serial number that no other certificate has (RFC 5280 section 4.1.2.2). */
static bool set_serial(X509 *cert)
{
    BIGNUM *number = BN_new();
    bool set = number != NULL &&
               BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;

    BN_free(number);
    return set;
}

static bool fill(X509 *cert, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(cert);

    /* From yesterday on: clocks differ. */
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)VALID_DAYS * DAY_S) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"pelt serve",
                                      -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

/* Copies what was written to `bio` and ends it with a NUL; false when it does not fit. */
static bool copy_pem(BIO *bio, char *to, size_t size)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    if (len <= 0 || (size_t)len >= size) return false;
    memcpy(to, data, (size_t)len);
    to[len] = '\0';
    return true;
}

static bool write_pem(X509 *cert, EVP_PKEY *key, struct tls_identity *identity)
{
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem());
    bool written = cert_bio != NULL && key_bio != NULL && PEM_write_bio_X509(cert_bio, cert) == 1 &&
                   PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                   copy_pem(cert_bio, identity->cert_pem, sizeof(identity->cert_pem)) &&
                   copy_pem(key_bio, identity->key_pem, sizeof(identity->key_pem));

    BIO_free(cert_bio);
    BIO_free(key_bio);
    return written;
}

enum err tls_identity_make(struct tls_identity *ret_identity, struct err_info *why)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool made = key != NULL && cert != NULL && fill(cert, key) &&
                write_pem(cert, key, ret_identity) &&
                RAND_bytes(ret_identity->ticket_key, sizeof(ret_identity->ticket_key)) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    if (made) return ERR_OK;
    return err_set(why, ERR_MEMORY, 0, "cannot make a certificate: %s", tls_err_setup());
}
