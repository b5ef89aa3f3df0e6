/* What is said when the kernel gives no io_uring: the true cause, and never more than a line. */
#include "io/ring_cause.h"

#include <errno.h>
#include <string.h>

#include "core/base/err.h"
#include "tests/test.h"

#define UNKNOWN                                                    \
    {                                                              \
        .disabled = -1, .seccomp = -1, .memlock_bytes = UINT64_MAX \
    }

static const struct {
    const char *name;
    int error;
    struct ring_cause_facts facts;
    enum err err;
    const char *says, *not_says;
} rows[] = {
    {"sysctl 2", EPERM, {2, 0, true, UINT64_MAX, 6, 6}, ERR_KERNEL, "io_uring_disabled=2", "secc"},
    {"sysctl 2 and a filter",
     EPERM,
     {2, 2, true, UINT64_MAX, 6, 6},
     ERR_KERNEL,
     "io_uring_disabled=2",
     "seccomp"},
    {"sysctl 1, ordinary user",
     EPERM,
     {1, 0, false, UINT64_MAX, 6, 6},
     ERR_KERNEL,
     "io_uring_disabled=1",
     "seccomp"},
    {"sysctl 1, root, a filter",
     EPERM,
     {1, 2, true, UINT64_MAX, 6, 6},
     ERR_KERNEL,
     "seccomp filter (EPERM)",
     "io_uring_disabled"},
    {"Docker", EPERM, {0, 2, false, UINT64_MAX, 6, 1}, ERR_KERNEL, "Docker", "sysctl"},
    {"no sysctl, a filter",
     EACCES,
     {-1, 2, false, UINT64_MAX, 6, 1},
     ERR_KERNEL,
     "seccomp filter (EACCES)",
     "sysctl"},
    {"neither", EPERM, {0, 0, true, UINT64_MAX, 6, 6}, ERR_KERNEL, "security module", "Docker"},
    {"nothing known", EPERM, UNKNOWN, ERR_KERNEL, "security module", "Docker"},
    {"Linux 4.19",
     ENOSYS,
     {-1, 0, false, UINT64_MAX, 4, 19},
     ERR_KERNEL,
     "Linux 4.19 has no io_uring",
     "seccomp"},
    {"a filter that hides",
     ENOSYS,
     {0, 2, false, UINT64_MAX, 6, 1},
     ERR_KERNEL,
     "hidden by a seccomp filter",
     "built without"},
    {"built without",
     ENOSYS,
     {-1, 0, false, UINT64_MAX, 6, 1},
     ERR_KERNEL,
     "built without",
     "seccomp"},
    {"Linux 5.15", EINVAL, {-1, 0, false, UINT64_MAX, 5, 15}, ERR_KERNEL, "Linux 5.15", "failed"},
    {"Linux 6.0", EINVAL, {-1, 0, false, UINT64_MAX, 6, 0}, ERR_KERNEL, "6.1 or later", "failed"},
    {"new and yet", EINVAL, {0, 0, false, UINT64_MAX, 6, 1}, ERR_KERNEL, "EINVAL", "6.1"},
    {"memlock",
     ENOMEM,
     {0, 0, false, 64 * 1024, 6, 18},
     ERR_LIMIT,
     "memlock is 64 KiB per user, a ring locks about 98 KiB; raise it first: ulimit -l unlimited",
     "kernel"},
    {"memory", ENOMEM, {0, 0, false, UINT64_MAX, 6, 18}, ERR_LIMIT, "98 KiB", "memlock"},
    {"descriptors", EMFILE, {0, 0, false, UINT64_MAX, 6, 18}, ERR_LIMIT, "ulimit -n", "memlock"},
    {"anything", EIO, {0, 0, false, UINT64_MAX, 6, 18}, ERR_KERNEL, "EIO", "seccomp"},
};

static void test_ring_cause_names_the_true_cause(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err_info why;

        printf("%s\n", rows[i].name);
        EXPECT(ring_cause(rows[i].error, &rows[i].facts, 100000, &why) == rows[i].err);
        printf("  %s\n", why.message);
        EXPECT(why.errno_value == rows[i].error);
        EXPECT(strstr(why.message, rows[i].says) != NULL);
        EXPECT(strstr(why.message, rows[i].not_says) == NULL);
        EXPECT(strlen(why.message) < 160);
    }
}

static void test_ring_cause_reads_this_machine(void)
{
    struct ring_cause_facts facts;

    ring_cause_read(&facts);
    EXPECT(facts.major >= 4);
    EXPECT(facts.disabled >= -1 && facts.disabled <= 2);
    EXPECT(facts.seccomp >= -1 && facts.seccomp <= 2);
    EXPECT(facts.memlock_bytes > 0);
}

int main(void)
{
    TEST(test_ring_cause_names_the_true_cause);
    TEST(test_ring_cause_reads_this_machine);
    return 0;
}
