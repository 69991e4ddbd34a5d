/* pending: the hits of tiles until they are settled. */
#include "pending.h"
#include <akin/mem.h>
#include <string.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    GROUP = AKIN_PENDING_GROUP,
    WAITING = 2048, /* hits, of long rows */
    TILES = 512,    /* that wait, at most */
    HITS = WAITING + GROUP * AKIN_TILE_HITS
};

typedef akin_pending_outcome outcome;

/* What the lists of one table may want of a tile. */
typedef struct {
    size_t row_count, column_count;
    akin_row_block_proposal for_rows[AKIN_TILE_HITS], for_columns[AKIN_TILE_HITS];
} proposals;

/* Tiles whose hits wait, followed by the group that is being computed. */
typedef struct {
    size_t count, hits;
    outcome outcomes[TILES];
    akin_dot_hit of_tiles[HITS];
    float bounds[HITS];
} batch;

struct akin_pending {
    const akin_asked_tables *tables;
    batch *batches[2];
    size_t waiting; /* hits that a batch has before the next one begins; 0: rows are short */
    int turn;       /* which one the next tiles write; the other one waits */
    bool bounded;   /* hits come with upper bounds of their scores */
    double scored;
    float scores[AKIN_TILE_HITS];
    proposals *wanted[GROUP]; /* [tables] each: of the tiles of a group */
};

akin_status akin_pending_create(const akin_asked_tables *tables, akin_pending **out) {
    akin_status status = AKIN_FAILED;
    *out = NULL;
    akin_pending *pending = akin_mem_zalloc(1, sizeof *pending);
    if (pending == NULL) goto done;
    pending->tables = tables;
    for (int b = 0; b < 2; b++) {
        batch *made = pending->batches[b] = akin_mem_alloc(1, sizeof *made);
        if (made == NULL) goto done;
        made->count = made->hits = 0;
    }
    for (int t = 0; t < GROUP; t++) {
        proposals *made = akin_mem_alloc((size_t)tables->count, sizeof *made);
        if ((pending->wanted[t] = made) == NULL) goto done;
    }
    *out = pending, pending = NULL;
    status = AKIN_OK;
done:
    akin_pending_free(pending);
    return status;
}

void akin_pending_free(akin_pending *pending) {
    if (pending == NULL) return;
    for (int t = 0; t < GROUP; t++) akin_mem_free(pending->wanted[t]);
    for (int b = 0; b < 2; b++) akin_mem_free(pending->batches[b]);
    akin_mem_free(pending);
}

/* Finds the lists of one table that may want the hits. */
static void propose(const akin_pending *pending, const outcome *o, int table, proposals *wanted) {
    const akin_row_block_rules *rules = pending->tables->rules[table];
    const akin_row_block *a = akin_asked_block(pending->tables, o->a, table),
                         *b = akin_asked_block(pending->tables, o->b, table);
    const float *row_least = akin_row_block_least(a, o->p),
                *column_least = akin_row_block_least(b, o->q);
    size_t row_count = 0, column_count = 0;
    bool offsets = akin_row_block_has_offsets(rules);
    const float *of_rows = akin_row_block_offsets(a, o->p), /* what is added */
        *of_columns = akin_row_block_offsets(b, o->q), sure = akin_row_block_sure(a);
    for (size_t h = 0; h < o->count; h++) { /* no branches: they would be unpredictable */
        uint16_t i = o->hits[h].row, j = o->hits[h].column;
        float score = pending->scores[h];
        bool same = offsets && (score >= sure || score < -1); /* those are held or raised */
        wanted->for_rows[row_count] = (akin_row_block_proposal){i, j, score};
        wanted->for_columns[column_count] = (akin_row_block_proposal){j, i, score};
        row_count += same | (score + of_columns[j] >= row_least[i]);
        column_count += same | (score + of_rows[i] >= column_least[j]);
    }
    wanted->row_count = row_count, wanted->column_count = column_count;
}

static void offer(const akin_pending *pending, const outcome *o, int table,
                  const proposals *wanted) {
    akin_row_block *a = akin_asked_block(pending->tables, o->a, table),
                   *b = akin_asked_block(pending->tables, o->b, table);
    akin_row_block_offer(pending->tables->rules[table], a, o->p, b, o->q, wanted->for_rows,
                         wanted->row_count);
    akin_row_block_offer(pending->tables->rules[table], b, o->q, a, o->p, wanted->for_columns,
                         wanted->column_count);
}

/* The lists, and what rules need to know. */
static void fetch_wanted(const akin_pending *pending, const outcome *o, int table,
                         const proposals *wanted) {
    const akin_row_block *a = akin_asked_block(pending->tables, o->a, table),
                         *b = akin_asked_block(pending->tables, o->b, table);
    for (size_t e = 0; e < wanted->row_count; e++) {
        akin_row_block_fetch_list(a, o->p, wanted->for_rows[e].to);
        akin_row_block_fetch_item(b, o->q, wanted->for_rows[e].from);
    }
    for (size_t e = 0; e < wanted->column_count; e++) {
        akin_row_block_fetch_list(b, o->q, wanted->for_columns[e].to);
        akin_row_block_fetch_item(a, o->p, wanted->for_columns[e].from);
    }
}

/* Removes hits that are no pairs: what follows the rows of a panel, of a panel with itself one
 * of each two, and two sources or two targets. */
static void keep_pairs(const akin_pending *pending, outcome *o) {
    const akin_row_rules *more = pending->tables->rules[0]->more;
    const akin_row_block_item *rows = akin_row_block_items(o->a) + o->p * PANEL,
                              *columns = akin_row_block_items(o->b) + o->q * PANEL;
    bool itself = o->a == o->b && o->p == o->q, sides = more != NULL && more->sides;
    size_t kept = 0;
    if (!itself && !sides && o->row_count == PANEL && o->column_count == PANEL) return;
    for (size_t h = 0; h < o->count; h++) {
        uint16_t i = o->hits[h].row, j = o->hits[h].column;
        o->hits[kept] = o->hits[h];
        kept += (i < o->row_count) & (j < o->column_count) & (!itself | (i < j)) &
                (!sides | (rows[i].values.value[0] != columns[j].values.value[0]));
    }
    o->count = kept;
}

/* Removes hits that are no longer wanted: while they waited, lists have come to require more. */
static void keep_wanted(const akin_pending *pending, outcome *o) {
    float of_rows[PANEL], of_columns[PANEL];
    const float *rows = akin_asked_of(pending->tables, o->met, o->a, o->p, o->b, o->q, of_rows),
                *columns =
                    akin_asked_of(pending->tables, o->met, o->b, o->q, o->a, o->p, of_columns);
    size_t kept = 0;
    for (size_t h = 0; h < o->count; h++) {
        const float row = rows[o->hits[h].row], column = columns[o->hits[h].column];
        o->hits[kept] = o->hits[h];
        kept += o->bounds[h] >= (row < column ? row : column);
    }
    o->count = kept;
}

/* Scores the hits, and finds who may want them in all tables. */
static void find_wanted(akin_pending *pending, outcome *o, proposals *wanted /* [tables] */) {
    if (o->bounds != NULL) keep_wanted(pending, o);
    keep_pairs(pending, o);
    pending->scored += (double)o->count;
    akin_dot()->pairs(o->rows, o->columns, akin_row_block_stride(o->a), o->hits, o->count,
                      pending->scores);
    for (int t = 0; t < pending->tables->count; t++) {
        if (!(o->met >> t & 1)) continue;
        propose(pending, o, t, &wanted[t]);
        fetch_wanted(pending, o, t, &wanted[t]);
    }
}

/* At most a group of tiles. */
static void settle_some(akin_pending *pending, outcome *outcomes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].count > 0) find_wanted(pending, &outcomes[i], pending->wanted[i]);
    for (size_t i = 0; i < count; i++)
        for (int t = 0; t < pending->tables->count && outcomes[i].count > 0; t++)
            if (outcomes[i].met >> t & 1) offer(pending, &outcomes[i], t, &pending->wanted[i][t]);
}

static void settle(akin_pending *pending, batch *b) {
    for (size_t i = 0; i < b->count; i += GROUP)
        settle_some(pending, b->outcomes + i, b->count - i < GROUP ? b->count - i : GROUP);
    b->count = b->hits = 0;
}

static void fetch_hits(const outcome *o) {
    enum { MOST = 16 };
    for (size_t h = 0; h < o->count && h < MOST; h++) {
        akin_row_block_fetch(o->a, o->p, o->hits[h].row);
        akin_row_block_fetch(o->b, o->q, o->hits[h].column);
    }
}

/* Puts the hits of a tile after those that wait already. */
static void keep(batch *now, outcome *o) {
    akin_dot_hit *hits = now->of_tiles + now->hits;
    if (hits != o->hits) { /* of a group; tiles with bounds are computed one by one */
        AKIN_ASSERT(o->bounds == NULL);
        memmove(hits, o->hits, o->count * sizeof *hits);
        o->hits = hits;
    }
    now->hits += o->count;
    fetch_hits(o);
}

void akin_pending_begin(akin_pending *pending, const akin_row_block *block) {
    pending->waiting = akin_row_block_stride(block) >= AKIN_PENDING_MANY_FROM ? WAITING : 0;
    pending->bounded = akin_row_block_leading(block) != NULL;
}

akin_pending_outcome *akin_pending_group(akin_pending *pending) {
    batch *now = pending->batches[pending->turn];
    outcome *group = now->outcomes + now->count;
    const size_t tiles = pending->tables->tile->four != NULL ? GROUP : 1;
    for (size_t t = 0; t < tiles; t++) {
        const size_t from = now->hits + t * AKIN_TILE_HITS;
        group[t].hits = now->of_tiles + from;
        group[t].bounds = pending->bounded ? now->bounds + from : NULL;
    }
    return group;
}

akin_pending_outcome *akin_pending_add(akin_pending *pending, size_t count) {
    batch *now = pending->batches[pending->turn];
    for (; count > 0; count--) keep(now, &now->outcomes[now->count++]);
    if (now->hits >= pending->waiting || now->count + GROUP > TILES)
        settle(pending, pending->batches[pending->turn ^= 1]);
    return akin_pending_group(pending);
}

void akin_pending_finish(akin_pending *pending) {
    settle(pending, pending->batches[pending->turn ^ 1]);
    settle(pending, pending->batches[pending->turn]);
}

double akin_pending_scored(const akin_pending *pending) {
    return pending->scored;
}
