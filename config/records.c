#include "config/records.h"

#include <string.h>

#include "config/json.h"
#include "core/base/check.h"

/* What one record of a window is: found by the formats, used by records_next(). */
struct span {
    size_t from, to; /* Its text, without what ends it. */
    size_t end;      /* Where the next one begins. */
};

enum found { FOUND, FOUND_NOT_YET, FOUND_NOTHING, FOUND_BAD };

static void start(struct records *records)
{
    records->line = 1;
    records->scanned = 0;
    records->depth = 0;
    records->in_string = false;
    records->escaped = false;
}

void records_init(struct records *records, const struct records_options *options,
                  struct arena *arena)
{
    *records = (struct records){
        .options = *options,
        .arena = arena,
        .names = options->names,
        .names_count = options->names_count,
        .columns = options->names_count,
        .names_wanted = options->first_row_names,
    };
    start(records);
}

void records_rewind(struct records *records)
{
    /* The first row is passed over as one that names columns. */
    records->names_wanted = records->options.first_row_names;
    start(records);
}

static uint64_t count_lines(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    uint64_t lines = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    return lines;
}

static enum found find_line(const struct records_window *window, size_t from, struct span *span)
{
    const char *lf = memchr(window->data + from, '\n', window->len - from);

    if (from == window->len && window->is_last) return FOUND_NOTHING;
    if (lf == NULL && !window->is_last) return FOUND_NOT_YET;
    span->from = from;
    span->to = lf == NULL ? window->len : (size_t)(lf - window->data);
    span->end = lf == NULL ? window->len : span->to + 1;
    if (span->to > from && window->data[span->to - 1] == '\r') span->to--;
    return FOUND;
}

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* True if the byte, outside of strings and containers, ends a number or a word before it. */
static bool ends_scalar(char c)
{
    return is_json_space(c) || c == '{' || c == '[' || c == '"' || c == '}' || c == ']' ||
           c == ',' || c == ':';
}

/* Looks at one more byte of a JSON value; true if the value ends with it. */
static bool ends_value(struct records *records, char c)
{
    if (records->in_string) {
        if (records->escaped) {
            records->escaped = false;
        } else if (c == '\\') {
            records->escaped = true;
        } else if (c == '"') {
            records->in_string = false;
            return records->depth == 0;
        }
        return false;
    }
    if (c == '"') records->in_string = true;
    if (c == '{' || c == '[') records->depth++;
    if (c == '}' || c == ']') {
        if (records->depth > 0) records->depth--;
        return records->depth == 0;
    }
    return false;
}

/* Finds where the value ends that begins at `from`; whether it is one is for the parser to say. */
static enum found find_json_end(struct records *records, const struct records_window *window,
                                size_t from, struct span *span)
{
    char first = window->data[from];
    bool scalar = first != '{' && first != '[' && first != '"';
    size_t at = from + records->scanned;
    bool ends = false;

    while (at < window->len && !ends) {
        ends = scalar ? at > from && ends_scalar(window->data[at])
                      : ends_value(records, window->data[at]);
        if (!ends || !scalar) at++; /* What ends a scalar is not of it. */
    }
    if (!ends && !window->is_last) {
        records->scanned = at - from;
        return FOUND_NOT_YET;
    }
    records->scanned = 0;
    records->depth = 0;
    records->in_string = records->escaped = false;
    *span = (struct span){.from = from, .to = at, .end = at};
    return FOUND;
}

static enum found find_json(struct records *records, const struct records_window *window,
                            size_t from, struct span *span)
{
    size_t at = from;

    while (at < window->len && is_json_space(window->data[at])) {
        at++;
    }
    span->end = at; /* White space is done with in any case. */
    if (at == window->len) return window->is_last ? FOUND_NOTHING : FOUND_NOT_YET;
    return find_json_end(records, window, at, span);
}

static bool ends_row(const struct records_csv *csv, char c)
{
    return csv->terminator != 0 ? c == csv->terminator : c == '\n' || c == '\r';
}

/* The end of a cell within quotes that begins at `at`, behind its closing quote; SIZE_MAX when the
 * window ends before. */
static size_t skip_quoted(const struct records_csv *csv, const char *data, size_t len, size_t at)
{
    for (at++; at < len; at++) {
        if (csv->escape != 0 && data[at] == csv->escape) {
            at++;
        } else if (data[at] == csv->quote) {
            if (!csv->double_quote || at + 1 >= len || data[at + 1] != csv->quote) return at + 1;
            at++;
        }
    }
    return SIZE_MAX;
}

/* The end of the row that begins at `at`: of its terminator's first byte, or the window's length.
 * SIZE_MAX when a quote is open at the end of the window. */
static size_t find_row_end(const struct records_csv *csv, const struct records_window *window,
                           size_t at)
{
    bool cell_starts = true;

    while (at < window->len) {
        char c = window->data[at];

        if (cell_starts && csv->quote != 0 && c == csv->quote) {
            at = skip_quoted(csv, window->data, window->len, at);
            if (at == SIZE_MAX) return SIZE_MAX;
            cell_starts = false;
            continue;
        }
        if (ends_row(csv, c)) return at;
        cell_starts = c == csv->delimiter;
        at++;
    }
    return at;
}

static enum found find_row(const struct records *records, const struct records_window *window,
                           size_t from, struct span *span)
{
    const struct records_csv *csv = &records->options.csv;
    size_t at = from, end;

    while (at < window->len && ends_row(csv, window->data[at])) { /* Empty rows are none. */
        at++;
    }
    span->end = at;
    if (at == window->len) return window->is_last ? FOUND_NOTHING : FOUND_NOT_YET;
    end = find_row_end(csv, window, at);
    /* A quote that closes at the window's very end may be the first of two. */
    if (!window->is_last && (end == SIZE_MAX || end + 1 >= window->len)) return FOUND_NOT_YET;
    if (end == SIZE_MAX) return FOUND_BAD; /* It begins where span->end is. */
    span->from = at;
    span->to = end;
    span->end = end == window->len ? end : end + 1;
    if (csv->terminator == 0 && span->end < window->len && window->data[end] == '\r' &&
        window->data[span->end] == '\n') {
        span->end++;
    }
    return FOUND;
}

static bool is_comment(const struct records *records, const char *data, const struct span *span)
{
    char comment = records->options.csv.comment;

    return comment != 0 && span->to > span->from && data[span->from] == comment;
}

/* A cell or line: JSON if it may be and is, else text. */
static enum records_result read_text(const struct records *records, const char *text, size_t len,
                                     struct scratch *scratch, struct value *ret_value,
                                     const char **ret_reason)
{
    static const char begins[] = "{[\"-0123456789tfn \t";
    struct json_error error;

    if (records->options.parse && len > 0 && memchr(begins, text[0], sizeof(begins) - 1) != NULL) {
        if (json_parse(text, len, scratch, ret_value, &error)) return RECORDS_VALUE;
        if (error.is_memory) return RECORDS_FULL;
    }
    if (!json_is_utf8(text, len)) {
        *ret_reason = "it is not UTF-8";
        return RECORDS_BAD;
    }
    *ret_value = value_string(text, len);
    return RECORDS_VALUE;
}

/* A cell of a row, read. */
struct cell {
    const char *text;
    size_t len;
    size_t end; /* Where it ended: at a delimiter or the row's end. */
};

/* Copies a cell without its quotes and escapes; false when the scratch is full. */
static bool unquote(const struct records_csv *csv, const char *data, size_t from, size_t to,
                    struct scratch *scratch, struct cell *cell)
{
    char *text = scratch_alloc(scratch, to - from);
    bool inside = true;
    size_t len = 0;

    if (text == NULL) return false;
    for (size_t at = from + 1; at < to; at++) {
        bool escapes = data[at] == csv->escape && csv->escape != csv->quote && at + 1 < to;
        bool doubles = csv->double_quote && at + 1 < to && data[at + 1] == csv->quote;

        if (!inside || (data[at] != csv->quote && (csv->escape == 0 || data[at] != csv->escape))) {
            text[len++] = data[at];
        } else if (escapes || doubles) {
            text[len++] = data[++at];
        } else {
            inside = false;
        }
    }
    cell->text = text;
    cell->len = len;
    return true;
}

/* Reads the cell that begins at `at` of a row that ends at `to`. False: the scratch is full. */
static bool read_cell(const struct records_csv *csv, const char *data, size_t at, size_t to,
                      struct scratch *scratch, struct cell *cell)
{
    bool quoted = csv->quote != 0 && at < to && data[at] == csv->quote;
    const char *delimiter;
    size_t from = at;

    if (quoted) at = skip_quoted(csv, data, to, at);
    CHECK(at <= to);
    delimiter = memchr(data + at, csv->delimiter, to - at);
    cell->end = delimiter == NULL ? to : (size_t)(delimiter - data);
    if (quoted) return unquote(csv, data, from, cell->end, scratch, cell);
    cell->text = data + from;
    cell->len = cell->end - from;
    return true;
}

/* The cells of a row: an array at the scratch's top. */
struct cells {
    struct value *list;
    uint32_t count;
};

/* Reads all cells of a row. */
static enum records_result read_cells(struct records *records, const char *data,
                                      const struct span *span, struct scratch *scratch,
                                      struct cells *cells, const char **ret_reason)
{
    const struct records_csv *csv = &records->options.csv;
    uint32_t count = 0;
    size_t at = span->from;

    for (;;) {
        enum records_result result;
        struct cell cell;

        if (count == RECORDS_COLUMNS_MAX) {
            *ret_reason = "it has more than 4,096 columns";
            return RECORDS_BAD;
        }
        if (!read_cell(csv, data, at, span->to, scratch, &cell)) return RECORDS_FULL;
        result = read_text(records, cell.text, cell.len, scratch, &cells->list[count], ret_reason);
        if (result != RECORDS_VALUE) return result;
        if (records->names_wanted) cells->list[count] = value_string(cell.text, cell.len);
        count++;
        if (cell.end == span->to) break;
        at = cell.end + 1;
    }
    cells->count = count;
    return RECORDS_VALUE;
}

/* Keeps the cells of the first row as names of the columns. */
static enum records_result keep_names(struct records *records, const struct value *cells,
                                      uint32_t count, const char **ret_reason)
{
    struct value *names;

    records->names_wanted = false;
    if (records->names != NULL) return RECORDS_VALUE; /* After a rewind. */
    names = arena_array(records->arena, count, sizeof(*names));
    if (names == NULL) return RECORDS_FULL;
    for (uint32_t i = 0; i < count; i++) {
        char *copy = arena_copy(records->arena, cells[i].string, cells[i].len);

        if (copy == NULL) return RECORDS_FULL;
        names[i] = value_string(copy, cells[i].len);
        for (uint32_t j = 0; j < i; j++) {
            if (!value_equal(&names[j], &names[i])) continue;
            *ret_reason = "two columns have the same name";
            return RECORDS_BAD;
        }
    }
    records->names = names;
    records->names_count = records->columns = count;
    return RECORDS_VALUE;
}

/* Cells to an array, or an object by the names of the columns. */
static enum records_result make_row(const struct records *records, const struct value *cells,
                                    uint32_t count, struct scratch *scratch,
                                    struct value *ret_value)
{
    size_t bytes =
        count * (records->names != NULL ? sizeof(struct value_member) : sizeof(struct value));
    void *memory = scratch_alloc(scratch, bytes);
    struct value_member *members = memory;

    if (memory == NULL) return RECORDS_FULL;
    if (records->names == NULL) {
        memcpy(memory, cells, bytes);
        return value_array(memory, count, ret_value) ? RECORDS_VALUE : RECORDS_FULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i] = (struct value_member){.key = records->names[i], .value = cells[i]};
    }
    return value_object(members, count, ret_value) ? RECORDS_VALUE : RECORDS_FULL;
}

static enum records_result read_row(struct records *records, const char *data,
                                    const struct span *span, struct scratch *scratch,
                                    struct value *ret_value, const char **ret_reason)
{
    /* No more cells than bytes and one; a row that is wider is refused while it is read. */
    size_t cells_max = min_u64(span->to - span->from + 1, RECORDS_COLUMNS_MAX);
    size_t bytes = cells_max * sizeof(struct value);
    struct cells cells = {.list = scratch_push(scratch, bytes)};
    enum records_result result;

    if (cells.list == NULL) return RECORDS_FULL;
    result = read_cells(records, data, span, scratch, &cells, ret_reason);
    if (result == RECORDS_VALUE) {
        if (records->names_wanted) {
            result = keep_names(records, cells.list, cells.count, ret_reason);
        } else if (records->columns != 0 && records->columns != cells.count) {
            *ret_reason = "it has more or fewer columns than the rows before it";
            result = RECORDS_BAD;
        } else {
            records->columns = cells.count;
            result = make_row(records, cells.list, cells.count, scratch, ret_value);
        }
    }
    scratch_pop(scratch, bytes);
    return result;
}

static enum records_result read_json(const char *data, const struct span *span,
                                     struct scratch *scratch, struct value *ret_value,
                                     const char **ret_reason)
{
    struct json_error error;

    if (json_parse(data + span->from, span->to - span->from, scratch, ret_value, &error)) {
        return RECORDS_VALUE;
    }
    *ret_reason = error.message;
    return error.is_memory ? RECORDS_FULL : RECORDS_BAD;
}

static enum found find(struct records *records, const struct records_window *window, size_t from,
                       struct span *span)
{
    switch (records->options.format) {
    case RECORDS_LINE: return find_line(window, from, span);
    case RECORDS_JSON: return find_json(records, window, from, span);
    case RECORDS_CSV: return find_row(records, window, from, span);
    }
    UNREACHABLE("a format without a name");
}

static enum records_result read_span(struct records *records, const char *data,
                                     const struct span *span, struct scratch *scratch,
                                     struct value *ret_value, const char **ret_reason)
{
    switch (records->options.format) {
    case RECORDS_LINE:
        return read_text(records, data + span->from, span->to - span->from, scratch, ret_value,
                         ret_reason);
    case RECORDS_JSON: return read_json(data, span, scratch, ret_value, ret_reason);
    case RECORDS_CSV: return read_row(records, data, span, scratch, ret_value, ret_reason);
    }
    UNREACHABLE("a format without a name");
}

enum records_result records_next(struct records *records, const struct records_window *window,
                                 size_t *ret_used, struct scratch *scratch, struct value *ret_value,
                                 const char **ret_reason)
{
    size_t used = 0;

    for (;;) {
        struct span span = {.end = used};
        enum found found = find(records, window, used, &span);
        bool is_names = records->names_wanted && records->options.format == RECORDS_CSV;
        enum records_result result = RECORDS_VALUE;
        struct value unused;

        /* Lines before the record are counted at once, its own when it is done with. */
        if (found != FOUND) {
            records->line += count_lines(window->data + used, span.end - used);
            *ret_used = span.end;
            *ret_reason = "a quote is not closed";
            if (found == FOUND_NOTHING) return RECORDS_END;
            if (found == FOUND_BAD || window->len - span.end < RECORDS_BYTES_MAX) {
                return found == FOUND_BAD ? RECORDS_BAD : RECORDS_MORE;
            }
            *ret_reason = "it is larger than 16 MiB";
            return RECORDS_BAD;
        }
        records->line += count_lines(window->data + used, span.from - used);
        used = *ret_used = span.end;
        records->begin = span.from;
        records->begin_line = records->line;
        if (records->options.format == RECORDS_CSV && is_comment(records, window->data, &span)) {
            is_names = true; /* Neither is a record. */
        } else if (ret_value != NULL || is_names) {
            result = read_span(records, window->data, &span, scratch,
                               ret_value != NULL ? ret_value : &unused, ret_reason);
        }
        if (result != RECORDS_VALUE) return result;
        records->line += count_lines(window->data + span.from, span.end - span.from);
        if (!is_names) return RECORDS_VALUE;
    }
}
