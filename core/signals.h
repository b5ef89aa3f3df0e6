/* signals: those that end a run, as something to poll.
 *
 * Threads: main, before it starts others. */
#ifndef CORE_SIGNALS_H
#define CORE_SIGNALS_H

/* Blocks the signals that end a run, for this thread and those it will start, and returns a
 * descriptor to read them from; -1 if there is none to be had. A closed stdout ends nothing. */
int signals_take(void);

#endif
