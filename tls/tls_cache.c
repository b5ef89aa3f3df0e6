/* Tickets of a target. Those of TLS 1.3 are used once (RFC 8446 appendix C.4): they leave the cache
 * when they are offered. A session of TLS 1.2 may be offered any number of times, and one is
 * enough. */
#include "tls/tls_impl.h"

#include "core/base/check.h"

static SSL_SESSION **slot_at(const struct tls_target *target, uint32_t i)
{
    return &target->sessions[(target->sessions_first + i) % target->ctx->sessions_max];
}

static bool is_single_use(const SSL_SESSION *session)
{
    return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

static SSL_SESSION *pop_newest(struct tls_target *target)
{
    SSL_SESSION *session;

    CHECK(target->sessions_count > 0);
    target->sessions_count--;
    session = *slot_at(target, target->sessions_count);
    *slot_at(target, target->sessions_count) = NULL;
    return session;
}

static void push(struct tls_target *target, SSL_SESSION *session)
{
    uint32_t sessions_max = target->ctx->sessions_max;

    if (target->sessions_count == sessions_max) {
        SSL_SESSION_free(*slot_at(target, 0));
        target->sessions_first = (target->sessions_first + 1) % sessions_max;
        target->sessions_count--;
    }
    *slot_at(target, target->sessions_count) = session;
    target->sessions_count++;
}

int tls_cache_put(SSL *ssl, SSL_SESSION *session)
{
    struct tls_session *owner = SSL_get_app_data(ssl);
    struct tls_target *target = owner->target;

    CHECK(target != NULL);
    if (target->ctx->sessions_max == 0 || !SSL_SESSION_is_resumable(session)) return 0;
    if (target->sessions_count > 0 && !is_single_use(session)) {
        SSL_SESSION_free(pop_newest(target));
    }
    push(target, session);
    return 1;
}

/* Whether the next connection is one that offers a ticket. */
static bool is_turn(struct tls_target *target)
{
    switch (target->ctx->resume) {
    case TLS_RESUME_TICKETS: return true;
    case TLS_RESUME_FULL: return false;
    case TLS_RESUME_MIX:
        target->mix_percent += target->ctx->resume_percent;
        if (target->mix_percent < 100) return false;
        target->mix_percent -= 100;
        return true;
    }
    UNREACHABLE("a way to resume without a name");
}

SSL_SESSION *tls_cache_take(struct tls_target *target)
{
    SSL_SESSION *session;
    int owned;

    if (!is_turn(target)) return NULL;
    while (target->sessions_count > 0) {
        session = pop_newest(target);
        /* A connection that failed since has made its sessions unusable. */
        if (!SSL_SESSION_is_resumable(session)) {
            SSL_SESSION_free(session);
            continue;
        }
        if (is_single_use(session)) return session;
        owned = SSL_SESSION_up_ref(session);
        CHECK(owned == 1);
        push(target, session);
        return session;
    }
    return NULL;
}

void tls_cache_release(struct tls_target *target)
{
    while (target->sessions_count > 0) {
        SSL_SESSION_free(pop_newest(target));
    }
}

uint32_t tls_target_tickets(const struct tls_target *target)
{
    return target->sessions_count;
}
