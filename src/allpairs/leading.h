/* leading: the dimensions of long rows that decide most, and a bound of scores by them alone.
 *
 * Rows of a network have dimensions of very unequal size. Let y be a row's numbers in the leading dimensions and t
 * those in the others, the tail. For rows a, b and any c without a tail, by the Cauchy-Schwarz inequality,
 *
 *   (a - c).b = y(a - c).y(b) + t(a).t(b) <= y(a - c).y(b) + |t(a)| |t(b)|
 *
 * That is the product of two rows of one number more than there are leading dimensions, the last one being the
 * length of the tail: the tile takes them as any other rows (tile.h), and the pairs that it leaves are asked for
 * t(a).t(b) itself (sift.h). Which dimensions lead decides how much work that saves, and nothing else. */
#ifndef AKIN_LEADING_H
#define AKIN_LEADING_H

#include <akin/comm.h>
#include <akin/row_block.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_leading {
    size_t stride; /* of a row */
    size_t count;  /* leading dimensions, and one for the length of the tail; a multiple of 128 */
    /* The others, with zeros up to a multiple of 64, or without the smallest few that are beyond one: */
    size_t tail;
    size_t lost;       /* how many those are */
    size_t place;      /* of the length among the count */
    double least_mean; /* the square of a mean's length from which on it is used */
    uint32_t *from;    /* [count + tail + lost]: the dimension at each place; UINT32_MAX: none */
} akin_leading;

/* With these dimensions in the order of how much they decide; count as above, below the stride. AKIN_FAILED: out of
 * memory. */
AKIN_MUST_CHECK akin_status akin_leading_create(const uint32_t *order /* [stride] */, size_t stride,
                                                size_t count, akin_leading **out);
void akin_leading_free(akin_leading *leading); /* NULL is fine */

/* The numbers of a row by their places; 0 where there is none, and for the length. */
void akin_leading_part(const akin_leading *leading, const float *row /* [stride] */,
                       float *numbers /* [count] */, float *tail /* [tail + lost] */);

/* Takes the tail off a row. */
void akin_leading_cut(const akin_leading *leading, float *row /* [stride] */);

/* The same of a mean of rows, which becomes zero where what is left of it is short. */
void akin_leading_mean(const akin_leading *leading, float *mean /* [stride] */);

/* For which tables, and of how many rows. */
typedef struct {
    size_t all; /* rows of all ranks */
    int tables;
    const akin_row_block_rules *rules[AKIN_ROW_BLOCK_TABLES];
    size_t k[AKIN_ROW_BLOCK_TABLES];
} akin_leading_use;

/* NULL: multiplying all dimensions is likely to be as fast (few or short rows, dimensions of equal size, rank 0's
 * block of fewer than 512), lists are of sums with offsets, or a rank has a matrix unit, whose tile does not tell what
 * `found` needs. Rank 0's block tells; the rows of its tables are set, and need not be ready. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_leading_choose(akin_comm *comm, const akin_row_block *block,
                                                const akin_leading_use *use, akin_leading **out);

#endif
