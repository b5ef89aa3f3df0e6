/* stillness: whether nothing can go on any more on any worker of a component that is split.
 *
 * Each worker says of itself whether something moves, and when it rests, what its endpoints wait
 * for and how its part of each provider stands. One that rests is moved by others alone: by a value
 * that they send, or by what they change in what they tell of providers (core/barter). Invariants,
 * kept by those who call:
 *  1. It rests only while it has nothing underway to others: all it sent has been taken.
 *  2. It says that it moves before others can see that it took a value, or sent one.
 *  3. It counts each change of what it tells, afterwards, and says when it rests of how many by
 *     all workers it knew before it looked.
 * So states that are read twice, all at rest and unchanged, were at rest at one moment with no
 * value on its way, and with nothing told that one of them had not heard; what was read between
 * stood at that moment. Then nothing moves again but by what this module's answers say.
 *
 * Threads: each worker writes its own row; any worker looks. */
#ifndef CORE_STILLNESS_H
#define CORE_STILLNESS_H

#include "core/base/arena.h"

/* What an endpoint waits for on a worker at rest. */
enum {
    STILL_OVER,  /* Nothing: it has stopped, or is not there. */
    STILL_ROOM,  /* Room for its values, or to be asked for some. */
    STILL_VALUE, /* + index of the provider. */
};

/* How a provider stands there, as bits. */
enum {
    STILL_WANTED = 1,  /* Somebody waits for a value. */
    STILL_THERE = 2,   /* There are values, or will be without any endpoint. */
    STILL_HELD = 4,    /* An endpoint that waits for others has taken some. */
    STILL_UNASKED = 8, /* An endpoint could make some, if it were asked. */
    STILL_OPEN = 16,   /* Somebody who has not stopped could make some, … */
    STILL_KEPT = 32,   /* … or nobody, and it is open only since some are HELD. */
};

struct still_row {
    _Alignas(CACHE_LINE) _Atomic uint64_t state; /* Changes so far × 2, + 1 while it moves. */
    _Atomic uint64_t changes;                    /* Of what it tells, so far … */
    _Atomic uint64_t heard;                      /* … and the sum of all workers' that it knew. */
    _Atomic uint32_t has_told;                   /* It has told of a deadlock: all are to stop. */
};

struct stillness {
    uint32_t workers, endpoints, providers;
    struct still_row *rows;   /* [workers] */
    _Atomic uint32_t *waits;  /* [workers * endpoints] */
    _Atomic uint32_t *stocks; /* [workers * providers] */
};

/* Makes everything out of `arena`; false when that refuses. All move. */
MUST_USE bool stillness_init(struct stillness *still, struct arena *arena, uint32_t workers,
                             uint32_t endpoints, uint32_t providers);

/* Says that something moves on a worker; its own thread, like the next. */
void stillness_move(const struct stillness *still, uint32_t worker);

/* What a worker says when it rests. */
struct still_rest {
    const uint32_t *waits;  /* [endpoints] */
    const uint32_t *stocks; /* [providers] */
    uint64_t heard;         /* stillness_changes() before it looked; UINT64_MAX: it has ended. */
};
void stillness_rest(const struct stillness *still, uint32_t worker, const struct still_rest *rest);

/* Counts a change of what the worker tells others, once it can be seen; the sum of all. */
void stillness_change(const struct stillness *still, uint32_t worker);
uint64_t stillness_changes(const struct stillness *still);

enum still_found {
    STILL_MOVES,   /* Something does, or will. */
    STILL_YIELD,   /* A worker of lower index waits for what endpoints here hold: give it back. */
    STILL_LET_GO,  /* What is held here is of no use to others: it keeps the provider no more. */
    STILL_ASK,     /* Another worker waits for what an endpoint here could make: ask it. */
    STILL_IS_OVER, /* All endpoints of all workers have stopped. */
    STILL_IS_DEAD, /* Nothing will ever go on. */
};

/* Looks at all workers, for one of them. Of YIELD, LET_GO and ASK `ret_provider` says which; of
 * IS_DEAD `ret_waits` [endpoints] says what each endpoint waits for, on the worker where it is
 * most. */
enum still_found stillness_look(const struct stillness *still, uint32_t worker,
                                uint32_t *ret_provider, uint32_t *ret_waits);

/* Tells all workers to stop, or whether one has told so. */
void stillness_tell(const struct stillness *still, uint32_t worker);
bool stillness_is_told(const struct stillness *still);

#endif
