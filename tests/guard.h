/* guard: puts a parser's input against memory that nobody may touch, on either side, so that one
 * byte read too far is a crash in any build. */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"

struct guard {
    char *begin; /* First usable byte; the page below it and the page at `end` are no-access. */
    char *end;
};

enum guard_side { GUARD_BELOW, GUARD_ABOVE }; /* Which side of the input the page touches. */

/* Room for inputs of up to `bytes_max`. */
static inline struct guard guard_open(size_t bytes_max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t usable = (bytes_max / page + 1) * page;
    char *map =
        mmap(NULL, usable + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(map != MAP_FAILED);
    EXPECT(mprotect(map, page, PROT_NONE) == 0);
    EXPECT(mprotect(map + page + usable, page, PROT_NONE) == 0);
    return (struct guard){.begin = map + page, .end = map + page + usable};
}

static inline void guard_close(struct guard *guard)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    EXPECT(munmap(guard->begin - page, (size_t)(guard->end - guard->begin) + 2 * page) == 0);
    *guard = (struct guard){0};
}

/* Copies `len` bytes to one side; the copy is good until the next call. */
static inline const char *guard_place(const struct guard *guard, enum guard_side side,
                                      const char *data, size_t len)
{
    char *place = side == GUARD_BELOW ? guard->begin : guard->end - len;

    EXPECT(len <= (size_t)(guard->end - guard->begin));
    memcpy(place, data, len);
    return place;
}

#endif
