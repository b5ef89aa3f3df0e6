#include "core/stats_tls.h"

#include <string.h>

#include "core/base/check.h"

static bool is_same(const struct stats_tls_agreed *a, const struct stats_tls_agreed *b)
{
    return strcmp(a->version, b->version) == 0 && strcmp(a->cipher, b->cipher) == 0 &&
           strcmp(a->group, b->group) == 0;
}

void stats_tls_agree(struct stats_tls *tls, const struct stats_tls_agreed *agreed, uint64_t count)
{
    uint32_t i = 0;

    while (i < tls->agreed_count && !is_same(&tls->agreed[i], agreed)) {
        i++;
    }
    if (i == STATS_TLS_AGREED_MAX) {
        tls->agreed_otherwise += count;
        return;
    }
    if (i == tls->agreed_count) {
        tls->agreed[i] = *agreed;
        tls->agreed[i].count = 0;
        tls->agreed_count++;
    }
    tls->agreed[i].count += count;
}

void stats_tls_note(struct stats_tls *tls, const struct conn_handshake *handshake, bool measured)
{
    const struct tls_facts *facts = &handshake->facts;
    struct stats_tls_agreed agreed = {
        .version = facts->version, .cipher = facts->cipher, .group = facts->group};

    CHECK(handshake->why <= FAILED_COUNT);
    if (handshake->why != FAILED_COUNT) {
        if (tls->details[handshake->why] == NULL && handshake->detail[0] != '\0') {
            tls->details[handshake->why] = handshake->detail;
        }
        return;
    }
    stats_tls_agree(tls, &agreed, 1);
    if (!facts->verified) tls->unverified++;
    if (!measured) return;
    hist_record(facts->resumed ? &tls->resumed : &tls->full,
                handshake->ended_ns - handshake->begun_ns);
}

void stats_tls_add(struct stats_tls *sum, const struct stats_tls *tls)
{
    for (uint32_t i = 0; i < tls->agreed_count; i++) {
        stats_tls_agree(sum, &tls->agreed[i], tls->agreed[i].count);
    }
    sum->agreed_otherwise += tls->agreed_otherwise;
    sum->unverified += tls->unverified;
    for (int i = 0; i < FAILED_COUNT; i++) {
        if (sum->details[i] == NULL) sum->details[i] = tls->details[i];
    }
}
