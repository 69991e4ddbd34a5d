/* watchdog: see watchdog.h. */
#include "watchdog.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

static const long LOOK_EVERY = 200000000; /* nanoseconds */

static struct {
    pthread_mutex_t mutex; /* held while looking */
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
        if (dog.what) dog.look(dog.context, dog.what);
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

static void start(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    dog.runs = pthread_create(&dog.thread, NULL, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void akin_watchdog_enter(const char *what, void (*look)(void *context, const char *what),
                         void *context) {
    if (!dog.runs) start();
    pthread_mutex_lock(&dog.mutex);
    dog.what = what;
    dog.look = look;
    dog.context = context;
    pthread_mutex_unlock(&dog.mutex);
}

void akin_watchdog_leave(void) {
    pthread_mutex_lock(&dog.mutex);
    dog.what = NULL;
    pthread_mutex_unlock(&dog.mutex);
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
