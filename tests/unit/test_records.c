/* What records promise: the same records whatever windows the file comes in, with the dialects of
 * CSV, and a reason with its line for what is none. */
#include "config/records.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static struct arena arena;
static char memory[1 << 20] __attribute__((aligned(8)));

struct row {
    const char *name;
    struct records_options options;
    const char *text;
    const char
        *wanted; /* All records as JSON, one per line; then "! line: reason" if one is bad. */
};

#define CSV(...)                                                          \
    {                                                                     \
        .delimiter = ',', .quote = '"', .double_quote = true, __VA_ARGS__ \
    }

static const struct row rows[] = {
    {"lines",
     {.format = RECORDS_LINE, .parse = true},
     "a\nb\r\n\nc",
     "\"a\"\n\"b\"\n\"\"\n\"c\"\n"},
    {"lines that are JSON",
     {.format = RECORDS_LINE, .parse = true},
     "1\n{\"a\":[1,2]}\n007\ntrue\n \"x\"\nnull\n",
     "1\n{\"a\":[1,2]}\n\"007\"\ntrue\n\"x\"\nnull\n"},
    {"lines as text", {.format = RECORDS_LINE}, "1\n{}\n", "\"1\"\n\"{}\"\n"},
    {"no final line end", {.format = RECORDS_LINE, .parse = true}, "1\n2", "1\n2\n"},
    {"an empty file", {.format = RECORDS_LINE, .parse = true}, "", ""},
    {"a line that is not UTF-8",
     {.format = RECORDS_LINE, .parse = true},
     "a\nb\n\xff\n",
     "\"a\"\n\"b\"\n! 3: it is not UTF-8\n"},
    {"JSON values",
     {.format = RECORDS_JSON},
     " {\"a\":\"}\\\"{\"}\n[1,[2]] 3\ntrue \"x\"4 null",
     "{\"a\":\"}\\\"{\"}\n[1,[2]]\n3\ntrue\n\"x\"\n4\nnull\n"},
    {"JSON that is wrong",
     {.format = RECORDS_JSON},
     "1\n\n{\"a\" 1}\n",
     "1\n! 3: a ':' is missing\n"},
    {"JSON that ends early", {.format = RECORDS_JSON}, "1\n[1,", "1\n! 2: the text ends early\n"},
    {"rows",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "a,1,\r\n\"b,\"\"c\",2,x y\n",
     "[\"a\",1,\"\"]\n[\"b,\\\"c\",2,\"x y\"]\n"},
    {"cells that are JSON",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "007,1.5,\"{\"\"a\"\":1}\",true\n",
     "[\"007\",1.5,{\"a\":1},true]\n"},
    {"cells as text", {.format = RECORDS_CSV, .csv = CSV()}, "1,true\n", "[\"1\",\"true\"]\n"},
    {"a line end in quotes",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "\"a\nb\",1\nc,2\n",
     "[\"a\\nb\",1]\n[\"c\",2]\n"},
    {"names in the first row",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV(), .first_row_names = true},
     "id,name\n1,x\n2,y\n",
     "{\"id\":1,\"name\":\"x\"}\n{\"id\":2,\"name\":\"y\"}\n"},
    {"a name twice",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV(), .first_row_names = true},
     "a,a\n1,x\n",
     "! 1: two columns have the same name\n"},
    {"comments and empty rows",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV(.comment = '#'), .first_row_names = true},
     "#one\n\nid\n#two\n\n1\n",
     "{\"id\":1}\n"},
    {"another dialect",
     {.format = RECORDS_CSV,
      .parse = true,
      .csv = {.delimiter = ';', .quote = '\'', .escape = '\\', .terminator = '|'}},
     "a;'b;\\'c|'|1;2",
     "[\"a\",\"b;'c|\"]\n[1,2]\n"},
    {"text behind a quote",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "\"a\"b,c\"d\"\n",
     "[\"ab\",\"c\\\"d\\\"\"]\n"},
    {"rows of other lengths",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "1,2\n3\n",
     "[1,2]\n! 2: it has more or fewer columns than the rows before it\n"},
    {"a quote that stays open",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "1,2\n3,\"x\n\n",
     "[1,2]\n! 2: a quote is not closed\n"},
    {"CR alone ends rows",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "1\r2\r\n3",
     "[1]\n[2]\n[3]\n"},
    {"one column, a quoted nothing",
     {.format = RECORDS_CSV, .parse = true, .csv = CSV()},
     "\"\"\n1\n",
     "[\"\"]\n[1]\n"},
};

/* All records of a text that comes in windows of `step` bytes more each, as `wanted`. Each window
 * is looked at twice before more comes: a file may be slow. */
static void read_all(const struct row *row, size_t step, bool passes_over, char *out, size_t size)
{
    struct records records;
    struct buf buf;
    size_t len = strlen(row->text), from = 0, to = 0;
    bool again = false;

    buf_init(&buf, out, size - 1);
    records_init(&records, &row->options, &arena);
    for (;;) {
        struct records_window window = {
            .data = row->text + from, .len = to - from, .is_last = to == len};
        struct scratch scratch;
        struct value value;
        const char *reason = "";
        size_t used = 0;
        enum records_result result;

        scratch_init(&scratch, memory, sizeof(memory));
        result =
            records_next(&records, &window, &used, &scratch, passes_over ? NULL : &value, &reason);
        EXPECT(used <= window.len);
        from += used;
        if (result == RECORDS_MORE) {
            EXPECT(to < len);
            again = !again;
            if (again) continue;
            to = to + step < len ? to + step : len;
            continue;
        }
        if (result == RECORDS_VALUE) {
            if (!passes_over) value_write_json(&value, &buf);
            buf_add_char(&buf, '\n');
            continue;
        }
        if (result == RECORDS_BAD) {
            char line[200];
            int n = snprintf(line, sizeof(line), "! %d: %s\n", (int)records.line, reason);

            buf_add(&buf, line, (size_t)n);
        }
        EXPECT(result == RECORDS_BAD || result == RECORDS_END);
        break;
    }
    EXPECT(!buf.full);
    out[buf.len] = '\0';
}

static void test_records_are_the_same_in_windows_of_any_size(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        for (size_t step = 1; step <= len + 1; step++) {
            char out[4096];

            read_all(&rows[i], step, false, out, sizeof(out));
            if (strcmp(out, rows[i].wanted) != 0) {
                (void)fprintf(stderr, "%s, windows of %zu: got\n%swanted\n%s", rows[i].name, step,
                              out, rows[i].wanted);
                exit(1);
            }
        }
    }
}

static void test_records_passed_over_are_as_many(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[4096];
        size_t lines = 0, wanted = 0;

        if (strchr(rows[i].wanted, '!') != NULL)
            continue; /* Nobody looks at what is passed over. */
        read_all(&rows[i], 7, true, out, sizeof(out));
        for (const char *at = out; *at != '\0'; at++)
            lines += *at == '\n';
        for (const char *at = rows[i].wanted; *at != '\0'; at++)
            wanted += *at == '\n';
        EXPECT(lines == wanted);
    }
}

static void test_records_with_names_given_are_objects(void)
{
    struct value names[2] = {value_str("x"), value_str("y")};
    struct row row = {
        "names",
        {.format = RECORDS_CSV, .parse = true, .csv = CSV(), .names = names, .names_count = 2},
        "1,2\n3\n",
        ""};
    char out[200];

    read_all(&row, 100, false, out, sizeof(out));
    EXPECT(strcmp(out, "{\"x\":1,\"y\":2}\n! 2: it has more or fewer columns than the rows before "
                       "it\n") == 0);
}

static void test_records_begin_again_after_a_rewind(void)
{
    struct records_options options = {
        .format = RECORDS_CSV, .parse = true, .csv = CSV(), .first_row_names = true};
    struct records_window window = {.data = "a\n1\n", .len = 4, .is_last = true};
    struct records records;

    records_init(&records, &options, &arena);
    for (int pass = 0; pass < 3; pass++) {
        struct scratch scratch;
        struct value value;
        const char *reason = "";
        size_t used = 0;

        scratch_init(&scratch, memory, sizeof(memory));
        EXPECT(records_next(&records, &window, &used, &scratch, &value, &reason) == RECORDS_VALUE);
        EXPECT(value.kind == VALUE_OBJECT && used == 4 && records.line == 3);
        records_rewind(&records);
    }
}

static void test_records_that_do_not_fit_say_so(void)
{
    struct records_options options = {.format = RECORDS_LINE, .parse = true};
    struct records_window window = {.data = "[1,2,3,4,5,6,7,8]", .len = 17, .is_last = true};
    struct records records;
    struct scratch scratch;
    struct value value;
    const char *reason = "";
    size_t used = 0;
    char *large = calloc(1, RECORDS_BYTES_MAX + 1);

    EXPECT(large != NULL);
    records_init(&records, &options, &arena);
    scratch_init(&scratch, memory, 64);
    EXPECT(records_next(&records, &window, &used, &scratch, &value, &reason) == RECORDS_FULL);
    window = (struct records_window){.data = large, .len = RECORDS_BYTES_MAX + 1};
    EXPECT(records_next(&records, &window, &used, &scratch, &value, &reason) == RECORDS_BAD);
    EXPECT(strstr(reason, "16 MiB") != NULL);
    free(large);
}

int main(void)
{
    TEST(test_records_are_the_same_in_windows_of_any_size);
    TEST(test_records_passed_over_are_as_many);
    TEST(test_records_with_names_given_are_objects);
    TEST(test_records_begin_again_after_a_rewind);
    TEST(test_records_that_do_not_fit_say_so);
    arena_release(&arena);
    return 0;
}
