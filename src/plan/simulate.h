/* simulate: the schedule of the ranks on a simulated clock: which rank computes what and when
 * (ring.h, shard.h), when its messages arrive, and who waits for whom. Not collective. */
#ifndef AKIN_SIMULATE_H
#define AKIN_SIMULATE_H

#include <akin/plan.h>

typedef struct {
    double seconds, waiting; /* of the slowest rank; longest waiting time of a rank */
    double wire;             /* bytes sent by a rank */
} akin_simulated;

/* All pairs, once, for the lists of one pass. AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_simulate_ring(const akin_plan_job *job, size_t pass,
                                               const akin_plan_machine *machine,
                                               const akin_plan_rates *rates, akin_simulated *out);
/* `steps` steps of training. */
void akin_simulate_training(const akin_plan_job *job, const akin_plan_machine *machine,
                            const akin_plan_rates *rates, double steps, akin_simulated *out);
/* Evenly divided work of `seconds` on each rank, without messages. */
double akin_simulate_even(const akin_plan_machine *machine, double seconds);

/* Slowdown of a rank on its piece `piece`, relative to an undisturbed rank with a core of its own. */
double akin_simulate_speed(const akin_plan_machine *machine, int rank, uint64_t piece);

#endif
