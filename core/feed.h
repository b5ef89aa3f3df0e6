/* feed: a provider's values out of a data file, streamed: however large the file is, only a window
 * of it is in memory, filled by the reader while the worker goes on with what is there.
 *
 * Numbers and shares are those of value_source.h: record k of the file (over all passes of one that
 * repeats) belongs to worker k modulo W, who passes over all others. In random order each worker
 * reads only what is its own.
 *
 * A bad record, or a file that cannot be read, ends the feed with a reason; that ends the test.
 *
 * Threads: a feed belongs to one worker; the data file is shared and never changes. */
#ifndef CORE_FEED_H
#define CORE_FEED_H

#include "core/data_file.h"
#include "core/reader.h"
#include "core/value_source.h"

/* A stretch of the file, read through a window. */
struct feed_stretch {
    char *window;    /* [window_max] */
    size_t want;     /* So much of it is used; grows for records that are larger. */
    size_t from, to; /* What is there and not yet read. */
    uint64_t offset; /* In the file, of the byte behind window[to]. */
    uint64_t end;    /* Of the stretch; UINT64_MAX: of the file. */
    bool is_last;    /* The stretch ends with the window. */
    bool is_asked;   /* `ask` is open, for what comes behind `to`. */
    uint32_t skip;   /* Random order: records before the one that is wanted. */
    uint64_t line;   /* The same: of window[from]. */
    struct reader_ask ask;
};

enum { FEED_STRETCHES = 8 }; /* Random order of a large file: so many records are read ahead. */

struct feed_options {
    struct value_source_options source; /* Repeat, random, seed, and the share. */
    const struct data_file *file;       /* Must outlive the feed. */
    struct reader *reader;              /* The same; NULL if the file is kept in memory. */
    uint32_t worker;                    /* The number that the reader knows this worker by. */
    struct scratch *scratch;            /* Borrowed for each call; what is in it is dropped. */
};

struct feed {
    struct feed_options options;
    struct provider *provider; /* NULL until it was first filled. */
    struct records records;
    uint64_t number;  /* Of the next record over all passes: of the file, or of this share. */
    uint64_t in_pass; /* Records of this pass so far. */
    bool ended;       /* Nothing more will come. */
    bool refused;     /* The reader had too much to do; the next poll asks again. */
    enum err err;     /* ERR_OK, or why it ended before its end: */
    struct err_info why;
    struct shuffle shuffle;
    struct rng rng;
    struct feed_stretch *stretches; /* [stretches_count]: one, or FEED_STRETCHES, or none. */
    uint32_t stretches_count;
    uint32_t first; /* Random order: the stretch whose record comes next … */
    uint32_t open;  /* … and how many have been begun. */
};

/* Everything it will need comes from `arena`. False when that refuses. */
MUST_USE bool feed_init(struct feed *feed, struct arena *arena, const struct feed_options *options);

/* What provider.source is set to; the feed must outlive the provider. */
struct provider_source feed_source(struct feed *feed);

/* Goes on if something that was asked for has come; true if it had. Called each turn. */
bool feed_poll(struct feed *feed);

/* True once nothing more will come, be it by an error. */
static inline bool feed_is_ended(const struct feed *feed)
{
    return feed->ended;
}

#endif
