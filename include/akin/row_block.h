/* row_block: some rows with their labels, neighbour lists and sketches, in panels. Not collective.
 *
 * Two arrays of plain bytes travel between ranks: the body (rows and labels, which do not change)
 * and the lists (which grow). akin_row_block_ready derives everything else from them.
 *
 * The score of a pair: 1 where the rows are the same to the bit; else the score of dot.h, clamped
 * to [-1, 1], with -0 replaced by +0. Two rows of unit length that are the same may have a product
 * as low as 1 - akin_dot_bound(dim) - 2^-22 (the last term is for the rounding of their lengths),
 * so no row's threshold for a tile is above that; the list decides by the final score. */
#ifndef AKIN_ROW_BLOCK_H
#define AKIN_ROW_BLOCK_H

#include <akin/error.h>
#include <akin/row_rules.h>
#include <akin/sketch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AKIN_ROW_BLOCK_PANEL = AKIN_SKETCH_PANEL,
    AKIN_ROW_BLOCK_LAYERS = 3,
    AKIN_ROW_BLOCK_TABLES = 16 /* at most */
};

/* Pairs that need no comparison, since the lists began with its result: every row has a label, and
 * a matrix says which pairs of labels are done. Symmetric. */
typedef struct {
    int32_t labels;
    const uint8_t *done; /* [labels, labels], borrowed */
} akin_row_block_layer;

typedef struct {
    bool same_category;         /* both have one, and it is the same */
    bool exclude_same_group;    /* not both in one group */
    bool only_available;        /* an unavailable item is nobody's neighbour */
    float min_score;            /* the lowest score that is kept; -1 = all */
    const akin_row_rules *more; /* NULL: none; borrowed */
    bool again;                 /* lists may begin with entries that will be offered again */
    int layers;                 /* a pair is done where any layer says so */
    akin_row_block_layer layer[AKIN_ROW_BLOCK_LAYERS];
} akin_row_block_rules;

/* Lists are of sums of a score and the offset of the target. */
static inline bool akin_row_block_has_offsets(const akin_row_block_rules *rules) {
    return rules->more != NULL && rules->more->offset != NULL;
}

typedef struct {
    int32_t row;             /* in the whole catalogue; items of the same row are never paired */
    int32_t category, group; /* -1 = none */
    int32_t available;       /* 0 or 1 */
    int32_t label[AKIN_ROW_BLOCK_LAYERS];
    akin_row_values values; /* for the rules' `more` */
} akin_row_block_item;

/* Which rows a panel holds, so that two panels that cannot meet are skipped. */
typedef struct {
    akin_row_reach reach, reached; /* of its rows as sources together, and as targets */
    int32_t category_first, category_last;
    size_t alike_end; /* the panels from this one to before that one have the same two */
    int32_t label[AKIN_ROW_BLOCK_LAYERS]; /* of all its rows; -1 = several */
    bool some_available;
    int32_t sources, targets,
        twice; /* rows that are one, the other, both: of two catalogues none */
    akin_row_span span[AKIN_ROW_RULES_SLOTS]; /* with the rules' `more` */
    float largest; /* largest offset of a row that may be a neighbour; -infinity: none */
} akin_row_block_summary;

/* Which sides of a comparison a block serves; each takes memory. */
typedef enum {
    AKIN_ROW_BLOCK_ROWS = 1,
    AKIN_ROW_BLOCK_COLUMNS = 2,
    AKIN_ROW_BLOCK_BOTH = 3
} akin_row_block_sides;

/* A panel, borrowed. */
typedef struct {
    size_t count; /* rows; followed by zeros up to 48 */
    const float *rows,
        *centre; /* [48, stride], [stride]; the next panel's rows follow, and the mean that
                                 * the next panels share */
    size_t
        sharing; /* panels that have one mean: the first of them has a number that this divides */
    const akin_row_block_item *items; /* [48] */
    const float
        *least; /* [48]: a score below it is of no use; infinity after count. With offsets: a
                         * sum of score and offset */
    const akin_row_block_summary *summary;
    const akin_sketch *sketch;
    const uint8_t *as_rows;   /* as in sketch.h; NULL if the block does not have this side */
    const int8_t *as_columns; /* so too */
    const int16_t *wrap;
    const int32_t *sums;
} akin_row_block_panel;

typedef struct akin_row_block akin_row_block;

/* Room for `capacity` rows. k = 0: its rows take no entries and are only found by others. */
AKIN_MUST_CHECK akin_status akin_row_block_create(size_t capacity, size_t dim, size_t k,
                                                  akin_row_block_sides sides, akin_row_block **out);
void akin_row_block_free(akin_row_block *block); /* NULL is fine */

/* Several tables of the same rows: table 0 is the block itself. Each further table is a block with
 * its own items, lists and thresholds (its rules may give an item other values and another
 * availability) that shares the rows and their sketches. Begin it with the block, set its items
 * without rows, and make it ready after the block. It is freed with the block, or before it, the
 * last one first. */
AKIN_MUST_CHECK akin_status akin_row_block_add_table(akin_row_block *block, size_t k);
int akin_row_block_tables(const akin_row_block *block);
akin_row_block *akin_row_block_table(const akin_row_block *block, int table); /* borrowed */

/* Divides rows into leading numbers and a tail (allpairs/leading.h), for the sketches alone;
 * NULL: they are not divided. Before they are ready; blocks that are compared have the same.
 * Borrowed. AKIN_FAILED: out of memory. */
struct akin_leading;
AKIN_MUST_CHECK akin_status akin_row_block_lead(akin_row_block *block,
                                                const struct akin_leading *leading);
const struct akin_leading *akin_row_block_leading(const akin_row_block *block);
/* Dimensions of the sketches: the stride, or as many as lead. */
size_t akin_row_block_width(const akin_row_block *block);

/* Filling: begin with the count (<= capacity; lists are emptied), set every row, then ready. Rows
 * that cannot meet others (labels, category, availability) should be adjacent, and so should
 * similar rows: panels are skipped as a whole. */
void akin_row_block_begin(akin_row_block *block, size_t count);
void akin_row_block_set(akin_row_block *block, size_t index, akin_row_block_item item,
                        const float *row /* [dim], unit length, no -0; of a table: NULL */);
void akin_row_block_ready(akin_row_block *block, const akin_row_block_rules *rules);

size_t akin_row_block_count(const akin_row_block *block);
size_t akin_row_block_dim(const akin_row_block *block);
size_t akin_row_block_stride(const akin_row_block *block);
size_t akin_row_block_k(const akin_row_block *block);
size_t akin_row_block_panels(const akin_row_block *block);
akin_row_block_panel akin_row_block_view(const akin_row_block *block, size_t panel);
/* A panel's sketch as columns, borrowed; the next panel's follows it. */
const int8_t *akin_row_block_columns(const akin_row_block *block, size_t panel);
const float *akin_row_block_least(const akin_row_block *block, size_t panel); /* as in the view */
const akin_row_block_summary *
akin_row_block_summaries(const akin_row_block *block); /* [panels], borrowed */
const akin_row_block_item *
akin_row_block_items(const akin_row_block *block);                          /* [count], borrowed */
const float *akin_row_block_row(const akin_row_block *block, size_t index); /* [stride], borrowed */
uint64_t *akin_row_block_lists(akin_row_block *block); /* all of them, consecutively, borrowed */
uint64_t *akin_row_block_list(const akin_row_block *block,
                              size_t index); /* of a row, as in topk.h; borrowed */

/* Prefetches row i of a panel and its list; its list, and what rules need to know of it; the
 * latter. */
void akin_row_block_fetch(const akin_row_block *block, size_t panel, size_t i);
void akin_row_block_fetch_list(const akin_row_block *block, size_t panel, size_t i);
void akin_row_block_fetch_item(const akin_row_block *block, size_t panel, size_t i);

typedef struct {
    uint16_t to, from; /* rows, counted from the first of two panels */
    float product;     /* of the two rows, as dot.h scores it */
} akin_row_block_proposal;

/* Offers rows of panel q of `from` to the lists of rows of panel p of `to`. */
void akin_row_block_offer(const akin_row_block_rules *rules, akin_row_block *to, size_t p,
                          const akin_row_block *from, size_t q,
                          const akin_row_block_proposal *proposals, size_t count);

/* The offsets of a panel's rows, borrowed; zeros without them. */
const float *akin_row_block_offsets(const akin_row_block *block, size_t panel);

/* The score from which on two rows may be identical, so that it may not be the product (above). */
float akin_row_block_sure(const akin_row_block *block);

/* What the rows of a panel reach, as in row_rules.h; those after count nothing. Borrowed. */
const akin_row_reach *akin_row_block_reach(const akin_row_block *block, size_t panel);

/* Resting rows take no entries and are only found by others, until they are woken. */
void akin_row_block_rest(akin_row_block *block, bool rests);

/* Whether b may be in the list of a, regardless of its availability. */
bool akin_row_block_may_meet(const akin_row_block_rules *rules, const akin_row_block_item *a,
                             const akin_row_block_item *b);

/* From now on row i accepts no score below this one: at least k others reach it, or are predicted
 * to (topk.h). */
void akin_row_block_raise(const akin_row_block_rules *rules, akin_row_block *block, size_t i,
                          float score);

/* A copy elsewhere: begin with the same count, body and lists copied byte for byte, then ready. */
void *akin_row_block_body(akin_row_block *block);          /* borrowed */
size_t akin_row_block_body_size(size_t count, size_t dim); /* of one with its own rows */
size_t akin_row_block_body_size_of(const akin_row_block *block, size_t count);
size_t akin_row_block_lists_size(size_t count, size_t k);

#endif
