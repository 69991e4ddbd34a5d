/* central: which rows are in the middle of some. */
#include "central.h"
#include <akin/fixed.h>
#include <akin/mem.h>

enum { BITS = 30 }; /* fixed-point scale: room for 2^31 rows of values in [-1, 1] */

akin_status akin_central_sums(akin_comm *comm, const akin_vectors *vectors, akin_central_slot slot,
                              const void *context, size_t slots, float **centres) {
    akin_status status;
    size_t dim = akin_vectors_columns(vectors);
    int64_t *sums = akin_mem_zalloc(slots, dim * sizeof *sums);
    *centres = akin_mem_alloc(slots, dim * sizeof **centres);
    AKIN_TRY(akin_agree(comm, sums && *centres ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < akin_vectors_count(vectors); i++) {
        int32_t at = slot(context, i);
        if (at >= 0)
            (void)akin_fixed_add(akin_vectors_row(vectors, i), dim, BITS, 2,
                                 sums + (size_t)at * dim);
    }
    akin_comm_sum_i64(comm, sums, slots * dim);
    akin_fixed_get(sums, slots * dim, BITS, *centres);
done:
    akin_mem_free(sums);
    return status;
}

float akin_central_value(const akin_vectors *vectors, size_t item, const float *centre) {
    const float *row = akin_vectors_row(vectors, item);
    double sum = 0;
    for (size_t t = 0; t < akin_vectors_columns(vectors); t++)
        sum += (double)row[t] * (double)centre[t];
    return (float)sum + 0.0f;
}
