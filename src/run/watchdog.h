/* watchdog: a thread that looks on while the main thread is inside a call that we cannot look into.
 * Not collective. Cannot fail: without a thread nobody looks on. */
#ifndef AKIN_WATCHDOG_H
#define AKIN_WATCHDOG_H

/* From now on `look(context, what)` is called several times a second, in a thread of its own that
 * starts with the first call of this; `what` (borrowed) says where the main thread is. One region
 * at a time, one look for all. */
void akin_watchdog_enter(const char *what, void (*look)(void *context, const char *what),
                         void *context);
void akin_watchdog_leave(
    void); /* look is not running when this returns, and not called again until enter */
void akin_watchdog_stop(void); /* ends the thread, if there is one */

#endif
