/* item_order: selects the rules for single items by which rows are ordered before the comparison,
 * so that rows that can be neighbours are close to each other. These are the rules that let the
 * fewest pairs pass, measured on a sample of the rows. */
#ifndef AKIN_ITEM_ORDER_H
#define AKIN_ITEM_ORDER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* Sets the rules' orders, the same at any number of ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_item_order_choose(akin_comm *comm, const akin_vectors *vectors,
                                                   akin_row_rules *rules);

#endif
