/* coding: the content codings of a body (RFC 9110 section 8.4), taken off again as it comes: gzip
 * (RFC 1952, of several members too), deflate (RFC 1950, and RFC 1951 bare as some servers send
 * it), br (RFC 7932, where the build has it), and chains of them.
 *
 * Nothing bounds what comes out but the taker, who says when it is too much: so no input can make
 * us decode more than is wanted of it, or keep more of it than a window per coding.
 *
 * Threads: one owner. */
#ifndef IO_CODING_H
#define IO_CODING_H

#include "core/base/blocks.h"

enum coding_kind { CODING_GZIP, CODING_DEFLATE, CODING_BR };
enum { CODINGS_MAX = 4 };

/* The codings of a body, in the order in which they were applied. All zero: none. */
struct codings {
    uint8_t kinds[CODINGS_MAX]; /* enum coding_kind; [count] */
    uint8_t count;
    bool is_unknown; /* One is not among them, or there are more. */
};

/* Adds what the value of a Content-Encoding field says. */
void codings_add(struct codings *codings, const char *value, size_t len);

/* Adds what all Content-Encoding fields of a response head say. */
void codings_add_head(struct codings *codings, const char *head, size_t len);

/* Takes decoded bytes; false when it wants no more. */
typedef bool coding_taker(void *self, const char *data, size_t len);

enum coding_result {
    CODING_OK,
    CODING_BROKEN,    /* The body is not what its codings say, or ended too early. */
    CODING_STOPPED,   /* The taker wants no more. */
    CODING_NO_MEMORY, /* For a window. */
};

struct coding_stage;

/* A body that is being decoded. */
struct coding {
    struct blocks *blocks;
    coding_taker *taker;
    void *self;
    struct coding_stage *stages[CODINGS_MAX]; /* The coding applied last comes first. */
    uint32_t count;
};

/* Begins with a body of these codings, all known. False when `blocks`, which must outlive it, has
 * no memory; there is nothing to close then. */
MUST_USE bool coding_open(struct coding *coding, struct blocks *blocks,
                          const struct codings *codings, coding_taker *taker, void *self);

/* Takes the next piece, any length. After anything but CODING_OK the body is of no use. */
MUST_USE enum coding_result coding_feed(struct coding *coding, const char *data, size_t len);

/* The body has come to its end: CODING_OK or CODING_BROKEN. */
MUST_USE enum coding_result coding_finish(const struct coding *coding);

/* Gives the memory back. */
void coding_close(struct coding *coding);

#endif
