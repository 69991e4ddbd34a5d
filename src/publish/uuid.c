/* uuid: name-based identifiers; the one module with libuuid. */
#include "uuid.h"
#include <string.h>
#include <uuid/uuid.h>

void akin_uuid5(const char *text, char out[AKIN_UUID_SIZE]) {
    uuid_t id;
    uuid_generate_sha1(id, *uuid_get_template("url"), text, strlen(text));
    uuid_unparse_lower(id, out);
}
