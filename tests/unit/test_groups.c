/* What tag groups promise: one group per list of tags, every request in exactly one, "other" when
 * there is no room, errors by text in a bounded number of kinds. */
#include "core/groups.h"

#include <stdio.h>
#include <string.h>

#include "core/bucket.h"
#include "tests/test.h"

struct rig {
    struct arena arena;
    struct groups groups;
};

static void rig_open(struct rig *rig, uint32_t max)
{
    *rig = (struct rig){0};
    arena_init(&rig->arena, 0);
    EXPECT(groups_init(&rig->groups, &rig->arena, max));
    arena_seal(&rig->arena);
}

static struct group_tag tag_of(const char *name, const char *value)
{
    return (struct group_tag){.name = name,
                              .value = value,
                              .name_len = (uint32_t)strlen(name),
                              .value_len = (uint32_t)strlen(value)};
}

static struct group *find_numbered(struct rig *rig, int number)
{
    struct group_tag tags[2] = {tag_of("url", "/a")};
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", number);
    tags[1] = tag_of("n", text);
    return groups_find(&rig->groups, tags, 2);
}

static void test_groups_are_found_by_names_and_values(void)
{
    /* Where one ends and the next begins counts, and so does the order. */
    struct group_tag lists[][2] = {
        {tag_of("a", "bc"), tag_of("d", "e")}, {tag_of("ab", "c"), tag_of("d", "e")},
        {tag_of("a", "b"), tag_of("cd", "e")}, {tag_of("d", "e"), tag_of("a", "bc")},
        {tag_of("a", ""), tag_of("", "bcde")},
    };
    struct group *found[COUNT(lists)];
    struct rig rig;

    rig_open(&rig, 10);
    for (size_t i = 0; i < COUNT(lists); i++) {
        found[i] = groups_find(&rig.groups, lists[i], 2);
        for (size_t j = 0; j < i; j++) {
            EXPECT(found[i] != found[j]);
        }
    }
    EXPECT(groups_count(&rig.groups) == COUNT(lists));
    for (size_t i = 0; i < COUNT(lists); i++) {
        EXPECT(groups_find(&rig.groups, lists[i], 2) == found[i]);
        EXPECT(group_has_tags(found[i], lists[i], 2));
        EXPECT(!group_has_tags(found[i], lists[i], 1));
    }
    EXPECT(groups_find(&rig.groups, NULL, 0) == groups_find(&rig.groups, NULL, 0));
    EXPECT(groups_count(&rig.groups) == COUNT(lists) + 1);
    EXPECT(load_relaxed(&rig.groups.homeless) == 0);
    arena_release(&rig.arena);
}

static void test_groups_keep_their_own_copy_of_the_tags(void)
{
    char name[] = "name", value[] = "value";
    struct group_tag tag = tag_of(name, value);
    struct group *group;
    struct rig rig;

    rig_open(&rig, 1);
    group = groups_find(&rig.groups, &tag, 1);
    memset(name, 'x', 4);
    memset(value, 'x', 5);
    tag = tag_of("name", "value");
    EXPECT(group_has_tags(group, &tag, 1));
    arena_release(&rig.arena);
}

static void test_groups_beyond_the_maximum_are_other(void)
{
    struct group_tag other = tag_of("_id", "other");
    struct rig rig;

    rig_open(&rig, 100);
    for (int i = 0; i < 100; i++) {
        (void)find_numbered(&rig, i);
    }
    EXPECT(groups_count(&rig.groups) == 100);
    for (int i = 100; i < 300; i++) {
        EXPECT(group_has_tags(find_numbered(&rig, i), &other, 1));
    }
    EXPECT(groups_count(&rig.groups) == 101);
    EXPECT(load_relaxed(&rig.groups.homeless) == 200);
    for (int i = 0; i < 100; i++) {
        EXPECT(find_numbered(&rig, i) == &rig.groups.list[i]);
    }
    arena_release(&rig.arena);
}

static void test_groups_without_memory_for_tags_are_other(void)
{
    static char big[GROUPS_TEXT_BYTES / 3];
    struct group_tag tag = {.name = "n", .value = big, .name_len = 1, .value_len = sizeof(big)};
    struct group *last = NULL;
    struct rig rig;

    rig_open(&rig, 100);
    for (int i = 0; i < 4; i++) {
        big[0] = (char)('a' + i);
        last = groups_find(&rig.groups, &tag, 1);
    }
    EXPECT(last == rig.groups.other);
    EXPECT(groups_count(&rig.groups) == 3);
    EXPECT(load_relaxed(&rig.groups.homeless) == 2);
    arena_release(&rig.arena);
}

static void test_groups_init_refuses_without_memory(void)
{
    struct groups groups;
    struct arena arena;

    for (size_t bytes = 1024; bytes < ((size_t)1 << 26); bytes *= 4) {
        arena_init(&arena, bytes);
        (void)!groups_init(&groups, &arena, 1000);
        arena_release(&arena);
    }
    arena_init(&arena, 1024);
    EXPECT(!groups_init(&groups, &arena, 1000));
    arena_release(&arena);
}

static void test_groups_count_each_request_once(void)
{
    struct stats_moments at = {.due_ns = 100, .sent_ns = 200, .first_ns = 1200, .done_ns = 1200};
    struct group_request good = {
        .at = &at, .bytes_sent = 10, .bytes_received = 20, .status = 200, .why = FAILED_COUNT};
    struct group_request wrong = {.bytes_sent = 10, .status = 404, .why = FAILED_UNEXPECTED};
    struct group_request lost = {.bytes_sent = 10, .why = FAILED_INCOMPLETE};
    struct group *group;
    struct rig rig;

    rig_open(&rig, 1);
    group = find_numbered(&rig, 0);
    group_add(group, &good);
    group_add(group, &good);
    group_add(group, &wrong);
    group_add(group, &lost);
    group_waited(group, 50);
    EXPECT(load_relaxed(&group->ok) == 2);
    EXPECT(load_relaxed(&group->failed[FAILED_UNEXPECTED]) == 1);
    EXPECT(load_relaxed(&group->failed[FAILED_INCOMPLETE]) == 1);
    EXPECT(load_relaxed(&group->status[200]) == 2);
    EXPECT(load_relaxed(&group->status[404]) == 1);
    EXPECT(load_relaxed(&group->status[0]) == 0);
    EXPECT(load_relaxed(&group->bytes_sent) == 40);
    EXPECT(load_relaxed(&group->bytes_received) == 40);
    EXPECT(load_relaxed(&group->from_due.count) == 2);
    EXPECT(load_relaxed(&group->from_due.max_ns) == 1100);
    EXPECT(load_relaxed(&group->from_sent.max_ns) == 1000);
    EXPECT(load_relaxed(&group->waits) == 1 && load_relaxed(&group->waited_ns) == 50);
    arena_release(&rig.arena);
}

static void test_groups_count_errors_by_text(void)
{
    char text[GROUP_ERROR_TEXT_MAX * 2];
    struct group *group;
    struct rig rig;

    rig_open(&rig, 1);
    group = find_numbered(&rig, 0);
    for (int i = 0; i < 3; i++) {
        group_error(&rig.groups, group, TEST_ERROR_INDEXING, "indexing into json");
    }
    group_error(&rig.groups, group, TEST_ERROR_BODY, "indexing into json");
    EXPECT(load_relaxed(&group->errors_count) == 2);
    EXPECT(load_relaxed(&group->errors[0].count) == 3);
    EXPECT(group->errors[1].code == TEST_ERROR_BODY);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    group_error(&rig.groups, group, TEST_ERROR_BODY, text);
    group_error(&rig.groups, group, TEST_ERROR_BODY, text);
    EXPECT(strlen(group->errors[2].text) == GROUP_ERROR_TEXT_MAX);
    EXPECT(load_relaxed(&group->errors[2].count) == 2);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "error %d", i);
        group_error(&rig.groups, group, TEST_ERROR_BODY, text);
    }
    EXPECT(load_relaxed(&group->errors_count) == GROUP_ERRORS_MAX);
    EXPECT(strcmp(group->errors[GROUP_ERRORS_MAX - 1].text, "other errors") == 0);
    EXPECT(load_relaxed(&group->errors[GROUP_ERRORS_MAX - 1].count) == 100 - 12);
    arena_release(&rig.arena);
}

static void test_failures_have_codes(void)
{
    EXPECT(test_error_of(FAILED_UNEXPECTED) == TEST_ERROR_EXPECT);
    EXPECT(test_error_of(FAILED_BODY_TOO_LARGE) == TEST_ERROR_BODY);
    EXPECT(test_error_of(FAILED_CONNECT_REFUSED) == TEST_ERROR_CONNECTION);
    EXPECT(test_error_of(failed_of_tls((enum tls_err)0)) == TEST_ERROR_CONNECTION);
    EXPECT(test_error_of(FAILED_TIMEOUT) == TEST_ERROR_TIMEOUT);
    EXPECT(test_error_of(FAILED_BUILD) == TEST_ERROR_BUILD);
}

static void test_bucket_figures_are_told_by_text(void)
{
    static struct bucket_figures figures;
    struct bucket_error errors[BUCKET_ERRORS_MAX];
    struct bucket_group group = {.tags_count = 1};
    struct group_tag tag = tag_of("url", "/x");
    uint32_t len = 0;

    EXPECT(bucket_is_empty(&figures));
    figures.ok = 5;
    figures.failed[FAILED_TIMEOUT] = 2;
    figures.failed[FAILED_CONNECT_REFUSED] = 3;
    figures.errors[0] = (struct bucket_error){TEST_ERROR_INDEXING, "indexing into json", 4};
    figures.errors[1] = (struct bucket_error){TEST_ERROR_BODY, "none of these", 0};
    figures.errors_count = 2;
    EXPECT(!bucket_is_empty(&figures));
    EXPECT(bucket_calls(&figures) == 10 && bucket_failed(&figures) == 5);
    EXPECT(bucket_timeouts(&figures) == 2);
    EXPECT(bucket_errors(&figures, errors) == 2);
    EXPECT(strcmp(errors[0].text, "connection refused") == 0);
    EXPECT(errors[0].count == 3 && errors[0].code == TEST_ERROR_CONNECTION);
    EXPECT(strcmp(errors[1].text, "indexing into json") == 0);
    group.tags = &tag;
    EXPECT(memcmp(bucket_tag(&group, "url", &len), "/x", 2) == 0 && len == 2);
    EXPECT(bucket_tag(&group, "ur", &len) == NULL);
}

int main(void)
{
    TEST(test_groups_are_found_by_names_and_values);
    TEST(test_groups_keep_their_own_copy_of_the_tags);
    TEST(test_groups_beyond_the_maximum_are_other);
    TEST(test_groups_without_memory_for_tags_are_other);
    TEST(test_groups_init_refuses_without_memory);
    TEST(test_groups_count_each_request_once);
    TEST(test_groups_count_errors_by_text);
    TEST(test_failures_have_codes);
    TEST(test_bucket_figures_are_told_by_text);
    return 0;
}
