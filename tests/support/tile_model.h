/* A matrix unit in plain C for the tile that is written for one, so that its laws are tested on
 * every machine; if the CPU has such a unit, the tests use that too. */
#ifndef AKIN_TESTS_TILE_MODEL_H
#define AKIN_TESTS_TILE_MODEL_H

#include "allpairs/tile.h"
#include "levels.h"

extern const akin_tile_kernels akin_tile_kernels_v1_model;

/* Each level of the CPU, then the model in place of the best level's tile (or of the portable
 * one's, if $AKIN_TEST_CPU names levels). Everything is restored afterwards. */
static inline bool force_tile(int level) {
    akin_tile_replace(NULL);
    if (level < AKIN_CPU_LEVELS) return force_level(level);
    akin_tile_replace(level == AKIN_CPU_LEVELS ? &akin_tile_kernels_v1_model : NULL);
    return level == AKIN_CPU_LEVELS && akin_cpu_force("auto") == AKIN_OK;
}

#define FOR_EACH_TILE(level)                                                                       \
    for (int level = 0;                                                                            \
         level <= AKIN_CPU_LEVELS || force_tile(level) || akin_cpu_force("auto") != AKIN_OK;       \
         level++)                                                                                  \
        if (force_tile(level))

/* How often the model's unit was configured and released. */
extern size_t tile_model_configured, tile_model_released;

#endif
