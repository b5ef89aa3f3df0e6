#include "core/version.h"

const char pelt_version[] = PELT_VERSION;
const char pelt_date[] = PELT_DATE;
