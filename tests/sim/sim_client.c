#include "tests/sim/sim_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"

enum { EVENTS_MAX = 32 };
enum kind { KIND_CONNECT = 1, KIND_SEND, KIND_RECV, KIND_CANCEL, KIND_CLOSE };

static const uint64_t retry_ns = NS_PER_MS;

static uint64_t user_data(const struct sim_client *client, uint32_t index, enum kind kind)
{
    return (uint64_t)client->slots[index].generation << 32 | (uint64_t)index << 8 | (uint64_t)kind;
}

void sim_client_open(struct sim_client *client, uint32_t buffers_count, uint32_t buffer_bytes)
{
    struct ring_options options = {.sq_entries = 64,
                                   .cq_entries = 2 * client->slots_count + 64,
                                   .socks_count = client->slots_count,
                                   .accept_from = client->slots_count,
                                   .buffer_bytes = {buffer_bytes, 0},
                                   .buffers_count = {buffers_count, 0}};

    CHECK(client->slots_count <= SIM_CLIENT_SLOTS_MAX);
    CHECK(ring_open(&client->ring, &options, NULL) == ERR_OK);
}

void sim_client_close(struct sim_client *client)
{
    ring_close(client->ring);
    client->ring = NULL;
}

bool sim_client_is_done(const struct sim_client *client)
{
    for (uint32_t i = 0; i < client->slots_count; i++) {
        if (client->slots[i].state != SIM_SLOT_EMPTY) return false;
    }
    return client->begun == client->requests_max;
}

/* Goes on with leaving: cancel, wait for what is in flight, close. */
static void leave_more(struct sim_client *client, uint32_t index)
{
    struct sim_slot *slot = &client->slots[index];
    bool in_flight = slot->connect_on || slot->send_on || slot->recv_on;

    if (in_flight && !slot->cancelled) {
        slot->cancelled = true;
        ring_cancel(client->ring, index, user_data(client, index, KIND_CANCEL));
    }
    if (in_flight) return;
    slot->state = SIM_SLOT_CLOSING;
    ring_close_sock(client->ring, index, user_data(client, index, KIND_CLOSE));
}

static void leave(struct sim_client *client, uint32_t index)
{
    CHECK(client->slots[index].state == SIM_SLOT_CONNECTING ||
          client->slots[index].state == SIM_SLOT_BUSY);
    client->slots[index].state = SIM_SLOT_LEAVING;
    leave_more(client, index);
}

/* The request of this slot has failed. */
static void fail(struct sim_client *client, uint32_t index)
{
    client->failed++;
    client->retry_ns = clock_now_ns() + retry_ns;
    leave(client, index);
}

/* Begins a request, on a connection that is there or with a connect. */
static bool begin(struct sim_client *client, uint32_t index)
{
    struct sim_slot *slot = &client->slots[index];
    int len;

    if (client->begun == client->requests_max) return false;
    client->begun++;
    slot->deadline_ns = clock_now_ns() + client->timeout_ns;
    slot->head_len = 0;
    slot->in_body = false;
    len = snprintf(slot->request, sizeof(slot->request),
                   "GET /x?y HTTP/1.1\r\nHost: sim\r\nX-Request-Id: %u\r\n\r\n",
                   client->id_base + client->begun);
    CHECK(len > 0 && (size_t)len < sizeof(slot->request));
    return true;
}

static void send_request(struct sim_client *client, uint32_t index)
{
    static const char quiet_request[] = "GET /x HTTP/1.1\r\nHost: sim\r\n\r\n";
    struct sim_slot *slot = &client->slots[index];

    if (client->quiet) {
        ring_send(client->ring, index, quiet_request, sizeof(quiet_request) - 1, RING_SEND_QUIET,
                  user_data(client, index, KIND_SEND));
        return;
    }
    slot->send_on = true;
    ring_send(client->ring, index, slot->request, strlen(slot->request), 0,
              user_data(client, index, KIND_SEND));
}

static void receive(struct sim_client *client, uint32_t index)
{
    client->slots[index].recv_on = true;
    ring_recv(client->ring, index, RING_SMALL, user_data(client, index, KIND_RECV));
}

static void connect_slot(struct sim_client *client, uint32_t index)
{
    struct sim_slot *slot = &client->slots[index];

    if (client->begun == client->requests_max || clock_now_ns() < client->retry_ns) return;
    if (ring_sock_open(client->ring, index, AF_INET, NULL, 0) != 0) {
        client->retry_ns = clock_now_ns() + retry_ns;
        return;
    }
    (void)begin(client, index);
    slot->state = SIM_SLOT_CONNECTING;
    slot->generation++;
    slot->connect_on = true;
    slot->cancelled = false;
    ring_connect(client->ring, index, (const struct sockaddr *)&client->address,
                 sizeof(client->address), user_data(client, index, KIND_CONNECT));
}

/* The answer is complete; the send may not be, as far as its completion goes. */
static void answered(struct sim_client *client, uint32_t index)
{
    struct sim_slot *slot = &client->slots[index];

    client->ok++;
    if (slot->send_on || !begin(client, index)) {
        leave(client, index);
        return;
    }
    send_request(client, index);
}

static void read_body(struct sim_client *client, uint32_t index, const char *data, size_t len)
{
    struct sim_slot *slot = &client->slots[index];

    CHECK(len <= slot->body_left); /* No answer but the one that was asked for. */
    for (size_t i = 0; i < len; i++) {
        CHECK(data[i] == (char)('a' + slot->body_at++ % 26));
    }
    slot->body_left -= len;
    if (slot->body_left == 0) answered(client, index);
}

static void read_bytes(struct sim_client *client, uint32_t index, const char *data, size_t len)
{
    static const char length_field[] = "Content-Length: ";
    struct sim_slot *slot = &client->slots[index];
    const char *field;

    for (; len > 0 && !slot->in_body; data++, len--) {
        CHECK(slot->head_len < sizeof(slot->head) - 1);
        slot->head[slot->head_len++] = *data;
        slot->head[slot->head_len] = '\0';
        slot->in_body =
            slot->head_len >= 4 && strcmp(slot->head + slot->head_len - 4, "\r\n\r\n") == 0;
        if (!slot->in_body) continue;
        CHECK(strncmp(slot->head, "HTTP/1.1 200 ", 13) == 0);
        field = strstr(slot->head, length_field);
        CHECK(field != NULL);
        slot->body_left = strtoull(field + sizeof(length_field) - 1, NULL, 10);
        slot->body_at = 0;
    }
    if (slot->in_body) read_body(client, index, data, len);
}

static void on_recv(struct sim_client *client, uint32_t index, const struct ring_event *event)
{
    struct sim_slot *slot = &client->slots[index];

    if ((event->flags & RING_MORE) == 0) slot->recv_on = false;
    if ((event->flags & RING_BUFFER) != 0) {
        if (slot->state == SIM_SLOT_BUSY) {
            read_bytes(client, index, event->data, (size_t)event->res);
        }
        ring_buffer_return(client->ring, event);
    }
    if (slot->state == SIM_SLOT_BUSY && !slot->recv_on) {
        if (event->res > 0 || event->res == -ENOBUFS) {
            receive(client, index);
        } else {
            fail(client, index);
        }
    }
}

static void on_event(struct sim_client *client, const struct ring_event *event)
{
    uint32_t index = (uint32_t)(event->user_data >> 8) & 0xFFFFFF;
    struct sim_slot *slot = &client->slots[index];

    if (slot->generation != (uint32_t)(event->user_data >> 32)) {
        /* Only the failure of a quiet send may come so late. */
        CHECK((enum kind)(event->user_data & 0xFF) == KIND_SEND && client->quiet);
        return;
    }
    switch ((enum kind)(event->user_data & 0xFF)) {
    case KIND_CONNECT:
        slot->connect_on = false;
        if (slot->state == SIM_SLOT_CONNECTING && event->res == 0) {
            slot->state = SIM_SLOT_BUSY;
            receive(client, index);
            send_request(client, index);
        } else if (slot->state == SIM_SLOT_CONNECTING) {
            fail(client, index);
        }
        break;
    case KIND_SEND:
        if (!client->quiet) CHECK(slot->send_on);
        slot->send_on = false;
        if (slot->state == SIM_SLOT_BUSY && event->res != (int32_t)strlen(slot->request)) {
            fail(client, index);
        }
        break;
    case KIND_RECV: on_recv(client, index, event); break;
    case KIND_CANCEL: return;
    case KIND_CLOSE:
        CHECK(slot->state == SIM_SLOT_CLOSING);
        slot->state = SIM_SLOT_EMPTY;
        return;
    }
    if (slot->state == SIM_SLOT_LEAVING) leave_more(client, index);
}

/* Fails what is overdue and gives the next moment at which something will be. */
static uint64_t check_deadlines(struct sim_client *client)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t next_ns = client->begun < client->requests_max && client->retry_ns > now_ns
                           ? client->retry_ns
                           : TIME_NEVER;

    for (uint32_t i = 0; i < client->slots_count; i++) {
        struct sim_slot *slot = &client->slots[i];

        if (slot->state != SIM_SLOT_CONNECTING && slot->state != SIM_SLOT_BUSY) continue;
        if (slot->deadline_ns <= now_ns) {
            fail(client, i);
        } else {
            next_ns = min_u64(next_ns, slot->deadline_ns);
        }
    }
    return next_ns;
}

void sim_client_step(struct sim_client *client)
{
    struct ring_event events[EVENTS_MAX];
    struct ring_wait wait = {.timeout_ns = TIME_NEVER, .wait_nr = 8, .min_wait_ns = 20000};
    uint64_t next_ns;
    uint64_t now_ns;
    uint32_t count;

    for (uint32_t i = 0; i < client->slots_count; i++) {
        if (client->slots[i].state == SIM_SLOT_EMPTY) connect_slot(client, i);
    }
    next_ns = check_deadlines(client);
    now_ns = clock_now_ns();
    if (next_ns != TIME_NEVER) wait.timeout_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    ring_wait(client->ring, &wait);
    do {
        count = ring_reap(client->ring, events, EVENTS_MAX);
        for (uint32_t i = 0; i < count; i++) {
            on_event(client, &events[i]);
        }
    } while (count > 0);
}
