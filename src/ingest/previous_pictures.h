/* previous_pictures: which pictures the previous catalogue already has. Not collective unless
 * stated. */
#ifndef AKIN_PREVIOUS_PICTURES_H
#define AKIN_PREVIOUS_PICTURES_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/pretrained.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_previous_pictures akin_previous_pictures;

/* AKIN_INPUT: its pictures were shrunk differently. Has no pictures if path is NULL, or if the
 * catalogue was made with another network, or only one of the two with any. Collective; agreed; the
 * same arguments. */
AKIN_MUST_CHECK akin_status akin_previous_pictures_open(akin_comm *comm, const char *path,
                                                        const char *result_options,
                                                        const akin_pretrained_params *network,
                                                        akin_previous_pictures **out);
void akin_previous_pictures_close(akin_previous_pictures *previous); /* NULL is fine */

/* The row whose image file has exactly these bytes, if there is one. */
bool akin_previous_pictures_find(const akin_previous_pictures *previous, uint64_t hash,
                                 uint64_t *row);
const akin_catalog *
akin_previous_pictures_catalog(const akin_previous_pictures *previous); /* borrowed; NULL of NULL */

#endif
