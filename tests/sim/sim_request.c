/* Reads request heads, more strictly than a server would: what a load generator sends must be
 * right to the byte, and bytes of two sends that were mixed up must not pass. */
#include <string.h>
#include <strings.h>

#include "tests/sim/sim_conn.h"

_Noreturn static void malformed(const struct sim_conn *conn, const char *what, const char *line)
{
    sim_fail(conn->peer->sim, "connection %u got a malformed request: %s in \"%.60s\"",
             conn->number, what, line);
}

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool alnum = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z') ||
                     (text[i] >= 'a' && text[i] <= 'z');

        if (!alnum && (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)) return false;
    }
    return len > 0;
}

static void copy_cut(char *to, size_t size, const char *from, size_t len)
{
    if (len > size - 1) len = size - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

static void parse_request_line(struct sim_conn *conn, const char *line)
{
    const char *target = strchr(line, ' ');
    const char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    size_t path_len;

    if (version == NULL || strcmp(version, " HTTP/1.1") != 0) {
        malformed(conn, "no \"method target HTTP/1.1\"", line);
    }
    if (!is_token(line, (size_t)(target - line))) malformed(conn, "a bad method", line);
    target++;
    if (strncmp(line, "CONNECT ", 8) == 0) { /* RFC 9110 section 9.3.6: host and port. */
        if (strchr(target, ':') == NULL) malformed(conn, "a bad target", line);
    } else if (*target != '/' && *target != '*') {
        malformed(conn, "a bad target", line);
    }
    path_len = (size_t)(version - target);
    if (memchr(target, '?', path_len) != NULL) path_len = strcspn(target, "?");
    copy_cut(conn->request.method, SIM_METHOD_BYTES, line, (size_t)(target - 1 - line));
    copy_cut(conn->request.path, SIM_PATH_BYTES, target, path_len);
}

static uint64_t parse_length(const struct sim_conn *conn, const char *value, const char *line)
{
    uint64_t length = 0;

    if (*value == '\0') malformed(conn, "an empty length", line);
    for (; *value != '\0'; value++) {
        if (*value < '0' || *value > '9' || length > UINT64_MAX / 100) {
            malformed(conn, "a bad length", line);
        }
        length = length * 10 + (uint64_t)(*value - '0');
    }
    return length;
}

/* One field line; counts Host. */
static void parse_field(struct sim_conn *conn, const char *line, uint32_t *hosts_count)
{
    const char *colon = strchr(line, ':');
    const char *value;
    size_t name_len;

    if (colon == NULL || !is_token(line, (size_t)(colon - line))) {
        malformed(conn, "a bad field name", line);
    }
    name_len = (size_t)(colon - line);
    value = colon + 1 + strspn(colon + 1, " \t");
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' && *c != '\t') malformed(conn, "a control character", line);
    }
    if (name_len == 4 && strncasecmp(line, "Host", name_len) == 0) ++*hosts_count;
    if (name_len == 14 && strncasecmp(line, "Content-Length", name_len) == 0) {
        conn->body_left = parse_length(conn, value, line);
        conn->request.body_bytes = conn->body_left;
    }
    if (name_len == 17 && strncasecmp(line, "Transfer-Encoding", name_len) == 0) {
        malformed(conn, "a transfer coding, which peers do not know,", line);
    }
    if (name_len == 10 && strncasecmp(line, "Connection", name_len) == 0) {
        conn->request_close = strcasecmp(value, "close") == 0;
    }
    if (name_len == 6 && strncasecmp(line, "Expect", name_len) == 0) {
        conn->expects = strcasecmp(value, "100-continue") == 0;
    }
    if (name_len == 12 && strncasecmp(line, "X-Request-Id", name_len) == 0) {
        copy_cut(conn->request.id, SIM_ID_BYTES, value, strlen(value));
    }
}

void sim_request_parse(struct sim_conn *conn, char *head, size_t len)
{
    char *line = head;
    uint32_t hosts_count = 0;

    conn->request = (struct sim_request){.connection = conn->number};
    conn->request_close = false;
    conn->expects = false;
    conn->body_left = 0;
    if (memchr(head, '\0', len) != NULL) malformed(conn, "a zero byte", head);
    for (;;) {
        char *end = memchr(line, '\n', (size_t)(head + len - line));

        if (end == NULL || end == line || end[-1] != '\r') {
            if (end != NULL) *end = '\0';
            malformed(conn, "a line end that is not CR LF", line);
        }
        end[-1] = '\0';
        if (end - 1 == line) break; /* The empty line. */
        if (strchr(line, '\r') != NULL) malformed(conn, "a bare CR", line);
        if (line == head) {
            parse_request_line(conn, line);
        } else {
            parse_field(conn, line, &hosts_count);
        }
        line = end + 1;
    }
    if (line == head) malformed(conn, "an empty head", line);
    if (hosts_count != 1) malformed(conn, "not exactly one Host", head);
}
