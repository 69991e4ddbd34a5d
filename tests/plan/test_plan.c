/* plan: laws of the simulation: even work scales, disturbances cost time, and random nights agree
 * with the formula. */
#include "plan/simulate.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const akin_plan_lists one_table = {.k = 20, .written = true, .targets = 1};

static akin_plan_job job_of(size_t items) {
    akin_plan_job job = {.items = items,
                         .dim = 128,
                         .batch = 256,
                         .lists = &one_table,
                         .list_count = 1,
                         .network = true,
                         .picture_bytes = 60000,
                         .checkpoint_every = 300};
    for (int i = 0; i < AKIN_PLAN_STAGES; i++) job.wanted[i] = true;
    return job;
}

/* No disturbances, and messages take no time. */
static akin_plan_machine ideal(int nodes, int ranks) {
    return (akin_plan_machine){.nodes = nodes,
                               .ranks_per_node = ranks,
                               .bandwidth = 1e30,
                               .memory_bandwidth = 1e30,
                               .storage = 1e30,
                               .mtbf = 1e30,
                               .slowdown = 1,
                               .seed = 1};
}

static double ring_seconds(const akin_plan_job *job, const akin_plan_machine *machine,
                           double *waiting) {
    akin_simulated out;
    const akin_plan_rates rates = akin_plan_rates_default();
    assert_int_equal(akin_simulate_ring(job, 0, machine, &rates, &out), AKIN_OK);
    if (waiting) *waiting = out.waiting;
    return out.seconds;
}

static void assert_near(double a, double b, double share) {
    if (fabs(a - b) > share * fabs(b)) fail_msg("%g is not near %g", a, b);
}

static void even_work_is_divided_by_the_ranks(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(1 << 22);
    akin_plan_machine one = ideal(1, 1);
    double alone = ring_seconds(&job, &one, NULL);
    static const int sizes[] = {2, 3, 4, 5, 16, 63, 512, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        akin_plan_machine many = ideal(sizes[i], 1);
        assert_near(ring_seconds(&job, &many, NULL) * sizes[i], alone, 0.02);
    }
}

static void one_slow_node_holds_all_up(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(1 << 20);
    akin_plan_machine m = ideal(64, 1);
    double waiting, quick = ring_seconds(&job, &m, &waiting);
    assert_true(waiting < 0.02 * quick);
    m.slowdown = 3, m.stragglers = 0.1;
    assert_near(ring_seconds(&job, &m, &waiting), 3 * quick, 0.02);
    assert_near(waiting, 2 * quick, 0.05);
}

static void slow_messages_cost_what_they_take(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(1 << 20);
    akin_plan_machine m = ideal(16, 1);
    akin_simulated out;
    const akin_plan_rates rates = akin_plan_rates_default();
    double quick = ring_seconds(&job, &m, NULL);
    m.bandwidth = m.memory_bandwidth = 1e8;
    assert_int_equal(akin_simulate_ring(&job, 0, &m, &rates, &out), AKIN_OK);
    assert_true(out.wire > 8 * 65536.0 * (512 + 160)); /* eight steps of one block with its lists */
    assert_true(out.seconds > quick && out.seconds < quick + out.wire / 1e8);
    m.latency = 1;
    assert_true(ring_seconds(&job, &m, NULL) > quick + 16);
}

static void training_waits_for_its_sums(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(100000);
    akin_plan_machine m = ideal(1, 1);
    akin_simulated one, many;
    const akin_plan_rates rates = akin_plan_rates_default();
    akin_simulate_training(&job, &m, &rates, 100, &one);
    assert_near(one.seconds, 100 * (256 * rates.image + rates.update), 1e-9);
    assert_true(one.wire == 0 && one.waiting == 0);
    m = ideal(16, 1), m.bandwidth = 1e9, m.memory_bandwidth = 1e9;
    akin_simulate_training(&job, &m, &rates, 100, &many);
    assert_near(many.wire, 100 * 2 * 15 / 16.0 * 8 * 570019, 1e-9);
    assert_true(many.waiting > 0 && many.seconds > one.seconds / 16);
}

static void lost_time_follows_the_formula(void **unused) {
    (void)unused;
    assert_near(akin_plan_expected(1000, 100, 1, 60, 0), 1010, 1e-9);
    assert_near(akin_plan_expected(1000, 0, 1, 60, 1e-9), 1000, 1e-5);
    double rare = akin_plan_expected(36000, 600, 5, 60, 1e-6),
           often = akin_plan_expected(36000, 600, 5, 60, 1e-4);
    assert_true(36300 < rare && rare < often);
    assert_true(akin_plan_expected(1e6, 0, 0, 60, 1e-3) > 1e300); /* hopeless without checkpoints */
}

static void nights_that_are_drawn_agree_with_it(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(50000000);
    akin_plan_machine m = ideal(64, 1);
    const akin_plan_rates rates = akin_plan_rates_default();
    akin_plan plan;
    m.storage = 5e9, m.mtbf = 3600.0 * 100, m.restart = 180;
    assert_int_equal(akin_plan_make(&job, &m, &rates, &plan), AKIN_OK);
    assert_true(plan.failures > 1 && plan.longest == AKIN_PLAN_NEIGHBORS);
    assert_near(plan.drawn_mean, plan.seconds + plan.lost, 0.05);
    assert_true(plan.drawn_95 > plan.drawn_mean && plan.drawn_mean > plan.seconds);
    m.mtbf = 60;
    assert_int_equal(akin_plan_make(&job, &m, &rates, &plan), AKIN_OK);
    assert_true(isinf(plan.drawn_mean));
}

/* Ranks on one core together take as long as one rank, and what they tell each other. */
static void ranks_take_turns_on_too_few_cores(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(1 << 20);
    akin_plan_machine one = ideal(1, 1), shared = ideal(1, 4), slow = ideal(1, 4);
    shared.cores = 1, slow.cores = 2, slow.bandwidth = slow.memory_bandwidth = 1e9;
    double alone = ring_seconds(&job, &one, NULL);
    assert_near(ring_seconds(&job, &shared, NULL), alone, 0.02);
    shared.cores = 2;
    assert_near(ring_seconds(&job, &shared, NULL), alone / 2, 0.02);
    shared.cores = 8; /* more cores than ranks help nobody */
    assert_near(ring_seconds(&job, &shared, NULL), alone / 4, 0.02);
    double half = ring_seconds(&job, &slow, NULL);
    slow.cores = 4;
    assert_near(half, 2 * ring_seconds(&job, &slow, NULL), 0.02); /* messages are copied by cores */
    const akin_plan_rates rates = akin_plan_rates_default();
    akin_plan all, turns;
    shared.cores = 4;
    assert_int_equal(akin_plan_make(&job, &shared, &rates, &all), AKIN_OK);
    shared.cores = 1;
    assert_int_equal(akin_plan_make(&job, &shared, &rates, &turns), AKIN_OK);
    for (int i = AKIN_PLAN_EMBED; i <= AKIN_PLAN_EVALUATE; i++)
        assert_near(turns.stages[i].seconds, 4 * all.stages[i].seconds, 0.02);
    assert_true(turns.stages[AKIN_PLAN_TRAIN].seconds > 2 * all.stages[AKIN_PLAN_TRAIN].seconds);
    assert_near(turns.stages[AKIN_PLAN_PUBLISH].seconds, all.stages[AKIN_PLAN_PUBLISH].seconds,
                0.001); /* rank 0 alone */
}

static void rates_come_from_a_run(void **unused) {
    (void)unused;
    static const char text[] =
        "{\"ingest\":{\"status\":\"ok\",\"ranks\":2,\"images_per_second\":1000,\"reused\":0},"
        "\"embed\":{\"status\":\"ok\",\"ranks\":4,\"items\":9,\"computed\":3,"
        "\"images_per_second\":8},\"neighbors\":{\"status\":\"ok\",\"ranks\":2,\"items\":100000,"
        "\"k\":20,\"dim\":128,\"kept\":0,\"seconds_compute\":7}}";
    akin_json *metrics = NULL;
    akin_plan_rates r = akin_plan_rates_default(), before = r;
    size_t found;
    assert_int_equal(akin_json_parse(text, strlen(text), &metrics), AKIN_OK);
    akin_plan_rates_learn(metrics, &r, &found);
    akin_json_free(metrics);
    assert_int_equal(found, 2);
    assert_near(r.picture, 1 / 500.0, 1e-9);
    assert_true(r.vector == before.vector && r.image == before.image);
    akin_plan_job job = job_of(100000);
    akin_plan_machine m = ideal(1, 1);
    akin_simulated out;
    assert_int_equal(akin_simulate_ring(&job, 0, &m, &r, &out), AKIN_OK);
    assert_near(out.seconds, 14, 0.01);
}

/* Tables of one pass share the rows and the products of pairs; another pass computes both again. */
static void tables_add_their_lists(void **unused) {
    (void)unused;
    akin_plan_lists lists[] = {one_table, one_table};
    akin_plan_job one = job_of(1 << 20), two = one;
    akin_plan_machine m = ideal(2, 4);
    const akin_plan_rates rates = akin_plan_rates_default();
    akin_plan alone, shared, apart;
    m.storage = 5e9;
    two.lists = lists, two.list_count = 2;
    lists[1].k = 100, lists[1].targets = 0;
    assert_int_equal(akin_plan_make(&one, &m, &rates, &alone), AKIN_OK);
    assert_int_equal(akin_plan_make(&two, &m, &rates, &shared), AKIN_OK);
    lists[1].pass = 1, lists[1].targets = 1;
    assert_int_equal(akin_plan_make(&two, &m, &rates, &apart), AKIN_OK);
    const akin_plan_figures *a = &alone.stages[AKIN_PLAN_NEIGHBORS],
                            *s = &shared.stages[AKIN_PLAN_NEIGHBORS],
                            *p = &apart.stages[AKIN_PLAN_NEIGHBORS];
    double n = 1 << 20;
    assert_near(s->memory - a->memory, n / 8 * (24 * 100 + 150), 1e-6);
    assert_near(s->disk - a->disk, n * (8 * 100 + 33), 1e-6);
    assert_near(s->saved - a->saved, n * (8 * 100 + 24), 1e-6);
    assert_true(a->seconds < s->seconds && s->seconds < p->seconds);
    assert_true(p->seconds > 2 * a->seconds && p->wire > s->wire && s->wire > a->wire);
    assert_true(p->memory < s->memory); /* one pass after the other */
    a = &alone.stages[AKIN_PLAN_PUBLISH], s = &shared.stages[AKIN_PLAN_PUBLISH],
    p = &apart.stages[AKIN_PLAN_PUBLISH];
    assert_true(s->seconds == a->seconds && s->disk == a->disk); /* goes nowhere */
    assert_near(p->wire - a->wire, n * (27 * 100 + 10), 1e-6);
    assert_true(p->seconds > 5 * a->seconds && p->memory == a->memory);
}

static void more_ranks_than_items(void **unused) {
    (void)unused;
    akin_plan_job job = job_of(5);
    akin_plan_machine m = ideal(100, 3);
    const akin_plan_rates rates = akin_plan_rates_default();
    akin_plan plan;
    assert_int_equal(akin_plan_make(&job, &m, &rates, &plan), AKIN_OK);
    assert_true(isfinite(plan.seconds) && plan.seconds > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_work_is_divided_by_the_ranks),
        cmocka_unit_test(one_slow_node_holds_all_up),
        cmocka_unit_test(slow_messages_cost_what_they_take),
        cmocka_unit_test(training_waits_for_its_sums),
        cmocka_unit_test(lost_time_follows_the_formula),
        cmocka_unit_test(nights_that_are_drawn_agree_with_it),
        cmocka_unit_test(ranks_take_turns_on_too_few_cores),
        cmocka_unit_test(rates_come_from_a_run),
        cmocka_unit_test(tables_add_their_lists),
        cmocka_unit_test(more_ranks_than_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
