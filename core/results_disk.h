/* results_disk: a file that grows by whole pieces: one that the disk does not take leaves no part
 * of itself behind, and room for a last one can be had in advance.
 *
 * Threads: one owner at a time. */
#ifndef CORE_RESULTS_DISK_H
#define CORE_RESULTS_DISK_H

#include <limits.h>

#include "core/base/err.h"

enum { RESULTS_PARTS_MAX = 9 };

struct results_disk {
    char path[PATH_MAX]; /* Of the part that is written now. */
    size_t name_len;     /* Of the path, without the number of the part. */
    int fd;              /* -1: none is open. */
    uint32_t part;       /* From 1. */
    uint64_t offset;     /* Where the next piece goes; all before it are whole. */
    uint64_t synced;     /* All before it is on the disk. */
    bool fresh;          /* The file is ours from the first. */
    bool regular;        /* Else a pipe or a device: written as it is. */
    bool begun;          /* What it held before is gone. */
};

/* Opens `path`, and makes it (mode 0644) if it is not there; a `fresh` one must not be. What it
 * holds stays until the first piece comes. ERR_FILE, with the errno. */
MUST_USE enum err results_disk_open(struct results_disk *disk, const char *path, bool fresh,
                                    struct err_info *why);

/* Appends `len` bytes and keeps room for `keep` more behind them, where the file system can. 0, or
 * the errno, and then nothing of them is in the file. */
MUST_USE int results_disk_append(struct results_disk *disk, const char *data, size_t len,
                                 size_t keep);

/* All that was appended is on the disk: 0, or the errno. What cannot be synced, a pipe, is. */
MUST_USE int results_disk_sync(struct results_disk *disk);

/* After a sync that failed for want of room: cuts off all that is not known to be on the disk, to
 * be written once more, for the kernel may have dropped it. 0, or the errno. */
MUST_USE int results_disk_rewind(struct results_disk *disk);

/* Leaves this file as it is and begins the next part, an empty one that was not there. 0, or the
 * errno, and then none is open; EEXIST when all RESULTS_PARTS_MAX are used. */
MUST_USE int results_disk_next(struct results_disk *disk);

/* Gives back what room was kept, and closes; a fresh file that got nothing goes. 0, or the errno.
 * No-op when it is closed. */
MUST_USE int results_disk_close(struct results_disk *disk);

#endif
