/* allpairs: compares every row with every other, on all ranks. */
#include "leading.h"
#include "partition.h"
#include "pending.h"
#include "recompute.h"
#include "row_summary.h"
#include "thresholds.h"
#include "tile.h"
#include "travel.h"
#include <akin/allpairs.h>
#include <akin/compare.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <unistd.h>

enum { LARGE_PIECES_FROM = 128 /* dimensions: long rows are compared faster */ };

/* In multiply-adds; ring.h says how many a core does in a second. */
static const double piece_work = 1 << 29;         /* between two looks at messages and the clock */
static const double large_piece_work = 1LL << 34; /* the same, of long rows */
static const double mend_work = 4e10;             /* lists that are recomputed at once */

typedef struct {
    akin_comm *comm;
    int rank, size, subs;
    const akin_allpairs_params *params;
    size_t n, dim;
    int tables;
    akin_allpairs_table table[AKIN_ROW_BLOCK_TABLES]; /* k: of the lists */
    size_t *counts;                                   /* [size]: rows of each rank's block */
    akin_row_block *own, *held, *next;
    akin_leading *leading; /* NULL: rows are not divided */
    akin_compare *compare;
    double done, total; /* pairs of panels, for the progress */
    double mended;      /* lists */
    double saved_at;
    akin_comm_sum *vote; /* a vote of all ranks that proceeds while they continue */
    int64_t votes[2];    /* ranks for which it is time to save, and that received a signal */
    int vote_slices, slices_since; /* slices from one vote to the next, and since the last one */
} engine;

size_t akin_allpairs_list(size_t n, size_t k) {
    size_t others = n > 1 ? n - 1 : 1;
    return k < others ? k : others;
}

static size_t largest_block(const engine *e) {
    size_t largest = 0;
    for (int r = 0; r < e->size; r++) largest = e->counts[r] > largest ? e->counts[r] : largest;
    return largest;
}

/* Divides the rows, if that saves work, and makes them ready. Collective; agreed. */
static akin_status make_ready(engine *e) {
    akin_status status;
    akin_leading_use use = {.all = e->n, .tables = e->tables};
    for (int t = 0; t < e->tables; t++) use.rules[t] = e->table[t].rules, use.k[t] = e->table[t].k;
    AKIN_TRY(akin_leading_choose(e->comm, e->own, &use, &e->leading));
    AKIN_TRY(akin_agree(e->comm, akin_row_block_lead(e->own, e->leading)));
    for (int t = 0; t < e->tables; t++)
        akin_row_block_ready(akin_row_block_table(e->own, t), e->table[t].rules);
done:
    return status;
}

static akin_status make_travellers(const engine *e, size_t largest, akin_row_block **out) {
    akin_status status;
    AKIN_TRY(akin_row_block_create(largest, e->dim, e->table[0].k, AKIN_ROW_BLOCK_COLUMNS, out));
    AKIN_TRY(akin_row_block_lead(*out, e->leading));
    for (int t = 1; t < e->tables; t++) AKIN_TRY(akin_row_block_add_table(*out, e->table[t].k));
done:
    return status;
}

/* Collective; agreed. */
static akin_status foretell_thresholds(engine *e) {
    akin_status status = AKIN_OK;
    akin_thresholds_place place = {.several = e->tables > 1};
    for (int r = 0; r < e->size; r++) {
        place.before += r < e->rank ? e->counts[r] : 0;
        place.all += e->counts[r];
    }
    for (int t = 0; t < e->tables && status == AKIN_OK; t++)
        status = akin_thresholds_foretell(e->comm, akin_row_block_table(e->own, t), place,
                                          e->table[t].rules);
    return status;
}

/* Buffers for travelling blocks, as large as the largest of them. */
static akin_status make_room(engine *e) {
    akin_status status;
    const akin_row_block_rules *rules[AKIN_ROW_BLOCK_TABLES];
    for (int t = 0; t < e->tables; t++) rules[t] = e->table[t].rules;
    AKIN_TRY(akin_compare_create_tables(rules, e->tables, &e->compare));
    AKIN_TRY(akin_comm_sum_create(2, &e->vote));
    if (e->size == 1) return AKIN_OK;
    AKIN_TRY(make_travellers(e, largest_block(e), &e->held));
    AKIN_TRY(make_travellers(e, largest_block(e), &e->next));
done:
    return status;
}

/* --- the parts of a step --- */

static size_t panels_of(const engine *e, int rank) {
    return (e->counts[rank] + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL;
}

static size_t panel_of_sub(const engine *e, int rank, size_t sub) {
    return panels_of(e, rank) * sub / (size_t)e->subs;
}

static akin_ring_part part_of(const engine *e, int step) {
    return akin_ring_work(e->size, e->rank, step, (size_t)e->subs, (size_t)e->subs);
}

typedef struct {
    size_t own_first, own_end, held_first, held_end; /* panels */
} panels;

/* What this rank does in a slice, in panels; at step 0 columns meet rows before them. */
static size_t pieces_of_slice(const engine *e, int step, int slice, panels *out) {
    akin_ring_part pieces[AKIN_RING_PIECES];
    int held = akin_ring_held(e->size, e->rank, step);
    size_t count = akin_ring_slice(part_of(e, step), step, e->subs, slice, pieces);
    for (size_t i = 0; i < count; i++)
        out[i] = (panels){panel_of_sub(e, e->rank, pieces[i].own_first),
                          panel_of_sub(e, e->rank, pieces[i].own_end),
                          panel_of_sub(e, held, pieces[i].held_first),
                          panel_of_sub(e, held, pieces[i].held_end)};
    return count;
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Pairs of panels; within one block of a row and a column that is not before it. */
static double count_pairs(panels p, bool one_block) {
    size_t early = p.own_end; /* to here rows meet all columns, and then those from their own on */
    if (one_block && p.held_first < early)
        early = p.held_first > p.own_first ? p.held_first : p.own_first;
    const size_t end = least_of(p.own_end, p.held_end);
    double pairs = (double)(early - p.own_first) * (double)(p.held_end - p.held_first);
    if (early < end)
        pairs += (double)(end - early) * (double)(2 * p.held_end - early - end + 1) / 2;
    return pairs;
}

/* Pairs of panels that a piece compares, for the progress. Where only rows of one category meet,
 * only those that share one, by runs of panels that have the same. The other rank's block is taken
 * to be like this rank's own, since rows are dealt in turn. */
static double panel_pairs(const engine *e, panels p, bool one_block) {
    const akin_row_block_summary *own = akin_row_block_summaries(e->own);
    double pairs = 0;
    if (!akin_compare_same_category(e->compare)) return count_pairs(p, one_block);
    p.held_end = least_of(p.held_end, akin_row_block_panels(e->own));
    for (size_t row = p.own_first, row_end; row < p.own_end; row = row_end) {
        row_end = least_of(own[row].alike_end, p.own_end);
        for (size_t q = p.held_first, end; q < p.held_end; q = end) {
            end = least_of(own[q].alike_end, p.held_end);
            if (!akin_row_summaries_apart(e->table[0].rules, &own[row], &own[q]))
                pairs += count_pairs((panels){row, row_end, q, end}, one_block);
        }
    }
    return pairs;
}

/* The position of the ring, and which share of these pairs that is. */
static akin_ring_progress progress_of(const engine *e, int step, int slice, double done,
                                      double total) {
    return (akin_ring_progress){
        e->size, e->subs, step, slice, done < total ? done / total : 1, e->params->progress.before};
}

/* By this rank's pairs: of those of a resumed run it may have done fewer than others. */
static void tell_progress(const engine *e) {
    double pairs = (double)e->n * (double)(e->n - 1),
           share = akin_ring_share(progress_of(e, 0, 0, e->done, e->total)),
           least = akin_ring_share(e->params->progress);
    akin_log_progress(e->params->stage ? e->params->stage : "neighbors", "pairs",
                      (share > least ? share : least) * pairs, pairs);
}

/* How many panels of rows are compared with this many panels of columns between two checks. */
static size_t rows_at_once(const engine *e, size_t columns) {
    double pair = (double)AKIN_ROW_BLOCK_PANEL * AKIN_ROW_BLOCK_PANEL * (double)e->dim;
    double work = e->dim >= LARGE_PIECES_FROM ? large_piece_work : piece_work;
    return 1 + (size_t)(work / (pair * (double)(columns > 0 ? columns : 1)));
}

/* Columns [first, end) of the held block against the piece's rows, some at a time. */
static void sweep_columns(engine *e, akin_row_block *held, panels p, size_t first, size_t end) {
    size_t rows_end = held == e->own && end < p.own_end ? end : p.own_end,
           at_once = rows_at_once(e, end - first);
    for (size_t row = p.own_first; row < rows_end; row += at_once) {
        size_t row_end = row + at_once < rows_end ? row + at_once : rows_end;
        akin_compare_panels(e->compare, e->own, row, row_end, held, first, end);
        e->done += panel_pairs(e, (panels){row, row_end, first, end}, held == e->own);
        akin_comm_poll(e->comm);
        tell_progress(e);
    }
}

/* How many panels of columns are compared at once: where rows are short, as many as fit three
 * quarters of the second-level cache, with all of their sketches and a quarter of their rows and
 * lists, which only hits touch. The hits of long rows wait (pending.h), so that their sketches
 * may fill it. */
static size_t columns_at_once(const engine *e) {
    long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    size_t bytes = cache >= 256 << 10 ? (size_t)cache : 512 << 10, lists = 0;
    size_t stride = akin_row_block_stride(e->own), row = stride;
    for (int t = 0; t < e->tables; t++) lists += akin_row_block_lists_size(1, e->table[t].k);
    if (stride < AKIN_PENDING_MANY_FROM)
        row += (stride * sizeof(float) + lists) / 4, bytes = bytes / 4 * 3;
    size_t panels = bytes / (AKIN_ROW_BLOCK_PANEL * row);
    return panels > 0 ? panels : 1;
}

static void sweep_slice(engine *e, akin_row_block *held, int step, int slice) {
    panels pieces[AKIN_RING_PIECES];
    const size_t count = pieces_of_slice(e, step, slice, pieces), at_once = columns_at_once(e);
    for (size_t i = 0; i < count; i++) {
        const panels *p = &pieces[i];
        for (size_t q = p->held_first; q < p->held_end; q += at_once)
            sweep_columns(e, held, *p, q, q + at_once < p->held_end ? q + at_once : p->held_end);
    }
}

static void open_vote(engine *e) {
    e->votes[0] =
        e->params->save != NULL && akin_comm_seconds() - e->saved_at >= e->params->save_every;
    e->votes[1] = akin_comm_signalled();
    akin_comm_sum_start(e->comm, e->vote, e->votes, 2);
    e->slices_since = 0;
}

/* Before this slice of the step. Collective; agreed. */
static akin_status save_state(engine *e, int step, int slice, akin_row_block *travelling,
                              int home) {
    int64_t pairs[2] = {(int64_t)e->done, (int64_t)e->total};
    akin_comm_sum_i64(e->comm, pairs, 2);
    const akin_ring_progress at = progress_of(e, step, slice, (double)pairs[0], (double)pairs[1]);
    const akin_allpairs_state state = {at, e->counts, e->own, travelling, home};
    return e->params->save(e->params->context, &state);
}

/* After a slice: whether to continue, and whether to save first. Ranks act on a vote that was
 * opened some slices ago, so that none waits for another's slice; after the last one they vote
 * once more. Collective; agreed. */
static akin_status look_around(engine *e, akin_row_block *held, int step, int slice) {
    akin_status status = AKIN_OK;
    bool last = step == akin_ring_steps(e->size) && slice == e->subs;
    if (!last && ++e->slices_since < e->vote_slices) return AKIN_OK;
    akin_comm_sum_wait(e->comm, e->vote);
    if (last) {
        open_vote(e);
        akin_comm_sum_wait(e->comm, e->vote);
    }
    bool end = last && e->params->save_end && largest_block(e) > 0;
    bool due = e->votes[0] > 0 || end, signalled = e->votes[1] > 0;
    if (e->params->save != NULL && (due || signalled)) {
        AKIN_TRY(save_state(e, step, slice, held == e->own ? NULL : held,
                            akin_ring_held(e->size, e->rank, step)));
        e->saved_at = akin_comm_seconds();
    }
    if (signalled) return akin_comm_check_signal(e->comm);
    if (!last) open_vote(e);
done:
    return status;
}

/* This rank's part of a step, starting at a slice. Collective; agreed. */
static akin_status sweep(engine *e, akin_row_block *held, int step, int slice) {
    akin_status status = AKIN_OK;
    if (held == e->own) akin_compare_itself(e->compare, held);
    for (; slice < e->subs; slice++) {
        sweep_slice(e, held, step, slice);
        AKIN_TRY(look_around(e, held, step, slice + 1));
    }
done:
    return status;
}

/* --- the ring --- */

static int left_of(const engine *e) {
    return (e->rank + e->size - 1) % e->size;
}

static int right_of(const engine *e) {
    return (e->rank + 1) % e->size;
}

/* The held block is sent to the left, and the one of the next step arrives from the right. */
static akin_travel move_body(engine *e, akin_row_block *held, int step) {
    akin_row_block_begin(e->next, e->counts[akin_ring_held(e->size, e->rank, step + 1)]);
    return akin_travel_bodies(e->comm, held, left_of(e), e->next, right_of(e));
}

static void count_work(engine *e) {
    panels pieces[AKIN_RING_PIECES];
    const akin_ring_progress at = e->params->progress;
    for (int step = 0; step <= akin_ring_steps(e->size); step++)
        for (int slice = 0; slice < e->subs; slice++)
            for (size_t i = pieces_of_slice(e, step, slice, pieces); i-- > 0;) {
                const double pairs = panel_pairs(e, pieces[i], step == 0);
                e->total += pairs;
                if (step < at.step || (step == at.step && slice < at.slice)) e->done += pairs;
            }
}

static akin_status go_round(engine *e) {
    akin_status status = AKIN_OK;
    int last = akin_ring_steps(e->size);
    count_work(e);
    for (int step = 0; step <= last; step++) {
        akin_row_block *held = step == 0 ? e->own : e->held;
        akin_travel body = {0};
        if (step < last) body = move_body(e, held, step);
        if (step >= e->params->progress.step)
            status = sweep(e, held, step,
                           step == e->params->progress.step ? e->params->progress.slice : 0);
        akin_travel_arrive(e->comm, &body);
        if (status != AKIN_OK || step == last) break;
        akin_travel_lists(e->comm, held, left_of(e), e->next, right_of(e));
        for (int t = 0; t < e->tables; t++)
            akin_row_block_ready(akin_row_block_table(e->next, t), e->table[t].rules);
        akin_row_block *empty = e->held;
        e->held = e->next, e->next = empty;
    }
    return status;
}

/* Returns the travelling lists to the rank that keeps their block. Collective; agreed. */
static akin_status merge_travellers(engine *e) {
    akin_status status = AKIN_OK;
    int last = akin_ring_steps(e->size);
    if (last == 0) return AKIN_OK;
    akin_row_block_begin(e->next, e->counts[e->rank]);
    akin_travel_lists(e->comm, e->held, akin_ring_held(e->size, e->rank, last), e->next,
                      akin_ring_holder(e->size, e->rank, last));
    for (int t = 0; t < e->tables && status == AKIN_OK; t++)
        status = akin_travel_merge(e->table[t].rules, akin_row_block_table(e->own, t),
                                   akin_row_block_table(e->next, t));
    return akin_agree(e->comm, status);
}

/* Once more, while lists are recomputed. Collective; agreed. */
static akin_status stop_if_signalled(engine *e) {
    akin_status status = AKIN_OK;
    int64_t signalled = akin_comm_signalled();
    akin_comm_sum_i64(e->comm, &signalled, 1);
    if (signalled == 0) return AKIN_OK;
    if (e->params->save != NULL)
        AKIN_TRY(save_state(e, akin_ring_steps(e->size), e->subs, NULL, e->rank));
    return akin_comm_check_signal(e->comm);
done:
    return status;
}

/* Recomputes a table's lists that required too much, some at a time. Collective; agreed. */
static akin_status mend_table(engine *e, int table) {
    akin_status status = AKIN_OK;
    size_t left = 1, largest = largest_block(e), most;
    most = (size_t)(mend_work / ((double)largest * (double)e->dim));
    most = 1 + (most < largest ? most : largest) / (size_t)e->size;
    while (left > 0) {
        AKIN_TRY(akin_recompute(e->comm, e->table[table].rules, akin_row_block_table(e->own, table),
                                most, &left, &e->mended));
        if (left > 0) AKIN_TRY(stop_if_signalled(e));
    }
done:
    return status;
}

/* Then sorts every list: what is sorted can no longer be saved. Collective; agreed. */
static akin_status mend_lists(engine *e) {
    akin_status status = AKIN_OK;
    for (int t = 0; t < e->tables; t++) AKIN_TRY(mend_table(e, t));
    for (int t = 0; t < e->tables; t++) {
        akin_row_block *own = akin_row_block_table(e->own, t);
        for (size_t i = 0; i < akin_row_block_count(own); i++)
            akin_topk_sort(akin_row_block_list(own, i), e->table[t].k);
    }
done:
    return status;
}

static void free_travellers(engine *e) {
    akin_row_block_free(e->held);
    akin_row_block_free(e->next);
    e->held = e->next = NULL;
}

static void free_blocks(engine *e) {
    akin_compare_free(e->compare);
    akin_comm_sum_free(e->vote);
    akin_row_block_free(e->own);
    free_travellers(e);
    akin_leading_free(e->leading);
    e->compare = NULL, e->vote = NULL, e->own = NULL, e->leading = NULL;
}

static void fill_figures(engine *e, double own, double start, double waited,
                         akin_allpairs_figures *out) {
    akin_compare_figures f = akin_compare_figures_of(e->compare);
    const double n = (double)e->n;
    int64_t sums[2] = {(int64_t)f.computed, (int64_t)f.scored};
    double times[2] = {akin_comm_seconds() - start, akin_comm_waited(e->comm) - waited};
    akin_comm_sum_i64(e->comm, sums, 2);
    akin_comm_max_f64(e->comm, times, 2);
    *out = (akin_allpairs_figures){times[0],
                                   times[1],
                                   own < n ? own * (n - own) : n * (n - 1),
                                   (double)sums[0],
                                   (double)sums[1],
                                   e->mended,
                                   akin_tile()->name,
                                   e->leading != NULL ? e->leading->count - 1 : 0};
}

/* Returns the lists, the last table's first (partition.h). Collective; agreed. */
static akin_status go_home(engine *e, const akin_vectors *vectors, uint64_t **lists) {
    akin_status status = AKIN_OK;
    for (int t = e->tables; t-- > 0;) {
        akin_row_block *own = akin_row_block_table(e->own, t);
        status =
            akin_partition_home(e->comm, vectors, e->table[t].k, t > 0 ? &own : &e->own, &lists[t]);
        if (status != AKIN_OK) break;
    }
    for (int t = 0; t < e->tables && status != AKIN_OK; t++) {
        akin_mem_free(lists[t]);
        lists[t] = NULL;
    }
    return status;
}

akin_status akin_allpairs(akin_comm *comm, const akin_vectors *vectors,
                          const akin_allpairs_params *params, uint64_t **lists,
                          akin_allpairs_figures *figures) {
    akin_status status;
    size_t n = akin_vectors_items(vectors);
    engine e = {.comm = comm,
                .rank = akin_comm_rank(comm),
                .size = akin_comm_size(comm),
                .params = params,
                .n = n,
                .dim = akin_vectors_dim(vectors),
                .tables = params->tables};
    for (int t = 0; t < params->tables; t++) {
        lists[t] = NULL;
        e.table[t] = params->table[t];
        e.table[t].k = akin_allpairs_list(n, params->table[t].k);
    }
    akin_comm_barrier(comm);
    double start = e.saved_at = akin_comm_seconds(), waited = akin_comm_waited(comm);
    AKIN_TRY(akin_partition_out(comm, vectors, e.table, e.tables, &e.own, &e.counts));
    AKIN_TRY(make_ready(&e));
    AKIN_TRY(foretell_thresholds(&e));
    AKIN_TRY(akin_agree(comm, make_room(&e)));
    e.subs = params->progress.subs > 0 ? params->progress.subs
                                       : akin_ring_subs(e.size, largest_block(&e), e.dim);
    e.vote_slices = akin_ring_vote_slices(e.subs, largest_block(&e), e.dim);
    AKIN_TRY(go_round(&e));
    AKIN_TRY(merge_travellers(&e));
    free_travellers(&e);
    AKIN_TRY(mend_lists(&e));
    fill_figures(&e, (double)akin_vectors_sources(vectors), start, waited, figures);
    AKIN_TRY(go_home(&e, vectors, lists));
    figures->seconds = akin_comm_seconds() - start;
    akin_comm_max_f64(comm, &figures->seconds, 1);
done:
    akin_log_progress_end();
    free_blocks(&e);
    akin_mem_free(e.counts);
    return status;
}
