/* travel: blocks on their way from rank to rank. The body of a block goes ahead while its rows are still compared; its
 * lists, which grow until then, follow. Of all tables of a block. */
#ifndef AKIN_TRAVEL_H
#define AKIN_TRAVEL_H

#include <akin/comm.h>
#include <akin/row_block.h>

/* Messages in progress to one rank and from another. */
typedef struct {
    int tables; /* 0: none */
    akin_request *send[AKIN_ROW_BLOCK_TABLES], *receive[AKIN_ROW_BLOCK_TABLES];
} akin_travel;

/* The bodies of `block` go to rank `to`, those of `next` come from rank `from`. `next` has begun with the count of
 * rows that will come; neither changes until both have arrived. Collective: rank `to` calls it with this
 * one as its `from`. */
akin_travel akin_travel_bodies(akin_comm *comm, akin_row_block *block, int to, akin_row_block *next,
                               int from);
void akin_travel_arrive(akin_comm *comm, akin_travel *travel);

/* The lists likewise; returns when they have arrived. Collective. */
void akin_travel_lists(akin_comm *comm, akin_row_block *block, int to, akin_row_block *next,
                       int from);

/* The lists of a table that stayed take in those that travelled, which are sorted in the process. Not collective.
 * AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_travel_merge(const akin_row_block_rules *rules,
                                              akin_row_block *stayed, akin_row_block *travelled);

#endif
