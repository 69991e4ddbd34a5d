/* block: some rows with their neighbour lists. Floor 1 (kernels); looks down to error, mem, topk, dot. */
#include <akin/block.h>
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_DOT_PANEL };

typedef struct { /* what a panel holds, so that two that cannot meet are skipped */
    int32_t category_first, category_last;
    bool some_available;
} summary;

struct akin_block {
    size_t count, dim, k;
    unsigned char *body; /* float panels[panels][dim][PANEL], then items [panels * PANEL] */
    uint64_t *lists;     /* [count, k] */
    float *least;        /* [panels * PANEL]: what a score of the tile must reach to be looked at */
    summary *summaries;  /* [panels] */
    float sure;          /* below it two rows cannot be the same */
};

static size_t panels_of(size_t count) {
    return (count + PANEL - 1) / PANEL;
}

static size_t panels_size(size_t count, size_t dim) {
    return panels_of(count) * PANEL * dim * sizeof(float);
}

size_t akin_block_body_size(size_t count, size_t dim) {
    return panels_size(count, dim) + panels_of(count) * PANEL * sizeof(akin_block_item);
}

size_t akin_block_lists_size(size_t count, size_t k) {
    return k > 0 ? count * akin_topk_words(k) * sizeof(uint64_t) : 0;
}

static float *panel(const akin_block *block, size_t index) {
    return (float *)(void *)block->body + index * PANEL * block->dim;
}

static akin_block_item *items(const akin_block *block) {
    return (akin_block_item *)(void *)(block->body + panels_size(block->count, block->dim));
}

akin_status akin_block_create(size_t capacity, size_t dim, size_t k, akin_block **out) {
    akin_status status = AKIN_FAILED;
    size_t panels = panels_of(capacity);
    *out = NULL;
    akin_block *block = akin_mem_zalloc(1, sizeof *block);
    if (block == NULL) return AKIN_FAILED;
    block->dim = dim, block->k = k;
    block->sure = nextafterf((float)(1 - akin_dot_bound(dim) - 0x1p-22), -INFINITY);
    if ((block->body = akin_mem_alloc(panels, akin_block_body_size(PANEL, dim))) == NULL) goto done;
    if ((block->lists = akin_mem_alloc(capacity, akin_block_lists_size(1, k))) == NULL) goto done;
    if ((block->least = akin_mem_alloc(panels * PANEL, sizeof *block->least)) == NULL) goto done;
    if ((block->summaries = akin_mem_alloc(panels, sizeof *block->summaries)) == NULL) goto done;
    *out = block, block = NULL;
    status = AKIN_OK;
done:
    akin_block_free(block);
    return status;
}

void akin_block_free(akin_block *block) {
    if (block == NULL) return;
    akin_mem_free(block->body);
    akin_mem_free(block->lists);
    akin_mem_free(block->least);
    akin_mem_free(block->summaries);
    akin_mem_free(block);
}

void akin_block_begin(akin_block *block, size_t count) {
    block->count = count;
    memset(block->lists, 0, akin_block_lists_size(count, block->k));
    size_t last = panels_of(count);
    if (count % PANEL != 0) memset(panel(block, last - 1), 0, panels_size(1, block->dim));
    for (size_t i = count; i < last * PANEL; i++) items(block)[i] = (akin_block_item){.row = -1, .category = -1};
}

void akin_block_set(akin_block *block, size_t index, akin_block_item item, const float *row) {
    float *to = panel(block, index / PANEL) + index % PANEL;
    for (size_t t = 0; t < block->dim; t++) to[t * PANEL] = row[t];
    items(block)[index] = item;
}

/* What the tile is asked for, so that nothing is missed that the list would take. */
static float tile_least(const akin_block *block, float least) {
    if (least <= -1) return -INFINITY; /* a chain a little below -1 ends as -1 */
    return least < block->sure ? least : block->sure;
}

static float list_least(const akin_block *block, const akin_block_rules *rules, size_t index) {
    uint64_t worst = akin_topk_bar(akin_block_list(block, index));
    float least = worst == 0 ? -1 : akin_topk_score(worst);
    return tile_least(block, least > rules->min_score ? least : rules->min_score);
}

void akin_block_ready(akin_block *block, const akin_block_rules *rules) {
    const akin_block_item *item = items(block);
    size_t panels = panels_of(block->count);
    for (size_t i = 0; i < panels * PANEL; i++) {
        bool looks = i < block->count && block->k > 0 && !(rules->same_category && item[i].category < 0);
        block->least[i] = looks ? list_least(block, rules, i) : INFINITY;
    }
    for (size_t p = 0; p < panels; p++) {
        size_t end = (p + 1) * PANEL < block->count ? (p + 1) * PANEL : block->count;
        summary s = {item[p * PANEL].category, item[p * PANEL].category, false};
        for (size_t i = p * PANEL; i < end; i++) {
            if (item[i].category < s.category_first) s.category_first = item[i].category;
            if (item[i].category > s.category_last) s.category_last = item[i].category;
            s.some_available |= item[i].available != 0;
        }
        block->summaries[p] = s;
    }
}

size_t akin_block_count(const akin_block *block) {
    return block->count;
}

size_t akin_block_panels(const akin_block *block) {
    return panels_of(block->count);
}

const akin_block_item *akin_block_items(const akin_block *block) {
    return items(block);
}

uint64_t *akin_block_lists(akin_block *block) {
    return block->lists;
}

uint64_t *akin_block_list(const akin_block *block, size_t index) {
    return block->lists + index * akin_topk_words(block->k);
}

void *akin_block_body(akin_block *block) {
    return block->body;
}

/* --- the comparison --- */

static bool panels_may_meet(const akin_block_rules *rules, const summary *a, const summary *b) {
    if (rules->same_category && (a->category_last < b->category_first || b->category_last < a->category_first))
        return false;
    return !rules->only_available || a->some_available || b->some_available;
}

static bool items_may_meet(const akin_block_rules *rules, const akin_block_item *a, const akin_block_item *b) {
    if (a->row == b->row) return false;
    if (rules->same_category && (a->category != b->category || a->category < 0)) return false;
    return !(rules->exclude_same_group && a->group == b->group && a->group >= 0);
}

static bool same_rows(const float *a, const float *b, size_t dim) {
    for (size_t t = 0; t < dim; t++)
        if (a[t * PANEL] != b[t * PANEL]) return false;
    return true;
}

/* The chain held to [-1, 1]; -0 becomes +0. */
static float held(float chain) {
    return (chain > 1 ? 1 : chain < -1 ? -1 : chain) + 0.0f;
}

/* Offers the item to row `index` of the block. */
static void offer(const akin_block_rules *rules, akin_block *block, size_t index, const akin_block_item *item,
                  float score) {
    if (score < rules->min_score || (rules->only_available && !item->available)) return;
    akin_topk_push(akin_block_list(block, index), block->k, akin_topk_key(score, item->row));
    block->least[index] = list_least(block, rules, index);
}

/* Whether the row would take the item if the pair had this score: most hits end here. Looks at `least` first, which
 * stands together for a panel, and says no for rows that look for nothing. */
static bool wants(const akin_block *block, size_t index, float chain, float score, int32_t row) {
    return chain >= block->least[index] && akin_topk_key(score, row) > akin_topk_bar(akin_block_list(block, index));
}

static void meet(const akin_block_rules *rules, akin_block *a, size_t i, akin_block *b, size_t j, float chain) {
    const akin_block_item *of_a = items(a) + i, *of_b = items(b) + j;
    float score = chain >= a->sure ? 1 : held(chain); /* at most this */
    bool for_a = wants(a, i, chain, score, of_b->row), for_b = wants(b, j, chain, score, of_a->row);
    if (!(for_a || for_b) || !items_may_meet(rules, of_a, of_b)) return;
    if (chain >= a->sure && !same_rows(panel(a, i / PANEL) + i % PANEL, panel(b, j / PANEL) + j % PANEL, a->dim))
        score = held(chain);
    if (for_a) offer(rules, a, i, of_b, score);
    if (for_b) offer(rules, b, j, of_a, score);
}

uint64_t akin_block_compare(const akin_block_rules *rules, akin_block *a, size_t a_first, size_t a_end, akin_block *b,
                            size_t b_first, size_t b_end) {
    const akin_dot_kernels *dot = akin_dot();
    akin_dot_hit hits[AKIN_DOT_HITS];
    uint64_t scored = 0;
    for (size_t p = a_first; p < a_end; p++)
        for (size_t q = a == b && b_first < p ? p : b_first; q < b_end; q++) {
            if (!panels_may_meet(rules, &a->summaries[p], &b->summaries[q])) continue;
            size_t count =
                dot->panels(panel(a, p), panel(b, q), a->dim, a->least + p * PANEL, b->least + q * PANEL, hits);
            scored += PANEL * PANEL;
            for (const akin_dot_hit *hit = hits; hit < hits + count; hit++) {
                size_t i = p * PANEL + hit->row, j = q * PANEL + hit->column;
                bool filler = i >= a->count || j >= b->count, second = a == b && j <= i;
                if (!filler && !second) meet(rules, a, i, b, j, hit->score);
            }
        }
    return scored;
}
