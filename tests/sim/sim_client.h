/* sim_client: a little HTTP client over io/ring.h, written by hand to try the simulator: it keeps
 * every rule of the ring, checks every byte of the bodies, and survives every fault. Nothing in it
 * is the product's. */
#ifndef TESTS_SIM_SIM_CLIENT_H
#define TESTS_SIM_SIM_CLIENT_H

#include <netinet/in.h>

#include "tests/sim/ring_sim.h"

enum { SIM_CLIENT_SLOTS_MAX = 64, SIM_CLIENT_HEAD_BYTES = 1024 };

enum sim_slot_state {
    SIM_SLOT_EMPTY,
    SIM_SLOT_CONNECTING,
    SIM_SLOT_BUSY,
    SIM_SLOT_LEAVING,
    SIM_SLOT_CLOSING
};

struct sim_slot {
    enum sim_slot_state state;
    uint32_t generation;
    bool connect_on;
    bool send_on;
    bool recv_on;
    bool cancelled;
    uint64_t deadline_ns;
    char request[128];
    char head[SIM_CLIENT_HEAD_BYTES];
    size_t head_len;
    bool in_body;
    uint64_t body_left;
    uint64_t body_at;
};

struct sim_client {
    struct sim *sim;
    struct ring *ring;
    struct sockaddr_in address;
    uint32_t slots_count;
    uint32_t requests_max; /* Requests to begin in all. */
    uint32_t id_base;
    bool quiet;
    uint64_t timeout_ns;
    uint32_t begun;
    uint32_t ok;
    uint32_t failed;
    uint64_t retry_ns; /* No new connection before. */
    struct sim_slot slots[SIM_CLIENT_SLOTS_MAX];
};

/* Opens the client's ring; the other options have been set. */
void sim_client_open(struct sim_client *client, uint32_t buffers_count, uint32_t buffer_bytes);
/* What a worker's step would do: begin, wait, reap, act. */
void sim_client_step(struct sim_client *client);
/* All requests have been begun and ended, all sockets are closed. */
bool sim_client_is_done(const struct sim_client *client);
void sim_client_close(struct sim_client *client);

#endif
