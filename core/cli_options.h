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

/* Where the parser puts what it reads; the offsets of the table are into this. */
struct cli_words {
    struct cli cli;
    const char *method;        /* NULL: not given. */
    const char *body;          /* NULL: not given. */
    const char *body_file;     /* NULL: not given. */
    const char *stages;        /* NULL: not given. */
    double rate_per_s;         /* 0: not given. */
    const char *source;        /* NULL: not given. */
    const char *proxy;         /* NULL: not given. */
    const char *tls_resume;    /* NULL: not given. */
    uint32_t tls_min, tls_max; /* enum plan_tls_version */
    uint32_t seclevel;         /* Where given. */
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

/* Makes the plan's rate from the words, in the plan's arena (cli_rate.c); no-op without one.
 * ERR_USAGE when options contradict each other, want a rate that is not there, or no request
 * would be due; ERR_MEMORY. */
MUST_USE enum err cli_build_rate(struct cli_words *words, struct err_info *why);

/* Makes the plan's net from the words, in its arena (cli_net.c); before the request is built.
 * ERR_USAGE when one of them is wrong or options exclude each other; ERR_MEMORY. */
MUST_USE enum err cli_build_net(struct cli_words *words, struct err_info *why);

/* Makes the plan's TLS from the words, once connect_timeout_ns is known (cli_tls.c). ERR_USAGE when
 * one of them is wrong or options exclude each other. */
MUST_USE enum err cli_build_tls(struct cli_words *words, struct err_info *why);

/* Once the targets are there: ERR_USAGE when options are about TLS and no target is. */
MUST_USE enum err cli_check_tls(const struct cli_words *words, struct err_info *why);

/* Once the targets are there: ERR_USAGE when what was said of names is about none of them. */
MUST_USE enum err cli_check_names(const struct cli_words *words, struct err_info *why);

/* Makes the plan's target and request from the words, in the plan's arena (cli_request.c);
 * `scratch` is for what is not needed afterwards. Failures as cli_parse(). */
MUST_USE enum err cli_build_request(struct cli_words *words, const char *url, struct arena *scratch,
                                    struct err_info *why);

#endif
