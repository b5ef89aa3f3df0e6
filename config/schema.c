/* The table. Sections stand in the order of their enum, each section's rows together. */
#include "config/schema.h"

#include <string.h>

#include "config/load_impl.h"
#include "config/plan.h"
#include "core/base/check.h"
#include "core/base/nearest.h"

/* A row: section, kind, name, help, and what else there is to say. */
#define KEY(section_, kind_, name_, help_, ...)                                             \
    {                                                                                       \
        .name = name_, .section = SCHEMA_##section_, .kind = SCHEMA_##kind_, .help = help_, \
        __VA_ARGS__                                                                         \
    }
#define AT(type, member) .offset = offsetof(struct type, member)

static const char *const tls_versions[] = {"1.0", "1.1", "1.2", "1.3", "any", NULL};
static const char *const log_levels[] = {"off", "error", "warn", "info", "debug", "trace", NULL};
static const char *const formats[] = {"line", "json", "csv", NULL};
static const char *const auto_returns[] = {"", "block", "force", "if_not_full", NULL};
static const char *const sends[] = {"block", "force", "if_not_full", NULL};
static const char *const on_fulls[] = {"wait", "drop", NULL};
static const char *const on_errors[] = {"continue", "stop", NULL};
static const char *const dues[] = {"due", "sent", NULL};

const struct schema_key schema_keys[] = {
    /* root */
    KEY(ROOT, OTHER, "config", "Settings of the client and of the test", .type = "mapping"),
    KEY(ROOT, OTHER, "vars",
        "Constants: name to any value. Strings in them are templates, in which a name "
        "is the environment's first and another var's second; a string that is JSON "
        "after that becomes that value",
        .type = "mapping of values"),
    KEY(ROOT, OTHER, "load_pattern",
        "The load over time for endpoints without a pattern of their own",
        .type = "sequence of segments"),
    KEY(ROOT, OTHER, "providers",
        "Queues of values: name to a mapping with one key, the type of provider",
        .type = "mapping of providers"),
    KEY(ROOT, OTHER, "loggers", "Where lines are written: name to logger",
        .type = "mapping of loggers"),
    KEY(ROOT, OTHER, "endpoints", "What is requested", .type = "sequence of endpoints"),
    KEY(ROOT, OTHER, "thresholds",
        "Conditions on the results; when one does not hold the exit status is 99",
        .type = "sequence of conditions"),
    KEY(ROOT, OTHER, "include",
        "Further files, relative to this one, whose vars, providers, loggers and "
        "endpoints join those of this file; they may include others",
        .type = "file name or sequence of file names"),
    KEY(ROOT, OTHER, "scenarios", "Part of scenarios", .later = true, .type = "any value"),
    KEY(ROOT, OTHER, "users", "Part of scenarios", .later = true, .type = "any value"),
    KEY(ROOT, OTHER, "stages", "Part of scenarios", .later = true, .type = "any value"),
    KEY(ROOT, OTHER, "duration", "Part of scenarios", .later = true, .type = "any value"),
    KEY(ROOT, OTHER, "min_interval", "Part of scenarios", .later = true, .type = "any value"),
    KEY(ROOT, OTHER, "base_url", "Part of scenarios", .later = true, .type = "any value"),

    /* config */
    KEY(CONFIG, OTHER, "client", "How requests are made", .type = "mapping"),
    KEY(CONFIG, OTHER, "general", "How the test is run", .type = "mapping"),

    /* client */
    KEY(CLIENT, DURATION, "request_timeout",
        "From sending a request to the last byte of its answer; an endpoint may have "
        "its own",
        .fallback = "60s", .min = 1, .max = PLAN_STAGES_NS_MAX,
        AT(testfile_client, request_timeout_ns)),
    KEY(CLIENT, OTHER, "headers", "Sent with every request; an endpoint may remove them",
        .type = "headers"),
    KEY(CLIENT, DURATION, "keepalive",
        "How long a connection is idle before TCP asks whether the peer is there",
        .fallback = "90s", .min = NS_PER_S, .max = 32767 * NS_PER_S,
        AT(testfile_client, keepalive_ns)),
    KEY(CLIENT, COUNT, "max_connections", "Open connections at most, over all workers and hosts",
        .otherwise = "as many as descriptors and ports carry, 10000 at most", .min = 1,
        .max = PLAN_CONNECTIONS_MAX, AT(testfile_client, max_connections)),
    KEY(CLIENT, COUNT, "max_connection", "An older name of max_connections", .min = 1,
        .max = PLAN_CONNECTIONS_MAX, AT(testfile_client, max_connections)),
    KEY(CLIENT, COUNT, "max_connections_per_host", "Open connections to one host and port at most",
        .otherwise = "no bound of its own", .min = 1, .max = PLAN_CONNECTIONS_MAX,
        AT(testfile_client, max_connections_per_host)),
    KEY(CLIENT, DURATION, "connect_timeout",
        "For a connection to be made, and for its TLS handshake", .otherwise = "as request_timeout",
        .min = 1, .max = PLAN_STAGES_NS_MAX, AT(testfile_client, connect_timeout_ns)),
    KEY(CLIENT, COUNT, "max_requests_per_connection", "Requests after which a connection is closed",
        .otherwise = "no bound", .min = 1, .max = UINT32_MAX,
        AT(testfile_client, max_requests_per_connection)),
    KEY(CLIENT, COUNT, "pipeline", "Requests that may be outstanding on one connection",
        .fallback = "1", .min = 1, .max = 1024, AT(testfile_client, pipeline)),
    KEY(CLIENT, OTHER, "tls", "TLS, with the names of the command line", .type = "mapping"),
    KEY(CLIENT, OTHER, "source", "Addresses to connect from, in turn",
        .type = "numeric address or sequence of them"),
    KEY(CLIENT, OTHER, "resolve", "Host to numeric address: hosts that are not looked up",
        .type = "mapping"),
    KEY(CLIENT, BYTES, "max_response_body",
        "Of a body that an expression needs, its content codings (gzip, deflate, br) taken off; a "
        "larger one fails the request",
        .fallback = "16 MiB", .min = 1, .max = UINT64_C(1) << 30,
        AT(testfile_client, max_response_body)),

    /* tls */
    KEY(TLS, TEXT, "cacert", "File of certificates to trust (PEM)", .type = "file name",
        .otherwise = "those of the system", AT(testfile_tls, cacert)),
    KEY(TLS, BOOL, "insecure", "Do not verify the server's certificate", .fallback = "false",
        AT(testfile_tls, insecure)),
    KEY(TLS, TEXT, "cert", "File of the client's certificate (PEM)", .type = "file name",
        AT(testfile_tls, cert)),
    KEY(TLS, TEXT, "key", "File of its private key (PEM)", .type = "file name",
        .otherwise = "in the file of the certificate", AT(testfile_tls, key)),
    KEY(TLS, TEXT, "tls_min", "Lowest version", .fallback = "1.2", .words = tls_versions,
        AT(testfile_tls, tls_min)),
    KEY(TLS, TEXT, "tls_max", "Highest version", .fallback = "any", .words = tls_versions,
        AT(testfile_tls, tls_max)),
    KEY(TLS, TEXT, "ciphers", "Ciphers of TLS 1.2, as OpenSSL writes them",
        AT(testfile_tls, ciphers)),
    KEY(TLS, TEXT, "ciphersuites", "Cipher suites of TLS 1.3, as OpenSSL writes them",
        AT(testfile_tls, ciphersuites)),
    KEY(TLS, TEXT, "groups", "Groups for the key exchange, as OpenSSL writes them",
        AT(testfile_tls, groups)),
    KEY(TLS, TEXT, "sni", "Server name to send and to verify", .otherwise = "the host of the url",
        AT(testfile_tls, sni)),
    KEY(TLS, TEXT, "alpn", "Protocols to offer, separated by commas, or none",
        .fallback = "http/1.1", AT(testfile_tls, alpn)),
    KEY(TLS, TEXT, "tls_resume",
        "tickets: new connections resume a session where they can. full: none does. "
        "mix:80%: so many try to",
        .type = "full, tickets or mix:PERCENT", .fallback = "tickets",
        AT(testfile_tls, tls_resume)),

    /* general */
    KEY(GENERAL, COUNT, "auto_buffer_start_size",
        "What the limit of a provider with an automatic one begins with", .fallback = "5", .min = 1,
        .max = 1000000, AT(testfile_general, auto_buffer_start_size)),
    KEY(GENERAL, DURATION, "bucket_size", "Results are written for every such stretch of time",
        .fallback = "60s", .min = 10 * NS_PER_MS, .max = PLAN_STAGES_NS_MAX,
        AT(testfile_general, bucket_size_ns)),
    KEY(GENERAL, OTHER, "log_provider_stats",
        "Print what providers hold with every bucket; a duration means true",
        .type = "boolean or duration", .fallback = "true"),
    KEY(GENERAL, OTHER, "watch_transition_time",
        "Of reloading while a test runs, which this version cannot: a warning", .type = "duration"),
    KEY(GENERAL, WORD, "log_level",
        "What is told on stderr. off: nothing. error: why a run failed. warn: also what may "
        "spoil it. info: also how it begins. debug, trace: as --verbose. --quiet and --verbose "
        "come first",
        .fallback = "info", .words = log_levels, AT(testfile_general, log_level)),
    KEY(GENERAL, COUNT, "workers", "Threads that send requests", .otherwise = "one per processor",
        .min = 1, .max = PLAN_WORKERS_MAX, AT(testfile_general, workers)),
    KEY(GENERAL, OTHER, "seed", "Of all that is drawn at random", .type = "count",
        .otherwise = "another one each time"),
    KEY(GENERAL, COUNT, "max_pending",
        "Due requests that may wait for a connection; more are shed and counted",
        .fallback = "1000000", .min = 1, .max = PLAN_PENDING_MAX,
        AT(testfile_general, max_pending)),
    KEY(GENERAL, OTHER, "secret", "Vars whose values are masked in what is printed",
        .type = "name or sequence of names"),

    /* segment */
    KEY(SEGMENT, OTHER, "linear", "A segment in which the load changes evenly", .required = true,
        .type = "mapping"),

    /* linear */
    KEY(LINEAR, SHARE, "from", "Load at its start",
        .otherwise = "0% in the first segment, else the `to` of the one before",
        AT(raw_linear, from_share)),
    KEY(LINEAR, SHARE, "to", "Load at its end", .required = true, AT(raw_linear, to_share)),
    KEY(LINEAR, DURATION, "over", "How long it takes", .required = true, .min = 0,
        .max = PLAN_STAGES_NS_MAX, AT(raw_linear, over_ns)),

    /* provider */
    KEY(PROVIDER, OTHER, "file", "Values from a file", .type = "mapping"),
    KEY(PROVIDER, OTHER, "response", "Values from responses, through `provides`",
        .type = "mapping"),
    KEY(PROVIDER, OTHER, "list", "Values that stand here", .type = "sequence of values or mapping"),
    KEY(PROVIDER, OTHER, "range", "Whole numbers", .type = "mapping"),

    /* file */
    KEY(FILE, TEXT, "path", "The file, relative to the test file", .required = true,
        .type = "file name", AT(testfile_provider, path)),
    KEY(FILE, WORD, "format",
        "line: each line is a value. json: JSON values one after another. csv: records",
        .fallback = "line", .words = formats, AT(testfile_provider, format)),
    KEY(FILE, OTHER, "csv", "How the CSV is written", .type = "mapping"),
    KEY(FILE, BOOL, "parse", "Lines and cells that are JSON become that; else they are text",
        .fallback = "true", AT(testfile_provider, parse)),
    KEY(FILE, BOOL, "repeat", "Begin anew at the end", .fallback = "false",
        AT(testfile_provider, repeat)),
    KEY(FILE, BOOL, "random", "In random order; with `repeat` each value is drawn from all",
        .fallback = "false", AT(testfile_provider, random)),
    KEY(FILE, OTHER, "buffer",
        "How many values may wait: a soft limit. `auto` grows each time the queue was "
        "full and later found empty",
        .type = "count or auto", .fallback = "auto"),
    KEY(FILE, WORD, "auto_return",
        "Give a value back when the request that took it ends, in this way",
        .otherwise = "values are used once", .words = auto_returns,
        AT(testfile_provider, auto_return)),
    KEY(FILE, BOOL, "unique", "Drop a value that equals one now in the queue", .fallback = "false",
        AT(testfile_provider, unique)),

    /* csv */
    KEY(CSV, CHARACTER, "comment", "Lines that begin with it are left out", .otherwise = "none",
        AT(testfile_csv, comment)),
    KEY(CSV, CHARACTER, "delimiter", "Between cells", .fallback = ",", AT(testfile_csv, delimiter)),
    KEY(CSV, BOOL, "double_quote", "Two quotes inside quotes are one", .fallback = "true",
        AT(testfile_csv, double_quote)),
    KEY(CSV, CHARACTER, "escape", "Within quotes, makes the next character an ordinary one",
        .otherwise = "none", AT(testfile_csv, escape)),
    KEY(CSV, OTHER, "headers",
        "true: the first record names the cells. A CSV record names them itself. "
        "Records are then objects, else arrays",
        .type = "boolean or CSV record", .fallback = "false"),
    KEY(CSV, CHARACTER, "quote", "Around cells", .fallback = "\"", AT(testfile_csv, quote)),
    KEY(CSV, CHARACTER, "terminator", "Ends a record", .otherwise = "LF or CR LF",
        AT(testfile_csv, terminator)),

    /* response */
    KEY(RESPONSE, OTHER, "buffer",
        "How many values may wait: a soft limit. `auto` grows each time the queue was "
        "full and later found empty",
        .type = "count or auto", .fallback = "auto"),
    KEY(RESPONSE, WORD, "auto_return",
        "Give a value back when the request that took it ends, in this way",
        .otherwise = "values are used once", .words = auto_returns,
        AT(testfile_provider, auto_return)),
    KEY(RESPONSE, BOOL, "unique", "Drop a value that equals one now in the queue",
        .fallback = "false", AT(testfile_provider, unique)),

    /* list */
    KEY(LIST, OTHER, "values", "The values; strings in them are templates", .required = true,
        .type = "sequence of values"),
    KEY(LIST, BOOL, "repeat", "Begin anew at the end", .fallback = "true",
        AT(testfile_provider, repeat)),
    KEY(LIST, BOOL, "random", "In random order; with `repeat` each value is drawn from all",
        .fallback = "false", AT(testfile_provider, random)),
    KEY(LIST, OTHER, "buffer",
        "How many values may wait: a soft limit. `auto` grows each time the queue was "
        "full and later found empty",
        .type = "count or auto", .fallback = "auto"),
    KEY(LIST, WORD, "auto_return",
        "Give a value back when the request that took it ends, in this way",
        .otherwise = "values are used once", .words = auto_returns,
        AT(testfile_provider, auto_return)),
    KEY(LIST, BOOL, "unique", "Drop a value that equals one now in the queue", .fallback = "false",
        AT(testfile_provider, unique)),

    /* range */
    KEY(RANGE, INTEGER, "start", "The first number", .fallback = "0", AT(testfile_provider, start)),
    KEY(RANGE, INTEGER, "end", "The last one, if the steps meet it",
        .fallback = "9223372036854775807", AT(testfile_provider, end)),
    KEY(RANGE, INTEGER, "step", "From one number to the next; not 0", .fallback = "1",
        AT(testfile_provider, step)),
    KEY(RANGE, BOOL, "repeat", "Begin anew at the end", .fallback = "false",
        AT(testfile_provider, repeat)),
    KEY(RANGE, BOOL, "random", "In random order; with `repeat` each number is drawn from all",
        .fallback = "false", AT(testfile_provider, random)),
    KEY(RANGE, OTHER, "buffer",
        "How many values may wait: a soft limit. `auto` grows each time the queue was "
        "full and later found empty",
        .type = "count or auto", .fallback = "auto"),
    KEY(RANGE, WORD, "auto_return",
        "Give a value back when the request that took it ends, in this way",
        .otherwise = "values are used once", .words = auto_returns,
        AT(testfile_provider, auto_return)),
    KEY(RANGE, BOOL, "unique", "Drop a value that equals one now in the queue", .fallback = "false",
        AT(testfile_provider, unique)),

    /* logger */
    KEY(LOGGER, TEXT, "to",
        "`stdout`, `stderr` or a file, relative to the directory of the results", .required = true,
        .type = "file name", AT(testfile_logger, to)),
    KEY(LOGGER, OTHER, "select", "What is written, for every response and error of every endpoint",
        .type = "shape of expressions", .otherwise = "only what `logs` of endpoints feed"),
    KEY(LOGGER, OTHER, "for_each", "Repeats `select` for every element",
        .type = "sequence of expressions"),
    KEY(LOGGER, EXPRESSION, "where", "Only if this is true"),
    KEY(LOGGER, OTHER, "with", "Arrays made first, by name", .type = "mapping of nested selects"),
    KEY(LOGGER, BOOL, "pretty", "Indented JSON, over several lines", .fallback = "false",
        AT(testfile_logger, pretty)),
    KEY(LOGGER, COUNT, "limit", "Only the first so many values", .otherwise = "all", .min = 1,
        .max = INT64_MAX, AT(testfile_logger, limit)),
    KEY(LOGGER, BOOL, "kill",
        "End the test at the value after `limit`, of which there is then 1 unless "
        "given; exit status 3",
        .fallback = "false", AT(testfile_logger, kill)),
    KEY(LOGGER, WORD, "on_full",
        "When lines come faster than they can be written: hold the endpoints that log "
        "here back, or drop lines and count them",
        .fallback = "wait", .words = on_fulls, AT(testfile_logger, on_full)),

    /* endpoint */
    KEY(ENDPOINT, TEMPLATE, "url",
        "Absolute: http:// or https://. Scheme, host and port may come from values; up to 256 "
        "hosts besides those that are constant are found while the test runs",
        .required = true),
    KEY(ENDPOINT, TEXT, "method", "Of the request", .fallback = "GET",
        AT(testfile_endpoint, method)),
    KEY(ENDPOINT, TEXT, "name", "Under which its figures stand, and which `try` takes; unique",
        .otherwise = "method and url", AT(testfile_endpoint, name)),
    KEY(ENDPOINT, OTHER, "headers",
        "Beside those of the client; a plain `null` removes those of that name", .type = "headers"),
    KEY(ENDPOINT, OTHER, "body", "A template, or a mapping of one key",
        .type = "template or mapping", .otherwise = "none"),
    KEY(ENDPOINT, HITS, "peak_load", "How often at 100 % of the pattern",
        .otherwise = "as often as those who read its `provides` ask",
        AT(testfile_endpoint, peak_per_s)),
    KEY(ENDPOINT, OTHER, "load_pattern", "In the place of the common one",
        .type = "sequence of segments"),
    KEY(ENDPOINT, OTHER, "tags",
        "Statistics are kept apart by them: name to template. `method`, `url` and "
        "`_id` are there of themselves",
        .type = "mapping of templates"),
    KEY(ENDPOINT, OTHER, "declare",
        "Name to expression: values made of providers for each request, each mention "
        "taking one more",
        .type = "mapping of expressions"),
    KEY(ENDPOINT, OTHER, "provides", "Provider to what of the response goes there",
        .type = "mapping"),
    KEY(ENDPOINT, OTHER, "logs", "Logger to what of the response goes there", .type = "mapping"),
    KEY(ENDPOINT, BOOL, "on_demand",
        "Only when somebody waits for a provider that this endpoint feeds", .fallback = "false",
        AT(testfile_endpoint, on_demand)),
    KEY(ENDPOINT, COUNT, "max_parallel_requests",
        "Requests under way at most; the schedule is then no longer kept", .otherwise = "no bound",
        .min = 1, .max = UINT32_MAX, AT(testfile_endpoint, max_parallel_requests)),
    KEY(ENDPOINT, BOOL, "no_auto_returns",
        "Do not give values back to providers with `auto_return`", .fallback = "false",
        AT(testfile_endpoint, no_auto_returns)),
    KEY(ENDPOINT, BOOL, "send_all",
        "Wait until all `block` provides have taken their values, not only the first",
        .fallback = "false", AT(testfile_endpoint, send_all)),
    KEY(ENDPOINT, DURATION, "request_timeout", "In the place of the client's",
        .otherwise = "that of config.client", .min = 1, .max = PLAN_STAGES_NS_MAX,
        AT(testfile_endpoint, request_timeout_ns)),
    KEY(ENDPOINT, OTHER, "expect", "What an answer must be like; else the request counts as failed",
        .type = "mapping"),
    KEY(ENDPOINT, WORD, "on_error", "After a failed request: go on, or end the test",
        .fallback = "continue", .words = on_errors, AT(testfile_endpoint, on_error)),

    /* body */
    KEY(BODY, TEMPLATE, "file",
        "The content of this file, relative to the test file, of any size: a large one is read "
        "while it is sent"),
    KEY(BODY, OTHER, "files", "The contents of these files, one after another",
        .type = "sequence of templates"),
    KEY(BODY, OTHER, "json",
        "Any value, written as JSON. Strings in it are templates; a plain `${…}` alone "
        "is the value itself",
        .type = "any value"),
    KEY(BODY, OTHER, "multipart", "Field to piece", .type = "mapping of pieces"),

    /* piece */
    KEY(PIECE, OTHER, "headers", "Of this piece", .type = "headers"),
    KEY(PIECE, OTHER, "body", "A template, or a mapping with `file`", .required = true,
        .type = "template or mapping"),

    /* piece body */
    KEY(PIECE_BODY, TEMPLATE, "file", "The content of this file, relative to the test file",
        .required = true),

    /* provides */
    KEY(PROVIDES, OTHER, "select", "The value: any shape, whose strings are expressions",
        .required = true, .type = "shape of expressions"),
    KEY(PROVIDES, OTHER, "for_each",
        "Repeats `select` for every element; several make all combinations",
        .type = "sequence of expressions"),
    KEY(PROVIDES, EXPRESSION, "where", "Only if this is true"),
    KEY(PROVIDES, OTHER, "with", "Arrays made first, by name", .type = "mapping of nested selects"),
    KEY(PROVIDES, WORD, "send", "When the queue is full: wait, exceed its limit, or drop the value",
        .otherwise = "if_not_full with peak_load, else block", .words = sends,
        AT(testfile_output, send)),

    /* logs */
    KEY(LOGS, OTHER, "select", "The value: any shape, whose strings are expressions",
        .required = true, .type = "shape of expressions"),
    KEY(LOGS, OTHER, "for_each",
        "Repeats `select` for every element; several make all combinations",
        .type = "sequence of expressions"),
    KEY(LOGS, EXPRESSION, "where", "Only if this is true"),
    KEY(LOGS, OTHER, "with", "Arrays made first, by name", .type = "mapping of nested selects"),

    /* with */
    KEY(WITH, OTHER, "select", "The value: any shape, whose strings are expressions",
        .required = true, .type = "shape of expressions"),
    KEY(WITH, OTHER, "for_each",
        "Repeats `select` for every element; several make all combinations",
        .type = "sequence of expressions"),
    KEY(WITH, EXPRESSION, "where", "Only if this is true"),
    KEY(WITH, OTHER, "with", "Arrays made first, by name", .type = "mapping of nested selects"),

    /* expect */
    KEY(EXPECT, OTHER, "status", "200, a sequence of such, or 2xx",
        .type = "status or sequence of them", .otherwise = "any"),
    KEY(EXPECT, EXPRESSION, "where", "Must be true"),

    /* threshold */
    KEY(THRESHOLD, TEXT, "check", "The condition: METRIC OPERATOR VALUE", .required = true,
        AT(raw_threshold, check)),
    KEY(THRESHOLD, OTHER, "tags", "Only requests with these tags; `*` stands for anything",
        .type = "mapping of text"),
    KEY(THRESHOLD, WORD, "from", "Whether latencies are from when a request was due or sent",
        .fallback = "due", .words = dues, AT(raw_threshold, from)),
};
const size_t schema_keys_count = COUNT(schema_keys);

const struct schema_section_info schema_sections[SCHEMA_SECTIONS] = {
    [SCHEMA_ROOT] = {"", "a test file", "The keys at the root of the file."},
    [SCHEMA_CONFIG] = {"config", "'config'", "Settings; both parts may be left out."},
    [SCHEMA_CLIENT] = {"config.client", "'config.client'", "How requests are made."},
    [SCHEMA_TLS] = {"config.client.tls", "'tls'", "TLS, for endpoints with `https://`."},
    [SCHEMA_GENERAL] = {"config.general", "'config.general'", "How the test is run."},
    [SCHEMA_SEGMENT] = {"load_pattern", "a segment of a load pattern",
                        "A sequence of segments. The test lasts as long as the longest "
                        "pattern of any endpoint."},
    [SCHEMA_LINEAR] = {"load_pattern.linear", "'linear'",
                       "100 % is the `peak_load` of an endpoint. Hit n is due when the "
                       "integral of the rate reaches n, over all segments as one function."},
    [SCHEMA_PROVIDER] = {"providers", "a provider",
                         "Name to a mapping with one key, the type. Names that are no "
                         "identifiers are written `provider[\"name\"]` in expressions; "
                         "`request`, `response`, `stats` and `for_each` are reserved."},
    [SCHEMA_FILE] = {"providers.file", "a file provider", "Values from a file, streamed."},
    [SCHEMA_CSV] = {"providers.file.csv", "'csv'", "How the records of a CSV file are written."},
    [SCHEMA_RESPONSE] = {"providers.response", "a response provider",
                         "Values that `provides` of endpoints push. `response: {}` is "
                         "enough."},
    [SCHEMA_LIST] = {"providers.list", "a list provider",
                     "Either a sequence of values, or a mapping with these keys."},
    [SCHEMA_RANGE] = {"providers.range", "a range provider",
                      "Whole numbers. `range: {}` counts from 0."},
    [SCHEMA_LOGGER] =
        {"loggers", "a logger",
         "Name to logger. Text is written as it is, anything else as "
         "compact JSON, a line each. What a file held before is replaced; "
         "loggers with the same file share it, and there may be 64 files. No line is lost unless "
         "`on_full` says so or the file cannot be written, which is exit "
         "status 74. A logger with `select` of its own sees every answer, and "
         "every error as `error`, with `code` 0 not what was expected, 1 body, "
         "2 connection, 3 evaluation, 4 timeout, 5 wait for a provider, 6 "
         "request could not be built, and `msg`; what `logs` of endpoints "
         "select sees answers only."},
    [SCHEMA_ENDPOINT] = {"endpoints", "an endpoint",
                         "What is requested. Every provider that an endpoint mentions "
                         "anywhere is popped exactly once per request; all mentions see the "
                         "same value. An endpoint must have `peak_load` and a pattern, or a "
                         "`block` provides, or depend on a response provider."},
    [SCHEMA_BODY] = {"endpoints.body", "a body",
                     "One of these keys, or a template in their place. `!file path` is "
                     "short for `file: path`."},
    [SCHEMA_PIECE] = {"endpoints.body.multipart", "a piece of a multipart body",
                      "Field name to piece. The boundary is added to the content type, in "
                      "the place of one that it names unless values are put into it, "
                      "and the type is made `multipart/form-data` unless it begins with "
                      "`multipart/`."},
    [SCHEMA_PIECE_BODY] = {"endpoints.body.multipart.body", "the body of a piece",
                           "In the place of a template."},
    [SCHEMA_PROVIDES] = {"endpoints.provides", "an entry of 'provides'",
                         "Provider to what goes there. A provider may stand here twice."},
    [SCHEMA_LOGS] = {"endpoints.logs", "an entry of 'logs'",
                     "Logger to what goes there. A logger may stand here twice."},
    [SCHEMA_WITH] = {"endpoints.provides.with", "a nested select",
                     "Name to a select whose values are an array, visible by that name "
                     "beside it, to any depth."},
    [SCHEMA_EXPECT] = {"endpoints.expect", "'expect'", "What an answer must be like."},
    [SCHEMA_THRESHOLD] = {"thresholds", "a threshold",
                          "A sequence of conditions such as `p99 < 250ms`, or mappings with "
                          "these keys. METRIC is `pN` (a percentile, such as p99.9), `mean`, "
                          "`min` or `max` of the latencies with a duration, `error_rate` "
                          "with a percent, `rate` (answers) with hits such as `500hps`, or "
                          "`requests` or `errors` with a count; OPERATOR is `<`, `<=`, `>` "
                          "or `>=`."},
};

const struct schema_key *schema_section_keys(enum schema_section section, size_t *ret_count)
{
    const struct schema_key *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < schema_keys_count; i++) {
        if (schema_keys[i].section != section) continue;
        if (first == NULL) first = &schema_keys[i];
        CHECK(first + count == &schema_keys[i]);
        count++;
    }
    CHECK(first != NULL);
    *ret_count = count;
    return first;
}

const struct schema_key *schema_find(enum schema_section section, const char *name)
{
    for (size_t i = 0; i < schema_keys_count; i++) {
        if (schema_keys[i].section != section) continue;
        if (strcmp(schema_keys[i].name, name) == 0) return &schema_keys[i];
    }
    return NULL;
}

const char *schema_nearest(enum schema_section section, const char *name)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (size_t i = 0; i < schema_keys_count; i++) {
        if (schema_keys[i].section != section || schema_keys[i].later) continue;
        (void)nearest_offer(&nearest, schema_keys[i].name);
    }
    return nearest.best;
}
