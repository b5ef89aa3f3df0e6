/* The selection: a machine that takes the text byte by byte, in pieces of any length, and keeps
 *
 * - one state (enum state) that says what may come next; what a piece holds whole is stepped over
 *   at once, and only what is cut goes byte by byte,
 * - of every open container whether it is an object, and the node of the paths that it matches,
 * - while a value that is picked goes by, where in the present piece it begins.
 *
 * The bytes of picked values are copied to the selection's memory and parsed when the text has
 * ended. A key that comes again makes what was picked under it void, since the last one counts.
 * If the whole text is picked there is no machine: it is copied, and parsed at the end. */
#include <string.h>

#include "config/json.h"
#include "config/json_paths.h"
#include "config/json_scan.h"
#include "core/base/check.h"
#include "core/base/hex.h"
#include "core/base/utf8.h"

/* Those up to AFTER are between the values. */
enum state {
    VALUE,       /* A value, after white space. */
    FIRST_VALUE, /* The same, or ']'. */
    KEY,         /* A key. */
    FIRST_KEY,   /* The same, or '}'. */
    COLON,       /* After a key. */
    AFTER,       /* After a value: a comma, or the container's end; after the text's: nothing. */
    STRING,      /* Inside of a string or key. */
    ESCAPE,      /* After a backslash. */
    HEX,         /* Inside of the four digits after "\u". */
    UTF8,        /* Inside of a character. */
    WORD,        /* Inside of true, false, null. */
    MINUS,       /* Numbers: what has been read. */
    ZERO,        /* A leading zero. */
    DIGITS,      /* Digits before a point. */
    POINT,       /* The point. */
    DECIMALS,    /* Digits after it. */
    EXPONENT,    /* 'e'. */
    EXPONENT_SIGN,
    EXPONENT_DIGITS,
    WRONG, /* The text is no JSON. */
};

/* What was seen of a node. */
enum seen {
    SEEN_NOT,
    SEEN_SCALAR,
    SEEN_CONTAINER,
};

struct seen_node {
    uint8_t seen; /* enum seen */
    size_t at;    /* Of a captured node: its bytes in the memory. */
    size_t len;
};

struct json_select {
    const struct json_paths *paths;
    struct seen_node *nodes; /* [paths->nodes_count] */
    bool whole;              /* Node 0 is captured. */

    char *memory;
    size_t memory_used, memory_bytes;
    bool full;

    enum state state;
    uint32_t depth;
    bool is_object[VALUE_DEPTH_MAX]; /* Per open container. */
    uint16_t node[VALUE_DEPTH_MAX];  /* Per open container: what it matches, or NONE. */
    uint32_t index[VALUE_DEPTH_MAX]; /* Per open array: number of the present element. */
    uint16_t value_node;             /* What the next value matches, or NONE. */
    uint16_t capture;                /* The node whose value goes by and is picked, or NONE. */
    uint32_t capture_depth;          /* At its beginning. */
    const char *capture_from;        /* In the present piece. */

    bool in_key;      /* The string is a key. */
    bool key_wanted;  /* And somebody wants to know which. */
    uint32_t key_len; /* Above JSON_NAME_BYTES_MAX: too long to match. */
    char key[JSON_NAME_BYTES_MAX + UTF8_BYTES_MAX];
    uint32_t code;     /* HEX: the digits so far. */
    uint32_t high;     /* In a key: half a surrogate pair that waits for the other, or 0. */
    uint8_t left;      /* HEX, UTF8: bytes to come. */
    uint8_t low, most; /* UTF8: range of the next byte. */
    const char *word;  /* WORD: what must follow, terminated. */
};

struct json_select *json_select_new(struct arena *arena, const struct json_paths *paths)
{
    struct json_select *select = arena_alloc(arena, sizeof(*select), CACHE_LINE);

    CHECK(paths->sealed);
    if (select == NULL) return NULL;
    select->paths = paths;
    select->whole = paths->nodes[0].capture;
    select->nodes = arena_array(arena, paths->nodes_count, sizeof(*select->nodes));
    if (select->nodes == NULL) return NULL;
    json_select_start(select, NULL, 0);
    return select;
}

void json_select_start(struct json_select *select, char *memory, size_t memory_bytes)
{
    select->memory = memory;
    select->memory_used = 0;
    select->memory_bytes = memory_bytes;
    select->full = false;
    select->state = VALUE;
    select->depth = 0;
    select->value_node = 0;
    select->capture = JSON_NODE_NONE;
    select->in_key = false;
    memset(select->nodes, 0, select->paths->nodes_count * sizeof(*select->nodes));
}

static void keep(struct json_select *select, const char *data, size_t len)
{
    if (len > select->memory_bytes - select->memory_used) {
        select->full = true;
        return;
    }
    if (len > 0) memcpy(select->memory + select->memory_used, data, len);
    select->memory_used += len;
}

/* What was seen of the node and of all below it is void. */
static void forget(struct json_select *select, uint16_t node)
{
    select->nodes[node].seen = SEEN_NOT;
    for (uint16_t child = select->paths->nodes[node].child; child != JSON_NODE_NONE;
         child = select->paths->nodes[child].next) {
        if (select->nodes[child].seen != SEEN_NOT) forget(select, child);
    }
}

static void begin_value(struct json_select *select, const char *at)
{
    uint16_t node = select->value_node;

    if (likely(node == JSON_NODE_NONE)) return;
    if (select->nodes[node].seen != SEEN_NOT) forget(select, node);
    select->nodes[node].seen = *at == '[' || *at == '{' ? SEEN_CONTAINER : SEEN_SCALAR;
    if (!select->paths->nodes[node].capture) return;
    select->nodes[node].at = select->memory_used;
    select->capture = node;
    select->capture_depth = select->depth;
    select->capture_from = at;
    select->value_node = JSON_NODE_NONE; /* Nothing is looked for below. */
}

/* A value ends before `end`. */
static void end_value(struct json_select *select, const char *end)
{
    select->state = AFTER;
    if (likely(select->capture == JSON_NODE_NONE) || select->depth != select->capture_depth) {
        return;
    }
    keep(select, select->capture_from, (size_t)(end - select->capture_from));
    select->nodes[select->capture].len = select->memory_used - select->nodes[select->capture].at;
    select->capture = JSON_NODE_NONE;
}

/* The child of an array's node for its present element. */
static uint16_t child_by_index(const struct json_select *select, uint16_t node, uint32_t index)
{
    const struct json_node *nodes = select->paths->nodes;
    uint16_t child = nodes[node].child;

    while (child != JSON_NODE_NONE &&
           (nodes[child].step.name != NULL || nodes[child].step.index != index)) {
        child = nodes[child].next;
    }
    return child;
}

static bool key_is_index(const char *key, size_t len, uint32_t index)
{
    for (size_t i = len; i > 0; i--) {
        if (key[i - 1] != (char)('0' + index % 10)) return false;
        index /= 10;
        if (index == 0) return i == 1;
    }
    return false;
}

/* The child of an object's node for this key. */
static uint16_t child_by_key(const struct json_select *select, uint16_t node, const char *key,
                             size_t len)
{
    const struct json_node *nodes = select->paths->nodes;
    uint16_t child;

    if (len > JSON_NAME_BYTES_MAX) return JSON_NODE_NONE;
    for (child = nodes[node].child; child != JSON_NODE_NONE; child = nodes[child].next) {
        const struct json_step *step = &nodes[child].step;

        if (step->name == NULL) {
            if (key_is_index(key, len, step->index)) break;
        } else if (step->len == len && memcmp(step->name, key, len) == 0) {
            break;
        }
    }
    return child;
}

static void open_container(struct json_select *select, bool is_object)
{
    uint32_t depth = select->depth;

    if (depth == VALUE_DEPTH_MAX) {
        select->state = WRONG;
        return;
    }
    select->is_object[depth] = is_object;
    select->node[depth] = select->value_node;
    select->index[depth] = 0;
    select->depth++;
    select->state = is_object ? FIRST_KEY : FIRST_VALUE;
    if (!is_object && select->value_node != JSON_NODE_NONE) {
        select->value_node = child_by_index(select, select->value_node, 0);
    }
}

static void close_container(struct json_select *select, const char *at)
{
    select->depth--;
    end_value(select, at + 1);
}

static void next_element(struct json_select *select)
{
    uint32_t depth = select->depth - 1;

    if (select->is_object[depth]) {
        select->state = KEY;
        return;
    }
    select->state = VALUE;
    select->value_node = JSON_NODE_NONE;
    if (select->node[depth] != JSON_NODE_NONE) {
        select->value_node = child_by_index(select, select->node[depth], ++select->index[depth]);
    }
}

static void key_add(struct json_select *select, const char *data, size_t len)
{
    if (!select->key_wanted || len == 0) return;
    if (len > JSON_NAME_BYTES_MAX - min_u64(select->key_len, JSON_NAME_BYTES_MAX)) {
        select->key_len = JSON_NAME_BYTES_MAX + 1;
        return;
    }
    memcpy(select->key + select->key_len, data, len);
    select->key_len += (uint32_t)len;
}

static void key_add_code(struct json_select *select, uint32_t code)
{
    char text[UTF8_BYTES_MAX];

    key_add(select, text, utf8_put(code, text));
}

/* Half a pair that found no other half. */
static void key_settle(struct json_select *select)
{
    if (select->high == 0) return;
    select->high = 0;
    key_add_code(select, JSON_REPLACEMENT);
}

/* Four digits are complete. */
static void take_code(struct json_select *select)
{
    uint32_t code = select->code;

    select->state = STRING;
    if (!select->in_key) return;
    if (json_is_low_surrogate(code) && select->high != 0) {
        code = json_surrogates(select->high, code);
        select->high = 0;
        key_add_code(select, code);
        return;
    }
    key_settle(select);
    if (json_is_high_surrogate(code)) {
        select->high = code;
    } else {
        key_add_code(select, json_is_low_surrogate(code) ? JSON_REPLACEMENT : code);
    }
}

static void begin_string(struct json_select *select, bool is_key)
{
    select->state = STRING;
    select->in_key = is_key;
    select->key_len = 0;
    select->high = 0;
    select->key_wanted = is_key && select->node[select->depth - 1] != JSON_NODE_NONE;
}

/* The closing quote. */
static void end_string(struct json_select *select, const char *at)
{
    if (!select->in_key) {
        end_value(select, at + 1);
        return;
    }
    key_settle(select);
    select->in_key = false;
    select->state = COLON;
    select->value_node = JSON_NODE_NONE;
    if (select->key_wanted) {
        select->value_node =
            child_by_key(select, select->node[select->depth - 1], select->key, select->key_len);
    }
}

/* Inside a string: returns behind what it took. */
static const char *in_string(struct json_select *select, const char *at, const char *end)
{
    const char *odd = json_skip_plain(at, end);
    struct utf8_rest rest;

    if (select->in_key) {
        if (odd > at) key_settle(select);
        key_add(select, at, (size_t)(odd - at));
    }
    if (odd == end) return end;
    if (*odd == '"') {
        end_string(select, odd);
        return odd + 1;
    }
    if (*odd == '\\') {
        select->state = ESCAPE;
        return odd + 1;
    }
    rest = utf8_rest((unsigned char)*odd);
    if ((unsigned char)*odd < 0x20 || rest.count == UINT8_MAX) {
        select->state = WRONG;
        return odd;
    }
    if (select->in_key) key_settle(select);
    key_add(select, odd, 1);
    select->left = rest.count;
    select->low = rest.low;
    select->most = rest.high;
    select->state = UTF8;
    return odd + 1;
}

static void in_character(struct json_select *select, const char *at)
{
    unsigned char c = (unsigned char)*at;

    if (c < select->low || c > select->most) {
        select->state = WRONG;
        return;
    }
    key_add(select, at, 1);
    select->low = 0x80;
    select->most = 0xbf;
    if (--select->left == 0) select->state = STRING;
}

static void in_escape(struct json_select *select, char c)
{
    char plain = json_escape(c);

    if (c == 'u') {
        select->state = HEX;
        select->code = 0;
        select->left = 4;
        return;
    }
    if (plain == 0) {
        select->state = WRONG;
        return;
    }
    if (select->in_key) key_settle(select);
    key_add(select, &plain, 1);
    select->state = STRING;
}

static void in_hex(struct json_select *select, char c)
{
    int digit = hex_digit(c);

    if (digit < 0) {
        select->state = WRONG;
        return;
    }
    select->code = select->code << 4 | (uint32_t)digit;
    if (--select->left == 0) take_code(select);
}

static void in_word(struct json_select *select, const char *at)
{
    if (*at != *select->word) {
        select->state = WRONG;
    } else if (*++select->word == '\0') {
        end_value(select, at + 1);
    }
}

/* A string, number or word that ends inside of the piece is taken at once: returns behind it, or
 * NULL when it is for the machine to go on byte by byte. */
static inline const char *whole_scalar(const char *at, const char *end)
{
    const char *behind;
    size_t len;

    switch (*at) {
    case '"':
        behind = json_skip_plain(at + 1, end);
        return behind < end && *behind == '"' ? behind + 1 : NULL;
    case 't': return end - at >= 4 && memcmp(at, "true", 4) == 0 ? at + 4 : NULL;
    case 'f': return end - at >= 5 && memcmp(at, "false", 5) == 0 ? at + 5 : NULL;
    case 'n': return end - at >= 4 && memcmp(at, "null", 4) == 0 ? at + 4 : NULL;
    default: break;
    }
    len = json_number_len(at, (size_t)(end - at));
    return len > 0 && at + len < end ? at + len : NULL;
}

/* Returns behind what it took. */
static const char *first_of_value(struct json_select *select, const char *at, const char *end)
{
    const char *behind;

    begin_value(select, at);
    if (*at == '{' || *at == '[') {
        open_container(select, *at == '{');
        return at + 1;
    }
    behind = whole_scalar(at, end);
    if (likely(behind != NULL)) {
        end_value(select, behind);
        return behind;
    }
    select->state = WORD;
    switch (*at) {
    case '"': begin_string(select, false); break;
    case 't': select->word = "rue"; break;
    case 'f': select->word = "alse"; break;
    case 'n': select->word = "ull"; break;
    case '-': select->state = MINUS; break;
    case '0': select->state = ZERO; break;
    default: select->state = json_is_digit(*at) ? DIGITS : WRONG; break;
    }
    return at + 1;
}

/* At the quote of a key: all of it, and the colon, if they are in the piece. */
static const char *first_of_key(struct json_select *select, const char *at, const char *end)
{
    const char *key = at + 1, *behind = json_skip_plain(key, end);
    uint16_t node = select->node[select->depth - 1];

    if (behind == end || *behind != '"') {
        begin_string(select, true);
        return key;
    }
    select->value_node = JSON_NODE_NONE;
    if (node != JSON_NODE_NONE) {
        select->value_node = child_by_key(select, node, key, (size_t)(behind - key));
    }
    select->state = COLON;
    if (++behind == end || *behind != ':') return behind;
    select->state = VALUE;
    return behind + 1;
}

/* The state of a number after one more byte, or AFTER when the byte is no part of it. */
static enum state number_next(enum state state, char c)
{
    bool digit = json_is_digit(c);

    switch (state) {
    case MINUS: return c == '0' ? ZERO : digit ? DIGITS : WRONG;
    case DIGITS:
        if (digit) return DIGITS;
        __attribute__((fallthrough));
    case ZERO:
        if (digit) return WRONG;
        return c == '.' ? POINT : c == 'e' || c == 'E' ? EXPONENT : AFTER;
    case POINT: return digit ? DECIMALS : WRONG;
    case DECIMALS: return digit ? DECIMALS : c == 'e' || c == 'E' ? EXPONENT : AFTER;
    case EXPONENT:
        if (c == '+' || c == '-') return EXPONENT_SIGN;
        __attribute__((fallthrough));
    case EXPONENT_SIGN: return digit ? EXPONENT_DIGITS : WRONG;
    case EXPONENT_DIGITS: return digit ? EXPONENT_DIGITS : AFTER;
    default: UNREACHABLE("state of a number");
    }
}

static const char *in_number(struct json_select *select, const char *at, const char *end)
{
    enum state state = select->state;

    while (at < end) {
        enum state next = number_next(state, *at);

        if (next == AFTER) {
            end_value(select, at);
            return at;
        }
        state = next;
        if (next == WRONG) break;
        at++;
    }
    select->state = state;
    return at;
}

/* After a value: a comma or the end of a container. */
static const char *after_value(struct json_select *select, const char *at)
{
    bool inside = select->depth > 0;

    if (inside && *at == ',') {
        next_element(select);
    } else if (inside && *at == (select->is_object[select->depth - 1] ? '}' : ']')) {
        close_container(select, at);
    } else {
        select->state = WRONG;
    }
    return at + 1;
}

/* Between the values: white space, brackets, commas, colons, and what can be taken at once. */
static const char *in_structure(struct json_select *select, const char *at, const char *end)
{
    while (at < end && select->state <= AFTER) {
        if (json_is_space(*at)) {
            at++;
            continue;
        }
        if (select->state == AFTER) {
            at = after_value(select, at);
        } else if ((select->state == FIRST_VALUE && *at == ']') ||
                   (select->state == FIRST_KEY && *at == '}')) {
            close_container(select, at++);
        } else if (select->state <= FIRST_VALUE) {
            at = first_of_value(select, at, end);
        } else if (*at == '"' && select->state != COLON) {
            at = first_of_key(select, at, end);
        } else {
            select->state = *at == ':' && select->state == COLON ? VALUE : WRONG;
            at++;
        }
    }
    return at;
}

static void run(struct json_select *select, const char *at, const char *end)
{
    while (at < end) {
        switch (select->state) {
        case VALUE:
        case FIRST_VALUE:
        case KEY:
        case FIRST_KEY:
        case COLON:
        case AFTER: at = in_structure(select, at, end); break;
        case STRING: at = in_string(select, at, end); break;
        case ESCAPE: in_escape(select, *at++); break;
        case HEX: in_hex(select, *at++); break;
        case UTF8: in_character(select, at++); break;
        case WORD: in_word(select, at++); break;
        case MINUS:
        case ZERO:
        case DIGITS:
        case POINT:
        case DECIMALS:
        case EXPONENT:
        case EXPONENT_SIGN:
        case EXPONENT_DIGITS: at = in_number(select, at, end); break;
        case WRONG: return;
        }
    }
}

enum json_state json_select_feed(struct json_select *select, const char *data, size_t len)
{
    if (select->full) return JSON_FULL;
    if (select->whole) {
        keep(select, data, len);
        return select->full ? JSON_FULL : JSON_MORE;
    }
    if (select->state == WRONG) return JSON_INVALID;
    select->capture_from = data;
    run(select, data, data + len);
    if (select->capture != JSON_NODE_NONE && select->state != WRONG) {
        keep(select, select->capture_from, (size_t)(data + len - select->capture_from));
    }
    if (select->full) return JSON_FULL;
    return select->state == WRONG ? JSON_INVALID : JSON_MORE;
}

/* Ends a text that the machine has read. */
static bool end_text(struct json_select *select)
{
    if (select->depth == 0 && (select->state == ZERO || select->state == DIGITS ||
                               select->state == DECIMALS || select->state == EXPONENT_DIGITS)) {
        static const char nothing[1];

        select->capture_from = nothing; /* All of it has been kept. */
        end_value(select, nothing);
    }
    return select->state == AFTER && select->depth == 0;
}

/* The result of a path whose node has, or has not, been seen. */
static bool result_of(struct json_select *select, const struct json_path *path,
                      struct scratch *scratch, struct json_result *ret_result)
{
    const struct seen_node *node = &select->nodes[path->node];
    struct value value;

    if (node->seen == SEEN_NOT) {
        uint16_t parent = select->paths->nodes[path->node].parent;
        bool is_missing = select->nodes[parent].seen == SEEN_CONTAINER && path->rest == 0;

        *ret_result = (struct json_result){.found = is_missing ? JSON_MISSING : JSON_INDEXING};
        return true;
    }
    if (!json_parse(select->memory + node->at, node->len, scratch, &value, NULL)) return false;
    *ret_result = json_walk(&value, path->steps + path->steps_count - path->rest, path->rest);
    return true;
}

static bool finish_whole(struct json_select *select, struct scratch *scratch,
                         struct json_result *ret_results, bool *ret_is_json)
{
    const char *text = select->memory != NULL ? select->memory : "";
    struct value body;

    if (!json_body(text, select->memory_used, scratch, &body, ret_is_json)) return false;
    for (uint32_t i = 0; i < select->paths->count; i++) {
        const struct json_path *path = &select->paths->paths[i];

        ret_results[i] = json_walk(&body, path->steps, path->steps_count);
    }
    return true;
}

bool json_select_finish(struct json_select *select, struct scratch *scratch,
                        struct json_result *ret_results, bool *ret_is_json)
{
    bool is_json;

    if (select->full) return false;
    if (select->whole) {
        if (!finish_whole(select, scratch, ret_results, &is_json)) return false;
    } else {
        is_json = end_text(select);
        for (uint32_t i = 0; i < select->paths->count; i++) {
            ret_results[i] = (struct json_result){.found = JSON_INDEXING};
            if (is_json && !result_of(select, &select->paths->paths[i], scratch, &ret_results[i])) {
                return false;
            }
        }
    }
    if (ret_is_json != NULL) *ret_is_json = is_json;
    return true;
}
