/* sim_tls: the TLS of a peer's connection, between its bytes and the wire. Private to tests/sim. */
#ifndef TESTS_SIM_SIM_TLS_H
#define TESTS_SIM_SIM_TLS_H

#include "tests/sim/sim_link.h"
#include "tls/tls.h"

struct sim_tls {
    struct tls_session session;
    struct sim_fifo out; /* Ciphertext for which the link had no room. */
};

/* Begins a handshake. */
void sim_tls_begin(struct sim_conn *conn);

/* Takes what came; what it holds for the peer goes to sim_conn_hear(). False: the session is of no
 * more use, by an end or by a failure. */
bool sim_tls_hear(struct sim_conn *conn, const char *data, size_t len);

/* How many bytes the peer may write: 0 before the handshake is over, and while ciphertext waits. */
size_t sim_tls_room(const struct sim_conn *conn);
void sim_tls_write(struct sim_conn *conn, const char *data, size_t len);

/* Says that the peer sends no more. */
void sim_tls_shutdown(struct sim_conn *conn);

/* Puts what waits on the wire; true if nothing waits any longer. */
bool sim_tls_pump(struct sim_conn *conn);

/* The connection is over. */
void sim_tls_end(struct sim_conn *conn);

#endif
