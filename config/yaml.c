/* Builds the tree from events, without recursion: frames for what is open, one stack for the
 * children that are waiting for the end of their parent. */
#include "config/yaml.h"

#include <string.h>
#include <yaml.h>

#include "config/dict.h"
#include "config/yaml_impl.h"
#include "core/base/check.h"
#include "core/base/quote.h"

/* A sequence or mapping that has begun and not ended. */
struct frame {
    struct yaml_node *node;
    uint32_t first; /* Of its children in the stack. */
};

struct builder {
    struct arena *arena;
    struct diags *diags;
    uint16_t source;
    yaml_parser_t parser;
    struct frame frames[YAML_DEPTH_MAX];
    uint32_t depth;
    const struct yaml_node **stack; /* [stack_count] */
    uint32_t stack_count, stack_capacity;
    struct dict anchors;
    struct yaml_node **anchored; /* By the number of the anchor. */
    uint32_t anchored_count, anchored_capacity;
    uint32_t written;  /* Nodes made. */
    uint32_t expanded; /* Nodes that aliases and merge keys add. */
    bool has_document;
    const struct yaml_node *root;
};

static struct place place_of(const struct builder *builder, const yaml_mark_t *start,
                             const yaml_mark_t *end)
{
    size_t width = 1;

    if (end != NULL && end->line == start->line && end->column > start->column) {
        width = end->column - start->column;
    } else if (end != NULL && end->line > start->line) {
        width = UINT16_MAX; /* To the end of the line. */
    }
    return (struct place){.line = (uint32_t)start->line + 1,
                          .column = (uint32_t)start->column + 1,
                          .width = (uint16_t)min_u64(width, UINT16_MAX),
                          .source = builder->source};
}

static bool no_memory(struct builder *builder)
{
    builder->diags->failed = true;
    return false;
}

/* Doubles an array of pointers, from 64 on, when it is full. */
static bool reserve(struct builder *builder, void **array, uint32_t count, uint32_t *capacity)
{
    uint32_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *grown;

    if (count < *capacity) return true;
    grown = arena_array(builder->arena, wanted, sizeof(void *));
    if (grown == NULL) return no_memory(builder);
    if (count > 0) memcpy(grown, *array, count * sizeof(void *));
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool push(struct builder *builder, const struct yaml_node *node)
{
    void *array = builder->stack;

    if (!reserve(builder, &array, builder->stack_count, &builder->stack_capacity)) return false;
    builder->stack = array;
    builder->stack[builder->stack_count++] = node;
    if (builder->depth == 0) builder->root = node;
    return true;
}

static bool set_anchor(struct builder *builder, const char *name, struct yaml_node *node)
{
    void *array = builder->anchored;
    size_t len;
    char *copy;

    if (name == NULL) return true;
    if (!reserve(builder, &array, builder->anchored_count, &builder->anchored_capacity)) {
        return false;
    }
    builder->anchored = array;
    len = strlen(name);
    copy = arena_copy(builder->arena, name, len);
    if (copy == NULL) return no_memory(builder);
    builder->anchored[builder->anchored_count] = node;
    if (!dict_put(&builder->anchors, copy, len, builder->anchored_count)) {
        return no_memory(builder);
    }
    builder->anchored_count++;
    return true;
}

static enum yaml_tag tag_of(struct builder *builder, const yaml_char_t *written, struct place place)
{
    static const struct {
        const char *written;
        enum yaml_tag tag;
    } rows[] = {
        {"!", YAML_TAG_STR},
        {"!file", YAML_TAG_FILE},
        {"tag:yaml.org,2002:str", YAML_TAG_STR},
        {"tag:yaml.org,2002:null", YAML_TAG_NULL},
        {"tag:yaml.org,2002:bool", YAML_TAG_BOOL},
        {"tag:yaml.org,2002:int", YAML_TAG_INT},
        {"tag:yaml.org,2002:float", YAML_TAG_FLOAT},
        {"tag:yaml.org,2002:seq", YAML_TAG_SEQ},
        {"tag:yaml.org,2002:map", YAML_TAG_MAP},
    };
    const char *tag = (const char *)written;

    if (tag == NULL) return YAML_TAG_NONE;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].written, tag) == 0) return rows[i].tag;
    }
    diag_error(builder->diags, place, "unknown tag '%s'; '!file', '!!str' and '!!null' are known",
               quote(tag).text);
    return YAML_TAG_NONE;
}

/* A new node; NULL, with the reason told, when there may be no more. */
static struct yaml_node *make_node(struct builder *builder, const yaml_event_t *event,
                                   enum yaml_kind kind)
{
    struct place place =
        place_of(builder, &event->start_mark, kind == YAML_SCALAR ? &event->end_mark : NULL);
    struct yaml_node *node;

    if (builder->written == YAML_NODES_MAX) {
        diag_error(builder->diags, place,
                   "more than %d values; put data into files of file "
                   "providers",
                   YAML_NODES_MAX);
        return NULL;
    }
    node = arena_alloc(builder->arena, sizeof(*node), _Alignof(struct yaml_node));
    if (node == NULL) {
        (void)no_memory(builder);
        return NULL;
    }
    builder->written++;
    *node = (struct yaml_node){.place = place, .kind = kind, .weight = 1};
    return node;
}

static bool on_scalar(struct builder *builder, const yaml_event_t *event)
{
    size_t len = event->data.scalar.length;
    const char *text = (const char *)event->data.scalar.value;
    struct yaml_node *node = make_node(builder, event, YAML_SCALAR);

    if (node == NULL) return false;
    if (len > YAML_SCALAR_BYTES_MAX) {
        diag_error(builder->diags, node->place, "a value of more than %d MiB; put it into a file",
                   YAML_SCALAR_BYTES_MAX >> 20);
        return false;
    }
    if (memchr(text, '\0', len) != NULL) {
        diag_error(builder->diags, node->place, "a value cannot hold a NUL character");
        len = strlen(text);
    }
    node->tag = tag_of(builder, event->data.scalar.tag, node->place);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_copy(builder->arena, text, len);
    node->count = (uint32_t)len;
    if (node->text == NULL) return no_memory(builder);
    return set_anchor(builder, (const char *)event->data.scalar.anchor, node) &&
           push(builder, node);
}

static bool on_start(struct builder *builder, const yaml_event_t *event)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    struct yaml_node *node = make_node(builder, event, mapping ? YAML_MAPPING : YAML_SEQUENCE);
    const yaml_char_t *anchor, *tag;

    if (node == NULL) return false;
    if (builder->depth == YAML_DEPTH_MAX) {
        diag_error(builder->diags, node->place, "nested deeper than %d levels", YAML_DEPTH_MAX);
        return false;
    }
    anchor = mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    tag = mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    node->tag = tag_of(builder, tag, node->place);
    builder->frames[builder->depth++] = (struct frame){node, builder->stack_count};
    return set_anchor(builder, (const char *)anchor, node);
}

bool yaml_add_expanded(struct diags *diags, struct place place, uint32_t *expanded, uint32_t more)
{
    if (more <= YAML_ALIAS_NODES_MAX - *expanded) {
        *expanded += more;
        return true;
    }
    diag_error(diags, place, "aliases that grow to more than %d values", YAML_ALIAS_NODES_MAX);
    return false;
}

static bool on_alias(struct builder *builder, const yaml_event_t *event)
{
    struct place place = place_of(builder, &event->start_mark, &event->end_mark);
    const char *name = (const char *)event->data.alias.anchor;
    uint32_t number = dict_find(&builder->anchors, name, strlen(name));
    const struct yaml_node *node;

    if (number == DICT_NONE) {
        diag_error(builder->diags, place, "alias '*%s' without an anchor '&%s' before it",
                   quote(name).text, quote(name).text);
        return false;
    }
    node = builder->anchored[number];
    for (uint32_t i = 0; i < builder->depth; i++) {
        if (builder->frames[i].node != node) continue;
        diag_error(builder->diags, place, "alias '*%s' inside of what it names", quote(name).text);
        return false;
    }
    if (builder->depth + node->height > YAML_DEPTH_MAX) {
        diag_error(builder->diags, place, "nested deeper than %d levels, by the alias '*%s'",
                   YAML_DEPTH_MAX, quote(name).text);
        return false;
    }
    return yaml_add_expanded(builder->diags, place, &builder->expanded, node->weight) &&
           push(builder, node);
}

/* Takes the children of the innermost frame off the stack into `node`. */
static bool take_children(struct builder *builder, struct yaml_node *node, uint32_t first)
{
    uint32_t count = builder->stack_count - first;
    const struct yaml_node **children = count == 0 ? NULL : &builder->stack[first];
    const struct yaml_node **copy;

    for (uint32_t i = 0; i < count; i++) {
        if (children[i]->height >= node->height) node->height = children[i]->height + 1;
        node->weight += children[i]->weight;
    }
    if (count == 0) node->height = 1;
    builder->stack_count = first;
    if (node->kind == YAML_MAPPING) {
        return yaml_make_pairs(builder->arena, builder->diags, node, children, count,
                               &builder->expanded);
    }
    copy = arena_alloc(builder->arena, count * sizeof(void *), _Alignof(struct yaml_node *));
    if (copy == NULL) return no_memory(builder);
    if (count > 0) memcpy(copy, children, count * sizeof(void *));
    node->items = copy;
    node->count = count;
    return true;
}

static bool on_end(struct builder *builder)
{
    struct frame frame;

    CHECK(builder->depth > 0);
    frame = builder->frames[--builder->depth];
    return take_children(builder, frame.node, frame.first) && push(builder, frame.node);
}

/* Takes one event; false when the rest is not to be looked at. */
static bool take(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: return true;
    case YAML_STREAM_END_EVENT: return false;
    case YAML_DOCUMENT_START_EVENT:
        if (builder->has_document) {
            diag_error(builder->diags, place_of(builder, &event->start_mark, NULL),
                       "a second document; a test file is one");
            return false;
        }
        builder->has_document = true;
        return true;
    case YAML_ALIAS_EVENT: return on_alias(builder, event);
    case YAML_SCALAR_EVENT: return on_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return on_start(builder, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(builder);
    }
    UNREACHABLE("an event that libyaml does not have");
}

/* What libyaml calls wrong, in words for who wrote the file. Where the reason lies at the start of
 * a thing that never ends, the place is that start. */
static void tell_syntax(struct builder *builder)
{
    static const struct {
        const char *problem, *context; /* Context NULL: any. */
        const char *message;
        bool at_context;
    } rows[] = {
        {"found unexpected end of stream", "while scanning a quoted scalar",
         "a quote that is never closed", true},
        {"found unexpected document indicator", "while scanning a quoted scalar",
         "a quote that is never closed", true},
        {"could not find expected ':'", NULL, "a key without a ':' behind it", true},
        {"mapping values are not allowed in this context", NULL,
         "a ':' that cannot stand here; quote the value, or check the indentation", false},
        {"block sequence entries are not allowed in this context", NULL,
         "a '-' that cannot stand here; a sequence begins on a line of its own", false},
        {"did not find expected key", NULL,
         "no key where one is expected; is the line indented like its neighbours?", false},
        {"did not find expected '-' indicator", NULL,
         "no '-' where one is expected; is the line indented like its neighbours?", false},
        {"did not find expected ',' or ']'", NULL, "a '[' that is not closed before this", false},
        {"did not find expected ',' or '}'", NULL, "a '{' that is not closed before this", false},
        {"did not find expected <document start>", NULL,
         "more behind the end of the document; is the line indented like its neighbours?", false},
        {"did not find expected node content", NULL,
         "no value where one is expected; quote it if it begins so", false},
        {"did not find expected alphabetic or numeric character", NULL,
         "an anchor or alias without a name", true},
        {"found incompatible YAML document", NULL, "not YAML 1.1 or 1.2", false},
        {"found unknown escape character", NULL,
         "an unknown escape; write '\\\\' for a backslash, or use single quotes", false},
        {"found undefined tag handle", NULL, "an unknown tag", true},
    };
    const yaml_parser_t *parser = &builder->parser;
    struct place place = place_of(builder, &parser->problem_mark, NULL);
    struct source *source = &builder->diags->sources[builder->source];
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    char c;

    if (parser->error == YAML_MEMORY_ERROR || !source_index(source, builder->diags->arena)) {
        (void)no_memory(builder);
        return;
    }
    if (place.line > source->lines_count) { /* The end of a last line without a line end. */
        place = source_place(source, source->len);
        place.source = builder->source;
    }
    c = source->data[source_offset(source, place.line, place.column)];
    if (strcmp(problem, "found character that cannot start any token") == 0) {
        if (c == '\t') {
            diag_error(builder->diags, place, "a tab cannot indent; use spaces");
        } else {
            diag_error(builder->diags, place, "a value cannot begin with '%c'; quote it", c);
        }
        return;
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *context = rows[i].context;

        if (strcmp(problem, rows[i].problem) != 0) continue;
        if (context != NULL && (!parser->context || strcmp(parser->context, context) != 0)) {
            continue;
        }
        if (rows[i].at_context) place = place_of(builder, &parser->context_mark, NULL);
        diag_error(builder->diags, place, "%s", rows[i].message);
        return;
    }
    diag_error(builder->diags, place, "%s", problem);
}

static void run(struct builder *builder)
{
    bool more = true;

    while (more) {
        yaml_event_t event;

        if (yaml_parser_parse(&builder->parser, &event) == 0) {
            tell_syntax(builder);
            return;
        }
        more = take(builder, &event);
        yaml_event_delete(&event);
    }
}

const struct yaml_node *yaml_parse(struct arena *arena, struct diags *diags, uint16_t source)
{
    struct builder builder = {.arena = arena, .diags = diags, .source = source};
    const struct source *from = &diags->sources[source];
    struct place place = {.source = source};
    uint32_t errors = diags->errors;
    const char *message, *data = from->data;
    size_t len = from->len;

    if (!source_check(from, &place, &message)) {
        place.source = source;
        diag_error(diags, place, "%s", message);
        return NULL;
    }
    if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        data += 3;
        len -= 3;
    }
    if (yaml_parser_initialize(&builder.parser) == 0) {
        (void)no_memory(&builder);
        return NULL;
    }
    dict_init(&builder.anchors, arena);
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)data, len);
    run(&builder);
    yaml_parser_delete(&builder.parser);
    if (diags->errors > errors || diags->failed) return NULL;
    if (builder.root == NULL || yaml_is_null(builder.root)) {
        diag_error(diags, place, "the file is empty");
        return NULL;
    }
    if (builder.root->kind != YAML_MAPPING) {
        diag_error(diags, builder.root->place,
                   "a test file is a mapping with keys such as 'endpoints', not %s",
                   yaml_kind_name(builder.root));
        return NULL;
    }
    return builder.root;
}
