/* fuzz_regex: the guard, PCRE2 and the bounds around it.
 *
 * Input: the pattern up to the first line end, then the text. Checked, besides what the sanitizers
 * see: errors lie inside the pattern, groups inside the text, the scratch is as before. */
#include "config/regex.h"

#include "tests/fuzz/fuzz.h"

enum { SCRATCH_BYTES = 1 << 18 };

static _Alignas(16) char memory[SCRATCH_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t pattern_len = end != NULL ? (size_t)(end - data) : len;
    char *pattern = fuzz_copy((const char *)data, pattern_len), *text;
    struct regex_error error = {.offset = 0};
    const struct regex *regex;
    struct scratch scratch;
    struct value groups;
    struct arena arena;

    arena_init(&arena, 1 << 22);
    regex = regex_compile(&arena, pattern, pattern_len, data[0] % 2 == 0, &error);
    if (regex == NULL) MUST(error.offset <= pattern_len && error.message[0] != '\0');
    if (regex != NULL && end != NULL) {
        size_t text_len = len - pattern_len - 1;

        text = fuzz_copy((const char *)end + 1, text_len);
        scratch_init(&scratch, memory, SCRATCH_BYTES);
        if (regex_match(regex, text, text_len, &scratch, &groups) == REGEX_FOUND) {
            for (uint32_t i = 0; i < groups.len; i++) {
                const struct value *group = &groups.members[i].value;

                MUST(groups.members[i].key.len > 0);
                if (group->kind == VALUE_NULL) continue;
                MUST(group->string >= text && group->string + group->len <= text + text_len);
            }
        }
        MUST(scratch.top == scratch.end);
        (void)!regex_test(regex, text, text_len, &scratch);
        fuzz_free(text);
    }
    arena_release(&arena);
    fuzz_free(pattern);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
}
