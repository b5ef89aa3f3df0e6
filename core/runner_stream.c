#include "core/runner_stream.h"

#include <string.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/runner_impl.h"

enum { STREAM_BUFFERS = 2 };

struct stream_file {
    uint64_t at, size; /* As struct body_cut. */
    const char *path;
};

/* Invariants
 *  1. Pieces of files are numbered: gone <= given <= got <= gone + STREAM_BUFFERS. Piece n is in
 *     buffer n modulo STREAM_BUFFERS from when it is asked for until it is gone.
 *  2. The connection has piece `given` - 1, or a stretch of text, or waits. */
struct stream {
    struct conn_body body;
    struct runner *runner;
    struct conn *conn; /* NULL: it has let go. */
    struct stream *prev, *next;
    size_t bytes; /* Of memory, this and all that it points to. */
    char *text;   /* [text_len] */
    size_t text_len;
    struct stream_file *files; /* [files_count] */
    uint32_t files_count;

    /* What is sent. */
    uint32_t file;      /* This one is next, */
    uint64_t file_left; /* and so much of it has not been given; */
    size_t text_at;     /* but first the text from here to its place. */
    bool is_starved;    /* The connection waits. */
    uint64_t gone, given;

    /* What is read. */
    uint32_t read_file;
    uint64_t read_at;
    uint64_t got;
    bool is_waiting; /* Something has been asked for, or could not be: */
    bool is_refused; /* the reader had no room. */
    bool is_lost;    /* Nothing more can be read. */
    uint32_t lens[STREAM_BUFFERS];
    char *buffers; /* [STREAM_BUFFERS * STREAM_PIECE_BYTES] */
    struct reader_ask ask;
};

/* The list. */

static void unlink_stream(struct streams *streams, struct stream *stream)
{
    *(stream->prev != NULL ? &stream->prev->next : &streams->first) = stream->next;
    *(stream->next != NULL ? &stream->next->prev : &streams->last) = stream->prev;
    stream->prev = stream->next = NULL;
}

static void put_first(struct streams *streams, struct stream *stream)
{
    stream->next = streams->first;
    *(streams->first != NULL ? &streams->first->prev : &streams->last) = stream;
    streams->first = stream;
}

static void put_last(struct streams *streams, struct stream *stream)
{
    stream->prev = streams->last;
    *(streams->last != NULL ? &streams->last->next : &streams->first) = stream;
    streams->last = stream;
}

static void set_waiting(struct stream *stream, bool is_waiting)
{
    struct streams *streams = &stream->runner->streams;

    if (stream->is_waiting == is_waiting) return;
    stream->is_waiting = is_waiting;
    unlink_stream(streams, stream);
    if (is_waiting) {
        put_first(streams, stream);
    } else {
        put_last(streams, stream);
    }
}

static void close_file(struct stream *stream)
{
    if (stream->ask.fd >= 0) (void)close(stream->ask.fd);
    stream->ask.fd = -1;
}

static void free_stream(struct stream *stream)
{
    CHECK(stream->conn == NULL);
    close_file(stream);
    unlink_stream(&stream->runner->streams, stream);
    blocks_free(&stream->runner->blocks, stream, stream->bytes);
}

/* The worker has ended, and so has the reader. */
static void close_all(void *object)
{
    struct streams *streams = object;

    for (struct stream *stream = streams->first; stream != NULL; stream = stream->next) {
        close_file(stream);
    }
}

bool runner_init_streams(struct runner *runner, struct arena *arena)
{
    if (!runner->streams.is_ready) {
        runner->streams.is_ready = arena_at_release(arena, close_all, &runner->streams);
    }
    return runner->streams.is_ready;
}

/* Reading. */

/* Asks for the next piece, if there is one and a buffer for it. */
static void read_ahead(struct stream *stream)
{
    struct runner *runner = stream->runner;
    const struct stream_file *file = &stream->files[stream->read_file];
    struct reader_ask *ask = &stream->ask;

    if (stream->is_lost || stream->read_file == stream->files_count) return;
    if (stream->is_waiting && !stream->is_refused) return;
    if (stream->got - stream->gone == STREAM_BUFFERS) return;
    ask->kind = READER_PART;
    ask->path = file->path;
    ask->to = stream->buffers + (stream->got % STREAM_BUFFERS) * STREAM_PIECE_BYTES;
    ask->offset = stream->read_at;
    ask->size = file->size;
    ask->len = (uint32_t)min_u64(file->size - stream->read_at, STREAM_PIECE_BYTES);
    stream->is_refused = !reader_ask(runner->options.reader, runner->worker->index, ask);
    set_waiting(stream, true);
}

/* Takes what the reader has done. */
static void take_read(struct stream *stream)
{
    const struct reader_ask *ask = &stream->ask;

    stream->is_lost = ask->got < 0;
    if (stream->is_lost) return;
    stream->lens[stream->got % STREAM_BUFFERS] = (uint32_t)ask->got;
    stream->got++;
    stream->read_at += (uint64_t)ask->got;
    if (stream->read_at < ask->size) return;
    stream->read_at = 0;
    stream->read_file++;
}

/* Looks after a stream that waits for the reader. It may be gone then. */
static void look_after(struct stream *stream)
{
    struct conn *conn = stream->conn;

    if (!stream->is_refused) {
        if (!reader_is_done(&stream->ask)) return;
        take_read(stream);
    }
    if (conn == NULL) {
        free_stream(stream);
        return;
    }
    if (!stream->is_refused) set_waiting(stream, false);
    read_ahead(stream);
    /* A connection that is being closed will say so when it is. */
    if (!stream->is_starved || conn->body != &stream->body) return;
    if (stream->given == stream->got && !stream->is_lost) return;
    stream->is_starved = false;
    conn_body_resume(&stream->runner->worker->table, conn);
}

void runner_streams_poll(struct runner *runner)
{
    struct stream *stream = runner->streams.first, *next;

    for (; stream != NULL && stream->is_waiting; stream = next) {
        next = stream->next;
        look_after(stream);
    }
}

/* Sending. */

static enum conn_more give(struct stream *stream, const char *data, uint64_t len)
{
    stream->body.spans[0] = (struct conn_span){.data = data, .len = len, .fd = -1};
    stream->body.count = 1;
    return CONN_MORE_PIECE;
}

/* conn_body.next */
static enum conn_more next_piece(void *self)
{
    struct stream *stream = self;
    bool is_tail = stream->file == stream->files_count;
    size_t until = is_tail ? stream->text_len : (size_t)stream->files[stream->file].at;
    uint32_t buffer = (uint32_t)(stream->given % STREAM_BUFFERS);
    uint32_t len;

    stream->gone = stream->given;
    read_ahead(stream);
    if (stream->text_at < until) {
        const char *text = stream->text + stream->text_at;

        len = (uint32_t)(until - stream->text_at);
        stream->text_at = until;
        return give(stream, text, len);
    }
    if (is_tail) return CONN_MORE_NONE;
    if (stream->given == stream->got) {
        stream->is_starved = !stream->is_lost;
        return stream->is_lost ? CONN_MORE_LOST : CONN_MORE_LATER;
    }
    len = stream->lens[buffer];
    stream->given++;
    stream->file_left -= len;
    if (stream->file_left == 0 && ++stream->file < stream->files_count) {
        stream->file_left = stream->files[stream->file].size;
    }
    return give(stream, stream->buffers + (size_t)buffer * STREAM_PIECE_BYTES, len);
}

/* conn_body.over */
static void let_go(void *self)
{
    struct stream *stream = self;

    stream->conn = NULL;
    if (!stream->is_waiting || stream->is_refused) free_stream(stream);
}

struct stream *runner_stream_new(const struct endpoint *endpoint, const char *text, size_t text_len)
{
    struct runner *runner = endpoint->runner;
    size_t bytes = sizeof(struct stream) + endpoint->cuts.count * sizeof(struct stream_file);
    struct stream *stream;
    char *at;

    CHECK(endpoint->cuts.count > 0 && runner->options.reader != NULL);
    for (uint32_t i = 0; i < endpoint->cuts.count; i++) {
        bytes += strlen(endpoint->cuts.list[i].path) + 1;
    }
    bytes += text_len + (size_t)STREAM_BUFFERS * STREAM_PIECE_BYTES;
    stream = blocks_alloc(&runner->blocks, bytes);
    if (stream == NULL) return NULL;
    *stream = (struct stream){.runner = runner,
                              .bytes = bytes,
                              .text_len = text_len,
                              .files_count = endpoint->cuts.count,
                              .file_left = endpoint->cuts.list[0].size,
                              .ask = {.fd = -1}};
    stream->body = (struct conn_body){.next = next_piece, .over = let_go, .self = stream};
    stream->files = (struct stream_file *)(stream + 1);
    at = (char *)(stream->files + stream->files_count);
    for (uint32_t i = 0; i < stream->files_count; i++) {
        const struct body_cut *cut = &endpoint->cuts.list[i];

        stream->files[i] = (struct stream_file){.at = cut->at, .size = cut->size, .path = at};
        at = stpcpy(at, cut->path) + 1;
    }
    stream->text = at;
    memcpy(at, text, text_len);
    stream->buffers = at + text_len;
    put_last(&runner->streams, stream);
    return stream;
}

const struct conn_body *runner_stream_begin(struct stream *stream, struct conn *conn)
{
    stream->conn = conn;
    return &stream->body;
}

/* Looking. */

void runner_stream_keep(struct exchange *exchange, const char *head, size_t head_len,
                        const char *text, size_t text_len)
{
    static const char before[] = "<<contents of file: ", behind[] = ">>";
    const struct endpoint *endpoint = exchange->endpoint;
    size_t bytes = head_len + text_len, at = 0;
    struct buf sent;

    for (uint32_t i = 0; i < endpoint->cuts.count; i++) {
        bytes += sizeof(before) + strlen(endpoint->cuts.list[i].name) + sizeof(behind) - 2;
    }
    exchange->sent = blocks_alloc(&endpoint->runner->blocks, bytes);
    exchange->sent_len = exchange->sent == NULL ? 0 : bytes;
    if (exchange->sent == NULL) return;
    buf_init(&sent, exchange->sent, bytes);
    buf_add(&sent, head, head_len);
    for (uint32_t i = 0; i < endpoint->cuts.count; i++) {
        const struct body_cut *cut = &endpoint->cuts.list[i];

        buf_add(&sent, text + at, cut->at - at);
        at = cut->at;
        buf_add(&sent, before, sizeof(before) - 1);
        buf_add(&sent, cut->name, strlen(cut->name));
        buf_add(&sent, behind, sizeof(behind) - 1);
    }
    buf_add(&sent, text + at, text_len - at);
    CHECK(sent.len == bytes && !sent.full);
}
