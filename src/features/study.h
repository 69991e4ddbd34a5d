/* study: chooses the weights of the parts and the map of the joined parts on the catalogue itself
 * (tune.h): by its categories or groups, by pairs of items that are known to belong together, or,
 * without any of these, by the share of its pictures on a flat background. */
#ifndef AKIN_STUDY_H
#define AKIN_STUDY_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>

/* Most rows that are studied; with pairs, the items of pairs come first. */
#define AKIN_STUDY_ROWS ((size_t)3072)

/* Rows of this rank that teach the map in use, as far as their labels are known. Over all ranks they
 * are as many rows of the catalogue as the parts were fitted on, which may be more than are studied:
 * the choice of a map needs neighbours of a few, the map itself only sums. */
typedef struct {
    size_t count;
    const size_t *items; /* [count]: rows of the catalogue, ascending over the ranks; borrowed */
    const float *rows;   /* [count, joined]: their parts with the initial weights; borrowed */
} akin_study_teachers;

/* The parts of the model have been fitted. The chosen weights are stored in the model, and the
 * choice is described in *out. *turn: on rank 0 the turn of the joined parts [joined, joined]
 * (projection.h), owned; *turned: on all ranks, whether there is one. AKIN_INPUT: invalid pairs;
 * AKIN_FAILED: a file cannot be read. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_study_catalog(akin_comm *comm, const akin_catalog *catalog,
                                               const akin_study_teachers *teachers,
                                               akin_model *model, akin_features *features,
                                               akin_fit_features_choice *out, double **turn,
                                               bool *turned);

#endif
