#include "io/crc.h"

#include <zlib.h>

uint32_t crc_of(const char *data, size_t len)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)data, len);
}
