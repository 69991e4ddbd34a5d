/* file_origin: the extended attribute that names the table of a published file. */
#include "file_origin.h"
#include <string.h>
#include <sys/xattr.h>

#define NAME "user.akin.table"

enum { DIGEST = AKIN_HASH_TEXT_SIZE - 1, VALUE = 2 * DIGEST + 2 };

void akin_file_origin_set(FILE *file, const char *file_digest, const char *table_digest) {
    char value[VALUE];
    int length = snprintf(value, sizeof value, "%s %s", file_digest, table_digest);
    (void)!fsetxattr(fileno(file), NAME, value, (size_t)length, 0);
}

void akin_file_origin_get(const char *path, const char *file_digest,
                          char table_digest[AKIN_HASH_TEXT_SIZE]) {
    char value[VALUE] = "";
    table_digest[0] = '\0';
    if (getxattr(path, NAME, value, VALUE - 1) != VALUE - 1) return;
    if (strncmp(value, file_digest, DIGEST) != 0 || value[DIGEST] != ' ') return;
    if (strspn(value + DIGEST + 1, "0123456789abcdef") == DIGEST)
        memcpy(table_digest, value + DIGEST + 1, AKIN_HASH_TEXT_SIZE);
}
