/* json_paths: a set of paths as a tree of steps. Private to config/.
 *
 * 1 Node 0 is the whole text; every other node is one step below its parent.
 * 2 A node with `capture` is picked as a whole: nothing below it is looked for in the text.
 * 3 A path ends at a node, or below a picked one: then `rest` steps are taken from its value. */
#ifndef CONFIG_JSON_PATHS_H
#define CONFIG_JSON_PATHS_H

#include "config/json.h"

enum { JSON_NODE_NONE = UINT16_MAX };

struct json_node {
    struct json_step step; /* From the parent; of node 0 nothing. */
    uint16_t parent;
    uint16_t child; /* The first one, or NONE. */
    uint16_t next;  /* The parent's next child, or NONE. */
    bool capture;
};

/* One path that was added. */
struct json_path {
    const struct json_step *steps;
    uint32_t steps_count;
    uint32_t rest; /* The last so many steps are taken from the node's value. */
    uint16_t node;
};

struct json_paths {
    struct arena *arena;
    struct json_node *nodes; /* [JSON_NODES_MAX] */
    uint32_t nodes_count;
    uint32_t count;
    bool sealed;
    struct json_path paths[JSON_PATHS_MAX];
};

/* What one step leads to from an array or object, or NULL. */
const struct value *json_step_get(const struct value *container, const struct json_step *step);

/* Takes `count` steps from `value`. What is missing on the way is null, and a step from there
 * JSON_INDEXING. */
struct json_result json_walk(const struct value *value, const struct json_step *steps,
                             size_t count);

#endif
