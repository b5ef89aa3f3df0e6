/* Setting up a ring of io_uring: queues, tables, lent buffers; smaller ones where memlock does not
 * carry those that were asked for. */
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "io/ring_cause.h"
#include "io/ring_uring_impl.h"

enum {
    SHRUNK_ENTRIES_MIN = 16,
    SHRUNK_TRIES = 30, /* With 2 ms between them. */
};

/* What a ring of these sizes locks in memory: both queues and the lists of lent buffers, in whole
 * pages. Linux before 5.12 and from 6.14 on charges it to the user's memlock limit. */
static uint64_t locked_bytes(const struct ring_options *options)
{
    const uint64_t page = 4096;
    uint64_t parts[] = {
        options->sq_entries * sizeof(struct io_uring_sqe),
        64 + options->cq_entries * sizeof(struct io_uring_cqe) + options->sq_entries * 4ull,
        options->buffers_count[RING_SMALL] * sizeof(struct io_uring_buf),
        options->buffers_count[RING_LARGE] * sizeof(struct io_uring_buf),
    };
    uint64_t sum = 0;

    for (size_t i = 0; i < COUNT(parts); i++) {
        sum += (parts[i] + page - 1) / page * page;
    }
    return sum;
}

static enum err open_queues(struct uring *u, const struct ring_options *options,
                            struct err_info *why)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = options->cq_entries,
    };
    int rc = io_uring_queue_init_params(options->sq_entries, &u->uring, &params);

    if (rc < 0) {
        struct ring_cause_facts facts;

        ring_cause_read(&facts);
        return ring_cause(-rc, &facts, locked_bytes(options), why);
    }
    u->sq_mask = params.sq_entries - 1;
    u->cq_mask = params.cq_entries - 1;
    u->base.facts.sq_entries = params.sq_entries;
    u->base.facts.cq_entries = params.cq_entries;
    u->base.facts.multishot = true;
    u->base.facts.chains = true;
    u->base.facts.min_wait = (params.features & IORING_FEAT_MIN_TIMEOUT) != 0;
    for (uint32_t i = 0; i < params.sq_entries; i++) {
        u->uring.sq.array[i] = i; /* Entry i is always at place i. */
    }
    return ERR_OK;
}

static enum err open_group(struct uring *u, const struct ring_options *options,
                           enum ring_group which, struct err_info *why)
{
    uint32_t bytes = options->buffer_bytes[which], count = options->buffers_count[which];
    struct group *group = &u->groups[which];
    struct io_uring_buf_reg reg = {.ring_entries = count, .bgid = (uint16_t)which};
    int rc;

    if (count == 0) return ERR_OK;
    CHECK(count <= LARGE_ID_BIT && (count & (count - 1)) == 0);
    group->ring = arena_alloc(&u->arena, count * sizeof(struct io_uring_buf), 4096);
    group->memory = arena_alloc(&u->arena, (size_t)count * bytes, 4096);
    if (group->ring == NULL || group->memory == NULL) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for %u receive buffers of %u bytes",
                       count, bytes);
    }
    group->bytes = bytes;
    group->mask = (uint16_t)(count - 1);
    group->id_bit = which == RING_LARGE ? LARGE_ID_BIT : 0;
    reg.ring_addr = (uintptr_t)group->ring;
    rc = io_uring_register_buf_ring(&u->uring, &reg, 0);
    if (rc == -ENOMEM) {
        struct ring_cause_facts facts;

        ring_cause_read(&facts);
        return ring_cause(ENOMEM, &facts, locked_bytes(options), why);
    }
    if (rc != 0) {
        return err_set(why, ERR_KERNEL, -rc, "receive buffers cannot be registered: %s",
                       err_errno_name(-rc));
    }
    for (uint32_t i = 0; i < count; i++) {
        uring_give_buffer(group, (uint16_t)i);
    }
    return ERR_OK;
}

static enum err open_table(struct uring *u, const struct ring_options *options,
                           struct err_info *why)
{
    int rc = io_uring_register_files_sparse(&u->uring, options->socks_count);

    if (rc == -EMFILE) {
        return ring_too_many_socks(options->socks_count, why);
    }
    if (rc == 0 && options->accept_from < options->socks_count) {
        rc = io_uring_register_file_alloc_range(&u->uring, options->accept_from,
                                                options->socks_count - options->accept_from);
    }
    if (rc != 0) {
        return err_set(why, ERR_KERNEL, -rc, "the socket table cannot be registered: %s",
                       err_errno_name(-rc));
    }
    return ERR_OK;
}

static enum err open_rest(struct uring *u, const struct ring_options *options, struct err_info *why)
{
    enum err err = open_table(u, options, why);

    for (int g = 0; g < RING_GROUPS && err == ERR_OK; g++) {
        err = open_group(u, options, (enum ring_group)g, why);
    }
    if (err != ERR_OK) return err;
    u->base.wake_fd = eventfd(0, EFD_CLOEXEC);
    if (u->base.wake_fd < 0) {
        return err_set(why, ERR_LIMIT, errno, "eventfd: %s; raise 'ulimit -n'",
                       err_errno_name(errno));
    }
    u->enter_fd = u->uring.ring_fd;
    if (io_uring_register_ring_fd(&u->uring) == 1) {
        u->enter_fd = u->uring.enter_ring_fd;
        u->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
    uring_arm_wake(u);
    return ERR_OK;
}

/* Opens a ring of exactly these sizes. */
static enum err open_sized(struct uring **ret_uring, const struct ring_options *options,
                           struct err_info *why)
{
    struct arena arena;
    struct uring *u;
    enum err err;

    arena_init(&arena, 0);
    u = arena_alloc(&arena, sizeof(*u), CACHE_LINE);
    if (u == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a ring");
    u->arena = arena;
    u->base.ops = &uring_ops;
    u->base.wake_fd = -1;
    u->base.facts.engine = "io_uring";
    err = open_queues(u, options, why);
    if (err != ERR_OK) {
        arena = u->arena;
        arena_release(&arena);
        return err;
    }
    err = open_rest(u, options, why);
    if (err != ERR_OK) {
        uring_ops.close(&u->base);
        return err;
    }
    *ret_uring = u;
    return ERR_OK;
}

/* Halves everything that is locked in memory; false when it is as small as it gets. */
static bool shrink(struct ring_options *options)
{
    if (options->sq_entries <= SHRUNK_ENTRIES_MIN) return false;
    options->sq_entries /= 2;
    options->cq_entries = max_u32(options->cq_entries / 2, 2 * options->sq_entries);
    for (int g = 0; g < RING_GROUPS; g++) {
        if (options->buffers_count[g] > SHRUNK_ENTRIES_MIN) options->buffers_count[g] /= 2;
    }
    return true;
}

/* The same while `memlock` does not carry it. The kernel gives back what a failed ring had locked
 * only some 30 ms after it, so that each size gets a few tries. */
static enum err open_shrunk(struct uring **ret_uring, struct ring_options *options,
                            struct err_info *why)
{
    const struct timespec pause = {.tv_nsec = 2 * NS_PER_MS};
    struct ring_cause_facts facts;
    enum err err = ERR_LIMIT;

    ring_cause_read(&facts);
    while (shrink(options)) {
        if (locked_bytes(options) > facts.memlock_bytes) continue;
        for (int i = 0; i < SHRUNK_TRIES; i++) {
            err = open_sized(ret_uring, options, why);
            if (err == ERR_OK || err == ERR_MEMORY || why->errno_value != ENOMEM) return err;
            (void)nanosleep(&pause, NULL);
        }
    }
    return err;
}

static void say_shrunk(struct ring_facts *facts, const struct ring_options *asked, const char *why)
{
    (void)snprintf(facts->shrunk, sizeof(facts->shrunk),
                   "queues of %u and %u entries in place of %u and %u: %.100s", facts->sq_entries,
                   facts->cq_entries, asked->sq_entries, asked->cq_entries, why);
}

enum err ring_uring_open(struct ring **ret_ring, const struct ring_options *options,
                         struct err_info *why)
{
    struct ring_options sized = *options;
    struct uring *u = NULL;
    struct err_info first, last;
    enum err err;

    sized.cq_entries = max_u32(sized.cq_entries, 2 * sized.sq_entries);
    err = open_sized(&u, &sized, &first);
    last = first;
    if (err == ERR_LIMIT && first.errno_value == ENOMEM) {
        err = open_shrunk(&u, &sized, &last);
        /* What was met is the limit; what was needed is what was asked for. */
        if (err == ERR_LIMIT) last = first;
    }
    if (err != ERR_OK) {
        if (why != NULL) *why = last;
        return err;
    }
    CHECK(u != NULL);
    if (sized.sq_entries != options->sq_entries) say_shrunk(&u->base.facts, options, first.message);
    *ret_ring = &u->base;
    return ERR_OK;
}
