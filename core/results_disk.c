#include "core/results_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/quote.h"

/* Its name is on the disk too. A directory that cannot be synced is no error: the file itself can
 * be, and tells. */
static void sync_directory(const char *path)
{
    char copy[PATH_MAX];
    int fd;

    (void)snprintf(copy, sizeof(copy), "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

/* Opens disk->path; 0 or the errno. */
static int open_part(struct results_disk *disk)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (disk->fresh ? O_EXCL : 0);
    struct stat stat;
    int fd = open(disk->path, flags, 0644);

    if (fd < 0) return errno;
    disk->fd = fd;
    disk->offset = disk->synced = 0;
    disk->begun = false;
    disk->regular = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
    if (disk->regular) sync_directory(disk->path);
    return 0;
}

enum err results_disk_open(struct results_disk *disk, const char *path, bool fresh,
                           struct err_info *why)
{
    int error;

    *disk = (struct results_disk){.name_len = strlen(path), .fd = -1, .part = 1, .fresh = fresh};
    (void)snprintf(disk->path, sizeof(disk->path), "%s", path);
    error = disk->name_len + sizeof(".2") > sizeof(disk->path) ? ENAMETOOLONG : open_part(disk);
    if (error == 0) return ERR_OK;
    return err_set(why, ERR_FILE, error, "cannot write '%s': %s", quote(path).text,
                   strerror(error));
}

/* Takes room from the disk for `len` bytes behind the last piece; 0, or the errno if it is certain
 * that there is none. */
static int reserve(struct results_disk *disk, size_t len)
{
    if (!disk->regular) return 0;
    if (fallocate(disk->fd, FALLOC_FL_KEEP_SIZE, (off_t)disk->offset, (off_t)len) == 0) return 0;
    return errno == ENOSPC || errno == EDQUOT ? errno : 0; /* Not every file system can. */
}

/* Writes all of it; 0 or the errno. */
static int write_all(struct results_disk *disk, const char *data, size_t len)
{
    uint64_t offset = disk->offset;

    while (len > 0) {
        ssize_t n =
            disk->regular ? pwrite(disk->fd, data, len, (off_t)offset) : write(disk->fd, data, len);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EIO;
        data += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int results_disk_append(struct results_disk *disk, const char *data, size_t len, size_t keep)
{
    int error;

    CHECK(disk->fd >= 0);
    if (disk->regular && !disk->begun && ftruncate(disk->fd, 0) != 0) return errno;
    disk->begun = true;
    error = reserve(disk, len + keep);
    if (error == 0) error = write_all(disk, data, len);
    if (error == 0) {
        disk->offset += len;
    } else if (disk->regular && ftruncate(disk->fd, (off_t)disk->offset) != 0) {
        error = EIO; /* A torn piece is in it: not one to go on with. */
    } else {
        (void)!reserve(disk, keep); /* What was kept went with the cut. */
    }
    return error;
}

int results_disk_sync(struct results_disk *disk)
{
    CHECK(disk->fd >= 0);
    if (!disk->regular) return 0;
    while (fsync(disk->fd) != 0) {
        if (errno != EINTR) return errno;
    }
    disk->synced = disk->offset;
    return 0;
}

int results_disk_rewind(struct results_disk *disk)
{
    CHECK(disk->fd >= 0 && disk->regular);
    if (ftruncate(disk->fd, (off_t)disk->synced) != 0) return errno;
    disk->offset = disk->synced;
    return 0;
}

int results_disk_next(struct results_disk *disk)
{
    int error = EEXIST;

    if (disk->fd >= 0) (void)close(disk->fd); /* It is not trusted, whatever this says. */
    disk->fd = -1;
    disk->fresh = true;
    while (error == EEXIST && disk->part < RESULTS_PARTS_MAX) {
        disk->part++;
        (void)snprintf(disk->path + disk->name_len, sizeof(disk->path) - disk->name_len, ".%u",
                       disk->part);
        error = open_part(disk);
    }
    return error;
}

int results_disk_close(struct results_disk *disk)
{
    int error = 0;

    if (disk->fd < 0) return 0;
    if (disk->regular && disk->begun && ftruncate(disk->fd, (off_t)disk->offset) != 0) {
        error = errno;
    }
    if (close(disk->fd) != 0 && errno != EINTR && error == 0) error = errno;
    disk->fd = -1;
    if (disk->fresh && disk->offset == 0) (void)unlink(disk->path);
    return error;
}
