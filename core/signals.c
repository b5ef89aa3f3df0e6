#include "core/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

int signals_take(void)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN); /* A closed stdout must not stop a run, */
    (void)signal(SIGXFSZ, SIG_IGN); /* nor a file that may not grow any more. */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}
