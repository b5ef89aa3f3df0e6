#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

enum {
    MESSAGE_BYTES = 400,
    LINE_COLUMNS = 100, /* Of a source line as shown; a longer one is cut around the place. */
    CONTEXT_COLUMNS = 30,
};

void diags_init(struct diags *diags, struct arena *arena)
{
    *diags = (struct diags){.arena = arena};
}

/* Makes room for one more element in an array that doubles; false when memory is refused. */
static bool grow(struct diags *diags, void **array, size_t element, uint32_t count,
                 uint32_t *capacity)
{
    uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown;

    if (count < *capacity) return true;
    grown = arena_array(diags->arena, wanted, element);
    if (grown == NULL) {
        diags->failed = true;
        return false;
    }
    if (count > 0) memcpy(grown, *array, count * element);
    *array = grown;
    *capacity = wanted;
    return true;
}

uint16_t diags_add_source(struct diags *diags, const struct source *source)
{
    void *array = diags->sources;

    CHECK(diags->sources_count < UINT16_MAX);
    if (!grow(diags, &array, sizeof(*source), diags->sources_count, &diags->sources_capacity)) {
        return 0;
    }
    diags->sources = array;
    diags->sources[diags->sources_count] = *source;
    return (uint16_t)diags->sources_count++;
}

/* Replaces what would break the line or drive a terminal; cuts nothing in a UTF-8 sequence. */
static void make_printable(char *text)
{
    size_t len = strlen(text), first;

    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) *c = '?';
    }
    if (len < MESSAGE_BYTES - 1) return;
    first = len - 3;
    while (first > 0 && ((unsigned char)text[first] & 0xC0) == 0x80) {
        first--;
    }
    memcpy(text + first, "...", 4);
}

static void PRINTF_LIKE(4, 0) add(struct diags *diags, enum diag_level level, struct place place,
                                  const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    void *array = diags->list;
    struct diag *diag;

    if (level == DIAG_ERROR) {
        diags->errors++;
    } else {
        diags->warnings++;
    }
    if (diags->count == DIAGS_MAX) return;
    if (!grow(diags, &array, sizeof(*diag), diags->count, &diags->capacity)) return;
    diags->list = array;
    (void)vsnprintf(message, sizeof(message), format, args);
    make_printable(message);
    diag = &diags->list[diags->count];
    *diag = (struct diag){.place = place, .level = level};
    diag->message = arena_copy(diags->arena, message, strlen(message));
    if (diag->message == NULL) {
        diags->failed = true;
        return;
    }
    diags->count++;
}

void diag_error(struct diags *diags, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diags, DIAG_ERROR, place, format, args);
    va_end(args);
}

void diag_warn(struct diags *diags, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(diags, DIAG_WARNING, place, format, args);
    va_end(args);
}

void diag_did_you_mean(struct diags *diags, const char *known)
{
    char message[MESSAGE_BYTES];
    struct diag *last;
    const char *longer;

    if (known == NULL || diags->count == 0) return;
    if (diags->count != diags->errors + diags->warnings) return; /* The newest was not kept. */
    last = &diags->list[diags->count - 1];
    (void)snprintf(message, sizeof(message), "%s; did you mean '%s'?", last->message, known);
    make_printable(message);
    longer = arena_copy(diags->arena, message, strlen(message));
    if (longer != NULL) last->message = longer;
}

static int compare(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;

    if (a->place.source != b->place.source) return a->place.source < b->place.source ? -1 : 1;
    if (a->place.line != b->place.line) return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column) return a->place.column < b->place.column ? -1 : 1;
    if (a->level != b->level) return a->level < b->level ? -1 : 1;
    return strcmp(a->message, b->message);
}

static bool says_the_same(const struct diag *a, const struct diag *b)
{
    return a->place.source == b->place.source && a->place.line == b->place.line &&
           a->place.column == b->place.column && a->level == b->level &&
           strcmp(a->message, b->message) == 0;
}

void diags_sort(struct diags *diags)
{
    uint32_t kept = 0;

    if (diags->count == 0) return;
    qsort(diags->list, diags->count, sizeof(*diags->list), compare);
    for (uint32_t i = 0; i < diags->count; i++) {
        if (kept > 0 && says_the_same(&diags->list[kept - 1], &diags->list[i])) {
            if (diags->list[i].level == DIAG_ERROR) {
                diags->errors--;
            } else {
                diags->warnings--;
            }
            continue;
        }
        diags->list[kept++] = diags->list[i];
    }
    diags->count = kept;
}

static const char *const level_names[] = {[DIAG_ERROR] = "error", [DIAG_WARNING] = "warning"};

/* Steps over one character. */
static size_t next_character(const char *text, size_t len, size_t at)
{
    at++;
    while (at < len && ((unsigned char)text[at] & 0xC0) == 0x80) {
        at++;
    }
    return at;
}

/* Writes up to `columns` characters from the `from`-th of the line on, as one may write them to a
 * terminal. Tabs stay, so that the mark below stands right. */
static void add_part(struct text *out, const char *line, size_t len, uint32_t from,
                     uint32_t columns)
{
    size_t at = 0, start;

    for (uint32_t i = 0; i < from && at < len; i++) {
        at = next_character(line, len, at);
    }
    start = at;
    for (uint32_t i = 0; i < columns && at < len; i++) {
        unsigned char c = (unsigned char)line[at];

        if ((c < ' ' && c != '\t') || c == 0x7F) {
            text_add(out, line + start, at - start);
            text_add(out, "?", 1);
            start = at + 1;
        }
        at = next_character(line, len, at);
    }
    if (at > start) text_add(out, line + start, at - start);
}

/* Writes white space as wide as the first `columns` characters from the `from`-th on: a tab for a
 * tab. */
static void add_blank(struct text *out, const char *line, size_t len, uint32_t from,
                      uint32_t columns)
{
    size_t at = 0;

    for (uint32_t i = 0; i < from + columns; i++) {
        if (i >= from) text_add(out, at < len && line[at] == '\t' ? "\t" : " ", 1);
        if (at < len) at = next_character(line, len, at);
    }
}

static uint32_t characters_of(const char *line, size_t len)
{
    uint32_t count = 0;

    for (size_t at = 0; at < len; at = next_character(line, len, at)) {
        count++;
    }
    return count;
}

static void add_source_line(struct text *out, const struct source *source, struct place place)
{
    size_t len;
    const char *line = source_line(source, place.line, &len);
    uint32_t count, from = 0, at = place.column - 1, width = place.width;

    if (place.line == 1 && len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
        line += 3;
        len -= 3;
    }
    count = characters_of(line, len);
    if (at > count) at = count;
    if (at > LINE_COLUMNS - CONTEXT_COLUMNS) from = at - CONTEXT_COLUMNS;
    if (width > count - at) width = count - at;
    if (at - from + width > LINE_COLUMNS) width = LINE_COLUMNS - (at - from);
    text_printf(out, "%5u | %s", place.line, from > 0 ? "..." : "");
    add_part(out, line, len, from, LINE_COLUMNS);
    text_printf(out, "%s\n      | %s", count - from > LINE_COLUMNS ? "..." : "",
                from > 0 ? "   " : "");
    add_blank(out, line, len, from, at - from);
    text_add(out, "^", 1);
    for (uint32_t i = 1; i < width; i++) {
        text_add(out, "~", 1);
    }
    text_add(out, "\n", 1);
}

void diags_human(struct diags *diags, struct text *out)
{
    uint32_t all = diags->errors + diags->warnings;
    uint32_t shown = (uint32_t)min_u64(diags->count, DIAGS_SHOWN_MAX);

    for (uint32_t i = 0; i < shown; i++) {
        const struct diag *diag = &diags->list[i];
        struct source *source = &diags->sources[diag->place.source];

        CHECK(diag->place.source < diags->sources_count);
        text_add_str(out, source->name);
        if (diag->place.line > 0) text_printf(out, ":%u:%u", diag->place.line, diag->place.column);
        text_printf(out, ": %s: %s\n", level_names[diag->level], diag->message);
        if (diag->place.line == 0 || source->data == NULL) continue;
        if (source_index(source, diags->arena)) add_source_line(out, source, diag->place);
    }
    if (all > shown) text_printf(out, "... and %u more\n", all - shown);
}

void diags_json(const struct diags *diags, struct text *out)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->list[i];
        struct json json;

        CHECK(diag->place.source < diags->sources_count);
        json_init(&json, out, true);
        json_object(&json);
        json_put_str(&json, "level", level_names[diag->level]);
        json_put_str(&json, "file", diags->sources[diag->place.source].name);
        if (diag->place.line > 0) {
            json_put_u64(&json, "line", diag->place.line);
            json_put_u64(&json, "column", diag->place.column);
        }
        json_put_str(&json, "message", diag->message);
        json_end(&json);
    }
}
