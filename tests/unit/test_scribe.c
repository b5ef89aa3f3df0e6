/* What the scribe promises of stderr: lines in their order, the live line out of their way, and
 * both gone or there once it has been flushed. stderr is a pipe here; that the live line belongs
 * on a terminal is for its caller to know. */
#include "core/scribe.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/test.h"

/* A scribe whose stderr is read here. */
struct rig {
    struct scribe *scribe;
    int notify_fd;
    int read_fd;
    int stderr_fd; /* The real one. */
};

static void rig_open(struct rig *rig)
{
    struct err_info why;
    int fds[2];

    EXPECT(pipe(fds) == 0);
    rig->read_fd = fds[0];
    rig->stderr_fd = dup(STDERR_FILENO);
    rig->notify_fd = eventfd(0, EFD_CLOEXEC);
    EXPECT(rig->stderr_fd >= 0 && rig->notify_fd >= 0);
    EXPECT(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
    EXPECT(close(fds[1]) == 0);
    EXPECT(scribe_new(&rig->scribe, rig->notify_fd, false, &why) == ERR_OK);
}

/* Waits for the scribe to write all that it was told, then compares it. */
static void rig_expect(struct rig *rig, const char *wanted)
{
    char got[8192];
    uint64_t count;
    ssize_t len;

    EXPECT(scribe_flush(rig->scribe));
    while (!scribe_flushed(rig->scribe)) {
        EXPECT(read(rig->notify_fd, &count, sizeof(count)) == sizeof(count));
    }
    len = read(rig->read_fd, got, sizeof(got) - 1);
    EXPECT(len > 0);
    got[len] = '\0';
    if (strcmp(got, wanted) != 0) printf("got    %s\nwanted %s\n", got, wanted);
    EXPECT(strcmp(got, wanted) == 0);
}

static void rig_close(struct rig *rig)
{
    scribe_free(rig->scribe);
    EXPECT(dup2(rig->stderr_fd, STDERR_FILENO) == STDERR_FILENO);
    EXPECT(close(rig->stderr_fd) == 0);
    EXPECT(close(rig->notify_fd) == 0);
    EXPECT(close(rig->read_fd) == 0);
}

static const struct live live = {.elapsed_ns = 5 * NS_PER_S, .duration_ns = TIME_NEVER, .open = 3};
#define DRAWN "\r0:05  errors 0  open 3\033[K\r"

static void test_scribe_writes_lines_in_order(void)
{
    struct rig rig;
    char text[2048] = "", line[64];

    rig_open(&rig);
    for (int i = 0; i < 20; i++) {
        scribe_say(rig.scribe, "line %d", i);
        (void)snprintf(line, sizeof(line), "line %d\n", i);
        (void)strncat(text, line, sizeof(text) - strlen(text) - 1);
    }
    rig_expect(&rig, text);
    scribe_say(rig.scribe, "%s", "after");
    rig_expect(&rig, "after\n");
    rig_close(&rig);
}

static void test_scribe_cuts_long_lines(void)
{
    struct rig rig;
    char text[600], wanted[600];

    rig_open(&rig);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    scribe_say(rig.scribe, "%s", text);
    (void)snprintf(wanted, sizeof(wanted), "%.254s\n", text);
    rig_expect(&rig, wanted);
    rig_close(&rig);
}

static void test_scribe_takes_the_live_line_away_before_others_and_at_the_end(void)
{
    struct rig rig;

    rig_open(&rig);
    scribe_live(rig.scribe, &live);
    scribe_live(rig.scribe, &live);
    scribe_say(rig.scribe, "a line");
    scribe_say(rig.scribe, "another");
    scribe_live(rig.scribe, &live);
    rig_expect(&rig, DRAWN DRAWN LIVE_ERASE "a line\nanother\n" DRAWN LIVE_ERASE);
    scribe_say(rig.scribe, "the end");
    rig_expect(&rig, "the end\n");
    rig_close(&rig);
}

static void test_scribe_drops_what_does_not_fit_and_ends_all_the_same(void)
{
    struct rig rig;

    rig_open(&rig);
    for (int i = 0; i < 100000; i++) { /* More than the pipe takes: it is not read. */
        if (i % 2 == 0) scribe_live(rig.scribe, &live);
        if (i % 3 == 0) scribe_say(rig.scribe, "line %d", i);
    }
    EXPECT(close(rig.read_fd) == 0); /* Now writing fails. */
    rig.read_fd = dup(rig.notify_fd);
    rig_close(&rig);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    TEST(test_scribe_writes_lines_in_order);
    TEST(test_scribe_cuts_long_lines);
    TEST(test_scribe_takes_the_live_line_away_before_others_and_at_the_end);
    TEST(test_scribe_drops_what_does_not_fit_and_ends_all_the_same);
    return 0;
}
