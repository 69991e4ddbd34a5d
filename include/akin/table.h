/* table: table.nc, the recommendation table.
 *
 * Floor 2 (data); looks down to error, mem, comm, ncfile, labels. Not collective where nothing else is said.
 *
 *   int neighbor(item, k);    row of the neighbour, -1 = none; best first
 *   float score(item, k);     cosine, 0 where none
 *   int count(item);          neighbours there are
 *   and those of labels
 *   attributes input_embeddings_digest, input_model_digest (of the model that they go back to)
 */
#ifndef AKIN_TABLE_H
#define AKIN_TABLE_H

#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/ncfile.h>

typedef struct akin_table akin_table;

AKIN_MUST_CHECK akin_status akin_table_open(akin_comm *comm, const char *path,
                                            akin_table **out); /* Collective; agreed */
void akin_table_close(akin_table *table);

size_t akin_table_items(const akin_table *table);
size_t akin_table_k(const akin_table *table);
const char *akin_table_digest(const akin_table *table);
const akin_ncfile *akin_table_file(const akin_table *table);
/* neighbor and score [count, k], counts [count]; each may be NULL. Checks that rows are in range, counts within k,
 * scores in [-1, 1], and the order of each list (AKIN_INPUT). */
AKIN_MUST_CHECK akin_status akin_table_rows(const akin_table *table, size_t first, size_t count, int32_t *neighbor,
                                            float *score, int32_t *counts);

typedef struct {
    const char *options, *result_options;
    const char *embeddings_digest;
    const char *model_digest; /* "" = unknown */
} akin_table_origin;

/* Collective. */
AKIN_MUST_CHECK akin_status akin_table_write(akin_comm *comm, const char *path, const akin_table_origin *origin,
                                             size_t n, size_t k, size_t first, const akin_labels *labels,
                                             const int32_t *neighbor, const float *score, const int32_t *counts);
#endif
