/* gemm: products of matrices by the machine's BLAS. */
#include <akin/gemm.h>
#include <cblas.h>

void akin_gemm_start(void) {
    openblas_set_num_threads(1);
}

void akin_gemm(bool turn_a, bool turn_b, size_t rows, size_t columns, size_t inner, const float *a,
               const float *b, bool add, float *out) {
    cblas_sgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans,
                turn_b ? CblasTrans : CblasNoTrans, (int)rows, (int)columns, (int)inner, 1.0F, a,
                (int)(turn_a ? rows : inner), b, (int)(turn_b ? inner : columns), add ? 1.0F : 0.0F,
                out, (int)columns);
}
