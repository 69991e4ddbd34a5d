/* Laws of worker: jobs run one after the other, in a thread of their own; each job's status and
 * message are returned to whoever waits for it, once; the worker is idle when no job is left. */
#include "train/worker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

typedef struct {
    int number, *order, *count, inside;
} note;

static int inside; /* number of running jobs: never more than one */

static akin_status take_note(void *context) {
    note *it = context;
    it->inside = ++inside;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    it->order[(*it->count)++] = it->number;
    inside--;
    return it->number % 2 ? akin_error_set(AKIN_INPUT, "job %d", it->number) : AKIN_OK;
}

static void jobs_are_done_in_order(void **state) {
    (void)state;
    enum { JOBS = 7 };
    static akin_worker_job jobs[JOBS];
    akin_worker *worker = NULL;
    int order[3 * JOBS], count = 0;
    note notes[JOBS];
    assert_int_equal(akin_worker_create(&worker), AKIN_OK);
    for (int round = 0; round < 3; round++) {
        for (int j = 0; j < JOBS; j++) {
            notes[j] = (note){j, order, &count, 0};
            jobs[j] = (akin_worker_job){.run = take_note, .context = &notes[j]};
            akin_worker_start(worker, &jobs[j]);
        }
        if (round == 1) {
            akin_worker_idle(worker);
            assert_int_equal(count, 2 * JOBS);
        }
        for (int j = JOBS - 1; j >= 0; j--) {
            char told[16];
            snprintf(told, sizeof told, "job %d", j);
            akin_error_clear();
            assert_int_equal(akin_worker_wait(worker, &jobs[j]), j % 2 ? AKIN_INPUT : AKIN_OK);
            assert_string_equal(akin_error_message(), j % 2 ? told : "");
            assert_int_equal(akin_worker_wait(worker, &jobs[j]), AKIN_OK);
            assert_int_equal(notes[j].inside, 1);
        }
    }
    for (int i = 0; i < 3 * JOBS; i++) assert_int_equal(order[i], i % JOBS);
    akin_worker_free(worker);
}

static void what_was_started_is_done_before_the_end(void **state) {
    (void)state;
    static akin_worker_job job, never;
    akin_worker *worker = NULL;
    int order[1], count = 0;
    note it = {4, order, &count, 0};
    assert_int_equal(akin_worker_create(&worker), AKIN_OK);
    akin_worker_idle(worker);
    assert_int_equal(akin_worker_wait(worker, &never), AKIN_OK);
    job = (akin_worker_job){.run = take_note, .context = &it};
    akin_worker_start(worker, &job);
    akin_worker_free(worker);
    assert_int_equal(count, 1);
    akin_worker_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_done_in_order),
        cmocka_unit_test(what_was_started_is_done_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
