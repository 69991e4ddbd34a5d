/* failures: the cost of node failures in a night. Nodes fail independently of each other and of
 * their age. A failure stops the whole job, which resumes from its last checkpoint or, for a stage
 * without one, from the start of that stage; completed stages are not repeated. */
#include "failures.h"
#include <akin/rng.h>
#include <math.h>
#include <stdlib.h>

enum { NIGHTS = 400, STREAM_FAILURES = 3 };

double akin_plan_expected(double seconds, double interval, double cost, double restart,
                          double rate) {
    if (!(seconds > 0)) return 0;
    bool saves = interval > 0 && interval < seconds;
    double piece = saves ? interval : seconds, extra = saves ? cost : 0;
    if (!(rate > 0)) return seconds / piece * (piece + extra);
    return seconds / piece * exp(restart * rate) * expm1(rate * (piece + extra)) / rate;
}

/* Time until the next failure, in seconds. */
static double draw(const akin_plan_machine *m, double rate, uint64_t *at) {
    return -log1p(-akin_rng_uniform(m->seed, AKIN_RNG_PLAN, STREAM_FAILURES, (*at)++)) / rate;
}

/* One stage, divided at its checkpoints. */
static double stage_seconds(const akin_plan_job *job, const akin_plan_machine *m,
                            const akin_plan_figures *f, double rate, uint64_t *at) {
    double done = 0, spent = 0;
    bool saves = f->saved > 0 && job->checkpoint_every > 0;
    while (done < f->seconds) {
        double piece = f->seconds - done, cost = 0, failure;
        if (saves && piece > job->checkpoint_every)
            piece = job->checkpoint_every, cost = f->saved / m->storage;
        while ((failure = draw(m, rate, at)) < piece + cost) {
            double again = m->restart, next;
            while ((next = draw(m, rate, at)) < again) spent += next; /* during the restart */
            spent += failure + again;
        }
        spent += piece + cost;
        done += piece;
    }
    return spent;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void akin_failures_draw(const akin_plan_job *job, const akin_plan_machine *m, akin_plan *plan) {
    double rate = m->nodes / m->mtbf, nights[NIGHTS], sum = 0;
    uint64_t at = 0;
    plan->drawn_mean = plan->drawn_95 = INFINITY;
    if (!(plan->lost < 100 * plan->seconds)) return;
    for (int night = 0; night < NIGHTS; night++) {
        nights[night] = 0;
        for (int s = 0; s < AKIN_PLAN_STAGES; s++)
            if (plan->stages[s].wanted)
                nights[night] += stage_seconds(job, m, &plan->stages[s], rate, &at);
        sum += nights[night];
    }
    qsort(nights, NIGHTS, sizeof *nights, compare);
    plan->drawn_mean = sum / NIGHTS;
    plan->drawn_95 = nights[NIGHTS * 95 / 100];
}
