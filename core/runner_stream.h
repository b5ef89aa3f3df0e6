/* runner_stream: a body with files in it that are too large to be among the bytes of the request.
 * Its text is made before the head is sent, and its length is known from the sizes that the files
 * had then; their bytes are read by the reader while the body is sent, a piece ahead. So a body of
 * any size takes the same memory, and the worker waits for no disk.
 *
 * What is sent has to be a file of the size that was promised. One that is shorter or longer when a
 * piece of it is read, or cannot be opened any more, fails the request as `body_unreadable`, and
 * its connection is closed before the body's end. One that is replaced while it is sent goes on as
 * it was, since it is open.
 *
 * A stream belongs to its connection, not to the exchange: the rest of it goes out behind an early
 * answer. It is given back when the connection has let go of it and nothing of it is being read.
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_STREAM_H
#define CORE_RUNNER_STREAM_H

#include "core/base/arena.h"
#include "core/base/defs.h"

struct conn;
struct conn_body;
struct endpoint;
struct exchange;
struct runner;
struct stream;

/* Of a stream's two buffers, each: its memory is that of both, and of its text. */
enum { STREAM_PIECE_BYTES = 128 * 1024 };

/* Where a file stands in the body that is being made. */
struct body_cut {
    uint64_t at;      /* Behind so many bytes of its text. */
    uint64_t size;    /* At least 1. */
    const char *path; /* As it is opened; terminated. */
    const char *name; /* As it was given; in `path`. */
};

/* What a body that is not among the bytes of its request is made of: text, and files. */
struct body_cuts {
    struct body_cut *list; /* [count]; 0: the body is among them. */
    uint32_t count;
    uint64_t bytes;        /* Of all files. */
    size_t text_len;       /* The text is at runner.body_bytes until the next request is built. */
    struct stream *stream; /* Over them, for the connection that sends it; NULL: there is none. */
};

/* All streams of a worker. */
struct streams {
    struct stream *first, *last; /* Those that wait for the reader come first. */
    bool is_ready;
};

/* Has the files of streams closed when the arena is released. False when that refuses. */
MUST_USE bool runner_init_streams(struct runner *runner, struct arena *arena);

/* A stream over the body that was made last, of endpoint->cuts and `text_len` bytes at `text`,
 * which is copied; NULL when there is no memory. */
MUST_USE struct stream *runner_stream_new(const struct endpoint *endpoint, const char *text,
                                          size_t text_len);

/* The body of the stream, which is sent by `conn` from now on: for conn_send_body(), at once. */
const struct conn_body *runner_stream_begin(struct stream *stream, struct conn *conn);

/* Hands on what has been read. */
void runner_streams_poll(struct runner *runner);

/* Keeps `head` and what is told of the body for those who look at what was sent: the text, and of
 * each file `<<contents of file: NAME>>`. */
void runner_stream_keep(struct exchange *exchange, const char *head, size_t head_len,
                        const char *text, size_t text_len);

#endif
