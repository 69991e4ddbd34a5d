/* log: see log.h. */
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4352, COUNT_SIZE = 32, BAR = 24, BAR_LEAST = 5, REMEMBERED = 64 };

static const double BAR_EVERY = 0.1, LINE_EVERY = 10, POLL_EVERY = 0.01; /* seconds */

/* A line that is said once. */
typedef struct {
    uint64_t hash;
    bool shown, in_file;
} said_line;

static struct {
    akin_comm *comm;
    int rank;
    bool quiet, terminal;
    size_t warnings;
    bool holding;
    char held[LINE_SIZE];
    const char *about; /* NULL: nothing in particular */
    FILE *also;
    said_line said[REMEMBERED];
    size_t said_count;
    bool bar_drawn;      /* the cursor is after a bar */
    char stage[64];      /* of the current progress, "" = none */
    double began, shown; /* when it started, and when it was last shown */
    double polled;
    double first; /* done at the start: when resuming, work of an earlier run */
} state;

/* Under mpirun, stderr is a pipe to mpirun, which forwards everything to its own: a terminal, if
 * any, is there. */
static bool launcher_has_terminal(void) {
    char name[64], goal[64];
    if (!getenv("OMPI_COMM_WORLD_RANK")) return false;
    snprintf(name, sizeof name, "/proc/%ld/fd/2", (long)getppid());
    ssize_t length = readlink(name, goal, sizeof goal - 1);
    if (length <= 0) return false;
    goal[length] = '\0';
    return !strncmp(goal, "/dev/pts/", 9) || !strncmp(goal, "/dev/tty", 8);
}

void akin_log_start(akin_comm *comm, bool quiet) {
    akin_log_stop();
    memset(&state, 0, sizeof state);
    state.comm = comm;
    state.rank = akin_comm_rank(comm);
    state.quiet = quiet;
    state.terminal = isatty(STDERR_FILENO) || launcher_has_terminal();
}

void akin_log_stop(void) {
    akin_log_progress_end();
    if (state.also) fclose(state.also);
    state.also = NULL;
    state.comm = NULL;
}

akin_status akin_log_also_to(const char *path) {
    if (state.also) fclose(state.also);
    state.also = NULL;
    if (!path || state.rank != 0) return AKIN_OK;
    state.also = fopen(path, "ae");
    if (!state.also) return akin_file_cannot_write(path, errno);
    setvbuf(state.also, NULL, _IOLBF, 0);
    return AKIN_OK;
}

static void wipe_bar(void) {
    if (state.bar_drawn) fputs("\r\033[K", stderr);
    state.bar_drawn = false;
}

/* A single write, so that lines of several ranks do not mix. */
static void write_line(const char *head, const char *text, bool on_stderr) {
    if (on_stderr) {
        wipe_bar();
        fprintf(stderr, "%s%s\n", head, text);
        fflush(stderr);
    }
    if (state.also) {
        char clock[32];
        time_t now = time(NULL);
        struct tm local;
        strftime(clock, sizeof clock, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
        fprintf(state.also, "%s %s\n", clock, text);
    }
}

/* NULL: there is no room for more. */
static said_line *find_said(const char *text) {
    size_t i = 0;
    uint64_t hash = akin_hash_64(text, strlen(text));
    while (i < state.said_count && state.said[i].hash != hash) i++;
    if (i == REMEMBERED) return NULL;
    if (i == state.said_count) state.said[state.said_count++] = (said_line){.hash = hash};
    return &state.said[i];
}

/* `once`: where it was not yet written. Returns whether it is new. */
static bool write_words(const char *head, const char *format, va_list arguments, bool shown,
                        bool once) {
    char text[LINE_SIZE];
    int used = state.about ? snprintf(text, sizeof text, "%.200s: ", state.about) : 0;
    vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    akin_secret_hide(text, sizeof text);
    said_line *said = once ? find_said(text + used) : NULL;
    bool is_new = !said || !said->shown;
    if (!said || !said->in_file) write_line(head, text, shown && is_new);
    if (said) said->shown = true, said->in_file = state.also != NULL;
    return is_new;
}

void akin_log_info(const char *format, ...) {
    if (state.rank != 0 || (state.quiet && !state.also)) return;
    va_list arguments;
    va_start(arguments, format);
    write_words("akin: ", format, arguments, !state.quiet, false);
    va_end(arguments);
}

void akin_log_summary(const char *format, ...) {
    char text[LINE_SIZE];
    if (state.rank != 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!state.holding) {
        akin_log_info("%s", text);
        return;
    }
    const char *said = strstr(text, ": ");
    size_t used = strlen(state.held);
    snprintf(state.held + used, sizeof state.held - used, "%s%s", used > 0 ? "; " : "",
             said ? said + 2 : text);
}

void akin_log_hold(void) {
    state.holding = true;
    state.held[0] = '\0';
}

bool akin_log_holds(void) {
    return state.holding;
}

const char *akin_log_release(void) {
    state.holding = false;
    return state.held;
}

void akin_log_about(const char *subject) {
    state.about = subject;
}

void akin_log_record(const char *format, ...) {
    if (!state.also) return;
    va_list arguments;
    va_start(arguments, format);
    write_words("", format, arguments, false, false);
    va_end(arguments);
}

void akin_log_warning(const char *format, ...) {
    if (state.rank != 0) return;
    state.warnings++;
    va_list arguments;
    va_start(arguments, format);
    write_words("akin: ", format, arguments, true, false);
    va_end(arguments);
}

void akin_log_info_once(const char *format, ...) {
    if (state.rank != 0 || (state.quiet && !state.also)) return;
    va_list arguments;
    va_start(arguments, format);
    write_words("akin: ", format, arguments, !state.quiet, true);
    va_end(arguments);
}

void akin_log_warning_once(const char *format, ...) {
    if (state.rank != 0) return;
    va_list arguments;
    va_start(arguments, format);
    state.warnings += write_words("akin: ", format, arguments, true, true);
    va_end(arguments);
}

size_t akin_log_warnings(void) {
    return state.warnings;
}

void akin_log_error(const char *format, ...) {
    char head[32] = "akin: ";
    va_list arguments;
    if (state.rank != 0) snprintf(head, sizeof head, "akin: rank %d: ", state.rank);
    va_start(arguments, format);
    write_words(head, format, arguments, true, false);
    va_end(arguments);
}

/* --- progress --- */

static void describe_span(double seconds, char out[COUNT_SIZE]) {
    if (seconds < 100)
        snprintf(out, COUNT_SIZE, "%.0f s", seconds);
    else if (seconds < 6000)
        snprintf(out, COUNT_SIZE, "%.0f min", seconds / 60);
    else
        snprintf(out, COUNT_SIZE, "%.1f h", seconds < 1e9 ? seconds / 3600 : 1e9 / 3600);
}

/* "train: 1,234 of 9,000 images, 803 images/s, 9 s left" */
static void describe(char out[LINE_SIZE], const char *stage, const char *unit, double done,
                     double total, double seconds) {
    char a[COUNT_SIZE], b[COUNT_SIZE], c[COUNT_SIZE], left[COUNT_SIZE];
    double rate = seconds > 0 ? (done - state.first) / seconds : 0;
    int used = snprintf(out, LINE_SIZE, "%s: %s", stage, akin_text_commas(done, a));
    if (total > 0)
        used +=
            snprintf(out + used, LINE_SIZE - (size_t)used, " of %s", akin_text_commas(total, b));
    used += snprintf(out + used, LINE_SIZE - (size_t)used, " %s", unit);
    const char *whose = strstr(unit, " of "); /* "images of rank 0": a rate of images */
    int length = whose ? (int)(whose - unit) : (int)strlen(unit);
    if (rate > 0)
        used += rate < 10 ? snprintf(out + used, LINE_SIZE - (size_t)used, ", %.2g %.*s/s", rate,
                                     length, unit)
                          : snprintf(out + used, LINE_SIZE - (size_t)used, ", %s %.*s/s",
                                     akin_text_commas(rate, c), length, unit);
    if (rate > 0 && total > done) {
        describe_span((total - done) / rate, left);
        snprintf(out + used, LINE_SIZE - (size_t)used, ", %s left", left);
    }
}

/* Of the terminal; a bar longer than a line could not be overwritten. */
static int columns(void) {
    struct winsize size = {0};
    int file = isatty(STDERR_FILENO) ? dup(STDERR_FILENO)
                                     : open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    int failed = ioctl(file, TIOCGWINSZ, &size);
    if (file >= 0) close(file);
    return failed || size.ws_col == 0 ? 80 : size.ws_col;
}

static void draw_bar(const char *text, double share) {
    char bar[BAR + 1];
    int room = columns() - 1, length = (int)strnlen(text, (size_t)room), left = room - length - 3;
    int cells = left < BAR ? left : BAR, full = (int)(cells * (share < 0   ? 0
                                                               : share > 1 ? 1
                                                                           : share));
    for (int i = 0; i < cells; i++) bar[i] = i < full ? '#' : '.';
    if (cells >= BAR_LEAST)
        fprintf(stderr, "\r\033[K[%.*s] %.*s", cells, bar, length, text);
    else
        fprintf(stderr, "\r\033[K%.*s", length, text);
    fflush(stderr);
    state.bar_drawn = true;
}

void akin_log_progress(const char *stage, const char *unit, double done, double total) {
    double now = akin_comm_seconds();
    if (state.comm && now - state.polled >= POLL_EVERY) {
        akin_comm_poll(state.comm);
        state.polled = now;
    }
    if (state.rank != 0 || state.quiet) return;
    if (strncmp(stage, state.stage, sizeof state.stage - 1) != 0) {
        akin_log_progress_end();
        snprintf(state.stage, sizeof state.stage, "%s", stage);
        state.began = state.shown = now;
        state.first = done;
    }
    double every = state.terminal ? BAR_EVERY : LINE_EVERY, so_far = state.shown - state.began;
    if (!state.terminal && so_far > every)
        every = so_far; /* 10 s, 20 s, 40 s ...: keeps a night's log short */
    if (now - state.shown < every) return;
    state.shown = now;
    char text[LINE_SIZE];
    describe(text, stage, unit, done, total, now - state.began);
    if (state.terminal)
        draw_bar(text, total > 0 ? done / total : 0);
    else
        write_line("akin: ", text, true);
}

void akin_log_progress_end(void) {
    wipe_bar();
    state.stage[0] = '\0';
}
