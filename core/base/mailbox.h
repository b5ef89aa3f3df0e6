/* mailbox: one thread posts words, one other thread takes them; neither ever waits.
 *
 * Orders go down to a worker and news comes back up through here and nowhere else, so this
 * is the file that argues the memory order: a slot's words are written before `posted` is
 * released and read after it is acquired; a slot is given back by releasing `taken`. Bounded on
 * purpose: a full box means that the other side has stopped, and the poster decides what that
 * means.
 *
 * Threads: mailbox_post() from one thread, mailbox_take() from one other. */
#ifndef CORE_BASE_MAILBOX_H
#define CORE_BASE_MAILBOX_H

#include "core/base/defs.h"

/* A message: what it is, and one word with it. Both sides agree on `kind`. */
struct mail {
    uint64_t kind;
    uint64_t value;
};

struct mailbox {
    struct mail *slots; /* [mask + 1], borrowed. Slot i belongs to the side whose turn it is. */
    uint32_t mask;
    struct {                                          /* One writer each; the other reads. */
        _Alignas(CACHE_LINE) _Atomic uint32_t posted; /* Poster's; release publishes the slot. */
        _Alignas(CACHE_LINE) _Atomic uint32_t taken;  /* Taker's; release gives the slot back. */
    } shared;
};

/* Makes `box` empty over `slots_count` caller-owned slots (a power of two, 2..65536) that must
 * outlive it. Cannot fail; nothing to release. */
void mailbox_init(struct mailbox *box, struct mail *slots, uint32_t slots_count);

/* Posts `mail`; false when full (nothing is lost: post again after the taker has taken). */
MUST_USE bool mailbox_post(struct mailbox *box, struct mail mail);

/* Takes the oldest mail into `ret_mail`; false when empty, `ret_mail` then untouched. */
MUST_USE bool mailbox_take(struct mailbox *box, struct mail *ret_mail);

#endif
