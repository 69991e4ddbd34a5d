/* Laws of the stall detection, for many ranks in one process: a rank that makes progress is never
 * ended; a rank that does not answer is named. */
#include "run/stall.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 600, RANKS = 40 };

typedef struct {
    akin_stall *stall[RANKS];
    double last_moved[RANKS];
    int speaker; /* the rank that ended the run, -1 = none */
    double at;
    char text[512];
} world;

/* All ranks but `stopped` wait, rank r since r / 10 s; they are asked and answer at once. Rank
 * `polling` (-1 = none) computes and polls every 20 s, `polls` times, then waits too. Runs for
 * `seconds`. */
static void run_world(world *w, int stopped, int polling, int polls, double seconds) {
    *w = (world){.speaker = -1};
    for (int r = 0; r < RANKS; r++) {
        assert_int_equal(akin_stall_create(r, RANKS, LIMIT, 0, &w->stall[r]), AKIN_OK);
        akin_stall_moved(w->stall[r], w->last_moved[r] = r / 10.0);
    }
    for (double now = 4; now < seconds && w->speaker < 0; now += 0.25) {
        if (polling >= 0 && now < 20.0 * polls && (int)(now * 4) % 80 == 0) {
            akin_stall_moved(w->stall[polling], w->last_moved[polling] = now);
        }
        for (int r = 0; r < RANKS && w->speaker < 0; r++) {
            if (r == stopped || (r == polling && now < 20.0 * polls)) continue;
            akin_stall_verdict verdict = akin_stall_judge(w->stall[r], now);
            if (verdict == AKIN_STALL_ASK)
                for (int other = 0; other < RANKS; other++)
                    if (other != r && other != stopped)
                        akin_stall_heard(w->stall[r], other, akin_stall_still(w->stall[other], now),
                                         now);
            if (verdict != AKIN_STALL_END) continue;
            w->speaker = r;
            w->at = now;
            akin_stall_describe(w->stall[r], now, w->text, sizeof w->text);
        }
    }
    for (int r = 0; r < RANKS; r++) akin_stall_free(w->stall[r]);
}

static void the_rank_that_does_not_answer_is_named_by_the_lowest(void **state) {
    (void)state;
    world w;
    for (int stopped = 0; stopped < RANKS; stopped++) {
        char expected[64];
        run_world(&w, stopped, -1, 0, 1000);
        assert_int_equal(w.speaker, stopped == 0 ? 1 : 0);
        snprintf(expected, sizeof expected, "waited for rank %d,", stopped);
        if (!strstr(w.text, expected)) fail_msg("%s", w.text);
        assert_true(w.at > LIMIT && w.at < LIMIT + 10);
    }
}

static void ranks_that_all_wait_are_ended_too(void **state) {
    (void)state;
    world w;
    run_world(&w, -1, -1, 0, 1000);
    assert_int_equal(w.speaker, 0);
    assert_non_null(strstr(w.text, "wait for each other"));
}

static void a_rank_that_polls_holds_nobody_up_until_it_stops(void **state) {
    (void)state;
    world w;
    run_world(&w, -1, 7, 1000, 10000);
    assert_int_equal(w.speaker, -1);
    run_world(&w, -1, 7, 100, 10000); /* the last poll is at 1980 s */
    assert_int_equal(w.speaker, 0);
    assert_true(w.at > 1980 + LIMIT && w.at < 1980 + LIMIT + 10);
}

static void many_silent_ranks_fit_in_a_line(void **state) {
    (void)state;
    akin_stall *stall;
    char text[512];
    assert_int_equal(akin_stall_create(3, 1000000, 1, 0, &stall), AKIN_OK);
    assert_int_equal(akin_stall_judge(stall, 1), AKIN_STALL_ASK);
    assert_int_equal(akin_stall_judge(stall, 2), AKIN_STALL_WAIT);
    assert_int_equal(akin_stall_judge(stall, 10), AKIN_STALL_END);
    akin_stall_describe(stall, 10, text, sizeof text);
    assert_non_null(strstr(text, "ranks 0, 1, 2, 4, 5, 6, 7, 8 and more"));
    akin_stall_free(stall);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_that_does_not_answer_is_named_by_the_lowest),
        cmocka_unit_test(ranks_that_all_wait_are_ended_too),
        cmocka_unit_test(a_rank_that_polls_holds_nobody_up_until_it_stops),
        cmocka_unit_test(many_silent_ranks_fit_in_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
