/* Chains: close, socket, connect, send and receive, each begun in the kernel when the one before it
 * has ended well. Which steps have events is what io_uring does with links of which some are silent
 * when they succeed: after a silent step that failed the rest is silent too. */
#include <errno.h>

#include "core/base/check.h"
#include "tests/sim/sim_kernel.h"

static void close_old(struct ring *ring, uint32_t index)
{
    struct sim_sock *sock = &ring->socks[index];
    struct sim_sock fresh = {.state = SIM_SOCK_OPEN, .counted = sock->counted};

    CHECK(sock->cancels == NULL);
    sim_sock_forget_quiet(ring, index);
    CHECK(sock->posts_pending == 0);
    sim_sock_drop(ring, index);
    for (size_t i = 0; i < SIM_OP_HELD; i++) {
        fresh.owner[i] = sock->owner[i];
    }
    *sock = fresh;
}

void sim_chain_run(struct sim_op *op)
{
    struct ring *ring = op->ring;
    struct sim *sim = ring->sim;
    struct sim_chain *chain = op->chain;
    int res;

    close_old(ring, op->sock);
    ring->socks[op->sock].family = chain->connect->address->sa_family;
    res = sim_sock_result(ring, sim->options.faults.sock_error);
    sim->sockets_now++; /* If there is none, then until the owner closes it. */
    if (res == 0) {
        sim_op_end(op);
        sim_connect_run(chain->connect);
        return;
    }
    sim_op_end(chain->connect);
    sim_op_end(chain->send);
    sim_op_end(chain->recv);
    op->chain = NULL;
    sim_post(op, &(struct ring_event){.res = res}, true);
}

void sim_chain_goes_on(struct sim_op *op)
{
    struct sim_chain *chain = op->chain;

    if (op->kind == SIM_OP_CONNECT) {
        sim_send_run(chain->send);
        return;
    }
    CHECK(op->kind == SIM_OP_SEND);
    op->ring->socks[op->sock].kernel[SIM_OP_RECV] = chain->recv;
    sim_sock_recv(op->ring, op->sock);
}

void sim_chain_fails(struct sim_op *op)
{
    struct sim_chain *chain = op->chain;
    struct ring_event cancelled = {.res = -ECANCELED};

    if (chain->aborted) return;
    if (op->kind == SIM_OP_SEND) {
        sim_op_end(chain->recv);
        return;
    }
    CHECK(op->kind == SIM_OP_CONNECT);
    chain->aborted = true;
    sim_post(chain->send, &cancelled, true);
    sim_post(chain->recv, &cancelled, true);
}
