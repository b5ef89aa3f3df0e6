/* testfile: what a test file says, read, checked and compiled. Made once, then never changed:
 * workers and coordinator read it without a lock.
 *
 * All memory it points to is in its own arena and lives as long as it. */
#ifndef CONFIG_TESTFILE_H
#define CONFIG_TESTFILE_H

#include "config/testfile_config.h"
#include "config/testfile_endpoint.h"

enum {
    TESTFILE_ENDPOINTS_MAX = 10000,
    TESTFILE_NAMES_MAX = 10000, /* Of vars, of providers, and of loggers. */
    TESTFILE_INCLUDES_MAX = 100,
    TESTFILE_COUNTERS_MAX = 1000,
};

struct testfile_var {
    const char *name;
    struct place place;
    struct value value;
};

enum testfile_provider_kind { PROVIDER_FILE, PROVIDER_RESPONSE, PROVIDER_LIST, PROVIDER_RANGE };
enum testfile_auto_return { RETURN_NONE, RETURN_BLOCK, RETURN_FORCE, RETURN_IF_NOT_FULL };
enum testfile_format { FORMAT_LINE, FORMAT_JSON, FORMAT_CSV };
enum testfile_csv_headers { CSV_HEADERS_NONE, CSV_HEADERS_FIRST, CSV_HEADERS_GIVEN };

struct testfile_csv {
    char comment;   /* All 0: not given. */
    char delimiter; /* ',' by default. */
    char escape;
    char quote;      /* '"' by default. */
    char terminator; /* 0: LF or CR LF. */
    bool double_quote;
    enum testfile_csv_headers headers;
    const char *const *names; /* CSV_HEADERS_GIVEN; [names_count]. */
    uint32_t names_count;
};

struct testfile_provider {
    const char *name;
    struct place place;
    enum testfile_provider_kind kind;
    enum testfile_auto_return auto_return;
    uint64_t buffer; /* Soft limit; 0: auto. */
    bool unique;
    bool repeat;
    bool random;

    /* PROVIDER_FILE */
    enum testfile_format format;
    bool parse;       /* Lines and cells that are JSON become that. */
    const char *path; /* As given. */
    const char *file; /* The path from where the process is: relative to the test file. */
    struct testfile_csv csv;

    /* PROVIDER_LIST, PROVIDER_RANGE */
    const struct value *values; /* [values_count] */
    uint32_t values_count;
    int64_t start, end, step; /* `end` belongs to it; step is not 0. */

    /* Found by the checks. */
    bool is_read; /* Some endpoint pops from it. */
    bool is_fed;  /* Some endpoint provides it. */
};

enum testfile_on_full { ON_FULL_WAIT, ON_FULL_DROP };

struct testfile_logger {
    const char *name;
    struct place place;
    const char *to; /* "stdout", "stderr" or a path. */
    uint64_t limit; /* The first so many values; 0: all. */
    enum testfile_on_full on_full;
    bool pretty;
    bool kill;      /* The value after `limit` ends the test. */
    bool is_global; /* Has a select of its own; it is among the logs of every endpoint. */
};

enum testfile_metric {
    METRIC_PERCENTILE, /* Nanoseconds, as the next three. */
    METRIC_MEAN,
    METRIC_MIN,
    METRIC_MAX,
    METRIC_ERROR_RATE, /* A share: failed of started. */
    METRIC_RATE,       /* Answers per second. */
    METRIC_REQUESTS,   /* Counts. */
    METRIC_ERRORS,
};
enum testfile_compare { COMPARE_LESS, COMPARE_LESS_EQUAL, COMPARE_GREATER, COMPARE_GREATER_EQUAL };

/* A condition on the results. */
struct testfile_threshold {
    const char *text; /* As written. */
    struct place place;
    enum testfile_metric metric;
    enum testfile_compare compare;
    double percentile; /* 0..100 */
    double value;      /* In the metric's unit. */
    bool from_sent;    /* Latencies from sent; else from due. */
    const struct testfile_tag
        *tags; /* Groups that count (constant, '*' is a wildcard); none: all. */
    uint32_t tags_count;
};

struct testfile {
    struct arena arena;
    struct testfile_client client;
    struct testfile_general general;
    const struct testfile_var *vars;
    const struct testfile_provider *providers;
    const struct testfile_logger *loggers;
    const struct testfile_endpoint *endpoints;
    const struct testfile_threshold *thresholds;
    uint32_t vars_count, providers_count, loggers_count, endpoints_count, thresholds_count;
    uint32_t counters_count; /* Of counter(name). */
    uint64_t duration_ns;    /* Of the longest pattern of any endpoint. */
};

#endif
