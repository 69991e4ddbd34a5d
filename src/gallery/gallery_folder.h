/* gallery_folder: a folder that appears atomically: it is written as DIR.part and then renamed to
 * DIR. A gallery is recognised by its file gallery.json. No other folder is ever replaced or
 * removed, unless it is empty. */
#ifndef AKIN_GALLERY_FOLDER_H
#define AKIN_GALLERY_FOLDER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_gallery_folder akin_gallery_folder;

/* AKIN_USAGE if the folder, or an existing DIR.part, is neither empty nor a gallery; AKIN_FAILED
 * if it could not be created. Changes nothing. Not collective: for rank 0. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_check(const char *path);

/* Starts DIR.part from scratch. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_create(akin_comm *comm, const char *path,
                                                       akin_gallery_folder **out);
/* Creates a folder inside, with its parents. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_make(akin_gallery_folder *folder, const char *name);
/* Writes a file inside. Not collective; one rank per file. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_put(akin_gallery_folder *folder, const char *name,
                                                    const void *bytes, size_t count);
/* Adds a file of another gallery under this name, as a hard link or else as a copy. *done false: it
 * could not be read. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_take(akin_gallery_folder *folder, const char *name,
                                                     const char *from, bool *done);
/* The number of files that this rank wrote or linked. Not collective. */
void akin_gallery_folder_files(const akin_gallery_folder *folder, size_t *written, size_t *linked);
/* Creates this folder inside, and puts everything below it from now on; NULL: back to the top. Not
 * collective; the same on all ranks that write. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_enter(akin_gallery_folder *folder,
                                                      const char *name);
uint64_t akin_gallery_folder_bytes(
    const akin_gallery_folder *folder); /* written by this rank. Not collective. */
/* Syncs, moves the folder into place, removes the previous one. Collective; agreed; frees in
 * every case. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_commit(akin_comm *comm,
                                                       akin_gallery_folder *folder);
/* Removes the part. Collective; NULL (on all ranks) is fine. */
void akin_gallery_folder_discard(akin_comm *comm, akin_gallery_folder *folder);

/* "data/lists/012/012345.js": the path of file n of a kind, at most 1,000 per folder. Not
 * collective. */
enum { AKIN_GALLERY_FANOUT = 1000, AKIN_GALLERY_NAME_SIZE = 64 };
void akin_gallery_name(char out[AKIN_GALLERY_NAME_SIZE], const char *folder, size_t n,
                       const char *ending);
/* Makes the folders for files 0..count-1. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_folder_fan(akin_gallery_folder *folder, const char *name,
                                                    size_t count);

#endif
