/* preflight: whether this machine's limits carry a plan, found out before a request is sent.
 *
 * Refuses what cannot work, warns of what may not, each with both numbers and the command that
 * mends it. Memlock is not looked at here: only some kernels charge rings to it, so the rings are
 * opened, before the run too, and say what they met (io/ring_cause.h).
 *
 * Ports. A connection needs a local port that no other connection from here to the same address
 * and port has, so there are as many as the range of net.ipv4.ip_local_port_range (for both
 * families) times the addresses of the target, times ours that --source gives. Of several targets
 * the one with the fewest ports for its connections counts; two names of one address are taken for
 * two addresses, and what that hides is seen in the run (class `ports`). A connection that we close
 * first keeps its port for 60 s (TIME_WAIT, RFC 9293 section 3.6.1), or 1 s where
 * net.ipv4.tcp_tw_reuse lets it be used again.
 *
 * Threads: the coordinator's, before there are workers. preflight_check() is pure. */
#ifndef CORE_PREFLIGHT_H
#define CORE_PREFLIGHT_H

#include "config/plan.h"
#include "core/base/err.h"
#include "core/names.h"

/* What the machine allows. */
struct preflight_limits {
    uint64_t descriptors; /* RLIMIT_NOFILE, soft; UINT64_MAX: no bound. */
    uint64_t descriptors_hard;
    uint64_t descriptors_used;    /* Open now; 0: not known. */
    uint32_t port_low, port_high; /* Local ports, both included; 0: not known. */
    uint32_t ports_reserved;      /* Of these, never given out. */
    uint32_t tw_reuse;            /* net.ipv4.tcp_tw_reuse: 0 never, 1 always, 2 on the loopback. */
};

/* A host and port that connections go to. */
struct preflight_place {
    uint32_t connections;
    uint32_t destinations; /* Its addresses; at least 1. */
    uint64_t pairs;        /* Of a source and one of these, of the same family; 0: not TCP. */
};

/* What the plan wants. */
struct preflight_wants {
    bool epoll;            /* Sockets are descriptors of the process; else of a ring's own table. */
    uint32_t connections;  /* At once, over all workers. */
    uint32_t workers;      /* At least 1. */
    uint32_t destinations; /* Addresses that they go to; at least 1. */
    uint32_t sources;      /* Addresses that they come from; 0: the kernel chooses one. */
    uint64_t pairs;        /* Of a source and a destination of the same family; 0: not TCP. */
    struct preflight_place crowded; /* With the fewest pairs per connection. */
    bool loopback;                  /* All of these are. */
    double connects_per_s;          /* Expected for connections that end; 0: none, or not known. */
    uint64_t connects_max;          /* In all; UINT64_MAX: no bound. */
};

struct preflight_warning {
    char text[240]; /* One line without the program's name; "": there is none. */
};

/* ERR_LIMIT: it cannot work. */
MUST_USE enum err preflight_check(const struct preflight_limits *limits,
                                  const struct preflight_wants *wants,
                                  struct preflight_warning *ret_warning, struct err_info *why);

/* Raises the soft limit of open descriptors to the hard one: connections are made of them. Where
 * the kernel refuses, the old limit stays, and preflight_read() tells it. */
void preflight_raise_descriptors(void);

/* Reads the limits of this process and its network namespace; `proc` is "/proc" but in tests. */
void preflight_read(struct preflight_limits *ret_limits, const char *proc);

/* What `plan` wants, all its `names` found. Tries whether there is
 * an io_uring to be had when the plan leaves that open. */
struct preflight_wants preflight_wants(const struct plan *plan, const struct names *names);

#endif
