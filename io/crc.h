/* crc: CRC-32 as gzip, PNG and Ethernet have it (RFC 1952 section 8.1.1; the check value of
 * "123456789" is 0xcbf43926). Threads: any. */
#ifndef IO_CRC_H
#define IO_CRC_H

#include "core/base/defs.h"

uint32_t crc_of(const char *data, size_t len);

#endif
