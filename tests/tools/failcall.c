/* failcall NUMBER VARIANT LOG PROGRAM [ARGUMENT]...: runs a program and makes one of its system
 * calls fail: the NUMBER-th (from 1) that any of its threads makes once main() has begun, of each
 * kind the first OF_A_KIND only being counted. The call is not carried out; it returns an error
 * that it may return, the usual one or, with VARIANT 1, another. LOG gets "NAME-NUMBER ERROR", or
 * "none" when the program made fewer. Ends as the program ended; 77 where it cannot trace.
 *
 * main() begins, for this, with sched_getaffinity(2), which the dynamic loader never calls. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OF_A_KIND = 20, KINDS_MAX = 1024, CANNOT_TRACE = 77 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Errors that each call may return by its manual page. */
static const struct {
    long number;
    int errors[2];
} kinds[] = {
    {__NR_read, {EINTR, EIO}},
    {__NR_pread64, {EINTR, EIO}},
    {__NR_write, {EINTR, ENOSPC}},
    {__NR_openat, {EMFILE, EACCES}},
    {__NR_close, {EINTR, EIO}},
    {__NR_mmap, {ENOMEM, ENOMEM}},
    {__NR_mprotect, {ENOMEM, ENOMEM}},
    {__NR_munmap, {EINVAL, EINVAL}},
    {__NR_madvise, {EINVAL, EAGAIN}},
    {__NR_brk, {0, 0}}, /* Returns where the break is, which is not where it was asked to be. */
    {__NR_futex, {EAGAIN, EINTR}},
    {__NR_clone3, {EAGAIN, ENOSYS}},
#ifdef __NR_poll /* Newer machines have only ppoll and epoll_pwait. */
    {__NR_poll, {EINTR, ENOMEM}},
    {__NR_epoll_wait, {EINTR, EINTR}},
#endif
    {__NR_socket, {EMFILE, ENOBUFS}},
    {__NR_setsockopt, {ENOPROTOOPT, ENOMEM}},
    {__NR_getsockopt, {ENOBUFS, ENOPROTOOPT}},
    {__NR_connect, {ECONNREFUSED, EADDRNOTAVAIL}},
    {__NR_sendto, {EPIPE, EINTR}},
    {__NR_recvfrom, {ECONNRESET, EINTR}},
    {__NR_fcntl, {EINVAL, EINVAL}},
    {__NR_eventfd2, {EMFILE, ENOMEM}},
    {__NR_signalfd4, {EMFILE, ENOMEM}},
    {__NR_epoll_create1, {EMFILE, ENOMEM}},
    {__NR_epoll_ctl, {ENOMEM, ENOSPC}},
    {__NR_epoll_pwait2, {EINTR, ENOSYS}},
    {__NR_io_uring_setup, {EPERM, ENOMEM}},
    {__NR_io_uring_register, {ENOMEM, EINVAL}},
    {__NR_io_uring_enter, {EINTR, EAGAIN}},
    {__NR_ftruncate, {EIO, EINTR}},
    {__NR_sched_setaffinity, {EPERM, EINVAL}},
    {__NR_prlimit64, {EPERM, EPERM}},
};

struct run {
    unsigned long wanted; /* Which call is to fail. */
    int variant;
    bool begun; /* main() has. */
    unsigned long counted;
    unsigned per_kind[KINDS_MAX];
    pid_t main, failing; /* `failing`: the thread whose call is on its way to fail. */
    long kind;
    int error;
    int status; /* Of the program, once it has ended. */
    const char *log_path;
};

static int error_of(long number, int variant)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (kinds[i].number == number) return kinds[i].errors[variant];
    }
    return EINVAL;
}

/* Whether the call that begins here is the one that is to fail. */
static bool is_wanted(struct run *run, long number)
{
    if (number == __NR_sched_getaffinity) run->begun = true;
    if (!run->begun || number < 0 || number >= KINDS_MAX) return false;
    /* These do not return; and without its rseq the C library ends a program by itself. */
    if (number == __NR_exit || number == __NR_exit_group || number == __NR_rt_sigreturn ||
        number == __NR_rseq) {
        return false;
    }
    if (++run->per_kind[number] > OF_A_KIND) return false;
    return ++run->counted == run->wanted;
}

#ifdef __x86_64__
static bool replace(pid_t thread, const long *number, const long *result)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, thread, NULL, &regs) != 0) return false;
    if (number != NULL) regs.orig_rax = (unsigned long long)*number;
    if (result != NULL) regs.rax = (unsigned long long)*result;
    return ptrace(PTRACE_SETREGS, thread, NULL, &regs) == 0;
}
#else
static bool replace(pid_t thread, const long *number, const long *result)
{
    (void)thread;
    (void)number;
    (void)result;
    return false;
}
#endif

static void write_log(const struct run *run)
{
    FILE *log = fopen(run->log_path, "w");

    if (log == NULL) return;
    if (run->counted < run->wanted) {
        (void)fprintf(log, "none\n");
    } else {
        (void)fprintf(log, "call-%ld %s\n", run->kind, strerrorname_np(run->error));
    }
    (void)fclose(log);
}

static void at_call(struct run *run, pid_t thread)
{
    struct __ptrace_syscall_info info = {.op = 0};
    const long none = -1;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && is_wanted(run, (long)info.entry.nr)) {
        run->kind = (long)info.entry.nr;
        run->error = error_of(run->kind, run->variant);
        if (!replace(thread, &none, NULL)) exit(CANNOT_TRACE);
        run->failing = thread;
        write_log(run);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && run->failing == thread) {
        const long result = -run->error;

        (void)replace(thread, NULL, &result);
        run->failing = 0;
    }
}

/* What a stopped thread is sent on with. */
static int signal_for(struct run *run, pid_t thread, int status)
{
    int signal = WSTOPSIG(status);

    if (signal == (SIGTRAP | 0x80)) {
        at_call(run, thread);
        return 0;
    }
    /* Ours: events of ptrace, and the stop in which each thread begins. */
    if (signal == SIGTRAP || signal == SIGSTOP) return 0;
    return signal;
}

static void follow(struct run *run)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);

        if (thread < 0) return;
        if (WIFSTOPPED(status)) {
            long signal = signal_for(run, thread, status);

            (void)ptrace(PTRACE_SYSCALL, thread, NULL, signal);
        } else if (thread == run->main) {
            run->status = status;
        }
    }
}

int main(int argc, char **argv)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    struct run run = {.wanted = 0};
    int status;

    if (argc < 5) {
        (void)fprintf(stderr, "usage: failcall NUMBER VARIANT LOG PROGRAM [ARGUMENT]...\n");
        return 64;
    }
    run.wanted = strtoul(argv[1], NULL, 10);
    run.variant = argv[2][0] == '1';
    run.log_path = argv[3];
    write_log(&run);
    run.main = fork();
    if (run.main == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(CANNOT_TRACE);
        (void)raise(SIGSTOP);
        (void)execv(argv[4], argv + 4);
        _exit(127);
    }
    if (run.main < 0 || waitpid(run.main, &status, 0) < 0) return CANNOT_TRACE;
    if (!WIFSTOPPED(status)) return CANNOT_TRACE;
    if (ptrace(PTRACE_SETOPTIONS, run.main, NULL, options) != 0) return CANNOT_TRACE;
    (void)ptrace(PTRACE_SYSCALL, run.main, NULL, NULL);
    follow(&run);
    if (WIFSIGNALED(run.status)) (void)kill(getpid(), WTERMSIG(run.status));
    return WEXITSTATUS(run.status);
}
