/* What a test file that is right becomes: the model, section by section. What is told of wrong ones
 * stands in test_wrong_files.c. */
#include "config/testfile.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/schema.h"
#include "tests/test.h"

/* A test file at hand. */
struct loaded {
    struct arena arena;
    struct diags diags;
    struct testfile *file;
};

static const char *environment(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "PORT") == 0) return "8080";
    if (strcmp(name, "WORD") == 0) return "a word";
    if (strcmp(name, "own") == 0) return "from outside";
    if (strcmp(name, "TARGET") == 0) return "http://127.0.0.1:8080";
    if (strcmp(name, "PEAK") == 0) return "10";
    if (strcmp(name, "USER") == 0) return "somebody";
    return NULL;
}

static const struct testfile_options options = {.environment = environment,
                                                .wall_ns = UINT64_C(1700000000) * NS_PER_S,
                                                .seed = 5,
                                                .skip_files = true};

static void load_text(struct loaded *loaded, const char *text)
{
    struct source source = source_of_text("dir/t.yaml", text, strlen(text));
    struct text out;

    arena_init(&loaded->arena, 0);
    diags_init(&loaded->diags, &loaded->arena);
    loaded->file = testfile_load_text(&source, &options, &loaded->diags);
    EXPECT(!loaded->diags.failed);
    if (loaded->file != NULL) return;
    text_init(&out, &loaded->arena);
    diags_human(&loaded->diags, &out);
    (void)fprintf(stderr, "%s", out.data);
    EXPECT(loaded->file != NULL);
}

static void release(struct loaded *loaded)
{
    testfile_free(loaded->file);
    arena_release(&loaded->arena);
}

#define PATTERN "load_pattern:\n  - linear: {from: 100%, to: 100%, over: 1m}\n"
#define PLAIN   PATTERN "endpoints:\n  - {url: 'http://localhost/', peak_load: 2hps}\n"

/* The constant text of a template. */
static const char *text_of(const struct testfile_text *text)
{
    const char *constant;
    size_t len;

    EXPECT(text->compiled != NULL);
    return template_is_constant(text->compiled, &constant, &len) ? constant : "(not constant)";
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

static void test_testfile_defaults_are_those_of_the_table(void)
{
    const struct testfile_endpoint *endpoint;
    const struct testfile_general *general;
    const struct testfile_client *client;
    struct loaded loaded;

    load_text(&loaded, PLAIN);
    client = &loaded.file->client;
    general = &loaded.file->general;
    endpoint = &loaded.file->endpoints[0];
    EXPECT(client->request_timeout_ns == 60 * NS_PER_S && client->keepalive_ns == 90 * NS_PER_S);
    EXPECT(client->connect_timeout_ns == 0 && client->max_connections == 0);
    EXPECT(client->pipeline == 1 && client->max_response_body == 16 << 20);
    EXPECT(!client->tls.insecure && client->tls.cacert == NULL);
    EXPECT(general->auto_buffer_start_size == 5 && general->bucket_size_ns == 60 * NS_PER_S);
    EXPECT(general->log_provider_stats && !general->seed_is_given && general->workers == 0);
    EXPECT(general->log_level == LOG_INFO && general->max_pending == 1000000);
    EXPECT(loaded.file->endpoints_count == 1 && loaded.file->providers_count == 0);
    EXPECT(strcmp(endpoint->method, "GET") == 0);
    EXPECT(strcmp(endpoint->name, "GET http://localhost/") == 0);
    EXPECT(endpoint->body.kind == BODY_NONE && endpoint->headers_count == 0);
    EXPECT(endpoint->request_timeout_ns == 60 * NS_PER_S && !endpoint->on_demand);
    EXPECT(endpoint->tags_count == 1 && strcmp(endpoint->tags[0].name, "url") == 0);
    EXPECT(strcmp(text_of(&endpoint->tags[0].value), "http://localhost/") == 0);
    EXPECT(endpoint->on_error == ON_ERROR_CONTINUE && endpoint->max_parallel_requests == 0);
    EXPECT(loaded.file->duration_ns == 60 * NS_PER_S);
    release(&loaded);
}

static void test_testfile_config_is_all_read(void)
{
    const struct testfile_general *general;
    const struct testfile_client *client;
    struct loaded loaded;

    load_text(&loaded, "config:\n"
                       "  client:\n"
                       "    request_timeout: 1m30s\n"
                       "    keepalive: 5 secs\n"
                       "    max_connection: 7\n"
                       "    max_connections_per_host: 3\n"
                       "    connect_timeout: 1.5s\n"
                       "    max_requests_per_connection: 10k\n"
                       "    pipeline: 4\n"
                       "    tls: {insecure: true, tls_min: 1.3, sni: name, alpn: http/1.1}\n"
                       "    source: [127.0.0.1, \"::1\"]\n"
                       "    resolve: {a.test: 127.0.0.2, b.test: \"::2\"}\n"
                       "    max_response_body: 1.5 KiB\n"
                       "  general:\n"
                       "    auto_buffer_start_size: 9\n"
                       "    bucket_size: 5s\n"
                       "    log_provider_stats: 10s\n"
                       "    log_level: debug\n"
                       "    workers: 2\n"
                       "    seed: 42\n"
                       "    max_pending: 100\n"
                       "    secret: [password]\n"
                       "vars: {password: '${WORD}'}\n" PLAIN);
    client = &loaded.file->client;
    general = &loaded.file->general;
    EXPECT(client->request_timeout_ns == 90 * NS_PER_S && client->keepalive_ns == 5 * NS_PER_S);
    EXPECT(client->max_connections == 7 && client->max_connections_per_host == 3);
    EXPECT(client->connect_timeout_ns == 1500 * NS_PER_MS && client->pipeline == 4);
    EXPECT(client->max_requests_per_connection == 10000);
    EXPECT(client->tls.insecure && strcmp(client->tls.tls_min, "1.3") == 0);
    EXPECT(strcmp(client->tls.sni, "name") == 0 && strcmp(client->tls.alpn, "http/1.1") == 0);
    EXPECT(client->sources_count == 2 && strcmp(client->sources[1], "::1") == 0);
    EXPECT(client->resolves_count == 2 && strcmp(client->resolves[1].host, "b.test") == 0);
    EXPECT(strcmp(client->resolves[0].address, "127.0.0.2") == 0);
    EXPECT(client->max_response_body == 1536);
    EXPECT(general->auto_buffer_start_size == 9 && general->bucket_size_ns == 5 * NS_PER_S);
    EXPECT(general->log_provider_stats && general->log_level == LOG_DEBUG);
    EXPECT(general->workers == 2 && general->seed_is_given && general->seed == 42);
    EXPECT(general->max_pending == 100 && general->secrets_count == 1);
    release(&loaded);
}

static void test_testfile_watch_is_taken_with_a_warning(void)
{
    struct loaded loaded;

    load_text(&loaded, "config: {general: {watch_transition_time: 10s}}\n" PLAIN);
    EXPECT(loaded.diags.warnings == 1);
    EXPECT(strstr(loaded.diags.list[0].message, "'watch_transition_time' has no effect") != NULL);
    release(&loaded);
}

/* Values of vars as JSON. */
static void test_testfile_vars_become_values(void)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"5", "5"},
        {"1.5", "1.5"},
        {"true", "true"},
        {"NaN", "null"},
        {"null", "null"},
        {"text", "\"text\""},
        {"'5'", "5"}, /* Strings of vars that are JSON become it. */
        {"!!str 5", "5"},
        {"!!null 5", "null"},
        {"[1, two, {a: 3}]", "[1,\"two\",{\"a\":3}]"},
        {"{z: 1, a: 2}", "{\"z\":1,\"a\":2}"},
        {"'${PORT}'", "8080"},
        {"${WORD}", "\"a word\""},
        {"http://localhost:${PORT}/", "\"http://localhost:8080/\""},
        {"${own}", "\"from outside\""},
        {"[\"${WORD}\", \"${other.b[1]}\"]", "[\"a word\",\"x\"]"},
        {"${1 + 2}", "3"},
        {"'{\"a\": ${PORT}}'", "{\"a\":8080}"},
        {"${epoch(\"s\")}", "1700000000"},
        {"${other}", "{\"b\":[1,\"x\"]}"},
        {"\\${x}", "\"${x}\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char yaml[600], json[200];
        struct loaded loaded;
        struct buf buf;

        (void)snprintf(yaml, sizeof(yaml), "vars:\n  own: %s\n  other: {b: [1, x]}\n%s",
                       rows[i].yaml, PLAIN);
        load_text(&loaded, yaml);
        EXPECT(loaded.file->vars_count == 2 && strcmp(loaded.file->vars[0].name, "own") == 0);
        buf_init(&buf, json, sizeof(json) - 1);
        value_write_json(&loaded.file->vars[0].value, &buf);
        json[buf.len] = '\0';
        if (strcmp(json, rows[i].json) != 0) (void)fprintf(stderr, "row %zu: %s\n", i, json);
        EXPECT(!buf.full && strcmp(json, rows[i].json) == 0);
        release(&loaded);
    }
}

static void test_testfile_patterns_become_rates(void)
{
    const struct testfile_endpoint *endpoint;
    struct loaded loaded;

    load_text(&loaded, "vars: {n: 30, t: 10s}\n"
                       "load_pattern:\n"
                       "  - linear: {to: 50%, over: 1m}\n"
                       "  - linear: {to: 250%, over: \"${t}\"}\n"
                       "  - linear: {from: 10%, to: 0%, over: 1.5 min}\n"
                       "endpoints:\n"
                       "  - {url: 'http://localhost/a', peak_load: \"${n} hpm\"}\n"
                       "  - url: http://localhost/b\n"
                       "    peak_load: 4HPS\n"
                       "    load_pattern: [{linear: {from: 25%, to: 25%, over: 3h}}]\n");
    endpoint = &loaded.file->endpoints[0];
    EXPECT(endpoint->stages_count == 3 && endpoint->has_peak_load);
    EXPECT(is_near(endpoint->peak_per_s, 0.5) && is_near(endpoint->stages[0].to_per_s, 0.25));
    EXPECT(endpoint->stages[0].from_per_s == 0 && endpoint->stages[0].length_ns == 60 * NS_PER_S);
    EXPECT(is_near(endpoint->stages[1].from_per_s, 0.25));
    EXPECT(is_near(endpoint->stages[1].to_per_s, 1.25));
    EXPECT(is_near(endpoint->stages[2].from_per_s, 0.05) && endpoint->stages[2].to_per_s == 0);
    EXPECT(endpoint->duration_ns == 160 * NS_PER_S);
    endpoint = &loaded.file->endpoints[1];
    EXPECT(endpoint->stages_count == 1 && is_near(endpoint->stages[0].to_per_s, 1));
    EXPECT(loaded.file->duration_ns == 3 * 3600 * NS_PER_S);
    release(&loaded);
}

static void test_testfile_providers_are_read_by_type(void)
{
    const struct testfile_provider *provider;
    struct loaded loaded;

    load_text(&loaded,
              "vars: {dir: data}\n" PATTERN "providers:\n"
              "  csv:\n"
              "    file: {path: \"${dir}/a.csv\", format: csv, repeat: true, buffer: 10,\n"
              "           csv: {delimiter: \";\", headers: 'a;\"b;\"\"c\";d', comment: \"#\"}}\n"
              "  lines: {file: {path: /x, random: true, parse: false, auto_return: force}}\n"
              "  first: {file: {path: j, format: csv, csv: {headers: true}, unique: true}}\n"
              "  answer: {response: {}}\n"
              "  list: {list: [1, '1', a, \"${dir}\", {b: [\"${dir}\"]}]}\n"
              "  values: {list: {values: [x], repeat: false, random: true}}\n"
              "  range: {range: {start: -5, end: 5, step: 2}}\n"
              "  down: {range: {start: 5, end: -5, step: -1, repeat: true, buffer: auto}}\n"
              "endpoints: [{url: 'http://localhost/', peak_load: 1hps}]\n");
    provider = loaded.file->providers;
    EXPECT(loaded.file->providers_count == 8);
    EXPECT(provider[0].kind == PROVIDER_FILE && provider[0].format == FORMAT_CSV);
    EXPECT(strcmp(provider[0].path, "data/a.csv") == 0);
    EXPECT(strcmp(provider[0].file, "dir/data/a.csv") == 0);
    EXPECT(provider[0].repeat && !provider[0].random && provider[0].buffer == 10);
    EXPECT(provider[0].csv.delimiter == ';' && provider[0].csv.quote == '"');
    EXPECT(provider[0].csv.comment == '#' && provider[0].csv.double_quote);
    EXPECT(provider[0].csv.headers == CSV_HEADERS_GIVEN && provider[0].csv.names_count == 3);
    EXPECT(strcmp(provider[0].csv.names[1], "b;\"c") == 0);
    EXPECT(provider[1].random && !provider[1].parse && provider[1].format == FORMAT_LINE);
    EXPECT(strcmp(provider[1].file, "/x") == 0 && provider[1].auto_return == RETURN_FORCE);
    EXPECT(provider[2].csv.headers == CSV_HEADERS_FIRST && provider[2].unique);
    EXPECT(provider[3].kind == PROVIDER_RESPONSE && provider[3].buffer == 0);
    EXPECT(provider[4].kind == PROVIDER_LIST && provider[4].values_count == 5);
    EXPECT(provider[4].values[0].kind == VALUE_INT && provider[4].values[1].kind == VALUE_STRING);
    EXPECT(provider[4].repeat && !provider[5].repeat && provider[5].random);
    EXPECT(provider[4].values[3].len == 4 && memcmp(provider[4].values[3].string, "data", 4) == 0);
    EXPECT(provider[6].start == -5 && provider[6].end == 5 && provider[6].step == 2);
    EXPECT(!provider[6].repeat && provider[7].repeat && provider[7].step == -1);
    release(&loaded);
}

static void test_testfile_headers_are_merged_as_specified(void)
{
    static const struct {
        const char *own;    /* Headers of the endpoint. */
        const char *wanted; /* "name=value" in order. */
    } rows[] = {
        {"{}", "A=1 B=2 b=3 "},
        {"{c: 4}", "A=1 B=2 b=3 c=4 "},
        {"{a: null}", "B=2 b=3 "},
        {"{a: !!null x}", "B=2 b=3 "},
        {"{B: null}", "A=1 "},
        {"{a: null, a: 5}", "B=2 b=3 a=5 "},
        {"{a: 5}", "A=1 B=2 b=3 a=5 "},
        {"{a: 'null'}", "A=1 B=2 b=3 a=null "},
        {"{c: 1, c: 2}", "A=1 B=2 b=3 c=1 c=2 "},
        {"{c: }", "A=1 B=2 b=3 c= "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct testfile_endpoint *endpoint;
        char yaml[600], got[200] = "";
        struct loaded loaded;
        size_t len = 0;

        (void)snprintf(yaml, sizeof(yaml),
                       "config: {client: {headers: {A: 1, B: 2, b: 3}}}\n%s"
                       "endpoints: [{url: 'http://localhost/', peak_load: 1hps, headers: %s}]\n",
                       PATTERN, rows[i].own);
        load_text(&loaded, yaml);
        endpoint = &loaded.file->endpoints[0];
        for (uint32_t j = 0; j < endpoint->headers_count; j++) {
            len +=
                (size_t)snprintf(got + len, sizeof(got) - len, "%s=%s ", endpoint->headers[j].name,
                                 text_of(&endpoint->headers[j].value));
        }
        if (strcmp(got, rows[i].wanted) != 0) (void)fprintf(stderr, "row %zu: %s\n", i, got);
        EXPECT(strcmp(got, rows[i].wanted) == 0);
        release(&loaded);
    }
}

static void test_testfile_leaves_out_headers_that_are_made(void)
{
    struct loaded loaded;

    load_text(&loaded, PATTERN "endpoints:\n  - {url: 'http://localhost/', peak_load: 1hps,\n"
                               "     headers: {host: a, CONTENT-LENGTH: 5, X: y}}\n");
    EXPECT(loaded.file->endpoints[0].headers_count == 1 && loaded.diags.warnings == 2);
    release(&loaded);
}

static void test_testfile_bodies_are_read_by_kind(void)
{
    static const struct {
        const char *yaml;
        enum testfile_body_kind kind;
        uint32_t count;
        const char *text; /* Of a text, a JSON body, the first file or piece. */
    } rows[] = {
        {"plain", BODY_TEXT, 0, "plain"},
        {"'{\"a\": ${n}}'", BODY_TEXT, 0, "{\"a\": 5}"},
        {"{file: a.txt}", BODY_FILES, 1, "a.txt"},
        {"!file a.txt", BODY_FILES, 1, "a.txt"},
        {"{files: [a, \"b${n}\"]}", BODY_FILES, 2, "a"},
        {"{json: {a: [1, \"${n}\", '2', x]}}", BODY_JSON, 0, "{\"a\":[1,\"5\",\"2\",\"x\"]}"},
        {"{json: [\"x${n}\", !!null x, 1.0]}", BODY_JSON, 0, "[\"x5\",null,1.0]"},
        {"\n      json:\n        a: ${n}", BODY_JSON, 0, "{\"a\":5}"},
        {"{multipart: {f: {body: x}, f: {body: {file: g}}}}", BODY_MULTIPART, 2, "x"},
        {"{multipart: {f: {headers: {a: b}, body: !file g}}}", BODY_MULTIPART, 1, "g"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct testfile_body *body;
        const char *text = NULL;
        char yaml[600];
        struct loaded loaded;

        (void)snprintf(
            yaml, sizeof(yaml),
            "vars: {n: 5}\n%s"
            "endpoints:\n  - url: http://localhost/\n    peak_load: 1hps\n    body: %s\n",
            PATTERN, rows[i].yaml);
        load_text(&loaded, yaml);
        body = &loaded.file->endpoints[0].body;
        EXPECT(body->kind == rows[i].kind && body->count == rows[i].count);
        switch (body->kind) {
        case BODY_NONE: break;
        case BODY_TEXT:
        case BODY_JSON: text = text_of(&body->text); break;
        case BODY_FILES: text = text_of(&body->files[0]); break;
        case BODY_MULTIPART: text = text_of(&body->pieces[0].content); break;
        }
        if (strcmp(text, rows[i].text) != 0) (void)fprintf(stderr, "row %zu: %s\n", i, text);
        EXPECT(strcmp(text, rows[i].text) == 0);
        release(&loaded);
    }
}

static void test_testfile_knows_what_an_endpoint_pops(void)
{
    const struct testfile_endpoint *endpoint;
    bool input[4] = {false};
    struct loaded loaded;

    load_text(&loaded, PATTERN
              "providers: {p: {range: {}}, q: {range: {}}, r: {range: {}}, s: {range: {}}}\n"
              "loggers: {l: {to: stderr, select: [response.body.x, s]}}\n"
              "endpoints:\n"
              "  - url: http://localhost/${p}/${p}\n"
              "    peak_load: 1hps\n"
              "    declare: {d: '`${e}`', e: 'collect(q, 2)', q: q, unused: r}\n"
              "    body: ${d}${q}\n"
              "    tags: {t: \"${response.body.y}\"}\n");
    endpoint = &loaded.file->endpoints[0];
    EXPECT(endpoint->slots_count == 4 && endpoint->declares_count == 4);
    EXPECT(endpoint->declares_used == 3); /* e, d, q */
    for (uint32_t i = 0; i < endpoint->slots_count; i++) {
        input[endpoint->slots[i]] = endpoint->is_input[i];
    }
    EXPECT(input[0] && !input[1] && !input[2] && input[3]);
    for (uint32_t i = 0; i < endpoint->declares_used; i++) {
        const struct testfile_declare *declare = &endpoint->declares[endpoint->declares_order[i]];

        EXPECT(strcmp(declare->name, "unused") != 0);
        if (strcmp(declare->name, "d") == 0) EXPECT(i > 0);
        if (strcmp(declare->name, "e") == 0) EXPECT(declare->needs.mentions[0].collected);
    }
    EXPECT(endpoint->logs_count == 1 && endpoint->logs[0].is_global);
    EXPECT(json_paths_count(endpoint->needs.body) == 2);
    EXPECT(loaded.file->providers[3].is_read && !loaded.file->providers[2].is_read);
    EXPECT(loaded.diags.warnings == 2); /* unused, and r, which nobody reads */
    release(&loaded);
}

static void test_testfile_selects_are_whole(void)
{
    const struct testfile_output *output;
    struct loaded loaded;

    load_text(&loaded,
              PATTERN "providers: {p: {response: {}}, q: {response: {}}}\n"
                      "endpoints:\n"
                      "  - url: http://localhost/${p}${q}\n"
                      "    peak_load: 1hps\n"
                      "    send_all: true\n"
                      "    provides:\n"
                      "      p:\n"
                      "        with:\n"
                      "          big: {for_each: [response.body.a], where: 'for_each[0] > 1',\n"
                      "                select: 'for_each[0]', with: {inner: {select: '1'}}}\n"
                      "          all: {select: 'big.length'}\n"
                      "        where: response.status == 200\n"
                      "        for_each: [big]\n"
                      "        select: {id: 'for_each[0]', n: all, one: 1, t: true}\n"
                      "      q: {select: '2', send: force}\n"
                      "      p: {select: '3', send: block, where: 'for_each[0]', for_each: [p]}\n");
    EXPECT(loaded.file->endpoints[0].provides_count == 3);
    EXPECT(loaded.file->endpoints[0].locals_count == 3 && loaded.file->endpoints[0].send_all);
    output = loaded.file->endpoints[0].provides;
    EXPECT(output[0].target == 0 && output[1].target == 1 && output[2].target == 0);
    EXPECT(output[0].send == SEND_IF_NOT_FULL && output[1].send == SEND_FORCE);
    EXPECT(output[2].send == SEND_BLOCK && !output[2].select.where_is_first);
    EXPECT(output[0].select.where_is_first && output[0].select.with_count == 2);
    EXPECT(output[0].select.for_each_count == 1 && output[0].select.select != NULL);
    EXPECT(output[0].select.with[0].select->with_count == 1);
    EXPECT(!output[0].select.with[0].select->where_is_first);
    EXPECT(loaded.file->providers[0].is_fed && loaded.file->providers[0].is_read);
    release(&loaded);
}

static void test_testfile_sends_block_without_a_rate(void)
{
    struct loaded loaded;

    load_text(&loaded, PATTERN "providers: {p: {response: {}}}\n"
                               "endpoints:\n"
                               "  - {url: 'http://localhost/', provides: {p: {select: '1'}}}\n"
                               "  - {url: 'http://localhost/${p}', max_parallel_requests: 3}\n");
    EXPECT(loaded.file->endpoints[0].provides[0].send == SEND_BLOCK);
    EXPECT(loaded.file->endpoints[0].stages_count == 0);
    EXPECT(loaded.file->endpoints[0].duration_ns == 60 * NS_PER_S);
    EXPECT(loaded.file->endpoints[1].max_parallel_requests == 3);
    EXPECT(loaded.diags.warnings == 0);
    release(&loaded);
}

static void test_testfile_names_endpoints_apart(void)
{
    static const char *const wanted[] = {"GET http://a/ #2", "GET http://a/", "GET http://a/ #3",
                                         "POST http://a/", "GET http://a/ #4"};
    struct loaded loaded;

    load_text(&loaded, PATTERN "endpoints:\n"
                               "  - {url: 'http://a/', peak_load: 1hps, name: 'GET http://a/ #2'}\n"
                               "  - {url: 'http://a/', peak_load: 1hps}\n"
                               "  - {url: 'http://a/', peak_load: 1hps}\n"
                               "  - {url: 'http://a/', peak_load: 1hps, method: POST}\n"
                               "  - {url: 'http://a/', peak_load: 1hps}\n");
    for (size_t i = 0; i < COUNT(wanted); i++) {
        EXPECT(strcmp(loaded.file->endpoints[i].name, wanted[i]) == 0);
    }
    release(&loaded);
}

static void test_testfile_loggers_and_thresholds(void)
{
    const struct testfile_threshold *threshold;
    const struct testfile_logger *logger;
    struct loaded loaded;

    load_text(&loaded,
              PLAIN "loggers:\n"
                    "  a: {to: stdout, select: response.status, kill: true, pretty: true}\n"
                    "  b: {to: \"${w}.txt\", limit: 5, kill: true, on_full: drop,\n"
                    "      select: {e: error.msg}}\n"
                    "vars: {w: \"${WORD}\", n: 80}\n"
                    "thresholds:\n"
                    "  - p99.9 <= 250ms\n"
                    "  - error_rate<0.1%\n"
                    "  - \"rate >= ${n}hps\"\n"
                    "  - {check: max > 1s, from: sent, tags: {url: '*'}}\n"
                    "  - errors < 5\n");
    logger = loaded.file->loggers;
    threshold = loaded.file->thresholds;
    EXPECT(loaded.file->loggers_count == 2 && logger[0].is_global && logger[0].pretty);
    EXPECT(logger[0].kill && logger[0].limit == 1 && logger[0].on_full == ON_FULL_WAIT);
    EXPECT(strcmp(logger[1].to, "a word.txt") == 0 && logger[1].limit == 5);
    EXPECT(logger[1].on_full == ON_FULL_DROP);
    EXPECT(loaded.file->thresholds_count == 5);
    EXPECT(threshold[0].metric == METRIC_PERCENTILE && is_near(threshold[0].percentile, 99.9));
    EXPECT(threshold[0].compare == COMPARE_LESS_EQUAL && is_near(threshold[0].value, 250e6));
    EXPECT(threshold[1].metric == METRIC_ERROR_RATE && is_near(threshold[1].value, 0.001));
    EXPECT(threshold[2].metric == METRIC_RATE && is_near(threshold[2].value, 80));
    EXPECT(threshold[2].compare == COMPARE_GREATER_EQUAL && !threshold[2].from_sent);
    EXPECT(threshold[3].metric == METRIC_MAX && threshold[3].from_sent);
    EXPECT(threshold[3].tags_count == 1 && strcmp(threshold[3].tags[0].value.text, "*") == 0);
    EXPECT(threshold[4].metric == METRIC_ERRORS && is_near(threshold[4].value, 5));
    release(&loaded);
}

static void test_testfile_expects_statuses(void)
{
    const struct testfile_expect *expect;
    struct loaded loaded;

    load_text(&loaded, PATTERN
              "endpoints:\n  - {url: 'http://localhost/', peak_load: 1hps, on_error: stop,\n"
              "     expect: {status: [200, 20x, 3XX], where: response.body}}\n");
    expect = &loaded.file->endpoints[0].expect;
    EXPECT(expect->statuses_count == 3 && expect->where != NULL);
    EXPECT(expect->statuses[0].from == 200 && expect->statuses[0].to == 200);
    EXPECT(expect->statuses[1].from == 200 && expect->statuses[1].to == 209);
    EXPECT(expect->statuses[2].from == 300 && expect->statuses[2].to == 399);
    EXPECT(loaded.file->endpoints[0].on_error == ON_ERROR_STOP);
    release(&loaded);
}

static void test_testfile_warns_of_what_is_surely_not_meant(void)
{
    static const struct {
        const char *yaml, *part; /* Part NULL: no warning. */
    } rows[] = {
        {PLAIN "providers: {p: {range: {}}}\n", "nobody reads the provider 'p'"},
        {PLAIN "loggers: {l: {to: stderr}}\n", "nobody feeds the logger 'l'"},
        {PATTERN "providers: {p: {response: {}}}\n"
                 "endpoints: [{url: 'http://a/${p}', peak_load: 1hps}]\n",
         "nobody feeds the provider 'p'"},
        {PLAIN "providers: {p: {range: {}}}\nvars: {p: 1}\n", "is hidden by the var"},
        {PATTERN "endpoints:\n  - {url: 'http://a/', peak_load: 1hps, tags: {t: x}}\n"
                 "  - {url: 'http://b/', peak_load: 1hps, tags: {t: x}}\n",
         "the tag 't' never varies: it is 'x' in every endpoint"},
        {PATTERN "endpoints:\n  - {url: 'http://a/', peak_load: 1hps, tags: {t: x}}\n"
                 "  - {url: 'http://b/', peak_load: 1hps, tags: {t: y}}\n",
         NULL},
        {PATTERN "endpoints: [{url: 'http://a/', peak_load: 0.001hps}]\n",
         "the rate is too low for one hit"},
        {PATTERN "endpoints: [{url: 'http://a/', peak_load: 1hps, on_demand: true}]\n",
         "'on_demand' has no effect without 'provides'"},
        {PATTERN "endpoints: [{url: 'http://a/', peak_load: 1hps, headers: {x: null}}]\n",
         "there is no header 'x' to remove"},
        {PATTERN "providers: {p: {file: {path: x, csv: {}}}}\n"
                 "endpoints: [{url: 'http://a/${p}', peak_load: 1hps}]\n",
         "'csv' has no effect without 'format: csv'"},
        {PATTERN "providers: {error: {range: {}}}\n"
                 "endpoints: [{url: 'http://a/${error}', peak_load: 1hps}]\n",
         "a provider called 'error' is easily taken for something else"},
        {PATTERN "vars: {d: 1}\nendpoints: [{url: 'http://a/${d}', peak_load: 1hps,\n"
                 "    declare: {d: '2'}}]\n",
         "the declare 'd' is never seen: a var has that name"},
        {PATTERN "providers: {p: {response: {}}, q: {response: {}}}\n"
                 "endpoints:\n"
                 "  - {url: 'http://a/${p}', provides: {q: {select: '1', send: block}}}\n"
                 "  - {url: 'http://b/${q}', provides: {p: {select: '1', send: block}}}\n",
         "this endpoint never runs: it waits for 'p', which only endpoints feed that wait"},
        {PATTERN "providers: {p: {response: {}}}\n"
                 "endpoints:\n"
                 "  - {url: 'http://a/', peak_load: 1hps, provides: {p: {select: '1'}}}\n"
                 "  - {url: 'http://b/${p}', provides: {p: {select: p, send: force}}}\n",
         NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded loaded;
        bool told = false;

        load_text(&loaded, rows[i].yaml);
        for (uint32_t j = 0; rows[i].part != NULL && j < loaded.diags.count; j++) {
            told |= strstr(loaded.diags.list[j].message, rows[i].part) != NULL;
        }
        if (told != (rows[i].part != NULL)) (void)fprintf(stderr, "row %zu\n", i);
        EXPECT(told == (rows[i].part != NULL));
        EXPECT(rows[i].part != NULL || loaded.diags.warnings == 0);
        release(&loaded);
    }
}

/* Every file of docs/examples is right, without a warning, together with the files it names. */
static void test_testfile_examples_are_right(void)
{
    struct testfile_options with_files = options;
    DIR *dir = opendir("docs/examples");
    size_t count = 0;

    EXPECT(dir != NULL);
    with_files.skip_files = false;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        struct loaded loaded;
        char path[300];

        if (len < 5 || strcmp(entry->d_name + len - 5, ".yaml") != 0) continue;
        (void)snprintf(path, sizeof(path), "docs/examples/%s", entry->d_name);
        arena_init(&loaded.arena, 0);
        diags_init(&loaded.diags, &loaded.arena);
        loaded.file = testfile_load(path, &with_files, &loaded.diags);
        if (loaded.file == NULL || loaded.diags.count > 0) {
            (void)fprintf(stderr, "%s: %s\n", path,
                          loaded.diags.count > 0 ? loaded.diags.list[0].message : "no memory");
        }
        EXPECT(loaded.file != NULL && loaded.diags.count == 0);
        release(&loaded);
        count++;
    }
    EXPECT(closedir(dir) == 0);
    EXPECT(count >= 25);
}

/* docs/test-file.md is what the table says; PELT_GOLDEN=refresh writes it anew. */
static void test_testfile_reference_page_is_that_of_the_table(void)
{
    static const char path[] = "docs/test-file.md";
    const char *refresh = getenv("PELT_GOLDEN");
    struct arena arena;
    struct text text;
    char *page;
    size_t len;
    FILE *file;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    schema_reference(&text);
    EXPECT(!text.failed);
    if (refresh != NULL && strcmp(refresh, "refresh") == 0) {
        file = fopen(path, "w");
        EXPECT(file != NULL && fwrite(text.data, 1, text.len, file) == text.len);
        EXPECT(fclose(file) == 0);
    }
    page = arena_alloc(&arena, text.len + 1, 1);
    file = fopen(path, "r");
    EXPECT(page != NULL && file != NULL);
    len = fread(page, 1, text.len + 1, file);
    EXPECT(fclose(file) == 0);
    EXPECT(len == text.len && memcmp(page, text.data, len) == 0);
    arena_release(&arena);
}

static void test_testfile_help_knows_every_key(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    for (size_t i = 0; i < schema_keys_count; i++) {
        const char *path = schema_sections[schema_keys[i].section].path;
        char name[100];

        (void)snprintf(name, sizeof(name), "%s%s%s", path, path[0] == '\0' ? "" : ".",
                       schema_keys[i].name);
        text_init(&text, &arena);
        EXPECT(schema_help(name, &text) == !schema_keys[i].later);
        EXPECT(schema_keys[i].later || strncmp(text.data, name, strlen(name)) == 0);
    }
    text_init(&text, &arena);
    EXPECT(!schema_help("nothing", &text) && text.len == 0);
    EXPECT(strcmp(schema_help_nearest("peakload"), "peak_load") == 0);
    arena_release(&arena);
}

/* Wherever memory is refused, it is said, and nothing breaks. */
static void test_testfile_survives_refused_memory_of_diagnostics(void)
{
    static const char yaml[] = "a: 1\nb: 2\nendpoints: [{url: x, peak_load: 5}]\n";

    for (size_t bytes = 1; bytes < 2000; bytes += 16) {
        struct source source = source_of_text("t", yaml, sizeof(yaml) - 1);
        struct arena arena;
        struct diags diags;

        arena_init(&arena, bytes);
        diags_init(&diags, &arena);
        EXPECT(testfile_load_text(&source, &options, &diags) == NULL);
        EXPECT(diags.failed || diags.errors > 0);
        arena_release(&arena);
    }
}

/* The same of a file that uses everything, whatever the model may take. */
static void test_testfile_survives_refused_memory(void)
{
    static const char *const paths[] = {
        "docs/examples/include.yaml",     "docs/examples/nested-select.yaml",
        "docs/examples/body-json.yaml",   "docs/examples/gather.yaml",
        "docs/examples/multipart.yaml",   "docs/examples/limits.yaml",
        "docs/examples/functions.yaml",   "docs/examples/thresholds.yaml",
        "docs/examples/provider-csv.yaml"};

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct testfile_options bounded = options;
        struct testfile *file = NULL;

        for (size_t bytes = 1; file == NULL; bytes += bytes < 4000 ? 64 : 997) {
            struct arena arena;
            struct diags diags;

            EXPECT(bytes < 64 << 20);
            bounded.bytes_max = bytes;
            arena_init(&arena, 0);
            diags_init(&diags, &arena);
            file = testfile_load(paths[i], &bounded, &diags);
            if ((file == NULL) != diags.failed) {
                (void)fprintf(stderr, "%s: %zu bytes: %s\n", paths[i], bytes,
                              diags.count > 0 ? diags.list[0].message : "");
            }
            EXPECT((file == NULL) == diags.failed);
            EXPECT(diags.failed || diags.errors == 0);
            arena_release(&arena);
        }
        testfile_free(file);
    }
}

int main(void)
{
    TEST(test_testfile_survives_refused_memory);
    TEST(test_testfile_defaults_are_those_of_the_table);
    TEST(test_testfile_config_is_all_read);
    TEST(test_testfile_watch_is_taken_with_a_warning);
    TEST(test_testfile_vars_become_values);
    TEST(test_testfile_patterns_become_rates);
    TEST(test_testfile_providers_are_read_by_type);
    TEST(test_testfile_headers_are_merged_as_specified);
    TEST(test_testfile_leaves_out_headers_that_are_made);
    TEST(test_testfile_bodies_are_read_by_kind);
    TEST(test_testfile_knows_what_an_endpoint_pops);
    TEST(test_testfile_selects_are_whole);
    TEST(test_testfile_sends_block_without_a_rate);
    TEST(test_testfile_names_endpoints_apart);
    TEST(test_testfile_loggers_and_thresholds);
    TEST(test_testfile_expects_statuses);
    TEST(test_testfile_warns_of_what_is_surely_not_meant);
    TEST(test_testfile_examples_are_right);
    TEST(test_testfile_reference_page_is_that_of_the_table);
    TEST(test_testfile_help_knows_every_key);
    TEST(test_testfile_survives_refused_memory_of_diagnostics);
    return 0;
}
