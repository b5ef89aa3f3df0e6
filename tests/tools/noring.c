/* noring [--enosys] PROGRAM [ARGUMENT]...: runs a program as a container would: under a seccomp
 * filter that refuses io_uring_setup, with EPERM as Docker's does, or with ENOSYS. Needs no
 * privilege. Exits 77 where the kernel takes no filter. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--enosys") == 0 ? 2 : 1;
    unsigned error = first == 2 ? ENOSYS : EPERM;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = COUNT(filter), .filter = filter};

    if (argc <= first) {
        (void)fprintf(stderr, "usage: noring [--enosys] PROGRAM [ARGUMENT]...\n");
        return 64;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        (void)fprintf(stderr, "noring: no seccomp filter: %s\n", strerror(errno));
        return 77;
    }
    (void)execvp(argv[first], argv + first);
    (void)fprintf(stderr, "noring: %s: %s\n", argv[first], strerror(errno));
    return 127;
}
