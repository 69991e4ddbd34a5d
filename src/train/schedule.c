/* schedule: the learning rate of each step. */
#include "schedule.h"
#include <math.h>

akin_schedule akin_schedule_make(double peak, size_t steps, size_t warmup, size_t batch,
                                 bool falls) {
    double scaled = ceil((double)warmup * (double)batch / AKIN_SCHEDULE_BATCH);
    double most = (double)(steps / 10);
    return (akin_schedule){peak, steps, (size_t)(scaled < most ? scaled : most), falls};
}

double akin_schedule_rate(const akin_schedule *schedule, size_t step) {
    const double pi = 3.14159265358979323846;
    if (step < schedule->warmup)
        return schedule->peak * (double)(step + 1) / (double)(schedule->warmup + 1);
    if (!schedule->falls) return schedule->peak;
    double part = (double)(step - schedule->warmup) / (double)(schedule->steps - schedule->warmup);
    return schedule->peak * 0.5 * (1 + cos(pi * part));
}
