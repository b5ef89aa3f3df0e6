#include "core/try_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/glob.h"

bool try_filter_read(const char *word, struct try_filter *ret_filter)
{
    const char *equals = strchr(word, '=');
    bool is_not = equals != NULL && equals > word && equals[-1] == '!';

    if (equals == NULL) return false;
    *ret_filter = (struct try_filter){.tag = word,
                                      .tag_len = (size_t)(equals - word) - is_not,
                                      .pattern = equals + 1,
                                      .is_not = is_not};
    return ret_filter->tag_len > 0;
}

/* True if `text` is what the filter's pattern says. */
static bool fits(const struct try_filter *filter, const char *text)
{
    return glob_matches(filter->pattern, text, strlen(text));
}

static bool is_tag(const struct try_filter *filter, const char *name)
{
    return strlen(name) == filter->tag_len && memcmp(name, filter->tag, filter->tag_len) == 0;
}

/* True if the endpoint has such a tag with such a value. */
static bool has_tag(const struct try_filter *filter, const struct testfile_endpoint *endpoint,
                    uint32_t index, struct arena *arena, bool *ret_failed)
{
    char number[16];

    if (is_tag(filter, "name") && fits(filter, endpoint->name)) return true;
    if (is_tag(filter, "method")) return fits(filter, endpoint->method);
    if (is_tag(filter, "_id")) {
        (void)snprintf(number, sizeof(number), "%" PRIu32, index);
        return fits(filter, number);
    }
    for (uint32_t i = 0; i < endpoint->tags_count; i++) {
        const struct testfile_tag *tag = &endpoint->tags[i];
        const char *text;

        if (!is_tag(filter, tag->name)) continue;
        text = template_outline(tag->value.compiled, "*", arena);
        if (text == NULL) *ret_failed = true;
        return text != NULL && fits(filter, text);
    }
    return false;
}

bool try_filter_matches(const struct try_filter *filter, const struct testfile_endpoint *endpoint,
                        uint32_t index, struct arena *arena, bool *ret_matches)
{
    bool failed = false;

    *ret_matches = has_tag(filter, endpoint, index, arena, &failed) != filter->is_not && !failed;
    return !failed;
}
