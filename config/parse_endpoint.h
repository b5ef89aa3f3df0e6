/* parse_endpoint: what the files that read one endpoint (parse_endpoint*.c, parse_body.c,
 * parse_select.c) share. */
#ifndef CONFIG_PARSE_ENDPOINT_H
#define CONFIG_PARSE_ENDPOINT_H

#include "config/load_scope.h"

enum { DECLARE_DEPTH_MAX = 256 };

/* An endpoint being read. */
struct endpoint_build {
    struct loader *loader;
    struct testfile_endpoint *endpoint;
    const struct yaml_node *node;
    struct fields fields;
    struct endpoint_names names;
    struct load_unit request; /* Before it is sent. */
    struct load_unit after;   /* After the response. */
};

/* A list of headers that grows. */
struct header_list {
    struct testfile_header *list;
    uint32_t count, capacity;
};

/* Adds the headers of a mapping; with `removes` a plain null takes those before it of that name
 * away, else it is wrong. NULL adds none. */
void parse_headers(struct load_unit *unit, const struct yaml_node *mapping, bool removes,
                   struct header_list *headers);

/* Reads `body`; NULL is none. */
void parse_body(struct load_unit *unit, const struct yaml_node *node, struct testfile_body *body);

/* Reads `select`, `for_each`, `where` and `with` out of the fields of an entry of provides, logs,
 * or a logger. Locals take numbers from `*locals_count` on. */
void parse_select(struct load_unit *unit, const struct fields *fields, uint32_t *locals_count,
                  struct select *select);

/* Reads `declare`: names first, so that all others may see them, then the expressions. */
void parse_declare_names(struct endpoint_build *build);
void parse_declares(struct endpoint_build *build);

/* Reads provides, logs and global loggers. */
void parse_outputs(struct endpoint_build *build);

#endif
