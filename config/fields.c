/* Mappings read by the table of keys, and the simple kinds of values. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load_impl.h"
#include "core/base/check.h"
#include "core/base/nearest.h"
#include "core/base/quote.h"
#include "core/base/units.h"

void *load_alloc(struct loader *loader, size_t count, size_t size)
{
    size_t bytes;
    void *memory = NULL;

    if (!__builtin_mul_overflow(count, size, &bytes))
        memory = arena_alloc(loader->arena, bytes, 16);
    if (memory == NULL) loader->diags->failed = true;
    return memory;
}

/* Puts a value where the key's offset says. */
static void store(const struct schema_key *key, void *to, const void *value, size_t size)
{
    memcpy((char *)to + key->offset, value, size);
}

static bool parse_bool(const char *text, bool *ret_value)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret_value = text[0] == 't';
        return true;
    }
    return false;
}

static bool parse_integer(const char *text, int64_t *ret_value)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end;
    long long value;

    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits)) return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0') return false;
    *ret_value = value;
    return true;
}

/* Index of `text` among the words; false when it is none. */
static bool parse_word(const struct schema_key *key, const char *text, uint32_t *ret_value)
{
    for (uint32_t i = 0; key->words[i] != NULL && text[0] != '\0'; i++) {
        if (strcmp(key->words[i], text) != 0) continue;
        *ret_value = i;
        return true;
    }
    return false;
}

/* Gives count, bytes and duration; false when the text is none of its kind. */
static bool parse_amount(const struct schema_key *key, const char *text, uint64_t *ret_value)
{
    switch (key->kind) {
    case SCHEMA_COUNT: return units_parse_count(text, ret_value);
    case SCHEMA_BYTES: return units_parse_bytes(text, ret_value);
    case SCHEMA_DURATION: return units_parse_duration_ns(text, ret_value);
    case SCHEMA_BOOL:
    case SCHEMA_INTEGER:
    case SCHEMA_SHARE:
    case SCHEMA_HITS:
    case SCHEMA_WORD:
    case SCHEMA_TEXT:
    case SCHEMA_CHARACTER:
    case SCHEMA_TEMPLATE:
    case SCHEMA_EXPRESSION:
    case SCHEMA_OTHER: break;
    }
    UNREACHABLE("a kind that is no amount");
}

/* Why a text is no value of its kind; NULL if it is one, which is then stored. */
enum verdict { RIGHT, WRONG, OUT_OF_RANGE };

static enum verdict parse_simple(const struct schema_key *key, const char *text, void *to)
{
    union {
        bool boolean;
        char character;
        uint32_t word;
        uint64_t amount;
        int64_t integer;
        double real;
    } value;

    switch (key->kind) {
    case SCHEMA_BOOL:
        if (!parse_bool(text, &value.boolean)) return WRONG;
        store(key, to, &value.boolean, sizeof(value.boolean));
        return RIGHT;
    case SCHEMA_COUNT:
    case SCHEMA_BYTES:
    case SCHEMA_DURATION:
        if (!parse_amount(key, text, &value.amount)) return WRONG;
        if (value.amount < key->min || value.amount > key->max) return OUT_OF_RANGE;
        store(key, to, &value.amount, sizeof(value.amount));
        return RIGHT;
    case SCHEMA_INTEGER:
        if (!parse_integer(text, &value.integer)) return WRONG;
        store(key, to, &value.integer, sizeof(value.integer));
        return RIGHT;
    case SCHEMA_SHARE:
        if (!units_parse_percent(text, &value.real)) return WRONG;
        store(key, to, &value.real, sizeof(value.real));
        return RIGHT;
    case SCHEMA_HITS:
        if (!units_parse_hits(text, &value.real)) return WRONG;
        if (value.real > PLAN_RATE_PER_S_MAX) return OUT_OF_RANGE;
        store(key, to, &value.real, sizeof(value.real));
        return RIGHT;
    case SCHEMA_WORD:
        if (!parse_word(key, text, &value.word)) return WRONG;
        store(key, to, &value.word, sizeof(value.word));
        return RIGHT;
    case SCHEMA_TEXT:
        if (text[0] == '\0') return WRONG;
        if (key->words != NULL && !parse_word(key, text, &value.word)) return WRONG;
        store(key, to, &text, sizeof(text));
        return RIGHT;
    case SCHEMA_CHARACTER:
        if (text[0] == '\0' || text[1] != '\0') return WRONG;
        store(key, to, text, 1);
        return RIGHT;
    case SCHEMA_TEMPLATE:
    case SCHEMA_EXPRESSION:
    case SCHEMA_OTHER: break;
    }
    UNREACHABLE("a kind that is not simple");
}

static bool is_simple(const struct schema_key *key)
{
    return key->kind < SCHEMA_TEMPLATE;
}

/* "wants true or false", by kind. */
static void describe(const struct schema_key *key, char *text, size_t bytes)
{
    static const char *const wants[] = {
        [SCHEMA_BOOL] = "true or false",
        [SCHEMA_COUNT] = "a whole number",
        [SCHEMA_INTEGER] = "a whole number of 64 bits",
        [SCHEMA_BYTES] = "a size such as 1000 or 16 MiB",
        [SCHEMA_DURATION] = "a duration such as 90s, 1h30m or 500ms",
        [SCHEMA_SHARE] = "a percent such as 100% or 12.5%",
        [SCHEMA_HITS] = "hits per second or minute such as 50hps or 300 hpm",
        [SCHEMA_TEXT] = "text that is not empty",
        [SCHEMA_CHARACTER] = "one ASCII character",
    };
    size_t len = 0;

    if (key->words == NULL) {
        (void)snprintf(text, bytes, "%s", wants[key->kind]);
        return;
    }
    for (uint32_t i = 0; key->words[i] != NULL; i++) {
        const char *join = len == 0 ? "" : key->words[i + 1] == NULL ? " or " : ", ";

        if (key->words[i][0] == '\0') continue;
        len += (size_t)snprintf(text + len, bytes - len, "%s%s", join, key->words[i]);
        CHECK(len < bytes);
    }
}

static void tell_range(struct loader *loader, const struct schema_key *key,
                       const struct yaml_node *node, const char *text)
{
    struct quote shown = quote(text);
    char low[UNITS_TEXT_MAX], high[UNITS_TEXT_MAX];

    if (key->kind == SCHEMA_HITS) {
        diag_error(loader->diags, node->place, "'%s' wants at most %d hits per second, not '%s'",
                   key->name, PLAN_RATE_PER_S_MAX, shown.text);
    } else if (key->kind == SCHEMA_COUNT && key->max >= INT64_MAX) {
        diag_error(loader->diags, node->place, "'%s' wants at least %llu, not '%s'", key->name,
                   (unsigned long long)key->min, shown.text);
    } else if (key->kind == SCHEMA_COUNT) {
        diag_error(loader->diags, node->place, "'%s' wants %llu to %llu, not '%s'", key->name,
                   (unsigned long long)key->min, (unsigned long long)key->max, shown.text);
    } else if (key->kind == SCHEMA_DURATION && key->min <= 1) {
        diag_error(loader->diags, node->place, "'%s' wants a duration longer than 0, not '%s'",
                   key->name, shown.text);
    } else if (key->kind == SCHEMA_DURATION) {
        diag_error(loader->diags, node->place, "'%s' wants a duration from %s to %s, not '%s'",
                   key->name, units_time(low, key->min), units_time(high, key->max), shown.text);
    } else {
        diag_error(loader->diags, node->place, "'%s' wants %s to %s, not '%s'", key->name,
                   units_bytes(low, (double)key->min), units_bytes(high, (double)key->max),
                   shown.text);
    }
}

bool load_simple(struct loader *loader, const struct schema_key *key, const struct yaml_node *node,
                 void *ret_value)
{
    char wanted[120];
    const char *text;
    bool number;

    describe(key, wanted, sizeof(wanted));
    if (node->kind != YAML_SCALAR) {
        diag_error(loader->diags, node->place, "'%s' wants %s, not %s", key->name, wanted,
                   yaml_kind_name(node));
        return false;
    }
    text = load_text(loader, node);
    if (text == NULL) return false;
    switch (parse_simple(key, text, ret_value)) {
    case RIGHT: return true;
    case OUT_OF_RANGE: tell_range(loader, key, node, text); return false;
    case WRONG: break;
    }
    number = text[0] != '\0' && strspn(text, "0123456789.") == strlen(text);
    if (number && key->kind == SCHEMA_DURATION) {
        diag_error(loader->diags, node->place, "'%s' wants a duration with its unit, such as %ss",
                   key->name, quote(text).text);
    } else if (number && key->kind == SCHEMA_SHARE) {
        diag_error(loader->diags, node->place, "'%s' wants a percent, such as %s%%", key->name,
                   quote(text).text);
    } else if (number && key->kind == SCHEMA_HITS) {
        diag_error(loader->diags, node->place,
                   "'%s' wants hits with their unit, such as %shps or %shpm", key->name,
                   quote(text).text, quote(text).text);
    } else {
        diag_error(loader->diags, node->place, "'%s' wants %s, not '%s'", key->name, wanted,
                   quote(text).text);
    }
    return false;
}

static void tell_unknown(struct loader *loader, enum schema_section section,
                         const struct yaml_node *key)
{
    diag_error(loader->diags, key->place, "unknown key '%s' in %s", quote(key->text).text,
               schema_sections[section].what);
    diag_did_you_mean(loader->diags, schema_nearest(section, key->text));
}

/* Reads one pair. */
static void read_pair(struct loader *loader, const struct yaml_pair *pair,
                      enum schema_section section, void *ret_struct, struct fields *fields)
{
    const struct schema_key *key = schema_find(section, pair->key->text);
    const struct yaml_node **node;

    if (key == NULL) {
        tell_unknown(loader, section, pair->key);
        return;
    }
    if (key->later) {
        diag_error(loader->diags, pair->key->place,
                   "scenarios are not in this version, so '%s' cannot be used", key->name);
        return;
    }
    node = &fields->nodes[key - fields->first];
    if (*node != NULL) {
        diag_error(loader->diags, pair->key->place, "'%s' is given twice; the first is in line %u",
                   key->name, (*node)->place.line);
        return;
    }
    *node = pair->value;
    if (is_simple(key)) (void)load_simple(loader, key, pair->value, ret_struct);
}

void fields_read(struct loader *loader, const struct yaml_node *node, enum schema_section section,
                 void *ret_struct, struct fields *ret_fields)
{
    *ret_fields = (struct fields){0};
    ret_fields->first = schema_section_keys(section, &ret_fields->count);
    CHECK(ret_fields->count <= FIELDS_MAX);
    for (size_t i = 0; i < ret_fields->count; i++) {
        const struct schema_key *key = &ret_fields->first[i];

        if (!is_simple(key) || key->fallback == NULL) continue;
        CHECK(parse_simple(key, key->fallback, ret_struct) == RIGHT);
    }
    if (node == NULL) return;
    if (node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "%s is a mapping, not %s",
                   schema_sections[section].what, yaml_kind_name(node));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        read_pair(loader, &node->pairs[i], section, ret_struct, ret_fields);
    }
    for (size_t i = 0; i < ret_fields->count; i++) {
        const struct schema_key *key = &ret_fields->first[i];

        if (!key->required || ret_fields->nodes[i] != NULL) continue;
        diag_error(loader->diags, node->place, "%s without '%s'", schema_sections[section].what,
                   key->name);
    }
}

const struct yaml_node *fields_get(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->first[i].name, name) == 0) return fields->nodes[i];
    }
    UNREACHABLE("a key that the section does not have");
}

void load_unknown(struct loader *loader, struct place place, const char *what, const char *name,
                  const struct load_entries *known)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (uint32_t i = 0; i < known->count; i++) {
        (void)nearest_offer(&nearest, known->list[i].key->text);
    }
    diag_error(loader->diags, place, "unknown %s '%s'", what, quote(name).text);
    diag_did_you_mean(loader->diags, nearest.best);
}
