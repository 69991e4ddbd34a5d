/* sample: scores of rows in a sample of those that they can meet, and the thresholds that these prove or
 * foretell (thresholds.h). Not collective. */
#ifndef AKIN_SAMPLE_H
#define AKIN_SAMPLE_H

#include <akin/dot.h>
#include <akin/error.h>
#include <akin/row_block.h>

enum { AKIN_SAMPLE_SHARE = 8 }; /* a sample is at most this part of the rows */

/* The caller sets rules, block, among, stride and k. */
typedef struct {
    const akin_row_block_rules *rules;
    akin_row_block *block;
    const akin_row_block *among;
    size_t count, stride, k;
    bool masks;                 /* some pairs of a row and the sample may not meet */
    akin_row_block_item *items; /* [count] */
    uint32_t *panel; /* panels of `among` that the rows of a run may meet, where rules are asked */
    float *rows;     /* [count, stride] */
    akin_row_block *sketched; /* the same rows, whose sketches tell scores; NULL: float32 does */
    float *of_mean;           /* a panel's mean by all of them */
    float margin;             /* of such scores */
    akin_dot_hit *asked;      /* those that float32 decides, */
    float *exact;             /* and their scores */
    float *scores;            /* of some rows with [count] */
    float *offsets;           /* [count], where the rules have some */
    float *some, *offsets_of; /* as rows and offsets, of those that some of the rows may meet, */
    uint32_t *index;          /* and which those are */
    uint32_t *high;           /* [count]: those with a high score */
    float top;                /* no score with its offset is above it */
    float guess;
} akin_sample;

/* Rows of a block, and those of the other that they may meet. */
typedef struct {
    size_t first, end, among_first, among_end;
} akin_sample_run;

/* Whether the rules are asked of panels: then rows of a category are not adjacent. */
bool akin_sample_asks_panels(const akin_row_block_rules *rules);

/* Whether a sample of so many rows saves more than it costs. several: the table shares its pass. */
bool akin_sample_pays(size_t rows, const akin_row_block_rules *rules, size_t k, bool proven,
                      bool several);

/* Room for samples of so many rows; AKIN_FAILED: out of memory. Ended also then. */
AKIN_MUST_CHECK akin_status akin_sample_begin(akin_sample *s, size_t rows, bool proven);
void akin_sample_end(akin_sample *s);

/* The next rows of the block that may meet each other, and theirs of the other, after {0} at first;
 * false: there are no more. */
bool akin_sample_next_run(const akin_sample *s, akin_sample_run *r);

/* How many of so many rows to sample; 0: it does not pay. */
size_t akin_sample_wanted(size_t rows, size_t k, bool proven);
size_t akin_sample_wanted_of(const akin_sample *s, size_t rows,
                             bool proven); /* as the rules want it */

/* Rows at equal distances, so that all clusters have their part; only those that may be neighbours. */
void akin_sample_choose(akin_sample *s, const akin_sample_run *r, size_t wanted);

/* What a chosen sample's offsets are; for one whose items were set by the caller. */
void akin_sample_take_offsets(akin_sample *s);

/* Lets sketches tell from now on which of the chosen rows have to be scored, where that is faster. The
 * rows' block has row sketches, and calls of akin_sample_raise begin with a panel. AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_sample_sketch(akin_sample *s);

/* Rows [first, end) of the block require top - g (top - x) from now on, where `rank` rows of the
 * sample reach x. */
void akin_sample_raise(akin_sample *s, size_t first, size_t end, size_t rank, float g);

#endif
