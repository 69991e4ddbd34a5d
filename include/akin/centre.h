/* centre: the mean latent of a catalogue, which embeddings are told from.
 *
 * Floor 3 (stages); looks down to error, mem, shard, comm, log, fixed, network, catalog, model.
 */
#ifndef AKIN_CENTRE_H
#define AKIN_CENTRE_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <akin/network.h>

/* Of a larger catalogue so many items, evenly spread over its rows, serve: the mean of 65,536 is within a hundredth of
 * a standard deviation of the mean of all. */
#define AKIN_CENTRE_ITEMS ((size_t)65536)

/* Into the model's latent_mean; the same bits at any number of ranks. AKIN_FAILED: a latent is not finite.
 * AKIN_INTERRUPTED: a signal came. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_centre_fit(akin_comm *comm, const akin_catalog *catalog, akin_network *network,
                                            akin_model *model);

#endif
