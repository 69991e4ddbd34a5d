/* watchdog: a thread that checks whether the main thread makes progress, even inside a library
 * call. Not collective. Cannot fail: if the thread cannot be created, there is no check.
 */
#ifndef AKIN_WATCHDOG_H
#define AKIN_WATCHDOG_H

/* From now on `look(context, what)` is called several times a second in a separate thread; what:
 * the region that the main thread is in, or NULL. The thread blocks all signals except SIGALRM. */
void akin_watchdog_start(void (*look)(void *context, const char *what), void *context);
/* A region, such as "writing table.nc" (borrowed); one at a time. */
void akin_watchdog_enter(const char *what);
void akin_watchdog_leave(void); /* no `look` at the region is running when this returns */
void akin_watchdog_stop(void);  /* ends the thread, if there is one */

#endif
