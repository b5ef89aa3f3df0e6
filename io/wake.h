/* wake: an eventfd by which one thread makes another look at what there is for it. */
#ifndef IO_WAKE_H
#define IO_WAKE_H

/* Makes `fd`, an eventfd, readable. Must not be lost: somebody sleeps until it comes. Any thread;
 * async-signal-safe. */
void wake_post(int fd);

/* Makes it unreadable until the next wake_post(). Of a blocking one this waits for that. A failure
 * is no harm: the caller looks once more in vain. */
void wake_clear(int fd);

#endif
