/* row_block: some rows with their labels, lists and sketches. */
#include "row_lead.h"
#include "row_sketches.h"
#include "row_summary.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/row_block.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL, LINE = 64 /* bytes that are fetched together */ };

struct akin_row_block {
    size_t capacity, count, dim, stride, k;
    akin_row_block *of; /* the block whose rows and sketches it shares; NULL: it has its own */
    akin_row_block *table[AKIN_ROW_BLOCK_TABLES]; /* of a block with its own: itself, then those */
    int tables;
    unsigned char *body;   /* float rows[panels * PANEL][stride], where it has its own, then items
                          * [panels * PANEL] */
    uint64_t *lists;       /* [count, akin_topk_words(k)] */
    float *least;          /* [panels * PANEL] */
    int32_t *catalogue;    /* [panels * PANEL]: the items' rows, which are looked at most, */
    float *offsets;        /* [panels * PANEL]: and their offsets */
    akin_row_reach *reach; /* [panels * PANEL] */
    akin_row_block_summary *summaries; /* [panels] */
    akin_row_sketches *sketches;       /* of a block that has rows of its own */
    bool plain;                        /* its rules look at nothing but rows, scores and offsets */
    float sure;                        /* below it two rows cannot be the same */
    float nothing[PANEL];              /* what rows that rest ask for: infinity */
    bool rests;
};

static size_t panels_of(size_t count) {
    return (count + PANEL - 1) / PANEL;
}

static size_t rows_size(size_t count, size_t stride) {
    return panels_of(count) * PANEL * stride * sizeof(float);
}

static size_t items_size(size_t count) {
    return panels_of(count) * PANEL * sizeof(akin_row_block_item);
}

size_t akin_row_block_body_size(size_t count, size_t dim) {
    return rows_size(count, akin_dot_stride(dim)) + items_size(count);
}

size_t akin_row_block_body_size_of(const akin_row_block *block, size_t count) {
    return block->of != NULL ? items_size(count) : akin_row_block_body_size(count, block->dim);
}

/* The block that has the rows. */
static const akin_row_block *base_of(const akin_row_block *block) {
    return block->of != NULL ? block->of : block;
}

size_t akin_row_block_lists_size(size_t count, size_t k) {
    return k > 0 ? count * akin_topk_words(k) * sizeof(uint64_t) : 0;
}

static float *row_of(const akin_row_block *block, size_t index) {
    return (float *)(void *)base_of(block)->body + index * block->stride;
}

static akin_row_block_item *items(const akin_row_block *block) {
    size_t rows = block->of != NULL ? 0 : rows_size(block->count, block->stride);
    return (akin_row_block_item *)(void *)(block->body + rows);
}

/* What a block has of its own, whether or not it shares its rows. */
static akin_status create(size_t capacity, const akin_row_block *like, akin_row_block **out) {
    akin_status status = AKIN_FAILED;
    size_t panels = panels_of(capacity);
    *out = NULL;
    akin_row_block *block = akin_mem_alloc(1, sizeof *block);
    if (block == NULL) return AKIN_FAILED;
    *block = *like;
    block->capacity = capacity;
    block->sure = nextafterf((float)(1 - akin_dot_bound(block->dim) - 0x1p-22), -INFINITY);
    for (int i = 0; i < PANEL; i++) block->nothing[i] = INFINITY;
    if ((block->body = akin_mem_alloc(panels, akin_row_block_body_size_of(block, PANEL))) == NULL)
        goto done;
    block->lists = akin_mem_alloc(capacity, akin_row_block_lists_size(1, block->k));
    block->least = akin_mem_alloc(panels, PANEL * sizeof *block->least);
    block->catalogue = akin_mem_alloc(panels, PANEL * sizeof *block->catalogue);
    block->offsets = akin_mem_alloc(panels, PANEL * sizeof *block->offsets);
    block->reach = akin_mem_alloc(panels, PANEL * sizeof *block->reach);
    block->summaries = akin_mem_alloc(panels, sizeof *block->summaries);
    if (!block->lists || !block->least || !block->catalogue || !block->offsets || !block->reach ||
        !block->summaries)
        goto done;
    *out = block, block = NULL;
    status = AKIN_OK;
done:
    akin_row_block_free(block);
    return status;
}

akin_status akin_row_block_create(size_t capacity, size_t dim, size_t k, akin_row_block_sides sides,
                                  akin_row_block **out) {
    akin_status status;
    akin_row_block *block = NULL;
    const akin_row_block like = {.dim = dim, .stride = akin_dot_stride(dim), .k = k, .tables = 1};
    *out = NULL;
    AKIN_TRY(create(capacity, &like, &block));
    block->table[0] = block;
    AKIN_TRY(akin_row_sketches_create(panels_of(capacity), dim, sides, &block->sketches));
    *out = block, block = NULL;
done:
    akin_row_block_free(block);
    return status;
}

akin_status akin_row_block_lead(akin_row_block *block, const akin_leading *leading) {
    return leading != NULL ? akin_row_sketches_divide(block->sketches, leading) : AKIN_OK;
}

const akin_row_lead *akin_row_block_parted(const akin_row_block *block) {
    return akin_row_sketches_lead(base_of(block)->sketches);
}

const akin_leading *akin_row_block_leading(const akin_row_block *block) {
    return akin_row_lead_leading(akin_row_block_parted(block));
}

akin_status akin_row_block_add_table(akin_row_block *block, size_t k) {
    const akin_row_block like = {.dim = block->dim, .stride = block->stride, .k = k, .of = block};
    akin_status status = create(block->capacity, &like, &block->table[block->tables]);
    block->tables += status == AKIN_OK;
    return status;
}

int akin_row_block_tables(const akin_row_block *block) {
    return block->tables;
}

akin_row_block *akin_row_block_table(const akin_row_block *block, int table) {
    return block->table[table];
}

void akin_row_block_free(akin_row_block *block) {
    if (block == NULL) return;
    for (int t = 1; t < block->tables; t++) akin_row_block_free(block->table[t]);
    if (block->of != NULL) /* then it was the last of them */
        block->of->tables -= block->of->table[block->of->tables - 1] == block;
    akin_mem_free(block->body);
    akin_mem_free(block->lists);
    akin_mem_free(block->least);
    akin_mem_free(block->catalogue);
    akin_mem_free(block->offsets);
    akin_mem_free(block->reach);
    akin_mem_free(block->summaries);
    akin_row_sketches_free(block->sketches);
    akin_mem_free(block);
}

void akin_row_block_begin(akin_row_block *block, size_t count) {
    size_t end = panels_of(count) * PANEL;
    block->count = count;
    memset(block->lists, 0, akin_row_block_lists_size(count, block->k));
    if (end > count && block->of == NULL)
        memset(row_of(block, count), 0, (end - count) * block->stride * sizeof(float));
    for (size_t i = count; i < end; i++)
        items(block)[i] = (akin_row_block_item){.row = -1, .category = -1};
    for (int t = 1; t < block->tables; t++) akin_row_block_begin(block->table[t], count);
}

void akin_row_block_set(akin_row_block *block, size_t index, akin_row_block_item item,
                        const float *row) {
    items(block)[index] = item;
    if (block->of != NULL) return;
    float *to = row_of(block, index);
    memcpy(to, row, block->dim * sizeof *to);
    memset(to + block->dim, 0, (block->stride - block->dim) * sizeof *to);
}

static bool plain(const akin_row_block_rules *rules) {
    const akin_row_rules *more = rules->more;
    return !rules->same_category && !rules->exclude_same_group && !rules->only_available &&
           !rules->again && rules->layers == 0 &&
           (more == NULL || (more->count == 0 && more->block_count == 0 && more->limits == NULL));
}

/* What the tile is asked for, so that nothing is missed that the list would take. */
static float tile_least(const akin_row_block *block, float least) {
    if (least <= -1) return -INFINITY; /* a product a little below -1 ends as -1 */
    return least < block->sure ? least : block->sure;
}

static float list_least(const akin_row_block *block, const akin_row_block_rules *rules,
                        size_t index) {
    uint64_t worst = akin_topk_bar(akin_row_block_list(block, index));
    if (akin_row_block_has_offsets(rules)) return worst == 0 ? -INFINITY : akin_topk_score(worst);
    float least = worst == 0 ? -1 : akin_topk_score(worst);
    return tile_least(block, least > rules->min_score ? least : rules->min_score);
}

const float *akin_row_block_offsets(const akin_row_block *block, size_t p) {
    return block->offsets + p * PANEL;
}

const akin_row_reach *akin_row_block_reach(const akin_row_block *block, size_t p) {
    return block->reach + p * PANEL;
}

float akin_row_block_sure(const akin_row_block *block) {
    return block->sure;
}

static size_t count_of(const akin_row_block *block, size_t panel) {
    size_t left = block->count - panel * PANEL;
    return left < PANEL ? left : PANEL;
}

void akin_row_block_ready(akin_row_block *block, const akin_row_block_rules *rules) {
    const akin_row_block_item *item = items(block);
    for (size_t i = 0; i < panels_of(block->count) * PANEL; i++) {
        bool looks =
            i < block->count && block->k > 0 && !(rules->same_category && item[i].category < 0);
        block->least[i] = looks ? list_least(block, rules, i) : INFINITY;
        block->catalogue[i] = item[i].row;
        block->offsets[i] = akin_row_block_has_offsets(rules) ? item[i].values.offset : 0;
        block->reach[i] = i < block->count && rules->more != NULL
                              ? akin_row_rules_reach(rules->more, &item[i].values)
                              : (akin_row_reach){INFINITY, -INFINITY};
    }
    block->plain = plain(rules);
    if (block->of == NULL) akin_row_sketches_make(block->sketches, row_of(block, 0), block->count);
    for (size_t p = 0; p < panels_of(block->count); p++)
        block->summaries[p] = akin_row_summary_of(rules, item + p * PANEL, count_of(block, p));
    for (size_t p = panels_of(block->count); p-- > 0;) {
        akin_row_block_summary *here = &block->summaries[p];
        bool last = p + 1 == panels_of(block->count),
             alike = !last && here->category_first == here[1].category_first &&
                     here->category_last == here[1].category_last;
        here->alike_end = alike ? here[1].alike_end : p + 1;
    }
}

size_t akin_row_block_count(const akin_row_block *block) {
    return block->count;
}

size_t akin_row_block_dim(const akin_row_block *block) {
    return block->dim;
}

size_t akin_row_block_stride(const akin_row_block *block) {
    return block->stride;
}

size_t akin_row_block_k(const akin_row_block *block) {
    return block->k;
}

size_t akin_row_block_panels(const akin_row_block *block) {
    return panels_of(block->count);
}

akin_row_block_panel akin_row_block_view(const akin_row_block *block, size_t p) {
    akin_row_block_panel view = {
        .count = count_of(block, p),
        .rows = row_of(block, p * PANEL),
        .items = items(block) + p * PANEL,
        .least = akin_row_block_least(block, p),
        .summary = block->summaries + p,
    };
    akin_row_sketches_view(base_of(block)->sketches, p, &view);
    return view;
}

const int8_t *akin_row_block_columns(const akin_row_block *block, size_t panel) {
    return akin_row_sketches_columns(base_of(block)->sketches, panel);
}

size_t akin_row_block_width(const akin_row_block *block) {
    return base_of(block)->sketches->width;
}

const float *akin_row_block_least(const akin_row_block *block, size_t p) {
    return block->rests ? block->nothing : block->least + p * PANEL;
}

const akin_row_block_summary *akin_row_block_summaries(const akin_row_block *block) {
    return block->summaries;
}

const akin_row_block_item *akin_row_block_items(const akin_row_block *block) {
    return items(block);
}

const float *akin_row_block_row(const akin_row_block *block, size_t index) {
    return row_of(block, index);
}

void akin_row_block_rest(akin_row_block *block, bool rests) {
    block->rests = rests;
}

uint64_t *akin_row_block_lists(akin_row_block *block) {
    return block->lists;
}

uint64_t *akin_row_block_list(const akin_row_block *block, size_t index) {
    return block->lists + index * akin_topk_words(block->k);
}

void akin_row_block_fetch(const akin_row_block *block, size_t p, size_t i) {
    enum { MOST = 1024 };
    const size_t bytes = block->stride * sizeof(float);
    const char *row = (const char *)row_of(block, p * PANEL + i);
    if (bytes <= MOST) /* longer ones would push out the sketches that the next tile reads */
        for (size_t at = 0; at < bytes; at += LINE) __builtin_prefetch(row + at, 0, 2);
}

void akin_row_block_fetch_item(const akin_row_block *block, size_t p, size_t i) {
    if (!block->plain) __builtin_prefetch(&items(block)[p * PANEL + i], 0, 2);
}

void akin_row_block_fetch_list(const akin_row_block *block, size_t p, size_t i) {
    enum { LAST = 3 * LINE };
    const char *list = (const char *)akin_row_block_list(block, p * PANEL + i);
    const size_t bytes = akin_topk_words(block->k) * sizeof(uint64_t);
    const bool sorted = block->k <= AKIN_TOPK_SHORT; /* entries come in anywhere; else at the end */
    akin_row_block_fetch_item(block, p, i);
    __builtin_prefetch(list, 1, 2); /* the bar */
    for (size_t at = sorted || bytes <= LAST ? LINE : bytes - LAST; at < bytes; at += LINE)
        __builtin_prefetch(list + at, 1, 2);
}

void *akin_row_block_body(akin_row_block *block) {
    return block->body;
}

/* --- offers --- */

static bool done(const akin_row_block_rules *rules, const akin_row_block_item *a,
                 const akin_row_block_item *b) {
    for (int l = 0; l < rules->layers; l++)
        if (rules->layer[l].done[a->label[l] * rules->layer[l].labels + b->label[l]]) return true;
    return false;
}

bool akin_row_block_may_meet(const akin_row_block_rules *rules, const akin_row_block_item *a,
                             const akin_row_block_item *b) {
    if (a->row == b->row) return false;
    if (rules->same_category && (a->category != b->category || a->category < 0)) return false;
    if (rules->exclude_same_group && a->group == b->group && a->group >= 0) return false;
    return !done(rules, a, b) &&
           (rules->more == NULL ||
            akin_row_rules_allow(rules->more, a->row, &a->values, b->row, &b->values));
}

/* The product held to [-1, 1]; -0 becomes +0. */
static float held(float product) {
    return (product > 1 ? 1 : product < -1 ? -1 : product) + 0.0f;
}

/* The score of a product that may be of the same row twice. */
static float score_of(const akin_row_block *a, size_t i, const akin_row_block *b, size_t j,
                      float product) {
    if (product >= a->sure && memcmp(row_of(a, i), row_of(b, j), a->dim * sizeof(float)) == 0)
        return 1;
    return held(product);
}

/* Where rules look at nothing but rows, scores and offsets. */
static void offer_plainly(const akin_row_block_rules *rules, akin_row_block *to, size_t p,
                          const akin_row_block *from, size_t q,
                          const akin_row_block_proposal *proposals, size_t count) {
    const int32_t *ours = to->catalogue + p * PANEL, *theirs = from->catalogue + q * PANEL;
    const float *offsets = from->offsets + q * PANEL;
    const bool sums = akin_row_block_has_offsets(rules);
    float *least = to->least + p * PANEL;
    for (size_t e = 0; e < count; e++) {
        size_t i = proposals[e].to, j = proposals[e].from;
        if ((!sums && proposals[e].product < least[i]) || ours[i] == theirs[j]) continue;
        float score = score_of(to, p * PANEL + i, from, q * PANEL + j, proposals[e].product);
        if (score < rules->min_score || least[i] == INFINITY) continue;
        score = score + offsets[j] + 0.0f;
        uint64_t *list = akin_row_block_list(to, p * PANEL + i),
                 key = akin_topk_key(score, theirs[j]);
        if (key <= akin_topk_bar(list)) continue;
        akin_topk_push(list, to->k, key);
        least[i] = list_least(to, rules, p * PANEL + i);
    }
}

void akin_row_block_offer(const akin_row_block_rules *rules, akin_row_block *to, size_t p,
                          const akin_row_block *from, size_t q,
                          const akin_row_block_proposal *proposals, size_t count) {
    if (to->rests) return; /* pairs of the same row are proposed whatever is asked */
    if (plain(rules)) {
        offer_plainly(rules, to, p, from, q, proposals, count);
        return;
    }
    const akin_row_block_item *ours = items(to), *theirs = items(from);
    bool offsets = akin_row_block_has_offsets(rules);
    for (size_t e = 0; e < count; e++) {
        size_t i = p * PANEL + proposals[e].to, j = q * PANEL + proposals[e].from;
        if ((!offsets && proposals[e].product < to->least[i]) ||
            !akin_row_block_may_meet(rules, &ours[i], &theirs[j]))
            continue;
        if (rules->only_available && !theirs[j].available) continue;
        float score = score_of(to, i, from, j, proposals[e].product);
        if (score < rules->min_score || to->least[i] == INFINITY) continue;
        if (offsets) score = score + theirs[j].values.offset + 0.0f;
        uint64_t *list = akin_row_block_list(to, i), key = akin_topk_key(score, theirs[j].row);
        if (key <= akin_topk_bar(list)) continue;
        if (rules->again && akin_topk_holds(list, key)) continue;
        if (rules->more != NULL && rules->more->limits != NULL)
            akin_topk_limits_push(rules->more->limits, list, to->k, key);
        else
            akin_topk_push(list, to->k, key);
        to->least[i] = list_least(to, rules, i);
    }
}

void akin_row_block_raise(const akin_row_block_rules *rules, akin_row_block *block, size_t i,
                          float score) {
    if (block->least[i] >= score) return; /* it asks for more, or for nothing */
    if (score <= rules->min_score && !akin_row_block_has_offsets(rules))
        return; /* so much it asks anyway, and of fewer than k */
    akin_topk_raise(akin_row_block_list(block, i), akin_topk_key(score, INT32_MAX));
    block->least[i] = list_least(block, rules, i);
}
