/* known: what an all-pairs run knows when it begins, from last night's table (delta.h) and from a run that was
 * interrupted (waypoint.h), as one: rules' layers, lists, and where the ring goes on.
 *
 * Floor 3 (stages); looks down to error, mem, ring, block, comm, log, file, vectors, waypoint, deal, allpairs, delta.
 */
#ifndef AKIN_KNOWN_H
#define AKIN_KNOWN_H

#include <akin/allpairs.h>
#include <akin/block.h>
#include <akin/comm.h>
#include <akin/delta.h>
#include <akin/vectors.h>
#include <akin/waypoint.h>

typedef struct akin_known akin_known;

/* delta: may be NULL; borrowed as long as the object lives. list: of the engine's lists. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_known_create(akin_comm *comm, const akin_vectors *vectors, size_t list,
                                              const akin_delta *delta, akin_known **out);
void akin_known_free(akin_known *known); /* NULL is fine */

/* Goes on from the file where it is there and fits. One that does not is AKIN_INPUT where it was `named`; else it is
 * reported and left. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_known_resume(akin_known *known, const char *path, bool named,
                                              const akin_waypoint_origin *origin);

/* The engine's part: sets rules->layers, and prior and progress of `params`; both borrow from the object. Not
 * collective. */
void akin_known_apply(const akin_known *known, akin_block_rules *rules, akin_allpairs_params *params);

/* Saves where the ring stands. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_known_save(const akin_known *known, const char *path,
                                            const akin_waypoint_origin *origin, const akin_allpairs_state *state);

#endif
