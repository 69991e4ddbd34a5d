/* file_origin: which table a published file was made from. Its bytes do not tell, so an extended
 * attribute of the file does; a rollback keeps it, and file systems without such attributes lose
 * it. Not collective. */
#ifndef AKIN_FILE_ORIGIN_H
#define AKIN_FILE_ORIGIN_H

#include <akin/hash.h>
#include <stdio.h>

/* As far as the file system can keep it. file_digest: of the file's bytes. */
void akin_file_origin_set(FILE *file, const char *file_digest, const char *table_digest);
/* "" if it is unknown, or the file no longer has these bytes. */
void akin_file_origin_get(const char *path, const char *file_digest,
                          char table_digest[AKIN_HASH_TEXT_SIZE]);

#endif
