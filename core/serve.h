/* serve: the built-in test target, `pelt serve`: an HTTP/1.1 server over the same seam as the
 * engine. It answers as fast as it can, or as slowly and as wrongly as it is told to. It is no
 * product server: it trusts its network and knows nothing of files or security; with --tls it
 * speaks TLS, by default with a certificate that it makes itself.
 *
 * One thread and one ring per --threads, each with a listener of its own on the same port
 * (SO_REUSEPORT); they share the options, the pattern that bodies are made of, and a stop flag.
 * The main thread waits for a signal and writes the log of ids. */
#ifndef CORE_SERVE_H
#define CORE_SERVE_H

#include "core/base/defs.h"
#include "core/base/err.h"
#include "core/base/rng.h"
#include "io/ring.h"

enum { SERVE_THREADS_MAX = 256, SERVE_CONNECTIONS_MAX = 32 * 1024 - 1, SERVE_DELAY_POINTS_MAX = 4 };

/* A delay before every answer. Either points, or a range when `points_count` is 0. */
struct serve_delay {
    uint32_t points_count;
    struct {
        double below; /* Taken when the draw from [0, 1) is below; ascending, the last is 1. */
        uint64_t ns;
    } points[SERVE_DELAY_POINTS_MAX];
    uint64_t from_ns; /* Uniform in [from_ns, to_ns]; both 0: no delay. */
    uint64_t to_ns;
};

struct serve_options {
    const char *bind;      /* Numeric IPv4 or IPv6 address. */
    const char *log_ids;   /* File for lines "ID STATUS" of requests with ids, or NULL. */
    const char *port_file; /* File that gets the port's number once it listens, or NULL. */
    uint16_t port;         /* 0: any free one. */
    uint32_t threads;      /* 1..SERVE_THREADS_MAX */
    uint32_t cpus_count;   /* Threads are pinned to `cpus` in turn; 0: not pinned. */
    uint32_t cpus[SERVE_THREADS_MAX];
    uint64_t requests_max;    /* Per connection; 0: no bound. */
    uint64_t connections_max; /* Per thread, 1..SERVE_CONNECTIONS_MAX; 0: as many as fit. */
    struct serve_delay delay;
    uint64_t freeze_at_ns; /* From the first request on; */
    uint64_t freeze_ns;    /* for so long nothing is answered; 0: never. */
    enum ring_engine engine;
    bool tls;
    const char *tls_cert;      /* File; NULL: a certificate that we make ourselves. */
    const char *tls_key;       /* File; NULL: in tls_cert. */
    const char *tls_save_cert; /* File that gets the certificate that we made, or NULL. */
    bool tls_no_tickets;       /* No session can be resumed. */
    bool quiet;
    bool help; /* The help was asked for: print it and end. */
};

/* Parses "const:2ms", "two-point:90%=1ms,10%=1s", "uniform:1ms..5ms"; false, and `ret_delay`
 * untouched, on anything else. */
MUST_USE bool serve_delay_parse(const char *text, struct serve_delay *ret_delay);

/* True if answers are delayed at all. */
bool serve_delay_is_set(const struct serve_delay *delay);

/* Draws a delay. */
uint64_t serve_delay_draw(const struct serve_delay *delay, struct rng *rng);

/* Parses the command line (argv[0] is not looked at) into `ret_options`, which keeps pointers
 * into argv. ERR_USAGE: `why` says what is wrong. */
MUST_USE enum err serve_options_parse(struct serve_options *ret_options, int argc, char **argv,
                                      struct err_info *why);

/* A line of the help: an option (its `value` is what the help calls it, NULL if it takes none), or
 * a path (without a value). Constant. */
struct serve_text {
    const char *name, *value, *help;
};

/* Number `n` of the options and of the paths that behave; false behind the last. */
MUST_USE bool serve_option_at(size_t n, struct serve_text *ret_option);
MUST_USE bool serve_route_at(size_t n, struct serve_text *ret_route);

/* Serves until SIGINT or SIGTERM, then prints the totals on stderr. Blocks these two signals for
 * the calling thread. ERR_OK after a clean end. */
MUST_USE enum err serve_run(const struct serve_options *options, struct err_info *why);

/* The command: argv[0] is "serve". Returns the exit code: 0, 1 (it cannot serve), 64 (usage). */
int serve_main(int argc, char **argv);

#endif
