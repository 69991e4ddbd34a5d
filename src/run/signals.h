/* signals: what the operating system tells a run. SIGTERM and SIGUSR1 mean "save and exit 75" and
 * only set a flag. Not collective. Cannot fail. */
#ifndef AKIN_SIGNALS_H
#define AKIN_SIGNALS_H

#include <stdbool.h>

/* From now on the flag is set; calls that wait go on (SA_RESTART). A closed pipe and the file size
 * limit are ignored as signals: the write that meets them fails and says so. */
void akin_signals_catch(void);
bool akin_signals_seen(void);

#endif
