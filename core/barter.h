/* barter: values of a component that is split over all workers. They stay where they were made, and
 * go to another worker only when that one starves.
 *
 * A worker says of each provider as soon as somebody waits there, and how many values it has room
 * for, and whether a value may still come to be there. One that has values and nobody who waits
 * looks at the end of each turn, and sends up to half of them to those that starve, so that they
 * need not ask for each. What is sent is an item in the sender's memory: the receiver copies it and
 * sends it back to be freed.
 *
 * That no worker can make a value any more is seen by reading all their states twice: a value on
 * its way keeps its sender's open until the receiver's is, so states that did not change between
 * two readings were all shut at one moment.
 *
 * Threads: each worker writes its own rows and boxes; see the table in docs/ARCHITECTURE.md. */
#ifndef CORE_BARTER_H
#define CORE_BARTER_H

#include "core/base/arena.h"
#include "core/base/mailbox.h"
#include "core/stillness.h"

/* Items between any two workers, each way: a power of two, of which half may be underway and half
 * on the way back. */
enum { BARTER_SLOTS = 64, BARTER_UNDERWAY_MAX = BARTER_SLOTS / 2 };

#define BARTER_NS NS_PER_MS /* How often a worker looks what has changed elsewhere. */

struct barter_cell {
    _Atomic uint32_t wants;     /* Values that a worker that starves would take; a hint, relaxed. */
    _Atomic uint32_t spares;    /* It has values for which nobody waits there; the same. */
    _Atomic uint64_t state;     /* Changes so far × 2, + 1 while open: release, acquire. */
    _Atomic uint32_t is_unread; /* Nobody there reads it any more, for good: release, acquire. */
};

struct barter {
    uint32_t workers, providers;
    struct barter_cell *cells; /* [workers * providers]; of one worker in a row. */
    struct mailbox *boxes;     /* [workers * workers]: from one, in a row, to another. */
    struct stillness still;
    void (*wake)(void *self, uint32_t worker);
    void *self;
};

/* Makes everything out of `arena`; false when that refuses. All is open. `wake` makes a worker look
 * at its mail; any worker calls it. */
MUST_USE bool barter_init(struct barter *barter, struct arena *arena, uint32_t workers,
                          uint32_t endpoints, uint32_t providers);

struct mailbox *barter_box(const struct barter *barter, uint32_t from, uint32_t to);
struct barter_cell *barter_cell(const struct barter *barter, uint32_t worker, uint32_t provider);

/* Says whether values may still come to be in a provider on this worker; its own thread. */
void barter_set_open(const struct barter *barter, uint32_t worker, uint32_t provider, bool open);

/* True if a worker has said so of itself; its own thread. */
bool barter_is_open(const struct barter *barter, uint32_t worker, uint32_t provider);

/* True if they may on any other worker. */
bool barter_is_open_elsewhere(const struct barter *barter, uint32_t worker, uint32_t provider);

/* Says that nobody on this worker reads the provider any more; its own thread. */
void barter_set_unread(const struct barter *barter, uint32_t worker, uint32_t provider);

/* True if somebody reads it on a worker, or on any, as far as has been said. */
bool barter_is_read_by(const struct barter *barter, uint32_t worker, uint32_t provider);
bool barter_is_read(const struct barter *barter, uint32_t provider);

#endif
