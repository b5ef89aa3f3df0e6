/* aborts: shows that a misuse is caught. */
#ifndef TESTS_ABORTS_H
#define TESTS_ABORTS_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

/* Runs `misuse` in a forked child, whose stderr is dropped; true when a CHECK stopped it. Only
 * for tests that have no second thread. */
static inline bool aborts(void (*misuse)(void))
{
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0};
        int null_fd = open("/dev/null", O_WRONLY);

        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (null_fd >= 0) (void)dup2(null_fd, STDERR_FILENO);
        misuse();
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
