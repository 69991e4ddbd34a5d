/* plan: predicts a night, stage by stage. */
#include "failures.h"
#include "simulate.h"
#include <akin/dot.h>
#include <math.h>

/* In bytes, measured unless stated otherwise: an idle process, an idle decoder, a row of the source on
 * every rank, and an item in the files without its picture, vector and list, and its id in memory
 * (estimated: an id of 16 bytes). */
static const double process = 42e6, decoder = 25e6, source_row = 200, item = 33, id = 25,
                    picture = 3072;
static const double weights = 570019, sample = 65536;

typedef struct {
    const akin_plan_job *job;
    const akin_plan_machine *machine;
    const akin_plan_rates *rates;
    double n, ranks, stride;
} night;

static double stored(const night *s, double bytes) {
    return bytes / s->machine->storage;
}

/* Rank 0 lists the rows and broadcasts them; each rank reads its share, unless the disk is slower.
 */
static akin_status ingest(const night *s, akin_plan_figures *f) {
    const akin_plan_machine *m = s->machine;
    double texts = s->n * source_row * 0.6, read = s->n * s->job->picture_bytes,
           written = s->n * (picture + item);
    double link = m->nodes > 1 ? m->bandwidth : m->memory_bandwidth;
    f->memory = process + s->n * source_row + 20e6;
    f->beside = decoder + s->job->decoder_bytes;
    f->wire = s->ranks > 1 ? texts : 0;
    f->disk = read + written;
    f->seconds = s->n * s->rates->row + f->wire / link +
                 fmax(akin_simulate_even(m, s->n / s->ranks * s->rates->picture), stored(s, read)) +
                 stored(s, written);
    return AKIN_OK;
}

/* The sizes that train chooses. */
static double steps_of(const akin_plan_job *job) {
    double seen = 0.98 * (double)job->items, epochs = job->epochs;
    if (epochs <= 0) epochs = fmin(20, 400000 / seen);
    return fmax(1, ceil(epochs * ceil(seen / (double)job->batch)));
}

/* First the network's steps; then features are fitted to a sample, partly on rank 0 alone. */
static akin_status train(const night *s, akin_plan_figures *f) {
    akin_simulated steps = {0};
    double described = fmin(s->n, sample), fitted = 5 * described / sample;
    if (s->job->network)
        akin_simulate_training(s->job, s->machine, s->rates, steps_of(s->job), &steps);
    f->memory = process + 80e6 + 160e6 / s->ranks;
    f->wire = steps.wire + described / s->ranks * 2048;
    f->disk = s->n * picture * (s->job->network ? 2 : 1) + 11e6;
    f->seconds = steps.seconds +
                 akin_simulate_even(s->machine, described / s->ranks * s->rates->vector) + fitted +
                 stored(s, f->disk);
    f->waiting = steps.waiting;
    f->saved = s->job->network ? 3 * weights * sizeof(float) : 0;
    return AKIN_OK;
}

static akin_status embed(const night *s, akin_plan_figures *f) {
    double vectors = s->n * ((double)s->job->dim * sizeof(float) + item);
    f->memory = process + 34e6;
    f->disk = s->n * (picture + item) + vectors;
    f->seconds =
        akin_simulate_even(s->machine, s->n / s->ranks * s->rates->vector) + stored(s, f->disk);
    return AKIN_OK;
}

static double table_bytes(const night *s, const akin_plan_lists *lists) {
    return lists->written ? s->n * (8 * (double)lists->k + item) : 0;
}

/* allpairs.h has the formula for several ranks; a single rank has one block, and the vectors. */
static akin_status pass_over_pairs(const night *s, size_t pass, akin_plan_figures *f) {
    akin_simulated ring;
    bool several = s->ranks > 1;
    double row = (several ? 16 : 10) * s->stride, saved = 0;
    akin_status status = akin_simulate_ring(s->job, pass, s->machine, s->rates, &ring);
    if (status != AKIN_OK) return status;
    for (size_t l = 0; l < s->job->list_count; l++) {
        double k = (double)s->job->lists[l].k;
        if (s->job->lists[l].pass != pass) continue;
        row += (several ? 24 : 13) * k + 150;
        saved += s->n * (8 * k + 24);
        f->disk += table_bytes(s, &s->job->lists[l]);
    }
    f->memory = fmax(f->memory, process + ceil(s->n / s->ranks) * row);
    f->saved = fmax(f->saved, saved);
    f->wire += ring.wire;
    f->disk += s->n * ((double)s->job->dim * sizeof(float) + item);
    f->seconds += ring.seconds;
    f->waiting += ring.waiting;
    return AKIN_OK;
}

static akin_status neighbors(const night *s, akin_plan_figures *f) {
    size_t passes = 0;
    for (size_t l = 0; l < s->job->list_count; l++)
        if (s->job->lists[l].pass >= passes) passes = s->job->lists[l].pass + 1;
    for (size_t pass = 0; pass < passes; pass++) {
        akin_status status = pass_over_pairs(s, pass, f);
        if (status != AKIN_OK) return status;
    }
    f->seconds += stored(s, f->disk);
    return AKIN_OK;
}

/* One table after the other, as publish does too. */
static akin_status evaluate(const night *s, akin_plan_figures *f) {
    f->memory = process + 10e6;
    for (size_t l = 0; l < s->job->list_count; l++) {
        if (!s->job->lists[l].written) continue;
        f->disk += table_bytes(s, &s->job->lists[l]);
        f->seconds += akin_simulate_even(s->machine, s->n / s->ranks * s->rates->evaluated);
    }
    f->seconds += stored(s, f->disk);
    return AKIN_OK;
}

/* By rank 0, one target after the other. */
static akin_status publish(const night *s, akin_plan_figures *f) {
    f->memory = process + 5e6 + s->n * id;
    for (size_t l = 0; l < s->job->list_count; l++) {
        const akin_plan_lists *lists = &s->job->lists[l];
        if (lists->targets == 0) continue;
        f->disk += table_bytes(s, lists);
        f->wire += s->n * akin_plan_text((double)lists->k) * (double)lists->targets;
    }
    f->seconds = f->wire * s->rates->published + stored(s, f->disk);
    return AKIN_OK;
}

static akin_status (*const stages[AKIN_PLAN_STAGES])(const night *, akin_plan_figures *) = {
    ingest, train, embed, neighbors, evaluate, publish};

static void add(const night *s, akin_plan *out) {
    const akin_plan_machine *m = s->machine;
    double rate = m->nodes / m->mtbf;
    for (int i = 0; i < AKIN_PLAN_STAGES; i++) {
        akin_plan_figures *f = &out->stages[i];
        if (!f->wanted) continue;
        double every = f->saved > 0 ? s->job->checkpoint_every : 0;
        f->lost = akin_plan_expected(f->seconds, every, stored(s, f->saved), m->restart, rate) -
                  f->seconds;
        out->seconds += f->seconds;
        out->lost += f->lost;
        if (f->seconds > out->stages[out->longest].seconds) out->longest = (akin_plan_stage)i;
    }
    out->failures = out->seconds * rate;
    out->interval = sqrt(2 * stored(s, out->stages[AKIN_PLAN_NEIGHBORS].saved) / rate);
    akin_failures_draw(s->job, m, out);
}

akin_status akin_plan_make(const akin_plan_job *job, const akin_plan_machine *machine,
                           const akin_plan_rates *rates, akin_plan *out) {
    const night s = {.job = job,
                     .machine = machine,
                     .rates = rates,
                     .n = (double)job->items,
                     .ranks = (double)machine->nodes * machine->ranks_per_node,
                     .stride = (double)akin_dot_stride(job->dim)};
    *out = (akin_plan){0};
    for (int i = 0; i < AKIN_PLAN_STAGES; i++) {
        out->stages[i].wanted = job->wanted[i];
        if (!job->wanted[i]) continue;
        akin_status status = stages[i](&s, &out->stages[i]);
        if (status != AKIN_OK) return status;
    }
    add(&s, out);
    return AKIN_OK;
}
