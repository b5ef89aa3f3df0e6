/* fuzz: what the fuzz targets share. A target defines LLVMFuzzerTestOneInput and is linked with
 * libFuzzer (clang) or with standalone.c (any compiler), which only replays files. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#    define FUZZ_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define FUZZ_ASAN 1
#    endif
#endif

/* HIDE makes reading these bytes an error, as far as ASan's granules of 8 bytes allow; SHOW takes
 * it back. */
#ifdef FUZZ_ASAN
#    include <sanitizer/asan_interface.h>
#    define HIDE(data, len) ASAN_POISON_MEMORY_REGION((data), (len))
#    define SHOW(data, len) ASAN_UNPOISON_MEMORY_REGION((data), (len))
#else
#    define HIDE(data, len) ((void)(data), (void)(len))
#    define SHOW(data, len) ((void)(data), (void)(len))
#endif

/* Aborts, which is how a fuzzer learns of a finding. */
#define MUST(cond)    \
    ((cond) ? (void)0 \
            : ((void)fprintf(stderr, "%s:%d: MUST(%s)\n", __FILE__, __LINE__, #cond), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Prints what the target makes of an input, a line per response; for `run diff`. */
void fuzz_print(const uint8_t *data, size_t len);

/* A copy with nothing readable around it under ASan. */
static inline char *fuzz_copy(const char *data, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    MUST(copy != NULL);
    if (len > 0) memcpy(copy, data, len);
    return copy;
}

static inline void fuzz_free(char *copy)
{
    free(copy);
}

#endif
