/* fuzz_jsonpath: a query on a document.
 *
 * Input: the query, what follows its "$", up to the first line end; then the document. Checked,
 * besides what the sanitizers see: errors lie inside the query, the scratch's top is given back,
 * and what is found is found in the document. */
#include "config/jsonpath.h"

#include "config/json.h"
#include "tests/fuzz/fuzz.h"

enum { SCRATCH_BYTES = 1 << 20 };

static _Alignas(16) char memory[2][SCRATCH_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t query_len = end != NULL ? (size_t)(end - data) : len;
    char *query = fuzz_copy((const char *)data, query_len);
    struct jsonpath_error error = {.offset = 0};
    const struct jsonpath *path;
    struct scratch scratch, results;
    struct value document, found;
    struct arena arena;

    arena_init(&arena, 1 << 22);
    path = jsonpath_compile(&arena, query, query_len, &error);
    if (path == NULL) MUST(error.offset <= query_len && error.message[0] != '\0');
    scratch_init(&scratch, memory[0], SCRATCH_BYTES);
    if (path != NULL && end != NULL &&
        json_parse((const char *)end + 1, len - query_len - 1, &scratch, &document, NULL)) {
        scratch_init(&results, memory[1], SCRATCH_BYTES);
        if (jsonpath_eval(path, &document, &results, &found) == JSONPATH_OK) {
            MUST(found.kind == VALUE_ARRAY);
            MUST(found.depth <= document.depth + 1);
        }
        MUST(results.top == results.end);
    }
    arena_release(&arena);
    fuzz_free(query);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
}
