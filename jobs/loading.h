/* loading: an end for libraries that never finish to load, which no watchdog of ours can see yet.
 * Not collective. */
#ifndef AKIN_JOBS_LOADING_H
#define AKIN_JOBS_LOADING_H

/* Call when main begins: all libraries are loaded. */
void akin_loading_done(void);

#endif
