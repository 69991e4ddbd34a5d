/* schedule: the learning rate of each step of a training run. Arithmetic on the run's length alone,
 * the same on every rank and after every resume. Not collective. Cannot fail.
 *
 * Linear warm-up (Goyal et al., "Accurate, large minibatch SGD", 2017): the first steps of an
 * optimiser that knows nothing yet are small, and the more of them there are the larger the batch.
 * Then the rate stays, or falls to zero along half a cosine (Loshchilov & Hutter, "SGDR", 2017).
 */
#ifndef AKIN_SCHEDULE_H
#define AKIN_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#define AKIN_SCHEDULE_BATCH 256 /* the batch for which --warmup is given */

typedef struct {
    double peak;          /* the highest rate */
    size_t steps, warmup; /* of the run, and those at its beginning in which the rate rises */
    bool falls;           /* to zero, after the warm-up */
} akin_schedule;

/* warmup: steps for a batch of AKIN_SCHEDULE_BATCH; in proportion for others, and at most a tenth
 * of the run. */
akin_schedule akin_schedule_make(double peak, size_t steps, size_t warmup, size_t batch,
                                 bool falls);

double akin_schedule_rate(const akin_schedule *schedule, size_t step); /* of step 0..steps-1; > 0 */

#endif
