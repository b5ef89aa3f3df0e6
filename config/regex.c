#include "config/regex.h"

#include <stdio.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/check.h"

struct regex {
    const pcre2_code *code;
    uint32_t groups;    /* The whole match counts. */
    struct value *keys; /* [groups]: name or number. */
};

/* PCRE2's memory while compiling: the arena's, so that nothing has to be freed but the JIT's. */
static void *arena_malloc(size_t size, void *arena)
{
    return arena_alloc(arena, size, 16);
}

/* And while matching: the scratch's, which is put back afterwards. */
static void *scratch_malloc(size_t size, void *scratch)
{
    return scratch_alloc(scratch, size);
}

static void free_nothing(void *memory, void *owner)
{
    (void)memory;
    (void)owner;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

static const struct regex *no_memory(struct regex_error *error)
{
    error->offset = 0;
    (void)snprintf(error->message, sizeof(error->message), "no memory for the pattern");
    return NULL;
}

static pcre2_code *compile(struct arena *arena, const char *pattern, size_t len, bool whole,
                           struct regex_error *error)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
    pcre2_general_context *general =
        pcre2_general_context_create(arena_malloc, free_nothing, arena);
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    PCRE2_SIZE offset;
    pcre2_code *code;
    int number;

    if (context == NULL) {
        (void)no_memory(error);
        return NULL;
    }
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    code = pcre2_compile((PCRE2_SPTR)pattern, len, options, &number, &offset, context);
    if (code == NULL) {
        error->offset = offset <= len ? offset : len;
        if (pcre2_get_error_message(number, (PCRE2_UCHAR *)error->message, sizeof(error->message)) <
            0) {
            (void)snprintf(error->message, sizeof(error->message), "PCRE2's error %d", number);
        }
        return NULL;
    }
    /* Without it matching is slower and otherwise the same. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    if (!arena_at_release(arena, free_code, code)) {
        pcre2_code_free(code);
        (void)no_memory(error);
        return NULL;
    }
    return code;
}

static bool number_keys(struct arena *arena, struct regex *regex)
{
    regex->keys = arena_array(arena, regex->groups, sizeof(*regex->keys));
    for (uint32_t i = 0; regex->keys != NULL && i < regex->groups; i++) {
        char digits[12];
        int len = snprintf(digits, sizeof(digits), "%u", i);
        const char *key = arena_copy(arena, digits, (size_t)len);

        if (key == NULL) return false;
        regex->keys[i] = value_string(key, (size_t)len);
    }
    return regex->keys != NULL;
}

/* Groups with names are known by these: a table of entries, each the number in two bytes and the
 * terminated name (man pcre2api). */
static void name_keys(struct regex *regex)
{
    uint32_t count = 0, entry_bytes = 0;
    PCRE2_SPTR entry = NULL;

    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &entry);
    for (uint32_t i = 0; i < count; i++, entry += entry_bytes) {
        uint32_t group = (uint32_t)entry[0] << 8 | entry[1];

        CHECK(group < regex->groups);
        regex->keys[group] = value_str((const char *)entry + 2);
    }
}

const struct regex *regex_compile(struct arena *arena, const char *pattern, size_t len, bool whole,
                                  struct regex_error *ret_error)
{
    struct regex *regex;
    uint32_t groups = 0;

    if (len > REGEX_BYTES_MAX) {
        ret_error->offset = REGEX_BYTES_MAX;
        (void)snprintf(ret_error->message, sizeof(ret_error->message),
                       "a pattern has at most %d bytes", REGEX_BYTES_MAX);
        return NULL;
    }
    if (!regex_guard(pattern, len, ret_error)) return NULL;
    regex = arena_alloc(arena, sizeof(*regex), _Alignof(struct regex));
    if (regex == NULL) return no_memory(ret_error);
    regex->code = compile(arena, pattern, len, whole, ret_error);
    if (regex->code == NULL) return NULL;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups > REGEX_GROUPS_MAX) {
        ret_error->offset = 0;
        (void)snprintf(ret_error->message, sizeof(ret_error->message),
                       "a pattern has at most %d groups", REGEX_GROUPS_MAX);
        return NULL;
    }
    regex->groups = groups + 1;
    if (!number_keys(arena, regex)) return no_memory(ret_error);
    name_keys(regex);
    return regex;
}

static enum regex_result result_of(int rc)
{
    if (rc > 0) return REGEX_FOUND;
    if (rc == PCRE2_ERROR_NOMATCH) return REGEX_NONE;
    return rc == PCRE2_ERROR_NOMEMORY ? REGEX_FULL : REGEX_LIMIT;
}

/* Matches with PCRE2's memory in the scratch, and copies the places of the groups. */
static enum regex_result run(const struct regex *regex, const char *text, size_t len,
                             struct scratch *scratch, size_t *ret_places)
{
    uint64_t steps = min_u64(REGEX_STEPS + (uint64_t)len, REGEX_STEPS_MAX);
    pcre2_general_context *general =
        pcre2_general_context_create(scratch_malloc, free_nothing, scratch);
    pcre2_match_context *context = general ? pcre2_match_context_create(general) : NULL;
    pcre2_match_data *data = context ? pcre2_match_data_create(regex->groups, general) : NULL;
    int rc;

    if (data == NULL) return REGEX_FULL;
    (void)pcre2_set_match_limit(context, (uint32_t)steps);
    (void)pcre2_set_heap_limit(context, REGEX_HEAP_KIB_MAX);
    rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, 0, data, context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_JIT, data, context);
    }
    CHECK(rc != 0); /* The match data has room for all groups. */
    if (rc > 0 && ret_places != NULL) {
        /* Those behind the last group that took part are PCRE2_UNSET. */
        memcpy(ret_places, pcre2_get_ovector_pointer(data),
               2 * (size_t)regex->groups * sizeof(*ret_places));
    }
    return result_of(rc);
}

enum regex_result regex_test(const struct regex *regex, const char *text, size_t len,
                             struct scratch *scratch)
{
    struct scratch before = *scratch;
    enum regex_result result = run(regex, text, len, scratch, NULL);

    *scratch = before;
    return result;
}

enum regex_result regex_match(const struct regex *regex, const char *text, size_t len,
                              struct scratch *scratch, struct value *ret_groups)
{
    size_t places[2 * (REGEX_GROUPS_MAX + 1)];
    struct value_member *members = scratch_alloc(scratch, regex->groups * sizeof(*members));
    struct scratch before = *scratch;
    enum regex_result result;
    bool fits;

    if (members == NULL) return REGEX_FULL;
    result = run(regex, text, len, scratch, places);
    *scratch = before;
    if (result != REGEX_FOUND) return result;
    for (uint32_t i = 0; i < regex->groups; i++) {
        size_t begin = places[2 * (size_t)i], end = places[2 * (size_t)i + 1];

        members[i].key = regex->keys[i];
        members[i].value = value_null();
        if (begin == PCRE2_UNSET) continue;
        CHECK(begin <= end);
        CHECK(end <= len);
        members[i].value = value_string(text + begin, end - begin);
    }
    fits = value_object(members, regex->groups, ret_groups);
    CHECK(fits);
    return REGEX_FOUND;
}
