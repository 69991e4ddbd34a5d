/* error: see error.h. */
#include <akin/error.h>
#include <akin/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[AKIN_ERROR_SIZE], about[AKIN_ERROR_OPTION_SIZE];
static void (*end_all_ranks)(void) = abort;

/* A message is one line: file names and library messages may contain newlines. */
static void keep_one_line(char *text) {
    for (; *text; text++)
        if (*text == '\n' || *text == '\r') *text = ' ';
}

/* The text, then `tail`. The arguments may point into the current message, so it is replaced only when
 * the new one is complete. */
static void replace(const char *format, va_list arguments, const char *tail) {
    char text[AKIN_ERROR_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    keep_one_line(text);
    akin_secret_hide(text, sizeof text);
    size_t head = strlen(text), count = strnlen(tail, AKIN_ERROR_SIZE - 1 - head);
    memcpy(text + head, tail, count);
    text[head + count] = '\0';
    memcpy(message, text, head + count + 1);
}

akin_status akin_error_set(akin_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    replace(format, arguments, "");
    va_end(arguments);
    about[0] = '\0';
    return status;
}

akin_status akin_error_option(const char *option, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    replace(format, arguments, "");
    va_end(arguments);
    snprintf(about, sizeof about, "%s", option);
    return AKIN_USAGE;
}

akin_status akin_error_context(akin_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    replace(format, arguments, message);
    va_end(arguments);
    return status;
}

const char *akin_error_about(void) {
    return *about ? about : NULL;
}

const char *akin_error_message(void) {
    return message;
}

void akin_error_clear(void) {
    message[0] = about[0] = '\0';
}

void akin_error_keep(akin_error_kept *kept) {
    memcpy(kept->message, message, strlen(message) + 1);
    memcpy(kept->about, about, sizeof about);
}

void akin_error_restore(const akin_error_kept *kept) {
    memcpy(message, kept->message, strlen(kept->message) + 1);
    memcpy(about, kept->about, sizeof about);
}

void akin_error_gather(akin_error_kept *kept) {
    size_t used = strlen(kept->message);
    snprintf(kept->message + used, AKIN_ERROR_SIZE - used, "%s%s", used > 0 ? "\n" : "", message);
}

akin_status akin_error_repeat(akin_status status, const char *text) {
    snprintf(message, sizeof message, "%s", text);
    about[0] = '\0';
    return status;
}

void akin_error_on_assert(void (*end_all)(void)) {
    end_all_ranks = end_all ? end_all : abort;
}

_Noreturn void akin_error_assert_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "akin: %s:%d: internal error: %s is false. Please report it.\n", file, line,
            condition);
    fflush(stderr);
    end_all_ranks();
    abort();
}
