/* error: the status that every fallible function returns, and the last message. A status is also
 * the exit code of the program. Each thread has its own message; the function that finds the
 * error sets it, and callers may prepend context. Nothing here is collective. */
#ifndef AKIN_ERROR_H
#define AKIN_ERROR_H

#include <stddef.h>

typedef enum {
    AKIN_OK = 0,
    AKIN_FAILED = 1,       /* I/O, a missing input file, memory, network */
    AKIN_USAGE = 2,        /* wrong command line or job file, nothing changed */
    AKIN_INPUT = 3,        /* input refused: damaged, another version, does not match, or empty */
    AKIN_GATE = 4,         /* a gate refused to publish */
    AKIN_INTERRUPTED = 75, /* stopped by a signal, submit again to continue */
} akin_status;

#define AKIN_MUST_CHECK __attribute__((warn_unused_result))
#define AKIN_PRINTF(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))

/* For calls that can fail, inside a function with `akin_status status` and a label `done:` that
 * cleans up. In a collective function, wrap only collective or agreed calls (akin_agree), or the
 * other ranks hang. */
#define AKIN_TRY(call)                                                                             \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != AKIN_OK) goto done;                                                          \
    } while (0)

/* A bug in akin, not a mistake of the user: prints the place and aborts every rank. */
#define AKIN_ASSERT(condition)                                                                     \
    ((condition) ? (void)0 : akin_error_assert_failed(#condition, __FILE__, __LINE__))

/* Sets the message (printf format, one line, names the file, row or rank and what to do) and
 * returns `status`. */
akin_status akin_error_set(akin_status status, const char *format, ...) AKIN_PRINTF(2, 3);

/* The same for an invalid command-line option: returns AKIN_USAGE. */
akin_status akin_error_option(const char *option, const char *format, ...) AKIN_PRINTF(2, 3);
/* The option that the message is about, without dashes; NULL if none was named. Borrowed likewise. */
const char *akin_error_about(void);
/* Which of the values of that option it is about, where it takes several: from 0, which is also what
 * it is if none was named. */
void akin_error_name_item(size_t item);
size_t akin_error_item(void);

/* Prepends context, such as "catalog.csv row 7: ", to the message; returns `status`. */
akin_status akin_error_context(akin_status status, const char *format, ...) AKIN_PRINTF(2, 3);

/* The message, "" if there is none. Borrowed until the next call in this thread. */
const char *akin_error_message(void);
void akin_error_clear(void);

/* Saves the message across a clean-up that may set another: the first error is the one to
 * report. */
enum {
    AKIN_ERROR_SIZE = 4096,
    AKIN_ERROR_OPTION_SIZE = 64
}; /* bytes of a message, of an option's name; with NUL */
typedef struct {
    char message[AKIN_ERROR_SIZE], about[AKIN_ERROR_OPTION_SIZE];
    size_t item;
} akin_error_kept;
void akin_error_keep(akin_error_kept *kept);
void akin_error_restore(const akin_error_kept *kept);
/* Appends the message to the saved one, which may be "": each of its lines once, as a line of its own.
 * Lines without room are left out, and the last line says how many: "and 7 more". */
void akin_error_gather(akin_error_kept *kept);
/* Sets a message that another rank had, of one line or several; returns `status`. */
akin_status akin_error_repeat(akin_status status, const char *text);

/* What an assert calls after printing; comm sets MPI_Abort here. Default: abort(). */
void akin_error_on_assert(void (*end_all)(void));
_Noreturn void akin_error_assert_failed(const char *condition, const char *file, int line);

#endif
