#include "core/subcommand.h"

#include <stdio.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/exit.h"
#include "core/output.h"

int subcommand_wrong(const char *name, const char *what, const char *word)
{
    if (word == NULL) {
        (void)fprintf(stderr, "pelt: %s (see pelt %s --help)\n", what, name);
    } else {
        (void)fprintf(stderr, "pelt: %s '%s' (see pelt %s --help)\n", what, quote(word).text, name);
    }
    return EXIT_CODE_USAGE;
}

int subcommand_choice(const char *value, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(value, names[i]) == 0) return i;
    }
    return -1;
}

int subcommand_print(int fd, const struct text *text)
{
    struct err_info why;

    if (text->len == 0 && !text->failed) return EXIT_CODE_OK;
    if (output_stream(fd, text, &why) == ERR_OK) return EXIT_CODE_OK;
    (void)fprintf(stderr, "pelt: %s\n", why.message);
    return EXIT_CODE_OUTPUT;
}
