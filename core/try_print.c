#include "core/try_print.h"

#include <string.h>

#include "core/base/quote.h"
#include "core/try_decode.h"
#include "io/failed.h"

enum { HEADERS_MAX = 1024, LINE_BYTES = 16 * 1024 };

static const char binary[] = "<<binary data>>";

struct span {
    const char *text;
    size_t len;
};

/* The head of a message, and what follows it. */
static void split(struct span message, struct span *ret_head, struct span *ret_body)
{
    const char *end = message.len == 0 ? NULL : memmem(message.text, message.len, "\r\n\r\n", 4);
    size_t len = end == NULL ? message.len : (size_t)(end - message.text) + 4;

    *ret_head = (struct span){message.text, len};
    *ret_body = (struct span){message.text + len, message.len - len};
}

/* Takes the next line of a head, without its end; false at the empty one. */
static bool take_line(struct span *head, struct span *ret_line)
{
    const char *lf = head->len == 0 ? NULL : memchr(head->text, '\n', head->len);
    size_t len = lf == NULL ? head->len : (size_t)(lf - head->text);

    *ret_line = (struct span){head->text, len};
    if (len > 0 && head->text[len - 1] == '\r') ret_line->len--;
    len += lf != NULL;
    head->text += len;
    head->len -= len;
    return ret_line->len > 0;
}

/* Splits a header's line; false if it has no name. */
static bool split_field(struct span line, struct span *ret_name, struct span *ret_value)
{
    const char *colon = memchr(line.text, ':', line.len);
    struct span value;

    if (colon == NULL || line.text[0] == ' ' || line.text[0] == '\t') return false;
    *ret_name = (struct span){line.text, (size_t)(colon - line.text)};
    value = (struct span){colon + 1, line.len - ret_name->len - 1};
    while (value.len > 0 && (*value.text == ' ' || *value.text == '\t')) {
        value.text++;
        value.len--;
    }
    *ret_value = value;
    return true;
}

/* What the response's body says, without its content codings, in memory of `arena`; as it came if
 * they cannot be taken off. */
static struct span body_of_answer(const struct try_print *print, const struct runner_seen *seen,
                                  struct arena *arena)
{
    struct text plain;

    text_init(&plain, arena);
    if (!try_decode(seen->head, seen->head_len, seen->body, seen->body_len,
                    print->test->client.max_response_body, &plain)) {
        return (struct span){seen->body, seen->body_len};
    }
    return (struct span){plain.data, plain.len};
}

/* For people. */

static void add_text(const struct try_print *print, struct span text, struct text *out)
{
    if (!json_is_utf8(text.text, text.len)) {
        text_add_str(out, binary);
    } else {
        try_mask_add(print->mask, text.text, text.len, out);
    }
}

static void add_head(const struct try_print *print, struct span head, struct text *out)
{
    struct span line, name, value;
    bool hides = false; /* What a hidden header's line goes on with is hidden too. */

    while (take_line(&head, &line)) {
        if (!split_field(line, &name, &value)) {
            if (!hides) add_text(print, line, out);
        } else if ((hides = try_mask_hides(print->mask, name.text, name.len))) {
            text_add(out, name.text, name.len);
            text_add_str(out, ": " TRY_MASK);
        } else {
            add_text(print, line, out);
        }
        text_add_str(out, "\n");
    }
}

static void add_body(const struct try_print *print, struct span body, struct text *out)
{
    if (body.len == 0) return;
    text_add_str(out, "\n");
    add_text(print, body, out);
    if (out->len > 0 && out->data[out->len - 1] != '\n') text_add_str(out, "\n");
}

static void add_title(const char *what, struct text *out)
{
    text_printf(out, "%s\n========================================\n", what);
}

/* Why the request failed, as a program reads it ("connect_refused"); NULL: it has not. */
static const char *reason_of(const struct runner_seen *seen)
{
    return seen->error != NULL ? seen->error : seen->failed;
}

const char *try_print_words(const char *failed)
{
    for (int i = 0; i < FAILED_COUNT; i++) {
        if (strcmp(failed, failed_names[i]) == 0) return failed_texts[i];
    }
    return failed;
}

static void add_answer(const struct try_print *print, const struct runner_seen *seen,
                       struct text *out)
{
    struct span head = {seen->head, seen->head_len};

    text_printf(out, "Response (RTT: %.3fms)\n========================================\n",
                (double)(seen->done_ns - min_u64(seen->done_ns, seen->sent_ns)) / 1e6);
    add_head(print, head, out);
    if (!print->skips_response_body) add_body(print, body_of_answer(print, seen, out->arena), out);
    if (seen->body_is_cut) text_add_str(out, "(the rest of the body is too large)\n");
    if (reason_of(seen) != NULL)
        text_printf(out, "\n(failed: %s)\n", try_print_words(reason_of(seen)));
}

void try_print_human(const struct try_print *print, const struct runner_seen *seen,
                     struct text *out)
{
    struct span sent = {seen->sent, seen->sent_len}, head, body;

    split(sent, &head, &body);
    text_printf(out, "Request (%s)\n========================================\n",
                quote(print->test->endpoints[seen->endpoint].name).text);
    if (sent.len == 0) text_add_str(out, "(not built)\n");
    add_head(print, head, out);
    if (!print->skips_request_body) add_body(print, body, out);
    text_add_str(out, "\n");
    if (seen->head_len > 0) {
        add_answer(print, seen, out);
    } else {
        add_title("Response", out);
        text_printf(out, "(none: %s)\n",
                    reason_of(seen) == NULL ? "it was not kept" : try_print_words(reason_of(seen)));
    }
    text_add_str(out, "\n");
}

/* As JSON. */

struct maker {
    const struct try_print *print;
    struct arena *arena;
    bool failed;
};

/* A string with its secrets masked. */
static struct value string_of(struct maker *maker, struct span text)
{
    struct text masked;

    if (!json_is_utf8(text.text, text.len)) return value_str(binary);
    if (!try_mask_finds(maker->print->mask, text.text, text.len)) {
        return value_string(text.text, text.len);
    }
    text_init(&masked, maker->arena);
    try_mask_add(maker->print->mask, text.text, text.len, &masked);
    maker->failed |= masked.failed;
    return value_string(masked.data, masked.len);
}

static struct value object_of(struct maker *maker, const struct value_member *members, size_t count)
{
    struct value object = value_null();

    if (members == NULL || !value_object(members, count, &object)) maker->failed = true;
    return object;
}

static struct value array_of(struct maker *maker, const struct value *elements, size_t count)
{
    struct value array = value_null();

    if (elements == NULL || !value_array(elements, count, &array)) maker->failed = true;
    return array;
}

static struct value masked(struct maker *maker, const struct value *value);

static struct value masked_object(struct maker *maker, const struct value *object)
{
    struct value_member *members = arena_array(maker->arena, object->len, sizeof(*members));

    for (uint32_t i = 0; members != NULL && i < object->len; i++) {
        const struct value_member *from = &object->members[i];

        members[i].key = masked(maker, &from->key);
        members[i].value = masked(maker, &from->value);
    }
    return object_of(maker, members, object->len);
}

/* A copy of the value without secrets. A number that is one becomes the mask. */
static struct value masked(struct maker *maker, const struct value *value)
{
    char number[VALUE_NUMBER_BYTES];
    struct value *elements;
    struct buf buf;

    if (value->kind == VALUE_STRING) {
        return string_of(maker, (struct span){value->string, value->len});
    }
    if (value->kind == VALUE_OBJECT) return masked_object(maker, value);
    if (value_is_number(value)) {
        buf_init(&buf, number, sizeof(number));
        value_write(value, &buf);
        return try_mask_finds(maker->print->mask, number, buf.len) ? value_str(TRY_MASK) : *value;
    }
    if (value->kind != VALUE_ARRAY) return *value;
    elements = arena_array(maker->arena, value->len, sizeof(*elements));
    for (uint32_t i = 0; elements != NULL && i < value->len; i++) {
        elements[i] = masked(maker, &value->elements[i]);
    }
    return array_of(maker, elements, value->len);
}

static struct value lower(struct maker *maker, struct span name)
{
    char *text = arena_copy(maker->arena, name.text, name.len);

    if (text == NULL) maker->failed = true;
    for (size_t i = 0; text != NULL && i < name.len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') text[i] |= 0x20;
    }
    return text == NULL ? value_null() : string_of(maker, (struct span){text, name.len});
}

/* One header of a head. */
struct field {
    struct value name, value;
    bool is_taken;
};

static uint32_t read_fields(struct maker *maker, struct span head, struct field *fields)
{
    struct span line, name, value;
    uint32_t count = 0;

    while (count < HEADERS_MAX && take_line(&head, &line)) {
        if (!split_field(line, &name, &value)) continue;
        fields[count].name = lower(maker, name);
        fields[count++].value = try_mask_hides(maker->print->mask, name.text, name.len)
                                    ? value_str(TRY_MASK)
                                    : string_of(maker, value);
    }
    return count;
}

/* An object of arrays, the names in the order in which they first come. */
static struct value headers_of(struct maker *maker, struct span head)
{
    struct field *fields = arena_array(maker->arena, HEADERS_MAX, sizeof(*fields));
    uint32_t count = fields == NULL ? 0 : read_fields(maker, head, fields), members_count = 0;
    struct value_member *members = arena_array(maker->arena, count, sizeof(*members));
    struct value *values = arena_array(maker->arena, count, sizeof(*values));

    if (members == NULL || values == NULL || fields == NULL) maker->failed = true;
    if (maker->failed) return value_null();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;

        if (fields[i].is_taken) continue;
        for (uint32_t j = i; j < count; j++) {
            if (!value_equal(&fields[j].name, &fields[i].name)) continue;
            fields[j].is_taken = true;
            values[same++] = fields[j].value;
        }
        members[members_count].key = fields[i].name;
        members[members_count++].value = array_of(maker, values, same);
        values += same;
    }
    return object_of(maker, members, members_count);
}

/* A body as expressions see it: its JSON value, else its text. */
static struct value body_of(struct maker *maker, struct span body, bool parse)
{
    struct value value;

    if (!parse || !json_parse_arena(body.text, body.len, maker->arena, &value, NULL)) {
        return string_of(maker, body);
    }
    return maker->print->mask->count == 0 ? value : masked(maker, &value);
}

static struct value message_of(struct maker *maker, struct span head, struct span body,
                               bool skips_body, bool parse)
{
    struct value_member *members = arena_array(maker->arena, 3, sizeof(*members));
    struct span rest = head, line;

    if (members == NULL) {
        maker->failed = true;
        return value_null();
    }
    if (!take_line(&rest, &line)) return value_null();
    members[0] = (struct value_member){value_str("start-line"), string_of(maker, line)};
    members[1] = (struct value_member){value_str("headers"), headers_of(maker, rest)};
    if (!skips_body) {
        members[2] = (struct value_member){value_str("body"), body_of(maker, body, parse)};
    }
    return object_of(maker, members, skips_body ? 2 : 3);
}

/* Writes the value and a line end, in as much memory as it takes. */
static void write_line(const struct value *value, struct arena *arena, struct text *out)
{
    for (size_t bytes = LINE_BYTES;; bytes *= 2) {
        char *memory = arena_alloc(arena, bytes, 1);
        struct buf buf;

        if (memory == NULL) {
            out->failed = true;
            return;
        }
        buf_init(&buf, memory, bytes);
        value_write_json(value, &buf);
        if (buf.full) continue;
        text_add(out, buf.data, buf.len);
        text_add_str(out, "\n");
        return;
    }
}

void try_print_json(const struct try_print *print, const struct runner_seen *seen, struct text *out)
{
    struct span sent = {seen->sent, seen->sent_len}, head, body;
    struct arena arena;
    struct maker maker = {.print = print, .arena = &arena};
    struct value_member line[4], stats;
    struct value value;
    bool answered = seen->head_len > 0;

    arena_init(&arena, 0);
    split(sent, &head, &body);
    line[0] = (struct value_member){
        value_str("request"), message_of(&maker, head, body, print->skips_request_body, false)};
    head = (struct span){seen->head, seen->head_len};
    body = body_of_answer(print, seen, &arena);
    line[1] = (struct value_member){
        value_str("response"), message_of(&maker, head, body, print->skips_response_body, true)};
    stats = (struct value_member){value_str("RTT"), value_null()};
    if (answered) {
        stats.value =
            value_double((double)(seen->done_ns - min_u64(seen->done_ns, seen->sent_ns)) / 1e6);
    }
    line[2] = (struct value_member){value_str("stats"), object_of(&maker, &stats, 1)};
    if (reason_of(seen) != NULL) {
        line[3] = (struct value_member){value_str("error"), value_str(reason_of(seen))};
    }
    value = object_of(&maker, line, reason_of(seen) == NULL ? 3 : 4);
    if (maker.failed) out->failed = true;
    write_line(&value, &arena, out);
    arena_release(&arena);
}
