/* watchdog: a thread that looks on whether the main thread still moves, also where that is inside a
 * call that we cannot look into. Not collective. Cannot fail: without a thread nobody looks on.
 */
#ifndef AKIN_WATCHDOG_H
#define AKIN_WATCHDOG_H

/* From now on `look(context, what)` is called several times a second, in a thread of its own; what:
 * the region that the main thread is in, or NULL. Of signals the thread takes SIGALRM alone. */
void akin_watchdog_start(void (*look)(void *context, const char *what), void *context);
/* A region, such as "writing table.nc" (borrowed); one at a time. */
void akin_watchdog_enter(const char *what);
void akin_watchdog_leave(void); /* no look into the region is running when this returns */
void akin_watchdog_stop(void);  /* ends the thread, if there is one */

#endif
