/* From OpenSSL's reasons to ours. */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "core/base/check.h"
#include "tls/tls_impl.h"

#define TLS_ERR_NAME(upper, lower, text) [TLS_ERR_##upper] = #lower,
#define TLS_ERR_TEXT(upper, lower, text) [TLS_ERR_##upper] = (text),
const char *const tls_err_names[TLS_ERR_COUNT] = {TLS_ERRORS(TLS_ERR_NAME)};
const char *const tls_err_texts[TLS_ERR_COUNT] = {TLS_ERRORS(TLS_ERR_TEXT)};

struct reason {
    int reason;
    enum tls_err err;
};

/* The value for `reason`, or `otherwise`. */
static enum tls_err look_up(const struct reason *table, size_t count, int reason,
                            enum tls_err otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].reason == reason) return table[i].err;
    }
    return otherwise;
}

/* By verify code (openssl-verification-options(1), "Diagnostics"). */
static const struct reason verify_codes[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, TLS_ERR_CERT_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, TLS_ERR_CERT_NOT_YET_VALID},
    {X509_V_ERR_HOSTNAME_MISMATCH, TLS_ERR_NAME_MISMATCH},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, TLS_ERR_NAME_MISMATCH},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_ERR_UNKNOWN_ISSUER},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TLS_ERR_UNKNOWN_ISSUER},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TLS_ERR_UNKNOWN_ISSUER},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_ERR_UNKNOWN_ISSUER},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_ERR_SELF_SIGNED},
    {X509_V_ERR_CERT_REVOKED, TLS_ERR_CERT_REVOKED},
    {X509_V_ERR_UNABLE_TO_GET_CRL, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_HAS_EXPIRED, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_NOT_YET_VALID, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, TLS_ERR_REVOCATION_UNKNOWN},
    {X509_V_ERR_EE_KEY_TOO_SMALL, TLS_ERR_WEAK_KEY},
    {X509_V_ERR_CA_KEY_TOO_SMALL, TLS_ERR_WEAK_KEY},
    {X509_V_ERR_CA_MD_TOO_WEAK, TLS_ERR_WEAK_DIGEST},
    {X509_V_ERR_INVALID_PURPOSE, TLS_ERR_CERT_PURPOSE},
};

/* By reason. Alerts of the peer are reasons too: 1000 and their number (RFC 8446 section 6). */
static const struct reason reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, TLS_ERR_NOT_TLS},
    {SSL_R_HTTP_REQUEST, TLS_ERR_NOT_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, TLS_ERR_NOT_TLS},
    {SSL_R_UNSUPPORTED_PROTOCOL, TLS_ERR_NO_SHARED_VERSION},
    {SSL_R_WRONG_SSL_VERSION, TLS_ERR_NO_SHARED_VERSION},
    {SSL_R_VERSION_TOO_LOW, TLS_ERR_NO_SHARED_VERSION},
    {SSL_R_VERSION_TOO_HIGH, TLS_ERR_NO_SHARED_VERSION},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, TLS_ERR_NO_SHARED_VERSION},
    {SSL_R_NO_SHARED_CIPHER, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_NO_SUITABLE_KEY_SHARE, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_NO_SHARED_GROUPS, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, TLS_ERR_NO_SHARED_CIPHER},
    {SSL_R_EE_KEY_TOO_SMALL, TLS_ERR_WEAK_KEY},
    {SSL_R_CA_KEY_TOO_SMALL, TLS_ERR_WEAK_KEY},
    {SSL_R_DH_KEY_TOO_SMALL, TLS_ERR_WEAK_KEY},
    {SSL_R_CA_MD_TOO_WEAK, TLS_ERR_WEAK_DIGEST},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_ERR_CLIENT_CERT_REQUIRED},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, TLS_ERR_CLIENT_CERT_REQUIRED},
    {SSL_R_SSLV3_ALERT_NO_CERTIFICATE, TLS_ERR_CLIENT_CERT_REQUIRED},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, TLS_ERR_CLIENT_CERT_REFUSED},
    {SSL_R_NO_APPLICATION_PROTOCOL, TLS_ERR_ALPN_REFUSED},
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, TLS_ERR_ALPN_REFUSED},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, TLS_ERR_NAME_REFUSED},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, TLS_ERR_UNCLEAN_CLOSE},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, TLS_ERR_BAD_RECORD},
    {SSL_R_BAD_RECORD_TYPE, TLS_ERR_BAD_RECORD},
    {SSL_R_PACKET_LENGTH_TOO_LONG, TLS_ERR_BAD_RECORD},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, TLS_ERR_BAD_RECORD},
    {SSL_R_DATA_LENGTH_TOO_LONG, TLS_ERR_BAD_RECORD},
    {SSL_R_RECORD_LENGTH_MISMATCH, TLS_ERR_BAD_RECORD},
    {SSL_R_LENGTH_TOO_SHORT, TLS_ERR_BAD_RECORD},
    {SSL_R_SSLV3_ALERT_BAD_RECORD_MAC, TLS_ERR_BAD_RECORD},
    {SSL_R_TLSV1_ALERT_RECORD_OVERFLOW, TLS_ERR_BAD_RECORD},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, TLS_ERR_TOO_LARGE},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, TLS_ERR_LOCAL},
    {SSL_R_NO_CIPHERS_AVAILABLE, TLS_ERR_LOCAL},
};

/* The class of an error of the library's TLS part. */
static enum tls_err class_of(const struct tls_session *session, int reason)
{
    bool is_alert = reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + UINT8_MAX;
    enum tls_err err;

    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return look_up(verify_codes, COUNT(verify_codes), (int)SSL_get_verify_result(session->ssl),
                       TLS_ERR_CERT_INVALID);
    }
    err = look_up(reasons, COUNT(reasons), reason, is_alert ? TLS_ERR_ALERT : TLS_ERR_PROTOCOL);
    /* Up to TLS 1.2 a server that wants a certificate and gets none says only that it failed. */
    if (err == TLS_ERR_NO_SHARED_CIPHER && is_alert && session->cert_asked) {
        return TLS_ERR_CLIENT_CERT_REQUIRED;
    }
    /* Once all was agreed on, that is not what it means. */
    if (err == TLS_ERR_NO_SHARED_CIPHER && is_alert && session->established) return TLS_ERR_ALERT;
    /* To a server it is its own certificate that was refused. */
    if (err == TLS_ERR_CLIENT_CERT_REFUSED && SSL_is_server(session->ssl)) return TLS_ERR_ALERT;
    return err;
}

/* What is said of a failure beyond its class. */
static const char *detail_of(const struct tls_session *session, unsigned long error)
{
    const char *words;

    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return X509_verify_cert_error_string(SSL_get_verify_result(session->ssl));
    }
    words = ERR_reason_error_string(error);
    return words != NULL ? words : "";
}

/* The oldest error of the TLS part, or 0: those of other parts of the library, which may stand
 * before and behind it, say less. */
static unsigned long take_error(void)
{
    unsigned long found = 0, error;

    while ((error = ERR_get_error()) != 0) {
        if (found == 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) found = error;
    }
    return found;
}

void tls_err_note(struct tls_session *session)
{
    unsigned long error = take_error();

    session->failed = true;
    session->err = (uint8_t)(error == 0 ? TLS_ERR_LOCAL : class_of(session, ERR_GET_REASON(error)));
    session->detail = error == 0 ? "" : detail_of(session, error);
    if (session->alien && !session->established) {
        session->err = TLS_ERR_NOT_TLS;
    }
}

enum tls_result tls_err_fail(struct tls_session *session, enum tls_err err)
{
    session->failed = true;
    session->err = (uint8_t)err;
    session->detail = "";
    return TLS_FAILED;
}

const char *tls_err_setup(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_error());

    ERR_clear_error();
    return words != NULL ? words : "no reason given";
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
