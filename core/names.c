#include "core/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/check.h"

static bool is_place(const struct names_place *place, const char *host, const char *service)
{
    return place->host != NULL && strcasecmp(place->host, host) == 0 &&
           strcmp(place->service, service) == 0;
}

/* The place of this host and port, a new one if there is none yet. */
static struct names_place *place_for(struct names *names, const char *host, const char *service)
{
    for (uint32_t i = 0; i < names->places_count; i++) {
        if (is_place(&names->places[i], host, service)) return &names->places[i];
    }
    names->places[names->places_count] = (struct names_place){.host = host, .service = service};
    return &names->places[names->places_count++];
}

static struct names_place *place_of_target(struct names *names, const struct plan_target *target)
{
    const struct net_proxy *proxy = &names->plan->net.proxy;

    if (names->plan->net.unix_path != NULL) {
        names->places_count = 1;
        return &names->places[0];
    }
    if (proxy->host != NULL) return place_for(names, proxy->host, proxy->service);
    return place_for(names, target->host, target->service);
}

static enum err no_memory(struct err_info *why)
{
    return err_set(why, ERR_MEMORY, ENOMEM, "no memory for addresses");
}

static enum err make_sources(struct names *names, struct arena *arena, struct err_info *why)
{
    const struct net *net = &names->plan->net;

    if (net->sources_count == 0) return ERR_OK;
    names->sources = arena_array(arena, 1, sizeof(*names->sources));
    if (names->sources == NULL || !sources_init(names->sources, arena, net->sources_count)) {
        return no_memory(why);
    }
    for (uint32_t i = 0; i < net->sources_count; i++) {
        if (sources_add(names->sources, net->sources[i].text)) continue;
        return err_set(why, ERR_NETWORK, 0, "source %s is no address of this machine",
                       net->sources[i].text);
    }
    return ERR_OK;
}

/* Fills a place of which everything was given. */
static enum err fill_fixed(struct names *names, uint32_t index, struct err_info *why)
{
    struct names_place *place = &names->places[index];
    const struct net *net = &names->plan->net;
    const struct net_resolve *resolve;
    struct addresses found = {.count = 0};

    if (place->host == NULL) {
        place->is_fixed = true;
        place->current->count = 1;
        if (resolve_unix(net->unix_path, &place->current->list[0])) return ERR_OK;
        return err_set(why, ERR_USAGE, 0, "unix socket '%s' has too long a path", net->unix_path);
    }
    resolve = net_find_resolve(net, place->host, place->service);
    place->is_fixed = resolve != NULL || net_is_literal(place->host);
    if (!place->is_fixed) return ERR_OK;
    found.count = resolve == NULL ? 1 : resolve->count;
    CHECK(found.count <= RESOLVE_ADDRESSES_MAX);
    for (uint32_t i = 0; i < found.count; i++) {
        const char *text = resolve == NULL ? place->host : resolve->addresses[i];

        if (resolve_numeric(text, place->service, &found.list[i])) continue;
        return err_set(why, ERR_RESOLVE, 0, "cannot resolve '%s': it is no address here", text);
    }
    return names_found(names, index, &found, why);
}

enum err names_init(struct names *names, const struct plan *plan, struct arena *arena,
                    struct err_info *why)
{
    struct addresses *lists;
    uint32_t each = plan->net.resolve_every_ns == 0 ? 1 : 2;
    enum err err;

    *names = (struct names){.plan = plan};
    names->places = arena_array(arena, plan->targets_count, sizeof(*names->places));
    names->of_target = arena_array(arena, plan->targets_count, sizeof(struct addresses *));
    lists = arena_array(arena, (size_t)plan->targets_count * each, sizeof(*lists));
    if (names->places == NULL || names->of_target == NULL || lists == NULL) return no_memory(why);
    err = make_sources(names, arena, why);
    if (err != ERR_OK) return err;
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        struct names_place *place = place_of_target(names, &plan->targets[i]);

        if (place->current == NULL) {
            place->current = &lists[(size_t)i * each];
            if (each == 2) place->spare = place->current + 1;
        }
        names->of_target[i] = place->current;
    }
    for (uint32_t i = 0; err == ERR_OK && i < names->places_count; i++) {
        err = fill_fixed(names, i, why);
    }
    return err;
}

/* Copies those of `from` to `to` for which there is a source. */
static void keep_usable(const struct names *names, struct addresses *to,
                        const struct addresses *from)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        int family = from->list[i].storage.ss_family;

        if (names->sources != NULL && sources_count(names->sources, family) == 0) continue;
        to->list[to->count++] = from->list[i];
    }
}

enum err names_found(struct names *names, uint32_t place, const struct addresses *addresses,
                     struct err_info *why)
{
    struct addresses *current = names->places[place].current;
    char text[RESOLVE_TEXT_MAX];

    CHECK(addresses->count > 0);
    keep_usable(names, current, addresses);
    if (current->count > 0) return ERR_OK;
    return err_set(why, ERR_NETWORK, EAFNOSUPPORT,
                   "no source can go to '%s', which is at %s; give --source an address of that "
                   "family",
                   names->places[place].host, resolve_text(&addresses->list[0], text));
}

enum err names_open(struct names *names, int notify_fd, struct err_info *why)
{
    enum err err = ERR_OK;

    for (uint32_t i = 0; names->sources != NULL && i < names->places_count; i++) {
        err = sources_check(names->sources, names->places[i].current, why);
        if (err != ERR_OK) return err;
    }
    if (names->plan->net.resolve_every_ns == 0) return ERR_OK;
    return scribe_new(&names->resolver, notify_fd, false, why);
}

static void write_list(char *to, const struct addresses *addresses)
{
    size_t len = 0;

    for (uint32_t i = 0; i < addresses->count && len < NAMES_TEXT_MAX; i++) {
        char text[RESOLVE_TEXT_MAX];

        len += (size_t)snprintf(to + len, NAMES_TEXT_MAX - len, "%s%s", i == 0 ? "" : ", ",
                                resolve_text(&addresses->list[i], text));
    }
}

/* The place has other addresses, in its spare list: they take the place of those it had. */
static void change(struct names *names, struct coord *coord, struct scribe *lines, uint64_t now_ns)
{
    struct names_place *place = &names->places[names->next];
    struct names_change change = {.at_ns = now_ns - coord->start_ns, .host = place->host};
    struct addresses *old = place->current;

    write_list(change.addresses, place->spare);
    if (names->counts.changes < NAMES_CHANGES_KEPT) {
        names->counts.kept[names->counts.changes] = change;
    }
    names->counts.changes++;
    if (lines != NULL) {
        scribe_say(lines, "pelt: %s has other addresses now: %s", change.host, change.addresses);
    }
    place->current = place->spare;
    place->spare = old; /* Not ours before the workers have given it back. */
    names->order = (struct order_addresses){.old = old, .fresh = place->current};
    coord_readdress(coord, &names->order);
}

/* Takes the answer about the place asked for. */
static void take_answer(struct names *names, struct coord *coord, struct scribe *lines,
                        bool verbose, uint64_t now_ns)
{
    struct names_place *place = &names->places[names->next];
    struct addresses found = {.count = 0};
    struct err_info why;
    enum err err = ERR_OK;

    if (!scribe_resolved(names->resolver, &err, &found, &why)) return;
    names->is_asking = false;
    names->counts.lookups++;
    keep_usable(names, place->spare, &found);
    if (err == ERR_OK && place->spare->count == 0) {
        err = err_set(&why, ERR_NETWORK, EAFNOSUPPORT, "no source can go to '%s'", place->host);
    }
    if (err != ERR_OK) {
        names->counts.failed++;
        if (!place->has_failed && lines != NULL) {
            scribe_say(lines, "pelt: %s; its addresses stay", why.message);
        }
        place->has_failed = true;
    } else {
        place->has_failed = false;
        if (!resolve_is_same(place->current, place->spare)) {
            change(names, coord, verbose ? lines : NULL, now_ns);
        }
    }
    names->next++;
}

uint64_t names_step(struct names *names, struct coord *coord, struct scribe *lines, bool verbose,
                    uint64_t now_ns)
{
    uint64_t every_ns = names->plan->net.resolve_every_ns;

    if (names->resolver == NULL || coord->phase != COORD_RUNNING) return TIME_NEVER;
    if (names->round_ns == 0) names->round_ns = now_ns + every_ns;
    if (names->is_asking) take_answer(names, coord, lines, verbose, now_ns);
    /* Both wake us when they come to an end, or nearly: the coordinator does not sleep long. */
    if (names->is_asking || coord_is_readdressing(coord)) return TIME_NEVER;
    if (now_ns < names->round_ns) return names->round_ns;
    while (names->next < names->places_count && names->places[names->next].is_fixed) {
        names->next++;
    }
    if (names->next == names->places_count) {
        names->next = 0;
        names->round_ns = max_u64(names->round_ns + every_ns, now_ns);
        return names->round_ns;
    }
    scribe_resolve(names->resolver, names->places[names->next].host,
                   names->places[names->next].service);
    names->is_asking = true;
    return TIME_NEVER;
}

void names_release(struct names *names)
{
    scribe_free(names->resolver);
    names->resolver = NULL;
}
