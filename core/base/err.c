#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err err_set(struct err_info *why, enum err code, int errno_value, const char *format, ...)
{
    va_list args;

    if (why == NULL) return code;
    *why = (struct err_info){.code = code, .errno_value = errno_value};
    va_start(args, format);
    (void)vsnprintf(why->message, sizeof(why->message), format, args);
    va_end(args);
    return code;
}

const char *err_errno_name(int errno_value)
{
    const char *name = strerrorname_np(errno_value);

    return name != NULL ? name : "unknown error";
}
