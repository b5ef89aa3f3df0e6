/* Reaching a host before a run. */
#include "io/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/test.h"

/* A port of the loopback, in digits: one that is listened on, or that of a closed socket. */
static int listen_somewhere(char *ret_port, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    EXPECT(fd >= 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
    EXPECT(listen(fd, 1) == 0);
    EXPECT(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    (void)snprintf(ret_port, size, "%u", ntohs(at.sin_port));
    return fd;
}

static void test_reach_connects_or_says_why_not(void)
{
    char port[8], text[RESOLVE_TEXT_MAX], wanted[64];
    struct address address;
    struct err_info why;
    int fd = listen_somewhere(port, sizeof(port));

    EXPECT(reach("127.0.0.1", port, &address, &why) == ERR_OK);
    (void)snprintf(wanted, sizeof(wanted), "127.0.0.1:%s", port);
    EXPECT(strcmp(resolve_text(&address, text), wanted) == 0);
    EXPECT(close(fd) == 0);
    EXPECT(reach("127.0.0.1", port, &address, &why) == ERR_NETWORK);
    (void)snprintf(wanted, sizeof(wanted), "unable to connect to 127.0.0.1:%s Connection refused",
                   port);
    EXPECT(strcmp(why.message, wanted) == 0);
    EXPECT(reach("127.0.0.1", "nosuchservice", &address, &why) == ERR_RESOLVE);
    EXPECT(strncmp(why.message, "unable to resolve 127.0.0.1:nosuchservice ", 42) == 0);
}

int main(void)
{
    TEST(test_reach_connects_or_says_why_not);
    return 0;
}
