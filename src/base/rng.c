/* rng: see rng.h. */
#include <akin/rng.h>
#include <math.h>

enum { PHILOX_ROUNDS = 10, FEISTEL_ROUNDS = 8 };

/* Constants of the publication: multipliers, and Weyl increments of the key (golden ratio,
 * sqrt(3) - 1). */
#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

void akin_rng_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0],
             k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void akin_rng_words(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter,
                    uint32_t words[4]) {
    akin_rng_block(
        (uint32_t[]){(uint32_t)counter, (uint32_t)(counter >> 32), stream, (uint32_t)purpose},
        (uint32_t[]){(uint32_t)seed, (uint32_t)(seed >> 32)}, words);
}

static void draw(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter,
                 uint64_t out[2]) {
    uint32_t words[4];
    akin_rng_words(seed, purpose, stream, counter, words);
    out[0] = words[0] | (uint64_t)words[1] << 32;
    out[1] = words[2] | (uint64_t)words[3] << 32;
}

static double unit(uint64_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
}

uint64_t akin_rng_bits(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter) {
    uint64_t drawn[2];
    draw(seed, purpose, stream, counter, drawn);
    return drawn[0];
}

double akin_rng_uniform(uint64_t seed, akin_rng_purpose purpose, uint32_t stream,
                        uint64_t counter) {
    return unit(akin_rng_bits(seed, purpose, stream, counter));
}

double akin_rng_normal(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t counter) {
    uint64_t drawn[2];
    draw(seed, purpose, stream, counter, drawn);
    double radius = sqrt(-2 * log(1 - unit(drawn[0]))); /* 1 - u lies in (0, 1] */
    return radius * cos(6.283185307179586476925 * unit(drawn[1]));
}

/* A bijection of 64-bit words that mixes every bit (the finaliser of MurmurHash3, Appleby 2011). */
static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    x = (x ^ x >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return x ^ x >> 33;
}

/* One pass through the network on 0..2^(left_bits + right_bits) - 1; halves of unequal width
 * alternate. */
static uint64_t feistel(uint64_t x, int left_bits, int right_bits,
                        const uint64_t keys[FEISTEL_ROUNDS]) {
    uint64_t left_mask = (UINT64_C(1) << left_bits) - 1,
             right_mask = (UINT64_C(1) << right_bits) - 1;
    uint64_t left = x >> right_bits, right = x & right_mask;
    for (int round = 0; round < FEISTEL_ROUNDS; round += 2) {
        left ^= mix(right + keys[round]) & left_mask;
        right ^= mix(left + keys[round + 1]) & right_mask;
    }
    return left << right_bits | right;
}

uint64_t akin_rng_permute(uint64_t seed, akin_rng_purpose purpose, uint32_t stream, uint64_t n,
                          uint64_t i) {
    if (n < 2) return 0;
    int bits = 6; /* a smaller network would shuffle poorly; cycle walking within 64 places costs
                   * nothing */
    while (bits < 64 && (n - 1) >> bits) bits++;
    uint64_t keys[FEISTEL_ROUNDS];
    for (uint64_t round = 0; round < FEISTEL_ROUNDS; round += 2)
        draw(seed, purpose, stream, UINT64_C(0xFEED000000000000) + round, keys + round);
    do i = feistel(i, bits / 2, bits - bits / 2, keys);
    while (i >= n);
    return i;
}
