#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"

enum { CAPACITY_MIN = 256 };

void text_init(struct text *text, struct arena *arena)
{
    CHECK(arena != NULL);
    *text = (struct text){.arena = arena};
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->data != NULL) text->data[0] = '\0';
}

/* Makes room for `len` more bytes and the terminator; false, and `failed`, when there is none.
 * Doubling keeps what is left behind in the arena below what is in use. */
static bool text_reserve(struct text *text, size_t len)
{
    size_t need, capacity;
    char *data;

    if (text->failed) return false;
    if (len < text->capacity - text->len) return true;
    text->failed = true; /* Until the room is there. */
    if (__builtin_add_overflow(text->len, len, &need)) return false;
    if (need >= SIZE_MAX / 2) return false;
    capacity = text->capacity == 0 ? CAPACITY_MIN : text->capacity;
    while (capacity <= need) {
        capacity *= 2;
    }
    data = arena_alloc(text->arena, capacity, 1);
    if (data == NULL) return false;
    if (text->len > 0) memcpy(data, text->data, text->len);
    text->data = data;
    text->capacity = capacity;
    text->failed = false;
    return true;
}

void text_add(struct text *text, const char *data, size_t len)
{
    if (!text_reserve(text, len)) return;
    if (len > 0) memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
    DCHECK(text->len < text->capacity);
}

void text_add_str(struct text *text, const char *str)
{
    CHECK(str != NULL);
    text_add(text, str, strlen(str));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args, again;
    int len;

    if (!text_reserve(text, 0)) return;
    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(text->data + text->len, text->capacity - text->len, format, args);
    if (len < 0) {
        text->failed = true;
    } else if ((size_t)len < text->capacity - text->len) {
        text->len += (size_t)len;
    } else if (text_reserve(text, (size_t)len)) {
        int written = vsnprintf(text->data + text->len, (size_t)len + 1, format, again);

        CHECK(written == len);
        text->len += (size_t)len;
    }
    /* Whatever a refused write has left behind the end is cut off again. */
    text->data[text->len] = '\0';
    va_end(again);
    va_end(args);
}
