/* The bytes of answers: what is planned when a request is complete, and made as room comes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/check.h"
#include "tests/sim/sim_conn.h"

enum { CHUNK_BYTES_MAX = 3000, INTERIMS_COUNT = 1000 };

static const char interim_text[] = "HTTP/1.1 100 Continue\r\n\r\n";
static const char endless_text[] = "X-Endless: and another one and another one\r\n";
static const char response_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static const struct sim_route route_none = {.status = 404};
static const struct sim_route route_any = {.status = 200};
static const struct sim_route route_refused = {.status = 407, .body_bytes = 10};

size_t sim_rubbish(struct sim_peer *peer, char *ret_bytes, size_t len_max)
{
    size_t len = 1 + sim_draw(peer->sim, len_max);

    for (size_t i = 0; i < len; i++) {
        ret_bytes[i] = (char)sim_draw(peer->sim, 256);
    }
    if (ret_bytes[0] == 'H') ret_bytes[0] = 'h'; /* Not even the start of "HTTP/1.1". */
    return len;
}

/* Unasked-for bytes in answer->extra, as what comes next. */
static void extra_text(struct sim_peer *peer, struct sim_answer *answer)
{
    if (peer->behaviour.extra_is_response) {
        answer->text = response_text;
        answer->text_left = sizeof(response_text) - 1;
        return;
    }
    answer->text = answer->extra;
    answer->text_left = sim_rubbish(peer, answer->extra, sizeof(answer->extra));
}

/* --- Planning ----------------------------------------------------------------------------- */

static uint64_t answer_at(struct sim_conn *conn)
{
    struct sim *sim = conn->peer->sim;
    const struct sim_behaviour *behaviour = &conn->peer->behaviour;
    const struct sim_delay *delay = &behaviour->delay;
    uint64_t delay_ns = delay->a_ns;
    uint64_t at_ns;

    if (delay->kind == SIM_DELAY_TWO_POINT && sim_chance(sim, delay->b_share)) {
        delay_ns = delay->b_ns;
    } else if (delay->kind == SIM_DELAY_UNIFORM) {
        delay_ns += sim_draw(sim, delay->b_ns - delay->a_ns + 1);
    }
    at_ns = max_u64(sim->now_ns + delay_ns, conn->answer_last_ns);
    if (at_ns >= behaviour->freeze_from_ns && at_ns < behaviour->freeze_to_ns) {
        at_ns = behaviour->freeze_to_ns;
    }
    conn->answer_last_ns = at_ns;
    return at_ns;
}

static enum sim_mis draw_mis(struct sim_peer *peer)
{
    const struct sim_behaviour *behaviour = &peer->behaviour;
    uint32_t mask = behaviour->mis_mask & ((UINT32_C(1) << SIM_MIS_COUNT) - 1);
    uint64_t skip;
    unsigned mis = 0;

    if (mask == 0 || !sim_chance(peer->sim, behaviour->mis_share)) return SIM_MIS_NONE;
    skip = sim_draw(peer->sim, (uint64_t)__builtin_popcount(mask));
    for (; skip > 0 || (mask >> mis & 1) == 0; mis++) {
        if ((mask >> mis & 1) != 0) skip--;
    }
    return (enum sim_mis)mis;
}

static const struct sim_route *find_route(const struct sim_behaviour *behaviour, const char *path)
{
    for (uint32_t i = 0; i < behaviour->routes_count; i++) {
        const struct sim_route *route = &behaviour->routes[i];

        if (route->path == NULL || strcmp(route->path, path) == 0) return route;
    }
    return behaviour->routes_count == 0 ? &route_any : &route_none;
}

static const char *reason(uint16_t status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 404: return "Not Found";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status"; /* A client does not read it. */
    }
}

static void write_head(const struct sim *sim, struct sim_answer *answer,
                       const struct sim_route *route, bool announce)
{
    static const uint64_t wall_start_s = 1577836800; /* As clock_wall_ns(). */
    time_t now_s = (time_t)(wall_start_s + (sim->now_ns - sim->options.start_ns) / NS_PER_S);
    struct tm tm;
    char date[64];
    char framing[64] = "";
    int len;

    CHECK(gmtime_r(&now_s, &tm) != NULL);
    CHECK(strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
    if (answer->body == SIM_BODY_CHUNKED) {
        (void)snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
    } else if (answer->body == SIM_BODY_LENGTH) {
        (void)snprintf(framing, sizeof(framing), "Content-Length: %llu\r\n",
                       (unsigned long long)answer->body_left);
    }
    if (answer->status < 200 || answer->status == 204) framing[0] = '\0';
    len = snprintf(
        answer->head, sizeof(answer->head), "HTTP/1.1 %u %s\r\nServer: sim\r\nDate: %s\r\n%s%s%s%s",
        answer->status, reason(answer->status), date, framing,
        route->fields != NULL ? route->fields : "", announce ? "Connection: close\r\n" : "",
        answer->mis == SIM_MIS_ENDLESS_HEAD ? "" : "\r\n");
    CHECK(len > 0 && (size_t)len < sizeof(answer->head));
    answer->head_bytes = (size_t)len;
}

/* A way to go wrong that fits the answer; see enum sim_mis. */
static enum sim_mis fitting_mis(const struct sim_answer *answer)
{
    bool body = answer->has_body && (answer->body == SIM_BODY_CHUNKED || answer->body_left > 0);
    bool open_end =
        answer->body == SIM_BODY_RAW || (answer->body == SIM_BODY_CLOSE && answer->has_body);

    switch (answer->mis) {
    case SIM_MIS_RESET_IN_BODY: return body ? SIM_MIS_RESET_IN_BODY : SIM_MIS_RESET_IN_HEAD;
    case SIM_MIS_CLOSE_IN_BODY:
        if (!body) return SIM_MIS_CLOSE_IN_HEAD;
        return open_end ? SIM_MIS_RESET_IN_BODY : SIM_MIS_CLOSE_IN_BODY;
    case SIM_MIS_EXTRA_AFTER: return open_end ? SIM_MIS_NONE : answer->mis;
    case SIM_MIS_EXTRA_IDLE:
        return open_end || answer->ending != SIM_ENDING_NONE ? SIM_MIS_NONE : answer->mis;
    case SIM_MIS_ENDLESS_HEAD: return answer->body == SIM_BODY_RAW ? SIM_MIS_NONE : answer->mis;
    case SIM_MIS_ENDLESS_CHUNKS:
        return answer->has_body && answer->body != SIM_BODY_RAW ? answer->mis : SIM_MIS_NONE;
    case SIM_MIS_NONE:
    case SIM_MIS_SILENT:
    case SIM_MIS_RESET_BEFORE:
    case SIM_MIS_RESET_IN_HEAD:
    case SIM_MIS_CLOSE_BEFORE:
    case SIM_MIS_CLOSE_IN_HEAD:
    case SIM_MIS_RUBBISH:
    case SIM_MIS_INTERIM_FLOOD:
    case SIM_MIS_DRIP:
    case SIM_MIS_COUNT: break;
    }
    return answer->mis;
}

/* Where the answer is cut and how the connection ends, once its head is written. */
static void plan_ending(struct sim_peer *peer, struct sim_answer *answer)
{
    struct sim *sim = peer->sim;
    size_t head_bytes = answer->body == SIM_BODY_RAW ? answer->raw_bytes : answer->head_bytes;
    /* A chunked body has at least so many bytes more than its data. */
    uint64_t end_bytes = answer->body == SIM_BODY_CHUNKED ? 5 : 0;

    switch (answer->mis) {
    case SIM_MIS_RESET_BEFORE:
    case SIM_MIS_CLOSE_BEFORE: answer->wire_left = 0; break;
    case SIM_MIS_RESET_IN_HEAD:
    case SIM_MIS_CLOSE_IN_HEAD:
        answer->wire_left = head_bytes > 1 ? 1 + sim_draw(sim, head_bytes - 1) : 0;
        break;
    case SIM_MIS_RESET_IN_BODY:
    case SIM_MIS_CLOSE_IN_BODY:
        answer->wire_left = head_bytes + sim_draw(sim, answer->body_left + end_bytes);
        break;
    case SIM_MIS_SILENT:
        answer->stage = SIM_STAGE_OVER;
        answer->ending = SIM_ENDING_STALL;
        return;
    case SIM_MIS_RUBBISH:
        answer->stage = SIM_STAGE_OVER;
        answer->text = answer->extra;
        answer->text_left = sim_rubbish(peer, answer->extra, sizeof(answer->extra));
        answer->ending = SIM_ENDING_STALL;
        return;
    case SIM_MIS_NONE:
    case SIM_MIS_ENDLESS_HEAD:
    case SIM_MIS_ENDLESS_CHUNKS:
    case SIM_MIS_EXTRA_AFTER:
    case SIM_MIS_EXTRA_IDLE:
    case SIM_MIS_INTERIM_FLOOD:
    case SIM_MIS_DRIP:
    case SIM_MIS_COUNT: return;
    }
    answer->ending = answer->mis >= SIM_MIS_CLOSE_BEFORE ? SIM_ENDING_CLOSE : SIM_ENDING_RESET;
}

/* What answers the request; a tunnel is granted or refused. */
static const struct sim_route *route_of(struct sim_peer *peer, const struct sim_request *request)
{
    if (strcmp(request->method, "CONNECT") != 0) return find_route(&peer->behaviour, request->path);
    return sim_chance(peer->sim, peer->behaviour.refusal_share) ? &route_refused : &route_any;
}

struct sim_answer *sim_answer_new(struct sim_conn *conn, const struct sim_request *request,
                                  bool close)
{
    struct sim_peer *peer = conn->peer;
    const struct sim_behaviour *behaviour = &peer->behaviour;
    const struct sim_route *route = route_of(peer, request);
    struct sim_answer *answer = peer->answers_free;
    bool last = behaviour->keepalive_max != 0 && conn->requests >= behaviour->keepalive_max;
    bool announce = close || route->close || (last && !behaviour->close_unannounced);
    uint16_t status = route->status != 0 ? route->status : 200;

    if (answer == NULL) {
        answer = sim_alloc(peer->sim, sizeof(*answer));
    } else {
        peer->answers_free = answer->next;
    }
    *answer = (struct sim_answer){.wire_left = UINT64_MAX,
                                  .body = route->body,
                                  .body_left = route->body_bytes,
                                  .raw = route->raw,
                                  .raw_bytes = route->raw_bytes,
                                  .status = status};
    answer->has_body = strcmp(request->method, "HEAD") != 0 && status >= 200 && status != 204 &&
                       status != 304 && route->body != SIM_BODY_RAW;
    if (announce || last || (route->body == SIM_BODY_CLOSE && answer->has_body)) {
        answer->ending = SIM_ENDING_CLOSE;
    }
    answer->mis = draw_mis(peer);
    answer->mis = fitting_mis(answer);
    if (answer->mis == SIM_MIS_ENDLESS_CHUNKS) {
        answer->body = SIM_BODY_CHUNKED;
        answer->body_left = UINT64_MAX / 2;
    }
    if (answer->mis == SIM_MIS_INTERIM_FLOOD) {
        answer->interims_left =
            behaviour->interims_count != 0 ? behaviour->interims_count : INTERIMS_COUNT;
    }
    write_head(peer->sim, answer, route, announce);
    plan_ending(peer, answer);
    answer->at_ns = answer_at(conn);
    return answer;
}

/* --- Writing ------------------------------------------------------------------------------ */

static void next_text(struct sim_answer *answer, const char *text, size_t len)
{
    answer->text = text;
    answer->text_left = len;
}

/* The next piece of a body; its last one moves on to the tail. */
static void next_of_body(struct sim *sim, struct sim_answer *answer)
{
    int len;

    if (answer->mis == SIM_MIS_ENDLESS_HEAD) {
        next_text(answer, endless_text, sizeof(endless_text) - 1);
    } else if (!answer->has_body || answer->body == SIM_BODY_RAW) {
        answer->stage = SIM_STAGE_TAIL;
    } else if (answer->body != SIM_BODY_CHUNKED) {
        answer->fill_left = answer->body_left;
        answer->stage = SIM_STAGE_TAIL;
    } else if (answer->chunk_open) {
        answer->chunk_open = false;
        next_text(answer, "\r\n", 2);
    } else if (answer->body_left == 0) {
        answer->stage = SIM_STAGE_TAIL;
        next_text(answer, "0\r\n\r\n", 5);
    } else {
        answer->fill_left = 1 + sim_draw(sim, min_u64(answer->body_left, CHUNK_BYTES_MAX));
        answer->body_left -= answer->fill_left;
        answer->chunk_open = true;
        len = snprintf(answer->chunk_line, sizeof(answer->chunk_line), "%x\r\n",
                       (unsigned)answer->fill_left);
        CHECK(len > 0);
        next_text(answer, answer->chunk_line, (size_t)len);
    }
}

/* Sets what comes next, if not yet all is out; it may be empty. */
static void next_span(struct sim_peer *peer, struct sim_answer *answer)
{
    switch (answer->stage) {
    case SIM_STAGE_INTERIM:
        if (answer->interims_left > 0) {
            answer->interims_left--;
            next_text(answer, interim_text, sizeof(interim_text) - 1);
        } else {
            answer->stage = SIM_STAGE_HEAD;
        }
        return;
    case SIM_STAGE_HEAD:
        answer->stage = SIM_STAGE_BODY;
        if (answer->body == SIM_BODY_RAW) {
            next_text(answer, answer->raw, answer->raw_bytes);
        } else {
            next_text(answer, answer->head, answer->head_bytes);
        }
        return;
    case SIM_STAGE_BODY: next_of_body(peer->sim, answer); return;
    case SIM_STAGE_TAIL:
        answer->stage = SIM_STAGE_OVER;
        if (answer->mis == SIM_MIS_EXTRA_AFTER) {
            extra_text(peer, answer);
            peer->counts.extras++;
        }
        return;
    case SIM_STAGE_OVER: return;
    }
}

bool sim_answer_is_over(struct sim_conn *conn, struct sim_answer *answer)
{
    if (answer->wire_left == 0) return true;
    while (answer->text_left == 0 && answer->fill_left == 0) {
        if (answer->stage == SIM_STAGE_OVER) return true;
        next_span(conn->peer, answer);
    }
    return false;
}

size_t sim_answer_bytes(struct sim_conn *conn, struct sim_answer *answer, char *ret_bytes,
                        size_t room)
{
    size_t written = 0;

    room = min_u64(room, answer->wire_left);
    while (written < room && !sim_answer_is_over(conn, answer)) {
        if (answer->text_left > 0) {
            size_t part = min_u64(answer->text_left, room - written);

            memcpy(ret_bytes + written, answer->text, part);
            answer->text += part;
            answer->text_left -= part;
            written += part;
        }
        for (; written < room && answer->text_left == 0 && answer->fill_left > 0; written++) {
            ret_bytes[written] = (char)('a' + answer->fill_at++ % 26);
            answer->fill_left--;
        }
    }
    if (answer->wire_left != UINT64_MAX) answer->wire_left -= written;
    return written;
}
