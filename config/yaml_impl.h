/* What the files of the YAML tree share among themselves. */
#ifndef CONFIG_YAML_IMPL_H
#define CONFIG_YAML_IMPL_H

#include "config/yaml.h"

/* Makes the pairs of a mapping from its keys and values in turn, merge keys carried out. False,
 * with the reason told, when the rest is not to be looked at. */
MUST_USE bool yaml_make_pairs(struct arena *arena, struct diags *diags, struct yaml_node *mapping,
                              const struct yaml_node *const *children, uint32_t count,
                              uint32_t *expanded);

/* Counts `more` nodes towards YAML_ALIAS_NODES_MAX; false, with the reason told, beyond it. */
MUST_USE bool yaml_add_expanded(struct diags *diags, struct place place, uint32_t *expanded,
                                uint32_t more);

#endif
