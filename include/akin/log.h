/* log: rank 0's messages on stderr, and progress. On a terminal a bar with rate and remaining
 * time; otherwise a line at most every 10 s, less often as a stage goes on. Nothing here is
 * collective or can fail: a message that cannot be written is lost. */
#ifndef AKIN_LOG_H
#define AKIN_LOG_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

/* Called once, after comm; quiet: only warnings and errors. */
void akin_log_start(akin_comm *comm, bool quiet);
void akin_log_stop(void);

/* From now on all lines also go to this file, appended (rank 0); NULL ends that. */
AKIN_MUST_CHECK akin_status akin_log_also_to(const char *path);

void akin_log_info(const char *format, ...) AKIN_PRINTF(1, 2); /* rank 0 only; silent if quiet */
/* What a verb did, as "verb: ...". Like akin_log_info, but between hold and release the text is
 * kept for a single line about the stage. */
void akin_log_summary(const char *format, ...) AKIN_PRINTF(1, 2);
void akin_log_hold(void);
bool akin_log_holds(void);
/* The kept texts without their verbs, joined by "; "; "" if none. Borrowed until the next hold. */
const char *akin_log_release(void);
/* What the lines that follow are about, such as a file; borrowed; NULL: nothing in particular. */
void akin_log_about(const char *subject);
void akin_log_record(const char *format, ...) AKIN_PRINTF(1, 2);  /* rank 0, only to the file */
void akin_log_warning(const char *format, ...) AKIN_PRINTF(1, 2); /* rank 0 only */
/* The same of what several stages of a run find in one file: a line that was written already is not written
 * again, up to 64 different ones. */
void akin_log_info_once(const char *format, ...) AKIN_PRINTF(1, 2);
void akin_log_warning_once(const char *format, ...) AKIN_PRINTF(1, 2);
size_t akin_log_warnings(void); /* number of warnings by rank 0; 0 on the others */
void akin_log_error(const char *format, ...)
    AKIN_PRINTF(1, 2); /* any rank, with its number unless it is 0 */

/* One progress at a time: "train: 1,234 of 9,000 images, 803 images/s, 9 s left". `total` 0 =
 * unknown. Every rank may call; rank 0's figures are shown. Polls comm, so a rank that reports
 * progress does not hold up others. */
void akin_log_progress(const char *stage, const char *unit, double done, double total);
void akin_log_progress_end(void);

#endif
