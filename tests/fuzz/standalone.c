/* standalone: runs a fuzz target once over each file named on the command line, for compilers
 * without libFuzzer. With -p it prints what the target makes of each instead. */
#include "tests/fuzz/fuzz.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static size_t read_file(const char *path, uint8_t *data)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    len = fread(data, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    return len;
}

int main(int argc, char **argv)
{
    static uint8_t data[FILE_BYTES_MAX];
    int first = argc > 1 && strcmp(argv[1], "-p") == 0 ? 2 : 1;

    for (int i = first; i < argc; i++) {
        size_t len = read_file(argv[i], data);

        if (first == 2) {
            (void)printf("%s\n", argv[i]);
            fuzz_print(data, len);
        } else {
            (void)LLVMFuzzerTestOneInput(data, len);
        }
    }
    if (first == 1) (void)printf("%d inputs replayed\n", argc - 1);
    return 0;
}
