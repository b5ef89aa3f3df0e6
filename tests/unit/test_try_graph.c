/* The graph of providers that `pelt try` follows: scores, chains, and who is called. */
#include "core/try_graph.h"

#include <string.h>

#include "tests/unit/try_loaded.h"

enum { ENDPOINTS_MAX = 64 };

/* Graphs in few letters. Each word is an endpoint: its name, after '<' what it needs, after '>'
 * what it provides; lower case letters are response providers, upper case ones lists. */
struct row {
    const char *name;
    const char *graph;
    const char *scores;   /* By endpoint; '-': it can never be called. */
    const char *chosen;   /* First letters of names; NULL: all that can be called. */
    const char *called;   /* Who is called then, in the order of the file … */
    const char *with_all; /* … and with every feeder; NULL: the same. */
};

static void add_provider(struct text *yaml, bool *known, char letter)
{
    if (known[(unsigned char)letter]) return;
    known[(unsigned char)letter] = true;
    text_printf(yaml, letter >= 'a' ? "  %c: {response: {}}\n" : "  %c: {list: [1, 2]}\n", letter);
}

/* One endpoint; its first need stands in the URL, the second in a header, others in the body. */
static void add_endpoint(struct text *yaml, const char *word, size_t len)
{
    const char *needs = memchr(word, '<', len), *gives = memchr(word, '>', len);
    const char *end = word + len, *needs_end = gives == NULL ? end : gives;

    text_printf(yaml, "  - name: %c\n    method: POST\n    peak_load: 1hps\n    url: http://h/%c",
                word[0], word[0]);
    if (needs != NULL) text_printf(yaml, "?a=${%c}", needs[1]);
    text_add_str(yaml, "\n");
    if (needs != NULL && needs + 2 < needs_end) {
        text_printf(yaml, "    headers: {X-B: '${%c}'}\n    body: 'c", needs[2]);
        for (const char *need = needs + 3; need < needs_end; need++) {
            text_printf(yaml, "${%c}", *need);
        }
        text_add_str(yaml, "'\n");
    }
    if (gives == NULL) return;
    text_add_str(yaml, "    provides:\n");
    for (const char *give = gives + 1; give < end; give++) {
        text_printf(yaml, "      %c: {select: response.body}\n", *give);
    }
}

static void load_graph(struct loaded *loaded, const char *graph)
{
    bool known[256] = {false};
    struct arena arena;
    struct text yaml;
    bool any = false;

    arena_init(&arena, 0);
    text_init(&yaml, &arena);
    text_add_str(&yaml, "load_pattern: [{linear: {from: 100%, to: 100%, over: 1m}}]\n");
    for (const char *c = graph; *c != '\0'; c++) {
        bool is_name = c == graph || c[-1] == ' ';

        if (is_name || *c == '<' || *c == '>' || *c == ' ') continue;
        if (!any) text_add_str(&yaml, "providers:\n");
        any = true;
        add_provider(&yaml, known, *c);
    }
    text_add_str(&yaml, "endpoints:\n");
    for (const char *word = graph; *word != '\0';) {
        size_t len = strcspn(word, " ");

        add_endpoint(&yaml, word, len);
        word += len + (word[len] == ' ');
    }
    loaded_open(loaded, yaml.data);
    arena_release(&arena);
}

static const struct row rows[] = {
    {"nothing is needed", "a b", "00", NULL, "ab", NULL},
    {"one needs another", "a>x b<x", "01", NULL, "ab", NULL},
    {"the feeder is added", "a>x b<x", "01", "b", "ab", NULL},
    {"no feeder without need", "a>x b<x", "01", "a", "a", NULL},
    {"the order of the file does not matter", "b<x a>x", "10", "b", "ba", NULL},
    {"a chain", "a>x b<x>y c<y>z d<z", "0123", "d", "abcd", NULL},
    {"a chain backwards", "d<z c<y>z b<x>y a>x", "3210", "d", "dcba", NULL},
    {"the cheaper feeder", "a>x b<x>y c>y d<y", "0101", "d", "cd", "abcd"},
    {"of equals the first of the file", "a>x b>x c<x", "001", "c", "ac", "abc"},
    {"a chosen feeder is enough", "a>x b>x c<x", "001", "bc", "bc", "abc"},
    {"even if it is not the cheapest", "a>x b<x>y c>y d<y", "0101", "bd", "abd", "abcd"},
    {"one that feeds itself too", "a<x>x b>x", "10", "a", "ab", NULL},
    {"it does not count for itself", "a<x>x b>x c<x", "101", "ac", "abc", NULL},
    {"a list needs no feeder", "a<L>L b<L", "00", NULL, "ab", NULL},
    {"nor does one that others feed too", "a>L b<L", "00", "b", "b", NULL},
    {"two inputs, two feeders", "a>x b>y c<xy", "002", "c", "abc", NULL},
    {"two inputs, one feeder", "a>xy c<xy", "01", "c", "ac", NULL},
    {"what is shared counts once", "a>x b<x>y c<x>z d<yz", "0113", "d", "abcd", NULL},
    {"three inputs", "a>x b>y c>z d<xyz>w e<w", "00034", "e", "abcde", NULL},
    {"the union decides, not the depth", "a>x b<x>y c<y>w d>p e>q f>r g<pqr>w h<w", "01200033", "h",
     "abch", "abcdefgh"},
    {"of equal unions the first", "g<pq>w d>p e>q a>x b<x>y c<y>w h<w", "2000123", "h", "gdeh",
     "gdeabch"},
    {"a circle", "a<x>y b<y>x", "--", "", "", NULL},
    {"a circle with a way in", "a<x>y b<y>x c>x", "120", "b", "abc", NULL},
    {"chosen ones in a circle need its way in", "a<x>y b<y>x c>x", "120", "ab", "abc", NULL},
    {"an endpoint that only feeds itself", "a<x>x b", "-0", NULL, "b", NULL},
    {"nobody provides it", "a<x b>y c<y", "-01", NULL, "bc", NULL},
    {"behind what nobody provides", "a<x>y b<y c", "--0", "c", "c", NULL},
    {"a feeder that can never be called is left out", "a<q>x b>x c<x", "-01", "c", "bc", "bc"},
    {"a diamond of two levels", "a>x b<x>y c<x>z d<yz>w e<w>v f<wv", "011345", "f", "abcdef", NULL},
    {"a login for all", "l>t a<t b<t c<t", "0111", "ab", "lab", NULL},
    {"two ways, one through a circle", "a<x>y b<y>xz c>x d<z>w e<wx", "12034", NULL, "abcde", NULL},
    {"a wide one", "a>x b>x c>x d>x e>x f<x", "000001", "f", "af", "abcdef"},
    {"the last letter", "z<y y<x>y x<w>x w<v>w v<u>v u>u", "543210", "z", "zyxwvu", NULL},
};

static bool is_in(char letter, const char *letters)
{
    return letters[0] != '\0' && strchr(letters, letter) != NULL;
}

static void expect_called(const struct loaded *loaded, const struct row *row, bool all,
                          const char *called, struct arena *arena)
{
    enum try_role roles[ENDPOINTS_MAX] = {TRY_LEFT_OUT};
    char got[ENDPOINTS_MAX + 1] = "";
    size_t len = 0;

    for (uint32_t i = 0; i < loaded->file->endpoints_count; i++) {
        char letter = loaded->file->endpoints[i].name[0];

        if (row->scores[i] == '-') continue;
        if (row->chosen == NULL || is_in(letter, row->chosen)) roles[i] = TRY_CHOSEN;
    }
    EXPECT(try_graph_choose(&loaded->graph, roles, all, arena));
    for (uint32_t i = 0; i < loaded->file->endpoints_count; i++) {
        if (roles[i] != TRY_LEFT_OUT) got[len++] = loaded->file->endpoints[i].name[0];
        if (row->chosen == NULL || roles[i] == TRY_LEFT_OUT) continue;
        EXPECT((roles[i] == TRY_CHOSEN) == is_in(loaded->file->endpoints[i].name[0], row->chosen));
    }
    if (strcmp(got, called) != 0) {
        (void)fprintf(stderr, "%s: %s: calls %s, not %s\n", row->name, row->graph, got, called);
    }
    EXPECT(strcmp(got, called) == 0);
}

static void test_try_graph_scores_and_chooses(void)
{
    EXPECT(COUNT(rows) >= 30);
    for (size_t r = 0; r < COUNT(rows); r++) {
        const struct row *row = &rows[r];
        struct loaded loaded;

        load_graph(&loaded, row->graph);
        EXPECT(loaded.file->endpoints_count == strlen(row->scores));
        for (uint32_t i = 0; i < loaded.file->endpoints_count; i++) {
            uint32_t score = loaded.graph.scores[i];
            char letter = (char)(score == TRY_NONE ? '-' : '0' + score);

            if (letter != row->scores[i]) {
                (void)fprintf(stderr, "%s: %s: %s has score %c, not %c\n", row->name, row->graph,
                              loaded.file->endpoints[i].name, letter, row->scores[i]);
            }
            EXPECT(letter == row->scores[i]);
        }
        expect_called(&loaded, row, false, row->called, &loaded.arena);
        expect_called(&loaded, row, true, row->with_all == NULL ? row->called : row->with_all,
                      &loaded.arena);
        loaded_close(&loaded);
    }
}

static void test_try_graph_names_the_chain(void)
{
    static const struct {
        const char *graph, *chain;
        uint32_t index;
    } chains[] = {
        {"a<x", "`a` needs `x`, which nobody provides", 0},
        {"a<x>y b<y", "`b` needs `y` of `a`, which needs `x`, which nobody provides", 1},
        {"a<x>x", "`a` needs `x` of `a` itself", 0},
        {"a<x>y b<y>x", "`a` needs `x` of `b`, which needs `y` of `a`: a circle", 0},
        {"a<x>y b<y>x c<y",
         "`c` needs `y` of `a`, which needs `x` of `b`, which needs `y` of `a`: a circle", 2},
        {"a<x>x b<x", "`b` needs `x` of `a`, which needs `x` of `a` itself", 1},
        {"a>x b<xy", "`b` needs `y`, which nobody provides", 1},
    };

    for (size_t i = 0; i < COUNT(chains); i++) {
        struct loaded loaded;
        struct text out;

        load_graph(&loaded, chains[i].graph);
        text_init(&out, &loaded.arena);
        EXPECT(loaded.graph.scores[chains[i].index] == TRY_NONE);
        try_graph_chain(&loaded.graph, chains[i].index, &out);
        if (strcmp(out.data, chains[i].chain) != 0) (void)fprintf(stderr, "%s\n", out.data);
        EXPECT(strcmp(out.data, chains[i].chain) == 0);
        loaded_close(&loaded);
    }
}

static const char everywhere[] =
    "load_pattern: [{linear: {from: 100%, to: 100%, over: 1m}}]\n"
    "config: {client: {headers: {X-All: '${all}'}}}\n"
    "providers: {all: {response: {}}, declared: {response: {}}, twice: {response: {}},\n"
    "  tag: {response: {}}, log: {response: {}}, global: {response: {}}, given: {response: {}},\n"
    "  unused: {response: {}}}\n"
    "loggers:\n"
    "  own: {to: stdout}\n"
    "  every: {to: stdout, select: global, where: 'true'}\n"
    "endpoints:\n"
    "  - name: asks\n"
    "    url: http://h/?d=${d}\n"
    "    peak_load: 1hps\n"
    "    declare: {d: 'collect(e, 2)', e: declared + twice, never: unused}\n"
    "    tags: {t: '${tag}'}\n"
    "    logs: {own: {select: log}}\n"
    "    provides: {given: {select: given}}\n";

static void test_try_graph_looks_everywhere(void)
{
    static const char *const needed[] = {"all", "declared", "twice", "tag",
                                         "log", "global",   "given"};
    struct loaded loaded;
    uint32_t found = 0;

    loaded_open(&loaded, everywhere);
    for (uint32_t i = 0; i < loaded.file->providers_count; i++) {
        bool wanted = false;

        for (size_t j = 0; j < COUNT(needed); j++) {
            wanted |= strcmp(loaded.file->providers[i].name, needed[j]) == 0;
        }
        EXPECT(try_reads(&loaded.file->endpoints[0], i) == wanted);
        found += wanted;
    }
    EXPECT(found == COUNT(needed));
    EXPECT(loaded.graph.scores[0] == TRY_NONE);
    loaded_close(&loaded);
}

static void test_try_graph_takes_more_endpoints_than_a_word_has_bits(void)
{
    struct loaded loaded;
    struct arena arena;
    struct text yaml;

    arena_init(&arena, 0);
    text_init(&yaml, &arena);
    text_add_str(&yaml, "load_pattern: [{linear: {from: 100%, to: 100%, over: 1m}}]\nproviders:\n");
    for (int i = 0; i < 300; i++) {
        text_printf(&yaml, "  p%d: {response: {}}\n", i);
    }
    text_add_str(&yaml, "endpoints:\n");
    for (int i = 0; i < 300; i++) {
        text_printf(&yaml, "  - url: 'http://h/%d%s%d%s'\n    peak_load: 1hps\n", i,
                    i > 0 ? "?${p" : "?x", i > 0 ? i - 1 : 0, i > 0 ? "}" : "");
        text_printf(&yaml, "    provides: {p%d: {select: response.body}}\n", i);
    }
    loaded_open(&loaded, yaml.data);
    for (uint32_t i = 0; i < 300; i++) {
        EXPECT(loaded.graph.scores[i] == i);
    }
    loaded_close(&loaded);
    arena_release(&arena);
}

static void test_try_graph_says_when_memory_is_short(void)
{
    enum try_role roles[ENDPOINTS_MAX] = {TRY_LEFT_OUT, TRY_LEFT_OUT, TRY_CHOSEN};
    struct try_graph graph;
    struct loaded loaded;
    struct arena arena;
    size_t bytes = 0;
    bool made = false, chosen = false;

    load_graph(&loaded, "a<x>y b<y>x c<y d>x");
    while (!chosen) {
        arena_init(&arena, ++bytes);
        made = try_graph_make(&graph, loaded.file, &arena);
        chosen = made && try_graph_choose(&graph, roles, false, &arena);
        arena_release(&arena);
        bytes += 63;
    }
    EXPECT(roles[3] == TRY_ADDED);
    loaded_close(&loaded);
}

int main(void)
{
    TEST(test_try_graph_scores_and_chooses);
    TEST(test_try_graph_names_the_chain);
    TEST(test_try_graph_looks_everywhere);
    TEST(test_try_graph_takes_more_endpoints_than_a_word_has_bits);
    TEST(test_try_graph_says_when_memory_is_short);
    return 0;
}
