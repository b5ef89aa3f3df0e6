/* Addresses of ours, and lists of theirs: whose turn it is, what is the same, what cannot work. */
#include "io/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"
#include "tests/test.h"

static void sources_make(struct sources *sources, struct arena *arena)
{
    arena_init(arena, 0);
    EXPECT(sources_init(sources, arena, 4));
    EXPECT(sources_add(sources, "127.0.0.2"));
    EXPECT(sources_add(sources, "::1"));
    EXPECT(sources_add(sources, "127.0.0.3"));
    EXPECT(!sources_add(sources, "localhost"));
}

static void test_sources_take_turns_by_family(void)
{
    static const char *const turns[] = {"127.0.0.2", "127.0.0.3", "127.0.0.2"};
    struct sources sources;
    struct arena arena;
    char text[RESOLVE_TEXT_MAX];

    sources_make(&sources, &arena);
    EXPECT(sources_count(&sources, AF_INET) == 2);
    EXPECT(sources_count(&sources, AF_INET6) == 1);
    EXPECT(sources_count(&sources, AF_UNIX) == 0);
    for (uint64_t i = 0; i < COUNT(turns); i++) {
        EXPECT(strcmp(resolve_text_host(sources_at(&sources, AF_INET, i), text), turns[i]) == 0);
        EXPECT(strcmp(resolve_text_host(sources_at(&sources, AF_INET6, i), text), "::1") == 0);
    }
    arena_release(&arena);
}

static void test_sources_find_no_room_in_a_small_arena(void)
{
    struct sources sources;
    struct arena arena;

    arena_init(&arena, 64);
    EXPECT(!sources_init(&sources, &arena, 1000));
    arena_release(&arena);
}

static void test_sources_that_are_not_ours_are_named(void)
{
    struct addresses addresses = {.count = 1};
    struct sources sources;
    struct err_info why = {.message = ""};
    struct arena arena;

    sources_make(&sources, &arena);
    EXPECT(resolve_numeric("127.0.0.1", "80", &addresses.list[0]));
    sources.of[1].count = 0; /* There may be no IPv6. */
    EXPECT(sources_check(&sources, &addresses, &why) == ERR_OK);
    EXPECT(sources_add(&sources, "192.0.2.9"));
    EXPECT(sources_check(&sources, &addresses, &why) == ERR_NETWORK);
    printf("%s\n", why.message);
    EXPECT(why.errno_value == EADDRNOTAVAIL);
    EXPECT(strstr(why.message, "source 192.0.2.9 is no address of this machine") != NULL);
    arena_release(&arena);
}

static void test_resolve_tells_lists_apart_in_any_order(void)
{
    struct addresses a = {.count = 2}, b = {.count = 2};

    EXPECT(resolve_numeric("127.0.0.1", "80", &a.list[0]));
    EXPECT(resolve_numeric("::1", "80", &a.list[1]));
    b.list[0] = a.list[1];
    b.list[1] = a.list[0];
    EXPECT(resolve_is_same(&a, &b));
    EXPECT(resolve_numeric("127.0.0.1", "81", &b.list[1]));
    EXPECT(!resolve_is_same(&a, &b));
    b.count = 1;
    EXPECT(!resolve_is_same(&a, &b));
}

static void test_resolve_writes_every_kind_of_address(void)
{
    struct address address;
    char text[RESOLVE_TEXT_MAX], path[200];

    EXPECT(resolve_numeric("fe80::1", "8080", &address));
    EXPECT(strcmp(resolve_text(&address, text), "[fe80::1]:8080") == 0);
    EXPECT(resolve_unix("/run/a.sock", &address));
    EXPECT(strcmp(resolve_text(&address, text), "/run/a.sock") == 0);
    EXPECT(strcmp(resolve_text_host(&(struct address){.len = 0}, text), "?") == 0);
    EXPECT(strcmp(resolve_text(&(struct address){.len = 0}, text), "?") == 0);
    memset(path, 'p', sizeof(path));
    path[108] = '\0';
    EXPECT(!resolve_unix(path, &address));
    path[107] = '\0';
    EXPECT(resolve_unix(path, &address));
    EXPECT(strlen(resolve_text(&address, text)) == RESOLVE_TEXT_MAX - 1);
    EXPECT(!resolve_numeric("a.test", "80", &address));
}

int main(void)
{
    TEST(test_sources_take_turns_by_family);
    TEST(test_sources_find_no_room_in_a_small_arena);
    TEST(test_sources_that_are_not_ours_are_named);
    TEST(test_resolve_tells_lists_apart_in_any_order);
    TEST(test_resolve_writes_every_kind_of_address);
    return 0;
}
