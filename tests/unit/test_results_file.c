/* What a results file promises: its bytes, in both forms; that what the disk refuses is kept and
 * written later, in order; that what is missing is told. */
#include "core/results_file.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/results_disk.h"
#include "core/results_forms.h"
#include "io/crc.h"
#include "tests/golden.h"
#include "tests/unit/results_rig.h"

static struct results_lines *new_lines(enum results_kind kind)
{
    struct results_lines *lines = results_lines_new(kind);

    EXPECT(lines != NULL);
    return lines;
}

/* The errno that the writer told last. */
static _Atomic int told;

static void tell(void *self, int error)
{
    (void)self;
    store_release(&told, error);
}

static struct results_file *open_file(const char *path, bool fresh, enum results_form form)
{
    struct results_file_options options = {
        .path = path, .fresh = fresh, .form = form, .changed = tell};
    struct results_file *file = NULL;
    struct err_info why;

    EXPECT(results_file_open(&file, &options, &why) == ERR_OK);
    return file;
}

/* Ends and frees a file of which all must be on disk. */
static void end_file(struct results_file *file, struct results_lines *last)
{
    struct err_info why;

    results_file_end(file, last);
    EXPECT(results_file_result(file, &why) == ERR_OK);
    results_file_free(file);
}

static void expect_golden(struct rig *rig, const char *name)
{
    struct text text;

    text_init(&text, &rig->arena);
    rig_read(rig->path, &text);
    golden_expect(name, &text);
}

static void test_results_file_of_pelt_is_as_documented(void)
{
    struct results_header header = {.test = "load",
                                    .version = "1.0",
                                    .start_wall_ns = UINT64_C(1760000002500) * NS_PER_MS,
                                    .bucket_size_ns = 10 * NS_PER_S};
    struct results_last last = {.end_wall_ns = UINT64_C(1760000010) * NS_PER_S,
                                .reason = "broken",
                                .error = "'a.csv', line 3: no",
                                .buckets = 1,
                                .groups = 3};
    struct results_file *file;
    struct results_lines *lines;
    struct rig rig;

    rig_open(&rig);
    file = open_file(rig.path, true, RESULTS_PELT);
    lines = new_lines(RESULTS_HEAD);
    results_pelt_header(lines, &header);
    for (uint32_t i = 0; i < rig.bucket.groups_count; i++) {
        results_pelt_group(lines, &rig.groups[i]);
    }
    results_file_add(file, lines);
    lines = new_lines(RESULTS_BUCKET);
    results_pelt_bucket(lines, &rig.bucket);
    results_file_add(file, lines);
    lines = new_lines(RESULTS_END);
    last.ledger = &rig.bucket.total;
    results_pelt_last(lines, &last);
    end_file(file, lines);
    expect_golden(&rig, "results_pelt.json");
    rig_close(&rig);
}

static void test_results_file_of_pewpew_is_as_its_viewers_want(void)
{
    struct results_header header = {
        .test = "load", .version = "1.0", .bucket_size_ns = 10 * NS_PER_S};
    struct results_file *file;
    struct results_lines *lines;
    struct rig rig;

    rig_open(&rig);
    file = open_file(rig.path, true, RESULTS_PEWPEW);
    lines = new_lines(RESULTS_HEAD);
    results_pewpew_header(lines, &header);
    results_pewpew_group(lines, &rig.groups[0]);
    results_pewpew_group(lines, &rig.groups[2]);
    results_file_add(file, lines);
    lines = new_lines(RESULTS_BUCKET);
    results_pewpew_bucket(lines, &rig.bucket);
    results_file_add(file, lines);
    end_file(file, NULL);
    expect_golden(&rig, "results_pewpew.json");
    rig_close(&rig);
}

/* A line {"n":…} of `bytes` or more. */
static struct results_lines *numbered(enum results_kind kind, uint64_t number, size_t bytes)
{
    struct results_lines *lines = new_lines(kind);
    struct json *json = results_line(lines);
    static char fill[1 << 20];

    memset(fill, 'x', sizeof(fill));
    json_key(json, "n");
    json_u64(json, number);
    json_key(json, "fill");
    json_str_len(json, fill, bytes);
    json_end(json);
    return lines;
}

/* The file at `path` has exactly the lines from 0 to `count` - 1, each with its CRC. */
static void expect_numbers(const char *path, uint64_t count)
{
    enum { TAIL = sizeof(",\"crc\":\"00000000\"}") - 1 };
    struct arena arena;
    struct text text;
    char *line, *end;
    uint64_t seen = 0;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    rig_read(path, &text);
    for (line = text.data; line < text.data + text.len; line = end + 1, seen++) {
        char wanted[TAIL + 1], head[32];

        end = strchr(line, '\n');
        EXPECT(end != NULL && end - line > TAIL);
        (void)snprintf(wanted, sizeof(wanted), ",\"crc\":\"%08x\"}",
                       crc_of(line, (size_t)(end - line) - TAIL));
        EXPECT(memcmp(end - TAIL, wanted, TAIL) == 0);
        (void)snprintf(head, sizeof(head), "{\"n\":%llu,", (unsigned long long)seen);
        EXPECT(strncmp(line, head, strlen(head)) == 0);
    }
    EXPECT(seen == count);
    arena_release(&arena);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;

    EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void wait_for(int error)
{
    for (int i = 0; load_acquire(&told) != error; i++) {
        EXPECT(i < 20000);
        (void)usleep(1000);
    }
}

static void test_results_file_is_complete_once_there_is_room_again(void)
{
    struct results_file *file;
    struct rig rig;

    rig_open(&rig);
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(64 * 1024);
    file = open_file(rig.path, true, RESULTS_PELT);
    results_file_add(file, numbered(RESULTS_HEAD, 0, 100));
    for (uint64_t i = 1; i < 40; i++) {
        results_file_add(file, numbered(RESULTS_BUCKET, i, 5000));
    }
    wait_for(EFBIG);
    results_file_add(file, numbered(RESULTS_BUCKET, 40, 5000));
    set_file_limit(RLIM_INFINITY);
    results_file_add(file, numbered(RESULTS_BUCKET, 41, 5000));
    wait_for(0);
    end_file(file, numbered(RESULTS_END, 42, 10));
    expect_numbers(rig.path, 43);
    rig_close(&rig);
}

static void test_results_file_tells_what_could_not_be_written(void)
{
    struct results_file *file;
    struct err_info why;
    struct rig rig;

    rig_open(&rig);
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(16 * 1024);
    file = open_file(rig.path, true, RESULTS_PELT);
    for (uint64_t i = 0; i < 10; i++) {
        results_file_add(file, numbered(RESULTS_BUCKET, i, 5000));
    }
    results_file_end(file, NULL);
    EXPECT(results_file_result(file, &why) == ERR_FILE);
    EXPECT(why.errno_value == EFBIG);
    EXPECT(strstr(why.message, rig.path) != NULL);
    EXPECT(strstr(why.message, strerror(EFBIG)) != NULL);
    results_file_free(file);
    set_file_limit(RLIM_INFINITY);
    expect_numbers(rig.path, 3);
    rig_close(&rig);
}

static void test_results_file_on_a_full_device_is_told(void)
{
    struct results_file *file;
    struct err_info why;

    if (access("/dev/full", W_OK) != 0) return;
    file = open_file("/dev/full", false, RESULTS_PELT);
    results_file_add(file, numbered(RESULTS_HEAD, 0, 10));
    wait_for(ENOSPC);
    results_file_end(file, numbered(RESULTS_END, 1, 10));
    EXPECT(results_file_result(file, &why) == ERR_FILE);
    EXPECT(why.errno_value == ENOSPC);
    results_file_free(file);
}

/* A thread that takes what comes from the file open at `*fd` until its writers are gone. */
static void *read_to_end(void *fd)
{
    static char piece[64 * 1024];

    while (read(*(const int *)fd, piece, sizeof(piece)) > 0) {
    }
    return NULL;
}

static void test_results_file_counts_what_it_could_not_keep(void)
{
    struct results_file *file;
    struct err_info why;
    struct rig rig;
    uint64_t added = 0;
    pthread_t reader;
    int fd;

    rig_open(&rig);
    EXPECT(mkfifo(rig.path, 0600) == 0);
    fd = open(rig.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* A reader that takes nothing. */
    EXPECT(fd >= 0 && fcntl(fd, F_SETFL, 0) == 0);
    file = open_file(rig.path, false, RESULTS_PELT);
    for (; added < 80; added++) {
        results_file_add(file, numbered(RESULTS_BUCKET, added, 1 << 20));
    }
    EXPECT(pthread_create(&reader, NULL, read_to_end, &fd) == 0);
    results_file_end(file, NULL);
    EXPECT(results_file_result(file, &why) == ERR_FILE);
    EXPECT(why.errno_value == 0);
    EXPECT(strstr(why.message, "could not keep up") != NULL);
    results_file_free(file);
    EXPECT(pthread_join(reader, NULL) == 0);
    EXPECT(close(fd) == 0);
    rig_close(&rig);
}

static void test_results_file_that_gets_nothing_leaves_all_as_it_was(void)
{
    struct stat stat_of;
    struct rig rig;
    int fd;

    rig_open(&rig);
    end_file(open_file(rig.path, true, RESULTS_PELT), NULL);
    EXPECT(access(rig.path, F_OK) != 0);
    fd = open(rig.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    EXPECT(fd >= 0 && write(fd, "kept", 4) == 4 && close(fd) == 0);
    end_file(open_file(rig.path, false, RESULTS_PELT), NULL);
    EXPECT(stat(rig.path, &stat_of) == 0 && stat_of.st_size == 4);
    rig_close(&rig);
}

static void test_results_file_that_cannot_be_opened_is_told(void)
{
    static const struct {
        const char *name;
        bool fresh;
        int error;
    } rows[] = {{"nosuch/out.json", true, ENOENT},
                {"file/out.json", true, ENOTDIR},
                {"file", true, EEXIST},
                {".", false, EISDIR}};
    struct results_file_options options = {0};
    struct results_file *file = NULL;
    struct err_info why;
    struct rig rig;
    int fd;

    rig_open(&rig);
    (void)snprintf(rig.path, sizeof(rig.path), "%s/file", rig.dir);
    fd = open(rig.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    EXPECT(fd >= 0 && close(fd) == 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(rig.path, sizeof(rig.path), "%s/%s", rig.dir, rows[i].name);
        options = (struct results_file_options){.path = rig.path, .fresh = rows[i].fresh};
        EXPECT(results_file_open(&file, &options, &why) == ERR_FILE);
        EXPECT(why.errno_value == rows[i].error);
        EXPECT(strstr(why.message, rig.path) != NULL);
    }
    rig_close(&rig);
}

static void append(struct results_disk *disk, const char *data)
{
    EXPECT(results_disk_append(disk, data, strlen(data), 100) == 0);
    EXPECT(results_disk_sync(disk) == 0);
}

static void test_results_disk_goes_on_in_parts_that_were_not_there(void)
{
    struct results_disk disk;
    struct err_info why;
    struct stat stat_of;
    struct rig rig;
    char taken[80];
    int fd;

    rig_open(&rig);
    (void)snprintf(taken, sizeof(taken), "%s.2", rig.path);
    fd = open(taken, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    EXPECT(fd >= 0 && close(fd) == 0);
    EXPECT(results_disk_open(&disk, rig.path, false, &why) == ERR_OK);
    append(&disk, "one");
    EXPECT(results_disk_next(&disk) == 0);
    EXPECT(strcmp(disk.path + strlen(rig.path), ".3") == 0);
    append(&disk, "three");
    append(&disk, "+");
    EXPECT(stat(disk.path, &stat_of) == 0 && stat_of.st_size == 6);
    while (results_disk_next(&disk) == 0) {
        append(&disk, "more");
    }
    EXPECT(disk.part == RESULTS_PARTS_MAX && disk.fd < 0);
    EXPECT(results_disk_next(&disk) == EEXIST);
    EXPECT(results_disk_close(&disk) == 0);
    EXPECT(stat(rig.path, &stat_of) == 0 && stat_of.st_size == 3);
    EXPECT(stat(taken, &stat_of) == 0 && stat_of.st_size == 0);
    rig_close(&rig);
}

static void test_results_lines_carry_every_count(void)
{
    struct results_lines *lines = new_lines(RESULTS_BUCKET);
    struct hist_view *back;
    struct rig rig;

    rig_open(&rig);
    back = arena_array(&rig.arena, 1, sizeof(*back));
    EXPECT(back != NULL);
    rig.hists[0]->buckets[0] = (UINT64_C(5) << RESULTS_COUNT_BITS) + 77;
    rig.hists[0]->page_mask[0] |= 1;
    rig.hists[0]->buckets[HIST_BUCKETS - 1] = UINT64_MAX;
    rig.hists[0]->page_mask[HIST_MASK_WORDS - 1] |= UINT64_C(1) << (HIST_PAGES - 1) % 64;
    json_key(results_line(lines), "a");
    results_line_hist(lines, rig.hists[0]);
    json_end(&lines->json);
    EXPECT(strcmp(lines->text.data, "{\"a\":\"\"}\n") == 0);
    EXPECT(lines->first->at == 6);
    results_hole_view(lines->first, back);
    EXPECT(memcmp(back->buckets, rig.hists[0]->buckets, sizeof(back->buckets)) == 0);
    results_lines_free(lines);
    rig_close(&rig);
}

static void test_crc_is_that_of_gzip(void)
{
    EXPECT(crc_of("123456789", 9) == 0xcbf43926);
    EXPECT(crc_of("", 0) == 0);
}

int main(void)
{
    TEST(test_crc_is_that_of_gzip);
    TEST(test_results_lines_carry_every_count);
    TEST(test_results_file_of_pelt_is_as_documented);
    TEST(test_results_file_of_pewpew_is_as_its_viewers_want);
    TEST(test_results_file_is_complete_once_there_is_room_again);
    TEST(test_results_file_tells_what_could_not_be_written);
    TEST(test_results_file_on_a_full_device_is_told);
    TEST(test_results_file_counts_what_it_could_not_keep);
    TEST(test_results_file_that_gets_nothing_leaves_all_as_it_was);
    TEST(test_results_file_that_cannot_be_opened_is_told);
    TEST(test_results_disk_goes_on_in_parts_that_were_not_there);
    results_file_free(NULL);
    return 0;
}
