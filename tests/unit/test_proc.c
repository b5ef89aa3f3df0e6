/* What reading a small file promises: all of it that fits, lines of any length, and no number that
 * is not there. */
#include "io/proc.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"

#define PATH "build/test_proc.file"

static void write_file(const char *text)
{
    FILE *file = fopen(PATH, "w");

    EXPECT(file != NULL);
    EXPECT(fputs(text, file) >= 0);
    EXPECT(fclose(file) == 0);
}

static void test_proc_reads_what_fits(void)
{
    char buf[8];

    write_file("abcdefghij");
    EXPECT(proc_read(PATH, buf, sizeof(buf)));
    EXPECT(strcmp(buf, "abcdefg") == 0);
    write_file("");
    EXPECT(!proc_read(PATH, buf, sizeof(buf)));
    EXPECT(buf[0] == '\0');
    EXPECT(unlink(PATH) == 0);
    buf[0] = 'x';
    EXPECT(!proc_read(PATH, buf, sizeof(buf)));
    EXPECT(buf[0] == '\0');
}

static void test_proc_gives_lines_of_any_length(void)
{
    char text[40000];
    struct proc_lines lines;
    size_t len = 0;

    for (size_t i = 0; i < 150; i++) {
        memset(text + len, 'a' + (int)(i % 26), i * 3);
        len += i * 3;
        text[len++] = '\n';
    }
    memset(text + len, 'L', 3000); /* Longer than a line may be, and without an end. */
    text[len + 3000] = '\0';
    write_file(text);
    EXPECT(proc_lines_open(&lines, PATH));
    for (size_t i = 0; i < 150; i++) {
        EXPECT(proc_lines_next(&lines));
        EXPECT(strlen(lines.line) == i * 3);
        EXPECT(i == 0 || strspn(lines.line, (char[]){(char)('a' + i % 26), 0}) == i * 3);
    }
    EXPECT(proc_lines_next(&lines));
    EXPECT(strlen(lines.line) == sizeof(lines.line) - 1);
    EXPECT(!proc_lines_next(&lines));
    EXPECT(!proc_lines_next(&lines));
    proc_lines_close(&lines);
    EXPECT(unlink(PATH) == 0);
    EXPECT(!proc_lines_open(&lines, PATH));
}

static const struct {
    const char *text, *key;
    int base;
    bool found;
    uint64_t value;
} numbers[] = {
    {"2\n", "", 10, true, 2},
    {"Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t7\n", "Seccomp:", 10, true, 2},
    {"CapEff:\t000001ffffffffff\n", "CapEff:", 16, true, 0x1ffffffffff},
    {"NotSeccomp: 1\n", "Seccomp:", 10, false, 0},
    {"Seccomp:\n", "Seccomp:", 10, false, 0},
    {"Seccomp: x\n", "Seccomp:", 10, false, 0},
    {"a: 99999999999999999999999\n", "a:", 10, false, 0},
    {"", "", 10, false, 0},
};

static void test_proc_finds_numbers(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint64_t value = 42;

        printf("%s", numbers[i].text);
        EXPECT(proc_number(numbers[i].text, numbers[i].key, numbers[i].base, &value) ==
               numbers[i].found);
        EXPECT(value == (numbers[i].found ? numbers[i].value : 42));
    }
}

int main(void)
{
    TEST(test_proc_reads_what_fits);
    TEST(test_proc_gives_lines_of_any_length);
    TEST(test_proc_finds_numbers);
    return 0;
}
