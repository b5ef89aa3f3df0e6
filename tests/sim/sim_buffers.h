/* sim_buffers: receive buffers and who holds each. A buffer that nobody holds is poison, so that
 * what its last owner still writes into it is found out, and under the address sanitizer what he
 * still reads too. Private to tests/sim. */
#ifndef TESTS_SIM_SIM_BUFFERS_H
#define TESTS_SIM_SIM_BUFFERS_H

#include "io/ring.h"
#include "tests/sim/sim_core.h"

enum sim_buffer_state { SIM_BUFFER_FREE, SIM_BUFFER_FILLED, SIM_BUFFER_LENT };

struct sim_buffer {
    enum sim_buffer_state state;
    uint32_t bytes_high; /* It has held so many bytes; below it a free one is all poison. */
};

struct sim_group {
    char *memory;
    struct sim_buffer *buffers;
    uint16_t *free_ids; /* Ring of [count]. */
    uint32_t count;
    uint32_t bytes;
    uint32_t free_head;
    uint32_t free_count;
};

/* `count` (0: the group is unused) buffers of `bytes`. */
void sim_group_init(struct sim *sim, struct sim_group *group, uint32_t count, uint32_t bytes);
/* Takes a free buffer for the kernel to fill; false when there is none. */
MUST_USE bool sim_buffer_take(struct sim *sim, struct sim_group *group, uint16_t *ret_id);
/* The first `len` bytes of a taken buffer, to be written now, then hidden until it is lent. */
char *sim_buffer_fill(struct sim_group *group, uint16_t id, size_t len);
void sim_buffer_hide(struct sim_group *group, uint16_t id, size_t len);
/* Its event has been reaped: the owner has it. */
void sim_buffer_lend(struct sim *sim, struct sim_group *group, uint16_t id, size_t len);
/* The owner has given it back; aborts if it was not his to give. */
void sim_buffer_back(struct sim *sim, struct sim_group *group, const struct ring_event *event);
/* Aborts if the owner still has one. */
void sim_group_check_back(struct sim *sim, const struct sim_group *group);

#endif
