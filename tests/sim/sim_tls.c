#include "tests/sim/sim_tls.h"

#include "core/base/check.h"
#include "tests/sim/sim_conn.h"

enum { OUT_BYTES = 64 * 1024 };

/* Runs one call of the session with room for its output, which then goes its way. */
#define WITH_OUT(conn, out, call)                                      \
    do {                                                               \
        char bytes_[OUT_BYTES];                                        \
        struct tls_out out = {.data = bytes_, .size = sizeof(bytes_)}; \
                                                                       \
        call;                                                          \
        keep((conn), bytes_, (out).len);                               \
    } while (0)

static void keep(struct sim_conn *conn, const char *bytes, size_t len)
{
    sim_fifo_put(conn->peer->sim, &conn->tls->out, bytes, len);
    (void)sim_tls_pump(conn);
}

void sim_tls_begin(struct sim_conn *conn)
{
    CHECK(conn->tls == NULL);
    conn->tls = sim_alloc(conn->peer->sim, sizeof(*conn->tls));
    CHECK(tls_accept(&conn->tls->session, conn->peer->tls));
}

bool sim_tls_pump(struct sim_conn *conn)
{
    struct sim_fifo *out = &conn->tls->out;
    char bytes[SIM_PIECE_BYTES];

    while (out->len > 0) {
        size_t len = min_u64(min_u64(out->len, sizeof(bytes)), sim_link_room(conn->link, 1));

        if (len == 0) return false;
        sim_fifo_take(conn->peer->sim, out, bytes, len);
        sim_link_write(conn->link, 1, bytes, len);
    }
    return true;
}

bool sim_tls_hear(struct sim_conn *conn, const char *data, size_t len)
{
    struct tls_session *session = &conn->tls->session;
    enum tls_result result = TLS_DONE;

    tls_feed(session, data, len);
    while (result == TLS_DONE && !conn->closed && !conn->parting) {
        char plain[TLS_PLAIN_BYTES];
        size_t plain_len = 0;

        if (session->established) {
            WITH_OUT(conn, out, result = tls_read(session, &out, plain, sizeof(plain), &plain_len));
        } else {
            WITH_OUT(conn, out, result = tls_handshake(session, &out));
        }
        if (plain_len > 0) sim_conn_hear(conn, plain, plain_len);
    }
    return result == TLS_DONE || result == TLS_MORE;
}

size_t sim_tls_room(const struct sim_conn *conn)
{
    if (!conn->tls->session.established || conn->tls->out.len > 0) return 0;
    return sim_link_room(conn->link, 1);
}

void sim_tls_write(struct sim_conn *conn, const char *data, size_t len)
{
    while (len > 0) {
        enum tls_result result = TLS_FAILED;
        size_t written = 0;

        WITH_OUT(conn, out, result = tls_write(&conn->tls->session, &out, data, len, &written));
        CHECK(result == TLS_DONE && written > 0);
        data += written;
        len -= written;
    }
}

void sim_tls_shutdown(struct sim_conn *conn)
{
    if (conn->tls->session.established && !conn->tls->session.failed) {
        WITH_OUT(conn, out, tls_shutdown(&conn->tls->session, &out));
    }
}

void sim_tls_end(struct sim_conn *conn)
{
    struct sim_fifo *out = &conn->tls->out;

    tls_close(&conn->tls->session);
    sim_fifo_take(conn->peer->sim, out, NULL, out->len);
}
