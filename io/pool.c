#include "io/pool.h"

#include <string.h>

#include "core/base/check.h"

#define BACKOFF_FIRST_NS (10 * NS_PER_MS)
#define BACKOFF_LAST_NS  NS_PER_S
#define ADDRESS_BAD_NS   (30 * NS_PER_S) /* How long a failed address is left out. */

enum {
    SOURCES_TRIED_MAX = 16, /* Of one attempt, after the first. */
    SMALLER_MAX = 64,       /* Bodies in a row that make receives go back to a smaller mode. */
};

void pool_init(struct pool *pool)
{
    CHECK(pool->addresses->count > 0 && pool->addresses->count <= RESOLVE_ADDRESSES_MAX);
    pool->backoff.kind = TIMER_POOL;
    pool->mode = MODE_SMALL;
    if (pool->tls != NULL) pool->drain_above = UINT64_MAX; /* Records must be seen to be read. */
    for (uint32_t i = 0; i < pool->addresses->count; i++) {
        int family = pool->addresses->list[i].storage.ss_family;

        if (pool->table->sink != NULL || family == AF_INET || family == AF_INET6) continue;
        pool->drain_above = UINT64_MAX; /* Only TCP can drain nowhere. */
    }
}

static uint8_t mode_for(const struct pool *pool, uint64_t length, bool drainable)
{
    if (drainable && length > pool->drain_above) return MODE_DRAIN;
    return length > pool->table->small_body_max ? MODE_LARGE : MODE_SMALL;
}

void pool_note_body(struct pool *pool, uint64_t length, bool drainable)
{
    uint8_t mode = mode_for(pool, length, drainable);

    if (mode >= pool->mode) {
        pool->mode = mode;
        pool->smaller_mode = MODE_SMALL;
        pool->smaller_count = 0;
        return;
    }
    if (mode > pool->smaller_mode) pool->smaller_mode = mode;
    if (++pool->smaller_count < SMALLER_MAX) return;
    pool->mode = pool->smaller_mode;
    pool->smaller_mode = MODE_SMALL;
    pool->smaller_count = 0;
}

void pool_back_off(struct pool *pool, uint64_t now_ns)
{
    if (timer_is_armed(&pool->backoff)) return;
    pool->backoff_ns = pool->backoff_ns == 0 ? BACKOFF_FIRST_NS : 2 * pool->backoff_ns;
    pool->backoff_ns = min_u64(pool->backoff_ns, BACKOFF_LAST_NS);
    timers_set(pool->table->timers, &pool->backoff, now_ns + pool->backoff_ns);
}

void pool_attempt_failed(struct pool *pool, enum failed_class why, uint64_t now_ns)
{
    pool_back_off(pool, now_ns);
    pool->owner.connect_failed(pool->owner.self, pool, why, now_ns);
}

/* Whether another address may work where this one failed: not when we are the ones who lack
 * something, nor when somebody was there and said no. */
static bool is_about_address(enum failed_class why)
{
    return why == FAILED_CONNECT_REFUSED || why == FAILED_CONNECT_TIMEOUT ||
           why == FAILED_UNREACHABLE || why == FAILED_RESET_BEFORE_RESPONSE;
}

/* The ports of one source may be used up while others have some left: connections that end do
 * not free them in the order in which they were taken. */
static bool try_other_source(struct pool *pool, struct conn *conn)
{
    int family = pool->addresses->list[conn->address].storage.ss_family;
    uint32_t others = pool->sources == NULL ? 0 : sources_count(pool->sources, family) - 1;

    if (conn->sources_tried >= min_u64(others, SOURCES_TRIED_MAX)) return false;
    conn->sources_tried++;
    return true;
}

static void count_failure(struct pool *pool, enum failed_class why)
{
    (*pool->counts.connects_failed)++;
    if (why == FAILED_CONNECT_REFUSED) (*pool->counts.connects_refused)++;
}

void pool_chain_failed(struct pool *pool, const struct conn *conn,
                       const struct conn_request *request, enum failed_class why, uint64_t now_ns)
{
    count_failure(pool, why);
    if (is_about_address(why) && conn->addresses == pool->addresses) {
        pool->address_bad_until_ns[conn->address] = now_ns + ADDRESS_BAD_NS;
    }
    pool_back_off(pool, now_ns);
    pool->owner.chain_failed(pool->owner.self, pool, request, why, now_ns);
}

bool pool_may_chain(const struct pool *pool)
{
    int family = pool->addresses->list[0].storage.ss_family;

    return pool->addresses->count == 1 && (family == AF_INET || family == AF_INET6) &&
           !timer_is_armed(&pool->backoff) && pool->slots_used <= pool->wanted &&
           pool->sources == NULL && pool->tunnel == NULL && pool->tls == NULL &&
           pool->mode != MODE_DRAIN;
}

bool pool_connect_failed(struct pool *pool, struct conn *conn, enum failed_class why,
                         uint64_t now_ns)
{
    count_failure(pool, why);
    if (is_about_address(why)) {
        if (conn->addresses != pool->addresses) return true; /* There are others by now. */
        pool->address_bad_until_ns[conn->address] = now_ns + ADDRESS_BAD_NS;
        if (conn->addresses_tried < pool->addresses->count - 1) {
            conn->addresses_tried++;
            conn->address = (conn->address + 1) % pool->addresses->count;
            return true;
        }
    }
    if (why == FAILED_PORTS && try_other_source(pool, conn)) return true;
    pool_attempt_failed(pool, why, now_ns);
    return false;
}

void pool_connected(struct pool *pool, struct conn *conn)
{
    (*pool->counts.opened)++;
    if (conn->addresses == pool->addresses) pool->address_bad_until_ns[conn->address] = 0;
}

void pool_ready(struct pool *pool, const struct conn *conn)
{
    CHECK(conn->pool == pool && pool->connecting > 0);
    pool->connecting--;
    pool->backoff_ns = 0;
}

/* Addresses take turns; those that failed lately are passed over unless all did. */
static uint32_t choose_address(const struct pool *pool, uint64_t now_ns)
{
    uint32_t count = pool->addresses->count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (pool->address_next + i) % count;

        if (pool->address_bad_until_ns[at] <= now_ns) return at;
    }
    return pool->address_next;
}

void pool_maintain(struct pool *pool, uint64_t now_ns)
{
    while (pool->slots_used < pool->wanted && pool->table->free_count > 0 &&
           !timer_is_armed(&pool->backoff) && pace_take(&pool->table->pace, pool->index, now_ns)) {
        pool->address_next = choose_address(pool, now_ns);
        conn_open(pool->table, pool, now_ns);
        pool->address_next = (pool->address_next + 1) % pool->addresses->count;
        pool->opens++;
    }
}

void pool_readdress(struct pool *pool, const struct addresses *addresses)
{
    CHECK(pool_is_settled(pool));
    CHECK(addresses->count > 0 && addresses->count <= RESOLVE_ADDRESSES_MAX);
    CHECK(addresses != pool->addresses);
    pool->connects_left = pool->connects;
    pool->addresses = addresses;
    pool->address_next = 0;
    memset(pool->address_bad_until_ns, 0, sizeof(pool->address_bad_until_ns));
}

bool pool_is_settled(const struct pool *pool)
{
    return pool->connects_left == 0;
}

const struct address *pool_destination(struct pool *pool, struct conn *conn)
{
    if (unlikely(conn->addresses != pool->addresses)) {
        conn->addresses = pool->addresses;
        conn->address %= pool->addresses->count;
        conn->addresses_tried = 0;
    }
    return &pool->addresses->list[conn->address];
}

/* Sources take turns once all destinations have had theirs: so every pair of the two is used, and
 * all the ports that it has. */
const struct address *pool_source(const struct pool *pool, const struct conn *conn, int family)
{
    uint64_t turn;

    if (likely(pool->sources == NULL)) return NULL;
    turn = pool->source_first + pool->opens / pool->addresses->count * pool->source_step;
    return sources_at(pool->sources, family, turn + conn->sources_tried);
}

void pool_connect_begun(struct pool *pool)
{
    pool->connects++;
}

void pool_connect_done(struct pool *pool, const struct conn *conn)
{
    CHECK(pool->connects > 0);
    pool->connects--;
    if (likely(conn->addresses == pool->addresses)) return;
    CHECK(pool->connects_left > 0);
    pool->connects_left--;
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
