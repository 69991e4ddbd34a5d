/* study: the weights of the parts, and the map of the joined ones, chosen on the catalogue itself
 * (tune.h): by its categories or groups, by pairs of items that somebody says belong together, or,
 * where there is none of that, by whether its pictures lie on a flat ground. */
#ifndef AKIN_STUDY_H
#define AKIN_STUDY_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>

/* At most so many rows are looked at; with pairs, those of their items first. */
#define AKIN_STUDY_ROWS ((size_t)3072)

/* The parts of the model are fitted; what is chosen goes into its weights and into *out. *turn: on
 * rank 0 what the joined parts are turned by [joined, joined] (projection.h), owned; *turned:
 * whether they are, on all ranks. AKIN_INPUT: pairs that are none; AKIN_FAILED: a file that cannot
 * be read. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_study_catalog(akin_comm *comm, const akin_catalog *catalog,
                                               akin_model *model, akin_features *features,
                                               akin_fit_features_choice *out, double **turn,
                                               bool *turned);

#endif
