/* rng: counter-based random numbers. A number is a function of (seed, stream, counter) alone, so
 * every rank computes the same one without communication, and there is no state. Not collective.
 * Cannot fail. The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC11, 2011). */
#ifndef AKIN_RNG_H
#define AKIN_RNG_H

#include <stdint.h>

/* The purpose of a stream; part of the counter, so that no two purposes share numbers. */
typedef enum {
    AKIN_RNG_WEIGHTS = 1,
    AKIN_RNG_ORDER = 2,
    AKIN_RNG_HOLDOUT = 3,
    AKIN_RNG_SAMPLE = 4,
    AKIN_RNG_AUGMENT = 5,
    AKIN_RNG_PAIRS = 20,
    AKIN_RNG_AXES = 21,
    AKIN_RNG_PLAN = 22,
    AKIN_RNG_TEST = 99
} akin_rng_purpose;

/* One block of Philox4x32-10, as published; the functions below build on it. */
void akin_rng_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The block for a counter: 128 uniform bits. */
void akin_rng_words(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter,
                    uint32_t words[4]);

/* 64 uniform bits. */
uint64_t akin_rng_bits(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter);

/* Uniform in [0, 1), 53 bits. */
double akin_rng_uniform(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter);

/* Standard normal (Box & Muller 1958). */
double akin_rng_normal(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter);

/* The position of item i of 0..n-1 in permutation (seed, purpose, stream): a bijection on
 * 0..n-1, computed for one i without a table (a Feistel network with cycle walking; Black &
 * Rogaway, "Ciphers with arbitrary finite domains", 2002). */
uint64_t akin_rng_permute(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t n,
                          uint64_t i);

#endif
