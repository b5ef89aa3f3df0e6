/* trace: runs test files on the simulated kernel and tells, in the words of the specification, what
 * values do: who gets which, which requests begin with them, what answers make of them.
 *
 * Standard input is a row of runs, each a line
 *
 *     run SEED DELAY_NS_MIN DELAY_NS_MAX LATENCY_NS_MAX FAULTS BYTES
 *
 * and BYTES of a test file. FAULTS is how many of a thousand requests are not answered well.
 * Standard output has a line for each event, its fields separated by tabs; values are JSON. W is
 * the worker, P a provider, E an endpoint, R a request under way:
 *
 *     crew KIND I COUNT W   before the run: provider ("p") or endpoint ("e") I is on COUNT workers;
 *                           if that is one, on W
 *     at NS                 what follows is at this moment of the run
 *     fill W P V            a value comes out of P's source
 *     sames W P N           the next N values out of it are dropped, since P holds equal ones
 *     in W P V, same W P V  a value goes to the end of P, or is dropped since P holds an equal one
 *     out W P V E K         E gets the first value of P; K is "s" if it is for all mentions of P,
 *                           "d" if it is for one in a declare
 *     none W P E K          E finds none, and stands in line
 *     back W P V E          E does not need the value: it is the first of P again
 *     sent W P V, got W P V a value leaves for another worker, or comes from one; "got_same" if it
 *                           is dropped since P holds an equal one
 *     asked W E P           E, on demand, answers a request for a value of P
 *     due W E               what E feeds has room for a request
 *     begin W E R DUE …     a request begins; then its values: "sP=V", or "dN=V" of declare N
 *     ok W R S, failed W R  its answer has come, with status S; it has come to nothing
 *     unread W P            nobody reads P any more: what waits for room there is dropped
 *     ungather W E          E gives up what it has popped, and waits no more
 *     stop W E D            E sends nothing more; D is 1 if that is because of a deadlock
 *     queue W P LEN LIMIT RECEIVERS SENDERS REFUSED UNREAD DROPPED DEMAND V…
 *     endpoint W E RUNNING PENDING MULTIPLIER IN_LINE IS_STOPPED STARTED
 *                           how things are after a turn; IN_LINE is 1 if E waits for a connection
 *     turn W STIRRED IDLE   that was it. STIRRED is 1 if there is more to do at once, IDLE is how
 *                           many connections have nothing to do
 *     seen ID               after the run: the server got a request with this X-Request-Id
 *     end NS CUT SPLIT      the run is over; CUT requests were cut off, SPLIT components are split
 *
 * The events are those that pass between the engine's parts: the linker puts the functions of this
 * file, __wrap_NAME(), between a function and those who call it (--wrap in the Makefile), and the
 * engine's code is what it always is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/runner_impl.h"
#include "tests/sim/sim_run.h"
#include "tests/test.h"

enum { VALUE_BYTES = 64 * 1024, TEXT_BYTES = 1 << 20 };

/* What is at work: the engine is one thread here. */
static struct sim_run run;
static struct endpoint *gathering; /* In runner_gather(), */
static bool declaring;             /* for a declare. */
static struct endpoint *giving_up; /* In runner_ungather(). */
static struct provider_wait *served;
static struct endpoint *served_endpoint;
static bool bartering;
static struct exchange *begun; /* Not told yet: its moment is not known. */
static bool has_answered;
static const struct provider *dropping; /* Of its source's values, so many not told yet. */
static uint64_t dropped;
static uint64_t told_ns;
static bool has_news[SIM_RUN_WORKERS_MAX];

static void tell_value(const struct value *value)
{
    static char bytes[VALUE_BYTES];
    struct buf buf;

    buf_init(&buf, bytes, sizeof(bytes));
    value_write_json(value, &buf);
    EXPECT(!buf.full);
    (void)fwrite(bytes, 1, buf.len, stdout);
}

static void tell_begun(void)
{
    const struct exchange *exchange = begun;
    const struct testfile_endpoint *def;

    if (exchange == NULL) return;
    begun = NULL;
    def = exchange->endpoint->def;
    printf("begin\t%u\t%u\t%u\t%" PRId64, exchange->endpoint->runner->worker->index,
           exchange->endpoint->index, exchange->index,
           (int64_t)(exchange->due_ns - run.coord.start_ns));
    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (exchange->inputs.items[slot] == NULL) continue;
        printf("\ts%u=", def->slots[slot]);
        tell_value(&exchange->inputs.items[slot]->value);
    }
    for (uint32_t i = 0; i < def->declares_used; i++) {
        printf("\td%u=", def->declares_order[i]);
        tell_value(&exchange->inputs.declared[def->declares_order[i]].value);
    }
    printf("\n");
}

static void tell_dropped(void);

/* Begins a line about what a worker's runner does. */
static void tell(const struct runner *runner, const char *what)
{
    uint64_t now_ns = sim_now_ns(run.sim);

    tell_begun();
    if (dropping != NULL) tell_dropped();
    if (now_ns != told_ns) printf("at\t%" PRId64 "\n", (int64_t)(now_ns - run.coord.start_ns));
    told_ns = now_ns;
    has_news[runner->worker->index] = true;
    printf("%s\t%u", what, runner->worker->index);
}

static const struct runner *runner_of(const struct provider *provider, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < run.plan.workers; i++) {
        const struct runner *runner = run.workers[i] == NULL ? NULL : run.workers[i]->runner;
        const struct provider *first = runner == NULL ? NULL : runner->providers;

        if (first == NULL || provider < first || provider >= first + run.test->providers_count) {
            continue;
        }
        *ret_index = (uint32_t)(provider - first);
        return runner;
    }
    UNREACHABLE("a provider of nobody");
}

/* A whole line about a provider, but for its end. */
static void tell_provider(const struct provider *provider, const char *what,
                          const struct value *value)
{
    uint32_t index = 0;
    const struct runner *runner = runner_of(provider, &index);

    tell(runner, what);
    printf("\t%u", index);
    if (value == NULL) return;
    printf("\t");
    tell_value(value);
}

static void tell_dropped(void)
{
    const struct provider *provider = dropping;

    dropping = NULL;
    tell_provider(provider, "sames", NULL);
    printf("\t%" PRIu64 "\n", dropped);
    dropped = 0;
}

static bool is_slot(const struct endpoint *endpoint, const struct provider_wait *wait)
{
    return wait >= endpoint->waits && wait < endpoint->waits + endpoint->def->slots_count;
}

/* What the linker calls the two sides of a function. */
#define WRAPPED(type, name, ...)     \
    type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(enum provider_pushed, provider_push, struct provider *provider, const struct value *value,
        bool force)
{
    enum provider_pushed pushed = __real_provider_push(provider, value, force);
    const char *what = provider->filling ? "fill" : bartering ? "got" : "in";

    EXPECT(pushed != PROVIDER_NO_MEMORY);
    if (pushed == PROVIDER_FULL) return pushed;
    if (pushed == PROVIDER_SAME && provider->filling) {
        if (dropping != provider && dropping != NULL) tell_dropped();
        dropping = provider;
        dropped++;
        return pushed;
    }
    if (pushed == PROVIDER_SAME) what = bartering ? "got_same" : "same";
    tell_provider(provider, what, value);
    printf("\n");
    return pushed;
}

WRAPPED(enum provider_pushed, provider_give, struct provider *provider, struct provider_item *item,
        bool force)
{
    struct value value = item->value;
    size_t bytes = value_pack_bytes(&value);
    void *memory = malloc(bytes + 1); /* The item is gone if it is dropped. */
    enum provider_pushed pushed;

    EXPECT(memory != NULL);
    if (bytes > 0) value = value_pack(&value, memory);
    pushed = __real_provider_give(provider, item, force);
    if (pushed != PROVIDER_FULL) {
        tell_provider(provider, pushed == PROVIDER_SAME ? "same" : "in", &value);
        printf("\n");
    }
    free(memory);
    return pushed;
}

WRAPPED(struct provider_item *, provider_take, struct provider *provider)
{
    const struct provider_wait *wait = served;
    const struct endpoint *endpoint = wait == NULL ? gathering : served_endpoint;
    bool is_declare = wait == NULL ? declaring : !is_slot(endpoint, wait);

    served = NULL;
    if (provider->first == NULL) return __real_provider_take(provider);
    /* Told first: a source fills up at once what was taken. */
    if (endpoint == NULL) {
        EXPECT(bartering);
        tell_provider(provider, "sent", &provider->first->value);
        printf("\n");
    } else {
        tell_provider(provider, "out", &provider->first->value);
        printf("\t%u\t%s\n", endpoint->index, is_declare ? "d" : "s");
    }
    return __real_provider_take(provider);
}

WRAPPED(void, provider_put_back, struct provider *provider, struct provider_item *item)
{
    EXPECT(giving_up != NULL);
    tell_provider(provider, "back", &item->value);
    printf("\t%u\n", giving_up->index);
    __real_provider_put_back(provider, item);
}

WRAPPED(void, provider_wait_value, struct provider *provider, struct provider_wait *wait,
        uint64_t now_ns)
{
    EXPECT(gathering != NULL);
    tell_provider(provider, "none", NULL);
    printf("\t%u\t%s\n", gathering->index, is_slot(gathering, wait) ? "s" : "d");
    __real_provider_wait_value(provider, wait, now_ns);
}

/* The first in line leaves it and then takes a value. */
WRAPPED(void, provider_wait_end, struct provider_wait *wait)
{
    if (giving_up == NULL && wait->provider != NULL && !wait->for_room) {
        served = wait;
        served_endpoint = wait->owner;
    }
    __real_provider_wait_end(wait);
}

WRAPPED(bool, runner_gather, struct endpoint *endpoint, uint64_t now_ns)
{
    bool is_complete;

    gathering = endpoint;
    is_complete = __real_runner_gather(endpoint, now_ns);
    gathering = NULL;
    return is_complete;
}

WRAPPED(bool, runner_declare, struct endpoint *endpoint, uint64_t now_ns)
{
    bool all;

    declaring = true;
    all = __real_runner_declare(endpoint, now_ns);
    declaring = false;
    return all;
}

WRAPPED(void, runner_ungather, struct endpoint *endpoint)
{
    if (endpoint->is_gathering) {
        tell(endpoint->runner, "ungather");
        printf("\t%u\n", endpoint->index);
    }
    giving_up = endpoint;
    __real_runner_ungather(endpoint);
    giving_up = NULL;
}

WRAPPED(void, runner_barter, struct runner *runner)
{
    bartering = true;
    __real_runner_barter(runner);
    bartering = false;
}

WRAPPED(void, runner_trade, struct runner *runner)
{
    bartering = true;
    __real_runner_trade(runner);
    bartering = false;
}

WRAPPED(void, runner_drop_senders, struct runner *runner, uint32_t index, uint64_t now_ns)
{
    tell(runner, "unread");
    printf("\t%u\n", index);
    __real_runner_drop_senders(runner, index, now_ns);
}

WRAPPED(bool, runner_may_gather, struct endpoint *endpoint)
{
    bool was_asked = endpoint->drive.is_asked;
    bool may = __real_runner_may_gather(endpoint);

    if (endpoint->drive.is_asked && !was_asked) {
        tell(endpoint->runner, "asked");
        printf("\t%u\t%u\n", endpoint->index, endpoint->drive.asked);
    }
    return may;
}

WRAPPED(bool, runner_is_due, const struct endpoint *endpoint)
{
    bool is_due = __real_runner_is_due(endpoint);

    if (is_due) {
        tell(endpoint->runner, "due");
        printf("\t%u\n", endpoint->index);
    }
    return is_due;
}

WRAPPED(struct exchange *, exchange_begin, struct endpoint *endpoint)
{
    struct exchange *exchange = __real_exchange_begin(endpoint);

    tell_begun();
    if (sim_now_ns(run.sim) != told_ns) {
        told_ns = sim_now_ns(run.sim);
        printf("at\t%" PRId64 "\n", (int64_t)(told_ns - run.coord.start_ns));
    }
    has_news[endpoint->runner->worker->index] = true;
    begun = exchange;
    return exchange;
}

WRAPPED(void, runner_provide, struct exchange *exchange)
{
    has_answered = true;
    tell(exchange->endpoint->runner, "ok");
    printf("\t%u\t%u\n", exchange->index, exchange->status);
    __real_runner_provide(exchange);
}

/* An exchange is over. */
WRAPPED(struct item_list, runner_take_returns, struct exchange *exchange)
{
    if (!has_answered) {
        tell(exchange->endpoint->runner, "failed");
        printf("\t%u\n", exchange->index);
    }
    has_answered = false;
    return __real_runner_take_returns(exchange);
}

/* An endpoint stops. */
WRAPPED(void, runner_unschedule, struct endpoint *endpoint)
{
    const struct runner *runner = endpoint->runner;

    EXPECT(endpoint->is_stopped);
    tell(runner, "stop");
    printf("\t%u\t%d\n", endpoint->index, runner->deadlock.message[0] != '\0');
    __real_runner_unschedule(endpoint);
}

/* What there is after a turn. */

static void tell_queue(const struct runner *runner, uint32_t index)
{
    const struct provider *provider = &runner->providers[index];

    tell(runner, "queue");
    printf("\t%u\t%u\t%u\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, index,
           provider->len, provider->limit, provider->receivers.count, provider->senders.count,
           provider->refused, provider->unread, provider->dropped, provider->demand);
    for (const struct provider_item *item = provider->first; item != NULL; item = item->next) {
        printf("\t");
        tell_value(&item->value);
    }
    printf("\n");
}

static void tell_endpoint(const struct runner *runner, uint32_t index)
{
    const struct endpoint *endpoint = &runner->endpoints[index];

    if (!endpoint->is_here) return;
    tell(runner, "endpoint");
    printf("\t%u\t%u\t%u\t%u\t%d\t%d\t%" PRIu64 "\n", index, endpoint->drive.running,
           lanes_pending_of(&runner->worker->lanes, index), endpoint->drive.multiplier,
           endpoint->is_ready, endpoint->is_stopped, endpoint->figures->started);
}

static void tell_turn(struct worker *w)
{
    struct runner *runner = w->runner;
    uint32_t idle = 0;

    for (uint32_t i = 0; i < w->pools_count; i++) {
        idle += w->pools[i].idle_count;
    }
    for (uint32_t i = 0; i < run.test->providers_count; i++) {
        tell_queue(runner, i);
    }
    for (uint32_t i = 0; i < run.test->endpoints_count; i++) {
        tell_endpoint(runner, i);
    }
    tell(runner, "turn");
    printf("\t%d\t%u\n", runner->is_stirred, idle);
}

static void tell_crews(void)
{
    const struct run_crews *crews = &run.crews;

    for (uint32_t i = 0; i < run.test->providers_count; i++) {
        printf("crew\tp\t%u\t%u\t%u\n", i, crews->provider_crews[i], crews->provider_owners[i]);
    }
    for (uint32_t i = 0; i < run.test->endpoints_count; i++) {
        printf("crew\te\t%u\t%u\t%u\n", i, crews->crews[i], crews->owners[i]);
    }
}

static void on_turn(struct sim_run *of, void *context)
{
    bool *is_begun = context;

    if (!*is_begun) tell_crews();
    *is_begun = true;
    for (uint32_t i = 0; i < of->plan.workers; i++) {
        struct worker *w = of->workers[i];

        if (w == NULL || w->phase == PHASE_WAITING || !has_news[i]) continue;
        tell_turn(w);
        has_news[i] = false;
    }
}

/* Runs. */

static uint64_t take_number(const char **at)
{
    char *end = NULL;
    uint64_t number = strtoull(*at, &end, 10);

    EXPECT(end != *at);
    *at = end;
    return number;
}

static void run_text(const char *text, struct sim_options *kernel, struct sim_behaviour *behaviour)
{
    size_t count;
    const struct sim_request *requests;
    bool is_begun = false;

    told_ns = UINT64_MAX;
    sim_run(&run, &(struct sim_run_options){.text = text,
                                            .kernel = kernel,
                                            .behaviour = behaviour,
                                            .turn = on_turn,
                                            .context = &is_begun});
    tell_begun();
    for (uint32_t i = 0; i < run.plan.targets_count; i++) {
        requests = sim_peer_requests(run.peers[i], &count);
        for (size_t k = 0; k < count; k++) {
            printf("seen\t%s\n", requests[k].id);
        }
    }
    printf("end\t%" PRIu64 "\t%" PRIu64 "\t%u\n", sim_now_ns(run.sim) - run.start_ns,
           run.coord.ledger.cut_off, run.crews.split);
    (void)fflush(stdout);
    sim_run_end(&run);
}

int main(void)
{
    static char line[200], text[TEXT_BYTES];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        const char *at = line + strlen("run");
        struct sim_behaviour behaviour = {.delay = {.kind = SIM_DELAY_UNIFORM}};
        struct sim_options kernel;
        size_t bytes;

        EXPECT(strncmp(line, "run ", 4) == 0);
        sim_options_plain(&kernel, take_number(&at));
        behaviour.delay.a_ns = take_number(&at);
        behaviour.delay.b_ns = take_number(&at);
        kernel.latency_ns_min = 0;
        kernel.latency_ns_max = take_number(&at);
        behaviour.mis_share = (double)take_number(&at) / 1000;
        behaviour.mis_mask = SIM_MIS_BIT(SIM_MIS_RESET_BEFORE) | SIM_MIS_BIT(SIM_MIS_SILENT);
        bytes = take_number(&at);
        EXPECT(bytes < sizeof(text));
        EXPECT(fread(text, 1, bytes, stdin) == bytes);
        text[bytes] = '\0';
        run_text(text, &kernel, &behaviour);
    }
    return 0;
}
