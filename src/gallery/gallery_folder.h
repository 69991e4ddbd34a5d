/* gallery_folder: a folder of files that appears whole: written as DIR.part, then put in the place
 * of DIR.
 *
 * A gallery is known by its file gallery.json. No other folder is ever replaced or removed, unless
 * it is empty.
 */
#ifndef AKIN_GALLERY_FOLDER_H
#define AKIN_GALLERY_FOLDER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/text.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_gallery_folder akin_gallery_folder;

/* AKIN_USAGE where the folder, or what stands in the way as DIR.part, is neither empty nor a
 * gallery; AKIN_FAILED where it could not be made. Touches nothing. Not collective: rank 0 asks. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_check(const char *path);

/* Begins DIR.part anew. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_create(akin_comm *comm, const char *path,
                                                       akin_gallery_folder **out);
/* Makes a folder below, with those above it. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_make(akin_gallery_folder *folder, const char *name);
/* Writes a file below. Not collective; each file by one rank. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_put(akin_gallery_folder *folder, const char *name,
                                                    const void *bytes, size_t count);
uint64_t akin_gallery_folder_bytes(
    const akin_gallery_folder *folder); /* put by this rank. Not collective. */
/* Syncs, puts the folder in its place, removes the one before, frees. Collective; agreed; frees in
 * every case. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_commit(akin_comm *comm,
                                                       akin_gallery_folder *folder);
/* Removes the part. Collective; NULL (on all ranks) is fine. */
void akin_gallery_folder_discard(akin_comm *comm, akin_gallery_folder *folder);

/* "data/lists/012/012345.js": where file n of a kind lies, at most 1,000 in a folder. Not
 * collective. */
enum { AKIN_GALLERY_FANOUT = 1000, AKIN_GALLERY_NAME_SIZE = 64 };
void akin_gallery_name(char out[AKIN_GALLERY_NAME_SIZE], const char *folder, size_t n,
                       const char *ending);
/* Makes the folders for files 0..count-1. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_fan(akin_gallery_folder *folder, const char *name,
                                                    size_t count);

#endif
