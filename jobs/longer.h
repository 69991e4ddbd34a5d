/* longer: tables of the same rows with longer lists, for the gallery: where a neighbour would stand without the
 * rules of its table. */
#ifndef AKIN_LONGER_H
#define AKIN_LONGER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery.h>

enum { AKIN_LONGER_DEPTH = 200 }; /* neighbours of each item */

/* What a table was made from; against NULL: from themselves. */
typedef struct {
    const char *table, *embeddings, *against;
} akin_longer_source;

/* Makes them beside `output`, where the table has rules, is of items, and its inputs are known; else, or
 * if they cannot be made, there are none. The names are owned: akin_longer_remove. AKIN_INTERRUPTED after
 * a signal. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_longer_make(akin_comm *comm, const akin_longer_source *source,
                                             const char *output, akin_gallery_longer *out);
/* Removes the files too, on rank 0. Not collective. */
void akin_longer_remove(const akin_comm *comm, akin_gallery_longer *longer);

#endif
