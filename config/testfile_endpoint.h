/* testfile_endpoint: one endpoint of a test file, compiled.
 *
 * Numbers of providers in expressions (expr_env.providers, mentions) are slots of the endpoint:
 * slots[i] is the provider of the test file that slot i means. Client headers and global loggers
 * are compiled anew for each endpoint, so that theirs are slots of it too. All of it shares one
 * expr_needs, but for declares, which have one each. */
#ifndef CONFIG_TESTFILE_ENDPOINT_H
#define CONFIG_TESTFILE_ENDPOINT_H

#include "config/diag.h"
#include "config/plan.h"
#include "config/select.h"
#include "config/template.h"

struct testfile_text {
    const struct template *compiled;
    const char *text; /* As written. */
    struct place place;
};

struct testfile_header {
    const char *name;
    struct testfile_text value; /* Rendered with TEMPLATE_HEADER. */
};

struct testfile_tag {
    const char *name;
    struct testfile_text value;
};

/* One field of a multipart body. */
struct testfile_piece {
    const char *name;
    const struct testfile_header *headers; /* [headers_count] */
    uint32_t headers_count;
    bool is_file; /* `content` is a path, relative to the test file. */
    struct testfile_text content;
};

enum testfile_body_kind { BODY_NONE, BODY_TEXT, BODY_JSON, BODY_FILES, BODY_MULTIPART };

struct testfile_body {
    enum testfile_body_kind kind;
    uint32_t count;            /* Of files or pieces. */
    struct testfile_text text; /* TEXT, and JSON when its value is no string. */
    const struct expr *json;   /* JSON: its value is written as JSON. */
    const struct testfile_text
        *files; /* Paths, relative to the test file; sent one after another. */
    const struct testfile_piece *pieces;
    const char *directory; /* What paths are relative to: "" or with its '/' at the end. */
};

struct testfile_declare {
    const char *name;
    const struct expr *expr;
    struct expr_needs needs; /* Its mentions pop; uses of kind DECLARE are evaluated before it. */
    struct place place;
};

enum testfile_send { SEND_BLOCK, SEND_FORCE, SEND_IF_NOT_FULL };

/* An entry of `provides` or `logs`, or a global logger. */
struct testfile_output {
    uint32_t target;         /* Index of the provider or logger. */
    enum testfile_send send; /* Of provides. */
    bool is_global;          /* A logger's own select: evaluated after errors too. */
    struct select select;
    struct place place;
};

struct testfile_status_range {
    uint16_t from, to; /* Inclusive. */
};

struct testfile_expect {
    const struct testfile_status_range *statuses; /* [statuses_count]; none: any. */
    uint32_t statuses_count;
    const struct expr *where; /* NULL: always true. */
};

enum testfile_on_error { ON_ERROR_CONTINUE, ON_ERROR_STOP };

struct testfile_endpoint {
    struct place place;
    const char *name; /* Unique. */
    const char *method;
    struct testfile_text url;
    const struct testfile_header *headers; /* Client headers first; [headers_count]. */
    uint32_t headers_count;
    struct testfile_body body;

    /* Load. */
    bool has_peak_load;
    double peak_per_s;
    const struct plan_stage *stages; /* Rates, of endpoints with peak_load; [stages_count]. */
    uint32_t stages_count;
    uint64_t duration_ns; /* Of its pattern, or the root's. */

    /* Data. */
    const uint32_t *slots; /* Providers by slot; [slots_count]. */
    uint32_t slots_count;
    const bool *is_input; /* By slot: popped once per request (not by a declare only). */
    const struct testfile_declare *declares; /* By number; [declares_count]. */
    const uint32_t *declares_order; /* The numbers of those used, each behind those it needs. */
    uint32_t declares_count, declares_used;
    uint32_t locals_count;                  /* Of nested selects. */
    const struct testfile_output *provides; /* In the order of the file; [provides_count]. */
    uint32_t provides_count;
    uint32_t logs_count;
    const struct testfile_output *logs; /* Its own, then the global ones. */
    const struct testfile_tag *tags;    /* The implicit `url` among them, not `_id` and `method`. */
    uint32_t tags_count;
    struct expr_needs needs;

    /* Behaviour. */
    struct testfile_expect expect;
    uint64_t request_timeout_ns;
    uint64_t max_parallel_requests; /* 0: no bound. */
    enum testfile_on_error on_error;
    bool on_demand;
    bool no_auto_returns;
    bool send_all;
};

#endif
