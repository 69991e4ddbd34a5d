/* error: see error.h. */
#include <akin/error.h>
#include <akin/text.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[AKIN_ERROR_SIZE], about[AKIN_ERROR_OPTION_SIZE];
static _Thread_local size_t item; /* of the option's values */
static void (*end_all_ranks)(void) = abort;

/* A message is one line: file names and library messages may contain newlines, or end with one. */
static void keep_one_line(char *text) {
    size_t end = strlen(text);
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r')) text[--end] = '\0';
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
    item = 0;
    return status;
}

akin_status akin_error_option(const char *option, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    replace(format, arguments, "");
    va_end(arguments);
    snprintf(about, sizeof about, "%s", option);
    item = 0;
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

void akin_error_name_item(size_t which) {
    item = which;
}

size_t akin_error_item(void) {
    return item;
}

const char *akin_error_message(void) {
    return message;
}

void akin_error_clear(void) {
    message[0] = about[0] = '\0';
    item = 0;
}

void akin_error_keep(akin_error_kept *kept) {
    memcpy(kept->message, message, strlen(message) + 1);
    memcpy(kept->about, about, sizeof about);
    kept->item = item;
}

void akin_error_restore(const akin_error_kept *kept) {
    memcpy(message, kept->message, strlen(kept->message) + 1);
    memcpy(about, kept->about, sizeof about);
    item = kept->item;
}

#define LEFT_OUT "and %zu more"

static bool is_line_of(const char *text, const char *line, size_t length) {
    for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
        if (strncmp(text, line, length) == 0 && (text[length] == '\n' || text[length] == '\0'))
            return true;
    return false;
}

/* Of a line that says how many were left out: takes it off. */
static size_t take_left_out(char *text) {
    char *line = strrchr(text, '\n');
    size_t count = 0;
    line = line ? line + 1 : text;
    if (sscanf(line, LEFT_OUT, &count) != 1) return 0;
    line[line > text ? -1 : 0] = '\0';
    return count;
}

/* Returns whether there was room, which is kept for the line that says how many were left out. */
static bool add_line(char *text, const char *line, size_t length) {
    enum { KEPT_FREE = 32, ROOM = AKIN_ERROR_SIZE - KEPT_FREE };
    size_t used = strlen(text);
    if (used == 0 && length >= ROOM) length = ROOM - 1;
    if (used + 1 + length >= ROOM && used > 0) return false;
    snprintf(text + used, ROOM - used, "%s%.*s", used > 0 ? "\n" : "", (int)length, line);
    return true;
}

void akin_error_gather(akin_error_kept *kept) {
    char added[AKIN_ERROR_SIZE];
    memcpy(added, message, strlen(message) + 1);
    size_t left_out = take_left_out(added) + take_left_out(kept->message);
    for (const char *line = added, *end; line; line = *end ? end + 1 : NULL) {
        end = line + strcspn(line, "\n");
        size_t length = (size_t)(end - line);
        if (!is_line_of(kept->message, line, length) && !add_line(kept->message, line, length))
            left_out++;
    }
    size_t used = strlen(kept->message);
    if (left_out > 0)
        snprintf(kept->message + used, AKIN_ERROR_SIZE - used, "%s" LEFT_OUT, used > 0 ? "\n" : "",
                 left_out);
}

akin_status akin_error_repeat(akin_status status, const char *text) {
    snprintf(message, sizeof message, "%s", text);
    about[0] = '\0';
    item = 0;
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
