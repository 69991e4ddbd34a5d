/* decoder_process: see decoder_process.h. */
#include "decoder_process.h"
#include "decoder_limits.h"
#include "image_color.h"
#include <akin/mem.h>
#include <akin/pulse.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The started program's command line, by which it knows what it is for. */
#define NAME "akin-decoder"
#define MODE "decode-pictures-from-socket"
#define READY "ready" /* its first words */

enum { SOCKET = 3, PATIENCE = 600 /* seconds for a picture, whatever the decoder does */ };

typedef struct { /* followed by the file's bytes */
    akin_image_params params;
    akin_image_view view; /* width 0: none */
    uint64_t count;
} request;

typedef struct { /* followed by rgb and the view if the status is AKIN_OK */
    int64_t status, broken_profiles;
    uint64_t width, height;
    char message[AKIN_ERROR_SIZE];
} reply;

/* Of the side that asks, whose calls return every second; the other one waits as long as it must. */
static time_t deadline;

static time_t seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* After a call that moved nothing. */
static bool goes_on(void) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    akin_pulse();
    if (seconds_now() < deadline) return true;
    errno = ETIMEDOUT;
    return false;
}

static bool send_all(int to, const void *bytes, size_t count) {
    for (const char *at = bytes; count > 0;) {
        ssize_t sent = send(to, at, count, MSG_NOSIGNAL);
        if (sent < 0 && goes_on()) continue;
        if (sent <= 0) return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int from, void *bytes, size_t count) {
    for (char *at = bytes; count > 0;) {
        ssize_t received = recv(from, at, count, 0);
        if (received < 0 && goes_on()) continue;
        if (received <= 0) return false;
        at += received;
        count -= (size_t)received;
    }
    return true;
}

static size_t view_bytes(const akin_image_view *view) {
    return view->width * view->height * 3;
}

/* --- the decoder's side --- */

static akin_status make(const request *asked, const uint8_t *bytes, akin_image_result *result) {
    akin_status status;
    if (asked->view.width > 0 && !(result->seen = akin_mem_alloc(view_bytes(&asked->view), 1)))
        return AKIN_FAILED;
    akin_decoder_limits_set(asked->params.max_pixels);
    status = akin_image_decode_here(bytes, asked->count, &asked->params,
                                    asked->view.width > 0 ? &asked->view : NULL, result);
    return akin_decoder_limits_judge(status);
}

static bool send_answer(const request *asked, akin_status made, int64_t broken,
                        const akin_image_result *result) {
    static reply r;
    r = (reply){.status = made,
                .broken_profiles = broken,
                .width = result->width,
                .height = result->height};
    memcpy(r.message, akin_error_message(), strlen(akin_error_message()) + 1);
    if (!send_all(SOCKET, &r, sizeof r)) return false;
    return made != AKIN_OK || (send_all(SOCKET, result->rgb, r.width * r.height * 3) &&
                               send_all(SOCKET, result->seen, view_bytes(&asked->view)));
}

static bool answer(const request *asked, const uint8_t *bytes) {
    akin_image_result result = {.rgb = NULL};
    uint64_t before = akin_image_broken_profiles();
    akin_status made = make(asked, bytes, &result);
    bool sent = send_answer(asked, made, (int64_t)(akin_image_broken_profiles() - before), &result);
    akin_mem_free(result.rgb);
    akin_mem_free(result.seen);
    return sent;
}

/* There is no memory for the bytes: the message is set. */
static bool decline(const request *asked) {
    const akin_image_result nothing = {.rgb = NULL};
    char some[4096];
    for (uint64_t left = asked->count; left > 0;) {
        size_t next = left < sizeof some ? left : sizeof some;
        if (!receive_all(SOCKET, some, next)) return false;
        left -= next;
    }
    return send_answer(asked, AKIN_FAILED, 0, &nothing);
}

static bool serve_one(void) {
    request asked;
    if (!receive_all(SOCKET, &asked, sizeof asked)) return false;
    uint8_t *bytes = akin_mem_alloc(asked.count, 1);
    if (!bytes) return decline(&asked);
    bool served = receive_all(SOCKET, bytes, asked.count) && answer(&asked, bytes);
    akin_mem_free(bytes);
    return served;
}

/* Ends when the other side does. Signals that ask a run to save and exit are for that side. No memory is
 * dumped when it crashes, which may be at each picture. */
static void serve(void) {
    static const int others[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) signal(others[i], SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0);
    if (send_all(SOCKET, READY, sizeof READY))
        while (serve_one()) {
        }
    _exit(0);
}

/* Before main, so that whatever program decodes pictures can be its own decoder, tests as well. */
__attribute__((constructor)) static void serve_if_started_for_it(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[0], NAME) == 0 && strcmp(argv[1], MODE) == 0) serve();
}

/* --- the side that asks --- */

static struct {
    pid_t id; /* 0: none */
    int socket;
} decoder;

static int spawn(int socket, char *const environment[]) {
    char *const command[] = {NAME, MODE, NULL};
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    code = posix_spawn_file_actions_adddup2(&actions, socket, SOCKET);
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO && code == 0; fd++)
        code = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, SOCKET + 1);
    if (code == 0)
        code = posix_spawn(&decoder.id, "/proc/self/exe", &actions, NULL, command, environment);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* This process's environment, but OpenBLAS starts no threads. Owned; NULL: out of memory. */
static char **quiet_environment(void) {
    size_t count = 0;
    while (environ[count]) count++;
    char **all = akin_mem_alloc(count + 2, sizeof *all);
    if (!all) return NULL;
    all[0] = "OPENBLAS_NUM_THREADS=1"; /* of two, the first is used */
    memcpy(all + 1, environ, (count + 1) * sizeof *all);
    return all;
}

/* Returns how it ended, as wait does: by itself, if it had. */
static int stop(void) {
    int how = 0;
    kill(decoder.id, SIGKILL);
    while (waitpid(decoder.id, &how, 0) < 0 && errno == EINTR) {
    }
    close(decoder.socket);
    decoder.id = 0;
    return how;
}

static akin_status cannot_start(const char *why) {
    decoder.id = 0;
    return akin_error_set(AKIN_FAILED, "cannot start a process to decode pictures: %s", why);
}

/* How it ended is to be known, also where whoever started this program does not want to know. */
static void want_ends_of_children(void) {
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

/* Libraries that cannot be loaded, or a limit that it does not keep, end it at once. */
static akin_status wait_until_ready(void) {
    const struct timeval second = {.tv_sec = 1};
    char words[sizeof READY];
    setsockopt(decoder.socket, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    setsockopt(decoder.socket, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    deadline = seconds_now() + PATIENCE;
    if (receive_all(decoder.socket, words, sizeof words)) return AKIN_OK;
    (void)stop();
    return cannot_start("it ended before it was ready; is there enough memory?");
}

static akin_status start(void) {
    int ends[2];
    if (decoder.id != 0) return AKIN_OK;
    char **environment = quiet_environment();
    if (!environment) return AKIN_FAILED;
    want_ends_of_children();
    int code = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
    if (code == 0) {
        decoder.socket = ends[0];
        code = spawn(ends[1], environment);
        close(ends[1]);
        if (code != 0) close(ends[0]);
    }
    akin_mem_free(environment);
    return code == 0 ? wait_until_ready() : cannot_start(strerror(code));
}

typedef enum { ANSWERED, ENDED, SILENT, SENT_NONSENSE } outcome;

static outcome broken_off(void) {
    return errno == ETIMEDOUT ? SILENT : ENDED;
}

/* No size that it sends is trusted: a picture may have been made to confuse it. */
static bool is_plausible(const request *asked, const reply *r) {
    const akin_image_params *wanted = &asked->params;
    if (r->status != AKIN_OK) return r->status == AKIN_INPUT || r->status == AKIN_FAILED;
    if (wanted->fit != AKIN_FIT_WITHIN)
        return r->width == wanted->width && r->height == wanted->height;
    return r->width >= 1 && r->width <= wanted->width && r->height >= 1 &&
           r->height <= wanted->height;
}

static outcome ask(const request *asked, const uint8_t *bytes, reply *r) {
    errno = 0;
    deadline = seconds_now() + PATIENCE;
    if (!send_all(decoder.socket, asked, sizeof *asked) ||
        !send_all(decoder.socket, bytes, asked->count) ||
        !receive_all(decoder.socket, r, sizeof *r))
        return broken_off();
    return is_plausible(asked, r) ? ANSWERED : SENT_NONSENSE;
}

static outcome take(const request *asked, akin_image_result *result) {
    errno = 0;
    return receive_all(decoder.socket, result->rgb, result->width * result->height * 3) &&
                   receive_all(decoder.socket, result->seen, view_bytes(&asked->view))
               ? ANSWERED
               : broken_off();
}

static akin_status repeat(reply *r) {
    if (r->broken_profiles > 0) akin_color_count_broken();
    if (r->status == AKIN_OK) return AKIN_OK;
    r->message[sizeof r->message - 1] = '\0';
    return akin_error_set((akin_status)r->status, "%s", r->message);
}

/* The status is that of the decoding if the outcome is ANSWERED. */
static akin_status try_once(const request *asked, const uint8_t *bytes, akin_image_result *result,
                            outcome *o) {
    static reply r;
    akin_status status = start();
    if (status != AKIN_OK) return status;
    *o = ask(asked, bytes, &r);
    if (*o == ANSWERED && r.status == AKIN_OK) {
        result->width = r.width;
        result->height = r.height;
        *o = take(asked, result);
    }
    return *o == ANSWERED ? repeat(&r) : AKIN_OK;
}

/* By somebody else, or for want of memory; all other signals that end it come from the decoding. */
static bool was_killed(outcome o, int how) {
    return o == ENDED && WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
}

static akin_status refuse(outcome o, int how) {
    if (was_killed(o, how))
        return akin_error_set(AKIN_FAILED, "the process that decodes pictures was killed twice: is "
                                           "there enough memory?");
    if (o == SILENT || (o == ENDED && WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU))
        return akin_error_set(AKIN_INPUT, "damaged: its decoding did not come to an end");
    if (o == SENT_NONSENSE)
        return akin_error_set(AKIN_INPUT, "damaged: its decoder gave no picture");
    if (WIFSIGNALED(how))
        return akin_error_set(AKIN_INPUT, "damaged: its decoder crashed (%s)",
                              strsignal(WTERMSIG(how)));
    return akin_error_set(AKIN_INPUT, "damaged: its decoder ended with exit status %d",
                          WEXITSTATUS(how));
}

akin_status akin_decoder_process_decode(const uint8_t *bytes, size_t count,
                                        const akin_image_params *params,
                                        const akin_image_view *view, akin_image_result *result) {
    const request asked = {
        .params = *params, .view = view ? *view : (akin_image_view){0}, .count = count};
    akin_status status = AKIN_OK;
    outcome o = ENDED;
    int how = 0;
    bool own = !result->rgb;
    if (own && !(result->rgb = akin_mem_alloc(params->width * params->height, 3)))
        return AKIN_FAILED;
    for (int time = 0; time < 2 && status == AKIN_OK; time++) {
        status = try_once(&asked, bytes, result, &o);
        if (status != AKIN_OK || o == ANSWERED) break;
        how = stop();
        if (!was_killed(o, how)) break;
    }
    if (status == AKIN_OK && o != ANSWERED) status = refuse(o, how);
    if (status != AKIN_OK && own) {
        akin_mem_free(result->rgb);
        result->rgb = NULL;
    }
    return status;
}
