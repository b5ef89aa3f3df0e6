/* test_error: the codes that errors of test files have, as loggers see them in `error.code`
 * (docs/expressions.md), and which of them the classes of failure are.
 *
 * Threads: any. */
#ifndef CORE_TEST_ERROR_H
#define CORE_TEST_ERROR_H

#include "io/failed.h"

enum test_error {
    TEST_ERROR_EXPECT = 0, /* The answer is not what was expected. */
    TEST_ERROR_BODY = 1,
    TEST_ERROR_CONNECTION = 2,
    TEST_ERROR_INDEXING = 3, /* Any error of an expression's evaluation. */
    TEST_ERROR_TIMEOUT = 4,
    TEST_ERROR_PROVIDER_WAIT = 5,
    TEST_ERROR_BUILD = 6, /* The request could not be built. */
};

/* The code of a request that failed for this reason. */
enum test_error test_error_of(enum failed_class why);

#endif
