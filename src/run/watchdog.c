/* watchdog: see watchdog.h. */
#include "watchdog.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

static const long LOOK_EVERY = 200000000; /* nanoseconds */

static struct {
    pthread_mutex_t mutex; /* held during a look */
    pthread_cond_t changed;
    pthread_t thread;
    bool runs, end;
    const char *what; /* NULL: in no region */
    void (*look)(void *context, const char *what);
    void *context;
} dog = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *watch(void *nothing) {
    pthread_mutex_lock(&dog.mutex);
    while (!dog.end) {
        dog.look(dog.context, dog.what);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_EVERY;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&dog.changed, &dog.mutex, &until);
    }
    pthread_mutex_unlock(&dog.mutex);
    return nothing;
}

void akin_watchdog_start(void (*look)(void *context, const char *what), void *context) {
    sigset_t most, before;
    if (dog.runs) return;
    dog.look = look;
    dog.context = context;
    dog.what = NULL;
    dog.end = false;
    sigfillset(&most); /* signals are for the main thread; it may be stuck, so not the alarm */
    sigdelset(&most, SIGALRM);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    dog.runs = pthread_create(&dog.thread, NULL, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void akin_watchdog_enter(const char *what) {
    pthread_mutex_lock(&dog.mutex);
    dog.what = what;
    pthread_mutex_unlock(&dog.mutex);
}

void akin_watchdog_leave(void) {
    akin_watchdog_enter(NULL);
}

void akin_watchdog_stop(void) {
    if (!dog.runs) return;
    pthread_mutex_lock(&dog.mutex);
    dog.end = true;
    pthread_cond_signal(&dog.changed);
    pthread_mutex_unlock(&dog.mutex);
    pthread_join(dog.thread, NULL);
    dog.runs = dog.end = false;
}
