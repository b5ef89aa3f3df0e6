/* yaml: a YAML document as a tree in which every node knows its place.
 *
 * Built from libyaml's events: its own document loader knows no bounds, and is quadratic in
 * anchors. An alias is the very node that it names, so the tree is a graph without cycles; what
 * aliases would grow to is counted and bounded all the same, since whoever walks the tree walks
 * that. Merge keys ("<<") are carried out. Keys may come twice: whoever reads a mapping decides
 * whether that is wrong.
 *
 * Immutable once parsed. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/diag.h"

enum {
    YAML_DEPTH_MAX = 64,
    YAML_SCALAR_BYTES_MAX = 1024 * 1024,
    YAML_NODES_MAX = 1000000,      /* Of a document, as written. */
    YAML_ALIAS_NODES_MAX = 100000, /* That aliases and merge keys add to them. */
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* A tag that was written; of what libyaml would resolve by itself there is none. */
enum yaml_tag {
    YAML_TAG_NONE,
    YAML_TAG_STR,
    YAML_TAG_NULL,
    YAML_TAG_BOOL,
    YAML_TAG_INT,
    YAML_TAG_FLOAT,
    YAML_TAG_SEQ,
    YAML_TAG_MAP,
    YAML_TAG_FILE, /* "!file" */
};

struct yaml_pair {
    const struct yaml_node *key; /* A scalar. */
    const struct yaml_node *value;
};

struct yaml_node {
    struct place place;
    enum yaml_kind kind;
    enum yaml_tag tag;
    bool plain;      /* A scalar without quotes, not a block. */
    uint8_t height;  /* Levels below it; 0 of a scalar. */
    uint32_t weight; /* Nodes in it, itself included, aliases expanded. */
    uint32_t count;  /* Bytes, items or pairs. */
    union {
        const char *text; /* Terminated, holds no other NUL. */
        const struct yaml_node *const *items;
        const struct yaml_pair *pairs;
    };
};

/* Parses source number `source` of the diagnostics into a tree in `arena`; NULL when there is
 * none to be had. What is wrong is in the diagnostics: not UTF-8, not YAML, not one document whose
 * root is a mapping, beyond a bound, an unknown tag or anchor. */
MUST_USE const struct yaml_node *yaml_parse(struct arena *arena, struct diags *diags,
                                            uint16_t source);

/* The value of the first pair with this key, or NULL; of a node that is no mapping NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* True of a scalar that is exactly `text`. */
bool yaml_is(const struct yaml_node *node, const char *text);

/* True of a plain "null", "~", nothing at all, or what is tagged so. */
bool yaml_is_null(const struct yaml_node *node);

/* What a node is, with its article, for messages: "a sequence". */
const char *yaml_kind_name(const struct yaml_node *node);

/* The place of the byte `offset` of a scalar's text in the file (escapes, folded and indented
 * lines taken into account), `width` characters wide. The source's index is made if need be. */
struct place yaml_place_in(const struct yaml_node *scalar, size_t offset, uint32_t width,
                           struct diags *diags);

#endif
