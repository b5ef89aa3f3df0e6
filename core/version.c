#include "core/version.h"

const char pelt_version[] = PELT_VERSION;
