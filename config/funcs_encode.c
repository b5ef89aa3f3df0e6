/* encode(), hash(), hmac(). */
#include <string.h>

#include "config/funcs.h"
#include "core/base/quote.h"
#include "tls/digest.h"

struct encoding {
    const char *name;
    void (*write)(const struct encoding *encoding, const struct value *text, struct buf *buf);
    const char *chars; /* Of base64 the digits, of percent-… what is encoded beside controls. */
    bool padded;
};

static void write_base64(const struct encoding *encoding, const struct value *text, struct buf *buf)
{
    const unsigned char *data = (const unsigned char *)text->string;

    for (uint32_t i = 0; i < text->len && !buf->full; i += 3) {
        uint32_t left = text->len - i, bits = (uint32_t)data[i] << 16;
        char digits[4];

        if (left > 1) bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2) bits |= data[i + 2];
        for (int j = 0; j < 4; j++) {
            digits[j] = encoding->chars[bits >> (18 - 6 * j) & 63];
        }
        buf_add(buf, digits, left > 2 ? 4 : left + 1);
        if (left < 3 && encoding->padded) buf_add(buf, "==", 3 - left);
    }
}

static void write_hex_bytes(const unsigned char *data, size_t len, struct buf *buf)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        buf_add(buf, (char[]){digits[data[i] >> 4], digits[data[i] & 15]}, 2);
    }
}

static void write_hex(const struct encoding *encoding, const struct value *text, struct buf *buf)
{
    (void)encoding;
    write_hex_bytes((const unsigned char *)text->string, text->len, buf);
}

static void write_percent_byte(unsigned char byte, struct buf *buf)
{
    static const char digits[] = "0123456789ABCDEF";

    buf_add(buf, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
}

static void write_percent(const struct encoding *encoding, const struct value *text,
                          struct buf *buf)
{
    for (uint32_t i = 0; i < text->len; i++) {
        unsigned char byte = (unsigned char)text->string[i];

        if (byte < 0x20 || byte > 0x7e || strchr(encoding->chars, byte) != NULL) {
            write_percent_byte(byte, buf);
        } else {
            buf_add_char(buf, (char)byte);
        }
    }
}

static void write_alphanumeric(const struct encoding *encoding, const struct value *text,
                               struct buf *buf)
{
    (void)encoding;
    for (uint32_t i = 0; i < text->len; i++) {
        char c = text->string[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            buf_add_char(buf, c);
        } else {
            write_percent_byte((unsigned char)c, buf);
        }
    }
}

#define BASE62 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define QUERY  " \"#<>"
#define PLAIN  QUERY "`?{}"

static const struct encoding encodings[] = {
    {"base64", write_base64, BASE62 "+/", false},
    {"base64-padded", write_base64, BASE62 "+/", true},
    {"base64url", write_base64, BASE62 "-_", false},
    {"hex", write_hex, NULL, false},
    {"percent-simple", write_percent, "", false},
    {"percent-query", write_percent, QUERY, false},
    {"percent", write_percent, PLAIN, false},
    {"percent-path", write_percent, PLAIN "%/", false},
    {"percent-userinfo", write_percent, PLAIN "/:;=@[\\]^|", false},
    {"non-alphanumeric", write_alphanumeric, NULL, false},
};

FUNC_PREPARE(encode)
{
    const struct value *name = expr_constant_text(compiler, call->args[1]);

    if (name == NULL) return false;
    for (size_t i = 0; i < COUNT(encodings); i++) {
        struct value known = value_str(encodings[i].name);

        if (value_equal(&known, name)) {
            call->data = &encodings[i];
            return true;
        }
    }
    expr_wrong(compiler, call->args[1]->offset, 1,
               "there is no encoding '%s'; there are base64, base64-padded, base64url, hex, "
               "percent-simple, percent-query, percent, percent-path, percent-userinfo, "
               "non-alphanumeric",
               quote_len(name->string, name->len).text);
    return false;
}

static enum expr_error keep(struct expr_env *env, const struct expr *call, const struct buf *buf,
                            struct value *ret_value)
{
    if (!scratch_close(env->scratch, buf)) return expr_fail(env, call, EXPR_FULL);
    *ret_value = value_string(buf->data, buf->len);
    return EXPR_OK;
}

FUNC_EVAL(encode)
{
    const struct encoding *encoding = call->data;
    struct value text;
    enum expr_error error = expr_text(env, call, &args[0], &text);
    struct buf buf;

    if (error != EXPR_OK) return error;
    buf = scratch_open(env->scratch);
    encoding->write(encoding, &text, &buf);
    return keep(env, call, &buf, ret_value);
}

/* The algorithm that the last argument names. */
static bool prepare_digest(struct expr_compiler *compiler, struct expr *call)
{
    const struct expr *arg = call->args[call->args_count - 1];
    const struct value *name = expr_constant_text(compiler, arg);
    unsigned char hash[DIGEST_BYTES_MAX];
    enum digest digest, *data;

    if (name == NULL) return false;
    if (!digest_find(name->string, name->len, &digest)) {
        expr_wrong(compiler, arg->offset, 1, "there is no hash '%s'; there are md5, sha1, sha256",
                   quote_len(name->string, name->len).text);
        return false;
    }
    if (digest_hash(digest, "", 0, hash) == 0) {
        expr_wrong(compiler, arg->offset, 1, "this machine's OpenSSL does not allow '%s'",
                   quote_len(name->string, name->len).text);
        return false;
    }
    data = arena_alloc(compiler->unit->arena, sizeof(*data), _Alignof(enum digest));
    if (data == NULL) {
        expr_no_memory(compiler);
        return false;
    }
    *data = digest;
    call->data = data;
    return true;
}

FUNC_PREPARE(hash)
{
    return prepare_digest(compiler, call);
}

FUNC_PREPARE(hmac)
{
    return prepare_digest(compiler, call);
}

static enum expr_error keep_hash(struct expr_env *env, const struct expr *call,
                                 const unsigned char *hash, size_t len, struct value *ret_value)
{
    struct buf buf = scratch_open(env->scratch);

    if (len == 0) return expr_fail(env, call, EXPR_FIELD);
    write_hex_bytes(hash, len, &buf);
    return keep(env, call, &buf, ret_value);
}

FUNC_EVAL(hash)
{
    const enum digest *digest = call->data;
    unsigned char hash[DIGEST_BYTES_MAX];
    struct value text;
    enum expr_error error = expr_text(env, call, &args[0], &text);

    if (error != EXPR_OK) return error;
    return keep_hash(env, call, hash, digest_hash(*digest, text.string, text.len, hash), ret_value);
}

FUNC_EVAL(hmac)
{
    const enum digest *digest = call->data;
    unsigned char hash[DIGEST_BYTES_MAX];
    struct value key, text;
    enum expr_error error = expr_text(env, call, &args[0], &key);
    size_t len;

    if (error == EXPR_OK) error = expr_text(env, call, &args[1], &text);
    if (error != EXPR_OK) return error;
    len = digest_hmac(*digest, key.string, key.len, text.string, text.len, hash);
    return keep_hash(env, call, hash, len, ret_value);
}
