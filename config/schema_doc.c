/* What the table of keys says, for people: help on one key, and the reference page. */
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "core/base/nearest.h"
#include "core/base/units.h"

static const char *type_of(const struct schema_key *key)
{
    static const char *const names[] = {
        [SCHEMA_BOOL] = "boolean",      [SCHEMA_COUNT] = "count",
        [SCHEMA_INTEGER] = "integer",   [SCHEMA_BYTES] = "size",
        [SCHEMA_DURATION] = "duration", [SCHEMA_SHARE] = "percent",
        [SCHEMA_HITS] = "hits",         [SCHEMA_WORD] = "word",
        [SCHEMA_TEXT] = "text",         [SCHEMA_CHARACTER] = "character",
        [SCHEMA_TEMPLATE] = "template", [SCHEMA_EXPRESSION] = "expression",
        [SCHEMA_OTHER] = "any value",
    };

    return key->type != NULL ? key->type : names[key->kind];
}

/* "1 to 1024", or the words; nothing where there is no bound to speak of. */
static void add_range(const struct schema_key *key, const char *mark, struct text *out)
{
    char low[UNITS_TEXT_MAX], high[UNITS_TEXT_MAX];

    for (uint32_t i = 0; key->words != NULL && key->words[i] != NULL; i++) {
        bool first = i == 0 || key->words[i - 1][0] == '\0';

        if (key->words[i][0] == '\0') continue;
        text_printf(out, "%s%s%s%s", first ? "" : ", ", mark, key->words[i], mark);
    }
    switch (key->kind) {
    case SCHEMA_COUNT:
        if (key->max >= UINT32_MAX) {
            text_printf(out, "from %llu", (unsigned long long)key->min);
        } else {
            text_printf(out, "%llu to %llu", (unsigned long long)key->min,
                        (unsigned long long)key->max);
        }
        break;
    case SCHEMA_BYTES:
        text_printf(out, "%s to %s", units_bytes(low, (double)key->min),
                    units_bytes(high, (double)key->max));
        break;
    case SCHEMA_DURATION:
        if (key->min == 1) text_add_str(out, "longer than 0");
        if (key->min > 1) text_printf(out, "from %s", units_time(low, key->min));
        break;
    case SCHEMA_BOOL:
    case SCHEMA_INTEGER:
    case SCHEMA_SHARE:
    case SCHEMA_HITS:
    case SCHEMA_WORD:
    case SCHEMA_TEXT:
    case SCHEMA_CHARACTER:
    case SCHEMA_TEMPLATE:
    case SCHEMA_EXPRESSION:
    case SCHEMA_OTHER: break;
    }
}

static void add_default(const struct schema_key *key, const char *mark, struct text *out)
{
    if (key->required) {
        text_add_str(out, "required");
    } else if (key->fallback != NULL) {
        text_printf(out, "%s%s%s", mark, key->fallback, mark);
    } else if (key->otherwise != NULL) {
        text_add_str(out, key->otherwise);
    }
}

/* True if `name` means this row: its key alone, or with where it stands. */
static bool is_meant(const struct schema_key *key, const char *name)
{
    const char *path = schema_sections[key->section].path;
    size_t len = strlen(path);

    if (strcmp(key->name, name) == 0) return true;
    return len > 0 && strncmp(path, name, len) == 0 && name[len] == '.' &&
           strcmp(name + len + 1, key->name) == 0;
}

bool schema_help(const char *name, struct text *out)
{
    bool found = false;

    for (size_t i = 0; i < schema_keys_count; i++) {
        const struct schema_key *key = &schema_keys[i];
        const char *path = schema_sections[key->section].path;
        size_t at;

        if (key->later || !is_meant(key, name)) continue;
        text_printf(out, "%s%s%s%s: %s\n", found ? "\n" : "", path, path[0] == '\0' ? "" : ".",
                    key->name, type_of(key));
        text_printf(out, "  %s.\n", key->help);
        at = out->len;
        add_range(key, "", out);
        if (out->len > at) {
            out->len = at;
            text_add_str(out, "  range: ");
            add_range(key, "", out);
            text_add(out, "\n", 1);
        }
        if (key->required || key->fallback != NULL || key->otherwise != NULL) {
            text_add_str(out, key->required ? "  " : "  default: ");
            add_default(key, "", out);
            text_add(out, "\n", 1);
        }
        found = true;
    }
    return found;
}

const char *schema_help_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (size_t i = 0; i < schema_keys_count; i++) {
        if (!schema_keys[i].later) (void)nearest_offer(&nearest, schema_keys[i].name);
    }
    return nearest.best;
}

static const char preface[] =
    "# The test file\n"
    "\n"
    "What `pelt check FILE` checks and `pelt run FILE` runs: one YAML document in UTF-8 "
    "whose root is\n"
    "a mapping. This page is made from the table that the program reads by\n"
    "(`pelt check --reference`); `pelt check --help KEY` shows a part of it. "
    "[examples/](examples/)\n"
    "has a file per capability, [expressions.md](expressions.md) what stands in "
    "expressions and\n"
    "templates.\n"
    "\n"
    "## How it is read\n"
    "- Unknown keys are errors, but where names are yours: `vars`, `providers`, "
    "`loggers`, `headers`,\n"
    "  `tags`, `declare`, `provides`, `logs`, `multipart` and JSON values. A key that "
    "comes twice is an\n"
    "  error, but in `headers`, `provides`, `logs` and `multipart`, where the order is "
    "kept. All errors\n"
    "  are told in one run.\n"
    "- Anchors, aliases and merge keys (`<<`) work. Bounds: 10 MiB, 64 levels, 1 MiB for "
    "one value,\n"
    "  1,000,000 values, of which aliases may add 100,000.\n"
    "- *Values* (in `vars`, lists, `select`): a plain scalar that is JSON is that value, "
    "`NaN` is null;\n"
    "  all else, and every quoted scalar, is text.\n"
    "- *Templates* are text with `${expression}` in it. Those that are needed when the "
    "file is loaded\n"
    "  (durations, percents, counts, names of files, values of lists) see vars only.\n"
    "- A name in a string of `vars` is the environment's first and another var's second, "
    "never its\n"
    "  own. After that every string that is JSON becomes that value.\n"
    "- Paths of files that are read are relative to the test file that names them.\n"
    "\n"
    "| type | how it is written |\n"
    "|---|---|\n"
    "| boolean | `true` or `false` |\n"
    "| count | a whole number, `k`, `M`, `G` for thousands, millions, … |\n"
    "| duration | one or more of number and unit: `1h45m`, `4 hrs 15 mins`, `1.5s`, "
    "`250ms` (us, ms, s, m, h, d, or spelt out) |\n"
    "| percent | a number and `%`: `15.25%` |\n"
    "| hits | a number and `hps` or `hpm`: hits per second or minute |\n"
    "| size | a number of bytes, or with kB, MB, GB, KiB, MiB, GiB |\n"
    "| headers | a mapping of names to templates; names may come twice |\n"
    "| shape of expressions | any value; strings in it are expressions |\n"
    "\n"
    "Where several things have one name: vars, then declares, then providers; in "
    "`declare` vars, then\n"
    "providers, then other declares.\n";

/* Adds a cell's text; a '|' would end the cell. */
static void add_cell(struct text *out, const char *cell)
{
    for (const char *c = cell; *c != '\0'; c++) {
        if (*c == '|') text_add(out, "\\", 1);
        text_add(out, c, 1);
    }
}

static void add_row(const struct schema_key *key, struct text *out)
{
    size_t at;

    text_printf(out, "| `%s` | ", key->name);
    add_cell(out, type_of(key));
    at = out->len;
    text_add_str(out, ": ");
    add_range(key, "`", out);
    if (out->len == at + 2) out->len = at;
    text_add_str(out, " | ");
    add_default(key, "`", out);
    text_add_str(out, " | ");
    add_cell(out, key->help);
    text_add_str(out, " |\n");
}

void schema_reference(struct text *out)
{
    text_add_str(out, preface);
    for (size_t section = 0; section < SCHEMA_SECTIONS; section++) {
        const struct schema_section_info *info = &schema_sections[section];

        text_printf(out, "\n## %s%s%s\n%s\n\n", info->path[0] == '\0' ? "The root" : "`",
                    info->path, info->path[0] == '\0' ? "" : "`", info->about);
        text_add_str(out, "| key | type | default | |\n|---|---|---|---|\n");
        for (size_t i = 0; i < schema_keys_count; i++) {
            if (schema_keys[i].section == section && !schema_keys[i].later) {
                add_row(&schema_keys[i], out);
            }
        }
    }
}
