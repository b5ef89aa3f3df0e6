#include "config/json_paths.h"

#include <string.h>

#include "core/base/check.h"

struct json_paths *json_paths_new(struct arena *arena)
{
    struct json_paths *paths = arena_alloc(arena, sizeof(*paths), _Alignof(struct json_paths));

    if (paths == NULL) return NULL;
    paths->arena = arena;
    return paths;
}

static bool same_step(const struct json_step *a, const struct json_step *b)
{
    if ((a->name == NULL) != (b->name == NULL)) return false;
    if (a->name == NULL) return a->index == b->index;
    return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

static bool same_path(const struct json_path *path, const struct json_step *steps, size_t count)
{
    if (path->steps_count != count) return false;
    for (size_t i = 0; i < count; i++) {
        if (!same_step(&path->steps[i], &steps[i])) return false;
    }
    return true;
}

static bool copy_steps(struct arena *arena, const struct json_step *steps, size_t count,
                       const struct json_step **ret_steps)
{
    struct json_step *copy = arena_array(arena, count, sizeof(*copy));

    if (copy == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = steps[i];
        if (steps[i].name == NULL) continue;
        copy[i].name = arena_copy(arena, steps[i].name, steps[i].len);
        if (copy[i].name == NULL) return false;
    }
    *ret_steps = copy;
    return true;
}

uint32_t json_paths_add(struct json_paths *paths, const struct json_step *steps, size_t steps_count)
{
    struct json_path *path;
    size_t nodes = 1;

    CHECK(!paths->sealed);
    for (uint32_t i = 0; i < paths->count; i++) {
        if (same_path(&paths->paths[i], steps, steps_count)) return i;
        nodes += paths->paths[i].steps_count;
    }
    if (paths->count == JSON_PATHS_MAX || steps_count > JSON_STEPS_MAX) return JSON_PATH_NONE;
    if (nodes + steps_count > JSON_NODES_MAX) return JSON_PATH_NONE;
    for (size_t i = 0; i < steps_count; i++) {
        if (steps[i].name != NULL && steps[i].len > JSON_NAME_BYTES_MAX) return JSON_PATH_NONE;
    }
    path = &paths->paths[paths->count];
    if (!copy_steps(paths->arena, steps, steps_count, &path->steps)) return JSON_PATH_NONE;
    path->steps_count = (uint32_t)steps_count;
    return paths->count++;
}

uint32_t json_paths_count(const struct json_paths *paths)
{
    return paths->count;
}

static uint16_t child_of(const struct json_paths *paths, uint16_t node,
                         const struct json_step *step)
{
    uint16_t child = paths->nodes[node].child;

    while (child != JSON_NODE_NONE && !same_step(&paths->nodes[child].step, step)) {
        child = paths->nodes[child].next;
    }
    return child;
}

static uint16_t add_child(struct json_paths *paths, uint16_t node, const struct json_step *step)
{
    uint16_t child = (uint16_t)paths->nodes_count++;

    CHECK(child < JSON_NODES_MAX);
    paths->nodes[child] = (struct json_node){
        .step = *step, .parent = node, .child = JSON_NODE_NONE, .next = paths->nodes[node].child};
    paths->nodes[node].child = child;
    return child;
}

/* Writes the name that a step has in an object, which for a number is its digits. */
static struct json_step name_of(const struct json_step *step, char digits[static 10])
{
    uint32_t index = step->index, at = 10;

    if (step->name != NULL) return *step;
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index != 0);
    return (struct json_step){.name = digits + at, .len = 10 - at};
}

/* True if in an object two children of the node would be the same member: a["0"] and a[0]. The
 * machine follows one child at a time, so the node is then picked as a whole. */
static bool is_ambiguous(const struct json_paths *paths, uint16_t node)
{
    char digits[2][10];

    for (uint16_t a = paths->nodes[node].child; a != JSON_NODE_NONE; a = paths->nodes[a].next) {
        struct json_step name = name_of(&paths->nodes[a].step, digits[0]);

        for (uint16_t b = paths->nodes[a].next; b != JSON_NODE_NONE; b = paths->nodes[b].next) {
            struct json_step other = name_of(&paths->nodes[b].step, digits[1]);

            if (same_step(&name, &other)) return true;
        }
    }
    return false;
}

bool json_paths_seal(struct json_paths *paths)
{
    size_t nodes = 1;

    if (paths->sealed) return true;
    for (uint32_t i = 0; i < paths->count; i++) {
        nodes += paths->paths[i].steps_count;
    }
    paths->nodes = arena_array(paths->arena, nodes, sizeof(*paths->nodes));
    if (paths->nodes == NULL) return false;
    paths->nodes[0] = (struct json_node){
        .parent = JSON_NODE_NONE, .child = JSON_NODE_NONE, .next = JSON_NODE_NONE};
    paths->nodes_count = 1;
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct json_path *path = &paths->paths[i];
        uint16_t node = 0;

        for (uint32_t j = 0; j < path->steps_count; j++) {
            uint16_t child = child_of(paths, node, &path->steps[j]);

            node = child != JSON_NODE_NONE ? child : add_child(paths, node, &path->steps[j]);
        }
        paths->nodes[node].capture = true;
    }
    for (uint32_t i = 0; i < paths->nodes_count; i++) {
        if (is_ambiguous(paths, (uint16_t)i)) paths->nodes[i].capture = true;
    }
    for (uint32_t i = 0; i < paths->count; i++) {
        struct json_path *path = &paths->paths[i];

        path->node = 0;
        path->rest = path->steps_count;
        while (path->rest > 0 && !paths->nodes[path->node].capture) {
            path->node =
                child_of(paths, path->node, &path->steps[path->steps_count - path->rest--]);
        }
    }
    paths->sealed = true;
    return true;
}

const struct value *json_step_get(const struct value *container, const struct json_step *step)
{
    char digits[10];

    if (container->kind == VALUE_OBJECT) {
        struct json_step name = name_of(step, digits);

        return value_get(container, name.name, name.len);
    }
    CHECK(container->kind == VALUE_ARRAY);
    if (step->name != NULL || step->index >= container->len) return NULL;
    return &container->elements[step->index];
}

struct json_result json_walk(const struct value *value, const struct json_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (value->kind != VALUE_OBJECT && value->kind != VALUE_ARRAY) {
            return (struct json_result){.found = JSON_INDEXING};
        }
        value = json_step_get(value, &steps[i]);
        if (value == NULL) {
            return (struct json_result){.found = i + 1 == count ? JSON_MISSING : JSON_INDEXING};
        }
    }
    return (struct json_result){.found = JSON_FOUND, .value = *value};
}
