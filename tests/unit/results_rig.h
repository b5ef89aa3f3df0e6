/* What tests of results files share: a directory of their own, and a bucket with fixed figures. */
#ifndef TESTS_UNIT_RESULTS_RIG_H
#define TESTS_UNIT_RESULTS_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/bucket.h"
#include "tests/test.h"

struct rig {
    struct arena arena;
    char dir[32];
    char path[64];
    struct hist_view *hists[2];
    struct bucket_group groups[3];
    struct bucket_provider providers[1];
    struct bucket bucket;
};

static inline void rig_hist(struct hist_view *view, const uint64_t *values_ns, size_t count)
{
    hist_view_clear(view);
    view->min_ns = values_ns[0];
    for (size_t i = 0; i < count; i++) {
        uint32_t bucket = hist_bucket_of(values_ns[i]), page = bucket / HIST_PAGE_BUCKETS;

        view->count++;
        view->sum_ns += values_ns[i];
        view->max_ns = values_ns[i]; /* They ascend. */
        view->page_mask[page / 64] |= UINT64_C(1) << page % 64;
        view->buckets[bucket]++;
    }
}

static inline void rig_groups(struct rig *rig)
{
    static const struct group_tag first[] = {
        {"_id", "0", 3, 1}, {"method", "GET", 6, 3}, {"url", "http://a/\xff\"*", 3, 12}};
    static const struct group_tag other[] = {{"_id", "other", 3, 5}};
    struct bucket_figures *figures = &rig->groups[0].bucket;

    for (uint32_t i = 0; i < COUNT(rig->groups); i++) {
        rig->groups[i] = (struct bucket_group){.index = i, .tags = other, .tags_count = 1};
        rig->groups[i].is_new = true;
    }
    rig->groups[0].tags = first;
    rig->groups[0].tags_count = COUNT(first);
    figures->ok = 5;
    figures->failed[FAILED_CONNECT_REFUSED] = 2;
    figures->failed[FAILED_TIMEOUT] = 1;
    figures->failed[FAILED_UNEXPECTED] = 1;
    figures->status[200] = 5;
    figures->status[503] = 1;
    figures->bytes_sent = 900;
    figures->bytes_received = 12345;
    figures->waits = 3;
    figures->waited_ns = 1500 * NS_PER_US;
    figures->errors_count = 2;
    figures->errors[0] = (struct bucket_error){TEST_ERROR_INDEXING, "no such member 'a'", 4};
    figures->errors[1] = (struct bucket_error){TEST_ERROR_PROVIDER_WAIT, "waited", 0};
    figures->from_due = rig->hists[0];
    figures->from_sent = rig->hists[1];
    rig->groups[2].bucket.failed[FAILED_CONNECT_REFUSED] = 7;
}

/* Opens a directory and makes rig->bucket: of three groups the middle one had nothing. */
static inline void rig_open(struct rig *rig)
{
    static const uint64_t due_ns[] = {900, 1500, 2048, 1000000, 250000000, 60000000000};
    static const uint64_t sent_ns[] = {800, 1400, 2047, 999999, 250000000, 60000000000};

    *rig = (struct rig){0};
    arena_init(&rig->arena, 0);
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/test_results.XXXXXX");
    EXPECT(mkdtemp(rig->dir) != NULL);
    (void)snprintf(rig->path, sizeof(rig->path), "%s/out.json", rig->dir);
    for (int i = 0; i < 2; i++) {
        rig->hists[i] = arena_array(&rig->arena, 1, sizeof(*rig->hists[i]));
        EXPECT(rig->hists[i] != NULL);
    }
    rig_hist(rig->hists[0], due_ns, COUNT(due_ns));
    rig_hist(rig->hists[1], sent_ns, COUNT(sent_ns));
    rig_groups(rig);
    rig->providers[0] = (struct bucket_provider){
        .name = "ids", .len = 5, .limit = 10, .receivers = 2, .senders = 1, .on_demand = 3};
    rig->bucket = (struct bucket){.start_wall_ns = UINT64_C(1760000000) * NS_PER_S,
                                  .from_ns = 0,
                                  .until_ns = 7500 * NS_PER_MS,
                                  .groups = rig->groups,
                                  .groups_count = COUNT(rig->groups),
                                  .providers = rig->providers,
                                  .providers_count = 1,
                                  .connections_open = 4,
                                  .connections_max = 100};
    rig->bucket.ledger = (struct ledger){.due = 20,
                                         .pending = 1,
                                         .started = 18,
                                         .in_flight = 2,
                                         .ok = 5,
                                         .shed[SHED_FULL] = 1,
                                         .bytes_sent = 900,
                                         .bytes_received = 20000,
                                         .connects = 6,
                                         .opened = 4};
    rig->bucket.ledger.failed[FAILED_CONNECT_REFUSED] = 9;
    rig->bucket.ledger.failed[FAILED_TIMEOUT] = 1;
    rig->bucket.ledger.failed[FAILED_UNEXPECTED] = 1;
    rig->bucket.total = rig->bucket.ledger;
}

static inline void rig_close(struct rig *rig)
{
    DIR *dir = opendir(rig->dir);

    EXPECT(dir != NULL);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    EXPECT(closedir(dir) == 0);
    EXPECT(rmdir(rig->dir) == 0);
    arena_release(&rig->arena);
}

/* What a file holds, in `out`. */
static inline void rig_read(const char *path, struct text *out)
{
    char piece[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    EXPECT(fd >= 0);
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        text_add(out, piece, (size_t)n);
    }
    EXPECT(n == 0 && close(fd) == 0);
}

#endif
