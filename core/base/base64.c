#include "core/base/base64.h"

size_t base64_encode(char *to, const void *from, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = from;
    char *at = to;

    for (; len >= 3; len -= 3, bytes += 3) {
        *at++ = digits[bytes[0] >> 2];
        *at++ = digits[(bytes[0] & 3) << 4 | bytes[1] >> 4];
        *at++ = digits[(bytes[1] & 15) << 2 | bytes[2] >> 6];
        *at++ = digits[bytes[2] & 63];
    }
    if (len > 0) {
        uint8_t second = len > 1 ? bytes[1] : 0;

        *at++ = digits[bytes[0] >> 2];
        *at++ = digits[(bytes[0] & 3) << 4 | second >> 4];
        *at++ = '=';
        if (len > 1) at[-1] = digits[(second & 15) << 2];
        *at++ = '=';
    }
    return (size_t)(at - to);
}
