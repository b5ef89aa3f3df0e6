/* A worker's TLS: from the plan's words to a context and targets of its own. */
#include <errno.h>

#include "core/base/check.h"
#include "core/worker_impl.h"

enum {
    OUT_BYTES_MIN = 2048,    /* A ClientHello that offers a ticket, as a rule. */
    TEST_WRITE_MAX = 4096,   /* Requests of a test file may have any length. */
    LONG_RECORDS_MAX = 1024, /* Connections, per worker, up to which their records are long, … */
    KEEP_BUFFERS_MAX = 16,   /* … and their memory is kept: the caches hold that of so many. */
};

static uint16_t version_of(enum plan_tls_version version)
{
    switch (version) {
    case PLAN_TLS_ANY: return TLS_VERSION_ANY;
    case PLAN_TLS_1_0: return TLS_1_0;
    case PLAN_TLS_1_1: return TLS_1_1;
    case PLAN_TLS_1_2: return TLS_1_2;
    case PLAN_TLS_1_3: return TLS_1_3;
    }
    UNREACHABLE("a TLS version without a number");
}

static enum tls_resume resume_of(enum plan_tls_resume resume)
{
    switch (resume) {
    case PLAN_TLS_TICKETS: return TLS_RESUME_TICKETS;
    case PLAN_TLS_FULL: return TLS_RESUME_FULL;
    case PLAN_TLS_MIX: return TLS_RESUME_MIX;
    }
    UNREACHABLE("a way to resume without a name");
}

/* The most that a connection sends at once, or what fits a record of it. */
static uint32_t write_max_of(const struct worker *w)
{
    const struct plan *plan = w->plan;
    uint64_t len_max = plan->body_spans > 0 ? TLS_PLAIN_BYTES : 0;

    if (w->runs_test) return w->table.count <= LONG_RECORDS_MAX ? TLS_PLAIN_BYTES : TEST_WRITE_MAX;
    for (uint32_t i = 0; i < plan->requests_count; i++) {
        len_max = max_u64(len_max, plan->requests[i].len);
        len_max = max_u64(len_max, plan->requests[i].last_len);
    }
    return (uint32_t)min_u64(len_max * w->table.window_size, TLS_PLAIN_BYTES);
}

static struct tls_options options_of(const struct worker *w)
{
    const struct plan_tls *tls = &w->plan->tls;

    return (struct tls_options){
        .insecure = tls->insecure,
        .ca_file = tls->ca_file,
        .crl_file = tls->crl_file,
        .cert_file = tls->cert_file,
        .key_file = tls->key_file,
        .version_min = version_of(tls->version_min),
        .version_max = version_of(tls->version_max),
        .ciphers = tls->ciphers,
        .ciphersuites = tls->ciphersuites,
        .groups = tls->groups,
        .seclevel = tls->seclevel,
        .alpn = tls->alpn,
        .resume = resume_of(tls->resume),
        .resume_percent = tls->resume_percent,
        .early_data = tls->early_data,
        .write_max = write_max_of(w),
        .keep_buffers = w->table.count <= KEEP_BUFFERS_MAX,
        /* A full handshake most often brings two tickets. */
        .sessions_max = (uint32_t)min_u64(UINT64_C(2) * w->table.count, TLS_SESSIONS_MAX),
    };
}

/* Targets for hosts that are only known during the run, where there may be some. */
static enum err open_spares(struct worker *w, const struct tls_options *options,
                            struct err_info *why)
{
    const struct plan *plan = w->plan;
    enum err err = ERR_OK;

    if (!plan->hosts_tls) return ERR_OK;
    if (w->tls == NULL) err = tls_ctx_new(&w->tls, &w->arena, options, why);
    for (uint32_t i = 0; err == ERR_OK && i < plan->hosts_max; i++) {
        err = tls_target_new(&w->tls_targets[plan->targets_count + i], w->tls, "localhost",
                             plan->tls.sni, why);
    }
    return err;
}

enum err worker_tls_open(struct worker *w, struct err_info *why)
{
    const struct plan *plan = w->plan;
    struct tls_options options = options_of(w);
    enum err err = ERR_OK;

    w->tls_targets = arena_array(&w->arena, (size_t)plan->targets_count + plan->hosts_max,
                                 sizeof(struct tls_target *));
    if (w->tls_targets == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for TLS");
    for (uint32_t i = 0; err == ERR_OK && i < plan->targets_count; i++) {
        const struct plan_target *target = &plan->targets[i];

        if (!target->tls) continue;
        if (w->tls == NULL) err = tls_ctx_new(&w->tls, &w->arena, &options, why);
        if (err == ERR_OK) {
            err = tls_target_new(&w->tls_targets[i], w->tls, target->host, plan->tls.sni, why);
        }
    }
    return err == ERR_OK ? open_spares(w, &options, why) : err;
}

bool worker_tls_init_table(struct worker *w)
{
    if (w->tls == NULL) return true;
    w->table.tls_out_size =
        (size_t)max_u64(write_max_of(w) + (uint64_t)2 * TLS_OVERHEAD_BYTES, OUT_BYTES_MIN);
    w->table.tls_timeout_ns = w->plan->tls.timeout_ns;
    return conn_table_init_tls(&w->table, &w->arena);
}

void worker_tls_close(struct worker *w)
{
    conn_table_release(&w->table);
    tls_ctx_free(w->tls);
}
