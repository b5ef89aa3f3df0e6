/* order: what coordinator and workers say to each other, by mailbox. */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H

/* Coordinator to worker. */
enum order_kind {
    ORDER_START = 1, /* value: the start of the run, by the monotonic clock. */
    ORDER_STOP,      /* value: the end of the run; nothing becomes due after it; then drain. */
    ORDER_ABORT,     /* No more draining: end now. */
    ORDER_ADDRESSES, /* What worker_shared.addresses says, which is lent until NEWS_ADDRESSES. One
                        at a time. */
};

/* A list of addresses takes the place of another one. */
struct addresses;
struct order_addresses {
    const struct addresses *old;   /* Lent as well; the giver's again after NEWS_ADDRESSES. */
    const struct addresses *fresh; /* The worker's to read from now on. */
};

/* Worker to coordinator. */
enum news_kind {
    NEWS_READY = 1, /* Waits for ORDER_START. */
    NEWS_FAILED,    /* Could not be set up; its err_info says why. */
    NEWS_ADDRESSES, /* Nothing of it uses the old list of the last ORDER_ADDRESSES any more. */
    NEWS_BROKEN,    /* The run has to end; worker_shared.broken says why. */
    NEWS_KILLED,    /* A logger of the test file ends the run. */
    NEWS_ENDED,     /* Has published its last ledger. value: when its part of the run ended. */
};

enum { ORDERS_SLOTS = 16, NEWS_SLOTS = 16 };

#endif
