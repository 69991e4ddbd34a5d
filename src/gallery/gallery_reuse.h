/* gallery_reuse: the pictures of earlier galleries, so that a picture whose file is unchanged is
 * linked (or copied, where it cannot be) instead of being decoded and written again. Not collective.
 *
 *   KIND/list.txt       "akin pictures 1 VERSION SIDE MAX_PIXELS", then a line an item, in their
 *                       order: XXH3-64 of its picture's file, 16 hexadecimal digits, or "-" where
 *                       that could not be read; a tab; its id */
#ifndef AKIN_GALLERY_REUSE_H
#define AKIN_GALLERY_REUSE_H

#include "gallery_folder.h"
#include <akin/error.h>
#include <akin/labels.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How pictures are made: others cannot be reused. */
typedef struct {
    size_t side;
    uint64_t max_pixels;
} akin_gallery_size;

typedef struct akin_gallery_reuse akin_gallery_reuse;

/* Of the galleries in these folders, looked at in this order; kind, borrowed: "pictures", or "targets" of
 * another catalogue; NULL is no folder, and one without such
 * a list, or of another size, has nothing to offer. */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_open(const char *first, const char *second,
                                                    const char *kind, const akin_gallery_size *size,
                                                    akin_gallery_reuse **out);
void akin_gallery_reuse_free(akin_gallery_reuse *reuse); /* NULL is fine */

/* Puts the picture that an earlier gallery made of a file with this id and hash under this name.
 * *done: there was one. */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_take(const akin_gallery_reuse *reuse, const char *id,
                                                    uint64_t hash, akin_gallery_folder *folder,
                                                    const char *name, bool *done);
/* The same whatever the hash: the picture that the item last had. */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_take_last(const akin_gallery_reuse *reuse,
                                                         const char *id,
                                                         akin_gallery_folder *folder,
                                                         const char *name, bool *done);

/* KIND/list.txt; hashes [items], 0: "-". */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_write(akin_gallery_folder *folder, const char *kind,
                                                     const akin_gallery_size *size,
                                                     const akin_labels *labels,
                                                     const uint64_t *hashes);

#endif
