/* A whole text into a value, without recursion. What a container holds is collected at the top of
 * the scratch, newest lowest, until the container ends, and is then copied to the bottom. */
#include <string.h>

#include "config/json.h"
#include "config/json_scan.h"
#include "core/base/check.h"
#include "core/base/hex.h"
#include "core/base/utf8.h"

/* A container that is not closed yet. */
struct frame {
    struct value *slot; /* Where its value goes: in the container around it. */
    uint32_t count;     /* Of its elements or members, at the top of the scratch. */
    bool is_object;
};

struct parser {
    const char *begin, *at, *end;
    struct scratch *scratch;
    const char *wrong; /* What is wrong at `at`, or NULL. */
    bool is_memory;
    uint32_t depth;
    struct frame frames[VALUE_DEPTH_MAX];
};

static bool fail(struct parser *parser, const char *wrong)
{
    parser->wrong = wrong;
    return false;
}

static bool fail_memory(struct parser *parser)
{
    parser->is_memory = true;
    return fail(parser, "the memory for the value is used up");
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->end && json_is_space(*parser->at)) {
        parser->at++;
    }
}

static bool parse_hex(struct parser *parser, uint32_t *ret_code)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        int digit = parser->at < parser->end ? hex_digit(*parser->at) : -1;

        if (digit < 0) return fail(parser, "'\\u' needs four hexadecimal digits");
        code = code << 4 | (uint32_t)digit;
        parser->at++;
    }
    *ret_code = code;
    return true;
}

/* After "\u": one character, of a surrogate pair if there is one. */
static bool parse_unicode(struct parser *parser, char **to)
{
    uint32_t code, low;

    if (!parse_hex(parser, &code)) return false;
    if (json_is_high_surrogate(code)) {
        const char *behind = parser->at;

        if (parser->end - behind < 2 || behind[0] != '\\' || behind[1] != 'u') {
            code = JSON_REPLACEMENT;
        } else {
            parser->at += 2;
            if (!parse_hex(parser, &low)) return false;
            if (json_is_low_surrogate(low)) {
                code = json_surrogates(code, low);
            } else {
                code = JSON_REPLACEMENT;
                parser->at = behind; /* The second one is a character of its own. */
            }
        }
    } else if (json_is_low_surrogate(code)) {
        code = JSON_REPLACEMENT;
    }
    *to += utf8_put(code, *to);
    return true;
}

/* Steps over what json_skip_plain() stopped at; false when it is wrong, or the end of the string.
 */
static bool step_odd(struct parser *parser)
{
    unsigned char c;
    size_t len;

    if (parser->at == parser->end) return fail(parser, "the string does not end");
    c = (unsigned char)*parser->at;
    if (c == '"' || c == '\\') return false;
    if (c < 0x20) return fail(parser, "a control character in a string must be escaped");
    len = utf8_len((const unsigned char *)parser->at, (size_t)(parser->end - parser->at));
    if (len == 0) return fail(parser, "the text is not UTF-8");
    parser->at += len;
    return true;
}

/* To the quote or backslash that comes next. */
static bool skip_text(struct parser *parser)
{
    do {
        parser->at = json_skip_plain(parser->at, parser->end);
    } while (step_odd(parser));
    return parser->wrong == NULL;
}

static bool parse_escape(struct parser *parser, char **to)
{
    char c;

    parser->at++;
    if (parser->at == parser->end) return fail(parser, "the string does not end");
    if (*parser->at == 'u') {
        parser->at++;
        return parse_unicode(parser, to);
    }
    c = json_escape(*parser->at);
    if (c == 0) return fail(parser, "no such escape in a string");
    *(*to)++ = c;
    parser->at++;
    return true;
}

/* A string with escapes, whose beginning up to the first one has been read. */
static bool parse_escaped(struct parser *parser, const char *begin, struct value *ret_value)
{
    size_t size = scratch_left(parser->scratch);
    char *text = parser->scratch->at, *to = text;

    while (*parser->at == '\\') {
        size_t len = (size_t)(parser->at - begin);

        if (size - (size_t)(to - text) < len + UTF8_BYTES_MAX) return fail_memory(parser);
        memcpy(to, begin, len);
        to += len;
        if (!parse_escape(parser, &to)) return false;
        begin = parser->at;
        if (!skip_text(parser)) return false;
    }
    if (size - (size_t)(to - text) < (size_t)(parser->at - begin)) return fail_memory(parser);
    memcpy(to, begin, (size_t)(parser->at - begin));
    to += parser->at - begin;
    if (scratch_alloc(parser->scratch, (size_t)(to - text)) == NULL) return fail_memory(parser);
    parser->at++;
    *ret_value = value_string(text, (size_t)(to - text));
    return true;
}

static bool parse_string(struct parser *parser, struct value *ret_value)
{
    const char *begin = ++parser->at;

    if (!skip_text(parser)) return false;
    if (parser->at - begin > VALUE_STRING_MAX) return fail(parser, "the string is too long");
    if (*parser->at == '\\') return parse_escaped(parser, begin, ret_value);
    *ret_value = value_string(begin, (size_t)(parser->at - begin));
    parser->at++;
    return true;
}

static bool parse_word(struct parser *parser, const char *word, struct value value,
                       struct value *ret_value)
{
    size_t len = strlen(word), left = (size_t)(parser->end - parser->at);

    if (left < len || memcmp(parser->at, word, len) != 0) {
        return fail(parser, "a value is missing or wrong");
    }
    parser->at += len;
    *ret_value = value;
    return true;
}

static bool parse_number(struct parser *parser, struct value *ret_value)
{
    size_t len = json_number_len(parser->at, (size_t)(parser->end - parser->at));

    if (len == 0) return fail(parser, "the number is wrong");
    *ret_value = json_number(parser->at, len);
    parser->at += len;
    return true;
}

static bool parse_scalar(struct parser *parser, struct value *ret_value)
{
    char c = *parser->at;

    if (c == '"') return parse_string(parser, ret_value);
    if (c == '-' || json_is_digit(c)) return parse_number(parser, ret_value);
    if (c == 't') return parse_word(parser, "true", value_bool(true), ret_value);
    if (c == 'f') return parse_word(parser, "false", value_bool(false), ret_value);
    if (c == 'n') return parse_word(parser, "null", value_null(), ret_value);
    return fail(parser, "a value is missing or wrong");
}

/* Room for one more element of the innermost container, or member: then its key is read, too.
 * NULL when that fails. */
static struct value *next_slot(struct parser *parser)
{
    struct frame *frame = &parser->frames[parser->depth - 1];
    struct value_member *member;
    struct value key;

    frame->count++;
    if (!frame->is_object) {
        struct value *element = scratch_push(parser->scratch, sizeof(*element));

        if (element == NULL) (void)fail_memory(parser);
        return element;
    }
    if (parser->at == parser->end || *parser->at != '"') {
        (void)fail(parser, "a key in quotes is missing");
        return NULL;
    }
    if (!parse_string(parser, &key)) return NULL;
    skip_space(parser);
    if (parser->at == parser->end || *parser->at != ':') {
        (void)fail(parser, "a ':' is missing");
        return NULL;
    }
    parser->at++;
    member = scratch_push(parser->scratch, sizeof(*member));
    if (member == NULL) {
        (void)fail_memory(parser);
        return NULL;
    }
    member->key = key;
    return &member->value;
}

/* Of members with the same key the last one's value goes to the first one's place. `table` has
 * `size` slots, a power of two and more than the members: their numbers from 1, by hash. */
static uint32_t merge_keys(struct value_member *members, uint32_t count, uint32_t *table,
                           uint32_t size)
{
    uint32_t kept = 0;

    memset(table, 0, size * sizeof(*table));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)value_hash(&members[i].key) & (size - 1);

        while (table[at] != 0 && !value_equal(&members[table[at] - 1].key, &members[i].key)) {
            at = (at + 1) & (size - 1);
        }
        if (table[at] != 0) {
            members[table[at] - 1].value = members[i].value;
        } else {
            members[kept] = members[i];
            table[at] = ++kept;
        }
    }
    return kept;
}

static bool same_key(const struct value *a, const struct value *b)
{
    return a->len == b->len && memcmp(a->string, b->string, a->len) == 0;
}

static bool unique_keys(struct parser *parser, struct value_member *members, uint32_t *count)
{
    enum { FEW = 8 };
    uint32_t size = 2, *table;
    bool twice = false;

    if (*count <= FEW) {
        for (uint32_t i = 1; i < *count; i++) {
            for (uint32_t j = 0; j < i; j++) {
                twice |= same_key(&members[i].key, &members[j].key);
            }
        }
        if (!twice) return true;
    }
    while (size <= *count) {
        size *= 2;
    }
    size *= 2;
    table = scratch_push(parser->scratch, size * sizeof(*table));
    if (table == NULL) return fail_memory(parser);
    *count = merge_keys(members, *count, table, size);
    scratch_pop(parser->scratch, size * sizeof(*table));
    return true;
}

/* Moves `count` things of `size` bytes from the top, where the last one lies lowest, to the bottom
 * in their order. NULL when the scratch is full. Inline, so that each size is moved by instructions
 * of its own. */
static inline __attribute__((always_inline)) void *move_down(struct parser *parser, uint32_t count,
                                                             size_t size)
{
    const char *from = parser->scratch->top + count * size;
    char *to = scratch_alloc(parser->scratch, count * size);

    if (to == NULL) {
        (void)fail_memory(parser);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        from -= size;
        memcpy(to + i * size, from, size);
    }
    scratch_pop(parser->scratch, count * size);
    return to;
}

static bool close_container(struct parser *parser)
{
    struct frame *frame = &parser->frames[--parser->depth];
    struct value_member *members;
    struct value *elements;
    bool fits;

    parser->at++;
    if (frame->is_object) {
        members = move_down(parser, frame->count, sizeof(*members));
        if (members == NULL || !unique_keys(parser, members, &frame->count)) return false;
        fits = value_object(members, frame->count, frame->slot);
    } else {
        elements = move_down(parser, frame->count, sizeof(*elements));
        if (elements == NULL) return false;
        fits = value_array(elements, frame->count, frame->slot);
    }
    CHECK(fits); /* `depth` saw to it. */
    return true;
}

/* Reads the value for `slot`: all of a scalar, of a container its bracket. `ret_opened`: there may
 * be elements in it. */
static bool begin_value(struct parser *parser, struct value *slot, bool *ret_opened)
{
    *ret_opened = false;
    skip_space(parser);
    if (parser->at == parser->end) return fail(parser, "the text ends early");
    if (*parser->at != '[' && *parser->at != '{') return parse_scalar(parser, slot);
    if (parser->depth == VALUE_DEPTH_MAX) return fail(parser, "too many levels");
    parser->frames[parser->depth++] = (struct frame){.slot = slot, .is_object = *parser->at == '{'};
    parser->at++;
    skip_space(parser);
    if (parser->at < parser->end &&
        *parser->at == (parser->frames[parser->depth - 1].is_object ? '}' : ']')) {
        return close_container(parser);
    }
    *ret_opened = true;
    return true;
}

/* After a value: closes what ends here; a comma leads to the next element. */
static bool after_value(struct parser *parser)
{
    while (parser->depth > 0) {
        const struct frame *frame = &parser->frames[parser->depth - 1];

        skip_space(parser);
        if (parser->at == parser->end) return fail(parser, "the text ends early");
        if (*parser->at == ',') {
            parser->at++;
            skip_space(parser);
            return true;
        }
        if (*parser->at != (frame->is_object ? '}' : ']')) {
            return fail(parser,
                        frame->is_object ? "a ',' or '}' is missing" : "a ',' or ']' is missing");
        }
        if (!close_container(parser)) return false;
    }
    return true;
}

static bool parse(struct parser *parser, struct value *ret_value)
{
    struct value *slot = ret_value;
    bool opened;

    for (;;) {
        if (!begin_value(parser, slot, &opened)) return false;
        if (!opened && !after_value(parser)) return false;
        if (parser->depth == 0) break;
        slot = next_slot(parser);
        if (slot == NULL) return false;
    }
    skip_space(parser);
    return parser->at == parser->end || fail(parser, "there is more after the value");
}

static void describe(const struct parser *parser, struct json_error *ret_error)
{
    const char *line = parser->begin;
    uint32_t lines = 1;

    for (const char *at = parser->begin; at < parser->at; at++) {
        if (*at == '\n') {
            lines++;
            line = at + 1;
        }
    }
    *ret_error = (struct json_error){.message = parser->wrong,
                                     .offset = (size_t)(parser->at - parser->begin),
                                     .line = lines,
                                     .column = (uint32_t)(parser->at - line) + 1,
                                     .is_memory = parser->is_memory};
}

bool json_parse(const char *text, size_t len, struct scratch *scratch, struct value *ret_value,
                struct json_error *ret_error)
{
    struct parser parser;
    struct scratch before = *scratch;
    struct value value;

    parser.begin = parser.at = text;
    parser.end = text + len;
    parser.scratch = scratch;
    parser.wrong = NULL;
    parser.is_memory = false;
    parser.depth = 0;
    if (!parse(&parser, &value)) {
        *scratch = before;
        if (ret_error != NULL) describe(&parser, ret_error);
        return false;
    }
    DCHECK(scratch->top == before.top);
    *ret_value = value;
    return true;
}

/* A bound on what json_parse() takes of a scratch for this text. */
static size_t bytes_max(const char *text, size_t len)
{
    size_t values = 1, members = 0, escaped = 0;

    for (size_t i = 0; i < len; i++) {
        values += text[i] == ',' || text[i] == '[' || text[i] == '{';
        members += text[i] == ':';
        if (text[i] == '\\') escaped = 2 * len; /* Strings, and the rounding of each. */
    }
    /* Once at the top, once at the bottom; the table of keys has up to four slots a member. */
    return 2 * values * sizeof(struct value_member) + members * 4 * sizeof(uint32_t) + escaped +
           4096;
}

bool json_parse_arena(const char *text, size_t len, struct arena *arena, struct value *ret_value,
                      struct json_error *ret_error)
{
    size_t bytes = bytes_max(text, len);
    char *copy = arena_copy(arena, text, len);
    char *memory = copy == NULL ? NULL : arena_alloc(arena, bytes, SCRATCH_ALIGN);
    struct scratch scratch;

    if (memory == NULL) {
        if (ret_error != NULL) {
            *ret_error = (struct json_error){.message = "the memory for the value is used up",
                                             .line = 1,
                                             .column = 1,
                                             .is_memory = true};
        }
        return false;
    }
    scratch_init(&scratch, memory, bytes);
    return json_parse(copy, len, &scratch, ret_value, ret_error);
}

bool json_is_utf8(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t step = utf8_len((const unsigned char *)text + i, len - i);

        if (step == 0) return false;
        i += step;
    }
    return true;
}

bool json_body(const char *text, size_t len, struct scratch *scratch, struct value *ret_value,
               bool *ret_is_json)
{
    struct json_error error = {.is_memory = false};

    if (len > VALUE_STRING_MAX) return false;
    *ret_is_json = json_parse(text, len, scratch, ret_value, &error);
    if (*ret_is_json) return true;
    if (error.is_memory) return false;
    *ret_value = json_is_utf8(text, len) ? value_string(text, len) : value_str("<<binary data>>");
    return true;
}
