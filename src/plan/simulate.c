/* simulate: simulates the ranks' schedule. */
#include "simulate.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/ring.h>
#include <akin/rng.h>
#include <akin/row_block.h>
#include <akin/shard.h>
#include <math.h>

/* The gradient is summed in three messages of 64-bit numbers. They start when these shares of the
 * last micro-batch are done (tests/bench/bench_scaling.py derives both). */
static const double sums[] = {8.0 * 19971, 8.0 * (570019 - 19971 - 19392), 8.0 * 19392};
static const double begins[] = {0.81, 0.84, 1};
enum { MICRO = 16, STEPS_DRAWN = 64, STREAM_NODES = 1, STREAM_PIECES = 2 };

double akin_plan_turns(const akin_plan_machine *m) {
    return m->cores > 0 ? fmax(1, (double)m->ranks_per_node / m->cores) : 1;
}

double akin_simulate_speed(const akin_plan_machine *m, int rank, uint64_t piece) {
    int node = rank / m->ranks_per_node;
    double slow = akin_plan_turns(m), noise = 0;
    if (m->stragglers > 0 &&
        akin_rng_uniform(m->seed, AKIN_RNG_PLAN, STREAM_NODES, (uint64_t)node) < m->stragglers)
        slow *= m->slowdown;
    if (m->jitter > 0) {
        uint64_t at = (uint64_t)rank << 40 | piece;
        noise = 2 * m->jitter * akin_rng_uniform(m->seed, AKIN_RNG_PLAN, STREAM_PIECES, at);
    }
    return slow * (1 + noise);
}

double akin_simulate_even(const akin_plan_machine *m, double seconds) {
    double most = 1;
    for (int r = 0; r < m->nodes * m->ranks_per_node; r += m->ranks_per_node)
        most = fmax(most, akin_simulate_speed(m, r, 0));
    return seconds * most;
}

/* --- the ring --- */

typedef struct {
    const akin_plan_job *job;
    const akin_plan_machine *machine;
    size_t pass;
    int size, subs;
    double pair; /* seconds per pair of rows */
    double *now, *ready,
        *waited; /* [size]; the clock of each rank, of its neighbours, and its waiting time */
    double vote; /* time at which all ranks know the previous vote */
    int vote_slices, slices_since; /* slices from one vote to the next, and since the last one */
} ring;

static double rounds(int size) {
    return ceil(log2(size > 1 ? size : 1));
}

static size_t rows_of(const ring *s, int rank) {
    return akin_shard_count(s->job->items, s->size, rank);
}

/* Within a node a core copies the message, and other ranks wait for that core too. */
static double inside_rate(const akin_plan_machine *m) {
    return m->memory_bandwidth / akin_plan_turns(m);
}

/* From one rank to its left neighbour: only the first rank of a node sends to another node. */
static double message(const ring *s, int to, double bytes) {
    const akin_plan_machine *m = s->machine;
    int from = (to + 1) % s->size;
    bool inside = to / m->ranks_per_node == from / m->ranks_per_node;
    return m->latency + bytes / (inside ? inside_rate(m) : m->bandwidth);
}

static double body_of(const ring *s, int block) {
    return (double)akin_row_block_body_size(rows_of(s, block), s->job->dim);
}

/* Tables share the rows; each has lists of its own. */
static double lists_of(const ring *s, int block) {
    double bytes = 0;
    for (size_t l = 0; l < s->job->list_count; l++)
        if (s->job->lists[l].pass == s->pass)
            bytes += (double)akin_row_block_lists_size(rows_of(s, block), s->job->lists[l].k);
    return bytes;
}

/* Seconds per pair to offer it to the lists. */
static double offers_of(const ring *s, double offer) {
    double n = (double)s->job->items, seconds = 0;
    for (size_t l = 0; l < s->job->list_count; l++) {
        double k = (double)s->job->lists[l].k;
        if (s->job->lists[l].pass == s->pass) seconds += offer * k * log1p(n / k) / n;
    }
    return seconds;
}

static void wait_until(ring *s, int rank, double when) {
    if (when <= s->now[rank]) return;
    s->waited[rank] += when - s->now[rank];
    s->now[rank] = when;
}

/* Pairs of parts; columns that are the last of the rows meet each other once. */
static double pairs_of(const akin_ring_part *piece, int step) {
    double rows = (double)(piece->own_end - piece->own_first),
           columns = (double)(piece->held_end - piece->held_first);
    if (step == 0 && piece->own_end == piece->held_end) rows -= columns / 2;
    return rows * columns;
}

/* One rank's slice, in seconds of an undisturbed core. */
static double work_of(const ring *s, int rank, int step, int slice) {
    int held = akin_ring_held(s->size, rank, step);
    akin_ring_part pieces[AKIN_RING_PIECES],
        part = akin_ring_work(s->size, rank, step, (size_t)s->subs, (size_t)s->subs);
    const double parts = (double)s->subs * s->subs,
                 of_part = (double)rows_of(s, rank) * (double)rows_of(s, held) / parts;
    double pairs = 0;
    for (size_t p = akin_ring_slice(part, step, s->subs, slice, pieces); p-- > 0;)
        pairs += pairs_of(&pieces[p], step);
    return s->pair * of_part * pairs;
}

/* All ranks compute a slice, and after some of them receive the previous vote and open the next. */
static void pass_slice(ring *s, int step, int slice) {
    const bool votes = s->size > 1 && ++s->slices_since == s->vote_slices;
    double last = 0;
    uint64_t piece = (uint64_t)step * (uint64_t)s->subs + (uint64_t)slice;
    for (int r = 0; r < s->size; r++) {
        s->now[r] += work_of(s, r, step, slice) * akin_simulate_speed(s->machine, r, piece);
        last = fmax(last, s->now[r]);
        if (votes) wait_until(s, r, s->vote);
    }
    if (!votes) return;
    s->vote = last + 2 * rounds(s->size) * s->machine->latency;
    s->slices_since = 0;
}

/* Body and lists move on. A rank continues when both neighbours have got as far and their messages
 * have arrived. */
static void pass_on(ring *s, int step, const double *begun) {
    for (int r = 0; r < s->size; r++) {
        int right = (r + 1) % s->size, left = (r + s->size - 1) % s->size;
        double body = fmax(begun[right], begun[r]) +
                      message(s, r, body_of(s, akin_ring_held(s->size, r, step + 1)));
        double both = fmax(s->now[right], s->now[left]);
        s->ready[r] = fmax(fmax(both, s->now[r]), body) +
                      message(s, r, lists_of(s, akin_ring_held(s->size, right, step)));
    }
    for (int r = 0; r < s->size; r++) wait_until(s, r, s->ready[r]);
}

static void go_round(ring *s, double *begun, akin_simulated *out) {
    int last = akin_ring_steps(s->size);
    for (int step = 0; step <= last; step++) {
        for (int r = 0; r < s->size; r++) begun[r] = s->now[r];
        for (int slice = 0; slice < s->subs; slice++) pass_slice(s, step, slice);
        if (step < last) pass_on(s, step, begun);
    }
    out->wire = last * (body_of(s, 0) + lists_of(s, 0));
}

/* Rows are sent to the ranks that compare them, and lists are sent back. */
static double moved(const ring *s, akin_simulated *out) {
    if (s->size == 1) return 0;
    double bytes = body_of(s, 0) + 2 * lists_of(s, 0);
    out->wire += bytes;
    const akin_plan_machine *m = s->machine;
    double inside = inside_rate(m), link = m->nodes > 1 ? m->bandwidth / m->ranks_per_node : inside;
    return bytes / fmin(link, inside) + 3 * s->size * m->latency;
}

akin_status akin_simulate_ring(const akin_plan_job *job, size_t pass, const akin_plan_machine *m,
                               const akin_plan_rates *rates, akin_simulated *out) {
    int size = m->nodes * m->ranks_per_node;
    double n = (double)job->items, stride = (double)akin_dot_stride(job->dim);
    ring s = {.job = job, .machine = m, .pass = pass, .size = size};
    double *room = akin_mem_zalloc(4 * (size_t)size, sizeof *room);
    *out = (akin_simulated){0};
    if (!room) return AKIN_FAILED;
    s.now = room, s.ready = room + size, s.waited = room + 2 * size;
    s.subs = akin_ring_subs(size, rows_of(&s, 0), job->dim);
    s.vote_slices = akin_ring_vote_slices(s.subs, rows_of(&s, 0), job->dim);
    s.pair = 2 * (rates->pair + rates->pair_column * stride +
                  offers_of(&s, rates->offer)); /* each pair is compared once */
    double rows = n * rates->row_column * stride / size;
    for (int r = 0; r < size; r++) s.now[r] = rows * akin_simulate_speed(m, r, 0);
    go_round(&s, room + 3 * size, out);
    for (int r = 0; r < size; r++) {
        out->seconds = fmax(out->seconds, s.now[r]);
        out->waiting = fmax(out->waiting, s.waited[r]);
    }
    out->seconds += moved(&s, out);
    akin_mem_free(room);
    return AKIN_OK;
}

/* --- training --- */

/* A sum over all ranks: reduce-scatter and all-gather. */
static double sum_seconds(const akin_plan_machine *m, double bytes) {
    int size = m->nodes * m->ranks_per_node;
    if (size == 1) return 0;
    double inside = inside_rate(m), link = m->nodes > 1 ? fmin(m->bandwidth, inside) : inside;
    return 2 * rounds(size) * m->latency + 2 * (size - 1.0) / size * bytes / link;
}

/* Seconds of a step; *waiting: the part of it in which nothing is computed. */
static double step_seconds(const akin_plan_machine *m, double micro, double batches, double update,
                           double *waiting) {
    double computed = batches * micro, end = 0;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        double begin = computed - micro + begins[i] * micro;
        end = fmax(end, begin) + sum_seconds(m, sums[i]);
    }
    *waiting = fmax(0, end - computed);
    return computed + *waiting + update;
}

void akin_simulate_training(const akin_plan_job *job, const akin_plan_machine *m,
                            const akin_plan_rates *rates, double steps, akin_simulated *out) {
    int size = m->nodes * m->ranks_per_node;
    double batches = ceil((double)job->batch / MICRO / size), micro = MICRO * rates->image,
           turns = akin_plan_turns(m), bytes = 0, mean = 0;
    *out = (akin_simulated){0};
    for (int drawn = 0; drawn < STEPS_DRAWN; drawn++) {
        double slowest = turns, waiting; /* all ranks wait for the slowest */
        for (int r = 0; r < size; r++)
            slowest = fmax(slowest, akin_simulate_speed(m, r, (uint64_t)drawn));
        out->seconds += step_seconds(m, micro * slowest, batches, rates->update * turns, &waiting);
        out->waiting += waiting + (slowest - turns) * micro * batches;
    }
    mean = steps / STEPS_DRAWN;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        bytes += 2 * (size - 1.0) / size * sums[i];
    out->seconds *= mean, out->waiting *= mean;
    out->wire = steps * bytes;
}
