/* Cells that any reader of RFC 4180 takes back as they were, and that no spreadsheet runs. */
#include "core/csv.h"

#include <string.h>

#include "tests/test.h"

static void test_csv_cells_are_quoted_where_they_must_be_and_never_formulas(void)
{
    static const struct {
        const char *cell, *wanted;
    } rows[] = {{"", ""},
                {"plain text", "plain text"},
                {"http://h/?a=b", "http://h/?a=b"},
                {"a,b", "\"a,b\""},
                {"say \"hi\"", "\"say \"\"hi\"\"\""},
                {"\"", "\"\"\"\""},
                {"two\r\nlines", "\"two\r\nlines\""},
                {"=1+1", "'=1+1"},
                {"+1", "'+1"},
                {"-1", "'-1"},
                {"@SUM(A1)", "'@SUM(A1)"},
                {"\t=1", "'\t=1"},
                {"=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct text text;

        arena_init(&arena, 0);
        text_init(&text, &arena);
        text_add_str(&text, "<");
        csv_cell(&text, rows[i].cell);
        EXPECT(!text.failed);
        EXPECT(strcmp(text.data + 1, rows[i].wanted) == 0);
        arena_release(&arena);
    }
}

int main(void)
{
    TEST(test_csv_cells_are_quoted_where_they_must_be_and_never_formulas);
    return 0;
}
