#include "core/results_dir.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/quote.h"

/* 0, or the errno. */
static int make_one(const char *path)
{
    struct stat stat_of;

    if (mkdir(path, 0777) == 0) return 0;
    if (errno != EEXIST) return errno;
    if (stat(path, &stat_of) != 0) return errno;
    return S_ISDIR(stat_of.st_mode) ? 0 : ENOTDIR;
}

enum err results_dir_make(const char *path, struct err_info *why)
{
    size_t len = strlen(path);
    char copy[PATH_MAX];
    int error = len >= sizeof(copy) ? ENAMETOOLONG : 0;

    if (error == 0) memcpy(copy, path, len + 1);
    for (size_t i = 1; error == 0 && i < len; i++) {
        if (copy[i] != '/') continue;
        copy[i] = '\0';
        error = make_one(copy);
        copy[i] = '/';
        if (error == EROFS || error == EACCES) error = 0; /* One further down may be there. */
    }
    if (error == 0) error = make_one(copy);
    if (error == 0) return ERR_OK;
    return err_set(why, ERR_FILE, error, "cannot make the directory '%s': %s", quote(path).text,
                   strerror(error));
}
