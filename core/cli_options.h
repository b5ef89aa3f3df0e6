/* cli_options: the table of options, and what it is read into. Private to the command line
 * (cli*.c).
 *
 * A new option is a new id, a new row and nothing else, unless it needs a check against others. */
#ifndef CORE_CLI_OPTIONS_H
#define CORE_CLI_OPTIONS_H

#include "core/cli.h"
#include "core/cli_option_ids.h"

enum cli_kind {
    CLI_ON,     /* No argument; sets a bool. */
    CLI_OFF,    /* No argument; clears a bool. */
    CLI_U32,    /* A count into a uint32_t. */
    CLI_U64,    /* A count into a uint64_t. */
    CLI_RATE,   /* Requests per second into a double. */
    CLI_TIME,   /* A time into a uint64_t of nanoseconds. */
    CLI_CHOICE, /* One of a few words; its index into a uint32_t or an enum. */
    CLI_TEXT,   /* The argument itself into a const char *. */
    CLI_LIST,   /* The argument itself, one more of a struct cli_list. */
};

enum cli_group {
    CLI_LOAD,
    CLI_NETWORK,
    CLI_TLS,
    CLI_REQUEST,
    CLI_DEADLINES,
    CLI_OUTPUT,
    CLI_GROUPS
};

/* The arguments of an option that adds up, in the order given. */
struct cli_list {
    const char **items; /* [count], with room for every word of the line. */
    uint32_t count;
};

struct cli_url {
    const char *text; /* As given. */
    const char *path; /* Sent in place of that which the text has; NULL: that. */
    uint32_t weight;
    struct plan_target parsed;
    uint32_t target; /* Index into the plan's. */
};

/* Where the parser puts what it reads; the offsets of the table are into this. */
struct cli_words {
    struct cli cli;
    const char *method;    /* NULL: not given. */
    const char *body;      /* NULL: not given. */
    const char *body_file; /* NULL: not given. */
    const char *stages;    /* NULL: not given. */
    double rate_per_s;     /* 0: not given. */
    const char *weights;   /* NULL: not given. */
    struct cli_url *urls;  /* In the order given; [urls_count]. */
    uint32_t urls_count;
    const char *source;        /* NULL: not given. */
    const char *proxy;         /* NULL: not given. */
    const char *tls_resume;    /* NULL: not given. */
    uint32_t tls_min, tls_max; /* enum plan_tls_version */
    uint32_t seclevel;         /* Where given. */
    bool no_keepalive, chunked_body;
    struct cli_list headers;
    struct cli_list resolves;
    bool given[OPTION_COUNT]; /* The option was on the line. */
};

struct cli_option {
    const char *name;     /* Long name without dashes. */
    const char *argument; /* Name of the argument in the help; NULL: takes none. */
    const char *help;     /* One sentence without a full stop; the help wraps it. */
    const char *fallback; /* What holds when it is not given, for the help; NULL: nothing to say. */
    uint64_t min, max;    /* Of counts and times. */
    size_t offset;        /* Into struct cli_words. */
    enum cli_kind kind;
    enum cli_group group;
    char letter;                /* 0: none. */
    const char *const *choices; /* Of CLI_CHOICE, ends with NULL; else NULL. */
};

extern const struct cli_option cli_options[OPTION_COUNT];

/* The names of enum plan_io, and NULL behind the last one. */
extern const char *const cli_io_names[];

/* The option of this long name (`len` bytes) or letter, or NULL. */
const struct cli_option *cli_option_by_name(const char *name, size_t len);
const struct cli_option *cli_option_by_letter(char letter);

/* The option whose long name is most like `name`: one that begins with it, else one within a few
 * slips (one letter more, less, other, or two swapped) of it. NULL when nothing is near. */
const struct cli_option *cli_option_like(const char *name, size_t len);

/* True if the option was on the line. */
static inline bool cli_is_given(const struct cli_words *words, enum cli_option_id id)
{
    return words->given[id];
}

#endif
