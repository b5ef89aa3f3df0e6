#include "core/test_error.h"

enum test_error test_error_of(enum failed_class why)
{
    /* What is not named went wrong with the connection, or with TLS on it. */
    static const uint8_t codes[FAILED_COUNT] = {
        [FAILED_RESET_IN_BODY] = TEST_ERROR_BODY, [FAILED_INCOMPLETE] = TEST_ERROR_BODY,
        [FAILED_BAD_FRAMING] = TEST_ERROR_BODY,   [FAILED_BODY_TOO_LARGE] = TEST_ERROR_BODY,
        [FAILED_BAD_CODING] = TEST_ERROR_BODY,    [FAILED_FIRST_BYTE_TIMEOUT] = TEST_ERROR_TIMEOUT,
        [FAILED_TIMEOUT] = TEST_ERROR_TIMEOUT,    [FAILED_BUILD] = TEST_ERROR_BUILD,
    };

    if (why == FAILED_UNEXPECTED) return TEST_ERROR_EXPECT;
    return codes[why] == 0 ? TEST_ERROR_CONNECTION : (enum test_error)codes[why];
}
