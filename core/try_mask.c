#include "core/try_mask.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/hex.h"

/* Gathering the secrets. */

struct secrets {
    struct value *list;
    uint32_t count;
    struct arena *arena;
    bool failed;
};

static uint32_t count_leaves(const struct value *value)
{
    uint32_t count = 0;

    if (value->kind != VALUE_ARRAY && value->kind != VALUE_OBJECT) return 1;
    for (uint32_t i = 0; i < value->len; i++) {
        count += count_leaves(value->kind == VALUE_ARRAY ? &value->elements[i]
                                                         : &value->members[i].value);
    }
    return count;
}

/* Adds the texts of a value: strings, and numbers as they are written. */
static void add_leaves(struct secrets *secrets, const struct value *value)
{
    char number[VALUE_NUMBER_BYTES];
    const char *text = value->string;
    size_t len = value->len;
    struct buf buf;

    if (value->kind == VALUE_ARRAY || value->kind == VALUE_OBJECT) {
        for (uint32_t i = 0; i < value->len; i++) {
            add_leaves(secrets,
                       value->kind == VALUE_ARRAY ? &value->elements[i] : &value->members[i].value);
        }
        return;
    }
    if (value_is_number(value)) {
        buf_init(&buf, number, sizeof(number));
        value_write(value, &buf);
        text = arena_copy(secrets->arena, number, buf.len);
        len = buf.len;
    } else if (value->kind != VALUE_STRING) {
        return;
    }
    if (text == NULL) secrets->failed = true;
    if (text != NULL && len > 0) secrets->list[secrets->count++] = value_string(text, len);
}

static const struct testfile_var *find_var(const struct testfile *test, const char *name)
{
    for (uint32_t i = 0; i < test->vars_count; i++) {
        if (strcmp(test->vars[i].name, name) == 0) return &test->vars[i];
    }
    return NULL;
}

static int longest_first(const void *a, const void *b)
{
    const struct value *x = a, *y = b;

    return x->len < y->len ? 1 : -(x->len > y->len);
}

bool try_mask_make(struct try_mask *mask, const struct testfile *test, bool show,
                   struct arena *arena)
{
    const struct testfile_general *general = &test->general;
    struct secrets secrets = {.arena = arena};
    uint32_t count = 0;

    *mask = (struct try_mask){.hides_headers = !show};
    if (show) return true;
    for (uint32_t i = 0; i < general->secrets_count; i++) {
        const struct testfile_var *var = find_var(test, general->secrets[i]);

        if (var != NULL) count += count_leaves(&var->value);
    }
    secrets.list = arena_array(arena, count, sizeof(*secrets.list));
    if (secrets.list == NULL) return false;
    for (uint32_t i = 0; i < general->secrets_count; i++) {
        const struct testfile_var *var = find_var(test, general->secrets[i]);

        if (var != NULL) add_leaves(&secrets, &var->value);
    }
    if (secrets.count > 0) qsort(secrets.list, secrets.count, sizeof(*secrets.list), longest_first);
    mask->secrets = secrets.list;
    mask->count = secrets.count;
    return !secrets.failed;
}

bool try_mask_hides(const struct try_mask *mask, const char *name, size_t len)
{
    static const char *const names[] = {"authorization", "cookie", "set-cookie",
                                        "proxy-authorization"};

    for (size_t i = 0; mask->hides_headers && i < COUNT(names); i++) {
        if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0) return true;
    }
    return false;
}

/* Finding them. */

/* The byte that two hexadecimal digits at `text` stand for; -1: they are none. */
static int hex_byte(const char *text)
{
    int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

    return low < 0 ? -1 : high * 16 + low;
}

/* The byte that a JSON escape of one letter stands for; 0: it is none. */
static char escaped(char letter)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *at = letter == '\0' ? NULL : strchr(letters, letter);

    if (at == NULL) return '\0';
    return bytes[at - letters];
}

/* How many bytes of the text stand for `byte`, encoded if they can be; 0: they do not. */
static size_t unit_for(const char *text, size_t left, char byte)
{
    if (left >= 3 && text[0] == '%' && hex_byte(text + 1) == (unsigned char)byte) return 3;
    if (left >= 2 && text[0] == '\\' && byte != '\0' && escaped(text[1]) == byte) return 2;
    if (left >= 6 && memcmp(text, "\\u00", 4) == 0 && hex_byte(text + 4) == (unsigned char)byte) {
        return 6;
    }
    if (text[0] == '+' && byte == ' ') return 1;
    return text[0] == byte;
}

/* How long the secret is where it begins at `text`; 0: it does not. */
static size_t length_of(const struct value *secret, const char *text, size_t left)
{
    size_t at = 0;

    if (left >= secret->len && memcmp(text, secret->string, secret->len) == 0) return secret->len;
    for (uint32_t i = 0; i < secret->len; i++) {
        size_t unit = at < left ? unit_for(text + at, left - at, secret->string[i]) : 0;

        if (unit == 0) return 0;
        at += unit;
    }
    return at;
}

/* The same of any secret. */
static size_t find_at(const struct try_mask *mask, const char *text, size_t left)
{
    for (uint32_t i = 0; i < mask->count; i++) {
        size_t len = length_of(&mask->secrets[i], text, left);

        if (len > 0) return len;
    }
    return 0;
}

bool try_mask_finds(const struct try_mask *mask, const char *text, size_t len)
{
    for (size_t at = 0; mask->count > 0 && at < len; at++) {
        if (find_at(mask, text + at, len - at) > 0) return true;
    }
    return false;
}

void try_mask_add(const struct try_mask *mask, const char *text, size_t len, struct text *out)
{
    size_t from = 0, at = 0;

    while (mask->count > 0 && at < len) {
        size_t found = find_at(mask, text + at, len - at);

        if (found == 0) {
            at++;
            continue;
        }
        text_add(out, text + from, at - from);
        text_add_str(out, TRY_MASK);
        at += found;
        from = at;
    }
    text_add(out, text + from, len - from);
}
