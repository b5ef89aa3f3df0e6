/* result_end: why a run ended. */
#ifndef CORE_RESULT_END_H
#define CORE_RESULT_END_H

enum result_end {
    END_DURATION,
    END_COUNT, /* Of requests. */
    END_INTERRUPTED,
    END_BROKEN,    /* The test file cannot go on: a bad record of a data file, say. */
    END_PROVIDERS, /* Providers of a test file ran dry well before its end. */
    END_DEADLOCK,  /* Its endpoints wait for each other. */
    END_KILLED,    /* One of its loggers ended it. */
};

/* "duration", "count", "interrupted" and so on, as in the report. */
const char *result_end_name(enum result_end end);

#endif
