#include "io/pool.h"

#include <errno.h>

#include "core/base/check.h"

#define BACKOFF_FIRST_NS (10 * NS_PER_MS)
#define BACKOFF_LAST_NS  NS_PER_S
#define ADDRESS_BAD_NS   (30 * NS_PER_S) /* How long a failed address is left out. */

void pool_init(struct pool *pool)
{
    CHECK(pool->addresses.count > 0 && pool->addresses.count <= RESOLVE_ADDRESSES_MAX);
    pool->backoff.kind = TIMER_POOL;
    pool->group = RING_SMALL;
}

void pool_back_off(struct pool *pool, uint64_t now_ns)
{
    if (timer_is_armed(&pool->backoff)) return;
    pool->backoff_ns = pool->backoff_ns == 0 ? BACKOFF_FIRST_NS : 2 * pool->backoff_ns;
    pool->backoff_ns = min_u64(pool->backoff_ns, BACKOFF_LAST_NS);
    timers_set(pool->table->timers, &pool->backoff, now_ns + pool->backoff_ns);
}

/* The attempt is over. */
static void attempt_failed(struct pool *pool, int errno_value, uint64_t now_ns)
{
    pool_back_off(pool, now_ns);
    pool->owner.connect_failed(pool->owner.self, pool, failed_of_connect(errno_value), now_ns);
}

static void count_failure(struct pool *pool, int errno_value)
{
    (*pool->counts.connects_failed)++;
    if (errno_value == ECONNREFUSED) (*pool->counts.connects_refused)++;
}

/* Whether another address may work where this one failed: not when we are the ones who lack
 * something. */
static bool is_about_peer(int errno_value)
{
    enum failed_class why = failed_of_connect(errno_value);

    return why != FAILED_PORTS && why != FAILED_DESCRIPTORS;
}

bool pool_connect_failed(struct pool *pool, struct conn *conn, int errno_value, uint64_t now_ns)
{
    count_failure(pool, errno_value);
    if (is_about_peer(errno_value)) {
        pool->address_bad_until_ns[conn->address] = now_ns + ADDRESS_BAD_NS;
        if (conn->addresses_tried < pool->addresses.count - 1) {
            conn->addresses_tried++;
            conn->address = (conn->address + 1) % pool->addresses.count;
            return true;
        }
    }
    attempt_failed(pool, errno_value, now_ns);
    return false;
}

void pool_connected(struct pool *pool, struct conn *conn)
{
    (*pool->counts.opened)++;
    pool->connecting--;
    pool->backoff_ns = 0;
    pool->address_bad_until_ns[conn->address] = 0;
}

/* Addresses take turns; those that failed lately are passed over unless all did. */
static uint32_t choose_address(const struct pool *pool, uint64_t now_ns)
{
    uint32_t count = pool->addresses.count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (pool->address_next + i) % count;

        if (pool->address_bad_until_ns[at] <= now_ns) return at;
    }
    return pool->address_next;
}

void pool_maintain(struct pool *pool, uint64_t now_ns)
{
    while (pool->slots_used < pool->wanted && pool->table->free_count > 0 &&
           !timer_is_armed(&pool->backoff)) {
        pool->address_next = choose_address(pool, now_ns);
        conn_open(pool->table, pool, now_ns);
        pool->address_next = (pool->address_next + 1) % pool->addresses.count;
    }
}

void pool_timer(struct pool *pool, struct timer *timer, uint64_t now_ns)
{
    CHECK(timer == &pool->backoff);
    pool->owner.backoff_ended(pool->owner.self, pool, now_ns);
    pool_maintain(pool, now_ns);
}

static bool is_idle_listed(const struct pool *pool, const struct conn *conn)
{
    return conn->idle_prev != NULL || pool->idle_first == conn;
}

bool pool_idle_add(struct pool *pool, struct conn *conn)
{
    bool listed = is_idle_listed(pool, conn);
    uint32_t room = conn_room(pool->table, conn);

    DCHECK(room > 0);
    pool->idle_room += room;
    if (listed) pool->idle_room -= conn->idle_room;
    conn->idle_room = room;
    if (listed) return false;
    conn->idle_prev = pool->idle_last;
    conn->idle_next = NULL;
    if (pool->idle_last != NULL) {
        pool->idle_last->idle_next = conn;
    } else {
        pool->idle_first = conn;
    }
    pool->idle_last = conn;
    pool->idle_count++;
    return true;
}

void pool_idle_remove(struct pool *pool, struct conn *conn)
{
    if (!is_idle_listed(pool, conn)) return;
    if (conn->idle_prev != NULL) {
        conn->idle_prev->idle_next = conn->idle_next;
    } else {
        pool->idle_first = conn->idle_next;
    }
    if (conn->idle_next != NULL) {
        conn->idle_next->idle_prev = conn->idle_prev;
    } else {
        pool->idle_last = conn->idle_prev;
    }
    conn->idle_next = NULL;
    conn->idle_prev = NULL;
    pool->idle_count--;
    pool->idle_room -= conn->idle_room;
}

struct conn *pool_idle_take(struct pool *pool)
{
    struct conn *conn = pool->idle_first;

    if (conn != NULL) pool_idle_remove(pool, conn);
    return conn;
}
