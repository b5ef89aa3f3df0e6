/* sim_link: connections, who listens where, and the door to the peers. Private to tests/sim. */
#ifndef TESTS_SIM_SIM_LINK_H
#define TESTS_SIM_SIM_LINK_H

#include <sys/socket.h>

#include "tests/sim/sim_core.h"
#include "tests/sim/sim_peer.h"

/* Bytes one way. */
struct sim_pipe {
    struct sim_fifo bytes; /* Arrived ones first, then those underway. */
    size_t arrived;
    uint64_t last_ns; /* Arrival of the last thing sent; nothing overtakes it. */
    bool fin_sent;
    bool fin_arrived;
};

struct sim_end {
    struct ring *ring; /* A ring's socket, */
    uint32_t sock;
    struct sim_conn *conn; /* or a peer's connection, or neither yet (a backlog). */
    int error;             /* Why it broke: a positive errno; 0: it has not. */
    bool closed;
};

/* Side 0 connected, side 1 accepted; pipe[side] holds what that side wrote. */
struct sim_link {
    struct sim *sim;
    struct sim_pipe pipe[2];
    struct sim_end end[2];
    struct sim_link *next; /* In a backlog. */
};

struct sim_link *sim_link_new(struct sim *sim);
/* How many bytes `side` may write now. */
size_t sim_link_room(const struct sim_link *link, unsigned side);
/* Writes up to the room; the caller has asked for it. */
void sim_link_write(struct sim_link *link, unsigned side, const void *data, size_t len);
size_t sim_link_readable(const struct sim_link *link, unsigned side);
void sim_link_read(struct sim_link *link, unsigned side, void *data, size_t len);
/* The same, and nobody looks at them: they must be of a body, if the options say so. `into` may
 * be NULL. */
void sim_link_drain(struct sim_link *link, unsigned side, void *into, size_t len);
/* All bytes have been read and the other side has said that there are no more. */
bool sim_link_ended(const struct sim_link *link, unsigned side);
void sim_link_fin(struct sim_link *link, unsigned side);
/* `side` leaves: with an end, or a reset when there are bytes that it has not read. */
void sim_link_close(struct sim_link *link, unsigned side);
/* `side` leaves with a reset. */
void sim_link_reset(struct sim_link *link, unsigned side);
/* The net breaks it: both sides get ECONNRESET, `side` at once. */
void sim_link_break(struct sim_link *link, unsigned side);

struct sim_target {
    struct sim_target *next;
    struct sockaddr_storage address;
    struct sim_peer *peer; /* A peer, */
    struct ring *ring;     /* or a listening socket. */
    uint32_t sock;
    bool dead;
    struct sim_link *backlog; /* Oldest first. */
};

struct sim_target *sim_target_new(struct sim *sim, const struct sockaddr *address, socklen_t len);
/* One that listens at `address`, or NULL; among several the seed chooses. */
struct sim_target *sim_target_find(struct sim *sim, const struct sockaddr *address, socklen_t len);
void sim_target_close(struct sim_target *target);
uint64_t sim_address_hash(const struct sockaddr *address, socklen_t len);

/* What a peer makes of a connect: 0 accept, 1 never answer, or a negative errno. */
int sim_peer_connect(struct sim_peer *peer, uint64_t *ret_delay_ns);
/* A connection has been made; side 1 of `link` is the peer's. */
void sim_peer_accept(struct sim_peer *peer, struct sim_link *link);
void sim_conn_readable(struct sim_conn *conn);
void sim_conn_writable(struct sim_conn *conn);
/* The caller's socket was closed: the peer has a connection fewer. */
void sim_conn_left(struct sim_conn *conn);

#endif
