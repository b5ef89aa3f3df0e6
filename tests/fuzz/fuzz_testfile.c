/* fuzz_testfile: a whole test file: YAML, keys, templates, expressions, checks.
 *
 * Whatever the input is, it is taken or something is told; each place that is told lies in the
 * input; what is written for a person is printable, and JSON is a line per object. Inputs that
 * include other files are left out: they would read what is not in the input. */
#include "config/load.h"
#include "tests/fuzz/fuzz.h"

enum { MODEL_BYTES_MAX = 64 << 20, DIAGS_BYTES_MAX = 64 << 20 };

static const char *environment(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "PORT") == 0 ? "8080" : NULL;
}

static void check_places(const struct diags *diags)
{
    const struct source *source = &diags->sources[0];

    for (uint32_t i = 0; i < diags->count; i++) {
        const struct place place = diags->list[i].place;

        MUST(place.source == 0);
        if (place.line == 0) continue;
        MUST(place.column > 0 && place.column <= source->len + 1);
        MUST(source->lines == NULL || place.line <= source->lines_count);
    }
}

static void check_output(struct diags *diags, struct arena *arena)
{
    struct text human, json;
    uint32_t lines = 0;

    text_init(&human, arena);
    text_init(&json, arena);
    diags_human(diags, &human);
    diags_json(diags, &json);
    if (human.failed || json.failed) return;
    for (size_t i = 0; i < human.len; i++) {
        unsigned char c = (unsigned char)human.data[i];

        MUST(c >= ' ' || c == '\n' || c == '\t');
        MUST(c != 0x7F);
    }
    for (size_t i = 0; i < json.len; i++) {
        lines += json.data[i] == '\n';
    }
    MUST(lines == diags->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct testfile_options options = {.environment = environment,
                                             .seed = 1,
                                             .wall_ns = NS_PER_S,
                                             .bytes_max = MODEL_BYTES_MAX,
                                             .skip_files = true};
    struct testfile *file;
    struct source source;
    struct arena arena;
    struct diags diags;
    char *text;

    if (len > SOURCE_BYTES_MAX || memmem(data, len, "include", 7) != NULL) return 0;
    text = malloc(len + 1);
    MUST(text != NULL);
    if (len > 0) memcpy(text, data, len);
    text[len] = '\0';
    source = source_of_text("t.yaml", text, len);
    arena_init(&arena, DIAGS_BYTES_MAX);
    diags_init(&diags, &arena);
    file = testfile_load_text(&source, &options, &diags);
    MUST((file == NULL) == (diags.failed || diags.errors > 0));
    MUST(diags.failed || diags.errors + diags.warnings >= diags.count);
    if (diags.sources_count > 0) {
        check_output(&diags, &arena);
        check_places(&diags);
    }
    testfile_free(file);
    arena_release(&arena);
    free(text);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)data;
    (void)printf("%zu bytes\n", len);
}
