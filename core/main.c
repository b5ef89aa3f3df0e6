/* The program: dispatches its commands. */
#include <stdio.h>
#include <string.h>

#include "core/serve.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0) return serve_main(argc - 1, argv + 1);
    (void)fprintf(stderr, "pelt: unknown command; there is 'pelt serve'\n");
    return 64;
}
