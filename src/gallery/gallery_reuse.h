/* gallery_reuse: reuses the pictures of earlier galleries. A picture whose file is unchanged is
 * linked (or copied, if that fails) instead of being decoded and written again. Not collective.
 *
 * KIND/list.txt       "akin pictures 1 VERSION SIDE MAX_PIXELS", then one line per item, in their
 *                     order: XXH3-64 of its picture's file, 16 hexadecimal digits, or "-" if that
 *                     could not be read; a tab; its id */
#ifndef AKIN_GALLERY_REUSE_H
#define AKIN_GALLERY_REUSE_H

#include "gallery_folder.h"
#include <akin/error.h>
#include <akin/labels.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How pictures are made: those made in another way cannot be reused. */
typedef struct {
    size_t side;
    uint64_t max_pixels;
} akin_gallery_size;

typedef struct akin_gallery_reuse akin_gallery_reuse;

/* Searches the galleries in these folders, in this order. kind, borrowed: "pictures", or "targets"
 * for another catalogue. Ignores NULL, and folders without a list or with pictures of another size.
 */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_open(const char *first, const char *second,
                                                    const char *kind, const akin_gallery_size *size,
                                                    akin_gallery_reuse **out);
void akin_gallery_reuse_free(akin_gallery_reuse *reuse); /* NULL is fine */

/* Adds the picture that an earlier gallery made of a file with this id and hash under this name.
 * *done: whether there was one. */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_take(const akin_gallery_reuse *reuse, const char *id,
                                                    uint64_t hash, akin_gallery_folder *folder,
                                                    const char *name, bool *done);
/* The same, regardless of the hash: the last picture of the item. */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_take_last(const akin_gallery_reuse *reuse,
                                                         const char *id,
                                                         akin_gallery_folder *folder,
                                                         const char *name, bool *done);

/* Writes KIND/list.txt; hashes [items], 0: "-". */
AKIN_MUST_CHECK akin_status akin_gallery_reuse_write(akin_gallery_folder *folder, const char *kind,
                                                     const akin_gallery_size *size,
                                                     const akin_labels *labels,
                                                     const uint64_t *hashes);

#endif
