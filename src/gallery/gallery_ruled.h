/* gallery_ruled: the attributes by which a table's rules and boosts choose, for the cards of the gallery's page. Not
 * collective. */
#ifndef AKIN_GALLERY_RULED_H
#define AKIN_GALLERY_RULED_H

#include "gallery_rows.h"
#include <akin/error.h>
#include <akin/table.h>
#include <stdbool.h>

typedef struct akin_gallery_ruled akin_gallery_ruled;

AKIN_MUST_CHECK akin_status akin_gallery_ruled_read(const akin_table *table,
                                                    const akin_gallery_rows *rows,
                                                    akin_gallery_ruled **out);
bool akin_gallery_ruled_is(const akin_gallery_ruled *ruled, const char *attribute);
bool akin_gallery_ruled_any(const akin_gallery_ruled *ruled); /* of the items' and the targets' */
void akin_gallery_ruled_free(akin_gallery_ruled *ruled);      /* NULL is fine */

#endif
