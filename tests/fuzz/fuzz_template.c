/* fuzz_template: compiles and renders a template in the small world of tests/expr_world.h.
 *
 * Input: byte 0 chooses the escape and how much room there is, the rest is the template. Checked,
 * besides what the sanitizers see: nothing is written behind the room, the scratch is as before,
 * what is constant renders as it says. */
#include "tests/expr_world.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 4096 };

static struct world world;

static void check_text(const struct template *template, const char *text, size_t len)
{
    const char *constant;
    size_t constant_len;

    if (template_is_constant(template, &constant, &constant_len)) {
        MUST(constant_len == len && memcmp(constant, text, len) == 0);
        MUST(constant[len] == '\0');
    }
    MUST(template_outline(template, "*", &world.arena) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct expr_source source = {.line = 1, .column = 1};
    struct template_builder builder;
    const struct template *template;
    enum template_escape escape;
    size_t room;
    char *text, *rendered;
    struct buf buf;

    if (len < 1) return 0;
    escape = (enum template_escape)(data[0] % 3);
    room = (data[0] & 0x80) != 0 ? ROOM : data[0] / 3;
    text = fuzz_copy((const char *)data + 1, len - 1);
    rendered = malloc(room > 0 ? room : 1);
    MUST(rendered != NULL);
    source.text = text;
    source.len = len - 1;
    world_open(&world);
    world.arena.bytes_max = 1 << 25;
    template_begin(&builder, &world.unit);
    template_add(&builder, &source, escape);
    template = template_end(&builder);
    MUST(template != NULL || world.errors > 0);
    if (template != NULL) {
        char *before = world.scratch.at;

        MUST(world.errors == 0);
        buf_init(&buf, rendered, room);
        if (template_render(template, &world.env, &buf) == EXPR_OK) {
            check_text(template, rendered, buf.len);
        }
        MUST(world.scratch.at == before);
        MUST(world.scratch.top == world.scratch.end);
        MUST(buf.len <= room);
    }
    world_close(&world);
    free(rendered);
    fuzz_free(text);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
}
